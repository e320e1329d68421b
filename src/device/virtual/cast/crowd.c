#include "device/virtual/cast/crowd.h"

#include <math.h>
#include <stdlib.h>

#include "device/virtual/cast/chance.h"

#define HZ 4
#define DT (1.0 / HZ)
#define KEEP_M 0.66 /* at the steps; half-way between two of them it may be less */
#define SEE_M 3.0
#define STAND_S 1.5 /* at both turns of the time, while all turn round */
#define RAMP_S 1.0
#define PATIENCE_S 20.0

struct moment {
    float x, y, dx, dy, way;
};

struct stroller {
    double gx, gy, v, want, rest, tired;
};

struct crowd {
    size_t n, steps;
    double period_s;
    struct moment *moment; /* steps × n */
};

static double uniform(uint64_t *state)
{
    return chance_unit(chance_next(state));
}

static bool spot_in(const struct polygon *p, uint64_t *state, double ret[2])
{
    double lo[2] = {1e9, 1e9}, hi[2] = {-1e9, -1e9};
    for (size_t i = 0; i < p->n; i++)
        for (int k = 0; k < 2; k++) {
            lo[k] = fmin(lo[k], p->at[i][k]);
            hi[k] = fmax(hi[k], p->at[i][k]);
        }
    for (int tries = 0; tries < 200; tries++) {
        for (int k = 0; k < 2; k++)
            ret[k] = lo[k] + (hi[k] - lo[k]) * uniform(state);
        if (polygon_holds(p, ret[0], ret[1]))
            return true;
    }
    return false;
}

static bool free_at(const struct moment *m, size_t n, double x, double y, double apart)
{
    for (size_t i = 0; i < n; i++)
        if (hypot(m[i].x - x, m[i].y - y) < apart)
            return false;
    return true;
}

/* Those whom one sees. */
struct near {
    size_t n;
    struct {
        double x, y, vx, vy;
    } of[SCENARIO_CROWD_MOST];
};

static void look_round(const struct moment *m, const struct stroller *s, size_t n, size_t me,
                       struct near *ret)
{
    ret->n = 0;
    for (size_t i = 0; i < n; i++) {
        double x = m[i].x - (double)m[me].x, y = m[i].y - (double)m[me].y;
        if (i != me && x * x + y * y < SEE_M * SEE_M) {
            ret->of[ret->n].x = x;
            ret->of[ret->n].y = y;
            ret->of[ret->n].vx = m[i].dx * s[i].v;
            ret->of[ret->n++].vy = m[i].dy * s[i].v;
        }
    }
}

/* How near it comes to the others in the next two seconds at this velocity; negative: too
 * near with the next step. */
static double clearance(const struct near *o, double vx, double vy)
{
    double best = SEE_M * SEE_M;
    for (size_t i = 0; i < o->n; i++) {
        double px = o->of[i].x - vx * DT, py = o->of[i].y - vy * DT;
        if (px * px + py * py < KEEP_M * KEEP_M)
            return -1;
        double ux = o->of[i].vx - vx, uy = o->of[i].vy - vy, uu = ux * ux + uy * uy;
        double t = uu > 1e-9 ? fmin(fmax(-(o->of[i].x * ux + o->of[i].y * uy) / uu, 0), 2) : 0;
        double x = o->of[i].x + ux * t, y = o->of[i].y + uy * t;
        best = fmin(best, x * x + y * y);
    }
    return sqrt(best);
}

