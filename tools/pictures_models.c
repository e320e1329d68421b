/* For developers: the models on plain ground, as PPM files, and what drawing them costs.
 * usage: pictures_models PACK sheet NAME[:GAIT[:PHASE]]… > FILE.ppm    each from several sides
 *        pictures_models PACK crowd N > FILE.ppm                       N members, 1080p
 *        pictures_models PACK cost N PIXELS                            milliseconds
 * Before them: -n night, -z ZOOM (pixels per metre of a sheet), -m NAME (only that one),
 * -b without the plain kernels */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../test/unit/raster_stub.h"
#include "device/virtual/raster/models.h"

static void write_ppm(const struct radiance *p, double gain)
{
    printf("P6\n%d %d\n255\n", p->width, p->height);
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++) {
            const uint16_t *const from[3] = {p->r, p->g, p->b};
            for (int k = 0; k < 3; k++) {
                double v = from[k][(size_t)y * p->stride + (size_t)x] / 16384.0 * gain;
                v = v / (1 + v * 0.25) * 1.2;
                v = v <= 0.0031308 ? 12.92 * v : 1.055 * pow(v, 1 / 2.4) - 0.055;
                putchar(v > 1 ? 255 : (int)(v * 255 + 0.5));
            }
        }
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* A view from `far` metres away at `up` degrees onto the origin. */
static void look(struct view *v, struct vec *eye, double far, double up, double px_per_m,
                 double height, int w, int h)
{
    double a = up * M_PI / 180;
    *eye = vec(0, -far * cos(a), height + far * sin(a));
    struct pose p = {.tilt_deg = -up, .zoom = 1, .known = true};
    p.hfov_deg = 2 * atan(w / 2.0 / (far * px_per_m)) * 180 / M_PI;
    view_init(v, &p, w, h);
}

static void copy_in(const struct radiance *from, struct radiance *to, int x0, int y0)
{
    const uint16_t *const f[3] = {from->r, from->g, from->b};
    uint16_t *const t[3] = {to->r, to->g, to->b};
    for (int k = 0; k < 3; k++)
        for (int y = 0; y < from->height; y++)
            memcpy(t[k] + (size_t)(y0 + y) * to->stride + x0, f[k] + (size_t)y * from->stride,
                   (size_t)from->width * sizeof(uint16_t));
}

static int sheet(const struct models *m, bool night, double zoom, int n, char **names)
{
    const double headings[] = {180, 225, 270, 330, 40, 120};
    const int cols = 6;
    struct radiance cell, all;
    const struct model *first = NULL;
    double size = 0;
    for (int i = 0; i < n; i++) {
        char name[64];
        snprintf(name, sizeof(name), "%s", names[i]);
        name[strcspn(name, ":")] = 0;
        first = models_named(m, name);
        if (!first) {
            fprintf(stderr, "no model '%s'\n", name);
            return 1;
        }
        for (int k = 0; k < 3; k++)
            size = fmax(size, first->hi[k] - first->lo[k]);
    }
    double px = zoom > 0 ? zoom : 300 / size;
    int w = (int)(size * px * 1.06) & ~3, h = w;
    if (!stub_radiance(&cell, w, h) || !stub_radiance(&all, w * cols, h * n))
        return 1;
    struct light l;
    stub_light(&l, night);
    for (int i = 0; i < n; i++) {
        char name[64], *gait, *phase;
        snprintf(name, sizeof(name), "%s", names[i]);
        gait = strchr(name, ':');
        phase = gait ? strchr(gait + 1, ':') : NULL;
        name[strcspn(name, ":")] = 0;
        first = models_named(m, name);
        for (int c = 0; c < cols; c++) {
            struct backdrop b = {0};
            struct view v;
            look(&v, &b.eye, 40, 12 + 3 * c, px, (first->hi[2] + first->lo[2]) / 2, w, h);
            struct raster *r = raster_new(m, b.eye);
            struct member who = {.model = name,
                                 .heading_deg = headings[c],
                                 .look = (uint32_t)(i * 7 + c),
                                 .scale = 1,
                                 .headlights = night,
                                 .brake_lights = c & 1};
            who.gait = gait ? (enum member_gait)strtol(gait + 1, NULL, 10) : GAIT_STAND;
            who.phase = phase ? strtod(phase + 1, NULL) + (c % 3) * 0.33 : c * 0.16;
            snprintf(who.plate, sizeof(who.plate), "VD%d 4%dX", (17 + i) % 100, c % 10);
            stub_paint(&b, &v, &l, &cell);
            raster_cast(r, &b, &v, &l, &who, 1, &cell, false);
            copy_in(&cell, &all, c * w, i * h);
            raster_free(r);
        }
    }
    write_ppm(&all, night ? 0.4 : 1);
    return 0;
}

