#include "media/stream.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/list.h"

#define RING_MIN 64
#define RING_MAX 8192 /* packets; more than any window needs */
#define RECENT 256    /* for rates over two seconds */
#define RATE_NS (2 * NSEC_PER_SEC)
#define VIDEO_CLOCK_HZ 90000
#define OPUS_CLOCK_HZ 48000 /* RFC 7587: whatever the input's rate */

struct recent {
    int64_t time_ns;
    size_t bytes;
};

struct stream {
    struct clock *clock;
    struct stream_window window;
    uint32_t ssrc, rtp_base;
    uint16_t first_seq;
    enum codec codec;
    int clock_hz;
    int refs; /* atomic */
    _Atomic unsigned readers;

    /* Serial of the packet that comes next. Written under the lock; cursors peek
     * at it without, so that looking in vain costs no lock. */
    _Atomic uint64_t head;
    _Atomic bool ended;

    pthread_mutex_t lock;
    struct packet **ring; /* packet n lies at n & (cap - 1), for n in [tail, head) */
    uint64_t cap, tail;
    bool has_key;
    uint64_t newest_key; /* valid while it is in the window */
    size_t bytes;
    uint64_t next_seq; /* RTP takes the lower 16 bits */
    struct stream_format format;
    uint32_t least_masks; /* packets with an older set are not shown */
    bool wants_key;       /* what was before is gone: only a key packet may follow */
    uint64_t total_packets, total_bytes, total_keys;
    int64_t newest_ns, newest_key_ns; /* the latest of all that came */
    unsigned gop, since_key;
    struct recent recent[RECENT];
    unsigned n_recent; /* counts on; index modulo RECENT */

    /* Waking: one thread walks the list at a time and calls without the lock. */
    pthread_mutex_t wake_lock;
    pthread_cond_t wake_idle;
    struct stream_wake *wakes, *walk_next, *walking;
    pthread_t walker;
    bool busy, again;
};

static stream_rtp_count_fn *rtp_count_fn;

void stream_set_rtp_count(stream_rtp_count_fn *count)
{
    rtp_count_fn = count;
}

struct stream *stream_new(struct clock *clock, const struct stream_format *format,
                          const struct stream_window *window)
{
    struct stream *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->cap = RING_MIN;
    s->ring = calloc(s->cap, sizeof(*s->ring));
    if (!s->ring) {
        free(s);
        return NULL;
    }
    s->clock = clock;
    s->window = *window;
    s->format = *format;
    s->codec = format->codec;
    s->clock_hz = !codec_is_sound(format->codec) ? VIDEO_CLOCK_HZ
                  : format->codec == CODEC_OPUS  ? OPUS_CLOCK_HZ
                                                 : format->rate_hz;
    s->refs = 1;
    random_bytes(&s->ssrc, sizeof(s->ssrc));
    random_bytes(&s->rtp_base, sizeof(s->rtp_base));
    random_bytes(&s->first_seq, sizeof(s->first_seq));
    s->next_seq = s->first_seq;
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->wake_lock, NULL);
    pthread_cond_init(&s->wake_idle, NULL);
    return s;
}

struct stream *stream_ref(struct stream *s)
{
    __atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
    return s;
}

struct stream *stream_unref(struct stream *s)
{
    if (!s || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL))
        return NULL;
    assert(!s->wakes);
    for (uint64_t n = s->tail; n < s->head; n++)
        packet_unref(s->ring[n & (s->cap - 1)]);
    free(s->ring);
    pthread_cond_destroy(&s->wake_idle);
    pthread_mutex_destroy(&s->wake_lock);
    pthread_mutex_destroy(&s->lock);
    free(s);
    return NULL;
}

/* ---- waking ---- */

void stream_add_wake(struct stream *s, struct stream_wake *w)
{
    pthread_mutex_lock(&s->wake_lock);
    w->next = s->wakes;
    s->wakes = w;
    pthread_mutex_unlock(&s->wake_lock);
}

