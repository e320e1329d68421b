/* A video file as the sensor ("file:PATH"), with a digital head.
 *
 * The file is played in a loop, a picture a tick. It is reopened by name in the
 * folder it was in at start: when it is gone, broken or replaced there is no signal
 * until it can be played again, tried every second. While nobody watches, it
 * pauses. */
#ifndef DEVICE_FILE_FILE_H
#define DEVICE_FILE_FILE_H

#include "device/device.h"

extern const struct device_backend file_backend;

#endif
