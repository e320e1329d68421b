/* Packed layers: decoding, halving, and the view straight down. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/pixdesc.h>

#include "unpack.h"

#define PICTURE 512   /* side of a packed tile */
#define DARK 6e-5f    /* less than that is the codec's noise */
#define DARK_IR 2e-5f /* but the bare lamp has nothing else beside it, and reaches far */

void layers_init(struct layers *l, int w, int h)
{
    l->w = w;
    l->h = h;
    l->w2 = (w + 1) / 2;
    l->h2 = (h + 1) / 2;
    l->w4 = (l->w2 + 1) / 2;
    l->h4 = (l->h2 + 1) / 2;
    l->w8 = (l->w4 + 1) / 2;
    l->h8 = (l->h4 + 1) / 2;
    size_t n = (size_t)w * (size_t)h, n2 = (size_t)l->w2 * (size_t)l->h2;
    size_t n4 = (size_t)l->w4 * (size_t)l->h4, n8 = (size_t)l->w8 * (size_t)l->h8;
    l->y = take(n, 1);
    l->cover = take(n, 1);
    l->cb = take(n2, 1);
    l->cr = take(n2, 1);
    l->depth = take(n2, sizeof(*l->depth));
    l->sun = take(n2, LIGHT_SUNS);
    for (int i = 0; i < LIGHT_SOFT; i++)
        l->soft[i] = take(n4, sizeof(*l->soft[i]));
    l->sway = take(n8, 1);
}

void layers_done(struct layers *l)
{
    free(l->y);
    free(l->cover);
    free(l->cb);
    free(l->cr);
    free(l->depth);
    free(l->sun);
    for (int i = 0; i < LIGHT_SOFT; i++)
        free(l->soft[i]);
    free(l->sway);
    memset(l, 0, sizeof(*l));
}

/* ---- decoding ---- */

struct decoded {
    int w, h; /* of the layer */
    void (*put)(struct decoded *d, const AVFrame *f, int x, int y, int w, int h);
    struct layers *to;
    int which;
    enum AVPixelFormat format;
    const char *path;
};

static void put_picture(struct decoded *d, const AVFrame *f, int n)
{
    int across = (d->w + PICTURE - 1) / PICTURE, down = (d->h + PICTURE - 1) / PICTURE;
    if (n >= across * down)
        die("%s holds more pictures than %d x %d", d->path, across, down);
    if (f->format != d->format || f->width != PICTURE || f->height != PICTURE)
        die("%s: pictures are %s %dx%d, not %s", d->path,
            av_get_pix_fmt_name(f->format) ? av_get_pix_fmt_name(f->format) : "?", f->width,
            f->height, av_get_pix_fmt_name(d->format));
    int x = n % across * PICTURE, y = n / across * PICTURE;
    d->put(d, f, x, y, d->w - x < PICTURE ? d->w - x : PICTURE,
           d->h - y < PICTURE ? d->h - y : PICTURE);
}

static void receive(struct decoded *d, AVCodecContext *c, AVFrame *f, int *n)
{
    while (avcodec_receive_frame(c, f) == 0) {
        put_picture(d, f, (*n)++);
        av_frame_unref(f);
    }
}

static void decode(struct decoded *d)
{
    AVFormatContext *in = NULL;
    if (avformat_open_input(&in, d->path, NULL, NULL) < 0 || in->nb_streams != 1 ||
        avformat_find_stream_info(in, NULL) < 0)
        die("%s cannot be read", d->path);
    const AVCodecParameters *par = in->streams[0]->codecpar;
    const AVCodec *codec = avcodec_find_decoder(par->codec_id);
    AVCodecContext *c = codec ? avcodec_alloc_context3(codec) : NULL;
    if (!c || avcodec_parameters_to_context(c, par) < 0)
        die("%s: no decoder for its codec", d->path);
    c->thread_count = 2;
    c->thread_type = FF_THREAD_FRAME;
    if (avcodec_open2(c, codec, NULL) < 0)
        die("%s: the decoder does not start", d->path);
    AVPacket *p = av_packet_alloc();
    AVFrame *f = av_frame_alloc();
    int n = 0;
    while (av_read_frame(in, p) == 0) {
        if (avcodec_send_packet(c, p) < 0)
            die("%s is damaged", d->path);
        av_packet_unref(p);
        receive(d, c, f, &n);
    }
    avcodec_send_packet(c, NULL);
    receive(d, c, f, &n);
    int wanted = ((d->w + PICTURE - 1) / PICTURE) * ((d->h + PICTURE - 1) / PICTURE);
    if (n != wanted)
        die("%s holds %d pictures, not %d", d->path, n, wanted);
    av_frame_free(&f);
    av_packet_free(&p);
    avcodec_free_context(&c);
    avformat_close_input(&in);
}

