#include "device/virtual/weather/weather.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device/virtual/kernels.h"
#include "device/virtual/weather/fall.h"
#include "device/virtual/weather/inside.h"

struct weather *weather_new(uint64_t seed)
{
    struct weather *w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    w->seed = fall_mix(seed ^ UINT64_C(0x7261696e));
    w->kernels = kernels_best();
    w->place.eye = vec(0, 0, 6);
    return w;
}

struct weather *weather_free(struct weather *w)
{
    if (!w)
        return NULL;
    weather_rest(w);
    free(w);
    return NULL;
}

void weather_rest(struct weather *w)
{
    free(w->list);
    free(w->aside);
    free(w->sorted);
    free(w->first);
    sight_rest(&w->sight);
    w->list = NULL;
    w->aside = NULL;
    w->sorted = NULL;
    w->first = NULL;
    w->aside_room = w->n_aside = w->sorted_room = w->bands_room = w->n_bands = 0;
}

void weather_use(struct weather *w, const struct kernels *k)
{
    w->kernels = k;
}

void weather_place(struct weather *w, const struct weather_place *p)
{
    w->place = *p;
    sight_rest(&w->sight);
    w->n_lamps = p->n_lamps < WEATHER_LAMPS ? p->n_lamps : WEATHER_LAMPS;
    if (w->n_lamps)
        memcpy(w->lamp, p->lamps, w->n_lamps * sizeof(*w->lamp));
    w->place.lamps = NULL;
}

/* ---- wind ---- */

/* Gusts: waves of this share, angular speed and length, carried along by the wind. */
static const double gust_share[] = {0.42, 0.33, 0.25}, gust_speed[] = {0.37, 0.94, 2.3},
                    gust_length[] = {60, 23, 9};

static double gust_phase(uint64_t seed, int i)
{
    return fall_unit(fall_mix(seed + (uint64_t)i), 0) * 2 * M_PI;
}

double weather_gust(const struct set *s, uint64_t seed, int64_t time_ns, double x, double y)
{
    if (!(s->wind_m_s > 0))
        return 0;
    double t = (double)time_ns / 1e9, a = s->wind_deg * M_PI / 180;
    double along = x * sin(a) + y * cos(a), wave = 0;
    for (int i = 0; i < 3; i++)
        wave += gust_share[i] *
                sin(gust_speed[i] * t - 2 * M_PI * along / gust_length[i] + gust_phase(seed, i));
    double strength = s->wind_m_s / (s->wind_m_s + 8);
    return strength * (0.5 + 0.5 * wave);
}

/* A gust takes all of the picture at once, so that its integral is exact. Steps of the stage's
 * values, or the way of all the past would jump about while a value slides. */
void weather_carry(const struct set *s, uint64_t seed, int64_t time_ns, struct vec *ret_speed,
                   struct vec *ret_way)
{
    double t = (double)time_ns / 1e9, w = floor(s->wind_m_s + 0.5) * 0.75;
    double a = floor(s->wind_deg / 10 + 0.5) * 10 * M_PI / 180, speed = 1, way = t;
    for (int i = 0; i < 3; i++) {
        double at = gust_speed[i] * t + gust_phase(seed, i);
        speed += 0.5 * gust_share[i] * sin(at);
        way -= 0.5 * gust_share[i] / gust_speed[i] * cos(at);
    }
    *ret_speed = vec(sin(a) * w * speed, cos(a) * w * speed, 0);
    *ret_way = vec(sin(a) * w * way, cos(a) * w * way, 0);
}

/* ---- painting ---- */

bool weather_lay_list(struct weather *w, size_t n, size_t blocks, struct radiance *into, bool keep)
{
    w->n_aside = 0;
    if (!n || into->width < 2 * CAPSULE_BLOCK)
        return false;
    if (keep && w->aside_room < blocks) {
        free(w->aside);
        w->aside_room = 0;
        size_t room = blocks + blocks / 4;
        if (!(w->aside = malloc(room * sizeof(*w->aside))))
            return false; /* dry, but whole */
        w->aside_room = room;
    }
    n = w->kernels->capsules(w->list, n, into, keep ? w->aside : NULL);
    w->n_aside = keep ? n : 0;
    return true;
}

bool weather_paint(struct weather *w, const struct view *v, const struct light *l,
                   const struct set *s, int64_t time_ns, int64_t exposure_ns, struct radiance *into,
                   bool keep)
{
    size_t blocks = 0;
    w->n_aside = 0;
    if (v->width != into->width)
        return false;
    size_t n = weather_find(w, v, l, s, time_ns, exposure_ns, &blocks);
    return weather_lay_list(w, n, blocks, into, keep);
}

void weather_restore(struct weather *w, struct radiance *into)
{
    while (w->n_aside) {
        const struct capsule_aside *a = &w->aside[--w->n_aside];
        if (into->touched)
            into->touched[a->cell[0]] = into->touched[a->cell[1]] = 1;
        memcpy(into->r + a->at, a->was[0], sizeof(a->was[0]));
        memcpy(into->g + a->at, a->was[1], sizeof(a->was[1]));
        memcpy(into->b + a->at, a->was[2], sizeof(a->was[2]));
    }
}
