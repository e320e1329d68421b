/* Which stream a request's target means, in all the forms that clients make of our
 * control URLs. Pure. */
#ifndef API_RTSP_URI_H
#define API_RTSP_URI_H

#include <stdbool.h>

struct arena;

#define RTSP_PATH_SSM "/axis-media/ssm/media.amp"

struct rtsp_uri {
    const char *base;      /* the stream's path without control suffix: a row of the gate */
    const char *query;     /* as asked, without what clients hang onto it; "" */
    const char *authority; /* host[:port] as asked, or NULL */
    int track;             /* -1: the whole presentation */
    bool source;           /* source-specific multicast is asked for */
    bool lost;             /* a relative control without path and query: of the last DESCRIBE */
};

/* 0, 400 or 404. Control suffixes: /stream=N and /trackID=N, on the path or behind the
 * query. "*" has base "*". */
int rtsp_uri_parse(struct rtsp_uri *ret, struct arena *arena, const char *target);

#endif
