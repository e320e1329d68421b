/* The command line of vedetted (what scripts rely on; `--help` tells it). Before any thread starts.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct options {
    const char *state, *bind, *source, *head, *audio;
    int http_port, https_port, rtsp_port, rtsps_port;
    uint64_t seed;
    bool seeded, simulated, verbose;
};

/* 0; 1 when all is said (--help, --version); -EINVAL when told on stderr what is wrong. */
int options_parse(int argc, char **argv, struct options *ret);

/* $XDG_STATE_HOME/vedette, or ~/.local/state/vedette; parents are made. 0 or negative errno. */
int options_default_state(char *ret, size_t size);

#endif
