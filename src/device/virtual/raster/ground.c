/* What members take from the ground: shadows, the dark below them. */
#include "device/virtual/raster/inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SUN_DISC 0.0047 /* tangent of its half width */
#define DISC_MOST 8

/* ---- where a pixel's ray meets the ground ---- */

bool ground_ray_begin(const struct raster *r, const struct view *v, double ground, int y,
                      struct ground_ray *g)
{
    struct vec d = view_ray(v, 0.5, y + 0.5);
    *g = (struct ground_ray){d.x, d.y, d.z, v->right.x, v->right.y, v->right.z, r->eye.z - ground};
    return g->height > 0 && fmin(d.z, d.z + g->zx * v->width) < 0;
}

struct raster_ground ground_row(const struct ground_ray *g, const struct view *v,
                                const struct placed *p)
{
    return (struct raster_ground){.x = {(float)g->x0, (float)g->xx},
                                  .y = {(float)g->y0, (float)g->yx},
                                  .z = {(float)g->z0, (float)g->zx},
                                  .height = (float)g->height,
                                  .f = (float)v->f,
                                  .at = {(float)p->feet.x, (float)p->feet.y}};
}

#define BOX_NEAR_M 0.25

static void widen_box(const struct view *v, struct vec p, double bounds[4])
{
    double x, y;
    if (!view_point(v, p, &x, &y))
        return;
    bounds[0] = fmin(bounds[0], x);
    bounds[1] = fmin(bounds[1], y);
    bounds[2] = fmax(bounds[2], x);
    bounds[3] = fmax(bounds[3], y);
}

bool ground_box(const struct view *v, const struct vec *point, int n, struct box *ret)
{
    double bounds[4] = {INFINITY, INFINITY, -INFINITY, -INFINITY};
    int behind = 0;
    for (int i = 0; i < n; i++) {
        double depth = vec_dot(point[i], v->ahead);
        if (depth < BOX_NEAR_M) {
            behind++;
            continue;
        }
        widen_box(v, point[i], bounds);
        /* Edges that pass the lens are cut there. */
        for (int k = 0; k < n; k++) {
            double other = vec_dot(point[k], v->ahead);
            if (other < BOX_NEAR_M)
                widen_box(v, vec_mix(point[i], point[k], (depth - BOX_NEAR_M) / (depth - other)),
                          bounds);
        }
    }
    if (behind == n)
        return false;
    ret->cut = behind > 0;
    double x0 = bounds[0], y0 = bounds[1], x1 = bounds[2], y1 = bounds[3];
    ret->x0 = (int)fmax(0, floor(x0) - 1);
    ret->y0 = (int)fmax(0, floor(y0) - 1);
    ret->x1 = (int)fmin(v->width, ceil(x1) + 1);
    ret->y1 = (int)fmin(v->height, ceil(y1) + 1);
    return ret->x0 < ret->x1 && ret->y0 < ret->y1;
}

/* ---- the picture of darkness ---- */

static bool dark_begin(struct raster *r, const struct view *v)
{
    size_t n = (size_t)v->width * (size_t)v->height;
    if (!r->half && !(r->half = malloc((HALF_SIDE + 8) * HALF_SIDE * sizeof(float))))
        return false;
    if (n > r->dark_room || v->height > r->dark_rows || v->width > r->dark_width) {
        free(r->dark);
        free(r->dark_parts);
        r->dark = calloc(2 * n + (size_t)v->width, 1); /* a row of it stays empty */
        r->dark_parts = malloc((size_t)v->height * sizeof(*r->dark_parts));
        r->dark_room = 0;
        r->dark_rows = 0;
        if (!r->dark || !r->dark_parts)
            return false;
        r->dark_room = n;
        r->dark_rows = v->height;
        r->dark_width = v->width;
    }
    memset(r->dark_parts, 0, (size_t)v->height * sizeof(*r->dark_parts));
    for (r->dark_shift = 0; 64 << r->dark_shift < v->width; r->dark_shift++) {
    }
    r->sunny = false;
    return true;
}

static inline void dark_touch(struct raster *r, int y, int x0, int x1)
{
    int first = x0 >> r->dark_shift, last = (x1 - 1) >> r->dark_shift;
    r->dark_parts[y] |= (~0ull >> (63 - (last - first))) << first;
}

