/* Time zone and clock setting: parameters Time.*, and local time for those who
 * write it down. Loop-bound, but for time_local_offset(), time_local_name() and
 * time_posix_zone().
 *
 * Zones come from the system's tzdata (TZif, RFC 9636). Where a zone is asked for,
 * a POSIX rule ("CET-1CEST,M3.5.0,M10.5.0/3") is taken as well. */
#ifndef SYSTEM_TIME_H
#define SYSTEM_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf;
struct fault;
struct room_desc;

enum time_sync { TIME_SYNC_SYSTEM, TIME_SYNC_NONE };

struct time_settings {
    char zone[96];       /* IANA name: "Europe/Stockholm"; "UTC" by default; or a POSIX rule */
    char posix_zone[96]; /* derived: "CET-1CEST,M3.5.0,M10.5.0/3" */
    int sync_source;     /* enum time_sync */
    int language;        /* index into time_languages */
};
extern const char *const time_languages[];    /* ISO 639-1; NULL ends them */
extern const struct room_desc time_room_desc; /* check() knows the zones of tzdata */

/* Keeps the two zone parameters in step, whichever was set. */
struct time_keeper;
struct time_keeper *time_keeper_new(struct conf *conf);
struct time_keeper *time_keeper_free(struct time_keeper *k);

/* Seconds east of UTC at that moment in that zone; 0 when there is no such zone. */
long time_local_offset(const char *zone, int64_t utc_ns);
/* The zone's own name for its time at that moment: "CEST", "+0530", "UTC". Any thread. */
void time_local_name(const char *zone, int64_t utc_ns, char *ret, size_t size);
bool time_zone_exists(const char *zone);
/* Names of the zones, "UTC" first; NULL-terminated, owned by the room. */
const char *const *time_zones(size_t *ret_n);
/* -ENOENT: no such zone; -ERANGE: does not fit. */
int time_posix_zone(const char *zone, char *ret, size_t size);
/* Does the zone change its clocks for summer? */
bool time_zone_has_dst(const char *zone);

#endif
