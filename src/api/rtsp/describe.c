/* DESCRIBE: starts the encoder and waits, within bounds, for its parameter sets. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/request.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/fault.h"
#include "base/text.h"
#include "door.h"
#include "group.h"
#include "media/encode.h"
#include "media/pipeline.h"
#include "media/sounds.h"
#include "mikey.h"
#include "net/conn.h"
#include "sdp.h"
#include "sound/mouth.h"

static void remember(struct rtsp_conn *c, const struct rtsp_uri *uri)
{
    char *base = strdup(uri->base), *query = strdup(uri->query);
    if (!base || !query) {
        free(base);
        free(query);
        return;
    }
    free(c->described_base);
    free(c->described_query);
    c->described_base = base;
    c->described_query = query;
}

enum rtsp_medium rtsp_medium_of(struct rtsp_door *d, const struct view_args *view, int index)
{
    if (view->video && index-- == 0)
        return MEDIUM_VIDEO;
    if (view->audio && index-- == 0)
        return MEDIUM_SOUND;
    return index == 0 && mouth_may(d->cam->mouth) ? MEDIUM_BACK : MEDIUM_NONE;
}

/* Source-specific multicast: where both go. */
static int plan_groups(struct rtsp_request *r, struct group_plan *pictures,
                       struct group_plan *sound, struct fault *why)
{
    int err = r->feed ? group_plan(r->conn, feed_stream(r->feed), pictures, why) : 0;
    return err < 0 || !r->sound ? err : group_plan(r->conn, feed_stream(r->sound), sound, why);
}

int rtsp_srtp_wish(struct rtsp_conn *c, const struct arg *args, size_t n, enum srtp_wish *ret,
                   struct fault *why)
{
    const char *value = NULL;
    while (n--)
        if (!value && !strcmp(args[n].name, "srtp"))
            value = args[n].value;
    *ret = SRTP_NO;
    if (!value || !*value || !strcmp(value, "0"))
        return 0;
    *ret = strcmp(value, "mki") ? SRTP_YES : SRTP_WITH_MKI;
    if (*ret == SRTP_YES && strcmp(value, "1"))
        return fault_set(why, FAULT_INVALID, "srtp", "must be 0, 1 or mki");
    if (!conn_secure(c->conn))
        return fault_set(why, FAULT_INVALID, "srtp",
                         "its keys are told over TLS only: ask by rtsps:");
    return 0;
}

/* A new key for each track that is described. Where packets name it, it is their first. */
static void make_keys(struct rtsp_request *r, struct sdp_key ret[RTSP_TRACKS])
{
    static const uint8_t first[] = {0, 0, 0, 1};
    struct rtsp_conn *c = r->conn;
    const struct feed *feeds[] = {r->feed ? r->feed : r->sound, r->feed ? r->sound : NULL};
    for (int i = 0; i < RTSP_TRACKS; i++) {
        struct srtp_key *key = &c->srtp_key[i];
        uint8_t message[MIKEY_MAX], random[16];
        struct feed *feed = i < 2 ? (struct feed *)(uintptr_t)feeds[i] : NULL;
        c->srtp_fresh[i] = feed;
        if (!feed)
            continue;
        random_bytes(random, sizeof(random));
        random_bytes(key->bytes, sizeof(key->bytes));
        key->mki_len = r->srtp == SRTP_WITH_MKI ? sizeof(first) : 0;
        memcpy(key->mki, first, sizeof(first));
        size_t len = mikey_write(message, stream_ssrc(feed_stream(feed)), key,
                                 clock_utc(c->door->cam->clock), random);
        base64_of(key->bytes, SRTP_KEY, ret[i].sdes);
        if (key->mki_len) /* RFC 4568, 6.1: its value and length in bytes */
            text_copy(ret[i].sdes + strlen(ret[i].sdes), 5, "|1:4");
        base64_of(message, len, ret[i].mikey);
    }
}

