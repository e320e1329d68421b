#include "unpack_signs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device/virtual/place/glyph.h"
#include "unpack.h"

#define LINES 4
#define STROKE 0.15f      /* of a glyph's height */
#define GLYPH_TEXELS 40.f /* high */
#define MOST_TEXELS 1024

static void stroke(float *far, int w, int h, struct glyph_segment s, float reach)
{
    int x0 = (int)fmaxf(0, floorf(fminf(s.x0, s.x1) - reach));
    int x1 = (int)fminf((float)w - 1, ceilf(fmaxf(s.x0, s.x1) + reach));
    int y0 = (int)fmaxf(0, floorf(fminf(s.y0, s.y1) - reach));
    int y1 = (int)fminf((float)h - 1, ceilf(fmaxf(s.y0, s.y1) + reach));
    float bx = s.x1 - s.x0, by = s.y1 - s.y0, len2 = bx * bx + by * by;
    for (int y = y0; y <= y1; y++)
        for (int x = x0; x <= x1; x++) {
            float qx = (float)x + 0.5f - s.x0, qy = (float)y + 0.5f - s.y0;
            float t = len2 > 0 ? (qx * bx + qy * by) / len2 : 0;
            t = t < 0 ? 0 : t > 1 ? 1 : t;
            far[y * w + x] = fminf(far[y * w + x], hypotf(qx - bx * t, qy - by * t));
        }
}

static int add(struct glyph_segment *seg, int n, float x0, float y0, float x1, float y1)
{
    seg[n] = (struct glyph_segment){x0, y0, x1, y1};
    return n + 1;
}

static int ampersand(struct glyph_segment *seg)
{
    static const float at[][2] = {{4, 6},    {0.9f, 1.7f}, {0.9f, 0.6f}, {1.5f, 0}, {2.3f, 0},
                                  {3, 0.6f}, {3, 1.4f},    {0.4f, 3.7f}, {0, 4.6f}, {0.4f, 5.6f},
                                  {1.2f, 6}, {2.2f, 6},    {4, 3.6f}};
    int n = 0;
    for (size_t i = 1; i < sizeof(at) / sizeof(*at); i++)
        n = add(seg, n, at[i - 1][0] / 6, at[i - 1][1] / 6, at[i][0] / 6, at[i][1] / 6);
    return n;
}

/* The next character of a UTF-8 text; advances it. Letters with marks are their base letter
 * and the mark. */
static int next_glyph(const char **text, struct glyph_segment seg[GLYPH_SEGMENTS + 2],
                      float *ret_width)
{
    const unsigned char *c = (const unsigned char *)*text;
    static const char bare[] = "AAAAAAACEEEEIIIIDNOOOOO*OUUUUY";
    int n;
    if (c[0] == '&') {
        *text += 1;
        *ret_width = 4 / 6.0f;
        return ampersand(seg);
    }
    if (c[0] == 0xc2 && c[1] == 0xb7) { /* a dot in the middle */
        *text += 2;
        *ret_width = 0;
        return add(seg, 0, 0, 0.5f, 0, 0.5f);
    }
    if (c[0] == 0xc3 && c[1] >= 0x80) {
        unsigned letter = (c[1] & 0x1fu);
        *text += 2;
        n = glyph_segments(letter < sizeof(bare) - 1 ? bare[letter] : 'S', seg, ret_width);
        float m = *ret_width / 2;
        if (letter == 9 || letter == 1 || letter == 13 || letter == 19 || letter == 26) /* acute */
            return add(seg, n, m - 0.05f, -0.15f, m + 0.1f, -0.3f);
        if (letter == 8 || letter == 0 || letter == 12 || letter == 18 || letter == 25)
            return add(seg, n, m + 0.05f, -0.15f, m - 0.1f, -0.3f);
        n = add(seg, n, m - 0.14f, -0.2f, m - 0.14f, -0.2f);
        return add(seg, n, m + 0.14f, -0.2f, m + 0.14f, -0.2f);
    }
    if (c[0] == 0xe2 && c[1] && c[2]) { /* dashes */
        *text += 3;
        return glyph_segments('-', seg, ret_width);
    }
    *text += 1;
    return glyph_segments((char)c[0], seg, ret_width);
}

static float line_width(const char *text)
{
    struct glyph_segment unused[GLYPH_SEGMENTS + 2];
    float sum = 0, width;
    while (*text) {
        next_glyph(&text, unused, &width);
        sum += width + (*text ? GLYPH_GAP : 0);
    }
    return sum;
}

static float side(const float v[3])
{
    return sqrtf(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
}

uint8_t *sign_field(struct sign *s)
{
    char text[SIGN_TEXT], *line[LINES], *rest = text;
    int n = 0;
    strcpy(text, s->text);
    while (n < LINES && (line[n] = strsep(&rest, "\n|")))
        n++;
    float widest = 0.1f, wide = side(s->right), high = side(s->down);
    for (int i = 0; i < n; i++)
        widest = fmaxf(widest, line_width(line[i]) + STROKE);
    /* Marks above letters need room. */
    float room = strchr(s->text, 0xc3) ? 0.7f : s->bare ? 1 : 0.8f;
    float glyph = room * high / ((float)n + 0.45f * (float)(n - 1) + STROKE);
    glyph = fminf(glyph, (s->bare ? 1 : 0.88f) * wide / widest);
    float texel = fmaxf(glyph / GLYPH_TEXELS, fmaxf(wide, high) / MOST_TEXELS);
    int w = (int)ceilf(wide / texel), h = (int)ceilf(high / texel);
    w = w < 2 ? 2 : w;
    h = h < 2 ? 2 : h;
    /* From here on in texels, which may be a little less than square. */
    glyph = fminf(glyph / wide * (float)w, glyph / high * (float)h);
    float half = glyph * STROKE / 2, reach = half + 3;
    float *far = take((size_t)w * (size_t)h, sizeof(*far));
    for (int i = 0; i < w * h; i++)
        far[i] = 1e6f;
    float y = ((float)h - glyph * ((float)n + 0.45f * (float)(n - 1))) / 2;
    for (int i = 0; i < n; i++, y += 1.45f * glyph) {
        float x = ((float)w - line_width(line[i]) * glyph) / 2;
        for (const char *c = line[i]; *c;) {
            struct glyph_segment seg[GLYPH_SEGMENTS + 2];
            float width;
            int m = next_glyph(&c, seg, &width);
            for (int k = 0; k < m; k++)
                stroke(far, w, h,
                       (struct glyph_segment){x + seg[k].x0 * glyph, y + seg[k].y0 * glyph,
                                              x + seg[k].x1 * glyph, y + seg[k].y1 * glyph},
                       reach + 1);
            x += (width + GLYPH_GAP) * glyph;
        }
    }
    uint8_t *field = take((size_t)w * (size_t)h, 1);
    for (int i = 0; i < w * h; i++) {
        float v = 128 + (half - far[i]) * 127 / reach;
        field[i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v + 0.5f);
    }
    free(far);
    s->width = (uint16_t)w;
    s->height = (uint16_t)h;
    s->reach = reach * wide / (float)w;
    return field;
}
