#include "device/virtual/cast/traffic.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device/virtual/cast/drive.h"

#define STRETCHES 32
#define WARM_UP_S 240               /* before a scenario that repeats begins */
#define ROUNDS_MOST 6               /* then rounds count as alike, whatever they are */
#define KEPT_CARS ((size_t)1 << 20) /* states in one stretch; likewise */

struct frame {
    size_t first;
    uint32_t n;
    struct gate_state gate[SCENARIO_GATES];
};

struct stretch {
    int64_t from; /* step */
    struct rules rules;
    struct frame *frame;
    size_t n_frames, room;
    struct car_state *car;
    size_t n_cars, cars_room;
    int64_t repeats_from; /* step; INT64_MAX: not known yet */
};

struct traffic {
    struct drive *drive;
    int64_t round; /* steps */
    bool loop;
    struct stretch *stretch[STRETCHES];
    size_t n;
};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* ---- stretches ---- */

static struct stretch *stretch_free(struct stretch *s)
{
    if (s) {
        free(s->frame);
        free(s->car);
    }
    free(s);
    return NULL;
}

static bool add_frame(struct stretch *s, const struct car_state *cars, size_t n,
                      const struct gate_state *gates)
{
    if (s->n_frames == s->room) {
        size_t room = s->room ? 2 * s->room : 256;
        struct frame *more = realloc(s->frame, room * sizeof(*more));
        if (!more)
            return false;
        s->frame = more;
        s->room = room;
    }
    if (s->n_cars + n > s->cars_room) {
        size_t room = 2 * s->cars_room + n + 256;
        struct car_state *more = realloc(s->car, room * sizeof(*more));
        if (!more)
            return false;
        s->car = more;
        s->cars_room = room;
    }
    struct frame *f = &s->frame[s->n_frames++];
    f->first = s->n_cars;
    f->n = (uint32_t)n;
    memcpy(f->gate, gates, sizeof(f->gate));
    if (n)
        memcpy(s->car + s->n_cars, cars, n * sizeof(*cars));
    s->n_cars += n;
    return true;
}

static bool same_frame(const struct traffic *t, const struct stretch *s, size_t a, size_t b)
{
    const struct frame *fa = &s->frame[a], *fb = &s->frame[b];
    if (fa->n != fb->n || memcmp(fa->gate, fb->gate, sizeof(fa->gate)) != 0)
        return false;
    for (uint32_t i = 0; i < fa->n; i++) {
        struct car_state ca = s->car[fa->first + i], cb = s->car[fb->first + i];
        if (t->loop && !drive_is_guest(t->drive, ca.car))
            ca.round++;
        if (memcmp(&ca, &cb, sizeof(ca)) != 0)
            return false;
    }
    return true;
}

/* Has a round just ended as the one before it? */
static void see_repetition(struct traffic *t, struct stretch *s)
{
    int64_t step = s->from + (int64_t)s->n_frames - 1;
    if (step % t->round || step - t->round < s->from || step <= 0)
        return;
    size_t now = s->n_frames - 1, before = now - (size_t)t->round;
    if (same_frame(t, s, before, now) || step >= s->from + ROUNDS_MOST * t->round ||
        s->n_cars > KEPT_CARS)
        s->repeats_from = step - t->round;
}

/* The frame of a step, worked out if need be; how many rounds its cars are late. NULL: no
 * memory, or before all that is known. */
static const struct frame *frame_of(struct traffic *t, struct stretch *s, int64_t step,
                                    int64_t *ret_rounds)
{
    struct car_state cars[TRAFFIC_MOST];
    *ret_rounds = 0;
    if (step < s->from)
        step = s->from;
    while (s->repeats_from == INT64_MAX && step >= s->from + (int64_t)s->n_frames) {
        const struct frame *last = &s->frame[s->n_frames - 1];
        struct gate_state gate[SCENARIO_GATES];
        memcpy(gate, last->gate, sizeof(gate));
        size_t n = last->n;
        if (n)
            memcpy(cars, s->car + last->first, n * sizeof(*cars));
        drive_step(t->drive, s->from + (int64_t)s->n_frames - 1, &s->rules, cars, &n, gate);
        if (!add_frame(s, cars, n, gate))
            return NULL;
        see_repetition(t, s);
    }
    if (step >= s->from + (int64_t)s->n_frames) {
        *ret_rounds = floor_div(step - s->repeats_from, t->round);
        step -= *ret_rounds * t->round;
        if (!t->loop)
            *ret_rounds = 0;
    }
    return &s->frame[step - s->from];
}

