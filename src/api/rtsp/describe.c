/* DESCRIBE: starts the encoder and waits, within bounds, for its parameter sets. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/request.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "door.h"
#include "group.h"
#include "media/encode.h"
#include "media/pipeline.h"
#include "net/conn.h"
#include "sdp.h"

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
    struct group_plan plan;
    struct fault why = {0};
    if (r->uri.source && group_plan(r->conn, feed_stream(r->feed), &plan, &why) < 0) {
        rtsp_reply_fault(r, &why);
        return;
    }
    double fps =
        r->encoding->fps > 0 && r->encoding->fps < source_fps ? r->encoding->fps : source_fps;
    const struct sdp_desc desc = {
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
        .group = r->uri.source ? plan.group_text : NULL,
        .group_port = r->uri.source ? plan.port : 0,
        .hops = r->uri.source ? plan.hops : 0,
        .source = r->uri.source ? plan.source_text : NULL,
    };
    if (!base || sdp_write(&sdp, &desc) < 0) {
        rtsp_reply(r, 500, "", NULL, NULL, 0);
        return;
    }
    remember(r->conn, &r->uri);
    const char *headers = arena_printf(r->ex->arena, "Content-Base: %s/\r\n", base);
    /* rtsp_reply() lets go of the feed: the encoder lingers, so that SETUP finds it running */
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
    if (request_encoding(d->cam, CODEC_H264, args, n_args, r->encoding, &view, &why) < 0) {
        rtsp_reply_fault(r, &why);
        return;
    }
    if (!view.video) {
        fault_set(&why, FAULT_UNKNOWN, "video", "there is no other medium than video");
        rtsp_reply_fault(r, &why);
        return;
    }
    struct feed *feed = NULL;
    if (pipeline_open(d->cam->pipeline, r->encoding, &feed, &why) < 0) {
        rtsp_reply_fault(r, &why);
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
