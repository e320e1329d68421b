/* What of the weather is to be seen: drops, flakes and splashes, as capsules. */
#include <math.h>
#include <stdlib.h>

#include "device/virtual/weather/fall.h"
#include "device/virtual/weather/inside.h"
#include "device/virtual/weather/limit.h"

#define MOST_BLOCKS 60000   /* about 3 MB put aside */
#define FAINTEST 0.0025     /* of a white card: less is not drawn; */
#define FAINTEST_DARK 0.005 /* … by night: a sigma of the noise of the dark */
#define REFERENCE_F 0.8660  /* focal length in widths at 60°, where octave 0 of zoom is full */
#define OCTAVES 6
#define LAMP_REACH_M 3.0
#define EXPOSURE_MOST_S                                                                            \
    0.1 /* of longer ones drops would be looked for far around, to be too faint */
#define SENSOR_WIDTH_M 5.6e-3 /* 1/2.8″ */
#define F_NUMBER 5.6

/* ---- one drop or flake ---- */

/* How much of a lamp's light comes back: of the camera's own; of another, from all around and more
 * from behind; and how much of the sky's a drop shows. */
#define BACK_RAIN 0.35
#define BACK_SNOW 0.9
#define LAMP_SNOW 0.35
#define LAMP_RAIN 0.12
#define LAMP_FORWARD 0.9
#define SHINE_LEAST 0.7
#define SHINE_MORE 0.6

enum kind { RAIN, SNOW, SPLASH };

struct paint {
    struct weather *w;
    const struct view *v;
    const struct light *l;
    enum kind kind;
    double exposure_s, t;
    struct vec speed;           /* of the lattice */
    double smallest_m, slope_m; /* sizes: smallest + exponential */
    double focus_m, aperture_m;
    float ambient[3];           /* radiance of a drop or flake, white card = 1 */
    double faintest;            /* samples */
    double dimmest[FALL_SIZES]; /* radiance; less is too faint for that size */
    double ir_cos;
    const struct weather_lamp *near_lamp[WEATHER_LAMPS];
    size_t n_near;
    size_t n, blocks;
    struct capsule *to;
};

/* Light of the lamps upon a drop, seen from the eye. */
static void add_lamps(const struct paint *p, const struct fallen *f, double *c)
{
    double range2 = vec_dot(f->at, f->at), range = sqrt(range2);
    if (p->l && p->ir_cos < 2 && f->z / range > p->ir_cos) {
        /* Straight back: a drop is a bright bead, a flake a small card. */
        double k = (p->kind == SNOW ? BACK_SNOW : BACK_RAIN) / fmax(range2, 0.04);
        for (int i = 0; i < 3; i++)
            c[i] += p->l->soft[SOFT_IR][i] * k;
    }
    for (size_t i = 0; i < p->n_near; i++) {
        const struct weather_lamp *lamp = p->near_lamp[i];
        struct vec from = vec_sub(f->at, vec_sub(lamp->at, p->w->place.eye));
        double d2 = vec_dot(from, from);
        if (d2 > LAMP_REACH_M * LAMP_REACH_M)
            continue;
        /* Forward is bright: the lamp behind the drop, seen from here. */
        double forward = -vec_dot(from, f->at) / (sqrt(d2) * range + 1e-6);
        double k = p->kind == SNOW ? LAMP_SNOW
                                   : LAMP_RAIN + LAMP_FORWARD * fmax(forward, 0) * fmax(forward, 0);
        /* Fades to nothing where no more of them are looked for. */
        double near = 1 - d2 / (LAMP_REACH_M * LAMP_REACH_M);
        k *= (lamp->always ? 1 : p->l->lamps) / (d2 + 0.06) * near * near;
        for (int n = 0; n < 3; n++)
            c[n] += lamp->colour[n] * k;
    }
}

