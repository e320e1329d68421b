#ifndef DEVICE_VIRTUAL_VIRTUAL_H
#define DEVICE_VIRTUAL_VIRTUAL_H

#include "device/device.h"

extern const struct device_backend virtual_backend; /* "virtual", "virtual:320x180@30" */

#endif
