#include "device/virtual/place/sky.h"

#include <math.h>
#include <pthread.h>

#define SIDE 256
#define DISC_COS 0.9999889 /* 0.27 degrees */

/* Tileable noise with its finest octaves, 0…1. */
static float noise[SIDE * SIDE];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static uint32_t hash(uint32_t x, uint32_t y, uint32_t seed)
{
    uint32_t h = x * 0x8da6b343u ^ y * 0xd8163841u ^ seed * 0xcb1ab31fu;
    h = (h ^ h >> 15) * 0x2c1b3c6du;
    h = (h ^ h >> 12) * 0x297a2d39u;
    return h ^ h >> 15;
}

static float value(float x, float y, uint32_t period, uint32_t seed)
{
    uint32_t ix = (uint32_t)x, iy = (uint32_t)y;
    float fx = x - (float)ix, fy = y - (float)iy;
    fx = fx * fx * (3 - 2 * fx);
    fy = fy * fy * (3 - 2 * fy);
    float v[4];
    for (uint32_t k = 0; k < 4; k++)
        v[k] =
            (float)(hash((ix + (k & 1)) % period, (iy + (k >> 1)) % period, seed) & 0xffff) / 65535;
    float a = v[0] + (v[1] - v[0]) * fx, b = v[2] + (v[3] - v[2]) * fx;
    return a + (b - a) * fy;
}

static void make_noise(void)
{
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            float sum = 0, size = 0.5f;
            uint32_t period = 8;
            for (uint32_t o = 0; o < 5; o++, period *= 2, size *= 0.55f) {
                float k = (float)period / SIDE;
                sum += size * (value((float)x * k, (float)y * k, period, o) - 0.5f);
            }
            noise[y * SIDE + x] = 0.5f + sum;
        }
}

static double fraction(double x)
{
    x -= (double)(int64_t)x;
    return x < 0 ? x + 1 : x;
}

static float wrapped(double x, double y)
{
    double fx = fraction(x), fy = fraction(y);
    float u = (float)(fx * SIDE), v = (float)(fy * SIDE);
    int iu = (int)u, iv = (int)v;
    u -= (float)iu;
    v -= (float)iv;
    iu &= SIDE - 1;
    iv &= SIDE - 1;
    int ju = (iu + 1) & (SIDE - 1), jv = (iv + 1) & (SIDE - 1);
    float a = noise[iv * SIDE + iu] + (noise[iv * SIDE + ju] - noise[iv * SIDE + iu]) * u;
    float b = noise[jv * SIDE + iu] + (noise[jv * SIDE + ju] - noise[jv * SIDE + iu]) * u;
    return a + (b - a) * v;
}

static float clamp01(float v)
{
    return v < 0 ? 0 : v > 1 ? 1 : v;
}

static float smooth(float from, float to, float v)
{
    v = clamp01((v - from) / (to - from));
    return v * v * (3 - 2 * v);
}

/* Clouds at a place of their layer, in units of 12 km. */
static float clouds(double x, double y, double drift)
{
    return 0.62f * wrapped(x + drift, y + drift * 0.31) +
           0.38f * wrapped(x * 3.7 + drift * 4.1, y * 3.7 + drift * 0.9 + 0.37);
}

void sky_radiance(const struct light *l, int64_t time_ns, struct vec d, float ret[3])
{
    pthread_once(&once, make_noise);
    float up = (float)(d.z < 0 ? 0 : d.z), t = up / (up + 0.28f) * 1.28f;
    float g = (float)vec_dot(d, l->disc), away = 1 - g;
    float near_sun = 0.035f * expf(-away * 9);
    if (away < 0.1f)
        near_sun += 0.10f * expf(-away * 90) + 0.5f * expf(-away * 1400);
    float disc = g > (float)DISC_COS ? 60 : 0;
    float low = l->disc.z < 0.25 ? 1 - clamp01((float)l->disc.z * 4) : 0;
    float broad = low > 0 ? expf(-away * 2.2f) * expf(-up * 5) * 0.22f : 0;
    for (int k = 0; k < 3; k++)
        ret[k] = l->horizon[k] + (l->zenith[k] - l->horizon[k]) * t +
                 l->glow[k] * (near_sun + disc + broad * low);
    if (l->cloud > 0.01f) {
        double k = 0.1 / (d.z < 0 ? 0.06 : d.z + 0.06), drift = (double)time_ns * 4.2e-13;
        double x = d.x * k, y = d.y * k, to_sun = 0.012;
        float n = clouds(x, y, drift);
        float least = 0.80f - 0.62f * l->cloud;
        float dense = smooth(least, least + 0.20f, n) * clamp01(l->cloud * 6);
        if (dense > 0) {
            float before = clouds(x + l->disc.x * to_sun, y + l->disc.y * to_sun, drift);
            float lit = clamp01(0.62f + (n - before) * 3.5f - 0.35f * dense * (n - least));
            float rim = 1 + 1.5f * expf(-away * 30) * (1 - dense);
            for (int q = 0; q < 3; q++) {
                float c = l->cloud_dark[q] + (l->cloud_lit[q] * rim - l->cloud_dark[q]) * lit;
                ret[q] += (c - ret[q]) * dense;
            }
        }
    }
    /* Air: a sky is seen through what is before it. */
    float clear = expf((float)-l->extinction * 1300 / (up + 0.04f));
    for (int k = 0; k < 3; k++)
        ret[k] = l->haze[k] + (ret[k] - l->haze[k]) * clear;
}
