#include "media/picture.h"

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ALIGN 64
#define SLACK 128   /* SIMD readers may look a little past the last row */
#define OWN_SHARE 8 /* of a coat's rows: what more is painted is given back */

struct picture_pool {
    int width, height;
    bool memfd;
    unsigned most;
    pthread_mutex_t lock;
    unsigned out; /* pictures with a reference */
    bool orphan;  /* the owner is gone: frees itself with the last picture */
    struct picture *free;
};

static int round_up(int n, int to)
{
    return (n + to - 1) / to * to;
}

struct picture_pool *picture_pool_new(int width, int height, bool memfd, unsigned most)
{
    assert(width > 0 && height > 0 && width % 2 == 0 && height % 2 == 0);
    struct picture_pool *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->width = width;
    p->height = height;
    p->memfd = memfd;
    p->most = most;
    pthread_mutex_init(&p->lock, NULL);
    return p;
}

static void picture_free(struct picture *p)
{
    while (p->coats) {
        struct picture *next = p->coats->next_free;
        munmap(p->coats->plane[0], p->memlen);
        free(p->coats);
        p->coats = next;
    }
    if (p->memfd >= 0) {
        munmap(p->plane[0], p->memlen);
        close(p->memfd);
    } else {
        free(p->plane[0]);
    }
    free(p);
}

static uint8_t *map_shared(size_t len, int *ret_fd)
{
    int fd = memfd_create("vedette-frame", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return NULL;
    uint8_t *mem = MAP_FAILED;
    if (ftruncate(fd, (off_t)len) == 0)
        mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mem == MAP_FAILED) {
        close(fd);
        return NULL;
    }
#ifdef F_SEAL_FUTURE_WRITE
    /* others may map it to read only; best effort: older kernels refuse the seal */
    (void)fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL);
#endif
    *ret_fd = fd;
    return mem;
}

static struct picture *picture_new(struct picture_pool *pool)
{
    struct picture *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->width = pool->width;
    p->height = pool->height;
    p->stride[0] = round_up(p->width, ALIGN);
    p->stride[1] = p->stride[2] = round_up(p->width / 2, ALIGN);
    size_t luma = (size_t)p->stride[0] * (size_t)p->height;
    size_t chroma = (size_t)p->stride[1] * (size_t)(p->height / 2);
    p->memlen = luma + 2 * chroma + SLACK;
    p->memlen = (p->memlen + 4095) / 4096 * 4096;
    p->memfd = -1;
    p->pool = pool;
    p->plane[0] = pool->memfd ? map_shared(p->memlen, &p->memfd) : aligned_alloc(ALIGN, p->memlen);
    if (!p->plane[0]) {
        free(p);
        return NULL;
    }
    p->plane[1] = p->plane[0] + luma;
    p->plane[2] = p->plane[1] + chroma;
    return p;
}

static void pool_free(struct picture_pool *p)
{
    while (p->free) {
        struct picture *next = p->free->next_free;
        picture_free(p->free);
        p->free = next;
    }
    pthread_mutex_destroy(&p->lock);
    free(p);
}

struct picture_pool *picture_pool_unref(struct picture_pool *p)
{
    if (!p)
        return NULL;
    pthread_mutex_lock(&p->lock);
    p->orphan = true;
    bool last = !p->out;
    pthread_mutex_unlock(&p->lock);
    if (last)
        pool_free(p);
    return NULL;
}

struct picture *picture_get(struct picture_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    if (pool->out >= pool->most) {
        pthread_mutex_unlock(&pool->lock);
        return NULL;
    }
    pool->out++;
    struct picture *p = pool->free;
    if (p)
        pool->free = p->next_free;
    pthread_mutex_unlock(&pool->lock);
    if (!p)
        p = picture_new(pool);
    if (!p) {
        pthread_mutex_lock(&pool->lock);
        pool->out--;
        pthread_mutex_unlock(&pool->lock);
        return NULL;
    }
    p->next_free = NULL;
    p->matrix = COLOUR_BT709;
    p->range = RANGE_LIMITED;
    __atomic_store_n(&p->refs, 1, __ATOMIC_RELAXED);
    return p;
}

