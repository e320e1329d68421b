/* A head of metal as the port: its thread tells the driver what is wanted, newest first,
 * asks where the head is (often while it moves), and keeps the estimate that pose() reads.
 * An order that the link loses is lost, not kept for later. Goes on for ever when the
 * head does not answer; it is then "does not obey", and the pose unknown. */
#ifndef DEVICE_HEAD_DRIVEN_H
#define DEVICE_HEAD_DRIVEN_H

struct clock;
struct driven_head;
struct fault;
struct head;

/* text: SPEC of --head. Waits up to three seconds for the head to say what it can do. NULL
 * and why. */
struct driven_head *driven_head_open(const char *text, struct clock *clock, struct fault *why);
struct driven_head *driven_head_free(struct driven_head *d); /* stops what moves on */
struct head *driven_head_port(struct driven_head *d);

#endif
