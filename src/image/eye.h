/* The eye: what a camera does by itself so that its picture is good, and what its user sets of
 * that. Exposure, white balance, focus, day and night, tone are decided from the pixels of the
 * shots and nothing else; how the pixels are then worked upon (enhance.h) stands in the same
 * settings.
 *
 * The loops of control run on the source thread, one step a shot (eye_look), each a pure
 * function of (settings, what was measured, its own state): exposure.h, balance.h, focus.h,
 * night.h, tone_map.h, measured by measure.h. What a sensor or lens cannot do is left out. A
 * setting holds from the next shot. Everything else here: loop. */
#ifndef IMAGE_EYE_H
#define IMAGE_EYE_H

#include <stdbool.h>
#include <stdint.h>

#include "device/ports.h"

struct clock;
struct conf;
struct events;
struct fault;
struct loop;
struct room;
struct room_desc;
struct shot;
struct eye;

/* Rows ImageSource.I0.*; the struct is settings.h. */
extern const struct room_desc eye_room_desc;

struct eye_ports { /* borrowed; all but the sensor may be NULL */
    struct sensor *sensor;
    struct head *head;
    struct lens *lens;
    struct light_source *infrared;
    struct led *led;
    struct body *body; /* its accelerometer steadies the picture */
};
/* conf keeps what it learns for good: focus recall areas. NULL: out of memory. */
struct eye *eye_new(struct loop *loop, struct clock *clock, struct conf *conf, struct room *room,
                    struct events *events, const struct eye_ports *ports);
struct eye *eye_free(struct eye *e);

/* Who asks for pictures, and no longer, for the eye itself: for a moment after a move. Before
 * the first picture. */
void eye_on_glance(struct eye *e, void (*want)(bool wanted, void *arg), void *arg);
/* Somebody wants pictures, or no longer. */
void eye_watched(struct eye *e);

/* ---- source thread ---- */

/* Before a shot is taken: tells the sensor how. */
void eye_prepare(struct eye *e, int64_t start_ns);
/* After it: measures, decides about the next. True: nobody has seen a picture yet, and this one
 * is far from right: it is to be taken again, at once. So often at most after eye_new() and
 * eye_rest(). */
#define EYE_AGAIN 3
bool eye_look(struct eye *e, const struct shot *s);
/* How far the stabiliser moved the newest picture, in pixels: for eye_status. */
void eye_steadied(struct eye *e, double px);
/* The newest picture is not yet as sharp as the camera will make it: after a move, or while it
 * focuses anew. */
bool eye_settling(const struct eye *e);
/* Nobody watches any longer. */
void eye_rest(struct eye *e);

/* ---- what it does just now ---- */

struct eye_status {
    int64_t exposure_ns;
    double gain_db, iris_f;
    double level;       /* brightness measured / wanted, in stops: 0 is right */
    bool settled;       /* exposure */
    double kelvin;      /* white balance, estimated; 0: unknown */
    double red, blue;   /* its gains */
    double range;       /* 1, or how many times longer the long exposure is */
    bool night, ir_cut; /* black and white; the filter is in */
    double infrared;    /* own lamp, 0 … 1 */
    double focus;       /* 0 near … 1 far */
    bool focusing;      /* autofocus is at work */
    double sharpness;   /* of the area in focus, share of the best seen here; 0 unknown … 1 */
    int recall;         /* number of the focus recall area that it looks at, or −1 */
    double steadied_px; /* how far the stabiliser moved the newest picture */
};
void eye_status(struct eye *e, struct eye_status *ret); /* any thread */

/* ---- focus ---- */

/* Once, then it stays (manual) or goes on as before (automatic). */
int eye_focus_once(struct eye *e, struct fault *why);
/* Manual focus from now on. */
int eye_focus_go(struct eye *e, double focus, struct fault *why);
int eye_focus_by(struct eye *e, double by, struct fault *why);
/* −1…+1 of the lens's speed, until 0: VAPIX continuousfocusmove. */
int eye_focus_move(struct eye *e, double speed, struct fault *why);
/* A preset's focus, which neither autofocus nor focus recall moves until it is let go of; NAN:
 * the focus cannot be moved. */
double eye_focus_now(struct eye *e);
void eye_focus_hold(struct eye *e, double focus);
void eye_focus_release(struct eye *e);
/* Focuses once on a small part about this point of the picture (0…1), and stays there. */
int eye_focus_spot(struct eye *e, double x, double y, struct fault *why);
/* The iris by hand, f-number: exposure is then by aperture. */
int eye_iris_go(struct eye *e, double iris_f, struct fault *why);

/* Iris and brightness: −1…+1 of two seconds from end to end, until 0 or the end is reached; more
 * open, brighter. VAPIX continuousirismove and continuousbrightnessmove. */
int eye_iris_move(struct eye *e, double speed, struct fault *why);
int eye_brightness_move(struct eye *e, double speed, struct fault *why);

/* Focus recall areas: the focus of now for whatever is seen now. -EEXIST where one is. */
#define EYE_RECALL_MOST 20
int eye_recall_add(struct eye *e, const char *name, int *ret_number, struct fault *why);
/* The one that the camera looks at. */
int eye_recall_remove(struct eye *e, struct fault *why);

/* ---- focus assistant ---- */

/* While on, the status LED tells how sharp the picture is: red, amber, green. */
void eye_assist(struct eye *e, bool on);
bool eye_assisting(const struct eye *e);

#endif