static void stroll(const struct polygon *area, struct moment *m, struct stroller *all, size_t n,
                   size_t me, uint64_t *state)
{
    static const double turns[] = {0, 0.3, -0.3, 0.65, -0.65, 1.1, -1.1};
    static const double paces[] = {1, 0.6};
    struct stroller *s = &all[me];
    struct moment *p = &m[me];
    double gx = s->gx - p->x, gy = s->gy - p->y, far = hypot(gx, gy);
    if (s->rest > 0) {
        s->rest -= DT;
        s->v = 0;
        return;
    }
    s->tired += DT;
    if (far < 0.5 || s->tired > PATIENCE_S) {
        double g[2];
        if (spot_in(area, state, g)) {
            s->gx = g[0];
            s->gy = g[1];
        }
        s->tired = 0;
        s->rest = uniform(state) < 0.4 ? 1 + 6 * uniform(state) : 0;
        s->v = 0;
        return;
    }
    gx /= far;
    gy /= far;
    double best = -1, bx = 0, by = 0, bv = 0;
    struct near seen;
    look_round(m, all, n, me, &seen);
    for (size_t i = 0; i < sizeof(turns) / sizeof(*turns); i++)
        for (size_t k = 0; k < sizeof(paces) / sizeof(*paces); k++) {
            /* Turns are made from where it looks, by at most half a right angle a step;
             * standing, in any direction. */
            double wish = atan2(gy, gx) + turns[i], look = atan2(p->dy, p->dx);
            double by_angle = remainder(wish - look, 2 * M_PI);
            double most = s->v > 0.1 ? 0.5 : 1.2;
            double angle = look + fmin(fmax(by_angle, -most), most);
            double v = fmin(s->want * paces[k], s->v + 0.3);
            double vx = v * cos(angle), vy = v * sin(angle);
            double x = p->x + vx * DT, y = p->y + vy * DT;
            double apart = clearance(&seen, vx, vy);
            if (apart < 0 || !polygon_holds(area, x, y))
                continue;
            double score = 1 + (cos(angle) * gx + sin(angle) * gy) + 1.5 * fmin(apart, 1.2) +
                           0.3 * v / s->want;
            if (score > best) {
                best = score;
                bx = cos(angle);
                by = sin(angle);
                bv = v;
            }
        }
    s->v = bv;
    if (best < 0) {
        s->tired += 4 * DT; /* hemmed in: soon goes elsewhere */
        /* Looks round for a way out. */
        double look = atan2(p->dy, p->dx) + 0.4;
        p->dx = (float)cos(look);
        p->dy = (float)sin(look);
        return;
    }
    p->x += (float)(bx * bv * DT);
    p->y += (float)(by * bv * DT);
    p->dx = (float)bx;
    p->dy = (float)by;
    p->way += (float)(bv * DT);
}

struct crowd *crowd_new(const struct crowd_order *o, double period, uint64_t seed)
{
    struct crowd *c = calloc(1, sizeof(*c));
    struct stroller *s = calloc(o->n, sizeof(*s));
    size_t steps = (size_t)ceil(period / 2 * HZ) + 2;
    struct moment *now = calloc(o->n, sizeof(*now));
    if (c && s && now)
        c->moment = calloc(steps * o->n, sizeof(*c->moment));
    if (!c || !s || !now || !c->moment) {
        free(s);
        free(now);
        return crowd_free(c);
    }
    uint64_t state = seed;
    for (unsigned i = 0; i < o->n; i++) {
        double at[2], goal[2];
        bool ok = false;
        for (int tries = 0; tries < 50 && !ok; tries++)
            ok = spot_in(&o->in->shape, &state, at) &&
                 free_at(now, c->n, at[0], at[1], KEEP_M + 0.1);
        if (!ok || !spot_in(&o->in->shape, &state, goal))
            continue;
        double look = 2 * M_PI * uniform(&state);
        now[c->n] = (struct moment){(float)at[0], (float)at[1], (float)cos(look), (float)sin(look),
                                    (float)uniform(&state)};
        s[c->n++] = (struct stroller){
            .gx = goal[0], .gy = goal[1], .want = o->speed_m_s * (0.75 + 0.5 * uniform(&state))};
    }
    c->steps = steps;
    c->period_s = period;
    for (size_t k = 0; k < steps; k++)
        for (size_t i = 0; i < c->n; i++) {
            if (k)
                stroll(&o->in->shape, now, s, c->n, i, &state);
            c->moment[k * c->n + i] = now[i];
        }
    free(s);
    free(now);
    return c;
}