void stream_remove_wake(struct stream *s, struct stream_wake *w)
{
    pthread_mutex_lock(&s->wake_lock);
    struct stream_wake **at = &s->wakes;
    while (*at && *at != w)
        at = &(*at)->next;
    if (*at) {
        *at = w->next;
        if (s->walk_next == w)
            s->walk_next = w->next;
    }
    /* being called right now: wait for that to end, unless it is itself who removes */
    while (s->walking == w && !pthread_equal(s->walker, pthread_self()))
        pthread_cond_wait(&s->wake_idle, &s->wake_lock);
    pthread_mutex_unlock(&s->wake_lock);
}

static void wake_all(struct stream *s)
{
    pthread_mutex_lock(&s->wake_lock);
    if (s->busy) {
        s->again = true; /* who walks starts over */
        pthread_mutex_unlock(&s->wake_lock);
        return;
    }
    s->busy = true;
    s->walker = pthread_self();
    do {
        s->again = false;
        for (struct stream_wake *w = s->wakes; w; w = s->walk_next) {
            s->walk_next = w->next;
            s->walking = w;
            pthread_mutex_unlock(&s->wake_lock);
            w->woken(w);
            pthread_mutex_lock(&s->wake_lock);
            s->walking = NULL;
            pthread_cond_broadcast(&s->wake_idle);
        }
    } while (s->again);
    s->walk_next = NULL;
    s->busy = false;
    pthread_mutex_unlock(&s->wake_lock);
}

/* ---- appending ---- */

static bool ring_grow(struct stream *s)
{
    if (s->cap >= RING_MAX)
        return false;
    struct packet **ring = calloc(s->cap * 2, sizeof(*ring));
    if (!ring)
        return false;
    for (uint64_t n = s->tail; n < s->head; n++)
        ring[n & (s->cap * 2 - 1)] = s->ring[n & (s->cap - 1)];
    free(s->ring);
    s->ring = ring;
    s->cap *= 2;
    return true;
}

static struct packet *pop_tail(struct stream *s)
{
    struct packet *p = s->ring[s->tail & (s->cap - 1)];
    s->ring[s->tail & (s->cap - 1)] = NULL;
    s->tail++;
    s->bytes -= p->len;
    if (s->has_key && s->newest_key < s->tail)
        s->has_key = false;
    return p;
}

static bool tail_is_too_much(const struct stream *s)
{
    if (s->head - s->tail < 2)
        return false;
    if (s->bytes > s->window.max_bytes)
        return true;
    const struct packet *p = s->ring[s->tail & (s->cap - 1)];
    return s->newest_ns - p->time_ns > s->window.max_ns && s->has_key && s->newest_key > s->tail;
}

void stream_append(struct stream *s, struct packet *take_p)
{
    struct packet *p = take_p, *full = NULL;
    int count = rtp_count_fn ? rtp_count_fn(p, s->format.codec) : 0;

    pthread_mutex_lock(&s->lock);
    if (p->how.masks < s->least_masks || (s->wants_key && !(p->flags & PACKET_KEY))) {
        pthread_mutex_unlock(&s->lock);
        packet_unref(p);
        return;
    }
    s->wants_key = false;
    p->serial = s->head;
    p->rtp_seq = (uint16_t)s->next_seq;
    p->rtp_wraps = (uint32_t)(s->next_seq >> 16);
    p->rtp_count = (uint16_t)count;
    s->next_seq += (unsigned)count;
    if (s->head - s->tail == s->cap && !ring_grow(s))
        full = pop_tail(s);
    s->ring[p->serial & (s->cap - 1)] = p;
    s->bytes += p->len;
    if (!s->total_packets || p->time_ns > s->newest_ns)
        s->newest_ns = p->time_ns;
    s->total_packets++;
    s->total_bytes += p->len;
    if (p->flags & PACKET_KEY) {
        s->has_key = true;
        s->newest_key = p->serial;
        s->newest_key_ns = p->time_ns;
        if (s->total_keys++)
            s->gop = s->since_key;
        s->since_key = 0;
    }
    s->since_key++;
    s->recent[s->n_recent++ % RECENT] = (struct recent){.time_ns = s->newest_ns, .bytes = p->len};
    s->head = p->serial + 1;
    pthread_mutex_unlock(&s->lock);
    packet_unref(full);

    for (;;) { /* freeing may call out: without the lock */
        struct packet *out[16];
        unsigned n = 0;
        pthread_mutex_lock(&s->lock);
        while (n < 16 && tail_is_too_much(s))
            out[n++] = pop_tail(s);
        pthread_mutex_unlock(&s->lock);
        for (unsigned i = 0; i < n; i++)
            packet_unref(out[i]);
        if (n < 16)
            break;
    }
    wake_all(s);
}

