#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

#define LINE_MAX_BYTES 512
#define RING_LINES 512

static struct {
    pthread_mutex_t lock;
    struct clock *clock;
    enum log_level least;
    unsigned long next; /* lines written so far */
    char ring[RING_LINES][LINE_MAX_BYTES];
} logger = {.lock = PTHREAD_MUTEX_INITIALIZER, .least = LOG_INFO_LEVEL};

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_init(struct clock *clock, enum log_level least)
{
    pthread_mutex_lock(&logger.lock);
    logger.clock = clock;
    logger.least = least;
    pthread_mutex_unlock(&logger.lock);
}

static int64_t wall_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

/* One event is one line and cannot fake another, nor steer a terminal. */
static void escape(const char *in, char *out, size_t size)
{
    size_t n = 0;
    for (; *in && n + 5 < size; in++) {
        unsigned char c = (unsigned char)*in;
        bool c1 = c == 0xc2 && (in[1] & 0xe0) == 0x80; /* U+0080 to U+009F */
        if (c < 0x20 || c == 0x7f || c1)
            n += (size_t)snprintf(out + n, size - n, "\\x%02x", c1 ? *++in & 0xff : c);
        else
            out[n++] = (char)c;
    }
    out[n] = '\0';
}

void log_line(enum log_level level, const char *room, const char *fmt, ...)
{
    char text[LINE_MAX_BYTES - 64], clean[LINE_MAX_BYTES - 64], when[32], line[LINE_MAX_BYTES];
    pthread_mutex_lock(&logger.lock);
    struct clock *clock = logger.clock;
    bool wanted = level >= logger.least;
    pthread_mutex_unlock(&logger.lock);
    if (!wanted)
        return;

    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    escape(text, clean, sizeof(clean));
    text_utc(clock ? clock_utc(clock) : wall_ns(), when, sizeof(when));
    int len =
        snprintf(line, sizeof(line), "%s %s %.16s: %s", when, level_names[level], room, clean);
    if (len < 0)
        return;
    if ((size_t)len >= sizeof(line))
        len = sizeof(line) - 1;

    pthread_mutex_lock(&logger.lock);
    memcpy(logger.ring[logger.next++ % RING_LINES], line, (size_t)len + 1);
    line[len] = '\n';
    ssize_t done = write(STDERR_FILENO, line, (size_t)len + 1);
    (void)done; /* nowhere left to complain */
    pthread_mutex_unlock(&logger.lock);
}

int log_each(int (*each)(const char *line, void *arg), void *arg)
{
    pthread_mutex_lock(&logger.lock);
    unsigned long end = logger.next;
    pthread_mutex_unlock(&logger.lock);
    for (unsigned long i = end > RING_LINES ? end - RING_LINES : 0; i < end; i++) {
        char line[LINE_MAX_BYTES];
        pthread_mutex_lock(&logger.lock);
        bool kept = logger.next - i <= RING_LINES;
        if (kept)
            memcpy(line, logger.ring[i % RING_LINES], sizeof(line));
        pthread_mutex_unlock(&logger.lock);
        int r = kept ? each(line, arg) : 0;
        if (r)
            return r;
    }
    return 0;
}
