/* Pan, tilt and zoom controls of a V4L2 device (UVC cameras) as the head: uvc:/dev/videoN. */
#ifndef DEVICE_UVC_UVC_HEAD_H
#define DEVICE_UVC_UVC_HEAD_H

#include "device/head/driver.h"

extern const struct head_driver uvc_head_driver;

#endif
