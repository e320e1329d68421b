/* A V4L2 device node: what its ioctls say, as values. One thread at a time. */
#ifndef DEVICE_V4L2_NODE_H
#define DEVICE_V4L2_NODE_H

#include <stdbool.h>
#include <stdint.h>

int node_open(const char *path); /* descriptor or negative errno; -ENOTTY: no V4L2 */
int node_ioctl(int fd, unsigned long request, void *arg); /* again after signals; negative errno */

/* A control as it is; which it has, is enabled and can be written. */
struct node_control {
    uint32_t id;
    int32_t min, max, step, standard;
    bool there;
};
void node_ask_control(int fd, uint32_t id, struct node_control *ret);
int node_get(int fd, const struct node_control *c, int32_t *ret);
int node_set(int fd, const struct node_control *c, int64_t value); /* clamped, to a whole step */
/* For menus: does it have this entry? */
bool node_has_entry(int fd, const struct node_control *c, uint32_t entry);

#endif
