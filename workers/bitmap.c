/* Windows bitmaps: uncompressed, 1, 4, 8, 24 or 32 bits a pixel. */
#include <string.h>

#include "picture.h"

#define FILE_HEADER 14
#define LEAST_INFO 40

static uint32_t little32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static unsigned little16(const uint8_t *p)
{
    return (unsigned)(p[1] << 8 | p[0]);
}

struct layout {
    int64_t width, height;
    bool from_above;
    unsigned bits;
    size_t pixels_at, palette_at, stride;
    uint32_t colours;
};

static int damaged(struct fault *why)
{
    return fault_set(why, FAULT_INVALID, NULL, "the BMP file is damaged");
}

static int read_layout(const uint8_t *b, size_t len, struct layout *l, struct fault *why)
{
    if (len < FILE_HEADER + LEAST_INFO)
        return damaged(why);
    uint32_t info = little32(b + 14), compression = little32(b + 30);
    int32_t h = (int32_t)little32(b + 22);
    l->width = (int32_t)little32(b + 18);
    l->from_above = h < 0;
    l->height = h < 0 ? -(int64_t)h : h;
    l->bits = little16(b + 28);
    l->pixels_at = little32(b + 10);
    l->palette_at = FILE_HEADER + (size_t)info;
    l->colours = little32(b + 46);
    if (info < LEAST_INFO || info > 256 ||
        (compression != 0 && !(compression == 3 && l->bits == 32)))
        return fault_set(why, FAULT_UNSUPPORTED, NULL,
                         "compressed or very old BMP files cannot be read; save it as PNG");
    if (l->bits != 1 && l->bits != 4 && l->bits != 8 && l->bits != 24 && l->bits != 32)
        return fault_set(why, FAULT_UNSUPPORTED, NULL,
                         "BMP files with %u bits a pixel cannot be read; save it as PNG", l->bits);
    if (l->bits <= 8 && (l->colours == 0 || l->colours > 1u << l->bits))
        l->colours = 1u << l->bits;
    return 0;
}

static uint32_t pixel(const uint8_t *row, int64_t x, const struct layout *l, const uint8_t *palette)
{
    if (l->bits >= 24) {
        const uint8_t *p = row + x * (l->bits / 8);
        return 0xff000000u | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
    }
    unsigned per = 8 / l->bits;
    unsigned shift = (unsigned)(per - 1 - (unsigned)(x % per)) * l->bits;
    unsigned index = row[x / per] >> shift & ((1u << l->bits) - 1);
    if (index >= l->colours)
        index = 0;
    const uint8_t *p = palette + 4 * (size_t)index;
    return 0xff000000u | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

int bmp_decode(const uint8_t *b, size_t len, const struct limits *limits, struct bitmap *ret,
               struct fault *why)
{
    struct layout l = {0};
    int err = read_layout(b, len, &l, why);
    if (!err)
        err = bitmap_make(ret, l.width, l.height, limits, why);
    if (err)
        return err;
    l.stride = ((size_t)l.width * l.bits + 31) / 32 * 4;
    if (l.pixels_at > len || (size_t)l.height * l.stride > len - l.pixels_at ||
        (l.bits <= 8 && (l.palette_at > len || 4 * (size_t)l.colours > len - l.palette_at)))
        return damaged(why);
    for (int y = 0; y < ret->height; y++) {
        int from = l.from_above ? y : ret->height - 1 - y;
        const uint8_t *row = b + l.pixels_at + (size_t)from * l.stride;
        for (int x = 0; x < ret->width; x++)
            ret->argb[(size_t)y * (size_t)ret->width + (size_t)x] =
                pixel(row, x, &l, b + l.palette_at);
    }
    return 0;
}
