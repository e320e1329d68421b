#include "device/virtual/cast/drive.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DT (1.0 / TRAFFIC_HZ)
#define CARS_MOST 4096
#define MARKS 24
#define PENDING_MOST 3 /* at one entrance */
#define GAP_M 2.0      /* between standing cars */
#define COMFORT 2.0    /* m/s² of braking */
#define HARDEST 6.0
#define SIDEWAYS 2.0 /* m/s² in bends */
#define REACTION_S 0.6
#define GATE_S 2.0 /* to open or close */
#define GATE_CLEAR_S 1.5
#define WINDOW_S 4.0   /* giving way: how far one looks ahead */
#define MERGE_M 16.0   /* and along how much of one's own way */
#define CROSSING_M 4.0 /* a crossing and the room between two cars */
#define PARKED_S 20.0
#define SOON_S 1.2 /* how far ahead one guesses where people go, once and twice */

enum mark_kind { MARK_GATE, MARK_YIELD, MARK_CROSSING };

struct mark {
    enum mark_kind kind;
    size_t which, leg;
    double s;
};

struct marked {
    const struct route *route;
    size_t n;
    struct mark mark[MARKS];
};

struct driver {
    struct traffic_car car;
    size_t marked;
    double length, width;
};

struct body {
    double x, y, hx, hy; /* middle, half axis between the round ends */
    double r, vx, vy;
};

struct drive {
    const struct scenario *s;
    int64_t first_step, round;
    traffic_people *people;
    void *arg;
    struct driver *driver;
    size_t n, room, scheduled;
    struct marked *marked;
    size_t n_marked;
    /* Of the step at hand */
    struct body body[TRAFFIC_MOST];
    double walker[TRAFFIC_PEOPLE][2], soon[2][TRAFFIC_PEOPLE][2];
    size_t n_walkers, n_soon[2];
    double at_s;
};

/* ---- what stands along a way ---- */

static void add_mark(struct marked *m, enum mark_kind kind, size_t which, size_t leg, double s)
{
    if (m->n < MARKS)
        m->mark[m->n++] = (struct mark){kind, which, leg, s};
}

static double leg_crosses(const struct beat *b, const double p[2], const double q[2])
{
    double s = path_crosses(b->path, 0, p, q);
    return s >= 0 && b->turned ? b->way_m - s : s;
}

static void mark_leg(const struct scenario *s, struct marked *m, const struct route *r, size_t leg)
{
    const struct beat *b = &r->leg[leg].beat;
    if (!b->path)
        return;
    for (size_t i = 0; i < s->n_gates; i++) {
        const struct gate_arm *g = &s->gate[i];
        double h = g->heading_deg * M_PI / 180, p[2] = {g->x, g->y};
        double q[2] = {g->x + g->length_m * sin(h), g->y + g->length_m * cos(h)};
        double at = leg_crosses(b, p, q);
        if (at >= 0)
            add_mark(m, MARK_GATE, i, leg, at);
    }
    for (size_t i = 0; i < s->n_yields; i++) {
        double at = leg_crosses(b, s->yield[i][0], s->yield[i][1]);
        if (at >= 0)
            add_mark(m, MARK_YIELD, i, leg, at);
    }
    for (size_t i = 0; i < s->n_crossings; i++) {
        bool was = true; /* who begins on it does not stop before it */
        for (double at = 0; at < b->way_m; at += 0.5) {
            struct spot p;
            route_ahead(r, leg, at, &p, NULL);
            bool in = polygon_holds(&s->crossing[i], p.x, p.y);
            if (in && !was)
                add_mark(m, MARK_CROSSING, i, leg, at);
            was = in;
        }
    }
}

static int find_marks(struct drive *d, const struct route *r, size_t *ret)
{
    for (size_t i = 0; i < d->n_marked; i++)
        if (d->marked[i].route == r) {
            *ret = i;
            return 0;
        }
    struct marked *more = realloc(d->marked, (d->n_marked + 1) * sizeof(*more));
    if (!more)
        return -ENOMEM;
    d->marked = more;
    struct marked *m = &more[d->n_marked];
    *m = (struct marked){.route = r};
    for (size_t i = 0; i < r->n; i++)
        mark_leg(d->s, m, r, i);
    *ret = d->n_marked++;
    return 0;
}