struct picture *picture_ref(struct picture *p)
{
    __atomic_add_fetch(&p->refs, 1, __ATOMIC_RELAXED);
    return p;
}

static struct picture *coat_new(struct picture *under)
{
    struct picture *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    *p = (struct picture){.width = under->width,
                          .height = under->height,
                          .memfd = -1,
                          .memlen = under->memlen,
                          .pool = under->pool};
    p->plane[0] = mmap(NULL, p->memlen, PROT_READ | PROT_WRITE, MAP_PRIVATE, under->memfd, 0);
    if (p->plane[0] == MAP_FAILED) {
        free(p);
        return NULL;
    }
    for (int i = 0; i < 3; i++) {
        p->stride[i] = under->stride[i];
        p->plane[i] = p->plane[0] + (under->plane[i] - under->plane[0]);
    }
    return p;
}

void picture_painted(struct picture *coat, int y, int height)
{
    if (!coat->under)
        return;
    if (coat->n_painted < PICTURE_BANDS) {
        coat->painted[coat->n_painted].y = y;
        coat->painted[coat->n_painted++].height = height;
    } else { /* one more than there is room for */
        coat->painted[0].y = 0;
        coat->painted[0].height = coat->height;
    }
}

/* Bytes of a plane's rows, with what else is on their pages: where from the start of the memory. */
static size_t rows_at(const struct picture *coat, int plane, int y, int height, size_t *ret_len)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    int last = y + height > coat->height ? coat->height : y + height, d = plane ? 2 : 1;
    size_t from = (size_t)(coat->plane[plane] - coat->plane[0]), to = from;
    from += (size_t)((y < 0 ? 0 : y) / d) * (size_t)coat->stride[plane];
    to += (size_t)((last + d - 1) / d) * (size_t)coat->stride[plane];
    from = from / page * page;
    to = (to + page - 1) / page * page;
    to = to < coat->memlen ? to : coat->memlen;
    *ret_len = to > from ? to - from : 0;
    return from;
}

/* The pages of its own become again those of what is beneath. */
static void strip_all(struct picture *coat)
{
    madvise(coat->plane[0], coat->memlen, MADV_DONTNEED);
    coat->n_own = 0;
}

/* What stands in pages of its own is what is beneath now. */
static void refresh(struct picture *coat)
{
    for (unsigned k = 0; k < coat->n_own; k++)
        for (int i = 0; i < 3; i++) {
            size_t len, at = rows_at(coat, i, coat->own[k].y, coat->own[k].height, &len);
            memcpy(coat->plane[0] + at, coat->under->plane[0] + at, len);
        }
}

/* Rows that will be painted again, as those of a clock: giving their pages back and getting others
 * costs more than to copy them. False: they are too many. */
static bool keep_painted(struct picture *coat)
{
    int rows = 0;
    for (unsigned k = 0; k < coat->n_own; k++)
        rows += coat->own[k].height;
    for (unsigned i = 0; i < coat->n_painted; i++) {
        int y = coat->painted[i].y, end = y + coat->painted[i].height;
        bool has = end <= y;
        for (unsigned k = 0; k < coat->n_own && !has; k++)
            has = y >= coat->own[k].y && end <= coat->own[k].y + coat->own[k].height;
        if (has)
            continue;
        rows += end - y;
        if (coat->n_own == PICTURE_BANDS || rows * OWN_SHARE > coat->height)
            return false;
        coat->own[coat->n_own].y = y;
        coat->own[coat->n_own++].height = end - y;
    }
    return coat->n_painted;
}

struct picture *picture_coat(struct picture *under)
{
    if (under->memfd < 0)
        return NULL;
    struct picture_pool *pool = under->pool;
    pthread_mutex_lock(&pool->lock);
    struct picture *p = under->coats;
    if (p)
        under->coats = p->next_free;
    pthread_mutex_unlock(&pool->lock);
    if (!p && !(p = coat_new(under)))
        return NULL;
    p->next_free = NULL;
    p->under = picture_ref(under);
    p->matrix = under->matrix;
    p->range = under->range;
    p->n_painted = 0;
    refresh(p);
    __atomic_store_n(&p->refs, 1, __ATOMIC_RELAXED);
    return p;
}

