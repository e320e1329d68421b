#include "device/virtual/place/plan.h"

#define DEG (180 / M_PI)

static const struct sheet *dense_enough(const struct tiles *t, const struct patch *p, double wanted,
                                        double too_dense)
{
    const struct sheet *best = &t->sheet[p->first];
    for (uint32_t i = 1; i < p->n; i++) {
        double density = best->density;
        if (p->projection == PROJECTION_DOWN)
            density /= DEG;
        if (density <= wanted * too_dense)
            break;
        best = &t->sheet[p->first + i];
    }
    return best;
}

static double smooth(double from, double to, double v)
{
    v = (v - from) / (to - from);
    v = v < 0 ? 0 : v > 1 ? 1 : v;
    return v * v * (3 - 2 * v);
}

/* All patches; `seen`: only of those that are in the picture. */
static void gather(struct plan *p, const struct tiles *t, const struct view *v, double too_dense,
                   bool seen)
{
    double wanted = v->f / DEG, below = 0; /* pixels per degree; density of what is beneath */
    double half = hypot(v->width, v->height) / 2, cosine = v->f / hypot(v->f, half);
    double sine = half / hypot(v->f, half); /* of the angle to the picture's corners */
    p->n = 0;
    for (uint32_t i = 0; i < t->head->n_patches && p->n < PLAN_MOST; i++) {
        const struct patch *patch = &t->patch[i];
        struct plan_use u = {patch, NULL, 1, &t->cone[i]};
        if (below > 0 && patch->projection == PROJECTION_ROUND)
            u.fade = smooth(0.7 * below, 1.1 * below, wanted);
        if (patch->round)
            below = t->sheet[patch->first].density;
        if (u.fade <= 0)
            continue;
        if (seen && !patch->round && patch->projection == PROJECTION_ROUND) {
            /* Cosine of the sum of the angles of both cones. */
            double least = u.cone->cosine * cosine - u.cone->sine * sine;
            if (u.cone->cosine > -cosine && vec_dot(u.cone->middle, v->ahead) < least)
                continue;
        }
        u.sheet = dense_enough(t, patch, wanted, too_dense);
        p->use[p->n++] = u;
    }
    for (int i = 0; i < p->n / 2; i++) {
        struct plan_use swap = p->use[i];
        p->use[i] = p->use[p->n - 1 - i];
        p->use[p->n - 1 - i] = swap;
    }
}

static double diagonal_deg(const struct view *v, double span)
{
    return span * 1.4143 / v->f * DEG;
}

void plan_init(struct plan *p, const struct tiles *t, const struct view *v, double span,
               double too_dense)
{
    p->cell_deg = diagonal_deg(v, span);
    gather(p, t, v, too_dense, true);
}

void plan_finest(struct plan *p, const struct tiles *t)
{
    struct view v = {.f = 60000, .width = 1, .height = 1};
    p->cell_deg = diagonal_deg(&v, 1);
    gather(p, t, &v, PLAN_SHARP, false);
}

void look_at(struct look *l, struct vec d)
{
    l->to = vec_unit(d);
    l->pan = atan2(l->to.x, l->to.y) * DEG;
    l->narrow = sqrt(fmax(1 - l->to.z * l->to.z, 0));
    l->tilt = asin(l->to.z < -1 ? -1 : l->to.z > 1 ? 1 : l->to.z) * DEG;
}

static double beyond(double pan, double pan0)
{
    double d = pan - pan0;
    return d - 360 * floor(d / 360);
}

int plan_weight(const struct plan *p, const struct plan_use *u, const struct look *at)
{
    const struct patch *q = u->patch;
    double inside = q->tilt1 - at->tilt;
    if (q->projection == PROJECTION_ROUND) {
        if (!q->round) {
            if (vec_dot(at->to, u->cone->middle) < u->cone->cosine)
                return 0;
            double left = beyond(at->pan, q->pan0), right = q->pan1 - q->pan0 - left;
            inside = fmin(inside, fmin(left, right) * at->narrow);
        }
        inside = fmin(inside, q->tilt0 <= -89 ? INFINITY : at->tilt - q->tilt0);
    }
    double k = (inside - p->cell_deg) / q->feather;
    k = k < 0 ? 0 : k > 1 ? 1 : k;
    return (int)(k * u->fade * PLAN_FULL + 0.5);
}

void plan_texel(const struct patch *p, const struct sheet *s, const struct look *at, double *ret_x,
                double *ret_y)
{
    if (p->projection == PROJECTION_DOWN) {
        double k = s->density / fmax(-at->to.z, 0.2);
        *ret_x = s->width / 2.0 + at->to.x * k;
        *ret_y = s->height / 2.0 - at->to.y * k;
        return;
    }
    *ret_x = beyond(at->pan, p->pan0) * s->density;
    *ret_y = (p->tilt1 - at->tilt) * s->density;
}

const struct plan_use *plan_find(const struct plan *p, const struct look *at)
{
    const struct plan_use *best = NULL;
    int left = PLAN_FULL, most = 0;
    for (int i = 0; i < p->n; i++) {
        int w = plan_weight(p, &p->use[i], at) * left / PLAN_FULL;
        if (w > most) {
            most = w;
            best = &p->use[i];
        }
        left -= w;
        if (most >= left)
            break;
    }
    return best;
}
