/* Members that move while the shutter is open: drawn where they are half-way and smeared along
 * their way in the picture: row by row where it leads across, else in planes of their own. Legs go
 * faster than who walks on them; that is left out. */
#include "device/virtual/raster/inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEAST 1.5 /* pixels: a smear of less is none */
#define MOST_PASSES 7
#define DETAIL 4.0         /* pixels: a smear of less hides nothing that is drawn */
#define ROOM_MOST 1200000u /* pixels; what is larger is drawn as it stands */
#define SQUEEZED_LEAST 8   /* pixels: a smear of more leaves no detail across two of them */

/* Sets the way of its middle in the picture, pixels. False: it is not worth the trouble. */
static bool way_of(const struct raster *r, const struct view *v, const struct placed *p,
                   double ret[2])
{
    double way = p->who->speed_m_s * r->open_s / 2, x0, y0, x1, y1;
    if (way == 0 || p->cut)
        return false;
    struct vec middle = vec_add(p->feet, vec(0, 0, p->scale * (p->lo[2] + p->hi[2]) / 2));
    struct vec half = vec(way * p->sine, way * p->cosine, 0);
    if (!view_point(v, vec_sub(middle, half), &x0, &y0) ||
        !view_point(v, vec_add(middle, half), &x1, &y1))
        return false;
    double most = LEAST * (1 << MOST_PASSES), length = hypot(x1 - x0, y1 - y0);
    double k = length > most ? most / length : 1;
    ret[0] = (x1 - x0) * k;
    ret[1] = (y1 - y0) * k;
    return length > LEAST;
}

/* How many halvings make a smear of that length. */
static int passes_of(double length)
{
    int n = 1;
    while (n < MOST_PASSES && length > LEAST * (1 << n))
        n++;
    return n;
}

/* What it may cover, columns of so many pixels. */
static void set_box(const struct view *v, const struct placed *p, int squeeze, struct smear *s)
{
    double mx = ceil(fabs(s->way[0]) / 2) + 1, my = ceil(fabs(s->way[1]) / 2) + 1;
    s->squeeze = squeeze;
    s->x0 = (int)floor((fmax(p->x0, 0) - mx) / squeeze) & ~(RASTER_TILE_W - 1);
    s->y0 = (int)floor(fmax(p->y0, 0) - my) & ~(RASTER_TILE_H - 1);
    s->x1 = (int)ceil((fmin(p->x1 + 1, v->width) + mx) / squeeze);
    s->y1 = (int)ceil(fmin(p->y1 + 1, v->height) + my);
}

static bool take_room(struct raster *r, size_t n)
{
    if (n <= r->smear_room)
        return true;
    free(r->smear);
    r->smear = malloc(n * sizeof(*r->smear));
    r->smear_room = r->smear ? n : 0;
    return r->smear;
}

/* Whether it can be smeared row by row; what is smeared far is drawn squeezed. */
static bool begin_rows(struct raster *r, const struct view *v, const struct placed *p,
                       struct smear *s)
{
    int squeeze = fabs(s->way[0]) < SQUEEZED_LEAST ? 1 : 2;
    if (fabs(s->way[1]) > 1) /* more than half a pixel up or down at once */
        return false;
    set_box(v, p, squeeze, s);
    if (s->x1 <= s->x0 || s->y1 <= s->y0 || s->x1 - s->x0 > RASTER_SIDE)
        return false;
    s->stride = (size_t)(s->x1 - s->x0) * (size_t)squeeze + 2 * ROW_MARGIN;
    s->passes = passes_of(hypot(s->way[0], s->way[1]) / squeeze);
    s->by_rows = take_room(r, 2 * SMEAR_PLANES * s->stride);
    for (size_t k = 0; k < 2 && s->by_rows; k++)
        s->row[k] = r->smear + k * SMEAR_PLANES * s->stride + ROW_MARGIN;
    return s->by_rows;
}