/* A painter who does not say where he painted leaves his paint to the next picture: in builds
 * that look for mistakes he is found out. */
static void check_rows(const struct picture *coat)
{
#ifdef __SANITIZE_ADDRESS__
    for (int y = 0; coat->n_painted && y < coat->height; y++) {
        bool told = false;
        for (unsigned i = 0; i < coat->n_painted; i++)
            told |= y >= coat->painted[i].y && y < coat->painted[i].y + coat->painted[i].height;
        ptrdiff_t at = (ptrdiff_t)y * coat->stride[0];
        assert(told ||
               !memcmp(coat->plane[0] + at, coat->under->plane[0] + at, (size_t)coat->width));
    }
#else
    (void)coat;
#endif
}

static void coat_strip(struct picture *coat)
{
    struct picture *under = coat->under;
    check_rows(coat);
    if (!keep_painted(coat))
        strip_all(coat);
    pthread_mutex_lock(&coat->pool->lock);
    coat->under = NULL;
    coat->next_free = under->coats;
    under->coats = coat;
    pthread_mutex_unlock(&coat->pool->lock);
    picture_unref(under);
}

struct picture *picture_unref(struct picture *p)
{
    if (!p || __atomic_sub_fetch(&p->refs, 1, __ATOMIC_ACQ_REL))
        return NULL;
    if (p->under) {
        coat_strip(p);
        return NULL;
    }
    struct picture_pool *pool = p->pool;
    pthread_mutex_lock(&pool->lock);
    pool->out--;
    p->next_free = pool->free;
    pool->free = p;
    bool last = pool->orphan && !pool->out;
    pthread_mutex_unlock(&pool->lock);
    if (last)
        pool_free(pool);
    return NULL;
}

struct picture picture_part(const struct picture *p, int x, int y, int width, int height)
{
    struct picture part = {
        .width = width, .height = height, .matrix = p->matrix, .range = p->range, .memfd = -1};
    for (int i = 0; i < 3; i++) {
        int d = i ? 2 : 1;
        part.stride[i] = p->stride[i];
        part.plane[i] = p->plane[i] + (ptrdiff_t)(y / d) * p->stride[i] + x / d;
    }
    return part;
}

void picture_fill(struct picture *p, uint8_t y, uint8_t cb, uint8_t cr)
{
    const uint8_t value[3] = {y, cb, cr};
    for (int i = 0; i < 3; i++) {
        int w = i ? p->width / 2 : p->width, h = i ? p->height / 2 : p->height;
        for (int row = 0; row < h; row++)
            memset(p->plane[i] + (ptrdiff_t)row * p->stride[i], value[i], (size_t)w);
    }
}

void picture_copy_rows(struct picture *to, const struct picture *from, int first_row, int n_rows)
{
    assert(to->width == from->width && to->height == from->height);
    assert(first_row % 2 == 0 && n_rows % 2 == 0 && first_row + n_rows <= to->height);
    for (int i = 0; i < 3; i++) {
        int first = i ? first_row / 2 : first_row, n = i ? n_rows / 2 : n_rows;
        size_t w = (size_t)(i ? to->width / 2 : to->width);
        uint8_t *d = to->plane[i] + (ptrdiff_t)first * to->stride[i];
        const uint8_t *s = from->plane[i] + (ptrdiff_t)first * from->stride[i];
        if (to->stride[i] == from->stride[i] && (size_t)to->stride[i] - w < ALIGN && n > 0) {
            memcpy(d, s, (size_t)(n - 1) * (size_t)to->stride[i] + w);
            continue;
        }
        for (int row = 0; row < n; row++)
            memcpy(d + (ptrdiff_t)row * to->stride[i], s + (ptrdiff_t)row * from->stride[i], w);
    }
}
