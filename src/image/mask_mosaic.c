#include "image/mask_mosaic.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RAD (M_PI / 180)
#define BLOCKS (MASK_MOST_BLOCKS * MASK_MOST_BLOCKS)
#define CUTS (2 * MASK_MOST_BLOCKS)

static const uint8_t grey[3] = {126, 128, 128};

struct block {
    uint64_t sum[3];
    unsigned n;
    uint8_t held[3], now[3];
    bool known;
};

/* From pixels to the plane of the blocks: (u, v) = (a·(1, x, y), b·(1, x, y)) / c·(1, x, y). */
struct plane {
    double a[3], b[3], c[3];
};

struct mask_mosaic {
    unsigned n;
    struct block (*block)[BLOCKS];
    struct plane *plane;
};

struct mask_mosaic *mask_mosaic_new(unsigned n_shapes)
{
    struct mask_mosaic *m = calloc(1, sizeof(*m));
    if (!m)
        return NULL;
    m->n = n_shapes;
    m->block = calloc(n_shapes, sizeof(*m->block));
    m->plane = calloc(n_shapes, sizeof(*m->plane));
    return m->block && m->plane ? m : mask_mosaic_free(m);
}

struct mask_mosaic *mask_mosaic_free(struct mask_mosaic *m)
{
    if (!m)
        return NULL;
    free(m->block);
    free(m->plane);
    free(m);
    return NULL;
}

/* ---- geometry ---- */

/* The pose in the middle of the exposure, as a map. */
static void plane_of(const struct mask_view *v, const struct mask_shape *s, struct plane *ret)
{
    double pan = v->start.pan_deg + pose_wrap_pan(v->end.pan_deg - v->start.pan_deg) / 2;
    double tilt = (v->start.tilt_deg + v->end.tilt_deg) / 2;
    double f = (v->focal_px[0] + v->focal_px[1]) / 2, p = pan * RAD, t = tilt * RAD;
    struct vec3 right = {cos(p), -sin(p), 0};
    struct vec3 ahead = mask_direction(pan, tilt);
    struct vec3 up = {-sin(p) * sin(t), -cos(p) * sin(t), cos(t)};
    double *const to[3] = {ret->a, ret->b, ret->c};
    for (int i = 0; i < 3; i++) {
        double x = vec3_dot(right, s->axis[i]), y = vec3_dot(up, s->axis[i]);
        to[i][0] = f * vec3_dot(ahead, s->axis[i]) - x * v->cx + y * v->cy;
        to[i][1] = x;
        to[i][2] = -y;
    }
}

static bool wholly_visible(const struct mask_view *v, const struct mask_shape *s, int i, int k)
{
    double p = v->start.pan_deg * RAD, t = v->start.tilt_deg * RAD;
    struct vec3 right = {cos(p), -sin(p), 0}, up = {-sin(p) * sin(t), -cos(p) * sin(t), cos(t)};
    struct vec3 ahead = mask_direction(v->start.pan_deg, v->start.tilt_deg);
    for (int c = 0; c < 4; c++) {
        double a = s->u0 + (i + (c & 1)) * s->block, b = s->v0 + (k + (c >> 1)) * s->block;
        struct vec3 d = {s->axis[2].x + a * s->axis[0].x + b * s->axis[1].x,
                         s->axis[2].y + a * s->axis[0].y + b * s->axis[1].y,
                         s->axis[2].z + a * s->axis[0].z + b * s->axis[1].z};
        double depth = vec3_dot(d, ahead);
        if (!(depth > 1e-6))
            return false;
        double x = v->cx + v->focal_px[0] * vec3_dot(d, right) / depth;
        double y = v->cy - v->focal_px[0] * vec3_dot(d, up) / depth;
        if (!(x >= 0 && x <= v->width && y >= 0 && y <= v->height))
            return false;
    }
    return true;
}

static int block_index(double at, double from, double block, int most)
{
    double i = floor((at - from) / block);
    return i > 0 ? i < most ? (int)i : most - 1 : 0;
}

static void add_cuts(double at[CUTS], unsigned *n, const double top[2], const double low[2],
                     double from, double block, int blocks, const struct mask_run *r)
{
    for (int i = 1; i < blocks; i++) {
        double t = from + i * block, x = (t * low[0] - top[0]) / (top[1] - t * low[1]);
        if (!(x > r->from && x < r->to))
            continue;
        unsigned k = (*n)++;
        for (; k && at[k - 1] > x; k--)
            at[k] = at[k - 1];
        at[k] = x;
    }
}

