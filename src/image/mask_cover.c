#include "image/mask_cover.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RAD (M_PI / 180)
#define STEP_RAD (2 * RAD) /* of the grid */
#define MAX_STEPS 10       /* a faster sweep covers everything */
#define STILL_PX 1.0       /* what goes less far than this stands */
#define MARGIN_PX 0.25     /* what any lens spreads; rounding to 2×2 adds one on the average */
#define MOVING_PX 4.0      /* a smear is no exact thing, … */
#define MOVING_SHARE 0.1   /* … the less the longer it is */
#define CLIP_MAX (4 * (MASK_MAX_POINTS + 4))
#define HULL_MAX (CLIP_MAX * (MAX_STEPS + 1) * (MAX_STEPS + 1) * 2) /* points */

struct mask_point {
    double x, y; /* pixels */
};

struct mask_band_run {
    int from, to;
    unsigned band, mask;
};

int mask_cover_init(struct mask_cover *c)
{
    memset(c, 0, sizeof(*c));
    c->points = malloc(HULL_MAX * sizeof(*c->points) * 2);
    return c->points ? 0 : -ENOMEM;
}

void mask_cover_done(struct mask_cover *c)
{
    masked_unref(c->areas);
    free(c->first);
    free(c->all_first);
    free(c->run);
    free(c->all);
    free(c->raw);
    free(c->points);
    memset(c, 0, sizeof(*c));
}

/* ---- projecting ---- */

/* Cuts a cone (camera axes: x right, y ahead, z up) by the plane n·v ≥ 0. */
static unsigned cut(struct vec3 *to, const struct vec3 *from, unsigned count, struct vec3 n)
{
    unsigned out = 0;
    for (unsigned i = 0; i < count && out < CLIP_MAX - 1; i++) {
        struct vec3 a = from[i], b = from[(i + 1) % count];
        double da = vec3_dot(a, n), db = vec3_dot(b, n);
        if (da >= 0)
            to[out++] = a;
        if ((da >= 0) != (db >= 0)) {
            double t = da / (da - db);
            to[out++] =
                (struct vec3){a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t, a.z + (b.z - a.z) * t};
        }
    }
    return out;
}

static unsigned project(const struct mask_axes *v, const struct mask_shape *s,
                        struct mask_point *ret)
{
    struct vec3 a[CLIP_MAX + 1], b[CLIP_MAX + 1];
    for (unsigned i = 0; i < s->n; i++)
        a[i] = (struct vec3){vec3_dot(s->dir[i], v->right), vec3_dot(s->dir[i], v->ahead),
                             vec3_dot(s->dir[i], v->up)};
    unsigned n = cut(b, a, s->n, (struct vec3){-1, v->right_edge, 0});
    n = cut(a, b, n, (struct vec3){1, v->left, 0});
    n = cut(b, a, n, (struct vec3){0, v->top, -1});
    n = cut(a, b, n, (struct vec3){0, v->bottom, 1});
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
    const struct mask_point *a = pa, *b = pb;
    if (a->x != b->x)
        return a->x < b->x ? -1 : 1;
    return a->y < b->y ? -1 : a->y > b->y;
}

static double side(struct mask_point o, struct mask_point a, struct mask_point b)
{
    return (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x);
}

/* Convex hull by Andrew's monotone chain. */
static unsigned hull(struct mask_point *p, unsigned n, struct mask_point *ret)
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

/* ---- runs ---- */

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

static int add_run(struct mask_cover *c, unsigned band, unsigned mask, int from, int to)
{
    if (to <= from)
        return 0;
    if (c->n_raw == c->raw_room) {
        unsigned room = c->raw_room ? 2 * c->raw_room : 4096;
        struct mask_band_run *raw = realloc(c->raw, room * sizeof(*raw));
        if (!raw)
            return -ENOMEM;
        c->raw = raw;
        c->raw_room = room;
    }
    c->raw[c->n_raw++] = (struct mask_band_run){from, to, band, mask};
    return 0;
}

/* Which part of a band the side a–b, as thick as 2 d, covers; false: none of it. */
static bool side_in_band(struct mask_point a, struct mask_point b, double d, unsigned band,
                         double ret[2])
{
    double y0 = 2.0 * band - d, y1 = 2.0 * band + 2 + d;
    if (a.y > b.y) {
        struct mask_point t = a;
        a = b;
        b = t;
    }
    if (b.y < y0 || a.y > y1)
        return false;
    double slope = b.y > a.y ? (b.x - a.x) / (b.y - a.y) : 0;
    double x0 = a.y < y0 ? a.x + slope * (y0 - a.y) : a.x;
    double x1 = b.y > y1 ? a.x + slope * (y1 - a.y) : b.x;
    ret[0] = fmin(x0, x1) - d;
    ret[1] = fmax(x0, x1) + d;
    return true;
}

