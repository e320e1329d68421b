#include "device/virtual/place/light.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#define RAD (M_PI / 180)
#define LATITUDE 50.0
#define DECLINATION 23.44 /* June */
#define FULL_LUX 100e3    /* what 1 is */
#define CITY_LUX 0.12     /* its glow on a clear night */
#define LAMP_POWER 0.1    /* of the camera's own lamp on a card at 1 m, with a beam of 60 degrees */

static const double baked_hour[LIGHT_SUNS] = {8, 11, 14, 17};

static double clamp01(double v)
{
    return v < 0 ? 0 : v > 1 ? 1 : v;
}

static double smooth(double from, double to, double v)
{
    v = clamp01((v - from) / (to - from));
    return v * v * (3 - 2 * v);
}

static double mix(double a, double b, double k)
{
    return a + (b - a) * k;
}

/* Between the rows of a table, by its first column. */
static double table(const double (*row)[2], size_t n, double x)
{
    if (x <= row[0][0])
        return row[0][1];
    for (size_t i = 1; i < n; i++)
        if (x < row[i][0])
            return mix(row[i - 1][1], row[i][1], (x - row[i - 1][0]) / (row[i][0] - row[i - 1][0]));
    return row[n - 1][1];
}

void light_sun(double hour, double *ret_pan_deg, double *ret_elevation_deg)
{
    double h = (hour - 12) * 15 * RAD, lat = LATITUDE * RAD, dec = DECLINATION * RAD;
    double up = sin(lat) * sin(dec) + cos(lat) * cos(dec) * cos(h);
    double east = -cos(dec) * sin(h), north = cos(lat) * sin(dec) - sin(lat) * cos(dec) * cos(h);
    *ret_elevation_deg = asin(up) / RAD;
    *ret_pan_deg = atan2(east, north) / RAD;
}

static struct vec towards(double pan_deg, double elevation_deg)
{
    double e = elevation_deg * RAD, p = pan_deg * RAD;
    return vec(sin(p) * cos(e), cos(p) * cos(e), sin(e));
}

/* Log10 of the lux of a clear sky without its sun, by the sun's elevation. */
static double sky_lux(double elevation)
{
    static const double row[][2] = {{-18, -3},  {-12, -2.1}, {-9, -0.9}, {-6, 0.53}, {-4, 1.45},
                                    {-2, 2.25}, {0, 2.85},   {2, 3.25},  {5, 3.6},   {10, 3.85},
                                    {20, 4.02}, {40, 4.15},  {63, 4.2}};
    return pow(10, table(row, sizeof(row) / sizeof(*row), elevation));
}

/* Direct light through the air, by channel; 1 at noon. */
static void sun_light(double elevation, float ret[3])
{
    static const double thick[3] = {0.085, 0.15, 0.27}, tint[3] = {1.03, 1, 0.93};
    double up = fmax(sin(elevation * RAD), 0);
    double mass = 1 / (up + 0.15 * pow(fmax(elevation, 0) + 3.885, -1.253));
    double risen = smooth(-0.8, 0.6, elevation);
    for (int i = 0; i < 3; i++)
        ret[i] = (float)(tint[i] * exp(-thick[i] * (mass - 1.12)) * risen);
}

/* Colours with a luminance of 1, by the sun's elevation. */
static void sky_colour(double elevation, float ret[3])
{
    static const double row[][4] = {{-18, 1.05, 0.98, 1.02}, {-8, 0.62, 0.95, 2.1},
                                    {-3, 0.85, 0.96, 1.75},  {0, 1.0, 0.97, 1.35},
                                    {4, 0.95, 0.99, 1.25},   {15, 0.86, 1.01, 1.32}};
    size_t n = sizeof(row) / sizeof(*row), i = 1;
    while (i < n - 1 && elevation > row[i][0])
        i++;
    double k = clamp01((elevation - row[i - 1][0]) / (row[i][0] - row[i - 1][0])), c[3];
    for (int q = 0; q < 3; q++)
        c[q] = mix(row[i - 1][q + 1], row[i][q + 1], k);
    double luma = 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
    for (int q = 0; q < 3; q++)
        ret[q] = (float)(c[q] / luma);
}