static size_t crowd(struct member *who, size_t n, double far, const char *only)
{
    static const char *const people[] = {"man", "woman", "man-2", "woman-2", "man-3", "woman-3"};
    for (size_t i = 0; i < n; i++) {
        who[i] = (struct member){.model = only ? only : people[i % 6],
                                 .look = (uint32_t)(i * 2654435761u),
                                 .scale = 1,
                                 .gait = i % 5 ? GAIT_WALK : GAIT_STAND,
                                 .phase = (double)i * 0.37,
                                 .heading_deg = (double)i * 73};
        who[i].at = vec(((double)(i * 37 % 41) - 20) * far / 40,
                        far * (0.75 + (double)(i * 29 % 31) / 31 * 0.5), 0);
    }
    return n;
}

int main(int argc, char **argv)
{
    bool night = false, best_only = false;
    double zoom = 0;
    const char *only = NULL;
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (!strcmp(argv[i], "-n"))
            night = true;
        else if (!strcmp(argv[i], "-b"))
            best_only = true;
        else if (!strcmp(argv[i], "-z") && i + 1 < argc)
            zoom = strtod(argv[++i], NULL);
        else if (!strcmp(argv[i], "-m") && i + 1 < argc)
            only = argv[++i];
    }
    if (argc - i < 3)
        return 2;
    struct models *m = models_open(argv[i], NULL);
    if (!m)
        return 1;
    if (!strcmp(argv[i + 1], "sheet"))
        return sheet(m, night, zoom, argc - i - 2, argv + i + 2);
    size_t n = strtoul(argv[i + 2], NULL, 10);
    bool cost = !strcmp(argv[i + 1], "cost");
    double pixels = cost && argc - i > 3 ? strtod(argv[i + 3], NULL) : 70;
    struct member who[CAST_MOST];
    struct backdrop b = {.eye = {0, 0, 6}};
    struct radiance p;
    struct view v;
    struct light l;
    struct pose pose = {.tilt_deg = -9, .zoom = 1, .hfov_deg = 60, .known = true};
    view_init(&v, &pose, 1920, 1080);
    double far = 1.75 * v.f / pixels;
    if (cost) {
        pose.tilt_deg = -atan(5 / far) * 180 / M_PI;
        view_init(&v, &pose, 1920, 1080);
    }
    n = crowd(who, n < CAST_MOST ? n : CAST_MOST, far, only);
    stub_light(&l, night);
    if (!stub_radiance(&p, 1920, 1080))
        return 1;
    stub_paint(&b, &v, &l, &p);
    struct raster *r = raster_new(m, b.eye);
    if (!cost) {
        raster_cast(r, &b, &v, &l, who, n, &p, false);
        write_ppm(&p, night ? 0.4 : 1);
        return 0;
    }
    for (int plain = 0; plain < (best_only ? 1 : 2); plain++) {
        raster_use_plain_kernels(r, plain);
        double best = 1e9;
        for (int k = 0; k < 300; k++) {
            for (size_t q = 0; q < n; q++)
                who[q].phase += 0.03;
            double t = now_ms();
            bool kept = raster_cast(r, &b, &v, &l, who, n, &p, true);
            double d = now_ms() - t;
            raster_restore(r, &p);
            if (k > 3 && d < best && kept)
                best = d;
        }
        printf("%s: %zu members of %.0f px: %.3f ms\n", plain ? "plain" : "best", n, pixels, best);
    }
    return 0;
}
