#include "source.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "device/device.h"
#include "device/virtual/cast/cast.h"
#include "device/virtual/stage/stage.h"
#include "media/shot.h"

#define MOST 400
#define SETTLE                                                                                     \
    90         /* pictures until the place is as it stays: wet streets are lit anew for a while */
#define WARM 8 /* pictures of those who came then, before those that count */
#define FPS 30
#define AGAIN 12 /* times each picture is taken: what else the machine does only adds to it */
#define SCENARIO_MOST 16384

/* Twenty who walk, stand and drive where home looks. */
static const char *const twenty[] = {
    "woman walk (-14 24 14 24)",      "man walk (12 26 -14 26)",
    "man walk (-10 28 16 28)",        "woman walk (9 30 -16 30)",
    "woman walk (-6 32 18 32)",       "man walk (4 34 -18 34)",
    "man walk (0 36 20 36)",          "woman walk (-2 25 -20 38)",
    "woman walk (3 23 15 38)",        "man walk (-8 35 10 22)",
    "woman walk (7 37 -9 24)",        "man walk (14 31 -14 33)",
    "man at -3 27 facing 180",        "woman at 2 29 facing 90",
    "woman at 6 25 facing 270",       "man at -7 31 facing 200",
    "car-hatch drive (-18 40 30 40)", "car-suv drive (16 43 -30 43)",
    "car-estate drive (-8 46 40 46)", "van drive (6 49 -40 49)"};

struct scene {
    const char *name;
    const char *scenario; /* of the folder; NULL: nobody but the twenty */
    const char *commands; /* with ';' between */
    double ms, gain_db;   /* of the exposure */
    bool infrared;        /* the filter is out, the picture grey */
};
static const struct scene scenes[] = {
    {"noon", "default", "", 5, 0, false},
    {"night", NULL, "hour 22.5;weather rain 0s", 33, 36, false},
    {"ir", NULL, "hour 23;lamps off;ir on", 33, 36, true},
    {"spray", "default", "lens spray 0.4 0s", 5, 0, false},
    {"cover", "default", "lens cover 0.5 0s", 5, 0, false},
    {"blur", "default", "lens blur 0.3 0s", 5, 0, false},
    {"blurred", "default", "lens blur 1 0s", 5, 0, false},
};

struct stroll {
    const char *name;
    double speed; /* degrees a second; INFINITY: as fast as the head can */
};
static const struct stroll strolls[] = {
    {"still", 0}, {"slow", 3}, {"pan", 60}, {"fastest", INFINITY}};

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int play(struct device *d, const char *folder, const struct scene *s)
{
    struct fault why = {0};
    char path[512], text[SCENARIO_MOST];
    if (s->scenario) {
        snprintf(path, sizeof path, "%s/%s.scenario", folder, s->scenario);
        FILE *f = fopen(path, "rb");
        size_t len = f ? fread(text, 1, sizeof text, f) : 0;
        if (f)
            fclose(f);
        if (!len || cast_load(d->cast, 0, text, len, &why))
            return fprintf(stderr, "source: %s: %s\n", path, why.text), -1;
        d->run(d, 0); /* what the scenario tells the stage */
    } else {
        static const char nobody[] = "scenario nobody\nlength 600 loop\n";
        if (cast_load(d->cast, 0, nobody, sizeof nobody - 1, &why))
            return fprintf(stderr, "source: %s\n", why.text), -1;
    }
    snprintf(text, sizeof text, "%s", s->commands);
    for (char *rest = text, *one; (one = strsep(&rest, ";"));)
        if (*one && stage_command_text(d->stage, 0, one, &why))
            return fprintf(stderr, "source: %s: %s\n", one, why.text), -1;
    return 0;
}

static int spawn_twenty(struct device *d, int64_t at_ns)
{
    struct fault why = {0};
    char id[32];
    for (size_t i = 0; i < sizeof twenty / sizeof *twenty; i++)
        if (cast_spawn(d->cast, at_ns, twenty[i], id, &why))
            return fprintf(stderr, "source: %s: %s\n", twenty[i], why.text), -1;
    return 0;
}

/* Each picture's cost goes into `ms` where it is less than what stands there. */
static int measure(int n, const char *folder, const struct scene *s, const struct stroll *m,
                   double *ms)
{
    struct fault why = {0};
    struct clock *clock = clock_new_sim();
    struct device *d = device_open("virtual", 1, clock, NULL, &why);
    int rc = d ? play(d, folder, s) : (fprintf(stderr, "source: %s\n", why.text), -1);
    if (!rc && m->speed > 0) {
        struct head_caps caps;
        d->head->ops->caps(d->head, &caps);
        d->head->ops->move(d->head, fmin(m->speed, caps.max_pan_speed), 0, NAN);
    }
    struct sensor_settings how = {.exposure_ns = (int64_t)(s->ms * 1e6),
                                  .gain_db = s->gain_db,
                                  .red = 1,
                                  .blue = 1,
                                  .ir_cut = !s->infrared,
                                  .mono = s->infrared,
                                  .range = 1};
    tone_plain(&how.tone);
    if (!rc) {
        d->sensor->ops->set(d->sensor, &how);
        d->lens->ops->iris(d->lens, s->gain_db > 0 ? 1.6 : 4);
    }
    for (int i = -WARM - SETTLE; !rc && i < n; i++) {
        struct shot *shot = NULL;
        int64_t at = NSEC_PER_SEC + (int64_t)(i + WARM + SETTLE) * NSEC_PER_SEC / FPS;
        clock_advance(clock, at - clock_now(clock));
        if (i == -WARM && !s->scenario && (rc = spawn_twenty(d, at)))
            break;
        int64_t before = clock_thread_cpu_ns();
        rc = d->sensor->ops->take(d->sensor, (uint64_t)(i + WARM + SETTLE), at, &shot);
        if (i >= 0)
            ms[i] = fmin(ms[i], (double)(clock_thread_cpu_ns() - before) / 1e6);
        shot_unref(shot);
    }
    if (d)
        d->close(d);
    clock_free(clock);
    return rc < 0 ? -1 : 0;
}

int source_rows(int n, const char *scenarios, const char *only,
                void (*tell)(const char *, double, double))
{
    static double ms[MOST];
    n = n > MOST ? MOST : n;
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
        for (size_t k = 0; k < sizeof strolls / sizeof *strolls; k++) {
            char name[64];
            snprintf(name, sizeof name, "source_%s_%s", scenes[i].name, strolls[k].name);
            if ((i > 1 && k > 0) || (only && !strstr(name, only)))
                continue;
            for (int q = 0; q < n; q++)
                ms[q] = INFINITY;
            for (int again = 0; again < AGAIN; again++)
                if (measure(n, scenarios, &scenes[i], &strolls[k], ms) < 0)
                    return -1;
            double sum = 0;
            for (int q = 0; q < n; q++)
                sum += ms[q];
            qsort(ms, (size_t)n, sizeof *ms, by_value);
            tell(name, ms[n / 2], sum / n);
        }
    return 0;
}