static struct stretch *stretch_at(struct traffic *t, int64_t step)
{
    size_t i = t->n - 1;
    while (i && t->stretch[i]->from > step)
        i--;
    return t->stretch[i];
}

struct traffic *traffic_new(const struct scenario *s, const struct traffic_car *cars, size_t n,
                            traffic_people *people, void *arg)
{
    struct traffic *t = calloc(1, sizeof(*t));
    struct stretch *first = calloc(1, sizeof(*first));
    if (!t || !first) {
        free(t);
        free(first);
        return NULL;
    }
    t->stretch[t->n++] = first;
    t->round = (int64_t)lround(s->length_s) * TRAFFIC_HZ;
    t->loop = s->loop;
    int64_t warm = WARM_UP_S * TRAFFIC_HZ;
    first->from = !s->loop ? 0 : t->round < warm ? -t->round : -warm;
    first->repeats_from = INT64_MAX;
    struct gate_state gates[SCENARIO_GATES] = {0};
    t->drive = drive_new(s, cars, n, first->from, people, arg);
    if (!t->drive || !add_frame(first, NULL, 0, gates))
        return traffic_free(t);
    return t;
}

struct traffic *traffic_free(struct traffic *t)
{
    if (!t)
        return NULL;
    for (size_t i = 0; i < t->n; i++)
        stretch_free(t->stretch[i]);
    drive_free(t->drive);
    free(t);
    return NULL;
}

/* ---- looking ---- */

static struct step step_between(const struct drive *d, const struct car_state *a,
                                const struct car_state *b, double k)
{
    double way_a = drive_way(d, a), way_b = b ? drive_way(d, b) : way_a + a->v / TRAFFIC_HZ;
    double va = a->v / TRAFFIC_HZ, vb = (b ? b->v : a->v) / TRAFFIC_HZ;
    /* The cubic through both ways and speeds; steps are made so that it never turns. */
    double k2 = k * k, k3 = k2 * k;
    double way = (2 * k3 - 3 * k2 + 1) * way_a + (k3 - 2 * k2 + k) * va +
                 (3 * k2 - 2 * k3) * way_b + (k3 - k2) * vb;
    way = fmin(fmax(way, way_a), fmax(way_a, way_b));
    return drive_at(d, a->car, way, a->v + ((b ? b->v : a->v) - (double)a->v) * k);
}

size_t traffic_at(struct traffic *t, double at_s, struct traffic_seen *ret, size_t most,
                  double ret_gate[SCENARIO_GATES])
{
    double steps = at_s * TRAFFIC_HZ;
    int64_t step = (int64_t)floor(steps), late, late_next;
    double k = steps - (double)step;
    struct stretch *s = stretch_at(t, step);
    if (step < s->from) {
        step = s->from;
        k = 0;
    }
    memset(ret_gate, 0, sizeof(*ret_gate) * SCENARIO_GATES);
    /* The later one first: frames move when more are added. */
    const struct frame *b = frame_of(t, s, step + 1, &late_next);
    const struct frame *a = b ? frame_of(t, s, step, &late) : NULL;
    if (!a)
        return 0;
    for (size_t g = 0; g < SCENARIO_GATES; g++)
        ret_gate[g] = a->gate[g].open + (b->gate[g].open - (double)a->gate[g].open) * k;
    size_t n = 0;
    uint32_t j = 0;
    for (uint32_t i = 0; i < a->n && n < most; i++) {
        const struct car_state *ca = &s->car[a->first + i], *cb = NULL;
        bool guest = drive_is_guest(t->drive, ca->car);
        int64_t round = guest ? 0 : ca->round + late;
        for (uint32_t m = j; m < b->n && !cb; m++) {
            const struct car_state *c = &s->car[b->first + m];
            if (c->car == ca->car && (guest || c->round + late_next == round)) {
                cb = c;
                j = m + 1;
            }
        }
        if (ca->flags & CAR_PENDING)
            continue;
        ret[n].car = ca->car;
        ret[n].round = (int32_t)round;
        ret[n].step = step_between(t->drive, ca, cb, k);
        ret[n].braking = (ca->flags & CAR_BRAKES) != 0;
        ret[n].parked = (ca->flags & CAR_PARKED) != 0;
        n++;
    }
    return n;
}

