/* The surfaces of the place, painted from noise. Colours are square-root encoded. */
#include <math.h>
#include <stddef.h>

#include "device/virtual/texture.h"

static float mix(float a, float b, float t)
{
    return a + (b - a) * t;
}

static float clamp01(float v)
{
    return v < 0 ? 0 : v > 1 ? 1 : v;
}

/* Slow noise for one row of a texture: made anew every fourth row only, and every fourth
 * texel with straight lines between; nobody sees that, and it is most of the work. */
static void slow_row(uint32_t seed, int y, int width, float cell_w, float cell_h, int period,
                     int octaves, float *row)
{
    if (y % 4)
        return;
    float last = noise_fractal(seed, 0, (float)y / cell_h, period, octaves);
    for (int x = 0; x < width; x += 4) {
        float next =
            noise_fractal(seed, (float)(x + 4) / cell_w, (float)y / cell_h, period, octaves);
        for (int i = 0; i < 4; i++)
            row[x + i] = last + (next - last) * (float)i * 0.25f;
        last = next;
    }
}

struct texture *texture_asphalt(uint32_t seed)
{
    struct texture *t = texture_new(9, 9, false);
    if (!t)
        return NULL;
    float slow[512];
    for (int y = 0; y < 512; y++) {
        slow_row(seed + 2, y, 512, 128, 128, 4, 4, slow);
        for (int x = 0; x < 512; x++) {
            float grain = noise_cell(seed, x / 2, y / 2) * 0.5f + noise_cell(seed + 1, x, y) * 0.5f;
            float patch = slow[x];
            float v = 84 + (grain - 0.5f) * 34 + (patch - 0.5f) * 26;
            if (noise_cell(seed + 3, x / 2, y / 2) > 0.985f)
                v += 30;
            *texture_at(t, x, y) = texel(v, v + 1, v + 4, 255);
        }
    }
    texture_finish(t);
    return t;
}

struct texture *texture_grass(uint32_t seed)
{
    struct texture *t = texture_new(10, 10, false);
    if (!t)
        return NULL;
    float slow[1024];
    for (int y = 0; y < 1024; y++) {
        slow_row(seed, y, 1024, 256, 256, 4, 4, slow);
        for (int x = 0; x < 1024; x++) {
            float patch = slow[x];
            float blade = noise_value(seed + 9, (float)x / 3, (float)y / 10, 1024) * 0.6f +
                          noise_cell(seed + 10, x, y) * 0.4f;
            float dry = clamp01((patch - 0.45f) * 3);
            float v = 0.94f + (blade - 0.5f) * 0.42f + (patch - 0.5f) * 0.22f;
            *texture_at(t, x, y) =
                texel(mix(92, 112, dry) * v, mix(124, 128, dry) * v, mix(58, 66, dry) * v, 255);
        }
    }
    texture_finish(t);
    return t;
}

struct texture *texture_pavement(uint32_t seed)
{
    struct texture *t = texture_new(9, 9, false);
    if (!t)
        return NULL;
    const int tile = 128; /* four slabs of 75 cm */
    float slow[512];
    for (int y = 0; y < 512; y++) {
        slow_row(seed + 2, y, 512, 64, 64, 8, 4, slow);
        for (int x = 0; x < 512; x++) {
            int row = y / tile, sx = (x + (row & 1) * tile / 2) & 511, col = sx / tile;
            float fx = (float)(sx % tile), fy = (float)(y % tile);
            float edge = fminf(fminf(fx, (float)tile - fx), fminf(fy, (float)tile - fy));
            float own = noise_cell(seed, col, row), grain = noise_cell(seed + 1, x, y);
            float soft = slow[x];
            float v = 146 + (own - 0.5f) * 22 + (grain - 0.5f) * 16 + (soft - 0.5f) * 30;
            v *= edge < 1.5f ? 0.62f : edge < 3 ? 0.9f : 1;
            *texture_at(t, x, y) = texel(v + 3, v, v - 7, 255);
        }
    }
    texture_finish(t);
    return t;
}

/* Two windows wide, two floors high; each window has its own blind. What a window shows:
 * blind, glass with a reflected sky, frame. Returns false outside windows. */
