/* The eye's own parts; inside of eye*.c only. */
#ifndef IMAGE_EYE_INSIDE_H
#define IMAGE_EYE_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/loop.h"
#include "event/event.h"
#include "image/balance.h"
#include "image/exposure.h"
#include "image/eye.h"
#include "image/focus.h"
#include "image/measure.h"
#include "image/night.h"
#include "image/settings.h"
#include "image/tone_map.h"

/* What the loop wants of the source thread; taken once. */
struct eye_wish {
    bool once, spot, stay, hold;
    double x, y;  /* of the spot */
    double focus; /* of stay: by hand, here; of hold: here, for a preset */
};

enum eye_slider { EYE_SLIDE_IRIS, EYE_SLIDE_BRIGHTNESS, EYE_SLIDES };
struct eye_slide { /* loop */
    struct eye *eye;
    struct loop_timer timer; /* armed while it moves */
    double at, speed;        /* 0…100; −1…+1 */
};

struct eye_glance {     /* loop */
    atomic_bool on;     /* any thread reads it */
    int64_t watched_ns; /* when somebody wanted pictures last */
    void (*want)(bool wanted, void *arg);
    void *arg;
    struct event_listener head;
    struct loop_timer longest;
    struct loop_post done;
};

struct eye {
    struct loop *loop;
    struct clock *clock;
    struct conf *conf;
    struct room *room;
    struct events *events;
    struct eye_ports ports;
    struct sensor_caps sensor;
    struct lens_caps lens;
    struct light_caps lamp;
    double aspect;
    bool controls; /* there is something to be set */

    /* Source thread. */
    const struct eye_settings *settings; /* a reference */
    float weight[ZONES];
    struct exposure_limits limits;
    struct exposure exposure;
    struct balance balance;
    struct night night;
    struct tone_map map;
    struct measured seen; /* of the newest picture */
    bool has_seen;
    struct sensor_settings set; /* what the sensor was told */
    bool was_set;
    int again;             /* how often the first picture may still be taken anew */
    struct capture newest; /* how the newest shot was taken */
    double iris_f;         /* what the lens was told; 0: nothing */
    int lamp_stands;       /* pictures since the lamp changed */
    struct light_state lamp_set;
    bool told, told_day, told_lamp;

    struct focus focus;
    float focus_weight[SHARP_FIELDS];
    int focus_mode; /* of the settings that hold */
    bool spot, once;
    bool held; /* a preset's focus holds */
    double spot_x, spot_y;
    struct pose pose, focused_pose; /* of the newest picture, and where the last scan began */
    unsigned stood, streak;         /* pictures that the head stands; that were watched */
    bool settling;                  /* the head stands, and the focus is still to be found */
    int recall;
    double steadied_px;
    double sharp, sharp_best; /* of the newest picture that was measured */

    atomic_bool assisting;
    enum led_colour assist_colour; /* lock */

    pthread_mutex_t lock; /* leaf; guards what follows */
    struct eye_status status;
    struct eye_wish wish;
    bool release; /* of what is held; before the wish */

    /* Loop. */
    struct loop_post led_post;
    enum led_colour led_before;
    double led_blink_before;
    struct eye_slide slide[EYE_SLIDES];
    struct eye_glance glance;
};

/* eye_focus.c; source thread */
void eye_focus_settings(struct eye *e);
bool eye_focus_look(struct eye *e, const struct shot *s); /* true: it measured */
/* assist.c */
void assist_look(struct eye *e); /* source thread; after a picture was measured */
void assist_init(struct eye *e);
void assist_done(struct eye *e);
/* eye_slide.c; loop */
void slides_init(struct eye *e);
void slides_done(struct eye *e);
/* eye_glance.c; loop */
void glance_init(struct eye *e);
void glance_done(struct eye *e);
void glance_look(struct eye *e); /* source thread; after a picture */

#endif
