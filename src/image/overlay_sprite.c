#include "image/overlay_sprite.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "image/kernels.h"

#define CELL 16 /* spans begin and end at multiples of it: rows are blended 16 at a time */

struct sprite *sprite_ref(struct sprite *s)
{
    __atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
    return s;
}

struct sprite *sprite_unref(struct sprite *s)
{
    if (!s || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL))
        return NULL;
    free(s->luma.add); /* one block for all planes */
    free(s->spans);
    free(s->first);
    free(s);
    return NULL;
}

/* ---- colours ---- */

#define BITS 16 /* of the factors */

/* Factors of red, green, blue and, for luma, of alpha. */
struct system {
    int32_t y[4], cb[3], cr[3];
};

static int32_t fixed(double v)
{
    return (int32_t)lrint(v * (1 << BITS));
}

static struct system system_of(enum colour_matrix matrix, enum colour_range range)
{
    bool full = range == RANGE_FULL;
    double kr = matrix == COLOUR_BT601 ? 0.299 : 0.2126;
    double kb = matrix == COLOUR_BT601 ? 0.114 : 0.0722, kg = 1 - kr - kb;
    double ys = full ? 1 : 219 / 255.0, cs = full ? 1 : 224 / 255.0;
    double b = cs / (2 * (1 - kb)), r = cs / (2 * (1 - kr));
    return (struct system){
        .y = {fixed(kr * ys), fixed(kg * ys), fixed(kb * ys), fixed(full ? 0 : 16 / 255.0)},
        .cb = {fixed(-kr * b), fixed(-kg * b), fixed((1 - kb) * b)},
        .cr = {fixed((1 - kr) * r), fixed(-kg * r), fixed(-kb * r)}};
}

/* Rounded, not below 0 and not above what alpha allows. */
static inline uint8_t within(int32_t v, int bits, int most)
{
    v = (v + (1 << (bits - 1))) >> bits;
    return (uint8_t)(v < 0 ? 0 : v > most ? most : v);
}

static inline uint8_t luma_of(uint32_t v, const struct system *k)
{
    int32_t r = v >> 16 & 255, g = v >> 8 & 255, b = v & 255, a = (int32_t)(v >> 24);
    return within(r * k->y[0] + g * k->y[1] + b * k->y[2] + a * k->y[3], BITS, a);
}

static void convert(struct sprite *s, const uint32_t *argb, int stride, const struct system *k)
{
    size_t width = (size_t)s->width, half = width / 2;
    memset(s->luma.add, 0, width * (size_t)s->height);
    memset(s->luma.keep, 255, width * (size_t)s->height);
    memset(s->cb, 0, half * (size_t)(s->height / 2));
    memset(s->cr, 0, half * (size_t)(s->height / 2));
    memset(s->chroma_keep, 255, half * (size_t)(s->height / 2));
    for (int y = 0; y < s->height; y += 2) {
        const uint32_t *top = (const void *)((const char *)argb + (ptrdiff_t)y * stride);
        const uint32_t *low = (const void *)((const char *)argb + (ptrdiff_t)(y + 1) * stride);
        for (size_t x = 0; x < width; x += 2) {
            const uint32_t v[4] = {top[x], top[x + 1], low[x], low[x + 1]};
            if (!(v[0] | v[1] | v[2] | v[3]))
                continue; /* most of most sprites */
            int32_t r = 0, g = 0, b = 0, a = 0;
            for (size_t i = 0; i < 4; i++) {
                size_t at = ((size_t)y + i / 2) * width + x + i % 2;
                s->luma.add[at] = luma_of(v[i], k);
                s->luma.keep[at] = (uint8_t)(255 - (v[i] >> 24));
                a += (int32_t)(v[i] >> 24);
                r += v[i] >> 16 & 255;
                g += v[i] >> 8 & 255;
                b += v[i] & 255;
            }
            size_t at = (size_t)(y / 2) * half + x / 2;
            int32_t grey = a * (fixed(128 / 255.0)), most = (a + 2) / 4;
            s->chroma_keep[at] = (uint8_t)(255 - most);
            s->cb[at] = within(r * k->cb[0] + g * k->cb[1] + b * k->cb[2] + grey, BITS + 2, most);
            s->cr[at] = within(r * k->cr[0] + g * k->cr[1] + b * k->cr[2] + grey, BITS + 2, most);
        }
    }
}

/* ---- spans ---- */

enum cell { CELL_EMPTY, CELL_SOLID, CELL_MIXED };

static enum cell cell_of(const uint8_t *keep, int n)
{
    int least = 255, most = 0;
    for (int i = 0; i < n; i++) {
        least = keep[i] < least ? keep[i] : least;
        most = keep[i] > most ? keep[i] : most;
    }
    return least == 255 ? CELL_EMPTY : most == 0 ? CELL_SOLID : CELL_MIXED;
}

