/* The sensor of the virtual camera in the street: settings obeyed, by what its pixels show. */
#include "device/device.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "device/virtual/cast/cast.h"
#include "device/virtual/stage/stage.h"
#include "media/picture.h"
#include "media/shot.h"
#include "unit.h"

#define SECOND INT64_C(1000000000)
#define MS INT64_C(1000000)

static struct clock *timer;
static struct device *device;
static struct sensor_settings settings;
static uint64_t serial;

static void command(const char *text)
{
    struct fault why = {0};
    if (stage_command_text(device->stage, clock_now(timer), text, &why) < 0)
        unit_fail(__FILE__, __LINE__, "%s: %s", text, why.text);
}

/* The street without its people, but for `who`; commands of the stage, apart by ';'. */
static void begin(const char *spec, const char *who, const char *commands)
{
    static const char nobody[] = "scenario nobody\nlength 600 loop\n";
    struct fault why = {0};
    char id[32], text[128];
    timer = clock_new_sim();
    device = device_open(spec, 1, timer, NULL, &why);
    if (!device)
        unit_fail(__FILE__, __LINE__, "%s", why.text);
    CHECK(cast_load(device->cast, 0, nobody, sizeof(nobody) - 1, &why) == 0);
    if (who && cast_spawn(device->cast, 0, who, id, &why) < 0)
        unit_fail(__FILE__, __LINE__, "%s", why.text);
    strcpy(text, commands);
    for (char *rest = text, *one; (one = strsep(&rest, ";"));)
        if (*one)
            command(one);
    settings = (struct sensor_settings){.exposure_ns = 5 * MS,
                                        .red = 1,
                                        .blue = 1,
                                        .ir_cut = true,
                                        .range = 1,
                                        .temporal = 1,
                                        .spatial = 1};
    tone_plain(&settings.tone);
    serial = 0;
}

static void done(void)
{
    device->close(device);
    clock_free(timer);
}

static void advance(int64_t ns)
{
    CHECK(clock_advance(timer, ns) == 0);
}

static struct shot *take(void)
{
    struct shot *s = NULL;
    device->sensor->ops->set(device->sensor, &settings);
    CHECK(device->sensor->ops->take(device->sensor, ++serial, clock_now(timer), &s) == 0);
    return s;
}

/* Mean and variance of luma in a box (pixels). */
static double mean_of(const struct shot *s, int x0, int y0, int x1, int y1, double *ret_variance)
{
    double sum = 0, squares = 0, n = (double)(x1 - x0) * (y1 - y0);
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++) {
            double v = s->pixels->plane[0][(long)y * s->pixels->stride[0] + x];
            sum += v;
            squares += v * v;
        }
    *ret_variance = squares / n - (sum / n) * (sum / n);
    return sum / n;
}

static double green(const struct shot *s)
{
    double sum = 0;
    for (int j = 0; j < SHOT_DOWN; j++)
        for (int i = 0; i < SHOT_ACROSS; i++)
            sum += (double)s->light->mean[j][i][1];
    return sum / (SHOT_DOWN * SHOT_ACROSS);
}

TEST(does_as_it_is_told)
{
    begin("virtual:street,640x360@30", NULL, "");
    struct sensor_caps c;
    device->sensor->ops->caps(device->sensor, &c);
    CHECK_INT(c.can, SENSOR_EXPOSURE | SENSOR_GAIN | SENSOR_BALANCE | SENSOR_FILTER | SENSOR_TONE |
                         SENSOR_RANGE | SENSOR_CLEAN);
    CHECK(c.longest_ns == 2 * SECOND && c.n_modes == 0); /* this one was asked for */
    CHECK(device->sensor->ops->use_mode(device->sensor, 0, 50) < 0);
    advance(SECOND);
    double light[3];
    for (int i = 0; i < 3; i++) {
        settings.exposure_ns = MS / 4 << (i > 0);
        settings.gain_db = i == 2 ? 6.0206 : 0;
        struct shot *s = take();
        CHECK(s->how.end_ns - s->how.start_ns == settings.exposure_ns);
        CHECK(s->how.gain_db == settings.gain_db && s->how.range == 1 && s->how.ir_cut);
        CHECK_NEAR(s->how.iris_f, 1.6, 1e-9);
        CHECK(s->light);
        light[i] = green(s);
        shot_unref(s);
    }
    CHECK_NEAR(light[1] / light[0], 2, 0.03);
    CHECK_NEAR(light[2] / light[0], 4, 0.25); /* some of it clips */
    device->lens->ops->iris(device->lens, 3.2);
    advance(SECOND);
    settings.gain_db = 0;
    settings.exposure_ns = 1;
    settings.red = 99;
    settings.range = 7;
    settings.mono = true;
    struct shot *s = take();
    CHECK_NEAR(s->how.iris_f, 3.2, 1e-9);
    CHECK(s->how.end_ns - s->how.start_ns == c.shortest_ns);
    CHECK(s->how.red == 10 && s->how.range == 7 && s->how.mono);
    CHECK(s->pixels->plane[1][100] == 128 && s->pixels->plane[2][100] == 128);
    CHECK_NEAR(green(s) / light[0], 0.2 / 4, 0.01); /* a fifth of the time, a quarter of the iris */
    shot_unref(s);
    done();
}

