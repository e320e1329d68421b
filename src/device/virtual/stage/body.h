/* The box of the virtual camera: terminals, cover, card, button, thermometer and
 * accelerometer, as the stage has them (stage.h), as ports. Tells its listeners and the
 * events. Loop-bound, as its ports. */
#ifndef DEVICE_VIRTUAL_STAGE_BODY_H
#define DEVICE_VIRTUAL_STAGE_BODY_H

#include <stdint.h>

#include "device/ports.h"

struct clock;
struct events;
struct stage;

/* All three must outlive it; events may be NULL (nobody is told). NULL: out of memory. */
struct body *virtual_body_new(struct stage *stage, struct clock *clock, struct events *events);
struct body *virtual_body_free(struct body *b);
struct io *virtual_body_io(struct body *b); /* goes with it; NULL for NULL */
/* Tells what is new since the last time; returns when something will be, if nobody changes
 * the stage before (TIME_NEVER). The first run tells the events how all is. */
int64_t virtual_body_run(struct body *b, int64_t now_ns);

#endif
