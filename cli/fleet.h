/* Cameras of a fleet as processes: each has a folder with its state, its log and how it was
 * started. Nobody but the processes themselves says whether they live. */
#ifndef CLI_FLEET_H
#define CLI_FLEET_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define FLEET_MOST 500
#define FLEET_PORTS 4 /* HTTP, HTTPS, RTSP, RTSPS */

struct fleet_camera {
    char name[32];
    char dir[PATH_MAX - 64]; /* absolute; in it: state/, log, camera.json */
    char bind[64];
    char source[256], clock[8];
    int64_t seed;
    int port[FLEET_PORTS]; /* as wished; once it runs, as they are */
    char serial[16];       /* "" : not known yet */
    pid_t pid;             /* 0: does not run */
    bool ours;             /* a child of this process */
};

/* What is known of the camera in that folder; false: there is none. */
bool fleet_look(const char *dir, const char *name, struct fleet_camera *ret);
/* Writes down how it is started and who it is. Exit code (printed). */
int fleet_save(const struct fleet_camera *c);
/* Starts it, detached: it outlives us and our terminal. Exit code (printed). */
int fleet_launch(struct fleet_camera *c, const char *program);
/* Until all of them serve; what fails is printed. Exit code. */
int fleet_wait(struct fleet_camera *all, int n, int seconds);
/* Asks them to end, and sees to it. Exit code. */
int fleet_end(struct fleet_camera *all, int n, int seconds);

#endif
