/* What a look gives: colours of clothes and paint; number plates. */
#include "device/virtual/raster/inside.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/virtual/place/glyph.h"

/* Linear colours. Paint is weighted as it is met on the road. */
static const float paints[][3] = {
    {0.72f, 0.72f, 0.70f},    {0.70f, 0.70f, 0.69f},   {0.008f, 0.008f, 0.009f},
    {0.010f, 0.010f, 0.012f}, {0.12f, 0.12f, 0.125f},  {0.07f, 0.07f, 0.075f},
    {0.40f, 0.41f, 0.42f},    {0.36f, 0.37f, 0.38f},   {0.012f, 0.03f, 0.11f},
    {0.02f, 0.07f, 0.22f},    {0.28f, 0.012f, 0.012f}, {0.16f, 0.008f, 0.012f},
    {0.03f, 0.075f, 0.045f},  {0.24f, 0.21f, 0.16f},   {0.45f, 0.20f, 0.02f},
    {0.05f, 0.035f, 0.025f},
};
static const float coaches[][3] = {
    {0.02f, 0.22f, 0.30f}, {0.40f, 0.02f, 0.02f}, {0.05f, 0.20f, 0.06f},
    {0.02f, 0.05f, 0.22f}, {0.5f, 0.3f, 0.02f},
};
/* As one meets them: more than half are dark or have hardly a colour. */
static const float shirts[][3] = {
    {0.58f, 0.57f, 0.54f},    {0.015f, 0.015f, 0.018f}, {0.22f, 0.03f, 0.035f},
    {0.02f, 0.032f, 0.075f},  {0.10f, 0.10f, 0.105f},   {0.035f, 0.075f, 0.05f},
    {0.33f, 0.27f, 0.18f},    {0.09f, 0.16f, 0.27f},    {0.26f, 0.11f, 0.05f},
    {0.11f, 0.04f, 0.075f},   {0.38f, 0.29f, 0.09f},    {0.055f, 0.06f, 0.035f},
    {0.28f, 0.30f, 0.33f},    {0.018f, 0.02f, 0.035f},  {0.40f, 0.24f, 0.24f},
    {0.075f, 0.052f, 0.035f}, {0.045f, 0.045f, 0.048f}, {0.05f, 0.075f, 0.13f},
    {0.48f, 0.48f, 0.47f},    {0.03f, 0.028f, 0.027f},
};
static const float signals[2][3] = {{0.75f, 0.20f, 0.01f}, {0.55f, 0.65f, 0.03f}}; /* a worker's */
static const float trousers[][3] = {
    {0.035f, 0.06f, 0.12f}, {0.015f, 0.02f, 0.04f}, {0.02f, 0.02f, 0.022f}, {0.22f, 0.17f, 0.10f},
    {0.07f, 0.07f, 0.075f}, {0.10f, 0.14f, 0.22f},  {0.05f, 0.045f, 0.03f}, {0.30f, 0.30f, 0.29f},
};
static const float shoes[][3] = {
    {0.10f, 0.05f, 0.025f},
    {0.015f, 0.015f, 0.015f},
    {0.50f, 0.50f, 0.50f},
    {0.06f, 0.06f, 0.065f},
};
static const float hairs[][3] = {
    {0.010f, 0.008f, 0.007f}, {0.03f, 0.018f, 0.010f}, {0.07f, 0.04f, 0.02f},
    {0.22f, 0.15f, 0.07f},    {0.12f, 0.035f, 0.015f}, {0.25f, 0.24f, 0.23f},
};
/* Upon a light skin. */
static const float skins[][3] = {
    {1, 1, 1},
    {0.95f, 0.93f, 0.90f},
    {0.75f, 0.66f, 0.58f},
    {0.50f, 0.40f, 0.33f},
    {0.25f, 0.18f, 0.14f},
    {0.9f, 0.84f, 0.74f},
};

static uint32_t mixed(uint32_t x)
{
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x *= 0x846ca68bu;
    return x ^ x >> 16;
}

#define PICK(table, h) table[(h) % (sizeof(table) / sizeof(*table))]

bool look_long_sleeves(const struct member *m)
{
    return mixed(m->look * 31 + 7) % 8 < 5 || !strcmp(m->model, "worker");
}

bool look_long_hair(const struct member *m)
{
    return mixed(m->look * 31 + 8) % 3 != 0;
}

