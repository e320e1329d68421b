#include "image/finish.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "image/finish_light.h"
#include "image/kernels.h"
#include "image/settings.h"
#include "image/steady.h"
#include "media/shot.h"

#define RAD (M_PI / 180)
#define NOISE_FLOOR 1.5     /* grey levels: the least that counts as noise */
#define NOISE_FOLLOW 0.1    /* of a change, each picture */
#define MOVED_PX 0.25       /* a view that moved further shares nothing with the last */
#define MOST_SHARPEN_X64 96 /* times the difference from the surroundings */

struct finish {
    struct finish_settings set;
    const struct image_kernels *kernels;
    struct finish_light *light;
    struct steady *steady;
    uint8_t curve[256]; /* of luma */
    bool curved;
    /* collected of earlier pictures: 8.4 fixed point, three planes */
    uint16_t *kept;
    int kept_width, kept_height;
    bool kept_valid;
    double noise; /* grey levels; mean difference of what stands still */
    struct pose pose;
    double steadied_px;
    /* a window of rows, and a whole picture to move from */
    uint8_t *rows;
    int row_size;
    struct picture_pool *spare;
};

static double slider(int v) /* 0…100, 50 is neutral */
{
    return (v - 50) / 50.0;
}

void finish_settings_of(const struct eye_settings *s, bool toned, struct finish_settings *ret)
{
    static const enum defog defogs[] = {
        [SET_OFF] = DEFOG_OFF, [SET_ON] = DEFOG_ON, [SET_AUTO] = DEFOG_AUTO};
    *ret = (struct finish_settings){
        .brightness = toned ? 0 : slider(s->brightness),
        .contrast = toned ? 0 : slider(s->contrast),
        .saturation = slider(s->colour),
        .sharpness = slider(s->sharpness),
        .local_contrast = slider(s->local_contrast),
        .defog = defogs[s->defog],
        .defog_effect = s->defog_effect / 100.0,
        /* At 50 the sensor's own reduction is left alone. */
        .temporal = s->noise_reduction ? fmax(slider(s->temporal), 0) : 0,
        .spatial = s->noise_reduction ? fmax(slider(s->spatial), 0) : 0,
        .steady = s->steady != STEADY_OFF,
        .margin = s->steady == STEADY_LOW    ? 0.03
                  : s->steady == STEADY_HIGH ? 0.12
                                             : 0.01 + 0.14 * s->steady_margin / 100,
    };
}

struct finish *finish_new(void)
{
    struct finish *f = calloc(1, sizeof(*f));
    if (!f)
        return NULL;
    f->kernels = image_kernels_best();
    f->noise = NOISE_FLOOR;
    f->light = finish_light_new();
    f->steady = steady_new();
    return f->light && f->steady ? f : finish_free(f);
}

void finish_rest(struct finish *f)
{
    free(f->kept);
    free(f->rows);
    f->kept = NULL;
    f->rows = NULL;
    f->row_size = f->kept_width = f->kept_height = 0;
    f->kept_valid = false;
    f->steadied_px = 0;
    f->spare = picture_pool_unref(f->spare);
    finish_light_forget(f->light);
    steady_rest(f->steady);
}

void finish_forget(struct finish *f)
{
    f->kept_valid = false;
    finish_light_forget(f->light);
}

struct finish *finish_free(struct finish *f)
{
    if (!f)
        return NULL;
    if (f->light && f->steady)
        finish_rest(f);
    finish_light_free(f->light);
    steady_free(f->steady);
    free(f);
    return NULL;
}

void finish_use_plain_kernels(struct finish *f, bool plain)
{
    f->kernels = plain ? &image_kernels_plain : image_kernels_best();
}

double finish_steadied_px(const struct finish *f)
{
    return f->steadied_px;
}

double finish_haze(const struct finish *f)
{
    return finish_light_haze(f->light);
}

/* Brightness bends the curve and leaves black and white where they are; contrast makes the
 * middle steeper and the ends softer, or flattens all of it. */
static double curve_at(double v, double brightness, double contrast)
{
    v = pow(v, exp2(-brightness));
    if (contrast > 0) {
        double a = 3.5 * contrast;
        return 0.5 + tanh(a * (v - 0.5)) / (2 * tanh(a / 2));
    }
    return 0.5 + (v - 0.5) * exp2(1.2 * contrast);
}

