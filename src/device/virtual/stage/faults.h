/* Faults on purpose, of the device: between the virtual camera's sensor and head and those
 * who use them. What is broken is decided here; sensor and head know nothing of it.
 *
 * A fault holds for pictures and commands from from_ns to until_ns (camera time, the end
 * excluded). Which pictures are lost is a function of seed and serial, so that a run
 * repeats. Changed on the loop, looked at by the source thread too; one leaf mutex. */
#ifndef DEVICE_VIRTUAL_STAGE_FAULTS_H
#define DEVICE_VIRTUAL_STAGE_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

struct clock;
struct device;
struct faults;

enum device_fault_kind {
    SOURCE_FREEZE, /* the same picture again and again, under new serials and times */
    SOURCE_LOST,   /* no signal */
    SOURCE_DROP,   /* this share of the pictures is missing */
    SOURCE_LATE,   /* pictures come so many seconds after they were taken */
    SOURCE_TORN,   /* in this share the lower part is of the picture before */
    HEAD_SLOW,     /* moves at this share of its speed */
    HEAD_STUCK,    /* takes commands and stands still */
    HEAD_FAILS,    /* answers commands with an error and stands still */
};

struct device_fault {
    enum device_fault_kind kind;
    double value; /* share 0…1, or seconds */
    int64_t from_ns, until_ns;
};
#define SOURCE_LATE_MOST_S 5.0

/* Puts itself in front of d's sensor and head, and sets d->faults. d as it was when there
 * is no memory. Gone with d->close(). */
struct device *faults_wrap(struct device *d, struct clock *clock, uint64_t seed);

/* Number of the fault, > 0, or -ENOSPC. */
int faults_add(struct faults *f, const struct device_fault *fault);
void faults_remove(struct faults *f, int number); /* no-op when it is gone */

#endif
