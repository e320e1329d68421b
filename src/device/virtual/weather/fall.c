#include "device/virtual/weather/fall.h"

#define MOST_BALL2 1e6 /* m²: that is everywhere */
#define SURE 1.000001

/* Half the picture's width and height at 1 m. */
static void spread(const struct view *v, double *ret_x, double *ret_y)
{
    *ret_x = v->width / 2.0 / v->f;
    *ret_y = v->height / 2.0 / v->f;
}

static void put(struct vec v, double to[3])
{
    to[0] = v.x;
    to[1] = v.y;
    to[2] = v.z;
}

static void find_window(const struct fall *f, double z0, double z1, struct fall_window *ret)
{
    const struct view *v = f->view;
    put(v->right, ret->axis[0]);
    put(v->up, ret->axis[1]);
    put(v->ahead, ret->axis[2]);
    put(f->middle, ret->middle);
    spread(v, &ret->slope[0], &ret->slope[1]);
    ret->margin_m = f->margin_m;
    ret->near_m = z0;
    ret->far_m = z1;
    ret->ball2 = f->reach2[FALL_SIZES - 1];
    ret->cell_m = f->cell_m;
    ret->share = (uint32_t)(f->share * 65536);
}

/* One cell whose corner is at `corner` (relative to the eye). */
static void cell(const struct fall *f, const struct fall_window *w, uint64_t key, struct vec corner,
                 fall_fn fn, void *ctx)
{
    struct fall_found at;
    const double from[3] = {corner.x, corner.y, corner.z};
    for (unsigned left = f->kernels->places(w, key, from, &at); left; left &= left - 1) {
        int i = __builtin_ctz(left);
        uint64_t chance = fall_mix(at.hash[i]);
        if (at.away2[i] > f->reach2[fall_size(chance)])
            continue;
        const struct fallen it = {.at = vec(at.at[0][i], at.at[1][i], at.at[2][i]),
                                  .x = at.seen[0][i],
                                  .y = at.seen[1][i],
                                  .z = at.seen[2][i],
                                  .chance = chance,
                                  .presence = f->presence};
        fn(ctx, &it);
    }
}

/* Cells of the lattice that may hold something to be seen lie within so many planes. */
#define PLANES 6

/* At cell (0, 0, 0), and per cell along each axis: not below 0 within. */
struct plane {
    double at, x, y, z;
};

static struct plane plane_of(const struct fall *f, struct vec normal, double beyond)
{
    double s = f->cell_m;
    struct vec middle = vec_add(f->drift, vec(s / 2, s / 2, s / 2));
    return (struct plane){vec_dot(normal, middle) + beyond, normal.x * s, normal.y * s,
                          normal.z * s};
}

/* The view between these distances, and a cell's reach around it. */
static void find_planes(const struct fall *f, double z0, double z1, struct plane ret[PLANES])
{
    const struct view *v = f->view;
    double tx, ty, reach = f->cell_m * 0.8661 + f->margin_m;
    spread(v, &tx, &ty);
    double slope_x = sqrt(1 + tx * tx), slope_y = sqrt(1 + ty * ty);
    const struct vec across = vec_mul(v->ahead, tx), down = vec_mul(v->ahead, ty);
    ret[0] = plane_of(f, v->ahead, reach - z0);
    ret[1] = plane_of(f, vec_mul(v->ahead, -1), reach + z1);
    ret[2] = plane_of(f, vec_add(across, v->right), reach * slope_x);
    ret[3] = plane_of(f, vec_sub(across, v->right), reach * slope_x);
    ret[4] = plane_of(f, vec_add(down, v->up), reach * slope_y);
    ret[5] = plane_of(f, vec_sub(down, v->up), reach * slope_y);
}

/* Which cells of a row along x lie within. */
static void find_row(const struct plane p[PLANES], int64_t iy, int64_t iz, int64_t *first,
                     int64_t *last)
{
    double lo = (double)*first, hi = (double)*last;
    for (int i = 0; i < PLANES; i++) {
        double at = p[i].at + p[i].y * (double)iy + p[i].z * (double)iz;
        if (p[i].x > 1e-12)
            lo = fmax(lo, -at / p[i].x);
        else if (p[i].x < -1e-12)
            hi = fmin(hi, -at / p[i].x);
        else if (at < 0)
            hi = -INFINITY;
    }
    *last = hi < lo ? *first - 1 : (int64_t)floor(hi);
    *first = hi < lo ? *first : (int64_t)ceil(lo);
}

