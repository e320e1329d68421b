#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device/virtual/glyph.h"
#include "device/virtual/texture.h"

/* Distances to the strokes in units of texels along y; x is stretched by `kx`. */
static void stroke(float *far, int w, int h, float kx, struct glyph_segment s, float reach)
{
    float x_lo = fminf(s.x0, s.x1) - reach, x_hi = fmaxf(s.x0, s.x1) + reach;
    float y_lo = fminf(s.y0, s.y1) - reach, y_hi = fmaxf(s.y0, s.y1) + reach;
    int px0 = (int)fmaxf(0, floorf(x_lo / kx)), px1 = (int)fminf((float)w - 1, ceilf(x_hi / kx));
    int py0 = (int)fmaxf(0, floorf(y_lo)), py1 = (int)fminf((float)h - 1, ceilf(y_hi));
    float bx = s.x1 - s.x0, by = s.y1 - s.y0, len2 = bx * bx + by * by;
    for (int y = py0; y <= py1; y++)
        for (int x = px0; x <= px1; x++) {
            float qx = ((float)x + 0.5f) * kx - s.x0, qy = (float)y + 0.5f - s.y0;
            float t = len2 > 0 ? (qx * bx + qy * by) / len2 : 0;
            t = t < 0 ? 0 : t > 1 ? 1 : t;
            qx -= bx * t;
            qy -= by * t;
            float d = sqrtf(qx * qx + qy * qy);
            float *at = &far[(long)y * w + x];
            *at = d < *at ? d : *at;
        }
}

static void draw_line(float *far, int w, int h, float kx, const char *text, float x, float y,
                      float height, float reach)
{
    for (; *text; text++) {
        struct glyph_segment seg[GLYPH_SEGMENTS];
        float width;
        int n = glyph_segments(*text, seg, &width);
        for (int i = 0; i < n; i++) {
            struct glyph_segment s = {x + seg[i].x0 * height, y + seg[i].y0 * height,
                                      x + seg[i].x1 * height, y + seg[i].y1 * height};
            stroke(far, w, h, kx, s, reach);
        }
        x += (width + GLYPH_GAP + 0.02f) * height;
    }
}

static float line_width(const char *text)
{
    return glyph_line_width(text) + 0.02f * (float)(strlen(text) - 1);
}

struct texture *texture_text(const struct texture_sign *sign, int log2_w, int log2_h, double aspect)
{
    struct texture *t = texture_new(log2_w, log2_h, sign->bare);
    if (!t)
        return NULL;
    int w = texture_w(t), h = texture_h(t), lines = 0;
    float *far = malloc(sizeof(float) * (size_t)w * (size_t)h);
    if (!far)
        return texture_free(t);
    for (long i = 0; i < (long)w * h; i++)
        far[i] = 1e9f;
    /* Work in units of a texel's height: the texture is seen stretched to `aspect`. */
    float kx = (float)(aspect * h / w), wide = kx * (float)w;
    float widest = 0.01f;
    while (lines < 3 && sign->lines[lines]) {
        widest = fmaxf(widest, line_width(sign->lines[lines]) + (float)sign->stroke);
        lines++;
    }
    float room = (float)h * (sign->frame ? 0.70f : 0.80f);
    float glyph = room / ((float)(lines ? lines : 1) * 1.0f + (float)(lines - 1) * 0.45f +
                          (float)sign->stroke);
    glyph = fminf(glyph, wide * (sign->frame ? 0.84f : 0.88f) / widest);
    float half = glyph * (float)sign->stroke / 2;
    float block = glyph * ((float)lines + (float)(lines - 1) * 0.45f);
    for (int i = 0; i < lines; i++)
        draw_line(far, w, h, kx, sign->lines[i], (wide - line_width(sign->lines[i]) * glyph) / 2,
                  ((float)h - block) / 2 + (float)i * glyph * 1.45f, glyph, half + 2);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            float ink = half - far[(long)y * w + x] + 0.5f;
            if (sign->frame) {
                float edge = fminf(fminf((float)x + 0.5f, (float)(w - x) - 0.5f) * kx,
                                   fminf((float)y + 0.5f, (float)(h - y) - 0.5f));
                float line = (float)h * 0.016f;
                ink = fmaxf(ink, line - fabsf(edge - (float)h * 0.055f) + 0.5f);
            }
            ink = lines || sign->frame ? fminf(fmaxf(ink, 0), 1) : 0;
            double c[3];
            for (int k = 0; k < 3; k++)
                c[k] = sign->bare ? sign->ink[k]
                                  : sign->paper[k] + (sign->ink[k] - sign->paper[k]) * (double)ink;
            *texture_at(t, x, y) = texel(c[0], c[1], c[2], sign->bare ? ink * 255 : 255);
        }
    free(far);
    texture_finish(t);
    return t;
}
