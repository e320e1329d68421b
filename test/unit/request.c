#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/camera.h"
#include "api/request.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/loop.h"
#include "conf/param.h"
#include "media/pipeline.h"
#include "net/message.h"
#include "ptz/views.h"

static struct camera cam;

static void begin(void)
{
    struct fault why = {0};
    static const struct pipeline_hooks hooks;
    cam.clock = clock_new_real();
    cam.loop = loop_new(cam.clock, "test");
    cam.conf = conf_new(cam.loop, NULL, NULL);
    CHECK_INT(conf_add_room(cam.conf, &image_room_desc, &cam.image_room, &why), 0);
    CHECK_INT(conf_add_room(cam.conf, &profile_room_desc, &cam.profile_room, &why), 0);
    CHECK_INT(conf_add_room(cam.conf, &views_room_desc, &cam.views_room, &why), 0);
    cam.views = views_new(cam.loop, cam.views_room);
    cam.pipeline = pipeline_new(cam.loop, &hooks, 1920, 1080, 30);
}

static void end(void)
{
    cam.views = views_free(cam.views);
    pipeline_free(cam.pipeline);
    conf_free(cam.conf);
    loop_free(cam.loop);
    clock_free(cam.clock);
}

static struct encoding e;
static struct view_args view;
static struct fault why;

/* As it stands in a URL. */
static int ask(enum codec standard, const char *text)
{
    struct arg args[LIMIT_ARGS];
    size_t n = 0;
    struct arena *arena = arena_new(1 << 16);
    CHECK_INT(args_parse(args, &n, arena, text, strlen(text)), 0);
    why = (struct fault){0};
    int err = request_encoding(&cam, standard, args, n, &e, &view, &why);
    arena_free(arena);
    return err;
}

static void on_set(int err, const struct fault *f, void *arg)
{
    *(int *)arg = err;
}

static int set(const char *name, const char *value)
{
    struct txn *t = txn_new(cam.conf, ~0u);
    int err = txn_set(t, name, value, NULL);
    if (err) {
        txn_abort(t);
        return err;
    }
    err = 1;
    txn_commit(t, on_set, &err);
    return err;
}

static void add_profile(const char *name, const char *parameters)
{
    struct txn *t = txn_new(cam.conf, ~0u);
    unsigned index = 0;
    char leaf[64];
    int err = 1;
    CHECK_INT(txn_add(t, "streamprofile", &index, NULL), 0);
    snprintf(leaf, sizeof leaf, "StreamProfile.S%u.Name", index);
    CHECK_INT(txn_set(t, leaf, name, NULL), 0);
    snprintf(leaf, sizeof leaf, "StreamProfile.S%u.Parameters", index);
    CHECK_INT(txn_set(t, leaf, parameters, NULL), 0);
    txn_commit(t, on_set, &err);
    CHECK_INT(err, 0);
}

TEST(defaults)
{
    begin();
    CHECK_INT(ask(CODEC_H264, ""), 0);
    CHECK_INT(e.codec, CODEC_H264);
    CHECK_INT(e.key.view, 1);
    CHECK_INT(e.key.width, 1920);
    CHECK_INT(e.key.height, 1080);
    CHECK_INT(e.compression, 30);
    CHECK_INT(e.gop, 32);
    CHECK_INT(e.profile, 2);
    CHECK_NEAR(e.fps, 0, 0);
    CHECK(e.stamp && e.key.overlays && view.video && !view.audio);
    CHECK_INT(ask(CODEC_JPEG, "&camera=&timestamp=123&overview=0&framerate=5"), 0);
    end();
}

TEST(arguments)
{
    begin();
    CHECK_INT(ask(CODEC_H264, "videocodec=jpeg&resolution=640x480&fps=12.5&compression=0&mirror=1"
                              "&overlays=off&camera=1&nbrofframes=3&duration=1.5"),
              0);
    CHECK_INT(e.codec, CODEC_JPEG);
    CHECK_INT(e.key.width, 640);
    CHECK_INT(e.key.height, 480);
    CHECK_NEAR(e.fps, 12.5, 0);
    CHECK_INT(e.compression, 0);
    CHECK(e.key.mirror && !e.key.overlays);
    CHECK_INT(view.pictures, 3);
    CHECK_NEAR(view.seconds, 1.5, 0);
    CHECK_INT(ask(CODEC_H264, "rotation=90&resolution=1280x720"), 0);
    CHECK_INT(e.key.width, 720);
    CHECK_INT(e.key.height, 1280);
    CHECK_INT(ask(CODEC_H264, "videobitratemode=mbr&videomaxbitrate=800&videokeyframeinterval=60"
                              "&h264profile=baseline"),
              0);
    CHECK_INT(e.rate.mode, RATE_MBR);
    CHECK_INT(e.rate.max_kbps, 800);
    CHECK_INT(e.gop, 60);
    CHECK_INT(e.profile, 0);
    CHECK_INT(ask(CODEC_H264, "fps=60"), 0); /* more than there is: all there is */
    CHECK_NEAR(e.fps, 0, 0);
    CHECK_INT(ask(CODEC_H264, "resolution=320%C3%97240"), 0); /* mangled on its way */
    CHECK_INT(e.key.width, 1920);
    end();
}

