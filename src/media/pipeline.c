#include "media/pipeline.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "media/activity.h"
#include "media/capacity.h"
#include "media/frame.h"
#include "media/pipeline_inside.h"

#define NEARLY 0.75 /* of the pictures wanted: an estimate is no better; it is tried */

struct picture_feed {
    struct feed base;
    struct coder *coder;
};

static const struct feed_ops picture_feed_ops;

static struct coder *coder_of(struct feed *f)
{
    return container_of(f, struct picture_feed, base)->coder;
}

static void still_linger_over(struct loop_timer *t)
{
    pipeline_update_demand(container_of(t, struct pipeline, still_linger));
}

struct pipeline *pipeline_new(struct loop *loop, const struct pipeline_hooks *hooks, int width,
                              int height, double fps)
{
    struct pipeline *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->loop = loop;
    p->clock = loop_clock(loop);
    p->hooks = *hooks;
    p->width = width;
    p->height = height;
    p->fps = fps;
    p->limits.encoders = 8;
    pthread_mutex_init(&p->lock, NULL);
    list_init(&p->makers);
    list_init(&p->coders);
    list_init(&p->waiting);
    list_init(&p->dying_makers);
    list_init(&p->dying_coders);
    list_init(&p->jobs);
    p->still_linger.name = "stills linger";
    p->still_linger.fire = still_linger_over;
    if (stills_start(p) < 0)
        return pipeline_free(p);
    return p;
}

static void leave_maker(struct pipeline *p, struct maker *m)
{
    if (!m)
        return;
    pthread_mutex_lock(&p->lock);
    bool idle = --m->coders == 0;
    pthread_mutex_unlock(&p->lock);
    if (idle)
        maker_stop(m);
}

static void end_coder(struct coder *c)
{
    struct pipeline *p = c->p;
    struct maker *m = c->maker;
    coder_stop(c);
    leave_maker(p, m);
}

struct pipeline *pipeline_free(struct pipeline *p)
{
    if (!p)
        return NULL;
    while (!list_empty(&p->coders)) {
        struct coder *c = container_of(p->coders.next, struct coder, link);
        end_coder(c);
    }
    while (!list_empty(&p->dying_coders))
        coder_join(container_of(p->dying_coders.next, struct coder, link));
    while (!list_empty(&p->dying_makers))
        maker_join(container_of(p->dying_makers.next, struct maker, link));
    stills_stop(p);
    loop_timer_cancel(&p->still_linger);
    frame_unref(p->newest);
    activity_watch_free(p->watch);
    pthread_mutex_destroy(&p->lock);
    free(p);
    return NULL;
}

void pipeline_set_limits(struct pipeline *p, const struct pipeline_limits *l)
{
    p->limits = *l;
    if (p->limits.encoders > CODERS_MAX)
        p->limits.encoders = CODERS_MAX;
}

void pipeline_size(const struct pipeline *p, int *ret_width, int *ret_height, double *ret_fps)
{
    *ret_width = p->width;
    *ret_height = p->height;
    *ret_fps = p->fps;
}

void pipeline_update_demand(struct pipeline *p)
{
    bool wanted = p->n_coders || p->n_jobs_busy || p->still_linger.loop || p->kept;
    if (wanted == p->wanted)
        return;
    struct frame *stale = NULL;
    pthread_mutex_lock(&p->lock);
    p->wanted = wanted;
    if (!wanted) {
        stale = p->newest;
        p->newest = NULL;
    }
    pthread_mutex_unlock(&p->lock);
    frame_unref(stale);
    if (!wanted)
        stills_forget(p);
    if (p->hooks.demand)
        p->hooks.demand(wanted, p->hooks.arg);
}

void pipeline_keep(struct pipeline *p, bool on)
{
    p->kept = on;
    pipeline_update_demand(p);
}

void pipeline_set_patience(struct pipeline *p, int64_t ns)
{
    p->patience_ns = ns;
}

struct rendition_key pipeline_paint_key(struct pipeline *p, const struct rendition_key *asked,
                                        uint32_t id)
{
    struct rendition_key key = *asked;
    bool per_stream = false;
    key.rotation_deg = (key.rotation_deg + p->mounting_deg) % 360;
    key.overlays = 0;
    if (asked->overlays && p->hooks.paint && p->hooks.paints)
        key.overlays = p->hooks.paints(asked, &per_stream, p->hooks.arg);
    key.stream_tag = key.overlays && per_stream ? id : 0;
    return key;
}

