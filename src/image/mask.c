#include "image/mask.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "image/mask_shape.h"

#define LEAST_RAD 1e-6  /* what is nearer than this is one point */
#define LEAST_AREA 1e-9 /* steradian */

/* One number, then one of `ends` or the end of the text. Strict: no blanks, no hexadecimal. */
static bool take_number(const char **at, double most, char *ret_end, double *ret)
{
    char text[24];
    size_t n = strspn(*at, "0123456789.+-");
    char *end;
    if (n == 0 || n >= sizeof(text))
        return false;
    memcpy(text, *at, n);
    text[n] = '\0';
    double v = strtod(text, &end);
    if (*end || !isfinite(v) || fabs(v) > most)
        return false;
    *at += n;
    *ret_end = **at;
    *at += **at != '\0';
    *ret = v;
    return true;
}

static int refuse(struct fault *why, const char *text)
{
    return fault_set(why, FAULT_INVALID, "Polygon", "%s", text);
}

int mask_pairs(const char *text, double most_x, double most_y, double ret[MASK_MAX_POINTS][2],
               unsigned *ret_n)
{
    unsigned n = 0;
    for (const char *at = text;;) {
        char end = 0;
        if (n == MASK_MAX_POINTS)
            return -E2BIG;
        if (!take_number(&at, most_x, &end, &ret[n][0]) || end != ',' ||
            !take_number(&at, most_y, &end, &ret[n][1]) || (end && end != ':'))
            return -EINVAL;
        n++;
        if (!end)
            break;
    }
    *ret_n = n;
    return 0;
}

int mask_parse(const char *text, struct mask *ret, struct fault *why)
{
    double at[MASK_MAX_POINTS][2];
    struct mask m = {0};
    int rc = mask_pairs(text, 180, 90, at, &m.n);
    if (rc == -E2BIG)
        return refuse(why, "a mask has 3 to 10 points: leave some out");
    if (rc < 0)
        return refuse(why, "points are PAN,TILT:PAN,TILT:… in degrees, pan within -180 and "
                           "180, tilt within -90 and 90");
    for (unsigned i = 0; i < m.n; i++) {
        m.point[i].pan_deg = at[i][0];
        m.point[i].tilt_deg = at[i][1];
    }
    rc = mask_check(&m, why);
    if (rc == 0)
        *ret = m;
    return rc;
}

void mask_text(const struct mask *m, char ret[MASK_TEXT_MAX])
{
    size_t at = 0;
    *ret = '\0';
    for (unsigned i = 0; i < m->n && at < MASK_TEXT_MAX; i++)
        at += (size_t)snprintf(ret + at, MASK_TEXT_MAX - at, "%s%.4f,%.4f", i ? ":" : "",
                               m->point[i].pan_deg + 0.0, m->point[i].tilt_deg + 0.0);
}

struct flat {
    double x, y;
};

static double turn(struct flat o, struct flat a, struct flat b)
{
    return (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x);
}

static bool between(double v, double a, double b)
{
    return v >= fmin(a, b) && v <= fmax(a, b);
}

/* Do the segments have a point in common? */
static bool meet(struct flat a, struct flat b, struct flat c, struct flat d)
{
    double p = turn(a, b, c), q = turn(a, b, d), r = turn(c, d, a), s = turn(c, d, b);
    if (((p > 0 && q < 0) || (p < 0 && q > 0)) && ((r > 0 && s < 0) || (r < 0 && s > 0)))
        return true;
    return (p == 0 && between(c.x, a.x, b.x) && between(c.y, a.y, b.y)) ||
           (q == 0 && between(d.x, a.x, b.x) && between(d.y, a.y, b.y)) ||
           (r == 0 && between(a.x, c.x, d.x) && between(a.y, c.y, d.y)) ||
           (s == 0 && between(b.x, c.x, d.x) && between(b.y, c.y, d.y));
}

/* Does the path turn back on itself at b? */
static bool folds(struct flat a, struct flat b, struct flat c)
{
    return turn(a, b, c) == 0 && (a.x - b.x) * (c.x - b.x) + (a.y - b.y) * (c.y - b.y) > 0;
}

int mask_check(const struct mask *m, struct fault *why)
{
    if (m->n < MASK_MIN_POINTS || m->n > MASK_MAX_POINTS)
        return refuse(why, "a mask has 3 to 10 points");
    for (unsigned i = 0; i < m->n; i++)
        if (!(fabs(m->point[i].pan_deg) <= 180) || !(fabs(m->point[i].tilt_deg) <= 90))
            return refuse(why, "pan is within -180 and 180 degrees, tilt within -90 and 90");
    struct mask_shape s;
    if (!mask_shape_init(&s, m, MASK_LEAST_BLOCKS))
        return refuse(why, "a mask must fit into half of all directions: make two of it");
    struct flat at[MASK_MAX_POINTS];
    double area = 0;
    for (unsigned i = 0; i < s.n; i++) {
        double w = vec3_dot(s.dir[i], s.axis[2]);
        at[i] = (struct flat){vec3_dot(s.dir[i], s.axis[0]) / w, vec3_dot(s.dir[i], s.axis[1]) / w};
    }
    for (unsigned i = 0; i < s.n; i++) {
        struct flat a = at[i], b = at[(i + 1) % s.n];
        area += a.x * b.y - a.y * b.x;
        if (hypot(b.x - a.x, b.y - a.y) < LEAST_RAD)
            return refuse(why, "two points next to each other are the same");
        if (folds(a, b, at[(i + 2) % s.n]))
            return refuse(why, "the sides of the mask cross: put its points in order");
        for (unsigned k = i + 2; k < s.n; k++)
            if ((i || k + 1 < s.n) && meet(a, b, at[k], at[(k + 1) % s.n]))
                return refuse(why, "the sides of the mask cross: put its points in order");
    }
    return fabs(area) / 2 < LEAST_AREA ? refuse(why, "the mask has no area") : 0;
}
