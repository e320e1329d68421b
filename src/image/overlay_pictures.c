#include "image/overlay_pictures.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/jobs.h"
#include "base/list.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/text.h"
#include "image/picture_answer.h"
#include "image/picture_worker.h"

#define FOLDER "overlays"
#define KEPT_MAGIC 0x314c5656u /* "VVL1" */
/* Larger pixels of vector pictures than what they say: see workers/svg.c. */
#define PIXEL_BYTES_MOST ((size_t)4 * PICTURE_WIDTH_MOST * PICTURE_HEIGHT_MOST)

/* A file of ours: this, then the pixels. */
struct kept {
    uint32_t magic, width, height, nominal_width, nominal_height, scalable, has_alpha, reserved;
};

struct overlay_pictures {
    struct loop *loop;
    struct jobs *jobs;
    struct file_port *files;
    char *worker;
    struct list uploads; /* struct picture_upload */
    pthread_mutex_t lock;
    struct overlay_picture_info all[PICTURES_MOST]; /* by name */
    size_t n;
    uint64_t next_id;
};

struct picture_upload {
    struct list link;
    struct overlay_pictures *p; /* NULL: gone */
    struct file_port *files;
    struct picture_work *work; /* until the pixels are there */
    struct overlay_picture_info info;
    char *bytes; /* what is to be kept */
    size_t len;
    int err;
    void (*done)(int err, const struct overlay_picture_info *info, const struct fault *why,
                 void *arg);
    void *arg;
};

/* ---- names ---- */

static const char *without_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void file_of(const char *name, char *ret, size_t size)
{
    snprintf(ret, size, FOLDER "/%s", name);
}

/* "C:\pictures\My logo.png" → "My_logo.ovl" */
static bool name_of(const char *given, char *ret)
{
    const char *s = without_folder(given), *back = strrchr(s, '\\');
    size_t n = 0, len;
    s = back ? back + 1 : s;
    const char *dot = strrchr(s, '.');
    len = dot && dot != s ? (size_t)(dot - s) : strlen(s);
    for (size_t i = 0; i < len && n < PICTURE_NAME_BYTES - 16; i++) {
        bool fine = isalnum((unsigned char)s[i]) || s[i] == '-' || (s[i] == '.' && n);
        if ((s[i] & 0xc0) != 0x80) /* one '_' a character */
            ret[n++] = fine ? s[i] : '_';
    }
    snprintf(ret + n, PICTURE_NAME_BYTES - n, ".ovl");
    return n;
}

/* ---- the list ---- */

int overlay_pictures_find(struct overlay_pictures *p, const char *path,
                          struct overlay_picture_info *ret)
{
    int err = -ENOENT;
    const char *name = without_folder(path);
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < p->n && err; i++) {
        if (!strcmp(p->all[i].name, name)) {
            *ret = p->all[i];
            err = 0;
        }
    }
    pthread_mutex_unlock(&p->lock);
    return err;
}

bool overlay_pictures_at(struct overlay_pictures *p, size_t i, struct overlay_picture_info *ret)
{
    if (i >= p->n)
        return false;
    *ret = p->all[i];
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct overlay_picture_info *)a)->name,
                  ((const struct overlay_picture_info *)b)->name);
}

static void insert(struct overlay_pictures *p, struct overlay_picture_info *info)
{
    pthread_mutex_lock(&p->lock);
    info->id = ++p->next_id;
    p->all[p->n++] = *info;
    qsort(p->all, p->n, sizeof *p->all, by_name);
    pthread_mutex_unlock(&p->lock);
}

static bool kept_fits(const struct kept *k, size_t len)
{
    return k->magic == KEPT_MAGIC && k->width >= 1 && k->height >= 1 &&
           k->width <= PICTURE_WIDTH_MOST && k->height <= PICTURE_HEIGHT_MOST &&
           k->nominal_width >= 1 && k->nominal_height >= 1 && k->nominal_width <= k->width &&
           k->nominal_height <= k->height && len == sizeof *k + (size_t)4 * k->width * k->height;
}

static void info_of(const struct kept *k, const char *name, struct overlay_picture_info *ret)
{
    *ret = (struct overlay_picture_info){.width = (int)k->nominal_width,
                                         .height = (int)k->nominal_height,
                                         .scalable = k->scalable != 0,
                                         .has_alpha = k->has_alpha != 0};
    text_copy(ret->name, sizeof ret->name, name);
}

