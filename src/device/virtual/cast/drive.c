#include "device/virtual/cast/drive_inside.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CARS_MOST 4096
#define PENDING_MOST 3 /* at one entrance */
#define GATE_S 2.0     /* to open or close */
#define GATE_CLEAR_S 1.5
#define PARKED_S 20.0

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
        drive_mark_leg(d->s, m, r, i);
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
    drive_look_ahead(d, cars, n, &k);
    drive_heed_marks(d, cars, n, &k, gate);
    if (route_halts(r, c->leg))
        k.limit = fmin(k.limit, drive_stop_speed(l->beat.way_m - c->s));
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
                body_away(&d->body[i], p.x, p.y) < w->width / 2 + d->body[i].r + 0.3)
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
            drive_look_ahead(d, cars, n, &k);
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
