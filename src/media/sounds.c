#include "media/sounds.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/list.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mailbox.h"
#include "media/sound.h"
#include "media/stream.h"

#define CODERS_MAX 16
#define LINGER_NS (5 * NSEC_PER_SEC)
#define KEEP_NS (3 * NSEC_PER_SEC)
#define CATCH_UP 10    /* blocks at once */
#define BEHIND_MOST 50 /* blocks that are made up for; after more it begins anew */

static const struct stream_window sound_window = {1u << 20, 4 * NSEC_PER_SEC};

struct sound_coder {
    struct list link; /* of sounds.coders; p->lock */
    struct sounds *s;
    struct sound_encoding e;
    struct stream *stream;
    _Atomic int refs;
    /* loop */
    unsigned users;
    struct loop_timer linger;
    /* sound thread */
    struct sound_encoder *enc;
    int64_t start_ns; /* of the first sample that was put in */
    int64_t next_ns;  /* of the one that should come */
    bool begun, gap, failed;
};

struct sound_feed {
    struct feed base;
    struct sound_coder *coder;
};

struct sounds {
    struct loop *loop;
    struct clock *clock;
    struct sounds_hooks hooks;
    struct mailbox *box;
    pthread_t thread;
    char wake; /* the one command: look at `wanted` */
    atomic_bool wanted;
    _Atomic uint64_t blocks;
    pthread_mutex_t lock;
    struct list coders;
    /* loop */
    unsigned n_coders, n_feeds;
    struct loop_timer keep;
    /* sound thread */
    bool running;
    int64_t block; /* the next one to take */
};

/* ---- the sound thread ---- */

static struct sound_coder *coder_unref(struct sound_coder *c)
{
    if (!c || --c->refs)
        return NULL;
    stream_unref(c->stream);
    sound_encoder_close(c->enc);
    free(c);
    return NULL;
}

/* Whole nanoseconds, rounded up: RTP time, which is rounded down, counts samples exactly. */
static int64_t time_of(const struct sound_coder *c, int64_t at)
{
    int64_t hz = c->e.rate_hz, seconds = at / hz, rest = at % hz;
    return c->start_ns + seconds * NSEC_PER_SEC +
           (rest * NSEC_PER_SEC + (rest > 0 ? hz - 1 : 0)) / hz;
}

static void append(void *arg, const uint8_t *bytes, size_t len, int64_t at)
{
    struct sound_coder *c = arg;
    uint8_t *copy = malloc(len ? len : 1);
    if (copy)
        memcpy(copy, bytes, len);
    struct packet *p = copy ? packet_new(copy, len, free, copy) : NULL;
    if (!p) {
        free(copy);
        c->gap = true;
        return;
    }
    p->flags = PACKET_KEY | (c->gap ? PACKET_GAP : 0);
    c->gap = false;
    p->time_ns = time_of(c, at);
    p->utc_ns = clock_utc_of(c->s->clock, p->time_ns);
    p->coded_ns = clock_now(c->s->clock);
    stream_append(c->stream, p);
}

static void code(struct sound_coder *c, const struct sound *sound)
{
    if (c->failed || (c->begun && sound->time_ns < c->next_ns)) /* time never goes back */
        return;
    if (!c->begun || sound->time_ns != c->next_ns) {
        /* It begins, or sound is missing. What the coder still holds is of before. */
        struct fault why = {0};
        if (c->begun) {
            sound_encoder_close(c->enc);
            c->enc = sound_encoder_open(&c->e, &why);
            c->gap = true;
        }
        c->begun = true;
        c->start_ns = sound->time_ns;
    }
    int err = c->enc ? sound_encoder_put(c->enc, sound->sample, SOUND_BLOCK, append, c) : -EIO;
    c->next_ns = sound->time_ns + SOUND_BLOCK_NS;
    if (err < 0) {
        log_error("media", "%s encoder: %s", codec_name(c->e.codec), strerror(-err));
        c->failed = true;
        stream_end(c->stream);
    }
}

