#include "uri.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "net/message.h"

static const char *const streams[] = {"/axis-media/media.amp", "/mpeg4/media.amp", RTSP_PATH_SSM};

/* Cuts "/stream=N" or "/trackID=N" and slashes off the end; the number, or -1. */
static int cut_control(char *s)
{
    static const char *const names[] = {"/stream=", "/trackID="};
    int track = -1;
    size_t len = strlen(s);
    while (len > 1 && s[len - 1] == '/')
        s[--len] = '\0';
    char *slash = strrchr(s, '/');
    for (size_t i = 0; slash && i < sizeof(names) / sizeof(*names); i++) {
        size_t n = strlen(names[i]);
        int64_t number;
        if (!strncmp(slash, names[i], n) && !text_int(slash + n, 0, 99, &number)) {
            track = (int)number;
            *slash = '\0';
            len = (size_t)(slash - s);
            while (len > 1 && s[len - 1] == '/')
                s[--len] = '\0';
            break;
        }
    }
    if (len == 1 && s[0] == '/')
        s[0] = '\0';
    return track;
}

int rtsp_uri_parse(struct rtsp_uri *ret, struct arena *arena, const char *target)
{
    struct target t;
    if (target_parse(&t, arena, target) < 0)
        return 400;
    char *path = arena_strdup(arena, t.path);
    char *query = arena_strdup(arena, t.query);
    if (!path || !query)
        return 400;
    int path_track = cut_control(path);
    int query_track = cut_control(query);
    *ret = (struct rtsp_uri){
        .base = path,
        .query = query,
        .authority = t.authority,
        .track = path_track >= 0 ? path_track : query_track,
    };
    ret->source = !strcmp(path, RTSP_PATH_SSM);
    if (!strcmp(path, "*"))
        return 0;
    for (size_t i = 0; i < sizeof(streams) / sizeof(*streams); i++)
        if (!strcmp(path, streams[i]))
            return 0;
    /* "stream=0" resolved against ".../media.amp?x=1" by the book */
    ret->lost = path_track >= 0 && (!strcmp(path, "/axis-media") || !strcmp(path, "/mpeg4") ||
                                    !strcmp(path, "/axis-media/ssm"));
    return ret->lost ? 0 : 404;
}