void finish_set(struct finish *f, const struct finish_settings *s)
{
    if (!f->set.temporal && s->temporal)
        f->kept_valid = false;
    f->set = *s;
    f->curved = s->brightness != 0 || s->contrast != 0;
    for (int i = 0; i < 256 && f->curved; i++) {
        double v = fmin(fmax((i - 16) / 219.0, 0), 1);
        f->curve[i] = (uint8_t)lrint(16 + 219 * curve_at(v, s->brightness, s->contrast));
    }
}

/* ---- steadying ---- */

static void move_plane(const struct image_kernels *k, const struct picture *from, int plane,
                       struct picture *to, double x0, double y0, double step)
{
    int shift = plane ? 1 : 0, w = to->width >> shift, h = to->height >> shift;
    double scale = plane ? 0.5 : 1;
    int32_t step_x = (int32_t)lrint(step * 65536);
    int32_t x = (int32_t)lrint(((x0 * scale) + (step - 1) / 2) * 65536);
    x = x < 0 ? 0 : x;
    while (w > 1 && (x + (int64_t)(w - 1) * step_x) >> 16 > w - 2)
        x -= 64; /* roundings at the right edge */
    for (int y = 0; y < h; y++) {
        double at = fmin(fmax(y0 * scale + (y + 0.5) * step - 0.5, 0), h - 1.001);
        int row = (int)at;
        const uint8_t *top = from->plane[plane] + (ptrdiff_t)row * from->stride[plane];
        k->resample(to->plane[plane] + (ptrdiff_t)y * to->stride[plane], top,
                    top + from->stride[plane], (int)((at - row) * 256), (size_t)w, x, step_x);
    }
}

static void steady(struct finish *f, const struct shot *shot, struct picture *p,
                   struct capture *how)
{
    double margin = fmin(fmax(f->set.margin, 0.01), 0.15), off[2] = {0, 0};
    double most = margin * (p->width < p->height ? p->width : p->height) - 1;
    if (!f->spare)
        f->spare = picture_pool_new(p->width, p->height, false, 1);
    struct picture *copy = f->spare ? picture_get(f->spare) : NULL;
    if (!copy || steady_look(f->steady, shot->pixels, &shot->how, most, off) < 0) {
        picture_unref(copy);
        return;
    }
    picture_copy_rows(copy, p, 0, p->height);
    double step = 1 - 2 * margin, x0 = margin * p->width + off[0], y0 = margin * p->height + off[1];
    for (int i = 0; i < 3; i++)
        move_plane(f->kernels, copy, i, p, x0, y0, step);
    picture_unref(copy);
    f->steadied_px = hypot(off[0], off[1]);
    how->crop_x = x0 / p->width;
    how->crop_y = y0 / p->height;
    how->crop_width = how->crop_height = step;
    struct pose *pose[2] = {&how->pose_start, &how->pose_end};
    for (int i = 0; i < 2; i++)
        pose[i]->hfov_deg = 2 * atan(step * tan(pose[i]->hfov_deg / 2 * RAD)) / RAD;
}

/* ---- noise ---- */

static bool view_moved(struct finish *f, const struct capture *how, int width)
{
    const struct pose *a = &f->pose, *b = &how->pose_end;
    double px = b->hfov_deg > 0 ? width / b->hfov_deg : 0;
    bool moved = a->known != b->known ||
                 fabs(pose_wrap_pan(a->pan_deg - b->pan_deg)) * px > MOVED_PX ||
                 fabs(a->tilt_deg - b->tilt_deg) * px > MOVED_PX ||
                 fabs(a->hfov_deg - b->hfov_deg) * px > MOVED_PX;
    f->pose = *b;
    return moved;
}

static int make_kept(struct finish *f, const struct picture *p)
{
    if (f->kept && f->kept_width == p->width && f->kept_height == p->height)
        return 0;
    free(f->kept);
    f->kept = malloc((size_t)p->width * (size_t)p->height * 3 / 2 * sizeof(*f->kept));
    f->kept_width = p->width;
    f->kept_height = p->height;
    f->kept_valid = false;
    return f->kept ? 0 : -ENOMEM;
}

