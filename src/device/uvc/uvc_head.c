#include "device/uvc/uvc_head.h"

#include <errno.h>
#include <linux/videodev2.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "device/v4l2/node.h"

#define UNITS 3600.0 /* of a degree: arc seconds */

struct head_link {
    struct head_spec spec;
    struct head_caps caps;
    int fd;
    struct node_control at[AXES], speed[AXES]; /* absolute; while it drives */
};

static struct head_link *uvc_open(const struct head_spec *spec, const struct head_host *host,
                                  struct fault *why)
{
    struct head_link *l = calloc(1, sizeof(*l));
    if (!l) {
        fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    l->spec = *spec;
    l->fd = node_open(l->spec.address); /* still privileged; a fault is told by connect */
    return l;
}

static void limits_of(const struct node_control *c, double *min, double *max)
{
    if (c->there && c->max > c->min) {
        *min = c->min / UNITS;
        *max = c->max / UNITS;
    }
}

static int uvc_connect(struct head_link *l, struct head_caps *caps, struct fault *why)
{
    static const uint32_t at[AXES] = {V4L2_CID_PAN_ABSOLUTE, V4L2_CID_TILT_ABSOLUTE,
                                      V4L2_CID_ZOOM_ABSOLUTE};
    static const uint32_t speed[AXES] = {V4L2_CID_PAN_SPEED, V4L2_CID_TILT_SPEED,
                                         V4L2_CID_ZOOM_CONTINUOUS};
    struct v4l2_capability alive = {0};
    if (l->fd >= 0 && node_ioctl(l->fd, VIDIOC_QUERYCAP, &alive)) { /* of what was unplugged */
        close(l->fd);
        l->fd = -1;
    }
    if (l->fd < 0)
        l->fd = node_open(l->spec.address);
    if (l->fd < 0)
        return fault_set(why, FAULT_IO, NULL, "%s",
                         l->fd == -ENOTTY ? "is no V4L2 device" : strerror(-l->fd));
    for (int a = 0; a < AXES; a++) {
        node_ask_control(l->fd, at[a], &l->at[a]);
        node_ask_control(l->fd, speed[a], &l->speed[a]);
    }
    const struct node_control *zoom = &l->at[AXIS_ZOOM];
    caps->pan = l->at[AXIS_PAN].there;
    caps->tilt = l->at[AXIS_TILT].there;
    caps->zoom = zoom->there && zoom->max > zoom->min;
    if (!caps->pan && !caps->tilt && !caps->zoom)
        return fault_set(why, FAULT_UNSUPPORTED, NULL, "it has no pan, tilt or zoom controls");
    limits_of(&l->at[AXIS_PAN], &caps->min_pan_deg, &caps->max_pan_deg);
    limits_of(&l->at[AXIS_TILT], &caps->min_tilt_deg, &caps->max_tilt_deg);
    if (caps->zoom && zoom->min > 0) { /* most count per cent, or tenths */
        caps->max_zoom = (double)zoom->max / zoom->min;
        caps->tele_hfov_deg =
            2 * atan(tan(caps->wide_hfov_deg / 2 * M_PI / 180) / caps->max_zoom) * 180 / M_PI;
    }
    l->caps = *caps;
    head_spec_apply(&l->spec, &l->caps);
    return 0;
}

/* In the device's own units; zoom evenly between its ends. */
static int64_t value_of(const struct head_link *l, int axis, double v)
{
    const struct node_control *c = &l->at[axis];
    if (axis != AXIS_ZOOM)
        return llround(v * UNITS);
    double share = l->caps.max_zoom > 1 ? (exp(v) - 1) / (l->caps.max_zoom - 1) : 0;
    return llround(c->min + share * (c->max - (double)c->min));
}

static int judged(struct head_link *l, int err)
{
    if (err == -ENODEV || err == -ENOENT || err == -EIO || err == -ENXIO) {
        close(l->fd);
        l->fd = -1;
        return err;
    }
    return 0; /* busy, or not now: where it is the polls tell */
}

static int uvc_go(struct head_link *l, const double to[AXES], double share)
{
    int err = 0;
    for (int a = 0; !err && a < AXES; a++)
        if (!isnan(to[a]) && l->at[a].there)
            err = judged(l, node_set(l->fd, &l->at[a], value_of(l, a, to[a])));
    return err;
}

/* Without speeds: to the end of the way, and to where it is to stop. */
static int drive_by_place(struct head_link *l, int axis, double speed)
{
    const struct node_control *c = &l->at[axis];
    int32_t now;
    if (speed != 0)
        return node_set(l->fd, c, speed > 0 ? c->max : c->min);
    int err = node_get(l->fd, c, &now);
    return err ? err : node_set(l->fd, c, now);
}

static int uvc_move(struct head_link *l, const double speed[AXES])
{
    const double most[AXES] = {l->caps.max_pan_speed, l->caps.max_tilt_speed,
                               l->caps.max_zoom_speed};
    int err = 0;
    for (int a = 0; !err && a < AXES; a++) {
        const struct node_control *c = &l->speed[a];
        if (isnan(speed[a]) || !l->at[a].there)
            continue;
        double share = speed[a] / most[a];
        int64_t v = llround(share > 0 ? share * c->max : -share * c->min);
        if (c->there && v == 0 && share != 0)
            v = share > 0 ? 1 : -1;
        err = judged(l, c->there ? node_set(l->fd, c, v) : drive_by_place(l, a, speed[a]));
    }
    return err;
}

static int uvc_poll(struct head_link *l, double ret[AXES])
{
    for (int a = 0; a < AXES; a++) {
        const struct node_control *c = &l->at[a];
        int32_t v;
        if (!c->there)
            continue;
        int err = node_get(l->fd, c, &v);
        if (err) {
            judged(l, err);
            return err;
        }
        if (a != AXIS_ZOOM)
            ret[a] = v / UNITS;
        else if (c->max > c->min)
            ret[a] =
                log(1 + (v - (double)c->min) / (c->max - (double)c->min) * (l->caps.max_zoom - 1));
    }
    return 0;
}

static void uvc_close(struct head_link *l)
{
    if (l->fd >= 0)
        close(l->fd);
    free(l);
}

const struct head_driver uvc_head_driver = {
    .scheme = "uvc",
    .form = "uvc:/dev/videoN",
    .caps =
        {
            .pan = true,
            .tilt = true,
            .zoom = true,
            .min_pan_deg = -160,
            .max_pan_deg = 160,
            .min_tilt_deg = -30,
            .max_tilt_deg = 30,
            .max_zoom = 5,
            .max_pan_speed = 60,
            .max_tilt_speed = 40,
            .max_zoom_speed = 1,
            .wide_hfov_deg = 70,
            .tele_hfov_deg = 16,
        },
    .resolution = {0.05, 0.05, 0.005},
    .rest_ms = 300,
    .move_ms = 40,
    .open = uvc_open,
    .connect = uvc_connect,
    .go = uvc_go,
    .move = uvc_move,
    .poll = uvc_poll,
    .close = uvc_close,
};