/* ---- life ---- */

static int add_driver(struct drive *d, const struct traffic_car *car)
{
    if (d->n >= CARS_MOST)
        return -ENOSPC;
    if (d->n == d->room) {
        size_t room = 2 * d->room + 64;
        struct driver *more = realloc(d->driver, room * sizeof(*more));
        if (!more)
            return -ENOMEM;
        d->driver = more;
        d->room = room;
    }
    struct driver *w = &d->driver[d->n];
    *w = (struct driver){
        .car = *car, .length = car->route->kind->length_m, .width = car->route->kind->width_m};
    int rc = find_marks(d, car->route, &w->marked);
    if (!rc)
        d->n++;
    return rc;
}

struct drive *drive_new(const struct scenario *s, const struct traffic_car *cars, size_t n,
                        int64_t first_step, traffic_people *people, void *arg)
{
    struct drive *d = calloc(1, sizeof(*d));
    if (!d)
        return NULL;
    d->s = s;
    d->round = (int64_t)lround(s->length_s) * TRAFFIC_HZ;
    d->first_step = first_step;
    d->people = people;
    d->arg = arg;
    for (size_t i = 0; i < n; i++)
        if (add_driver(d, &cars[i]))
            return drive_free(d);
    d->scheduled = n;
    return d;
}

struct drive *drive_free(struct drive *d)
{
    if (d) {
        free(d->driver);
        free(d->marked);
    }
    free(d);
    return NULL;
}

int drive_add(struct drive *d, const struct traffic_car *guest, uint32_t *ret_car)
{
    int rc = add_driver(d, guest);
    if (rc)
        return rc;
    d->driver[d->n - 1].car.guest = true;
    *ret_car = (uint32_t)d->n - 1;
    return 0;
}

bool drive_is_guest(const struct drive *d, uint32_t car)
{
    return d->driver[car].car.guest;
}

double drive_way(const struct drive *d, const struct car_state *c)
{
    const struct route *r = d->driver[c->car].car.route;
    double way = 0;
    for (size_t i = 0; i < c->leg; i++)
        way += r->leg[i].beat.way_m;
    return way + c->s;
}

static struct spot shifted(struct spot p, double aside, bool backwards)
{
    p.x += (backwards ? -p.dy : p.dy) * aside;
    p.y -= (backwards ? -p.dx : p.dx) * aside;
    return p;
}

struct step drive_at(const struct drive *d, uint32_t car, double way, double speed)
{
    const struct traffic_car *c = &d->driver[car].car;
    const struct route *r = c->route;
    size_t leg = 0;
    double before = 0;
    /* At a joint it belongs to the later leg, unless it stands between two gears. */
    while (leg + 1 < r->n && way - before >= r->leg[leg].beat.way_m) {
        before += r->leg[leg].beat.way_m;
        leg++;
    }
    double s = way - before;
    const struct leg *l = &r->leg[leg];
    struct step ret = {.speed_m_s = l->beat.backwards ? -speed : speed,
                       .gait = l->beat.gait,
                       .way_m = l->from_m + (l->beat.backwards ? -s : s)};
    ret.at = shifted(route_drive(r, leg, s), c->aside_m, l->beat.backwards);
    return ret;
}

/* ---- one step ---- */

static void place_body(const struct drive *d, const struct car_state *c, struct body *b)
{
    const struct driver *w = &d->driver[c->car];
    const struct leg *l = &w->car.route->leg[c->leg];
    struct spot p =
        shifted(route_drive(w->car.route, c->leg, c->s), w->car.aside_m, l->beat.backwards);
    double half = fmax(w->length - w->width, 0) / 2, v = l->beat.backwards ? -c->v : c->v;
    *b = (struct body){p.x, p.y, p.dx * half, p.dy * half, w->width / 2, p.dx * v, p.dy * v};
}

/* From a point to the body's axis. */
static double away(const struct body *b, double x, double y)
{
    double px = x - b->x, py = y - b->y, hh = b->hx * b->hx + b->hy * b->hy;
    double k = hh > 0 ? fmin(fmax((px * b->hx + py * b->hy) / hh, -1), 1) : 0;
    return hypot(px - k * b->hx, py - k * b->hy);
}