/* Which baked suns stand for the hour. Two shadows at once look wrong: one of them nearly
 * always has it all. */
static void shares(double hour, float ret[LIGHT_SUNS])
{
    memset(ret, 0, sizeof(float) * LIGHT_SUNS);
    if (hour <= baked_hour[0]) {
        ret[0] = 1;
        return;
    }
    for (int i = 1; i < LIGHT_SUNS; i++)
        if (hour < baked_hour[i]) {
            double k = (hour - baked_hour[i - 1]) / (baked_hour[i] - baked_hour[i - 1]);
            ret[i] = (float)smooth(0.42, 0.58, k);
            ret[i - 1] = 1 - ret[i];
            return;
        }
    ret[LIGHT_SUNS - 1] = 1;
}

static void sky_look(struct light *l, double elevation, double sky, double cover, double city,
                     double direct)
{
    static const double white[3] = {1, 1, 1}, grey[3] = {0.97, 1, 1.04};
    static const double warm[3] = {1.45, 0.95, 0.5};
    float blue[3], sun[3];
    sky_colour(elevation, blue);
    sun_light(elevation, sun);
    double dusk = smooth(12, 1, elevation) * smooth(-9, -1, elevation);
    /* When the sun is down its glow is low in the west; the rest of the sky is dark. */
    double twilight = smooth(2, -3, elevation);
    static const double afterglow[3] = {3.4, 1.8, 0.6}, ember[3] = {1.45, 1.05, 0.62},
                        clear_air[3] = {0.95, 1.04, 0.98};
    double hazy = l->extinction > 1.0 / 4000 ? 1 : 0;
    for (int i = 0; i < 3; i++) {
        double deep = pow((double)blue[i], 3) * clear_air[i] * mix(1, 0.5, twilight);
        double zenith = sky * 0.62 * deep,
               horizon = sky * 1.5 * mix(pow((double)blue[i], 2), white[i], 0.25);
        horizon *= clear_air[i] * mix(1, 0.32, twilight);
        horizon *= mix(1, ember[i], dusk);
        double over = l->soft[SOFT_OVERCAST][1] > 0 ? (double)l->soft[SOFT_OVERCAST][i] : 0;
        double level = over * grey[i];
        double night = city * warm[i];
        l->zenith[i] = (float)(zenith * (1 - cover) + level * 1.25 * cover + night * 0.4);
        l->horizon[i] =
            (float)(horizon * (1 - cover) + level * mix(0.55, 0.9, hazy) * cover + night * 1.6);
        l->glow[i] = (float)((double)sun[i] * direct + twilight * sky * (1 - cover) * afterglow[i]);
        l->cloud_lit[i] = (float)(0.62 * (double)sun[i] * direct * mix(1, 1.15, dusk) +
                                  sky * 0.9 * (double)blue[i] + level * 0.9 + night * 2.2);
        l->cloud_dark[i] = (float)(0.20 * (double)sun[i] * direct + sky * 0.75 * (double)blue[i] +
                                   level * 0.6 + night * 1.3);
    }
}

void light_without_lamps(struct light *l)
{
    static const int of_lamps[] = {SOFT_LAMPS, SOFT_WINDOWS, SOFT_EMIT};
    for (size_t i = 0; i < sizeof(of_lamps) / sizeof(*of_lamps); i++)
        memset(l->soft[of_lamps[i]], 0, sizeof(l->soft[of_lamps[i]]));
}

