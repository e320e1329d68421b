/* Faults on purpose: what can be switched on, for how long, and what is on. For people who
 * test their software against this camera (docs/faults.md). Registers
 * /vedette/stage/faults at the gate; freed after the gate. Loop-bound. */
#ifndef API_STAGE_FAULTS_H
#define API_STAGE_FAULTS_H

struct camera;
struct gate;
struct faults_door;

struct faults_door *faults_door_new(struct camera *cam, struct gate *g); /* NULL: no memory */
struct faults_door *faults_door_free(struct faults_door *d);             /* ends all of them */

#endif