static bool window(uint32_t seed, float x, float y, int cell_x, int cell_y, float w, float h,
                   float rgb[3])
{
    /* x, y: metres from the window's left top */
    if (x < 0 || y < 0 || x >= w || y >= h)
        return false;
    float rim = fminf(fminf(x, w - x), fminf(y, h - y));
    float mullion = fabsf(x - w / 2);
    if (rim < 0.07f || mullion < 0.035f) {
        float shade = y < 0.09f ? 0.7f : 1;
        rgb[0] = 226 * shade;
        rgb[1] = 224 * shade;
        rgb[2] = 216 * shade;
        return true;
    }
    float blind = noise_cell(seed, cell_x, cell_y) * 1.3f - 0.35f;
    if (y < blind * h) {
        float slat = fmodf(y, 0.06f) < 0.014f ? 0.84f : 1;
        rgb[0] = 206 * slat;
        rgb[1] = 200 * slat;
        rgb[2] = 184 * slat;
        return true;
    }
    float sky = clamp01((x * 0.4f + (h - y) * 0.6f) / h);
    float streak = noise_value(seed + 5, x * 1.5f + (float)cell_x * 7, y * 0.7f, 64);
    rgb[0] = mix(36, 96, sky * streak);
    rgb[1] = mix(44, 118, sky * streak);
    rgb[2] = mix(54, 140, sky * streak);
    return true;
}

/* 7 m × 6.4 m in 1024 × 512 texels: wall by `brick` or plaster, with 2 × 2 windows. */
static struct texture *facade(uint32_t seed, bool brick)
{
    struct texture *t = texture_new(10, 9, false);
    if (!t)
        return NULL;
    float slow[1024];
    for (int py = 0; py < 512; py++) {
        slow_row(seed + 2, py, 1024, 128, 64, 8, 4, slow);
        for (int px = 0; px < 1024; px++) {
            float x = (float)px * 7.0f / 1024, y = (float)py * 6.4f / 512;
            int cx = px / 512, cy = py / 256;
            float fx = x - (float)cx * 3.5f, fy = y - (float)cy * 3.2f, c[3];
            float soft = slow[px];
            float grain = noise_cell(seed + 1, px, py);
            if (window(seed + 3, fx - 1.0f, fy - 0.75f, cx, cy, 1.5f, 1.65f, c)) {
                *texture_at(t, px, py) = texel(c[0], c[1], c[2], 255);
                continue;
            }
            if (brick) {
                int row = py / 6; /* 7.5 cm a course, nearly */
                int bx = (px + (row & 1) * 16) & 1023, col = bx / 32;
                bool mortar = py % 6 == 0 || bx % 32 < 2;
                float own = noise_cell(seed, col, row);
                c[0] = mortar ? 158 : 146 + own * 34;
                c[1] = mortar ? 148 : 86 + own * 26;
                c[2] = mortar ? 136 : 72 + own * 20;
            } else {
                c[0] = c[1] = c[2] = 204;
                c[2] -= 8;
            }
            float v = 1 + (soft - 0.5f) * 0.16f + (grain - 0.5f) * 0.06f;
            if (fx > 0.85f && fx < 2.65f && fy > 2.4f && fy < 2.5f) { /* sill and its shadow */
                c[0] = c[1] = c[2] = 190;
            } else if (fx > 0.9f && fx < 2.6f && fy >= 2.5f && fy < 2.62f) {
                v *= 0.72f;
            }
            if (!brick && fy < 0.14f)
                v *= fy < 0.03f ? 0.72f : 1.06f; /* a band between the floors */
            *texture_at(t, px, py) = texel(c[0] * v, c[1] * v, c[2] * v, 255);
        }
    }
    texture_finish(t);
    return t;
}

struct texture *texture_brick_facade(uint32_t seed)
{
    return facade(seed, true);
}

struct texture *texture_plaster_facade(uint32_t seed)
{
    return facade(seed, false);
}

