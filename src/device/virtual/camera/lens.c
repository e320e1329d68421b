#include "device/virtual/camera/lens.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/list.h"
#include "device/virtual/camera/head.h"

#define RAD (M_PI / 180)
#define MOVES 64
#define IRIS_TRAVEL_S 0.3 /* from end to end */

/* A way at even speed. */
struct travel {
    int64_t at_ns, over_ns;
    double from, to;
};

struct part {
    struct travel travel[MOVES]; /* a ring; the newest is n - 1 */
    unsigned n;
};

struct virtual_lens {
    struct lens lens;
    struct clock *clock;
    struct head *head;
    pthread_mutex_t lock;     /* leaf: guards what follows */
    struct part focus, stops; /* of the iris: log2(f-number) */
    bool moved;               /* somebody has focused it */
};

static struct virtual_lens *of(struct lens *l)
{
    return container_of(l, struct virtual_lens, lens);
}

static double clamp(double v, double lo, double hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* ---- optics ---- */

double lens_widest_f(double zoom)
{
    return LENS_WIDEST_F * pow(fmax(zoom, 1), 0.3);
}

static double nearest(double zoom)
{
    return LENS_NEAREST_M * pow(fmax(zoom, 1), 0.47);
}

double lens_focus_distance(double focus, double zoom)
{
    double left = 1 - clamp(focus, 0, 1);
    return left > 0 ? nearest(zoom) / (left * left) : INFINITY;
}

double lens_focus_for(double distance_m, double zoom)
{
    return clamp(1 - sqrt(nearest(zoom) / fmax(distance_m, 1e-3)), 0, 1);
}

double lens_breathe(double hfov_deg, double focus)
{
    double left = 1 - clamp(focus, 0, 1);
    if (left == 0)
        return hfov_deg; /* to the last bit */
    return 2 * atan(tan(hfov_deg / 2 * RAD) * (1 - LENS_BREATHES * left * left)) / RAD;
}

double optics_disc(const struct optics *o, double distance_m, int width)
{
    if (!(o->focus_m > 0))
        return 0;
    double off = isinf(distance_m)   ? 1 / o->focus_m
                 : isinf(o->focus_m) ? 1 / distance_m
                                     : fabs(1 / o->focus_m - 1 / distance_m);
    double stretch = isinf(o->focus_m) ? 1 : 1 / (1 - o->focal_m / o->focus_m);
    double disc = o->focal_m * o->focal_m / o->f_number * off * stretch;
    return disc * width / (LENS_SENSOR_MM / 1000);
}

/* ---- motion ---- */

static double travel_at(const struct travel *t, int64_t time_ns)
{
    if (time_ns >= t->at_ns + t->over_ns)
        return t->to;
    if (time_ns <= t->at_ns)
        return t->from;
    return t->from + (t->to - t->from) * (double)(time_ns - t->at_ns) / (double)t->over_ns;
}

static const struct travel *travel_for(const struct part *p, int64_t time_ns)
{
    unsigned oldest = p->n > MOVES ? p->n - MOVES : 0, i = p->n - 1;
    while (i > oldest && p->travel[i % MOVES].at_ns > time_ns)
        i--;
    return &p->travel[i % MOVES];
}

static double part_at(const struct part *p, int64_t time_ns)
{
    return travel_at(travel_for(p, time_ns), time_ns);
}

/* From where it is at that time, at a speed of so much a second. */
static void part_go(struct part *p, int64_t now_ns, double to, double speed)
{
    const struct travel *last = &p->travel[(p->n - 1) % MOVES];
    if (last->to == to && now_ns >= last->at_ns + last->over_ns)
        return; /* it is there; the past is kept for longer */
    double from = part_at(p, now_ns);
    struct travel t = {now_ns, (int64_t)(fabs(to - from) / speed * 1e9), from, to};
    if (p->travel[(p->n - 1) % MOVES].at_ns == now_ns) /* the second replaces the first */
        p->n--;
    p->travel[p->n++ % MOVES] = t;
}

static double zoom_at(struct virtual_lens *v, int64_t time_ns)
{
    struct pose p = {.zoom = 1};
    if (v->head)
        v->head->ops->pose(v->head, time_ns, &p);
    return p.zoom;
}

/* ---- port ---- */

static void caps(struct lens *l, struct lens_caps *ret)
{
    (void)l;
    *ret = (struct lens_caps){.focus = true,
                              .iris = true,
                              .widest_f = LENS_WIDEST_F,
                              .narrowest_f = LENS_NARROWEST_F,
                              .nearest_m = LENS_NEAREST_M};
}

static int focus(struct lens *l, double to, double speed)
{
    struct virtual_lens *v = of(l);
    if (isnan(to) || isnan(speed))
        return -EINVAL;
    pthread_mutex_lock(&v->lock);
    part_go(&v->focus, clock_now(v->clock), clamp(to, 0, 1),
            clamp(speed, 0.002, 1) / LENS_FOCUS_TRAVEL_S);
    v->moved = true;
    pthread_mutex_unlock(&v->lock);
    return 0;
}

static int iris(struct lens *l, double iris_f)
{
    struct virtual_lens *v = of(l);
    if (isnan(iris_f))
        return -EINVAL;
    double stops = log2(clamp(iris_f, LENS_WIDEST_F, LENS_NARROWEST_F));
    pthread_mutex_lock(&v->lock);
    part_go(&v->stops, clock_now(v->clock), stops,
            log2(LENS_NARROWEST_F / LENS_WIDEST_F) / IRIS_TRAVEL_S);
    pthread_mutex_unlock(&v->lock);
    return 0;
}

static double f_number(struct virtual_lens *v, int64_t time_ns, double zoom)
{
    pthread_mutex_lock(&v->lock);
    double stops = part_at(&v->stops, time_ns);
    pthread_mutex_unlock(&v->lock);
    return fmax(exp2(stops), lens_widest_f(zoom));
}

static void state(struct lens *l, int64_t time_ns, struct lens_state *ret)
{
    struct virtual_lens *v = of(l);
    double zoom = zoom_at(v, time_ns); /* not under our lock: a head may ask for our focus */
    ret->iris_f = f_number(v, time_ns, zoom);
    pthread_mutex_lock(&v->lock);
    const struct travel *t = travel_for(&v->focus, time_ns);
    ret->focus = travel_at(t, time_ns);
    ret->moving = time_ns < t->at_ns + t->over_ns;
    pthread_mutex_unlock(&v->lock);
}

static const struct lens_ops ops = {.caps = caps, .focus = focus, .iris = iris, .state = state};

double virtual_lens_focus(struct lens *l, int64_t time_ns)
{
    if (!l)
        return 1;
    struct virtual_lens *v = of(l);
    pthread_mutex_lock(&v->lock);
    double at = part_at(&v->focus, time_ns);
    pthread_mutex_unlock(&v->lock);
    return at;
}

void virtual_lens_optics(struct lens *l, int64_t time_ns, double zoom, struct optics *ret)
{
    struct virtual_lens *v = of(l);
    pthread_mutex_lock(&v->lock);
    bool moved = v->moved;
    double at = part_at(&v->focus, time_ns);
    pthread_mutex_unlock(&v->lock);
    ret->focal_m = LENS_SENSOR_MM / 2000 / tan(HEAD_WIDE_HFOV_DEG / 2 * RAD) * zoom;
    ret->f_number = f_number(v, time_ns, zoom);
    ret->focus_m = moved ? lens_focus_distance(at, zoom) : 0;
}

void virtual_lens_mount(struct lens *l, struct head *head)
{
    of(l)->head = head;
}

struct lens *virtual_lens_new(struct clock *clock)
{
    struct virtual_lens *v = calloc(1, sizeof(*v));
    if (!v)
        return NULL;
    v->lens.ops = &ops;
    v->clock = clock;
    pthread_mutex_init(&v->lock, NULL);
    v->focus = (struct part){.n = 1, .travel = {{INT64_MIN / 2, 0, 1, 1}}};
    double wide = log2(LENS_WIDEST_F);
    v->stops = (struct part){.n = 1, .travel = {{INT64_MIN / 2, 0, wide, wide}}};
    return &v->lens;
}

struct lens *virtual_lens_free(struct lens *l)
{
    if (!l)
        return NULL;
    pthread_mutex_destroy(&of(l)->lock);
    free(of(l));
    return NULL;
}
