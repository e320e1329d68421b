#include "device/virtual/world.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "device/virtual/render.h"

#define REMEMBERED 4096
#define METER_SIDE 128
#define TRUTH_GRID 24
#define COARSE_SMEAR 3.0 /* pixels */

struct world {
    uint64_t seed;
    struct place *place; /* immutable */
    struct canvas *canvas;
    uint64_t held; /* which picture of the place the last radiance has */
    struct pose pose;
    int width, height;
    struct view meter_view[6];              /* pan 0, 90, 180, 270, up, down */
    float meter[6][METER_SIDE][METER_SIDE]; /* what they see */
    const char *hidden;
    pthread_mutex_t lock; /* leaf: guards what follows */
    struct truth_shot shot[REMEMBERED];
    uint64_t n_shots;
};

static struct pose meter_pose(int face)
{
    return (struct pose){.pan_deg = face < 4 ? face * 90 : 0,
                         .tilt_deg = face == 4   ? 90
                                     : face == 5 ? -90
                                                 : 0,
                         .zoom = 1,
                         .hfov_deg = 90,
                         .known = true};
}

static int make_meter(struct world *w)
{
    static const int side = METER_SIDE;
    uint16_t *rgb = malloc(sizeof(*rgb) * 3 * side * side);
    if (!rgb)
        return -ENOMEM;
    struct radiance r = {side, side, (size_t)side, rgb, rgb + side * side, rgb + 2 * side * side,
                         0};
    int rc = 0;
    for (int face = 0; face < 6 && rc == 0; face++) {
        struct pose p = meter_pose(face);
        view_init(&w->meter_view[face], &p, side, side);
        rc = canvas_paint(w->canvas, &w->meter_view[face], &r);
        for (int i = 0; i < side * side && rc == 0; i++)
            w->meter[face][i / side][i % side] =
                (0.2126f * r.r[i] + 0.7152f * r.g[i] + 0.0722f * r.b[i]) / (float)RADIANCE_UNIT;
    }
    free(rgb);
    return rc;
}

struct world *world_new(uint64_t seed)
{
    struct world *w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    pthread_mutex_init(&w->lock, NULL);
    w->seed = seed;
    w->place = place_new(seed);
    w->canvas = w->place ? canvas_new(w->place) : NULL;
    if (!w->canvas || make_meter(w) < 0)
        return world_free(w);
    return w;
}

struct world *world_free(struct world *w)
{
    if (!w)
        return NULL;
    canvas_free(w->canvas);
    place_free(w->place);
    pthread_mutex_destroy(&w->lock);
    free(w);
    return NULL;
}

void world_use_plain_kernels(struct world *w, bool plain)
{
    canvas_use(w->canvas, plain ? &kernels_plain : kernels_best());
    w->width = 0;
}

void world_hide(struct world *w, const char *id)
{
    w->hidden = id;
}

static bool same_pose(const struct pose *a, const struct pose *b)
{
    return a->pan_deg == b->pan_deg && a->tilt_deg == b->tilt_deg && a->hfov_deg == b->hfov_deg;
}

static void cast_at(const struct world *w, int64_t time_ns, struct actor *ret)
{
    for (int i = 0; i < ACTORS; i++) {
        actor_at(w->place, w->seed, i, time_ns, &ret[i]);
        if (w->hidden && !strcmp(w->hidden, ret[i].id))
            ret[i].n_surfaces = ret[i].n_tubes = 0;
    }
}

int world_render(struct world *w, const struct pose *start, const struct pose *end,
                 int64_t start_ns, int64_t end_ns, struct radiance *into)
{
    struct actor *actors = malloc(sizeof(*actors) * ACTORS);
    if (!actors)
        return -ENOMEM;
    (void)end_ns;
    int rc = 0;
    cast_at(w, start_ns, actors);
    struct pose middle = *start;
    bool still = same_pose(start, end);
    if (!still) {
        middle.pan_deg += pose_wrap_pan(end->pan_deg - start->pan_deg) / 2;
        middle.tilt_deg += (end->tilt_deg - start->tilt_deg) / 2;
        middle.hfov_deg += (end->hfov_deg - start->hfov_deg) / 2;
    }
    /* What is smeared over many pixels anyway is painted with half as many. */
    struct radiance *on = into;
    if (!still && into->width % 2 == 0 && into->height % 2 == 0 &&
        canvas_smear(start, end, into->width, into->height) > COARSE_SMEAR)
        on = canvas_half(w->canvas, into);
    if (!on) {
        free(actors);
        return -ENOMEM;
    }
    struct view v;
    view_init(&v, &middle, on->width, on->height);
    /* A camera at rest sees the place as in the picture before: only the actors are new. */
    if (still && into->held && into->held == w->held && same_pose(&middle, &w->pose) &&
        into->width == w->width && into->height == w->height)
        canvas_restore(w->canvas, into);
    else
        rc = canvas_paint(w->canvas, &v, on);
    w->held++;
    into->held = 0;
    if (rc == 0 && canvas_actors(w->canvas, &v, actors, ACTORS, on, still) && still)
        into->held = w->held;
    if (rc == 0 && !still)
        rc = canvas_blur(w->canvas, start, end, on);
    if (rc == 0 && on != into)
        canvas_widen(w->canvas, into);
    w->pose = middle;
    w->width = into->width;
    w->height = into->height;
    free(actors);
    return rc;
}