struct texture *texture_glass_facade(uint32_t seed)
{
    struct texture *t = texture_new(9, 9, false);
    if (!t)
        return NULL;
    float slow[512];
    for (int y = 0; y < 512; y++) {
        slow_row(seed + 2, y, 512, 128, 128, 4, 3, slow);
        for (int x = 0; x < 512; x++) {
            int cx = x / 128, cy = y / 128;
            int fx = x % 128, fy = y % 128;
            float own = noise_cell(seed, cx, cy), lit = noise_cell(seed + 1, cx, cy);
            float sky = slow[x];
            if (fx < 5 || fy < 6 || fy > 122) {
                float v = fy < 6 ? 188 : 168;
                *texture_at(t, x, y) = texel(v, v + 3, v + 6, 255);
                continue;
            }
            float spandrel = fy > 96 ? 0.72f : 1; /* the floor behind the glass */
            float v = (0.62f + own * 0.22f + (sky - 0.5f) * 0.5f) * spandrel;
            float warm = lit > 0.82f ? 22 : 0;
            *texture_at(t, x, y) = texel(96 * v + warm, 136 * v + warm * 0.8f, 168 * v, 255);
        }
    }
    texture_finish(t);
    return t;
}

struct texture *texture_metal_wall(uint32_t seed)
{
    struct texture *t = texture_new(8, 8, false);
    if (!t)
        return NULL;
    for (int y = 0; y < 256; y++)
        for (int x = 0; x < 256; x++) {
            float wave = sinf((float)x * 2 * (float)M_PI / 16);
            float stain = noise_fractal(seed, (float)x / 64, (float)y / 128, 4, 4);
            float v = 176 + wave * 10 + (stain - 0.5f) * 20 + (noise_cell(seed, x, y) - 0.5f) * 6;
            if (y % 128 < 2)
                v *= 0.8f;
            *texture_at(t, x, y) = texel(v, v + 1, v + 2, 255);
        }
    texture_finish(t);
    return t;
}

struct texture *texture_roof(uint32_t seed)
{
    struct texture *t = texture_new(7, 7, false);
    if (!t)
        return NULL;
    for (int y = 0; y < 128; y++)
        for (int x = 0; x < 128; x++) {
            float v = 116 + (noise_cell(seed, x, y) - 0.5f) * 30;
            *texture_at(t, x, y) = texel(v, v, v, 255);
        }
    texture_finish(t);
    return t;
}

/* A crown of some hundred leaf clusters over a trunk; lit from the left above. */
struct texture *texture_tree(uint32_t seed)
{
    struct texture *t = texture_new(9, 9, true);
    if (!t)
        return NULL;
    const float cx = 256, cy = 205;
    for (int y = 0; y < 512; y++)
        for (int x = 0; x < 512; x++)
            *texture_at(t, x, y) = texel(62, 84, 40, 0);
    for (int y = 300; y < 510; y++) {
        float half = 11 + (float)(y - 300) * 0.03f + (y > 490 ? (float)(y - 490) * 0.5f : 0);
        for (int x = (int)(cx - half); x <= (int)(cx + half); x++) {
            float round = ((float)x - cx) / half;
            float v = (96 - 34 * round) * (0.8f + 0.4f * noise_cell(seed + 2, x / 3, y / 9));
            *texture_at(t, x, y) = texel(v, v * 0.84f, v * 0.66f, 255);
        }
    }
    for (int i = 0; i < 1500; i++) {
        float a = noise_cell(seed, i, 1) * 2 * (float)M_PI, d = sqrtf(noise_cell(seed, i, 2));
        float depth = (float)i / 1500; /* later clusters are nearer to us */
        float lobes = 0.86f + 0.14f * sinf(a * 5 + (float)(seed % 7));
        float bx = cx + cosf(a) * d * 200 * lobes, by = cy + sinf(a) * d * 180 * lobes;
        float r = 9 + noise_cell(seed, i, 3) * 14;
        float nx = (bx - cx) / 200, ny = (by - cy) / 180;
        float light = 0.62f - 0.22f * nx - 0.34f * ny + 0.14f * depth;
        light *= 0.82f + 0.34f * noise_cell(seed, i, 4);
        for (int y = (int)(by - r); y <= (int)(by + r); y++)
            for (int x = (int)(bx - r); x <= (int)(bx + r); x++) {
                if (x < 1 || y < 1 || x > 510 || y > 510)
                    continue;
                float dx = (float)x - bx, dy = (float)y - by;
                float rag = 0.66f + 0.5f * noise_cell(seed + 1, x / 2 + i, y / 2);
                if (dx * dx + dy * dy > r * r * rag * rag)
                    continue;
                float v = light * (1 - 0.15f * (dx + dy) / r) *
                          (0.88f + 0.24f * noise_cell(seed + 4, x / 2, y / 2));
                *texture_at(t, x, y) = texel(104 * v + 12, 146 * v + 10, 62 * v + 4, 255);
            }
    }
    texture_finish(t);
    return t;
}