double light_flicker(double mains_hz, int64_t start_ns, int64_t end_ns)
{
    /* 2·sin² has the mean 1; in turns of twice the mains. */
    double hz = 2 * mains_hz, from = hz * ((double)start_ns / 1e9);
    double turns = hz * ((double)(end_ns - start_ns) / 1e9);
    from -= floor(from);
    if (turns <= 0)
        return 1 - cos(2 * M_PI * from);
    return 1 - (sin(2 * M_PI * (from + turns)) - sin(2 * M_PI * from)) / (2 * M_PI * turns);
}

/* What a sensor sees besides when its filter is out: sunlight and hot lamps have much infrared,
 * the blue sky has little. Things throw it back as they do light; leaves do more (mixing.h), for
 * whom it is told apart: the result. */
static float add_infrared(float c[3], double share)
{
    static const double seen[3] = {1.35, 0.85, 1}; /* by the sensor's colours */
    double more = share * (double)c[1];
    for (int i = 0; i < 3; i++)
        c[i] += (float)(more * seen[i]);
    return (float)more;
}

static void see_infrared(struct light *l, bool sodium)
{
    const struct {
        int layer;
        double share;
    } soft[] = {{SOFT_SKY, 0.2},
                {SOFT_OVERCAST, 0.4},
                {SOFT_BOUNCE, 0.6},
                {SOFT_BOUNCE + 1, 0.6},
                {SOFT_BOUNCE + 2, 0.6},
                {SOFT_BOUNCE + 3, 0.6},
                {SOFT_LAMPS, sodium ? 0.6 : 0.08},
                {SOFT_WINDOWS, 0.3},
                {SOFT_EMIT, 0.4}};
    for (size_t i = 0; i < sizeof(soft) / sizeof(*soft); i++)
        l->infrared[soft[i].layer] = add_infrared(l->soft[soft[i].layer], soft[i].share);
    l->infrared[SOFT_IR] = l->soft[SOFT_IR][1]; /* it is nothing else */
    l->sun_infrared = add_infrared(l->sun_colour, 0.6);
    add_infrared(l->glow, 0.6);
    add_infrared(l->zenith, 0.1);
    add_infrared(l->horizon, 0.3);
    add_infrared(l->cloud_lit, 0.5);
    add_infrared(l->cloud_dark, 0.4);
    add_infrared(l->haze, 0.4);
}

/* On the axis of the own lamp, which shares out its power over its beam: 1 at 60 degrees. */
static double beam_power(double beam_deg)
{
    return (1 - cos(30 * RAD)) / (1 - cos(fmin(fmax(beam_deg, 4), 180) / 2 * RAD));
}

static double unit_of(double brightest)
{
    double unit = 16384;
    while (brightest * unit < 12288 && unit < 134217728)
        unit *= 2;
    return unit;
}