/* The speed from which one still comes to v_lead within the gap. */
static double safe_speed(double gap, double v_lead, double brake)
{
    if (gap <= 0)
        return 0;
    double bt = brake * REACTION_S;
    return fmax(sqrt(bt * bt + v_lead * v_lead + 2 * brake * gap) - bt, 0);
}

/* The speed at which one ends at a line: not creeping for ever. */
static double stop_speed(double gap)
{
    return gap < 0.1 ? 0 : fmax(safe_speed(gap, 0, COMFORT), fmin(0.6, gap / DT / 2));
}

struct looking {
    const struct driver *w;
    const struct car_state *c;
    size_t me;
    double limit; /* the result */
};

static bool walker_at(const double (*who)[2], size_t n, double x, double y, double room)
{
    for (size_t i = 0; i < n; i++) {
        double dx = who[i][0] - x, dy = who[i][1] - y;
        if (dx * dx + dy * dy < room * room)
            return true;
    }
    return false;
}

/* Bends, cars and people along the way ahead. */
static void look_ahead(const struct drive *d, const struct car_state *cars, size_t n,
                       struct looking *k)
{
    const struct route *r = k->w->car.route;
    const struct car_state *c = k->c;
    double front = k->w->length / 2, half = k->w->width / 2;
    double reach = front + 8 + (double)c->v * c->v / (2 * COMFORT) + c->v * REACTION_S;
    for (double ahead = front; ahead < reach; ahead += 1) {
        struct spot p;
        double curve;
        bool more = route_ahead(r, c->leg, c->s + ahead, &p, &curve);
        p = shifted(p, k->w->car.aside_m, false);
        if (curve != 0)
            k->limit = fmin(k->limit, sqrt(SIDEWAYS / fabs(curve) + 2 * 1.2 * (ahead - front)));
        double gap = ahead - front;
        for (size_t i = 0; i < n; i++) {
            const struct body *b = &d->body[i];
            if (i == k->me || (cars[i].flags & CAR_PENDING) ||
                fabs(b->x - p.x) + fabs(b->y - p.y) > 14)
                continue;
            /* Who drives towards one keeps to his side: lanes are narrow. */
            bool comes = b->hx * p.dx + b->hy * p.dy < 0 && cars[i].flags != CAR_PARKED;
            double room = comes ? 0.6 * (half + b->r) : half + b->r + 0.1;
            if (away(b, p.x, p.y) > room)
                continue;
            double lead = fmax(b->vx * p.dx + b->vy * p.dy, 0);
            k->limit = fmin(k->limit, safe_speed(gap - GAP_M, lead, COMFORT));
        }
        if (walker_at(d->walker, d->n_walkers, p.x, p.y, half + 0.6))
            k->limit = fmin(k->limit, safe_speed(gap - 1.5, 0, COMFORT));
        /* And who will be there when one comes. */
        for (int t = 0; t < 2; t++)
            if (fabs(gap / fmax(c->v, 1) - SOON_S * (t + 1)) < SOON_S / 2 + 0.2 &&
                walker_at(d->soon[t], d->n_soon[t], p.x, p.y, half + 0.45))
                k->limit = fmin(k->limit, safe_speed(gap - 1.5, 0, COMFORT));
        if (!more)
            break;
    }
}

/* Somebody on the crossing, or about to step onto it. */
static bool crossing_taken(const struct drive *d, const struct polygon *p)
{
    for (size_t i = 0; i < d->n_walkers; i++)
        if (polygon_holds(p, d->walker[i][0], d->walker[i][1]))
            return true;
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < d->n_soon[k]; i++)
            if (polygon_holds(p, d->soon[k][i][0], d->soon[k][i][1]))
                return true;
    return false;
}

/* Would one come to stand on the crossing, behind others? */
static bool jammed(const struct drive *d, const struct car_state *cars, size_t n,
                   const struct looking *k, const struct mark *m)
{
    for (double s = 0; s < k->w->length + CROSSING_M; s += 1) {
        struct spot p;
        if (!route_ahead(k->w->car.route, m->leg, m->s + s, &p, NULL))
            return false;
        p = shifted(p, k->w->car.aside_m, false);
        for (size_t i = 0; i < n; i++)
            if (i != k->me && !(cars[i].flags & CAR_PENDING) && cars[i].v < 1 &&
                away(&d->body[i], p.x, p.y) < k->w->width / 2 + d->body[i].r)
                return true;
    }
    return false;
}

