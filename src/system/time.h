/* Time zone and clock setting: parameters Time.*, and local time for those who
 * write it down. Loop-bound, but for time_local_offset(). */
#ifndef SYSTEM_TIME_H
#define SYSTEM_TIME_H

#include <stddef.h>
#include <stdint.h>

struct clock;
struct fault;
struct room_desc;

struct time_settings {
    char zone[64];       /* IANA name: "Europe/Stockholm"; "UTC" by default */
    char posix_zone[96]; /* derived: "CET-1CEST,M3.5.0,M10.5.0/3" */
    int sync_source;
};
extern const struct room_desc time_room_desc; /* check() knows the zones of tzdata */

/* Seconds east of UTC at that moment in that zone; any thread. */
long time_local_offset(const char *zone, int64_t utc_ns);
/* Names of the zones, "UTC" first; NULL-terminated, owned by the room. */
const char *const *time_zones(size_t *ret_n);
int time_posix_zone(const char *zone, char *ret, size_t size);

#endif
