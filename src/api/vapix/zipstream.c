/* zipstream/….cgi: the smart codec's settings for streams that ask for nothing else (XML). The
 * same as Image.I#.MPEG.Z*; streams that run stay as they are. Success and Error stand around the
 * answers, as the vendor's examples have it. */
#include <stdio.h>
#include <string.h>

#include "api/camera.h"
#include "api/commit.h"
#include "api/request.h"
#include "api/vapix/door.h"
#include "base/buf.h"
#include "base/fault.h"
#include "base/text.h"
#include "conf/param.h"
#include "net/limits.h"

enum { CODE_FAILED = 10, CODE_ARGUMENT = 20, CODE_VERSION = 40 };

static void reply(struct exchange *ex, const char *inside)
{
    exchange_replyf(ex, 200, "text/xml",
                    "<?xml version=\"1.0\" encoding=\"utf-8\" ?>\n"
                    "<ZipStreamResponse SchemaVersion=\"1.0\" "
                    "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
                    "xsi:noNamespaceSchemaLocation=\"http://www.axis.com/vapix/http_cgi/"
                    "zipstream1.xsd\">%s</ZipStreamResponse>\n",
                    inside);
}

static void reply_success(struct exchange *ex, const char *inside)
{
    BUF(out, LIMIT_REPLY_BYTES);
    buf_addf(&out, "<Success>%s</Success>", inside);
    reply(ex, buf_str(&out));
}

static void reply_error(struct exchange *ex, int code, const char *text)
{
    char safe[512];
    BUF(out, LIMIT_REPLY_BYTES);
    text_html(text, safe, sizeof safe);
    buf_addf(&out,
             "<Error><GeneralError><ErrorCode>%d</ErrorCode><Description>%s</Description>"
             "</GeneralError></Error>",
             code, safe);
    reply(ex, buf_str(&out));
}

/* camera=1,2; absent: 1. How many; negative: there is no such channel. */
static int channels(struct exchange *ex, struct camera *cam, int ret[VIEWS_MOST], struct fault *why)
{
    const char *at = exchange_arg(ex, "camera");
    char part[16];
    int n = 0;
    for (at = at ? at : "";; at++) {
        size_t len = strcspn(at, ",");
        if (len >= sizeof part || n == VIEWS_MOST)
            return fault_set(why, FAULT_INVALID, "camera", "camera is a list of channels as 1,2");
        memcpy(part, at, len);
        part[len] = '\0';
        int err = request_channel(cam, part, &ret[n], why);
        if (err)
            return err;
        n++;
        at += len;
        if (!*at)
            return n;
    }
}

/* What all calls but that of the versions begin with. */
static bool begin(struct exchange *ex, struct camera *cam, int ret_channel[VIEWS_MOST],
                  int *ret_channels)
{
    struct fault why = {0};
    if (!vapix_args(ex))
        return false;
    const char *version = exchange_arg(ex, "schemaversion");
    if (!version || (strcmp(version, "1") != 0 && strncmp(version, "1.", 2) != 0)) {
        reply_error(ex, CODE_VERSION, "schemaversion is 1");
        return false;
    }
    *ret_channels = channels(ex, cam, ret_channel, &why);
    if (*ret_channels < 0)
        reply_error(ex, CODE_ARGUMENT, why.text);
    return *ret_channels > 0;
}

/* ---- what can be set ---- */

struct setting {
    const char *argument, *parameter;
    int code; /* of a value that cannot be */
};
static const struct setting strength[] = {{"strength", "MPEG.ZStrength", 50}, {0}};
static const struct setting gop[] = {
    {"gopmode", "MPEG.ZGopMode", 60}, {"maxgoplength", "MPEG.ZMaxGopLength", 70}, {0}};
static const struct setting fps[] = {{"fpsmode", "MPEG.ZFpsMode", CODE_ARGUMENT}, {0}};
static const struct setting least[] = {{"minfps", "MPEG.ZMinFps", CODE_ARGUMENT}, {0}};
static const struct setting profile[] = {{"profile", "MPEG.ZProfile", CODE_ARGUMENT}, {0}};

static void on_committed(struct exchange *ex, int err, const struct fault *why, void *arg)
{
    if (err)
        reply_error(ex, why->kind == FAULT_INVALID ? CODE_ARGUMENT : CODE_FAILED, why->text);
    else
        reply_success(ex, "<GeneralSuccess/>");
}

static void set(struct exchange *ex, struct camera *cam, const struct setting *of)
{
    int channel[VIEWS_MOST], n = 0;
    if (!begin(ex, cam, channel, &n))
        return;
    struct fault why = {0};
    struct txn *t = txn_new(cam->conf, ex->who.groups);
    int given = 0, code = t ? 0 : CODE_FAILED;
    for (const struct setting *s = of; !code && s->argument; s++) {
        const char *value = exchange_arg(ex, s->argument);
        given += value ? 1 : 0;
        for (int i = 0; value && !code && i < n; i++) {
            char name[64];
            snprintf(name, sizeof name, "Image.I%d.%s", channel[i] - 1, s->parameter);
            if (txn_set(t, name, value, &why) < 0)
                code = why.kind == FAULT_INVALID ? s->code : CODE_FAILED;
        }
    }
    if (!code && given) {
        commit_then(cam, ex, t, on_committed, NULL);
        return;
    }
    txn_abort(t);
    if (code) {
        reply_error(ex, code, why.text);
        return;
    }
    char text[64];
    snprintf(text, sizeof text, "%s is missing", of->argument);
    reply_error(ex, CODE_ARGUMENT, text);
}

