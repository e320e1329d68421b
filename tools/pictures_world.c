/* Looks into the virtual world: renders one pose to a PPM file, or times it.
 *
 *     pictures_world PAN TILT ZOOM SECONDS OUT.ppm [SEED]
 *     pictures_world bench PAN TILT ZOOM
 *
 * A tool for developers; the camera itself is not involved (linear light is only
 * gamma-coded here). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "device/virtual/world.h"

#define W 1920
#define H 1080

static struct pose pose_of(double pan, double tilt, double zoom)
{
    return (struct pose){.pan_deg = pan,
                         .tilt_deg = tilt,
                         .zoom = zoom,
                         .focus = 1,
                         .hfov_deg = 2 * atan(tan(M_PI / 6) / zoom) * 180 / M_PI,
                         .known = true};
}

/* CPU time: what else runs on the machine does not count. */
static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void bench(struct world *w, struct radiance *r, double pan, double tilt, double zoom)
{
    const int n = 60;
    struct pose p = pose_of(pan, tilt, zoom);
    world_render(w, &p, &p, 0, 0, r);
    double t = now_ms();
    for (int i = 0; i < n; i++)
        world_render(w, &p, &p, i * INT64_C(33333333), 0, r);
    printf("still    %6.2f ms\n", (now_ms() - t) / n);
    t = now_ms();
    for (int i = 0; i < n; i++) {
        struct pose a = pose_of(pan + i * 1e-6, tilt, zoom);
        world_render(w, &a, &a, i * INT64_C(33333333), 0, r);
    }
    printf("unblurred%6.2f ms\n", (now_ms() - t) / n);
    for (double speed = 5; speed <= 300; speed *= 7.745) {
        t = now_ms();
        for (int i = 0; i < n; i++) {
            struct pose a = pose_of(pan + i * speed / 30, tilt, zoom);
            struct pose b = pose_of(pan + i * speed / 30 + speed * 0.004, tilt, zoom);
            world_render(w, &a, &b, i * INT64_C(33333333), 0, r);
        }
        printf("%3.0f deg/s%6.2f ms\n", speed, (now_ms() - t) / n);
    }
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: %s PAN TILT ZOOM SECONDS OUT.ppm [SEED] | bench PAN TILT ZOOM\n",
                argv[0]);
        return 2;
    }
    uint16_t *rgb = calloc((size_t)W * H * 3, sizeof(*rgb));
    double t = now_ms();
    struct world *w = world_new(argc > 6 ? strtoull(argv[6], NULL, 10) : 0);
    if (!w || !rgb)
        return 1;
    fprintf(stderr, "open %.0f ms\n", now_ms() - t);
    struct radiance r = {W, H, W, rgb, rgb + (size_t)W * H, rgb + (size_t)W * H * 2, 0};
    if (!strcmp(argv[1], "bench")) {
        bench(w, &r, strtod(argv[2], NULL), strtod(argv[3], NULL), strtod(argv[4], NULL));
        world_free(w);
        free(rgb);
        return 0;
    }
    struct pose p = pose_of(strtod(argv[1], NULL), strtod(argv[2], NULL), strtod(argv[3], NULL));
    int64_t at = (int64_t)(strtod(argv[4], NULL) * 1e9);
    world_render(w, &p, &p, at, at, &r);
    struct truth_object o[8];
    size_t n = world_truth(w, &p, (double)W / H, at, o, 8);
    for (size_t i = 0; i < n; i++)
        fprintf(stderr, "%s box %.0f,%.0f %.0fx%.0f at %.1f,%.1f visible %.2f\n", o[i].id,
                o[i].box[0] * W, o[i].box[1] * H, o[i].box[2] * W, o[i].box[3] * H, o[i].world[0],
                o[i].world[1], o[i].visible);
    double gain = 0.25 / world_meter(w, &p, (double)W / H);
    FILE *f = fopen(argv[5], "wb");
    if (!f)
        return 1;
    fprintf(f, "P6\n%d %d\n255\n", W, H);
    for (size_t i = 0; i < (size_t)W * H; i++) {
        const uint16_t v[3] = {r.r[i], r.g[i], r.b[i]};
        for (int k = 0; k < 3; k++) {
            double x = v[k] / 16384.0 * gain;
            fputc((int)(255 * pow(x > 1 ? 1 : x, 0.45) + 0.5), f);
        }
    }
    fclose(f);
    world_free(w);
    free(rgb);
    return 0;
}