void look_tint(const struct member *m, const struct model *model, unsigned slot, float ret[3])
{
    static const float none[3] = {1, 1, 1};
    uint32_t h = mixed(m->look * 131 + slot * 17 + 3);
    const float *c = none;
    switch (slot) {
    case SLOT_BODY:
        if (!strcmp(model->name, "bus"))
            c = PICK(coaches, h);
        else if (!strcmp(model->name, "van") && h % 3)
            c = paints[0];
        else
            c = PICK(paints, h);
        break;
    case SLOT_SLEEVE:
        if (look_long_sleeves(m))
            look_tint(m, model, SLOT_SHIRT, ret);
        else
            look_tint(m, model, SLOT_SKIN, ret);
        return;
    case SLOT_SHIRT:
        c = strcmp(m->model, "worker") ? PICK(shirts, h) : signals[h % 2];
        break;
    case SLOT_TROUSERS:
        c = PICK(trousers, h);
        break;
    case SLOT_SHOES:
        c = PICK(shoes, h);
        break;
    case SLOT_HAIR:
        c = PICK(hairs, h);
        break;
    case SLOT_SKIN:
        c = PICK(skins, h);
        break;
    default:
        break;
    }
    /* No two of a colour are quite alike. */
    float more = slot == SLOT_NONE ? 1 : 0.9f + 0.2f * (float)(mixed(h) & 255) / 255;
    for (int k = 0; k < 3; k++)
        ret[k] = c[k] * more;
}

/* A white plate with a blue field at its left, 255·√linear. */
static void draw_plate(struct plate *p)
{
    struct glyph_segment seg[GLYPH_SEGMENTS];
    const float height = 0.62f * PLATE_H, top = 0.19f * PLATE_H, thick = 0.050f * PLATE_H;
    float wide = glyph_line_width(p->text) * height, room = 0.84f * PLATE_W;
    float squeeze = wide > room && wide > 0 ? room / wide : 1;
    float x = 0.10f * PLATE_W + (0.88f * PLATE_W - wide * squeeze) / 2;
    uint32_t *t = p->texel;
    for (int i = 0; i < PLATE_W * PLATE_H; i++) {
        int px = i % PLATE_W, py = i / PLATE_W;
        bool rim = px < 3 || py < 3 || px >= PLATE_W - 3 || py >= PLATE_H - 3;
        t[i] = rim ? 0xff202020u : px < PLATE_W * 8 / 100 ? 0xff902010u : 0xffe4e8e8u;
    }
    for (const char *c = p->text; *c; c++) {
        float w;
        int n = glyph_segments(*c, seg, &w);
        for (int i = 0; i < n; i++) {
            float ax = x + seg[i].x0 * height * squeeze, ay = top + seg[i].y0 * height;
            float bx = x + seg[i].x1 * height * squeeze, by = top + seg[i].y1 * height;
            int y0 = (int)fmaxf(0, fminf(ay, by) - thick - 1),
                y1 = (int)fminf(PLATE_H - 1, fmaxf(ay, by) + thick + 1);
            int x0 = (int)fmaxf(0, fminf(ax, bx) - thick - 1),
                x1 = (int)fminf(PLATE_W - 1, fmaxf(ax, bx) + thick + 1);
            float dx = bx - ax, dy = by - ay, len2 = dx * dx + dy * dy;
            for (int y = y0; y <= y1; y++)
                for (int q = x0; q <= x1; q++) {
                    float rx = (float)q + 0.5f - ax, ry = (float)y + 0.5f - ay;
                    float s = len2 > 0 ? (rx * dx + ry * dy) / len2 : 0;
                    s = s < 0 ? 0 : s > 1 ? 1 : s;
                    float d = hypotf(rx - s * dx, ry - s * dy) - thick;
                    if (d >= 0.5f)
                        continue;
                    float ink = d < -0.5f ? 1 : 0.5f - d;
                    uint32_t was = t[y * PLATE_W + q] & 255,
                             now = (uint32_t)(0xe8 - ink * (0xe8 - 0x18));
                    if (now < was)
                        t[y * PLATE_W + q] = 0xff000000u | now * 0x010101u;
                }
        }
        x += (w + GLYPH_GAP) * height * squeeze;
    }
    const uint32_t *from = t;
    uint32_t *to = t + PLATE_W * PLATE_H;
    p->level[0] = t;
    for (int k = 1; k < PLATE_LEVELS; k++) {
        int w = PLATE_W >> k, h = PLATE_H >> k;
        p->level[k] = to;
        for (int y = 0; y < h; y++)
            for (int q = 0; q < w; q++) {
                const uint32_t *s = from + y * 4 * w + q * 2;
                uint32_t out = 0xff000000u;
                for (int c = 0; c < 24; c += 8)
                    out |= (((s[0] >> c & 255) + (s[1] >> c & 255) + (s[2 * w] >> c & 255) +
                             (s[2 * w + 1] >> c & 255) + 2) /
                            4)
                           << c;
                to[y * w + q] = out;
            }
        from = to;
        to += w * h;
    }
}

const struct plate *look_plate(struct raster *r, const char *text)
{
    if (!r->plate) {
        r->plate = calloc(PLATES, sizeof(*r->plate));
        if (!r->plate)
            return NULL;
    }
    for (int i = 0; i < PLATES; i++)
        if (r->plate[i].level[0] && !strcmp(r->plate[i].text, text))
            return &r->plate[i];
    struct plate *p = &r->plate[r->next_plate++ % PLATES];
    snprintf(p->text, sizeof(p->text), "%s", text);
    draw_plate(p);
    return p;
}
