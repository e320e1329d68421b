#include "device/virtual/glyph.h"

#include <ctype.h>
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

int glyph_segments(char c, struct glyph_segment ret[GLYPH_SEGMENTS], float *ret_width)
{
    float width;
    const char *s = strokes_of(c, &width);
    int n = 0;
    while (*s) {
        if (*s == ' ') {
            s++;
            continue;
        }
        const char *next = s + 2;
        if (*next && *next != ' ') {
            if (n < GLYPH_SEGMENTS)
                ret[n++] =
                    (struct glyph_segment){(float)(s[0] - '0') / 6, (float)(s[1] - '0') / 6,
                                           (float)(next[0] - '0') / 6, (float)(next[1] - '0') / 6};
        }
        s = next;
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
