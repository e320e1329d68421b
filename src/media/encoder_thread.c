#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "base/memory.h"
#include "base/thread.h"
#include "media/convert.h"
#include "media/pace.h"
#include "media/pipeline_inside.h"

#define PENDING 3        /* renditions that may wait; a slow encoder then loses the oldest */
#define CONVERTED_OUT 16 /* pictures that a codec may still hold */

/* What a stream keeps for those who join, lag or look back. */
static const struct stream_window video_window = {16u << 20, 4 * NSEC_PER_SEC};
static const struct stream_window still_window = {6u << 20, 2 * NSEC_PER_SEC};

double coder_fps(const struct coder *c)
{
    return c->limit_fps > 0 && (c->e.fps <= 0 || c->limit_fps < c->e.fps) ? c->limit_fps : c->e.fps;
}

static void tell_limit(const struct coder *c, int step)
{
    log_warn("media",
             "%s of %dx%d is more than this machine codes: it has %.3g pictures a second now; a "
             "smaller picture, H.264 or fewer streams would help",
             codec_name(c->e.codec), c->e.key.width, c->e.key.height, c->p->fps / step);
}

static void keep_up(struct coder *c, struct pace *pace, uint64_t lost)
{
    int before = pace->step, step = pace_picture(pace, clock_now(c->p->clock), lost, c->p->fps);
    if (!before || step == before)
        return;
    if (step > before)
        tell_limit(c, step);
    pthread_mutex_lock(&c->p->lock);
    c->limit_fps = step > 1 ? c->p->fps / step : 0;
    c->has_slot = false;
    pthread_mutex_unlock(&c->p->lock);
}

struct coding { /* owned by the thread */
    struct encoder *enc;
    struct stream_format format;
    struct rate rate;
    uint64_t dropped;
    uint32_t key_masks; /* of the newest picture that is a key, or will be once it is coded */
    int64_t last_ns;
    bool has_last, told;
    struct pace pace;
    struct smart_blocks blocks;
    struct picture_pool *converted;
    uint32_t look;       /* of the newest picture coded */
    int since_key, held; /* pictures: since the newest key, within the encoder */
    int64_t key_ns;
    size_t key_bytes; /* since the newest key */
};

/* Whether the picture becomes a key, other than by the interval: everything changed, too long a
 * time has passed, or the window that is kept for who joins would lose the one before. */
static bool key_is_worth_it(const struct coder *c, const struct coding *w,
                            const struct rendition *r)
{
    if (!c->e.smart.dynamic_gop || !w->has_last)
        return false;
    return smart_wants_key(&c->e.smart, r->activity, w->look, c->e.gop, w->since_key) ||
           (double)(r->how.start_ns - w->key_ns) > SMART_KEY_S * (double)NSEC_PER_SEC ||
           w->key_bytes > video_window.max_bytes / 4 * 3;
}

static void set_blocks(struct coder *c, struct coding *w, const struct rendition *r, bool key)
{
    if (!c->e.smart.strength || !w->enc->ops->blocks)
        return;
    bool spared = !key && smart_blocks_set(&w->blocks, &c->e.key, &r->part, r->activity, w->look);
    w->enc->ops->blocks(w->enc, spared ? &w->blocks : NULL);
    if (r->activity)
        c->noise_permille = (int)(1000 * r->activity->noise);
    if (!key)
        c->still_permille =
            spared ? (int)(1000LL * w->blocks.still / (w->blocks.across * w->blocks.down)) : 0;
}

/* Video has BT.709 and limited range here; sources may have others, as cameras at USB do. NULL: no
 * memory. */
static struct rendition *in_video_colours(const struct coder *c, struct coding *w,
                                          struct rendition *r)
{
    const struct picture *from = r->pixels;
    if (c->e.codec == CODEC_JPEG || (from->matrix == COLOUR_BT709 && from->range == RANGE_LIMITED))
        return rendition_ref(r);
    if (!w->converted)
        w->converted = picture_pool_new(from->width, from->height, false, CONVERTED_OUT);
    struct picture *to = w->converted ? picture_get(w->converted) : NULL;
    if (!to)
        return NULL;
    picture_convert(to, from);
    struct rendition *ret = rendition_new(to, &r->how);
    if (ret) {
        ret->part = r->part;
        ret->activity = activity_ref(r->activity);
        ret->painted = r->painted;
    }
    return ret;
}

