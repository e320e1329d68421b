#include "image/overlay_label.h"

#include <cairo.h>
#include <pango/pangocairo.h>
#include <stdlib.h>
#include <string.h>

struct label *label_free(struct label *l)
{
    if (!l)
        return NULL;
    free(l->cover);
    free(l);
    return NULL;
}

static PangoLayout *lay_out(cairo_t *cr, const char *text, int line_px)
{
    PangoLayout *layout = pango_cairo_create_layout(cr);
    PangoFontDescription *font = pango_font_description_from_string("DejaVu Sans, sans");
    pango_font_description_set_absolute_size(font, line_px * 0.75 * PANGO_SCALE);
    pango_layout_set_font_description(layout, font);
    pango_font_description_free(font);
    pango_layout_set_single_paragraph_mode(layout, true);
    pango_layout_set_text(layout, text, -1);
    return layout;
}

struct label *label_new(const char *text, int line_px, int max_width)
{
    int pad = line_px / 4, w = 0, h = 0;
    cairo_surface_t *probe = cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1);
    cairo_t *cr = cairo_create(probe);
    PangoLayout *layout = lay_out(cr, text, line_px);
    pango_layout_get_pixel_size(layout, &w, &h);
    g_object_unref(layout);
    cairo_destroy(cr);
    cairo_surface_destroy(probe);

    struct label *l = calloc(1, sizeof(*l));
    if (!l)
        return NULL;
    l->width = (w + 2 * pad + 1) & ~1;
    if (l->width > max_width)
        l->width = max_width & ~1;
    l->height = (line_px + 1) & ~1;
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_A8, l->width, l->height);
    cr = cairo_create(surface);
    layout = lay_out(cr, text, line_px);
    cairo_move_to(cr, pad, (l->height - h) / 2.0);
    cairo_set_source_rgba(cr, 1, 1, 1, 1);
    pango_cairo_show_layout(cr, layout);
    g_object_unref(layout);
    cairo_destroy(cr);
    cairo_surface_flush(surface);
    l->cover = malloc((size_t)l->width * (size_t)l->height + 1);
    if (l->cover && cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS) {
        const unsigned char *from = cairo_image_surface_get_data(surface);
        int stride = cairo_image_surface_get_stride(surface);
        for (int y = 0; y < l->height; y++)
            memcpy(l->cover + (size_t)y * (size_t)l->width, from + (ptrdiff_t)y * stride,
                   (size_t)l->width);
    } else {
        l = label_free(l);
    }
    cairo_surface_destroy(surface);
    return l;
}

/* x/255, rounded, for x up to 255 * 255. */
static inline uint8_t div255(unsigned x)
{
    x += 128;
    return (uint8_t)((x + (x >> 8)) >> 8);
}

/* back: 0…255 how much the background hides; then the text over it. */
static void blend_row(uint8_t *to, const uint8_t *cover, int n, unsigned text, unsigned ground,
                      unsigned hides)
{
    for (int i = 0; i < n; i++) {
        unsigned v = div255(to[i] * (255 - hides) + ground * hides);
        to[i] = div255(v * (255u - cover[i]) + text * cover[i]);
    }
}

void label_blend(const struct label *l, struct picture *to, int x, int y, bool white_text,
                 enum label_back back)
{
    bool full = to->range == RANGE_FULL;
    unsigned white = full ? 255 : 235, black = full ? 0 : 16;
    unsigned hides = back == BACK_TRANSPARENT ? 0 : back == BACK_SEMITRANSPARENT ? 128 : 255;
    unsigned ground = back == BACK_WHITE ? white : black;
    if (back == BACK_SEMITRANSPARENT && !white_text)
        ground = white;
    int w = l->width < to->width - x ? l->width : to->width - x;
    int h = l->height < to->height - y ? l->height : to->height - y;
    for (int row = 0; row < h; row++)
        blend_row(to->plane[0] + (ptrdiff_t)(y + row) * to->stride[0] + x,
                  l->cover + (ptrdiff_t)row * l->width, w, white_text ? white : black, ground,
                  hides);
    for (int row = 0; row < h / 2; row++) {
        const uint8_t *a = l->cover + (ptrdiff_t)row * 2 * l->width, *b = a + l->width;
        ptrdiff_t at = x / 2;
        uint8_t *cb = to->plane[1] + (ptrdiff_t)(y / 2 + row) * to->stride[1] + at;
        uint8_t *cr = to->plane[2] + (ptrdiff_t)(y / 2 + row) * to->stride[2] + at;
        for (int i = 0; i < w / 2; i++) {
            unsigned cover = (a[2 * i] + a[2 * i + 1] + b[2 * i] + b[2 * i + 1] + 2u) / 4;
            unsigned grey = hides + div255((255 - hides) * cover); /* white and black have none */
            cb[i] = div255(cb[i] * (255 - grey) + 128 * grey);
            cr[i] = div255(cr[i] * (255 - grey) + 128 * grey);
        }
    }
}