TEST(equal_meanings_are_equal)
{
    begin();
    CHECK_INT(ask(CODEC_H264, ""), 0);
    struct encoding first = e;
    CHECK_INT(ask(CODEC_H264, "fps=30&compression=30&videomaxbitrate=500&camera=1"), 0);
    CHECK(encoding_equal(&first, &e)); /* a limit without mbr means nothing */
    CHECK_INT(ask(CODEC_JPEG, "h264profile=main&videokeyframeinterval=5"), 0);
    first = e;
    CHECK_INT(ask(CODEC_JPEG, ""), 0);
    CHECK(encoding_equal(&first, &e));
    end();
}

TEST(bad_values_name_themselves)
{
    static const struct {
        const char *text, *name;
    } table[] = {
        {"resolution=99999x99999", "resolution"},
        {"resolution=640x481", "resolution"},
        {"resolution=big", "resolution"},
        {"resolution=-640x480", "resolution"},
        {"fps=-1", "fps"},
        {"fps=nan", "fps"},
        {"fps=0x10", "fps"},
        {"fps=1,5", "fps"},
        {"fps=1e309", "fps"},
        {"compression=101", "compression"},
        {"compression=1.5", "compression"},
        {"camera=quad", "camera"},
        {"camera=0", "camera"},
        {"rotation=45", "rotation"},
        {"mirror=maybe", "mirror"},
        {"videocodec=h263", "videocodec"},
        {"videobitratemode=xyz", "videobitratemode"},
        {"videomaxbitrate=-1", "videomaxbitrate"},
        {"videokeyframeinterval=0", "videokeyframeinterval"},
        {"videokeyframeinterval=1024", "videokeyframeinterval"},
        {"h264profile=extended", "h264profile"},
        {"overlays=some", "overlays"},
        {"nbrofframes=-2", "nbrofframes"},
        {"duration=inf", "duration"},
    };
    begin();
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int err = ask(CODEC_H264, table[i].text);
        if (err != -EINVAL || strcmp(why.name, table[i].name) || !strstr(why.text, table[i].name) ||
            !strstr(why.text, "allowed"))
            unit_fail(__FILE__, __LINE__, "%s: %d %s: %s", table[i].text, err, why.name, why.text);
    }
    end();
}

TEST(profiles)
{
    begin();
    CHECK_INT(ask(CODEC_H264, "streamprofile=low"), 0); /* unknown: the stream settings */
    CHECK_INT(e.codec, CODEC_H264);
    CHECK_INT(e.key.width, 1920);
    CHECK(ask(CODEC_H264, "streamprofile=../low") < 0);
    CHECK_INT(why.kind, FAULT_INVALID);
    CHECK_STR(why.name, "streamprofile");
    add_profile("low", "videocodec=jpeg&resolution=640x360&fps=5&unknown=1");
    CHECK_INT(ask(CODEC_H264, "fps=7&streamprofile=low"), 0);
    CHECK_INT(e.codec, CODEC_JPEG);
    CHECK_INT(e.key.width, 640);
    CHECK_NEAR(e.fps, 7, 0); /* what is said outright wins, in whatever order */
    CHECK_INT(set("Image.I0.Stream.FPS", "10"), 0);
    CHECK_INT(set("Image.I0.Appearance.Compression", "50"), 0);
    CHECK_INT(ask(CODEC_H264, "streamprofile=low"), 0);
    CHECK_NEAR(e.fps, 5, 0);
    CHECK_INT(e.compression, 50);
    end();
}

TEST(settings_know_the_source)
{
    begin();
    CHECK_STR(request_resolutions(&cam)[0], "1920x1080");
    CHECK_INT(set("Image.I0.Appearance.Resolution", "640x360"), 0);
    CHECK_INT(ask(CODEC_H264, ""), 0);
    CHECK_INT(e.key.width, 640);
    CHECK(set("Image.I0.Appearance.Resolution", "641x360") < 0);
    CHECK(set("Image.I0.Appearance.Rotation", "45") < 0);
    CHECK(set("Image.I0.Appearance.Compression", "101") < 0);
    end();
}

