/* From cursors to sockets: the sender loops, their viewers and the limits.
 *
 * A viewer is a cursor that writes into one socket. It lives on one of 1…cores
 * sender loops, which owns the socket from viewer_start() on: bytes that the client
 * sends come back to the control loop by a post, control bytes (RTSP replies, RTCP)
 * go out between pictures. One thread blocks nobody: a viewer whose socket is full
 * waits; when it is more than 2 s or half the window behind it loses whole pictures
 * to the next key picture, counted. No byte taken for 10 s: closed.
 *
 * Everything here is called on the control loop; callbacks come there too. */
#ifndef DELIVER_DELIVER_H
#define DELIVER_DELIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/list.h"

struct clock;
struct conn;
struct deliver;
struct fault;
struct feed;
struct loop;
struct srtp_key;
struct viewer;

struct deliver *deliver_new(struct loop *control, unsigned senders /* 0: cores */);
struct deliver *deliver_free(struct deliver *d);
void deliver_set_limits(struct deliver *d, unsigned viewers);

enum framing {
    FRAMING_INTERLEAVED, /* RTSP over TCP/TLS: '$' channel length packet */
    FRAMING_WEBSOCKET,   /* the same inside binary WebSocket messages */
    FRAMING_MULTIPART,   /* multipart/x-mixed-replace over HTTP */
    FRAMING_MP4,         /* fragments of MP4 over HTTP, one a picture (media/mux.h) */
    FRAMING_MATROSKA,    /* clusters likewise. What opens the file is the caller's to send */
    FRAMING_SOUND,       /* sound over HTTP, packet behind packet (sound_http.h) */
    FRAMING_SOUND_PARTS, /* the same as multipart; its first boundary is the caller's to send */
    FRAMING_UDP,
};
static inline bool framing_is_rtp(enum framing f)
{
    return f == FRAMING_INTERLEAVED || f == FRAMING_WEBSOCKET || f == FRAMING_UDP;
}

struct viewer_desc {
    enum framing framing;
    struct conn *take_conn; /* all but UDP; detached. The viewer frees it. */
    int take_udp[2];        /* UDP: RTP and RTCP sockets */
    struct sockaddr_storage to_rtp, to_rtcp;
    socklen_t to_len;
    const void *pending; /* bytes to send first (a 101, a reply); copied */
    size_t pending_len;
    bool secret;                          /* SRTP: reports in the clear are nobody's */
    const char *cname;                    /* RTCP */
    const char *user, *user_agent, *path; /* for streamstatus; copied */
    double fps_limit;                     /* multipart: 0 none */
    uint64_t max_pictures;                /* 0: no end */
    int64_t max_ns;                       /* 0: no end */
    /* On the control loop. bytes NULL, len 0: the client left. */
    void (*received)(struct viewer *v, const uint8_t *bytes, size_t len, void *arg);
    void (*rtcp)(struct viewer *v, void *arg); /* a receiver report came: a sign of life */
    void (*ended)(struct viewer *v, int err, void *arg); /* socket or stream is gone */
    void *arg;
};

/* FAULT_LIMIT at the viewer limit. On failure connection and sockets stay the caller's.
 * The viewer starts silent: control bytes flow, media only after viewer_play(). */
int viewer_new(struct deliver *d, const struct viewer_desc *desc, struct viewer **ret_v,
               struct fault *why);
/* Stops at once (RTCP BYE first when bye; what waits to be sent is tried once), frees;
 * callbacks no longer come. */
struct viewer *viewer_close(struct viewer *v, bool bye);
/* Borrowed, NULL for UDP: only for what never changes (peer, id, secure …). */
struct conn *viewer_conn(const struct viewer *v);

/* Bytes between pictures (one binary message on a WebSocket); copied. -EMSGSIZE past
 * LIMIT_QUEUE_BYTES. */
int viewer_send(struct viewer *v, const void *bytes, size_t len);
/* RTCP about a track that came interleaved among the received bytes. False: nonsense, ignored. */
bool viewer_rtcp_in(struct viewer *v, int track, const uint8_t *bytes, size_t len);

/* Attaches a stream (the feed is taken and closed with the viewer) as track `track`
 * on interleaved channel `channel` (RTP; RTCP on the next). Several tracks may be
 * added before play. */
int viewer_add_track(struct viewer *v, int track, struct feed *take_feed, int channel,
                     struct fault *why);
/* Of one that stays as a connection: lets go of a track, stops with the last. No-op for one that
 * it has not. */
void viewer_drop_track(struct viewer *v, int track, bool bye);
struct viewer_join {
    uint16_t seq; /* of the first packet that will be sent */
    uint32_t rtp_time;
    uint32_t ssrc;
    int64_t picture_age_ns; /* of the first picture */
};
/* Positions the cursor at the newest key picture and reports where it will start;
 * if there is none that is younger than 2 s, asks for one and waits: `ready` (may be
 * NULL) is then called on the control loop, otherwise before this returns. Nothing is
 * sent until viewer_go(), which may be called before. -EPIPE: the stream has ended. */
int viewer_play(struct viewer *v, int track,
                void (*ready)(struct viewer *v, const struct viewer_join *join, void *arg),
                void *arg);
void viewer_go(struct viewer *v);
/* The track is encrypted from its first packet on (SRTP, deliver/srtp.h): once, before it
 * plays; the viewer's description says that it is secret. theirs: the receiver's key, or NULL: its
 * reports are not understood. -ENOMEM. */
int viewer_secure_track(struct viewer *v, int track, const struct srtp_key *key,
                        const struct srtp_key *theirs);
void viewer_pause(struct viewer *v);
void viewer_request_key(struct viewer *v); /* of each track, soon */

#define VIEWER_TRACKS 4
struct viewer_stats {
    const char *user, *user_agent, *path, *transport;
    char peer[64];
    int peer_port;
    bool encrypted; /* TLS or SRTP */
    bool multicast; /* the peer is a group */
    uint64_t pictures, packets, bytes, lost_pictures;
    int64_t first_age_ns;              /* of its first picture when it began; −1: none yet */
    double loss_fraction;              /* from receiver reports … */
    uint64_t reports;                  /* … of which there were so many */
    struct feed *feeds[VIEWER_TRACKS]; /* of its tracks; borrowed, or NULL */
};
void deliver_each_viewer(struct deliver *d, void (*each)(const struct viewer_stats *s, void *arg),
                         void *arg);
/* Somebody who watches without a socket here, by requests: counts as a viewer and is listed as one.
 * The caller's memory: the caller fills in and updates the statistics, whose strings are borrowed,
 * and removes it. FAULT_LIMIT. */
struct guest {
    struct list in_deliver;
    struct deliver *deliver;
    struct viewer_stats stats;
};
int deliver_add_guest(struct deliver *d, struct guest *g, struct fault *why);
void deliver_remove_guest(struct guest *g);
unsigned deliver_viewers(struct deliver *d);
bool deliver_is_full(const struct deliver *d); /* one more would be refused */

#endif
