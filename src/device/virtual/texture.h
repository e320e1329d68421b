/* Tileable textures with mip levels.
 *
 * Texels are square-root encoded (value² is linear light), packed R, G, B, A from
 * the lowest byte; sizes are powers of two and every level carries one wrapped
 * column and row more, so that a bilinear tap needs no second wrap. Immutable once
 * texture_finish() has run. */
#ifndef DEVICE_VIRTUAL_TEXTURE_H
#define DEVICE_VIRTUAL_TEXTURE_H

#include <stdbool.h>
#include <stdint.h>

#define TEXTURE_LEVELS 12

struct texture {
    int log2_w, log2_h, levels;
    bool alpha;                      /* the fourth channel is coverage; else opaque */
    uint32_t *level[TEXTURE_LEVELS]; /* rows of (width >> n) + 1 texels */
};

struct texture *texture_new(int log2_w, int log2_h, bool alpha); /* NULL: out of memory */
struct texture *texture_free(struct texture *t);
/* Makes the smaller levels and the wrapped edges from level 0. */
void texture_finish(struct texture *t);

static inline int texture_w(const struct texture *t)
{
    return 1 << t->log2_w;
}
static inline int texture_h(const struct texture *t)
{
    return 1 << t->log2_h;
}
static inline uint32_t *texture_at(struct texture *t, int x, int y)
{
    return t->level[0] + (long)y * (texture_w(t) + 1) + x;
}
static inline uint32_t texel(double r, double g, double b, double a)
{
    r = r < 0 ? 0 : r > 255 ? 255 : r;
    g = g < 0 ? 0 : g > 255 ? 255 : g;
    b = b < 0 ? 0 : b > 255 ? 255 : b;
    a = a < 0 ? 0 : a > 255 ? 255 : a;
    return (uint32_t)(r + 0.5) | (uint32_t)(g + 0.5) << 8 | (uint32_t)(b + 0.5) << 16 |
           (uint32_t)(a + 0.5) << 24;
}

/* Noise that repeats every `period` cells in both directions. */
uint32_t noise_hash(uint32_t seed, uint32_t x, uint32_t y);
float noise_cell(uint32_t seed, int x, int y);                                 /* 0…1 */
float noise_value(uint32_t seed, float x, float y, int period);                /* 0…1, smooth */
float noise_fractal(uint32_t seed, float x, float y, int period, int octaves); /* 0…1 */

/* The surfaces of the place (texture_art.c). All may return NULL. */
struct texture *texture_asphalt(uint32_t seed);
struct texture *texture_grass(uint32_t seed);
struct texture *texture_pavement(uint32_t seed);
struct texture *texture_brick_facade(uint32_t seed);
struct texture *texture_plaster_facade(uint32_t seed);
struct texture *texture_glass_facade(uint32_t seed);
struct texture *texture_metal_wall(uint32_t seed);
struct texture *texture_roof(uint32_t seed);
struct texture *texture_tree(uint32_t seed);
struct texture *texture_clouds(uint32_t seed);
struct texture *texture_skyline(uint32_t seed);
struct texture *texture_dashes(void);
struct texture *texture_zebra(void);
struct texture *texture_wheel(void);

struct texture_sign {
    const char *lines[3];
    uint8_t ink[3], paper[3]; /* square-root encoded */
    bool frame;               /* a line around it */
    bool bare;                /* no paper: paint on the ground */
    double stroke;            /* width of a stroke in units of a glyph's height */
};
/* Text fitted into 2^log2_w × 2^log2_h texels that will be seen at that `aspect`. */
struct texture *texture_text(const struct texture_sign *sign, int log2_w, int log2_h,
                             double aspect);

#endif
