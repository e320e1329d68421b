#include "image/overlay_draw.h"

#include <cairo.h>
#include <math.h>
#include <pango/pangocairo.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "image/overlay_ink.h"

/* ---- surfaces ---- */

static int even(double v)
{
    return ((int)ceil(v) + 1) & ~1;
}

struct ink ink_new(int width, int height)
{
    struct ink k = {.width = width < 2 ? 2 : even(width), .height = height < 2 ? 2 : even(height)};
    k.surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, k.width, k.height);
    k.cr = cairo_create(k.surface);
    return k;
}

void ink_source(struct ink *k, struct rgba c, double opacity)
{
    cairo_set_source_rgba(k->cr, c.r, c.g, c.b, c.a * opacity);
}

struct sprite *ink_take(struct ink *k, const struct sprite_colours *colours)
{
    struct sprite *s = NULL;
    bool fine = cairo_status(k->cr) == CAIRO_STATUS_SUCCESS;
    cairo_destroy(k->cr);
    cairo_surface_flush(k->surface);
    if (fine && cairo_surface_status(k->surface) == CAIRO_STATUS_SUCCESS)
        s = sprite_new((const void *)cairo_image_surface_get_data(k->surface),
                       cairo_image_surface_get_stride(k->surface), k->width, k->height,
                       colours->matrix, colours->range);
    cairo_surface_destroy(k->surface);
    return s;
}

/* ---- fonts ---- */

struct overlay_painter {
    pthread_mutex_t lock;
    PangoFontMap *fonts;
    PangoContext *context;
};

struct overlay_painter *overlay_painter_free(struct overlay_painter *p)
{
    if (!p)
        return NULL;
    if (p->context)
        g_object_unref(p->context);
    if (p->fonts)
        g_object_unref(p->fonts);
    pthread_mutex_destroy(&p->lock);
    free(p);
    return NULL;
}

struct overlay_painter *overlay_painter_new(void)
{
    struct overlay_painter *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    pthread_mutex_init(&p->lock, NULL);
    p->fonts = pango_cairo_font_map_new();
    p->context = p->fonts ? pango_font_map_create_context(p->fonts) : NULL;
    if (!p->context)
        return overlay_painter_free(p);
    /* As pictures need it: shapes do not hang on the screen's habits. */
    cairo_font_options_t *o = cairo_font_options_create();
    cairo_font_options_set_antialias(o, CAIRO_ANTIALIAS_GRAY);
    cairo_font_options_set_hint_style(o, CAIRO_HINT_STYLE_SLIGHT);
    cairo_font_options_set_hint_metrics(o, CAIRO_HINT_METRICS_ON);
    pango_cairo_context_set_font_options(p->context, o);
    cairo_font_options_destroy(o);
    pango_cairo_context_set_resolution(p->context, 96);
    return p;
}

PangoLayout *painter_layout(struct overlay_painter *p, const char *text, double size_px, bool bold)
{
    pthread_mutex_lock(&p->lock);
    PangoLayout *l = pango_layout_new(p->context);
    PangoFontDescription *font = pango_font_description_from_string("DejaVu Sans, sans");
    pango_font_description_set_absolute_size(font, size_px * PANGO_SCALE);
    if (bold)
        pango_font_description_set_weight(font, PANGO_WEIGHT_BOLD);
    pango_layout_set_font_description(l, font);
    pango_font_description_free(font);
    pango_layout_set_text(l, text, -1);
    return l;
}

void painter_layout_done(struct overlay_painter *p, PangoLayout *l)
{
    g_object_unref(l);
    pthread_mutex_unlock(&p->lock);
}

/* ---- text ---- */

/* Turned about its middle, the box that holds it is this large. */
static void turned_size(double w, double h, double degrees, double *ret_w, double *ret_h)
{
    double c = fabs(cos(degrees * M_PI / 180)), s = fabs(sin(degrees * M_PI / 180));
    *ret_w = w * c + h * s;
    *ret_h = w * s + h * c;
}