/* Share that the sun has in the ground's light (green). */
static double sun_share(const struct backdrop *b, const struct light *l, struct vec at)
{
    struct lit lit;
    backdrop_lit(b, l, at, &lit);
    double sun = lit.sun[1] * fmax(l->sun.z, 0), all = sun + lit.ambient[1];
    return all > 1e-9 ? sun / all : 0;
}

/* ---- shadows ---- */

struct shadow {
    const struct placed *p;
    double reach;    /* how far it falls, metres */
    double share[3]; /* the sun's share at its foot, half way, at its end */
    double dx, dy;   /* direction on the ground */
    double ground;   /* z */
};

/* Shadows are drawn half as large: their borders are soft, and it costs a quarter. A patch
 * gives a block of pixels; it reaches a little further, for those between. */
#define HALF_BLOCK (HALF_SIDE - 8)

/* The coverage of pixels x0 ≤ x < x1 of row y, from a half as large one; false: none. */
static bool whole_row(const struct raster *r, const uint8_t *some, int y, int x0, int x1,
                      float *ret)
{
    const struct raster_patch *q = &r->patch;
    int above = (y + 1) / 2 - 1 - q->y0; /* y is never negative */
    if (!some[above] && !some[above + 1])
        return false;
    const float *a = r->half + (size_t)above * HALF_SIDE, *b = a + HALF_SIDE;
    float low = y & 1 ? 0.25f : 0.75f, row[HALF_SIDE];
    int first = (x0 + 1) / 2 - 1 - q->x0, last = x1 / 2 - q->x0;
    for (int i = first; i <= last; i++)
        row[i] = a[i] * (1 - low) + b[i] * low;
    /* Two pixels lie between two of the small ones; the first one only half so at an even x0. */
    float pair[2 * HALF_SIDE];
    for (int i = first; i < last; i++) {
        pair[2 * (i - first)] = row[i] * 0.75f + row[i + 1] * 0.25f;
        pair[2 * (i - first) + 1] = row[i] * 0.25f + row[i + 1] * 0.75f;
    }
    memcpy(ret, pair + (x0 & 1 ? 0 : 1), (size_t)(x1 - x0) * sizeof(float));
    return true;
}

static void shadow_rows(struct raster *r, const struct backdrop *b, const struct view *v,
                        const struct shadow *s, const struct box *box, float weight)
{
    const struct raster_patch *q = &r->patch;
    uint8_t some[HALF_SIDE + RASTER_TILE_H];
    for (int t = 0; t < q->down; t++) {
        float *const to[2] = {r->half + (size_t)t * 2 * HALF_SIDE,
                              r->half + ((size_t)t * 2 + 1) * HALF_SIDE};
        const uint32_t *row = q->mask + (size_t)t * (size_t)q->across;
        uint32_t any = 0;
        for (int i = 0; i < q->across; i++)
            any |= row[i];
        some[2 * t] = some[2 * t + 1] = any != 0;
        if (any || t == 0 || some[2 * t - 1])
            r->k->resolve_mask(q, t, to);
        else
            memset(to[0], 0, 2 * HALF_SIDE * sizeof(float));
    }
    for (int y = box->y0; y < box->y1; y++) {
        struct ground_ray g;
        int a = 0, e = box->x1 - box->x0;
        float *cover = r->cover[0];
        if (!whole_row(r, some, y, box->x0, box->x1, cover))
            continue;
        while (a < e && cover[a] == 0)
            a++;
        while (e > a && cover[e - 1] == 0)
            e--;
        if (a >= e || !ground_ray_begin(r, v, s->ground, y, &g))
            continue;
        int x0 = box->x0 + a, x1 = box->x0 + e;
        const float *far = far_row(r, b, v, y, x0, x1);
        struct raster_ground row = ground_row(&g, v, s->p);
        row.sine = (float)s->dx;
        row.cosine = (float)s->dy;
        row.inv_soft = (float)(1 / s->reach);
        row.strength = weight;
        for (int k = 0; k < 3; k++)
            row.share[k] = (float)s->share[k];
        dark_touch(r, y, x0, x1);
        r->sunny = true;
        r->k->shadow(&row, x0, x1, far, cover + a, r->dark + (size_t)y * (size_t)v->width);
    }
}

