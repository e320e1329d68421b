#include "device/virtual/decal.h"

#include <math.h>
#include <stdlib.h>

#define RAD (M_PI / 180)

/* The polygon on the plane that touches the sphere in its middle. */
struct flat {
    unsigned n;
    struct vec axis[3]; /* [2]: the middle */
    double x[DECAL_POINTS], y[DECAL_POINTS];
};

static void flatten(const struct decal *p, struct flat *ret)
{
    struct vec dir[DECAL_POINTS], sum = vec(0, 0, 0);
    for (unsigned i = 0; i < p->n; i++) {
        double pan = p->point[i].pan_deg * RAD, tilt = p->point[i].tilt_deg * RAD;
        dir[i] = vec(sin(pan) * cos(tilt), cos(pan) * cos(tilt), sin(tilt));
        sum = vec_add(sum, dir[i]);
    }
    struct vec m = vec_mul(sum, 1 / sqrt(vec_dot(sum, sum)));
    struct vec aside = fabs(m.z) < 0.9 ? vec(0, 0, 1) : vec(0, 1, 0);
    struct vec a = vec(m.y * aside.z - m.z * aside.y, m.z * aside.x - m.x * aside.z,
                       m.x * aside.y - m.y * aside.x);
    a = vec_mul(a, 1 / sqrt(vec_dot(a, a)));
    ret->n = p->n;
    ret->axis[0] = a;
    ret->axis[1] = vec(a.y * m.z - a.z * m.y, a.z * m.x - a.x * m.z, a.x * m.y - a.y * m.x);
    ret->axis[2] = m;
    for (unsigned i = 0; i < p->n; i++) {
        double w = vec_dot(dir[i], m);
        ret->x[i] = vec_dot(dir[i], a) / w;
        ret->y[i] = vec_dot(dir[i], ret->axis[1]) / w;
    }
}

static bool inside(const struct flat *f, struct vec d)
{
    double w = vec_dot(d, f->axis[2]);
    if (!(w > 0))
        return false;
    double x = vec_dot(d, f->axis[0]) / w, y = vec_dot(d, f->axis[1]) / w;
    bool in = false;
    for (unsigned i = 0, k = f->n - 1; i < f->n; k = i++)
        if ((f->y[i] > y) != (f->y[k] > y) &&
            x < (f->x[k] - f->x[i]) * (y - f->y[i]) / (f->y[k] - f->y[i]) + f->x[i])
            in = !in;
    return in;
}

unsigned decal_paint(const struct decal *p, const struct view *v, struct radiance *into)
{
    struct flat f;
    uint16_t c[3];
    unsigned painted = 0;
    size_t n = (size_t)into->width + 1;
    bool *row = calloc(2 * n, sizeof(*row)), *above = row, *below = row ? row + n : NULL;
    if (!row || p->n < 3) {
        free(row);
        return 0;
    }
    flatten(p, &f);
    for (int i = 0; i < 3; i++)
        c[i] = (uint16_t)fmin(fmax(p->colour[i] * into->unit, 0), 65535);
    for (int y = 0; y <= into->height; y++) {
        for (int x = 0; x <= into->width; x++)
            below[x] = inside(&f, view_ray(v, x, y));
        for (int x = 0; x < into->width && y; x++) {
            if (!above[x] && !above[x + 1] && !below[x] && !below[x + 1])
                continue;
            size_t at = (size_t)(y - 1) * into->stride + (size_t)x;
            into->r[at] = c[0];
            into->g[at] = c[1];
            into->b[at] = c[2];
            painted++;
        }
        bool *t = above;
        above = below;
        below = t;
    }
    free(row);
    return painted;
}
