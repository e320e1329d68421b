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
    struct lens *l = &v->lens;
    l->f = v->f;
    l->cx = width / 2.0 - 0.5;
    l->cy = height / 2.0 - 0.5;
    l->sky_x = v->right.z;
    l->sky_y = -v->up.z;
    l->sky_c = v->ahead.z * v->f - v->right.z * l->cx + v->up.z * l->cy;
    const float haze[3] = {0.62f, 0.72f, 0.82f}, zenith[3] = {0.10f, 0.24f, 0.56f};
    const float shade[3] = {0.72f, 0.68f, 0.60f};
    for (int k = 0; k < 3; k++) {
        l->haze[k] = (float)RADIANCE_UNIT * haze[k];
        l->zenith[k] = (float)RADIANCE_UNIT * zenith[k];
        l->shade[k] = shade[k];
    }
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

/* n·ray as a function of the pixel's indices. */
static void linear(const struct view *v, struct vec n, double *ret_x, double *ret_y, double *ret_c)
{
    double a = vec_dot(n, v->right), b = -vec_dot(n, v->up);
    *ret_x = a;
    *ret_y = b;
    *ret_c = vec_dot(n, v->ahead) * v->f - a * v->lens.cx - b * v->lens.cy;
}

/* The rectangle that a polygon may touch; false when it is outside the picture. The
 * coverage of an acute corner would reach beyond it. */
static bool bounds(const struct view *v, const struct surface *s, double margin, struct drawn *d)
{
    double half_w = v->width / 2.0 + margin, half_h = v->height / 2.0 + margin;
    int out[5] = {0}, behind = 0;
    double x0 = 1e9, x1 = -1e9, y0 = 1e9, y1 = -1e9;
    for (int i = 0; i < s->n_verts; i++) {
        double x = vec_dot(s->vert[i], v->right) * v->f, y = vec_dot(s->vert[i], v->up) * v->f;
        double z = vec_dot(s->vert[i], v->ahead);
        out[0] += x < -half_w * z;
        out[1] += x > half_w * z;
        out[2] += y < -half_h * z;
        out[3] += y > half_h * z;
        out[4] += z <= 0;
        if (z <= 1e-3) {
            behind++;
            continue;
        }
        x0 = fmin(x0, v->width / 2.0 + x / z);
        x1 = fmax(x1, v->width / 2.0 + x / z);
        y0 = fmin(y0, v->height / 2.0 - y / z);
        y1 = fmax(y1, v->height / 2.0 - y / z);
    }
    for (int k = 0; k < 5 && s->n_verts; k++)
        if (out[k] == s->n_verts)
            return false;
    if (behind || s->n_verts == 0) {
        x0 = y0 = 0;
        x1 = v->width;
        y1 = v->height;
    }
    d->x0 = (int)fmax(0, floor(x0 - margin));
    d->x1 = (int)fmin(v->width - 1, ceil(x1 + margin) - 1);
    d->y0 = (int)fmax(0, floor(y0 - margin));
    d->y1 = (int)fmin(v->height - 1, ceil(y1 + margin) - 1);
    return d->x0 <= d->x1 && d->y0 <= d->y1;
}

bool view_surface(const struct view *v, const struct surface *s, struct drawn *d)
{
    memset(d, 0, sizeof(*d));
    double soft = 1;
    if (s->soft_m > 0) {
        soft = v->f * s->soft_m / (s->key > 1 ? s->key : 1);
        soft = soft < 1 ? 1 : soft > 200 ? 200 : soft;
    }
    if (!bounds(v, s, soft > 1 ? soft : 0.6, d))
        return false;
    d->kind = s->kind;
    d->from = s;
    d->tex = s->tex;
    d->n_edges = s->n_edges;
    for (int i = 0; i < s->n_edges; i++) {
        double x, y, c;
        linear(v, s->edge[i], &x, &y, &c);
        double size = hypot(x, y);
        double k = 1 / ((size > 1e-12 ? size : 1e-12) * soft);
        d->ex[i] = x * k;
        d->ey[i] = y * k;
        d->ec[i] = c * k;
        d->slack[i] = s->fat[i] ? 0.6f : 0;
    }
    if (s->kind == DRAWN_TEXTURE) {
        struct vec u = vec_add(s->un, vec_mul(s->normal, s->u0));
        struct vec w = vec_add(s->vn, vec_mul(s->normal, s->v0));
        linear(v, u, &d->ux, &d->uy, &d->uc);
        linear(v, w, &d->vx, &d->vy, &d->vc);
        linear(v, s->normal, &d->wx, &d->wy, &d->wc);
    }
    d->depth = s->plane * v->f;
    d->haze_at = s->haze_at;
    d->fade_at = s->fade_at;
    memcpy(d->light, s->light, sizeof(d->light));
    return true;
}

bool view_tube(const struct view *v, const struct tube *t, struct drawn *d)
{
    double ax, ay, bx, by;
    struct vec a = vec_sub(t->a, place_eye()), b = vec_sub(t->b, place_eye());
    if (!view_point(v, a, &ax, &ay) || !view_point(v, b, &bx, &by))
        return false;
    memset(d, 0, sizeof(*d));
    d->kind = DRAWN_CAPSULE;
    d->ax = (float)(ax - 0.5);
    d->ay = (float)(ay - 0.5);
    d->bx = (float)(bx - 0.5);
    d->by = (float)(by - 0.5);
    d->ra = (float)(t->ra * v->f / vec_dot(a, v->ahead));
    d->rb = (float)(t->rb * v->f / vec_dot(b, v->ahead));
    double r = fmax(d->ra, d->rb) + 1;
    if (fmax(ax, bx) + r < 0 || fmin(ax, bx) - r > v->width || fmax(ay, by) + r < 0 ||
        fmin(ay, by) - r > v->height)
        return false;
    d->x0 = (int)fmax(0, floor(fmin(ax, bx) - r));
    d->x1 = (int)fmin(v->width - 1, ceil(fmax(ax, bx) + r));
    d->y0 = (int)fmax(0, floor(fmin(ay, by) - r));
    d->y1 = (int)fmin(v->height - 1, ceil(fmax(ay, by) + r));
    struct vec sun = place_sun();
    d->sun[0] = (float)vec_dot(sun, v->right);
    d->sun[1] = (float)vec_dot(sun, v->up);
    d->sun[2] = (float)-vec_dot(sun, v->ahead);
    for (int k = 0; k < 3; k++)
        d->light[k] = t->colour[k] * (float)RADIANCE_UNIT;
    return d->x0 <= d->x1 && d->y0 <= d->y1;
}

bool drawn_hit(const struct drawn *d, double x, double y)
{
    x -= 0.5;
    y -= 0.5;
    if (d->kind == DRAWN_CAPSULE) {
        double bx = d->bx - d->ax, by = d->by - d->ay, len2 = bx * bx + by * by;
        double h = len2 > 1e-6 ? ((x - d->ax) * bx + (y - d->ay) * by) / len2 : 0;
        h = h < 0 ? 0 : h > 1 ? 1 : h;
        return hypot(x - d->ax - bx * h, y - d->ay - by * h) <= d->ra + (d->rb - d->ra) * h;
    }
    for (int i = 0; i < d->n_edges; i++)
        if (d->ex[i] * x + d->ey[i] * y + d->ec[i] < 0)
            return false;
    return true;
}
