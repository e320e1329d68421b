/* A growing byte buffer with a limit, and an arena for what lives as long as one
 * exchange. Writing past the limit or out of memory sets `err` (negative errno),
 * after which all writes are ignored: check once at the end. Owner thread. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

struct buf {
    char *data; /* NUL-terminated while len > 0 or after buf_str() */
    size_t len, cap, max;
    int err;
};

void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b);  /* frees; the buffer may be used again */
void buf_reset(struct buf *b); /* len = 0, err = 0, keeps memory */
int buf_reserve(struct buf *b, size_t more);
int buf_add(struct buf *b, const void *bytes, size_t len);
int buf_adds(struct buf *b, const char *s);
int buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int buf_vaddf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
void buf_consume(struct buf *b, size_t len);     /* from the front */
const char *buf_str(struct buf *b);              /* "" when empty; borrowed */
char *buf_steal(struct buf *b, size_t *ret_len); /* caller frees; NULL if err */

#define BUF(name, max_bytes)                                                                       \
    __attribute__((cleanup(buf_done))) struct buf name = {.max = (max_bytes)}

struct arena;
struct arena *arena_new(size_t max); /* NULL: out of memory */
struct arena *arena_free(struct arena *a);
void *arena_alloc(struct arena *a, size_t len); /* zeroed, 16-aligned; NULL past max */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t len);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
