/* The door of HTTP Live Streaming, low latency included: /hls/live.m3u8 with the arguments of
 * pictures. What it answers may be kept by any cache, so that an ordinary caching proxy serves
 * a crowd from what one viewer costs. Registers its rows at the gate; freed after the gate and
 * the server. Loop-bound. */
#ifndef API_HLS_H
#define API_HLS_H

#include <stdint.h>

struct camera;
struct gate;
struct hls_door;

struct hls_door *hls_door_new(struct camera *cam, struct gate *g);
struct hls_door *hls_door_free(struct hls_door *d);
/* What was cut so far is had no more: privacy masks changed. Players find in the next playlist
 * that it goes on with newer segments, which begin at the next key picture. */
void hls_door_forget(struct hls_door *d);

#endif
