/* A camera with VAPIX as the head (com/ptz.cgi): vapix://USER:PASSWORD@HOST[:PORT], or
 * vapixs: for HTTPS. */
#ifndef DEVICE_VAPIX_VAPIX_HEAD_H
#define DEVICE_VAPIX_VAPIX_HEAD_H

#include "device/head/driver.h"

extern const struct head_driver vapix_head_driver, vapixs_head_driver;

#endif
