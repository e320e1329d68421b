#include "device/virtual/actors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device/virtual/texture.h"

/* A rectangle with round corners, run through counter-clockwise (or the other way). */
struct path {
    double x0, y0, x1, y1, r;
    bool clockwise;
};

static double path_length(const struct path *p)
{
    return 2 * (p->x1 - p->x0 + p->y1 - p->y0) - 8 * p->r + 2 * M_PI * p->r;
}

/* Place and direction (unit) after `s` metres from the middle of the lower side. */
static void path_at(const struct path *p, double s, struct vec *ret_at, struct vec *ret_ahead)
{
    double all = path_length(p), w = p->x1 - p->x0 - 2 * p->r, h = p->y1 - p->y0 - 2 * p->r;
    double arc = M_PI / 2 * p->r;
    s = fmod(p->clockwise ? -s : s, all);
    s += s < 0 ? all : 0;
    const double leg[4] = {w, h, w, h};
    const struct vec start[4] = {vec(p->x0 + p->r, p->y0, 0), vec(p->x1, p->y0 + p->r, 0),
                                 vec(p->x1 - p->r, p->y1, 0), vec(p->x0, p->y1 - p->r, 0)};
    const struct vec way[4] = {vec(1, 0, 0), vec(0, 1, 0), vec(-1, 0, 0), vec(0, -1, 0)};
    s += w / 2;
    s -= s >= all ? all : 0;
    for (int k = 0; k < 4; k++) {
        struct vec left = vec(-way[k].y, way[k].x, 0);
        if (s <= leg[k]) {
            *ret_at = vec_add(start[k], vec_mul(way[k], s));
            *ret_ahead = way[k];
            break;
        }
        s -= leg[k];
        if (s <= arc || k == 3) {
            double a = s / p->r;
            struct vec end = vec_add(start[k], vec_mul(way[k], leg[k]));
            *ret_at = vec_add(
                end, vec_add(vec_mul(way[k], p->r * sin(a)), vec_mul(left, p->r * (1 - cos(a)))));
            *ret_ahead = vec_add(vec_mul(way[k], cos(a)), vec_mul(left, sin(a)));
            break;
        }
        s -= arc;
    }
    if (p->clockwise)
        *ret_ahead = vec_mul(*ret_ahead, -1);
}

/* ---- people ---- */

struct look {
    double height;
    float skin[3], hair[3], top[3], legs[3], shoes[3];
};

static void tube(struct actor *a, struct vec from, struct vec to, double ra, double rb,
                 const float colour[3])
{
    if (a->n_tubes == ACTOR_TUBES)
        return;
    struct tube *t = &a->tube[a->n_tubes++];
    *t = (struct tube){from, to, ra, rb, {colour[0], colour[1], colour[2]}};
}

static int tube_nearer(const void *pa, const void *pb)
{
    const struct tube *a = pa, *b = pb;
    struct vec eye = place_eye();
    double da = vec_len(vec_sub(vec_mix(a->a, a->b, 0.5), eye)) - (a->ra + a->rb) / 2;
    double db = vec_len(vec_sub(vec_mix(b->a, b->b, 0.5), eye)) - (b->ra + b->rb) / 2;
    return da < db ? -1 : da > db;
}

static void tube_shadow(struct actor *a, const struct tube *t)
{
    if (a->n_shadows == ACTOR_SHADOWS)
        return;
    struct vec at[12], hull[MAX_EDGES];
    for (int k = 0; k < 6; k++) {
        double c = cos(k * M_PI / 3), s = sin(k * M_PI / 3);
        at[k] = vec_add(t->a, vec(t->ra * c, t->ra * s, 0));
        at[k + 6] = vec_add(t->b, vec(t->rb * c, t->rb * s, 0));
    }
    int n = place_shadow_hull(at, 12, hull);
    if (n < 3)
        return;
    struct surface *s = &a->shadow[a->n_shadows++];
    memset(s, 0, sizeof(*s));
    surface_shape(s, hull, n);
    s->kind = DRAWN_SHADOW;
    s->soft_m = 0.02;
}