/* Writes the row's spans; how many. */
static uint32_t find_spans(const uint8_t *keep, int width, struct sprite_span *to)
{
    uint32_t n = 0;
    enum cell before = CELL_EMPTY;
    for (int x = 0; x < width; x += CELL) {
        int m = width - x < CELL ? width - x : CELL;
        enum cell c = cell_of(keep + x, m);
        if (c == CELL_EMPTY) {
            before = c;
            continue;
        }
        if (c == before)
            to[n - 1].n = (uint16_t)(to[n - 1].n + m);
        else
            to[n++] = (struct sprite_span){(uint16_t)x, (uint16_t)m, c == CELL_SOLID};
        before = c;
    }
    return n;
}

static bool all_spans(struct sprite *s)
{
    size_t cells = (size_t)(s->width + CELL - 1) / CELL;
    uint32_t rows = (uint32_t)(s->height + s->height / 2), n = 0;
    s->spans = malloc((cells * rows + 1) * sizeof *s->spans);
    s->first = malloc((rows + 1) * sizeof *s->first);
    if (!s->spans || !s->first)
        return false;
    for (uint32_t y = 0; y < rows; y++) {
        bool luma = y < (uint32_t)s->height;
        const uint8_t *keep =
            luma ? s->luma.keep + (size_t)y * (size_t)s->width
                 : s->chroma_keep + (size_t)(y - (uint32_t)s->height) * (size_t)(s->width / 2);
        s->first[y] = n;
        n += find_spans(keep, luma ? s->width : s->width / 2, s->spans + n);
    }
    s->first[rows] = n;
    struct sprite_span *less = realloc(s->spans, (n + 1) * sizeof *s->spans);
    s->spans = less ? less : s->spans;
    s->bytes = sizeof *s + (n + 1) * sizeof *s->spans + (rows + 1) * sizeof *s->first;
    return true;
}

struct sprite *sprite_new(const uint32_t *argb, int stride, int width, int height,
                          enum colour_matrix matrix, enum colour_range range)
{
    size_t luma = (size_t)width * (size_t)height, chroma = luma / 4;
    struct sprite *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->refs = 1;
    s->width = width;
    s->height = height;
    s->luma.add = malloc(2 * luma + 3 * chroma + 1);
    if (!s->luma.add)
        return sprite_unref(s);
    s->luma.keep = s->luma.add + luma;
    s->cb = s->luma.keep + luma;
    s->cr = s->cb + chroma;
    s->chroma_keep = s->cr + chroma;
    const struct system sys = system_of(matrix, range);
    convert(s, argb, stride, &sys);
    if (!all_spans(s))
        return sprite_unref(s);
    s->bytes += 2 * luma + 3 * chroma;
    return s;
}

/* ---- blending ---- */

/* left, right: of the sprite's samples; to: where its sample 0 is. */
static void blend_row(const struct image_kernels *k, const struct sprite_span *span,
                      const struct sprite_span *end, uint8_t *to, const uint8_t *add,
                      const uint8_t *keep, int left, int right)
{
    for (; span < end; span++) {
        int x = span->x < left ? left : span->x;
        int stop = span->x + span->n < right ? span->x + span->n : right;
        if (x >= stop)
            continue;
        if (span->solid)
            memcpy(to + x, add + x, (size_t)(stop - x));
        else
            k->over(to + x, add + x, keep + x, (size_t)(stop - x));
    }
}

void sprite_blend(const struct sprite *s, struct picture *to, int x, int y, int left, int right)
{
    const struct image_kernels *k = image_kernels_best();
    if (left < 0)
        left = 0;
    if (right > to->width)
        right = to->width;
    int from = left - x < 0 ? 0 : left - x, stop = right - x < s->width ? right - x : s->width;
    int top = y < 0 ? -y : 0, bottom = to->height - y < s->height ? to->height - y : s->height;
    for (int row = top; row < bottom; row++) {
        size_t at = (size_t)row * (size_t)s->width;
        blend_row(k, s->spans + s->first[row], s->spans + s->first[row + 1],
                  to->plane[0] + (ptrdiff_t)(y + row) * to->stride[0] + x, s->luma.add + at,
                  s->luma.keep + at, from, stop);
    }
    for (int row = top / 2; row < bottom / 2; row++) {
        size_t at = (size_t)row * (size_t)(s->width / 2);
        const struct sprite_span *a = s->spans + s->first[s->height + row];
        const struct sprite_span *b = s->spans + s->first[s->height + row + 1];
        ptrdiff_t line = y / 2 + row;
        blend_row(k, a, b, to->plane[1] + line * to->stride[1] + x / 2, s->cb + at,
                  s->chroma_keep + at, from / 2, stop / 2);
        blend_row(k, a, b, to->plane[2] + line * to->stride[2] + x / 2, s->cr + at,
                  s->chroma_keep + at, from / 2, stop / 2);
    }
}
