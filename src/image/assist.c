/* The focus assistant: while it is on, the status LED flashes and tells how sharp the picture is.
 */
#include "base/list.h"
#include "base/loop.h"
#include "image/eye_inside.h"

#define SHARP 0.9  /* of the best seen here: green … */
#define NEARLY 0.6 /* … amber, else red */
#define BLINK_HZ 2.0
#define KEEPS 0.03 /* a colour stays that much longer */

static void set_led(struct loop_post *p)
{
    struct eye *e = container_of(p, struct eye, led_post);
    if (!e->assisting || !e->ports.led)
        return;
    pthread_mutex_lock(&e->lock);
    enum led_colour colour = e->assist_colour;
    pthread_mutex_unlock(&e->lock);
    e->ports.led->ops->set(e->ports.led, colour, BLINK_HZ);
}

void assist_init(struct eye *e)
{
    e->led_post = (struct loop_post){.name = "focus-assistant", .run = set_led};
}

void assist_done(struct eye *e)
{
    eye_assist(e, false);
    loop_post_cancel(e->loop, &e->led_post);
}

void assist_look(struct eye *e)
{
    if (!e->assisting || e->sharp_best <= 0)
        return;
    double quality = e->sharp / e->sharp_best;
    pthread_mutex_lock(&e->lock);
    enum led_colour was = e->assist_colour;
    double sharp = was == LED_GREEN ? SHARP - KEEPS : SHARP;
    double nearly = was == LED_RED ? NEARLY : NEARLY - KEEPS;
    enum led_colour now = quality >= sharp ? LED_GREEN : quality >= nearly ? LED_AMBER : LED_RED;
    e->assist_colour = now;
    pthread_mutex_unlock(&e->lock);
    if (now != was)
        loop_post(e->loop, &e->led_post);
}

void eye_assist(struct eye *e, bool on)
{
    struct led *led = e->ports.led;
    if (e->assisting == on)
        return;
    if (on && led)
        e->led_before = led->ops->get(led, &e->led_blink_before);
    pthread_mutex_lock(&e->lock);
    e->assist_colour = LED_OFF;
    pthread_mutex_unlock(&e->lock);
    e->assisting = on;
    if (!on && led)
        led->ops->set(led, e->led_before, e->led_blink_before);
}

bool eye_assisting(const struct eye *e)
{
    return e->assisting;
}