TEST(modes)
{
    begin("virtual:street", NULL, "");
    struct sensor *s = device->sensor;
    struct sensor_caps c;
    s->ops->caps(s, &c);
    CHECK(c.width == 1920 && c.height == 1080 && c.fps == 30 && c.n_modes == 8);
    unsigned found = 0;
    for (unsigned i = 0; i < c.n_modes; i++) {
        CHECK(s->ops->use_mode(s, i, 50) == 0);
        struct sensor_caps now;
        s->ops->caps(s, &now);
        CHECK(now.width == c.mode[i].width && now.height == c.mode[i].height);
        CHECK(now.fps == c.mode[i].fps && now.longest_ns == c.longest_ns);
        found |= now.height == 720 && now.fps == 25    ? 1
                 : now.height == 1080 && now.fps == 60 ? 2
                                                       : 0;
    }
    CHECK_INT(found, 3);
    CHECK(s->ops->use_mode(s, c.n_modes, 50) < 0 && s->ops->use_mode(s, 0, 55) < 0);
    CHECK(s->ops->use_mode(s, 7, 50) == 0);
    advance(SECOND);
    struct shot *p = take();
    CHECK(p->pixels->width == 1280 && p->pixels->height == 720);
    shot_unref(p);
    done();
}

/* An exposure of 0.1 s at 30 a second: of three ticks one gives a picture, that has three times the
 * light; a tick may be taken again. */
TEST(a_long_exposure_takes_more_than_a_tick)
{
    begin("virtual:street,320x180@30", NULL, "hour 23");
    double light[2];
    int taken[2] = {0};
    for (int i = 0; i < 2; i++) {
        settings.exposure_ns = i ? 100 * MS : 33 * MS + 333333;
        settings.gain_db = 12;
        device->sensor->ops->set(device->sensor, &settings);
        for (int k = 0; k < 12; k++) {
            struct shot *s = NULL;
            advance(33333333);
            int err = device->sensor->ops->take(device->sensor, ++serial, clock_now(timer), &s);
            CHECK(err == 0 || (i && err == -EAGAIN && !s));
            if (err)
                continue;
            taken[i]++;
            light[i] = green(s);
            shot_unref(s);
            CHECK(device->sensor->ops->take(device->sensor, serial, clock_now(timer), &s) == 0);
            shot_unref(s);
        }
    }
    CHECK_INT(taken[0], 12);
    CHECK_INT(taken[1], 4);
    CHECK_NEAR(light[1] / light[0], 3, 0.2);
    done();
}

static double ripple_of(int x0, int y0, int x1, int y1)
{
    double lo = INFINITY, hi = 0, sum = 0, unused;
    for (int k = 0; k < 12; k++) {
        advance(37 * MS);
        struct shot *s = take();
        double v = mean_of(s, x0, y0, x1, y1, &unused) - 16;
        lo = fmin(lo, v);
        hi = fmax(hi, v);
        sum += v / 12;
        shot_unref(s);
    }
    return (hi - lo) / sum;
}

/* At dusk the road under a lamp flickers, the sky does not. */
TEST(lamps_flicker_where_they_shine)
{
    begin("virtual:street,320x180@30", NULL, "hour 20.5;lamps on;mains 50");
    settings.exposure_ns = 4 * MS;
    settings.gain_db = 24;
    for (int k = 0; k < TONE_POINTS; k++)
        settings.tone.signal[k] = (float)fmin(exp2(k / 4.0 - 12), 1);
    advance(SECOND);
    double sky = ripple_of(0, 0, 320, 12), road = ripple_of(40, 130, 280, 150);
    if (!(sky < 0.1 * road && road > 0.1))
        unit_fail(__FILE__, __LINE__, "ripple of the sky %g, of the road %g", sky, road);
    done();
}

/* Lamps that flicker: what exposure integrates of it. Whole half periods have none. */
TEST(ripple_of_lamps)
{
    static const struct {
        const char *mains;
        double ms, least, most; /* of the ripple, peak to peak over the mean */
    } cases[] = {{"mains off", 8, 0, 0.01}, {"mains 50", 8, 0.2, 0.6}, {"mains 50", 10, 0, 0.02},
                 {"mains 50", 20, 0, 0.02}, {"mains 60", 25, 0, 0.02}, {"mains 60", 20, 0.05, 0.4}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        begin("virtual:street,320x180@30", NULL, "hour 23");
        command(cases[i].mains);
        double lo = INFINITY, hi = 0, sum = 0;
        settings.exposure_ns = (int64_t)(cases[i].ms * 1e6);
        settings.gain_db = 30;
        for (int k = 0; k < TONE_POINTS; k++) /* light as it is */
            settings.tone.signal[k] = (float)fmin(exp2(k / 4.0 - 12), 1);
        advance(SECOND);
        for (int k = 0; k < 24; k++) {
            advance(37 * MS);
            struct shot *s = take();
            double unused, v = mean_of(s, 0, 0, 320, 180, &unused) - 16;
            lo = fmin(lo, v);
            hi = fmax(hi, v);
            sum += v / 24;
            shot_unref(s);
        }
        CHECK((hi - lo) / sum >= cases[i].least && (hi - lo) / sum <= cases[i].most);
        done();
    }
    begin("virtual:street,320x180@30", NULL, "hour 12;mains 50");
    settings.exposure_ns = MS / 4;
    double v[2];
    for (int k = 0; k < 2; k++) {
        advance(SECOND + 5 * MS);
        struct shot *s = take();
        v[k] = green(s);
        shot_unref(s);
    }
    CHECK_NEAR(v[1] / v[0], 1, 0.01); /* the sun does not */
    done();
}

