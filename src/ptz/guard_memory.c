#include "ptz/guard_memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/jobs.h"
#include "base/log.h"
#include "ptz/guard_tour.h"

#define FOLDER "tours"
#define PATH FOLDER "/guard"
#define HEAD "vedette guard tour place 1"

struct guard_memory {
    struct jobs *jobs;
    struct file_port *files;
    struct guard_place now;
    bool changed;      /* since the note that is on its way */
    bool complained;   /* once is enough */
    struct note *note; /* on its way */
};

/* The memory may go before it is written. */
struct note {
    struct guard_memory *m;
    struct file_port *files;
    char text[GUARD_PLACE_TEXT + 1];
    int err;
};

void guard_place_print(const struct guard_place *p, char ret[GUARD_PLACE_TEXT + 1])
{
    char text[GUARD_PLACE_TEXT];
    snprintf(text, sizeof text, HEAD " %d %llu %d %d", p->tour, (unsigned long long)p->round,
             p->last, p->step);
    snprintf(ret, GUARD_PLACE_TEXT + 1, "%-*s\n", GUARD_PLACE_TEXT - 1, text);
}

bool guard_place_parse(const char *text, size_t len, struct guard_place *ret)
{
    char copy[GUARD_PLACE_TEXT + 1], again[GUARD_PLACE_TEXT + 1];
    struct guard_place p;
    unsigned long long round;
    if (len != GUARD_PLACE_TEXT)
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (sscanf(copy, HEAD " %d %llu %d %d", &p.tour, &round, &p.last, &p.step) != 4)
        return false;
    p.round = round;
    guard_place_print(&p, again); /* nothing else is said there */
    if (strcmp(copy, again) != 0 || p.tour < 0 || p.tour >= GUARD_TOURS || p.last < -1 ||
        p.last >= GUARD_STEPS || p.step < -1 || p.step >= GUARD_STEPS)
        return false;
    *ret = p;
    return true;
}

struct guard_memory *guard_memory_new(struct jobs *jobs, struct file_port *files)
{
    struct guard_memory *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->jobs = jobs;
    m->files = files;
    return m;
}

struct guard_memory *guard_memory_free(struct guard_memory *m)
{
    if (m && m->note)
        m->note->m = NULL;
    free(m);
    return NULL;
}

static void write_note(void *arg)
{
    struct note *n = arg;
    struct file *f = NULL;
    n->err = file_mkdir(n->files, FOLDER);
    if (!n->err)
        n->err = file_open(n->files, PATH, O_WRONLY | O_CREAT, &f);
    if (!n->err)
        n->err = file_write(f, n->text, GUARD_PLACE_TEXT, 0);
    file_close(f);
}

static void send_note(struct guard_memory *m);

static void note_written(void *arg)
{
    struct note *n = arg;
    struct guard_memory *m = n->m;
    if (m) {
        m->note = NULL;
        if (n->err && !m->complained)
            log_warn("ptz", "where the guard tour is cannot be kept: %s", strerror(-n->err));
        m->complained = n->err != 0;
        if (m->changed)
            send_note(m);
    }
    free(n);
}

static void send_note(struct guard_memory *m)
{
    struct note *n = calloc(1, sizeof *n);
    if (!n)
        return;
    n->m = m;
    n->files = m->files;
    guard_place_print(&m->now, n->text);
    if (jobs_submit(m->jobs, "tour-place", write_note, note_written, n)) {
        free(n); /* the next step tells */
        return;
    }
    m->changed = false;
    m->note = n;
}

void guard_memory_keep(struct guard_memory *m, const struct guard_place *p)
{
    m->now = *p;
    m->changed = true;
    if (!m->note)
        send_note(m);
}

bool guard_memory_recall(struct guard_memory *m, struct guard_place *ret)
{
    char text[GUARD_PLACE_TEXT + 1];
    struct file *f;
    if (file_open(m->files, PATH, O_RDONLY, &f))
        return false;
    ssize_t n = file_read(f, text, sizeof text, 0);
    file_close(f);
    return n > 0 && guard_place_parse(text, (size_t)n, ret);
}
