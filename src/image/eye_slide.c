/* Sliders that move on until told otherwise: iris and brightness of VAPIX' continuous moves. */
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/list.h"
#include "conf/param.h"
#include "image/eye_inside.h"

/* Never at the moment of a picture, which would have to guess whether it comes first. */
#define STEP_NS (100 * NSEC_PER_MSEC - 1)
#define FULL_STEP 5.0 /* of 100, at full speed: from end to end in two seconds */

static const char *const slide_rows[] = {
    [EYE_SLIDE_IRIS] = "ImageSource.I0.Sensor.Aperture",
    [EYE_SLIDE_BRIGHTNESS] = "ImageSource.I0.Sensor.Brightness",
};

static void slide_step(struct loop_timer *t)
{
    struct eye_slide *s = container_of(t, struct eye_slide, timer);
    struct eye *e = s->eye;
    char before[8], after[8];
    snprintf(before, sizeof(before), "%.0f", round(s->at));
    s->at = fmin(fmax(s->at + s->speed * FULL_STEP, 0), 100);
    snprintf(after, sizeof(after), "%.0f", round(s->at));
    bool at_end = s->at <= 0 || s->at >= 100;
    if (before[0] != after[0] || before[1] != after[1] || before[2] != after[2])
        conf_set(e->conf, slide_rows[s - e->slide], after);
    if (!at_end)
        loop_timer_in(e->loop, t, STEP_NS);
}

void slides_init(struct eye *e)
{
    for (int i = 0; i < EYE_SLIDES; i++)
        e->slide[i] =
            (struct eye_slide){.eye = e, .timer = {.name = "eye-slide", .fire = slide_step}};
}

void slides_done(struct eye *e)
{
    for (int i = 0; i < EYE_SLIDES; i++)
        loop_timer_cancel(&e->slide[i].timer);
}

static int slide(struct eye *e, enum eye_slider which, double from, double speed, struct fault *why)
{
    struct eye_slide *s = &e->slide[which];
    if (!(fabs(speed) <= 1))
        return fault_set(why, FAULT_INVALID, "speed", "must be from -1 to 1");
    bool moves = s->timer.loop != NULL;
    loop_timer_cancel(&s->timer);
    s->at = moves ? s->at : from;
    s->speed = speed;
    if (speed != 0)
        loop_timer_in(e->loop, &s->timer, STEP_NS);
    return 0;
}

int eye_brightness_move(struct eye *e, double speed, struct fault *why)
{
    const struct eye_settings *s = room_ref(e->room);
    double from = s->brightness;
    room_unref(s);
    return slide(e, EYE_SLIDE_BRIGHTNESS, from, speed, why);
}

int eye_iris_move(struct eye *e, double speed, struct fault *why)
{
    struct lens_state now;
    if (!e->lens.iris)
        return fault_set(why, FAULT_UNSUPPORTED, NULL, "this camera's iris cannot be moved");
    const struct exposure_limits l = {.open_f = e->lens.widest_f, .closed_f = e->lens.narrowest_f};
    const struct eye_settings *s = room_ref(e->room);
    bool by_hand = s->exposure.mode == EXPOSURE_APERTURE || s->exposure.mode == EXPOSURE_MANUAL;
    double from = s->exposure.aperture;
    room_unref(s);
    if (!by_hand) { /* from where it is */
        e->ports.lens->ops->state(e->ports.lens, clock_now(e->clock), &now);
        int err = eye_iris_go(e, now.iris_f, why);
        if (err)
            return err;
        from = exposure_aperture(&l, now.iris_f);
    }
    return slide(e, EYE_SLIDE_IRIS, from, speed, why);
}
