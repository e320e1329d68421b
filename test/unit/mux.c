/* Pieces of containers, read back by a demuxer: what is in them, when, and that they depend on
 * nothing but their packet. */
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "media/encode.h"
#include "media/mux.h"
#include "media/sound_encode.h"
#include "unit.h"

#define W 320
#define H 180
#define PICTURES 12
#define GOP 5

static struct stream_format format;
static struct packet *packets[PICTURES];

static void code(enum codec codec)
{
    struct fault why = {0};
    const struct encoding e = {.codec = codec,
                               .key = {.view = 1, .width = W, .height = H},
                               .compression = 30,
                               .gop = GOP,
                               .profile = 2};
    struct picture_pool *pool = picture_pool_new(W, H, codec == CODEC_JPEG, 4);
    struct encoder *enc = NULL;
    for (int i = 0; encoder_table[i]; i++)
        if (encoder_table[i]->codec == codec)
            enc = encoder_table[i]->open(&e, 30, &why);
    CHECK(enc);
    format = (struct stream_format){.codec = codec, .width = W, .height = H, .fps = 30};
    for (int k = 0, n = 0; n < PICTURES; k++) {
        struct picture *p = picture_get(pool);
        for (int i = 0; i < 3; i++)
            memset(p->plane[i], i ? 128 : 40 + 10 * k,
                   (size_t)p->stride[i] * (size_t)(i ? H / 2 : H));
        struct capture how = {.serial = (uint64_t)k};
        struct rendition *r = rendition_new(p, &how);
        struct packet *out = NULL;
        CHECK_INT(enc->ops->encode(enc, r, false, &out, &format), 0);
        rendition_unref(r);
        if (!out)
            continue;
        out->serial = (uint64_t)n;
        out->time_ns = 5 * NSEC_PER_SEC + n * NSEC_PER_SEC / 30;
        out->utc_ns = CLOCK_SIM_UTC_NS + out->time_ns;
        packets[n++] = out;
    }
    enc->ops->close(enc);
    picture_pool_unref(pool);
}

static void forget(void)
{
    for (int i = 0; i < PICTURES; i++)
        packets[i] = packet_unref(packets[i]);
}

struct reader {
    const struct buf *file;
    size_t at;
};

static int read_some(void *arg, uint8_t *to, int len)
{
    struct reader *r = arg;
    size_t n = r->file->len - r->at;
    if (!n)
        return AVERROR_EOF;
    n = n < (size_t)len ? n : (size_t)len;
    memcpy(to, r->file->data + r->at, n);
    r->at += n;
    return (int)n;
}

/* The pieces from `first` on behind the opening are a file that plays. */
static void read_back(const struct buf *file, enum AVCodecID id, int first)
{
    struct reader r = {file, 0};
    AVFormatContext *f = avformat_alloc_context();
    f->pb = avio_alloc_context(av_malloc(4096), 4096, 0, &r, read_some, NULL, NULL);
    CHECK_INT(avformat_open_input(&f, NULL, NULL, NULL), 0);
    CHECK_INT(avformat_find_stream_info(f, NULL), 0);
    CHECK_INT(f->nb_streams, 1);
    const AVStream *s = f->streams[0];
    CHECK_INT(s->codecpar->codec_id, id);
    CHECK_INT(s->codecpar->width, W);
    CHECK_INT(s->codecpar->height, H);
    AVCodecContext *dec = avcodec_alloc_context3(avcodec_find_decoder(id));
    avcodec_parameters_to_context(dec, s->codecpar);
    dec->thread_count = 1;
    dec->flags |= AV_CODEC_FLAG_LOW_DELAY;
    CHECK_INT(avcodec_open2(dec, NULL, NULL), 0);
    AVPacket *p = av_packet_alloc();
    AVFrame *pic = av_frame_alloc();
    int n = first;
    for (; av_read_frame(f, p) >= 0; n++) {
        CHECK(n < PICTURES);
        double at_s = (double)p->pts * av_q2d(s->time_base);
        CHECK_NEAR(at_s, (double)packets[n]->time_ns / (double)NSEC_PER_SEC, 0.0006);
        CHECK_INT(!!(p->flags & AV_PKT_FLAG_KEY), !!(packets[n]->flags & PACKET_KEY));
        CHECK_INT(avcodec_send_packet(dec, p), 0);
        CHECK_INT(avcodec_receive_frame(dec, pic), 0);
        av_packet_unref(p);
    }
    CHECK_INT(n, PICTURES);
    av_frame_free(&pic);
    av_packet_free(&p);
    avcodec_free_context(&dec);
    AVIOContext *io = f->pb;
    avformat_close_input(&f);
    av_freep(&io->buffer);
    avio_context_free(&io);
}

