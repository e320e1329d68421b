/* H.264 by x264 and H.265 by x265, both through libavcodec, tuned for live pictures: no B
 * pictures, no look-ahead, one picture in, one access unit out; unless it is to be good for
 * storage, then both, and some pictures' delay.
 *
 * The smart codec's blocks are regions of interest. The quantizer then does not follow what the
 * picture as a whole costs (qcompress 1): else what the blocks save would be spent at once.
 *
 * What leaves here is Annex B: parameter sets before each picture that decoding can start at,
 * then one SEI message of ours if wanted, then slices. Delimiters, filler and the codec's own
 * SEI are left out; the last NAL unit is a slice (some viewers need that). */
#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/fault.h"
#include "base/list.h"
#include "base/log.h"
#include "media/annexb.h"
#include "media/encode.h"
#include "media/encode_hardware.h"
#include "media/libav.h"

extern const struct encoder_ops encoder_h264, encoder_h265;

#define QUANTIZER_RANGE 51
#define NOISE_ROOM 2   /* quantizer steps: what is flat is coded finer than the picture */
#define QUALITY_ROOM 4 /* quantizer steps */
#define STEP_LEAST 1.0 /* for less it is not begun anew */
#define HELD_S 0.5     /* by which pictures are late at most, for storage: … */
#define B_PICTURES 3   /* … so many are between two others, and … */
#define LOOK_AHEAD 12  /* … wait for the rate to be decided */
#define HELD_MOST 32   /* pictures within the codec */

/* The smart codec says what each block is worth; both libraries hear that only while they look at
 * blocks themselves. */
#define BLOCKS_BY_US ":aq-mode=1:aq-strength=0.01"
/* Half of x264's: as good as its live preset in SSIM and smaller, and no worse in PSNR. */
#define THOROUGH ":aq-mode=1:aq-strength=0.5"

enum nal_kind { NAL_OTHER, NAL_SLICE, NAL_KEY_SLICE, NAL_VPS, NAL_SPS, NAL_PPS };

/* In what the two differ. */
struct flavour {
    const char *title, *library;
    double smart_crf; /* to be added with qcompress 1, so that what moves is as good as ever */
    /* Quantizer steps with the smart codec: of what moves, and of pictures whose blocks are all
     * alike. x264 left to itself makes what is rough coarser, by about so much. */
    int smart_lively, smart_whole;
    double crf;     /* to be added: at the same number x265 is smaller and worse than x264 */
    bool takes_crf; /* a new one while it runs */
    /* Pictures held beside the B pictures and the look ahead; 0: only the more of both is held. */
    int waits;
    /* The codec has its B pictures already. */
    void (*options)(AVCodecContext *c, const struct encoding *e, int look_ahead);
    enum nal_kind (*kind)(struct nal n);
    /* Takes the promise of a fixed rate out of NAL_SPS; NULL: it is never made. */
    size_t (*free_rate)(struct nal sps, uint8_t *ret, size_t size);
    uint8_t sei_header[2];
    size_t sei_header_len;
};

struct h26x_encoder {
    struct encoder base;
    const struct flavour *flavour;
    struct encoding e;
    AVCodecContext *ctx;
    AVFrame *frame;
    AVPacket *packet;
    struct hardware *hardware;         /* NULL: by software */
    const struct smart_blocks *blocks; /* of the next picture; borrowed */
    int64_t pts, first_ns;             /* pts: of the newest picture, in steps of 1/fps */
    struct held {
        int64_t pts;
        struct capture how;
    } held[HELD_MOST], first; /* since the codec was opened */
    unsigned n_sent;
    double fps, coarser; /* quantizer steps */
    bool stale;          /* the codec has not heard of `coarser` yet */
    int since_key;
    struct stream_format format;
};

/* VAPIX compression 0 best … 100 smallest: CRF 16 … 46, 30 is 25. */
static double crf_of(int compression)
{
    return 16 + compression * 0.3;
}

