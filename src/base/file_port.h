/* What a kind of file port does; inside base only. The common part (file.c) checks
 * paths, counts calls and injects faults before it comes here. */
#ifndef BASE_FILE_PORT_H
#define BASE_FILE_PORT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct file;

struct file_ops {
    void (*free_port)(struct file_port *p);
    int (*open)(struct file_port *p, const char *path, int flags, struct file **ret_file);
    void (*close)(struct file *f);
    ssize_t (*read)(struct file *f, void *bytes, size_t len, int64_t at);
    int (*write)(struct file *f, const void *bytes, size_t len, int64_t at);
    int (*sync)(struct file *f);
    int64_t (*size)(struct file *f);
    int (*rename)(struct file_port *p, const char *from, const char *to);
    int (*remove)(struct file_port *p, const char *path);
    int (*mkdir)(struct file_port *p, const char *path);
    int (*sync_dir)(struct file_port *p, const char *path);
    int (*list)(struct file_port *p, const char *path,
                int (*each)(const char *name, bool is_dir, void *arg), void *arg);
    void (*cut)(struct file_port *p, uint64_t seed);
};

struct file_port {
    const struct file_ops *ops;
    int dirfd;
    pthread_mutex_t lock; /* the counters below */
    uint64_t calls, fail_at, stop_at;
    int fail_err;
    bool stopped;
};

struct file {
    struct file_port *port;
};

void file_port_init(struct file_port *p, const struct file_ops *ops);

#endif
