/* A V4L2 device as the sensor: v4l2:/dev/videoN (docs/sources.md). The best format is chosen,
 * pictures are taken from mapped buffers, newest first. Unplugged it is no signal, and looked
 * for every second; where it may be opened again after privileges were dropped depends on its
 * group. Source thread, but for opening, closing and the lens. */
#ifndef DEVICE_V4L2_V4L2_H
#define DEVICE_V4L2_V4L2_H

#include "device/device.h"

extern const struct device_backend v4l2_backend;

#endif