static void options_h264(AVCodecContext *c, const struct encoding *e, int look_ahead)
{
    static const char *const profiles[] = {"baseline", "main", "high"};
    av_opt_set(c->priv_data, "preset", "veryfast", 0);
    av_opt_set(c->priv_data, "profile", profiles[e->profile], 0);
    char params[256];
    snprintf(params, sizeof(params),
             "scenecut=0:open-gop=0:repeat-headers=1:annexb=1:aud=0:filler=0:sliced-threads=0:"
             "nal-hrd=none:bframes=%d:pbratio=1.0:rc-lookahead=%d:mbtree=0:sync-lookahead=0:b-"
             "pyramid=none:"
             "force-cfr=1%s", /* else it waits for the next picture to know how long this lasts */
             c->max_b_frames, look_ahead, e->smart.strength ? BLOCKS_BY_US : "");
    av_opt_set(c->priv_data, "x264-params", params, 0);
}

static enum nal_kind kind_h264(struct nal n)
{
    int type = avc_type(n);
    return type == AVC_IDR                       ? NAL_KEY_SLICE
           : type >= AVC_SLICE && type < AVC_IDR ? NAL_SLICE
           : type == AVC_SPS                     ? NAL_SPS
           : type == AVC_PPS                     ? NAL_PPS
                                                 : NAL_OTHER;
}

static void options_h265(AVCodecContext *c, const struct encoding *e, int look_ahead)
{
    /* Rows of blocks in parallel: one core is not enough for 1080p30. */
    unsigned cores = cpu_cores();
    char params[320];
    snprintf(params, sizeof(params),
             "scenecut=0:open-gop=0:repeat-headers=1:annexb=1:aud=0:info=0:hrd=0:frame-threads=1:"
             "pools=%u:log-level=none:bframes=%d:rc-lookahead=%d:b-adapt=0:b-pyramid=0:cutree=0%s",
             cores > 4 ? 4 : cores, c->max_b_frames, look_ahead,
             e->smart.strength ? BLOCKS_BY_US ":qg-size=16"
             : e->thorough     ? THOROUGH
                               : "");
    av_opt_set(c->priv_data, "preset", e->thorough ? "superfast" : "ultrafast", 0);
    av_opt_set(c->priv_data, "x265-params", params, 0);
}

static enum nal_kind kind_h265(struct nal n)
{
    int type = hevc_type(n);
    return type >= HEVC_IRAP_FIRST && type <= HEVC_IRAP_LAST ? NAL_KEY_SLICE
           : type <= HEVC_VCL_LAST                           ? NAL_SLICE
           : type == HEVC_VPS                                ? NAL_VPS
           : type == HEVC_SPS                                ? NAL_SPS
           : type == HEVC_PPS                                ? NAL_PPS
                                                             : NAL_OTHER;
}

static const struct flavour flavour_h264 = {.title = "H.264",
                                            .library = "libx264",
                                            .smart_lively = 4,
                                            .smart_whole = 2,
                                            .takes_crf = true,
                                            .options = options_h264,
                                            .kind = kind_h264,
                                            .free_rate = avc_sps_free_rate,
                                            .sei_header = {AVC_SEI},
                                            .sei_header_len = 1};
static const struct flavour flavour_h265 = {.title = "H.265",
                                            .library = "libx265",
                                            .smart_crf = 1,
                                            .crf = 2,
                                            .waits = 3,
                                            .options = options_h265,
                                            .kind = kind_h265,
                                            .sei_header = {HEVC_SEI << 1, 1},
                                            .sei_header_len = 2};

static void h26x_close(struct encoder *enc)
{
    struct h26x_encoder *h = container_of(enc, struct h26x_encoder, base);
    avcodec_free_context(&h->ctx);
    hardware_close(h->hardware);
    av_frame_free(&h->frame);
    av_packet_free(&h->packet);
    free(h);
}

static double crf_now(const struct h26x_encoder *h)
{
    return crf_of(h->e.compression) + h->flavour->crf +
           (h->e.smart.strength ? h->flavour->smart_crf : 0) + h->coarser;
}

/* B pictures and look-ahead that delay by HELD_S at most: where pictures come seldom, each that is
 * held would be late by seconds. Only a limit of the rate needs to look further than B pictures. */
