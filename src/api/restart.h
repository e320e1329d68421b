/* The camera starts anew once what is being answered has been said: what holds "from the next
 * start on" holds then. Loop-bound. */
#ifndef API_RESTART_H
#define API_RESTART_H

struct camera;

void restart_soon(struct camera *cam);

#endif
