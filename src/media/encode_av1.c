/* AV1 by SVT-AV1, its low-delay structure: it holds one picture back, so that what comes out
 * is the temporal unit of the picture before. That structure knows no key frame on demand: for
 * one the codec is emptied and begun anew, which takes some ten milliseconds. It is rarely
 * asked for: who joins begins at the newest key in the window.
 *
 * This library takes no quality by block. The smart codec's still blocks are therefore held: the
 * codec is given what they showed when something last happened in them (slowly blended with what
 * is there now), in which it finds nothing to code. That takes a picture of our own, of which
 * only those blocks are copied that are not still.
 *
 * What leaves here is a low-overhead bitstream (AV1 Bitstream Specification 5.2) without
 * temporal delimiters: the sequence header before each key frame, then one metadata OBU of
 * ours if wanted, then frames. */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <svt-av1/EbSvtAv1Enc.h>

#include "base/fault.h"
#include "base/list.h"
#include "base/log.h"
#include "media/encode.h"
#include "media/obu.h"

#define PRESET 12   /* of 13: what keeps up with live pictures on one core */
#define LOW_DELAY 1 /* pred_structure: only earlier pictures are referred to */
#define CONSTANT_QUALITY 0
#define CONSTANT_RATE 2
#define CRF_MOST 63
#define STEP_LEAST 1.0 /* quantizer steps: for less it is not begun anew */
#define TEXT_MAX 512
#define REFRESH 64 /* pictures within which each still block is blended once, by a quarter */

extern const struct encoder_ops encoder_av1;

struct av1_encoder {
    struct encoder base;
    struct encoding e;
    EbComponentType *svt;
    bool running, holds; /* holds: a picture, taken as `held` says */
    struct capture held;
    const struct smart_blocks *blocks; /* of the next picture; borrowed */
    struct picture_pool *pool;
    struct picture *canvas; /* with the smart codec: what the codec was given */
    double coarser;         /* quantizer steps */
    bool stale;             /* the codec has not heard of `coarser` yet */
    int since_key;
    double fps;
    int64_t pts;
    struct stream_format format;
};

/* VAPIX compression 0 best … 100 smallest: CRF 20 … 63, 30 is 35: about as good as x264's 25. */
static double crf_of(int compression)
{
    return compression <= 30 ? 20 + compression / 2.0 : 35 + (compression - 30) * 28 / 70.0;
}

/* The library writes to standard error; its own variable tells it to be silent. */
static void quiet(void)
{
    setenv("SVT_LOG", "-1", 0);
}

static void stop(struct av1_encoder *a)
{
    if (a->running)
        svt_av1_enc_deinit(a->svt);
    if (a->svt)
        svt_av1_enc_deinit_handle(a->svt);
    a->running = false;
    a->svt = NULL;
}

static void av1_close(struct encoder *enc)
{
    struct av1_encoder *a = container_of(enc, struct av1_encoder, base);
    stop(a);
    picture_unref(a->canvas);
    picture_pool_unref(a->pool);
    free(a);
}

static int start(struct av1_encoder *a)
{
    EbSvtAv1EncConfiguration c;
    const struct encoding *e = &a->e;
    if (svt_av1_enc_init_handle(&a->svt, a, &c) != EB_ErrorNone)
        return -ENOMEM;
    c.enc_mode = PRESET;
    c.pred_structure = LOW_DELAY;
    c.intra_period_length = encoding_gop(e) - 1;
    c.intra_refresh_type = SVT_AV1_KF_REFRESH;
    c.look_ahead_distance = 0;
    c.scene_change_detection = 0;
    c.source_width = (uint32_t)e->key.width;
    c.source_height = (uint32_t)e->key.height;
    c.frame_rate_numerator = (uint32_t)(a->fps * 1000 + 0.5);
    c.frame_rate_denominator = 1000;
    c.encoder_bit_depth = 8;
    c.encoder_color_format = EB_YUV420;
    c.color_description_present_flag = true;
    c.color_primaries = EB_CICP_CP_BT_709;
    c.transfer_characteristics = EB_CICP_TC_BT_709;
    c.matrix_coefficients = EB_CICP_MC_BT_709;
    c.color_range = EB_CR_STUDIO_RANGE;
    c.rate_control_mode = e->rate.mode == RATE_CBR ? CONSTANT_RATE : CONSTANT_QUALITY;
    c.enable_adaptive_quantization = 2;
    c.qp = (uint32_t)lrint(fmin(crf_of(e->compression) + a->coarser, CRF_MOST));
    if (e->rate.mode == RATE_CBR)
        c.target_bit_rate = (uint32_t)e->rate.max_kbps * 1000;
    else if (e->rate.max_kbps > 0)
        c.max_bit_rate = (uint32_t)e->rate.max_kbps * 1000;
    c.logical_processors = 1;
    if (svt_av1_enc_set_parameter(a->svt, &c) != EB_ErrorNone ||
        svt_av1_enc_init(a->svt) != EB_ErrorNone)
        return -EINVAL;
    a->running = true;
    a->holds = a->stale = false;
    a->pts = 0;
    return 0;
}