bool traffic_repeats(const struct traffic *t, int64_t *ret_round)
{
    const struct stretch *s = t->stretch[t->n - 1];
    if (s->repeats_from == INT64_MAX)
        return false;
    *ret_round = floor_div(s->repeats_from, t->round);
    return true;
}

/* ---- changes ---- */

/* A stretch that begins at this time as the one before goes on. NULL: no memory. */
static struct stretch *begin(struct traffic *t, double at_s)
{
    struct stretch *was = t->stretch[t->n - 1];
    int64_t step = (int64_t)ceil(at_s * TRAFFIC_HZ), late;
    if (step < was->from)
        step = was->from;
    if (step < 0)
        step = 0;
    const struct frame *f = frame_of(t, was, step, &late);
    struct stretch *s = calloc(1, sizeof(*s));
    /* where nobody drives there is no array of cars */
    if (!f || !s || !add_frame(s, f->n ? was->car + f->first : NULL, f->n, f->gate))
        return stretch_free(s);
    for (size_t i = 0; i < s->n_cars; i++)
        if (!drive_is_guest(t->drive, s->car[i].car))
            s->car[i].round += (int32_t)late;
    s->from = step;
    s->rules = was->rules;
    s->repeats_from = INT64_MAX;
    if (was->from == step) {
        stretch_free(was);
        t->n--;
    } else if (t->n == STRETCHES) {
        stretch_free(t->stretch[0]);
        memmove(t->stretch, t->stretch + 1, sizeof(t->stretch[0]) * (STRETCHES - 1));
        t->n--;
    }
    t->stretch[t->n++] = s;
    return s;
}

int traffic_hold(struct traffic *t, double at_s, size_t gate, enum gate_hold hold)
{
    struct stretch *s = begin(t, at_s);
    if (!s)
        return -ENOMEM;
    s->rules.hold[gate] = hold;
    return 0;
}

int traffic_disturb(struct traffic *t, double at_s)
{
    return begin(t, at_s) ? 0 : -ENOMEM;
}

int traffic_send(struct traffic *t, double at_s, const struct traffic_car *guest, uint32_t *ret_car)
{
    struct stretch *s = begin(t, at_s);
    if (!s)
        return -ENOMEM;
    struct frame *f = &s->frame[0];
    if (f->n >= TRAFFIC_MOST)
        return -ENOSPC;
    int rc = drive_add(t->drive, guest, ret_car);
    if (rc)
        return rc;
    struct car_state cars[TRAFFIC_MOST];
    struct gate_state gate[SCENARIO_GATES];
    size_t n = f->n;
    if (n)
        memcpy(cars, s->car + f->first, n * sizeof(*cars));
    memcpy(gate, f->gate, sizeof(gate));
    drive_enter(t->drive, *ret_car, 0, cars, &n);
    s->n_frames = s->n_cars = 0;
    return add_frame(s, cars, n, gate) ? 0 : -ENOMEM;
}

int traffic_remove(struct traffic *t, double at_s, uint32_t car, int32_t round)
{
    struct stretch *s = begin(t, at_s);
    if (!s)
        return -ENOMEM;
    struct frame *f = &s->frame[0];
    for (uint32_t i = 0; i < f->n; i++)
        if (s->car[i].car == car && s->car[i].round == round) {
            memmove(&s->car[i], &s->car[i + 1], sizeof(*s->car) * (f->n - i - 1));
            f->n--;
            s->n_cars--;
            return 0;
        }
    return -ENOENT;
}