static void bands_of(const struct mask_cover *c, const struct mask_point *p, unsigned n, double d,
                     unsigned *ret_first, unsigned *ret_past)
{
    double top = INFINITY, bottom = -INFINITY;
    for (unsigned i = 0; i < n; i++) {
        top = fmin(top, p[i].y);
        bottom = fmax(bottom, p[i].y);
    }
    int most = 2 * (int)c->bands;
    *ret_first = (unsigned)even_down(top - d, most) / 2;
    *ret_past = (unsigned)even_up(bottom + d, most) / 2;
}

/* The outline as it is: its sides, and what lies between them in the middle of each band. A place
 * of the band that is inside is either above or below such a middle, or a side lies between. */
static int cover_outline(struct mask_cover *c, const struct mask_point *p, unsigned n, double d,
                         int width, unsigned mask)
{
    unsigned first, past;
    bands_of(c, p, n, d, &first, &past);
    for (unsigned band = first; band < past; band++) {
        double cross[CLIP_MAX], y = 2.0 * band + 1, x[2];
        unsigned k = 0;
        for (unsigned i = 0; i < n; i++) {
            struct mask_point a = p[i], b = p[(i + 1) % n];
            if (side_in_band(a, b, d, band, x) &&
                add_run(c, band, mask, even_down(x[0], width), even_up(x[1], width)) < 0)
                return -ENOMEM;
            if ((a.y > y) == (b.y > y))
                continue;
            double at = a.x + (b.x - a.x) * (y - a.y) / (b.y - a.y);
            unsigned to = k++;
            for (; to && cross[to - 1] > at; to--)
                cross[to] = cross[to - 1];
            cross[to] = at;
        }
        for (unsigned i = 0; i + 1 < k; i += 2)
            if (add_run(c, band, mask, even_down(cross[i], width), even_up(cross[i + 1], width)) <
                0)
                return -ENOMEM;
    }
    return 0;
}

static int cover_convex(struct mask_cover *c, const struct mask_point *p, unsigned n, double d,
                        int width, unsigned mask)
{
    unsigned first, past;
    bands_of(c, p, n, d, &first, &past);
    for (unsigned band = first; band < past; band++) {
        double from = INFINITY, to = -INFINITY, x[2];
        for (unsigned i = 0; i < n; i++)
            if (side_in_band(p[i], p[(i + 1) % n], d, band, x)) {
                from = fmin(from, x[0]);
                to = fmax(to, x[1]);
            }
        if (to > from && add_run(c, band, mask, even_down(from, width), even_up(to, width)) < 0)
            return -ENOMEM;
    }
    return 0;
}

/* ---- one mask ---- */

/* How far a lens out of focus spreads what lies under the outline, pixels. */
static double spread_of(const struct mask_view *v, const struct mask_point *p, unsigned n)
{
    double x[2] = {1, 0}, y[2] = {1, 0}, most = 0;
    if (!v->spread)
        return 0;
    for (unsigned i = 0; i < n; i++) {
        double px = v->part[0] + p[i].x / v->width * v->part[2];
        double py = v->part[1] + p[i].y / v->height * v->part[3];
        x[0] = fmin(x[0], px);
        x[1] = fmax(x[1], px);
        y[0] = fmin(y[0], py);
        y[1] = fmax(y[1], py);
    }
    /* a place that is out of focus itself takes light from as far as that, too */
    double across = v->width / v->part[2] / SHOT_ACROSS, down = v->height / v->part[3] / SHOT_DOWN;
    for (int k = 0; k < SHOT_DOWN; k++)
        for (int i = 0; i < SHOT_ACROSS; i++) {
            double px = (double)v->spread->px[k][i] * v->spread_scale;
            double dx = fmax(fmax(x[0] * SHOT_ACROSS - (i + 1), i - x[1] * SHOT_ACROSS), 0);
            double dy = fmax(fmax(y[0] * SHOT_DOWN - (k + 1), k - y[1] * SHOT_DOWN), 0);
            if (px > most && px + 1 >= fmax(dx * across, dy * down))
                most = px;
        }
    return most;
}

