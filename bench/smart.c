/* What the smart codec saves, and what it costs in quality: the camera's own pictures (sensor,
 * eye, finishing) of a scenario, or a clip, through the pipeline into several encodings at once,
 * on simulated time. Each stream is decoded again and set against the pictures, in the boxes of
 * what moves (the world's truth; for a clip where pictures differ).
 *
 * usage: smart SCENARIO COMMANDS SECONDS ENCODING… [y4m=FILE]
 *   SCENARIO  file of assets/scenarios, or "" for nobody, or a clip (.avi); COMMANDS for the stage,
 *             ';' between. y4m: the pictures go there, too
 *   ENCODING  codec,compression,strength,gop,max_gop,min_fps,storage (max_gop, min_fps: -1 fixed)
 * Prints a JSON object a line and encoding. */
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/loop.h"
#include "conf/param.h"
#include "device/device.h"
#include "device/virtual/cast/cast.h"
#include "device/virtual/stage/stage.h"
#include "device/virtual/world.h"
#include "event/event.h"
#include "image/develop.h"
#include "image/eye.h"
#include "image/source.h"
#include "media/feed.h"
#include "media/frame.h"
#include "media/pipeline.h"

#define MOST 16
#define KEPT 64 /* pictures that wait for their decoded likeness */
#define OBJECTS 128
#define SETTLE 450 /* pictures before anything counts: the eye settles, leaves become usual */
#define LATE 24    /* pictures that may be held back at the end */
#define SCENARIO_MOST 16384

struct seen { /* a picture as it was, and where it moves */
    uint64_t serial;
    uint8_t *luma;
    uint8_t *moves; /* by 8 × 8 pixels */
    bool any, begins;
};

struct run {
    const char *name;
    struct encoding e;
    struct feed *feed;
    struct cursor *cursor;
    AVCodecContext *decoder;
    AVFrame *pic;
    uint8_t *shown; /* luma that a viewer sees now */
    uint64_t serial, pictures, keys;
    int64_t from; /* serial that comes next to be judged */
    double bytes, key_bytes, error_moving, n_moving, error_all, n_all, error_first, n_first;
    double still, noise;
    bool decoded;
    uint64_t left_out;
};

static struct clock *clk;
static struct loop *loop;
static struct conf *conf;
static struct room *eye_room;
static struct events *events;
static struct device *device;
static struct masks *masks;
static struct source *source;
static struct pipeline *line;
static struct feed *first;
static struct eye *eye;
static struct run runs[MOST];
static int n_runs, width, height;
static struct seen seen[KEPT];
static struct truth_object before[OBJECTS];
static size_t n_before;
static int64_t moved_serial = -1000;
static FILE *y4m;
static bool y4m_begun;
static long pictures; /* those before it count */

/* ---- what it really looked like ---- */

static void demand(bool wanted, void *arg)
{
    source_demand(source, wanted);
}

static unsigned paints(const struct rendition_key *key, bool *ret_per_stream, void *arg)
{
    *ret_per_stream = false;
    return OVERLAYS_ALL;
}

/* Nothing is painted: the picture is noted as it is. */
static int note(struct picture *canvas, const struct rendition_key *key,
                const struct frame_part *part, const struct capture *how,
                const struct stream_stats *stats, void *arg)
{
    struct seen *s = &seen[how->serial % KEPT];
    s->serial = how->serial;
    for (int y = 0; y < height; y++)
        memcpy(s->luma + (size_t)y * (size_t)width,
               canvas->plane[0] + (ptrdiff_t)y * canvas->stride[0], (size_t)width);
    if (y4m && how->serial >= SETTLE) {
        if (!y4m_begun)
            fprintf(y4m, "YUV4MPEG2 W%d H%d F30:1 Ip C420jpeg\n", width, height);
        y4m_begun = true;
        fprintf(y4m, "FRAME\n");
        for (int i = 0; i < 3; i++)
            for (int y = 0; y < height >> (i > 0); y++)
                fwrite(canvas->plane[i] + (ptrdiff_t)y * canvas->stride[i], 1,
                       (size_t)(width >> (i > 0)), y4m);
    }
    return height; /* what was painted before is not left to the next */
}

static const struct truth_object *was(const char *id)
{
    for (size_t i = 0; i < n_before; i++)
        if (!strcmp(before[i].id, id))
            return &before[i];
    return NULL;
}

