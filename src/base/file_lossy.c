/* A folder in memory that forgets what was not synced.
 *
 * Every file has the content that was synced and the operations since; every name
 * has the file it surely leads to and the operations on names since. Syncing a file
 * settles its content, syncing a folder settles its names; nothing else does. A cut
 * keeps, as the seed wills, a prefix or any subset of the unsettled operations, and
 * of a kept write perhaps only some bytes, or its length with zeros for content, as
 * file systems have been seen to do. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/file_port.h"

#define FILE_MAX_BYTES ((size_t)256 << 20)

struct bytes {
    char *data;
    size_t len, cap;
};

struct change { /* of a file's content */
    bool truncate;
    size_t at, len;
    char *data;
};

struct inode {
    bool is_dir;
    struct bytes now, kept;
    struct change *changes;
    size_t n_changes, changes_cap;
    struct inode *next;
};

struct name {
    char *path;
    struct inode *now, *kept; /* NULL: no such name */
};

struct name_change { /* path leads to ino; gone, if any, leads nowhere; both or neither */
    size_t name;
    struct inode *ino;
    ssize_t gone; /* -1: none */
};

struct lossy {
    struct file_port base;
    pthread_mutex_t lock;
    uint64_t random;
    unsigned cuts; /* handles from before a cut are dead */
    struct inode *inodes;
    struct name *names;
    size_t n_names, names_cap;
    struct name_change *changes;
    size_t n_changes, changes_cap;
};

struct lossy_file {
    struct file base;
    struct inode *ino;
    int flags;
    unsigned cuts;
};

