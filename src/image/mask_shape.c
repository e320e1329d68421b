#include "image/mask_shape.h"

#include <math.h>

#define RAD (M_PI / 180)
#define LEAST_COS 0.02 /* to the middle: 88.9 degrees */

struct vec3 mask_direction(double pan_deg, double tilt_deg)
{
    double p = pan_deg * RAD, t = tilt_deg * RAD;
    return (struct vec3){sin(p) * cos(t), cos(p) * cos(t), sin(t)};
}

static struct vec3 unit(struct vec3 v)
{
    double len = sqrt(vec3_dot(v, v));
    return (struct vec3){v.x / len, v.y / len, v.z / len};
}

static struct vec3 cross(struct vec3 a, struct vec3 b)
{
    return (struct vec3){a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

/* The grid begins in the middle, so that a mask that grows a little on one side keeps it. */
static void lay_blocks(struct mask_shape *s, int blocks)
{
    double u[2] = {INFINITY, -INFINITY}, v[2] = {INFINITY, -INFINITY};
    for (unsigned i = 0; i < s->n; i++) {
        double w = vec3_dot(s->dir[i], s->axis[2]);
        double x = vec3_dot(s->dir[i], s->axis[0]) / w, y = vec3_dot(s->dir[i], s->axis[1]) / w;
        u[0] = fmin(u[0], x);
        u[1] = fmax(u[1], x);
        v[0] = fmin(v[0], y);
        v[1] = fmax(v[1], y);
    }
    double longest = fmax(fmax(u[1] - u[0], v[1] - v[0]), 1e-9);
    s->block = longest / blocks * (1 + 1e-9);
    s->across = (int)ceil((u[1] - u[0]) / s->block);
    s->down = (int)ceil((v[1] - v[0]) / s->block);
    s->across = s->across < 1 ? 1 : s->across > blocks ? blocks : s->across;
    s->down = s->down < 1 ? 1 : s->down > blocks ? blocks : s->down;
    s->u0 = (u[0] + u[1] - s->across * s->block) / 2;
    s->v0 = (v[0] + v[1] - s->down * s->block) / 2;
}

bool mask_shape_init(struct mask_shape *s, const struct mask *m, int blocks)
{
    struct vec3 sum = {0};
    *s = (struct mask_shape){
        .n = m->n < MASK_MAX_POINTS ? m->n : MASK_MAX_POINTS,
        .least_zoom = m->least_zoom,
        .index = m->index,
    };
    for (unsigned i = 0; i < s->n; i++) {
        struct vec3 d = s->dir[i] = mask_direction(m->point[i].pan_deg, m->point[i].tilt_deg);
        sum = (struct vec3){sum.x + d.x, sum.y + d.y, sum.z + d.z};
    }
    if (s->n < MASK_MIN_POINTS || !(vec3_dot(sum, sum) > 1e-6))
        return false;
    struct vec3 middle = unit(sum);
    for (unsigned i = 0; i < s->n; i++)
        if (!(vec3_dot(middle, s->dir[i]) > LEAST_COS))
            return false;
    struct vec3 aside = fabs(middle.z) < 0.9 ? (struct vec3){0, 0, 1} : (struct vec3){0, 1, 0};
    s->axis[2] = middle;
    s->axis[0] = unit(cross(middle, aside));
    s->axis[1] = cross(s->axis[0], middle);
    lay_blocks(s, blocks);
    return true;
}
