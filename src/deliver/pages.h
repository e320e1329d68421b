/* Bytes that many sockets send, once more in pages of a file in memory: the kernel passes its pages
 * on from socket to socket, where a send would copy the bytes for each (half the processor time for
 * a key picture to hundreds of viewers, and who receives finds them in the cache). A page that is
 * still on its way when the bytes are given up stays until it has arrived. Any thread. */
#ifndef DELIVER_PAGES_H
#define DELIVER_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PAGES_FROM_BYTES 8192 /* smaller ones are copied as fast */
#define PAGES_FROM_VIEWERS 8  /* fewer do not pay for the pages */

/* Zeroed: nobody has asked for them yet. Lies where the bytes lie. */
struct pages {
    int64_t at; /* atomic; in the file; 0: not yet, −1: cannot be had */
};

/* Where they are in the file, > 0; made when first asked for. −1: they cannot be had (no memory, or
 * no such files), the bytes will have to do. */
off_t pages_of(struct pages *p, const void *bytes, size_t len);
int pages_file(void); /* −1: there is none */
void pages_done(struct pages *p, size_t len);
/* Whether files in memory have the machine's own pages only, by the kernel's settings in that
 * folder (transparent_hugepage; as they are when the file is opened). */
bool pages_are_small(const char *folder);

#endif
