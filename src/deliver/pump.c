/* Writing to the sockets of viewers: one send a picture. Sender loop. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "deliver/piece.h"
#include "deliver/private.h"
#include "net/conn.h"
#include "net/limits.h"
#include "net/udp.h"
#include "net/ws.h"

#define PICTURES_A_TURN 4 /* of one viewer that catches up; then the others */
#define CATCH_UP_FACTOR 4 /* times the frame rate, over UDP */
#define SMALL 8           /* packets of parameter sets and stamps before a picture's slices */
#define BOUNDARY "--myboundary"

static const char part_end[] = "\r\n" BOUNDARY "\r\n";
static const char last_end[] = "\r\n" BOUNDARY "--\r\n";

void frame_control(struct buf *b, enum framing framing, const void *bytes, size_t len)
{
    if (framing == FRAMING_WEBSOCKET) {
        uint8_t head[10];
        buf_add(b, head, ws_header(head, WS_BINARY, len));
    }
    buf_add(b, bytes, len);
}

void frame_rtcp(struct buf *b, enum framing framing, int channel, const uint8_t *rtcp, size_t len)
{
    uint8_t frame[4 + RTCP_MAX] = {'$', (uint8_t)(channel + 1), (uint8_t)(len >> 8), (uint8_t)len};
    memcpy(frame + 4, rtcp, len);
    frame_control(b, framing, frame, 4 + len);
}

void batch_release(struct viewer *v)
{
    packet_unref(v->batch.picture);
    free(v->batch.own);
    if (v->batch.secret)
        v->batch.secret->free(v->batch.secret);
    v->batch = (struct batch){0};
    v->udp.form = NULL;
    v->udp.trains = NULL;
}

/* The packets as this viewer's track wants them; NULL: they cannot be made. */
static const struct rtp_form *form_for(struct viewer *v, struct track *t, struct packet *p)
{
    const struct rtp_form *form = rtp_form_of(t->now.stream, p);
    if (!form || !t->now.srtp)
        return form;
    struct rtp_form *secret = srtp_form(t->now.srtp, form, p, t->now.channel);
    v->batch.secret = secret ? &secret->base : NULL;
    return secret;
}

static void batch_add(struct batch *b, const void *bytes, size_t len)
{
    b->iov[b->n++] = (struct iovec){(void *)(uintptr_t)bytes, len};
}

/* Adds what many viewers are sent; through TLS each has bytes of his own. */
static void batch_add_shared(struct viewer *v, const struct track *t, struct pages *pages,
                             const void *bytes, size_t len)
{
    struct batch *b = &v->batch;
    batch_add(b, bytes, len);
    if (len < PAGES_FROM_BYTES || t->lane->n_tracks < PAGES_FROM_VIEWERS || conn_secure(v->conn))
        return;
    off_t at = pages_of(pages, bytes, len);
    if (at < 0)
        return;
    b->paged = b->n - 1;
    b->pages_end = at + (off_t)len;
}

/* ---- parts of a multipart, made once a picture ---- */

struct part_form {
    struct packet_form base;
    struct pages pages;
    size_t len;
    _Alignas(64) uint8_t bytes[]; /* the kernel copies from a cache line's start much faster */
};

static void part_free(struct packet_form *base)
{
    struct part_form *f = container_of(base, struct part_form, base);
    pages_done(&f->pages, f->len);
    free(f);
}

/* Headers, picture, and the boundary that ends it (and begins the next). */
static struct part_form *part_form_of(struct packet *p)
{
    struct packet_form *base = packet_get_form(p, PACKET_FORM_MULTIPART);
    if (base)
        return container_of(base, struct part_form, base);
    char head[80];
    size_t n = (size_t)snprintf(head, sizeof(head),
                                "Content-Type: image/jpeg\r\nContent-Length: %zu\r\n\r\n", p->len);
    size_t len = n + p->len + sizeof(part_end) - 1;
    struct part_form *f = aligned_alloc(64, (sizeof(*f) + len + 63) & ~(size_t)63);
    if (!f)
        return NULL;
    f->base.free = part_free;
    f->pages = (struct pages){0};
    f->len = len;
    memcpy(f->bytes, head, n);
    memcpy(f->bytes + n, p->bytes, p->len);
    memcpy(f->bytes + n + p->len, part_end, sizeof(part_end) - 1);
    base = packet_set_form(p, PACKET_FORM_MULTIPART, &f->base);
    return container_of(base, struct part_form, base);
}

static void count_to_last(struct viewer *v, const struct track *t)
{
    if (codec_is_sound(stream_codec(t->now.stream)))
        return;
    uint64_t sent = __atomic_load_n(&v->pictures, __ATOMIC_RELAXED) + 1;
    v->last = v->desc.max_pictures && sent >= v->desc.max_pictures;
}