void stream_forget(struct stream *s, uint32_t masks)
{
    for (bool more = true; more;) {
        struct packet *out[16];
        unsigned n = 0;
        pthread_mutex_lock(&s->lock);
        s->least_masks = masks;
        while (n < 16 && s->head > s->tail && s->ring[s->tail & (s->cap - 1)]->how.masks < masks)
            out[n++] = pop_tail(s);
        if (!s->has_key) /* what stays leans on what is gone */
            s->wants_key = true;
        more = n == 16;
        pthread_mutex_unlock(&s->lock);
        for (unsigned i = 0; i < n; i++)
            packet_unref(out[i]);
    }
}

void stream_set_format(struct stream *s, const struct stream_format *f)
{
    pthread_mutex_lock(&s->lock);
    s->format = *f;
    pthread_mutex_unlock(&s->lock);
}

bool stream_get_format(struct stream *s, struct stream_format *ret)
{
    pthread_mutex_lock(&s->lock);
    *ret = s->format;
    pthread_mutex_unlock(&s->lock);
    switch (ret->codec) {
    case CODEC_H264:
        return ret->sps_len && ret->pps_len;
    case CODEC_H265:
        return ret->vps_len && ret->sps_len && ret->pps_len;
    case CODEC_AV1:
    case CODEC_AAC:
        return ret->sps_len;
    default:
        return true;
    }
}

void stream_end(struct stream *s)
{
    s->ended = true;
    wake_all(s);
}

uint32_t stream_ssrc(const struct stream *s)
{
    return s->ssrc;
}

uint16_t stream_first_seq(const struct stream *s)
{
    return s->first_seq;
}

int stream_clock_hz(const struct stream *s)
{
    return s->clock_hz;
}

enum codec stream_codec(const struct stream *s)
{
    return s->codec;
}

uint32_t stream_rtp_time(const struct stream *s, int64_t time_ns, int clock_hz)
{
    return s->rtp_base + (uint32_t)((__int128)time_ns * clock_hz / NSEC_PER_SEC);
}

static void recent_rates(const struct stream *s, int64_t now_ns, struct stream_stats *ret)
{
    unsigned have = s->n_recent < RECENT ? s->n_recent : RECENT, n = 0;
    int64_t oldest = 0;
    size_t bytes = 0, oldest_bytes = 0;
    for (unsigned i = 1; i <= have; i++) {
        const struct recent *r = &s->recent[(s->n_recent - i) % RECENT];
        if (r->time_ns <= now_ns - RATE_NS)
            break;
        oldest = r->time_ns;
        oldest_bytes = r->bytes;
        bytes += r->bytes;
        n++;
    }
    if (!n)
        return;
    int64_t span = s->newest_ns - oldest;
    if (n == 1 || span <= 0) {
        ret->fps = n / 2.0;
        ret->kbps = (double)bytes * 8 / 2000;
        return;
    }
    if (now_ns - s->newest_ns > 3 * span / (n - 1)) /* it has dried up */
        span = now_ns - oldest;
    ret->fps = (double)(n - 1) * NSEC_PER_SEC / (double)span;
    ret->kbps = (double)(bytes - oldest_bytes) * 8e6 / (double)span;
}

void stream_stats(struct stream *s, struct stream_stats *ret)
{
    int64_t now_ns = clock_now(s->clock);
    *ret = (struct stream_stats){.readers = s->readers};
    pthread_mutex_lock(&s->lock);
    ret->packets = s->total_packets;
    ret->bytes = s->total_bytes;
    ret->keys = s->total_keys;
    ret->newest_ns = s->newest_ns;
    ret->newest_key_ns = s->newest_key_ns;
    ret->window_bytes = s->bytes;
    ret->gop = s->gop > s->since_key ? s->gop : s->since_key;
    recent_rates(s, now_ns, ret);
    pthread_mutex_unlock(&s->lock);
}