static const uint16_t *row16(const AVFrame *f, int plane, int y)
{
    return (const uint16_t *)(const void *)(f->data[plane] + (ptrdiff_t)y * f->linesize[plane]);
}

static void put_albedo(struct decoded *d, const AVFrame *f, int x, int y, int w, int h)
{
    struct layers *l = d->to;
    for (int j = 0; j < h; j++)
        for (int i = 0; i < w; i++) {
            int v = (row16(f, 0, j)[i] * 255 + 511) / 1023;
            l->y[(size_t)(y + j) * (size_t)l->w + (size_t)(x + i)] = (uint8_t)v;
        }
    for (int k = 1; k < 3; k++)
        for (int j = 0; j < (h + 1) / 2; j++)
            for (int i = 0; i < (w + 1) / 2; i++) {
                int v = (row16(f, k, j)[i] + 2) >> 2;
                (k == 1 ? l->cb
                        : l->cr)[(size_t)(y / 2 + j) * (size_t)l->w2 + (size_t)(x / 2 + i)] =
                    (uint8_t)(v > 255 ? 255 : v);
            }
}

static void put_bytes(uint8_t *to, int stride, const AVFrame *f, int x, int y, int w, int h)
{
    for (int j = 0; j < h; j++)
        memcpy(to + (size_t)(y + j) * (size_t)stride + x,
               f->data[0] + (ptrdiff_t)j * f->linesize[0], (size_t)w);
}

static void put_mask(struct decoded *d, const AVFrame *f, int x, int y, int w, int h)
{
    put_bytes(d->to->cover, d->to->w, f, x, y, w, h);
}

static void put_sway(struct decoded *d, const AVFrame *f, int x, int y, int w, int h)
{
    put_bytes(d->to->sway, d->to->w8, f, x, y, w, h);
}

static void put_depth(struct decoded *d, const AVFrame *f, int x, int y, int w, int h)
{
    for (int j = 0; j < h; j++)
        memcpy(d->to->depth + (size_t)(y + j) * (size_t)d->to->w2 + x, row16(f, 0, j),
               (size_t)w * sizeof(uint16_t));
}

static void put_sun(struct decoded *d, const AVFrame *f, int x, int y, int w, int h)
{
    for (int j = 0; j < h; j++)
        for (int i = 0; i < w; i++) {
            int v = (row16(f, 0, j)[i] * 255 + 511) / 1023;
            d->to->sun[((size_t)(y + j) * (size_t)d->to->w2 + (size_t)(x + i)) * LIGHT_SUNS +
                       (size_t)d->which] = (uint8_t)(v > 255 ? 255 : v);
        }
}

static float soft_value(float coded, float dark)
{
    if (coded <= 0)
        return 0;
    float v = exp2f(20 * (coded > 1 ? 1 : coded) - 16);
    return v < dark ? 0 : v;
}

static void put_soft(struct decoded *d, const AVFrame *f, int x, int y, int w, int h)
{
    struct layers *l = d->to;
    float dark = d->which == SOFT_IR ? DARK_IR : DARK;
    for (int j = 0; j < h; j++)
        for (int i = 0; i < w; i++) {
            float v = (float)row16(f, 0, j)[i] / 4095;
            float b = ((float)row16(f, 1, j / 2)[i / 2] - 2048) / 4095;
            float r = ((float)row16(f, 2, j / 2)[i / 2] - 2048) / 4095;
            float rgb[3] = {soft_value(v + 1.5748f * r, dark),
                            soft_value(v - 0.187324f * b - 0.468124f * r, dark),
                            soft_value(v + 1.8556f * b, dark)};
            l->soft[d->which][(size_t)(y + j) * (size_t)l->w4 + (size_t)(x + i)] = soft_pack(rgb);
        }
}

