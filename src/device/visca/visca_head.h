/* A VISCA head: visca:/dev/ttyUSB0, or visca://HOST[:PORT] by UDP or TCP. */
#ifndef DEVICE_VISCA_VISCA_HEAD_H
#define DEVICE_VISCA_VISCA_HEAD_H

#include "device/head/driver.h"

extern const struct head_driver visca_head_driver;

#endif
