/* The web door. Registers its rows at the gate; freed after the gate. Loop-bound. */
#ifndef API_WEB_H
#define API_WEB_H

struct camera;
struct gate;
struct web_door;

struct web_door *web_door_new(struct camera *cam, struct gate *g);
struct web_door *web_door_free(struct web_door *d);

#endif
