#include "base/text.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

int text_int(const char *s, int64_t min, int64_t max, int64_t *ret)
{
    bool negative = *s == '-';
    const char *p = s + negative;
    int64_t v = 0;
    bool over = false;
    if (!is_digit(*p))
        return -EINVAL;
    for (; is_digit(*p); p++) {
        int d = *p - '0';
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, d, &v))
            over = true;
    }
    if (*p)
        return -EINVAL;
    /* v counts downwards, since the least number has no positive twin */
    if (!negative && !over && __builtin_sub_overflow((int64_t)0, v, &v))
        over = true;
    if (over || v < min || v > max)
        return -ERANGE;
    *ret = v;
    return 0;
}

static locale_t c_locale;
static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;

static void make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

int text_double(const char *s, double min, double max, double *ret)
{
    const char *p = s + (*s == '-');
    size_t digits = 0; /* before the dot or behind it */
    for (; is_digit(*p); p++)
        digits++;
    if (*p == '.')
        for (p++; is_digit(*p); p++)
            digits++;
    if (!digits)
        return -EINVAL;
    if (*p == 'e' || *p == 'E') {
        p++;
        if (*p == '-' || *p == '+')
            p++;
        if (!is_digit(*p))
            return -EINVAL;
        while (is_digit(*p))
            p++;
    }
    if (*p)
        return -EINVAL;
    pthread_once(&c_locale_once, make_c_locale);
    if (!c_locale)
        return -ENOMEM;
    double v = strtod_l(s, NULL, c_locale);
    if (!isfinite(v) || v < min || v > max)
        return -ERANGE;
    *ret = v;
    return 0;
}

int text_bool(const char *s, bool *ret)
{
    static const char *const words[][2] = {
        {"no", "yes"}, {"false", "true"}, {"off", "on"}, {"0", "1"}};
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        for (int v = 0; v < 2; v++) {
            if (text_iequal(s, words[i][v])) {
                *ret = v;
                return 0;
            }
        }
    }
    return -EINVAL;
}

bool text_copy(char *ret, size_t size, const char *s)
{
    size_t len = strnlen(s, size);
    bool fits = len < size;
    if (!size)
        return false;
    if (!fits)
        len = size - 1;
    memmove(ret, s, len);
    ret[len] = '\0';
    return fits;
}

bool text_is_ascii_print(const char *s)
{
    for (; *s; s++)
        if (*s < 0x20 || *s > 0x7e)
            return false;
    return true;
}

/* Of the character that begins there; 0: none does. RFC 3629: shortest form only, no surrogates,
 * nothing above U+10FFFF. */
static size_t utf8_length(const char *s, size_t len)
{
    const unsigned char *p = (const unsigned char *)s;
    unsigned c = *p++, least, more;
    if (c < 0x80)
        return 1;
    if (c >= 0xc2 && c < 0xe0)
        more = 1, least = 0x80, c &= 0x1f;
    else if (c >= 0xe0 && c < 0xf0)
        more = 2, least = 0x800, c &= 0x0f;
    else if (c >= 0xf0 && c < 0xf5)
        more = 3, least = 0x10000, c &= 0x07;
    else
        return 0;
    if (len <= more)
        return 0;
    for (unsigned i = 0; i < more; i++, p++) {
        if ((*p & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (*p & 0x3f);
    }
    return c < least || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : 1 + more;
}

bool text_is_utf8(const char *s, size_t len)
{
    for (size_t n; len; s += n, len -= n)
        if (!(n = utf8_length(s, len)))
            return false;
    return true;
}

void text_keep_utf8(char *s)
{
    char *to = s;
    for (size_t len = strlen(s), n; len; s += n, len -= n) {
        if ((n = utf8_length(s, len))) {
            memmove(to, s, n);
            to += n;
        } else {
            n = 1;
        }
    }
    *to = '\0';
}

bool text_glob(const char *pattern, const char *s)
{
    const char *star = NULL, *retry = NULL;
    while (*s) {
        if (*pattern == '*') {
            star = ++pattern;
            retry = s;
        } else if (*pattern == *s) {
            pattern++;
            s++;
        } else if (star) {
            pattern = star;
            s = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c + 32 : (unsigned char)c;
}

bool text_iequal(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if (lower(*a) != lower(*b))
            return false;
    return *a == *b;
}

void text_html(const char *s, char *ret, size_t size)
{
    size_t n = 0;
    for (; *s; s++) {
        char one[2] = {*s, 0};
        const char *out = *s == '<'    ? "&lt;"
                          : *s == '>'  ? "&gt;"
                          : *s == '&'  ? "&amp;"
                          : *s == '"'  ? "&quot;"
                          : *s == '\'' ? "&#39;"
                                       : one;
        size_t len = strlen(out);
        if (n + len >= size)
            break;
        memcpy(ret + n, out, len);
        n += len;
    }
    if (size)
        ret[n] = '\0';
}

static int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int text_url_decode(const char *s, size_t len, bool plus_is_space, char *ret, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == '%') {
            if (len - i < 3)
                return -EINVAL;
            int hi = hex_digit(s[i + 1]), lo = hex_digit(s[i + 2]);
            if (hi < 0 || lo < 0)
                return -EINVAL;
            c = (unsigned char)(hi << 4 | lo);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if (c < 0x20 || c == 0x7f)
            return -EINVAL;
        if (n + 1 >= size)
            return -ENOSPC;
        ret[n++] = (char)c;
    }
    if (!size)
        return -ENOSPC;
    if (n > INT32_MAX || !text_is_utf8(ret, n))
        return -EINVAL;
    ret[n] = '\0';
    return (int)n;
}

void text_utc(int64_t utc_ns, char *ret, size_t size)
{
    int64_t s = utc_ns / NSEC_PER_SEC, ns = utc_ns % NSEC_PER_SEC;
    if (ns < 0) {
        ns += NSEC_PER_SEC;
        s--;
    }
    time_t t = (time_t)s;
    struct tm tm = {0};
    gmtime_r(&t, &tm);
    snprintf(ret, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1,
             tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(ns / NSEC_PER_MSEC));
}