static void tell_area(struct mask_cover *c, const struct mask_view *v, const struct mask_point *p,
                      unsigned n, int index)
{
    struct masked_area *a = &c->areas->area[c->areas->n++];
    a->index = index;
    if (n <= MASKED_POINTS) {
        a->n_points = n;
        for (unsigned i = 0; i < n; i++) {
            a->x[i] = (float)(p[i].x / v->width);
            a->y[i] = (float)(p[i].y / v->height);
        }
        return;
    }
    double x[2] = {INFINITY, -INFINITY}, y[2] = {INFINITY, -INFINITY};
    for (unsigned i = 0; i < n; i++) {
        x[0] = fmin(x[0], p[i].x / v->width);
        x[1] = fmax(x[1], p[i].x / v->width);
        y[0] = fmin(y[0], p[i].y / v->height);
        y[1] = fmax(y[1], p[i].y / v->height);
    }
    a->n_points = 4;
    for (unsigned i = 0; i < 4; i++) {
        a->x[i] = (float)x[i == 1 || i == 2];
        a->y[i] = (float)y[i >= 2];
    }
}

/* The sweep from one pose to the other, as a grid. */
struct sweep {
    double dpan, dtilt, step_rad, margin_px;
    int pans, tilts, fovs;
    bool still;
};

static bool sweep_of(const struct mask_view *v, struct sweep *ret)
{
    double travel = mask_view_travel(v);
    double unsure = fmax(fmax(v->start.uncertainty_deg, v->end.uncertainty_deg), 0);
    double focal = fmax(v->focal_px[0], v->focal_px[1]), stretch = mask_view_corner(v);
    struct sweep s = {.pans = 1, .tilts = 1, .fovs = 1, .still = travel < STILL_PX};
    s.margin_px = MARGIN_PX + v->scaled_px * v->spread_scale + focal * stretch * tan(unsure * RAD);
    if (s.still) {
        s.margin_px += travel;
        *ret = s;
        return true;
    }
    s.dpan = pose_wrap_pan(v->end.pan_deg - v->start.pan_deg);
    s.dtilt = v->end.tilt_deg - v->start.tilt_deg;
    s.pans = 1 + (int)ceil(fabs(s.dpan) * RAD / STEP_RAD);
    s.tilts = 1 + (int)ceil(fabs(s.dtilt) * RAD / STEP_RAD);
    s.fovs = v->focal_px[0] == v->focal_px[1] ? 1 : 2;
    if (s.pans > MAX_STEPS + 1 || s.tilts > MAX_STEPS + 1 || !isfinite(travel))
        return false;
    s.step_rad = fmax(s.pans > 1 ? fabs(s.dpan) / (s.pans - 1) : 0,
                      s.tilts > 1 ? fabs(s.dtilt) / (s.tilts - 1) : 0) *
                 RAD;
    /* from line to arc, eight-fold what a small angle needs */
    s.margin_px += MOVING_PX + MOVING_SHARE * travel + focal * stretch * s.step_rad * s.step_rad;
    *ret = s;
    return true;
}

static int cover_shape(struct mask_cover *c, const struct mask_view *v, const struct sweep *s,
                       const struct mask_shape *shape, unsigned mask)
{
    struct mask_point *p = c->points, *rim = c->points + HULL_MAX;
    unsigned n = 0;
    /* cut only what stays outside at the neighbours of the grid, too */
    double most_spread = 0;
    for (int i = 0; v->spread && i < SHOT_DOWN * SHOT_ACROSS; i++)
        most_spread = fmax(most_spread, (double)v->spread->px[i / SHOT_ACROSS][i % SHOT_ACROSS]);
    double outside = 4 * s->margin_px + 6 * fmax(v->focal_px[0], v->focal_px[1]) * s->step_rad + 8 +
                     most_spread * v->spread_scale;
    for (int i = 0; i < s->pans; i++)
        for (int k = 0; k < s->tilts; k++)
            for (int f = 0; f < s->fovs; f++) {
                struct mask_axes at;
                double pan = v->start.pan_deg + (s->pans > 1 ? s->dpan * i / (s->pans - 1) : 0);
                double tilt =
                    v->start.tilt_deg + (s->tilts > 1 ? s->dtilt * k / (s->tilts - 1) : 0);
                if (n + CLIP_MAX > HULL_MAX)
                    return -E2BIG;
                mask_view_axes(v, pan, tilt, v->focal_px[f], outside, &at);
                n += project(&at, shape, p + n);
            }
    if (n < 3)
        return 0;
    if (!s->still) {
        n = hull(p, n, rim);
        p = rim;
    }
    double d = s->margin_px + spread_of(v, p, n);
    unsigned before = c->n_raw;
    int rc = s->still ? cover_outline(c, p, n, d, v->width, mask)
                      : cover_convex(c, p, n, d, v->width, mask);
    if (rc == 0 && c->n_raw > before)
        tell_area(c, v, p, n, shape->index);
    return rc;
}

/* ---- all of them ---- */

static int by_mask(const void *pa, const void *pb)
{
    const struct mask_run *a = pa, *b = pb;
    if (a->mask != b->mask)
        return a->mask < b->mask ? -1 : 1;
    return a->from - b->from;
}

