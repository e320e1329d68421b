/* A backdrop for tests of the raster: flat ground (asphalt, squares of two metres), clear
 * sky, one wall that hides what is behind it. Everything is known exactly. */
#ifndef TEST_RASTER_STUB_H
#define TEST_RASTER_STUB_H

#include <math.h>
#include <stdlib.h>

#include "device/virtual/raster/raster.h"

struct backdrop {
    struct vec eye;
    bool wall;  /* y 20, x 2…6, 3 m high */
    bool grass; /* all over the ground */
    struct light light;
};

static double stub_hit(const struct backdrop *b, struct vec d)
{
    double t = d.z < -1e-9 ? b->eye.z / -d.z : INFINITY;
    if (b->wall && d.y > 1e-9) {
        double k = (20 - b->eye.y) / d.y, x = b->eye.x + d.x * k, z = b->eye.z + d.z * k;
        if (k < t && x > 2 && x < 6 && z > 0 && z < 3)
            t = k;
    }
    return t;
}
double backdrop_distance(const struct backdrop *b, struct vec direction)
{
    return stub_hit(b, vec_unit(direction));
}
static struct vec stub_ray(const struct view *v, int x, int y)
{
    return vec_unit(view_ray(v, x + 0.5, y + 0.5));
}
void backdrop_distance_row(const struct backdrop *b, const struct view *v, int y, int x0, int x1,
                           float *ret)
{
    for (int x = x0; x < x1; x++)
        ret[x - x0] = (float)stub_hit(b, stub_ray(v, x, y));
}
static float stub_albedo(const struct backdrop *b, struct vec d, double t)
{
    double x = b->eye.x + d.x * t, y = b->eye.y + d.y * t;
    int odd = ((int)floor(x / 2) + (int)floor(y / 2)) & 1;
    return odd ? 0.13f : 0.15f;
}
void backdrop_albedo_row(const struct backdrop *b, const struct view *v, int y, int x0, int x1,
                         float *ret)
{
    for (int x = x0; x < x1; x++) {
        struct vec d = stub_ray(v, x, y);
        float a = stub_albedo(b, d, stub_hit(b, d));
        static const float green[3] = {0.4f, 0.8f, 0.2f};
        for (int k = 0; k < 3; k++)
            ret[(x - x0) * 3 + k] = b->grass ? a * green[k] : a;
    }
}
void backdrop_lit(const struct backdrop *b, const struct light *l, struct vec at, struct lit *ret)
{
    for (int k = 0; k < 3; k++) {
        ret->sun[k] = l->sun.z > 0 ? l->sun_colour[k] : 0;
        ret->ambient[k] = 0.5f * (l->zenith[k] + l->horizon[k]) + 2e-4f * (float)l->lamps;
        ret->lamp[k] = 2e-4f * (float)l->lamps;
    }
}
static void stub_light(struct light *l, bool night)
{
    *l = (struct light){.unit = night ? 16384.0 * 2048 : 16384, .lamps = night};
    l->sun = vec_unit(vec(-0.55, -0.55, night ? -0.6 : 0.75));
    const float sun[3] = {0.95f, 0.88f, 0.78f}, zenith[3] = {0.10f, 0.19f, 0.38f},
                horizon[3] = {0.42f, 0.48f, 0.55f};
    for (int k = 0; k < 3; k++) {
        float dim = night ? 1e-4f : 1;
        l->sun_colour[k] = night ? 0 : sun[k];
        l->zenith[k] = zenith[k] * dim;
        l->horizon[k] = horizon[k] * dim;
    }
}
static inline void stub_paint(const struct backdrop *b, const struct view *v, const struct light *l,
                              struct radiance *into)
{
    struct lit lit;
    backdrop_lit(b, l, vec(0, 0, 0), &lit);
    for (int y = 0; y < v->height; y++)
        for (int x = 0; x < v->width; x++) {
            struct vec d = stub_ray(v, x, y);
            double t = stub_hit(b, d);
            uint16_t *const to[3] = {into->r, into->g, into->b};
            for (int k = 0; k < 3; k++) {
                double e =
                    isinf(t)
                        ? l->horizon[k] + fmin(1, d.z * 2) * (l->zenith[k] - l->horizon[k])
                        : stub_albedo(b, d, t) * (lit.ambient[k] + lit.sun[k] * fmax(0, l->sun.z));
                double s = e * l->unit + 0.5;
                to[k][(size_t)y * into->stride + (size_t)x] = (uint16_t)(s > 65535 ? 65535 : s);
            }
        }
    into->unit = l->unit;
}
static inline bool stub_radiance(struct radiance *p, int w, int h)
{
    *p = (struct radiance){.width = w, .height = h, .stride = (size_t)w};
    p->r = calloc((size_t)w * (size_t)h * 3, sizeof(uint16_t));
    if (!p->r)
        return false;
    p->g = p->r + (size_t)w * (size_t)h;
    p->b = p->g + (size_t)w * (size_t)h;
    return true;
}

#endif
