/* The scenarios that can be played by name: those that came with the camera, read once at
 * start, and the user's own, which lie in the state folder. All are in memory: a name can
 * be no path that somebody talks us into. On the loop, but where it says "job". */
#ifndef DEVICE_VIRTUAL_CAST_LIBRARY_H
#define DEVICE_VIRTUAL_CAST_LIBRARY_H

#include "device/virtual/cast/cast.h"

struct fault;
struct file_port;

#define LIBRARY_MOST 128
#define LIBRARY_OWN 32 /* of which the user's */

struct scenario_text {
    struct cast_facts facts; /* facts.name: that of its file */
    char *text;              /* NUL-terminated */
    size_t len;
    bool own;
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

/* Reads the user's own, too, from the state folder. */
void library_read_own(struct scenario_library *l, struct file_port *files);
/* May this text be kept by this name? The fault names the line. */
int library_check(const struct scenario_library *l, const char *name, const char *text, size_t len,
                  struct fault *why);
/* Is this one the user's, so that it may be removed? */
int library_check_own(const struct scenario_library *l, const char *name, struct fault *why);
/* In the state folder; name and text have been checked. 0 or -errno. Job, one at a time. */
int library_write(struct file_port *files, const char *name, const char *text, size_t len);
int library_erase(struct file_port *files, const char *name);
/* In memory: in place of one of that name; -ENOMEM. */
int library_put(struct scenario_library *l, const char *text, size_t len);
void library_drop(struct scenario_library *l, const char *name);

#endif