bool smear_begin(struct raster *r, const struct view *v, const struct placed *p, bool colours,
                 struct smear *s)
{
    if (!(r->open_s > 0) || !way_of(r, v, p, s->way))
        return false;
    s->first = colours ? 0 : SMEAR_COVER;
    s->by_rows = false;
    if (colours && begin_rows(r, v, p, s))
        return true;
    set_box(v, p, 1, s);
    if (s->x1 <= s->x0 || s->y1 <= s->y0)
        return false;
    s->stride = ((size_t)(s->x1 - s->x0) + 15) & ~(size_t)7; /* rows are read in blocks */
    size_t n = s->stride * (size_t)(s->y1 - s->y0);
    if (n > ROOM_MOST || !take_room(r, n * (SMEAR_PLANES + 2)))
        return false;
    s->passes = passes_of(hypot(s->way[0], s->way[1]));
    memset(r->smear, 0, (n * SMEAR_PLANES + s->stride) * sizeof(*r->smear));
    float *rest = r->smear + n * SMEAR_PLANES;
    s->nothing = rest;
    for (int k = 0; k < SMEAR_PLANES; k++)
        s->plane[k] = r->smear + (size_t)k * n;
    s->plane[SMEAR_PLANES] = rest + s->stride;
    return true;
}

void smear_reach(const struct raster *r, const struct view *v, const struct placed *p,
                 double ret[2])
{
    double way[2];
    ret[0] = ret[1] = 0;
    if (!(r->open_s > 0) || !way_of(r, v, p, way))
        return;
    for (int k = 0; k < 2; k++)
        ret[k] = fabs(way[k]) / 2 + 1;
}

/* Of what is smeared over several pixels, details along the way are gone. */
int smear_lod(const struct placed *p, const struct smear *s)
{
    double pixels = (p->x1 - p->x0) * (p->y1 - p->y0), far = hypot(s->way[0], s->way[1]) / DETAIL;
    int lod = place_lod(p->model, far > 1 ? pixels / far : pixels);
    return lod > p->lod ? lod : p->lod;
}

/* ---- in planes ---- */

void smear_take(struct raster *r, const struct smear *s)
{
    const struct raster_patch *q = &r->patch;
    for (int t = 0; t < q->down; t++) {
        int within[2];
        if (!r->k->resolve(&r->patch, s->first == 0 ? r->batch : NULL, t, r->rgb, r->cover,
                           r->depth, within))
            continue;
        for (int i = 0; i < RASTER_TILE_H; i++) {
            int y = q->y0 + t * RASTER_TILE_H + i;
            int end = q->x0 + within[1] > s->x1 ? s->x1 - q->x0 : within[1];
            if (y >= s->y1)
                break;
            size_t at = (size_t)(y - s->y0) * s->stride + (size_t)(q->x0 - s->x0);
            for (int x = within[0]; x < end; x++) {
                float cover = r->cover[i][x];
                for (int k = s->first; k < SMEAR_COVER; k++)
                    s->plane[k][at + (size_t)x] = r->rgb[i][k][x];
                s->plane[SMEAR_COVER][at + (size_t)x] = cover;
                s->plane[SMEAR_NEAR][at + (size_t)x] = cover * r->depth[i][x];
            }
        }
    }
}

/* Half of what stands at x; beyond the row's ends is nothing. */
static float half_at(const float *row, int x, int n)
{
    return x >= 0 && x < n ? 0.5f * row[x] : 0;
}

/* Mean of two rows, moved to the right. */
static void mean_row(const struct raster *r, const float *const row[2], const int moved[2], int n,
                     float *to)
{
    int lo = 0, hi = n;
    for (int k = 0; k < 2; k++) {
        lo = moved[k] > lo ? moved[k] : lo;
        hi = n + moved[k] < hi ? n + moved[k] : hi;
    }
    lo = lo < n ? lo : n;
    hi = hi > lo ? hi : lo;
    for (int x = 0; x < n; x++) {
        if (x == lo)
            x = hi;
        if (x < n)
            to[x] = half_at(row[0], x - moved[0], n) + half_at(row[1], x - moved[1], n);
    }
    if (hi > lo)
        r->k->halves((size_t)(hi - lo), row[0] + lo - moved[0], row[1] + lo - moved[1], to + lo);
}

/* Mean of two copies, moved against each other. */
static void pass(const struct raster *r, const struct smear *s, const float *from, float *to,
                 double share)
{
    int w = s->x1 - s->x0, h = s->y1 - s->y0;
    int dx = (int)lrint(s->way[0] * share), dy = (int)lrint(s->way[1] * share);
    const int aside[2] = {dx / 2, dx / 2 - dx}, down[2] = {dy / 2, dy / 2 - dy};
    for (int y = 0; y < h; y++, to += s->stride) {
        const float *row[2];
        for (int k = 0; k < 2; k++)
            row[k] = y >= down[k] && y - down[k] < h ? from + (size_t)(y - down[k]) * s->stride
                                                     : s->nothing;
        mean_row(r, row, aside, w, to);
    }
}

