#include "device/onvif/onvif_head.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "base/xml.h"
#include "device/onvif/answer.h"
#include "net/client.h"

#define TIMEOUT_MS 2500
#define TOKEN_MAX 128

struct head_link {
    const struct head_host *host;
    struct head_spec spec;
    struct head_caps caps;
    struct client *client;
    struct buf reply, request;
    char base[HEAD_ADDRESS_MAX + 16]; /* scheme and host */
    char device[256], media[256], ptz[256], profile[TOKEN_MAX * 6];
    int64_t ahead_ns; /* its clock before ours */
    bool refused;
};

static struct head_link *onvif_open(const struct head_spec *spec, const struct head_host *host,
                                    struct fault *why)
{
    struct head_link *l = calloc(1, sizeof(*l));
    if (!l) {
        fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    l->host = host;
    l->spec = *spec;
    buf_init(&l->reply, XML_LIMIT_BYTES);
    buf_init(&l->request, 16384);
    size_t host_len = strcspn(spec->address + 2, "/?");
    const char *path = spec->address + 2 + host_len;
    snprintf(l->base, sizeof(l->base), "%s://%.*s",
             !strcmp(spec->scheme, "onvifs") ? "https" : "http", (int)host_len, spec->address + 2);
    text_copy(l->device, sizeof(l->device), *path ? path : "/onvif/device_service");
    return l;
}

/* WS-Security's UsernameToken with a digest: nonce, time and password by SHA-1. */
static void add_login(struct head_link *l)
{
    uint8_t nonce[16], digest[HASH_MAX];
    char created[40], nonce64[32], digest64[48], user[sizeof(l->spec.user) * 6];
    random_bytes(nonce, sizeof(nonce));
    text_utc(clock_utc(l->host->clock) + l->ahead_ns, created, sizeof(created));
    BUF(text, 512);
    buf_add(&text, nonce, sizeof(nonce));
    buf_adds(&text, created);
    buf_adds(&text, l->spec.password);
    hash_bytes(HASH_SHA1, text.data, text.len, digest);
    base64_of(nonce, sizeof(nonce), nonce64);
    base64_of(digest, hash_len(HASH_SHA1), digest64);
    xml_escape(l->spec.user, user, sizeof(user));
    buf_addf(&l->request,
             "<s:Header><w:Security xmlns:w=\"http://docs.oasis-open.org/wss/2004/01/"
             "oasis-200401-wss-wssecurity-secext-1.0.xsd\" s:mustUnderstand=\"1\">"
             "<w:UsernameToken><w:Username>%s</w:Username><w:Password Type=\"http://docs."
             "oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0"
             "#PasswordDigest\">%s</w:Password><w:Nonce EncodingType=\"http://docs.oasis-open.org"
             "/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary\">%s</w:Nonce>"
             "<u:Created xmlns:u=\"http://docs.oasis-open.org/wss/2004/01/"
             "oasis-200401-wss-wssecurity-utility-1.0.xsd\">%s</u:Created></w:UsernameToken>"
             "</w:Security></s:Header>",
             user, digest64, nonce64, created);
}

/* Calls; the answer's document, or NULL and *ret_err (and why, if it told). */
static struct xml *call(struct head_link *l, const char *path, bool login, int *ret_err,
                        struct fault *why, const char *body, ...)
    __attribute__((format(printf, 6, 7)));
static struct xml *call(struct head_link *l, const char *path, bool login, int *ret_err,
                        struct fault *why, const char *body, ...)
{
    buf_reset(&l->request);
    buf_adds(&l->request, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><s:Envelope "
                          "xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\">");
    if (login && *l->spec.user)
        add_login(l);
    buf_adds(&l->request, "<s:Body>");
    va_list ap;
    va_start(ap, body);
    buf_vaddf(&l->request, body, ap);
    va_end(ap);
    buf_adds(&l->request, "</s:Body></s:Envelope>");
    char url[sizeof(l->base) + sizeof(l->ptz)];
    snprintf(url, sizeof(url), "%s%s", l->base, path);
    int status = l->request.err ? l->request.err
                                : client_post(l->client, url, "application/soap+xml; charset=utf-8",
                                              l->request.data, l->request.len, &l->reply);
    *ret_err = status < 0 ? status : -EREMOTEIO;
    if (status < 0)
        return NULL;
    if (status == 401 || status == 403) {
        *ret_err = fault_set(why, FAULT_DENIED, NULL, "it does not accept user and password");
        return NULL;
    }
    struct xml *x = xml_parse(buf_str(&l->reply), l->reply.len, NULL);
    char reason[128];
    bool denied;
    if (x && onvif_read_fault(x, reason, sizeof(reason), &denied)) {
        *ret_err = denied
                       ? fault_set(why, FAULT_DENIED, NULL, "it does not accept user and password")
                       : fault_set(why, FAULT_IO, NULL, "it answers: %.100s", reason);
        return xml_free(x);
    }
    if (!x || status != 200) {
        *ret_err =
            fault_set(why, FAULT_IO, NULL, "it does not answer as ONVIF (status %d)", status);
        return xml_free(x);
    }
    *ret_err = 0;
    return x;
}

#define DEVICE_NS "http://www.onvif.org/ver10/device/wsdl"
#define MEDIA_NS "http://www.onvif.org/ver10/media/wsdl"
#define PTZ_NS "http://www.onvif.org/ver20/ptz/wsdl"
#define SCHEMA_NS "http://www.onvif.org/ver10/schema"

static int find_services(struct head_link *l, struct fault *why)
{
    int err;
    int64_t utc_s;
    l->ahead_ns = 0;
    struct xml *x =
        call(l, l->device, false, &err, NULL, "<GetSystemDateAndTime xmlns=\"" DEVICE_NS "\"/>");
    if (x && !onvif_read_time(x, &utc_s)) /* who does not tell is taken to be right */
        l->ahead_ns = utc_s * NSEC_PER_SEC - clock_utc(l->host->clock);
    xml_free(x);
    if (!x && (err == -ECONNREFUSED || err == -ETIMEDOUT || err == -ECANCELED))
        return err;
    x = call(l, l->device, true, &err, why,
             "<GetCapabilities xmlns=\"" DEVICE_NS "\"><Category>All</Category></GetCapabilities>");
    if (!x)
        return err;
    if (onvif_read_service(x, "PTZ", l->ptz, sizeof(l->ptz)) ||
        onvif_read_service(x, "Media", l->media, sizeof(l->media)))
        err = fault_set(why, FAULT_UNSUPPORTED, NULL, "it has no pan, tilt and zoom");
    xml_free(x);
    return err;
}

static int find_profile(struct head_link *l, struct fault *why)
{
    int err;
    char token[TOKEN_MAX];
    struct xml *x = call(l, l->media, true, &err, why, "<GetProfiles xmlns=\"" MEDIA_NS "\"/>");
    if (!x)
        return err;
    if (onvif_read_profile(x, l->spec.number > 0 ? l->spec.number : 1, token, sizeof(token)) ||
        !xml_escape(token, l->profile, sizeof(l->profile)))
        err = fault_set(why, FAULT_UNSUPPORTED, NULL,
                        "it has no media profile with pan, tilt and zoom");
    xml_free(x);
    return err;
}

/* -1…1 to degrees; zoom 0…1 to magnification, both evenly. */
static double pan_of(const struct head_link *l, double x)
{
    return l->caps.min_pan_deg + (x + 1) / 2 * (l->caps.max_pan_deg - l->caps.min_pan_deg);
}
static double tilt_of(const struct head_link *l, double y)
{
    return l->caps.min_tilt_deg + (y + 1) / 2 * (l->caps.max_tilt_deg - l->caps.min_tilt_deg);
}

static int ask_position(struct head_link *l, double *x, double *y, double *zoom, struct fault *why)
{
    int err;
    struct xml *answer = call(l, l->ptz, true, &err, why,
                              "<GetStatus xmlns=\"" PTZ_NS "\"><ProfileToken>%s</ProfileToken>"
                              "</GetStatus>",
                              l->profile);
    if (answer)
        err = onvif_read_position(answer, x, y, zoom);
    xml_free(answer);
    return err;
}

static int onvif_connect(struct head_link *l, struct head_caps *caps, struct fault *why)
{
    const struct client_login login = {*l->spec.user ? l->spec.user : NULL, l->spec.password};
    client_free(l->client);
    l->refused = false;
    l->client = client_new(&login, TIMEOUT_MS, head_given_up, (void *)l->host);
    if (!l->client)
        return -ENOMEM;
    int err = find_services(l, why);
    if (err || (err = find_profile(l, why)))
        return err;
    struct head_caps c = *caps;
    struct onvif_ranges ranges;
    struct xml *x = call(l, l->ptz, true, &err, NULL, "<GetNodes xmlns=\"" PTZ_NS "\"/>");
    if (x && !onvif_read_ranges(x, &ranges)) {
        c.zoom = ranges.zoom;
        if (ranges.degrees) {
            c.min_pan_deg = ranges.min_pan_deg;
            c.max_pan_deg = ranges.max_pan_deg;
            c.min_tilt_deg = ranges.min_tilt_deg;
            c.max_tilt_deg = ranges.max_tilt_deg;
        }
    }
    xml_free(x);
    double at[AXES];
    err = ask_position(l, &at[0], &at[1], &at[2], why);
    if (err)
        return err;
    if (isnan(at[0]) || isnan(at[1]))
        return fault_set(why, FAULT_UNSUPPORTED, NULL, "it does not tell where it looks");
    c.zoom = c.zoom && !isnan(at[2]);
    *caps = l->caps = c;
    head_spec_apply(&l->spec, &l->caps);
    return 0;
}

/* A refused order is no reason to connect anew: where the head then is the polls tell. */
static int order(struct head_link *l, struct xml *answer, int err, const struct fault *why)
{
    xml_free(answer);
    if (answer || !*why->text || why->kind == FAULT_DENIED)
        return answer ? 0 : err;
    if (!l->refused)
        log_warn("device", "the head %s refuses a move: %s", l->spec.shown, why->text);
    l->refused = true;
    return 0;
}

static double clamp1(double v)
{
    return v < -1 ? -1 : v > 1 ? 1 : v;
}

/* <PanTilt> and <Zoom> of a vector; NAN: left out. */
static void vector(char *ret, size_t size, double x, double y, double zoom)
{
    int n = 0;
    *ret = 0;
    if (!isnan(x) && !isnan(y))
        n = snprintf(ret, size, "<PanTilt xmlns=\"" SCHEMA_NS "\" x=\"%.6f\" y=\"%.6f\"/>",
                     clamp1(x), clamp1(y));
    if (!isnan(zoom))
        snprintf(ret + n, size - (size_t)n, "<Zoom xmlns=\"" SCHEMA_NS "\" x=\"%.6f\"/>",
                 clamp1(zoom));
}

static int onvif_go(struct head_link *l, const double to[AXES], double share)
{
    const struct head_caps *c = &l->caps;
    bool turns = !isnan(to[AXIS_PAN]), zooms = !isnan(to[AXIS_ZOOM]) && c->max_zoom > 1;
    double x = (to[AXIS_PAN] - c->min_pan_deg) / (c->max_pan_deg - c->min_pan_deg) * 2 - 1;
    double y = (to[AXIS_TILT] - c->min_tilt_deg) / (c->max_tilt_deg - c->min_tilt_deg) * 2 - 1;
    double zoom = zooms ? (exp(to[AXIS_ZOOM]) - 1) / (c->max_zoom - 1) : NAN;
    char position[256], speed[256];
    vector(position, sizeof(position), x, y, zoom);
    vector(speed, sizeof(speed), turns ? share : NAN, turns ? share : NAN, zooms ? share : NAN);
    int err;
    struct fault why = {0};
    struct xml *answer = call(l, l->ptz, true, &err, &why,
                              "<AbsoluteMove xmlns=\"" PTZ_NS "\"><ProfileToken>%s</ProfileToken>"
                              "<Position>%s</Position><Speed>%s</Speed></AbsoluteMove>",
                              l->profile, position, speed);
    return order(l, answer, err, &why);
}

static int onvif_move(struct head_link *l, const double speed[AXES])
{
    double x = speed[AXIS_PAN] / l->caps.max_pan_speed;
    double y = speed[AXIS_TILT] / l->caps.max_tilt_speed;
    double zoom = l->caps.zoom ? speed[AXIS_ZOOM] / l->caps.max_zoom_speed : NAN;
    bool stop_turn = x == 0 && y == 0, stop_zoom = zoom == 0;
    struct fault why = {0};
    int err = 0;
    if (stop_turn || stop_zoom) {
        struct xml *answer =
            call(l, l->ptz, true, &err, &why,
                 "<Stop xmlns=\"" PTZ_NS "\"><ProfileToken>%s</ProfileToken>"
                 "<PanTilt>%s</PanTilt><Zoom>%s</Zoom></Stop>",
                 l->profile, stop_turn ? "true" : "false", stop_zoom ? "true" : "false");
        err = order(l, answer, err, &why);
    }
    char velocity[256];
    vector(velocity, sizeof(velocity), stop_turn ? NAN : x, y, stop_zoom ? NAN : zoom);
    if (err || !*velocity)
        return err;
    struct xml *answer = call(l, l->ptz, true, &err, &why,
                              "<ContinuousMove xmlns=\"" PTZ_NS "\"><ProfileToken>%s"
                              "</ProfileToken><Velocity>%s</Velocity></ContinuousMove>",
                              l->profile, velocity);
    return order(l, answer, err, &why);
}

static int onvif_poll(struct head_link *l, double ret[AXES])
{
    double x, y, zoom;
    int err = ask_position(l, &x, &y, &zoom, NULL);
    if (err)
        return err;
    if (isnan(x) || isnan(y))
        return -EBADMSG;
    ret[AXIS_PAN] = pan_of(l, x);
    ret[AXIS_TILT] = tilt_of(l, y);
    if (!isnan(zoom))
        ret[AXIS_ZOOM] = log(1 + fmax(0, zoom) * (l->caps.max_zoom - 1));
    return 0;
}

static void onvif_close(struct head_link *l)
{
    client_free(l->client);
    buf_done(&l->reply);
    buf_done(&l->request);
    free(l);
}

#define ONVIF_DRIVER(name, text)                                                                   \
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
                .max_pan_speed = 120,                                                              \
                .max_tilt_speed = 90,                                                              \
                .max_zoom_speed = 1.2,                                                             \
                .wide_hfov_deg = 60,                                                               \
                .tele_hfov_deg = 2.2,                                                              \
            },                                                                                     \
        .resolution = {0.05, 0.05, 0.002}, .rest_ms = 500, .move_ms = 80, .open = onvif_open,      \
        .connect = onvif_connect, .go = onvif_go, .move = onvif_move, .poll = onvif_poll,          \
        .close = onvif_close                                                                       \
    }

const struct head_driver onvif_head_driver =
    ONVIF_DRIVER("onvif", "onvif://USER:PASSWORD@HOST[:PORT][/PATH]");
const struct head_driver onvifs_head_driver =
    ONVIF_DRIVER("onvifs", "onvifs://USER:PASSWORD@HOST[:PORT][/PATH]");