static struct encoder *av1_open(const struct encoding *e, double source_fps, struct fault *why)
{
    struct av1_encoder *a = calloc(1, sizeof(*a));
    if (!a) {
        fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    double fps = e->fps > 0 && e->fps < source_fps ? e->fps : source_fps;
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, quiet);
    a->base.ops = &encoder_av1;
    a->e = *e;
    a->fps = fps;
    a->format = (struct stream_format){
        .codec = CODEC_AV1, .width = e->key.width, .height = e->key.height, .fps = fps};
    if (start(a) < 0) {
        av1_close(&a->base);
        fault_set(why, FAULT_UNSUPPORTED, NULL,
                  "the AV1 encoder does not start; its pictures are at least 64 by 64");
        return NULL;
    }
    return &a->base;
}

/* A block of all planes: 16 × 16 luma, cut off at the picture's edge. weight of `from`: 4 all,
 * 1 a quarter. */
static void take_block(struct picture *to, const struct picture *from, int bx, int by, int weight)
{
    for (int i = 0; i < 3; i++) {
        int size = SMART_BLOCK >> (i > 0);
        int width = to->width >> (i > 0), height = to->height >> (i > 0);
        int x = bx * size, n = x + size > width ? width - x : size;
        for (int y = by * size; y < (by + 1) * size && y < height; y++) {
            uint8_t *t = to->plane[i] + (ptrdiff_t)y * to->stride[i] + x;
            const uint8_t *f = from->plane[i] + (ptrdiff_t)y * from->stride[i] + x;
            if (weight == 4)
                memcpy(t, f, (size_t)n);
            else
                for (int k = 0; k < n; k++)
                    t[k] = (uint8_t)((3 * t[k] + f[k] + 2) >> 2);
        }
    }
}

/* What the codec is given. */
static const struct picture *held_picture(struct av1_encoder *a, const struct picture *p)
{
    const struct smart_blocks *b = a->blocks;
    a->blocks = NULL;
    if (!a->e.smart.strength)
        return p;
    bool all = !b || !a->canvas;
    if (!a->pool)
        a->pool = picture_pool_new(p->width, p->height, false, 1);
    if (!a->canvas && a->pool)
        a->canvas = picture_get(a->pool);
    if (!a->canvas)
        return p;
    if (all) {
        picture_copy_rows(a->canvas, p, 0, p->height);
        return a->canvas;
    }
    for (int y = 0; y < b->down; y++)
        for (int x = 0; x < b->across; x++) {
            int i = y * b->across + x;
            if (b->kind[i] != BLOCK_STILL)
                take_block(a->canvas, p, x, y, 4);
            else if ((i * 37 + (int)(a->pts % REFRESH)) % REFRESH == 0)
                take_block(a->canvas, p, x, y, 1);
        }
    return a->canvas;
}

static int send_picture(struct av1_encoder *a, const struct rendition *r)
{
    const struct picture *p = held_picture(a, r->pixels);
    EbSvtIOFormat pixels = {.luma = p->plane[0],
                            .cb = p->plane[1],
                            .cr = p->plane[2],
                            .y_stride = (uint32_t)p->stride[0],
                            .cb_stride = (uint32_t)p->stride[1],
                            .cr_stride = (uint32_t)p->stride[2],
                            .width = (uint32_t)p->width,
                            .height = (uint32_t)p->height,
                            .color_fmt = EB_YUV420,
                            .bit_depth = EB_EIGHT_BIT};
    EbBufferHeaderType in = {.size = sizeof(in),
                             .p_buffer = (uint8_t *)&pixels,
                             .n_filled_len = (uint32_t)(p->width * p->height * 3 / 2),
                             .pts = a->pts++,
                             .pic_type = EB_AV1_INVALID_PICTURE};
    return svt_av1_enc_send_picture(a->svt, &in) == EB_ErrorNone ? 0 : -EIO;
}

/* An OBU with the stamp; length. */
static size_t make_stamp(const struct capture *how, uint8_t *ret)
{
    char text[TEXT_MAX];
    size_t text_len = (size_t)capture_text(how, text, sizeof(text)), n = 0;
    ret[n++] = OBU_PADDING << 3 | 2;
    n += obu_leb128((uint32_t)(sizeof(capture_sei_uuid) + text_len + 1), ret + n);
    memcpy(ret + n, capture_sei_uuid, sizeof(capture_sei_uuid));
    n += sizeof(capture_sei_uuid);
    memcpy(ret + n, text, text_len);
    n += text_len;
    ret[n++] = 0x80; /* trailing bits */
    return n;
}

