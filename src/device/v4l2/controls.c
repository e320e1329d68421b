#include "device/v4l2/controls.h"

#include <errno.h>
#include <linux/videodev2.h>
#include <math.h>
#include <stddef.h>

#define EXPOSURE_UNIT_NS 100000 /* V4L2_CID_EXPOSURE_ABSOLUTE counts 100 µs */
#define MOST_GAIN_DB 24.0       /* at the gain's maximum: devices do not say */

void controls_ask(int fd, struct controls *ret)
{
    static const struct {
        uint32_t id;
        size_t at;
    } rows[] = {
        {V4L2_CID_EXPOSURE_AUTO, offsetof(struct controls, exposure_auto)},
        {V4L2_CID_EXPOSURE_ABSOLUTE, offsetof(struct controls, exposure)},
        {V4L2_CID_AUTOGAIN, offsetof(struct controls, gain_auto)},
        {V4L2_CID_GAIN, offsetof(struct controls, gain)},
        {V4L2_CID_AUTO_WHITE_BALANCE, offsetof(struct controls, balance_auto)},
        {V4L2_CID_RED_BALANCE, offsetof(struct controls, red)},
        {V4L2_CID_BLUE_BALANCE, offsetof(struct controls, blue)},
        {V4L2_CID_FOCUS_AUTO, offsetof(struct controls, focus_auto)},
        {V4L2_CID_FOCUS_ABSOLUTE, offsetof(struct controls, focus)},
    };
    *ret = (struct controls){.focus_given = NAN};
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        node_ask_control(fd, rows[i].id, (struct node_control *)((char *)ret + rows[i].at));
    /* an exposure that the device would not leave to us is none of ours */
    if (ret->exposure_auto.there && !node_has_entry(fd, &ret->exposure_auto, V4L2_EXPOSURE_MANUAL))
        ret->exposure.there = false;
}

void controls_caps(const struct controls *c, struct sensor_caps *ret)
{
    ret->can = (c->exposure.there ? SENSOR_EXPOSURE : 0) | (c->gain.there ? SENSOR_GAIN : 0) |
               (c->red.there && c->blue.there ? SENSOR_BALANCE : 0);
    if (c->exposure.there) {
        ret->shortest_ns = (int64_t)(c->exposure.min > 0 ? c->exposure.min : 1) * EXPOSURE_UNIT_NS;
        ret->longest_ns = (int64_t)c->exposure.max * EXPOSURE_UNIT_NS;
    }
    if (c->gain.there)
        ret->most_gain_db = MOST_GAIN_DB;
    ret->most_range = 1;
}

static int64_t gain_value(const struct node_control *g, double gain_db)
{
    return llround(g->min + fmin(1, fmax(0, gain_db / MOST_GAIN_DB)) * (g->max - (double)g->min));
}

/* Factor 1: what the device calls standard. */
static int64_t balance_value(const struct node_control *b, double factor)
{
    double unit =
        b->standard > b->min ? b->standard - (double)b->min : (b->max - (double)b->min) / 2;
    return llround(b->min + unit * fmin(16, fmax(0, factor)));
}

static void set_changed(int fd, const struct node_control *c, double was, double now, int64_t value)
{
    if (c->there && was != now)
        node_set(fd, c, value);
}

void controls_apply(int fd, struct controls *c, const struct sensor_settings *s)
{
    struct sensor_settings *g = &c->given;
    if (!c->ours) {
        *g = (struct sensor_settings){.exposure_ns = -1, .gain_db = -1, .red = -1, .blue = -1};
        if (c->exposure.there && c->exposure_auto.there)
            node_set(fd, &c->exposure_auto, V4L2_EXPOSURE_MANUAL);
        if (c->gain.there && c->gain_auto.there)
            node_set(fd, &c->gain_auto, 0);
        if (c->red.there && c->blue.there && c->balance_auto.there)
            node_set(fd, &c->balance_auto, 0);
        c->ours = true;
    }
    set_changed(fd, &c->exposure, (double)g->exposure_ns, (double)s->exposure_ns,
                s->exposure_ns / EXPOSURE_UNIT_NS);
    set_changed(fd, &c->gain, g->gain_db, s->gain_db, gain_value(&c->gain, s->gain_db));
    if (c->red.there && c->blue.there) {
        set_changed(fd, &c->red, g->red, s->red, balance_value(&c->red, s->red));
        set_changed(fd, &c->blue, g->blue, s->blue, balance_value(&c->blue, s->blue));
    }
    *g = *s;
}

/* 0: near. Devices count the other way round: the larger the nearer. */
int controls_focus(int fd, struct controls *c, double focus)
{
    if (!c->focus.there)
        return -ENOTSUP;
    if (isnan(c->focus_given) && c->focus_auto.there)
        node_set(fd, &c->focus_auto, 0);
    c->focus_given = fmin(1, fmax(0, focus));
    return node_set(fd, &c->focus,
                    llround(c->focus.max - c->focus_given * (c->focus.max - (double)c->focus.min)));
}