static void person(struct actor *a, const struct look *k, struct vec at, struct vec ahead,
                   double phase)
{
    struct vec left = vec(-ahead.y, ahead.x, 0), up = vec(0, 0, 1);
    double h = k->height;
    double bob = 0.018 * cos(2 * phase);
#define AT(f, l, u)                                                                                \
    vec_add(at, vec_add(vec_mul(ahead, (f)*h),                                                     \
                        vec_add(vec_mul(left, (l)*h), vec_mul(up, (u)*h + bob))))
    struct vec hip = AT(0, 0, 0.525), chest = AT(0.012, 0, 0.735), neck = AT(0.014, 0, 0.845);
    tube(a, hip, AT(0, 0, 0.6), 0.083 * h, 0.078 * h, k->legs);
    tube(a, AT(0, 0, 0.585), chest, 0.078 * h, 0.094 * h, k->top);
    tube(a, AT(0.01, 0.062, 0.775), AT(0.01, -0.062, 0.775), 0.054 * h, 0.054 * h, k->top);
    tube(a, chest, neck, 0.08 * h, 0.034 * h, k->top);
    tube(a, neck, AT(0.02, 0, 0.88), 0.033 * h, 0.033 * h, k->skin);
    tube(a, AT(0.026, 0, 0.925), AT(0.026, 0, 0.94), 0.056 * h, 0.054 * h, k->skin);
    tube(a, AT(-0.004, 0, 0.945), AT(0.012, 0, 0.952), 0.056 * h, 0.056 * h, k->hair);
    for (int side = -1; side <= 1; side += 2) {
        double swing = sin(phase + (side > 0 ? 0 : M_PI));
        double lift = cos(phase + (side > 0 ? 0 : M_PI));
        double thigh = 0.46 * swing, knee = thigh - (lift > 0 ? 0.95 * lift : 0) - 0.08;
        double s = side;
        struct vec top = AT(0, 0.046 * s, 0.51);
        struct vec mid = vec_add(top, vec_add(vec_mul(ahead, 0.245 * h * sin(thigh)),
                                              vec_mul(up, -0.245 * h * cos(thigh))));
        struct vec heel = vec_add(mid, vec_add(vec_mul(ahead, 0.235 * h * sin(knee)),
                                               vec_mul(up, -0.235 * h * cos(knee))));
        tube(a, top, mid, 0.052 * h, 0.036 * h, k->legs);
        tube(a, mid, heel, 0.036 * h, 0.026 * h, k->legs);
        double pitch = knee * 0.8;
        struct vec toe = vec_add(heel, vec_add(vec_mul(ahead, 0.11 * h * cos(pitch)),
                                               vec_mul(up, 0.11 * h * sin(pitch) - 0.012 * h)));
        if (toe.z < 0.018 * h)
            toe.z = 0.018 * h;
        if (heel.z < 0.024 * h)
            heel.z = 0.024 * h;
        tube(a, heel, toe, 0.025 * h, 0.019 * h, k->shoes);
        double arm = -0.42 * swing, fore = arm + 0.30;
        struct vec shoulder = AT(0.008, 0.118 * s, 0.79);
        struct vec elbow = vec_add(shoulder, vec_add(vec_mul(ahead, 0.17 * h * sin(arm)),
                                                     vec_mul(up, -0.17 * h * cos(arm))));
        elbow = vec_add(elbow, vec_mul(left, 0.014 * h * s));
        struct vec hand = vec_add(elbow, vec_add(vec_mul(ahead, 0.15 * h * sin(fore)),
                                                 vec_mul(up, -0.15 * h * cos(fore))));
        tube(a, shoulder, elbow, 0.034 * h, 0.027 * h, k->top);
        tube(a, elbow, hand, 0.026 * h, 0.020 * h, k->top);
        tube(a, hand, vec_add(hand, vec_mul(up, -0.03 * h)), 0.021 * h, 0.018 * h, k->skin);
    }
#undef AT
    for (int i = 0; i < a->n_tubes; i++)
        if (i == 1 || i == 2 || i == 5 || a->tube[i].ra > 0.03 * h)
            tube_shadow(a, &a->tube[i]);
    qsort(a->tube, (size_t)a->n_tubes, sizeof(a->tube[0]), tube_nearer);
}

/* ---- vehicles ---- */

struct frame_of { /* a vehicle's own axes */
    struct vec at, ahead, left;
};

static struct vec local(const struct frame_of *v, double f, double l, double u)
{
    return vec_add(v->at,
                   vec_add(vec_mul(v->ahead, f), vec_add(vec_mul(v->left, l), vec(0, 0, u))));
}