static int read_kept(struct file_port *files, const char *name, struct buf *ret)
{
    char path[PICTURE_NAME_BYTES + 16];
    bool old;
    file_of(name, path, sizeof path);
    int err = file_load_small(files, path, sizeof(struct kept) + PIXEL_BYTES_MOST, ret, &old);
    struct kept k;
    if (err)
        return err;
    if (ret->len < sizeof k)
        return -EBADMSG;
    memcpy(&k, ret->data, sizeof k);
    return kept_fits(&k, ret->len) ? 0 : -EBADMSG;
}

int overlay_pictures_load(struct overlay_pictures *p, uint64_t id, struct overlay_pixels *ret)
{
    char name[PICTURE_NAME_BYTES] = "";
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < p->n; i++)
        if (p->all[i].id == id)
            memcpy(name, p->all[i].name, sizeof name);
    pthread_mutex_unlock(&p->lock);
    if (!*name)
        return -ENOENT;
    BUF(file, sizeof(struct kept) + PIXEL_BYTES_MOST + 1);
    int err = read_kept(p->files, name, &file);
    if (err)
        return err;
    struct kept k;
    memcpy(&k, file.data, sizeof k);
    *ret = (struct overlay_pixels){malloc(file.len - sizeof k), (int)k.width, (int)k.height};
    if (!ret->argb)
        return -ENOMEM;
    memcpy(ret->argb, file.data + sizeof k, file.len - sizeof k);
    return 0;
}

static int remember(const char *name, bool is_dir, void *arg)
{
    struct overlay_pictures *p = arg;
    struct overlay_picture_info info;
    size_t n = strlen(name);
    if (is_dir || n < 5 || n >= PICTURE_NAME_BYTES || strcmp(name + n - 4, ".ovl") ||
        p->n == PICTURES_MOST)
        return 0;
    BUF(file, sizeof(struct kept) + PIXEL_BYTES_MOST + 1);
    int err = read_kept(p->files, name, &file);
    if (err) {
        log_warn("image", "the overlay picture %s cannot be read: %s", name, strerror(-err));
        return 0;
    }
    struct kept k;
    memcpy(&k, file.data, sizeof k);
    info_of(&k, name, &info);
    insert(p, &info);
    return 0;
}

struct overlay_pictures *overlay_pictures_new(struct loop *loop, struct jobs *jobs,
                                              struct file_port *files, const char *worker)
{
    struct overlay_pictures *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->loop = loop;
    p->jobs = jobs;
    p->files = files;
    p->worker = worker ? strdup(worker) : NULL;
    list_init(&p->uploads);
    pthread_mutex_init(&p->lock, NULL);
    if (!file_mkdir(files, FOLDER))
        (void)file_list(files, FOLDER, remember, p);
    return p;
}

static void upload_free(struct picture_upload *u)
{
    list_remove(&u->link);
    picture_work_free(u->work);
    free(u->bytes);
    free(u);
}

struct overlay_pictures *overlay_pictures_free(struct overlay_pictures *p)
{
    if (!p)
        return NULL;
    while (!list_empty(&p->uploads)) /* jobs are over by now: none is being saved */
        upload_free(container_of(p->uploads.next, struct picture_upload, link));
    pthread_mutex_destroy(&p->lock);
    free(p->worker);
    free(p);
    return NULL;
}

/* ---- a new one ---- */

static void finish(struct picture_upload *u, int err, const struct fault *why)
{
    void (*done)(int, const struct overlay_picture_info *, const struct fault *, void *) = u->done;
    void *arg = u->arg;
    struct overlay_picture_info info = u->info;
    upload_free(u);
    if (done)
        done(err, err ? NULL : &info, why, arg);
}

static void save(void *arg)
{
    struct picture_upload *u = arg;
    char path[PICTURE_NAME_BYTES + 16];
    file_of(u->info.name, path, sizeof path);
    u->err = file_save_small(u->files, path, u->bytes, u->len);
}

static void saved(void *arg)
{
    struct picture_upload *u = arg;
    struct fault why = {0};
    if (u->err)
        fault_set(&why, FAULT_IO, "disk", "the picture cannot be kept: %s", strerror(-u->err));
    else
        insert(u->p, &u->info);
    finish(u, u->err, &why);
}

static bool name_is_taken(struct overlay_pictures *p, const char *name,
                          const struct picture_upload *but)
{
    struct overlay_picture_info info;
    if (!overlay_pictures_find(p, name, &info))
        return true;
    list_for_each(at, &p->uploads)
    {
        const struct picture_upload *u = container_of(at, struct picture_upload, link);
        if (u != but && !strcmp(u->info.name, name))
            return true;
    }
    return false;
}

