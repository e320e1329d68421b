#include "device/virtual/place/glyph.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

/* Polylines on a grid 4 wide and 6 high: pairs of digits x, y; a space lifts the pen. */
static const char *const letters[26] = {
    "0620 2046 1434",
    "00063645443303 3342413000",
    "4130100105163645",
    "00062644422000",
    "40000646 0333",
    "400006 0333",
    "41301001051636454323",
    "0006 4046 0343",
    "2026",
    "4045361605",
    "0006 4004 2246",
    "000646",
    "0600244046",
    "06004640",
    "103041453616050110",
    "06003041423303",
    "103041453616050110 3446",
    "06003041423303 2346",
    "413010010213334445361605",
    "0040 2026",
    "000516364540",
    "002640",
    "0016223640",
    "0046 4006",
    "002340 2326",
    "00400646",
};
static const char *const digits[10] = {
    "102031352616050110", /* narrower than O */
    "021016",
    "01103041420646",
    "01103041423323 334445361605",
    "36300444",
    "40000312324345361605",
    "413010010516364544331304",
    "004016",
    "13020110304142331304051636454433",
    "051636454130100102133342",
};

static const char *strokes_of(char c, float *ret_width)
{
    *ret_width = 4;
    c = (char)toupper((unsigned char)c);
    if (c == 'I') {
        *ret_width = 0;
        return "0006";
    }
    if (c >= 'A' && c <= 'Z')
        return letters[c - 'A'];
    if (c == '0' || c == '1') {
        *ret_width = c == '0' ? 3 : 1;
        return digits[c - '0'];
    }
    if (c >= '2' && c <= '9')
        return digits[c - '0'];
    *ret_width = 2;
    if (c == '-')
        return "0323";
    if (c == '/')
        return "0620";
    if (c == '.') {
        *ret_width = 0;
        return "0606";
    }
    if (c == ':') {
        *ret_width = 0;
        return "0202 0505";
    }
    if (c == '>') {
        *ret_width = 4;
        return "0343 2143 4325";
    }
    return "";
}

struct point {
    float x, y;
};

static void add(struct glyph_segment *ret, int *n, struct point a, struct point b)
{
    if (*n < GLYPH_SEGMENTS)
        ret[(*n)++] = (struct glyph_segment){a.x / 6, a.y / 6, b.x / 6, b.y / 6};
}

static struct point towards(struct point a, struct point b, float share)
{
    return (struct point){a.x + (b.x - a.x) * share, a.y + (b.y - a.y) * share};
}

/* Gentle corners (a bowl's) become arcs, sharp ones (an E's) stay. */
static bool gentle(struct point a, struct point b, struct point c)
{
    float ux = b.x - a.x, uy = b.y - a.y, vx = c.x - b.x, vy = c.y - b.y;
    float dot = ux * vx + uy * vy;
    return dot > 0.55f * sqrtf((ux * ux + uy * uy) * (vx * vx + vy * vy));
}

static void polyline(const struct point *p, int m, struct glyph_segment *ret, int *n)
{
    bool closed = m > 2 && p[0].x == p[m - 1].x && p[0].y == p[m - 1].y;
    int corners = closed ? m - 1 : m;
    struct point from = p[0];
    if (closed && gentle(p[m - 2], p[0], p[1]))
        from = towards(p[0], p[1], 0.5f);
    for (int i = 1; i <= corners; i++) {
        struct point at = p[i % corners];
        if (i == corners && !closed)
            break;
        const struct point *next = i + 1 < m ? &p[i + 1] : closed ? &p[1] : NULL;
        if (!next || !gentle(p[i - 1], at, *next)) {
            add(ret, n, from, at);
            from = at;
            continue;
        }
        struct point in = towards(at, p[i - 1], 0.5f), out = towards(at, *next, 0.5f);
        struct point a = towards(in, at, 0.55f), b = towards(at, out, 0.45f);
        add(ret, n, from, in);
        add(ret, n, in, a);
        add(ret, n, a, b);
        add(ret, n, b, out);
        from = out;
    }
}

int glyph_segments(char c, struct glyph_segment ret[GLYPH_SEGMENTS], float *ret_width)
{
    float width;
    struct point p[20];
    int n = 0, m = 0;
    for (const char *s = strokes_of(c, &width);; s += 2) {
        if (*s && *s != ' ') {
            if (m < 20)
                p[m++] = (struct point){(float)(s[0] - '0'), (float)(s[1] - '0')};
            continue;
        }
        if (m > 1)
            polyline(p, m, ret, &n);
        m = 0;
        if (!*s)
            break;
        s--; /* the space is one character only */
    }
    *ret_width = width / 6;
    return n;
}

float glyph_line_width(const char *text)
{
    struct glyph_segment unused[GLYPH_SEGMENTS];
    float sum = 0, width;
    for (const char *c = text; *c; c++) {
        glyph_segments(*c, unused, &width);
        sum += width + (c[1] ? GLYPH_GAP : 0);
    }
    return sum;
}
