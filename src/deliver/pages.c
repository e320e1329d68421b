#include "deliver/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <stdatomic.h>
#include <stdbool.h>

/* One file for the whole process. Places in it are never used twice: what was there may still be
 * under way. It has holes where nothing is any more, and room for 2^63 bytes. */
static int file = -1;
static _Atomic int64_t next;
/* Of this machine: a hole that ends within a page would blank what is still under way in it. */
static size_t page;

static void open_file(void)
{
    page = (size_t)sysconf(_SC_PAGESIZE);
    next = (int64_t)page;
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