struct crowd *crowd_free(struct crowd *c)
{
    if (c)
        free(c->moment);
    free(c);
    return NULL;
}

size_t crowd_size(const struct crowd *c)
{
    return c->n;
}

/* How much of the half has gone by: stands, gathers speed, slows down, stands. */
static double progress(double u, double half, double *ret_rate)
{
    double moving = half - STAND_S, d;
    u -= STAND_S / 2;
    *ret_rate = 0;
    if (u <= 0)
        return 0;
    if (u >= moving)
        return moving - RAMP_S;
    if (u < RAMP_S) {
        *ret_rate = u / RAMP_S;
        return u * u / (2 * RAMP_S);
    }
    d = moving - u;
    if (d < RAMP_S) {
        *ret_rate = d / RAMP_S;
        return moving - RAMP_S - d * d / (2 * RAMP_S);
    }
    *ret_rate = 1;
    return u - RAMP_S / 2;
}

struct step crowd_at(const struct crowd *c, size_t i, double t)
{
    double half = c->period_s / 2, u = fmod(t, c->period_s), rate;
    if (u < 0)
        u += c->period_s;
    bool back = u >= half;
    double at = progress(back ? c->period_s - u : u, half, &rate) * HZ;
    size_t k = (size_t)fmin(floor(at), (double)c->steps - 2);
    double f = at - (double)k, f2 = f * f, f3 = f2 * f;
    const struct moment *p = &c->moment[k * c->n + i], *q = p + c->n;
    const struct moment *pp = k ? p - c->n : p, *qq = k + 2 < c->steps ? q + c->n : q;
    /* Catmull-Rom through the steps. */
    double ax = (q->x - (double)pp->x) / 2, ay = (q->y - (double)pp->y) / 2;
    double bx = (qq->x - (double)p->x) / 2, by = (qq->y - (double)p->y) / 2;
    double h00 = 2 * f3 - 3 * f2 + 1, h10 = f3 - 2 * f2 + f, h01 = 3 * f2 - 2 * f3, h11 = f3 - f2;
    struct step r = {.gait = BEAT_WALK};
    r.at.x = h00 * p->x + h10 * ax + h01 * q->x + h11 * bx;
    r.at.y = h00 * p->y + h10 * ay + h01 * q->y + h11 * by;
    double speed =
        (ax + (bx - ax) * f) * (ax + (bx - ax) * f) + (ay + (by - ay) * f) * (ay + (by - ay) * f);
    r.speed_m_s = sqrt(speed) * HZ * rate;
    double way = p->way + (q->way - (double)p->way) * f;
    r.way_m = back ? 2 * (double)c->moment[(c->steps - 1) * c->n + i].way - way : way;
    double from = atan2(p->dy, p->dx), to = atan2(q->dy, q->dx);
    double look = from + remainder(to - from, 2 * M_PI) * f;
    /* While all stand at a turn of the time, they turn round. */
    double past = back ? u - half : u < STAND_S / 2 ? u : half;
    double to_half = half - u, to_end = c->period_s - u, k_turn = back ? 1 : 0;
    if (!back && to_half < STAND_S / 2)
        k_turn = 0.5 - to_half / STAND_S;
    else if (back && past < STAND_S / 2)
        k_turn = 0.5 + past / STAND_S;
    else if (back && to_end < STAND_S / 2)
        k_turn = 1.5 - to_end / STAND_S;
    else if (!back && past < STAND_S / 2)
        k_turn = 1.5 + past / STAND_S;
    k_turn = floor(k_turn) + (k_turn - floor(k_turn)) * (k_turn - floor(k_turn)) *
                                 (3 - 2 * (k_turn - floor(k_turn)));
    look += M_PI * k_turn;
    r.at.dx = cos(look);
    r.at.dy = sin(look);
    if (rate == 0 || r.speed_m_s < 0.05) {
        r.gait = BEAT_STAND;
        if (rate == 0)
            r.speed_m_s = 0;
    }
    return r;
}
