#include "device/virtual/view.h"

#include <math.h>
#include <string.h>

#define RAD (M_PI / 180)
#define NEAR_M 0.2

void view_init(struct view *v, const struct pose *pose, int width, int height)
{
    double pan = pose->pan_deg * RAD, tilt = pose->tilt_deg * RAD;
    memset(v, 0, sizeof(*v));
    v->ahead = vec(sin(pan) * cos(tilt), cos(pan) * cos(tilt), sin(tilt));
    v->right = vec(cos(pan), -sin(pan), 0);
    v->up = vec(-sin(pan) * sin(tilt), -cos(pan) * sin(tilt), cos(tilt));
    v->f = width / 2.0 / tan(pose->hfov_deg / 2 * RAD);
    v->width = width;
    v->height = height;
}

void view_roll(struct view *v, double roll_deg)
{
    double c = cos(roll_deg * RAD), s = sin(roll_deg * RAD);
    struct vec right = v->right;
    v->right = vec_sub(vec_mul(right, c), vec_mul(v->up, s));
    v->up = vec_add(vec_mul(right, s), vec_mul(v->up, c));
}

bool view_point(const struct view *v, struct vec p, double *ret_x, double *ret_y)
{
    double depth = vec_dot(p, v->ahead);
    if (!(depth > NEAR_M))
        return false;
    *ret_x = v->width / 2.0 + v->f * vec_dot(p, v->right) / depth;
    *ret_y = v->height / 2.0 - v->f * vec_dot(p, v->up) / depth;
    return true;
}

struct vec view_ray(const struct view *v, double x, double y)
{
    return vec_add(vec_mul(v->ahead, v->f), vec_add(vec_mul(v->right, x - v->width / 2.0),
                                                    vec_mul(v->up, v->height / 2.0 - y)));
}

bool view_same(const struct view *a, const struct view *b)
{
    return a->width == b->width && a->height == b->height && a->f == b->f &&
           !memcmp(&a->ahead, &b->ahead, sizeof(a->ahead)) &&
           !memcmp(&a->right, &b->right, sizeof(a->right));
}