/* ---- what there is ---- */

static void list(struct exchange *ex, struct camera *cam, const char *around, const char *element,
                 const char *const *values)
{
    BUF(out, LIMIT_REPLY_BYTES);
    int channel[VIEWS_MOST], n;
    if (!begin(ex, cam, channel, &n))
        return;
    buf_addf(&out, "<%s>", around);
    for (; *values; values++)
        buf_addf(&out, "<%s>%s</%s>", element, *values, element);
    buf_addf(&out, "</%s>", around);
    reply_success(ex, buf_str(&out));
}

static void list_profiles(struct exchange *ex, struct camera *cam)
{
    BUF(out, LIMIT_REPLY_BYTES);
    int channel[VIEWS_MOST], n;
    if (!begin(ex, cam, channel, &n))
        return;
    buf_adds(&out, "<ListProfilesSuccess>");
    for (int i = 0; stream_z_profiles[i]; i++)
        buf_addf(&out, "<Profile><Name>%s</Name><MaxLevel>0</MaxLevel></Profile>",
                 stream_z_profiles[i]);
    buf_adds(&out, "</ListProfilesSuccess>");
    reply_success(ex, buf_str(&out));
}

static void status(struct exchange *ex, struct camera *cam)
{
    BUF(out, LIMIT_REPLY_BYTES);
    int channel[VIEWS_MOST], n = 0;
    if (!begin(ex, cam, channel, &n))
        return;
    const struct image_settings *all = room_ref(cam->image_room);
    buf_adds(&out, "<GetStatusSuccess>");
    for (int i = 0; i < n; i++) {
        const struct channel_settings *s = &all->channel[channel[i] - 1];
        buf_addf(&out,
                 "<Status><Channel>%d</Channel><Strength>%s</Strength>"
                 "<GopMode>%s</GopMode><MaxGopLength>%d</MaxGopLength><FpsMode>%s</FpsMode>"
                 "<MinFps>%g</MinFps><Profile><Name>%s</Name><Level>0</Level></Profile></Status>",
                 channel[i], stream_strengths[s->z_strength], stream_dynamics[s->z_gop_mode],
                 s->z_max_gop, stream_dynamics[s->z_fps_mode], s->z_min_fps,
                 stream_z_profiles[s->z_profile]);
    }
    buf_adds(&out, "</GetStatusSuccess>");
    room_unref(all);
    reply_success(ex, buf_str(&out));
}

static void serve_getschemaversions(struct exchange *ex, void *arg)
{
    reply_success(ex, "<GetSchemaVersionsSuccess><SchemaVersion><VersionNumber>1.0"
                      "</VersionNumber><Deprecated>false</Deprecated></SchemaVersion>"
                      "</GetSchemaVersionsSuccess>");
}

/* ---- the rows ---- */

#define SERVE(word, call)                                                                          \
    static void serve_##word(struct exchange *ex, void *arg)                                       \
    {                                                                                              \
        struct camera *cam = ((struct vapix_door *)arg)->cam;                                      \
        (void)cam;                                                                                 \
        call;                                                                                      \
    }
SERVE(getstatus, status(ex, cam))
SERVE(liststrengths, list(ex, cam, "ListStrengthsSuccess", "Strength", stream_strengths))
SERVE(listgopmodes, list(ex, cam, "ListGopModesSuccess", "GopMode", stream_dynamics))
SERVE(listfpsmodes, list(ex, cam, "ListFpsModesSuccess", "FpsMode", stream_dynamics))
SERVE(listprofiles, list_profiles(ex, cam))
SERVE(setstrength, set(ex, cam, strength))
SERVE(setgop, set(ex, cam, gop))
SERVE(setfpsmode, set(ex, cam, fps))
SERVE(setminfps, set(ex, cam, least))
SERVE(setprofile, set(ex, cam, profile))

#define ROW(word, changes, what)                                                                   \
    {                                                                                              \
        .path = "/axis-cgi/zipstream/" #word ".cgi", .methods = GET_OR_POST,                       \
        .role = ROLE_OPERATOR, .changes_state = changes, .serve = serve_##word, .doc = what        \
    }
static const struct endpoint rows[] = {
    ROW(getschemaversions, false, "versions of the smart codec's calls (XML)"),
    ROW(getstatus, false, "the smart codec's settings (XML)"),
    ROW(liststrengths, false, "strengths of the smart codec (XML)"),
    ROW(listgopmodes, false, "its ways with key pictures (XML)"),
    ROW(listfpsmodes, false, "its ways with the frame rate (XML)"),
    ROW(listprofiles, false, "classic, or for storage (XML)"),
    ROW(setstrength, true, "strength of the smart codec, of streams that begin later"),
    ROW(setgop, true, "fixed or dynamic distance of key pictures, and the longest"),
    ROW(setfpsmode, true, "fixed or dynamic frame rate"),
    ROW(setminfps, true, "the least dynamic frame rate"),
    ROW(setprofile, true, "classic, or for storage"),
};
const struct cgi cgi_zipstream = {CGI_ROWS(rows)};
