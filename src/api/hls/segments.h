/* A live stream cut into segments and parts for HTTP Live Streaming (RFC 8216bis, low latency):
 * a segment's first picture is a key, a part is a run of pieces (deliver/piece.h), sound among
 * pictures. What was told of once never changes, so that any cache may keep it.
 *
 * Memory is kept as long as 6.2.2 asks: what leaves the playlist can be had for as long again.
 * Owner thread. */
#ifndef API_HLS_SEGMENTS_H
#define API_HLS_SEGMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that answers share. Owner thread. */
struct blob {
    int refs;
    size_t len;
    uint8_t bytes[];
};
struct blob *blob_new(const void *bytes, size_t len); /* copies; NULL: out of memory */
struct blob *blob_ref(struct blob *b);
struct blob *blob_unref(struct blob *b); /* NULL-safe, returns NULL */

#define SEGMENT_PARTS_MAX 64
#define SEGMENTS_MAX 64

struct part {
    struct blob *bytes;
    int64_t duration_ns;
    bool independent; /* begins with a key picture */
};

struct segment {
    uint64_t number;
    int64_t start_ns, utc_ns, duration_ns; /* duration: of what there is so far */
    bool complete;
    int n_parts, pictures;
    struct part part[SEGMENT_PARTS_MAX];
    struct blob *whole; /* made when first asked for */
};

/* What players are told beforehand and may rely on. */
struct segment_plan {
    int64_t frame_ns;   /* nominal */
    int64_t part_ns;    /* PART-TARGET: no part is longer */
    int64_t segment_ns; /* EXT-X-TARGETDURATION in whole seconds: rounded, none is longer */
    int part_pictures;
    int segment_pictures; /* where a segment ends if keys come when they should */
    int64_t least_ns;     /* a key that comes sooner after the segment's start does not end it */
};
/* fps, and pictures from key to key. */
void segment_plan(struct segment_plan *ret, double fps, int gop);

struct segments {
    struct segment_plan plan;
    struct segment *at[SEGMENTS_MAX]; /* segment n lies at n % SEGMENTS_MAX */
    uint64_t first, next;             /* those numbers that are there: first … next - 1 */
    size_t bytes, max_bytes;
    /* the part that grows */
    char *growing;
    size_t growing_len, growing_cap;
    int growing_pictures;
    int64_t growing_start_ns, last_ns;
    bool growing_independent;
};

void segments_init(struct segments *s, const struct segment_plan *plan, size_t max_bytes);
void segments_done(struct segments *s);
/* A picture more. True: there is a part more than before, or a segment is complete. A stream
 * begins with a key; what comes before is left out. -ENOMEM: it is lost. */
int segments_add(struct segments *s, const void *piece, size_t len, int64_t time_ns, int64_t utc_ns,
                 bool key);
/* A piece of sound, of the time before the picture that is added next. It lies in front of that
 * one, and changes nothing about when parts and segments end. -ENOMEM: it is lost. */
int segments_add_sound(struct segments *s, const void *piece, size_t len);
/* No key came when one should have: somebody should ask for one. */
bool segments_want_key(const struct segments *s);

/* All that was cut so far is gone, and no part of it can be had; the next picture that is taken in
 * is a key, and begins a segment of a number that was never told of. */
void segments_forget(struct segments *s);

struct segment *segments_find(const struct segments *s, uint64_t number); /* NULL: is not there */
/* The newest segment, complete or not; NULL: none has begun. */
struct segment *segments_newest(const struct segments *s);
/* The first one that the playlist tells of. */
uint64_t segments_first_listed(const struct segments *s);
/* Has part `part` of segment `number` been told, or (part < 0) is the segment complete? A
 * part behind the last one of a complete segment stands for the first of the next. */
bool segments_have(const struct segments *s, uint64_t number, int part);
/* Is there anything to tell of? */
bool segments_any(const struct segments *s);
/* What comes next, for players to ask beforehand. */
void segments_next(const struct segments *s, uint64_t *ret_number, int *ret_part);
/* A new reference; NULL: not complete, or out of memory. */
struct blob *segment_whole(struct segment *g);

#endif
