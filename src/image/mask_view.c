#include "image/mask_view.h"

#include <math.h>
#include <string.h>

#define RAD (M_PI / 180)
#define MAX_UNSURE_DEG 10

void mask_view_axes(const struct mask_view *v, double pan_deg, double tilt_deg, double focal,
                    double outside_px, struct mask_axes *ret)
{
    double p = pan_deg * RAD, t = tilt_deg * RAD;
    *ret = (struct mask_axes){
        .right = {cos(p), -sin(p), 0},
        .ahead = {sin(p) * cos(t), cos(p) * cos(t), sin(t)},
        .up = {-sin(p) * sin(t), -cos(p) * sin(t), cos(t)},
        .focal = focal,
        .left = (v->cx + outside_px) / focal,
        .right_edge = (v->width - v->cx + outside_px) / focal,
        .top = (v->cy + outside_px) / focal,
        .bottom = (v->height - v->cy + outside_px) / focal,
        .cx = v->cx,
        .cy = v->cy,
    };
}

static bool usable(const struct pose *p)
{
    return p->known && p->hfov_deg > 0.01 && p->hfov_deg < 150 && isfinite(p->pan_deg) &&
           isfinite(p->tilt_deg) && p->uncertainty_deg < MAX_UNSURE_DEG;
}

bool mask_view_init(struct mask_view *v, const struct shot *shot, const double crop[4])
{
    const struct shot_axis *a = &shot->axis;
    int w = shot->pixels->width, h = shot->pixels->height;
    *v = (struct mask_view){.start = shot->how.pose_start,
                            .end = shot->how.pose_end,
                            .cx = w / 2.0,
                            .cy = h / 2.0,
                            .spread_scale = 1,
                            .width = w,
                            .height = h,
                            .spread = shot->spread,
                            .part = {0, 0, 1, 1}};
    if (!usable(&v->start) || !usable(&v->end))
        return false;
    v->focal_px[0] = w / 2.0 / tan(v->start.hfov_deg / 2 * RAD);
    v->focal_px[1] = w / 2.0 / tan(v->end.hfov_deg / 2 * RAD);
    if (a->used) {
        double hfov_deg[2] = {v->start.hfov_deg, v->end.hfov_deg};
        if (!isfinite(a->x_px) || !isfinite(a->y_px) || !(a->width_px > 1))
            return false;
        if (a->fixed) {
            if (!isfinite(a->pan_deg) || !isfinite(a->tilt_deg) || !(a->hfov_deg > 0.01) ||
                !(a->hfov_deg < 150))
                return false;
            v->start.pan_deg = v->end.pan_deg = a->pan_deg;
            v->start.tilt_deg = v->end.tilt_deg = a->tilt_deg;
            hfov_deg[0] = hfov_deg[1] = a->hfov_deg;
        }
        v->focal_px[0] = a->width_px / 2 / tan(hfov_deg[0] / 2 * RAD);
        v->focal_px[1] = a->width_px / 2 / tan(hfov_deg[1] / 2 * RAD);
        v->cx = a->x_px;
        v->cy = a->y_px;
        v->scaled_px = fmax(a->spread_px, 0);
    }
    if (crop[2] > 0) {
        v->spread_scale = 1 / crop[2];
        v->cx = (v->cx - crop[0] * w) / crop[2];
        v->cy = (v->cy - crop[1] * h) / crop[2];
        v->focal_px[0] /= crop[2];
        v->focal_px[1] /= crop[2];
        memcpy(v->part, crop, sizeof(v->part));
    }
    return true;
}

double mask_view_travel(const struct mask_view *v)
{
    struct mask_axes a, b;
    double most = 0;
    mask_view_axes(v, v->start.pan_deg, v->start.tilt_deg, v->focal_px[0], 0, &a);
    mask_view_axes(v, v->end.pan_deg, v->end.tilt_deg, v->focal_px[1], 0, &b);
    for (int i = 0; i < 9; i++) {
        double x = v->width * (i % 3) / 2.0, y = v->height * (i / 3) / 2.0;
        double right = (x - a.cx) / a.focal, up = (a.cy - y) / a.focal;
        struct vec3 d = {a.ahead.x + a.right.x * right + a.up.x * up,
                         a.ahead.y + a.right.y * right + a.up.y * up,
                         a.ahead.z + a.right.z * right + a.up.z * up};
        double depth = vec3_dot(d, b.ahead);
        if (!(depth > 1e-6))
            return INFINITY;
        most = fmax(most, hypot(b.cx + b.focal * vec3_dot(d, b.right) / depth - x,
                                b.cy - b.focal * vec3_dot(d, b.up) / depth - y));
    }
    return most;
}

double mask_view_corner(const struct mask_view *v)
{
    double x = fmax(fabs(v->cx), fabs(v->width - v->cx));
    double y = fmax(fabs(v->cy), fabs(v->height - v->cy));
    double f = fmin(v->focal_px[0], v->focal_px[1]);
    return 1 + (x * x + y * y) / (f * f);
}