/* Adds a quad if it faces the eye; `inside` is a point behind it. */
static struct surface *quad(struct actor *a, const struct vec q[4], struct vec inside, double r,
                            double g, double b)
{
    if (a->n_surfaces == ACTOR_SURFACES)
        return NULL;
    struct vec n = vec_unit(vec_cross(vec_sub(q[1], q[0]), vec_sub(q[3], q[0])));
    if (vec_dot(n, vec_sub(q[0], inside)) < 0)
        n = vec_mul(n, -1);
    if (vec_dot(n, vec_sub(place_eye(), q[0])) <= 0)
        return NULL;
    struct surface *s = &a->surface[a->n_surfaces++];
    memset(s, 0, sizeof(*s));
    surface_shape(s, q, 4);
    s->kind = DRAWN_FLAT;
    surface_light(s, n, r, g, b);
    return s;
}

/* A decal within the quad q: u, v from q[0] along q[0]q[1] and q[0]q[3]. */
static struct surface *decal(struct actor *a, const struct vec q[4], struct vec inside, double u0,
                             double v0, double u1, double v1, double r, double g, double b)
{
    struct vec d[4];
    const double u[4] = {u0, u1, u1, u0}, v[4] = {v0, v0, v1, v1};
    for (int i = 0; i < 4; i++)
        d[i] = vec_mix(vec_mix(q[0], q[1], u[i]), vec_mix(q[3], q[2], u[i]), v[i]);
    return quad(a, d, inside, r, g, b);
}

static void plate(struct actor *a, const struct vec q[4], struct vec inside, double u0, double v0,
                  double u1, double v1, const struct texture *t)
{
    struct surface *s = decal(a, q, inside, u0, v0, u1, v1, 1, 1, 1);
    if (s) {
        struct vec eye = place_eye();
        surface_map(s, t, vec_add(s->vert[0], eye), vec_sub(s->vert[1], s->vert[0]),
                    vec_sub(s->vert[3], s->vert[0]), 1, 1);
    }
}

/* The four sides and the top of a body with corners p[0…3] below (front left, front
 * right, back right, back left) and p[4…7] above. Quads run: left top, right top, right
 * bottom, left bottom, as seen from outside. */
static const int faces[5][4] = {
    {5, 4, 0, 1}, /* front */
    {6, 5, 1, 2}, /* right */
    {7, 6, 2, 3}, /* back */
    {4, 7, 3, 0}, /* left */
    {4, 5, 6, 7}, /* top */
};

static void face(const struct vec p[8], int which, struct vec ret[4])
{
    for (int i = 0; i < 4; i++)
        ret[i] = p[faces[which][i]];
}

static void body(struct actor *a, const struct vec p[8], struct vec inside, const double c[3])
{
    int first = a->n_surfaces, which[5];
    for (int k = 0; k < 5; k++) {
        struct vec q[4];
        face(p, k, q);
        int at = a->n_surfaces;
        if (quad(a, q, inside, c[0], c[1], c[2]))
            which[at - first] = k;
    }
    /* Edges between two faces that are both seen must not let the background through. */
    for (int i = first; i < a->n_surfaces; i++)
        for (int j = first; j < a->n_surfaces; j++)
            for (int e = 0; i != j && e < 4; e++) {
                /* cppcheck-suppress uninitvar */
                const int *fi = faces[which[i - first]], *fj = faces[which[j - first]];
                int shared = 0;
                for (int m = 0; m < 4; m++)
                    shared += fj[m] == fi[e] || fj[m] == fi[(e + 1) % 4];
                if (shared == 2)
                    a->surface[i].fat[e] = true;
            }
}

static void corners(const struct frame_of *v, double front0, double back0, double half0, double z0,
                    double front1, double back1, double half1, double z1, struct vec ret[8])
{
    const double f[8] = {front0, front0, back0, back0, front1, front1, back1, back1};
    const double side[8] = {1, -1, -1, 1, 1, -1, -1, 1};
    for (int i = 0; i < 8; i++)
        ret[i] = local(v, f[i], side[i] * (i < 4 ? half0 : half1), i < 4 ? z0 : z1);
}

static void wheels(struct actor *a, const struct place *p, const struct frame_of *v, double front,
                   double back, double half, double r)
{
    for (int k = 0; k < 4; k++) {
        double f = k & 1 ? front : back, side = k & 2 ? 1 : -1;
        struct vec q[4] = {
            local(v, f - r * side, half * side, 2 * r), local(v, f + r * side, half * side, 2 * r),
            local(v, f + r * side, half * side, 0), local(v, f - r * side, half * side, 0)};
        struct surface *s = quad(a, q, local(v, f, 0, r), 1, 1, 1);
        if (s)
            surface_map(s, p->wheel, q[0], vec_sub(q[1], q[0]), vec_sub(q[3], q[0]), 1, 1);
    }
}