static void stroke(struct paint *p, double x0, double y0, double x1, double y1, double radius,
                   double opacity, const double *colour)
{
    const struct view *v = p->v;
    double dx = x1 - x0, dy = y1 - y0, length = sqrt(dx * dx + dy * dy);
    if (dy < 0) {
        x0 = x1;
        y0 = y1;
        dx = -dx;
        dy = -dy;
    }
    struct capsule c = {.ux = 0, .uy = 1};
    double top = y0 - radius, below = y0 + dy + radius;
    double left = fmin(x0, x0 + dx) - radius, right = fmax(x0, x0 + dx) + radius;
    if (below < 0 || top > v->height - 1 || right < 0 || left > v->width - 1 ||
        p->n >= MOST_CAPSULES)
        return;
    if (length > 1e-3) {
        c.ux = (float)(dx / length);
        c.uy = (float)(dy / length);
    }
    c.x = (float)x0;
    c.y = (float)y0;
    c.length = (float)(length / radius);
    c.inv_radius = (float)(1 / radius);
    c.x0 = (float)fmax(left, 0);
    c.x1 = (float)fmin(right, v->width - 1);
    c.y0 = (int)fmax(ceil(top), 0);
    c.y1 = (int)fmin(floor(below) + 1, v->height);
    if (c.uy > 0.01f) {
        c.lean = c.ux / c.uy;
        c.half = (float)radius / c.uy;
    }
    if (c.y1 <= c.y0)
        return;
    double across = c.uy > 0.01f ? fmin(2 * (double)c.half, right - left) : right - left;
    size_t blocks = (size_t)(c.y1 - c.y0) * ((size_t)(fmin(across, v->width) / CAPSULE_BLOCK) + 2);
    if (p->blocks + blocks > MOST_BLOCKS)
        return;
    /* What is brighter than the numbers reach covers more instead. */
    double most = fmax(colour[0], fmax(colour[1], colour[2])) * p->l->unit / 60000;
    if (most > 1)
        opacity *= most;
    else
        most = 1;
    c.opacity = (float)(fmin(opacity, 0.9) * 65535);
    for (int k = 0; k < 3; k++)
        c.colour[k] = (uint16_t)(colour[k] * p->l->unit / most);
    p->blocks += blocks;
    p->to[p->n++] = c;
}

/* x, y: its pixel. */
static bool hidden(const struct paint *p, const struct fallen *f, double x, double y)
{
    struct weather *w = p->w;
    struct vec ray;
    if (f->at.z < -w->place.eye.z)
        return true;
    double range = vec_len(f->at);
    return w->place.distance && range > 4 &&
           sight_find(&w->sight, &w->place, p->v, x, y, &ray) < range;
}

/* Nearly the sine of so many turns. */
static double swing(double turns)
{
    double f = turns - floor(turns);
    return f < 0.5 ? 16 * f * (0.5 - f) : -16 * (f - 0.5) * (1 - f);
}

static void paint_one(void *ctx, const struct fallen *f)
{
    struct paint *p = ctx;
    const struct view *v = p->v;
    uint64_t chance = f->chance;
    double colour[3], shine = SHINE_LEAST + SHINE_MORE * fall_unit(chance, 40), brightest = 0;
    for (int k = 0; k < 3; k++)
        colour[k] = (double)p->ambient[k] * (p->kind == RAIN ? shine : 1);
    add_lamps(p, f, colour);
    for (int k = 0; k < 3; k++)
        brightest = fmax(brightest, colour[k]);
    if (brightest < p->dimmest[fall_size(chance)]) /* before its size is worked out */
        return;
    double size =
        limit_size(p->smallest_m, p->slope_m, p->kind == SNOW, -log(fall_unit(chance, 0)));
    struct vec speed = p->speed, at = f->at;
    double gain;
    if (p->kind == RAIN) {
        speed.z = -limit_fall(size);
        speed.x += (fall_unit(chance, 16) - 0.5) * (2 * LIMIT_JITTER);
        speed.y += (fall_unit(chance, 32) - 0.5) * (2 * LIMIT_JITTER);
        gain = LIMIT_GAIN_RAIN;
    } else {
        /* Flakes swing on their way. */
        double rate = 0.25 + 0.5 * fall_unit(chance, 16); /* turns per second */
        double wide = 0.03 + 0.09 * fall_unit(chance, 32), fast = wide * rate * 2 * M_PI;
        double a = rate * p->t + fall_unit(chance, 48), b = 0.8 * a;
        double sin_a = swing(a), cos_a = swing(a + 0.25);
        double sin_b = swing(b), cos_b = swing(b + 0.25);
        at = vec_add(at, vec(wide * sin_a, wide * cos_b, 0.8 * wide * sin_a * cos_a));
        speed = vec_add(speed, vec(fast * cos_a, -0.8 * fast * sin_b,
                                   0.8 * fast * (cos_a * cos_a - sin_a * sin_a)));
        gain = LIMIT_GAIN_SNOW;
    }
    struct vec end = vec_add(at, vec_mul(speed, p->exposure_s));
    double x0, y0, x1, y1;
    if (!view_point(v, at, &x0, &y0) || !view_point(v, end, &x1, &y1))
        return;
    double px = v->f / f->z, d = size * px,
           length = sqrt((x1 - x0) * (x1 - x0) + (y1 - y0) * (y1 - y0));
    double blur = p->aperture_m * v->f * fabs(1 / f->z - 1 / p->focus_m);
    double radius = sqrt(0.4 * (d * d + blur * blur) + 1.25);
    /* As much light as a disc of that size would give, over what the stroke covers. */
    double area = 16.0 / 15 * radius * length + M_PI / 3 * radius * radius;
    double opacity = fmin(gain * M_PI / 4 * d * d / area, LIMIT_OPACITY);
    if (length > 3 * v->height) /* hardly in the picture, and very faint */
        return;
    opacity *= (double)f->presence;
    if (opacity * brightest * p->l->unit < p->faintest || hidden(p, f, x0, y0))
        return;
    stroke(p, x0 - 0.5, y0 - 0.5, x1 - 0.5, y1 - 0.5, radius, opacity, colour);
}

