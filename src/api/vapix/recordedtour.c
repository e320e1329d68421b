/* recordedtour/….cgi: the way a user steers, recorded and played back (XML). */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/camera.h"
#include "api/commit.h"
#include "api/vapix/door.h"
#include "base/buf.h"
#include "base/fault.h"
#include "base/text.h"
#include "conf/param.h"
#include "net/limits.h"
#include "ptz/queue.h"
#include "ptz/recorded_tour.h"

#define NAMESPACE "http://www.axis.com/vapix/http_cgi/recordedtour1"
#define NAME_BYTES_MOST 31

static void reply(struct exchange *ex, const char *inside)
{
    exchange_replyf(ex, 200, "text/xml",
                    "<?xml version=\"1.0\" encoding=\"utf-8\" ?>\n"
                    "<RecordedTourResponse xmlns=\"" NAMESPACE "\" SchemaVersion=\"1.0\">%s"
                    "</RecordedTourResponse>\n",
                    inside);
}

static void reply_success(struct exchange *ex, const char *inside)
{
    BUF(out, LIMIT_REPLY_BYTES);
    buf_addf(&out, "<Success>%s</Success>", inside);
    reply(ex, buf_str(&out));
}

static void reply_error(struct exchange *ex, const struct fault *why)
{
    static const int codes[] = {
        [FAULT_NONE] = 10,    [FAULT_INVALID] = 20, [FAULT_UNKNOWN] = 50,
        [FAULT_MISSING] = 30, [FAULT_DENIED] = 100, [FAULT_CONFLICT] = 70,
        [FAULT_LIMIT] = 60,   [FAULT_BUSY] = 70,    [FAULT_UNSUPPORTED] = 10,
        [FAULT_TIMEOUT] = 10, [FAULT_IO] = 10,      [FAULT_INTERNAL] = 10,
    };
    char text[512], inside[768];
    text_html(why->text, text, sizeof text);
    snprintf(inside, sizeof inside,
             "<Error><GeneralError><ErrorCode>%d</ErrorCode><ErrorDescription>%s"
             "</ErrorDescription></GeneralError></Error>",
             codes[why->kind], text);
    reply(ex, inside);
}

static void on_committed(struct exchange *ex, int err, const struct fault *why, void *arg)
{
    if (err)
        reply_error(ex, why);
    else
        reply_success(ex, "<GeneralSuccess/>");
}

/* ---- arguments ---- */

struct tour_args {
    int id;           /* -1: not given */
    const char *name; /* NULL: not given */
    int delay_s, default_delay_s;
    bool loop, loop_given;
};

static int number(struct exchange *ex, const char *name, int most, int *ret, struct fault *why)
{
    const char *text = exchange_arg(ex, name);
    int64_t v = -1;
    if (text && text_int(text, 0, most, &v))
        return fault_set(why, FAULT_INVALID, name, "%s is a whole number from 0 to %d.", name,
                         most);
    *ret = (int)v;
    return 0;
}

static int read_args(struct exchange *ex, struct tour_args *a, struct fault *why)
{
    const char *version = exchange_arg(ex, "schemaversion"), *camera = exchange_arg(ex, "camera");
    const char *loop = exchange_arg(ex, "loop");
    *a = (struct tour_args){.name = exchange_arg(ex, "nicename"), .loop = true};
    int err = 0;
    if (!version || (strcmp(version, "1") != 0 && strcmp(version, "1.0") != 0))
        err = fault_set(why, FAULT_INVALID, "schemaversion", "schemaversion is 1.");
    else if (camera && *camera && strcmp(camera, "1") != 0)
        err = fault_set(why, FAULT_INVALID, "camera", "camera is 1.");
    else if (a->name &&
             (strlen(a->name) > NAME_BYTES_MOST || !text_is_utf8(a->name, strlen(a->name))))
        err = fault_set(why, FAULT_INVALID, "nicename", "nicename has at most %d bytes.",
                        NAME_BYTES_MOST);
    else if (loop && text_bool(loop, &a->loop))
        err = fault_set(why, FAULT_INVALID, "loop", "loop is yes or no.");
    if (!err)
        err = number(ex, "recordedtourid", 9999, &a->id, why);
    if (!err)
        err = number(ex, "loopdelay", 86400, &a->delay_s, why);
    if (!err)
        err = number(ex, "defaultloopdelay", 86400, &a->default_delay_s, why);
    return err;
}

