/* A camera with ONVIF's PTZ service as the head: onvif://USER:PASSWORD@HOST[:PORT], or
 * onvifs: for HTTPS. */
#ifndef DEVICE_ONVIF_ONVIF_HEAD_H
#define DEVICE_ONVIF_ONVIF_HEAD_H

#include "device/head/driver.h"

extern const struct head_driver onvif_head_driver, onvifs_head_driver;

#endif