uint32_t soft_pack(const float rgb[3])
{
    float most = fmaxf(rgb[0], fmaxf(rgb[1], rgb[2]));
    if (!(most > 0))
        return 0;
    int e;
    float m = frexpf(most, &e); /* most = m · 2^e, m in ½…1 */
    if (m * 512 + 0.5f >= 512)
        e++;
    e += SOFT_BIAS;
    if (e <= 0)
        return 0;
    e = e > 31 ? 31 : e;
    uint32_t v = (uint32_t)e << 27;
    for (int i = 0; i < 3; i++) {
        float q = ldexpf(rgb[i], SOFT_BIAS + 9 - e) + 0.5f;
        v |= (uint32_t)(q > 511 ? 511 : q) << (9 * i);
    }
    return v;
}

static void load(struct layers *l, const char *dir, const char *name, const char *layer, int w,
                 int h, enum AVPixelFormat format, int which,
                 void (*put)(struct decoded *, const AVFrame *, int, int, int, int))
{
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s-%s.mkv", dir, name, layer);
    struct decoded d = {w, h, put, l, which, format, path};
    decode(&d);
}

void layers_load(struct layers *l, const char *dir, const char *name, const char *const soft[])
{
    load(l, dir, name, "albedo", l->w, l->h, AV_PIX_FMT_YUV420P10LE, 0, put_albedo);
    load(l, dir, name, "mask", l->w, l->h, AV_PIX_FMT_GRAY8, 0, put_mask);
    load(l, dir, name, "sway", l->w8, l->h8, AV_PIX_FMT_GRAY8, 0, put_sway);
    load(l, dir, name, "depth", l->w2, l->h2, AV_PIX_FMT_GRAY16LE, 0, put_depth);
    for (int i = 0; i < LIGHT_SUNS; i++) {
        char layer[16];
        snprintf(layer, sizeof(layer), "sun%d", i);
        load(l, dir, name, layer, l->w2, l->h2, AV_PIX_FMT_GRAY10LE, i, put_sun);
    }
    for (int i = 0; i < LIGHT_SOFT; i++) {
        char layer[40];
        snprintf(layer, sizeof(layer), "soft_%s", soft[i]);
        load(l, dir, name, layer, l->w4, l->h4, AV_PIX_FMT_YUV420P12LE, i, put_soft);
    }
}

/* ---- halving ---- */