static uint64_t next_random(struct lossy *p)
{
    uint64_t z = (p->random += 0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static size_t below(struct lossy *p, size_t n)
{
    return n ? next_random(p) % n : 0;
}

/* Room for one element more. */
static int grow(void **array, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return 0;
    size_t more = *cap ? *cap * 2 : 16;
    void *fresh = realloc(*array, more * size);
    if (!fresh)
        return -ENOMEM;
    *array = fresh;
    *cap = more;
    return 0;
}

static int set_len(struct bytes *b, size_t len)
{
    if (len > FILE_MAX_BYTES)
        return -ENOSPC;
    if (len > b->cap) {
        size_t cap = b->cap * 2 > len ? b->cap * 2 : len;
        char *data = realloc(b->data, cap);
        if (!data)
            return -ENOMEM;
        b->data = data;
        b->cap = cap;
    }
    if (len > b->len)
        memset(b->data + b->len, 0, len - b->len);
    b->len = len;
    return 0;
}

static int copy_bytes(struct bytes *to, const struct bytes *from)
{
    int r = set_len(to, from->len);
    if (!r && from->len)
        memcpy(to->data, from->data, from->len);
    return r;
}

static void forget_changes(struct inode *ino)
{
    for (size_t i = 0; i < ino->n_changes; i++)
        free(ino->changes[i].data);
    ino->n_changes = 0;
}

static void lossy_free(struct file_port *base)
{
    struct lossy *p = (struct lossy *)base;
    for (struct inode *ino = p->inodes, *next; ino; ino = next) {
        next = ino->next;
        forget_changes(ino);
        free(ino->changes);
        free(ino->now.data);
        free(ino->kept.data);
        free(ino);
    }
    for (size_t i = 0; i < p->n_names; i++)
        free(p->names[i].path);
    free(p->names);
    free(p->changes);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static size_t folder_len(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) : 0;
}

static bool in_folder(const char *path, const char *folder)
{
    size_t len = strlen(folder);
    return folder_len(path) == len && !strncmp(path, folder, len);
}

static struct inode *lookup(struct lossy *p, const char *path)
{
    for (size_t i = 0; i < p->n_names; i++)
        if (!strcmp(p->names[i].path, path))
            return p->names[i].now;
    return NULL;
}

static bool is_folder(struct lossy *p, const char *path, size_t len)
{
    if (!len)
        return true;
    for (size_t i = 0; i < p->n_names; i++)
        if (!strncmp(p->names[i].path, path, len) && !p->names[i].path[len])
            return p->names[i].now && p->names[i].now->is_dir;
    return false;
}

static ssize_t name_index(struct lossy *p, const char *path)
{
    for (size_t i = 0; i < p->n_names; i++)
        if (!strcmp(p->names[i].path, path))
            return (ssize_t)i;
    if (grow((void **)&p->names, p->n_names, &p->names_cap, sizeof(*p->names)) < 0)
        return -ENOMEM;
    char *copy = strdup(path);
    if (!copy)
        return -ENOMEM;
    p->names[p->n_names] = (struct name){.path = copy};
    return (ssize_t)p->n_names++;
}

static int change_name(struct lossy *p, const char *path, struct inode *ino, const char *gone)
{
    ssize_t a = name_index(p, path), b = gone ? name_index(p, gone) : -1;
    if (a < 0 || (gone && b < 0) ||
        grow((void **)&p->changes, p->n_changes, &p->changes_cap, sizeof(*p->changes)) < 0)
        return -ENOMEM;
    p->changes[p->n_changes++] = (struct name_change){.name = (size_t)a, .ino = ino, .gone = b};
    p->names[a].now = ino;
    if (b >= 0)
        p->names[b].now = NULL;
    return 0;
}

static struct inode *new_inode(struct lossy *p, bool is_dir)
{
    struct inode *ino = calloc(1, sizeof(*ino));
    if (!ino)
        return NULL;
    ino->is_dir = is_dir;
    ino->next = p->inodes;
    p->inodes = ino;
    return ino;
}

/* Applies to the present content and remembers for a cut. */
static int change_content(struct inode *ino, bool truncate, size_t at, const void *data, size_t len)
{
    if (at > FILE_MAX_BYTES || len > FILE_MAX_BYTES - at)
        return -ENOSPC;
    if (grow((void **)&ino->changes, ino->n_changes, &ino->changes_cap, sizeof(*ino->changes)) < 0)
        return -ENOMEM;
    char *copy = len ? malloc(len) : NULL;
    if (len && !copy)
        return -ENOMEM;
    size_t end = at + len;
    int r = truncate || end > ino->now.len ? set_len(&ino->now, end) : 0;
    if (r < 0) {
        free(copy);
        return r;
    }
    if (len) {
        memcpy(copy, data, len);
        memcpy(ino->now.data + at, data, len);
    }
    ino->changes[ino->n_changes++] =
        (struct change){.truncate = truncate, .at = at, .len = len, .data = copy};
    return 0;
}

static int open_locked(struct lossy *p, const char *path, int flags, struct lossy_file *f)
{
    struct inode *ino = lookup(p, path);
    if (!ino) {
        if (!(flags & O_CREAT) || !is_folder(p, path, folder_len(path)))
            return -ENOENT;
        ino = new_inode(p, false);
        if (!ino || change_name(p, path, ino, NULL) < 0)
            return -ENOMEM;
    } else if ((flags & O_CREAT) && (flags & O_EXCL)) {
        return -EEXIST;
    } else if (ino->is_dir) {
        return -EISDIR;
    } else if ((flags & O_TRUNC) && ino->now.len) {
        int r = change_content(ino, true, 0, NULL, 0);
        if (r < 0)
            return r;
    }
    f->ino = ino;
    f->flags = flags;
    f->cuts = p->cuts;
    return 0;
}

static int lossy_open(struct file_port *base, const char *path, int flags, struct file **ret_file)
{
    struct lossy *p = (struct lossy *)base;
    struct lossy_file *f = calloc(1, sizeof(*f));
    if (!f)
        return -ENOMEM;
    f->base.port = base;
    pthread_mutex_lock(&p->lock);
    int r = open_locked(p, path, flags, f);
    pthread_mutex_unlock(&p->lock);
    if (r < 0)
        free(f);
    else
        *ret_file = &f->base;
    return r;
}

static void lossy_close(struct file *f)
{
    free(f);
}

/* Locks; NULL when a cut has made the handle useless. */
static struct inode *lock_file(struct file *base, struct lossy **ret_port)
{
    struct lossy_file *f = (struct lossy_file *)base;
    *ret_port = (struct lossy *)base->port;
    pthread_mutex_lock(&(*ret_port)->lock);
    return f->cuts == (*ret_port)->cuts ? f->ino : NULL;
}

static ssize_t lossy_read(struct file *f, void *bytes, size_t len, int64_t at)
{
    struct lossy *p;
    struct inode *ino = lock_file(f, &p);
    ssize_t r = -EIO;
    if (ino && at < 0) {
        r = -EINVAL;
    } else if (ino) {
        size_t have = (uint64_t)at < ino->now.len ? ino->now.len - (size_t)at : 0;
        if (len > have)
            len = have;
        if (len)
            memcpy(bytes, ino->now.data + at, len);
        r = (ssize_t)len;
    }
    pthread_mutex_unlock(&p->lock);
    return r;
}

static int lossy_write(struct file *f, const void *bytes, size_t len, int64_t at)
{
    struct lossy *p;
    struct inode *ino = lock_file(f, &p);
    int flags = ((struct lossy_file *)f)->flags, r;
    if (!ino)
        r = -EIO;
    else if ((flags & O_ACCMODE) == O_RDONLY)
        r = -EBADF;
    else if (at < 0)
        r = -EINVAL;
    else
        r = len ? change_content(ino, false, flags & O_APPEND ? ino->now.len : (size_t)at, bytes,
                                 len)
                : 0;
    pthread_mutex_unlock(&p->lock);
    return r;
}

static int lossy_sync(struct file *f)
{
    struct lossy *p;
    struct inode *ino = lock_file(f, &p);
    int r = ino ? copy_bytes(&ino->kept, &ino->now) : -EIO;
    if (!r)
        forget_changes(ino);
    pthread_mutex_unlock(&p->lock);
    return r;
}

static int64_t lossy_size(struct file *f)
{
    struct lossy *p;
    struct inode *ino = lock_file(f, &p);
    int64_t r = ino ? (int64_t)ino->now.len : -EIO;
    pthread_mutex_unlock(&p->lock);
    return r;
}

static int rename_locked(struct lossy *p, const char *from, const char *to)
{
    struct inode *ino = lookup(p, from), *there = lookup(p, to);
    if (!ino || !is_folder(p, to, folder_len(to)))
        return -ENOENT;
    if (ino->is_dir || (there && there->is_dir))
        return -ENOTSUP; /* nothing in the house renames folders */
    if (ino == there)
        return 0;
    bool same_folder = folder_len(from) == folder_len(to) && !strncmp(from, to, folder_len(to));
    int r = change_name(p, to, ino, same_folder ? from : NULL);
    if (!r && !same_folder)
        r = change_name(p, from, NULL, NULL);
    return r;
}

static int lossy_rename(struct file_port *base, const char *from, const char *to)
{
    struct lossy *p = (struct lossy *)base;
    pthread_mutex_lock(&p->lock);
    int r = rename_locked(p, from, to);
    pthread_mutex_unlock(&p->lock);
    return r;
}

static int lossy_remove(struct file_port *base, const char *path)
{
    struct lossy *p = (struct lossy *)base;
    pthread_mutex_lock(&p->lock);
    struct inode *ino = lookup(p, path);
    int r = ino ? 0 : -ENOENT;
    for (size_t i = 0; !r && ino->is_dir && i < p->n_names; i++)
        if (p->names[i].now && in_folder(p->names[i].path, path))
            r = -ENOTEMPTY;
    if (!r)
        r = change_name(p, path, NULL, NULL);
    pthread_mutex_unlock(&p->lock);
    return r;
}

static int lossy_mkdir(struct file_port *base, const char *path)
{
    struct lossy *p = (struct lossy *)base;
    pthread_mutex_lock(&p->lock);
    struct inode *ino = lookup(p, path);
    int r = 0;
    if (ino) {
        r = ino->is_dir ? 0 : -EEXIST;
    } else if (!is_folder(p, path, folder_len(path))) {
        r = -ENOENT;
    } else {
        ino = new_inode(p, true);
        r = ino ? change_name(p, path, ino, NULL) : -ENOMEM;
    }
    pthread_mutex_unlock(&p->lock);
    return r;
}

static void settle(struct lossy *p, const struct name_change *c)
{
    p->names[c->name].kept = c->ino;
    if (c->gone >= 0)
        p->names[c->gone].kept = NULL;
}

static int lossy_sync_dir(struct file_port *base, const char *path)
{
    struct lossy *p = (struct lossy *)base;
    pthread_mutex_lock(&p->lock);
    int r = is_folder(p, path, strlen(path)) ? 0 : -ENOENT;
    size_t left = 0;
    for (size_t i = 0; !r && i < p->n_changes; i++) {
        if (in_folder(p->names[p->changes[i].name].path, path))
            settle(p, &p->changes[i]);
        else
            p->changes[left++] = p->changes[i];
    }
    if (!r)
        p->n_changes = left;
    pthread_mutex_unlock(&p->lock);
    return r;
}

static int lossy_list(struct file_port *base, const char *path,
                      int (*each)(const char *name, bool is_dir, void *arg), void *arg)
{
    struct lossy *p = (struct lossy *)base;
    int r = 0;
    for (size_t i = 0; !r; i++) {
        char *copy = NULL;
        bool is_dir = false;
        /* each() may call the port: the lock is not held there */
        pthread_mutex_lock(&p->lock);
        bool there = is_folder(p, path, strlen(path));
        while (there && i < p->n_names && !(p->names[i].now && in_folder(p->names[i].path, path)))
            i++;
        bool found = there && i < p->n_names;
        if (found) {
            copy = strdup(p->names[i].path + (*path ? strlen(path) + 1 : 0));
            is_dir = p->names[i].now->is_dir;
        }
        pthread_mutex_unlock(&p->lock);
        if (!there)
            return -ENOENT;
        if (!found)
            break;
        r = copy ? each(copy, is_dir, arg) : -ENOMEM;
        free(copy);
    }
    return r;
}

static void cut_content(struct lossy *p, struct inode *ino)
{
    bool prefix = below(p, 2);
    size_t keep = below(p, ino->n_changes + 1);
    for (size_t i = 0; i < ino->n_changes; i++) {
        struct change *c = &ino->changes[i];
        if (prefix ? i >= keep : below(p, 2))
            continue;
        size_t end = c->at + c->len;
        if (c->truncate || end > ino->kept.len)
            if (set_len(&ino->kept, end) < 0)
                continue;
        switch (c->len ? below(p, 4) : 0) {
        case 0: /* the length only */
            break;
        case 1: /* torn */
            memcpy(ino->kept.data + c->at, c->data, below(p, c->len + 1));
            break;
        default:
            memcpy(ino->kept.data + c->at, c->data, c->len);
            break;
        }
    }
    forget_changes(ino);
    if (copy_bytes(&ino->now, &ino->kept) < 0)
        ino->now.len = 0;
}

static void lossy_cut(struct file_port *base, uint64_t seed)
{
    struct lossy *p = (struct lossy *)base;
    pthread_mutex_lock(&p->lock);
    p->random ^= seed * 0x9e3779b97f4a7c15;
    p->cuts++;
    bool prefix = below(p, 2);
    size_t keep = below(p, p->n_changes + 1);
    for (size_t i = 0; i < p->n_changes; i++)
        if (prefix ? i < keep : below(p, 2))
            settle(p, &p->changes[i]);
    p->n_changes = 0;
    for (size_t i = 0; i < p->n_names; i++)
        p->names[i].now = p->names[i].kept;
    /* What lay in a folder whose own name was lost is lost with it. */
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < p->n_names; i++) {
            struct name *n = &p->names[i];
            if (n->now && !is_folder(p, n->path, folder_len(n->path))) {
                n->now = n->kept = NULL;
                again = true;
            }
        }
    }
    for (struct inode *ino = p->inodes; ino; ino = ino->next)
        cut_content(p, ino);
    pthread_mutex_unlock(&p->lock);
}

static const struct file_ops lossy_ops = {
    .free_port = lossy_free,
    .open = lossy_open,
    .close = lossy_close,
    .read = lossy_read,
    .write = lossy_write,
    .sync = lossy_sync,
    .size = lossy_size,
    .rename = lossy_rename,
    .remove = lossy_remove,
    .mkdir = lossy_mkdir,
    .sync_dir = lossy_sync_dir,
    .list = lossy_list,
    .cut = lossy_cut,
};

struct file_port *file_port_lossy(uint64_t seed)
{
    struct lossy *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    file_port_init(&p->base, &lossy_ops);
    pthread_mutex_init(&p->lock, NULL);
    p->random = seed;
    return &p->base;
}
