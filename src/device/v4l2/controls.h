/* The settings of sensor and lens as controls of a V4L2 device. What it has not is left out of
 * caps; until something is set, the device's own automatics are at work. One thread. */
#ifndef DEVICE_V4L2_CONTROLS_H
#define DEVICE_V4L2_CONTROLS_H

#include "device/ports.h"
#include "device/v4l2/node.h"

struct controls {
    struct node_control exposure_auto, exposure, gain_auto, gain, balance_auto, red, blue;
    struct node_control focus_auto, focus;
    bool ours;                    /* the automatics are switched off */
    struct sensor_settings given; /* as the device has them */
    double focus_given;           /* NAN: by the device itself */
};
void controls_ask(int fd, struct controls *ret);
void controls_caps(const struct controls *c, struct sensor_caps *ret); /* can and its ranges */
/* Only what has changed. */
void controls_apply(int fd, struct controls *c, const struct sensor_settings *s);
int controls_focus(int fd, struct controls *c, double focus);

#endif
