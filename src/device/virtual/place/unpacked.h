/* Files that `make build` unpacks once and all cameras of the machine map: places, and the
 * models of people and vehicles. Any thread. */
#ifndef DEVICE_VIRTUAL_PLACE_UNPACKED_H
#define DEVICE_VIRTUAL_PLACE_UNPACKED_H

#include <stddef.h>
#include <stdint.h>

#define UNPACKED_PATH 4224

/* Where "street.place" lies: in $VEDETTE_PLACES, or in the first folder beside the program
 * or in its prefix that has it; else the path of the one that ought to. */
void unpacked_path(const char *file, char ret[UNPACKED_PATH]);
/* Read-only. NULL with errno: it cannot be read, is no file, or is empty. */
const uint8_t *unpacked_map(const char *path, size_t *ret_size);
void unpacked_unmap(const uint8_t *base, size_t size); /* base may be NULL */

#endif