static int plan_delay(const struct h26x_encoder *h, int *ret_look_ahead)
{
    int held = encoding_reorders(&h->e) ? (int)(h->fps * HELD_S) : 0, waits = h->flavour->waits;
    int b = waits ? (held - waits - 1) / 2 : held;
    b = b > B_PICTURES ? B_PICTURES : b < 0 ? 0 : b;
    int look = h->e.rate.max_kbps > 0 ? LOOK_AHEAD : b + 1;
    int room = waits ? held - waits - b : held;
    *ret_look_ahead = !b ? 0 : look < room ? look : room;
    return b;
}

static int open_codec(struct h26x_encoder *h)
{
    const struct encoding *e = &h->e;
    int look_ahead, b_pictures = plan_delay(h, &look_ahead);
    if (!b_pictures)
        h->hardware = hardware_open(e, h->fps, crf_now(h), &h->ctx);
    if (h->hardware)
        return 0;
    const AVCodec *codec = avcodec_find_encoder_by_name(h->flavour->library);
    if (!codec)
        return AVERROR_ENCODER_NOT_FOUND;
    AVCodecContext *c = h->ctx = avcodec_alloc_context3(codec);
    if (!c)
        return AVERROR(ENOMEM);
    c->width = e->key.width;
    c->height = e->key.height;
    c->pix_fmt = AV_PIX_FMT_YUV420P;
    c->framerate = av_d2q(h->fps, 100000);
    c->time_base = av_inv_q(c->framerate);
    c->gop_size = encoding_gop(e);
    c->max_b_frames = b_pictures;
    if (e->smart.strength)
        c->qcompress = 1;
    c->thread_count = 1;
    c->color_range = AVCOL_RANGE_MPEG;
    c->color_primaries = AVCOL_PRI_BT709;
    c->color_trc = AVCOL_TRC_BT709;
    c->colorspace = AVCOL_SPC_BT709;
    c->flags |= AV_CODEC_FLAG_CLOSED_GOP;
    if (e->rate.max_kbps > 0) {
        c->rc_max_rate = (int64_t)e->rate.max_kbps * 1000;
        c->rc_buffer_size = e->rate.max_kbps * 1000; /* a second */
        c->rc_initial_buffer_occupancy = c->rc_buffer_size * 3 / 4;
        /* Where quality comes first, pictures are left out instead (rate.h). */
        if (e->rate.priority == PRIORITY_QUALITY)
            c->qmax = (int)lrint(crf_of(e->compression)) + QUALITY_ROOM;
    }
    if (e->rate.mode == RATE_CBR)
        c->bit_rate = c->rc_max_rate;
    if (!b_pictures)
        av_opt_set(c->priv_data, "tune", "zerolatency", 0);
    av_opt_set_int(c->priv_data, "forced-idr", 1, 0);
    if (e->rate.mode != RATE_CBR)
        av_opt_set_double(c->priv_data, "crf", crf_now(h), 0);
    h->flavour->options(c, e, look_ahead);
    return avcodec_open2(c, codec, NULL);
}

