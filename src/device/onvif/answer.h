/* Reads the answers of an ONVIF camera that its head needs. Pure; names in any namespace,
 * since cameras are free with prefixes. Any thread. */
#ifndef DEVICE_ONVIF_ANSWER_H
#define DEVICE_ONVIF_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xml;

/* 0, or -EBADMSG: it is not in there or makes no sense. */
int onvif_read_time(const struct xml *x, int64_t *ret_utc_s); /* GetSystemDateAndTime */
/* Path and query of a service's address (GetCapabilities: "PTZ", "Media"). What host it
 * names is not followed. */
int onvif_read_service(const struct xml *x, const char *service, char *ret, size_t size);
/* Token of the nth profile (from 1) with a PTZ configuration (GetProfiles). */
int onvif_read_profile(const struct xml *x, int nth, char *ret, size_t size);
struct onvif_ranges {
    bool degrees; /* the limits are told */
    double min_pan_deg, max_pan_deg, min_tilt_deg, max_tilt_deg;
    bool zoom;
};
int onvif_read_ranges(const struct xml *x, struct onvif_ranges *ret); /* GetNodes */
/* GetStatus: -1…1, -1…1, 0…1; what is not told is NAN. */
int onvif_read_position(const struct xml *x, double *ret_x, double *ret_y, double *ret_zoom);
/* Whether it is a fault, and why. *ret_denied: of user or password. */
bool onvif_read_fault(const struct xml *x, char *ret_reason, size_t size, bool *ret_denied);

#endif
