/* The light of vehicles' lamps: on the ground, and into the lens. */
#include "device/virtual/raster/inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct vec lamp_at(const struct placed *p, const struct model_lamp *m)
{
    double x = m->at[0] * p->scale, y = m->at[1] * p->scale;
    return vec_add(p->feet, vec(x * p->cosine + y * p->sine, y * p->cosine - x * p->sine,
                                m->at[2] * p->scale));
}

#define BEAM_M 45.0f /* long; half as wide: */
#define BEAM_NEAR_M 3.5f
#define BEAM_FAR_M 14.0f

/* Dipped beam upon the ground before a vehicle: by distance ahead and aside. In white cards. */
static float beam(float ahead, float aside)
{
    /* It ends where beam_box() does: by night even a thousandth of it is seen on a lawn. */
    float edge = 1 - aside / (BEAM_NEAR_M + ahead * ((BEAM_FAR_M - BEAM_NEAR_M) / BEAM_M));
    float end = 1 - ahead / BEAM_M;
    if (ahead < 0.3f || edge <= 0 || end <= 0)
        return 0;
    float spread = 1.1f + 0.16f * ahead, side = aside / spread;
    float across = 1 / (1 + side * side * side * side);
    float fall = ahead < 8 ? ahead / 8 : 1;
    float far = ahead / 16;
    edge = edge < 0.5f ? 4 * edge * (1 - edge) : 1;
    end = end < 0.3f ? end / 0.3f : 1;
    return 5e-4f * across * fall * edge * end / (1 + far * far * far);
}

/* Where a vehicle's beam may reach the ground in the picture; false: it does not matter. */
static bool beam_box(const struct backdrop *b, const struct view *v, const struct light *l,
                     const struct placed *p, struct box *ret)
{
    struct lit lit;
    if (!p->who->headlights || !p->model->n_lamps)
        return false;
    backdrop_lit(b, l, p->who->at, &lit);
    if (lit.ambient[1] + lit.sun[1] > 0.03f)
        return false; /* by day nobody sees it */
    double front = p->hi[1] * p->scale;
    struct vec corner[4];
    for (int k = 0; k < 4; k++) {
        double y = k & 2 ? front + BEAM_M : front;
        double x = (k & 1 ? 1 : -1) * (k & 2 ? BEAM_FAR_M : BEAM_NEAR_M);
        corner[k] =
            vec_add(p->feet, vec(x * p->cosine + y * p->sine, y * p->cosine - x * p->sine, 0));
    }
    return ground_box(v, corner, 4, ret);
}

/* Light of one vehicle on the pixels of a row, added in samples of a white card. */
static void beam_row(const struct raster *r, const struct view *v, const struct light *l,
                     const struct placed *p, const struct box *box, int y, const float *far,
                     float *energy)
{
    struct ground_ray g;
    if (!ground_ray_begin(r, v, p->who->at.z, y, &g))
        return;
    double front = p->hi[1] * p->scale;
    float clear = (float)(exp(-l->extinction * vec_len(p->feet)) * l->unit);
    for (int x = box->x0; x < box->x1; x++) {
        double k = ground_ray_reach(&g, x), z = k * v->f;
        if (k <= 0 || fabs(far[x] - z) > far_tolerance(z))
            continue;
        double gx = (g.x0 + x * g.xx) * k - p->feet.x, gy = (g.y0 + x * g.yx) * k - p->feet.y;
        double ahead = gx * p->sine + gy * p->cosine - front;
        double aside = gx * p->cosine - gy * p->sine;
        energy[x] += beam((float)ahead, (float)fabs(aside)) * clear;
    }
}

void ground_headlights(struct raster *r, const struct backdrop *b, const struct view *v,
                       const struct light *l, const struct placed *p, size_t n,
                       struct radiance *into)
{
    struct box box[CAST_MOST], all = {v->width, v->height, 0, 0, false};
    uint8_t who[CAST_MOST];
    size_t lit = 0;
    for (size_t i = 0; i < n; i++) {
        struct box *q = &box[lit];
        if (!beam_box(b, v, l, &p[i], q))
            continue;
        who[lit++] = (uint8_t)i;
        all.x0 = q->x0 < all.x0 ? q->x0 : all.x0;
        all.y0 = q->y0 < all.y0 ? q->y0 : all.y0;
        all.x1 = q->x1 > all.x1 ? q->x1 : all.x1;
        all.y1 = q->y1 > all.y1 ? q->y1 : all.y1;
    }
    float *energy = lit ? malloc((size_t)v->width * 4 * sizeof(float)) : NULL;
    for (int y = all.y0; energy && y < all.y1; y++) {
        const float *far = far_row(r, b, v, y, all.x0, all.x1);
        float *albedo = energy + v->width;
        memset(energy + all.x0, 0, (size_t)(all.x1 - all.x0) * sizeof(float));
        for (size_t i = 0; i < lit; i++)
            if (y >= box[i].y0 && y < box[i].y1)
                beam_row(r, v, l, &p[who[i]], &box[i], y, far, energy);
        int first = all.x0, last = all.x1;
        while (first < last && energy[first] < 0.3f)
            first++;
        while (last > first && energy[last - 1] < 0.3f)
            last--;
        if (first >= last)
            continue;
        keep_pixels(r, into, y, first, last);
        backdrop_albedo_row(b, v, y, first, last, albedo);
        uint16_t *const to[3] = {into->r + (size_t)y * into->stride,
                                 into->g + (size_t)y * into->stride,
                                 into->b + (size_t)y * into->stride};
        for (int x = first; x < last; x++)
            for (int c = 0; c < 3; c++) {
                static const float tint[3] = {1.0f, 0.93f, 0.80f};
                float now =
                    (float)to[c][x] + albedo[(x - first) * 3 + c] * energy[x] * tint[c] + 0.5f;
                to[c][x] = (uint16_t)(now > 65535 ? 65535 : now);
            }
    }
    free(energy);
}

