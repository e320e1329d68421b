/* rtspwssession.cgi and wssession.cgi: one-time tokens for WebSockets, which cannot
 * send credentials from a page. */
#include "api/camera.h"
#include "api/gate.h"
#include "api/vapix/door.h"
#include "trust/session.h"

static void serve_token(struct exchange *ex, struct vapix_door *d, enum token_purpose purpose)
{
    char token[TOKEN_TEXT];
    if (token_make(d->cam->trust, &ex->who, purpose, token)) {
        gate_reply_page(ex, 503, "No token can be made right now.");
        return;
    }
    vapix_reply_text(ex, token);
}

static void serve_rtsp(struct exchange *ex, void *arg)
{
    serve_token(ex, arg, TOKEN_RTSP_WEBSOCKET);
}

static void serve_events(struct exchange *ex, void *arg)
{
    serve_token(ex, arg, TOKEN_EVENT_WEBSOCKET);
}

static const struct endpoint rows[] = {
    {.path = "/axis-cgi/rtspwssession.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_VIEWER,
     .serve = serve_rtsp,
     .doc = "one-time token for /rtsp-over-websocket"},
    {.path = "/axis-cgi/wssession.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_VIEWER,
     .serve = serve_events,
     .doc = "one-time token for /vedette/ws"},
};
const struct cgi cgi_session_tokens = {CGI_ROWS(rows)};
