/* Sessions of the web page (a cookie, over TLS only) and one-time tokens for what
 * cannot send credentials (WebSockets). Kept in memory; both die with their
 * account. Loop-bound. */
#ifndef TRUST_SESSION_H
#define TRUST_SESSION_H

#include <stdbool.h>
#include <stddef.h>

struct fault;
struct identity;
struct trust;

#define SESSION_COOKIE "vedette_session"
#define SESSION_IDLE_HOURS 12
#define TOKEN_SECONDS 15
#define TOKEN_TEXT 33 /* 32 hex digits and NUL: 128 random bits */

/* FAULT_DENIED unless secure (the connection is TLS); FAULT_LIMIT when
 * LIMIT_SESSIONS are open and none of them is idle. */
int session_new(struct trust *t, const struct identity *who, bool secure,
                char ret_token[TOKEN_TEXT], struct fault *why);
/* Value of Set-Cookie that opens (token) or clears (NULL) the session. */
void session_cookie(const char *token, char *ret, size_t size);
/* cookie: value of a Cookie header; NULL is no session. Finding it keeps it alive. */
bool session_find(struct trust *t, const char *cookie, struct identity *ret_who);
void session_end(struct trust *t, const char *cookie);

enum token_purpose { TOKEN_RTSP_WEBSOCKET, TOKEN_EVENT_WEBSOCKET };
/* Valid TOKEN_SECONDS, once. At most 1024 wait; the oldest gives way. */
int token_make(struct trust *t, const struct identity *who, enum token_purpose purpose,
               char ret_token[TOKEN_TEXT]);
bool token_take(struct trust *t, enum token_purpose purpose, const char *token,
                struct identity *ret_who);

#endif
