/* The limits that an administrator may move: how many viewers, encoders and
 * connections the camera bears. What strangers cannot move stands in
 * net/limits.h, with the defaults of these. */
#ifndef SYSTEM_LIMITS_H
#define SYSTEM_LIMITS_H

struct room_desc;

struct limit_settings {
    int viewers, encoders;
    double cores;
    int effort; /* enum effort */
    int connections, per_address, unauthenticated;
};
extern const struct room_desc limit_room_desc;

#endif
