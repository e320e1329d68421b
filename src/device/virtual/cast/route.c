#include "device/virtual/cast/route.h"

#include <math.h>
#include <string.h>

#define GATHER 1.2  /* m/s²: a walker's */
#define TURN_S 0.7  /* to turn on the spot */
#define CHORD_M 0.3 /* of a walker's heading */

static double usual_speed(const struct cast_kind *k, enum beat_gait gait)
{
    if (gait == BEAT_DRIVE)
        return !strcmp(k->name, "bicycle") ? 4.5
               : !strcmp(k->name, "bus")   ? 9.0
               : !strcmp(k->name, "truck") ? 9.5
                                           : 11.0;
    return gait == BEAT_RUN ? 3.0 : gait == BEAT_CARRY ? 1.15 : 1.35;
}

static double heading_of(struct spot p)
{
    return atan2(p.dx, p.dy) * 180 / M_PI;
}

static struct spot facing(double x, double y, double deg)
{
    return (struct spot){x, y, sin(deg * M_PI / 180), cos(deg * M_PI / 180)};
}

/* On the path of one leg; before and behind it straight on. */
static struct spot leg_at(const struct leg *l, double s, double *ret_curve)
{
    if (!l->beat.path) {
        if (ret_curve)
            *ret_curve = 0;
        return l->stand;
    }
    if (!l->beat.turned)
        return path_at(l->beat.path, s, ret_curve);
    struct spot p = path_at(l->beat.path, l->beat.way_m - s, ret_curve);
    p.dx = -p.dx;
    p.dy = -p.dy;
    if (ret_curve)
        *ret_curve = -*ret_curve;
    return p;
}

bool route_halts(const struct route *r, size_t i)
{
    return i + 1 < r->n &&
           (!r->leg[i + 1].beat.path || r->leg[i + 1].beat.backwards != r->leg[i].beat.backwards);
}

static void lay_stands(struct route *r, const struct actor *a)
{
    double heading = a->facing_deg;
    struct spot at = facing(a->x, a->y, heading);
    for (size_t i = 0; i < r->n; i++) {
        struct leg *l = &r->leg[i];
        if (l->beat.path) {
            struct spot end = leg_at(l, l->beat.way_m, NULL);
            at = end;
            heading = heading_of(end) + (l->beat.backwards ? 180 : 0);
            continue;
        }
        l->in_deg = heading;
        double look = isnan(l->beat.facing_deg) ? heading : l->beat.facing_deg;
        if (r->kind->sort == KIND_VEHICLE)
            look = heading;
        l->stand = facing(at.x, at.y, look);
        l->out_deg = look;
        heading = look;
        const struct leg *next = i + 1 < r->n ? &r->leg[i + 1] : a->repeat ? &r->leg[0] : NULL;
        if (next && next->beat.path && r->kind->sort == KIND_WALKER)
            l->out_deg = heading_of(leg_at(next, 0, NULL));
    }
}

static void lay_times(struct route *r, bool repeat)
{
    double t = 0, way = 0;
    for (size_t i = 0; i < r->n; i++) {
        struct leg *l = &r->leg[i];
        l->from_s = t;
        l->from_m = way;
        if (!l->beat.path) {
            l->seconds = l->beat.seconds;
        } else {
            double v = l->speed_m_s;
            l->rises = i ? !r->leg[i - 1].beat.path : repeat && !r->leg[r->n - 1].beat.path;
            l->falls = i + 1 < r->n && !r->leg[i + 1].beat.path;
            int ends = l->rises + l->falls;
            if (ends) /* a short leg does not reach its speed */
                v = fmin(v, sqrt(2 * GATHER * l->beat.way_m / ends));
            l->speed_m_s = v;
            l->seconds = l->beat.way_m / v + ends * v / (2 * GATHER);
            way += l->beat.backwards ? -l->beat.way_m : l->beat.way_m;
        }
        t += l->seconds;
    }
    r->seconds = t;
}