/* Puts c behind the maker of its key, as the overlays now are. */
static int find_maker(struct pipeline *p, struct coder *c)
{
    struct rendition_key key = pipeline_paint_key(p, &c->e.key, c->id);
    struct maker *m = NULL, *before = c->maker;
    list_for_each(at, &p->makers)
    {
        struct maker *it = container_of(at, struct maker, link);
        if (rendition_key_equal(&it->key, &key))
            m = it;
    }
    if (m && m == before)
        return 0;
    if (!m)
        m = maker_new(p, &key);
    if (!m)
        return -ENOMEM;
    pthread_mutex_lock(&p->lock);
    m->coders++;
    c->maker = m;
    pthread_mutex_unlock(&p->lock);
    leave_maker(p, before);
    return 0;
}

/* Pictures of the newest frame that were made until now are not as they would be now. */
static void forget_painted(struct pipeline *p)
{
    p->epoch++;
    pthread_mutex_lock(&p->lock);
    p->stale_serial = p->newest ? p->newest->how.serial : 0;
    pthread_mutex_unlock(&p->lock);
}

void pipeline_repaint(struct pipeline *p)
{
    forget_painted(p);
    list_for_each(at, &p->coders) if (find_maker(p, container_of(at, struct coder, link)) < 0)
        log_error("media", "out of memory: a stream keeps its old overlays");
}

static void force_key(struct coder *c, int64_t now_ns)
{
    c->last_forced_ns = now_ns;
    c->force_key = true;
}

void pipeline_forget(struct pipeline *p, uint32_t masks)
{
    struct frame *stale = NULL;
    pthread_mutex_lock(&p->lock);
    p->least_masks = masks;
    if (p->newest && p->newest->how.masks < masks) {
        stale = p->newest;
        p->newest = NULL;
    }
    pthread_mutex_unlock(&p->lock);
    frame_unref(stale);
    p->epoch++; /* stills that were made, or are being made, serve nobody who asks from now on */
    list_for_each(at, &p->coders)
    {
        struct coder *c = container_of(at, struct coder, link);
        stream_forget(c->stream, masks);
        force_key(c, loop_now(p->loop));
    }
}

static void linger_over(struct loop_timer *t)
{
    struct coder *c = container_of(t, struct coder, linger);
    struct pipeline *p = c->p;
    end_coder(c);
    pipeline_update_demand(p);
}

/* Pictures a second, of H.265 with low effort. */
static double can_code(const struct pipeline *p, enum codec codec, int width, int height)
{
    if (clock_is_sim(p->clock) && p->limits.cores <= 0)
        return INFINITY;
    return capacity_fps(codec, width, height, p->limits.cores);
}

static bool is_thorough(const struct pipeline *p, const struct encoding *e)
{
    if (e->codec != CODEC_H265 || p->limits.effort != EFFORT_AUTO)
        return e->codec == CODEC_H265 && p->limits.effort == EFFORT_HIGH;
    return can_code(p, e->codec, e->key.width, e->key.height) >=
           CAPACITY_THOROUGH * (e->fps > 0 ? e->fps : p->fps);
}

double pipeline_caps(const struct pipeline *p, enum codec codec, int width, int height)
{
    bool high = codec == CODEC_H265 && p->limits.effort == EFFORT_HIGH;
    return fmin(can_code(p, codec, width, height) / (high ? CAPACITY_THOROUGH : 1), p->fps);
}

/* Every n-th picture of the source; 0: not one a second. */
static int step_of(const struct pipeline *p, const struct encoding *e)
{
    double fps = pipeline_caps(p, e->codec, e->key.width, e->key.height);
    double wanted = e->fps > 0 ? e->fps : p->fps;
    if (fps >= wanted * NEARLY)
        return 1;
    return fps < PIPELINE_FPS_LEAST ? 0 : (int)ceil(p->fps / fps - 1e-6);
}

/* The one that has lingered longest makes room. */
static bool evict_idle(struct pipeline *p)
{
    struct coder *idle = NULL;
    list_for_each(at, &p->coders)
    {
        struct coder *c = container_of(at, struct coder, link);
        if (!c->users && (!idle || c->linger.at_ns < idle->linger.at_ns))
            idle = c;
    }
    if (idle)
        end_coder(idle);
    return idle;
}

static struct coder *find_coder(struct pipeline *p, const struct encoding *e)
{
    list_for_each(at, &p->coders)
    {
        struct coder *c = container_of(at, struct coder, link);
        if (!c->ended && encoding_equal(&c->e, e))
            return c;
    }
    return NULL;
}

