/* Inside the RTSP door: connections, requests, sessions.
 *
 * A connection is read on the control loop until its first interleaved SETUP; then a
 * viewer of deliver has it and hands over what the client sends. A WebSocket is a
 * viewer's from the start. Sessions over TCP end with their connection; those over UDP
 * outlive it until their timeout. Loop-bound. */
#ifndef API_RTSP_DOOR_H
#define API_RTSP_DOOR_H

#include <sys/socket.h>

#include "api/camera.h"
#include "api/rtsp/rtsp.h"
#include "base/buf.h"
#include "base/list.h"
#include "base/loop.h"
#include "deliver/deliver.h"
#include "deliver/srtp.h"
#include "media/stream.h"
#include "net/exchange_private.h"
#include "transport.h"
#include "trust/accounts.h"
#include "uri.h"

#define SESSION_ID 16
#define SESSION_TIMEOUT_S 60 /* told; SESSION_GRACE_S more is waited */
#define SESSION_GRACE_S 10
#define FIRST_SETUP_S 15   /* from connecting to the first session */
#define PARAMETER_SETS_S 4 /* DESCRIBE waits for them */
#define FIRST_PICTURE_S 5  /* PLAY waits for it */
#define SESSIONS_PER_CONNECTION 8
#define RTSP_TRACKS 3 /* of a session: stream=0, 1 … in the order of the description */
#define UDP_PORT_FIRST 50000
#define UDP_PORT_LAST 54999
#define RTSP_METHODS "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER"

struct feed;
struct gate;
struct rtsp_back;
struct rtsp_group;
struct tunnel;
struct viewer;

struct rtsp_door {
    struct camera *cam;
    struct gate *gate;
    struct list conns, sessions, groups, dead;
    struct loop_post reap;
    struct account_listener accounts;
    uint64_t sdp_version;
    char cname[64];
};

/* What one SETUP made. */
struct rtsp_track {
    bool set;
    char *url; /* control URL as told */
    struct transport transport;
    uint32_t ssrc;
    struct viewer *viewer;    /* UDP: its own; TCP: the connection's; multicast: the group's */
    struct rtsp_group *group; /* multicast */
    struct rtsp_back *back;   /* the client's voice comes here; over UDP without a viewer */
};

struct rtsp_session {
    struct list in_door;
    struct rtsp_door *door;
    struct rtsp_conn *conn; /* NULL: its connection is gone (UDP) */
    char id[SESSION_ID + 1];
    char user[65];
    char peer[64];
    char *base, *query;  /* what is described there */
    bool tcp, multicast; /* how all its tracks go */
    struct rtsp_track track[RTSP_TRACKS];
    bool playing;
    int timeout_s; /* 0: never */
    int64_t last_ns;
    struct loop_timer timer;
};

/* Argument srtp= of an address. MKI: each packet names its key (RFC 3711, 3.1). */
enum srtp_wish { SRTP_NO, SRTP_YES, SRTP_WITH_MKI };

/* A request that is being answered; kept while the answer waits. */
struct rtsp_request {
    struct rtsp_conn *conn;
    struct exchange_work *work; /* owns the arena */
    struct exchange *ex;        /* in work */
    const char *cseq;
    struct rtsp_uri uri;
    int uri_status;               /* 0, or what is wrong with the target */
    struct rtsp_session *session; /* the one that it names and may use */
    bool names_session;
    enum srtp_wish srtp; /* DESCRIBE */
    bool answered;
    bool back; /* the back channel is asked for */
    /* DESCRIBE and PLAY, waiting */
    struct feed *feed, *sound; /* of pictures, of sound; NULL: none of that */
    int playing;               /* PLAY: the track that is waited for */
    struct viewer_join join[RTSP_TRACKS];
    struct stream_wake wake;
    struct loop_post woken;
    struct loop_timer patience;
    struct encoding *encoding; /* in the arena */
    struct srtp_key *theirs;   /* SETUP: of the client's reports; in the arena, or NULL */
};

