/* What a driver sees: bends, cars, people, gates, crossings. */
#include "device/virtual/cast/drive_inside.h"

#include <math.h>

#define COMFORT 2.0  /* m/s² of braking */
#define SIDEWAYS 2.0 /* m/s² in bends */
#define REACTION_S 0.6
#define MERGE_M 16.0 /* giving way where ways join: along how much of one's own one looks … */
#define MERGE_ROOM_M 2.3
#define WINDOW_M_S 4.0   /* … and how far ahead: until one is through at that speed */
#define NARROW_ROOM 0.15 /* beside whom one meets where it is narrow */
#define TOWARDS 0.7      /* cosine: who comes towards one, not across */
#define CROSSING_M 4.0   /* a crossing and the room between two cars */
#define TO_YIELD_S 1.5   /* across it, to where one may have to give way */

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

void drive_mark_leg(const struct scenario *s, struct marked *m, const struct route *r, size_t leg)
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
        double at = leg_crosses(b, s->yield[i].line[0], s->yield[i].line[1]);
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

/* From a point to the body's axis. */
double body_away(const struct body *b, double x, double y)
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
double drive_stop_speed(double gap)
{
    return gap < 0.1 ? 0 : fmax(safe_speed(gap, 0, COMFORT), fmin(0.6, gap / DT / 2));
}

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
void drive_look_ahead(const struct drive *d, const struct car_state *cars, size_t n,
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
            bool comes = b->hx * p.dx + b->hy * p.dy < -TOWARDS * hypot(b->hx, b->hy) &&
                         cars[i].flags != CAR_PARKED;
            double room = comes ? 0.6 * (half + b->r) : half + b->r + 0.1;
            if (body_away(b, p.x, p.y) > room)
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

static bool before_same_yield(const struct drive *d, const struct car_state *c, size_t which)
{
    const struct marked *m = &d->marked[d->driver[c->car].marked];
    for (size_t i = 0; i < m->n; i++)
        if (m->mark[i].kind == MARK_YIELD && m->mark[i].which == which &&
            (m->mark[i].leg > c->leg || (m->mark[i].leg == c->leg && m->mark[i].s > c->s)))
            return true;
    return false;
}

/* Will somebody be where one would come out? Or come through where there is no room for two?
 * before_s: one comes to the line so much later. */
static bool must_yield(const struct drive *d, const struct car_state *cars, size_t n,
                       const struct looking *k, const struct mark *m, double before_s)
{
    const double narrow_m = d->s->yield[m->which].narrow_m, along = fmax(narrow_m, MERGE_M);
    struct spot zone[(int)YIELD_MOST_M / 2 + 1];
    size_t n_zone = 0;
    for (double s = 1; s < along; s += 2)
        route_ahead(k->w->car.route, m->leg, m->s + s, &zone[n_zone++], NULL);
    for (size_t i = 0; i < n; i++) {
        const struct car_state *o = &cars[i];
        if (i == k->me || (o->flags & CAR_PENDING) || o->v < 0.5f ||
            before_same_yield(d, o, m->which))
            continue;
        const struct driver *w = &d->driver[o->car];
        const double room =
            narrow_m > 0 ? (k->w->width + w->width) / 2 + NARROW_ROOM : MERGE_ROOM_M;
        for (double t = 0; t <= along / WINDOW_M_S + before_s; t += 0.5) {
            struct spot p;
            route_ahead(w->car.route, o->leg, o->s + w->length / 2 + o->v * t, &p, NULL);
            for (size_t z = 0; z < n_zone; z++)
                if (hypot(p.x - zone[z].x, p.y - zone[z].y) < room &&
                    (narrow_m == 0 || p.dx * zone[z].dx + p.dy * zone[z].dy < 0))
                    return true;
        }
    }
    return false;
}

/* Would one come to stand on the crossing, behind others or to give way? */
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
                body_away(&d->body[i], p.x, p.y) < k->w->width / 2 + d->body[i].r)
                return true;
    }
    const struct marked *all = &d->marked[k->w->marked];
    for (size_t i = 0; i < all->n; i++) {
        const struct mark *o = &all->mark[i];
        if (o->kind == MARK_YIELD && o->leg == m->leg && o->s > m->s &&
            o->s < m->s + k->w->length + CROSSING_M && must_yield(d, cars, n, k, o, TO_YIELD_S))
            return true;
    }
    return false;
}

/* Gates, crossings and where to give way. */
void drive_heed_marks(struct drive *d, struct car_state *cars, size_t n, struct looking *k,
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
                    k->limit = fmin(k->limit, drive_stop_speed(gap - 0.9));
            } else if (mark->kind == MARK_YIELD) {
                if (must_yield(d, cars, n, k, mark, 0))
                    k->limit = fmin(k->limit, drive_stop_speed(gap - 0.4));
            } else if (brake < gap && (crossing_taken(d, &d->s->crossing[mark->which]) ||
                                       jammed(d, cars, n, k, mark))) {
                k->limit = fmin(k->limit, drive_stop_speed(gap - 1.2));
            }
        }
        if (route_halts(r, leg))
            break;
        base += r->leg[leg].beat.way_m;
    }
}
