#include "media/libav.h"

#include <libavutil/log.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

/* Addresses may hold a user and a password. */
static void hide_secrets(char *line)
{
    for (char *at = line; (at = strstr(at, "://"));) {
        at += 3;
        char *end = strpbrk(at, "/ \"'"), *user = NULL;
        for (char *c = at; *c && c != end; c++)
            user = *c == '@' ? c : user;
        if (user)
            memset(at, '*', (size_t)(user - at));
    }
}

static void to_log(void *avcl, int level, const char *fmt, va_list ap)
{
    if (level > AV_LOG_WARNING)
        return;
    char line[256];
    int prefix = 1;
    av_log_format_line2(avcl, level, fmt, ap, line, sizeof(line), &prefix);
    line[strcspn(line, "\n")] = 0;
    hide_secrets(line);
    log_debug("media", "%s", line); /* the caller logs what matters */
}

static void init(void)
{
    av_log_set_callback(to_log);
}

void libav_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init);
}
