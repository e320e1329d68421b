/* Silhouettes: what raster_cast() would show of each member, without colours. */
#include "device/virtual/raster/inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CELLS 128 /* a silhouette's picture is at most so wide and high */

/* A member's own small picture: cell (i, j) is pixel x0 + (i + 0.5)/k of the view. */
struct window {
    double x0, y0, k; /* cells per pixel */
    int w, h;
    float cover[CELLS * CELLS], depth[CELLS * CELLS];
    struct placed *order[CAST_MOST]; /* as they are drawn */
    size_t n;
};

/* The outline of p as seen through the window, in r->patch; vertices stay in r->v. Returns
 * its level of detail, or -1. */
static int outline(struct raster *r, const struct view *v, const struct placed *p,
                   const struct window *w)
{
    struct view small = *v;
    struct raster_stand stand = {.half_length = 1, .height = 1};
    small.f = v->f * w->k;
    r->shift_x = v->width / 2.0 - (v->width / 2.0 - w->x0) * w->k;
    r->shift_y = v->height / 2.0 - (v->height / 2.0 - w->y0) * w->k;
    int lod = p->lod; /* as it is drawn */
    bool ok = place_vertices(r, p, &small, lod, &stand) && patch_begin(r, 0, 0, w->w, w->h);
    r->shift_x = r->shift_y = 0;
    if (!ok)
        return -1;
    place_draw(r, p, lod, DRAW_DEPTH, NULL, NULL);
    return lod;
}

/* The exact borders of what outline() has just drawn, in pixels of the view. */
static void borders(const struct raster *r, const struct placed *p, int lod, const struct window *w,
                    struct silhouette *s)
{
    double box[4];
    place_borders(r, p, lod, box);
    s->x0 = w->x0 + box[0] / w->k;
    s->y0 = w->y0 + box[1] / w->k;
    s->x1 = w->x0 + box[2] / w->k;
    s->y1 = w->y0 + box[3] / w->k;
}

/* Rows of r->patch into whole pictures; with `hide`, they take from cover. */
static void gather(struct raster *r, struct window *w, bool hide)
{
    for (int t = 0; t < r->patch.down; t++) {
        int within[2];
        bool some = r->k->resolve(&r->patch, NULL, t, r->rgb, r->cover, r->depth, within);
        if (!some && hide)
            continue;
        for (int i = 0; i < RASTER_TILE_H && t * RASTER_TILE_H + i < w->h; i++) {
            size_t row = (size_t)(t * RASTER_TILE_H + i) * (size_t)w->w;
            for (int x = 0; x < w->w; x++) {
                size_t at = row + (size_t)x;
                bool there = x >= within[0] && x < within[1];
                if (!hide) {
                    w->cover[at] = there ? r->cover[i][x] : 0;
                    w->depth[at] = there ? r->depth[i][x] : 0;
                } else if (!there) {
                    continue;
                } else {
                    w->cover[at] *= 1 - r->cover[i][x];
                }
            }
        }
    }
}

static float seen_at(const struct backdrop *b, const struct view *v, double x, double y, float iz)
{
    struct vec d = view_ray(v, x, y);
    double far = backdrop_distance(b, vec_unit(d)) * v->f / vec_len(d), z = 1 / (double)iz;
    return raster_seen((float)far, (float)z);
}

static void silhouette(struct raster *r, const struct backdrop *b, const struct view *v, size_t me,
                       struct window *w, struct silhouette *ret)
{
    const struct placed *p = w->order[me];
    double x0 = fmax(p->x0, -2.0 * v->width), x1 = fmin(p->x1, 3.0 * v->width);
    double y0 = fmax(p->y0, -2.0 * v->height), y1 = fmin(p->y1, 3.0 * v->height);
    w->x0 = floor(x0);
    w->y0 = floor(y0);
    double side = fmax(x1 - w->x0, y1 - w->y0) + 1;
    w->k = side > CELLS - 1 ? (CELLS - 1) / side : 1;
    w->w = (int)fmin(CELLS, ceil((x1 - w->x0) * w->k) + 1);
    w->h = (int)fmin(CELLS, ceil((y1 - w->y0) * w->k) + 1);
    int lod = outline(r, v, p, w);
    if (lod < 0)
        return;
    gather(r, w, false);
    struct silhouette exact;
    borders(r, p, lod, w, &exact);
    double whole = 0;
    for (int i = 0; i < w->w * w->h; i++)
        whole += w->cover[i];
    for (size_t i = me + 1; i < w->n; i++) {
        const struct placed *q = w->order[i];
        if (q->x1 < x0 || q->x0 > x1 || q->y1 < y0 || q->y0 > y1)
            continue;
        if (outline(r, v, q, w) >= 0)
            gather(r, w, true);
    }
    int ax = w->w, ex = -1, ay = w->h, ey = -1;
    double shown = 0;
    for (int y = 0; y < w->h; y++)
        for (int x = 0; x < w->w; x++) {
            size_t at = (size_t)y * (size_t)w->w + (size_t)x;
            double px = w->x0 + (x + 0.5) / w->k, py = w->y0 + (y + 0.5) / w->k;
            if (w->cover[at] < 0.05f || px < 0 || py < 0 || px >= v->width || py >= v->height)
                continue;
            float c = w->cover[at] * seen_at(b, v, px, py, w->depth[at]);
            shown += c;
            if (c < 0.2f)
                continue;
            ax = x < ax ? x : ax;
            ex = x > ex ? x : ex;
            ay = y < ay ? y : ay;
            ey = y > ey ? y : ey;
        }
    if (ex < ax || whole <= 0)
        return;
    ret->x0 = fmax(w->x0 + ax / w->k, exact.x0);
    ret->x1 = fmin(w->x0 + (ex + 1) / w->k, exact.x1);
    ret->y0 = fmax(w->y0 + ay / w->k, exact.y0);
    ret->y1 = fmin(w->y0 + (ey + 1) / w->k, exact.y1);
    ret->x0 = fmax(0, ret->x0);
    ret->y0 = fmax(0, ret->y0);
    ret->x1 = fmin(v->width, ret->x1);
    ret->y1 = fmin(v->height, ret->y1);
    ret->visible = clamp_unit(shown / whole);
}

void raster_truth(struct raster *r, const struct backdrop *b, const struct view *v,
                  const struct member *members, size_t n, struct silhouette *ret)
{
    struct placed *all = calloc(n ? n : 1, sizeof(*all));
    struct window *w = malloc(sizeof(*w));
    memset(ret, 0, n * sizeof(*ret));
    if (all && w) {
        w->n = 0;
        for (size_t i = 0; i < n && i < CAST_MOST; i++)
            if (place_member(&all[i], r, v, &members[i]) && all[i].in_view)
                w->order[w->n++] = &all[i];
        sort_members(w->order, w->n);
        for (size_t i = 0; i < w->n; i++)
            silhouette(r, b, v, i, w, &ret[w->order[i] - all]);
    }
    free(all);
    free(w);
}
