/* SVG: first what must not be in it, then librsvg, which gets nothing to fetch with. */
#include <ctype.h>
#include <librsvg/rsvg.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "picture.h"

#define DENSITY 2 /* drawn larger than it says, so that it is sharp in larger streams */

/* One forward scan of the tags: names of elements and attributes, values of attributes and text
 * of styles. It need not judge whether the XML is good, which librsvg does. */
struct scan {
    const char *at, *end;
};

static int refuse(struct fault *why, const char *what)
{
    return fault_set(why, FAULT_INVALID, NULL,
                     "the SVG file has %s, which is not allowed; save it as plain SVG", what);
}

static bool word_is(const char *s, size_t n, const char *word)
{
    const char *colon = memchr(s, ':', n);
    if (colon) { /* whatever its prefix */
        n -= (size_t)(colon + 1 - s);
        s = colon + 1;
    }
    return n == strlen(word) && !strncasecmp(s, word, n);
}

static bool has(const char *s, size_t n, const char *what)
{
    size_t m = strlen(what);
    for (size_t i = 0; m <= n && i <= n - m; i++)
        if (!strncasecmp(s + i, what, m))
            return true;
    return false;
}

/* url( that does not go on with #; also written with escapes. */
static bool fetches(const char *s, size_t n)
{
    for (size_t i = 0; i + 4 <= n; i++) {
        if (strncasecmp(s + i, "url(", 4))
            continue;
        size_t k = i + 4;
        while (k < n && (isspace((unsigned char)s[k]) || s[k] == '"' || s[k] == '\''))
            k++;
        if (has(s + k, n - k < 6 ? n - k : 6, "&quot;"))
            k += 6;
        if (k < n && s[k] != '#')
            return true;
    }
    return has(s, n, "@import") || has(s, n, "expression(") || memchr(s, '\\', n);
}

static int check_attribute(const char *name, size_t n, const char *v, size_t len, struct fault *why)
{
    if (n > 2 && !strncasecmp(name, "on", 2))
        return refuse(why, "scripts (event attributes)");
    while (len && isspace((unsigned char)*v)) {
        v++;
        len--;
    }
    if ((word_is(name, n, "href") || word_is(name, n, "src")) && len && *v != '#')
        return refuse(why, "references to other files");
    if (word_is(name, n, "base") && memchr(name, ':', n))
        return refuse(why, "references to other files");
    if (has(v, len, "javascript:"))
        return refuse(why, "scripts");
    if (fetches(v, len))
        return refuse(why, "references to other files");
    return 0;
}

/* From behind the element's name to behind its '>'. */
static int check_attributes(struct scan *s, struct fault *why)
{
    while (s->at < s->end && *s->at != '>') {
        if (isspace((unsigned char)*s->at) || *s->at == '/') {
            s->at++;
            continue;
        }
        const char *name = s->at;
        while (s->at < s->end && *s->at != '=' && *s->at != '>' && !isspace((unsigned char)*s->at))
            s->at++;
        size_t n = (size_t)(s->at - name);
        while (s->at < s->end && (isspace((unsigned char)*s->at) || *s->at == '='))
            s->at++;
        if (s->at == s->end || (*s->at != '"' && *s->at != '\''))
            return fault_set(why, FAULT_INVALID, NULL, "the SVG file is damaged");
        char quote = *s->at++;
        const char *value = s->at;
        s->at = memchr(value, quote, (size_t)(s->end - value));
        if (!s->at)
            return fault_set(why, FAULT_INVALID, NULL, "the SVG file is damaged");
        int err = check_attribute(name, n, value, (size_t)(s->at - value), why);
        if (err)
            return err;
        s->at++;
    }
    s->at += s->at < s->end;
    return 0;
}

static bool begins(const struct scan *s, const char *what)
{
    size_t n = strlen(what);
    return (size_t)(s->end - s->at) >= n && !strncasecmp(s->at, what, n);
}

static int check_tag(struct scan *s, struct fault *why)
{
    static const char *const refused[] = {"script", "foreignObject", "image",  "feImage",
                                          "iframe", "handler",       "link",   "animate",
                                          "set",    "include",       "object", "embed"};
    if (begins(s, "<!--")) {
        const char *end = memmem(s->at, (size_t)(s->end - s->at), "-->", 3);
        s->at = end ? end + 3 : s->end;
        return 0;
    }
    if (begins(s, "<![CDATA[")) {
        s->at += 9; /* its text is looked at as text */
        return 0;
    }
    if (begins(s, "<!"))
        return refuse(why, "a DOCTYPE or entities");
    if (begins(s, "<?")) {
        if (!begins(s, "<?xml ") && !begins(s, "<?xml\t") && !begins(s, "<?xml\n"))
            return refuse(why, "processing instructions");
        const char *end = memmem(s->at, (size_t)(s->end - s->at), "?>", 2);
        s->at = end ? end + 2 : s->end;
        return 0;
    }
    const char *name = ++s->at;
    while (s->at < s->end && !isspace((unsigned char)*s->at) && *s->at != '>' && *s->at != '/')
        s->at++;
    size_t n = (size_t)(s->at - name);
    if (!n && s->at < s->end && *s->at == '/') { /* an end tag */
        const char *end = memchr(s->at, '>', (size_t)(s->end - s->at));
        s->at = end ? end + 1 : s->end;
        return 0;
    }
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        if (!word_is(name, n, refused[i]))
            continue;
        char what[64];
        snprintf(what, sizeof what, "<%s>", refused[i]);
        return refuse(why, what);
    }
    return check_attributes(s, why);
}

