#include "api/vapix/multipart.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define BOUNDARY_MOST 70 /* RFC 2046 5.1.1 */

/* The value of a parameter in "form-data; name=\"x\"; filename=y". False: there is none. */
static int parameter(const char *s, size_t len, const char *name, char *ret, size_t size)
{
    const char *end = s + len;
    size_t n = strlen(name);
    ret[0] = '\0';
    while (s < end) {
        while (s < end && (*s == ';' || *s == ' ' || *s == '\t'))
            s++;
        const char *key = s;
        while (s < end && *s != '=' && *s != ';')
            s++;
        size_t key_len = (size_t)(s - key), at = 0;
        if (s == end || *s == ';')
            continue;
        int quoted = ++s < end && *s == '"', mine = key_len == n && !strncasecmp(key, name, n);
        s += quoted;
        while (s < end && (quoted ? *s != '"' : *s != ';' && *s != ' ')) {
            if (quoted && *s == '\\' && s + 1 < end && (s[1] == '"' || s[1] == '\\'))
                s++;
            if (mine && at + 1 < size)
                ret[at++] = *s;
            s++;
        }
        s += quoted && s < end;
        if (mine) {
            ret[at] = '\0';
            return 1;
        }
    }
    return 0;
}

static int is_header(const char *line, size_t len, const char *name, const char **ret)
{
    size_t n = strlen(name);
    if (len <= n || strncasecmp(line, name, n) || line[n] != ':')
        return 0;
    *ret = line + n + 1;
    return 1;
}

/* The headers from `at` to the empty line; where the content begins, or NULL. */
static const char *read_headers(const char *at, const char *end, struct multipart_part *p)
{
    const char *began = at;
    for (;;) {
        const char *line_end = memmem(at, (size_t)(end - at), "\r\n", 2), *v;
        if (!line_end || line_end - began > MULTIPART_HEADER_BYTES ||
            memchr(at, 0, (size_t)(line_end - at)))
            return NULL;
        size_t len = (size_t)(line_end - at);
        if (!len)
            return line_end + 2;
        if (is_header(at, len, "Content-Disposition", &v)) {
            parameter(v, (size_t)(line_end - v), "name", p->name, sizeof p->name);
            parameter(v, (size_t)(line_end - v), "filename", p->filename, sizeof p->filename);
        } else if (is_header(at, len, "Content-Type", &v)) {
            while (v < line_end && *v == ' ')
                v++;
            size_t n = (size_t)(line_end - v);
            n = n < sizeof p->type ? n : sizeof p->type - 1;
            memcpy(p->type, v, n);
            p->type[n] = '\0';
        }
        at = line_end + 2;
    }
}

int multipart_parse(const char *content_type, const char *body, size_t len,
                    struct multipart_part ret[MULTIPART_PARTS])
{
    char boundary[BOUNDARY_MOST + 8] = "\r\n--";
    const char *end = body + len, *at;
    if (!content_type || strncasecmp(content_type, "multipart/", 10) ||
        !parameter(content_type, strlen(content_type), "boundary", boundary + 4,
                   sizeof boundary - 4) ||
        !boundary[4])
        return -EINVAL;
    size_t n = strlen(boundary);
    /* The first one may stand at the very beginning. */
    if (len >= n - 2 && !memcmp(body, boundary + 2, n - 2))
        at = body + n - 2;
    else if ((at = memmem(body, len, boundary, n)))
        at += n;
    else
        return -EINVAL;
    for (int i = 0;; i++) {
        if (end - at >= 2 && !memcmp(at, "--", 2))
            return i;
        while (at < end && (*at == ' ' || *at == '\t'))
            at++;
        if (i == MULTIPART_PARTS || end - at < 2 || memcmp(at, "\r\n", 2))
            return -EINVAL;
        ret[i] = (struct multipart_part){0};
        ret[i].bytes = read_headers(at + 2, end, &ret[i]);
        /* An empty part: the boundary's line break is that of the headers. */
        at = ret[i].bytes ? memmem(ret[i].bytes - 2, (size_t)(end - ret[i].bytes + 2), boundary, n)
                          : NULL;
        if (!at)
            return -EINVAL;
        ret[i].len = at > ret[i].bytes ? (size_t)(at - ret[i].bytes) : 0;
        at += n;
    }
}