struct rtsp_conn {
    struct list in_door;
    struct rtsp_door *door;
    struct conn *conn; /* also while the viewer has it: for its addresses */
    struct viewer *viewer;
    bool websocket, closing, dead, in_process;
    struct tunnel *tunnel; /* NULL: what comes in comes on conn */
    struct identity who;   /* the last one who logged in */
    char peer[64];
    struct buf in, out;
    size_t skip; /* of an interleaved frame that is too big */
    struct rtsp_request *busy;
    struct rtsp_session *tcp_session;
    unsigned sessions;
    bool had_session;
    char *described_base, *described_query;
    /* SRTP: a key for each track, made by DESCRIBE, used by one SETUP */
    struct srtp_key srtp_key[RTSP_TRACKS];
    bool srtp_fresh[RTSP_TRACKS];
    int64_t active_ns;
    struct loop_timer idle;
};

/* conn.c */
struct rtsp_conn *rtsp_conn_new(struct rtsp_door *d, struct conn *take_conn);
int rtsp_conn_to_viewer(struct rtsp_conn *c, bool websocket, const struct buf *pending,
                        const char *user, const char *user_agent, const char *path,
                        struct fault *why);
int rtsp_conn_begin(struct rtsp_conn *c); /* reads from now on; closed where that fails */
void rtsp_conn_close(struct rtsp_conn *c, const char *reason, bool bye);
void rtsp_conn_send(struct rtsp_conn *c, const void *bytes, size_t len);
void rtsp_conn_process(struct rtsp_conn *c); /* what was received */

/* request.c */
void rtsp_request_serve(struct rtsp_conn *c, struct arena *take_arena, const struct message *msg,
                        const char *body, size_t body_len);
void rtsp_request_cancel(struct rtsp_request *r); /* frees; no reply */
/* Replies in one piece and frees the request. headers: whole lines or "". */
void rtsp_reply(struct rtsp_request *r, int status, const char *headers, const char *type,
                const void *body, size_t len);
void rtsp_reply_fault(struct rtsp_request *r, const struct fault *why);
/* Without a request to speak of. */
void rtsp_reply_bare(struct rtsp_conn *c, int status);

/* describe.c, setup.c */
void rtsp_describe(struct rtsp_request *r);
void rtsp_setup(struct rtsp_request *r);
void rtsp_play(struct rtsp_request *r);
/* What stream=INDEX is, in the order of the description. */
enum rtsp_medium { MEDIUM_NONE, MEDIUM_VIDEO, MEDIUM_SOUND, MEDIUM_BACK };
struct view_args;
enum rtsp_medium rtsp_medium_of(struct rtsp_door *d, const struct view_args *view, int index);
/* Negative: it cannot be had so, and why. */
int rtsp_srtp_wish(struct rtsp_conn *c, const struct arg *args, size_t n, enum srtp_wish *ret,
                   struct fault *why);
/* Arguments of the URI; 0 or -EINVAL. */
int rtsp_uri_args(struct rtsp_request *r, struct arg **ret_args, size_t *ret_n);
const char *rtsp_base_url(struct rtsp_request *r); /* "rtsp://host/path" */

/* session.c */
struct rtsp_session *rtsp_session_new(struct rtsp_conn *c, const char *user, int timeout_s);
void rtsp_session_end(struct rtsp_session *s, const char *reason, bool bye);
struct rtsp_session *rtsp_session_find(struct rtsp_door *d, const char *header);
/* Whether this connection may use it; takes over one whose connection is gone. */
bool rtsp_session_admits(struct rtsp_session *s, struct rtsp_conn *c, const char *user);
void rtsp_session_alive(struct rtsp_session *s);
void rtsp_session_pause(struct rtsp_session *s); /* all its tracks */
void rtsp_track_clear(struct rtsp_session *s, struct rtsp_track *t, bool bye);
struct rtsp_track *rtsp_session_first(struct rtsp_session *s); /* never NULL once it is set up */
void rtsp_session_lose_conn(struct rtsp_session *s);

#endif
