#include "device/virtual/weather/fall.h"

uint64_t fall_mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* Half the picture's width and height at 1 m. */
static void spread(const struct view *v, double *ret_x, double *ret_y)
{
    *ret_x = v->width / 2.0 / v->f;
    *ret_y = v->height / 2.0 / v->f;
}

static struct vec camera_axes(const struct view *v, struct vec p)
{
    return vec(vec_dot(p, v->right), vec_dot(p, v->up), vec_dot(p, v->ahead));
}

/* One cell whose corner is at `corner` (relative to the eye). */
static void cell(const struct fall *f, uint64_t key, struct vec corner, double z0, double z1,
                 fall_fn fn, void *ctx)
{
    double tx, ty;
    spread(f->view, &tx, &ty);
    uint32_t most = (uint32_t)(f->share * 65536);
    for (int i = 0; i < FALL_PLACES; i++) {
        uint64_t h = fall_mix(key + (uint64_t)i);
        if ((h >> 48) >= most)
            continue;
        struct fallen it = {.presence = f->presence};
        it.at = vec(corner.x + fall_unit(h, 0) * f->cell_m, corner.y + fall_unit(h, 16) * f->cell_m,
                    corner.z + fall_unit(h, 32) * f->cell_m);
        struct vec c = camera_axes(f->view, it.at);
        if (!(c.z >= z0 && c.z < z1) || fabs(c.x) > tx * c.z + f->margin_m ||
            fabs(c.y) > ty * c.z + f->margin_m)
            continue;
        it.x = c.x;
        it.y = c.y;
        it.z = c.z;
        it.chance = fall_mix(h);
        fn(ctx, &it);
    }
}

/* All cells that touch the box and perhaps the view between these distances. */
static void box(const struct fall *f, struct vec lo, struct vec hi, double z0, double z1,
                fall_fn fn, void *ctx)
{
    double tx, ty, s = f->cell_m, reach = s * 0.8661 + f->margin_m;
    spread(f->view, &tx, &ty);
    double slope_x = sqrt(1 + tx * tx), slope_y = sqrt(1 + ty * ty);
    struct vec from = vec_mul(vec_sub(lo, f->drift), 1 / s);
    struct vec to = vec_mul(vec_sub(hi, f->drift), 1 / s);
    for (int64_t iz = (int64_t)floor(from.z); iz <= (int64_t)floor(to.z); iz++)
        for (int64_t iy = (int64_t)floor(from.y); iy <= (int64_t)floor(to.y); iy++)
            for (int64_t ix = (int64_t)floor(from.x); ix <= (int64_t)floor(to.x); ix++) {
                struct vec corner =
                    vec_add(vec_mul(vec((double)ix, (double)iy, (double)iz), s), f->drift);
                struct vec c = camera_axes(f->view, vec_add(corner, vec(s / 2, s / 2, s / 2)));
                if (c.z < z0 - reach || c.z > z1 + reach ||
                    fabs(c.x) > tx * c.z + reach * slope_x ||
                    fabs(c.y) > ty * c.z + reach * slope_y)
                    continue;
                uint64_t key = f->salt ^ (uint64_t)ix * UINT64_C(0x9e3779b185ebca87) ^
                               (uint64_t)iy * UINT64_C(0xc2b2ae3d27d4eb4f) ^
                               (uint64_t)iz * UINT64_C(0x165667b19e3779f9);
                cell(f, fall_mix(key), corner, z0, z1, fn, ctx);
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
    /* In slices: the box round a long thin beam would hold many cells for nothing. */
    double tx, ty;
    spread(f->view, &tx, &ty);
    const struct view *v = f->view;
    for (double z0 = f->near_m; z0 < f->far_m; z0 += 2 * f->cell_m) {
        double z1 = fmin(z0 + 2 * f->cell_m, f->far_m);
        struct vec lo = vec(INFINITY, INFINITY, INFINITY),
                   hi = vec(-INFINITY, -INFINITY, -INFINITY);
        for (int i = 0; i < 8; i++) {
            double z = i & 1 ? z1 : z0, x = tx * z + f->margin_m, y = ty * z + f->margin_m;
            struct vec p = vec_add(vec_mul(v->ahead, z), vec_add(vec_mul(v->right, i & 2 ? x : -x),
                                                                 vec_mul(v->up, i & 4 ? y : -y)));
            lo = vec(fmin(lo.x, p.x), fmin(lo.y, p.y), fmin(lo.z, p.z));
            hi = vec(fmax(hi.x, p.x), fmax(hi.y, p.y), fmax(hi.z, p.z));
        }
        box(f, lo, hi, z0, z1, fn, ctx);
    }
}
