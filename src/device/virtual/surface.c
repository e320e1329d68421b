#include <math.h>
#include <string.h>

#include "device/virtual/place.h"
#include "device/virtual/texture.h"

#define RAD (M_PI / 180)

struct vec place_sun(void)
{
    const double azimuth = 212 * RAD, elevation = 50 * RAD;
    return vec(sin(azimuth) * cos(elevation), cos(azimuth) * cos(elevation), sin(elevation));
}

struct vec place_eye(void)
{
    return vec(0, 0, EYE_HEIGHT_M);
}

void surface_shape(struct surface *s, const struct vec *world_points, int n)
{
    struct vec centre = vec(0, 0, 0);
    s->n_verts = s->n_edges = n;
    for (int i = 0; i < n; i++) {
        s->vert[i] = vec_sub(world_points[i], place_eye());
        centre = vec_add(centre, vec_mul(s->vert[i], 1.0 / n));
    }
    for (int i = 0; i < n; i++) {
        struct vec e = vec_unit(vec_cross(s->vert[i], s->vert[(i + 1) % n]));
        s->edge[i] = vec_dot(e, centre) < 0 ? vec_mul(e, -1) : e;
    }
    s->normal =
        vec_unit(vec_cross(vec_sub(s->vert[1], s->vert[0]), vec_sub(s->vert[n - 1], s->vert[0])));
    s->plane = vec_dot(s->normal, s->vert[0]);
    if (s->plane < 0) {
        s->normal = vec_mul(s->normal, -1);
        s->plane = -s->plane;
    }
    if (s->haze_at <= 0)
        s->haze_at = 1500;
    s->key = vec_len(centre);
}

void surface_map(struct surface *s, const struct texture *t, struct vec origin, struct vec right,
                 struct vec down, double across, double along)
{
    /* A point of the plane is P = (plane / normal·d) d; u = (P - origin)·right̂ × texels. */
    struct vec o = vec_sub(origin, place_eye());
    double ku = across * texture_w(t) / vec_dot(right, right);
    double kv = along * texture_h(t) / vec_dot(down, down);
    s->kind = DRAWN_TEXTURE;
    s->tex = t;
    s->un = vec_mul(right, ku * s->plane);
    s->vn = vec_mul(down, kv * s->plane);
    s->u0 = -vec_dot(o, right) * ku;
    s->v0 = -vec_dot(o, down) * kv;
}

void surface_light(struct surface *s, struct vec normal, double r, double g, double b)
{
    double lambert = vec_dot(normal, place_sun());
    double sun = 0.76 * (lambert > 0 ? lambert : 0);
    double ambient = 0.24 * (0.72 + 0.28 * normal.z);
    /* The sky's light is bluer than the sun's. */
    s->light[0] = (float)(RADIANCE_UNIT * r * (sun * 1.02 + ambient * 0.88));
    s->light[1] = (float)(RADIANCE_UNIT * g * (sun + ambient * 1.0));
    s->light[2] = (float)(RADIANCE_UNIT * b * (sun * 0.94 + ambient * 1.22));
}

bool surface_hit(const struct surface *s, struct vec direction)
{
    for (int i = 0; i < s->n_edges; i++)
        if (vec_dot(s->edge[i], direction) < 0)
            return false;
    double w = vec_dot(s->normal, direction);
    if (w <= 0)
        return false;
    if (s->kind != DRAWN_TEXTURE || !s->tex->alpha)
        return true;
    long u = lround(floor(vec_dot(s->un, direction) / w + s->u0)) & (texture_w(s->tex) - 1);
    long v = lround(floor(vec_dot(s->vn, direction) / w + s->v0)) & (texture_h(s->tex) - 1);
    return s->tex->level[0][v * (texture_w(s->tex) + 1) + u] >> 24 > 127;
}

static double turn(struct vec a, struct vec b, struct vec c)
{
    return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}

int place_shadow_hull(const struct vec *points, int n, struct vec ret_hull[MAX_EDGES])
{
    struct vec sun = place_sun(), on[16], hull[34];
    if (n > 16)
        n = 16;
    for (int i = 0; i < n; i++) {
        double k = points[i].z / sun.z;
        on[i] = vec(points[i].x - sun.x * k, points[i].y - sun.y * k, 0);
    }
    for (int i = 1; i < n; i++) { /* sorted by x, then y */
        struct vec p = on[i];
        int j = i;
        for (; j > 0 && (on[j - 1].x > p.x || (on[j - 1].x == p.x && on[j - 1].y > p.y)); j--)
            on[j] = on[j - 1];
        on[j] = p;
    }
    int m = 0;
    for (int pass = 0; pass < 2; pass++) { /* Andrew's monotone chain */
        int floor_at = m + (pass ? 1 : 2);
        for (int i = 0; i < n; i++) {
            struct vec p = on[pass ? n - 1 - i : i];
            if (pass && i == 0)
                continue;
            while (m >= floor_at && turn(hull[m - 2], hull[m - 1], p) <= 1e-9)
                m--;
            hull[m++] = p;
        }
    }
    m--; /* the first point came again */
    if (m > MAX_EDGES)
        m = MAX_EDGES;
    for (int i = 0; i < m; i++)
        /* cppcheck-suppress uninitvar */
        ret_hull[i] = hull[i];
    return m;
}
