/* The smart codec (VAPIX: Zipstream): what an encoding may save where and while nothing
 * happens, and what each block and each picture gets by it. By activity.h. */
#ifndef MEDIA_SMART_H
#define MEDIA_SMART_H

#include <stdbool.h>
#include <stdint.h>

#include "media/activity.h"
#include "media/rendition.h"

#define SMART_GOP_MAX 1200
#define SMART_FPS_LEAST 1.0 /* whatever the lower limit is: silence would look like a fault */
#define SMART_KEY_S 60.0    /* from key to key at most, however few pictures there are */
#define SMART_BLOCK 16      /* pixels of the coded picture */

struct smart_plan {
    int strength;     /* 0 off, 10 … 50 */
    bool dynamic_gop; /* keys stand max_gop apart unless a key is worth it */
    int max_gop;      /* pictures, 1 … SMART_GOP_MAX */
    bool dynamic_fps; /* pictures in which nothing happens are left out … */
    double min_fps;   /* … down to so many a second; 0: SMART_FPS_LEAST */
    bool storage;     /* B pictures and a look ahead; costs delay */
};
bool smart_plan_equal(const struct smart_plan *a, const struct smart_plan *b);
/* One form for one meaning. */
void smart_plan_normalise(struct smart_plan *p);
bool smart_plan_looks(const struct smart_plan *p); /* needs activity */

/* ---- which pictures ---- */

/* Whether a picture in which this is going on can be left out, when `sent` was the look of the
 * newest one sent, `passed_ns` ago. */
bool smart_spares(const struct smart_plan *p, const struct activity *a, double fps,
                  int64_t passed_ns);
/* Whether a key is worth it now: everything changed since the picture of look `sent`. */
bool smart_wants_key(const struct smart_plan *p, const struct activity *a, uint32_t sent, int gop,
                     int since_key);

/* ---- which blocks ---- */

enum smart_kind {
    BLOCK_STILL,
    BLOCK_BESIDE, /* something moves beside it or did a moment ago */
    BLOCK_LIVELY, /* of something that moves now */
    BLOCK_NEW,    /* in the box of what has just begun to move: as good as without all this, once */
};

/* How much coarser than the picture each block of a rendition is coded. One thread. */
struct smart_blocks {
    int across, down; /* 0: not known yet */
    int8_t *offset;   /* quantizer steps, 0 … 51 */
    uint8_t *kind;    /* enum smart_kind */
    struct smart_place *place;
    int *todo;              /* by block: those of one mover */
    int strength, still;    /* blocks that were spared in the newest picture … */
    int fresh;              /* … and those that are BLOCK_NEW in it */
    double noise;           /* standard deviation in time, grey levels, of the newest picture */
    int lively;             /* quantizer steps for blocks that are not still: by noise */
    struct frame_part part; /* of the frame that the blocks were laid out for … */
    uint32_t part_look;     /* … and the first look that they were; 0: all */
};
void smart_blocks_init(struct smart_blocks *b, int strength);
void smart_blocks_done(struct smart_blocks *b);
/* For a picture of this part of the frame with this activity, the one before it in the stream
 * having been of look `sent` (0: none). False: everything is coded as ever. */
bool smart_blocks_set(struct smart_blocks *b, const struct rendition_key *key,
                      const struct frame_part *part, const struct activity *a, uint32_t sent);

#endif
