/* Another camera as the sensor: rtsp://, rtsps://, http://, https:// (docs/sources.md).
 *
 * A thread of its own connects while pictures are wanted, decodes, and keeps the newest
 * picture; it tries again for ever, less and less often. Without a picture for two
 * seconds, or when the camera cannot be reached at all, there is no signal. Size and rate
 * are what the camera says when it is first asked, at start, or what SPEC says after '#';
 * later pictures of another size are scaled. */
#ifndef DEVICE_RTSP_RTSP_H
#define DEVICE_RTSP_RTSP_H

#include "device/device.h"

extern const struct device_backend rtsp_backend, rtsps_backend, http_backend, https_backend;

#endif
