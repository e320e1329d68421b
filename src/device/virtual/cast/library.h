/* The scenarios that came with the camera, read once at start: what is in memory cannot be
 * a path that somebody talks us into. Immutable; any thread. */
#ifndef DEVICE_VIRTUAL_CAST_LIBRARY_H
#define DEVICE_VIRTUAL_CAST_LIBRARY_H

#include "device/virtual/cast/cast.h"

#define LIBRARY_MOST 128

struct scenario_text {
    struct cast_facts facts; /* facts.name: that of its file */
    char *text;              /* NUL-terminated */
    size_t len;
};
struct scenario_library {
    size_t n;
    struct scenario_text item[LIBRARY_MOST]; /* by name */
};

/* From the folder beside the program, or in its prefix; without one it is empty. What is no
 * scenario is logged and left out. NULL: no memory. */
struct scenario_library *library_new(void);
struct scenario_library *library_free(struct scenario_library *l);
const struct scenario_text *library_find(const struct scenario_library *l, const char *name);

#endif