static void distribute(struct sounds *s, const struct sound *sound)
{
    struct sound_coder *to[CODERS_MAX];
    unsigned n = 0;
    pthread_mutex_lock(&s->lock);
    list_for_each(at, &s->coders)
    {
        struct sound_coder *c = container_of(at, struct sound_coder, link);
        c->refs++;
        to[n++] = c;
    }
    pthread_mutex_unlock(&s->lock);
    for (unsigned i = 0; i < n; i++) {
        code(to[i], sound);
        coder_unref(to[i]);
    }
}

/* A device that is late by more than two blocks, and has them, catches up. */
static void take_block(struct sounds *s)
{
    int64_t asked_ns = s->block * SOUND_BLOCK_NS;
    for (int i = 0; i < CATCH_UP; i++) {
        struct sound sound = {.time_ns = asked_ns};
        if (!s->hooks.take(&sound, s->hooks.arg))
            return;
        s->blocks++;
        distribute(s, &sound);
        if (sound.time_ns + 2 * SOUND_BLOCK_NS >= asked_ns)
            return;
    }
}

static void turn(struct sounds *s, bool on)
{
    if (s->running == on)
        return;
    s->running = on;
    if (on)
        s->block = clock_now(s->clock) / SOUND_BLOCK_NS;
    if (s->hooks.demand)
        s->hooks.demand(on, s->hooks.arg);
}

/* A block is taken when its end has come. */
static int64_t due_ns(const struct sounds *s)
{
    return s->running ? (s->block + 1) * SOUND_BLOCK_NS : TIME_NEVER;
}

static void *run(void *arg)
{
    struct sounds *s = arg;
    for (;;) {
        bool closed = false;
        void *command = mailbox_take(s->box, due_ns(s), &closed);
        if (closed)
            break;
        turn(s, s->wanted);
        int64_t now_ns = clock_now(s->clock);
        if (s->running && now_ns / SOUND_BLOCK_NS - s->block > BEHIND_MOST)
            s->block = now_ns / SOUND_BLOCK_NS - 1;
        if (s->running && due_ns(s) <= now_ns) {
            take_block(s);
            s->block++;
        }
        if (command) {
            /* time must not run past the next block before we wait for it */
            mailbox_arm(s->box, due_ns(s));
            mailbox_done(s->box);
        }
    }
    turn(s, false);
    return NULL;
}

/* ---- the loop ---- */

static void update_demand(struct sounds *s)
{
    bool wanted = s->n_coders || s->keep.loop;
    if (wanted == s->wanted)
        return;
    s->wanted = wanted;
    mailbox_put(s->box, &s->wake);
}

static void kept(struct loop_timer *t)
{
    update_demand(container_of(t, struct sounds, keep));
}

struct sounds *sounds_new(struct loop *loop, const struct sounds_hooks *hooks)
{
    struct sounds *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->loop = loop;
    s->clock = loop_clock(loop);
    s->hooks = *hooks;
    s->keep = (struct loop_timer){.name = "sound level", .fire = kept};
    list_init(&s->coders);
    pthread_mutex_init(&s->lock, NULL);
    s->box = mailbox_new(s->clock, "sound", 1, NULL);
    if (!s->box || pthread_create(&s->thread, NULL, run, s)) {
        mailbox_free(s->box);
        pthread_mutex_destroy(&s->lock);
        free(s);
        return NULL;
    }
    pthread_setname_np(s->thread, "sound");
    return s;
}

static void end_coder(struct sound_coder *c)
{
    struct sounds *s = c->s;
    loop_timer_cancel(&c->linger);
    pthread_mutex_lock(&s->lock);
    list_remove(&c->link);
    pthread_mutex_unlock(&s->lock);
    s->n_coders--;
    stream_end(c->stream);
    coder_unref(c);
}