static bool has(const struct buf *b, const char *word)
{
    return memmem(b->data, b->len, word, strlen(word)) != NULL;
}

static void check(enum container c, enum codec codec, enum AVCodecID id)
{
    code(codec);
    for (int first = 0; first < PICTURES; first += GOP) { /* joining at each key */
        BUF(file, 1 << 20);
        CHECK_INT(mux_opening(c, &format, 1, &file), 0);
        for (int i = first; i < PICTURES; i++)
            CHECK_INT(mux_piece(c, &format, 1, packets[i], &file), 0);
        CHECK(packets[first]->flags & PACKET_KEY);
        read_back(&file, id, first);
    }
    /* whatever was made before or between */
    BUF(late, 1 << 20);
    BUF(early, 1 << 20);
    CHECK_INT(mux_piece(c, &format, 1, packets[9], &late), 0);
    CHECK_INT(mux_piece(c, &format, 1, packets[2], &early), 0);
    size_t len = early.len;
    CHECK_INT(mux_piece(c, &format, 1, packets[2], &early), 0);
    CHECK(early.len == 2 * len && !memcmp(early.data, early.data + len, len));
    if (c == CONTAINER_MP4) {
        CHECK(!memcmp(early.data + 4, "prft", 4)); /* when it was taken */
        CHECK(has(&early, "moof") && has(&early, "mdat") && !has(&early, "sidx"));
        CHECK(len < packets[2]->len + 200);
    }
    forget();
}

TEST(mp4_of_each_codec)
{
    check(CONTAINER_MP4, CODEC_H264, AV_CODEC_ID_H264);
    check(CONTAINER_MP4, CODEC_H265, AV_CODEC_ID_HEVC);
    check(CONTAINER_MP4, CODEC_AV1, AV_CODEC_ID_AV1);
}

static uint64_t number_at(const struct buf *b, const char *box, size_t at, int bytes)
{
    const char *found = memmem(b->data, b->len, box, strlen(box));
    uint64_t v = 0;
    CHECK(found && found + 4 + at + bytes <= b->data + b->len);
    for (int i = 0; i < bytes; i++)
        v = v << 8 | (uint8_t)found[4 + at + (size_t)i];
    return v;
}

/* ISO/IEC 14496-12: tfdt is of decoding, trun tells how much later it is shown. */
TEST(mp4_of_a_picture_decoded_earlier_than_shown)
{
    code(CODEC_H264);
    BUF(piece, 1 << 20);
    packets[2]->early_ns = NSEC_PER_SEC / 10;
    CHECK_INT(mux_piece(CONTAINER_MP4, &format, 1, packets[2], &piece), 0);
    CHECK_INT(number_at(&piece, "tfdt", 0, 1), 1); /* version: 64 bits */
    CHECK_NEAR((double)number_at(&piece, "tfdt", 4, 8) / 90000,
               (double)(packets[2]->time_ns - packets[2]->early_ns) / (double)NSEC_PER_SEC, 1e-4);
    CHECK(number_at(&piece, "trun", 1, 3) & 0x800); /* offsets of composition follow */
    CHECK(number_at(&piece, "trun", 12, 4) == 9000);
    forget();
}

TEST(matroska_of_each_codec)
{
    check(CONTAINER_MATROSKA, CODEC_H264, AV_CODEC_ID_H264);
    check(CONTAINER_MATROSKA, CODEC_H265, AV_CODEC_ID_HEVC);
    check(CONTAINER_MATROSKA, CODEC_AV1, AV_CODEC_ID_AV1);
    check(CONTAINER_MATROSKA, CODEC_JPEG, AV_CODEC_ID_MJPEG);
}