/* ---- all of them ---- */

/* What of the lattice may be bright enough to be drawn: f->reach2, p->dimmest. Returns the
 * greatest; 0: there is nothing. */
static double find_reach(struct paint *p, struct fall *f, double near_m,
                         const struct weather_lamp *lamp)
{
    const bool snow = p->kind == SNOW;
    struct limit l = {.v = p->v,
                      .snow = snow,
                      .exposure_s = p->exposure_s,
                      .speed = p->speed,
                      .smallest_m = p->smallest_m,
                      .slope_m = p->slope_m,
                      .near_m = near_m,
                      .margin_m = f->margin_m,
                      .needed = p->faintest / p->l->unit / (double)f->presence};
    double own = 0, lit = 0;
    for (int k = 0; k < 3; k++) {
        l.ambient = fmax(l.ambient, (double)p->ambient[k] * (snow ? 1 : SHINE_LEAST + SHINE_MORE));
        own = fmax(own, p->l->soft[SOFT_IR][k]);
        lit = lamp ? fmax(lit, lamp->colour[k]) : 0;
    }
    if (p->ir_cos < 2)
        l.ambient += own * (snow ? BACK_SNOW : BACK_RAIN) / fmax(near_m * near_m, 0.04);
    if (lamp) {
        l.lamp = lit * (lamp->always ? 1 : p->l->lamps);
        l.lamp *= snow ? LAMP_SNOW : LAMP_RAIN + LAMP_FORWARD;
        l.reach_m = LAMP_REACH_M;
    }
    return fmax(limit_find(&l, p->dimmest, f->reach2), 0);
}

/* Zoom in octaves beyond 60°, whatever the picture's width. */
static double octave_of(const struct view *v)
{
    return log2(v->f / v->width / REFERENCE_F);
}

/* How much of an octave's lattice shows. */
static float presence_of(double octave, int i)
{
    return i == 0 ? 1 : (float)fmin(fmax(octave - i + 1, 0), 1);
}

/* Most that are in the picture at once in a shell, for the heaviest. */
static double crowd(enum kind kind, double near_m)
{
    double most = kind == RAIN ? 190 : 480;
    return most * fmin(pow(near_m / (kind == RAIN ? 2.2 : 3), 1.3), 1);
}

#define GROWTH 1.5 /* of the shells' distances */

