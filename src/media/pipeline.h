/* From frames to streams: who asks for what, shared.
 *
 * The source thread offers frames; each rendition key in demand has a thread that
 * scales and paints, each distinct encoding an encoder thread and a stream. Equal
 * requests share. An encoder lingers 5 s after its last user. Nothing runs that
 * nobody watches: demand(true/false) starts and stops the source. Loop-bound but
 * for pipeline_offer(). */
#ifndef MEDIA_PIPELINE_H
#define MEDIA_PIPELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "media/encode.h"
#include "media/feed.h"

struct fault;
struct frame;
struct loop;
struct pipeline;

struct pipeline_hooks {
    /* Somebody wants pictures, or nobody does any more. On the loop. */
    void (*demand)(bool wanted, void *arg);
    /* Paints overlays onto a fresh picture (rendition thread). `stats` are those of
     * the one stream when the key carries a stream_tag, else NULL. Returns on how
     * many rows it painted. */
    int (*paint)(struct picture *canvas, const struct rendition_key *key,
                 const struct frame_part *part, const struct capture *how,
                 const struct stream_stats *stats, void *arg);
    /* Of the key's overlay set, the classes of which paint() will show anything (0: the frame
     * itself serves). And does its text name figures of a stream? Any thread. */
    unsigned (*paints)(const struct rendition_key *key, bool *ret_per_stream, void *arg);
    /* What each channel shows of the frame taken then, [channel - 1]: of those that are there;
     * the others stay as they are. Source thread. NULL: all show the whole. */
    void (*parts)(int64_t start_ns, struct frame_part part[VIEWS_MOST], void *arg);
    void *arg;
};

/* What H.265 may cost. High takes 1.7 times the processor of low, and is smaller than H.264,
 * which low is not; auto: high for streams that this machine is thought to keep up with. */
enum effort { EFFORT_AUTO, EFFORT_LOW, EFFORT_HIGH };

struct pipeline_limits {
    enum effort effort;
    unsigned encoders;
    double cores; /* that one encoder may count on (capacity.h); 0: all of the machine's */
};

/* width, height, fps: of the source's frames. */
struct pipeline *pipeline_new(struct loop *loop, const struct pipeline_hooks *hooks, int width,
                              int height, double fps);
/* After the source, so that nobody offers any more, and after all feeds are closed. */
struct pipeline *pipeline_free(struct pipeline *p);
void pipeline_set_limits(struct pipeline *p, const struct pipeline_limits *l);
/* How long a still waits for a picture that is not `settling`; 0, as at first: not at all. */
void pipeline_set_patience(struct pipeline *p, int64_t ns);
/* Pictures are wanted, whether or not anybody gets them. */
void pipeline_keep(struct pipeline *p, bool on);
void pipeline_size(const struct pipeline *p, int *ret_width, int *ret_height, double *ret_fps);

/* How the camera hangs: 0 or 180 degrees, beside what a key asks for. All pictures from the next
 * frame on, also of streams that run: those start it with a key picture. */
void pipeline_set_mounting(struct pipeline *p, int rotation_deg);

void pipeline_offer(struct pipeline *p, struct frame *take_f); /* source thread */
/* The overlays' looks changed: renditions are painted anew from the next frame. */
void pipeline_repaint(struct pipeline *p);

/* Pictures covered with an older set of masks than this leave no more: kept and queued ones are
 * dropped, streams go on with a key picture of a new one. On the loop. */
void pipeline_forget(struct pipeline *p, uint32_t masks);

/* There is no channel `view` any more: its streams end now (their viewers find the end of the
 * stream), and who opens one later gets a new one. On the loop. */
void pipeline_end_view(struct pipeline *p, int view);

/* Pictures a second that this machine is thought to code, at most the source's; less than
 * PIPELINE_FPS_LEAST is refused. On simulated time, which waits, all unless limits.cores is set. */
#define PIPELINE_FPS_LEAST 1.0
double pipeline_caps(const struct pipeline *p, enum codec codec, int width, int height);

/* A user of an encoding (feed.h). Starts the encoder if nobody else has; one that this machine
 * would not keep up with begins with as many pictures a second as pipeline_caps() says, at an
 * even step. FAULT_LIMIT when too many encoders run, or that is not one a second. */
int pipeline_open(struct pipeline *p, const struct encoding *e, struct feed **ret_feed,
                  struct fault *why);
const struct encoding *feed_encoding(struct feed *f); /* of a feed of pictures */
/* What it really gets. Loop. */
struct feed_stats {
    struct stream_stats stream;
    uint64_t left_out; /* pictures in which nothing happened */
    uint64_t lost;     /* pictures that the encoder was too slow for */
    double still;      /* share of the newest picture's blocks that are spared */
    double noise;      /* of the newest picture, grey levels in time; smart only */
    double limit_fps;  /* this machine keeps up with no more; 0: it keeps up */
};
void feed_stats(struct feed *f, struct feed_stats *ret);

/* One JPEG of the newest picture, shared with all who ask for the same (rendition,
 * compression) during the same picture. done() on the loop with a packet (borrowed)
 * or an error; called once, unless still_cancel() came first. */
struct still;
int pipeline_still(struct pipeline *p, const struct encoding *e,
                   void (*done)(struct packet *p, int err, void *arg), void *arg,
                   struct still **ret_still, struct fault *why);
void still_cancel(struct still *s);

/* What runs now, for streamstatus and tests. */
struct pipeline_stats {
    unsigned encoders, renditions, feeds;
    uint64_t frames, renditions_painted, pictures_coded, pictures_looked_at;
};
void pipeline_stats(struct pipeline *p, struct pipeline_stats *ret);

#endif
