/* Encoders: a table a codec, one file a codec. Owner thread: the encoder's. */
#ifndef MEDIA_ENCODE_H
#define MEDIA_ENCODE_H

#include <stdbool.h>
#include <stdint.h>

#include "media/packet.h"
#include "media/rate.h"
#include "media/rendition.h"
#include "media/smart.h"
#include "media/stream.h"

struct fault;

/* Resolved: every field has its value, so that equal requests compare equal. */
struct encoding {
    enum codec codec;
    struct rendition_key key;
    double fps;      /* 0: every picture of the source */
    int compression; /* 0 best … 100 smallest (VAPIX) */
    int gop;         /* pictures from key to key; not JPEG */
    struct rate_plan rate;
    struct smart_plan smart; /* not JPEG */
    bool thorough;           /* H.265: fewer bytes for more of the processor */
    int profile;             /* 0 baseline, 1 main, 2 high; H.264 */
    bool stamp;              /* serial, pose, UTC inside coded pictures */
};
bool encoding_equal(const struct encoding *a, const struct encoding *b);
/* Pictures from key to key at most. */
int encoding_gop(const struct encoding *e);
/* Pictures that the encoder may hold back, and show in another order than they are coded. */
bool encoding_reorders(const struct encoding *e);
/* Pictures may be left out by plan, so that the frame rate is the most there will be. */
bool encoding_rate_varies(const struct encoding *e);

/* Equal wishes must compare equal: what a codec does not use is set to nothing, a rate that is at
 * least the source's to 0. FAULT_INVALID names the argument, FAULT_UNSUPPORTED: nothing here codes
 * that. */
int encoding_normalise(struct encoding *e, double source_fps, struct fault *why);

struct encoder;
struct encoder_ops {
    enum codec codec;
    const char *name;
    struct encoder *(*open)(const struct encoding *e, double source_fps, struct fault *why);
    /* One picture in (JPEG: in any colours; others: in video's, coder threads convert), at most one
     * packet out (packet NULL: the codec keeps it for now). The packet's `how` is that of the
     * picture that it shows, its early_ns by how much sooner it is decoded. */
    int (*encode)(struct encoder *enc, struct rendition *r, bool force_key, struct packet **ret_p,
                  struct stream_format *format /* updated when parameter sets appear */);
    /* How much coarser each block of the picture that comes next is coded (quantizer steps, by
     * rows of SMART_BLOCK); NULL: all alike. Borrowed until encode() returns. NULL: it cannot. */
    void (*blocks)(struct encoder *enc, const struct smart_blocks *b);
    /* Coarser than the compression says by so many quantizer steps (rate.h), from the next
     * key on at the latest. NULL: it cannot. */
    void (*coarser)(struct encoder *enc, double steps);
    void (*close)(struct encoder *enc);
};
struct encoder {
    const struct encoder_ops *ops;
};
extern const struct encoder_ops *const encoder_table[]; /* NULL-terminated */
/* NULL: nothing here codes that. */
const struct encoder_ops *encoder_find(enum codec codec);

#endif