static int need_id(const struct tour_args *a, struct fault *why)
{
    return a->id >= 0
               ? 0
               : fault_set(why, FAULT_MISSING, "recordedtourid", "recordedtourid is missing.");
}

/* ---- the calls ---- */

static void list(struct camera *cam, struct exchange *ex, const struct tour_args *a)
{
    struct recorded_status now;
    BUF(out, LIMIT_REPLY_BYTES);
    recorded_tours_status(cam->recorded_tours, &now);
    buf_adds(&out, "<ListSuccess>");
    const struct recorded_settings *s = recorded_tours_ref(cam->recorded_tours);
    for (int i = 0; i < RECORDED_TOURS; i++) {
        bool recorded = now.state == RECORDED_RECORDS && now.tour == i;
        if ((!s->tour[i].used && !recorded) || (a->id >= 0 && a->id != i))
            continue;
        char name[RECORDED_NAME_SIZE * 6];
        text_html(s->tour[i].used ? s->tour[i].name : now.name, name, sizeof name);
        buf_addf(&out,
                 "<RecordingInformation><RecordingId>%d</RecordingId><NiceName>%s</NiceName>"
                 "<Status>%s</Status><Camera>1</Camera><DefaultLoopDelay>%d</DefaultLoopDelay>"
                 "</RecordingInformation>",
                 i, name,
                 recorded                                      ? "recording"
                 : now.tour == i && now.state != RECORDED_IDLE ? "playing"
                                                               : "stopped",
                 s->tour[i].used ? s->tour[i].delay_s : 60);
    }
    room_unref(s);
    buf_adds(&out, "</ListSuccess>");
    reply_success(ex, buf_str(&out));
}

static void record(struct camera *cam, struct exchange *ex, const struct tour_args *a)
{
    struct fault why = {0};
    char inside[96];
    int id = 0;
    if (recorded_tours_record(cam->recorded_tours, a->id, a->name ? a->name : "",
                              a->default_delay_s, &id, &why)) {
        reply_error(ex, &why);
        return;
    }
    snprintf(inside, sizeof inside, "<RecordSuccess><RecordingId>%d</RecordingId></RecordSuccess>",
             id);
    reply_success(ex, inside);
}

/* The client may leave before it is kept. */
static void on_kept(int err, const struct fault *why, void *arg)
{
    struct exchange **waits = arg;
    struct exchange *ex = *waits;
    if (ex) {
        ex->cancel = NULL;
        on_committed(ex, err, why, NULL);
    }
    free(waits);
}

static void on_left(struct exchange *ex)
{
    *(struct exchange **)ex->user = NULL;
}

static void stop_recording(struct camera *cam, struct exchange *ex, const struct tour_args *a)
{
    struct exchange **waits = malloc(sizeof *waits);
    if (!waits) {
        exchange_reply(ex, 500, NULL, NULL, 0);
        return;
    }
    *waits = ex;
    ex->user = waits;
    ex->cancel = on_left;
    recorded_tours_stop_recording(cam->recorded_tours, a->id, on_kept, waits);
}

typedef int change_fn(struct camera *cam, struct txn *t, const struct tour_args *a,
                      struct fault *why);

static int play(struct camera *cam, struct txn *t, const struct tour_args *a, struct fault *why)
{
    int err = need_id(a, why);
    return err ? err : recorded_tours_play(cam->recorded_tours, t, a->id, a->loop, a->delay_s, why);
}

static int stop_playback(struct camera *cam, struct txn *t, const struct tour_args *a,
                         struct fault *why)
{
    return recorded_tours_stop(cam->recorded_tours, t, a->id, why);
}

static int hold(struct camera *cam, struct txn *t, const struct tour_args *a, struct fault *why)
{
    return recorded_tours_pause(cam->recorded_tours, a->id, true, why);
}

