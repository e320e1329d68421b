/* What the files of the drivers share; private to them. */
#ifndef DEVICE_VIRTUAL_CAST_DRIVE_INSIDE_H
#define DEVICE_VIRTUAL_CAST_DRIVE_INSIDE_H

#include "device/virtual/cast/drive.h"

#define DT (1.0 / TRAFFIC_HZ)
#define MARKS 24
#define GAP_M 2.0 /* between standing cars */
#define HARDEST 6.0
#define SOON_S 1.2 /* how far ahead one guesses where people go, once and twice */

enum mark_kind { MARK_GATE, MARK_YIELD, MARK_CROSSING };

struct mark {
    enum mark_kind kind;
    size_t which, leg;
    double s;
};

struct marked {
    const struct route *route;
    size_t n;
    struct mark mark[MARKS];
};

struct driver {
    struct traffic_car car;
    size_t marked;
    double length, width;
};

struct body {
    double x, y, hx, hy; /* middle, half axis between the round ends */
    double r, vx, vy;
};

struct drive {
    const struct scenario *s;
    int64_t first_step, round;
    traffic_people *people;
    void *arg;
    struct driver *driver;
    size_t n, room, scheduled;
    struct marked *marked;
    size_t n_marked;
    /* Of the step at hand */
    struct body body[TRAFFIC_MOST];
    double walker[TRAFFIC_PEOPLE][2], soon[2][TRAFFIC_PEOPLE][2];
    size_t n_walkers, n_soon[2];
    double at_s;
};

static inline struct spot shifted(struct spot p, double aside, bool backwards)
{
    p.x += (backwards ? -p.dy : p.dy) * aside;
    p.y -= (backwards ? -p.dx : p.dx) * aside;
    return p;
}

/* drive_look.c */
struct looking {
    const struct driver *w;
    const struct car_state *c;
    size_t me;
    double limit; /* the result */
};
void drive_mark_leg(const struct scenario *s, struct marked *m, const struct route *r, size_t leg);
/* From a point to the body's axis. */
double body_away(const struct body *b, double x, double y);
/* The speed at which one ends at a line: not creeping for ever. */
double drive_stop_speed(double gap);
void drive_look_ahead(const struct drive *d, const struct car_state *cars, size_t n,
                      struct looking *k);
void drive_heed_marks(struct drive *d, struct car_state *cars, size_t n, struct looking *k,
                      struct gate_state *gate);

#endif
