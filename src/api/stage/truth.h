/* The truth: what a picture shows, as the virtual world knows it. Registers its rows at
 * the gate; freed after the gate. Loop-bound. */
#ifndef API_STAGE_TRUTH_H
#define API_STAGE_TRUTH_H

struct camera;
struct gate;
struct truth_door;

struct truth_door *truth_door_new(struct camera *cam, struct gate *g); /* NULL: out of memory */
struct truth_door *truth_door_free(struct truth_door *d);

#endif
