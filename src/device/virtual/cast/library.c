#include "device/virtual/cast/library.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "device/virtual/scenario/scenario.h"

#define ENDING ".scenario"
#define OWN "scenarios" /* folder of the state */

static DIR *open_folder(void)
{
    static const char *const places[] = {"scenarios", "assets/scenarios", "../../assets/scenarios",
                                         "../build/assets/scenarios", "../share/vedette/scenarios"};
    char exe[PATH_MAX - 64], path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    exe[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(exe, '/');
    if (slash)
        slash[1] = '\0';
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        snprintf(path, sizeof(path), "%s%s", exe, places[i]);
        DIR *d = opendir(path);
        if (d)
            return d;
    }
    return NULL;
}

/* -1: cannot be read, or is longer than a scenario may be. */
static ssize_t read_all(int dir, const char *name, char *ret, size_t size)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    size_t len = 0;
    ssize_t n;
    while (len < size && (n = read(fd, ret + len, size - len)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        len += (size_t)n;
    }
    close(fd);
    return n == 0 && len < size ? (ssize_t)len : -1;
}

static void add(struct scenario_library *l, int dir, const char *file)
{
    struct fault why = {.text = "it cannot be read"};
    char text[SCENARIO_BYTES + 1];
    struct scenario_text *t = &l->item[l->n];
    size_t name = strlen(file) - strlen(ENDING);
    ssize_t len = read_all(dir, file, text, sizeof(text));
    if (len < 0 || cast_read(text, (size_t)len, &t->facts, &why)) {
        log_warn("cast", "scenario %s: %s%s%s", file, why.name, *why.name ? ": " : "", why.text);
        return;
    }
    if (strlen(t->facts.name) != name || memcmp(t->facts.name, file, name) != 0) {
        log_warn("cast", "scenario %s: it calls itself %s", file, t->facts.name);
        return;
    }
    t->text = strndup(text, (size_t)len);
    t->len = (size_t)len;
    l->n += t->text != NULL;
}

static int by_name(const void *a, const void *b)
{
    const struct scenario_text *x = a, *y = b;
    return strcmp(x->facts.name, y->facts.name);
}

struct scenario_library *library_new(void)
{
    struct scenario_library *l = calloc(1, sizeof(*l));
    DIR *d = open_folder();
    if (l && !d)
        log_warn("cast", "no folder of scenarios found: the place is empty");
    for (struct dirent *e; l && d && l->n < LIBRARY_MOST && (e = readdir(d));) {
        size_t n = strlen(e->d_name);
        if (n > strlen(ENDING) && !strcmp(e->d_name + n - strlen(ENDING), ENDING))
            add(l, dirfd(d), e->d_name);
    }
    if (d)
        closedir(d);
    if (l)
        qsort(l->item, l->n, sizeof(*l->item), by_name);
    return l;
}

struct scenario_library *library_free(struct scenario_library *l)
{
    for (size_t i = 0; l && i < l->n; i++)
        free(l->item[i].text);
    free(l);
    return NULL;
}

const struct scenario_text *library_find(const struct scenario_library *l, const char *name)
{
    for (size_t i = 0; i < l->n; i++)
        if (!strcmp(l->item[i].facts.name, name))
            return &l->item[i];
    return NULL;
}

/* ---- the user's own ---- */

static size_t count_own(const struct scenario_library *l)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++)
        n += l->item[i].own;
    return n;
}

int library_check(const struct scenario_library *l, const char *name, const char *text, size_t len,
                  struct fault *why)
{
    struct cast_facts facts;
    const struct scenario_text *was = library_find(l, name);
    int err = cast_check(text, len, &facts, why);
    if (err)
        return err;
    if (strcmp(facts.name, name) != 0)
        return fault_set(why, FAULT_INVALID, "line 1",
                         "The scenario calls itself \"%s\": it is kept by that name only.",
                         facts.name);
    if (was && !was->own)
        return fault_set(why, FAULT_CONFLICT, "name",
                         "\"%s\" came with the camera: give yours another name.", name);
    if (!was && (count_own(l) >= LIBRARY_OWN || l->n >= LIBRARY_MOST))
        return fault_set(why, FAULT_LIMIT, "name",
                         "There are %d scenarios of your own: remove one of them first.",
                         LIBRARY_OWN);
    return 0;
}

