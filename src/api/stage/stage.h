/* The stage door. Registers its rows at the gate; freed after the gate. Loop-bound. */
#ifndef API_STAGE_H
#define API_STAGE_H

struct camera;
struct gate;
struct stage_door;

struct stage_door *stage_door_new(struct camera *cam, struct gate *g);
struct stage_door *stage_door_free(struct stage_door *d);

#endif
