#include "device/virtual/scenario/path.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/fault.h"

#define SHARPEST_DEG 165.0
#define STEP_M 0.25 /* of looking for a crossing */

/* Of the corner at b: how much it takes of both legs, and which way it turns. */
static double corner(const double *a, const double *b, const double *c, double radius,
                     double *ret_turn)
{
    double l0 = hypot(b[0] - a[0], b[1] - a[1]), l1 = hypot(c[0] - b[0], c[1] - b[1]);
    double ux = (b[0] - a[0]) / l0, uy = (b[1] - a[1]) / l0;
    double vx = (c[0] - b[0]) / l1, vy = (c[1] - b[1]) / l1;
    *ret_turn = atan2(ux * vy - uy * vx, ux * vx + uy * vy);
    return fmin(radius * tan(fabs(*ret_turn) / 2), 0.499 * fmin(l0, l1));
}

static void add(struct path *p, double len, double x, double y, double dx, double dy, double curve)
{
    if (len < 1e-6)
        return;
    p->piece[p->n++] = (struct path_piece){p->len_m, len, x, y, dx, dy, curve};
    p->len_m += len;
}

int path_make(struct path *p, const double (*pt)[2], size_t n, bool closed, double radius,
              struct fault *why)
{
    double cut[PATH_POINTS] = {0}, turn[PATH_POINTS] = {0};
    if (n < (closed ? 3 : 2) || n > PATH_POINTS)
        return fault_set(why, FAULT_INVALID, NULL, "%s path wants %d to %d points",
                         closed ? "a closed" : "an open", closed ? 3 : 2, PATH_POINTS);
    size_t legs = closed ? n : n - 1;
    for (size_t i = 0; i < legs; i++) {
        const double *a = pt[i], *b = pt[(i + 1) % n];
        if (hypot(b[0] - a[0], b[1] - a[1]) < 0.01)
            return fault_set(why, FAULT_INVALID, NULL, "points %zu and %zu of the path are one",
                             i + 1, (i + 1) % n + 1);
    }
    for (size_t i = closed ? 0 : 1; i < (closed ? n : n - 1); i++) {
        cut[i] = corner(pt[(i + n - 1) % n], pt[i], pt[(i + 1) % n], radius, &turn[i]);
        if (fabs(turn[i]) > SHARPEST_DEG * M_PI / 180)
            return fault_set(why, FAULT_INVALID, NULL,
                             "the path turns back at its point %zu; end it there, and go on with "
                             "another",
                             i + 1);
    }
    p->piece = calloc(2 * n, sizeof(*p->piece));
    if (!p->piece)
        return fault_set(why, FAULT_INTERNAL, NULL, "no memory");
    p->n = 0;
    p->len_m = 0;
    p->closed = closed;
    for (size_t i = 0; i < legs; i++) {
        size_t k = (i + 1) % n;
        double l = hypot(pt[k][0] - pt[i][0], pt[k][1] - pt[i][1]);
        double dx = (pt[k][0] - pt[i][0]) / l, dy = (pt[k][1] - pt[i][1]) / l;
        add(p, l - cut[i] - cut[k], pt[i][0] + dx * cut[i], pt[i][1] + dy * cut[i], dx, dy, 0);
        if (cut[k] > 0 && fabs(turn[k]) > 1e-9) {
            double r = cut[k] / tan(fabs(turn[k]) / 2);
            add(p, r * fabs(turn[k]), pt[k][0] - dx * cut[k], pt[k][1] - dy * cut[k], dx, dy,
                copysign(1 / r, turn[k]));
        }
    }
    return 0;
}

void path_done(struct path *p)
{
    free(p->piece);
    p->piece = NULL;
    p->n = 0;
}

struct spot path_at(const struct path *p, double s, double *ret_curve)
{
    if (p->closed) {
        s = fmod(s, p->len_m);
        if (s < 0)
            s += p->len_m;
    }
    size_t lo = 0, hi = p->n - 1;
    while (lo < hi) {
        size_t mid = (lo + hi + 1) / 2;
        if (p->piece[mid].from_m <= s)
            lo = mid;
        else
            hi = mid - 1;
    }
    const struct path_piece *q = &p->piece[lo];
    double d = s - q->from_m, past = 0;
    if (d > q->len_m) {
        past = d - q->len_m;
        d = q->len_m;
    } else if (d < 0) {
        past = d;
        d = 0;
    }
    struct spot r = {q->x, q->y, q->dx, q->dy};
    if (q->curve == 0) {
        r.x += q->dx * d;
        r.y += q->dy * d;
    } else {
        double a = d * q->curve, sn = sin(a), cs = cos(a);
        r.x += (q->dx * sn - q->dy * (1 - cs)) / q->curve;
        r.y += (q->dy * sn + q->dx * (1 - cs)) / q->curve;
        r.dx = q->dx * cs - q->dy * sn;
        r.dy = q->dy * cs + q->dx * sn;
    }
    r.x += r.dx * past;
    r.y += r.dy * past;
    if (ret_curve)
        *ret_curve = past != 0 ? 0 : q->curve;
    return r;
}

static double side(const double a[2], const double b[2], double x, double y)
{
    return (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]);
}

double path_crosses(const struct path *p, double from, const double a[2], const double b[2])
{
    struct spot was = path_at(p, from, NULL);
    for (double s = from; s < p->len_m; s += STEP_M) {
        double next = fmin(s + STEP_M, p->len_m);
        struct spot now = path_at(p, next, NULL);
        double u = side(a, b, was.x, was.y), v = side(a, b, now.x, now.y);
        if ((u < 0) != (v < 0)) {
            double from_pt[2] = {was.x, was.y}, to_pt[2] = {now.x, now.y};
            if ((side(from_pt, to_pt, a[0], a[1]) < 0) != (side(from_pt, to_pt, b[0], b[1]) < 0))
                return s + (next - s) * u / (u - v);
        }
        was = now;
    }
    return -1;
}