static struct encoder *open_flavour(const struct flavour *flavour, const struct encoder_ops *ops,
                                    const struct encoding *enc, double source_fps,
                                    struct fault *why)
{
    struct h26x_encoder *h = calloc(1, sizeof(*h));
    if (!h) {
        fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    libav_init();
    h->base.ops = ops;
    h->flavour = flavour;
    h->e = *enc;
    h->frame = av_frame_alloc();
    h->packet = av_packet_alloc();
    double fps = enc->fps > 0 && enc->fps < source_fps ? enc->fps : source_fps;
    h->fps = fps;
    int r = h->frame && h->packet ? open_codec(h) : AVERROR(ENOMEM);
    if (r < 0) {
        h26x_close(&h->base);
        fault_set(why, FAULT_UNSUPPORTED, NULL, "the %s encoder does not start: %s", flavour->title,
                  av_err2str(r));
        return NULL;
    }
    h->format = (struct stream_format){
        .codec = ops->codec, .width = enc->key.width, .height = enc->key.height, .fps = fps};
    return &h->base;
}

static struct encoder *h264_open(const struct encoding *e, double source_fps, struct fault *why)
{
    return open_flavour(&flavour_h264, &encoder_h264, e, source_fps, why);
}

static struct encoder *h265_open(const struct encoding *e, double source_fps, struct fault *why)
{
    return open_flavour(&flavour_h265, &encoder_h265, e, source_fps, why);
}

static void release_rendition(void *opaque, uint8_t *data)
{
    rendition_unref(opaque);
}

/* The quantizer that noise passes as nothing: its step is some five standard deviations. */
static double quantizer_of_noise(double noise)
{
    return noise > 0 ? NOISE_ROOM + 6 * log2(noise * 5 / 0.625) : 0;
}

/* Steps by which what moves is coded coarser. Below a grey level of noise one less: what a step
 * takes away is seen there, and costs little. */
static int steps_of_lively(const struct h26x_encoder *h, const struct smart_blocks *b)
{
    int least = h->flavour->smart_lively - (h->flavour->smart_lively && b->noise < 1);
    return b->lively > least ? b->lively : least;
}

/* Runs of blocks that are coded alike. */
static int tell_blocks(const struct h26x_encoder *h, const struct smart_blocks *b, AVFrame *f)
{
    int least = (int)lrint(fmin(quantizer_of_noise(b->noise), QUANTIZER_RANGE) - crf_now(h));
    int lively = steps_of_lively(h, b);
    int fresh = b->lively > h->flavour->smart_whole ? b->lively : h->flavour->smart_whole;
    AVRegionOfInterest *roi = NULL;
    size_t n = 0;
    for (int pass = 0; pass < 2; pass++) { /* counts, then writes */
        if (pass && n) {
            AVFrameSideData *side =
                av_frame_new_side_data(f, AV_FRAME_DATA_REGIONS_OF_INTEREST, n * sizeof(*roi));
            if (!side)
                return AVERROR(ENOMEM);
            roi = (AVRegionOfInterest *)side->data;
        }
        n = 0;
        for (int y = 0; y < b->down; y++) {
            const int8_t *row = b->offset + (size_t)y * (size_t)b->across;
            const uint8_t *kind = b->kind + (size_t)y * (size_t)b->across;
            for (int x = 0, end; x < b->across; x = end) {
                for (end = x + 1; end < b->across && row[end] == row[x] && kind[end] == kind[x];
                     end++)
                    ;
                int more = kind[x] == BLOCK_NEW ? fresh
                           : !row[x]            ? lively
                           : row[x] > least     ? row[x]
                                                : least;
                if (!more)
                    continue;
                if (roi)
                    roi[n] = (AVRegionOfInterest){.self_size = sizeof(*roi),
                                                  .top = y * SMART_BLOCK,
                                                  .bottom = (y + 1) * SMART_BLOCK,
                                                  .left = x * SMART_BLOCK,
                                                  .right = end * SMART_BLOCK,
                                                  .qoffset = {more, QUANTIZER_RANGE}};
                n++;
            }
        }
    }
    return 0;
}

/* A picture whose blocks are all alike. */
static int tell_whole(const struct h26x_encoder *h, AVFrame *f)
{
    AVRegionOfInterest one = {.self_size = sizeof(one),
                              .bottom = f->height,
                              .right = f->width,
                              .qoffset = {h->flavour->smart_whole, QUANTIZER_RANGE}};
    if (!h->e.smart.strength)
        return 0;
    AVFrameSideData *side =
        av_frame_new_side_data(f, AV_FRAME_DATA_REGIONS_OF_INTEREST, sizeof(one));
    if (!side)
        return AVERROR(ENOMEM);
    memcpy(side->data, &one, sizeof(one));
    return 0;
}

/* Where pictures are left out, the others keep their times. */
static int64_t next_pts(struct h26x_encoder *h, const struct capture *how)
{
    if (!h->n_sent)
        h->first_ns = how->start_ns;
    int64_t next = h->n_sent ? h->pts + 1 : 0;
    int64_t due = llrint((double)(how->start_ns - h->first_ns) * h->fps / 1e9);
    return h->e.smart.dynamic_fps && due > next ? due : next;
}

static const struct held *find_held(const struct h26x_encoder *h, int64_t pts)
{
    for (unsigned i = 0; i < HELD_MOST && i < h->n_sent; i++)
        if (h->held[i].pts == pts)
            return &h->held[i];
    return NULL;
}

/* Times of decoding are those of pictures taken earlier, however unevenly they were taken; before
 * the first one, as far apart as pictures are meant to be. */
static int64_t decoding_ns(const struct h26x_encoder *h, int64_t dts)
{
    const struct held *then = find_held(h, dts);
    return then ? then->how.start_ns
                : h->first.how.start_ns - llrint((double)(h->first.pts - dts) / h->fps * 1e9);
}

/* The codec reads the rendition's own memory. */
static int lend(struct rendition *r, AVFrame *f)
{
    struct picture *pic = r->pixels;
    f->format = AV_PIX_FMT_YUV420P;
    f->width = pic->width;
    f->height = pic->height;
    for (int i = 0; i < 3; i++) {
        f->data[i] = pic->plane[i];
        f->linesize[i] = pic->stride[i];
    }
    f->buf[0] = av_buffer_create(pic->plane[0], pic->memlen, release_rendition, rendition_ref(r),
                                 AV_BUFFER_FLAG_READONLY);
    if (f->buf[0])
        return 0;
    rendition_unref(r);
    return AVERROR(ENOMEM);
}

static int send_picture(struct h26x_encoder *h, struct rendition *r, bool force_key)
{
    struct picture *pic = r->pixels;
    AVFrame *f = h->frame;
    int filled = h->hardware ? hardware_fill(h->hardware, pic, f) : lend(r, f);
    if (filled < 0)
        return filled;
    f->color_range = AVCOL_RANGE_MPEG;
    f->pts = h->pts = next_pts(h, &r->how);
    if (!h->n_sent)
        h->first = (struct held){h->pts, r->how};
    h->held[h->n_sent++ % HELD_MOST] = (struct held){h->pts, r->how};
    bool fresh = h->blocks && h->blocks->fresh && encoding_reorders(&h->e);
    int told = h->blocks ? tell_blocks(h, h->blocks, f) : tell_whole(h, f);
    h->blocks = NULL;
    if (told < 0) {
        av_frame_unref(f);
        return told;
    }
    /* what is new is not left to a B picture, which nothing that follows could go by */
    f->pict_type = force_key ? AV_PICTURE_TYPE_I : fresh ? AV_PICTURE_TYPE_P : AV_PICTURE_TYPE_NONE;
    int ret = avcodec_send_frame(h->ctx, f);
    av_frame_unref(f);
    return ret;
}

static void keep_set(uint8_t *to, size_t size, size_t *len, struct nal n, bool *changed)
{
    if (n.len > size || (*len == n.len && !memcmp(to, n.bytes, n.len)))
        return;
    memcpy(to, n.bytes, n.len);
    *len = n.len;
    *changed = true;
}

static struct packet *rewrite(struct h26x_encoder *h, const struct capture *how)
{
    const struct flavour *fl = h->flavour;
    struct stream_format *f = &h->format;
    uint8_t sei[ANNEXB_SEI_MAX];
    size_t sei_len = h->e.stamp ? annexb_sei(how, fl->sei_header, fl->sei_header_len, sei) : 0;
    const uint8_t *b = h->packet->data;
    size_t len = (size_t)h->packet->size, at = 0, out = 0;
    /* start codes of 3 bytes may become 4: room for a few dozen NAL units */
    size_t room = len + sei_len + 256;
    uint8_t *bytes = malloc(room);
    if (!bytes)
        return NULL;
    unsigned flags = 0;
    bool changed = false, told = !sei_len;
    uint8_t sps[sizeof(f->sps)];
    for (struct nal n; annexb_next(b, len, &at, &n);) {
        enum nal_kind kind = fl->kind(n);
        if (kind == NAL_OTHER)
            continue;
        if (kind == NAL_SPS && fl->free_rate && encoding_rate_varies(&h->e)) {
            size_t freed = fl->free_rate(n, sps, sizeof(sps));
            n = freed ? (struct nal){sps, freed} : n;
        }
        if (kind == NAL_VPS)
            keep_set(f->vps, sizeof(f->vps), &f->vps_len, n, &changed);
        else if (kind == NAL_SPS)
            keep_set(f->sps, sizeof(f->sps), &f->sps_len, n, &changed);
        else if (kind == NAL_PPS)
            keep_set(f->pps, sizeof(f->pps), &f->pps_len, n, &changed);
        else if (kind == NAL_KEY_SLICE)
            flags |= PACKET_KEY;
        if (!told && (kind == NAL_SLICE || kind == NAL_KEY_SLICE)) {
            memcpy(bytes + out, sei, sei_len);
            out += sei_len;
            told = true;
        }
        if (out + 4 + n.len > room)
            break;
        static const uint8_t start[4] = {0, 0, 0, 1};
        memcpy(bytes + out, start, 4);
        memcpy(bytes + out + 4, n.bytes, n.len);
        out += 4 + n.len;
    }
    struct packet *p = packet_new(bytes, out, free, bytes);
    if (!p) {
        free(bytes);
        return NULL;
    }
    p->flags = flags | (changed ? PACKET_CONFIG : 0);
    p->how = *how;
    return p;
}

/* With another quality: when a key is due anyway, since the codec begins with one. */
static int reopen(struct h26x_encoder *h)
{
    avcodec_free_context(&h->ctx);
    h->hardware = hardware_close(h->hardware);
    h->stale = false;
    h->n_sent = 0;
    return open_codec(h);
}

static int h26x_encode(struct encoder *enc, struct rendition *r, bool force_key,
                       struct packet **ret_p, struct stream_format *format)
{
    struct h26x_encoder *h = container_of(enc, struct h26x_encoder, base);
    if (r->pixels->width != h->e.key.width || r->pixels->height != h->e.key.height)
        return -EINVAL;
    if (h->stale && (force_key || h->since_key + 1 >= encoding_gop(&h->e)) && reopen(h) < 0)
        return -EIO;
    int ret = send_picture(h, r, force_key);
    if (ret < 0)
        return -EIO;
    ret = avcodec_receive_packet(h->ctx, h->packet);
    if (ret == AVERROR(EAGAIN)) {
        *ret_p = NULL;
        return 0;
    }
    if (ret < 0)
        return -EIO;
    const struct held *held = find_held(h, h->packet->pts);
    struct packet *p = held ? rewrite(h, &held->how) : NULL;
    if (p && !h->hardware)
        p->early_ns = held->how.start_ns - decoding_ns(h, h->packet->dts);
    av_packet_unref(h->packet);
    if (!p)
        return -ENOMEM;
    h->since_key = p->flags & PACKET_KEY ? 0 : h->since_key + 1;
    *format = h->format;
    *ret_p = p;
    return 0;
}

static void h26x_blocks(struct encoder *enc, const struct smart_blocks *b)
{
    container_of(enc, struct h26x_encoder, base)->blocks = b;
}

static void h26x_coarser(struct encoder *enc, double steps)
{
    struct h26x_encoder *h = container_of(enc, struct h26x_encoder, base);
    bool at_once = h->flavour->takes_crf && !h->hardware;
    if (!at_once && fabs(steps - h->coarser) < STEP_LEAST)
        return;
    h->coarser = steps;
    if (at_once && h->e.rate.mode != RATE_CBR)
        av_opt_set_double(h->ctx->priv_data, "crf", crf_now(h), 0);
    else
        h->stale = true;
}

const struct encoder_ops encoder_h264 = {
    .codec = CODEC_H264,
    .name = "h264",
    .open = h264_open,
    .encode = h26x_encode,
    .blocks = h26x_blocks,
    .coarser = h26x_coarser,
    .close = h26x_close,
};

const struct encoder_ops encoder_h265 = {
    .codec = CODEC_H265,
    .name = "h265",
    .open = h265_open,
    .encode = h26x_encode,
    .blocks = h26x_blocks,
    .coarser = h26x_coarser,
    .close = h26x_close,
};
