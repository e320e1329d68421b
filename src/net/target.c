/* Request targets and arguments of message.h. */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "net/message.h"

static bool raw_path_is_clean(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c <= 0x20 || c == 0x7f || c == '\\' || c == '#')
            return false;
        if (c == '%' && len - i >= 3) {
            char hex[3] = {s[i + 1], (char)(s[i + 2] | 0x20), 0};
            if (!strcmp(hex, "2e") || !strcmp(hex, "2f") || !strcmp(hex, "5c") ||
                !strcmp(hex, "00"))
                return false;
        }
    }
    return true;
}

static void collapse_slashes(char *path)
{
    char *to = path;
    for (const char *from = path; *from; from++)
        if (*from != '/' || to == path || to[-1] != '/')
            *to++ = *from;
    *to = '\0';
}

static bool has_dot_segment(const char *path)
{
    for (const char *s = path; s; s = strchr(s, '/')) {
        if (*s == '/')
            s++;
        size_t n = strcspn(s, "/");
        if ((n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.'))
            return true;
    }
    return false;
}

/* Past scheme and authority of an absolute form; NULL when it is malformed. */
static const char *skip_authority(struct target *ret, struct arena *arena, const char *target)
{
    static const char *const schemes[] = {"http://", "https://", "rtsp://", "rtsps://"};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
        size_t n = strlen(schemes[i]);
        if (strncasecmp(target, schemes[i], n))
            continue;
        const char *authority = target + n;
        size_t len = strcspn(authority, "/?");
        const char *at = memrchr(authority, '@', len); /* credentials are nobody's business */
        const char *host = at ? at + 1 : authority;
        size_t host_len = len - (size_t)(host - authority);
        for (size_t k = 0; k < host_len; k++)
            if ((unsigned char)host[k] <= 0x20 || (unsigned char)host[k] >= 0x7f ||
                strchr("\\#%<>\"", host[k]))
                return NULL;
        ret->authority = host_len ? arena_strndup(arena, host, host_len) : NULL;
        return host_len && ret->authority ? authority + len : NULL;
    }
    return target;
}

int target_parse(struct target *ret, struct arena *arena, const char *target)
{
    struct target t = {.query = ""};
    if (!strcmp(target, "*")) {
        *ret = (struct target){.path = "*", .query = ""};
        return 0;
    }
    const char *s = skip_authority(&t, arena, target);
    if (!s)
        return -EINVAL;
    if (t.authority && (*s == '\0' || *s == '?'))
        t.path = "/";
    else if (*s != '/')
        return -EINVAL;

    size_t raw_len = strcspn(s, "?");
    if (!raw_path_is_clean(s, raw_len))
        return -EINVAL;
    if (!t.path) {
        char *path = arena_alloc(arena, raw_len + 1);
        if (!path)
            return -ENOMEM;
        if (text_url_decode(s, raw_len, false, path, raw_len + 1) < 0)
            return -EINVAL;
        /* A '%' that is left was encoded twice. */
        if (strchr(path, '%') || strchr(path, '\\'))
            return -EINVAL;
        collapse_slashes(path);
        if (has_dot_segment(path))
            return -EINVAL;
        t.path = path;
    }
    if (s[raw_len] == '?') {
        const char *query = s + raw_len + 1;
        for (const char *q = query; *q; q++)
            if ((unsigned char)*q <= 0x20 || *q == 0x7f || *q == '#')
                return -EINVAL;
        t.query = arena_strdup(arena, query);
        if (!t.query)
            return -ENOMEM;
    }
    *ret = t;
    return 0;
}

int args_parse(struct arg *args, size_t *n, struct arena *arena, const char *text, size_t len)
{
    const char *end = text + len;
    size_t count = *n;
    for (const char *s = text; s < end;) {
        const char *amp = memchr(s, '&', (size_t)(end - s));
        const char *stop = amp ? amp : end;
        const char *eq = memchr(s, '=', (size_t)(stop - s));
        const char *name_end = eq ? eq : stop;
        const char *value = eq ? eq + 1 : stop;
        if (name_end > s) {
            if (count == LIMIT_ARGS)
                return -E2BIG;
            size_t name_size = (size_t)(name_end - s) + 1, value_size = (size_t)(stop - value) + 1;
            char *to = arena_alloc(arena, name_size + value_size);
            if (!to)
                return -E2BIG;
            char *value_to = to + name_size;
            if (text_url_decode(s, name_size - 1, true, to, name_size) < 0 ||
                text_url_decode(value, value_size - 1, true, value_to, value_size) < 0)
                return -EINVAL;
            args[count++] = (struct arg){to, value_to};
        } else if (eq && stop > value) {
            return -EINVAL; /* a value without a name */
        }
        s = stop + 1;
    }
    *n = count;
    return 0;
}
