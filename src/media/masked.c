#include "media/masked.h"

#include <stdlib.h>

#define SAMPLES 12 /* of a box, along each side */

struct masked *masked_new(unsigned room)
{
    struct masked *m = calloc(1, sizeof(*m) + room * sizeof(m->area[0]));
    if (m)
        m->refs = 1;
    return m;
}

struct masked *masked_ref(struct masked *m)
{
    if (m)
        __atomic_add_fetch(&m->refs, 1, __ATOMIC_RELAXED);
    return m;
}

struct masked *masked_unref(struct masked *m)
{
    if (m && !__atomic_sub_fetch(&m->refs, 1, __ATOMIC_ACQ_REL))
        free(m);
    return NULL;
}

static bool area_has(const struct masked_area *a, double x, double y)
{
    bool in = false;
    for (unsigned i = 0, k = a->n_points - 1; i < a->n_points; k = i++) {
        double xi = (double)a->x[i], yi = (double)a->y[i];
        double xk = (double)a->x[k], yk = (double)a->y[k];
        if ((yi > y) != (yk > y) && x < (xk - xi) * (y - yi) / (yk - yi) + xi)
            in = !in;
    }
    return in;
}

bool masked_at(const struct masked *m, double x, double y)
{
    for (unsigned i = 0; m && i < m->n; i++)
        if (m->area[i].n_points && area_has(&m->area[i], x, y))
            return true;
    return false;
}

double masked_share(const struct masked *m, const double box[4])
{
    unsigned in = 0;
    for (int i = 0; m && i < SAMPLES * SAMPLES; i++)
        in += masked_at(m, box[0] + box[2] * (i % SAMPLES + 0.5) / SAMPLES,
                        box[1] + box[3] * (i / SAMPLES + 0.5) / SAMPLES);
    return (double)in / (SAMPLES * SAMPLES);
}