static void mark_box(struct seen *s, const double box[4])
{
    int x0 = (int)(box[0] * width / 8), x1 = (int)ceil((box[0] + box[2]) * width / 8);
    int y0 = (int)(box[1] * height / 8), y1 = (int)ceil((box[1] + box[3]) * height / 8);
    for (int y = y0; y < y1 && y < (height + 7) / 8; y++)
        for (int x = x0; x < x1 && x < (width + 7) / 8; x++)
            s->moves[y * ((width + 7) / 8) + x] = 1;
    s->any = true;
}

/* A clip knows no truth: where it differs from the picture before by more than noise. */
static void mark_differing(struct seen *s, const struct seen *last)
{
    int across = (width + 7) / 8;
    for (int by = 0; last->serial + 1 == s->serial && by < height / 8; by++)
        for (int bx = 0; bx < width / 8; bx++) {
            unsigned sum = 0;
            for (int y = by * 8; y < by * 8 + 8; y++)
                for (int x = bx * 8; x < bx * 8 + 8; x++)
                    sum += (unsigned)abs(s->luma[y * width + x] - last->luma[y * width + x]);
            if (sum > 64 * 6) {
                s->moves[by * across + bx] = 1;
                s->any = true;
            }
        }
}

static void mark_moving(uint64_t serial)
{
    struct seen *s = &seen[serial % KEPT];
    struct truth_shot shot;
    static struct truth_object now[OBJECTS];
    memset(s->moves, 0, (size_t)((width + 7) / 8) * (size_t)((height + 7) / 8));
    s->any = s->begins = false;
    if (!device) {
        mark_differing(s, &seen[(serial + KEPT - 1) % KEPT]);
        return;
    }
    if (!device->world || !world_shot_by_serial(device->world, serial, &shot))
        return;
    size_t n = world_truth(device->world, &shot.middle, (double)width / height,
                           shot.start_ns + shot.exposure_ns / 2, shot.exposure_ns, now, OBJECTS);
    for (size_t i = 0; i < n; i++) {
        const struct truth_object *o = was(now[i].id);
        const double *b = now[i].box;
        bool moves =
            !o || fabs(o->box[0] - b[0]) * width > 0.3 || fabs(o->box[1] - b[1]) * height > 0.3;
        if (moves && now[i].visible > 0.3 && b[2] * width >= 8 && b[3] * height >= 12)
            mark_box(s, b);
    }
    memcpy(before, now, sizeof(now));
    n_before = n;
    /* movement that begins after five seconds of none */
    s->begins = s->any && (int64_t)serial - moved_serial > 150;
    if (s->any)
        moved_serial = (int64_t)serial;
}

/* ---- what the viewer sees ---- */

static void judge(struct run *r, const struct seen *s)
{
    int across = (width + 7) / 8;
    double all = 0, moving = 0, n_moving = 0;
    for (int by = 0; by < height / 8; by++)
        for (int bx = 0; bx < width / 8; bx++) {
            unsigned sum = 0;
            for (int y = 0; y < 8; y++) {
                size_t at = (size_t)(by * 8 + y) * (size_t)width + (size_t)bx * 8;
                for (int x = 0; x < 8; x++) {
                    int d = s->luma[at + (size_t)x] - r->shown[at + (size_t)x];
                    sum += (unsigned)(d * d);
                }
            }
            all += sum;
            if (s->moves[by * across + bx]) {
                moving += sum;
                n_moving += 64;
            }
        }
    r->error_all += all;
    r->n_all += (double)(width / 8 * 8) * (height / 8 * 8);
    r->error_moving += moving;
    r->n_moving += n_moving;
    if (s->begins) {
        r->error_first += moving;
        r->n_first += n_moving;
    }
}

/* Pictures up to this one were shown as the one before it. */
static void catch_up(struct run *r, uint64_t serial)
{
    for (; r->from < (int64_t)serial && r->from < pictures; r->from++) {
        const struct seen *s = &seen[r->from % KEPT];
        if (r->from >= SETTLE && s->serial == (uint64_t)r->from && r->decoded)
            judge(r, s);
    }
}

