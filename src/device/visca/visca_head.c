#include "device/visca/visca_head.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "device/visca/line.h"
#include "device/visca/protocol.h"

#define REPLY_MS 600
#define REPLY_UDP_MS 250 /* then sent again: a packet may be lost */
#define TRIES 3
#define FULL_MS 60 /* until one of its two sockets may be free */
#define PAN_TOP 24
#define TILT_TOP 20
#define ZOOM_TOP 8
#define UNITS 13.333 /* of a degree: 0x8db at 170° */

struct head_link {
    struct visca_line line;
    struct head_spec spec;
    struct head_caps caps;
    const struct head_host *host;
    int address;
    double units;
    int at[2]; /* pan and tilt, as last heard */
    bool has_zoom, refused;
};

static struct head_link *visca_open(const struct head_spec *spec, const struct head_host *host,
                                    struct fault *why)
{
    struct head_link *l = calloc(1, sizeof(*l));
    if (!l) {
        fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    l->spec = *spec;
    l->host = host;
    visca_line_init(&l->line, &l->spec, host);
    l->address =
        l->line.way == VISCA_SERIAL && spec->number > 0 && spec->number < 8 ? spec->number : 1;
    l->units = isnan(spec->units) ? UNITS : spec->units;
    if (l->line.way == VISCA_SERIAL) /* still privileged */
        visca_line_open(&l->line);
    return l;
}

static bool is_answer(const struct visca_reply *r, size_t n)
{
    int a, b;
    return r->n == n && !(n == 4 ? visca_read_zoom(r, &a) : visca_read_pan_tilt(r, &a, &b));
}

/* Sends until something about it comes back. question: an answer of `n` bytes. */
static int exchange(struct head_link *l, const struct visca_message *m, bool question, size_t n,
                    struct visca_reply *ret)
{
    bool udp = l->line.way == VISCA_UDP;
    int err = -ETIMEDOUT;
    visca_drain(&l->line);
    for (int try = 0; err == -ETIMEDOUT && try < (udp || question ? TRIES : 1); try++) {
        err = visca_send(&l->line, m, question, try > 0);
        while (!err && !(err = visca_receive(&l->line, udp ? REPLY_UDP_MS : REPLY_MS, ret))) {
            if (ret->address != l->address && !udp)
                continue; /* of another on the line */
            if (ret->kind == VISCA_ERROR && ret->error == VISCA_CANCELLED)
                continue; /* an older command makes room for this one */
            if (ret->kind == VISCA_ERROR)
                return 0;
            /* what ended late, or an answer that we waited for no longer, is not for us */
            if (question ? is_answer(ret, n)
                         : ret->kind == VISCA_ACK || (ret->kind == VISCA_DONE && !ret->socket))
                return 0;
        }
    }
    return err;
}

static int command(struct head_link *l, const struct visca_message *m)
{
    struct visca_reply r = {0};
    for (int try = 0; try < TRIES; try++) {
        int err = exchange(l, m, false, 0, &r);
        if (err || r.kind != VISCA_ERROR)
            return err;
        if (r.error != VISCA_FULL)
            break;
        if (head_wait(l->host, -1, 0, FULL_MS) < 0)
            return -ECANCELED;
    }
    if (!l->refused)
        log_warn("device", "the head %s refuses a command: %s", l->spec.shown,
                 r.error == VISCA_NOT_NOW  ? "not possible now"
                 : r.error == VISCA_FULL   ? "it is busy"
                 : r.error == VISCA_SYNTAX ? "it does not know it"
                                           : "an error of its own");
    l->refused = true;
    return 0; /* where it then is the polls tell */
}

static int ask_pan_tilt(struct head_link *l)
{
    struct visca_message m;
    struct visca_reply r = {0};
    visca_ask_pan_tilt(&m, l->address);
    int err = exchange(l, &m, true, 8, &r);
    return err ? err : visca_read_pan_tilt(&r, &l->at[0], &l->at[1]);
}

static int ask_zoom(struct head_link *l, int *ret)
{
    struct visca_message m;
    struct visca_reply r = {0};
    visca_ask_zoom(&m, l->address);
    int err = exchange(l, &m, true, 4, &r);
    return err ? err : visca_read_zoom(&r, ret);
}

/* To all on the line; not every head says something to it. */
static int greet(struct head_link *l)
{
    struct visca_message m;
    struct visca_reply r;
    if (l->line.way == VISCA_UDP) {
        l->line.sequence = 0;
        return 0;
    }
    visca_number(&m);
    int err = l->line.way == VISCA_SERIAL ? visca_send(&l->line, &m, false, false) : 0;
    visca_clear(&m);
    if (!err)
        err = visca_send(&l->line, &m, false, false);
    if (!err && (err = visca_receive(&l->line, 100, &r)) == -ETIMEDOUT)
        err = 0;
    return err;
}

static int visca_connect(struct head_link *l, struct head_caps *caps, struct fault *why)
{
    int zoom, err = visca_line_open(&l->line);
    if (err)
        return fault_set(why, FAULT_IO, NULL, "cannot be reached: %s", strerror(-err));
    l->refused = false;
    if (!(err = greet(l)))
        err = ask_pan_tilt(l);
    if (err) {
        visca_line_close(&l->line);
        return fault_set(why, FAULT_IO, NULL, "%s",
                         err == -ETIMEDOUT ? "it does not answer"
                         : err == -EBADMSG ? "it does not tell where it looks"
                                           : strerror(-err));
    }
    l->has_zoom = !ask_zoom(l, &zoom);
    caps->zoom = l->has_zoom;
    l->caps = *caps;
    head_spec_apply(&l->spec, &l->caps);
    return 0;
}

/* After an error the line is opened anew. */
static int judged(struct head_link *l, int err)
{
    if (err && err != -ECANCELED)
        visca_line_close(&l->line);
    return err;
}

static int steps(double share, int top)
{
    int n = (int)lround(fabs(share) * top);
    n = n < 1 ? 1 : n > top ? top : n;
    return share < 0 ? -n : n;
}

static int clamp16(double v)
{
    return (int)lround(v < -32768 ? -32768 : v > 32767 ? 32767 : v);
}

static int visca_go(struct head_link *l, const double to[AXES], double share)
{
    struct visca_message m;
    int err = 0;
    if (!isnan(to[AXIS_PAN])) {
        visca_turn_to(&m, l->address, steps(share, PAN_TOP), steps(share, TILT_TOP),
                      clamp16(to[AXIS_PAN] * l->units), clamp16(to[AXIS_TILT] * l->units));
        err = command(l, &m);
    }
    if (!err && !isnan(to[AXIS_ZOOM]) && l->has_zoom) {
        visca_zoom_to(&m, l->address, visca_zoom_of_log(to[AXIS_ZOOM], l->caps.max_zoom));
        err = command(l, &m);
    }
    return judged(l, err);
}

static int visca_move(struct head_link *l, const double speed[AXES])
{
    struct visca_message m;
    int err = 0;
    if (!isnan(speed[AXIS_PAN])) {
        double pan = speed[AXIS_PAN] / l->caps.max_pan_speed;
        double tilt = speed[AXIS_TILT] / l->caps.max_tilt_speed;
        visca_drive(&m, l->address, pan != 0 ? steps(pan, PAN_TOP) : 0,
                    tilt != 0 ? steps(tilt, TILT_TOP) : 0);
        err = command(l, &m);
    }
    if (!err && !isnan(speed[AXIS_ZOOM]) && l->has_zoom) {
        double share = speed[AXIS_ZOOM] / l->caps.max_zoom_speed;
        visca_zoom_drive(&m, l->address, share != 0 ? steps(share, ZOOM_TOP) : 0);
        err = command(l, &m);
    }
    return judged(l, err);
}

static int visca_poll(struct head_link *l, double ret[AXES])
{
    int zoom = 0, err = ask_pan_tilt(l);
    if (!err && l->has_zoom)
        err = ask_zoom(l, &zoom);
    if (err)
        return judged(l, err);
    ret[AXIS_PAN] = l->at[0] / l->units;
    ret[AXIS_TILT] = l->at[1] / l->units;
    if (l->has_zoom)
        ret[AXIS_ZOOM] = visca_zoom_log(zoom, l->caps.max_zoom);
    return 0;
}

static void visca_close(struct head_link *l)
{
    visca_line_close(&l->line);
    free(l);
}

const struct head_driver visca_head_driver = {
    .scheme = "visca",
    .form = "visca:/dev/TTY or visca://HOST[:PORT]",
    .either = true,
    .paired = true,
    .caps =
        {
            .pan = true,
            .tilt = true,
            .zoom = true,
            .min_pan_deg = -170,
            .max_pan_deg = 170,
            .min_tilt_deg = -30,
            .max_tilt_deg = 90,
            .max_zoom = 18,
            .max_pan_speed = 80,
            .max_tilt_speed = 50,
            .max_zoom_speed = 1,
            .wide_hfov_deg = 48,
            .tele_hfov_deg = 2.83,
        },
    .resolution = {0.08, 0.08, 0.002},
    .rest_ms = 500,
    .move_ms = 40,
    .open = visca_open,
    .connect = visca_connect,
    .go = visca_go,
    .move = visca_move,
    .poll = visca_poll,
    .close = visca_close,
};