static void lattices(struct paint *p, double heaviness, struct vec way)
{
    struct weather *w = p->w;
    double octave = octave_of(p->v);
    double near0 = p->kind == RAIN ? 0.45 : 0.35, far = p->kind == RAIN ? 45 : 60;
    double densest = p->kind == RAIN ? 1000 : 1600, octaves[OCTAVES] = {1};
    /* A fourth of the picture would want four times as many to be as full; but they are
     * larger there. */
    for (int i = 1; i < OCTAVES; i++)
        octaves[i] = octaves[i - 1] * 2.7;
    int shell = 0;
    for (double z0 = near0; z0 < far; z0 *= GROWTH, shell++) {
        double z1 = z0 * GROWTH;
        double volume = 4 * 0.57735 * 0.32476 * (z1 * z1 * z1 - z0 * z0 * z0) / 3;
        for (int i = 0; i < OCTAVES; i++) {
            float presence = presence_of(octave, i);
            if (!(presence > 0.02f))
                break;
            /* Per m³ when heaviest; nothing is left for finer octaves once all are there. */
            double dense = crowd(p->kind, z0) * octaves[i] / volume;
            bool all_there = dense > densest;
            dense = fmin(dense, densest);
            struct fall f = {.kernels = w->kernels,
                             .view = p->v,
                             .near_m = z0,
                             .far_m = z1,
                             .presence = presence};
            f.cell_m = cbrt(FALL_PLACES / dense);
            f.salt = fall_mix(w->seed + (uint64_t)(p->kind * 4096 + shell * 64 + i));
            f.margin_m = p->kind == RAIN ? 0.01 + 10 * p->exposure_s : 0.14;
            double there; /* per m³, of all sizes that show */
            if (p->kind == RAIN) {
                double slope = 4100 * pow(fmax(heaviness, 0.1), -0.21); /* Marshall and Palmer */
                double all = 8e6 / slope;
                there = fmin(dense * pow(heaviness / 30, 0.6), all * exp(-slope * 0.7e-3));
                p->smallest_m = fmin(log(all / there) / slope, 3.2e-3);
                p->slope_m = 1 / slope;
            } else {
                there = fmin(dense * pow(heaviness / 4, 0.7), 260 * pow(heaviness, 0.8));
                p->smallest_m = 2.2e-3 + 0.12e-3 * z0;
                p->slope_m = 1.6e-3;
            }
            f.share = fmin(there / dense, 1);
            double typical = p->smallest_m + p->slope_m, px = p->v->f / z0;
            double blur = p->aperture_m * p->v->f * fabs(1 / z1 - 1 / p->focus_m);
            if (typical * px < 0.1 * blur)
                continue; /* dissolved in front of the focus */
            double speed = p->kind == RAIN ? 9.65 - 10.3 * exp(-600 * typical)
                                           : 0.9 + 0.35 * (double)(shell % 3 + i % 2);
            p->speed.z = -speed;
            f.drift = way;
            f.drift.z = -speed * p->t - 1;
            if (find_reach(p, &f, z0, NULL))
                fall_each(&f, paint_one, p);
            if (all_there)
                break;
        }
    }
}

/* Drops near a lamp are seen far beyond where others vanish. */
static void around_lamps(struct paint *p, double heaviness, struct vec way)
{
    struct weather *w = p->w;
    double octave = octave_of(p->v);
    const struct vec ahead = p->v->ahead; /* a box's corner is so much nearer than its side */
    const double corner = fabs(ahead.x) + fabs(ahead.y) + fabs(ahead.z);
    for (size_t i = 0; i < w->n_lamps; i++) {
        const struct weather_lamp *lamp = &w->lamp[i];
        struct vec at = vec_sub(lamp->at, w->place.eye);
        double z = vec_dot(at, p->v->ahead), x, y, reach = LAMP_REACH_M;
        if (z < 5 || z > 90 || !(lamp->always || p->l->lamps > 0) || !view_point(p->v, at, &x, &y))
            continue;
        double px = reach * p->v->f / z;
        if (x < -px || x > p->v->width + px || y < -px || y > p->v->height + px)
            continue;
        p->near_lamp[0] = lamp;
        p->n_near = 1;
        for (int o = 0; o < OCTAVES; o++) {
            /* Octaves begin where the lamp is big enough in the picture. */
            float presence = presence_of(octave - log2(z / 22), o);
            if (!(presence > 0.02f))
                break;
            struct fall f = {.kernels = w->kernels,
                             .view = p->v,
                             .near_m = 1,
                             .presence = presence,
                             .margin_m = 0.1};
            double dense = 2 * pow(4, o);
            f.cell_m = cbrt(FALL_PLACES / dense);
            f.share = fmin(pow(heaviness / (p->kind == RAIN ? 20 : 3), 0.7), 1);
            f.salt = fall_mix(w->seed + (uint64_t)(p->kind * 4096 + 2048 + o));
            p->smallest_m = p->kind == RAIN ? 1.6e-3 : 3e-3;
            p->slope_m = p->kind == RAIN ? 0.4e-3 : 2e-3;
            double speed = p->kind == RAIN ? 6.5 : 1.1;
            p->speed.z = -speed;
            f.drift = way;
            f.drift.z = -speed * p->t - 1;
            f.middle = at;
            double nearest = fmax(z - reach * corner, f.near_m);
            double most = find_reach(p, &f, nearest, lamp);
            if (!(most > 0))
                continue;
            most = fmin(sqrt(most), reach);
            f.box_lo = vec_sub(at, vec(most, most, most));
            f.box_hi = vec_add(at, vec(most, most, most));
            fall_each(&f, paint_one, p);
        }
    }
    p->n_near = 0;
}

