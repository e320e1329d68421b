#include "small_place.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unpack.h"
#include "unpack_signs.h"

#define RAD (M_PI / 180)

void die(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    abort();
}

void *take(size_t n, size_t each)
{
    void *p = calloc(n ? n : 1, each);
    if (!p)
        abort();
    return p;
}

static double turn(double from, double to)
{
    double d = to - from;
    return d - 360 * floor(d / 360 + 0.5);
}

static int is_tree(double pan, double tilt)
{
    return fabs(turn(SMALL_TREE_PAN, pan)) < 5 && fabs(tilt) < 5;
}

static double distance_of(double pan, double tilt)
{
    if (is_tree(pan, tilt))
        return 20;
    double wall = SMALL_WALL_M / cos(tilt * RAD);
    return tilt < 0 ? fmin(SMALL_EYE_Z / sin(-tilt * RAD), wall) : wall;
}

static int is_sky(double pan, double tilt)
{
    return tilt > SMALL_SKY_TILT && !is_tree(pan, tilt);
}

/* Grey, but for the green tree: chequers on the wall, even ground. */
static double luma_of(double pan, double tilt)
{
    if (is_tree(pan, tilt))
        return 0.3;
    if (tilt < -asin(SMALL_EYE_Z / hypot(SMALL_EYE_Z, SMALL_WALL_M)) / RAD)
        return 0.5;
    long a = lround(floor(pan / SMALL_SQUARE)), b = lround(floor(tilt / SMALL_SQUARE));
    return (a + b) & 1 ? 0.75 : 0.35;
}

static void fill(struct layers *l, double pan0, double tilt1)
{
    static const float one[3] = {1, 1, 1}, lamp[3] = {1.5e-4f, 1.2e-4f, 1e-4f};
    uint32_t full = soft_pack(one), night = soft_pack(lamp);
    for (int y = 0; y < l->h; y++)
        for (int x = 0; x < l->w; x++) {
            double pan = pan0 + (x + 0.5) / l->density, tilt = tilt1 - (y + 0.5) / l->density;
            size_t at = (size_t)y * (size_t)l->w + (size_t)x;
            l->y[at] = (uint8_t)lrint(luma_of(pan, tilt) * 255);
            l->cover[at] = is_sky(pan, tilt) ? 0 : 255;
        }
    for (int y = 0; y < l->h2; y++)
        for (int x = 0; x < l->w2; x++) {
            double pan = pan0 + (2 * x + 1) / l->density, tilt = tilt1 - (2 * y + 1) / l->density;
            size_t at = (size_t)y * (size_t)l->w2 + (size_t)x;
            l->cb[at] = is_tree(pan, tilt) ? 112 : 128;
            l->cr[at] = is_tree(pan, tilt) ? 116 : 128;
            l->depth[at] =
                is_sky(pan, tilt) ? 65535 : (uint16_t)lrint(4096 * log2(distance_of(pan, tilt)));
            /* The west is in shadow. */
            for (int i = 0; i < LIGHT_SUNS; i++)
                l->sun[at * LIGHT_SUNS + (size_t)i] = pan < 0 ? 0 : 200;
        }
    for (int y = 0; y < l->h4; y++)
        for (int x = 0; x < l->w4; x++) {
            size_t at = (size_t)y * (size_t)l->w4 + (size_t)x;
            l->soft[SOFT_SKY][at] = l->soft[SOFT_OVERCAST][at] = full;
            l->soft[SOFT_LAMPS][at] = night;
            double pan = pan0 + (4 * x + 2) / l->density, tilt = tilt1 - (4 * y + 2) / l->density;
            float near = (float)pow(distance_of(pan, tilt), -2);
            l->soft[SOFT_IR][at] = soft_pack((const float[]){near, near, near});
        }
    for (int y = 0; y < l->h8; y++)
        for (int x = 0; x < l->w8; x++) {
            double pan = pan0 + (8 * x + 4) / l->density, tilt = tilt1 - (8 * y + 4) / l->density;
            l->sway[(size_t)y * (size_t)l->w8 + (size_t)x] = is_tree(pan, tilt) ? 255 : 0;
        }
}

static void add(struct build *b, const char *name, double pan0, double pan1, double tilt0,
                double tilt1, double density, int base)
{
    struct patch p = {.pan0 = pan0, .pan1 = pan1, .tilt0 = tilt0, .tilt1 = tilt1};
    struct layers l = {0};
    snprintf(p.name, sizeof(p.name), "%s", name);
    layers_init(&l, (int)lrint((pan1 - pan0) * density), (int)lrint((tilt1 - tilt0) * density));
    l.density = density;
    fill(&l, pan0, tilt1);
    build_patch(b, &p, &l, base);
}

void small_place(char *ret)
{
    struct build *b = take(1, sizeof(*b));
    snprintf(ret, 256, "/tmp/vedette-small-XXXXXX");
    int fd = mkstemp(ret);
    if (fd < 0)
        die("no temporary file");
    close(fd);
    build_open(b, ret);
    strcpy(b->head.name, "small");
    b->head.eye[2] = SMALL_EYE_Z;
    b->head.lamp_lux = 15;
    for (int i = 0; i < LIGHT_SUNS; i++) {
        b->head.sun_pan[i] = 100 + 50 * i;
        b->head.sun_elevation[i] = 40;
    }
    add(b, "base", -180, 180, -90, 40, 2.75, 1);
    add(b, "band", -180, 180, -30, 14, 5.5, 0);
    add(b, "inset", -20, 20, -8, 2, 24, 0);
    struct sign s = {.corner = {-2, 29.5f, 7}, .right = {4, 0, 0}, .down = {0, 0, -1}};
    s.bare = 1;
    strcpy(s.text, "GATE 12");
    uint8_t *field = sign_field(&s);
    s.field = out_part(&b->out, field, (size_t)s.width * s.height);
    free(field);
    b->head.n_signs = 1;
    b->head.signs = out_table(&b->out, &s, sizeof(s));
    b->head.lamps = b->head.signs;
    build_close(b);
    free(b);
}