/* Draws it as the sun in direction m (model space) casts it. */
static bool shadow_of(struct raster *r, const struct backdrop *b, const struct view *v,
                      const struct shadow *s, const struct box *box, int lod, struct vec m,
                      float weight)
{
    /* Flattened along the sun: z gone, x and y moved by it. */
    struct placed flat = *s->p;
    struct raster_stand stand = {.half_length = 1, .height = 1};
    struct view half = *v;
    flat.cut = box->cut;
    half.f = v->f / 2;
    r->shift_x = v->width / 4.0;
    r->shift_y = v->height / 4.0;
    bool ok = place_flat(r, &flat, &half, lod, &stand, m.x / m.z, m.y / m.z);
    r->shift_x = r->shift_y = 0;
    for (int y = box->y0 / 2; ok && y * 2 < box->y1; y += HALF_BLOCK)
        for (int x = box->x0 / 2 & ~3; ok && x * 2 < box->x1; x += HALF_BLOCK) {
            struct box part = {x * 2, y * 2, (x + HALF_BLOCK) * 2, (y + HALF_BLOCK) * 2, false};
            part.x0 = part.x0 < box->x0 ? box->x0 : part.x0;
            part.y0 = part.y0 < box->y0 ? box->y0 : part.y0;
            part.x1 = part.x1 > box->x1 ? box->x1 : part.x1;
            part.y1 = part.y1 > box->y1 ? box->y1 : part.y1;
            ok = patch_begin(r, x - 4, y - 2, part.x1 / 2 + 2, part.y1 / 2 + 2);
            if (!ok)
                break;
            place_draw(r, &flat, lod, DRAW_MASK, NULL, NULL);
            shadow_rows(r, b, v, s, &part, weight);
        }
    return ok;
}

static void cast_shadow(struct raster *r, const struct backdrop *b, const struct view *v,
                        const struct light *l, const struct placed *p)
{
    struct vec sun = l->sun;
    if (sun.z < 0.06)
        return;
    double high = p->hi[2] * p->scale;
    struct shadow s = {
        .p = p, .reach = fmax(0.3, high * hypot(sun.x, sun.y) / sun.z), .ground = p->who->at.z};
    double flat = hypot(sun.x, sun.y);
    s.dx = flat > 0 ? -sun.x / flat : 1;
    s.dy = flat > 0 ? -sun.y / flat : 0;
    double most = 0;
    for (int i = 0; i < 3; i++) {
        s.share[i] = sun_share(
            b, l, vec_add(p->who->at, vec(s.dx * s.reach * i / 2, s.dy * s.reach * i / 2, 0)));
        most = fmax(most, s.share[i]);
    }
    if (most < 0.02)
        return;
    struct vec corner[8];
    for (int i = 0; i < 8; i++) {
        double x = (i & 1 ? p->hi[0] : p->lo[0]) * p->scale,
               y = (i & 2 ? p->hi[1] : p->lo[1]) * p->scale;
        double z = i & 4 ? high : 0;
        corner[i] = vec_add(p->feet, vec(x * p->cosine + y * p->sine - sun.x / sun.z * z,
                                         y * p->cosine - x * p->sine - sun.y / sun.z * z, 0));
    }
    struct box box;
    if (!ground_box(v, corner, 8, &box))
        return;
    /* The sun is a disc: far from what casts it, a shadow's border is as wide as that. */
    struct vec middle = vec_mul(vec_add(corner[0], corner[7]), 0.5);
    double blur = SUN_DISC * high / sun.z * v->f / fmax(1, vec_dot(middle, v->ahead));
    int suns = blur < 2 ? 1 : (int)fmin(DISC_MOST, 1 + blur);
    struct vec side = vec_unit(vec_cross(sun, vec(0, 0, 1))), over = vec_cross(side, sun);
    int lod = place_lod(p->model, (box.x1 - box.x0) * (double)(box.y1 - box.y0) * 0.2);
    for (int i = 0; i < suns; i++) {
        double a = 2.399963 * i, q = suns > 1 ? SUN_DISC * sqrt((i + 0.5) / suns) : 0;
        struct vec d = vec_add(sun, vec_add(vec_mul(side, q * cos(a)), vec_mul(over, q * sin(a))));
        struct vec m = vec(d.x * p->cosine - d.y * p->sine, d.x * p->sine + d.y * p->cosine, d.z);
        if (!shadow_of(r, b, v, &s, &box, lod, m, 1.0f / (float)suns))
            return;
    }
}