/* The picture's part of the batch; false: this one cannot be sent. */
static bool add_picture(struct viewer *v, struct track *t, struct packet *p)
{
    struct batch *b = &v->batch;
    if (v->desc.framing == FRAMING_MULTIPART) {
        struct part_form *part = part_form_of(p);
        if (!part)
            return false;
        count_to_last(v, t);
        if (v->last) {
            batch_add(b, part->bytes, part->len - (sizeof(part_end) - 1));
            batch_add(b, last_end, sizeof(last_end) - 1);
        } else {
            batch_add_shared(v, t, &part->pages, part->bytes, part->len);
        }
        track_sent(t, 0, 0);
        return true;
    }
    if (v->desc.framing == FRAMING_MP4 || v->desc.framing == FRAMING_MATROSKA) {
        const struct piece_form *piece = piece_form_of(
            t->now.stream, p, v->desc.framing == FRAMING_MP4 ? CONTAINER_MP4 : CONTAINER_MATROSKA);
        if (!piece)
            return false;
        if (piece->head) { /* each viewer's times begin with his first picture */
            if (v->zero_ns < 0)
                v->zero_ns = p->time_ns - p->early_ns;
            uint8_t *head = piece_head_from(piece, v->zero_ns);
            if (!head)
                return false;
            b->own = head;
            batch_add(b, head, piece->head);
        }
        count_to_last(v, t);
        batch_add(b, piece->bytes + piece->head, piece->len - piece->head);
        track_sent(t, 0, 0);
        return true;
    }
    if (v->desc.framing == FRAMING_SOUND || v->desc.framing == FRAMING_SOUND_PARTS) {
        bool parts = v->desc.framing == FRAMING_SOUND_PARTS;
        size_t n = sound_http_head(t->now.stream, p, parts, b->head);
        if (n)
            batch_add(b, b->head, n);
        batch_add(b, p->bytes, p->len);
        if (parts)
            batch_add(b, part_end, sizeof(part_end) - 1);
        track_sent(t, 0, 0);
        return true;
    }
    const struct rtp_form *form = form_for(v, t, p);
    const uint8_t *bytes = !form         ? NULL
                           : t->now.srtp ? form->bytes
                                         : rtp_form_bytes(form, t->now.channel, &b->own);
    if (!bytes)
        return false;
    if (v->desc.framing == FRAMING_WEBSOCKET) {
        uint8_t head[10];
        size_t n = ws_header(head, WS_BINARY, form->len);
        memcpy(b->head, head, n);
        batch_add(b, b->head, n);
    }
    if (bytes == form->bytes && !t->now.srtp && v->desc.framing == FRAMING_INTERLEAVED)
        batch_add_shared(v, t, &((struct rtp_form *)(uintptr_t)form)->pages, bytes, form->len);
    else
        batch_add(b, bytes, form->len);
    track_sent(t, form->n, form->len - (size_t)form->n * (4 + RTP_HEADER));
    return true;
}

/* Puts together what is to be written next; false: nothing is. */
static bool batch_build(struct viewer *v)
{
    struct batch *b = &v->batch;
    struct track *t = NULL;
    struct packet *p;
    while ((p = track_next(v, &t))) {
        uint8_t report[RTCP_MAX];
        size_t len = framing_is_rtp(v->desc.framing) ? track_report(t, report) : 0;
        if (len)
            frame_rtcp(&v->ctl, v->desc.framing, t->now.channel, report, len);
        b->n = 1; /* the control bytes, once they are all there */
        if (add_picture(v, t, p)) {
            b->picture = p;
            break;
        }
        track_lost(t, 1, false);
        packet_unref(p);
    }
    if (v->dead)
        return false;
    if (v->ctl.err) {
        sender_fail(v, v->ctl.err);
        return false;
    }
    if (v->ctl.len) {
        b->iov[0] = (struct iovec){v->ctl.data, v->ctl.len};
        b->n = b->n ? b->n : 1;
    } else if (b->n) {
        b->at = 1;
    }
    if (b->picture && v->desc.max_ns && !v->ends_ns)
        v->ends_ns = loop_now(v->s->loop) + v->desc.max_ns;
    v->progress_ns = loop_now(v->s->loop);
    if (b->n > b->at)
        return true;
    batch_release(v);
    return false;
}

static void want_out(struct viewer *v, bool out)
{
    if (v->want_out == out)
        return;
    v->want_out = out;
    conn_want(v->conn, v->reading, out);
}

static ssize_t write_some(struct viewer *v)
{
    struct batch *b = &v->batch;
    const struct iovec *rest = &b->iov[b->at];
    int n = (b->paged > b->at ? b->paged : b->n) - b->at;
    if (b->paged && b->at == b->paged)
        return conn_write_pages(v->conn, rest->iov_base, rest->iov_len, pages_file(),
                                b->pages_end - (off_t)rest->iov_len);
    return n == 1 ? conn_write(v->conn, rest->iov_base, rest->iov_len)
                  : conn_writev(v->conn, rest, n);
}

