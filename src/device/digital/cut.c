#include "device/digital/cut.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "device/digital/head.h"
#include "media/scale.h"
#include "media/shot.h"

#define FIXED_HFOV_DEG 60

struct cut {
    struct clock *clock;
    int width, height;
    struct picture_pool *pool;
    struct scaler *scaler;
    struct digital_head *digital;
    struct head *head; /* the digital one, or of metal, or NULL */
};

struct cut *cut_new(struct clock *clock, int width, int height)
{
    struct cut *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->clock = clock;
    c->width = width;
    c->height = height;
    c->scaler = scaler_new();
    c->pool = picture_pool_new(width, height, false, 4);
    c->digital = digital_head_new(clock, (double)width / height);
    if (!c->scaler || !c->pool || !c->digital)
        return cut_free(c);
    c->head = digital_head_port(c->digital);
    return c;
}

struct cut *cut_free(struct cut *c)
{
    if (!c)
        return NULL;
    digital_head_free(c->digital);
    picture_pool_unref(c->pool);
    scaler_free(c->scaler);
    free(c);
    return NULL;
}

struct head *cut_head(struct cut *c)
{
    return c->head;
}

void cut_set_head(struct cut *c, struct head *head)
{
    c->head = head;
}

static struct picture fit(struct picture *to, const struct picture *from)
{
    int w = to->width, h = to->height;
    if ((int64_t)from->width * h > (int64_t)from->height * w * 101 / 100)
        h = (int)((int64_t)from->height * w / from->width) & ~1;
    else if ((int64_t)from->width * h * 101 / 100 < (int64_t)from->height * w)
        w = (int)((int64_t)from->width * h / from->height) & ~1;
    w = w < 2 ? 2 : w;
    h = h < 2 ? 2 : h;
    if (w != to->width || h != to->height)
        picture_fill(to, 16, 128, 128);
    return picture_part(to, ((to->width - w) / 2) & ~1, ((to->height - h) / 2) & ~1, w, h);
}

/* crop: of the digital head; NULL: all of it. ret_axis: told if the middle of what is shown is not
 * where the lens looks, or bars lie beside it. */
static struct picture *pixels_of(struct cut *c, struct picture *from, const struct pose *crop,
                                 struct shot_axis *ret_axis)
{
    bool whole = from->width == c->width && from->height == c->height;
    if ((!crop || crop->zoom <= 1) && whole && from->matrix == COLOUR_BT709 &&
        from->range == RANGE_LIMITED)
        return picture_ref(from);
    double x = 0, y = 0, w = from->width, h = from->height;
    if (crop)
        digital_head_crop(crop, from->width, from->height, &x, &y, &w, &h);
    struct picture *to = picture_get(c->pool);
    if (!to)
        return NULL;
    struct picture part = fit(to, from);
    if (scale_picture(c->scaler, &part, from, x, y, w, h, 0, false) < 0)
        return picture_unref(to);
    double scale = part.width / w;
    ptrdiff_t at = part.plane[0] - to->plane[0];
    double left = (double)(at % to->stride[0]), top = (double)(at / to->stride[0]);
    *ret_axis = (struct shot_axis){
        .used = crop || !whole,
        .width_px = scale * from->width,
        .x_px = left + (from->width / 2.0 - x) * scale,
        .y_px = top + (from->height / 2.0 - y) * scale,
        .spread_px = 1 + scale, /* bicubic at most: two of the source's pixels, and one */
        .fixed = crop,
        .hfov_deg = digital_head_lens_deg(),
    };
    return to;
}

static double mean_luma(const struct picture *p)
{
    uint64_t sum = 0, n = 0;
    for (int y = 4; y < p->height; y += 16)
        for (int x = 4; x < p->width; x += 8, n++)
            sum += p->plane[0][(ptrdiff_t)y * p->stride[0] + x];
    double mean = n ? (double)sum / (double)n : 16;
    return p->range == RANGE_FULL ? mean / 255 : fmax(0, (mean - 16) / 219);
}

int cut_shot(struct cut *c, struct picture *from, uint64_t serial, int64_t start_ns,
             int64_t early_ns, int64_t late_ns, struct shot **ret_shot)
{
    struct capture how = {.serial = serial,
                          .start_ns = start_ns,
                          .end_ns = start_ns,
                          .utc_ns = clock_utc_of(c->clock, start_ns)};
    bool digital = c->head == digital_head_port(c->digital);
    if (digital) { /* a cut of a finished picture does not blur */
        c->head->ops->pose(c->head, start_ns, &how.pose_start);
        how.pose_end = how.pose_start;
    } else if (c->head) {
        c->head->ops->pose(c->head, early_ns, &how.pose_start);
        c->head->ops->pose(c->head, late_ns, &how.pose_end);
    } else {
        how.pose_start =
            (struct pose){.zoom = 1, .focus = 1, .hfov_deg = FIXED_HFOV_DEG, .known = true};
        how.pose_end = how.pose_start;
    }
    struct shot_axis axis = {0};
    struct picture *pixels = pixels_of(c, from, digital ? &how.pose_start : NULL, &axis);
    if (!pixels)
        return -ENOMEM;
    how.mean_luma = mean_luma(pixels);
    struct shot *shot = shot_new(pixels, &how);
    if (!shot)
        return -ENOMEM;
    shot->axis = axis;
    *ret_shot = shot;
    return 0;
}
