/* Looks into the virtual world: renders one pose to a PPM file, or times it.
 *
 *     pictures_world PLACE PAN TILT ZOOM SECONDS OUT.ppm [STAGE COMMAND]...
 *     pictures_world PLACE PAN TILT ZOOM SECONDS bench [STAGE COMMAND]...
 *
 * Stage commands as in docs/stage.md ("hour 21", "weather rain"); "scenario NAME" plays
 * another one. A tool for developers; the camera itself is not involved (linear light is
 * only gamma-coded here). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "device/virtual/cast/cast.h"
#include "device/virtual/cast/library.h"
#include "device/virtual/place/tiles.h"
#include "device/virtual/radiance.h"
#include "device/virtual/raster/models.h"
#include "device/virtual/stage/stage.h"
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

static void bench(struct world *w, struct radiance *r, double pan, double tilt, double zoom,
                  int64_t at)
{
    const int n = 60;
    struct pose p = pose_of(pan, tilt, zoom);
    double t = now_ms();
    world_render(w, &p, &p, at, at, r);
    printf("first    %6.2f ms\n", now_ms() - t);
    t = now_ms();
    for (int i = 0; i < n; i++) {
        int64_t s = at + i * INT64_C(33333333);
        world_render(w, &p, &p, s, s + 3000000, r);
    }
    printf("still    %6.2f ms\n", (now_ms() - t) / n);
    t = now_ms();
    for (int i = 0; i < n; i++) {
        int64_t s = at + i * INT64_C(33333333);
        struct pose a = pose_of(pan + i * 1e-6, tilt, zoom);
        world_render(w, &a, &a, s, s + 3000000, r);
    }
    printf("unblurred%6.2f ms\n", (now_ms() - t) / n);
    for (double speed = 5; speed <= 300; speed *= 7.745) {
        t = now_ms();
        for (int i = 0; i < n; i++) {
            int64_t s = at + i * INT64_C(33333333);
            struct pose a = pose_of(pan + i * speed / 30, tilt, zoom);
            struct pose b = pose_of(pan + i * speed / 30 + speed * 0.004, tilt, zoom);
            world_render(w, &a, &b, s, s + 4000000, r);
        }
        printf("%3.0f deg/s%6.2f ms\n", speed, (now_ms() - t) / n);
    }
}

static void write_ppm(const char *path, const struct radiance *r, double gain)
{
    FILE *f = fopen(path, "wb");
    if (!f) {
        perror(path);
        exit(1);
    }
    fprintf(f, "P6\n%d %d\n255\n", W, H);
    for (size_t i = 0; i < (size_t)W * H; i++) {
        const uint16_t v[3] = {r->r[i], r->g[i], r->b[i]};
        for (int k = 0; k < 3; k++) {
            double x = v[k] / r->unit * gain;
            x = x < 0.7 ? x : 0.7 + 0.3 * (x - 0.7) / (x - 0.4);
            fputc((int)(255 * pow(x, 0.45) + 0.5), f);
        }
    }
    fclose(f);
}

int main(int argc, char **argv)
{
    if (argc < 7) {
        fprintf(stderr, "usage: %s PLACE PAN TILT ZOOM SECONDS OUT.ppm|bench [STAGE COMMAND]...\n",
                argv[0]);
        return 2;
    }
    struct fault why = {0};
    double t = now_ms();
    struct tiles *tiles = tiles_find(argv[1], &why);
    struct models *models = tiles ? models_find(&why) : NULL;
    struct stage *stage = stage_new(0);
    struct cast *cast = cast_new(0);
    struct scenario_library *library = library_new();
    const char *scenario = strcmp(argv[1], "hall") == 0 ? "hall-day" : "default";
    for (int i = 7; i < argc; i++)
        if (!strncmp(argv[i], "scenario ", 9))
            scenario = argv[i] + 9;
        else if (stage_command_text(stage, 0, argv[i], &why) < 0) {
            fprintf(stderr, "%s: %s\n", argv[i], why.text);
            return 2;
        }
    if (!tiles || !models) {
        fprintf(stderr, "%s\n", why.text);
        return 1;
    }
    const struct scenario_text *text = library_find(library, scenario);
    if (text && cast_load(cast, 0, text->text, text->len, &why) < 0)
        fprintf(stderr, "%s: %s\n", scenario, why.text);
    const struct world_parts parts = {tiles, models, stage, cast, NULL};
    struct world *w = world_new(&parts, 0);
    uint16_t *rgb = calloc((size_t)W * H * 3, sizeof(*rgb));
    if (!w || !rgb)
        return 1;
    fprintf(stderr, "open %.0f ms\n", now_ms() - t);
    struct radiance r = {W, H, W, rgb, rgb + (size_t)W * H, rgb + (size_t)W * H * 2, 0, 0};
    double pan = strtod(argv[2], NULL), tilt = strtod(argv[3], NULL), zoom = strtod(argv[4], NULL);
    int64_t at = (int64_t)(strtod(argv[5], NULL) * 1e9);
    if (!strcmp(argv[6], "bench")) {
        bench(w, &r, pan, tilt, zoom, at);
    } else {
        struct pose p = pose_of(pan, tilt, zoom);
        world_render(w, &p, &p, at, at + 3000000, &r);
        struct truth_object o[CAST_MOST];
        size_t n = world_truth(w, &p, (double)W / H, at, 0, o, CAST_MOST);
        for (size_t i = 0; i < n; i++)
            fprintf(stderr, "%s %s box %.0f,%.0f %.0fx%.0f at %.1f,%.1f visible %.2f\n", o[i].id,
                    o[i].class_name, o[i].box[0] * W, o[i].box[1] * H, o[i].box[2] * W,
                    o[i].box[3] * H, o[i].world[0], o[i].world[1], o[i].visible);
        write_ppm(argv[6], &r, 0.25 / world_meter(w, &p, (double)W / H, at));
    }
    world_free(w);
    library_free(library);
    cast_free(cast);
    stage_free(stage);
    models_close(models);
    tiles_close(tiles);
    free(rgb);
    return 0;
}
