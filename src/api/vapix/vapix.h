/* The vapix door. Registers its rows at the gate; freed after the gate. Loop-bound. */
#ifndef API_VAPIX_H
#define API_VAPIX_H

struct camera;
struct gate;
struct vapix_door;

struct vapix_door *vapix_door_new(struct camera *cam, struct gate *g);
struct vapix_door *vapix_door_free(struct vapix_door *d);

#endif
