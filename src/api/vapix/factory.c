/* What a camera that was never set up has besides the defaults of its parameters. */
#include <stdio.h>
#include <string.h>

#include "api/camera.h"
#include "api/request.h"
#include "api/vapix/door.h"
#include "base/fault.h"
#include "base/log.h"
#include "conf/param.h"
#include "media/pipeline.h"
#include "ptz/presets.h"

#define MOBILE_WIDTH 640

/* The size for small screens: the largest up to MOBILE_WIDTH with the source's shape. */
static const char *mobile_size(struct camera *cam)
{
    int width, height, w, h;
    double fps;
    pipeline_size(cam->pipeline, &width, &height, &fps);
    const char *const *all = request_resolutions(cam);
    for (const char *const *r = all; *r; r++) {
        if (sscanf(*r, "%dx%d", &w, &h) == 2 && w <= MOBILE_WIDTH && w * height == h * width)
            return *r;
    }
    return all[0];
}

static int set(struct txn *t, unsigned index, const char *leaf, const char *value,
               struct fault *why)
{
    char name[64];
    snprintf(name, sizeof name, "StreamProfile.S%u.%s", index, leaf);
    return txn_set(t, name, value, why);
}

static int add_profiles(struct txn *t, struct camera *cam, struct fault *why)
{
    char mobile[96];
    snprintf(mobile, sizeof mobile, "videocodec=h264&resolution=%s&fps=15&compression=40",
             mobile_size(cam));
    const char *const profiles[][3] = {
        {"Quality", "Best picture", "videocodec=h264&compression=20"},
        {"Balanced", "Good picture, moderate bitrate", "videocodec=h264&compression=30"},
        {"Bandwidth", "Low bitrate", "videocodec=h264&compression=50&videokeyframeinterval=60"},
        {"Mobile", "Small screens", mobile},
    };
    int err = txn_set(t, "StreamProfile.FactoryMade", "yes", why);
    for (size_t i = 0; !err && i < sizeof profiles / sizeof *profiles; i++) {
        unsigned index = 0;
        err = txn_add(t, "streamprofile", &index, why);
        if (!err)
            err = set(t, index, "Name", profiles[i][0], why);
        if (!err)
            err = set(t, index, "Description", profiles[i][1], why);
        if (!err)
            err = set(t, index, "Parameters", profiles[i][2], why);
    }
    return err;
}

/* The stream profiles, once; the home position, where there is none. */
static void make_standing(struct camera *cam)
{
    struct fault why = {0};
    const struct profile_settings *s = room_ref(cam->profile_room);
    bool made = s->factory_made;
    room_unref(s);
    struct txn *t = txn_new(cam->conf, ~0u);
    if (!t)
        return;
    int err = made ? 0 : add_profiles(t, cam, &why);
    int home = err || !cam->presets ? 0 : presets_add_home(cam->presets, t, &why);
    if (err || home < 0)
        log_error("api", "what a new camera has: %s", why.text);
    if (err || home < 0 || (made && !home))
        txn_abort(t);
    else
        txn_commit(t, NULL, NULL);
}

/* A source of another size than the last one: the standard sizes must exist. */
static void fit_resolution(struct camera *cam)
{
    const char *const *all = request_resolutions(cam);
    const struct image_settings *s = room_ref(cam->image_room);
    struct txn *t = txn_new(cam->conf, ~0u);
    int wrong = 0;
    for (int i = 0; t && i < VIEWS_MOST; i++) {
        char name[48];
        snprintf(name, sizeof name, "Image.I%d.Appearance.Resolution", i);
        if (!words_have(all, s->channel[i].resolution))
            wrong += !txn_set(t, name, all[0], NULL);
    }
    room_unref(s);
    if (wrong)
        txn_commit(t, NULL, NULL);
    else
        txn_abort(t);
}

void factory_settings(struct camera *cam)
{
    make_standing(cam);
    fit_resolution(cam);
}