double world_meter(const struct world *w, const struct pose *pose, double aspect)
{
    struct view v;
    const int nx = 11, ny = 7, width = 1000;
    view_init(&v, pose, width, (int)(width / aspect));
    double sum = 0, weight = 0;
    for (int j = 0; j < ny; j++)
        for (int i = 0; i < nx; i++) {
            double fx = (i + 0.5) / nx, fy = (j + 0.5) / ny;
            struct vec d = view_ray(&v, fx * v.width, fy * v.height);
            double ax = fabs(d.x), ay = fabs(d.y), az = fabs(d.z);
            int face = az >= ax && az >= ay ? (d.z > 0 ? 4 : 5)
                       : ay >= ax           ? (d.y > 0 ? 0 : 2)
                                            : (d.x > 0 ? 1 : 3);
            double x = 0, y = 0;
            view_point(&w->meter_view[face], d, &x, &y);
            int px = (int)fmin(fmax(x, 0), METER_SIDE - 1);
            int py = (int)fmin(fmax(y, 0), METER_SIDE - 1);
            double dx = fx - 0.5, dy = fy - 0.5, k = 1.2 - dx * dx - dy * dy; /* middle first */
            sum += k * (double)w->meter[face][py][px];
            weight += k;
        }
    return sum / weight;
}

/* ---- truth ---- */

#define PARTS (ACTOR_SURFACES + ACTOR_TUBES)

struct silhouette {
    struct drawn part[PARTS];
    int n;
    double x0, y0, x1, y1; /* pixels, not clipped */
    double distance;
    struct vec middle; /* relative to the eye */
};

static void grow(struct silhouette *s, double x, double y, double r)
{
    s->x0 = fmin(s->x0, x - r);
    s->y0 = fmin(s->y0, y - r);
    s->x1 = fmax(s->x1, x + r);
    s->y1 = fmax(s->y1, y + r);
}

/* False when it is not wholly before the lens. */
static bool outline(const struct view *v, const struct actor *a, struct silhouette *s)
{
    s->n = 0;
    s->x0 = s->y0 = 1e9;
    s->x1 = s->y1 = -1e9;
    s->distance = vec_len(a->at);
    s->middle = vec_sub(vec_add(a->at, vec(0, 0, 0.9)), place_eye());
    for (int i = 0; i < a->n_surfaces; i++) {
        double x, y;
        for (int k = 0; k < a->surface[i].n_verts; k++) {
            if (!view_point(v, a->surface[i].vert[k], &x, &y))
                return false;
            grow(s, x, y, 0);
        }
        s->n += view_surface(v, &a->surface[i], &s->part[s->n]);
    }
    for (int i = 0; i < a->n_tubes; i++) {
        double x, y;
        struct vec end[2] = {vec_sub(a->tube[i].a, place_eye()),
                             vec_sub(a->tube[i].b, place_eye())};
        for (int k = 0; k < 2; k++) {
            if (!view_point(v, end[k], &x, &y))
                return false;
            grow(s, x, y, (k ? a->tube[i].rb : a->tube[i].ra) * v->f / vec_dot(end[k], v->ahead));
        }
        s->n += view_tube(v, &a->tube[i], &s->part[s->n]);
    }
    return s->x1 > 0 && s->y1 > 0 && s->x0 < v->width && s->y0 < v->height;
}

static bool covers(const struct silhouette *s, double x, double y)
{
    if (x < s->x0 || x > s->x1 || y < s->y0 || y > s->y1)
        return false;
    for (int i = 0; i < s->n; i++)
        if (drawn_hit(&s->part[i], x, y))
            return true;
    return false;
}

static bool hidden_by_place(const struct place *p, const struct silhouette *s, struct vec ray)
{
    for (size_t i = 0; i < p->n_surfaces; i++) {
        const struct surface *f = &p->surface[i];
        if (!f->ground && f->n_verts && vec_dot(f->normal, s->middle) > f->plane &&
            surface_hit(f, ray))
            return true;
    }
    return false;
}

/* A silhouette outside the picture is culled from part[], so the share that is out of the
 * frame is taken from a view wide enough to hold it. */
