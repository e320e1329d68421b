/* From a finished picture to a shot: what sources share whose lens stands still (a file,
 * another camera, a V4L2 device).
 *
 * With the digital head the part that it looks at is cut out and scaled to the size of
 * the sensor; with a head of metal, or none, the picture is shown whole. One of another
 * shape than the sensor gets bars. Source thread, but for cut_set_head() (before any
 * picture). */
#ifndef DEVICE_DIGITAL_CUT_H
#define DEVICE_DIGITAL_CUT_H

#include <stdint.h>

struct clock;
struct cut;
struct head;
struct picture;
struct shot;

struct cut *cut_new(struct clock *clock, int width, int height); /* with a digital head */
struct cut *cut_free(struct cut *c);
struct head *cut_head(struct cut *c); /* borrowed; NULL: it stands still */
void cut_set_head(struct cut *c, struct head *head);
/* The picture was taken at some time between `early_ns` and `late_ns`: what the head did
 * meanwhile is told as its poses at both. 0 or a negative errno. */
int cut_shot(struct cut *c, struct picture *from, uint64_t serial, int64_t start_ns,
             int64_t early_ns, int64_t late_ns, struct shot **ret_shot);

#endif