static void take_frames(struct run *r)
{
    while (avcodec_receive_frame(r->decoder, r->pic) == 0) {
        uint64_t serial = (uint64_t)r->pic->reordered_opaque;
        catch_up(r, serial);
        for (int y = 0; y < height; y++)
            memcpy(r->shown + (size_t)y * (size_t)width,
                   r->pic->data[0] + (ptrdiff_t)y * r->pic->linesize[0], (size_t)width);
        r->decoded = true;
        r->pictures += (long)serial >= SETTLE && (long)serial < pictures;
        catch_up(r, serial + 1);
    }
}

static void read_stream(struct run *r)
{
    struct packet *p;
    uint64_t lost;
    while (r->cursor->ops->next(r->cursor, &p, &lost) == 0) {
        bool key = p->flags & PACKET_KEY;
        if (p->how.serial >= SETTLE && p->how.serial < (uint64_t)pictures) {
            r->bytes += (double)p->len;
            r->keys += key;
            r->key_bytes += key ? (double)p->len : 0;
        }
        AVPacket *av = av_packet_alloc();
        if (av_new_packet(av, (int)p->len) == 0) {
            memcpy(av->data, p->bytes, p->len);
            r->decoder->reordered_opaque = (int64_t)p->how.serial;
            avcodec_send_packet(r->decoder, av);
        }
        av_packet_free(&av);
        take_frames(r);
        packet_unref(p);
    }
}

/* ---- setting up ---- */

static void *run_loop(void *arg)
{
    loop_run(loop);
    return NULL;
}

struct call {
    void (*fn)(void);
    sem_t done;
};
static void run_call(void *arg)
{
    struct call *c = arg;
    c->fn();
    sem_post(&c->done);
}
static void on_loop(void (*fn)(void))
{
    struct call c = {.fn = fn};
    sem_init(&c.done, 0, 0);
    loop_call(loop, "bench", run_call, &c);
    sem_wait(&c.done);
}

/* Something small that goes by activity, so that the pipeline looks. */
static void open_first(void)
{
    const struct encoding e = {.codec = CODEC_H264,
                               .key = {.view = 1, .width = 320, .height = 180},
                               .compression = 50,
                               .gop = 300,
                               .smart = {.strength = 10}};
    struct fault why = {0};
    if (pipeline_open(line, &e, &first, &why) < 0) {
        fprintf(stderr, "smart: %s\n", why.text);
        exit(1);
    }
}

static void open_all(void)
{
    for (int i = 0; i < n_runs; i++) {
        struct fault why = {0};
        if (pipeline_open(line, &runs[i].e, &runs[i].feed, &why) < 0) {
            fprintf(stderr, "smart: %s\n", why.text);
            exit(1);
        }
        runs[i].cursor = stream_cursor(feed_stream(runs[i].feed));
    }
}

static void close_all(void)
{
    for (int i = 0; i < n_runs; i++) {
        runs[i].cursor->ops->close(runs[i].cursor);
        feed_close(runs[i].feed);
    }
    feed_close(first);
    line = pipeline_free(line);
}

static int play(const char *path, const char *commands)
{
    static const char nobody[] = "scenario nobody\nlength 600 loop\n";
    struct fault why = {0};
    char text[SCENARIO_MOST];
    size_t len = sizeof nobody - 1;
    memcpy(text, nobody, len);
    if (*path) {
        FILE *f = fopen(path, "rb");
        len = f ? fread(text, 1, sizeof text, f) : 0;
        if (f)
            fclose(f);
    }
    if (!len || cast_load(device->cast, 0, text, len, &why))
        return fprintf(stderr, "smart: %s: %s\n", path, why.text), -1;
    if (*path)
        device->run(device, 0);
    snprintf(text, sizeof text, "%s", commands);
    for (char *rest = text, *one; (one = strsep(&rest, ";"));)
        if (*one && stage_command_text(device->stage, 0, one, &why))
            return fprintf(stderr, "smart: %s: %s\n", one, why.text), -1;
    return 0;
}

static int make_room(void)
{
    for (int i = 0; i < KEPT; i++) {
        seen[i].luma = malloc((size_t)width * (size_t)height);
        seen[i].moves = calloc((size_t)(width + 7) / 8, (size_t)(height + 7) / 8);
        seen[i].serial = UINT64_MAX;
    }
    return 0;
}

/* ---- a clip ---- */

