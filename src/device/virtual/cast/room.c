#include "device/virtual/cast/room.h"

#include <math.h>

#define SEE_M 2.0   /* ahead and behind: from here on they give way */
#define ROOM_M 0.45 /* between two middles, sideways */
#define ASIDE_MOST_M 0.7

static bool on_foot(const struct member *m)
{
    return m->class_name && m->gait != GAIT_RIDE;
}

static double clamp(double x, double lo, double hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}

/* How far to the right somebody goes for another, who is `ahead` and `right` of him, looks
 * along or against him (`same`: cosine) and moves or stands (`moves`: 0 … 1). first: of two
 * alike one goes left, one right. All without steps: nobody jumps. */
static double aside_for(double ahead, double right, double same, double moves, bool first)
{
    double near = 1 - ahead * ahead / (SEE_M * SEE_M);
    if (near <= 0 || fabs(right) >= ROOM_M)
        return 0;
    double room = ROOM_M - fabs(right), away = clamp((first ? 1 : -1) - right / 0.1, -1, 1);
    double along = clamp(same / 0.4 - 0.75, 0, 1), against = clamp(-same / 0.4 - 0.75, 0, 1);
    /* Who meets keeps to the right, unless they have passed on the left all but wholly; who
     * crosses is through before the other. */
    double left = clamp((right - ROOM_M / 2.5) / (ROOM_M / 3), 0, 1);
    double meets = (1 - left) * (ROOM_M + right) / 2 - left * room / 2;
    return near * near *
           ((1 - moves) * away * room + moves * (along * away * room / 2 + against * meets));
}

void room_make(struct member *m, const struct room_here *here, size_t n)
{
    double aside[CAST_MOST] = {0}, c[CAST_MOST], s[CAST_MOST];
    n = n < CAST_MOST ? n : CAST_MOST;
    for (size_t i = 0; i < n; i++) {
        c[i] = cos(m[i].heading_deg * M_PI / 180);
        s[i] = sin(m[i].heading_deg * M_PI / 180);
    }
    for (size_t i = 0; i < n; i++) {
        if (!on_foot(&m[i]) || m[i].speed_m_s < 0.05)
            continue;
        for (size_t j = 0; j < n; j++) {
            double dx = m[j].at.x - m[i].at.x, dy = m[j].at.y - m[i].at.y;
            if (j == i || (here[i].clear && here[j].clear) ||
                fabs(dx) + fabs(dy) > SEE_M + ROOM_M || !on_foot(&m[j]))
                continue;
            aside[i] += here[j].wholly * aside_for(dx * s[i] + dy * c[i], dx * c[i] - dy * s[i],
                                                   s[i] * s[j] + c[i] * c[j],
                                                   clamp(m[j].speed_m_s / 0.6, 0, 1), i < j);
        }
        /* Who sets off does not jump. */
        aside[i] *= fmin(1, m[i].speed_m_s / 0.6);
        aside[i] = clamp(aside[i], -ASIDE_MOST_M, ASIDE_MOST_M);
    }
    for (size_t i = 0; i < n; i++) {
        m[i].at.x += c[i] * aside[i];
        m[i].at.y -= s[i] * aside[i];
    }
}