static int resume(struct camera *cam, struct txn *t, const struct tour_args *a, struct fault *why)
{
    return recorded_tours_pause(cam->recorded_tours, a->id, false, why);
}

static int modify(struct camera *cam, struct txn *t, const struct tour_args *a, struct fault *why)
{
    int err = need_id(a, why);
    return err ? err
               : recorded_tours_modify(cam->recorded_tours, t, a->id, a->name, a->default_delay_s,
                                       why);
}

static int remove_tour(struct camera *cam, struct txn *t, const struct tour_args *a,
                       struct fault *why)
{
    int err = need_id(a, why);
    return err ? err : recorded_tours_remove(cam->recorded_tours, t, a->id, why);
}

static void change(struct camera *cam, struct exchange *ex, const struct tour_args *a,
                   change_fn *fn)
{
    struct fault why = {0};
    struct txn *t = txn_new(cam->conf, ~0u);
    int err = t ? fn(cam, t, a, &why) : fault_set(&why, FAULT_INTERNAL, NULL, "Out of memory.");
    if (!err) {
        commit_then(cam, ex, t, on_committed, NULL);
        return;
    }
    txn_abort(t);
    reply_error(ex, &why);
}

/* ---- the rows ---- */

static void serve_versions(struct exchange *ex, void *arg)
{
    reply_success(ex, "<GetSchemaVersionsSuccess><SchemaVersion><VersionNumber>1.0"
                      "</VersionNumber><Deprecated>false</Deprecated></SchemaVersion>"
                      "</GetSchemaVersionsSuccess>");
}

/* What the calls share: arguments, and the fault of them. */
static bool begin(struct exchange *ex, struct tour_args *a)
{
    struct fault why = {0};
    if (!vapix_args(ex))
        return false;
    if (!read_args(ex, a, &why))
        return true;
    reply_error(ex, &why);
    return false;
}

#define SERVE(word, call)                                                                          \
    static void serve_##word(struct exchange *ex, void *arg)                                       \
    {                                                                                              \
        struct camera *cam = ((struct vapix_door *)arg)->cam;                                      \
        struct tour_args a;                                                                        \
        if (begin(ex, &a))                                                                         \
            call;                                                                                  \
    }
SERVE(list, list(cam, ex, &a))
SERVE(record, record(cam, ex, &a))
SERVE(stoprecording, stop_recording(cam, ex, &a))
SERVE(play, change(cam, ex, &a, play))
SERVE(stopplayback, change(cam, ex, &a, stop_playback))
SERVE(pause, change(cam, ex, &a, hold))
SERVE(resume, change(cam, ex, &a, resume))
SERVE(modify, change(cam, ex, &a, modify))
SERVE(remove, change(cam, ex, &a, remove_tour))

#define ROW(word, least, changes, what)                                                            \
    {                                                                                              \
        .path = "/axis-cgi/recordedtour/" #word ".cgi", .methods = GET_OR_POST, .role = least,     \
        .changes_state = changes, .serve = serve_##word, .doc = what                               \
    }
static const struct endpoint rows[] = {
    {.path = "/axis-cgi/recordedtour/getschemaversions.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_VIEWER,
     .serve = serve_versions,
     .doc = "versions of the calls of recorded tours (XML)"},
    ROW(list, ROLE_VIEWER, false, "recorded tours and what they do (XML)"),
    ROW(record, ROLE_OPERATOR, true, "records how the camera is moved from now on"),
    ROW(stoprecording, ROLE_OPERATOR, true, "ends and keeps a recorded tour"),
    ROW(play, ROLE_PTZ, true, "plays a recorded tour"),
    ROW(stopplayback, ROLE_PTZ, true, "ends playing a recorded tour"),
    ROW(pause, ROLE_PTZ, true, "holds the recorded tour that plays"),
    ROW(resume, ROLE_PTZ, true, "goes on with it"),
    ROW(modify, ROLE_OPERATOR, true, "name and delay of a recorded tour"),
    ROW(remove, ROLE_OPERATOR, true, "takes a recorded tour away"),
};
const struct cgi cgi_recordedtour = {CGI_ROWS(rows)};
