/* Signs: letters are drawn from their distance fields into the cells of the picture, sharp
 * at any zoom, in the light of the place. */
#include <math.h>

#include "device/virtual/place/backdrop_inside.h"

#define STEP 4 /* pixels between the points at which is asked what stands before the sign */
#define SIDE (CELL / STEP + 1)
#define SAMPLE_ONE 65535

static struct vec of(const float v[3])
{
    return vec((double)v[0], (double)v[1], (double)v[2]);
}

void lettering_find(struct backdrop *b)
{
    const struct tiles_head *h = b->tiles->head;
    const struct view *v = &b->view;
    b->n_lettered = 0;
    for (uint32_t i = 0; i < h->n_signs; i++) {
        struct lettered *l = &b->lettered[b->n_lettered];
        const struct sign *s = &b->tiles->sign[i];
        struct vec c = vec_sub(of(s->corner), vec(h->eye[0], h->eye[1], h->eye[2]));
        struct vec r = of(s->right), d = of(s->down);
        double x0 = 1e9, y0 = 1e9, x1 = -1e9, y1 = -1e9;
        bool seen = true;
        for (int k = 0; k < 4 && seen; k++) {
            double x, y;
            struct vec p = vec_add(c, vec_add(vec_mul(r, k & 1), vec_mul(d, k >> 1)));
            seen = view_point(v, p, &x, &y);
            x0 = fmin(x0, x);
            x1 = fmax(x1, x);
            y0 = fmin(y0, y);
            y1 = fmax(y1, y);
        }
        if (!seen || x1 < -1 || y1 < -1 || x0 > v->width + 1 || y0 > v->height + 1 || y1 - y0 < 2 ||
            x1 - x0 < 1)
            continue;
        struct vec middle = vec_add(c, vec_add(vec_mul(r, 0.5), vec_mul(d, 0.5)));
        *l = (struct lettered){.sign = s,
                               .x0 = (int)fmax(floor(x0) - 1, 0),
                               .y0 = (int)fmax(floor(y0) - 1, 0),
                               .x1 = (int)fmin(ceil(x1) + 1, v->width),
                               .y1 = (int)fmin(ceil(y1) + 1, v->height),
                               .n = vec_cross(r, d),
                               .a = vec_cross(d, c),
                               .b = vec_cross(c, r),
                               .far = vec_len(middle)};
        /* Seen from behind, nothing is to be read. */
        if (vec_dot(l->n, middle) <= 0)
            continue;
        l->pixel_m = vec_dot(middle, v->ahead) / v->f;
        b->n_lettered++;
    }
}

void lettering_light(struct backdrop *b)
{
    const struct tiles_head *h = b->tiles->head;
    for (int i = 0; i < b->n_lettered; i++) {
        struct lettered *l = &b->lettered[i];
        const struct light *light = &b->phase[i % PHASES].light;
        const struct sign *s = l->sign;
        float sum[3] = {0};
        for (int k = 0; k < 9; k++) {
            struct vec p = vec_add(of(s->corner), vec_add(vec_mul(of(s->right), 0.2 + k % 3 * 0.3),
                                                          vec_mul(of(s->down), 0.2 + k / 3 * 0.3)));
            float c[3];
            ask_light(b, light, vec_sub(p, vec(h->eye[0], h->eye[1], h->eye[2])), c);
            for (int q = 0; q < 3; q++)
                sum[q] += c[q] / 9;
        }
        l->clear = (float)exp(-light->extinction * l->far);
        for (int q = 0; q < 3; q++) {
            l->light[q] = sum[q] * l->clear * (float)light->unit;
            l->veil[q] = light->haze[q] * (1 - l->clear) * (float)light->unit;
        }
    }
}

/* The distance field of a sign. */
struct field {
    const uint8_t *at;
    int stride;
    float most_x, most_y, depth; /* metres for each of its steps */
};

/* Share of a spot that is ink; x, y: in the field's own pixels. */
static inline float ink_at(const struct field *f, float x, float y, float per_pixel)
{
    x = x < 0 ? 0 : x > f->most_x ? f->most_x : x;
    y = y < 0 ? 0 : y > f->most_y ? f->most_y : y;
    int ix = (int)x, iy = (int)y;
    float fx = x - (float)ix, fy = y - (float)iy;
    const uint8_t *p = f->at + (ptrdiff_t)iy * f->stride + ix, *q = p + f->stride;
    float a = (float)p[0] + (float)(p[1] - p[0]) * fx;
    float c = (float)q[0] + (float)(q[1] - q[0]) * fx;
    float k = (a + (c - a) * fy - 128) * per_pixel + 0.5f;
    return k < 0 ? 0 : k > 1 ? 1 : k;
}

/* What a vector times the ray of a pixel's middle is: at a cell's first pixel, and how much more
 * to the right and below. */
struct slope {
    double at, x, y;
};

