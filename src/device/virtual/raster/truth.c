/* The truth of a picture: members are drawn as they are there, with the same triangles, edges,
 * smears and the same doubt where the place hides them, but instead of colours it is counted how
 * much of each pixel they are. */
#include "device/virtual/raster/inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CELLS 128   /* side of the picture of a whole silhouette, beyond the frame too */
#define LEAST 0.05f /* share of a pixel from which on somebody is seen in it */

struct tally {
    int width;
    float *taken;        /* of each pixel of the picture, by those who are nearer */
    double cover, shown; /* pixels of the silhouette within the frame; which are seen */
    int x0, y0, x1, y1;  /* pixels in which it is seen */
};

void tally_row(struct tally *t, int y, int x, int n, const float *cover, const float *seen)
{
    float *taken = t->taken + (size_t)y * (size_t)t->width + x;
    for (int i = 0; i < n; i++) {
        float shown = cover[i] * seen[i] * (1 - taken[i]);
        t->cover += cover[i];
        t->shown += shown;
        taken[i] += shown;
        if (shown < LEAST)
            continue;
        t->x0 = x + i < t->x0 ? x + i : t->x0;
        t->x1 = x + i >= t->x1 ? x + i + 1 : t->x1;
        t->y0 = y < t->y0 ? y : t->y0;
        t->y1 = y >= t->y1 ? y + 1 : t->y1;
    }
}

/* The vertices of p as seen with k cells a pixel from (x0, y0) on, into r->v. */
static bool outline(struct raster *r, const struct view *v, const struct placed *p, double x0,
                    double y0, double k)
{
    struct view small = *v;
    struct raster_stand stand = {.half_length = 1, .height = 1};
    small.f = v->f * k;
    r->shift_x = v->width / 2.0 - (v->width / 2.0 - x0) * k;
    r->shift_y = v->height / 2.0 - (v->height / 2.0 - y0) * k;
    bool ok = place_vertices(r, p, &small, p->lod, &stand);
    r->shift_x = r->shift_y = 0;
    return ok;
}

/* Pixels that it would cover if the frame and what stands before it did not end it. */
static double whole(struct raster *r, const struct view *v, const struct placed *p)
{
    double x0 = floor(fmax(p->x0, -2.0 * v->width)), x1 = fmin(p->x1, 3.0 * v->width);
    double y0 = floor(fmax(p->y0, -2.0 * v->height)), y1 = fmin(p->y1, 3.0 * v->height);
    double side = fmax(x1 - x0, y1 - y0) + 1, k = side > CELLS - 1 ? (CELLS - 1) / side : 1;
    double sum = 0;
    if (!outline(r, v, p, x0, y0, k) || !patch_begin(r, 0, 0, CELLS, CELLS))
        return 0;
    place_draw(r, p, p->lod, DRAW_DEPTH, NULL, NULL);
    for (int t = 0; t < r->patch.down; t++) {
        int within[2];
        if (r->k->resolve(&r->patch, NULL, t, r->rgb, r->cover, r->depth, within))
            for (int i = 0; i < RASTER_TILE_H; i++)
                for (int x = within[0]; x < within[1]; x++)
                    sum += r->cover[i][x];
    }
    return sum / (k * k);
}

/* A pixel that is little covered is no whole one: not beyond the outermost corners. */
static void trim(struct raster *r, const struct view *v, const struct placed *p,
                 struct silhouette *s)
{
    double box[4];
    if (p->cut || !outline(r, v, p, 0, 0, 1))
        return;
    place_borders(r, p, p->lod, box);
    double beyond[2];
    smear_reach(r, v, p, beyond);
    s->x0 = fmax(s->x0, box[0] - beyond[0]);
    s->y0 = fmax(s->y0, box[1] - beyond[1]);
    s->x1 = fmin(s->x1, box[2] + beyond[0]);
    s->y1 = fmin(s->y1, box[3] + beyond[1]);
}

static void silhouette(struct raster *r, const struct backdrop *b, const struct view *v,
                       const struct placed *p, struct tally *t, struct silhouette *ret)
{
    t->cover = t->shown = 0;
    t->x0 = v->width;
    t->y0 = v->height;
    t->x1 = t->y1 = 0;
    tally_member(r, b, v, p, t);
    if (t->x1 <= t->x0)
        return;
    bool within = !p->cut && p->x0 >= 0 && p->y0 >= 0 && p->x1 <= v->width && p->y1 <= v->height;
    double all = within ? t->cover : fmax(whole(r, v, p), t->cover);
    *ret = (struct silhouette){t->x0, t->y0, t->x1, t->y1, clamp_unit(t->shown / all)};
    trim(r, v, p, ret);
}

void raster_truth(struct raster *r, const struct backdrop *b, const struct view *v,
                  const struct member *members, size_t n, struct silhouette *ret)
{
    struct placed *all = calloc(n ? n : 1, sizeof(*all)), *order[CAST_MOST];
    struct tally t = {.width = v->width};
    size_t n_seen = 0;
    memset(ret, 0, n * sizeof(*ret));
    t.taken = calloc((size_t)v->width * (size_t)v->height, sizeof(*t.taken));
    if (all && t.taken) {
        for (size_t i = 0; i < n && i < CAST_MOST; i++)
            if (place_member(&all[i], r, v, &members[i]) && all[i].in_view)
                order[n_seen++] = &all[i];
        sort_members(order, n_seen);
        for (size_t i = n_seen; i-- > 0;) /* the nearest first: what he takes, others have not */
            silhouette(r, b, v, order[i], &t, &ret[order[i] - all]);
    }
    free(t.taken);
    free(all);
}
