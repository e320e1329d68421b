#include "image/develop.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "image/finish.h"
#include "image/mask_cover.h"
#include "image/mask_mosaic.h"

/* A set made ready; immutable but for the mosaic, which the source thread owns. */
struct prepared {
    int refs; /* guarded by masks.lock */
    uint32_t number;
    unsigned n;
    bool everything, mosaic;
    uint8_t colour[3];
    struct mask_mosaic *blocks; /* NULL unless mosaic */
    struct mask_shape shape[MASK_MAX];
};

struct masks {
    pthread_mutex_t lock;
    struct prepared *now; /* NULL: nothing is hidden */
    uint32_t number;
    bool blind; /* no memory for the masks: cover everything */
    /* the source thread's */
    struct mask_cover cover, shown; /* of the sensor's picture; of what a stabiliser shows of it */
    uint32_t last;                  /* number of the set of the last picture */
};

struct masks *masks_new(void)
{
    struct masks *m = calloc(1, sizeof(*m));
    if (!m)
        return NULL;
    if (mask_cover_init(&m->cover) < 0 || mask_cover_init(&m->shown) < 0) {
        mask_cover_done(&m->cover);
        free(m);
        return NULL;
    }
    pthread_mutex_init(&m->lock, NULL);
    return m;
}

static void prepared_unref(struct masks *m, struct prepared *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&m->lock);
    bool last = --p->refs == 0;
    pthread_mutex_unlock(&m->lock);
    if (!last)
        return;
    mask_mosaic_free(p->blocks);
    free(p);
}

struct masks *masks_free(struct masks *m)
{
    if (!m)
        return NULL;
    prepared_unref(m, m->now);
    pthread_mutex_destroy(&m->lock);
    mask_cover_done(&m->cover);
    mask_cover_done(&m->shown);
    free(m);
    return NULL;
}

static struct prepared *prepare(const struct mask_set *set)
{
    struct prepared *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->refs = 1;
    p->n = set->n < MASK_MAX ? set->n : MASK_MAX;
    p->everything = set->everything;
    p->mosaic = set->look == MASK_MOSAIC && !set->everything && p->n;
    if (set->look == MASK_MOSAIC)
        memcpy(p->colour, (const uint8_t[3]){16, 128, 128}, 3); /* where all is covered */
    else
        memcpy(p->colour, set->colour, sizeof(p->colour));
    int blocks = set->blocks < MASK_LEAST_BLOCKS  ? MASK_LEAST_BLOCKS
                 : set->blocks > MASK_MOST_BLOCKS ? MASK_MOST_BLOCKS
                                                  : set->blocks;
    for (unsigned i = 0; i < p->n; i++)
        if (!mask_shape_init(&p->shape[i], &set->mask[i], blocks))
            p->everything = true; /* which side is meant? */
    if (p->mosaic && !(p->blocks = mask_mosaic_new(p->n))) {
        free(p);
        return NULL;
    }
    return p;
}

uint32_t masks_set(struct masks *m, const struct mask_set *set)
{
    bool some = set && (set->n || set->everything);
    struct prepared *p = some ? prepare(set) : NULL, *old;
    pthread_mutex_lock(&m->lock);
    old = m->now;
    m->now = p;
    m->blind = some && !p;
    uint32_t number = ++m->number;
    pthread_mutex_unlock(&m->lock);
    prepared_unref(m, old);
    return number;
}

bool masks_in_use(struct masks *m)
{
    pthread_mutex_lock(&m->lock);
    bool any = m->now;
    pthread_mutex_unlock(&m->lock);
    return any;
}

uint32_t masks_number(struct masks *m)
{
    pthread_mutex_lock(&m->lock);
    uint32_t number = m->number;
    pthread_mutex_unlock(&m->lock);
    return number;
}

/* ---- solid ---- */

static void copy_span(struct picture *to, const struct picture *from, unsigned band, int x, int end)
{
    size_t n = (size_t)(end - x);
    for (int i = 0; i < 2; i++) {
        ptrdiff_t row = 2 * (ptrdiff_t)band + i;
        memcpy(to->plane[0] + row * to->stride[0] + x, from->plane[0] + row * from->stride[0] + x,
               n);
    }
    for (int i = 1; i < 3; i++)
        memcpy(to->plane[i] + (ptrdiff_t)band * to->stride[i] + x / 2,
               from->plane[i] + (ptrdiff_t)band * from->stride[i] + x / 2, n / 2);
}

static void fill_run(struct picture *to, const uint8_t colour[3], unsigned band,
                     const struct mask_run *r)
{
    size_t n = (size_t)(r->to - r->from);
    for (int i = 0; i < 2; i++)
        memset(to->plane[0] + (2 * (ptrdiff_t)band + i) * to->stride[0] + r->from, colour[0], n);
    for (int i = 1; i < 3; i++)
        memset(to->plane[i] + (ptrdiff_t)band * to->stride[i] + r->from / 2, colour[i], n / 2);
}