/* A lamp's head and what the lens makes of it. */
static void spot(struct raster *r, const struct view *v, struct vec at, double radius_m,
                 const double radiance[3], double halo, struct radiance *into)
{
    double x, y, z = vec_dot(at, v->ahead);
    if (!view_point(v, at, &x, &y))
        return;
    double core = fmax(0.7, radius_m * v->f / z);
    double power =
        fmax(fmax(radiance[0], radiance[1]), radiance[2]) * fmin(1, radius_m * v->f / z / core);
    double reach =
        core * 2.2 + halo * fmin(30, sqrt(power / 65535.0 * 40) * core * 0.8 + v->width * 0.006);
    int y0 = (int)fmax(0, floor(y - reach)), y1 = (int)fmin(v->height - 1, ceil(y + reach));
    int x0 = (int)fmax(0, floor(x - reach)), x1 = (int)fmin(v->width - 1, ceil(x + reach));
    double dim = fmin(1, radius_m * v->f / z / core);
    dim *= dim;
    for (int py = y0; py <= y1; py++) {
        uint16_t *const to[3] = {into->r + (size_t)py * into->stride,
                                 into->g + (size_t)py * into->stride,
                                 into->b + (size_t)py * into->stride};
        if (x0 > x1)
            continue;
        keep_pixels(r, into, py, x0, x1 + 1);
        for (int px = x0; px <= x1; px++) {
            double d2 =
                ((px + 0.5 - x) * (px + 0.5 - x) + (py + 0.5 - y) * (py + 0.5 - y)) / (core * core);
            double rest = 1 - d2 * core * core / (reach * reach);
            if (rest <= 0)
                continue;
            double k = dim * (exp(-d2) + halo * 0.004 / (1 + d2) * rest);
            for (int c = 0; c < 3; c++) {
                double now = to[c][px] + radiance[c] * k + 0.5;
                to[c][px] = (uint16_t)(now > 65535 ? 65535 : now);
            }
        }
    }
}

void lamp_glare(struct raster *r, const struct backdrop *b, const struct view *v,
                const struct light *l, const struct placed *p, struct radiance *into)
{
    if (!p->who->headlights && !p->who->brake_lights)
        return;
    for (uint32_t i = 0; i < p->model->n_lamps; i++) {
        const struct model_lamp *m = &p->model->lamp[i];
        bool tail = m->kind == 1;
        double sign = tail ? -1 : 1, level;
        if (tail)
            level = p->who->brake_lights ? 0.9 : p->who->headlights ? 0.05 : 0;
        else
            level = p->who->headlights ? 3.0 : 0;
        if (level <= 0)
            continue;
        struct vec at = lamp_at(p, m);
        double far = vec_len(at);
        double facing = -(at.x * p->sine + at.y * p->cosine) * sign / fmax(far, 0.1);
        if (facing <= 0.05)
            continue;
        double x, y, z = vec_dot(at, v->ahead);
        if (!view_point(v, at, &x, &y) || x < 0 || y < 0 || x >= v->width || y >= v->height)
            continue;
        const float *row = far_row(r, b, v, (int)y, (int)x, (int)x + 1);
        if (row[(int)x] < z - 0.5 - 2e-4 * z * z)
            continue;
        double k = level * (tail ? facing : 0.15 + 0.85 * pow(facing, 6)) *
                   exp(-l->extinction * far) * l->unit;
        const double white[3] = {k, k * 0.95, k * 0.85}, red[3] = {k, k * 0.03, k * 0.02};
        spot(r, v, at, tail ? 0.07 : 0.075, tail ? red : white, tail ? 0.3 : 1, into);
    }
}
