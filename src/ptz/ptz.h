/* Control of pan, tilt and zoom: one place through which every door, rule and tour
 * moves the head, with the limits of the mechanics and of the settings.
 *
 * Units: degrees, magnification; speeds −1…+1 of the maximum. Angles as media/
 * pose.h. Loop-bound. Without a head every call is FAULT_UNSUPPORTED. */
#ifndef PTZ_PTZ_H
#define PTZ_PTZ_H

#include <stdbool.h>
#include <stdint.h>

#include "device/ports.h"

struct events;
struct fault;
struct loop;
struct ptz;
struct room_desc;

/* Parameters PTZ.Various.V1.*. */
struct ptz_settings {
    int move_timeout_s; /* of continuous moves by VAPIX; 0: they go on until told */
    int return_s;       /* home after so long without a move; 0: never (home_timeout.h) */
};
extern const struct room_desc ptz_room_desc;

/* aspect: width / height of the picture that x, y refer to. */
/* Told on the loop of each order that the head obeys, and when it has come to rest. */
enum ptz_news { PTZ_BEGAN, PTZ_RESTS };
struct ptz_listener {
    void (*heard)(struct ptz_listener *l, enum ptz_news what);
    struct ptz_listener *next;
};

/* What a head is told, in its own units: degrees, or degrees and ln(zoom) a second. NAN: that
 * axis goes on. */
struct ptz_order {
    bool goes; /* to a place; else it moves on */
    double pan, tilt, zoom;
    double speed; /* of going, 0…1 */
};
/* Told of each before it is carried out: whoever records. One at a time; NULL: nobody. */
typedef void ptz_order_fn(const struct ptz_order *o, void *arg);

struct ptz *ptz_new(struct loop *loop, struct head *head, struct events *events, double aspect);
struct ptz *ptz_free(struct ptz *p);
/* Its moves are told as those of this channel (1 … VIEWS_MOST); by ptz_new: of channel 1. */
void ptz_use_events(struct ptz *p, struct events *events, int channel);
bool ptz_exists(const struct ptz *p);
void ptz_caps(struct ptz *p, struct head_caps *ret);

void ptz_listen(struct ptz *p, struct ptz_listener *l);
void ptz_unlisten(struct ptz *p, struct ptz_listener *l);
void ptz_record(struct ptz *p, ptz_order_fn *fn, void *arg);
/* Nothing goes beyond from now on; who stands outside is brought in. */
void ptz_limit(struct ptz *p, const struct head_limits *l);
void ptz_limits(struct ptz *p, struct head_limits *ret);

/* NAN: this axis stays as it is. speed 0…1 (NAN: the default set by ptz_set_speed). */
int ptz_absolute(struct ptz *p, double pan_deg, double tilt_deg, double zoom, double speed,
                 struct fault *why);
int ptz_relative(struct ptz *p, double pan_deg, double tilt_deg, double zoom_factor, double speed,
                 struct fault *why);
/* Moves on until told otherwise, or until `timeout_ns` (0: none) has passed without
 * another call: the dead man of the web page. */
int ptz_continuous(struct ptz *p, double pan, double tilt, double zoom, int64_t timeout_ns,
                   struct fault *why);
/* In the head's own units (degrees and ln(zoom) a second), as they are: whoever plays back. */
int ptz_drive(struct ptz *p, double pan_speed, double tilt_speed, double zoom_speed,
              struct fault *why);
int ptz_stop(struct ptz *p, bool pan_tilt, bool zoom);
/* The point (0…1, from the top left) of the current picture becomes the centre; the
 * picture then shows 1/zoom_by of what it showed (1: keep). One movement. */
int ptz_center(struct ptz *p, double x, double y, double zoom_by, double speed, struct fault *why);
int ptz_set_speed(struct ptz *p, double speed, struct fault *why); /* of later moves */
double ptz_speed(const struct ptz *p);
/* Do continuous moves slow down with the field of view (at 30× full deflection then
 * passes the same share of the picture in a second), and are they finer near the middle than
 * the deflection? True at start. */
void ptz_set_proportional(struct ptz *p, bool proportional);

/* The camera hangs the other way up: in its pictures, which are turned to stand upright, left
 * and up are the head's right and down. Continuous and relative moves follow the picture. */
void ptz_set_turned(struct ptz *p, bool turned);

void ptz_pose(struct ptz *p, struct pose *ret); /* now */
bool ptz_moving(struct ptz *p);
/* Where it is going to; equals the pose when at rest. */
void ptz_target(struct ptz *p, struct pose *ret);
/* Which limits the pose touches: bit 0 pan min, 1 pan max, 2 tilt min, 3 tilt max, 4
 * zoom min, 5 zoom max. */
unsigned ptz_at_limit(struct ptz *p);

#endif
