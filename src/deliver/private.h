/* Inside deliver: one viewer seen from its two threads.
 *
 * The control loop gives orders, the sender loop obeys and tells. Orders are a wanted
 * state, not a list, so they cannot pile up: the control loop changes `orders` under the
 * lock and posts; the sender compares. News go the other way in `news` in the same
 * manner. The memory is freed on the control loop when the sender has said `gone`. */
#ifndef DELIVER_PRIVATE_H
#define DELIVER_PRIVATE_H

#include <pthread.h>
#include <sys/uio.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/loop.h"
#include "deliver/deliver.h"
#include "deliver/rtcp.h"
#include "deliver/rtp.h"
#include "deliver/sound_http.h"
#include "deliver/srtp.h"
#include "media/stream.h"

#define MAX_TRACKS VIEWER_TRACKS
#define BEHIND_NS (2 * NSEC_PER_SEC) /* older pictures are no start, and no use to the slow */
#define REPORT_NS (4 * NSEC_PER_SEC) /* between sender reports */
#define READ_PAUSE_BYTES (128 << 10) /* received and not yet taken: reading stops */
#define LANE_SLICE 128               /* viewers served in one turn, of a lane and of those paced */

/* The stream on one sender loop: wakes once for all its viewers there. */
struct lane {
    struct list in_sender;
    struct sender *sender;
    struct stream *stream;
    struct stream_wake wake;
    struct loop_post post, more; /* woken; the next slice */
    struct list tracks;
    unsigned n_tracks, todo;
    bool serving; /* not to be freed right now */
    int64_t utc_offset_ns;
};

struct sender {
    struct deliver *d;
    struct loop *loop;
    pthread_t thread;
    struct loop_post stop;
    unsigned viewers; /* control loop's */
    /* the sender loop's */
    struct list lanes, viewers_here;
    struct loop_timer tick;
    struct loop_post turn;     /* the next slice of paced pictures */
    unsigned paced;            /* sent in this one */
    uint8_t scratch[16 << 10]; /* reads */
};

struct deliver {
    struct loop *control;
    struct clock *clock;
    struct sender *senders;
    unsigned n_senders, n_viewers, max_viewers;
    struct list live, dying; /* struct viewer.in_deliver */
    struct list guests;
};

/* A wanted or obeyed track: what the sender needs. */
struct aim {
    unsigned epoch; /* raised by each change */
    struct cursor *cursor;
    struct packet *first; /* the picture to start with; NULL: wait for a key */
    struct stream *stream;
    struct srtp *srtp; /* NULL: in the clear */
    int channel;
    int64_t frame_ns; /* nominal */
};

struct track {
    struct viewer *v;
    int index;
    /* control loop's */
    struct feed *feed;
    struct srtp *srtp;
    int channel;
    bool played;
    void (*ready)(struct viewer *v, const struct viewer_join *join, void *arg);
    void *ready_arg;
    /* sender loop's */
    struct aim now;
    struct lane *lane;
    struct list in_lane;
    bool waiting;  /* for its very first key */
    bool wait_key; /* after a loss */
    int64_t due_ns, report_ns;
    uint32_t packets, octets;
};

struct ws_side;

/* What is being written: control bytes, then one picture. Frozen until all is out, as
 * TLS wants it. */
struct batch {
    struct iovec iov[5];
    int n, at;
    int paged;       /* the one whose bytes lie in pages, too; 0: none */
    off_t pages_end; /* behind them */
    struct packet *picture;
    void *own;
    struct packet_form *secret; /* encrypted for this viewer alone */
    char head[SOUND_HTTP_HEAD];
    struct track *track;
    unsigned packets;
};

struct viewer {
    struct deliver *d;
    struct sender *s;
    struct list in_deliver;
    struct viewer_desc desc; /* its strings are copies */
    struct conn *conn;
    char peer[64];
    int peer_port;
    bool closed; /* control loop's */
    struct track tracks[MAX_TRACKS];
    double loss_fraction; /* control loop's */
    uint64_t reports;     /* control loop's */
    int64_t first_age_ns; /* likewise; of the first track's first picture, −1: none yet */

    pthread_mutex_t lock;
    struct loop_post to_sender, to_control;
    struct {
        struct aim aims[MAX_TRACKS];
        bool going, close, resume; /* resume: read on */
        struct buf out;
    } orders;
    struct {
        struct buf in;
        bool eof, ended, rtcp, gone, key_wanted, paused;
        int err;
        double loss_fraction; /* with reports */
        unsigned reports;
        bool ready[MAX_TRACKS];
        unsigned ready_epoch[MAX_TRACKS];
        struct viewer_join join[MAX_TRACKS];
    } news;
    bool dirty; /* atomic: orders to look at */

    /* the sender loop's */
    struct list in_sender;
    bool attached, dead, going, want_out, reading, blocked, last;
    struct buf ctl;
    struct batch batch;
    int turn; /* track that is asked first */
    int64_t progress_ns, ends_ns;
    int64_t zero_ns; /* MP4: where this viewer's times begin; −1: not yet */
    struct ws_side *ws;
    struct loop_fd rtcp_fd;
    struct loop_timer pace;
    int64_t pace_ns;
    struct { /* the picture under way; it lies in batch.picture */
        const struct rtp_form *form;
        const struct rtp_udp *trains;
        unsigned next;
        int64_t step_ns;
    } udp;
    uint64_t pictures, rtp_packets, bytes, lost; /* atomic */
};

int sender_start(struct sender *s, struct deliver *d, unsigned index);
void sender_obey(struct loop_post *p); /* to_sender.run */
void sender_fail(struct viewer *v, int err);
void sender_tell(struct viewer *v); /* news were added */

/* Lanes: sender loop. */
int lane_join(struct track *t);
void lane_leave(struct track *t);

/* track.c: what comes next for a viewer. Sender loop. */
struct packet *track_next(struct viewer *v, struct track **ret_track); /* NULL: none now */
void track_stop(struct track *t);
void track_lost(struct track *t, uint64_t n, bool want_key);
size_t track_report(struct track *t, uint8_t ret[RTCP_MAX]); /* 0: not yet */
void track_sent(struct track *t, unsigned packets, size_t octets);
void obey_orders(struct viewer *v); /* cheap when there are none */

void pump(struct viewer *v);     /* writes while the socket takes */
void pump_udp(struct viewer *v); /* the same for UDP, paced */
void pump_paced(struct loop_timer *t);
void batch_release(struct viewer *v);

/* Only the sender loop writes, others read. */
static inline void count_add(uint64_t *counter, uint64_t n)
{
    __atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

/* Received bytes: sender loop. */
void receive_ready(void *arg, bool in, bool out);
void receive_rtcp(struct loop_fd *w, uint32_t events);
void receive_free(struct viewer *v);

/* Appends as the framing wants control bytes to look. */
void frame_control(struct buf *b, enum framing framing, const void *bytes, size_t len);
void frame_rtcp(struct buf *b, enum framing framing, int channel, const uint8_t *rtcp, size_t len);

#endif
