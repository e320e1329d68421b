#include "overlays.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/loop.h"
#include "conf/param.h"
#include "image/overlay.h"

#define W 1920
#define H 1080
#define MOST 400

static struct loop *loop;
static struct conf *conf;

static void committed(int err, const struct fault *why, void *arg)
{
    if (err)
        fprintf(stderr, "overlays: %s\n", why->text);
}

static void set(const char *name, const char *value)
{
    struct fault why = {0};
    unsigned index;
    struct txn *t = txn_new(conf, ~0u);
    int err = name ? txn_set(t, name, value, &why) : txn_add(t, value, &index, &why);
    if (err)
        fprintf(stderr, "overlays: %s\n", why.text);
    txn_commit(t, committed, NULL);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct overlays *begin(struct clock *clock)
{
    struct fault why = {0};
    struct room *room;
    const struct overlays_hooks none = {0};
    loop = loop_new(clock, "overlays");
    conf = conf_new(loop, NULL, NULL);
    if (conf_add_room(conf, &overlay_room_desc, &room, &why)) {
        fprintf(stderr, "overlays: %s\n", why.text);
        exit(1);
    }
    return overlays_new(loop, room, NULL, &none);
}

static void end(struct overlays *o)
{
    overlays_free(o);
    conf_free(conf);
    loop_free(loop);
}

/* Four texts and the compass, without the clock that stands there by default. */
static void set_four(void)
{
    static const char *const texts[][3] = {
        {"Pan #x tilt #y zoom #Z", "topRight", "black"},
        {"Gate 3, north yard\\nVedette", "bottomLeft", "semiTransparent"},
        {"%A %e %B %Y", "bottomRight", "transparent"},
        {"#n  #i", "left", "white"}};
    for (int i = 0; i < 4; i++) {
        char name[64];
        set(NULL, "dynamicoverlay");
        static const char *const leaf[] = {"Text", "Position", "BGColor"};
        for (int k = 0; k < 3; k++) {
            snprintf(name, sizeof name, "DynamicOverlay.O%d.%s", i, leaf[k]);
            set(name, texts[i][k]);
        }
    }
    set("Image.I0.OrientationAid.Enabled", "yes");
    set("Image.I0.Text.ClockEnabled", "no");
    set("Image.I0.Text.DateEnabled", "no");
}

/* As a rendition thread does it; rows: that were painted last time. */
static void paint(struct overlays *o, struct picture *frame, struct picture *other,
                  const struct capture *how, int *rows)
{
    const struct rendition_key key = {.view = 1, .width = W, .height = H, .overlays = OVERLAYS_ALL};
    bool per_stream;
    if (!overlays_paints(&key, &per_stream, o))
        return;
    bool coat = *rows * 8 <= H;
    struct picture *canvas = coat ? picture_coat(frame) : other;
    if (!coat)
        picture_copy_rows(canvas, frame, 0, H);
    *rows = overlays_paint(canvas, &key, &FRAME_WHOLE, how, NULL, o);
    if (coat)
        picture_unref(canvas);
}

struct four {
    struct overlays *o;
    struct picture_pool *pool;
    struct picture *other;
    int rows;
};

struct four *four_new(struct clock *clock)
{
    struct four *f = calloc(1, sizeof *f);
    f->o = begin(clock);
    set_four();
    f->pool = picture_pool_new(W, H, false, 1);
    f->other = picture_get(f->pool);
    return f;
}

void four_paint(struct four *f, struct picture *frame, const struct capture *how)
{
    paint(f->o, frame, f->other, how, &f->rows);
}

void four_free(struct four *f)
{
    end(f->o);
    picture_unref(f->other);
    picture_pool_unref(f->pool);
    free(f);
}

static void measure(struct overlays *o, const char *row, int n, double pan_step,
                    void (*tell)(const char *row, double median_ms, double mean_ms))
{
    static double samples[MOST];
    struct capture how = {.utc_ns = CLOCK_SIM_UTC_NS,
                          .pose_start = {.zoom = 1, .hfov_deg = 60, .known = true}};
    struct picture_pool *pool = picture_pool_new(W, H, true, 2);
    struct picture_pool *ours = picture_pool_new(W, H, false, 1);
    struct picture *frame = picture_get(pool), *other = picture_get(ours);
    int rows = 0;
    double sum = 0;
    n = n > MOST ? MOST : n;
    picture_fill(frame, 90, 120, 130);
    for (int i = -1; i < n; i++) { /* the first lays things out */
        how.serial++;
        how.utc_ns += NSEC_PER_SEC / 30;
        how.start_ns += NSEC_PER_SEC / 30;
        how.pose_start.pan_deg = pose_wrap_pan(how.pose_start.pan_deg + pan_step);
        how.pose_end = how.pose_start;
        int64_t began = clock_thread_cpu_ns();
        paint(o, frame, other, &how, &rows);
        double ms = (double)(clock_thread_cpu_ns() - began) / 1e6;
        if (i < 0)
            continue;
        samples[i] = ms;
        sum += ms;
    }
    qsort(samples, (size_t)n, sizeof *samples, by_value);
    tell(row, samples[n / 2], sum / n);
    picture_unref(frame);
    picture_unref(other);
    picture_pool_unref(ours);
    picture_pool_unref(pool);
}

void overlay_rows(struct clock *clock, int n,
                  void (*tell)(const char *row, double median_ms, double mean_ms))
{
    struct overlays *o = begin(clock);
    measure(o, "overlay_clock", n, 0, tell);
    set_four();
    measure(o, "overlays_4_compass_still", n, 0, tell);
    measure(o, "overlays_4_compass_moving", n, 1.3, tell);
    set("Image.I0.OrientationAid.Style", "rose");
    measure(o, "overlays_4_rose_moving", n, 1.3, tell);
    set("Image.I0.OrientationAid.Enabled", "no");
    for (int i = 0; i < 4; i++) {
        char name[64];
        snprintf(name, sizeof name, "DynamicOverlay.O%d.Visible", i);
        set(name, i ? "no" : "yes");
    }
    set("DynamicOverlay.O0.Text", "%T.%f");
    measure(o, "overlay_hundredths", n, 0, tell);
    set("DynamicOverlay.O0.Visible", "no");
    measure(o, "overlay_none", n, 0, tell);
    end(o);
}
