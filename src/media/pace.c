#include "media/pace.h"

#include <math.h>

#include "base/clock.h"

#define COUNT_NS (5 * NSEC_PER_SEC)
#define SETTLE_NS (2 * NSEC_PER_SEC)
#define RETRY_NS (30 * NSEC_PER_SEC)
#define LOST_SHARE 0.15 /* of pictures: fewer are no reason */

static void begin(struct pace *p, int64_t now_ns, uint64_t lost)
{
    p->began_ns = now_ns;
    p->lost = lost;
    p->coded = 0;
}

int pace_picture(struct pace *p, int64_t now_ns, uint64_t lost, double source_fps)
{
    if (!p->running) {
        p->running = true;
        p->step = p->step > 1 ? p->step : 1;
        p->since_ns = now_ns;
        begin(p, now_ns, lost);
    }
    if (now_ns < p->began_ns) { /* it has just been changed: what is lost on the way is no sign */
        p->lost = lost;
        return p->step;
    }
    p->coded++;
    if (now_ns - p->began_ns < COUNT_NS)
        return p->step;
    int before = p->step;
    double missed = (double)(lost - p->lost), coded = (double)p->coded;
    double rate = coded * (double)NSEC_PER_SEC / (double)(now_ns - p->began_ns);
    if (missed > 0)
        p->since_ns = now_ns;
    if (missed > LOST_SHARE * (missed + coded)) {
        int step = (int)fmin(ceil(source_fps / rate), ceil(source_fps)); /* 1/s at least */
        p->step = step > p->step ? step : p->step + 1;
    } else if (p->step > 1 && now_ns - p->since_ns >= RETRY_NS) {
        p->step--;
        p->since_ns = now_ns;
    }
    begin(p, p->step == before ? now_ns : now_ns + SETTLE_NS, lost);
    return p->step;
}
