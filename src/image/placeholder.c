#include "image/placeholder.h"

#include <cairo.h>
#include <stddef.h>

static void draw(cairo_t *cr, double w, double h)
{
    static const char text[] = "NO SIGNAL";
    cairo_text_extents_t ext;
    cairo_set_source_rgb(cr, 0.25, 0.25, 0.25);
    cairo_paint(cr);
    cairo_set_line_width(cr, h / 180);
    cairo_set_source_rgb(cr, 0.4, 0.4, 0.4);
    cairo_rectangle(cr, w * 0.3, h * 0.38, w * 0.4, h * 0.24);
    cairo_stroke(cr);
    cairo_select_font_face(cr, "sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_BOLD);
    cairo_set_font_size(cr, h / 10);
    cairo_text_extents(cr, text, &ext);
    if (ext.width > w * 0.36) {
        cairo_set_font_size(cr, h / 10 * w * 0.36 / ext.width);
        cairo_text_extents(cr, text, &ext);
    }
    cairo_set_source_rgb(cr, 0.9, 0.9, 0.9);
    cairo_move_to(cr, w / 2 - ext.width / 2 - ext.x_bearing,
                  h / 2 - ext.height / 2 - ext.y_bearing);
    cairo_show_text(cr, text);
}

struct picture *placeholder_picture(int width, int height)
{
    struct picture_pool *pool = picture_pool_new(width, height, true, 1);
    struct picture *p = pool ? picture_get(pool) : NULL;
    picture_pool_unref(pool);
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    cairo_t *cr = cairo_create(surface);
    draw(cr, width, height);
    cairo_destroy(cr);
    if (!p || cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS) {
        cairo_surface_destroy(surface);
        return picture_unref(p);
    }
    cairo_surface_flush(surface);
    picture_fill(p, 16, 128, 128);
    const unsigned char *rgb = cairo_image_surface_get_data(surface);
    int stride = cairo_image_surface_get_stride(surface);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) /* all of it is grey */
            p->plane[0][(ptrdiff_t)y * p->stride[0] + x] =
                (unsigned char)(16 + rgb[(ptrdiff_t)y * stride + 4 * x] * 219 / 255);
    cairo_surface_destroy(surface);
    return p;
}