static AVFormatContext *clip;
static AVCodecContext *clip_decoder;
static struct picture_pool *clip_pool;
static uint64_t clip_serial;

static int open_clip(const char *path)
{
    if (avformat_open_input(&clip, path, NULL, NULL) < 0 ||
        avformat_find_stream_info(clip, NULL) < 0)
        return -1;
    const AVCodecParameters *p = clip->streams[0]->codecpar;
    clip_decoder = avcodec_alloc_context3(avcodec_find_decoder(p->codec_id));
    avcodec_parameters_to_context(clip_decoder, p);
    width = p->width;
    height = p->height;
    clip_pool = picture_pool_new(width, height, false, 64);
    return avcodec_open2(clip_decoder, NULL, NULL);
}

static bool offer_clip(void)
{
    AVFrame *f = av_frame_alloc();
    AVPacket *av = av_packet_alloc();
    int err = AVERROR(EAGAIN);
    while ((err = avcodec_receive_frame(clip_decoder, f)) == AVERROR(EAGAIN)) {
        if (av_read_frame(clip, av) < 0)
            break;
        avcodec_send_packet(clip_decoder, av);
        av_packet_unref(av);
    }
    struct picture *p = err < 0 ? NULL : picture_get(clip_pool);
    if (p) {
        for (int i = 0; i < 3; i++)
            for (int y = 0; y < height >> (i > 0); y++)
                memcpy(p->plane[i] + (ptrdiff_t)y * p->stride[i],
                       f->data[i] + (ptrdiff_t)y * f->linesize[i], (size_t)(width >> (i > 0)));
        struct capture how = {.serial = clip_serial++, .start_ns = clock_now(clk)};
        clock_work_begin(clk);
        pipeline_offer(line, frame_new(p, &how));
        clock_work_end(clk);
    }
    av_packet_free(&av);
    av_frame_free(&f);
    return p;
}

static void no_demand(bool wanted, void *arg)
{
}

static int set_up(const char *scenario, const char *commands)
{
    size_t len = strlen(scenario);
    bool is_clip = len > 4 && !strcmp(scenario + len - 4, ".avi");
    struct fault why = {0};
    struct sensor_caps caps;
    const struct pipeline_hooks hooks = {
        .demand = is_clip ? no_demand : demand, .paint = note, .paints = paints};
    clk = clock_new_sim();
    loop = loop_new(clk, "bench");
    events = events_new(loop);
    if (is_clip) {
        if (open_clip(scenario) < 0)
            return fprintf(stderr, "smart: %s cannot be read\n", scenario), -1;
        line = pipeline_new(loop, &hooks, width, height, 30);
        pipeline_set_limits(line, &(struct pipeline_limits){.encoders = MOST + 1});
        return make_room();
    }
    conf = conf_new(loop, NULL, NULL);
    if (conf_add_room(conf, &eye_room_desc, &eye_room, &why) < 0 ||
        !(device = device_open("virtual", 1, clk, events, &why)))
        return fprintf(stderr, "smart: %s\n", why.text), -1;
    if (play(scenario, commands) < 0)
        return -1;
    device->sensor->ops->caps(device->sensor, &caps);
    width = caps.width;
    height = caps.height;
    masks = masks_new();
    source = source_new(clk, device->sensor, events, masks, eye_room);
    line = pipeline_new(loop, &hooks, width, height, caps.fps);
    pipeline_set_limits(line, &(struct pipeline_limits){.encoders = MOST + 1});
    const struct eye_ports ports = {device->sensor,   device->head, device->lens,
                                    device->infrared, device->led,  device->body};
    eye = eye_new(loop, clk, conf, eye_room, events, &ports);
    source_set_pipeline(source, line);
    source_set_eye(source, eye);
    return make_room();
}