static void hull_shadow(struct actor *a, const struct vec p[8])
{
    struct vec hull[MAX_EDGES];
    int n = place_shadow_hull(p, 8, hull);
    if (n < 3 || a->n_shadows == ACTOR_SHADOWS)
        return;
    struct surface *s = &a->shadow[a->n_shadows++];
    memset(s, 0, sizeof(*s));
    surface_shape(s, hull, n);
    s->kind = DRAWN_SHADOW;
    s->soft_m = 0.05;
}

static void lights(struct actor *a, const struct vec p[8], struct vec inside, double u, double v0,
                   double v1)
{
    struct vec q[4];
    face(p, 0, q);
    decal(a, q, inside, 0.04, v0, u, v1, 0.9, 0.9, 0.86);
    decal(a, q, inside, 1 - u, v0, 0.96, v1, 0.9, 0.9, 0.86);
    face(p, 2, q);
    decal(a, q, inside, 0.04, v0, u, v1, 0.62, 0.03, 0.03);
    decal(a, q, inside, 1 - u, v0, 0.96, v1, 0.62, 0.03, 0.03);
}

static const double glass[3] = {0.045, 0.06, 0.075};

static void car(struct actor *a, const struct place *p, const struct frame_of *v,
                const double paint[3])
{
    struct vec cabin[8], low[8], skirt[8], q[4];
    corners(v, 0.95, -1.85, 0.80, 0.86, 0.15, -1.35, 0.64, 1.44, cabin);
    corners(v, 2.15, -2.15, 0.90, 0.30, 2.08, -2.12, 0.86, 0.88, low);
    corners(v, 2.1, -2.1, 0.84, 0.06, 2.1, -2.1, 0.84, 0.34, skirt);
    struct vec in_cabin = local(v, -0.4, 0, 1.1), in_low = local(v, 0, 0, 0.6);
    for (int k = 0; k < 4; k++) {
        face(cabin, k, q);
        if (k & 1) { /* side windows, with a post between */
            decal(a, q, in_cabin, 0.07, 0.12, 0.48, 0.90, glass[0], glass[1], glass[2]);
            decal(a, q, in_cabin, 0.53, 0.12, 0.93, 0.90, glass[0], glass[1], glass[2]);
        } else {
            decal(a, q, in_cabin, 0.06, 0.09, 0.94, 0.94, glass[0], glass[1], glass[2]);
        }
    }
    body(a, cabin, in_cabin, paint);
    wheels(a, p, v, 1.34, -1.30, 0.905, 0.33);
    lights(a, low, in_low, 0.24, 0.16, 0.36);
    for (int k = 0; k <= 2; k += 2) {
        face(low, k, q);
        plate(a, q, in_low, 0.355, 0.52, 0.645, 0.74, p->plates[0]);
        decal(a, q, in_low, 0.0, 0.84, 1, 1, 0.05, 0.05, 0.05);
    }
    body(a, low, in_low, paint);
    const double dark[3] = {0.02, 0.02, 0.02};
    body(a, skirt, local(v, 0, 0, 0.2), dark);
    hull_shadow(a, cabin);
    corners(v, 2.15, -2.15, 0.90, 0, 2.08, -2.12, 0.88, 0.88, low);
    hull_shadow(a, low);
}

