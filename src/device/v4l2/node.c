#include "device/v4l2/node.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int node_ioctl(int fd, unsigned long request, void *arg)
{
    int r;
    do
        r = ioctl(fd, request, arg);
    while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : 0;
}

int node_open(const char *path)
{
    int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    struct v4l2_capability cap = {0};
    int err = node_ioctl(fd, VIDIOC_QUERYCAP, &cap);
    if (err) {
        close(fd);
        return err == -EINVAL || err == -ENOTTY ? -ENOTTY : err;
    }
    return fd;
}

void node_ask_control(int fd, uint32_t id, struct node_control *ret)
{
    struct v4l2_queryctrl q = {.id = id};
    *ret = (struct node_control){.id = id};
    if (node_ioctl(fd, VIDIOC_QUERYCTRL, &q) ||
        (q.flags & (V4L2_CTRL_FLAG_DISABLED | V4L2_CTRL_FLAG_READ_ONLY)) || q.minimum > q.maximum)
        return;
    ret->min = q.minimum;
    ret->max = q.maximum;
    ret->step = q.step > 0 ? q.step : 1;
    ret->standard = q.default_value;
    ret->there = true;
}

int node_get(int fd, const struct node_control *c, int32_t *ret)
{
    struct v4l2_control v = {.id = c->id};
    int err = node_ioctl(fd, VIDIOC_G_CTRL, &v);
    if (!err)
        *ret = v.value;
    return err;
}

int node_set(int fd, const struct node_control *c, int64_t value)
{
    int64_t v = value < c->min ? c->min : value > c->max ? c->max : value;
    v = c->min + (v - c->min + c->step / 2) / c->step * c->step;
    struct v4l2_control set = {.id = c->id, .value = (int32_t)(v > c->max ? v - c->step : v)};
    return node_ioctl(fd, VIDIOC_S_CTRL, &set);
}

bool node_has_entry(int fd, const struct node_control *c, uint32_t entry)
{
    struct v4l2_querymenu m = {.id = c->id, .index = entry};
    return c->there && !node_ioctl(fd, VIDIOC_QUERYMENU, &m);
}
