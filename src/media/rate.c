#include "media/rate.h"

#include <math.h>
#include <string.h>

#define DAY_S 86400.0
#define HORIZON_SHARE 100 /* of the retention time: what is left over is spent in that time */
#define HORIZON_LEAST_S 60.0
#define RECENT_S 8.0         /* of the smoothed rate */
#define SPARE 3.0            /* at most so many times the target at once */
#define STEPS_PER_OCTAVE 6.0 /* quantizer steps that halve the rate */
#define STEP_MOST 3.0        /* from key to key */
#define COARSEST 30.0
#define BUCKET_S 1.0 /* of max_kbps may wait */

bool rate_plan_equal(const struct rate_plan *a, const struct rate_plan *b)
{
    return a->mode == b->mode && a->priority == b->priority && a->max_kbps == b->max_kbps &&
           a->target_kbps == b->target_kbps && a->retention_days == b->retention_days;
}

void rate_init(struct rate *r, const struct rate_plan *plan)
{
    memset(r, 0, sizeof(*r));
    r->plan = *plan;
}

static double seconds(int64_t from_ns, int64_t to_ns)
{
    return to_ns > from_ns ? (double)(to_ns - from_ns) / 1e9 : 0;
}

static void begin(struct rate *r, int64_t time_ns)
{
    r->began_ns = r->last_ns = r->key_ns = time_ns;
    r->recent_bps = r->plan.target_kbps * 1000.0;
    r->running = true;
}

bool rate_skip(struct rate *r, int64_t time_ns)
{
    if (r->plan.max_kbps <= 0 || r->plan.priority == PRIORITY_FRAMERATE || !r->running)
        return false;
    double bps = r->plan.max_kbps * 1000.0;
    double left = r->bucket - bps * seconds(r->last_ns, time_ns);
    /* With neither before the other, the codec's quality gives way first. */
    double most = r->plan.priority == PRIORITY_QUALITY ? BUCKET_S / 2 : BUCKET_S;
    return left > bps * most;
}

/* The rate that keeps the budget: the target, and a part of what is left over or missing. */
static double permitted_bps(const struct rate *r, int64_t time_ns)
{
    double target = r->plan.target_kbps * 1000.0;
    double horizon = fmax(r->plan.retention_days * DAY_S / HORIZON_SHARE, HORIZON_LEAST_S);
    double left = target * seconds(r->began_ns, time_ns) - r->used_bits;
    return fmin(fmax(target + left / horizon, target / SPARE), target * SPARE);
}

static void adjust(struct rate *r, int64_t time_ns)
{
    double over = STEPS_PER_OCTAVE * log2(fmax(r->recent_bps, 1) / permitted_bps(r, time_ns));
    /* Half of the way, so that it does not swing. */
    r->coarser += fmin(fmax(over / 2, -STEP_MOST), STEP_MOST);
    r->coarser = fmin(fmax(r->coarser, 0), COARSEST);
}

void rate_count(struct rate *r, int64_t time_ns, size_t bytes, bool key)
{
    if (!r->running)
        begin(r, time_ns);
    double passed = seconds(r->last_ns, time_ns), bits = 8.0 * (double)bytes;
    if (key && r->plan.mode == RATE_ABR && time_ns > r->key_ns) {
        adjust(r, time_ns);
        r->key_ns = time_ns;
    }
    r->used_bits += bits;
    r->bucket = fmax(r->bucket - r->plan.max_kbps * 1000.0 * passed, 0) + bits;
    /* bits stand for the time since the picture before */
    double k = passed > 0 ? 1 - exp(-passed / RECENT_S) : 0;
    r->recent_bps += (bits / fmax(passed, 1e-3) - r->recent_bps) * k;
    r->last_ns = time_ns;
}

double rate_coarser(const struct rate *r)
{
    return r->coarser;
}
