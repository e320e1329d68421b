/* What tests of the cast stand on: a scenario that plays, who is there at a time, and whether all
 * move as bodies do. */
#ifndef TEST_CAST_SET_H
#define TEST_CAST_SET_H

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "device/virtual/cast/cast.h"
#include "unit.h"

static struct member now[CAST_MOST], next[CAST_MOST];

/* In a place that has no ways of its own. */
static inline struct cast *play(const char *text)
{
    static char whole[4096];
    struct fault why = {0};
    struct cast *c = cast_new(1);
    CHECK(c);
    const char *rest = strchr(text, '\n');
    snprintf(whole, sizeof(whole), "%.*s\nplace nowhere%s", (int)(rest - text), text, rest);
    int rc = cast_load(c, 0, whole, strlen(whole), &why);
    if (rc)
        unit_fail(__FILE__, __LINE__, "%s: %s", why.name, why.text);
    return c;
}

static inline const struct member *find(const struct member *m, size_t n, const char *id)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(m[i].id, id))
            return &m[i];
    return NULL;
}

static inline size_t at(struct cast *c, double t, struct member *ret)
{
    return cast_at(c, llround(t * 1e9), ret, CAST_MOST);
}

/* Nobody jumps, turns in an instant or stands in another: looked at closely for a while. */
static inline void check_smooth(struct cast *c, double from, double to)
{
    const double dt = 0.05;
    size_t n = at(c, from, now);
    for (double t = from + dt; t < to; t += dt) {
        size_t k = at(c, t, next);
        for (size_t i = 0; i < k; i++) {
            const struct member *b = &next[i], *a = find(now, n, b->id);
            for (size_t j = 0; j < i; j++)
                CHECK(strcmp(next[j].id, b->id) != 0);
            if (!a || !strcmp(b->model, "barrier"))
                continue;
            double moved = hypot(b->at.x - a->at.x, b->at.y - a->at.y);
            double fastest = fmax(fabs(a->speed_m_s), fabs(b->speed_m_s)) * dt;
            bool vehicle = b->gait == GAIT_RIDE;
            double turned = fabs(remainder(b->heading_deg - a->heading_deg, 360));
            /* Who walks beside a path steps round as he turns; who makes room steps aside. */
            if (moved > fastest * 1.15 + (vehicle ? 0.03 : 0.05) + turned * M_PI / 180)
                unit_fail(__FILE__, __LINE__, "%s jumps by %g m at %g s (%g, %g; %g m/s)", b->id,
                          moved, t, b->at.x, b->at.y, b->speed_m_s);

            if (turned > (vehicle ? 6 : 26))
                unit_fail(__FILE__, __LINE__, "%s turns by %g degrees at %g s (%g, %g)", b->id,
                          turned, t, b->at.x, b->at.y);
            if (vehicle && fabs(b->speed_m_s - a->speed_m_s) > 6.1 * dt)
                unit_fail(__FILE__, __LINE__, "%s goes from %g to %g m/s at %g s", b->id,
                          a->speed_m_s, b->speed_m_s, t);
        }
        memcpy(now, next, sizeof(*now) * k);
        n = k;
    }
}

#endif
