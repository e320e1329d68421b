#include "image/overlay_thumbnail.h"

#include <cairo.h>
#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "image/overlay_pictures.h"

static cairo_status_t take(void *arg, const unsigned char *bytes, unsigned int len)
{
    return buf_add(arg, bytes, len) ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

int overlay_thumbnail(struct overlay_pictures *p, uint64_t id, struct buf *ret)
{
    struct overlay_pixels px;
    int err = overlay_pictures_load(p, id, &px);
    if (err)
        return err;
    int longer = px.width > px.height ? px.width : px.height;
    double by = longer > THUMBNAIL_SIDE ? (double)THUMBNAIL_SIDE / longer : 1;
    int w = (int)(px.width * by), h = (int)(px.height * by);
    cairo_surface_t *from = cairo_image_surface_create_for_data(
        (unsigned char *)px.argb, CAIRO_FORMAT_ARGB32, px.width, px.height, 4 * px.width);
    cairo_surface_t *to = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, w ? w : 1, h ? h : 1);
    cairo_t *cr = cairo_create(to);
    cairo_scale(cr, by, by);
    cairo_set_source_surface(cr, from, 0, 0);
    cairo_paint(cr);
    cairo_destroy(cr);
    if (cairo_surface_write_to_png_stream(to, take, ret) != CAIRO_STATUS_SUCCESS)
        err = -EIO;
    cairo_surface_destroy(to);
    cairo_surface_destroy(from);
    free(px.argb);
    return err;
}