void smear_run(const struct raster *r, struct smear *s)
{
    for (int k = s->first; k < SMEAR_PLANES; k++)
        for (int n = s->passes; n >= 1; n--) {
            float *spare = s->plane[SMEAR_PLANES];
            pass(r, s, s->plane[k], spare, 1.0 / (1 << n));
            s->plane[SMEAR_PLANES] = s->plane[k];
            s->plane[k] = spare;
        }
    /* Of what is half there, how far it is. */
    size_t n = s->stride * (size_t)(s->y1 - s->y0);
    r->k->unweigh(n, s->plane[SMEAR_COVER], s->plane[SMEAR_NEAR]);
}

/* ---- row by row ---- */

/* Five rows, and from where to where something stands in them; beyond is anything. */
struct run {
    float *at;
    size_t stride;
    int a, e;
};

/* At least so many columns beside are nothing; whole blocks, which cost no call. */
static void clear_beside(const struct run *w, int n)
{
    static const float nothing[MODEL_BLOCK];
    for (size_t k = 0; k < SMEAR_PLANES; k++) {
        float *left = w->at + k * w->stride + w->a, *right = w->at + k * w->stride + w->e;
        for (int i = 0; i < n; i += MODEL_BLOCK) {
            memcpy(left - i - MODEL_BLOCK, nothing, sizeof(nothing));
            memcpy(right + i, nothing, sizeof(nothing));
        }
    }
}

/* As pass() does, but for what falls off: that is outside the picture. */
static void pass_row(const struct raster *r, const struct smear *s, double share, struct run *from,
                     struct run *to)
{
    int dx = (int)lrint(s->way[0] / s->squeeze * share), n = s->x1 - s->x0;
    const int aside[2] = {dx / 2, dx / 2 - dx};
    int lo = aside[0] < aside[1] ? aside[0] : aside[1], hi = aside[0] + aside[1] - lo;
    clear_beside(from, hi - lo);
    to->a = from->a + lo > 0 ? from->a + lo : 0;
    to->e = from->e + hi < n ? from->e + hi : n;
    if (to->e > to->a)
        r->k->means(SMEAR_PLANES, (size_t)(to->e - to->a), from->at + to->a - aside[0],
                    from->at + to->a - aside[1], from->stride, to->at + to->a, to->stride);
}

/* Twice as many columns. */
static void widen_row(const struct raster *r, struct run *from, struct run *to)
{
    clear_beside(from, 2);
    r->k->widen(SMEAR_PLANES, (size_t)(from->e - from->a) + 2, from->at + from->a - 1, from->stride,
                to->at + 2 * from->a - 2, to->stride);
    to->a = 2 * from->a - 1;
    to->e = 2 * from->e + 1;
}

bool smear_row(struct raster *r, const struct smear *s, int i, const int within[2],
               struct smear_row *ret)
{
    struct run drawn = {r->rgb[i][0], ROW_STRIDE, within[0], within[1]}, run[2], *now = &drawn;
    float *cover = r->cover[i], *depth = r->depth[i];
    drawn.e = drawn.e < s->x1 - s->x0 ? drawn.e : s->x1 - s->x0;
    while (drawn.a < drawn.e && cover[drawn.a] == 0)
        drawn.a++;
    while (drawn.e > drawn.a && cover[drawn.e - 1] == 0)
        drawn.e--;
    if (drawn.a >= drawn.e)
        return false;
    for (int x = drawn.a; x < drawn.e; x++)
        depth[x] *= cover[x];
    for (size_t k = 0; k < 2; k++)
        run[k] = (struct run){s->row[k], s->stride, 0, 0};
    for (int n = s->passes, k = 0; n >= 1; n--, k ^= 1) {
        pass_row(r, s, 1.0 / (1 << n), now, &run[k]);
        now = &run[k];
        if (now->a >= now->e)
            return false;
    }
    if (s->squeeze == 2) {
        struct run *wide = now == &run[0] ? &run[1] : &run[0];
        widen_row(r, now, wide);
        now = wide;
    }
    float *first = now->at + now->a;
    ret->x0 = s->x0 * s->squeeze + now->a;
    ret->n = now->e - now->a;
    for (size_t k = 0; k < SMEAR_COVER; k++)
        ret->rgb[k] = first + k * now->stride;
    ret->cover = first + SMEAR_COVER * now->stride;
    ret->depth = first + SMEAR_NEAR * now->stride;
    r->k->unweigh((size_t)ret->n, ret->cover, first + SMEAR_NEAR * now->stride);
    return true;
}