int svg_check(const char *text, size_t len, struct fault *why)
{
    struct scan s = {text, text + len};
    if (memchr(text, 0, len) || !text_is_utf8(text, len))
        return fault_set(why, FAULT_INVALID, NULL, "the SVG file is not UTF-8 text");
    while (s.at < s.end) {
        const char *tag = memchr(s.at, '<', (size_t)(s.end - s.at));
        size_t n = (size_t)((tag ? tag : s.end) - s.at);
        if (fetches(s.at, n))
            return refuse(why, "references to other files");
        if (!tag)
            break;
        s.at = tag;
        int err = check_tag(&s, why);
        if (err)
            return err;
    }
    return 0;
}

/* What it says it is large, in pixels at 96 a inch. */
static int size_of(RsvgHandle *h, double *ret_w, double *ret_h, struct fault *why)
{
    RsvgRectangle box;
    gboolean has_w, has_h, has_box;
    RsvgLength w, hh;
    if (rsvg_handle_get_intrinsic_size_in_pixels(h, ret_w, ret_h))
        return 0;
    rsvg_handle_get_intrinsic_dimensions(h, &has_w, &w, &has_h, &hh, &has_box, &box);
    if (!has_box || !(box.width > 0) || !(box.height > 0))
        return fault_set(
            why, FAULT_INVALID, NULL,
            "the SVG file does not say how large it is (width and height, or viewBox)");
    *ret_w = box.width;
    *ret_h = box.height;
    return 0;
}

static int draw(RsvgHandle *h, const struct limits *l, struct bitmap *ret, struct fault *why)
{
    double w, height;
    rsvg_handle_set_dpi(h, 96);
    int err = size_of(h, &w, &height, why);
    if (err)
        return err;
    if (!(w >= 0.5) || !(height >= 0.5) || !(w < 1e9) || !(height < 1e9))
        return fault_set(why, FAULT_INVALID, NULL, "the SVG file has no size that makes sense");
    int64_t nominal_w = llrint(w), nominal_h = llrint(height);
    nominal_w = nominal_w < 1 ? 1 : nominal_w;
    nominal_h = nominal_h < 1 ? 1 : nominal_h;
    bool large = nominal_w * DENSITY > l->width || nominal_h * DENSITY > l->height;
    err = bitmap_make(ret, large ? nominal_w : nominal_w * DENSITY,
                      large ? nominal_h : nominal_h * DENSITY, l, why);
    if (err)
        return err;
    ret->nominal_width = (int)nominal_w;
    ret->nominal_height = (int)nominal_h;
    ret->has_alpha = true;
    cairo_surface_t *s = cairo_image_surface_create_for_data(
        (unsigned char *)ret->argb, CAIRO_FORMAT_ARGB32, ret->width, ret->height, 4 * ret->width);
    cairo_t *cr = cairo_create(s);
    const RsvgRectangle all = {0, 0, ret->width, ret->height};
    GError *error = NULL;
    if (!rsvg_handle_render_document(h, cr, &all, &error) ||
        cairo_status(cr) != CAIRO_STATUS_SUCCESS) {
        err = fault_set(why, FAULT_INVALID, NULL, "the SVG file cannot be drawn: %.120s",
                        error ? error->message : "out of memory");
        g_clear_error(&error);
    }
    cairo_destroy(cr);
    cairo_surface_flush(s);
    cairo_surface_destroy(s);
    return err;
}

int svg_decode(const uint8_t *bytes, size_t len, const struct limits *l, struct bitmap *ret,
               struct fault *why)
{
    int err = svg_check((const char *)bytes, len, why);
    if (err)
        return err;
    GError *error = NULL;
    RsvgHandle *h = rsvg_handle_new_from_data(bytes, len, &error);
    if (!h) {
        err = fault_set(why, FAULT_INVALID, NULL, "the SVG file is damaged: %.120s",
                        error ? error->message : "");
        g_clear_error(&error);
        return err;
    }
    err = draw(h, l, ret, why);
    g_object_unref(h);
    return err;
}