/* Calls each() for the parts of a run that belong to one block. */
static void split(struct mask_mosaic *m, const struct mask_shape *shape, const struct mask_run *r,
                  unsigned band,
                  void (*each)(struct block *b, struct picture *p, unsigned band, int from, int to),
                  struct picture *p)
{
    const struct mask_shape *s = &shape[r->mask];
    const struct plane *g = &m->plane[r->mask];
    double y = 2.0 * band + 1, cut[CUTS + 1];
    const double a[2] = {g->a[0] + g->a[2] * y, g->a[1]}, b[2] = {g->b[0] + g->b[2] * y, g->b[1]};
    const double c[2] = {g->c[0] + g->c[2] * y, g->c[1]};
    unsigned n = 0;
    add_cuts(cut, &n, a, c, s->u0, s->block, s->across, r);
    add_cuts(cut, &n, b, c, s->v0, s->block, s->down, r);
    cut[n++] = r->to;
    for (int from = r->from, i = 0; i < (int)n && from < r->to; i++) {
        int to = i + 1 < (int)n ? (int)lrint(cut[i] / 2) * 2 : r->to;
        if (to <= from)
            continue;
        double x = (from + to) / 2.0, w = c[0] + c[1] * x;
        int u = 0, v = 0;
        if (w > 0) {
            u = block_index((a[0] + a[1] * x) / w, s->u0, s->block, s->across);
            v = block_index((b[0] + b[1] * x) / w, s->v0, s->block, s->down);
        }
        each(&m->block[r->mask][v * MASK_MOST_BLOCKS + u], p, band, from, to);
        from = to;
    }
}

/* ---- pixels ---- */

static uint32_t sum_of(const uint8_t *p, int n)
{
    uint32_t sum = 0;
    for (int i = 0; i < n; i++)
        sum += p[i];
    return sum;
}

static void add_up(struct block *b, struct picture *p, unsigned band, int from, int to)
{
    for (int i = 0; i < 2; i++)
        b->sum[0] +=
            sum_of(p->plane[0] + (2 * (ptrdiff_t)band + i) * p->stride[0] + from, to - from);
    for (int i = 1; i < 3; i++)
        b->sum[i] +=
            sum_of(p->plane[i] + (ptrdiff_t)band * p->stride[i] + from / 2, (to - from) / 2);
    b->n += (unsigned)(to - from) / 2;
}

static void paint(struct block *b, struct picture *p, unsigned band, int from, int to)
{
    size_t n = (size_t)(to - from);
    for (int i = 0; i < 2; i++)
        memset(p->plane[0] + (2 * (ptrdiff_t)band + i) * p->stride[0] + from, b->now[0], n);
    for (int i = 1; i < 3; i++)
        memset(p->plane[i] + (ptrdiff_t)band * p->stride[i] + from / 2, b->now[i], n / 2);
}

static void
each_run(struct mask_mosaic *m, const struct mask_cover *c, const struct mask_shape *shape,
         const unsigned *first, const struct mask_run *run,
         void (*each)(struct block *b, struct picture *p, unsigned band, int from, int to),
         struct picture *p)
{
    for (unsigned band = 0; band < c->bands; band++)
        for (unsigned i = first[band]; i < first[band + 1]; i++)
            split(m, shape, &run[i], band, each, p);
}

static void begin(struct mask_mosaic *m, const struct mask_view *v, const struct mask_shape *shape)
{
    for (unsigned i = 0; i < m->n; i++) {
        plane_of(v, &shape[i], &m->plane[i]);
        for (int k = 0; k < BLOCKS; k++) {
            memset(m->block[i][k].sum, 0, sizeof(m->block[i][k].sum));
            m->block[i][k].n = 0;
        }
    }
}

static void mean(const struct block *b, uint8_t ret[3])
{
    ret[0] = (uint8_t)((b->sum[0] + 2 * (uint64_t)b->n) / (4 * (uint64_t)b->n));
    ret[1] = (uint8_t)((b->sum[1] + b->n / 2) / b->n);
    ret[2] = (uint8_t)((b->sum[2] + b->n / 2) / b->n);
}

void mask_mosaic_learn(struct mask_mosaic *m, const struct mask_view *v, const struct mask_cover *c,
                       const struct mask_shape *shape, const struct picture *from)
{
    struct picture p = *from; /* only read */
    begin(m, v, shape);
    each_run(m, c, shape, c->all_first, c->all, add_up, &p);
    for (unsigned i = 0; i < m->n; i++)
        for (int k = 0; k < shape[i].down; k++)
            for (int x = 0; x < shape[i].across; x++) {
                struct block *b = &m->block[i][k * MASK_MOST_BLOCKS + x];
                if (!b->n || !wholly_visible(v, &shape[i], x, k))
                    continue;
                mean(b, b->held);
                b->known = true;
            }
}

void mask_mosaic_fill(struct mask_mosaic *m, const struct mask_view *v, const struct mask_cover *c,
                      const struct mask_shape *shape, struct picture *to)
{
    for (unsigned i = 0; i < m->n; i++) {
        plane_of(v, &shape[i], &m->plane[i]);
        for (int k = 0; k < BLOCKS; k++)
            memcpy(m->block[i][k].now, m->block[i][k].known ? m->block[i][k].held : grey, 3);
    }
    each_run(m, c, shape, c->first, c->run, paint, to);
}

void mask_mosaic_even(struct mask_mosaic *m, const struct mask_view *v, const struct mask_cover *c,
                      const struct mask_shape *shape, struct picture *p)
{
    begin(m, v, shape);
    each_run(m, c, shape, c->first, c->run, add_up, p);
    for (unsigned i = 0; i < m->n; i++)
        for (int k = 0; k < BLOCKS; k++)
            if (m->block[i][k].n)
                mean(&m->block[i][k], m->block[i][k].now);
    each_run(m, c, shape, c->first, c->run, paint, p);
}
