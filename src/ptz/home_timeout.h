/* The gatekeeper: when nobody has moved the camera for a while it goes home by itself
 * (PTZ.Various.V1.ReturnToOverview, seconds; 0: never). Guard tours and tracking are not
 * disturbed. A trigger may ask for a time of its own, once. Loop-bound. */
#ifndef PTZ_HOME_TIMEOUT_H
#define PTZ_HOME_TIMEOUT_H

struct conf;
struct control_queue;
struct loop;
struct presets;
struct ptz;
struct room;
struct home_timeout;

/* room: of ptz_room_desc. */
struct home_timeout *home_timeout_new(struct loop *loop, struct conf *conf, struct room *room,
                                      struct ptz *ptz, struct presets *presets,
                                      struct control_queue *queue);
struct home_timeout *home_timeout_free(struct home_timeout *h);
/* After the move that is on, or stands now, it goes home in so many seconds (−1: it stays). Until
 * the next move. */
void home_timeout_once(struct home_timeout *h, int seconds);

#endif
