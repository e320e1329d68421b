/* Rows of pixels that the cast lays over the picture: at once, or kept until the bands that they
 * lie in are made. Rows of the picture know nothing of each other, so that their order does not
 * matter; within one, what was put first lies below. */
#include "device/virtual/raster/inside.h"

#include <stdlib.h>
#include <string.h>

/* ---- what is put aside ---- */

/* Before pixels of a row are written: they are marked as touched and, if asked, put aside. */
static void keep_pixels(struct raster *r, struct radiance *into, int y, int x0, int x1)
{
    radiance_touch(into, x0, y, x1, y + 1);
    if (!r->keeping || x1 <= x0)
        return;
    size_t n = (size_t)(x1 - x0);
    if (r->n_kept == r->kept_room) {
        size_t room = r->kept_room ? r->kept_room * 2 : 1024;
        void *p = realloc(r->kept, room * sizeof(*r->kept));
        if (!p) {
            r->keeping = false;
            return;
        }
        r->kept = p;
        r->kept_room = room;
    }
    if (r->n_aside + 3 * n > r->aside_room) {
        size_t room = (r->aside_room + 3 * n) * 2;
        void *p =
            r->n_aside + 3 * n > r->aside_most ? NULL : realloc(r->aside, room * sizeof(*r->aside));
        if (!p) {
            r->keeping = false;
            return;
        }
        r->aside = p;
        r->aside_room = room;
    }
    size_t at = (size_t)y * into->stride + (size_t)x0;
    r->kept[r->n_kept++] = (struct keep_row){(uint32_t)at, (uint32_t)n};
    const uint16_t *const from[3] = {into->r, into->g, into->b};
    for (int k = 0; k < 3; k++, r->n_aside += n)
        memcpy(r->aside + r->n_aside, from[k] + at, n * sizeof(uint16_t));
}

void raster_restore(struct raster *r, struct radiance *into)
{
    uint16_t *const to[3] = {into->r, into->g, into->b};
    size_t end = r->n_aside;
    while (r->n_kept) { /* the last first: they may lie over each other */
        const struct keep_row *row = &r->kept[--r->n_kept];
        int y = (int)(row->at / into->stride), x = (int)(row->at % into->stride);
        radiance_touch(into, x, y, x + (int)row->n, y + 1);
        end -= (size_t)row->n * 3;
        for (size_t k = 0; k < 3; k++)
            memcpy(to[k] + row->at, r->aside + end + k * row->n, row->n * sizeof(uint16_t));
    }
    r->n_aside = 0;
}

/* ---- rows ---- */

/* What some pixels of a row take from the picture (NULL: nothing) and add to it. */
#define PIECE_SIDE 256
struct piece {
    int n;
    const uint16_t *gone, *add[3];
    uint16_t room[3][PIECE_SIDE]; /* for light upon the ground, which is made only here */
};

/* Those from its i-th on, not LAY_DARK. */
static void piece_of(const struct raster *r, const struct lay_row *row, int y, int i,
                     struct piece *ret)
{
    const uint16_t *from = r->lay.data + row->at;
    size_t step = lay_stride(row->n);
    ret->gone = NULL;
    ret->n = row->n - i;
    if (row->kind == LAY_SHINE || row->kind == LAY_STREAK) {
        size_t across = ((size_t)r->ground_view.width + FAR_STEP - 1) / FAR_STEP;
        size_t at = (size_t)y * across * FAR_STEP + row->x + (size_t)i;
        uint16_t *const to[3] = {ret->room[0], ret->room[1], ret->room[2]};
        int most = row->kind == LAY_STREAK ? PIECE_SIDE : FAR_STEP - (row->x + i) % FAR_STEP;
        ret->n = ret->n < most ? ret->n : most;
        if (row->kind == LAY_STREAK) {
            r->k->streak((const void *)from, i, ret->n, r->paved + at, to);
        } else {
            const uint16_t *of = r->ground + at + at / FAR_STEP * 2 * FAR_STEP;
            r->k->shine(ret->n, (const float *)(const void *)from + i / 8,
                        (const uint16_t *const[3]){of, of + FAR_STEP, of + 2 * FAR_STEP}, to);
        }
        for (int k = 0; k < 3; k++)
            ret->add[k] = to[k];
        return;
    }
    if (row->kind == LAY_OVER) {
        ret->gone = from + i;
        from += step;
    }
    for (int k = 0; k < 3; k++)
        ret->add[k] = from + (size_t)k * step + i;
}

