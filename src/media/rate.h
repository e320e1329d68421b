/* Bitrate control beside what a codec's own buffer model does: an average over days (abr), and
 * leaving out pictures where quality comes before frame rate. Owner thread: the encoder's.
 *
 * abr: the storage that the target rate would fill is a budget; what was not used is spent
 * slowly later, so that a quiet night pays for a busy day, and quality never gets better than
 * the compression that was asked for. */
#ifndef MEDIA_RATE_H
#define MEDIA_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rate_mode {
    RATE_VBR, /* constant quality */
    RATE_MBR, /* quality, under max_kbps */
    RATE_ABR, /* quality, target_kbps on the average over retention_days, under max_kbps */
    RATE_CBR  /* max_kbps, whatever the quality */
};
/* What gives way when max_kbps is reached: both, the quality, the frame rate. */
enum rate_priority { PRIORITY_NONE, PRIORITY_FRAMERATE, PRIORITY_QUALITY };

struct rate_plan {
    enum rate_mode mode;
    enum rate_priority priority;
    int max_kbps;    /* 0: no limit */
    int target_kbps; /* RATE_ABR */
    int retention_days;
};
bool rate_plan_equal(const struct rate_plan *a, const struct rate_plan *b);

struct rate {
    struct rate_plan plan;
    int64_t began_ns, last_ns, key_ns;
    double used_bits;  /* since it began */
    double recent_bps; /* smoothed over some seconds */
    double bucket;     /* bits above what max_kbps has let through */
    double coarser;    /* steps of the quantizer; six halve the rate */
    bool running;
};

void rate_init(struct rate *r, const struct rate_plan *plan);
/* Whether the picture of this time has to be left out. */
bool rate_skip(struct rate *r, int64_t time_ns);
/* What was coded. */
void rate_count(struct rate *r, int64_t time_ns, size_t bytes, bool key);
/* How much coarser than the compression that was asked for: 0…30 quantizer steps. Changes at
 * keys only. */
double rate_coarser(const struct rate *r);

#endif
