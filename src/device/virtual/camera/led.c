#include "device/virtual/camera/led.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/list.h"

struct virtual_led {
    struct led led;
    pthread_mutex_t lock; /* leaf: guards what follows */
    enum led_colour colour;
    double blink_hz;
};

static struct virtual_led *of(struct led *l)
{
    return container_of(l, struct virtual_led, led);
}

static void set(struct led *l, enum led_colour c, double blink_hz)
{
    pthread_mutex_lock(&of(l)->lock);
    of(l)->colour = c;
    of(l)->blink_hz = blink_hz;
    pthread_mutex_unlock(&of(l)->lock);
}

static enum led_colour get(struct led *l, double *ret_blink_hz)
{
    pthread_mutex_lock(&of(l)->lock);
    enum led_colour c = of(l)->colour;
    *ret_blink_hz = of(l)->blink_hz;
    pthread_mutex_unlock(&of(l)->lock);
    return c;
}

static const struct led_ops ops = {.set = set, .get = get};

struct led *virtual_led_new(void)
{
    struct virtual_led *v = calloc(1, sizeof(*v));
    if (!v)
        return NULL;
    v->led.ops = &ops;
    v->colour = LED_GREEN; /* all is well */
    pthread_mutex_init(&v->lock, NULL);
    return &v->led;
}

struct led *virtual_led_free(struct led *l)
{
    if (!l)
        return NULL;
    pthread_mutex_destroy(&of(l)->lock);
    free(of(l));
    return NULL;
}