static void fill(struct picture *to, const struct mask_cover *c, const uint8_t colour[3])
{
    for (unsigned b = 0; b < c->bands; b++)
        for (unsigned i = c->first[b]; i < c->first[b + 1]; i++)
            fill_run(to, colour, b, &c->run[i]);
}

/* What is not covered. */
static void copy_rest(struct picture *to, const struct picture *from, const struct mask_cover *c)
{
    for (unsigned b = 0; b < c->bands; b++) {
        unsigned rows = b + 1;
        if (c->first[b] == c->first[b + 1]) { /* nothing here: as many rows as can be, at once */
            while (rows < c->bands && c->first[rows] == c->first[rows + 1])
                rows++;
            picture_copy_rows(to, from, 2 * (int)b, 2 * (int)(rows - b));
            b = rows - 1;
            continue;
        }
        int x = 0;
        for (unsigned i = c->first[b]; i < c->first[b + 1]; i++) {
            if (c->run[i].from > x)
                copy_span(to, from, b, x, c->run[i].from);
            x = c->run[i].to;
        }
        if (x < to->width)
            copy_span(to, from, b, x, to->width);
    }
}

/* ---- a frame ---- */

static const double whole[4] = {0, 0, 0, 0};

/* False: everything is to be covered. */
static bool develop_masked(struct masks *m, struct prepared *set, struct picture *to,
                           const struct shot *shot)
{
    struct mask_view v;
    if (set->everything || !mask_view_init(&v, shot, whole) ||
        mask_cover_make(&m->cover, &v, set->shape, set->n) < 0)
        return false;
    if (!m->cover.any) {
        picture_copy_rows(to, shot->pixels, 0, to->height);
        return true;
    }
    copy_rest(to, shot->pixels, &m->cover);
    if (!set->mosaic) {
        fill(to, &m->cover, set->colour);
        return true;
    }
    if (mask_view_travel(&v) < 1)
        mask_mosaic_learn(set->blocks, &v, &m->cover, set->shape, shot->pixels);
    mask_mosaic_fill(set->blocks, &v, &m->cover, set->shape, to);
    return true;
}

static void cover_all(const struct prepared *set, struct picture *to)
{
    static const uint8_t black[3] = {16, 128, 128};
    const uint8_t *c = set ? set->colour : black;
    picture_fill(to, c[0], c[1], c[2]);
}

static struct masked *all_of_it(void)
{
    struct masked *m = masked_new(1);
    if (!m)
        return NULL;
    m->n = 1;
    m->area[0] =
        (struct masked_area){.index = -1, .n_points = 4, .x = {0, 1, 1, 0}, .y = {0, 0, 1, 1}};
    return m;
}

/* After finishing, whatever it did: sharpened edges, grain, a moved picture. */
static struct masked *cover_again(struct masks *m, struct prepared *set, struct picture *to,
                                  const struct shot *shot, const struct capture *how)
{
    const double crop[4] = {how->crop_x, how->crop_y, how->crop_width, how->crop_height};
    struct mask_cover *c = &m->cover;
    struct mask_view v;
    bool ok = mask_view_init(&v, shot, crop);
    if (ok && how->crop_width > 0) {
        c = &m->shown;
        ok = mask_cover_make(c, &v, set->shape, set->n) == 0;
    }
    if (!ok) {
        cover_all(set, to);
        return all_of_it();
    }
    if (!c->any)
        return NULL;
    if (set->mosaic)
        mask_mosaic_even(set->blocks, &v, c, set->shape, to);
    else
        fill(to, c, set->colour);
    return masked_ref(c->areas);
}

struct frame *frame_develop(struct masks *m, struct picture_pool *pool, const struct shot *shot,
                            struct finish *finish)
{
    struct picture *to = picture_get(pool);
    if (!to)
        return NULL;
    to->matrix = shot->pixels->matrix;
    to->range = shot->pixels->range;
    pthread_mutex_lock(&m->lock);
    struct prepared *set = m->now;
    bool blind = m->blind;
    struct capture how = shot->how;
    how.masks = m->number;
    if (set)
        set->refs++;
    pthread_mutex_unlock(&m->lock);
    if (finish && m->last != how.masks) /* what it collected shows what is to be hidden now */
        finish_forget(finish);
    m->last = how.masks;
    bool masked = blind || set, known = true;
    if (!masked)
        picture_copy_rows(to, shot->pixels, 0, to->height);
    else
        known = !blind && develop_masked(m, set, to, shot);
    if (!known)
        cover_all(set, to);
    if (finish && known)
        finish_picture(finish, shot, to, &how);
    struct masked *areas = NULL;
    if (!known)
        areas = all_of_it();
    else if (masked && m->cover.any)
        areas = finish && !finish_is_neutral(finish) ? cover_again(m, set, to, shot, &how)
                                                     : masked_ref(m->cover.areas);
    prepared_unref(m, set);
    struct frame *f = frame_new(to, &how);
    if (f)
        f->masked = areas;
    else
        masked_unref(areas);
    return f;
}
