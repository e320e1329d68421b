/* What stands behind --source rtsp://…: where, and after '#' how. A value; any thread. */
#ifndef DEVICE_RTSP_ADDRESS_H
#define DEVICE_RTSP_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

struct fault;

#define ADDRESS_MAX 1024

struct address {
    char url[ADDRESS_MAX]; /* with user and password */
    char shown[160];       /* scheme, host and path only: for words and logs */
    int width, height;     /* 0: as the camera says */
    double fps;            /* 0: likewise */
    enum { TRANSPORT_EITHER, TRANSPORT_TCP, TRANSPORT_UDP } transport;
    int64_t latency_ns; /* a picture is at most so old when it arrives */
};
int address_parse(struct address *ret, const char *spec, struct fault *why);

#endif