/* A man at 50 m in a dark street: how far his light shirt stands out from what is beside him, over
 * the noise of a pixel. */
static double contrast(bool ir_cut, double intensity)
{
    begin("virtual:street,1920x1080@30", "man at 3 50 facing 180 look 2", "hour 0;lamps off");
    device->head->ops->go(device->head, 3.4, -7, 8, 1);
    advance(4 * SECOND);
    device->infrared->ops->set(device->infrared, intensity, 9);
    advance(SECOND);
    settings.exposure_ns = 33 * MS;
    settings.gain_db = 42;
    settings.ir_cut = ir_cut;
    settings.mono = true;
    struct shot *s = take();
    double figure, beside, a, b;
    figure = mean_of(s, 955, 240, 985, 270, &a);
    beside = mean_of(s, 1045, 240, 1075, 270, &b);
    shot_unref(s);
    done();
    return fabs(figure - beside) / sqrt(fmax((a + b) / 2, 1 / 12.0));
}

TEST(infrared_shows_a_man_at_50_metres)
{
    CHECK(contrast(false, 0) < 1);
    CHECK(contrast(true, 1) < 1); /* the filter keeps it off */
    CHECK(contrast(false, 1) >= 6);
}

/* The filter out: more light, other colours. */
TEST(without_its_filter_it_sees_more)
{
    double light[2], blue[2];
    begin("virtual:street,320x180@30", NULL, "hour 12");
    settings.exposure_ns = MS / 8;
    for (int i = 0; i < 2; i++) {
        advance(SECOND);
        settings.ir_cut = i == 0;
        struct shot *s = take();
        light[i] = green(s);
        blue[i] = (double)s->light->mean[4][16][2] / (double)s->light->mean[4][16][1];
        shot_unref(s);
    }
    CHECK(light[1] > 1.3 * light[0]);
    CHECK(fabs(blue[1] - blue[0]) > 0.02);
    done();
}

/* Orange light, where street lamps are all that there is; balanced, a grey road is grey again. */
TEST(sodium_lamps_are_orange)
{
    static float was[SHOT_DOWN][SHOT_ACROSS][3];
    int x = 0, y = 0;
    double least = 1;
    begin("virtual:street,640x360@30", NULL, "hour 23");
    settings.exposure_ns = 33 * MS;
    settings.gain_db = 30;
    advance(SECOND);
    struct shot *s = take();
    memcpy(was, s->light->mean, sizeof(was));
    shot_unref(s);
    advance(SECOND);
    command("lamp light sodium");
    advance(SECOND);
    s = take();
    for (int j = 0; j < SHOT_DOWN; j++)
        for (int i = 0; i < SHOT_ACROSS; i++) {
            const float *a = was[j][i], *b = s->light->mean[j][i];
            double blue = (double)(b[2] / b[1] / (a[2] / a[1]));
            if (a[1] > 0.05f && a[1] < 0.5f && blue < least) {
                least = blue;
                x = i;
                y = j;
            }
        }
    CHECK(least < 0.4);
    const float *c = s->light->mean[y][x];
    CHECK(c[0] > 1.5f * c[1]);
    settings.red = (double)(c[1] / c[0]);
    settings.blue = (double)(c[1] / c[2]);
    shot_unref(s);
    s = take();
    double cb = 0, cr = 0;
    for (int j = 0; j < 10; j++)
        for (int i = 0; i < 10; i++) {
            cb += s->pixels->plane[1][(y * 10 + j) * s->pixels->stride[1] + x * 10 + i] / 100.0;
            cr += s->pixels->plane[2][(y * 10 + j) * s->pixels->stride[2] + x * 10 + i] / 100.0;
        }
    CHECK_NEAR(cb, 128, 6);
    CHECK_NEAR(cr, 128, 6);
    shot_unref(s);
    done();
}

UNIT_MAIN(UNIT_ROW(does_as_it_is_told) UNIT_ROW(modes)
              UNIT_ROW(a_long_exposure_takes_more_than_a_tick)
                  UNIT_ROW(lamps_flicker_where_they_shine) UNIT_ROW(ripple_of_lamps)
                      UNIT_ROW(infrared_shows_a_man_at_50_metres)
                          UNIT_ROW(without_its_filter_it_sees_more)
                              UNIT_ROW(sodium_lamps_are_orange))
