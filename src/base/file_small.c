#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/file.h"

/* A small file is one line "vedette-small 1 CRC LENGTH" and the content. */
#define MAGIC "vedette-small 1 "
#define HEADER_MAX 64
#define SAVED_MAX (64u << 20)

static void auto_close(struct file **f)
{
    file_close(*f);
}
#define FILE_AUTO __attribute__((cleanup(auto_close))) struct file

static int sibling(char *ret, size_t size, const char *path, const char *suffix)
{
    int n = snprintf(ret, size, "%s%s", path, suffix);
    return n > 0 && (size_t)n < size ? 0 : -ENAMETOOLONG;
}

/* Content of one copy: 0, -ENOENT, -EBADMSG, or what reading failed with. */
static int load_copy(struct file_port *p, const char *path, size_t max, struct buf *ret)
{
    FILE_AUTO *f = NULL;
    int r = file_open(p, path, O_RDONLY, &f);
    if (r < 0)
        return r;
    int64_t size = file_size(f);
    if (size < 0)
        return (int)size;
    if (size > (int64_t)SAVED_MAX || (uint64_t)size > max + HEADER_MAX)
        return -EBADMSG;
    BUF(all, SAVED_MAX);
    r = buf_reserve(&all, (size_t)size);
    if (r < 0)
        return r;
    ssize_t got = file_read(f, all.data, (size_t)size, 0);
    if (got < 0)
        return (int)got;
    all.len = (size_t)got;
    all.data[all.len] = '\0';

    uint32_t crc;
    size_t len;
    char *line_end = memchr(all.data, '\n', all.len);
    if (!line_end || strncmp(all.data, MAGIC, strlen(MAGIC)) ||
        sscanf(all.data + strlen(MAGIC), "%8" SCNx32 " %zu", &crc, &len) != 2)
        return -EBADMSG;
    const char *content = line_end + 1;
    if (len != (size_t)(all.data + all.len - content) || crc32_of(content, len) != crc)
        return -EBADMSG;
    if (len > max)
        return -EBADMSG;
    return ret ? buf_add(ret, content, len) : 0;
}

int file_save_small(struct file_port *p, const char *path, const void *bytes, size_t len)
{
    char fresh[512], old[512], folder[512];
    int r = sibling(fresh, sizeof(fresh), path, ".new");
    if (!r)
        r = sibling(old, sizeof(old), path, ".old");
    if (r < 0)
        return r;
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) : 0, path);

    BUF(all, SAVED_MAX);
    buf_addf(&all, MAGIC "%08" PRIx32 " %zu\n", crc32_of(bytes, len), len);
    r = buf_add(&all, bytes, len);
    if (r < 0)
        return r;

    FILE_AUTO *f = NULL;
    r = file_open(p, fresh, O_WRONLY | O_CREAT | O_TRUNC, &f);
    if (!r)
        r = file_write(f, all.data, all.len, 0);
    if (!r)
        r = file_sync(f);
    if (r < 0)
        return r;
    /* A damaged copy must not push out the good one before it. */
    r = load_copy(p, path, SAVED_MAX, NULL);
    if (!r)
        r = file_rename(p, path, old);
    else if (r == -ENOENT || r == -EBADMSG)
        r = 0;
    if (!r)
        r = file_rename(p, fresh, path);
    if (!r)
        r = file_sync_dir(p, folder);
    return r;
}

int file_load_small(struct file_port *p, const char *path, size_t max, struct buf *ret,
                    bool *ret_old)
{
    char old[512];
    int r = sibling(old, sizeof(old), path, ".old");
    if (r < 0)
        return r;
    int first = load_copy(p, path, max, ret);
    if (first == -ENOENT || first == -EBADMSG) {
        int second = load_copy(p, old, max, ret);
        if (second == -ENOENT)
            return first;
        if (second < 0)
            return second;
    } else if (first < 0) {
        return first;
    }
    if (ret_old)
        *ret_old = first < 0;
    return 0;
}