/* format: of pictures, or NULL. */
static void reply_description(struct rtsp_request *r, const struct stream_format *format)
{
    struct rtsp_door *d = r->conn->door;
    int width, height;
    double source_fps;
    char address[64];
    BUF(sdp, 16 << 10);
    pipeline_size(d->cam->pipeline, &width, &height, &source_fps);
    conn_local_text(r->conn->conn, address, sizeof(address));
    const char *base = rtsp_base_url(r);
    struct group_plan plan = {0}, sound_plan = {0};
    struct stream_format sound;
    struct fault why = {0};
    if (r->uri.source && plan_groups(r, &plan, &sound_plan, &why) < 0) {
        rtsp_reply_fault(r, &why);
        return;
    }
    if (r->sound)
        stream_get_format(feed_stream(r->sound), &sound);
    double fps =
        r->encoding->fps > 0 && r->encoding->fps < source_fps ? r->encoding->fps : source_fps;
    struct sdp_key keys[RTSP_TRACKS] = {0};
    if (r->srtp)
        make_keys(r, keys);
    const struct sdp_desc desc = {
        .keys = r->srtp ? keys : NULL,
        .id = (uint64_t)d->cam->started_utc_ns / NSEC_PER_SEC,
        .version = ++d->sdp_version,
        .name = "Live",
        .tool = "Vedette",
        .address = address,
        .base = base ? base : "",
        .query = r->uri.query,
        .format = format,
        .encoding = r->encoding,
        .fps = fps,
        .sound = r->sound ? &sound : NULL,
        .back = r->back,
        .mounting_deg = request_source_rotation(d->cam),
        .group = r->uri.source ? plan.group_text : NULL,
        .group_port = plan.port,
        .sound_group = r->uri.source ? sound_plan.group_text : NULL,
        .sound_port = sound_plan.port,
        .hops = r->feed ? plan.hops : sound_plan.hops,
        .source = !r->uri.source ? NULL
                  : r->feed      ? plan.source_text
                                 : sound_plan.source_text,
    };
    if (!base || sdp_write(&sdp, &desc) < 0) {
        rtsp_reply(r, 500, "", NULL, NULL, 0);
        return;
    }
    remember(r->conn, &r->uri);
    const char *headers = arena_printf(r->ex->arena, "Content-Base: %s/\r\n", base);
    /* rtsp_reply() lets go of the feeds: coders linger, so that SETUP finds them running */
    rtsp_reply(r, headers ? 200 : 500, headers ? headers : "", "application/sdp", sdp.data,
               sdp.len);
}

static void stream_woken(struct stream_wake *w)
{
    struct rtsp_request *r = container_of(w, struct rtsp_request, wake);
    loop_post(r->conn->door->cam->loop, &r->woken);
}

static void look(struct rtsp_request *r)
{
    struct stream_format format;
    if (stream_get_format(feed_stream(r->feed), &format))
        reply_description(r, &format);
}

static void woken(struct loop_post *p)
{
    look(container_of(p, struct rtsp_request, woken));
}

static void lost_patience(struct loop_timer *t)
{
    struct rtsp_request *r = container_of(t, struct rtsp_request, patience);
    struct fault why = {0};
    fault_set(&why, FAULT_BUSY, NULL, "the encoder has not started yet");
    rtsp_reply_fault(r, &why);
}

static bool accepts_sdp(const char *accept)
{
    return !accept || header_has_token(accept, "application/sdp") ||
           header_has_token(accept, "*/*") || header_has_token(accept, "application/*") ||
           strchr(accept, ';'); /* with qualities: they mean SDP */
}

void rtsp_describe(struct rtsp_request *r)
{
    struct rtsp_door *d = r->conn->door;
    struct fault why = {0};
    struct arg *args;
    size_t n_args;
    struct view_args view = {0};
    if (!accepts_sdp(message_header(r->ex->msg, "Accept"))) {
        rtsp_reply(r, 406, "", NULL, NULL, 0);
        return;
    }
    r->encoding = arena_alloc(r->ex->arena, sizeof(*r->encoding));
    if (!r->encoding || rtsp_uri_args(r, &args, &n_args) < 0) {
        rtsp_reply(r, 400, "", NULL, NULL, 0);
        return;
    }
    if (rtsp_srtp_wish(r->conn, args, n_args, &r->srtp, &why) < 0) {
        rtsp_reply_fault(r, &why);
        return;
    }
    if (r->srtp && r->back) {
        fault_set(&why, FAULT_UNSUPPORTED, "srtp", "there is no back channel with SRTP");
        rtsp_reply_fault(r, &why);
        return;
    }
    if (request_encoding(d->cam, CODEC_H264, args, n_args, r->encoding, &view, &why) < 0) {
        rtsp_reply_fault(r, &why);
        return;
    }
    if (!view.video && !view.audio && !r->back) {
        fault_set(&why, FAULT_UNKNOWN, "video",
                  "neither pictures nor sound are left: let video or audio be 1");
        rtsp_reply_fault(r, &why);
        return;
    }
    struct feed *feed = NULL, *sound = NULL;
    if ((view.audio && sounds_open(d->cam->sounds, &view.sound, &sound, &why) < 0) ||
        (view.video && pipeline_open(d->cam->pipeline, r->encoding, &feed, &why) < 0)) {
        feed_close(sound);
        rtsp_reply_fault(r, &why);
        return;
    }
    r->sound = sound;
    if (!feed) { /* what sound is coded as is known at once */
        reply_description(r, NULL);
        return;
    }
    r->feed = feed;
    r->wake.woken = stream_woken;
    r->woken = (struct loop_post){.name = "rtsp describe", .run = woken};
    r->patience = (struct loop_timer){.name = "rtsp describe", .fire = lost_patience};
    r->conn->busy = r;
    loop_timer_in(d->cam->loop, &r->patience, PARAMETER_SETS_S * NSEC_PER_SEC);
    stream_add_wake(feed_stream(feed), &r->wake);
    look(r);
}