static void lay_onto(struct raster *r, const struct lay_row *row, int y, struct radiance *to)
{
    size_t n = row->n, at = (size_t)(y - to->top) * to->stride + row->x;
    uint16_t *const plane[3] = {to->r + at, to->g + at, to->b + at};
    if (row->kind == LAY_DARK) {
        const uint8_t *dark = lay_dark(r->lay.data + row->at);
        float air[3];
        memcpy(air, r->lay.data + row->at, sizeof(air));
        r->k->darken(n, dark, r->lay.dark, dark + lay_stride(row->n), r->lay.rest, air, plane);
        return;
    }
    struct piece p;
    for (int i = 0; i < row->n; i += p.n) {
        piece_of(r, row, y, i, &p);
        r->k->lay((size_t)p.n, p.gone, p.add,
                  (uint16_t *const[3]){plane[0] + i, plane[1] + i, plane[2] + i});
    }
}

void raster_lay(struct raster *r, struct radiance *band)
{
    for (int y = band->top; y < band->top + band->height && y < r->lay.height; y++)
        for (uint32_t i = r->lay.first[y]; i; i = r->lay.row[i - 1].next)
            lay_onto(r, &r->lay.row[i - 1], y, band);
}

void raster_mark(const struct raster *r, int y0, int y1, uint8_t *cells)
{
    for (int y = y0; y < y1 && y < r->lay.height; y++)
        for (uint32_t i = r->lay.first[y]; i; i = r->lay.row[i - 1].next) {
            const struct lay_row *row = &r->lay.row[i - 1];
            int first = row->x / RADIANCE_CELL, last = (row->x + row->n - 1) / RADIANCE_CELL;
            memset(cells + first, 1, (size_t)(last - first + 1));
        }
}

/* Pixels of a row that counts, from x0 on, into the picture in little. */
static void lay_small(const struct raster_small *s, int y, int x0, const struct piece *p)
{
    for (int i = 0, end; i < p->n; i = end) {
        int x = (x0 + i) / RASTER_SMALL;
        uint32_t away = 0, come[3] = {0};
        end = (x + 1) * RASTER_SMALL - x0;
        end = end < p->n ? end : p->n;
        for (int q = i; q < end; q++) {
            away += p->gone ? p->gone[q] : 0;
            for (size_t k = 0; k < 3; k++)
                come[k] += p->add[k][q];
        }
        uint16_t *to = s->texel + 4 * ((size_t)(y / RASTER_SMALL) * (size_t)s->across + (size_t)x);
        for (int k = 0; k < 3; k++) {
            uint32_t now = to[k] - (uint32_t)((uint64_t)to[k] * away / (RASTER_SMALL * 65536)) +
                           come[k] / RASTER_SMALL;
            to[k] = (uint16_t)(now < 65535 ? now : 65535);
        }
    }
}

void lay_begin(struct raster *r, struct radiance *into, bool bands,
               const struct raster_small *small)
{
    struct lay *l = &r->lay;
    size_t rows = (size_t)into->height;
    l->n = l->n_data = 0;
    l->whole = into;
    l->onto = bands ? NULL : into;
    l->small = small ? *small : (struct raster_small){0};
    l->most = 4 * (size_t)into->width * rows;
    if (!bands)
        return;
    if (l->height != into->height) {
        free(l->first);
        l->first = malloc(2 * rows * sizeof(*l->first));
        l->height = l->first ? into->height : 0;
    }
    l->last = l->first + l->height;
    if (l->height)
        memset(l->first, 0, 2 * rows * sizeof(*l->first));
}

