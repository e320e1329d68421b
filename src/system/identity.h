/* Who this camera is: serial number, names, versions. Made at first start (from
 * the seed when one is given), kept in "identity.json". Immutable after start. */
#ifndef SYSTEM_IDENTITY_H
#define SYSTEM_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

struct fault;
struct file_port;
struct room_desc;

struct identity_info {
    char serial[13]; /* 12 upper-case hex digits, a locally administered MAC address */
    char mac[18];    /* 02:AB:… */
    char hardware_id[16];
    char boot_id[37]; /* new at each start */
};
int identity_load(struct file_port *files, bool seeded, uint64_t seed, struct identity_info *ret,
                  struct fault *why);

/* Brand.* and Properties.Firmware.*: parameters so that a tester can present another
 * identity. The serial number is not one: the login realm hangs on it. `version` is
 * what clients compare; the program's own is VEDETTE_VERSION. */
struct brand_settings {
    char brand[64], full_name[128], short_name[64], number[64], type[64], variant[32], web_url[128];
    char version[32], build_number[16], build_date[32];
};
extern const struct room_desc brand_room_desc;

#endif