static bool is_frame(const struct obu *o)
{
    return o->type == OBU_FRAME || o->type == OBU_FRAME_HEADER;
}

static struct packet *rewrite(struct av1_encoder *a, const EbBufferHeaderType *unit,
                              const struct capture *how)
{
    uint8_t stamp[TEXT_MAX + 64];
    size_t stamp_len = a->e.stamp ? make_stamp(how, stamp) : 0, at = 0, out = 0;
    uint8_t *bytes = malloc(unit->n_filled_len + stamp_len);
    if (!bytes)
        return NULL;
    bool changed = false, told = !stamp_len;
    for (struct obu o; obu_next(unit->p_buffer, unit->n_filled_len, &at, &o) == 0;) {
        if (o.type == OBU_TEMPORAL_DELIMITER || o.type == OBU_PADDING)
            continue;
        if (o.type == OBU_SEQUENCE_HEADER && o.len <= sizeof(a->format.sps)) {
            changed = a->format.sps_len != o.len || memcmp(a->format.sps, o.bytes, o.len) != 0;
            memcpy(a->format.sps, o.bytes, o.len);
            a->format.sps_len = o.len;
        }
        if (!told && is_frame(&o)) {
            memcpy(bytes + out, stamp, stamp_len);
            out += stamp_len;
            told = true;
        }
        memcpy(bytes + out, o.bytes, o.len);
        out += o.len;
    }
    struct packet *p = packet_new(bytes, out, free, bytes);
    if (!p) {
        free(bytes);
        return NULL;
    }
    p->flags =
        (unit->pic_type == EB_AV1_KEY_PICTURE ? PACKET_KEY : 0) | (changed ? PACKET_CONFIG : 0);
    p->how = *how;
    return p;
}

/* The unit of the picture that is held back. It is on its way: another one, or the end, has
 * been sent ("done" lets the call wait for it). */
static int receive(struct av1_encoder *a, struct packet **ret_p)
{
    EbBufferHeaderType *unit = NULL;
    if (svt_av1_enc_get_packet(a->svt, &unit, 1) != EB_ErrorNone || !unit)
        return -EIO;
    struct packet *p = rewrite(a, unit, &a->held);
    svt_av1_enc_release_out_buffer(&unit);
    if (!p)
        return -ENOMEM;
    *ret_p = p;
    return 0;
}

/* Empties the codec and begins anew, with a key. */
static int renew(struct av1_encoder *a, struct packet **ret_p)
{
    EbBufferHeaderType end = {.size = sizeof(end), .flags = EB_BUFFERFLAG_EOS};
    int err =
        a->holds && svt_av1_enc_send_picture(a->svt, &end) == EB_ErrorNone ? receive(a, ret_p) : 0;
    stop(a);
    return err < 0 ? err : start(a);
}

static int av1_encode(struct encoder *enc, struct rendition *r, bool force_key,
                      struct packet **ret_p, struct stream_format *format)
{
    struct av1_encoder *a = container_of(enc, struct av1_encoder, base);
    if (r->pixels->width != a->e.key.width || r->pixels->height != a->e.key.height)
        return -EINVAL;
    *ret_p = NULL;
    /* Another quality begins where a key is due anyway. */
    bool anew = force_key || (a->stale && a->since_key + 1 >= encoding_gop(&a->e));
    int err = !a->running || (anew && a->holds) ? renew(a, ret_p) : 0;
    if (!err)
        err = send_picture(a, r);
    if (!err && a->holds)
        err = receive(a, ret_p);
    if (err) {
        *ret_p = packet_unref(*ret_p);
        return err;
    }
    a->since_key = a->pts == 1 || a->since_key + 1 >= encoding_gop(&a->e) ? 0 : a->since_key + 1;
    a->holds = true;
    a->held = r->how;
    *format = a->format;
    return 0;
}

static void av1_blocks(struct encoder *enc, const struct smart_blocks *b)
{
    container_of(enc, struct av1_encoder, base)->blocks = b;
}

static void av1_coarser(struct encoder *enc, double steps)
{
    struct av1_encoder *a = container_of(enc, struct av1_encoder, base);
    if (fabs(steps - a->coarser) < STEP_LEAST)
        return;
    a->coarser = steps;
    a->stale = true;
}

const struct encoder_ops encoder_av1 = {
    .codec = CODEC_AV1,
    .name = "av1",
    .open = av1_open,
    .encode = av1_encode,
    .blocks = av1_blocks,
    .coarser = av1_coarser,
    .close = av1_close,
};
