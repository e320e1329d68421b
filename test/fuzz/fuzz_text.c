#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/text.h"
#include "fuzz.h"

static void numbers(const char *s)
{
    int64_t i;
    double d;
    bool b;
    if (!text_int(s, -1000, 1000, &i))
        assert(i >= -1000 && i <= 1000);
    if (!text_int(s, INT64_MIN, INT64_MAX, &i))
        assert(i == strtoll(s, NULL, 10));
    if (!text_double(s, -1e6, 1e6, &d))
        assert(d >= -1e6 && d <= 1e6);
    text_bool(s, &b);
}

static void escapes(const char *s, size_t size)
{
    char *out = malloc(size + 1), html[64];
    if (!out)
        return;
    int n = text_url_decode(s, size, true, out, size + 1);
    if (n >= 0)
        assert((size_t)n == strlen(out) && text_is_utf8(out, (size_t)n));
    memcpy(out, s, size);
    text_url_decode(out, size, false, out, size + 1);
    text_html(s, html, sizeof(html));
    assert(!strpbrk(html, "<>\"'"));
    free(out);
}

static void encodings(const char *s, size_t size)
{
    char *bytes = malloc(size + 1), *back = malloc(base64_len(size));
    int n = bytes && back ? base64_bytes(s, size, bytes, size + 1) : -1;
    if (n >= 0) { /* one value has one text */
        base64_of(bytes, (size_t)n, back);
        assert(strlen(back) == size && !memcmp(back, s, size));
    }
    if (bytes)
        hex_bytes(s, size, bytes, size + 1);
    free(bytes);
    free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *s = malloc(size + 1);
    if (!s)
        return 0;
    if (size)
        memcpy(s, data, size);
    s[size] = '\0';
    numbers(s);
    escapes(s, size);
    encodings(s, size);
    text_glob(s, "VideoSource/SignalLoss");
    text_glob("*a*b*", s);
    text_is_utf8(s, size);
    free(s);
    return 0;
}