static void van(struct actor *a, const struct place *p, const struct frame_of *v,
                const double paint[3])
{
    struct vec box[8], nose[8], skirt[8], q[4];
    corners(v, 1.55, -2.6, 0.98, 0.42, 1.25, -2.6, 0.94, 2.30, box);
    corners(v, 2.55, 1.5, 0.98, 0.42, 2.25, 1.4, 0.95, 1.15, nose);
    corners(v, 2.4, -2.5, 0.9, 0.08, 2.4, -2.5, 0.9, 0.45, skirt);
    struct vec in_box = local(v, -0.6, 0, 1.3), in_nose = local(v, 1.9, 0, 0.8);
    /* From ahead the nose hides the box's lower front; from behind it is the other way. */
    bool nose_first = vec_dot(v->ahead, vec_sub(place_eye(), local(v, 1.5, 0, 1))) > 0;
    for (int pass = 0; pass < 2; pass++) {
        if ((pass == 0) == nose_first) {
            lights(a, nose, in_nose, 0.22, 0.22, 0.48);
            face(nose, 0, q);
            plate(a, q, in_nose, 0.365, 0.60, 0.635, 0.78, p->plates[1]);
            decal(a, q, in_nose, 0.28, 0.20, 0.72, 0.46, 0.04, 0.04, 0.045);
            if (pass == 0)
                wheels(a, p, v, 1.75, -1.70, 0.985, 0.36);
            body(a, nose, in_nose, paint);
        } else {
            face(box, 0, q);
            decal(a, q, in_box, 0.05, 0.08, 0.95, 0.56, glass[0], glass[1], glass[2]);
            for (int k = 1; k <= 3; k += 2) {
                face(box, k, q);
                double near_front = k == 1 ? 1 : 0; /* quads run from left to right */
                decal(a, q, in_box, fabs(near_front - 0.05), 0.10, fabs(near_front - 0.24), 0.44,
                      glass[0], glass[1], glass[2]);
                decal(a, q, in_box, 0.02, 0.62, 0.98, 0.70, 0.75, 0.32, 0.04);
            }
            face(box, 2, q);
            decal(a, q, in_box, 0.10, 0.08, 0.47, 0.40, glass[0], glass[1], glass[2]);
            decal(a, q, in_box, 0.53, 0.08, 0.90, 0.40, glass[0], glass[1], glass[2]);
            decal(a, q, in_box, 0.03, 0.62, 0.12, 0.80, 0.62, 0.03, 0.03);
            decal(a, q, in_box, 0.88, 0.62, 0.97, 0.80, 0.62, 0.03, 0.03);
            plate(a, q, in_box, 0.365, 0.84, 0.635, 0.91, p->plates[1]);
            if (pass == 0)
                wheels(a, p, v, 1.75, -1.70, 0.985, 0.36);
            body(a, box, in_box, paint);
        }
    }
    const double dark[3] = {0.02, 0.02, 0.02};
    body(a, skirt, local(v, 0, 0, 0.2), dark);
    corners(v, 1.55, -2.6, 0.98, 0, 1.25, -2.6, 0.94, 2.30, box);
    hull_shadow(a, box);
    corners(v, 2.55, 1.0, 0.98, 0, 2.25, 1.0, 0.95, 1.15, nose);
    hull_shadow(a, nose);
}

/* ---- the cast ---- */

static const struct look looks[2] = {
    {1.78,
     {0.62, 0.40, 0.29},
     {0.05, 0.035, 0.025},
     {0.55, 0.05, 0.06},
     {0.05, 0.07, 0.14},
     {0.04, 0.035, 0.03}},
    {1.68,
     {0.42, 0.25, 0.17},
     {0.02, 0.018, 0.016},
     {0.62, 0.50, 0.08},
     {0.16, 0.16, 0.17},
     {0.5, 0.5, 0.5}},
};
static const struct {
    const char *id, *class_name;
    struct path path;
    double speed, start_m;
} cast[ACTORS] = {
    {"person-1", "person", {-18.5, 35, 6.5, 54, 6, false}, 1.35, 9},
    {"person-2", "person", {-8, 19.5, 8, 21.6, 1.0, true}, 1.2, 2},
    {"vehicle-1", "vehicle", {-30.25, 23.75, 30.25, 66.25, 5.5, false}, 7.5, -9},
    {"vehicle-2", "vehicle", {-26.75, 27.25, 26.75, 62.75, 3.5, true}, 6.2, 64},
};

void actor_at(const struct place *p, uint64_t seed, int which, int64_t time_ns, struct actor *a)
{
    a->n_surfaces = a->n_tubes = a->n_shadows = 0;
    a->id = cast[which].id;
    a->class_name = cast[which].class_name;
    const struct path *path = &cast[which].path;
    /* Whole rounds are taken off, so that a year of world time loses no precision. */
    double all = path_length(path), round_s = all / cast[which].speed;
    double t = fmod((double)(time_ns % INT64_C(1000000000)) / 1e9 +
                        fmod((double)(time_ns / INT64_C(1000000000)), round_s),
                    round_s);
    double s = cast[which].start_m + cast[which].speed * t;
    if (seed) /* seed 0 is the order written above */
        s += all * noise_cell((uint32_t)(seed ^ seed >> 32), which, 77);
    struct vec ahead;
    path_at(path, s, &a->at, &ahead);
    if (which < 2) {
        /* A whole number of double steps a round: no jump where the path closes. */
        double steps = round(all / (1.45 * looks[which].height / 1.75));
        person(a, &looks[which], a->at, ahead, fmod(s, all) / all * steps * 2 * M_PI);
        return;
    }
    struct frame_of v = {a->at, ahead, vec(-ahead.y, ahead.x, 0)};
    static const double red[3] = {0.42, 0.035, 0.04}, white[3] = {0.74, 0.76, 0.78};
    if (which == 2)
        car(a, p, &v, red);
    else
        van(a, p, &v, white);
}