static void collect(struct finish *f, struct picture *p)
{
    if (make_kept(f, p) < 0)
        return;
    bool fresh = !f->kept_valid;
    struct blend b = {.least = (int)lrint(256 * (1 - 0.85 * f->set.temporal)),
                      .floor_x16 = (int)lrint(32 * f->noise),
                      .slope = (int)lrint(4096 / fmax(16 * f->noise, 1))};
    if (fresh)
        b.least = 256;
    uint16_t *kept = f->kept;
    uint64_t small = 0;
    for (int i = 0; i < 3; i++) {
        size_t w = (size_t)p->width >> (i > 0);
        for (int y = 0; y < p->height >> (i > 0); y++, kept += w) {
            uint32_t n =
                f->kernels->collect(p->plane[i] + (ptrdiff_t)y * p->stride[i], kept, w, &b);
            small += i ? 0 : n;
        }
    }
    f->kept_valid = true;
    if (!fresh) {
        double now = (double)small / 16 / p->width / p->height;
        f->noise += (fmax(now, NOISE_FLOOR) - f->noise) * NOISE_FOLLOW;
    }
}

/* ---- windows of three rows ---- */

static int make_rows(struct finish *f, int width)
{
    int size = width + 128;
    if (f->row_size == size)
        return 0;
    free(f->rows);
    f->rows = malloc(3 * (size_t)size);
    f->row_size = f->rows ? size : 0;
    return f->rows ? 0 : -ENOMEM;
}

static void load_row(const struct picture *p, int y, uint8_t *to)
{
    y = y < p->height ? y : p->height - 1;
    memcpy(to, p->plane[0] + (ptrdiff_t)y * p->stride[0], (size_t)p->width);
    to[-1] = to[0];
    to[p->width] = to[p->width - 1];
}

/* Luma becomes what a kernel makes of each pixel and its eight neighbours. */
static void window(struct finish *f, struct picture *p, bool sharpen, int strength, int level)
{
    if (make_rows(f, p->width) < 0)
        return;
    uint8_t *row[3];
    for (int i = 0; i < 3; i++)
        row[i] = f->rows + i * f->row_size + 64;
    load_row(p, 0, row[0]);
    load_row(p, 0, row[1]);
    for (int y = 0; y < p->height; y++) {
        load_row(p, y + 1, row[2]);
        uint8_t *to = p->plane[0] + (ptrdiff_t)y * p->stride[0];
        if (sharpen)
            f->kernels->sharpen(to, row[0], row[1], row[2], (size_t)p->width, strength, level);
        else
            f->kernels->smooth(to, row[0], row[1], row[2], (size_t)p->width, level);
        uint8_t *first = row[0];
        row[0] = row[1];
        row[1] = row[2];
        row[2] = first;
    }
}

/* ---- all of it ---- */

static void curve(struct finish *f, struct picture *p)
{
    for (int y = 0; y < p->height; y++)
        f->kernels->lookup(p->plane[0] + (ptrdiff_t)y * p->stride[0], (size_t)p->width, f->curve);
}

static void saturate(struct finish *f, struct picture *p)
{
    int k = (int)lrint(64 * (1 + f->set.saturation));
    for (int i = 1; i < 3; i++)
        for (int y = 0; y < p->height / 2; y++)
            f->kernels->saturate(p->plane[i] + (ptrdiff_t)y * p->stride[i], (size_t)p->width / 2,
                                 k);
}

bool finish_is_neutral(const struct finish *f)
{
    const struct finish_settings *s = &f->set;
    return !s->steady && !(s->temporal > 0) && !(s->spatial > 0) && s->defog == DEFOG_OFF &&
           s->local_contrast == 0 && !f->curved && s->saturation == 0 && s->sharpness == 0;
}

void finish_picture(struct finish *f, const struct shot *shot, struct picture *p,
                    struct capture *how)
{
    const struct finish_settings *s = &f->set;
    f->steadied_px = 0;
    if (s->steady)
        steady(f, shot, p, how);
    if (s->temporal > 0 || s->defog != DEFOG_OFF) {
        if (view_moved(f, how, p->width)) {
            f->kept_valid = false;
            finish_light_forget(f->light);
        }
    }
    if (s->temporal > 0)
        collect(f, p);
    if (s->spatial > 0)
        window(f, p, false, 0, (int)lrint(2 + 14 * s->spatial));
    if (s->defog != DEFOG_OFF || s->local_contrast != 0)
        finish_light_apply(f->light, s, f->kernels, p);
    if (f->curved)
        curve(f, p);
    if (s->saturation != 0)
        saturate(f, p);
    if (s->sharpness != 0)
        window(f, p, true,
               (int)lrint(s->sharpness > 0 ? MOST_SHARPEN_X64 * s->sharpness : 64 * s->sharpness),
               s->sharpness > 0 ? 1 : 0);
}