/* ---- splashes ---- */

#define SPLASH_S 0.075 /* how long one is seen */

static void splash(struct paint *p, struct vec at, double age, uint64_t chance, double presence)
{
    struct weather *w = p->w;
    double x, y, range = vec_len(at);
    if (!view_point(p->v, at, &x, &y) || x < -8 || x > p->v->width + 8 || y < -8 ||
        y > p->v->height + 8)
        return;
    struct vec ray;
    double seen = sight_find(&w->sight, &w->place, p->v, x, y, &ray);
    double ground = ray.z < 0 ? vec_len(ray) * w->place.eye.z / -ray.z : INFINITY;
    if (!(fabs(seen - ground) <= 0.02 * ground + 0.1))
        return; /* no open ground there */
    double px = p->v->f / range, size = 0.6 + 0.8 * fall_unit(chance, 32);
    double high = 0.045 * size * (1 - (2 * age - 1) * (2 * age - 1)), wide = 0.012 * size * px;
    double radius = sqrt(wide * wide + 0.7);
    double opacity = 0.34 * fmin(wide * (wide + high * px) / (radius * radius), 1) * presence;
    struct fallen f = {.at = at, .z = vec_dot(at, p->v->ahead)};
    double colour[3] = {(double)p->ambient[0], (double)p->ambient[1], (double)p->ambient[2]};
    add_lamps(p, &f, colour);
    if (opacity * fmax(colour[0], fmax(colour[1], colour[2])) * p->l->unit < p->faintest)
        return;
    stroke(p, x - 0.5, y - 0.5 - high * px, x - 0.5, y - 0.5, radius, opacity, colour);
}

static void splashes(struct paint *p, double heaviness)
{
    struct weather *w = p->w;
    const struct view *v = p->v;
    if (!w->place.distance)
        return;
    double octave = octave_of(v), tx = v->width / 2.0 / v->f, eye = w->place.eye.z;
    struct vec flat = vec(v->ahead.x, v->ahead.y, 0);
    bool down = vec_len(flat) < 0.3; /* all round, then */
    flat = vec_unit(flat);
    struct vec side = vec(v->right.x, v->right.y, 0);
    double half = down ? M_PI : atan(tx * 1.25) + 0.05;
    /* Depressions that may be in the picture. */
    double tilt = asin(fmin(fmax(v->ahead.z, -1), 1));
    double reach_up = atan(hypot(tx, v->height / 2.0 / v->f)) + 0.02;
    for (int ring = 0; ring < 9; ring++) {
        double r0 = 2.5 * pow(1.4, ring), r1 = r0 * 1.4;
        if (-atan2(eye, r0) > tilt + reach_up || -atan2(eye, r1) < tilt - reach_up)
            continue;
        for (int o = 0; o < 4; o++) {
            double presence = (double)presence_of(octave, o);
            if (!(presence > 0.02))
                break;
            double area = M_PI / 6 * (r1 * r1 - r0 * r0);
            double cell = sqrt(area / (42 * pow(4, o) * pow(fmin(heaviness, 30) / 30, 0.6)));
            cell = r0 * exp2(floor(log2(cell / r0) * 4) / 4); /* the same for a while */
            /* The ring's part in view is a box in (ahead, side), in lattice axes of the world. */
            double reach = half < M_PI / 2 ? r1 * sin(half) : r1;
            double a0 = down ? -r1 : r0 * cos(fmin(half, 1.5)) * 0.98, a1 = r1;
            struct vec lo = vec(INFINITY, INFINITY, 0), hi = vec(-INFINITY, -INFINITY, 0);
            for (int i = 0; i < 4; i++) {
                struct vec q =
                    vec_add(vec_mul(flat, i & 1 ? a1 : a0), vec_mul(side, i & 2 ? reach : -reach));
                lo = vec(fmin(lo.x, q.x), fmin(lo.y, q.y), 0);
                hi = vec(fmax(hi.x, q.x), fmax(hi.y, q.y), 0);
            }
            for (int64_t iy = (int64_t)floor(lo.y / cell); iy <= (int64_t)floor(hi.y / cell); iy++)
                for (int64_t ix = (int64_t)floor(lo.x / cell); ix <= (int64_t)floor(hi.x / cell);
                     ix++) {
                    struct vec middle =
                        vec(((double)ix + 0.5) * cell, ((double)iy + 0.5) * cell, -eye);
                    double z = vec_dot(middle, v->ahead), side_m = vec_dot(middle, v->right);
                    if (z < -cell || fabs(side_m) > tx * z + 2 * cell)
                        continue;
                    uint64_t key = fall_mix(w->seed ^ (uint64_t)(SPLASH * 4096 + ring * 64 + o) ^
                                            (uint64_t)ix * UINT64_C(0x9e3779b185ebca87) ^
                                            (uint64_t)iy * UINT64_C(0xc2b2ae3d27d4eb4f));
                    double clock = p->t / SPLASH_S + fall_unit(key, 0), turn = floor(clock);
                    uint64_t h = fall_mix(key ^ (uint64_t)(int64_t)turn);
                    struct vec at = vec(((double)ix + fall_unit(h, 0)) * cell,
                                        ((double)iy + fall_unit(h, 16)) * cell, -eye);
                    double r2 = at.x * at.x + at.y * at.y;
                    if (r2 >= r0 * r0 && r2 < r1 * r1)
                        splash(p, at, clock - turn, h, presence);
                }
        }
    }
}