int library_check_own(const struct scenario_library *l, const char *name, struct fault *why)
{
    const struct scenario_text *t = library_find(l, name);
    if (!t)
        return fault_set(why, FAULT_UNKNOWN, "name", "There is no scenario \"%.31s\".", name);
    if (!t->own)
        return fault_set(why, FAULT_CONFLICT, "name",
                         "\"%s\" came with the camera: it cannot be removed.", name);
    return 0;
}

int library_write(struct file_port *files, const char *name, const char *text, size_t len)
{
    char path[80];
    snprintf(path, sizeof(path), OWN "/%.32s" ENDING, name);
    int err = file_mkdir(files, OWN);
    if (!err)
        err = file_sync_dir(files, "");
    return err ? err : file_save_small(files, path, text, len);
}

int library_erase(struct file_port *files, const char *name)
{
    char path[80];
    int err = 0;
    /* The copy of before first: it must not come back in place of the one removed. */
    for (int i = 0; i < 2 && (!err || err == -ENOENT); i++) {
        snprintf(path, sizeof(path), OWN "/%.32s" ENDING "%s", name, i ? "" : ".old");
        err = file_remove(files, path);
    }
    return err && err != -ENOENT ? err : file_sync_dir(files, OWN);
}

void library_drop(struct scenario_library *l, const char *name)
{
    for (size_t i = 0; i < l->n; i++)
        if (!strcmp(l->item[i].facts.name, name)) {
            free(l->item[i].text);
            memmove(&l->item[i], &l->item[i + 1], (--l->n - i) * sizeof(*l->item));
            return;
        }
}

int library_put(struct scenario_library *l, const char *text, size_t len)
{
    struct scenario_text t = {.len = len, .own = true};
    struct fault why;
    if (cast_read(text, len, &t.facts, &why) || !(t.text = strndup(text, len)))
        return -ENOMEM;
    library_drop(l, t.facts.name);
    if (l->n == LIBRARY_MOST) {
        free(t.text);
        return -ENOMEM;
    }
    l->item[l->n++] = t;
    qsort(l->item, l->n, sizeof(*l->item), by_name);
    return 0;
}

struct reading {
    struct scenario_library *library;
    struct file_port *files;
};

static int read_own(const char *file, bool is_dir, void *arg)
{
    const struct reading *r = arg;
    struct fault why = {.text = "it cannot be read"};
    char name[32], path[80];
    const char *end = strstr(file, ENDING);
    size_t n = end ? (size_t)(end - file) : 0;
    /* NAME.scenario, or what is left of it */
    if (is_dir || !n || n >= sizeof(name) || (end[strlen(ENDING)] && strcmp(end, ENDING ".old")))
        return 0;
    snprintf(name, sizeof(name), "%.*s", (int)n, file);
    snprintf(path, sizeof(path), OWN "/%s" ENDING, name);
    if (library_find(r->library, name) && library_find(r->library, name)->own)
        return 0; /* its other copy */
    BUF(text, SCENARIO_BYTES + 1);
    if (file_load_small(r->files, path, SCENARIO_BYTES, &text, NULL) ||
        library_check(r->library, name, text.data, text.len, &why) ||
        library_put(r->library, text.data, text.len))
        log_warn("cast", "scenario %s: %s%s%s", path, why.name, *why.name ? ": " : "", why.text);
    return 0;
}

void library_read_own(struct scenario_library *l, struct file_port *files)
{
    file_list(files, OWN, read_own, &(struct reading){l, files});
}
