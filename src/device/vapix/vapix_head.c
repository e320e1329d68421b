#include "device/vapix/vapix_head.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fault.h"
#include "device/vapix/answer.h"
#include "net/client.h"

#define TIMEOUT_MS 2000
#define REPLY_BYTES 16384
#define ZOOM_MAX 9999 /* of its scale, that starts at 1 */

struct head_link {
    const struct head_host *host;
    struct head_spec spec;
    struct head_caps caps;
    struct client *client;
    struct buf reply;
    char base[HEAD_ADDRESS_MAX + 64];
};

static struct head_link *vapix_open(const struct head_spec *spec, const struct head_host *host,
                                    struct fault *why)
{
    struct head_link *l = calloc(1, sizeof(*l));
    if (!l) {
        fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    l->host = host;
    l->spec = *spec;
    buf_init(&l->reply, REPLY_BYTES);
    size_t host_len = strcspn(spec->address + 2, "/?");
    snprintf(l->base, sizeof(l->base), "%s://%.*s/axis-cgi/com/ptz.cgi?camera=%d",
             !strcmp(spec->scheme, "vapixs") ? "https" : "http", (int)host_len, spec->address + 2,
             spec->number > 0 ? spec->number : 1);
    return l;
}

static int ask(struct head_link *l, const char *args)
{
    char url[sizeof(l->base) + 256];
    snprintf(url, sizeof(url), "%s&%s", l->base, args);
    return client_get(l->client, url, &l->reply);
}

static int number(struct head_link *l, const char *name, double min, double max, double *ret)
{
    return vapix_number(buf_str(&l->reply), l->reply.len, name, min, max, ret);
}

/* A query that must be answered with text. */
static int query(struct head_link *l, const char *what)
{
    char args[64];
    snprintf(args, sizeof(args), "query=%s", what);
    int status = ask(l, args);
    return status < 0 ? status : status == 200 ? 0 : -EPROTO;
}

static int vapix_connect(struct head_link *l, struct head_caps *caps, struct fault *why)
{
    /* a new connection, a new nonce */
    const struct client_login login = {*l->spec.user ? l->spec.user : NULL, l->spec.password};
    client_free(l->client);
    l->client = client_new(&login, TIMEOUT_MS, head_given_up, (void *)l->host);
    if (!l->client)
        return -ENOMEM;
    int status = ask(l, "query=limits");
    if (status == 401 || status == 403)
        return fault_set(why, FAULT_DENIED, NULL, "it does not accept user and password");
    if (status != 200)
        return status < 0 ? status : fault_set(why, FAULT_IO, NULL, "it answers %d", status);
    struct head_caps c = *caps;
    double low = 0, high = 0;
    if (!number(l, "MinPan", -360, 360, &low) && !number(l, "MaxPan", low, 360, &high)) {
        c.min_pan_deg = low;
        c.max_pan_deg = high;
    }
    if (!number(l, "MinTilt", -180, 180, &low) && !number(l, "MaxTilt", low, 180, &high)) {
        c.min_tilt_deg = low;
        c.max_tilt_deg = high;
    }
    double tele = 0, wide = 0;
    if (!number(l, "MaxFieldAngle", 1, 1790, &wide))
        c.wide_hfov_deg = wide / 10;
    int no_tele = number(l, "MinFieldAngle", 1, 1790, &tele);
    double optical;
    if (!query(l, "attributes") && !number(l, "maxOpticalZoomMag", 1, 200, &optical))
        c.max_zoom = optical;
    else if (!no_tele && tele > 0 && tele < wide)
        c.max_zoom = tan(wide / 20 * M_PI / 180) / tan(tele / 20 * M_PI / 180);
    if (!no_tele)
        c.tele_hfov_deg = tele / 10;
    int err = query(l, "position");
    double pan;
    if (err || number(l, "pan", -360, 360, &pan))
        return fault_set(why, FAULT_UNSUPPORTED, NULL, "it has no pan, tilt and zoom");
    *caps = l->caps = c;
    head_spec_apply(&l->spec, &l->caps);
    return 0;
}

/* 204 without a body: done. */
static int told(int status)
{
    return status < 0 ? status : status == 204 ? 0 : status == 401 ? -EACCES : -EREMOTEIO;
}

static int vapix_go(struct head_link *l, const double to[AXES], double share)
{
    char args[160];
    int n = snprintf(args, sizeof(args), "speed=%d", (int)fmax(1, lround(share * 100)));
    if (!isnan(to[AXIS_PAN]))
        n += snprintf(args + n, sizeof(args) - (size_t)n, "&pan=%.4f", to[AXIS_PAN]);
    if (!isnan(to[AXIS_TILT]))
        n += snprintf(args + n, sizeof(args) - (size_t)n, "&tilt=%.4f", to[AXIS_TILT]);
    if (!isnan(to[AXIS_ZOOM]) && l->caps.max_zoom > 1) {
        double share_of = (exp(to[AXIS_ZOOM]) - 1) / (l->caps.max_zoom - 1);
        snprintf(args + n, sizeof(args) - (size_t)n, "&zoom=%ld",
                 lround(1 + share_of * (ZOOM_MAX - 1)));
    }
    return told(ask(l, args));
}

static int vapix_move(struct head_link *l, const double speed[AXES])
{
    char args[160] = "proportionalspeed=disabled";
    size_t n = strlen(args);
    if (!isnan(speed[AXIS_PAN]))
        n += (size_t)snprintf(args + n, sizeof(args) - n, "&continuouspantiltmove=%.2f,%.2f",
                              speed[AXIS_PAN] / l->caps.max_pan_speed * 100,
                              speed[AXIS_TILT] / l->caps.max_tilt_speed * 100);
    if (!isnan(speed[AXIS_ZOOM]))
        snprintf(args + n, sizeof(args) - n, "&continuouszoommove=%.2f",
                 speed[AXIS_ZOOM] / l->caps.max_zoom_speed * 100);
    return told(ask(l, args));
}

static int vapix_poll(struct head_link *l, double ret[AXES])
{
    double zoom;
    int err = query(l, "position");
    if (err)
        return err;
    if (number(l, "pan", -360, 360, &ret[AXIS_PAN]) ||
        number(l, "tilt", -180, 180, &ret[AXIS_TILT]))
        return -EBADMSG;
    if (!number(l, "zoom", 1, 2 * ZOOM_MAX, &zoom)) /* above: digital, the lens stays */
        ret[AXIS_ZOOM] =
            log(1 + (fmin(zoom, ZOOM_MAX) - 1) / (ZOOM_MAX - 1) * (l->caps.max_zoom - 1));
    return 0;
}

static void vapix_close(struct head_link *l)
{
    client_free(l->client);
    buf_done(&l->reply);
    free(l);
}

#define VAPIX_DRIVER(name, text)                                                                   \
    {                                                                                              \
        .scheme = name, .form = text, .remote = true, .paired = true,                              \
        .caps =                                                                                    \
            {                                                                                      \
                .pan = true,                                                                       \
                .tilt = true,                                                                      \
                .zoom = true,                                                                      \
                .min_pan_deg = -180,                                                               \
                .max_pan_deg = 180,                                                                \
                .min_tilt_deg = -90,                                                               \
                .max_tilt_deg = 20,                                                                \
                .max_zoom = 30,                                                                    \
                .max_pan_speed = 150,                                                              \
                .max_tilt_speed = 150,                                                             \
                .max_zoom_speed = 1.2,                                                             \
                .wide_hfov_deg = 60,                                                               \
                .tele_hfov_deg = 2.2,                                                              \
            },                                                                                     \
        .resolution = {0.01, 0.01, 0.001}, .rest_ms = 500, .move_ms = 60, .open = vapix_open,      \
        .connect = vapix_connect, .go = vapix_go, .move = vapix_move, .poll = vapix_poll,          \
        .close = vapix_close                                                                       \
    }

const struct head_driver vapix_head_driver =
    VAPIX_DRIVER("vapix", "vapix://USER:PASSWORD@HOST[:PORT]");
const struct head_driver vapixs_head_driver =
    VAPIX_DRIVER("vapixs", "vapixs://USER:PASSWORD@HOST[:PORT]");