/* ---- the dark below ---- */

void ground_quad_row(const double at[4][2], int y, const struct box *box, int *ret_a, int *ret_e)
{
    static const int round[5] = {0, 1, 3, 2, 0};
    double lo = INFINITY, hi = -INFINITY, top = y - 0.5, bottom = y + 1.5;
    for (int i = 0; i < 4; i++) {
        const double *p = at[round[i]], *q = at[round[i + 1]];
        if (fmin(p[1], q[1]) > bottom || fmax(p[1], q[1]) < top)
            continue;
        const double *const ends[2] = {p, q};
        for (int k = 0; k < 2; k++) {
            double x = ends[k][0], row = k ? bottom : top;
            if (ends[k][1] >= top && ends[k][1] <= bottom) {
                lo = fmin(lo, x);
                hi = fmax(hi, x);
            }
            double t = (row - p[1]) / (q[1] - p[1]);
            if (t >= 0 && t <= 1) {
                lo = fmin(lo, p[0] + t * (q[0] - p[0]));
                hi = fmax(hi, p[0] + t * (q[0] - p[0]));
            }
        }
    }
    *ret_a = (int)fmax(box->x0, fmin(box->x1, floor(lo) - 1));
    *ret_e = (int)fmax(*ret_a, fmin(box->x1, ceil(hi) + 1));
}

/* Less sky reaches the ground beside and below something. */
static void cast_contact(struct raster *r, const struct backdrop *b, const struct view *v,
                         const struct light *l, const struct placed *p)
{
    bool slim = p->hi[1] - p->lo[1] < 1.2f && p->hi[2] > 1.2f; /* somebody who only stands */
    bool body = slim || (p->model->n_clips > 0 && p->who->gait != GAIT_RIDE);
    double half_w, half_l, soft, deep;
    if (p->lo[2] > 0.4f)
        return; /* hangs in the air */
    if (body) {
        half_w = half_l = 0.10 * p->scale;
        soft = 0.16 * p->scale;
        deep = 0.6;
    } else {
        double w = p->scale * (p->hi[0] - p->lo[0]) / 2, len = p->scale * (p->hi[1] - p->lo[1]) / 2;
        double in = fmin(0.25, 0.3 * w);
        half_w = w - in;
        half_l = len - in;
        soft = fmax(0.05, in * 0.9);
        deep = p->model->n_clips ? 0.4 : 0.9;
    }
    struct vec corner[4];
    double mw = half_w + 2.4 * soft, ml = half_l + 2.4 * soft;
    for (int i = 0; i < 4; i++) {
        double x = i & 1 ? mw : -mw, y = i & 2 ? ml : -ml;
        corner[i] =
            vec_add(p->feet, vec(x * p->cosine + y * p->sine, y * p->cosine - x * p->sine, 0));
    }
    struct box box;
    if (!ground_box(v, corner, 4, &box))
        return;
    double share = 1 - sun_share(b, l, p->who->at), at[4][2];
    for (int i = 0; i < 4 && !box.cut; i++)
        view_point(v, corner[i], &at[i][0], &at[i][1]);
    uint8_t *plane = r->dark + r->dark_room;
    for (int y = box.y0; y < box.y1; y++) {
        struct ground_ray g;
        int x0 = box.x0, x1 = box.x1;
        if (!box.cut)
            ground_quad_row(at, y, &box, &x0, &x1);
        if (x0 >= x1 || !ground_ray_begin(r, v, p->who->at.z, y, &g))
            continue;
        struct raster_ground row = ground_row(&g, v, p);
        row.sine = (float)p->sine;
        row.cosine = (float)p->cosine;
        row.half_w = (float)half_w;
        row.half_l = (float)half_l;
        row.inv_soft = (float)(1 / soft);
        row.strength = (float)(255 * deep * share);
        dark_touch(r, y, x0, x1);
        far_fetch(r, v, y + FAR_AHEAD, x0, x1);
        r->k->contact(&row, x0, x1, far_row(r, b, v, y, x0, x1),
                      plane + (size_t)y * (size_t)v->width);
    }
}

