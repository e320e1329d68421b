/* Ways on the ground: polylines with rounded corners, by arc length. Plain data,
 * immutable once made; any thread. */
#ifndef DEVICE_VIRTUAL_SCENARIO_PATH_H
#define DEVICE_VIRTUAL_SCENARIO_PATH_H

#include <stdbool.h>
#include <stddef.h>

struct fault;

#define PATH_POINTS 64

struct path_piece {
    double from_m, len_m; /* where along the path */
    double x, y;          /* its beginning */
    double dx, dy;        /* direction there, unit length */
    double curve;         /* 1/radius, left positive; 0: straight */
};

struct path {
    char name[32];
    bool closed;
    size_t n;
    struct path_piece *piece; /* owned */
    double len_m;
    double limit_m_s; /* for vehicles; 0: none */
};

struct spot {
    double x, y, dx, dy; /* unit direction */
};

/* At least two points (closed: three), no two neighbours alike, no turn sharper than
 * 165°. Corners are rounded with this radius, or less where the legs are short. */
int path_make(struct path *ret, const double (*point)[2], size_t n, bool closed, double radius_m,
              struct fault *why);
void path_done(struct path *p);

/* Before the beginning and behind the end an open path goes on straight; a closed one
 * wraps. `curve` (may be NULL) as in the piece. */
struct spot path_at(const struct path *p, double s_m, double *ret_curve);
/* Length along the path at which it first crosses this segment from `from_m` on, or a
 * negative number. Corners count as rounded. */
double path_crosses(const struct path *p, double from_m, const double a[2], const double b[2]);

#endif