static bool before_same_yield(const struct drive *d, const struct car_state *c, size_t which)
{
    const struct marked *m = &d->marked[d->driver[c->car].marked];
    for (size_t i = 0; i < m->n; i++)
        if (m->mark[i].kind == MARK_YIELD && m->mark[i].which == which &&
            (m->mark[i].leg > c->leg || (m->mark[i].leg == c->leg && m->mark[i].s > c->s)))
            return true;
    return false;
}

/* Will somebody be where one would come out? */
static bool must_yield(const struct drive *d, const struct car_state *cars, size_t n,
                       const struct looking *k, const struct mark *m)
{
    double zone[(int)MERGE_M / 2][2];
    size_t n_zone = 0;
    for (double s = 1; s < MERGE_M; s += 2) {
        struct spot p;
        route_ahead(k->w->car.route, m->leg, m->s + s, &p, NULL);
        zone[n_zone][0] = p.x;
        zone[n_zone++][1] = p.y;
    }
    for (size_t i = 0; i < n; i++) {
        const struct car_state *o = &cars[i];
        if (i == k->me || (o->flags & CAR_PENDING) || o->v < 0.5f ||
            before_same_yield(d, o, m->which))
            continue;
        const struct driver *w = &d->driver[o->car];
        for (double t = 0; t <= WINDOW_S; t += 0.5) {
            struct spot p;
            route_ahead(w->car.route, o->leg, o->s + w->length / 2 + o->v * t, &p, NULL);
            for (size_t z = 0; z < n_zone; z++)
                if (hypot(p.x - zone[z][0], p.y - zone[z][1]) < 2.3)
                    return true;
        }
    }
    return false;
}

/* Gates, crossings and where to give way. */
static void heed_marks(struct drive *d, struct car_state *cars, size_t n, struct looking *k,
                       struct gate_state *gate)
{
    struct car_state *c = &cars[k->me];
    const struct route *r = k->w->car.route;
    const struct marked *m = &d->marked[k->w->marked];
    double front = c->s + k->w->length / 2, brake = (double)c->v * c->v / (2 * HARDEST * 0.7);
    double sight = 6 + (double)c->v * c->v / (2 * COMFORT) + c->v * REACTION_S, base = 0;
    for (size_t leg = c->leg; leg < r->n; leg++) {
        for (size_t i = 0; i < m->n; i++) {
            const struct mark *mark = &m->mark[i];
            if (mark->leg != leg)
                continue;
            double gap = base + mark->s - front;
            if (gap > sight || gap < -0.3)
                continue;
            if (mark->kind == MARK_GATE) {
                struct gate_state *g = &gate[mark->which];
                if (gap < 4 && c->v < 0.3f && !(c->flags & CAR_MAY_PASS))
                    g->asked += (float)DT;
                if (!(c->flags & CAR_MAY_PASS) || g->open < 0.9f)
                    k->limit = fmin(k->limit, stop_speed(gap - 0.9));
            } else if (mark->kind == MARK_YIELD) {
                if (must_yield(d, cars, n, k, mark))
                    k->limit = fmin(k->limit, stop_speed(gap - 0.4));
            } else if (brake < gap && (crossing_taken(d, &d->s->crossing[mark->which]) ||
                                       jammed(d, cars, n, k, mark))) {
                k->limit = fmin(k->limit, stop_speed(gap - 1.2));
            }
        }
        if (route_halts(r, leg))
            break;
        base += r->leg[leg].beat.way_m;
    }
}

static void stand(const struct drive *d, struct car_state *c)
{
    const struct beat *b = &d->driver[c->car].car.route->leg[c->leg].beat;
    c->v = 0;
    c->flags = CAR_BRAKES;
    if (b->seconds >= PARKED_S)
        c->flags = CAR_PARKED;
    c->timer = isfinite(b->seconds) ? c->timer + (float)DT : 0;
    if (c->timer >= (float)b->seconds) {
        c->leg++;
        c->s = 0;
        c->timer = 0;
        c->flags = 0;
    }
}

