#include "deliver/pages.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <stdatomic.h>
#include <stdbool.h>

/* One file for the whole process. Places in it are never used twice: what was there may still be
 * under way. It has holes where nothing is any more, and room for 2^63 bytes. */
static int file = -1;
static _Atomic int64_t next;
/* Of this machine: a hole that ends within a page would blank what is still under way in it. So
 * would one in a large page: where the kernel may take these, there is no file. */
static size_t page;

/* What is chosen stands in brackets: "always within_size advise [never] deny force". */
static bool chosen_is_small(const char *folder, const char *of)
{
    char path[512], text[128];
    snprintf(path, sizeof(path), "%s/%s/shmem_enabled", folder, of);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) /* a kernel without */
        return errno == ENOENT;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    /* inherited: from the setting for all; advised: by who maps it, which nobody does */
    return strstr(text, "[never]") || strstr(text, "[deny]") || strstr(text, "[advise]") ||
           strstr(text, "[inherit]");
}

bool pages_are_small(const char *folder)
{
    bool small = chosen_is_small(folder, ".");
    DIR *d = opendir(folder);
    for (const struct dirent *e; small && d && (e = readdir(d));)
        if (strncmp(e->d_name, "hugepages-", 10) == 0)
            small = chosen_is_small(folder, e->d_name);
    if (d)
        closedir(d);
    return small;
}

static void open_file(void)
{
    page = (size_t)sysconf(_SC_PAGESIZE);
    next = (int64_t)page;
    if (!pages_are_small("/sys/kernel/mm/transparent_hugepage"))
        return;
    file = memfd_create("pictures for many", MFD_CLOEXEC);
}

int pages_file(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, open_file);
    return file;
}

static off_t rounded(size_t len)
{
    return (off_t)((len + page - 1) & ~(page - 1));
}

static void give_up(off_t at, size_t len)
{
    fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, rounded(len));
}

static bool write_at(const char *bytes, size_t len, off_t at)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = pwrite(file, bytes + done, len - done, at + (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

off_t pages_of(struct pages *p, const void *bytes, size_t len)
{
    int64_t have = __atomic_load_n(&p->at, __ATOMIC_ACQUIRE);
    if (have)
        return have;
    off_t mine = -1;
    if (pages_file() >= 0) {
        mine = atomic_fetch_add(&next, rounded(len));
        if (!write_at(bytes, len, mine)) {
            give_up(mine, len);
            mine = -1;
        }
    }
    if (__atomic_compare_exchange_n(&p->at, &have, mine, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return mine;
    if (mine > 0) /* somebody was faster */
        give_up(mine, len);
    return have;
}

void pages_done(struct pages *p, size_t len)
{
    if (p->at > 0)
        give_up(p->at, len);
}
