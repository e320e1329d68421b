/* The rtsp door. Registers its rows at the gate; freed after the gate. Loop-bound. */
#ifndef API_RTSP_H
#define API_RTSP_H

struct camera;
struct gate;
struct rtsp_door;

struct rtsp_door *rtsp_door_new(struct camera *cam, struct gate *g);
struct rtsp_door *rtsp_door_free(struct rtsp_door *d);

/* A connection accepted on the RTSP or RTSPS port (server_listen_raw); arg: the door. */
struct conn;
void rtsp_door_accept(struct conn *take_c, void *door);

#endif
