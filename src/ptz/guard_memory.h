/* Where a guard tour is, kept in a small file so that after a restart it goes on there. It is
 * written with each step, without waiting for the disk: what a power cut takes away is where the
 * tour was, not the tour. Loop-bound; the file is written on a job. */
#ifndef PTZ_GUARD_MEMORY_H
#define PTZ_GUARD_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file_port;
struct jobs;
struct guard_memory;

struct guard_place {
    int tour;       /* its G# */
    uint64_t round; /* counts from its start */
    int last;       /* step that ended the round before, or -1 */
    int step;       /* T# it is at; -1: between two rounds */
};

#define GUARD_PLACE_TEXT 64 /* bytes, always: it is written over the one before */
void guard_place_print(const struct guard_place *p, char ret[GUARD_PLACE_TEXT + 1]);
bool guard_place_parse(const char *text, size_t len, struct guard_place *ret);

/* NULL: out of memory. */
struct guard_memory *guard_memory_new(struct jobs *jobs, struct file_port *files);
struct guard_memory *guard_memory_free(struct guard_memory *m);
void guard_memory_keep(struct guard_memory *m, const struct guard_place *p);
/* What was kept before the start; false: nothing, or nothing that can be read. */
bool guard_memory_recall(struct guard_memory *m, struct guard_place *ret);

#endif