/* What is taken of eight pixels, together. */
static inline uint64_t dark_eight(const uint8_t *sun, const uint8_t *sky, int x)
{
    uint64_t a, b;
    memcpy(&a, sun + x, 8);
    memcpy(&b, sky + x, 8);
    return a | b;
}

/* The first pixel from x on, in parts that have been written in, that is dark, or e. */
static int next_dark(const struct raster *r, uint64_t parts, const uint8_t *sun, const uint8_t *sky,
                     int x, int e)
{
    while (x < e) {
        int part = x >> r->dark_shift, end = (part + 1) << r->dark_shift;
        end = end < e ? end : e;
        if (!(parts >> part & 1)) {
            x = end;
            continue;
        }
        while (x + 8 <= end && !dark_eight(sun, sky, x))
            x += 8;
        while (x < end && !sun[x] && !sky[x])
            x++;
        if (x < end)
            return x;
    }
    return e;
}

/* The first pixel from x on that is not, or e. */
static int next_open(const uint8_t *sun, const uint8_t *sky, int x, int e)
{
    const uint64_t ones = ~0ull / 255, tops = ones << 7;
    for (; x + 8 <= e; x += 8) {
        uint64_t all = dark_eight(sun, sky, x);
        if ((all - ones) & ~all & tops) /* one of its bytes is 0 */
            break;
    }
    while (x < e && (sun[x] || sky[x]))
        x++;
    return x;
}

/* Nothing is dark any more. */
static void dark_clear(const struct raster *r, uint64_t parts, uint8_t *row, int width)
{
    for (; parts; parts &= parts - 1) {
        int x = __builtin_ctzll(parts) << r->dark_shift, n = 1 << r->dark_shift;
        memset(row + x, 0, (size_t)(x + n < width ? n : width - x));
    }
}

void ground_shadows(struct raster *r, const struct backdrop *b, const struct view *v,
                    const struct light *l, const struct placed *p, size_t n)
{
    if (!dark_begin(r, v))
        return;
    for (size_t i = 0; i < n; i++) {
        if (l->sun.z > 0)
            cast_shadow(r, b, v, l, &p[i]);
        cast_contact(r, b, v, l, &p[i]);
    }
    struct lit lit;
    backdrop_lit(b, l, p[0].who->at, &lit);
    double share[3];
    for (int c = 0; c < 3; c++) {
        double sun = l->sun_colour[c] * fmax(0, l->sun.z);
        share[c] = sun + lit.ambient[c] > 0 ? sun / (sun + lit.ambient[c]) : 0;
    }
    for (int c = 0; c < 3; c++)
        r->lay.dark[c] =
            share[1] > 0.02 ? (float)fmin(1 / fmax(share[1], 0.5), share[c] / share[1]) : 1;
    r->lay.rest = (float)(1 / (1.001 - share[1]));
    for (int y = 0; y < v->height; y++) {
        struct ground_ray g;
        uint64_t parts = r->dark_parts[y];
        if (!parts)
            continue;
        float air[3] = {0};
        if (ground_ray_begin(r, v, p[0].who->at.z, y, &g)) {
            double far = ground_ray_reach(&g, v->width / 2) * v->f;
            double clear = exp(-l->extinction * far);
            for (int c = 0; c < 3; c++)
                air[c] = (float)(l->haze[c] * (1 - clear) * l->unit);
        }
        uint8_t *sun = r->dark + (size_t)y * (size_t)v->width, *sky = sun + r->dark_room;
        if (!r->sunny) /* the row that stays empty is in the cache */
            sun = r->dark + 2 * r->dark_room;
        for (int x = 0, e = v->width; x < e;) {
            x = next_dark(r, parts, sun, sky, x, e);
            int first = x;
            x = next_open(sun, sky, x, x + RASTER_SIDE < e ? x + RASTER_SIDE : e);
            uint16_t *to = x > first ? lay_row(r, LAY_DARK, first, x) : NULL;
            if (!to)
                continue;
            uint8_t *dark = lay_dark(to);
            memcpy(to, air, sizeof(air));
            memcpy(dark, sun + first, (size_t)(x - first));
            memcpy(dark + lay_stride(x - first), sky + first, (size_t)(x - first));
            lay_put(r, y);
        }
        if (r->sunny)
            dark_clear(r, parts, sun, v->width);
        dark_clear(r, parts, sky, v->width);
    }
}
