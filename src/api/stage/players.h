/* Who is on the stage: sends people and vehicles, lifts gates, changes scenarios. Registers
 * its rows at the gate; freed after the gate. Loop-bound. */
#ifndef API_STAGE_PLAYERS_H
#define API_STAGE_PLAYERS_H

#include "base/json.h"

struct camera;
struct cast_facts;
struct gate;
struct players_door;

/* changed: another scenario has begun, and the device may have something new to tell.
 * NULL: out of memory. */
struct players_door *players_door_new(struct camera *cam, struct gate *g,
                                      void (*changed)(void *arg), void *arg);
struct players_door *players_door_free(struct players_door *d);

/* A scenario, for the answers of others. */
json_t *players_facts_json(const struct cast_facts *f);
/* What is played, for the answers of others; null when nothing is. */
json_t *players_scenario_json(struct camera *cam);
/* Who is there. */
json_t *players_here_json(struct camera *cam);

#endif
