/* The scenarios that can be played: what came with the camera, and the user's own, kept in
 * the state folder. Registers its rows at the gate; freed after the gate. Loop-bound. */
#ifndef API_STAGE_LIBRARY_H
#define API_STAGE_LIBRARY_H

struct camera;
struct gate;
struct library_door;

struct library_door *library_door_new(struct camera *cam, struct gate *g); /* NULL: no memory */
struct library_door *library_door_free(struct library_door *d);

#endif
