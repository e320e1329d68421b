#include "image/develop.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "image/finish.h"

/* How a mask is projected.
 *
 * A mask is a cone of directions. Seen from a pose, the cone is cut by the four
 * planes of a field of view a little wider than the picture (all through the lens,
 * so that nothing behind the camera and no point at infinity remains), and what is
 * left is projected. While the head moves, this is done for a grid of poses between
 * both ends (pan, tilt and field of view independently: the path between them may
 * be any that goes forward), and the convex hull of all projected points, widened
 * by what a point may stray from the straight line between two grid poses, by the
 * pose's uncertainty and by a pixel, is covered. Hulls over-cover concave masks. */

#define RAD (M_PI / 180)
#define STEP_RAD (2 * RAD) /* of the grid */
#define MAX_STEPS 10       /* a faster sweep covers everything */
#define MAX_UNSURE_DEG 10
#define CLIP_MAX (MASK_MAX_POINTS + 4)
#define HULL_MAX (4 * CLIP_MAX * (MAX_STEPS + 1) * (MAX_STEPS + 1) * 2) /* points */

struct vec {
    double x, y, z;
};

struct cone { /* one mask, prepared */
    unsigned n;
    struct vec dir[MASK_MAX_POINTS]; /* world: x east, y north, z up */
    bool everywhere;                 /* not within a half-space: which side is meant? */
};

struct prepared {
    int refs; /* guarded by masks.lock */
    unsigned n;
    uint8_t colour[3];
    struct cone cone[MASK_MAX];
};

struct point {
    double x, y; /* pixels */
};

struct span {
    int from, to; /* pixels, even; to is past the end */
};

struct masks {
    pthread_mutex_t lock;
    struct prepared *now;
    bool blind; /* no memory for the masks: cover everything */
    /* the source thread's working room, sized at need */
    struct span *spans; /* of mask i in band b: i * bands + b */
    size_t n_spans;
    struct point *points;
};

struct masks *masks_new(void)
{
    struct masks *m = calloc(1, sizeof(*m));
    if (!m)
        return NULL;
    m->points = malloc(HULL_MAX * sizeof(*m->points) * 2);
    if (!m->points) {
        free(m);
        return NULL;
    }
    pthread_mutex_init(&m->lock, NULL);
    return m;
}

static void prepared_unref(struct masks *m, struct prepared *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&m->lock);
    bool last = --p->refs == 0;
    pthread_mutex_unlock(&m->lock);
    if (last)
        free(p);
}

struct masks *masks_free(struct masks *m)
{
    if (!m)
        return NULL;
    prepared_unref(m, m->now);
    pthread_mutex_destroy(&m->lock);
    free(m->spans);
    free(m->points);
    free(m);
    return NULL;
}

static struct vec direction(double pan_deg, double tilt_deg)
{
    double p = pan_deg * RAD, t = tilt_deg * RAD;
    return (struct vec){sin(p) * cos(t), cos(p) * cos(t), sin(t)};
}

