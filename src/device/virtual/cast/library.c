#include "device/virtual/cast/library.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/log.h"
#include "device/virtual/scenario/scenario.h"

#define ENDING ".scenario"

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
    if (len < 0 || cast_check(text, (size_t)len, &t->facts, &why)) {
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