/* False: the socket is full, or gone. */
static bool flush(struct viewer *v)
{
    struct batch *b = &v->batch;
    while (b->at < b->n) {
        ssize_t n = write_some(v);
        if (n == -EAGAIN) {
            v->blocked = true;
            want_out(v, true);
            return false;
        }
        if (n == -EINTR)
            continue;
        if (n < 0) {
            sender_fail(v, (int)n);
            return false;
        }
        v->progress_ns = loop_now(v->s->loop);
        count_add(&v->bytes, (uint64_t)n);
        for (size_t left = (size_t)n; b->at < b->n;) {
            struct iovec *iov = &b->iov[b->at];
            if (left < iov->iov_len) {
                iov->iov_base = (char *)iov->iov_base + left;
                iov->iov_len -= left;
                break;
            }
            left -= iov->iov_len;
            b->at++;
        }
    }
    buf_done(&v->ctl);
    batch_release(v);
    want_out(v, false);
    return true;
}

void pump(struct viewer *v)
{
    for (int n = 0; !v->dead; n++) {
        obey_orders(v);
        if (n == PICTURES_A_TURN) {
            loop_post(v->s->loop, &v->to_sender);
            return;
        }
        if (!v->batch.n && !batch_build(v))
            return;
        if (!flush(v))
            return;
        if (v->last || (v->ends_ns && loop_now(v->s->loop) >= v->ends_ns))
            sender_fail(v, 0);
    }
}

/* ---- UDP ---- */

static void report_udp(struct viewer *v, struct track *t)
{
    uint8_t report[RTCP_MAX];
    size_t len = track_report(t, report);
    if (len) /* lost ones come again */
        (void)!sendto(v->desc.take_udp[1], report, len, MSG_DONTWAIT | MSG_NOSIGNAL,
                      (const struct sockaddr *)&v->desc.to_rtcp, v->desc.to_len);
}

/* Sends what goes out at once: small trains and one large one. Negative errno: the
 * picture is lost. */
static int send_some(struct viewer *v)
{
    const struct udp_train *t = &v->udp.trains->train[v->udp.next];
    const unsigned left = v->udp.trains->n - v->udp.next;
    unsigned n = 0;
    for (unsigned packets = 0; n < left && packets + t[n].packets <= SMALL + RTP_TRAIN_PACKETS; n++)
        packets += t[n].packets;
    while (n) {
        int sent = udp_send_trains(v->desc.take_udp[0], t, n);
        if (sent == -ECONNREFUSED) /* an ICMP answer to an earlier one, told once */
            sent = udp_send_trains(v->desc.take_udp[0], t, n);
        if (sent < 0)
            return sent;
        for (; sent; sent--, n--, t++) {
            count_add(&v->bytes, t->len);
            v->udp.next++;
        }
    }
    return 0;
}

/* Picks the next picture; false: none, or not yet. */
static bool begin_udp(struct viewer *v)
{
    struct track *t = NULL;
    struct packet *p;
    while ((p = track_next(v, &t))) {
        int64_t now_ns = loop_now(v->s->loop);
        if (now_ns < v->pace_ns) { /* catching up, but not in one burst */
            t->now.first = p;
            loop_timer_at(v->s->loop, &v->pace, v->pace_ns);
            return false;
        }
        const struct rtp_form *form = form_for(v, t, p);
        const struct rtp_udp *trains = form ? rtp_udp_of(form) : NULL;
        if (trains) {
            report_udp(v, t);
            unsigned chunks = (form->n + RTP_TRAIN_PACKETS - 1) / RTP_TRAIN_PACKETS;
            v->batch.picture = p;
            v->batch.track = t;
            v->udp.form = form;
            v->udp.trains = trains;
            v->udp.next = 0;
            v->udp.step_ns = t->now.frame_ns / 2 / chunks;
            v->pace_ns = now_ns + t->now.frame_ns / CATCH_UP_FACTOR;
            return true;
        }
        batch_release(v); /* what was encrypted */
        track_lost(t, 1, false);
        packet_unref(p);
    }
    return false;
}

void pump_udp(struct viewer *v)
{
    while (!v->dead) {
        obey_orders(v);
        if (v->dead || v->pace.loop || (!v->udp.form && !begin_udp(v)))
            return;
        struct track *t = v->batch.track;
        int err = send_some(v);
        if (err < 0) {
            if (t->now.cursor)
                track_lost(t, 1, err == -EAGAIN || err == -ENOBUFS);
            batch_release(v);
            return;
        }
        const struct rtp_form *form = v->udp.form;
        if (v->udp.next < v->udp.trains->n) {
            loop_timer_in(v->s->loop, &v->pace, v->udp.step_ns);
            return;
        }
        track_sent(t, form->n, form->len - (size_t)form->n * (4 + RTP_HEADER));
        batch_release(v);
    }
}

void pump_paced(struct loop_timer *t)
{
    struct viewer *v = container_of(t, struct viewer, pace);
    struct sender *s = v->s;
    if (s->paced++ < LANE_SLICE) {
        pump_udp(v);
    } else { /* of hundreds whose key picture goes on now: others come between */
        loop_timer_at(s->loop, t, loop_now(s->loop));
        loop_post(s->loop, &s->turn);
    }
}