static void move(struct drive *d, struct car_state *cars, size_t n, size_t me,
                 struct gate_state *gate, struct car_state *ret)
{
    struct car_state *c = &cars[me];
    const struct driver *w = &d->driver[c->car];
    const struct route *r = w->car.route;
    const struct leg *l = &r->leg[c->leg];
    double top = l->speed_m_s * w->car.pace;
    if (l->beat.path->limit_m_s > 0)
        top = fmin(top, l->beat.path->limit_m_s * w->car.pace);
    if (l->beat.backwards)
        top = fmin(top, 1.5);
    struct looking k = {.w = w, .c = c, .me = me, .limit = top};
    look_ahead(d, cars, n, &k);
    heed_marks(d, cars, n, &k, gate);
    if (route_halts(r, c->leg))
        k.limit = fmin(k.limit, stop_speed(l->beat.way_m - c->s));
    double v = c->v, next = v + r->kind->push * fmax(1 - v / (top + 0.5), 0.15) * DT;
    next = fmin(next, k.limit);
    next = fmax(fmax(next, v - HARDEST * DT), 0);
    if (next < 0.05 && k.limit < 0.05)
        next = 0;
    *ret = *c;
    ret->flags = (uint16_t)(c->flags & CAR_MAY_PASS);
    if ((next - v) / DT < -0.5 || (next < 0.1 && k.limit < 0.2))
        ret->flags |= CAR_BRAKES;
    double s = c->s + (v + next) / 2 * DT;
    if (s >= l->beat.way_m - (route_halts(r, c->leg) ? 0.05 : 0)) {
        s -= l->beat.way_m;
        if (route_halts(r, c->leg) || s < 0) {
            s = 0;
            next = 0;
        }
        ret->leg++;
        ret->timer = 0;
        ret->flags &= (uint16_t)~CAR_MAY_PASS;
    }
    ret->s = (float)s;
    ret->v = (float)next;
}

static void move_gates(const struct drive *d, const struct rules *rules, struct car_state *cars,
                       size_t n, struct gate_state *gate)
{
    for (size_t g = 0; g < d->s->n_gates; g++) {
        struct gate_state *s = &gate[g];
        enum gate_hold hold = rules->hold[g] ? rules->hold[g] : (enum gate_hold)s->told;
        struct car_state *asks = NULL;
        double nearest = 4;
        bool under = false, wanted = false;
        for (size_t i = 0; i < n; i++) {
            const struct driver *w = &d->driver[cars[i].car];
            const struct marked *m = &d->marked[w->marked];
            for (size_t k = 0; k < m->n; k++) {
                if (m->mark[k].kind != MARK_GATE || m->mark[k].which != g ||
                    m->mark[k].leg != cars[i].leg || (cars[i].flags & CAR_PENDING))
                    continue;
                double gap = m->mark[k].s - cars[i].s - w->length / 2;
                if (gap < -(w->length + 0.7))
                    cars[i].flags &= (uint16_t)~CAR_MAY_PASS;
                else if (gap < 0.3)
                    under = true;
                else if (gap < 8 && (cars[i].flags & CAR_MAY_PASS))
                    wanted = true;
                else if (gap < nearest) {
                    nearest = gap;
                    asks = &cars[i];
                }
            }
        }
        if (!asks)
            s->asked = 0;
        bool let =
            asks && (hold == GATE_OPEN || (hold == GATE_AUTO && s->asked >= d->s->gate[g].ask_s));
        if (let) {
            asks->flags |= CAR_MAY_PASS;
            wanted = true;
            s->asked = 0;
        }
        s->clear = under || wanted ? 0 : fminf(s->clear + (float)DT, 100);
        bool up = under || (wanted && hold != GATE_CLOSED) || hold == GATE_OPEN ||
                  (hold == GATE_AUTO && s->open > 0 && s->clear < GATE_CLEAR_S);
        float by = (float)(DT / GATE_S);
        s->open = up ? fminf(s->open + by, 1) : fmaxf(s->open - by, 0);
    }
}