static struct slope slope_of(const struct view *v, struct vec n, int x0, int y0)
{
    return (struct slope){vec_dot(n, view_ray(v, x0 + 0.5, y0 + 0.5)), vec_dot(n, v->right),
                          -vec_dot(n, v->up)};
}

static inline double slope_at(const struct slope *s, int x, int y)
{
    return s->at + s->x * x + s->y * y;
}

/* Whether the sign is the nearest thing, at the corners of small squares. */
static void uncovered(const struct backdrop *b, const struct lettered *l, int x, int y,
                      bool ret[SIDE * SIDE])
{
    for (int j = 0; j < SIDE; j++)
        for (int i = 0; i < SIDE; i++) {
            if (x + (i + 1) * STEP < l->x0 || x + (i - 1) * STEP > l->x1 ||
                y + (j + 1) * STEP < l->y0 || y + (j - 1) * STEP > l->y1)
                continue; /* nobody asks */
            struct vec d = view_ray(&b->view, x + i * STEP, y + j * STEP);
            ret[j * SIDE + i] = backdrop_distance(b, d) > l->far * 0.97 - 0.6;
        }
}

static void paint_sign(const struct backdrop *b, const struct lettered *l, int x0, int y0,
                       uint16_t *cell)
{
    const struct sign *s = l->sign;
    bool open[SIDE * SIDE];
    uncovered(b, l, x0, y0, open);
    /* Coarser than the field is deep, several samples make the mean. */
    float pixel = (float)l->pixel_m, deep = s->reach * 1.4f;
    int taps = pixel > deep ? (int)fminf(ceilf(pixel / deep), 4) : 1;
    double across = vec_len(of(s->right)), along = vec_len(of(s->down));
    const struct field field = {tiles_part(b->tiles, s->field), (int)s->width,
                                (float)s->width - 1.001f, (float)s->height - 1.001f,
                                s->reach / 127};
    const float per_pixel = field.depth / (pixel / (float)taps);
    const float step_x = (float)(l->pixel_m / across * s->width) / (float)taps;
    const float step_y = (float)(l->pixel_m / along * s->height) / (float)taps;
    const float share = 1 / (float)(taps * taps), first = 0.5f - 0.5f * (float)taps;
    const struct slope sn = slope_of(&b->view, l->n, x0, y0);
    const struct slope sa = slope_of(&b->view, l->a, x0, y0);
    const struct slope sb = slope_of(&b->view, l->b, x0, y0);
    int left = l->x0 > x0 ? l->x0 - x0 : 0, right = l->x1 - x0 < CELL ? l->x1 - x0 : CELL;
    int top = l->y0 > y0 ? l->y0 - y0 : 0, low = l->y1 - y0 < CELL ? l->y1 - y0 : CELL;
    for (int y = top; y < low; y++)
        for (int x = left; x < right; x++) {
            double n = slope_at(&sn, x, y);
            if (n <= 0 || !open[(y + STEP / 2) / STEP * SIDE + (x + STEP / 2) / STEP])
                continue;
            double inv = 1 / n, u = slope_at(&sa, x, y) * inv, v = slope_at(&sb, x, y) * inv;
            double edge = fmin(fmin(u, 1 - u) * across, fmin(v, 1 - v) * along) / l->pixel_m + 0.5;
            if (edge <= 0)
                continue;
            float ink = 0, whole = edge > 1 ? 1 : (float)edge;
            float fx = (float)(u * s->width) - 0.5f + first * step_x;
            float fy = (float)(v * s->height) - 0.5f + first * step_y;
            for (int j = 0; j < taps; j++)
                for (int i = 0; i < taps; i++)
                    ink +=
                        ink_at(&field, fx + (float)i * step_x, fy + (float)j * step_y, per_pixel);
            ink *= share;
            float part = s->bare > 0 ? ink * whole : whole;
            uint16_t *p = cell + (y * CELL + x) * 4;
            for (int q = 0; q < 3; q++) {
                float colour =
                    s->bare > 0 ? s->ink[q] : s->paper[q] + (s->ink[q] - s->paper[q]) * ink;
                float under = (float)(p[q] ^ 0x8000), is = colour * l->light[q] + l->veil[q];
                float out = under + (is - under) * part + 0.5f;
                p[q] = (uint16_t)((out > SAMPLE_ONE ? SAMPLE_ONE : (int)out) ^ 0x8000);
            }
        }
}

uint16_t lettering_paint(const struct backdrop *b, int x, int y, uint16_t *cell)
{
    uint16_t phases = 0;
    for (int i = 0; i < b->n_lettered; i++) {
        const struct lettered *l = &b->lettered[i];
        if (x < l->x1 && x + CELL > l->x0 && y < l->y1 && y + CELL > l->y0) {
            paint_sign(b, l, x, y, cell);
            phases |= (uint16_t)(1 << i % PHASES);
        }
    }
    return phases;
}
