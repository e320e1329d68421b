#include <cairo.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

#include "picture.h"

int bitmap_make(struct bitmap *b, int64_t width, int64_t height, const struct limits *l,
                struct fault *why)
{
    if (width < 1 || height < 1)
        return fault_set(why, FAULT_INVALID, NULL, "the picture has no pixels");
    if (width > l->width || height > l->height)
        return fault_set(why, FAULT_LIMIT, NULL,
                         "the picture has %lld x %lld pixels; at most %d x %d fit",
                         (long long)width, (long long)height, l->width, l->height);
    b->argb = calloc((size_t)width * (size_t)height, 4);
    if (!b->argb)
        return fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
    b->width = b->nominal_width = (int)width;
    b->height = b->nominal_height = (int)height;
    return 0;
}

/* ---- PNG ---- */

struct reader {
    const uint8_t *at;
    size_t left;
};

static cairo_status_t read_png(void *arg, unsigned char *to, unsigned int n)
{
    struct reader *r = arg;
    if (n > r->left)
        return CAIRO_STATUS_READ_ERROR;
    memcpy(to, r->at, n);
    r->at += n;
    r->left -= n;
    return CAIRO_STATUS_SUCCESS;
}

static uint32_t big32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int damaged(const char *kind, struct fault *why)
{
    return fault_set(why, FAULT_INVALID, NULL, "the %s file is damaged", kind);
}

static int png_decode(const uint8_t *bytes, size_t len, const struct limits *l, struct bitmap *ret,
                      struct fault *why)
{
    if (len < 33 || memcmp(bytes + 12, "IHDR", 4))
        return damaged("PNG", why);
    /* Before a byte is decompressed. */
    int err = bitmap_make(ret, big32(bytes + 16), big32(bytes + 20), l, why);
    if (err)
        return err;
    struct reader r = {bytes, len};
    cairo_surface_t *s = cairo_image_surface_create_from_png_stream(read_png, &r);
    cairo_format_t format = cairo_image_surface_get_format(s);
    if (cairo_surface_status(s) != CAIRO_STATUS_SUCCESS ||
        cairo_image_surface_get_width(s) != ret->width ||
        cairo_image_surface_get_height(s) != ret->height) {
        cairo_surface_destroy(s);
        return damaged("PNG", why);
    }
    /* Whatever cairo made of it, this makes ARGB. */
    cairo_surface_t *to = cairo_image_surface_create_for_data(
        (unsigned char *)ret->argb, CAIRO_FORMAT_ARGB32, ret->width, ret->height, 4 * ret->width);
    cairo_t *cr = cairo_create(to);
    cairo_set_operator(cr, CAIRO_OPERATOR_SOURCE);
    cairo_set_source_surface(cr, s, 0, 0);
    cairo_paint(cr);
    cairo_destroy(cr);
    cairo_surface_flush(to);
    cairo_surface_destroy(to);
    cairo_surface_destroy(s);
    ret->has_alpha = format == CAIRO_FORMAT_ARGB32;
    return 0;
}

/* ---- JPEG ---- */

static int jpeg_decode(const uint8_t *bytes, size_t len, const struct limits *l, struct bitmap *ret,
                       struct fault *why)
{
    int w, h, sub, space;
    tjhandle t = tjInitDecompress();
    if (!t)
        return fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
    int err = tjDecompressHeader3(t, bytes, len, &w, &h, &sub, &space) ? damaged("JPEG", why) : 0;
    if (!err)
        err = bitmap_make(ret, w, h, l, why);
    /* Warnings (a cut file) count: half a logo is none. */
    if (!err && tjDecompress2(t, bytes, len, (unsigned char *)ret->argb, w, 0, h,
                              __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? TJPF_BGRA : TJPF_ARGB,
                              TJFLAG_STOPONWARNING))
        err = damaged("JPEG", why);
    tjDestroy(t);
    return err;
}

/* ---- which ---- */

static bool is_svg(const uint8_t *bytes, size_t len)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    size_t i = len > 3 && !memcmp(bytes, mark, 3) ? 3 : 0;
    while (i < len && strchr(" \t\r\n", bytes[i]) && bytes[i])
        i++;
    return i < len && bytes[i] == '<';
}

int picture_decode(const uint8_t *bytes, size_t len, const struct limits *l, struct bitmap *ret,
                   struct fault *why)
{
    static const uint8_t png[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    if (len >= 8 && !memcmp(bytes, png, 8))
        return png_decode(bytes, len, l, ret, why);
    if (len >= 3 && bytes[0] == 0xff && bytes[1] == 0xd8 && bytes[2] == 0xff)
        return jpeg_decode(bytes, len, l, ret, why);
    if (len >= 2 && bytes[0] == 'B' && bytes[1] == 'M')
        return bmp_decode(bytes, len, l, ret, why);
    if (is_svg(bytes, len))
        return svg_decode(bytes, len, l, ret, why);
    return fault_set(why, FAULT_UNSUPPORTED, NULL, "this is no PNG, JPEG, BMP or SVG");
}
