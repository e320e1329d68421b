#include "base/file.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/file_port.h"

/* What enter() says when the power goes during this very call. */
#define HALF_DONE 1

void file_port_init(struct file_port *p, const struct file_ops *ops)
{
    *p = (struct file_port){.ops = ops, .dirfd = -1};
    pthread_mutex_init(&p->lock, NULL);
}

struct file_port *file_port_free(struct file_port *p)
{
    if (!p)
        return NULL;
    pthread_mutex_destroy(&p->lock);
    p->ops->free_port(p);
    return NULL;
}

int file_port_dirfd(struct file_port *p)
{
    return p->dirfd;
}

/* Relative, without empty, "." and ".." parts. "" only where the root is meant. */
static int check_path(const char *path, bool root_allowed)
{
    if (!*path)
        return root_allowed ? 0 : -EINVAL;
    for (const char *part = path;;) {
        size_t len = strcspn(part, "/");
        if (!len || (part[0] == '.' && (len == 1 || (len == 2 && part[1] == '.'))))
            return -EINVAL;
        if (!part[len])
            return 0;
        part += len + 1;
    }
}

static int enter(struct file_port *p)
{
    int r = 0;
    pthread_mutex_lock(&p->lock);
    p->calls++;
    if (p->stopped) {
        r = -EIO;
    } else if (p->stop_at == p->calls) {
        p->stopped = true;
        r = HALF_DONE;
    } else if (p->fail_at == p->calls) {
        r = -p->fail_err;
        p->fail_at = 0;
    }
    pthread_mutex_unlock(&p->lock);
    return r;
}

static int enter_path(struct file_port *p, const char *path, bool root_allowed)
{
    int r = check_path(path, root_allowed);
    return r < 0 ? r : enter(p);
}

int file_open(struct file_port *p, const char *path, int flags, struct file **ret_file)
{
    struct file *f = NULL;
    int r = enter_path(p, path, false);
    if (r < 0)
        return r;
    int opened = p->ops->open(p, path, flags, &f);
    if (r == HALF_DONE) {
        file_close(f);
        return -EIO;
    }
    if (opened < 0)
        return opened;
    *ret_file = f;
    return 0;
}

struct file *file_close(struct file *f)
{
    if (f)
        f->port->ops->close(f);
    return NULL;
}

ssize_t file_read(struct file *f, void *bytes, size_t len, int64_t at)
{
    int r = enter(f->port);
    return r < 0 ? r : r == HALF_DONE ? -EIO : f->port->ops->read(f, bytes, len, at);
}

int file_write(struct file *f, const void *bytes, size_t len, int64_t at)
{
    int r = enter(f->port);
    if (r < 0)
        return r;
    int done = f->port->ops->write(f, bytes, len, at);
    return r == HALF_DONE ? -EIO : done;
}

int file_sync(struct file *f)
{
    int r = enter(f->port);
    return r < 0 ? r : r == HALF_DONE ? -EIO : f->port->ops->sync(f);
}

int64_t file_size(struct file *f)
{
    int r = enter(f->port);
    return r < 0 ? r : r == HALF_DONE ? -EIO : f->port->ops->size(f);
}

int file_rename(struct file_port *p, const char *from, const char *to)
{
    int r = check_path(from, false);
    if (!r)
        r = enter_path(p, to, false);
    if (r < 0)
        return r;
    int done = p->ops->rename(p, from, to);
    return r == HALF_DONE ? -EIO : done;
}

int file_remove(struct file_port *p, const char *path)
{
    int r = enter_path(p, path, false);
    if (r < 0)
        return r;
    int done = p->ops->remove(p, path);
    return r == HALF_DONE ? -EIO : done;
}

int file_mkdir(struct file_port *p, const char *path)
{
    int r = enter_path(p, path, false);
    if (r < 0)
        return r;
    int done = p->ops->mkdir(p, path);
    return r == HALF_DONE ? -EIO : done;
}

int file_sync_dir(struct file_port *p, const char *path)
{
    int r = enter_path(p, path, true);
    return r < 0 ? r : r == HALF_DONE ? -EIO : p->ops->sync_dir(p, path);
}

int file_list(struct file_port *p, const char *path,
              int (*each)(const char *name, bool is_dir, void *arg), void *arg)
{
    int r = enter_path(p, path, true);
    return r < 0 ? r : r == HALF_DONE ? -EIO : p->ops->list(p, path, each, arg);
}

void file_fail_nth(struct file_port *p, uint64_t nth, int err)
{
    pthread_mutex_lock(&p->lock);
    p->fail_at = nth ? p->calls + nth : 0;
    p->fail_err = abs(err);
    pthread_mutex_unlock(&p->lock);
}

uint64_t file_calls(struct file_port *p)
{
    pthread_mutex_lock(&p->lock);
    uint64_t n = p->calls;
    pthread_mutex_unlock(&p->lock);
    return n;
}

void file_lossy_stop_at(struct file_port *p, uint64_t nth)
{
    pthread_mutex_lock(&p->lock);
    p->stop_at = nth ? p->calls + nth : 0;
    pthread_mutex_unlock(&p->lock);
}

void file_lossy_cut(struct file_port *p, uint64_t seed)
{
    if (p->ops->cut)
        p->ops->cut(p, seed);
    pthread_mutex_lock(&p->lock);
    p->stop_at = 0;
    p->stopped = false;
    pthread_mutex_unlock(&p->lock);
}
