/* The shapes of the orientation aid. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "image/overlay_ink.h"

#define NAMES_MOST 400

/* Where names stand already, so that none is written over another. */
struct taken {
    double from[NAMES_MOST], to[NAMES_MOST];
    int n;
};

static bool is_free(struct taken *t, double from, double to)
{
    for (int i = 0; i < t->n; i++)
        if (from < t->to[i] && to > t->from[i])
            return false;
    if (t->n < NAMES_MOST) {
        t->from[t->n] = from;
        t->to[t->n++] = to;
    }
    return true;
}

static double name_width(struct overlay_painter *p, const char *text, double size_px)
{
    int w, h;
    PangoLayout *l = painter_layout(p, text, size_px, false);
    pango_layout_set_single_paragraph_mode(l, true);
    pango_layout_get_pixel_size(l, &w, &h);
    painter_layout_done(p, l);
    return w;
}

/* Text about a point, with a dark rim so that it can be read on anything. */
static void name_at(struct overlay_painter *p, struct ink *k, const char *text, double size_px,
                    bool bold, double x, double y, struct rgba colour)
{
    int w, h;
    PangoLayout *l = painter_layout(p, text, size_px, bold);
    pango_layout_set_single_paragraph_mode(l, true);
    pango_layout_get_pixel_size(l, &w, &h);
    pango_cairo_update_layout(k->cr, l);
    x = fmax(fmin(x, k->width - w / 2.0 - 2), w / 2.0 + 2); /* not cut at the rim */
    cairo_move_to(k->cr, x - w / 2.0, y - h / 2.0);
    pango_cairo_layout_path(k->cr, l);
    cairo_set_line_join(k->cr, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_width(k->cr, fmax(2, size_px / 6));
    ink_source(k, (struct rgba){0, 0, 0, 0.75}, 1);
    cairo_stroke(k->cr);
    cairo_move_to(k->cr, x - w / 2.0, y - h / 2.0);
    ink_source(k, colour, 1);
    pango_cairo_show_layout(k->cr, l);
    painter_layout_done(p, l);
}

static void end_group(struct ink *k, double opacity)
{
    cairo_pop_group_to_source(k->cr);
    cairo_paint_with_alpha(k->cr, opacity);
}

/* ---- strip ---- */

static const char *const winds[] = {"N", "NE", "E", "SE", "S", "SW", "W", "NW"};

static void line(struct ink *k, double x, double top, double bottom, double width)
{
    cairo_rectangle(k->cr, x - width / 2, top, width, bottom - top);
    cairo_fill(k->cr);
}

/* Rows from above: names of places, marks of the scale, winds and degrees. */
struct sprite *overlay_draw_strip(struct overlay_painter *p, int px_per_turn, int window,
                                  int height, const struct bearing_mark *marks, int n,
                                  struct rgba colour, double opacity,
                                  const struct sprite_colours *colours)
{
    struct ink k = ink_new(px_per_turn + window, height);
    double per_deg = px_per_turn / 360.0, h = k.height;
    double scale_top = h * 0.46, letters = h * 0.3;
    struct taken taken = {.n = 0};
    cairo_push_group(k.cr);
    for (int turn = -1; turn <= 1; turn++) {
        for (int d = 0; d < 360; d += 5) {
            double x = (d + 360 * turn) * per_deg;
            if (x < -h * 2 || x > k.width + h * 2)
                continue;
            ink_source(&k, colour, 1);
            line(&k, x, scale_top,
                 scale_top + h * (d % 15   ? 0.06
                                  : d % 45 ? 0.1
                                           : 0.16),
                 fmax(1, h / 40));
            if (d % 45 == 0) {
                name_at(p, &k, winds[d / 45], letters, d % 90 == 0, x, h * 0.8, colour);
            } else if (d % 15 == 0) {
                char text[8];
                snprintf(text, sizeof text, "%d", d);
                name_at(p, &k, text, letters * 0.7, false, x, h * 0.8, colour);
            }
        }
        for (int i = 0; i < n; i++) {
            double x = (marks[i].bearing_deg + 360 * turn) * per_deg;
            if (x < -window || x > k.width + window)
                continue;
            struct rgba c = marks[i].street ? (struct rgba){0.98, 0.85, 0.1, 1} : colour;
            ink_source(&k, c, 1);
            cairo_move_to(k.cr, x, scale_top);
            cairo_rel_line_to(k.cr, -h * 0.06, -h * 0.1);
            cairo_rel_line_to(k.cr, h * 0.12, 0);
            cairo_fill(k.cr);
            double half = name_width(p, marks[i].name, letters * 0.8) / 2 + h * 0.08;
            if (is_free(&taken, x - half, x + half))
                name_at(p, &k, marks[i].name, letters * 0.8, false, x, h * 0.17, c);
        }
    }
    end_group(&k, opacity);
    return ink_take(&k, colours);
}

struct sprite *overlay_draw_strip_frame(int window, int height, int view_px, struct rgba colour,
                                        double opacity, bool ground,
                                        const struct sprite_colours *colours)
{
    struct ink k = ink_new(window, height);
    double h = k.height, middle = k.width / 2.0, top = h * 0.46;
    if (ground) {
        ink_source(&k, (struct rgba){0, 0, 0, 0.5}, opacity);
        cairo_paint(k.cr);
        return ink_take(&k, colours);
    }
    double half = fmin(view_px / 2.0, middle);
    ink_source(&k, colour, 0.25 * opacity);
    cairo_rectangle(k.cr, middle - half, top, 2 * half, h - top);
    cairo_fill(k.cr);
    ink_source(&k, (struct rgba){0.95, 0.2, 0.15, 1}, opacity);
    line(&k, middle, top - h * 0.06, top + h * 0.18, fmax(3, h / 16)); /* above the letters */
    return ink_take(&k, colours);
}

/* ---- rose ---- */

static void polar(double middle, double r, double bearing_deg, double *x, double *y)
{
    *x = middle + r * sin(bearing_deg * M_PI / 180);
    *y = middle - r * cos(bearing_deg * M_PI / 180);
}

struct sprite *overlay_draw_rose(struct overlay_painter *p, int size,
                                 const struct bearing_mark *marks, int n, struct rgba colour,
                                 double opacity, const struct sprite_colours *colours)
{
    struct ink k = ink_new(size, size);
    double middle = k.width / 2.0, r = middle * 0.56, x, y;
    cairo_push_group(k.cr);
    cairo_arc(k.cr, middle, middle, r, 0, 2 * M_PI);
    ink_source(&k, (struct rgba){0, 0, 0, 0.75}, 1);
    cairo_set_line_width(k.cr, fmax(3, size / 50.0));
    cairo_stroke_preserve(k.cr);
    ink_source(&k, colour, 1);
    cairo_set_line_width(k.cr, fmax(1, size / 110.0));
    cairo_stroke(k.cr);
    for (int d = 0; d < 360; d += 15) {
        polar(middle, r * (d % 45 ? 0.94 : 0.86), d, &x, &y);
        cairo_move_to(k.cr, x, y);
        polar(middle, r, d, &x, &y);
        cairo_line_to(k.cr, x, y);
        cairo_stroke(k.cr);
    }
    for (int i = 0; i < 4; i++) {
        polar(middle, r * 0.7, 90 * i, &x, &y);
        name_at(p, &k, winds[2 * i], size * 0.085, true, x, y,
                i ? colour : (struct rgba){1, 0.35, 0.3, 1});
    }
    for (int i = 0; i < n; i++) {
        struct rgba c = marks[i].street ? (struct rgba){0.98, 0.85, 0.1, 1} : colour;
        polar(middle, r, marks[i].bearing_deg, &x, &y);
        cairo_arc(k.cr, x, y, fmax(2, size / 70.0), 0, 2 * M_PI);
        ink_source(&k, c, 1);
        cairo_fill(k.cr);
        polar(middle, middle * 0.78, marks[i].bearing_deg, &x, &y);
        name_at(p, &k, marks[i].name, size * 0.06, false, x, y, c);
    }
    end_group(&k, opacity);
    return ink_take(&k, colours);
}

struct sprite *overlay_draw_disc(int size, double opacity, const struct sprite_colours *colours)
{
    struct ink k = ink_new(size, size);
    double middle = k.width / 2.0;
    cairo_arc(k.cr, middle, middle, middle - 2, 0, 2 * M_PI);
    ink_source(&k, (struct rgba){0, 0, 0, 0.45}, opacity);
    cairo_fill(k.cr);
    return ink_take(&k, colours);
}

struct wedge_box overlay_wedge_box(int size, double bearing_deg, double view_deg)
{
    double middle = size / 2.0, r = middle - 2, rim = fmax(1.5, size / 50.0);
    double left = middle, right = middle, top = middle, bottom = middle;
    for (int i = 0; i < 6; i++) { /* both corners, and where the arc passes an axis */
        double at = i < 4 ? 90 * i : bearing_deg + (i == 4 ? view_deg : -view_deg) / 2, x, y;
        if (i < 4 && fabs(remainder(at - bearing_deg, 360)) > view_deg / 2)
            continue;
        polar(middle, r, at, &x, &y);
        left = fmin(left, x);
        right = fmax(right, x);
        top = fmin(top, y);
        bottom = fmax(bottom, y);
    }
    int x = (int)fmax(0, floor(left - rim)) & ~1, y = (int)fmax(0, floor(top - rim)) & ~1;
    int to_x = (int)fmin(size, ceil(right + rim)), to_y = (int)fmin(size, ceil(bottom + rim));
    return (struct wedge_box){x, y, (to_x - x + 1) & ~1, (to_y - y + 1) & ~1};
}

struct sprite *overlay_draw_wedge(int size, double bearing_deg, double view_deg, struct rgba colour,
                                  double opacity, const struct sprite_colours *colours)
{
    const struct wedge_box box = overlay_wedge_box(size, bearing_deg, view_deg);
    struct ink k = ink_new(box.width, box.height);
    double middle = size / 2.0, r = middle - 2, half = view_deg * M_PI / 360;
    double angle = (bearing_deg - 90) * M_PI / 180;
    cairo_translate(k.cr, -box.x, -box.y);
    cairo_move_to(k.cr, middle, middle);
    cairo_arc(k.cr, middle, middle, r, angle - half, angle + half);
    cairo_close_path(k.cr);
    ink_source(&k, (struct rgba){0.36, 0.78, 0.84, 1}, 0.55 * opacity);
    cairo_fill_preserve(k.cr);
    cairo_set_line_width(k.cr, fmax(1.5, size / 50.0));
    cairo_set_line_join(k.cr, CAIRO_LINE_JOIN_ROUND);
    ink_source(&k, colour, opacity);
    cairo_stroke(k.cr);
    return ink_take(&k, colours);
}