/* ---- cursors over the window ---- */

struct window_cursor {
    struct cursor base;
    struct stream *stream;
    uint64_t next; /* serial */
    bool want_key; /* nothing before a key packet is of use */
};

/* First key packet at or after `from`; head if there is none. Lock held. */
static uint64_t find_key(const struct stream *s, uint64_t from)
{
    if (!s->has_key || from > s->newest_key)
        return s->head;
    uint64_t n = from > s->tail ? from : s->tail;
    while (n < s->newest_key && !(s->ring[n & (s->cap - 1)]->flags & PACKET_KEY))
        n++;
    return n;
}

static int window_next(struct cursor *base, struct packet **ret_p, uint64_t *ret_lost)
{
    struct window_cursor *c = container_of(base, struct window_cursor, base);
    struct stream *s = c->stream;
    bool ended = s->ended; /* read before head: what was appended before the end is read */
    if (c->next == s->head)
        return ended ? -EPIPE : -EAGAIN;
    uint64_t lost = 0;
    struct packet *p = NULL;
    pthread_mutex_lock(&s->lock);
    uint64_t at = c->next;
    if (at < s->tail || c->want_key) {
        at = find_key(s, at);
        lost = c->want_key ? 0 : at - c->next;
        if (at == s->head) { /* no key yet: what is lost is told with the key */
            pthread_mutex_unlock(&s->lock);
            if (c->want_key)
                c->next = at;
            return ended ? -EPIPE : -EAGAIN;
        }
    }
    p = packet_ref(s->ring[at & (s->cap - 1)]);
    pthread_mutex_unlock(&s->lock);
    c->next = at + 1;
    c->want_key = false;
    *ret_p = p;
    if (ret_lost)
        *ret_lost = lost;
    return 0;
}

static int window_seek_live(struct cursor *base)
{
    struct window_cursor *c = container_of(base, struct window_cursor, base);
    struct stream *s = c->stream;
    pthread_mutex_lock(&s->lock);
    c->next = s->has_key ? s->newest_key : s->head;
    c->want_key = true;
    pthread_mutex_unlock(&s->lock);
    return 0;
}

static int window_seek_time(struct cursor *base, int64_t time_ns)
{
    struct window_cursor *c = container_of(base, struct window_cursor, base);
    struct stream *s = c->stream;
    int r = -ENODATA;
    pthread_mutex_lock(&s->lock);
    uint64_t first = find_key(s, s->tail);
    if (first < s->head) {
        c->next = first;
        for (uint64_t n = first; n < s->head; n++) {
            const struct packet *p = s->ring[n & (s->cap - 1)];
            if (p->time_ns > time_ns)
                break;
            if (p->flags & PACKET_KEY)
                c->next = n;
        }
        c->want_key = true;
        r = 0;
    }
    pthread_mutex_unlock(&s->lock);
    return r;
}

static void window_close(struct cursor *base)
{
    struct window_cursor *c = container_of(base, struct window_cursor, base);
    c->stream->readers--;
    stream_unref(c->stream);
    free(c);
}

static const struct cursor_ops window_ops = {
    .next = window_next,
    .seek_live = window_seek_live,
    .seek_time = window_seek_time,
    .close = window_close,
};

struct cursor *stream_cursor(struct stream *s)
{
    struct window_cursor *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->base.ops = &window_ops;
    c->stream = stream_ref(s);
    s->readers++;
    window_seek_live(&c->base);
    return &c->base;
}

uint64_t cursor_skip_to_key(struct cursor *base)
{
    if (base->ops != &window_ops)
        return 0;
    struct window_cursor *c = container_of(base, struct window_cursor, base);
    struct stream *s = c->stream;
    uint64_t skipped = 0;
    pthread_mutex_lock(&s->lock);
    if (s->has_key && s->newest_key > c->next) {
        skipped = s->newest_key - c->next;
        c->next = s->newest_key;
    }
    pthread_mutex_unlock(&s->lock);
    return skipped;
}
