/* streamstatus.cgi: who watches what, and what it really is: the frame rate, interval of keys and
 * bitrate of now, and what the smart codec spares; and what all of them cost together. */
#include <math.h>
#include <string.h>

#include "api/camera.h"
#include "api/vapix/json_cgi.h"
#include "base/clock.h"
#include "deliver/deliver.h"
#include "image/source.h"
#include "media/feed.h"
#include "media/pipeline.h"
#include "media/sound_stream.h"
#include "media/stream.h"

struct listing {
    json_t *streams;
    int id;
};

static double tenths(double v)
{
    return round(v * 10) / 10;
}

static json_t *smart_state(const struct smart_plan *p, const struct feed_stats *st)
{
    return json_pack("{s:i, s:s, s:i, s:s, s:f, s:s, s:f, s:f, s:I}", "strength", p->strength,
                     "gopmode", p->dynamic_gop ? "dynamic" : "fixed", "maxgoplength", p->max_gop,
                     "fpsmode", p->dynamic_fps ? "dynamic" : "fixed", "minfps", p->min_fps,
                     "profile", p->storage ? "storage" : "classic", "still_share", st->still,
                     "noise", st->noise, "left_out", (json_int_t)st->left_out);
}

static void add_actual(json_t *to, struct feed *feed)
{
    static const char *const mime[] = {[CODEC_H264] = "video/x-h264",
                                       [CODEC_JPEG] = "image/jpeg",
                                       [CODEC_H265] = "video/x-h265",
                                       [CODEC_AV1] = "video/x-av1"};
    const struct encoding *e = feed_encoding(feed);
    struct feed_stats st;
    feed_stats(feed, &st);
    json_object_set_new(to, "mime", json_string(mime[e->codec]));
    json_object_set_new(to, "channel", json_integer(e->key.view));
    json_t *actual = json_pack("{s:s, s:i, s:i, s:f, s:f, s:I, s:I}", "codec", codec_name(e->codec),
                               "width", e->key.width, "height", e->key.height, "fps",
                               tenths(st.stream.fps), "kbps", tenths(st.stream.kbps), "gop",
                               (json_int_t)st.stream.gop, "lost", (json_int_t)st.lost);
    if (st.limit_fps > 0) {
        json_object_set_new(actual, "limited_fps", json_real(tenths(st.limit_fps)));
        json_object_set_new(actual, "reason",
                            json_string("this machine codes no more pictures a second of this size "
                                        "and codec"));
    }
    if (e->codec != CODEC_JPEG)
        json_object_set_new(actual, "smart", smart_state(&e->smart, &st));
    json_object_set_new(to, "actual", actual);
}

static void add_sound(json_t *to, const struct stream_format *f)
{
    const struct sound_code code = {
        .codec = f->codec, .rate_hz = f->rate_hz, .channels = f->channels, .bitrate = f->bitrate};
    char type[48];
    json_object_set_new(to, "mime", json_string(sound_stream_type(&code, type)));
    json_object_set_new(to, "actual",
                        json_pack("{s:s, s:i, s:i, s:f}", "codec", codec_name(f->codec), "rate",
                                  f->rate_hz, "channels", f->channels, "kbps",
                                  tenths(f->bitrate / 1000.0)));
}

static bool is_sound(struct feed *feed)
{
    return codec_is_sound(stream_codec(feed_stream(feed)));
}

/* feed NULL: it has been set up and waits. */
static void add_stream(struct listing *l, const struct viewer_stats *s, struct feed *feed,
                       bool first)
{
    bool sound = feed && is_sound(feed);
    json_t *one = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:b, s:b, s:s, s:s}",
                            "id", l->id++, "path", s->path ? s->path : "", "state", "playing",
                            "media", sound ? "audio" : "video", "direction", "outgoing",
                            "destination_address", s->peer, "destination_port", s->peer_port,
                            "stream_protocol", !strcmp(s->transport, "HTTP") ? "HTTP" : "RTP",
                            "transport_protocol", !strcmp(s->transport, "UDP") ? "UDP" : "TCP",
                            "multicast", s->multicast, "encrypted", s->encrypted, "user_agent",
                            s->user_agent ? s->user_agent : "", "user", s->user ? s->user : "");
    if (first) { /* what is counted by connection */
        json_object_set_new(one, "pictures", json_integer((json_int_t)s->pictures));
        json_object_set_new(one, "bytes", json_integer((json_int_t)s->bytes));
        json_object_set_new(one, "lost_pictures", json_integer((json_int_t)s->lost_pictures));
        json_object_set_new(one, "receiver_reports", json_integer((json_int_t)s->reports));
        json_object_set_new(one, "receiver_loss", json_real(s->loss_fraction));
    }
    struct stream_format f;
    if (sound && stream_get_format(feed_stream(feed), &f))
        add_sound(one, &f);
    else if (feed && !sound)
        add_actual(one, feed);
    if (feed && !sound && first && s->first_age_ns >= 0)
        json_object_set_new(one, "first_picture_age_ms",
                            json_integer(s->first_age_ns / NSEC_PER_MSEC));
    json_array_append_new(l->streams, one);
}

/* One entry for each medium that a viewer gets. */
static void add_viewer(const struct viewer_stats *s, void *arg)
{
    bool first = true;
    for (int i = 0; i < VIEWER_TRACKS; i++) {
        if (!s->feeds[i])
            continue;
        add_stream(arg, s, s->feeds[i], first);
        first = false;
    }
    if (first)
        add_stream(arg, s, NULL, true);
}

static void get_all(struct json_call *c)
{
    struct listing l = {.streams = json_array()};
    deliver_each_viewer(c->door->cam->deliver, add_viewer, &l);
    json_call_reply(c, json_pack("{s:o}", "streams", l.streams));
}

/* What all streams together cost: counts since the start, and what runs now. */
static void get_work(struct json_call *c)
{
    struct camera *cam = c->door->cam;
    struct pipeline_stats p;
    struct source_stats s = {0};
    pipeline_stats(cam->pipeline, &p);
    if (cam->source)
        source_stats(cam->source, &s);
    json_call_reply(c, json_pack("{s:I, s:I, s:I, s:I, s:I, s:i, s:i, s:i}", "pictures_taken",
                                 (json_int_t)s.shots, "pictures_developed", (json_int_t)p.frames,
                                 "pictures_looked_at", (json_int_t)p.pictures_looked_at,
                                 "pictures_painted", (json_int_t)p.renditions_painted,
                                 "pictures_coded", (json_int_t)p.pictures_coded, "renditions",
                                 (int)p.renditions, "encoders", (int)p.encoders, "users",
                                 (int)p.feeds));
}

static const struct json_method methods[] = {
    {"getAllStreams", ROLE_ADMIN, get_all},
    {"getWork", ROLE_ADMIN, get_work},
    {"getSupportedVersions", ROLE_ADMIN, json_serve_versions},
};
static const struct json_cgi api = {"1.0", &json_family_b, methods,
                                    sizeof methods / sizeof *methods};

static void serve(struct exchange *ex, void *arg)
{
    json_cgi_serve(&api, ex, arg);
}

static const struct endpoint rows[] = {
    {.path = "/axis-cgi/streamstatus.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_ADMIN,
     .serve = serve,
     .doc = "who watches what (JSON)"},
};
const struct cgi cgi_streamstatus = {CGI_ROWS(rows)};
