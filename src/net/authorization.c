/* Parsing of the Authorization header of digest.h. */
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "net/digest.h"
#include "net/limits.h"

#define USER_MAX 64
#define FIELD_MAX 256
#define URI_MAX LIMIT_TARGET_BYTES

static void skip_blanks(const char **s)
{
    while (**s == ' ' || **s == '\t')
        (*s)++;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '*';
}

/* A token or a quoted string with its escapes undone; NULL when malformed. */
static char *parse_value(const char **s, struct arena *arena)
{
    const char *at = *s;
    if (*at != '"') {
        size_t n = strcspn(at, ", \t\"");
        *s = at + n;
        return n ? arena_strndup(arena, at, n) : NULL;
    }
    char *value = arena_alloc(arena, strlen(at) + 1), *to = value;
    if (!value)
        return NULL;
    for (at++; *at && *at != '"'; at++) {
        if (*at == '\\' && at[1])
            at++;
        *to++ = *at;
    }
    if (*at != '"')
        return NULL;
    *s = at + 1;
    return value;
}

static bool parse_algorithm(const char *value, enum hash *ret)
{
    if (text_iequal(value, "MD5"))
        *ret = HASH_MD5;
    else if (text_iequal(value, "SHA-256"))
        *ret = HASH_SHA256;
    else
        return false;
    return true;
}

static bool store(struct authorization *a, const char *name, const char *value)
{
    const struct {
        const char *name;
        const char **field;
        size_t max;
    } fields[] = {
        {"username", &a->user, USER_MAX},
        {"realm", &a->realm, FIELD_MAX},
        {"nonce", &a->nonce, FIELD_MAX},
        {"uri", &a->uri, URI_MAX},
        {"response", &a->response, FIELD_MAX},
        {"qop", &a->qop, FIELD_MAX},
        {"nc", &a->nc, FIELD_MAX},
        {"cnonce", &a->cnonce, FIELD_MAX},
        {"opaque", &a->opaque, FIELD_MAX},
    };
    if (text_iequal(name, "algorithm"))
        return parse_algorithm(value, &a->algorithm);
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
        if (!text_iequal(name, fields[i].name))
            continue;
        if (*fields[i].field || strlen(value) > fields[i].max)
            return false;
        *fields[i].field = value;
        return true;
    }
    return true; /* what we do not know is skipped */
}

static bool is_hex(const char *s, size_t len)
{
    return strlen(s) == len && strspn(s, "0123456789abcdefABCDEF") == len;
}

static bool parse_digest(struct authorization *a, struct arena *arena, const char *s)
{
    a->algorithm = HASH_MD5;
    for (;;) {
        skip_blanks(&s);
        while (*s == ',') {
            s++;
            skip_blanks(&s);
        }
        if (!*s)
            break;
        size_t n = 0;
        while (is_name_char(s[n]))
            n++;
        char *name = n && n < 32 ? arena_strndup(arena, s, n) : NULL;
        s += n;
        skip_blanks(&s);
        if (!name || *s != '=')
            return false;
        s++;
        skip_blanks(&s);
        const char *value = parse_value(&s, arena);
        if (!value || !store(a, name, value))
            return false;
        skip_blanks(&s);
        if (*s && *s != ',')
            return false;
    }
    if (!a->user || !a->realm || !a->nonce || !a->uri || !a->response)
        return false;
    if (!is_hex(a->response, 2 * hash_len(a->algorithm)))
        return false;
    if (!a->qop)
        return true;
    return !strcmp(a->qop, "auth") && a->nc && is_hex(a->nc, 8) && a->cnonce && *a->cnonce;
}

static bool parse_basic(struct authorization *a, struct arena *arena, const char *s)
{
    size_t len = strlen(s);
    while (len && (s[len - 1] == ' ' || s[len - 1] == '\t'))
        len--;
    if (len == 0 || len > 4 * FIELD_MAX)
        return false;
    char *text = arena_alloc(arena, len + 1);
    int n = text ? base64_bytes(s, len, text, len) : -1;
    if (n < 0 || memchr(text, '\0', (size_t)n))
        return false;
    text[n] = '\0';
    char *colon = strchr(text, ':');
    if (!colon)
        return false;
    *colon = '\0';
    a->user = text;
    a->password = colon + 1;
    return strlen(a->user) <= USER_MAX && strlen(a->password) <= FIELD_MAX;
}

void authorization_parse(struct authorization *ret, struct arena *arena, const char *value)
{
    *ret = (struct authorization){.scheme = AUTH_NONE};
    if (!value)
        return;
    skip_blanks(&value);
    bool digest = !strncasecmp(value, "Digest ", 7), basic = !strncasecmp(value, "Basic ", 6);
    if (!digest && !basic) {
        ret->scheme = AUTH_MALFORMED;
        return;
    }
    struct authorization a = {0};
    value += digest ? 7 : 6;
    skip_blanks(&value);
    bool ok = digest ? parse_digest(&a, arena, value) : parse_basic(&a, arena, value);
    if (!ok) {
        ret->scheme = AUTH_MALFORMED;
        return;
    }
    a.scheme = digest ? AUTH_DIGEST : AUTH_BASIC;
    *ret = a;
}
