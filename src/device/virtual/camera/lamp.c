#include "device/virtual/camera/lamp.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/list.h"

#define KEPT 64

struct kept {
    int64_t from_ns;
    struct light_state state;
};

struct virtual_lamp {
    struct light_source source;
    struct clock *clock;
    pthread_mutex_t lock;   /* leaf: guards what follows */
    struct kept kept[KEPT]; /* a ring; the newest is n - 1 */
    unsigned n;
};

static struct virtual_lamp *of(struct light_source *l)
{
    return container_of(l, struct virtual_lamp, source);
}

static void caps(struct light_source *l, struct light_caps *ret)
{
    (void)l;
    *ret = (struct light_caps){.least_deg = LAMP_LEAST_DEG, .most_deg = LAMP_MOST_DEG};
}

static int set(struct light_source *l, double intensity, double beam_deg)
{
    struct virtual_lamp *v = of(l);
    if (isnan(intensity) || isnan(beam_deg))
        return -EINVAL;
    struct kept k = {
        clock_now(v->clock),
        {fmin(fmax(intensity, 0), 1), fmin(fmax(beam_deg, LAMP_LEAST_DEG), LAMP_MOST_DEG)}};
    pthread_mutex_lock(&v->lock);
    const struct kept *last = &v->kept[(v->n - 1) % KEPT];
    if (last->from_ns == k.from_ns) /* the second replaces the first */
        v->n--;
    if (last->state.intensity != k.state.intensity || last->state.beam_deg != k.state.beam_deg ||
        last->from_ns == k.from_ns)
        v->kept[v->n++ % KEPT] = k;
    pthread_mutex_unlock(&v->lock);
    return 0;
}

static void state(struct light_source *l, int64_t time_ns, struct light_state *ret)
{
    struct virtual_lamp *v = of(l);
    pthread_mutex_lock(&v->lock);
    unsigned oldest = v->n > KEPT ? v->n - KEPT : 0, i = v->n - 1;
    while (i > oldest && v->kept[i % KEPT].from_ns > time_ns)
        i--;
    *ret = v->kept[i % KEPT].state;
    pthread_mutex_unlock(&v->lock);
}

static const struct light_ops ops = {.caps = caps, .set = set, .state = state};

struct light_source *virtual_lamp_new(struct clock *clock)
{
    struct virtual_lamp *v = calloc(1, sizeof(*v));
    if (!v)
        return NULL;
    v->source.ops = &ops;
    v->clock = clock;
    pthread_mutex_init(&v->lock, NULL);
    v->kept[v->n++] = (struct kept){INT64_MIN / 2, {0, 60}};
    return &v->source;
}

struct light_source *virtual_lamp_free(struct light_source *l)
{
    if (!l)
        return NULL;
    pthread_mutex_destroy(&of(l)->lock);
    free(of(l));
    return NULL;
}
