/* The hand on the stage: what can be done to the virtual place and device, and how all is.
 * Registers its rows at the gate; freed after the gate. Loop-bound. */
#ifndef API_STAGE_CONTROL_H
#define API_STAGE_CONTROL_H

struct camera;
struct gate;
struct control_door;

struct control_door *control_door_new(struct camera *cam, struct gate *g); /* NULL: no memory */
struct control_door *control_door_free(struct control_door *d);

#endif