/* Sound is track 2: its pieces go between those of the pictures. */
static void check_sound(enum container c, const struct sound_encoding *e, enum AVCodecID id)
{
    struct stream_format both[2];
    struct fault why = {0};
    code(CODEC_H264);
    struct sound_encoder *enc = sound_encoder_open(e, &why);
    CHECK(enc);
    both[0] = format;
    sound_encoder_format(enc, &both[1]);
    sound_encoder_close(enc);
    CHECK(mux_holds(c, e->codec));
    BUF(file, 1 << 20);
    CHECK_INT(mux_opening(c, both, 2, &file), 0);
    static const uint8_t bytes[40] = {0x20, 0x10, 5}; /* one frame of Opus; nobody decodes it */
    double each_s = 1 / both[1].fps;
    for (int i = 0; i < PICTURES; i++) {
        CHECK_INT(mux_piece(c, &both[0], 1, packets[i], &file), 0);
        struct packet *p = packet_new(bytes, sizeof(bytes), NULL, NULL);
        p->flags = PACKET_KEY;
        p->serial = (uint64_t)i;
        p->time_ns = 5 * NSEC_PER_SEC + (int64_t)(i * each_s * (double)NSEC_PER_SEC);
        CHECK_INT(mux_piece(c, &both[1], 2, p, &file), 0);
        packet_unref(p);
    }
    struct reader r = {&file, 0};
    AVFormatContext *f = avformat_alloc_context();
    f->pb = avio_alloc_context(av_malloc(4096), 4096, 0, &r, read_some, NULL, NULL);
    CHECK_INT(avformat_open_input(&f, NULL, NULL, NULL), 0);
    CHECK_INT(f->nb_streams, 2);
    CHECK_INT(f->streams[1]->codecpar->codec_id, id);
    CHECK_INT(f->streams[1]->codecpar->ch_layout.nb_channels, 1);
    CHECK_INT(f->streams[1]->codecpar->sample_rate, e->codec == CODEC_OPUS ? 48000 : e->rate_hz);
    AVPacket *p = av_packet_alloc();
    int n[2] = {0};
    while (av_read_frame(f, p) >= 0) {
        double at_s = (double)p->pts * av_q2d(f->streams[p->stream_index]->time_base);
        double want_s = 5 + (p->stream_index ? each_s : 1 / 30.0) * n[p->stream_index];
        CHECK_NEAR(at_s, want_s, 0.0006);
        CHECK(!p->stream_index ||
              (p->size == sizeof(bytes) && !memcmp(p->data, bytes, sizeof(bytes))));
        n[p->stream_index]++;
        av_packet_unref(p);
    }
    CHECK_INT(n[0], PICTURES);
    CHECK_INT(n[1], PICTURES);
    av_packet_free(&p);
    AVIOContext *io = f->pb;
    avformat_close_input(&f);
    av_freep(&io->buffer);
    avio_context_free(&io);
    forget();
}

TEST(sound_beside_pictures)
{
    static const struct {
        struct sound_encoding e;
        enum AVCodecID id;
    } each[] = {{{CODEC_AAC, 16000, 32000}, AV_CODEC_ID_AAC},
                {{CODEC_OPUS, 48000, 32000}, AV_CODEC_ID_OPUS},
                {{CODEC_PCMU, 8000, 0}, AV_CODEC_ID_PCM_MULAW},
                {{CODEC_PCMA, 8000, 0}, AV_CODEC_ID_PCM_ALAW},
                {{CODEC_L16, 16000, 0}, AV_CODEC_ID_PCM_S16BE}};
    for (size_t i = 0; i < sizeof(each) / sizeof(*each); i++)
        check_sound(CONTAINER_MATROSKA, &each[i].e, each[i].id);
    check_sound(CONTAINER_MP4, &each[0].e, each[0].id);
    CHECK(!mux_holds(CONTAINER_MATROSKA, CODEC_G726) && !mux_holds(CONTAINER_MP4, CODEC_OPUS));
}

TEST(codec_names)
{
    char name[MUX_CODEC_NAME];
    code(CODEC_H264);
    CHECK(mux_codec_name(&format, name));
    CHECK(!strncmp(name, "avc1.6400", 9));
    forget();
    code(CODEC_H265);
    CHECK(mux_codec_name(&format, name));
    CHECK(!strncmp(name, "hvc1.1.6.L", 10));
    forget();
    code(CODEC_AV1);
    CHECK(mux_codec_name(&format, name));
    CHECK(!strncmp(name, "av01.0.0", 8) && strstr(name, "M.08"));
    forget();
}

TEST(what_cannot_be_muxed)
{
    BUF(b, 1 << 20);
    struct stream_format f = {.codec = CODEC_H264, .width = W, .height = H, .fps = 30};
    char name[MUX_CODEC_NAME];
    CHECK_INT(mux_opening(CONTAINER_MP4, &f, 1, &b), -EINVAL); /* no parameter sets yet */
    CHECK(!mux_codec_name(&f, name));
    f.codec = CODEC_JPEG;
    CHECK_INT(mux_opening(CONTAINER_MP4, &f, 1, &b), -ENOTSUP);
    CHECK(!mux_holds(CONTAINER_MP4, CODEC_JPEG) && mux_holds(CONTAINER_MATROSKA, CODEC_JPEG));
    CHECK_INT(b.len, 0);
}

UNIT_MAIN(UNIT_ROW(mp4_of_each_codec) UNIT_ROW(mp4_of_a_picture_decoded_earlier_than_shown)
              UNIT_ROW(matroska_of_each_codec) UNIT_ROW(sound_beside_pictures) UNIT_ROW(codec_names)
                  UNIT_ROW(what_cannot_be_muxed))
