/* Guard tours: presets one after the other, in order or at random, each looked at for a while,
 * with a pause between the rounds. Parameters GuardTour.G#, steps GuardTour.G#.Tour.T#.
 *
 * One runs at a time (Running), whoever watches or not, and after a restart goes on with the step
 * it was at. It holds its place
 * in the control queue; while somebody else controls it waits, and then goes on with the step
 * it was at. Loop-bound. */
#ifndef PTZ_GUARD_TOUR_H
#define PTZ_GUARD_TOUR_H

#include <stdbool.h>
#include <stdint.h>

struct conf;
struct control_queue;
struct fault;
struct file_port;
struct jobs;
struct loop;
struct presets;
struct ptz;
struct room;
struct room_desc;
struct guard_tours;

#define GUARD_TOURS 20
#define GUARD_STEPS 100
#define GUARD_NAME_SIZE 96

struct guard_step {
    bool used;
    int preset;
    int position; /* in the tour; equals go by their index */
    int speed;    /* 1 … 100 */
    int wait_s;   /* how long it looks */
    int view;     /* 0, 1: as the page shows the time, in seconds or minutes */
};
struct guard_tour {
    bool used;
    char name[GUARD_NAME_SIZE];
    int camera;
    bool running, random;
    int pause_min; /* between rounds */
    struct guard_step step[GUARD_STEPS];
};
struct guard_settings {
    struct guard_tour tour[GUARD_TOURS];
};
const struct room_desc *guard_tours_room(void);

/* seed: of the order of random tours. */
struct guard_tours *guard_tours_new(struct loop *loop, struct jobs *jobs, struct conf *conf,
                                    struct room *room, struct file_port *files, struct ptz *ptz,
                                    struct presets *presets, struct control_queue *queue,
                                    uint64_t seed);
struct guard_tours *guard_tours_free(struct guard_tours *g);

const struct guard_settings *guard_tours_ref(struct guard_tours *g); /* room_unref() it */

enum guard_state {
    GUARD_IDLE,
    GUARD_WAITS, /* somebody else controls */
    GUARD_GOES,
    GUARD_LOOKS,
    GUARD_PAUSES, /* between rounds */
};
struct guard_status {
    enum guard_state state;
    int tour;       /* the one that runs; -1: none */
    int step;       /* its T#, or -1 */
    int64_t due_ns; /* when it goes on, of looking and pausing; else 0 */
};
void guard_tours_status(struct guard_tours *g, struct guard_status *ret);

#endif