static int read_encoding(const char *text, struct run *r)
{
    static const enum AVCodecID ids[] = {AV_CODEC_ID_H264, AV_CODEC_ID_NONE, AV_CODEC_ID_HEVC,
                                         AV_CODEC_ID_AV1};
    char codec[16];
    int max_gop, storage;
    double min_fps;
    r->name = text;
    r->e = (struct encoding){.key = {.view = 1, .width = width, .height = height}, .profile = 2};
    if (sscanf(text, "%15[^,],%d,%d,%d,%d,%lf,%d", codec, &r->e.compression, &r->e.smart.strength,
               &r->e.gop, &max_gop, &min_fps, &storage) != 7)
        return fprintf(stderr, "smart: %s: no encoding\n", text), -1;
    r->e.codec = !strcmp(codec, "h265")  ? CODEC_H265
                 : !strcmp(codec, "av1") ? CODEC_AV1
                                         : CODEC_H264;
    r->e.smart.dynamic_gop = max_gop > 0;
    r->e.smart.max_gop = max_gop;
    r->e.smart.dynamic_fps = min_fps >= 0;
    r->e.smart.min_fps = min_fps;
    r->e.smart.storage = storage;
    /* the first one's pictures go through note(); a canvas for all costs the same */
    r->e.key.overlays = r == runs;
    r->decoder =
        avcodec_alloc_context3(r->e.codec == CODEC_AV1 ? avcodec_find_decoder_by_name("libdav1d")
                                                       : avcodec_find_decoder(ids[r->e.codec]));
    r->decoder->thread_count = 1;
    if (!storage)
        r->decoder->flags |= AV_CODEC_FLAG_LOW_DELAY;
    r->pic = av_frame_alloc();
    r->shown = calloc((size_t)width, (size_t)height);
    return avcodec_open2(r->decoder, NULL, NULL);
}

static double psnr(double error, double n)
{
    return n > 0 ? 10 * log10(255 * 255 / (error / n + 1e-9)) : 0;
}

int main(int argc, char **argv)
{
    if (argc < 5 || argc > 4 + MOST || set_up(argv[1], argv[2]) < 0)
        return 2;
    if (!strncmp(argv[argc - 1], "y4m=", 4) && !(y4m = fopen(argv[--argc] + 4, "wb")))
        return 2;
    for (int i = 4; i < argc; i++)
        if (read_encoding(argv[i], &runs[n_runs++]) < 0)
            return 2;
    pthread_t thread;
    pthread_create(&thread, NULL, run_loop, NULL);
    on_loop(open_first);
    pictures = SETTLE + lrint(strtod(argv[3], NULL) * 30);
    uint64_t marked = 0;
    for (long k = 0; k < pictures + LATE; k++) {
        clock_advance(clk, (k + 1) * NSEC_PER_SEC / 30 - clock_now(clk));
        uint64_t newest = clip_serial;
        int64_t start_ns;
        if (clip && !offer_clip()) {
            pictures = k - LATE;
            break;
        }
        clock_wait_idle(clk);
        if (!clip)
            source_tick(source, &newest, &start_ns);
        for (; marked <= newest; marked++)
            mark_moving(marked);
        if (k == SETTLE - 1)
            on_loop(open_all);
        for (int i = 0; k >= SETTLE && i < n_runs; i++) { /* read to the last */
            struct feed_stats st;
            read_stream(&runs[i]);
            feed_stats(runs[i].feed, &st);
            runs[i].still += k < pictures ? st.still : 0;
            runs[i].left_out = st.left_out;
            runs[i].noise = st.noise;
        }
    }
    for (int i = 0; i < n_runs; i++) {
        struct run *r = &runs[i];
        if (!r->e.smart.storage)
            catch_up(r, (uint64_t)pictures);
        printf("{\"encoding\": \"%s\", \"bytes\": %.0f, \"pictures\": %lu, \"keys\": %lu, "
               "\"key_bytes\": %.0f, \"psnr_moving\": %.3f, \"psnr_first\": %.3f, "
               "\"psnr\": %.3f, \"moving\": %.5f, \"still\": %.4f, \"noise\": %.3f, \"left_out\": "
               "%lu}\n",
               r->name, r->bytes, (unsigned long)r->pictures, (unsigned long)r->keys, r->key_bytes,
               psnr(r->error_moving, r->n_moving), psnr(r->error_first, r->n_first),
               psnr(r->error_all, r->n_all), r->n_all > 0 ? r->n_moving / r->n_all : 0,
               r->still / (double)(pictures - SETTLE), r->noise, (unsigned long)r->left_out);
    }
    on_loop(close_all);
    if (y4m)
        fclose(y4m);
    if (!clip) {
        source_free(source);
        eye_free(eye);
    }
    loop_stop(loop);
    pthread_join(thread, NULL);
    return 0;
}