struct sounds *sounds_free(struct sounds *s)
{
    if (!s)
        return NULL;
    mailbox_close(s->box);
    pthread_join(s->thread, NULL);
    list_for_each_safe(it, &s->coders) end_coder(container_of(it, struct sound_coder, link));
    loop_timer_cancel(&s->keep);
    mailbox_free(s->box);
    pthread_mutex_destroy(&s->lock);
    free(s);
    return NULL;
}

void sounds_keep(struct sounds *s)
{
    loop_timer_in(s->loop, &s->keep, KEEP_NS);
    update_demand(s);
}

static void linger_over(struct loop_timer *t)
{
    struct sound_coder *c = container_of(t, struct sound_coder, linger);
    struct sounds *s = c->s;
    end_coder(c);
    update_demand(s);
}

static struct sound_coder *find(struct sounds *s, const struct sound_encoding *e)
{
    list_for_each(it, &s->coders)
    {
        struct sound_coder *c = container_of(it, struct sound_coder, link);
        if (sound_encoding_equal(&c->e, e))
            return c;
    }
    return NULL;
}

/* One that only lingers makes room. */
static bool evict_idle(struct sounds *s)
{
    list_for_each(it, &s->coders)
    {
        struct sound_coder *c = container_of(it, struct sound_coder, link);
        if (!c->users) {
            end_coder(c);
            return true;
        }
    }
    return false;
}

static struct sound_coder *coder_new(struct sounds *s, const struct sound_encoding *e,
                                     struct fault *why)
{
    if (s->n_coders >= CODERS_MAX && !evict_idle(s)) {
        fault_set(why, FAULT_LIMIT, "audiocodec",
                  "%d different codings of sound run already; ask for one of those", CODERS_MAX);
        return NULL;
    }
    struct sound_encoder *enc = sound_encoder_open(e, why);
    if (!enc)
        return NULL;
    struct stream_format format;
    sound_encoder_format(enc, &format);
    struct sound_coder *c = calloc(1, sizeof(*c));
    struct stream *stream = c ? stream_new(s->clock, &format, &sound_window) : NULL;
    if (!stream) {
        fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        sound_encoder_close(enc);
        free(c);
        return NULL;
    }
    *c = (struct sound_coder){.s = s,
                              .e = *e,
                              .stream = stream,
                              .refs = 1,
                              .linger = {.name = "sound coder lingers", .fire = linger_over},
                              .enc = enc};
    pthread_mutex_lock(&s->lock);
    list_append(&s->coders, &c->link);
    pthread_mutex_unlock(&s->lock);
    s->n_coders++;
    return c;
}

static void close_feed(struct feed *f)
{
    struct sound_feed *sf = container_of(f, struct sound_feed, base);
    struct sound_coder *c = sf->coder;
    struct sounds *s = c->s;
    s->n_feeds--;
    if (--c->users == 0 && loop_timer_in(s->loop, &c->linger, LINGER_NS) < 0) {
        end_coder(c);
        update_demand(s);
    }
    free(sf);
}

static struct stream *stream_of(struct feed *f)
{
    return container_of(f, struct sound_feed, base)->coder->stream;
}

static const struct feed_ops feed_ops = {.close = close_feed, .stream = stream_of};

int sounds_open(struct sounds *s, const struct sound_encoding *asked, struct feed **ret_feed,
                struct fault *why)
{
    struct sound_encoding e = *asked;
    int err = sound_encoding_normalise(&e, why);
    if (err < 0)
        return err;
    struct sound_feed *f = calloc(1, sizeof(*f));
    if (!f)
        return fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
    struct sound_coder *c = find(s, &e);
    if (!c && !(c = coder_new(s, &e, why))) {
        free(f);
        return -EAGAIN;
    }
    loop_timer_cancel(&c->linger);
    c->users++;
    s->n_feeds++;
    f->base.ops = &feed_ops;
    f->coder = c;
    *ret_feed = &f->base;
    update_demand(s);
    return 0;
}

void sounds_stats(struct sounds *s, struct sounds_stats *ret)
{
    *ret = (struct sounds_stats){.coders = s->n_coders, .feeds = s->n_feeds, .blocks = s->blocks};
}
