/* What a live picture costs in each codec, by the camera's own encoders at compression 30 and an
 * interval of 32: processor time of all their threads, as a multiple of the small JPEG picture
 * by whose cost capacity.h judges a machine (a pixel for a pixel). What other programs cost all of
 * them in caches is taken off: the camera's JPEG stands beside each, and its cheapest picture
 * counts.
 *
 * usage: cost FILE.y4m (4:2:0)
 * Prints a JSON object a codec, two of H.265 (encoding.thorough). Pictures of all codecs in turns,
 * so that what else the machine does meets all alike. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "media/capacity.h"
#include "media/encode.h"
#include "media/frame.h"

#define ROUND 16 /* pictures of one codec until it is the next one's turn */
#define MOST 512

static double cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

static struct picture *picture_read(FILE *f, struct picture_pool *pool)
{
    char line[256];
    struct picture *p = fgets(line, sizeof line, f) ? picture_get(pool) : NULL;
    for (int i = 0; p && i < 3; i++) {
        size_t across = (size_t)(p->width >> (i > 0));
        for (int y = 0; p && y < p->height >> (i > 0); y++)
            if (fread(p->plane[i] + (ptrdiff_t)y * p->stride[i], 1, across, f) != across)
                p = picture_unref(p);
    }
    return p;
}

struct run {
    const struct encoder_ops *ops;
    bool thorough;
    struct encoder *enc;
    struct stream_format format;
    double ns, bytes;
    double least_ns; /* the cheapest picture */
};

static void code(struct run *r, struct picture *const *pictures, int from, int n)
{
    for (int i = from; i < from + n; i++) {
        struct capture how = {.serial = (uint64_t)i, .start_ns = i * 33333333LL};
        struct rendition *it = rendition_new(picture_ref(pictures[i]), &how);
        struct packet *p = NULL;
        double before = cpu_ns();
        if (r->enc->ops->encode(r->enc, it, false, &p, &r->format) < 0)
            exit(1);
        double ns = cpu_ns() - before;
        r->ns += ns;
        r->least_ns = !i || ns < r->least_ns ? ns : r->least_ns;
        r->bytes += p ? (double)p->len : 0;
        packet_unref(p);
        rendition_unref(it);
    }
}

int main(int argc, char **argv)
{
    static struct picture *pictures[MOST];
    char line[256];
    int width, height, n = 0;
    FILE *f = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!f || !fgets(line, sizeof line, f) ||
        sscanf(line, "YUV4MPEG2 W%d H%d", &width, &height) != 2)
        return fprintf(stderr, "usage: cost FILE.y4m\n"), 2;
    struct picture_pool *pool = picture_pool_new(width, height, false, MOST);
    while (n < MOST && (pictures[n] = picture_read(f, pool)))
        n++;
    fclose(f);
    double probe_ns = capacity_jpeg_ns();
    struct run runs[16] = {0};
    int of = 0;
    for (int i = 0; encoder_table[i]; i++)
        for (int more = 0; more <= (encoder_table[i]->codec == CODEC_H265); more++)
            runs[of++] = (struct run){.ops = encoder_table[i], .thorough = more};
    for (int i = 0; i < of; i++) {
        struct fault why = {0};
        struct encoding e = {.codec = runs[i].ops->codec,
                             .thorough = runs[i].thorough,
                             .compression = 30,
                             .gop = 32,
                             .profile = 2,
                             .key = {.view = 1, .width = width, .height = height}};
        runs[i].format =
            (struct stream_format){.codec = e.codec, .width = width, .height = height, .fps = 30};
        if (!(runs[i].enc = runs[i].ops->open(&e, 30, &why)))
            return fprintf(stderr, "cost: %s\n", why.text), 1;
    }
    int all = n / ROUND * ROUND;
    for (int from = 0; from < all; from += ROUND)
        for (int i = 0; i < of; i++)
            code(&runs[i], pictures, from, ROUND);
    double jpeg = 0, jpeg_least = 0;
    for (int i = 0; i < of; i++)
        if (runs[i].ops->codec == CODEC_JPEG) {
            jpeg = runs[i].ns;
            jpeg_least = runs[i].least_ns / ((double)width * height) / probe_ns;
        }
    for (int i = 0; i < of; i++)
        printf("{\"codec\": \"%s%s\", \"times\": %.2f, \"ms\": %.3f, \"bytes\": %.0f}\n",
               codec_name(runs[i].ops->codec), runs[i].thorough ? ", high effort" : "",
               runs[i].ns / jpeg * jpeg_least, runs[i].ns / all / 1e6, runs[i].bytes / all);
    for (int i = 0; i < of; i++)
        runs[i].ops->close(runs[i].enc);
    for (int i = 0; i < n; i++)
        picture_unref(pictures[i]);
    picture_pool_unref(pool);
    return 0;
}