static void code(struct coder *c, struct coding *w, struct rendition *r)
{
    /* moved from one rendition thread to another, a picture may arrive late */
    if (!w->enc || (w->has_last && r->how.start_ns <= w->last_ns))
        return;
    uint32_t least_masks = c->p->least_masks;
    if (r->how.masks < least_masks)
        return;
    if (rate_skip(&w->rate, r->how.start_ns))
        return;
    struct packet *p = NULL;
    struct stream_format format = w->format;
    bool force = atomic_exchange(&c->force_key, false) || w->key_masks < least_masks ||
                 key_is_worth_it(c, w, r);
    set_blocks(c, w, r, force || !w->has_last || w->since_key + 1 >= encoding_gop(&c->e));
    struct rendition *video = in_video_colours(c, w, r);
    int err = video ? w->enc->ops->encode(w->enc, video, force, &p, &format) : -ENOMEM;
    rendition_unref(video);
    if (err < 0) {
        if (!w->told)
            log_error("media", "%s encoder: %s", w->enc->ops->name, strerror(-err));
        w->told = true;
        return;
    }
    if (force || !w->has_last)
        w->key_masks = r->how.masks;
    w->last_ns = r->how.start_ns;
    w->has_last = true;
    w->look = r->activity ? r->activity->look : 0;
    w->since_key++;
    w->held += p ? 0 : 1;
    if (!p)
        return;
    if (p->flags & PACKET_KEY) {
        w->key_masks = p->how.masks > w->key_masks ? p->how.masks : w->key_masks;
        w->since_key = w->held;
        w->key_ns = p->how.start_ns;
        w->key_bytes = 0;
    }
    w->key_bytes += p->len;
    if (p->how.start_ns > c->shown_ns)
        c->shown_ns = p->how.start_ns;
    if (memcmp(&format, &w->format, sizeof(format))) {
        w->format = format;
        stream_set_format(c->stream, &format);
    }
    uint64_t dropped = mailbox_dropped(c->box);
    if (dropped != w->dropped)
        p->flags |= PACKET_GAP;
    c->lost = w->dropped = dropped;
    keep_up(c, &w->pace, dropped);
    p->time_ns = p->how.start_ns;
    p->utc_ns = p->how.utc_ns;
    p->coded_ns = clock_now(c->p->clock);
    c->p->coded++;
    double before = rate_coarser(&w->rate);
    rate_count(&w->rate, p->time_ns - p->early_ns, p->len, p->flags & PACKET_KEY);
    if (w->enc->ops->coarser && rate_coarser(&w->rate) != before)
        w->enc->ops->coarser(w->enc, rate_coarser(&w->rate));
    stream_append(c->stream, p);
}

static void *coder_run(void *arg)
{
    struct coder *c = arg;
    struct coding w = {.pace = {.step = c->first_step}};
    struct fault why = {0};
    thread_gives_way();
    stream_get_format(c->stream, &w.format);
    rate_init(&w.rate, &c->e.rate);
    smart_blocks_init(&w.blocks, c->e.smart.strength);
    w.enc = encoder_find(c->e.codec)->open(&c->e, c->p->fps, &why);
    if (!w.enc) {
        log_error("media", "%s", why.text);
        stream_end(c->stream);
    }
    for (;;) {
        bool closed = false;
        struct rendition *r = mailbox_take(c->box, TIME_NEVER, &closed);
        if (!r)
            break;
        code(c, &w, r);
        rendition_unref(r);
        mailbox_done(c->box);
    }
    if (w.enc)
        w.enc->ops->close(w.enc);
    smart_blocks_done(&w.blocks);
    picture_pool_unref(w.converted);
    stream_end(c->stream);
    memory_give_back();
    loop_post(c->p->loop, &c->gone);
    return NULL;
}

static void drop_rendition(void *item)
{
    rendition_unref(item);
}

static void coder_gone(struct loop_post *post)
{
    coder_join(container_of(post, struct coder, gone));
}

struct coder *coder_new(struct pipeline *p, const struct encoding *e, int step)
{
    struct coder *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    struct stream_format format = {.codec = e->codec,
                                   .width = e->key.width,
                                   .height = e->key.height,
                                   .fps = e->fps > 0 ? e->fps : p->fps};
    c->p = p;
    c->e = *e;
    c->id = ++p->next_id ? p->next_id : ++p->next_id;
    c->refs = 1;
    c->gone = (struct loop_post){.name = "encoder gone", .run = coder_gone};
    c->last_forced_ns = -NSEC_PER_SEC;
    c->first_step = step;
    if (step > 1) {
        c->limit_fps = p->fps / step;
        tell_limit(c, step);
    }
    c->box = mailbox_new(p->clock, "encoder", PENDING, drop_rendition);
    c->stream =
        stream_new(p->clock, &format, e->codec == CODEC_JPEG ? &still_window : &video_window);
    if (!c->box || !c->stream || pthread_create(&c->thread, NULL, coder_run, c)) {
        mailbox_free(c->box);
        stream_unref(c->stream);
        free(c);
        return NULL;
    }
    pthread_setname_np(c->thread, codec_name(e->codec));
    pthread_mutex_lock(&p->lock);
    list_append(&p->coders, &c->link);
    p->lookers += smart_plan_looks(&e->smart);
    pthread_mutex_unlock(&p->lock);
    p->n_coders++;
    return c;
}

struct coder *coder_ref(struct coder *c)
{
    c->refs++;
    return c;
}

struct coder *coder_unref(struct coder *c)
{
    if (!c || --c->refs)
        return NULL;
    mailbox_free(c->box);
    stream_unref(c->stream);
    free(c);
    return NULL;
}

void coder_stop(struct coder *c)
{
    struct pipeline *p = c->p;
    loop_timer_cancel(&c->linger);
    loop_timer_cancel(&c->key_timer);
    pthread_mutex_lock(&p->lock);
    list_remove(&c->link);
    p->lookers -= smart_plan_looks(&c->e.smart);
    pthread_mutex_unlock(&p->lock);
    list_append(&p->dying_coders, &c->link);
    p->n_coders--;
    mailbox_close(c->box);
}

void coder_join(struct coder *c)
{
    pthread_join(c->thread, NULL);
    loop_post_cancel(c->p->loop, &c->gone);
    list_remove(&c->link);
    coder_unref(c);
}