void light_of(const struct set *s, const struct light_place *p, struct light *l)
{
    double pan, elevation;
    struct light_place june;
    if (!p) {
        june = (struct light_place){.lamp_lux = 15};
        for (int i = 0; i < LIGHT_SUNS; i++)
            light_sun(baked_hour[i], &june.sun_pan[i], &june.sun_elevation[i]);
        p = &june;
    }
    memset(l, 0, sizeof(*l));
    light_sun(s->hour, &pan, &elevation);
    l->disc = towards(pan, elevation);
    shares(s->hour, l->sun_share);
    struct vec sun = vec(0, 0, 0);
    for (int i = 0; i < LIGHT_SUNS; i++)
        sun = vec_add(
            sun, vec_mul(towards(p->sun_pan[i], p->sun_elevation[i]), (double)l->sun_share[i]));
    l->sun = vec_unit(sun);
    l->cloud = (float)clamp01(s->cloud);
    l->wet = p->indoor ? 0 : clamp01(s->wet);
    l->lying = clamp01(s->lying);
    double visible = s->visibility_m > 0 ? s->visibility_m : 1;
    /* 5 % are left; clear air has some, too. Under a roof it stays clear and dry: fog and rain are
     * outside, and told by the light that comes in. */
    l->extinction = 3.0 / (p->indoor ? 60e3 : fmin(visible, 60e3));
    /* Sun and sky. */
    double cover = smooth(0.35, 1, (double)l->cloud);
    double direct = (1 - smooth(0.45, 0.95, (double)l->cloud)) * smooth(200, 3000, visible);
    double foggy = 1 - smooth(400, 5000, visible);
    sun_light(elevation, l->sun_colour);
    /* The suns stand higher than one that sets, whose light hardly reaches the ground. */
    double grazing = mix(0.2, 1, smooth(0, 11, elevation));
    double high = (double)l->sun_colour[1] * fmax(sin(elevation * RAD), 0.02);
    double sky = sky_lux(elevation) / FULL_LUX;
    double dull = 0.16 * high + 0.45 * sky; /* of an overcast sky or a fog */
    cover = fmax(cover, foggy);
    if ((double)l->sun_colour[1] * direct < 1e-7)
        memset(l->sun_share, 0, sizeof(l->sun_share));
    float blue[3];
    sky_colour(elevation, blue);
    static const double grey[3] = {0.97, 1, 1.05}, city_tint[3] = {1.35, 0.95, 0.55};
    double city = CITY_LUX / FULL_LUX * smooth(2, -6, elevation) * (1 + 1.5 * (double)l->cloud);
    for (int i = 0; i < 3; i++) {
        l->sun_colour[i] *= (float)(direct * grazing);
        l->soft[SOFT_SKY][i] = (float)(sky * (1 - cover) * (double)blue[i]);
        l->soft[SOFT_OVERCAST][i] = (float)(dull * cover * grey[i] + city * city_tint[i]);
        for (int k = 0; k < LIGHT_SUNS; k++)
            l->soft[SOFT_BOUNCE + k][i] = l->sun_colour[i] * l->sun_share[k];
    }
    /* Lamps come on one after another, when there is less than about 60 lux. */
    double open = light_open(l);
    l->lamps = s->lamps >= 0 ? clamp01(s->lamps)
               : p->indoor   ? 1
                             : smooth(log(110), log(35), log(open * FULL_LUX));
    static const double lamp[2][3] = {{1.06, 1, 0.86}, {1.65, 0.87, 0.22}}; /* LED, sodium */
    double own = s->bare ? clamp01(s->ir) * beam_power(s->ir_beam_deg) : 0;
    for (int i = 0; i < 3; i++) {
        l->soft[SOFT_LAMPS][i] = (float)(l->lamps * lamp[s->sodium][i]);
        l->soft[SOFT_WINDOWS][i] = (float)l->lamps;
        l->soft[SOFT_EMIT][i] = (float)l->lamps;
        l->soft[SOFT_IR][i] = (float)(own * LAMP_POWER);
    }
    double half = s->ir_beam_deg / 2 * RAD;
    l->ir_edge = own > 0 && half > 0.01 && half < 1.5 ? 1 - cos(half) : 0;
    sky_look(l, elevation, sky, cover, city, direct);
    /* The air between shows what lights it: the sky near the horizon, lamps in a fog. */
    static const double lamp_haze[3] = {1.1, 0.95, 0.7};
    for (int i = 0; i < 3; i++)
        l->haze[i] = (float)(mix((double)l->horizon[i], open * 0.9, 0.5 * foggy) +
                             foggy * l->lamps * 1.1e-5 * lamp_haze[i]);
    double brightest = fmax(open, l->lamps * p->lamp_lux * 1.2 / FULL_LUX);
    brightest = fmax(brightest, own * 2e-3);
    if (s->bare)
        see_infrared(l, s->sodium);
    l->unit = unit_of(brightest);
}

double light_open(const struct light *l)
{
    double up = fmax(l->disc.z, 0);
    return (double)l->sun_colour[1] * up + (double)l->soft[SOFT_SKY][1] +
           (double)l->soft[SOFT_OVERCAST][1];
}