static int by_start(const void *pa, const void *pb)
{
    const struct mask_run *a = pa, *b = pb;
    return a->from != b->from ? a->from - b->from : a->mask < b->mask ? -1 : a->mask > b->mask;
}

static void sort(struct mask_run *r, unsigned n, int (*order)(const void *, const void *))
{
    if (n > 24) {
        qsort(r, n, sizeof(*r), order);
        return;
    }
    for (unsigned i = 1; i < n; i++) {
        struct mask_run it = r[i];
        unsigned k = i;
        for (; k && order(&r[k - 1], &it) > 0; k--)
            r[k] = r[k - 1];
        r[k] = it;
    }
}

static int make_room(struct mask_cover *c)
{
    if (c->band_room < c->bands + 1) {
        unsigned *first = realloc(c->first, (c->bands + 2) * sizeof(*first));
        c->first = first ? first : c->first;
        unsigned *all_first = realloc(c->all_first, (c->bands + 2) * sizeof(*all_first));
        c->all_first = all_first ? all_first : c->all_first;
        if (!first || !all_first)
            return -ENOMEM;
        c->band_room = c->bands + 1;
    }
    return 0;
}

static int make_run_room(struct mask_cover *c)
{
    if (c->run_room >= c->n_raw)
        return 0;
    struct mask_run *run = realloc(c->run, c->raw_room * sizeof(*run));
    c->run = run ? run : c->run;
    struct mask_run *all = realloc(c->all, c->raw_room * sizeof(*all));
    c->all = all ? all : c->all;
    if (!run || !all)
        return -ENOMEM;
    c->run_room = c->raw_room;
    return 0;
}

/* Runs come by mask; they are wanted by band. */
static void arrange(struct mask_cover *c)
{
    memset(c->all_first, 0, (c->bands + 2) * sizeof(*c->all_first));
    for (unsigned i = 0; i < c->n_raw; i++)
        c->all_first[c->raw[i].band + 2]++;
    for (unsigned b = 0; b < c->bands; b++)
        c->all_first[b + 2] += c->all_first[b + 1];
    for (unsigned i = 0; i < c->n_raw; i++)
        c->all[c->all_first[c->raw[i].band + 1]++] =
            (struct mask_run){c->raw[i].from, c->raw[i].to, c->raw[i].mask};
    unsigned n_all = 0, n_run = 0, from = 0;
    for (unsigned b = 0; b < c->bands; b++) {
        unsigned past = c->all_first[b + 1], n = past - from;
        struct mask_run *band = c->all + from;
        sort(band, n, by_mask);
        unsigned begin = n_all;
        for (unsigned i = 0; i < n; i++) {
            struct mask_run *last = n_all > begin ? &c->all[n_all - 1] : NULL;
            struct mask_run it = band[i];
            if (last && last->mask == it.mask && it.from <= last->to)
                last->to = it.to > last->to ? it.to : last->to;
            else
                c->all[n_all++] = it;
        }
        c->all_first[b] = begin;
        from = past;
        unsigned k = n_all - begin;
        c->first[b] = n_run;
        memcpy(c->run + n_run, c->all + begin, k * sizeof(*c->run));
        struct mask_run *to = c->run + n_run;
        sort(to, k, by_start);
        int x = 0;
        unsigned kept = 0;
        for (unsigned i = 0; i < k; i++) {
            struct mask_run it = to[i];
            it.from = it.from < x ? x : it.from;
            if (it.to <= it.from)
                continue;
            x = it.to;
            to[kept++] = it;
        }
        n_run += kept;
    }
    c->all_first[c->bands] = n_all;
    c->first[c->bands] = n_run;
}

int mask_cover_make(struct mask_cover *c, const struct mask_view *v, const struct mask_shape *shape,
                    unsigned n)
{
    struct sweep s;
    double zoom = fmax(v->start.zoom, v->end.zoom) * 1.0001;
    c->bands = (unsigned)v->height / 2;
    c->n_raw = 0;
    c->any = false;
    c->areas = masked_unref(c->areas);
    if (!sweep_of(v, &s))
        return -E2BIG;
    if (make_room(c) < 0 || !(c->areas = masked_new(n)))
        return -ENOMEM;
    for (unsigned i = 0; i < n; i++) {
        if (zoom < shape[i].least_zoom)
            continue;
        int rc = cover_shape(c, v, &s, &shape[i], i);
        if (rc < 0)
            return rc;
    }
    c->any = c->n_raw > 0;
    if (!c->any) {
        c->areas = masked_unref(c->areas);
        return 0;
    }
    if (make_run_room(c) < 0)
        return -ENOMEM;
    arrange(c);
    return 0;
}