TEST(points_come_back)
{
    static const int rotations[] = {0, 90, 180, 270};
    for (int i = 0; i < 8; i++) {
        struct rendition_key k = {.width = 640,
                                  .height = i & 1 ? 480 : 360,
                                  .rotation_deg = rotations[i / 2],
                                  .mirror = i & 1};
        double x = 0.3, y = 0.6;
        request_view_to_frame(&k, NULL, 16.0 / 9, &x, &y);
        request_frame_to_view(&k, NULL, 16.0 / 9, &x, &y);
        CHECK_NEAR(x, 0.3, 1e-9);
        CHECK_NEAR(y, 0.6, 1e-9);
    }
    /* Turned clockwise, the frame's top left is the picture's top right. */
    struct rendition_key k = {.width = 1080, .height = 1920, .rotation_deg = 90};
    double x = 0, y = 0;
    request_frame_to_view(&k, NULL, 16.0 / 9, &x, &y);
    CHECK_NEAR(x, 1, 1e-9);
    CHECK_NEAR(y, 0, 1e-9);
    /* 4:3 out of 16:9 loses the sides. */
    k = (struct rendition_key){.width = 640, .height = 480};
    x = 0;
    y = 0;
    request_view_to_frame(&k, NULL, 16.0 / 9, &x, &y);
    CHECK_NEAR(x, 0.125, 1e-9);
    CHECK_NEAR(y, 0, 1e-9);
    /* A view area: its middle is the picture's; what is outside of it stays outside. */
    const struct frame_part part = {0.5, 0.25, 0.25, 0.5};
    k = (struct rendition_key){.width = 320, .height = 360};
    x = y = 0.5;
    request_view_to_frame(&k, &part, 16.0 / 9, &x, &y);
    CHECK_NEAR(x, 0.625, 1e-9);
    CHECK_NEAR(y, 0.5, 1e-9);
    x = y = 0.25;
    request_frame_to_view(&k, &part, 16.0 / 9, &x, &y);
    CHECK_NEAR(x, -1, 1e-9);
    CHECK_NEAR(y, 0, 1e-9);
}

TEST(channels_have_settings_and_a_shape_of_their_own)
{
    begin();
    CHECK_INT(ask(CODEC_H264, "camera=2"), -ENOENT);
    CHECK_STR(why.name, "camera");
    CHECK(strstr(why.text, "there is 1"));
    CHECK_INT(ask(CODEC_H264, "camera=999"), -ENOENT);
    CHECK_INT(set("Image.I1.Enabled", "yes"), 0);
    CHECK_INT(set("Image.I1.Appearance.Compression", "77"), 0);
    CHECK_INT(ask(CODEC_H264, "camera=2"), 0);
    CHECK_INT(e.key.view, 2);
    CHECK_INT(e.key.width, 1920);
    CHECK_INT(e.compression, 77);
    CHECK_INT(ask(CODEC_H264, "camera=1"), 0);
    CHECK_INT(e.compression, 30);
    /* a profile may name the channel; the request knows better */
    add_profile("yard", "camera=2&fps=5");
    CHECK_INT(ask(CODEC_H264, "streamprofile=yard"), 0);
    CHECK_INT(e.key.view, 2);
    CHECK_INT(e.compression, 77);
    CHECK_INT(ask(CODEC_H264, "streamprofile=yard&camera=1"), 0);
    CHECK_INT(e.key.view, 1);
    CHECK_NEAR(e.fps, 5, 0);
    CHECK_INT(e.compression, 30);
    /* a square area is square within the size that is set, unless a size is asked for */
    CHECK_INT(set("Image.I1.Geometry.Width", "0.28125"), 0);
    CHECK_INT(ask(CODEC_H264, "camera=2"), 0);
    CHECK_INT(e.key.width, 1080);
    CHECK_INT(e.key.height, 1080);
    CHECK_INT(ask(CODEC_H264, "camera=2&resolution=640x360"), 0);
    CHECK_INT(e.key.width, 640);
    CHECK_INT(set("Image.I1.Enabled", "no"), 0);
    CHECK_INT(ask(CODEC_H264, "streamprofile=yard"), -ENOENT);
    end();
}

UNIT_MAIN(UNIT_ROW(defaults) UNIT_ROW(arguments) UNIT_ROW(equal_meanings_are_equal)
              UNIT_ROW(bad_values_name_themselves) UNIT_ROW(profiles)
                  UNIT_ROW(settings_know_the_source) UNIT_ROW(points_come_back)
                      UNIT_ROW(channels_have_settings_and_a_shape_of_their_own))
