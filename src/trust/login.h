/* Who is asking: Digest, Basic, session cookie or the web page's form, with a
 * limit on guesses by source address and surface (SEC-04). Loop-bound. */
#ifndef TRUST_LOGIN_H
#define TRUST_LOGIN_H

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct conn;
struct exchange;
struct identity;
struct trust;

enum surface { SURFACE_HTTP, SURFACE_RTSP, SURFACE_FORM };

enum login_verdict {
    LOGIN_OK,
    LOGIN_NONE,      /* no (usable) credentials: 401 */
    LOGIN_STALE,     /* an old or used nonce, no guess: 401 with stale=TRUE */
    LOGIN_WRONG,     /* 401; counted as a guess */
    LOGIN_THROTTLED, /* too many guesses from there; nothing was checked: 429, or 503 on RTSP */
    LOGIN_BROKEN,    /* the key agent does not answer: 503 */
};

struct login_request {
    enum surface surface;
    const struct conn *conn;
    const char *method;        /* as sent */
    const char *target;        /* as sent */
    const char *scope;         /* RTSP: clean stream path; the credentials' uri path must begin
                                  with it. NULL: uri must name the target (query optional) */
    const char *authorization; /* header value or NULL */
    const char *cookie;        /* header value or NULL; counts on TLS only */
    bool tunnel;               /* RTSP through HTTP: see login_challenge() */
};
/* *ret_who is written always: nobody unless LOGIN_OK. */
enum login_verdict login_identify(struct trust *t, struct arena *arena,
                                  const struct login_request *req, struct identity *ret_who);
/* The same for an HTTP exchange: SURFACE_HTTP, its headers and target. */
enum login_verdict login_identify_exchange(struct trust *t, struct exchange *ex,
                                           struct identity *ret_who);
/* User and password in clear, from the web page's login form (SURFACE_FORM). */
enum login_verdict login_form(struct trust *t, const struct conn *conn, const char *user,
                              const char *password, struct identity *ret_who);

/* Values of WWW-Authenticate, in order, for a 401 to this connection; calls add()
 * one to three times. An answer without qop holds on the connection that was asked; for a
 * tunnel from the address that was asked, since there each request has a connection of its
 * own and GStreamer leaves out qop. */
void login_challenge(struct trust *t, enum surface surface, const struct conn *conn, bool tunnel,
                     bool stale, void (*add)(void *arg, const char *value), void *arg);
/* The same as headers of an exchange, or Retry-After when throttled. Returns the
 * status to reply with: 401, 429 or 503. */
int login_refuse_exchange(struct trust *t, struct exchange *ex, enum login_verdict verdict);
/* Whole seconds until this source may guess again; 0: now. */
int login_retry_after_s(struct trust *t, enum surface surface, const struct conn *conn);

#endif