/* The worker's pixels are there, or its refusal. */
static void decoded(struct picture_work *work, int err, const struct fault *why, void *arg)
{
    struct picture_upload *u = arg;
    struct fault own = {0};
    const struct picture_answer *a = &work->answer;
    if (err) {
        finish(u, err, why);
        return;
    }
    const struct kept k = {.magic = KEPT_MAGIC,
                           .width = a->width,
                           .height = a->height,
                           .nominal_width = a->nominal_width,
                           .nominal_height = a->nominal_height,
                           .scalable = u->info.scalable,
                           .has_alpha = a->has_alpha != 0};
    size_t pixels = (size_t)4 * a->width * a->height;
    char name[PICTURE_NAME_BYTES];
    memcpy(name, u->info.name, sizeof name);
    info_of(&k, name, &u->info);
    u->len = sizeof k + pixels;
    u->bytes = malloc(u->len);
    if (u->bytes) {
        memcpy(u->bytes, &k, sizeof k);
        err = picture_work_pixels(work, u->bytes + sizeof k, pixels);
    }
    if (!u->bytes || err || !kept_fits(&k, u->len)) {
        err = fault_set(&own, FAULT_INTERNAL, NULL, "the picture's pixels cannot be taken over");
        finish(u, err, &own);
        return;
    }
    u->work = picture_work_free(u->work);
    err = jobs_submit(u->p->jobs, "overlay picture", save, saved, u);
    if (err) {
        err = fault_set(&own, FAULT_BUSY, NULL, "the camera is busy; try again");
        finish(u, err, &own);
    }
}

int overlay_pictures_add(struct overlay_pictures *p, const struct picture_wish *wish,
                         void (*done)(int err, const struct overlay_picture_info *info,
                                      const struct fault *why, void *arg),
                         void *arg, struct picture_upload **ret_upload, struct fault *why)
{
    char name[PICTURE_NAME_BYTES];
    size_t coming = 0;
    list_for_each(at, &p->uploads) coming++;
    if (!p->worker)
        return fault_set(why, FAULT_UNSUPPORTED, NULL,
                         "the program that reads pictures is missing");
    if (wish->len > PICTURE_FILE_BYTES)
        return fault_set(why, FAULT_LIMIT, "size", "the file has %zu bytes; at most %zu fit",
                         wish->len, PICTURE_FILE_BYTES);
    if (p->n + coming >= PICTURES_MOST)
        return fault_set(why, FAULT_LIMIT, "count", "there are %d pictures; delete one first",
                         PICTURES_MOST);
    if (!name_of(wish->name, name))
        return fault_set(why, FAULT_INVALID, "filename", "the file has no name");
    if (name_is_taken(p, name, NULL))
        return fault_set(why, FAULT_CONFLICT, name,
                         "there is a picture %s already; delete it first, or rename the file",
                         name);
    if (coming >= 4)
        return fault_set(why, FAULT_BUSY, NULL, "other pictures are being read; try again");
    struct picture_upload *u = calloc(1, sizeof *u);
    if (!u)
        return fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
    u->p = p;
    u->files = p->files;
    u->done = done;
    u->arg = arg;
    u->info.scalable = wish->scalable;
    memcpy(u->info.name, name, sizeof name);
    list_append(&p->uploads, &u->link);
    const struct picture_task task = {.program = p->worker,
                                      .bytes = wish->bytes,
                                      .len = wish->len,
                                      .alpha = wish->alpha,
                                      .max_width = PICTURE_WIDTH_MOST,
                                      .max_height = PICTURE_HEIGHT_MOST};
    int err = picture_work_start(p->loop, &task, decoded, u, &u->work, why);
    if (err) {
        upload_free(u);
        return err;
    }
    *ret_upload = u;
    return 0;
}

void picture_upload_cancel(struct picture_upload *u)
{
    u->done = NULL; /* it goes on: what was sent is kept */
}

int overlay_pictures_remove(struct overlay_pictures *p, const char *path, struct fault *why)
{
    struct overlay_picture_info info;
    char file[PICTURE_NAME_BYTES + 16], old[PICTURE_NAME_BYTES + 32];
    if (overlay_pictures_find(p, path, &info))
        return fault_set(why, FAULT_UNKNOWN, path, "there is no picture %.80s", path);
    file_of(info.name, file, sizeof file);
    snprintf(old, sizeof old, "%s.old", file);
    int err = file_remove(p->files, file);
    if (err && err != -ENOENT)
        return fault_set(why, FAULT_IO, "disk", "the picture cannot be deleted: %s",
                         strerror(-err));
    (void)file_remove(p->files, old);
    (void)file_sync_dir(p->files, FOLDER);
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < p->n; i++) {
        if (strcmp(p->all[i].name, info.name))
            continue;
        memmove(p->all + i, p->all + i + 1, (p->n - i - 1) * sizeof *p->all);
        p->n--;
        break;
    }
    pthread_mutex_unlock(&p->lock);
    return 0;
}
