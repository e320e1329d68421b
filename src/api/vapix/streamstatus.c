/* streamstatus.cgi: who watches what. */
#include <string.h>

#include "api/camera.h"
#include "api/vapix/json_cgi.h"
#include "deliver/deliver.h"

struct listing {
    json_t *streams;
    int id;
};

static void add_viewer(const struct viewer_stats *s, void *arg)
{
    struct listing *l = arg;
    bool http = !strcmp(s->transport, "HTTP");
    json_array_append_new(
        l->streams,
        json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:b, s:s, s:s, s:I, s:I, s:I}",
                  "id", l->id++, "path", s->path ? s->path : "", "state", "playing", "media",
                  "video", "direction", "outgoing", "destination_address", s->peer,
                  "destination_port", s->peer_port, "stream_protocol", http ? "HTTP" : "RTP",
                  "transport_protocol", !strcmp(s->transport, "UDP") ? "UDP" : "TCP", "multicast",
                  0, "user_agent", s->user_agent ? s->user_agent : "", "user",
                  s->user ? s->user : "", "pictures", (json_int_t)s->pictures, "bytes",
                  (json_int_t)s->bytes, "lost_pictures", (json_int_t)s->lost_pictures));
}

static void get_all(struct json_call *c)
{
    struct listing l = {.streams = json_array()};
    deliver_each_viewer(c->door->cam->deliver, add_viewer, &l);
    json_call_reply(c, json_pack("{s:o}", "streams", l.streams));
}

static const struct json_method methods[] = {
    {"getAllStreams", ROLE_ADMIN, get_all},
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
