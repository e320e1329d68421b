/* Reads answers of com/ptz.cgi: lines NAME=VALUE. Any thread. */
#ifndef DEVICE_VAPIX_ANSWER_H
#define DEVICE_VAPIX_ANSWER_H

#include <stddef.h>

/* The number behind the first line "name="; -ENOENT: there is none, -EINVAL: no finite
 * number from min to max. `text` need not end with NUL. */
int vapix_number(const char *text, size_t len, const char *name, double min, double max,
                 double *ret);

#endif