int pipeline_open(struct pipeline *p, const struct encoding *asked, struct feed **ret_feed,
                  struct fault *why)
{
    struct encoding e = *asked;
    int r = encoding_normalise(&e, p->fps, why);
    if (r < 0)
        return r;
    e.thorough = is_thorough(p, &e);
    struct coder *c = find_coder(p, &e);
    int step = c ? 1 : step_of(p, &e);
    if (!step)
        return fault_set(why, FAULT_LIMIT, "resolution",
                         "%s of %dx%d is more than this machine codes: not one picture a second; "
                         "ask for smaller pictures or another codec, or raise Image.MaxCores",
                         codec_name(e.codec), e.key.width, e.key.height);
    if (!c && p->n_coders >= p->limits.encoders && !evict_idle(p))
        return fault_set(why, FAULT_LIMIT, "Image.MaxEncoders",
                         "%u different streams run already; ask for one of those or raise "
                         "Image.MaxEncoders",
                         p->n_coders);
    struct picture_feed *f = calloc(1, sizeof(*f));
    if (!f)
        return fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
    f->base.ops = &picture_feed_ops;
    if (!c) {
        c = coder_new(p, &e, step);
        if (c && find_maker(p, c) < 0) {
            coder_stop(c);
            c = NULL;
        }
        if (!c) {
            free(f);
            return fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        }
        c->linger.name = "encoder linger";
        c->linger.fire = linger_over;
    }
    loop_timer_cancel(&c->linger);
    c->users++;
    p->n_feeds++;
    f->coder = c;
    *ret_feed = &f->base;
    pipeline_update_demand(p);
    return 0;
}

static void close_feed(struct feed *f)
{
    struct coder *c = coder_of(f);
    struct pipeline *p = c->p;
    p->n_feeds--;
    if (--c->users == 0 && (c->ended || loop_timer_in(p->loop, &c->linger, LINGER_NS) < 0)) {
        end_coder(c);
        pipeline_update_demand(p);
    }
    free(container_of(f, struct picture_feed, base));
}

/* One that shows this channel and goes on. */
static struct coder *find_coder_of(struct pipeline *p, int view)
{
    list_for_each(at, &p->coders)
    {
        struct coder *c = container_of(at, struct coder, link);
        if (!c->ended && c->e.key.view == view)
            return c;
    }
    return NULL;
}

void pipeline_end_view(struct pipeline *p, int view)
{
    for (struct coder *c; (c = find_coder_of(p, view));) {
        pthread_mutex_lock(&p->lock);
        c->ended = true;
        pthread_mutex_unlock(&p->lock);
        stream_end(c->stream);
        if (!c->users)
            end_coder(c);
    }
    pipeline_update_demand(p);
}

static struct stream *stream_of(struct feed *f)
{
    return coder_of(f)->stream;
}

const struct encoding *feed_encoding(struct feed *f)
{
    return &coder_of(f)->e;
}

void feed_stats(struct feed *f, struct feed_stats *ret)
{
    struct coder *c = coder_of(f);
    *ret = (struct feed_stats){
        .left_out = c->left_out,
        .lost = c->lost,
        .still = c->still_permille / 1000.0,
        .noise = c->noise_permille / 1000.0,
    };
    pthread_mutex_lock(&c->p->lock);
    ret->limit_fps = c->limit_fps;
    pthread_mutex_unlock(&c->p->lock);
    stream_stats(c->stream, &ret->stream);
}

void pipeline_set_mounting(struct pipeline *p, int rotation_deg)
{
    if (p->mounting_deg == rotation_deg)
        return;
    p->mounting_deg = rotation_deg;
    pipeline_repaint(p);
    list_for_each(at, &p->coders)
        force_key(container_of(at, struct coder, link), loop_now(p->loop));
}

static void key_time(struct loop_timer *t)
{
    struct coder *c = container_of(t, struct coder, key_timer);
    struct stream_stats st;
    stream_stats(c->stream, &st);
    if (!st.keys || st.newest_key_ns < c->key_asked_ns)
        force_key(c, loop_now(c->p->loop));
}

static void request_key(struct feed *f)
{
    struct coder *c = coder_of(f);
    if (c->e.codec == CODEC_JPEG)
        return;
    struct stream_stats st;
    stream_stats(c->stream, &st);
    if (!st.keys)
        return; /* the first picture is one */
    int64_t now_ns = loop_now(c->p->loop);
    int64_t last = st.newest_key_ns > c->last_forced_ns ? st.newest_key_ns : c->last_forced_ns;
    c->key_asked_ns = now_ns;
    if (c->key_timer.loop)
        return;
    if (now_ns - last >= NSEC_PER_SEC) {
        force_key(c, now_ns);
        return;
    }
    c->key_timer.name = "key picture";
    c->key_timer.fire = key_time;
    if (loop_timer_at(c->p->loop, &c->key_timer, last + NSEC_PER_SEC) < 0)
        force_key(c, now_ns);
}

static const struct feed_ops picture_feed_ops = {
    .close = close_feed, .stream = stream_of, .request_key = request_key};

void pipeline_stats(struct pipeline *p, struct pipeline_stats *ret)
{
    *ret = (struct pipeline_stats){
        .encoders = p->n_coders,
        .renditions = p->n_makers,
        .feeds = p->n_feeds,
        .frames = p->frames,
        .renditions_painted = p->painted,
        .pictures_coded = p->coded,
        .pictures_looked_at = p->looked,
    };
}
