#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/file_port.h"

struct real_file {
    struct file base;
    int fd;
};

static int fd_of(struct file *f)
{
    return ((struct real_file *)f)->fd;
}

static void real_free(struct file_port *p)
{
    close(p->dirfd);
    free(p);
}

static int real_open(struct file_port *p, const char *path, int flags, struct file **ret_file)
{
    struct real_file *f = calloc(1, sizeof(*f));
    if (!f)
        return -ENOMEM;
    f->base.port = p;
    /* What is no file (a pipe, a link, a device) must not hold us up; it counts as
     * damaged, so that its previous copy is looked for. */
    struct stat st;
    int r = 0;
    f->fd = openat(p->dirfd, path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (f->fd < 0)
        r = errno == ELOOP || errno == ENXIO ? -EBADMSG : -errno;
    else if (fstat(f->fd, &st) < 0)
        r = -errno;
    else if (!S_ISREG(st.st_mode))
        r = S_ISDIR(st.st_mode) ? -EISDIR : -EBADMSG;
    if (r) {
        if (f->fd >= 0)
            close(f->fd);
        free(f);
        return r;
    }
    *ret_file = &f->base;
    return 0;
}

static void real_close(struct file *f)
{
    close(fd_of(f));
    free(f);
}

static ssize_t real_read(struct file *f, void *bytes, size_t len, int64_t at)
{
    size_t done = 0;
    while (done < len) {
        ssize_t n = pread(fd_of(f), (char *)bytes + done, len - done, at + (int64_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (!n)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

static int real_write(struct file *f, const void *bytes, size_t len, int64_t at)
{
    size_t done = 0;
    while (done < len) {
        ssize_t n = pwrite(fd_of(f), (const char *)bytes + done, len - done, at + (int64_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        done += (size_t)n;
    }
    return 0;
}

static int real_sync(struct file *f)
{
    return fdatasync(fd_of(f)) < 0 ? -errno : 0;
}

static int64_t real_size(struct file *f)
{
    struct stat st;
    return fstat(fd_of(f), &st) < 0 ? -errno : st.st_size;
}

static int real_rename(struct file_port *p, const char *from, const char *to)
{
    return renameat(p->dirfd, from, p->dirfd, to) < 0 ? -errno : 0;
}

static int real_remove(struct file_port *p, const char *path)
{
    if (!unlinkat(p->dirfd, path, 0))
        return 0;
    if (errno == EISDIR || errno == EPERM)
        return unlinkat(p->dirfd, path, AT_REMOVEDIR) < 0 ? -errno : 0;
    return -errno;
}

static int real_mkdir(struct file_port *p, const char *path)
{
    struct stat st;
    if (!mkdirat(p->dirfd, path, 0700))
        return 0;
    if (errno != EEXIST)
        return -errno;
    if (fstatat(p->dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    return S_ISDIR(st.st_mode) ? 0 : -EEXIST;
}

static int open_dir(struct file_port *p, const char *path)
{
    int fd = openat(p->dirfd, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return fd < 0 ? -errno : fd;
}

static int real_sync_dir(struct file_port *p, const char *path)
{
    int fd = open_dir(p, path);
    if (fd < 0)
        return fd;
    int r = fsync(fd) < 0 ? -errno : 0;
    close(fd);
    return r;
}

static int real_list(struct file_port *p, const char *path,
                     int (*each)(const char *name, bool is_dir, void *arg), void *arg)
{
    int fd = open_dir(p, path);
    if (fd < 0)
        return fd;
    DIR *dir = fdopendir(fd);
    if (!dir) {
        int r = -errno;
        close(fd);
        return r;
    }
    int r = 0;
    for (struct dirent *d; !r && (d = readdir(dir));) {
        struct stat st;
        if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
            continue;
        bool is_dir = d->d_type == DT_DIR;
        if (d->d_type == DT_UNKNOWN && !fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW))
            is_dir = S_ISDIR(st.st_mode);
        r = each(d->d_name, is_dir, arg);
    }
    closedir(dir);
    return r;
}

static const struct file_ops real_ops = {
    .free_port = real_free,
    .open = real_open,
    .close = real_close,
    .read = real_read,
    .write = real_write,
    .sync = real_sync,
    .size = real_size,
    .rename = real_rename,
    .remove = real_remove,
    .mkdir = real_mkdir,
    .sync_dir = real_sync_dir,
    .list = real_list,
};

/* mkdir -p, 0700 */
static int make_folders(const char *dir)
{
    char *copy = strdup(dir);
    if (!copy)
        return -ENOMEM;
    int r = 0;
    for (char *at = copy + 1; !r && *copy; at++) {
        if (*at && *at != '/')
            continue;
        char keep = *at;
        *at = '\0';
        if (mkdir(copy, 0700) < 0 && errno != EEXIST)
            r = -errno;
        *at = keep;
        if (!keep)
            break;
    }
    free(copy);
    return r;
}

struct file_port *file_port_open(const char *dir, int *ret_err)
{
    struct file_port *p = calloc(1, sizeof(*p));
    int r = p ? make_folders(dir) : -ENOMEM;
    if (!r) {
        file_port_init(p, &real_ops);
        p->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (p->dirfd >= 0)
            return p;
        r = -errno;
    }
    free(p);
    if (ret_err)
        *ret_err = r;
    return NULL;
}
