/* Pixels: a refcounted 8-bit 4:2:0 picture, and pools that recycle them.
 *
 * One producer fills a picture while its reference count is one; once handed on
 * it is never written again. The last unref puts the memory back into its pool.
 * Memory of `memfd` pools can be mapped read-only by other processes. Rows are
 * 64-byte aligned; sizes are even. Any thread. */
#ifndef MEDIA_PICTURE_H
#define MEDIA_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ITU-T H.273 code points are derived from these when a codec is tagged. */
enum colour_matrix { COLOUR_BT709, COLOUR_BT601 };
enum colour_range { RANGE_LIMITED, RANGE_FULL };

struct picture_pool;

#define PICTURE_BANDS 8

struct picture {
    int width, height;
    uint8_t *plane[3]; /* Y, Cb, Cr */
    int stride[3];
    enum colour_matrix matrix;
    enum colour_range range;
    int memfd;     /* -1: ordinary memory */
    size_t memlen; /* of the whole picture */
    struct picture_pool *pool;
    int refs; /* atomic */
    struct picture *next_free;
    struct picture *under; /* of a coat: the picture that shows through */
    struct picture *coats; /* mapped and free to be painted again; the pool's lock */
    struct {
        int y, height;
    } painted[PICTURE_BANDS], own[PICTURE_BANDS]; /* of a coat: rows; own: on pages of its own */
    unsigned n_painted, n_own;
};

struct picture_pool *picture_pool_new(int width, int height, bool memfd, unsigned most);
struct picture_pool *picture_pool_unref(struct picture_pool *p); /* lives until its last picture */
/* A picture with one reference and undefined content; NULL when `most` are out. */
struct picture *picture_get(struct picture_pool *p);
struct picture *picture_ref(struct picture *p);
struct picture *picture_unref(struct picture *p);
/* A coat of paint over a picture of a memfd pool: shows its pixels and may be painted on, while
 * the picture stays as it is. Nothing is copied but the pages that are painted (a private
 * mapping of the same memory); what is painted at the same place in each picture keeps them.
 * Whoever paints says which rows, each time; when nobody says anything, or too many bands, all rows
 * count as painted. Keeps a reference of p. NULL: p is of another pool, or no memory. */
struct picture *picture_coat(struct picture *p);
void picture_painted(struct picture *coat, int y, int height); /* no coat: does nothing */
/* A part (even numbers) of a picture's pixels as a picture of its own: borrowed, cannot
 * be ref'd. */
struct picture picture_part(const struct picture *p, int x, int y, int width, int height);
void picture_fill(struct picture *p, uint8_t y, uint8_t cb, uint8_t cr);
void picture_copy_rows(struct picture *to, const struct picture *from, int first_row, int n_rows);

#endif
