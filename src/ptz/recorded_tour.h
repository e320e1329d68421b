/* Recorded tours: the way a user steered the camera, played back at the same pace. Ten of them;
 * each is a name and a delay (parameters RecordedTour.R#) and a file (recording.h). Which one
 * plays is a parameter too (RecordedTour.Running), so that it goes on after a restart.
 *
 * Playing holds the place of guard tours in the control queue: while somebody else controls it
 * waits, then goes on where it was. Loop-bound; files are read and written on a job. */
#ifndef PTZ_RECORDED_TOUR_H
#define PTZ_RECORDED_TOUR_H

#include <stdbool.h>
#include <stddef.h>

struct conf;
struct control_queue;
struct fault;
struct file_port;
struct jobs;
struct loop;
struct ptz;
struct room;
struct room_desc;
struct txn;
struct recorded_tours;

#define RECORDED_TOURS 10
#define RECORDED_NAME_SIZE 96

struct recorded_settings {
    int running; /* which one plays, or -1 */
    bool loop;
    int delay_s; /* between two rounds */
    struct recorded_tour {
        bool used;
        char name[RECORDED_NAME_SIZE];
        int delay_s; /* where play does not say */
    } tour[RECORDED_TOURS];
};
extern const struct room_desc recorded_tours_room_desc;

struct recorded_tours *recorded_tours_new(struct loop *loop, struct jobs *jobs, struct conf *conf,
                                          struct room *room, struct file_port *files,
                                          struct ptz *ptz, struct control_queue *queue);
struct recorded_tours *recorded_tours_free(struct recorded_tours *r);

/* id: over an old one, or -1: a new one. name "": "Recorded tour n". It ends by itself after an
hour. */
int recorded_tours_record(struct recorded_tours *r, int id, const char *name, int delay_s,
                          int *ret_id, struct fault *why);
/* done: once it is kept (why NULL), or cannot be. */
void recorded_tours_stop_recording(struct recorded_tours *r, int id,
                                   void (*done)(int err, const struct fault *why, void *arg),
                                   void *arg);
/* delay_s < 0: the tour's own. The caller commits. */
int recorded_tours_play(struct recorded_tours *r, struct txn *t, int id, bool loop, int delay_s,
                        struct fault *why);
int recorded_tours_stop(struct recorded_tours *r, struct txn *t, int id, struct fault *why);
int recorded_tours_pause(struct recorded_tours *r, int id, bool pause, struct fault *why);
int recorded_tours_modify(struct recorded_tours *r, struct txn *t, int id, const char *name,
                          int delay_s, struct fault *why); /* NULL, < 0: stays */
int recorded_tours_remove(struct recorded_tours *r, struct txn *t, int id, struct fault *why);

const struct recorded_settings *recorded_tours_ref(struct recorded_tours *r); /* room_unref() it */

enum recorded_state {
    RECORDED_IDLE,
    RECORDED_RECORDS,
    RECORDED_LOADS,
    RECORDED_WAITS, /* somebody else controls */
    RECORDED_HELD,  /* paused by a user */
    RECORDED_GOES,  /* to where it begins, or goes on */
    RECORDED_PLAYS,
    RECORDED_PAUSES, /* between rounds */
};
struct recorded_status {
    enum recorded_state state;
    int tour;                      /* that is recorded or played, or -1 */
    char name[RECORDED_NAME_SIZE]; /* of what is recorded */
    double at_s;                   /* in the tour */
};
void recorded_tours_status(struct recorded_tours *r, struct recorded_status *ret);

#endif