static bool entrance_free(const struct drive *d, const struct driver *w,
                          const struct car_state *cars, size_t n)
{
    struct spot p;
    for (double s = 0; s < w->length + GAP_M + 4; s += 1) {
        route_ahead(w->car.route, 0, s - w->length / 2, &p, NULL);
        for (size_t i = 0; i < n; i++)
            if (!(cars[i].flags & CAR_PENDING) &&
                away(&d->body[i], p.x, p.y) < w->width / 2 + d->body[i].r + 0.3)
                return false;
    }
    return true;
}

void drive_enter(struct drive *d, uint32_t car, int32_t round, struct car_state *cars, size_t *n)
{
    const struct driver *w = &d->driver[car];
    size_t pending = 0;
    for (size_t i = 0; i < *n; i++)
        pending +=
            (cars[i].flags & CAR_PENDING) && d->driver[cars[i].car].car.route == w->car.route;
    if (*n >= TRAFFIC_MOST || pending >= PENDING_MOST)
        return;
    cars[(*n)++] = (struct car_state){.car = car, .round = round, .flags = CAR_PENDING};
}

static void let_in(struct drive *d, struct car_state *cars, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(cars[i].flags & CAR_PENDING))
            place_body(d, &cars[i], &d->body[i]);
    for (size_t i = 0; i < n; i++) {
        const struct driver *w = &d->driver[cars[i].car];
        const struct leg *first = &w->car.route->leg[0];
        if (!(cars[i].flags & CAR_PENDING) || (first->beat.path && !entrance_free(d, w, cars, n)))
            continue;
        cars[i].flags = 0;
        cars[i].v = first->beat.path ? (float)(first->speed_m_s * w->car.pace * 0.9) : 0;
        /* Not faster than those before it allow. */
        place_body(d, &cars[i], &d->body[i]);
        struct looking k = {.w = w, .c = &cars[i], .me = i, .limit = cars[i].v};
        if (first->beat.path) {
            look_ahead(d, cars, n, &k);
            cars[i].v = (float)k.limit;
            place_body(d, &cars[i], &d->body[i]);
        }
    }
}

void drive_step(struct drive *d, int64_t step, const struct rules *rules, struct car_state *cars,
                size_t *n, struct gate_state gate[SCENARIO_GATES])
{
    struct car_state next[TRAFFIC_MOST];
    int64_t phase = ((step % d->round) + d->round) % d->round;
    int32_t round = (int32_t)((step - phase) / d->round);
    for (size_t i = 0; i < d->scheduled; i++) {
        const struct traffic_car *c = &d->driver[i].car;
        int64_t start = (int64_t)ceil(c->start_s * TRAFFIC_HZ);
        if (c->guest ? step == (start <= 0 ? d->first_step : start)
                     : phase == start % d->round && (d->s->loop || step == start))
            drive_enter(d, (uint32_t)i, c->guest ? 0 : round, cars, n);
    }
    for (size_t i = 0; i < d->s->n_cues; i++) {
        const struct cue *c = &d->s->cue[i];
        int64_t at = (int64_t)ceil(c->at_s * TRAFFIC_HZ);
        if (c->sort == CUE_GATE && (d->s->loop ? phase == at % d->round : step == at))
            gate[c->which].told = (float)c->hold;
    }
    if (!*n && !d->s->n_gates)
        return;
    d->at_s = (double)step * DT;
    d->n_walkers = d->people(d->arg, d->at_s, d->walker, TRAFFIC_PEOPLE);
    for (int k = 0; k < 2; k++)
        d->n_soon[k] = d->people(d->arg, d->at_s + SOON_S * (k + 1), d->soon[k], TRAFFIC_PEOPLE);
    let_in(d, cars, *n);
    move_gates(d, rules, cars, *n, gate);
    size_t left = 0;
    for (size_t i = 0; i < *n; i++) {
        struct car_state *c = &cars[i], *to = &next[left];
        if (c->flags & CAR_PENDING) {
            *to = *c;
        } else if (!d->driver[c->car].car.route->leg[c->leg].beat.path) {
            *to = *c;
            stand(d, to);
        } else {
            move(d, cars, *n, i, gate, to);
        }
        left += to->leg < d->driver[c->car].car.route->n;
    }
    memcpy(cars, next, left * sizeof(*next));
    *n = left;
}