/* ---- rain, snow ---- */

static void prepare(struct paint *p, const struct set *s)
{
    const struct view *v = p->v;
    const struct light *l = p->l;
    double zoom = v->f / v->width / REFERENCE_F;
    double focal_m = v->f / v->width * SENSOR_WIDTH_M;
    /* Long ends are slower, and less soft than they should be: one would see nothing. */
    p->aperture_m = focal_m / F_NUMBER / pow(fmax(zoom, 1), 0.6);
    p->focus_m = fmin(9 * pow(fmax(zoom, 0.5), 0.45), 45);
    p->faintest = (l->unit >= LIGHT_DARK_UNIT ? FAINTEST_DARK : FAINTEST) * 16384;
    p->ir_cos = s->ir > 0 ? cos(fmax(s->ir_beam_deg, 4) / 2 * M_PI / 180) : 2;
    for (int k = 0; k < 3; k++) {
        float sky = 0.35f * l->zenith[k] + 0.65f * l->horizon[k];
        /* A drop shows the sky and the ground upside down; a flake is a white card turned
         * every way. */
        p->ambient[k] = p->kind == SNOW ? 0.82f * sky + 0.12f * l->sun_colour[k] * (1 - l->cloud)
                                        : 0.92f * sky + 0.05f * l->sun_colour[k] * (1 - l->cloud);
    }
}

static void paint_kind(struct paint *p, enum kind kind, const struct set *s, double heaviness,
                       int64_t time_ns)
{
    struct vec way;
    p->kind = kind;
    prepare(p, s);
    weather_carry(s, p->w->seed, time_ns, &p->speed, &way);
    around_lamps(p, heaviness, way);
    lattices(p, heaviness, way);
    if (kind == RAIN && heaviness > 1)
        splashes(p, heaviness);
}

size_t weather_find(struct weather *w, const struct view *v, const struct light *l,
                    const struct set *s, int64_t time_ns, int64_t exposure_ns, size_t *ret_blocks)
{
    bool rain = s->rain_mm_h > 0.05, snow = s->snow_mm_h > 0.02;
    if ((!rain && !snow) || v->width < 2 * CAPSULE_BLOCK)
        return 0;
    if (!w->list && !(w->list = malloc(MOST_CAPSULES * sizeof(*w->list))))
        return 0;
    struct paint p = {.w = w, .v = v, .l = l, .to = w->list};
    p.t = (double)time_ns / 1e9;
    p.exposure_s = fmin((double)exposure_ns / 1e9, EXPOSURE_MOST_S);
    if (rain)
        paint_kind(&p, RAIN, s, fmin(s->rain_mm_h, 60), time_ns);
    if (snow)
        paint_kind(&p, SNOW, s, fmin(s->snow_mm_h, 10), time_ns);
    *ret_blocks = p.blocks;
    return p.n;
}