void route_make(struct route *r, const struct actor *a, const struct cast_kind *k)
{
    *r = (struct route){.kind = k};
    bool at_first = a->has_place && (!a->n_beats || a->beat[0].path);
    if (at_first && !a->n_beats)
        r->leg[r->n++].beat =
            (struct beat){.gait = BEAT_STAND, .seconds = INFINITY, .facing_deg = NAN};
    for (size_t i = 0; i < a->n_beats; i++) {
        struct leg *l = &r->leg[r->n++];
        l->beat = a->beat[i];
        l->speed_m_s = a->speed_m_s > 0 ? a->speed_m_s : usual_speed(k, l->beat.gait);
        if (l->beat.gait == BEAT_DRIVE && l->speed_m_s > r->speed_m_s)
            r->speed_m_s = l->speed_m_s;
    }
    if (a->stays && a->n_beats && r->n <= SCENARIO_BEATS) {
        struct leg *last = &r->leg[r->n - 1];
        if (!last->beat.path)
            last->beat.seconds = INFINITY;
        else
            r->leg[r->n++].beat =
                (struct beat){.gait = BEAT_STAND, .seconds = INFINITY, .facing_deg = NAN};
    }
    lay_stands(r, a);
    lay_times(r, a->repeat);
}

/* Way and speed after t seconds of a leg. */
static double law(const struct leg *l, double t, double *ret_speed)
{
    double v = l->speed_m_s, up = l->rises ? v / GATHER : 0, down = l->falls ? v / GATHER : 0;
    *ret_speed = v;
    if (t < up) {
        *ret_speed = GATHER * t;
        return GATHER * t * t / 2;
    }
    if (t > l->seconds - down) {
        double left = fmax(l->seconds - t, 0);
        *ret_speed = GATHER * left;
        return l->beat.way_m - GATHER * left * left / 2;
    }
    return v * up / 2 + v * (t - up);
}

static double smooth(double t)
{
    t = fmin(fmax(t, 0), 1);
    return t * t * (3 - 2 * t);
}

static double turn(double from, double to, double k)
{
    return from + remainder(to - from, 360) * k;
}

struct step route_at(const struct route *r, double t)
{
    size_t i = 0;
    while (i + 1 < r->n && t >= r->leg[i + 1].from_s)
        i++;
    const struct leg *l = &r->leg[i];
    struct step ret = {.gait = l->beat.gait, .way_m = l->from_m};
    t -= l->from_s;
    if (!l->beat.path) {
        double look = heading_of(l->stand);
        double deg = turn(l->in_deg, look, smooth(t / TURN_S));
        if (isfinite(l->seconds))
            deg = turn(deg, l->out_deg, smooth(1 - (l->seconds - t) / TURN_S));
        ret.at = facing(l->stand.x, l->stand.y, deg);
        return ret;
    }
    double s = law(l, t, &ret.speed_m_s);
    ret.way_m += s;
    ret.at = leg_at(l, s, NULL);
    /* The heading is that of a short chord, so that it turns smoothly on corners. */
    double back = fmin(CHORD_M, s), ahead = fmin(CHORD_M, l->beat.way_m - s);
    struct spot a = leg_at(l, s - back, NULL), b = leg_at(l, s + ahead, NULL);
    double dx = b.x - a.x, dy = b.y - a.y, len = hypot(dx, dy);
    if (len > 1e-6) {
        ret.at.dx = dx / len;
        ret.at.dy = dy / len;
    }
    return ret;
}

bool route_ahead(const struct route *r, size_t i, double s, struct spot *ret, double *ret_curve)
{
    while (r->leg[i].beat.path && s > r->leg[i].beat.way_m && i + 1 < r->n && !route_halts(r, i)) {
        s -= r->leg[i].beat.way_m;
        i++;
    }
    while (s < 0 && i > 0 && r->leg[i - 1].beat.path && !route_halts(r, i - 1)) {
        i--;
        s += r->leg[i].beat.way_m;
    }
    *ret = leg_at(&r->leg[i], s, ret_curve);
    return r->leg[i].beat.path && s <= r->leg[i].beat.way_m;
}

struct spot route_drive(const struct route *r, size_t i, double s)
{
    const struct leg *l = &r->leg[i];
    if (!l->beat.path) {
        /* As it came to rest there; or as the place says. */
        if (i == 0)
            return l->stand;
        i--;
        l = &r->leg[i];
        if (!l->beat.path)
            return l->stand;
        s = l->beat.way_m;
    }
    struct spot front, rear;
    double half = r->kind->axles_m / 2;
    route_ahead(r, i, s + half, &front, NULL);
    route_ahead(r, i, s - half, &rear, NULL);
    double dx = front.x - rear.x, dy = front.y - rear.y, len = hypot(dx, dy);
    struct spot p = {(front.x + rear.x) / 2, (front.y + rear.y) / 2, dx, dy};
    if (len > 1e-6) {
        p.dx /= len;
        p.dy /= len;
    }
    if (l->beat.backwards) {
        p.dx = -p.dx;
        p.dy = -p.dy;
    }
    return p;
}