/* What was kept is laid over the picture, and from now on all at once. */
static void lay_all(struct raster *r)
{
    struct radiance *onto = r->lay.whole;
    for (int y = 0; y < r->lay.height; y++)
        for (uint32_t i = r->lay.first[y]; i; i = r->lay.row[i - 1].next) {
            const struct lay_row *row = &r->lay.row[i - 1];
            keep_pixels(r, onto, y, row->x, row->x + row->n);
            lay_onto(r, row, y, onto);
        }
    r->lay.n = r->lay.n_data = 0;
    r->lay.onto = onto;
}

bool raster_whole(struct raster *r)
{
    r->keeping = true;
    r->aside_most = 3 * (size_t)r->lay.whole->width * (size_t)r->lay.whole->height;
    lay_all(r);
    if (!r->keeping)
        r->n_kept = r->n_aside = 0;
    return r->keeping;
}

static bool make_room(struct lay *l, size_t samples)
{
    if (l->n == l->room) {
        size_t room = l->room ? l->room * 2 : 1024;
        void *p = realloc(l->row, room * sizeof(*l->row));
        if (!p)
            return false;
        l->row = p;
        l->room = room;
    }
    if (l->n_data + samples > l->data_room) {
        size_t room = (l->n_data + samples) * 3 / 2;
        void *p = realloc(l->data, room * sizeof(*l->data));
        if (!p)
            return false;
        l->data = p;
        l->data_room = room;
    }
    return true;
}

/* Light upon the ground becomes a row as others are. False: no memory. */
static bool settle(struct raster *r, struct lay_row *row, int y)
{
    struct piece p;
    size_t step = lay_stride(row->n), at = r->lay.n_data;
    if (!make_room(&r->lay, 3 * step))
        return false;
    for (int i = 0; i < row->n; i += p.n) {
        piece_of(r, row, y, i, &p);
        for (size_t k = 0; k < 3; k++)
            memcpy(r->lay.data + at + k * step + i, p.add[k], (size_t)p.n * sizeof(uint16_t));
    }
    row->kind = LAY_ADD;
    row->at = (uint32_t)at;
    r->lay.n_data += 3 * step;
    return true;
}

void lay_settle(struct raster *r)
{
    if (r->lay.onto)
        return;
    for (int y = 0; y < r->lay.height; y++)
        for (uint32_t i = r->lay.first[y]; i; i = r->lay.row[i - 1].next)
            if ((r->lay.row[i - 1].kind == LAY_SHINE || r->lay.row[i - 1].kind == LAY_STREAK) &&
                !settle(r, &r->lay.row[i - 1], y)) {
                lay_all(r);
                return;
            }
}

uint16_t *lay_row(struct raster *r, enum lay_kind kind, int x0, int x1)
{
    struct lay *l = &r->lay;
    size_t samples = lay_samples(kind, x1 - x0);
    /* There is no room for more. */
    if (!l->onto && (!l->height || l->n_data + samples > l->most || !make_room(l, samples)))
        lay_all(r);
    if (l->onto) {
        l->n = l->n_data = 0;
        if (!make_room(l, samples)) {
            still_fail(r);
            return NULL;
        }
    }
    l->row[l->n] = (struct lay_row){
        .x = (uint16_t)x0, .n = (uint16_t)(x1 - x0), .kind = kind, .at = (uint32_t)l->n_data};
    l->n_data += samples;
    return l->data + l->row[l->n].at;
}

void lay_put(struct raster *r, int y)
{
    struct lay *l = &r->lay;
    struct lay_row *row = &l->row[l->n];
    still_row(r, row, y);
    if (l->onto) {
        keep_pixels(r, l->onto, y, row->x, row->x + row->n);
        lay_onto(r, row, y, l->onto);
        return;
    }
    uint32_t number = (uint32_t)++l->n;
    if (l->last[y])
        l->row[l->last[y] - 1].next = number;
    else
        l->first[y] = number;
    l->last[y] = number;
    if (!l->small.texel || row->kind == LAY_DARK || y % RASTER_SMALL != RASTER_SMALL / 2)
        return;
    struct piece p;
    for (int i = 0; i < row->n; i += p.n) {
        piece_of(r, row, y, i, &p);
        lay_small(&l->small, y, row->x + i, &p);
    }
}