struct texture *texture_clouds(uint32_t seed)
{
    struct texture *t = texture_new(9, 9, true);
    if (!t)
        return NULL;
    for (int y = 0; y < 512; y++)
        for (int x = 0; x < 512; x++) {
            float v = noise_fractal(seed, (float)x / 128, (float)y / 128, 4, 7);
            float thick = clamp01((v - 0.5f) * 4.2f);
            float soft = thick * thick * (3 - 2 * thick);
            float below = 1 - 0.13f * clamp01((v - 0.58f) * 5);
            *texture_at(t, x, y) = texel(246 * below, 248 * below, 252 * below, soft * 232);
        }
    texture_finish(t);
    return t;
}

struct texture *texture_skyline(uint32_t seed)
{
    struct texture *t = texture_new(10, 7, true);
    if (!t)
        return NULL;
    for (int x = 0; x < 1024; x++) {
        float top = 92 - 22 * noise_fractal(seed, (float)x / 128, 0.5f, 8, 5); /* hills */
        for (int y = 0; y < 128; y++) {
            bool hill = (float)y > top;
            float v = 0.9f + 0.2f * noise_value(seed + 1, (float)x / 4, (float)y / 4, 256);
            *texture_at(t, x, y) = texel(92 * v, 112 * v, 92 * v, hill ? 255 : 0);
        }
    }
    for (int i = 0; i < 70; i++) { /* houses and towers before the hills */
        int x0 = (int)(noise_cell(seed, i, 10) * 1024), w = 6 + (int)(noise_cell(seed, i, 11) * 20);
        float tall = noise_cell(seed, i, 12);
        int top = 108 - (int)(tall * tall * 84);
        float grey = 120 + 60 * noise_cell(seed, i, 13);
        for (int y = top; y < 128; y++)
            for (int k = 0; k < w; k++) {
                bool pane = k % 3 == 1 && y % 4 > 1;
                float v = pane ? grey * 0.78f : grey;
                *texture_at(t, (x0 + k) & 1023, y) = texel(v, v, v * 1.03f, 255);
            }
    }
    texture_finish(t);
    return t;
}

struct texture *texture_dashes(void)
{
    struct texture *t = texture_new(3, 7, true);
    if (!t)
        return NULL;
    for (int y = 0; y < 128; y++)
        for (int x = 0; x < 8; x++)
            *texture_at(t, x, y) = texel(236, 236, 230, y < 64 ? 255 : 0);
    texture_finish(t);
    return t;
}

struct texture *texture_zebra(void)
{
    struct texture *t = texture_new(3, 6, true);
    if (!t)
        return NULL;
    for (int y = 0; y < 64; y++)
        for (int x = 0; x < 8; x++)
            *texture_at(t, x, y) = texel(238, 238, 232, y < 34 ? 255 : 0);
    texture_finish(t);
    return t;
}

struct texture *texture_wheel(void)
{
    struct texture *t = texture_new(7, 7, true);
    if (!t)
        return NULL;
    for (int y = 0; y < 128; y++)
        for (int x = 0; x < 128; x++) {
            float dx = (float)x - 63.5f, dy = (float)y - 63.5f, r = sqrtf(dx * dx + dy * dy);
            float spoke = cosf(atan2f(dy, dx) * 5);
            float v = r > 40 ? 34 : r > 36 ? 120 : r < 8 || spoke > 0.1f ? 176 : 60;
            *texture_at(t, x, y) = texel(v, v, v + 2, 255 * clamp01(62.5f - r));
        }
    texture_finish(t);
    return t;
}