/* A surface in whose middle something of w × h stands, turned; its origin is at 0, 0. */
static struct ink turned_ink(double w, double h, double degrees, int most)
{
    double tw, th;
    turned_size(w, h, degrees, &tw, &th);
    struct ink k = ink_new((int)fmin(ceil(tw - 1e-6), most), (int)fmin(ceil(th - 1e-6), most));
    if (degrees != 0) {
        cairo_translate(k.cr, k.width / 2.0, k.height / 2.0);
        cairo_rotate(k.cr, degrees * M_PI / 180);
        cairo_translate(k.cr, -w / 2, -h / 2);
    }
    return k;
}

/* One line, as high as asked for. */
static void single_line(PangoLayout *l, const struct text_look *look, int pad, int *w, int *h,
                        double *y)
{
    pango_layout_set_single_paragraph_mode(l, true);
    pango_layout_get_pixel_size(l, w, h);
    *w = *w + 2 * pad > look->width_most ? look->width_most - 2 * pad : *w;
    *y = (look->line_height - *h) / 2.0;
    *h = look->line_height;
}

static void several_lines(PangoLayout *l, const struct text_look *look, int pad, int *w, int *h,
                          double *x)
{
    static const PangoAlignment aligned[] = {PANGO_ALIGN_LEFT, PANGO_ALIGN_CENTER,
                                             PANGO_ALIGN_RIGHT};
    PangoRectangle box;
    pango_layout_set_wrap(l, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_width(l, (look->width_most - 2 * pad) * PANGO_SCALE);
    pango_layout_set_alignment(l, aligned[look->align]);
    /* What stands at the right of itself (Arabic) does not mean the right of the picture. */
    pango_layout_set_auto_dir(l, true);
    pango_layout_get_pixel_extents(l, NULL, &box);
    *w = box.width;
    *h = box.height;
    *x -= box.x;
}

struct sprite *overlay_draw_text(struct overlay_painter *p, const char *text,
                                 const struct text_look *look, int most,
                                 const struct sprite_colours *colours)
{
    if (look->width_most < 8 || look->opacity <= 0)
        return NULL;
    int pad = look->line_height ? look->line_height / 4 : (int)lrint(look->size_px / 4), w, h;
    double x = pad, y = pad / 2;
    PangoLayout *l = painter_layout(p, text, look->size_px, false);
    if (look->line_height)
        single_line(l, look, pad, &w, &h, &y);
    else
        several_lines(l, look, pad, &w, &h, &x);
    double full_w = w + 2 * pad, full_h = look->line_height ? h : h + 2 * (pad / 2);
    struct ink k = turned_ink(full_w, full_h, look->rotation_deg, most);
    if (look->opacity < 1)
        cairo_push_group(k.cr);
    if (look->ground.a > 0) {
        ink_source(&k, look->ground, 1);
        if (look->rotation_deg == 0) /* to the last, odd pixel */
            cairo_paint(k.cr);
        cairo_rectangle(k.cr, 0, 0, full_w, full_h);
        if (look->rotation_deg != 0)
            cairo_fill(k.cr);
        cairo_new_path(k.cr);
    }
    pango_cairo_update_layout(k.cr, l);
    if (look->outline.a > 0) {
        cairo_move_to(k.cr, x, y);
        pango_cairo_layout_path(k.cr, l);
        ink_source(&k, look->outline, 1);
        cairo_set_line_join(k.cr, CAIRO_LINE_JOIN_ROUND);
        cairo_set_line_width(k.cr, fmax(2, look->size_px / 7));
        cairo_stroke(k.cr);
    }
    cairo_move_to(k.cr, x, y);
    ink_source(&k, look->colour, 1);
    pango_cairo_show_layout(k.cr, l);
    painter_layout_done(p, l);
    if (look->opacity < 1) {
        cairo_pop_group_to_source(k.cr);
        cairo_paint_with_alpha(k.cr, look->opacity);
    }
    return ink_take(&k, colours);
}

/* ---- pictures ---- */

struct sprite *overlay_draw_picture(const uint32_t *argb, int from_w, int from_h, int width,
                                    int height, double opacity, double rotation_deg,
                                    const struct sprite_colours *colours)
{
    cairo_surface_t *from = cairo_image_surface_create_for_data(
        (unsigned char *)(uintptr_t)argb, CAIRO_FORMAT_ARGB32, from_w, from_h, 4 * from_w);
    struct ink k = turned_ink(width, height, rotation_deg, 8192);
    cairo_scale(k.cr, (double)width / from_w, (double)height / from_h);
    cairo_set_source_surface(k.cr, from, 0, 0);
    if (width == from_w && height == from_h && rotation_deg == 0)
        cairo_pattern_set_filter(cairo_get_source(k.cr), CAIRO_FILTER_NEAREST);
    else
        cairo_pattern_set_filter(cairo_get_source(k.cr), CAIRO_FILTER_GOOD);
    cairo_paint_with_alpha(k.cr, opacity);
    struct sprite *s = ink_take(&k, colours);
    cairo_surface_destroy(from);
    return s;
}

/* ---- marks ---- */

static void mark_path(cairo_t *cr, enum overlay_indicator kind, double middle, double r)
{
    if (kind == INDICATOR_CIRCLE) {
        cairo_arc(cr, middle, middle, r, 0, 2 * M_PI);
    } else if (kind == INDICATOR_SQUARE) {
        cairo_rectangle(cr, middle - r, middle - r, 2 * r, 2 * r);
    } else {
        cairo_move_to(cr, middle - r, middle);
        cairo_line_to(cr, middle + r, middle);
        cairo_move_to(cr, middle, middle - r);
        cairo_line_to(cr, middle, middle + r);
    }
}

struct sprite *overlay_draw_mark(enum overlay_indicator kind, int size, struct rgba colour,
                                 struct rgba ground, struct rgba outline,
                                 const struct sprite_colours *colours)
{
    struct ink k = ink_new(size, size);
    double line = fmax(1.5, size / 12.0), middle = k.width / 2.0, r = middle - 1.5 * line;
    mark_path(k.cr, kind, middle, r);
    if (kind != INDICATOR_CROSS) {
        ink_source(&k, ground, 1);
        cairo_fill_preserve(k.cr);
    }
    ink_source(&k, outline, 1);
    cairo_set_line_width(k.cr, 3 * line);
    cairo_stroke(k.cr);
    mark_path(k.cr, kind, middle, r);
    ink_source(&k, colour, 1);
    cairo_set_line_width(k.cr, line);
    cairo_stroke(k.cr);
    return ink_take(&k, colours);
}

struct sprite *overlay_draw_live(int size, bool inner, unsigned phase, struct rgba colour,
                                 struct rgba ground, const struct sprite_colours *colours)
{
    struct ink k = ink_new(size, size);
    double middle = k.width / 2.0, r = middle * (inner ? 0.26 : 0.68);
    double angle = 2 * M_PI * phase / (inner ? MARK_INNER_PHASES : MARK_PHASES) - M_PI / 2;
    if (!inner) {
        cairo_arc(k.cr, middle, middle, middle, 0, 2 * M_PI);
        ink_source(&k, ground, 1);
        cairo_fill(k.cr);
        cairo_set_line_width(k.cr, fmax(1, size / 16.0));
        cairo_arc(k.cr, middle, middle, r, 0, 2 * M_PI);
        ink_source(&k, colour, 0.35);
        cairo_stroke(k.cr);
    }
    cairo_arc(k.cr, middle + r * cos(angle), middle + r * sin(angle),
              fmax(1.5, size / (inner ? 10.0 : 6.5)), 0, 2 * M_PI);
    ink_source(&k, colour, 1);
    cairo_fill(k.cr);
    return ink_take(&k, colours);
}
