/* Ports: what is physical, as tables of functions. A backend (virtual, file,
 * v4l2 …) fills in what it has; caps() says what exists and the doors show only
 * that. A backend embeds the port struct and comes back from it by container_of.
 *
 * Threads: sensor_ops run on the source thread; head and lens commands come from
 * the loop, pose() from any thread. */
#ifndef DEVICE_PORTS_H
#define DEVICE_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "media/capture.h"

struct fault;
struct shot;
struct sensor;
struct head;
struct io;
struct body;

struct sensor_caps {
    int width, height;
    double fps;
};

struct sensor_ops {
    void (*caps)(struct sensor *s, struct sensor_caps *ret);
    /* Takes the picture whose exposure starts at `start_ns` (a tick k/fps that has
     * come). Blocks as long as the hardware does. 0 and a shot; -EAGAIN: this one is
     * missing, the next may come; -ENODATA: no signal (the source then shows the
     * placeholder); other errors likewise. */
    int (*take)(struct sensor *s, uint64_t serial, int64_t start_ns, struct shot **ret_shot);
    /* Pictures are wanted, or no longer (release buffers, stop hardware). */
    void (*start)(struct sensor *s);
    void (*stop)(struct sensor *s);
};
struct sensor {
    const struct sensor_ops *ops;
};

struct head_caps {
    bool pan, tilt, zoom;
    bool digital;                    /* crops a larger picture */
    double min_pan_deg, max_pan_deg; /* -180, 180: endless */
    double min_tilt_deg, max_tilt_deg;
    double max_zoom;                      /* magnification; min is 1 */
    double max_pan_speed, max_tilt_speed; /* deg/s */
    double max_zoom_speed;                /* factor per second, as ln(zoom)/s */
    double wide_hfov_deg;                 /* at zoom 1 */
    double tele_hfov_deg;                 /* at max_zoom */
};

struct head_ops {
    void (*caps)(struct head *h, struct head_caps *ret);
    /* Goes there along the shortest allowed way; speed 0…1 of the maximum. NAN leaves
     * an axis as it is (its motion goes on). Out of range is clamped. */
    int (*go)(struct head *h, double pan_deg, double tilt_deg, double zoom, double speed);
    /* Moves on until told otherwise: deg/s, deg/s, ln(zoom)/s; NAN leaves an axis. */
    int (*move)(struct head *h, double pan_speed, double tilt_speed, double zoom_speed);
    int (*stop)(struct head *h, bool pan_tilt, bool zoom);
    /* Where it was or will be at this time: for the virtual head a pure function of
     * the planned trajectory, for real ones an estimate with its uncertainty. */
    void (*pose)(struct head *h, int64_t time_ns, struct pose *ret);
    bool (*moving)(struct head *h, int64_t time_ns);
};
struct head {
    const struct head_ops *ops;
};

/* Terminals for buttons, detectors, relays of others. Loop-bound. */
struct io_listener {
    void (*changed)(struct io_listener *l, int input);
    struct io_listener *next; /* of the port */
};
struct io_ops {
    int (*inputs)(struct io *io);            /* how many; counted from 0 */
    bool (*level)(struct io *io, int input); /* true: high, as it is now */
    void (*listen)(struct io *io, struct io_listener *l);
    void (*unlisten)(struct io *io, struct io_listener *l);
};
struct io {
    const struct io_ops *ops;
};

/* The box around it all and what it feels. Loop-bound, but for accel(). */
enum body_part { BODY_HOUSING, BODY_CARD, BODY_BUTTON, BODY_TEMPERATURE, BODY_POWER };
struct body_listener {
    void (*changed)(struct body_listener *l, enum body_part part);
    struct body_listener *next; /* of the port */
};
struct body_ops {
    bool (*housing)(struct body *b);       /* the cover is attached */
    bool (*card)(struct body *b);          /* a memory card is in its slot */
    bool (*button)(struct body *b);        /* the control button is pressed */
    double (*temperature)(struct body *b); /* inside, degrees Celsius */
    /* Acceleration in g, rest included, at a time: x to the right, y ahead, z up. Any
     * thread. */
    void (*accel)(struct body *b, int64_t time_ns, double ret_g[3]);
    /* BODY_POWER is told when the power was off: the camera has to start anew. Temperature is
     * told once a second while it changes. */
    void (*listen)(struct body *b, struct body_listener *l);
    void (*unlisten)(struct body *b, struct body_listener *l);
};
struct body {
    const struct body_ops *ops;
};

#endif