static double srgb_linear(double v)
{
    return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

static double srgb_coded(double v)
{
    return v <= 0.0031308 ? 12.92 * v : 1.055 * pow(v, 1 / 2.4) - 0.055;
}

static uint16_t linear_of[256];
static uint8_t coded_of[4097];

static void make_curves(void)
{
    if (linear_of[255])
        return;
    for (int i = 0; i < 256; i++)
        linear_of[i] = (uint16_t)lrint(srgb_linear(i / 255.0) * 65535);
    for (int i = 0; i <= 4096; i++)
        coded_of[i] = (uint8_t)lrint(srgb_coded(i / 4096.0) * 255);
}

/* The two rows and columns under a texel of half the density. */
struct four {
    size_t at[4];
};
static struct four four_of(int x, int y, int w, int h)
{
    size_t x0 = (size_t)(2 * x), x1 = 2 * x + 1 < w ? x0 + 1 : x0;
    size_t y0 = (size_t)(2 * y), y1 = 2 * y + 1 < h ? y0 + 1 : y0, s = (size_t)w;
    return (struct four){{y0 * s + x0, y0 * s + x1, y1 * s + x0, y1 * s + x1}};
}

static void halve_bytes(uint8_t *to, const uint8_t *from, int w, int h, int each)
{
    for (int y = 0; y < (h + 1) / 2; y++)
        for (int x = 0; x < (w + 1) / 2; x++) {
            struct four f = four_of(x, y, w, h);
            for (int k = 0; k < each; k++) {
                int sum = 2;
                for (int i = 0; i < 4; i++)
                    sum += from[f.at[i] * (size_t)each + (size_t)k];
                *to++ = (uint8_t)(sum >> 2);
            }
        }
}

/* Light, not code, is averaged; of texels that share with the sky, the place's part. */
static void halve_luma(struct layers *to, const struct layers *from)
{
    uint8_t *out = to->y;
    for (int y = 0; y < to->h; y++)
        for (int x = 0; x < to->w; x++) {
            struct four f = four_of(x, y, from->w, from->h);
            uint64_t sum = 0, plain = 0, weight = 0;
            for (int i = 0; i < 4; i++) {
                uint64_t v = linear_of[from->y[f.at[i]]], c = from->cover[f.at[i]];
                sum += v * c;
                plain += v;
                weight += c;
            }
            uint64_t mean = weight ? (sum + weight / 2) / weight : plain / 4;
            *out++ = coded_of[(mean * 4096 + 32767) / 65535];
        }
}

static int by_size(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

static void halve_depth(uint16_t *to, const uint16_t *from, int w, int h)
{
    for (int y = 0; y < (h + 1) / 2; y++)
        for (int x = 0; x < (w + 1) / 2; x++) {
            struct four f = four_of(x, y, w, h);
            uint16_t v[4];
            for (int i = 0; i < 4; i++)
                v[i] = from[f.at[i]];
            qsort(v, 4, sizeof(*v), by_size);
            *to++ = v[1]; /* the nearest would make everything fatter */
        }
}

static void halve_soft(uint32_t *to, const uint32_t *from, int w, int h)
{
    for (int y = 0; y < (h + 1) / 2; y++)
        for (int x = 0; x < (w + 1) / 2; x++) {
            struct four f = four_of(x, y, w, h);
            float sum[3] = {0};
            for (int i = 0; i < 4; i++) {
                float v[3];
                tiles_soft(from[f.at[i]], v);
                for (int k = 0; k < 3; k++)
                    sum[k] += v[k] / 4;
            }
            *to++ = soft_pack(sum);
        }
}

void layers_halve(struct layers *to, const struct layers *from)
{
    make_curves();
    layers_init(to, (from->w + 1) / 2, (from->h + 1) / 2);
    to->density = from->density / 2;
    to->round = from->round;
    halve_luma(to, from);
    halve_bytes(to->cover, from->cover, from->w, from->h, 1);
    halve_bytes(to->cb, from->cb, from->w2, from->h2, 1);
    halve_bytes(to->cr, from->cr, from->w2, from->h2, 1);
    halve_bytes(to->sun, from->sun, from->w2, from->h2, LIGHT_SUNS);
    halve_bytes(to->sway, from->sway, from->w8, from->h8, 1);
    halve_depth(to->depth, from->depth, from->w2, from->h2);
    for (int i = 0; i < LIGHT_SOFT; i++)
        halve_soft(to->soft[i], from->soft[i], from->w4, from->h4);
}

void layers_scale(struct layers *l, int layer, double k)
{
    size_t n = (size_t)l->w4 * (size_t)l->h4;
    for (size_t i = 0; i < n; i++) {
        float v[3];
        tiles_soft(l->soft[layer][i], v);
        for (int q = 0; q < 3; q++)
            v[q] *= (float)k;
        l->soft[layer][i] = soft_pack(v);
    }
}

void layers_albedo(const struct layers *l, int x, int y, float ret[3])
{
    size_t at = (size_t)y * (size_t)l->w + (size_t)x;
    size_t half = (size_t)(y / 2) * (size_t)l->w2 + (size_t)(x / 2);
    float v = l->y[at] / 255.0f, b = (l->cb[half] - 128) / 255.0f, r = (l->cr[half] - 128) / 255.0f;
    float rgb[3] = {v + 1.5748f * r, v - 0.187324f * b - 0.468124f * r, v + 1.8556f * b};
    for (int i = 0; i < 3; i++)
        ret[i] = (float)srgb_linear(rgb[i] < 0 ? 0 : rgb[i] > 1 ? 1 : (double)rgb[i]);
}

/* ---- straight down ---- */

struct aim {
    double x, y; /* where it comes from, in samples from the left top corner */
    int taps;    /* along x, a sample apart */
};

/* Where a sample of the view down, 1/div as dense, comes from. */
static struct aim aim_at(const struct layers *to, const struct layers *from, double pan0,
                         double tilt1, int div, int i, int j)
{
    double f = to->density / div;
    double a = ((i + 0.5) - to->w / 2.0 / div) / f, b = (to->h / 2.0 / div - (j + 0.5)) / f;
    double pan = atan2(a, b) * 180 / M_PI, tilt = atan2(-1, hypot(a, b)) * 180 / M_PI;
    double across = pan - pan0;
    across -= 360 * floor(across / 360);
    double wide = 1 / fmax(cos(tilt * M_PI / 180), 1e-3);
    struct aim r = {across * from->density / div, (tilt1 - tilt) * from->density / div, 1};
    r.taps = wide > 64 ? 64 : (int)wide;
    return r;
}

/* Four neighbours of a position and their weights; round horizontally. */
static void neighbours(double x, double y, int w, int h, size_t at[4], float k[4])
{
    x -= 0.5;
    y -= 0.5;
    int ix = (int)floor(x), iy = (int)floor(y);
    float fx = (float)(x - ix), fy = (float)(y - iy);
    int x0 = ((ix % w) + w) % w, x1 = (x0 + 1) % w;
    int y0 = iy < 0 ? 0 : iy >= h ? h - 1 : iy, y1 = iy + 1 < 0 ? 0 : iy + 1 >= h ? h - 1 : iy + 1;
    size_t s = (size_t)w;
    at[0] = (size_t)y0 * s + (size_t)x0;
    at[1] = (size_t)y0 * s + (size_t)x1;
    at[2] = (size_t)y1 * s + (size_t)x0;
    at[3] = (size_t)y1 * s + (size_t)x1;
    k[0] = (1 - fx) * (1 - fy);
    k[1] = fx * (1 - fy);
    k[2] = (1 - fx) * fy;
    k[3] = fx * fy;
}

static void down_bytes(uint8_t *to, const uint8_t *from, int each, struct aim a, int w, int h)
{
    float sum[4] = {0};
    for (int t = 0; t < a.taps; t++) {
        size_t at[4];
        float k[4];
        neighbours(a.x + t - (a.taps - 1) / 2.0, a.y, w, h, at, k);
        for (int i = 0; i < 4; i++)
            for (int c = 0; c < each; c++)
                sum[c] += k[i] * from[at[i] * (size_t)each + (size_t)c];
    }
    for (int c = 0; c < each; c++)
        to[c] = (uint8_t)(sum[c] / (float)a.taps + 0.5f);
}

static uint32_t down_soft(const uint32_t *from, struct aim a, int w, int h)
{
    float sum[3] = {0};
    for (int t = 0; t < a.taps; t++) {
        size_t at[4];
        float k[4];
        neighbours(a.x + t - (a.taps - 1) / 2.0, a.y, w, h, at, k);
        for (int i = 0; i < 4; i++) {
            float v[3];
            tiles_soft(from[at[i]], v);
            for (int c = 0; c < 3; c++)
                sum[c] += k[i] * v[c] / (float)a.taps;
        }
    }
    return soft_pack(sum);
}

void layers_down(struct layers *to, const struct layers *from, double pan0, double tilt1,
                 double reach)
{
    double f = from->density * 180 / M_PI;
    int side = (int)ceil(f * reach / 4) * 8;
    layers_init(to, side, side);
    to->density = f;
    size_t n = 0;
    for (int j = 0; j < to->h; j++)
        for (int i = 0; i < to->w; i++, n++) {
            struct aim a = aim_at(to, from, pan0, tilt1, 1, i, j);
            down_bytes(&to->y[n], from->y, 1, a, from->w, from->h);
            to->cover[n] = 255;
        }
    n = 0;
    for (int j = 0; j < to->h2; j++)
        for (int i = 0; i < to->w2; i++, n++) {
            struct aim a = aim_at(to, from, pan0, tilt1, 2, i, j);
            down_bytes(&to->cb[n], from->cb, 1, a, from->w2, from->h2);
            down_bytes(&to->cr[n], from->cr, 1, a, from->w2, from->h2);
            down_bytes(&to->sun[n * LIGHT_SUNS], from->sun, LIGHT_SUNS, a, from->w2, from->h2);
            int x = (int)a.x % from->w2, y = a.y < 0 ? 0 : (int)a.y;
            to->depth[n] =
                from->depth[(size_t)(y < from->h2 ? y : from->h2 - 1) * (size_t)from->w2 +
                            (size_t)x];
        }
    n = 0;
    for (int j = 0; j < to->h4; j++)
        for (int i = 0; i < to->w4; i++, n++) {
            struct aim a = aim_at(to, from, pan0, tilt1, 4, i, j);
            for (int k = 0; k < LIGHT_SOFT; k++)
                to->soft[k][n] = down_soft(from->soft[k], a, from->w4, from->h4);
        }
    n = 0;
    for (int j = 0; j < to->h8; j++)
        for (int i = 0; i < to->w8; i++, n++)
            down_bytes(&to->sway[n], from->sway, 1, aim_at(to, from, pan0, tilt1, 8, i, j),
                       from->w8, from->h8);
}
