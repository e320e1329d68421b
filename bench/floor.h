/* What the floors share: the pictures that they send, time, CPU and the core. */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLOOR_PACKET 1400   /* RTP packet with its header */
#define FLOOR_TRAIN 46      /* packets of one UDP train: 64 kB */
#define FLOOR_PICTURES 4096 /* of a sizes file; then again from its beginning */

struct floor_options {
    int viewers, port, cpu; /* cpu -1: any */
    double seconds, fps;
    int kbps, gop;     /* without a sizes file: keys are eight times the others */
    const char *sizes; /* bytes of each picture, one a line, as sink --sizes wrote them */
};
void floor_options(struct floor_options *ret, int argc, char **argv);

/* Bytes on the wire of picture i, RTP and interleaving headers included. */
size_t floor_picture(const struct floor_options *o, uint64_t i);
const uint8_t *floor_bytes(void); /* enough for any picture */

int64_t floor_now_ns(void);
int64_t floor_cpu_ns(void); /* of this process, user and system */
void floor_sleep_until(int64_t at_ns);
void floor_die(const char *what) __attribute__((noreturn));

/* One line of JSON: what it cost. */
void floor_report(const char *name, const struct floor_options *o, double seconds, int64_t cpu_ns,
                  uint64_t pictures, uint64_t bytes, uint64_t dropped);

#endif
