/* A small stroke alphabet: A–Z, 0–9 and a few marks, as line segments. */
#ifndef DEVICE_VIRTUAL_PLACE_GLYPH_H
#define DEVICE_VIRTUAL_PLACE_GLYPH_H

struct glyph_segment {
    float x0, y0, x1, y1; /* in units of the glyph's height, y down, 0 at the left top */
};

#define GLYPH_SEGMENTS 96

/* Segments of a character (lower case is drawn as upper case; unknown: none) and
 * its width in units of its height. */
int glyph_segments(char c, struct glyph_segment ret[GLYPH_SEGMENTS], float *ret_width);
/* Width of a whole line, gaps included. */
float glyph_line_width(const char *text);
#define GLYPH_GAP 0.30f

#endif