/* How far the middle is from the cells that are so many steps along one axis. */
static double gap(double middle, double at, double cell_m)
{
    return fmax(fmax(at - middle, middle - at - cell_m), 0);
}

/* Those of a row within the ball around the middle in which all lies that is wanted; gap2: square
 * of the row's distance from there. */
static void find_ball(const struct fall *f, double gap2, int64_t *first, int64_t *last)
{
    double left2 = f->reach2[FALL_SIZES - 1] - gap2;
    if (left2 >= MOST_BALL2)
        return;
    double half = left2 < 0 ? -1 : sqrt(left2) * SURE, at = f->middle.x - f->drift.x;
    int64_t lo = (int64_t)floor((at - half) / f->cell_m);
    int64_t hi = half < 0 ? lo - 1 : (int64_t)floor((at + half) / f->cell_m);
    *first = lo > *first ? lo : *first;
    *last = hi < *last ? hi : *last;
}

/* All cells that touch the box and perhaps the view between these distances. */
static void box(const struct fall *f, struct vec lo, struct vec hi, double z0, double z1,
                fall_fn fn, void *ctx)
{
    struct plane p[PLANES];
    struct fall_window w;
    double s = f->cell_m;
    struct vec from = vec_mul(vec_sub(lo, f->drift), 1 / s);
    struct vec to = vec_mul(vec_sub(hi, f->drift), 1 / s);
    find_window(f, z0, z1, &w);
    find_planes(f, z0, z1, p);
    for (int64_t iz = (int64_t)floor(from.z); iz <= (int64_t)floor(to.z); iz++)
        for (int64_t iy = (int64_t)floor(from.y); iy <= (int64_t)floor(to.y); iy++) {
            int64_t first = (int64_t)floor(from.x), last = (int64_t)floor(to.x);
            find_row(p, iy, iz, &first, &last);
            double far_y = gap(f->middle.y - f->drift.y, (double)iy * s, s);
            double far_z = gap(f->middle.z - f->drift.z, (double)iz * s, s);
            find_ball(f, far_y * far_y + far_z * far_z, &first, &last);
            for (int64_t ix = first; ix <= last; ix++) {
                struct vec corner =
                    vec_add(vec_mul(vec((double)ix, (double)iy, (double)iz), s), f->drift);
                uint64_t key = f->salt ^ (uint64_t)ix * UINT64_C(0x9e3779b185ebca87) ^
                               (uint64_t)iy * UINT64_C(0xc2b2ae3d27d4eb4f) ^
                               (uint64_t)iz * UINT64_C(0x165667b19e3779f9);
                cell(f, &w, fall_mix(key), corner, fn, ctx);
            }
        }
}

void fall_each(const struct fall *f, fall_fn fn, void *ctx)
{
    if (f->share <= 0)
        return;
    if (!(f->far_m > 0)) {
        box(f, f->box_lo, f->box_hi, f->near_m, INFINITY, fn, ctx);
        return;
    }
    double tx, ty;
    spread(f->view, &tx, &ty);
    const struct view *v = f->view;
    struct vec lo = vec(INFINITY, INFINITY, INFINITY), hi = vec(-INFINITY, -INFINITY, -INFINITY);
    for (int i = 0; i < 8; i++) {
        double z = i & 1 ? f->far_m : f->near_m, x = tx * z + f->margin_m, y = ty * z + f->margin_m;
        struct vec p = vec_add(vec_mul(v->ahead, z), vec_add(vec_mul(v->right, i & 2 ? x : -x),
                                                             vec_mul(v->up, i & 4 ? y : -y)));
        lo = vec(fmin(lo.x, p.x), fmin(lo.y, p.y), fmin(lo.z, p.z));
        hi = vec(fmax(hi.x, p.x), fmax(hi.y, p.y), fmax(hi.z, p.z));
    }
    box(f, lo, hi, f->near_m, f->far_m, fn, ctx);
}
