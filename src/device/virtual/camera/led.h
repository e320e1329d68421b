/* The status LED of the virtual camera: shines for whoever looks at the stage. As its port. */
#ifndef DEVICE_VIRTUAL_CAMERA_LED_H
#define DEVICE_VIRTUAL_CAMERA_LED_H

#include "device/ports.h"

struct led *virtual_led_new(void); /* green; NULL: out of memory */
struct led *virtual_led_free(struct led *l);

#endif
