/* media.cgi: video and sound in a container over HTTP, without end. */
#include <string.h>

#include "api/camera.h"
#include "api/request.h"
#include "api/vapix/door.h"
#include "base/fault.h"
#include "media/mux.h"
#include "media/pipeline.h"
#include "media/sounds.h"

static bool which_form(struct exchange *ex, enum video_form *ret, struct fault *why)
{
    const char *container = exchange_arg(ex, "container");
    if (!container || !*container || !strcmp(container, "mp4"))
        *ret = VIDEO_MP4;
    else if (!strcmp(container, "matroska"))
        *ret = VIDEO_MATROSKA;
    else
        fault_set(why, FAULT_INVALID, "container", "container must be mp4 or matroska");
    return !why->kind;
}

static enum container container_of_form(enum video_form form)
{
    return form == VIDEO_MP4 ? CONTAINER_MP4 : CONTAINER_MATROSKA;
}

static void serve(struct exchange *ex, void *arg)
{
    struct vapix_door *d = arg;
    struct encoding e;
    struct view_args view;
    struct fault why = {0};
    struct feed *feed;
    enum video_form form = VIDEO_MP4;
    if (!vapix_args(ex))
        return;
    if (!which_form(ex, &form, &why) ||
        request_encoding(d->cam, CODEC_H264, ex->args, ex->n_args, &e, &view, &why)) {
        vapix_reply_fault(ex, &why);
        return;
    }
    if (!view.video || (form == VIDEO_MP4 && !mux_holds(CONTAINER_MP4, e.codec))) {
        fault_set(&why, FAULT_INVALID, view.video ? "videocodec" : "video",
                  view.video ? "MP4 takes h264, h265 and av1; ask for container=matroska, or for "
                               "/axis-cgi/mjpg/video.cgi"
                             : "there is no other medium than video");
        vapix_reply_fault(ex, &why);
        return;
    }
    if (ex->head_only) {
        exchange_reply(ex, 200, form == VIDEO_MP4 ? "video/mp4" : "video/x-matroska", NULL, 0);
        return;
    }
    struct feed *sound = NULL;
    if (view.audio && !mux_holds(container_of_form(form), view.sound.codec)) /* as near as can be */
        view.sound = sound_for_containers;
    if ((view.audio && sounds_open(d->cam->sounds, &view.sound, &sound, &why)) ||
        pipeline_open(d->cam->pipeline, &e, &feed, &why)) {
        feed_close(sound);
        vapix_reply_fault(ex, &why);
        return;
    }
    video_start(d, ex, feed, sound, &view, form);
}

static const struct endpoint rows[] = {
    {.path = "/axis-cgi/media.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_VIEWER,
     .serve = serve,
     .doc = "video and sound without end in MP4 or Matroska; container=, and the arguments of "
            "pictures"},
};
const struct cgi cgi_media = {CGI_ROWS(rows)};