static double dot(struct vec a, struct vec b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

static void prepare_cone(struct cone *c, const struct mask *mask)
{
    struct vec sum = {0};
    c->n = mask->n < MASK_MAX_POINTS ? mask->n : MASK_MAX_POINTS;
    for (unsigned i = 0; i < c->n; i++) {
        c->dir[i] = direction(mask->point[i].pan_deg, mask->point[i].tilt_deg);
        sum.x += c->dir[i].x;
        sum.y += c->dir[i].y;
        sum.z += c->dir[i].z;
    }
    c->everywhere = c->n < 3;
    for (unsigned i = 0; i < c->n; i++)
        if (!(dot(sum, c->dir[i]) > 0.01))
            c->everywhere = true;
}

void masks_set(struct masks *m, const struct mask_set *set)
{
    struct prepared *p = NULL, *old;
    bool blind = false;
    if (set && set->n) {
        p = calloc(1, sizeof(*p));
        blind = !p;
    }
    if (p) {
        p->refs = 1;
        p->n = set->n < MASK_MAX ? set->n : MASK_MAX;
        memcpy(p->colour, set->colour, sizeof(p->colour));
        for (unsigned i = 0; i < p->n; i++)
            prepare_cone(&p->cone[i], &set->mask[i]);
    }
    pthread_mutex_lock(&m->lock);
    old = m->now;
    m->now = p;
    m->blind = blind;
    pthread_mutex_unlock(&m->lock);
    prepared_unref(m, old);
}

/* ---- projecting ---- */

struct view { /* a pose as axes, and what is visible */
    struct vec right, ahead, up;
    double focal;      /* pixels */
    double wide, high; /* tangents of half the widened field of view */
    double cx, cy;
};

static struct view view_of(double pan_deg, double tilt_deg, double hfov_deg, int w, int h,
                           double margin_px)
{
    double p = pan_deg * RAD, t = tilt_deg * RAD;
    struct view v = {
        .right = {cos(p), -sin(p), 0},
        .ahead = {sin(p) * cos(t), cos(p) * cos(t), sin(t)},
        .up = {-sin(p) * sin(t), -cos(p) * sin(t), cos(t)},
        .focal = w / 2.0 / tan(hfov_deg / 2 * RAD),
        .cx = w / 2.0,
        .cy = h / 2.0,
    };
    v.wide = (w / 2.0 + margin_px) / v.focal;
    v.high = (h / 2.0 + margin_px) / v.focal;
    return v;
}

/* Cuts a cone (camera axes: x right, y ahead, z up) by the plane n·v ≥ 0. */
static unsigned cut(struct vec *to, const struct vec *from, unsigned count, struct vec n)
{
    unsigned out = 0;
    for (unsigned i = 0; i < count; i++) {
        struct vec a = from[i], b = from[(i + 1) % count];
        double da = dot(a, n), db = dot(b, n);
        if (da >= 0)
            to[out++] = a;
        if ((da >= 0) != (db >= 0) && out < 4 * CLIP_MAX) {
            double t = da / (da - db);
            to[out++] =
                (struct vec){a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t, a.z + (b.z - a.z) * t};
        }
        if (out >= 4 * CLIP_MAX - 1)
            break;
    }
    return out;
}

static unsigned project(const struct view *v, const struct cone *c, struct point *ret)
{
    struct vec a[4 * CLIP_MAX], b[4 * CLIP_MAX];
    for (unsigned i = 0; i < c->n; i++)
        a[i] =
            (struct vec){dot(c->dir[i], v->right), dot(c->dir[i], v->ahead), dot(c->dir[i], v->up)};
    unsigned n = cut(b, a, c->n, (struct vec){-1, v->wide, 0});
    n = cut(a, b, n, (struct vec){1, v->wide, 0});
    n = cut(b, a, n, (struct vec){0, v->high, -1});
    n = cut(a, b, n, (struct vec){0, v->high, 1});
    unsigned out = 0;
    for (unsigned i = 0; i < n; i++) {
        if (a[i].y <= 1e-9)
            continue; /* the lens itself */
        ret[out].x = v->cx + v->focal * a[i].x / a[i].y;
        ret[out++].y = v->cy - v->focal * a[i].z / a[i].y;
    }
    return out;
}

static int by_place(const void *pa, const void *pb)
{
    const struct point *a = pa, *b = pb;
    if (a->x != b->x)
        return a->x < b->x ? -1 : 1;
    return a->y < b->y ? -1 : a->y > b->y;
}

static double side(struct point o, struct point a, struct point b)
{
    return (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x);
}

/* Convex hull by Andrew's monotone chain. */
static unsigned hull(struct point *p, unsigned n, struct point *ret)
{
    qsort(p, n, sizeof(*p), by_place);
    unsigned k = 0;
    for (unsigned i = 0; i < n; i++) {
        while (k >= 2 && side(ret[k - 2], ret[k - 1], p[i]) <= 0)
            k--;
        ret[k++] = p[i];
    }
    unsigned lower = k + 1;
    for (unsigned i = n - 1; i-- > 0;) {
        while (k >= lower && side(ret[k - 2], ret[k - 1], p[i]) <= 0)
            k--;
        ret[k++] = p[i];
    }
    return k > 1 ? k - 1 : k;
}

static int even_down(double v, int most)
{
    if (!(v > 0))
        return 0;
    return v >= most ? most : (int)v & ~1;
}

static int even_up(double v, int most)
{
    if (!(v > 0))
        return 0;
    return v >= most ? most : ((int)ceil(v) + 1) & ~1;
}

/* Widens the spans of the bands (two rows each) that the edge a–b passes. */
static void add_edge(struct span *spans, int bands, int width, struct point a, struct point b)
{
    if (a.y > b.y) {
        struct point t = a;
        a = b;
        b = t;
    }
    int first = even_down(a.y, 2 * bands) / 2, last = even_up(b.y, 2 * bands) / 2;
    if (first == last && b.y >= 0 && a.y < 2 * bands)
        last = first + 1; /* level, on a border */
    double slope = b.y > a.y ? (b.x - a.x) / (b.y - a.y) : 0;
    for (int band = first; band < last && band < bands; band++) {
        double y0 = fmax(a.y, 2 * band), y1 = fmin(b.y, 2 * band + 2);
        double x0 = b.y > a.y ? a.x + slope * (y0 - a.y) : a.x;
        double x1 = b.y > a.y ? a.x + slope * (y1 - a.y) : b.x;
        int from = even_down(fmin(x0, x1), width), to = even_up(fmax(x0, x1), width);
        struct span *s = &spans[band];
        s->from = from < s->from ? from : s->from;
        s->to = to > s->to ? to : s->to;
    }
}

/* The sweep from one pose to the other, as a grid. */
struct sweep {
    double pan, tilt, dpan, dtilt;
    double hfov[2];
    int pans, tilts, fovs;
    double step_rad, margin_px;
};

static bool sweep_between(const struct pose *a, const struct pose *b, int w, int h,
                          struct sweep *ret)
{
    if (!a->known || !b->known || !(a->hfov_deg > 0.01) || !(b->hfov_deg > 0.01) ||
        !(a->hfov_deg < 150) || !(b->hfov_deg < 150))
        return false;
    double unsure = fmax(a->uncertainty_deg, b->uncertainty_deg);
    if (!(unsure < MAX_UNSURE_DEG) || !isfinite(a->pan_deg) || !isfinite(b->pan_deg) ||
        !isfinite(a->tilt_deg) || !isfinite(b->tilt_deg))
        return false;
    struct sweep s = {.pan = a->pan_deg,
                      .tilt = a->tilt_deg,
                      .dpan = pose_wrap_pan(b->pan_deg - a->pan_deg),
                      .dtilt = b->tilt_deg - a->tilt_deg,
                      .hfov = {a->hfov_deg, b->hfov_deg}};
    s.pans = 1 + (int)ceil(fabs(s.dpan) * RAD / STEP_RAD);
    s.tilts = 1 + (int)ceil(fabs(s.dtilt) * RAD / STEP_RAD);
    s.fovs = a->hfov_deg == b->hfov_deg ? 1 : 2;
    if (s.pans > MAX_STEPS + 1 || s.tilts > MAX_STEPS + 1)
        return false;
    double tan_x = tan(fmax(a->hfov_deg, b->hfov_deg) / 2 * RAD);
    double focal = w / 2.0 / tan(fmin(a->hfov_deg, b->hfov_deg) / 2 * RAD);
    double corner = 1 + tan_x * tan_x * (1 + (double)h * h / ((double)w * w));
    double step = fmax(s.pans > 1 ? fabs(s.dpan) / (s.pans - 1) : 0,
                       s.tilts > 1 ? fabs(s.dtilt) / (s.tilts - 1) : 0) *
                  RAD;
    s.step_rad = step;
    /* from line to arc, eight-fold what a small angle needs; then the pose itself */
    s.margin_px = 1 + focal * corner * step * step + focal * corner * tan(fmax(unsure, 0) * RAD);
    *ret = s;
    return true;
}

/* How many corners the covered part has; 0: nothing of it is in the picture; negative:
 * too complicated, cover everything. */
static int cover_cone(struct masks *m, const struct sweep *s, const struct cone *c, int w, int h,
                      struct span *spans)
{
    struct point *p = m->points, *rim = m->points + HULL_MAX;
    unsigned n = 0;
    double focal = w / 2.0 / tan(fmin(s->hfov[0], s->hfov[1]) / 2 * RAD);
    /* cut only what stays outside at the neighbours of the grid, too */
    double outside = 4 * s->margin_px + 6 * focal * s->step_rad + 8;
    for (int i = 0; i < s->pans; i++) {
        double pan = s->pan + (s->pans > 1 ? s->dpan * i / (s->pans - 1) : 0);
        for (int k = 0; k < s->tilts; k++) {
            double tilt = s->tilt + (s->tilts > 1 ? s->dtilt * k / (s->tilts - 1) : 0);
            for (int f = 0; f < s->fovs; f++) {
                struct view v = view_of(pan, tilt, s->hfov[f], w, h, outside);
                struct point at[4 * CLIP_MAX];
                unsigned got = project(&v, c, at);
                if (n + 4 * got > HULL_MAX)
                    return -E2BIG;
                for (unsigned g = 0; g < got; g++) {
                    double d = s->margin_px;
                    p[n++] = (struct point){at[g].x - d, at[g].y - d};
                    p[n++] = (struct point){at[g].x + d, at[g].y - d};
                    p[n++] = (struct point){at[g].x - d, at[g].y + d};
                    p[n++] = (struct point){at[g].x + d, at[g].y + d};
                }
            }
        }
    }
    if (!n)
        return 0;
    n = hull(p, n, rim);
    for (unsigned i = 0; i < n; i++)
        add_edge(spans, h / 2, w, rim[i], rim[(i + 1) % n]);
    return (int)n;
}

/* ---- covering ---- */

static void fill_span(struct picture *to, const uint8_t colour[3], int band, struct span s)
{
    size_t n = (size_t)(s.to - s.from);
    for (int i = 0; i < 2; i++)
        memset(to->plane[0] + (2 * (ptrdiff_t)band + i) * to->stride[0] + s.from, colour[0], n);
    for (int i = 1; i < 3; i++)
        memset(to->plane[i] + (ptrdiff_t)band * to->stride[i] + s.from / 2, colour[i], n / 2);
}

static void copy_span(struct picture *to, const struct picture *from, int band, struct span s)
{
    size_t n = (size_t)(s.to - s.from);
    for (int i = 0; i < 2; i++) {
        ptrdiff_t row = 2 * (ptrdiff_t)band + i;
        memcpy(to->plane[0] + row * to->stride[0] + s.from,
               from->plane[0] + row * from->stride[0] + s.from, n);
    }
    for (int i = 1; i < 3; i++)
        memcpy(to->plane[i] + (ptrdiff_t)band * to->stride[i] + s.from / 2,
               from->plane[i] + (ptrdiff_t)band * from->stride[i] + s.from / 2, n / 2);
}

/* Writes one band: covered parts in the colour, the others from the shot. */
static void make_band(struct picture *to, const struct picture *from, const uint8_t colour[3],
                      int band, const struct span *spans, unsigned n, int bands)
{
    struct span sorted[MASK_MAX];
    unsigned k = 0;
    for (unsigned i = 0; i < n; i++) {
        struct span s = spans[(size_t)i * (size_t)bands + (size_t)band];
        if (s.to <= s.from)
            continue;
        unsigned at = k++;
        for (; at && sorted[at - 1].from > s.from; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = s;
    }
    int x = 0;
    for (unsigned i = 0; i < k; i++) {
        struct span s = sorted[i];
        if (s.from > x)
            copy_span(to, from, band, (struct span){x, s.from});
        if (s.from < x)
            s.from = x;
        if (s.to > s.from) {
            fill_span(to, colour, band, s);
            x = s.to;
        }
    }
    if (x < to->width)
        copy_span(to, from, band, (struct span){x, to->width});
}

static bool develop_masked(struct masks *m, const struct prepared *set, struct picture *to,
                           const struct shot *shot)
{
    const struct picture *from = shot->pixels;
    int w = from->width, h = from->height, bands = h / 2;
    struct sweep sweep;
    if (!sweep_between(&shot->how.pose_start, &shot->how.pose_end, w, h, &sweep))
        return false;
    size_t need = (size_t)set->n * (size_t)bands;
    if (need > m->n_spans) {
        struct span *spans = realloc(m->spans, need * sizeof(*spans));
        if (!spans)
            return false;
        m->spans = spans;
        m->n_spans = need;
    }
    for (size_t i = 0; i < need; i++)
        m->spans[i] = (struct span){w, 0}; /* empty */
    bool any = false;
    for (unsigned i = 0; i < set->n; i++) {
        if (set->cone[i].everywhere)
            return false;
        int corners =
            cover_cone(m, &sweep, &set->cone[i], w, h, m->spans + (size_t)i * (size_t)bands);
        if (corners < 0)
            return false;
        any |= corners > 0;
    }
    if (!any) {
        picture_copy_rows(to, from, 0, h);
        return true;
    }
    for (int band = 0; band < bands; band++)
        make_band(to, from, set->colour, band, m->spans, set->n, bands);
    return true;
}

struct frame *frame_develop(struct masks *m, struct picture_pool *pool, const struct shot *shot,
                            struct finish *finish)
{
    struct picture *to = picture_get(pool);
    if (!to)
        return NULL;
    to->matrix = shot->pixels->matrix;
    to->range = shot->pixels->range;
    pthread_mutex_lock(&m->lock);
    struct prepared *set = m->now;
    bool blind = m->blind;
    if (set)
        set->refs++;
    pthread_mutex_unlock(&m->lock);
    if (blind)
        picture_fill(to, 16, 128, 128);
    else if (!set)
        picture_copy_rows(to, shot->pixels, 0, to->height);
    else if (!develop_masked(m, set, to, shot))
        picture_fill(to, set->colour[0], set->colour[1], set->colour[2]);
    prepared_unref(m, set);
    struct capture how = shot->how;
    if (finish)
        finish_picture(finish, shot, to, &how);
    return frame_new(to, &how);
}