static double share_seen(const struct world *w, const struct view *v, const struct actor *a,
                         const struct silhouette *all, int n, int which)
{
    const struct silhouette *s = &all[which];
    struct silhouette *whole = malloc(sizeof(*whole));
    if (!whole)
        return 0;
    struct view wide = *v;
    double extra_x = fmax(0, fmax(-s->x0, s->x1 - v->width)) + 2;
    double extra_y = fmax(0, fmax(-s->y0, s->y1 - v->height)) + 2;
    extra_x = ceil(fmin(extra_x, 100.0 * v->width));
    extra_y = ceil(fmin(extra_y, 100.0 * v->height));
    wide.width += 2 * (int)extra_x;
    wide.height += 2 * (int)extra_y;
    wide.lens.cx += extra_x;
    wide.lens.cy += extra_y;
    int total = 0, seen = 0;
    if (outline(&wide, a, whole)) {
        for (int j = 0; j < TRUTH_GRID; j++)
            for (int i = 0; i < TRUTH_GRID; i++) {
                double x = s->x0 + (s->x1 - s->x0) * (i + 0.5) / TRUTH_GRID;
                double y = s->y0 + (s->y1 - s->y0) * (j + 0.5) / TRUTH_GRID;
                if (!covers(whole, x + extra_x, y + extra_y))
                    continue;
                total++;
                if (x < 0 || y < 0 || x >= v->width || y >= v->height ||
                    hidden_by_place(w->place, s, view_ray(v, x, y)))
                    continue;
                bool clear = true;
                for (int k = 0; k < n && clear; k++)
                    clear = k == which || all[k].distance >= s->distance || !covers(&all[k], x, y);
                seen += clear;
            }
    }
    free(whole);
    return total ? (double)seen / total : 0;
}

size_t world_truth(struct world *w, const struct pose *pose, double aspect, int64_t time_ns,
                   struct truth_object *ret, size_t most)
{
    struct actor *actors = malloc(sizeof(*actors) * ACTORS);
    struct silhouette *all = malloc(sizeof(*all) * ACTORS);
    size_t found = 0;
    struct view v;
    view_init(&v, pose, 1920, (int)lround(1920 / aspect));
    int n = 0, from[ACTORS];
    if (actors && all) {
        cast_at(w, time_ns, actors);
        for (int i = 0; i < ACTORS; i++) {
            from[n] = i;
            n += outline(&v, &actors[i], &all[n]);
        }
    }
    for (int i = 0; i < n && found < most; i++) {
        const struct silhouette *s = &all[i];
        const struct actor *a = &actors[from[i]];
        double seen = share_seen(w, &v, a, all, n, i);
        if (seen <= 0)
            continue;
        struct truth_object *o = &ret[found++];
        memset(o, 0, sizeof(*o));
        for (size_t k = 0; k + 1 < sizeof(o->id) && a->id[k]; k++)
            o->id[k] = a->id[k];
        o->class_name = a->class_name;
        double x0 = fmax(s->x0, 0) / v.width, x1 = fmin(s->x1, v.width) / v.width;
        double y0 = fmax(s->y0, 0) / v.height, y1 = fmin(s->y1, v.height) / v.height;
        o->box[0] = x0;
        o->box[1] = y0;
        o->box[2] = x1 - x0;
        o->box[3] = y1 - y0;
        o->world[0] = a->at.x;
        o->world[1] = a->at.y;
        o->world[2] = a->at.z;
        o->visible = seen;
    }
    free(all);
    free(actors);
    return found;
}

/* ---- what was taken ---- */

void world_remember(struct world *w, const struct truth_shot *s)
{
    pthread_mutex_lock(&w->lock);
    w->shot[w->n_shots++ % REMEMBERED] = *s;
    pthread_mutex_unlock(&w->lock);
}

static bool find(struct world *w, int64_t wanted, bool by_serial, struct truth_shot *ret)
{
    const struct truth_shot *best = NULL;
    uint64_t least = UINT64_MAX;
    pthread_mutex_lock(&w->lock);
    size_t n = w->n_shots < REMEMBERED ? (size_t)w->n_shots : REMEMBERED;
    for (size_t i = 0; i < n; i++) {
        int64_t at = by_serial ? (int64_t)w->shot[i].serial : w->shot[i].utc_ns;
        uint64_t away =
            at > wanted ? (uint64_t)at - (uint64_t)wanted : (uint64_t)wanted - (uint64_t)at;
        if (away < least) {
            least = away;
            best = &w->shot[i];
        }
    }
    bool ok = best && (!by_serial || least == 0);
    if (ok)
        *ret = *best;
    pthread_mutex_unlock(&w->lock);
    return ok;
}

bool world_shot_by_serial(struct world *w, uint64_t serial, struct truth_shot *ret)
{
    return find(w, (int64_t)serial, true, ret);
}

bool world_shot_by_utc(struct world *w, int64_t utc_ns, struct truth_shot *ret)
{
    return find(w, utc_ns, false, ret);
}

bool world_shot_newest(struct world *w, struct truth_shot *ret)
{
    pthread_mutex_lock(&w->lock);
    bool ok = w->n_shots > 0;
    if (ok)
        *ret = w->shot[(w->n_shots - 1) % REMEMBERED];
    pthread_mutex_unlock(&w->lock);
    return ok;
}

const char *world_scenario(const struct world *w)
{
    (void)w;
    return "default";
}

const char *world_place(const struct world *w)
{
    (void)w;
    return "park";
}
