/* Sound: the virtual world's, coders and decoders, the clock of a device, packets that come in
 * disorder, streams of bytes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "deliver/rtp_in.h"
#include "deliver/rtp_split.h"
#include "device/virtual/cast/cast.h"
#include "device/virtual/sound/mic.h"
#include "device/virtual/sound/speaker.h"
#include "device/virtual/stage/stage.h"
#include "media/ogg.h"
#include "media/sound.h"
#include "media/sound_clock.h"
#include "media/sound_decode.h"
#include "media/sound_encode.h"
#include "media/sound_stream.h"
#include "media/stream.h"
#include "unit.h"

static double level_db(const int16_t *s, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)s[i] * s[i];
    return sum > 0 ? 10 * log10(sum / (double)n / 32768 / 32768) : -120;
}

/* Of one frequency in n samples: 1 for a pure sine. */
static double strength(const int16_t *s, size_t n, double hz, double rate)
{
    double re = 0, im = 0, power = 0;
    for (size_t i = 0; i < n; i++) {
        re += s[i] * cos(2 * M_PI * hz * (double)i / rate);
        im += s[i] * sin(2 * M_PI * hz * (double)i / rate);
        power += (double)s[i] * s[i];
    }
    return power > 0 ? 2 * (re * re + im * im) / (power * (double)n) : 0;
}

/* ---- the virtual world ---- */

static const char street[] = "scenario two\nlength 60\npath e -160 27 160 27\n"
                             "actor a man walk (-6 12 20 12) every 9\n"
                             "actor b car-suv drive e every 7\n";

struct bench {
    struct cast *cast;
    struct stage *stage;
};

static struct bench bench_new(void)
{
    struct bench b = {cast_new(3), stage_new(3)};
    CHECK_INT(cast_load(b.cast, 0, street, sizeof(street) - 1, NULL), 0);
    return b;
}

static void bench_free(struct bench *b)
{
    cast_free(b->cast);
    stage_free(b->stage);
}

static struct mic *ears(const struct bench *b)
{
    const struct virtual_ears e = {b->cast, b->stage, NULL, {0, 0, 6}, false};
    return virtual_mic_new(&e, 3);
}

static void hear(struct mic *m, int64_t k, int16_t ret[2 * MIC_FRAMES_MOST])
{
    struct mic_block block;
    CHECK_INT(m->ops->take(m, k * SOUND_BLOCK_NS, ret, &block), 0);
    CHECK_INT((long)block.frames, SOUND_BLOCK);
    CHECK(block.time_ns == k * SOUND_BLOCK_NS);
}

TEST(any_block_is_the_same_in_any_order)
{
    static int16_t a[2 * MIC_FRAMES_MOST], b[2 * MIC_FRAMES_MOST];
    struct bench s = bench_new();
    struct mic *one = ears(&s), *two = ears(&s);
    static int16_t first[60][SOUND_BLOCK];
    bool differs = false;
    for (int64_t k = 40; k < 100; k++) {
        hear(one, k, a);
        memcpy(first[k - 40], a, sizeof(first[0]));
        differs = differs || memcmp(first[k - 40], first[0], sizeof(first[0])) != 0;
    }
    CHECK(differs);
    for (int64_t k = 99; k >= 40; k -= 7) {
        hear(two, k, b);
        CHECK(!memcmp(b, first[k - 40], sizeof(first[0])));
    }
    virtual_mic_free(one);
    virtual_mic_free(two);
    bench_free(&s);
}

TEST(a_clap_is_heard_when_it_happens)
{
    static int16_t a[2 * MIC_FRAMES_MOST];
    struct bench s = bench_new();
    struct mic *m = ears(&s);
    int64_t at_ns = 3 * NSEC_PER_SEC + 7 * NSEC_PER_MSEC;
    CHECK_INT(stage_command_text(s.stage, at_ns, "clap", NULL), 0);
    CHECK(stage_flashes(s.stage, at_ns - NSEC_PER_MSEC, at_ns + NSEC_PER_MSEC));
    CHECK(!stage_flashes(s.stage, at_ns - 2 * NSEC_PER_MSEC, at_ns - NSEC_PER_MSEC));
    CHECK(!stage_flashes(s.stage, at_ns + STAGE_CLAP_NS, at_ns + STAGE_CLAP_NS + 1));
    hear(m, 149, a);
    CHECK(level_db(a, SOUND_BLOCK) < -30);
    hear(m, 150, a);
    int onset = 0;
    while (onset < SOUND_BLOCK && abs(a[onset]) < 6000)
        onset++;
    CHECK(abs(onset - 7 * 48) < 48); /* within a millisecond */
    virtual_mic_free(m);
    bench_free(&s);
}

TEST(weather_and_line_are_heard)
{
    static int16_t a[2 * MIC_FRAMES_MOST];
    struct bench s = bench_new();
    struct mic *m = ears(&s);
    hear(m, 100, a);
    double calm = level_db(a, SOUND_BLOCK);
    CHECK_INT(stage_command_text(s.stage, 1, "rain 30 0s", NULL), 0);
    hear(m, 101, a);
    CHECK(level_db(a, SOUND_BLOCK) > calm + 6);
    CHECK_INT(m->ops->start(m, 1), 0);
    hear(m, 102, a);
    CHECK(strength(a, SOUND_BLOCK, 1000, SOUND_HZ) > 0.99);
    virtual_mic_free(m);
    bench_free(&s);
}

TEST(the_loudspeaker_remembers)
{
    struct speaker *s = virtual_speaker_new();
    int16_t block[SOUND_BLOCK], back[SOUND_BLOCK];
    for (int i = 0; i < SOUND_BLOCK; i++)
        block[i] = (int16_t)(i * 3);
    CHECK_INT(s->ops->play(s, block, SOUND_BLOCK, 5 * SOUND_BLOCK_NS), 0);
    CHECK_INT(s->ops->play(s, block, SOUND_BLOCK, 8 * SOUND_BLOCK_NS), 0);
    virtual_speaker_read(s, 5 * SOUND_BLOCK_NS, back, SOUND_BLOCK);
    CHECK(!memcmp(block, back, sizeof(block)));
    virtual_speaker_read(s, 6 * SOUND_BLOCK_NS, back, SOUND_BLOCK);
    CHECK(level_db(back, SOUND_BLOCK) < -100);
    virtual_speaker_read(s, 8 * SOUND_BLOCK_NS, back, SOUND_BLOCK);
    CHECK(!memcmp(block, back, sizeof(block)));
    virtual_speaker_free(s);
}

/* ---- coders ---- */

struct coded {
    struct sound_decoder *decoder;
    int16_t out[SOUND_HZ * 2];
    size_t n;
    int packets;
    int64_t last_at, step;
    size_t most;
};

static void on_packet(void *arg, const uint8_t *bytes, size_t len, int64_t at)
{
    struct coded *c = arg;
    static int16_t samples[SOUND_DECODED_MOST];
    int n = sound_decoder_put(c->decoder, bytes, len, samples);
    CHECK(n >= 0);
    if (c->packets++)
        CHECK(at - c->last_at == c->step);
    c->last_at = at;
    c->most = len > c->most ? len : c->most;
    if (c->n + (size_t)n <= sizeof(c->out) / sizeof(*c->out)) {
        memcpy(c->out + c->n, samples, (size_t)n * sizeof(*samples));
        c->n += (size_t)n;
    }
}

TEST(each_coding_there_and_back)
{
    static const struct {
        struct sound_encoding e;
        int step;
        double least; /* of the tone */
    } rows[] = {
        {{CODEC_AAC, 16000, 32000}, 1024, 0.95}, {{CODEC_AAC, 48000, 96000}, 1024, 0.95},
        {{CODEC_OPUS, 48000, 32000}, 960, 0.9},  {{CODEC_PCMU, 8000, 0}, 160, 0.98},
        {{CODEC_PCMA, 8000, 0}, 160, 0.98},      {{CODEC_PCMU, 16000, 0}, 320, 0.98},
        {{CODEC_G726, 8000, 16000}, 160, 0.8},   {{CODEC_G726, 8000, 24000}, 160, 0.9},
        {{CODEC_G726, 8000, 32000}, 160, 0.95},  {{CODEC_G726, 8000, 40000}, 160, 0.97},
        {{CODEC_L16, 44100, 0}, 441, 0.99},      {{CODEC_L16, 16000, 0}, 320, 0.99},
    };
    for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
        static struct coded c;
        struct stream_format f;
        struct sound_encoding e = rows[r].e;
        CHECK_INT(sound_encoding_normalise(&e, NULL), 0);
        CHECK(sound_encoding_equal(&e, &rows[r].e));
        struct sound_encoder *enc = sound_encoder_open(&e, NULL);
        CHECK(enc);
        sound_encoder_format(enc, &f);
        struct sound_code code = {
            .codec = f.codec, .rate_hz = f.rate_hz, .channels = 1, .bitrate = f.bitrate};
        memcpy(code.config, f.sps, f.sps_len);
        code.config_len = f.sps_len;
        memset(&c, 0, sizeof(c));
        c.step = rows[r].step;
        c.decoder = sound_decoder_open(&code, NULL);
        CHECK(c.decoder);
        for (int b = 0; b < 50; b++) {
            int16_t tone[SOUND_BLOCK];
            for (int i = 0; i < SOUND_BLOCK; i++)
                tone[i] = (int16_t)(8000 * sin(2 * M_PI * 500 * (b * SOUND_BLOCK + i) / SOUND_HZ));
            CHECK_INT(sound_encoder_put(enc, tone, SOUND_BLOCK, on_packet, &c), 0);
        }
        CHECK(c.n > SOUND_HZ / 2);
        CHECK(c.most <= PAYLOAD_MAX);
        CHECK(strength(c.out + SOUND_HZ / 4, SOUND_HZ / 5, 500, SOUND_HZ) > rows[r].least);
        sound_decoder_close(c.decoder);
        sound_encoder_close(enc);
    }
}

static void keep_last(void *arg, const uint8_t *bytes, size_t len, int64_t at)
{
    memcpy(arg, bytes, len < 160 ? len : 160);
}

/* ITU-T G.711: silence and both ends of the scale. */
TEST(g711_by_its_table)
{
    static const struct {
        int16_t sample;
        uint8_t mu, a;
    } rows[] = {{0, 0xff, 0xd5}, {32767, 0x80, 0xaa}, {-32768, 0x00, 0x2a}, {8031, 0x9f, 0x8a}};
    for (size_t i = 0; i < 3; i++)
        for (int law = 0; law < 2; law++) {
            uint8_t out[160] = {0};
            const struct sound_encoding e = {law ? CODEC_PCMA : CODEC_PCMU, 8000, 0};
            struct sound_encoder *enc = sound_encoder_open(&e, NULL);
            int16_t block[SOUND_BLOCK];
            for (int k = 0; k < SOUND_BLOCK; k++)
                block[k] = rows[i].sample;
            for (int b = 0; b < 5; b++)
                CHECK_INT(sound_encoder_put(enc, block, SOUND_BLOCK, keep_last, out), 0);
            CHECK_INT(out[80], law ? rows[i].a : rows[i].mu);
            sound_encoder_close(enc);
        }
}

TEST(wishes_that_cannot_be)
{
    struct sound_encoding bad[] = {{CODEC_AAC, 11000, 32000},
                                   {CODEC_AAC, 8000, 64000},
                                   {CODEC_OPUS, 44100, 32000},
                                   {CODEC_G726, 8000, 33000},
                                   {CODEC_H264, 8000, 0}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        CHECK(sound_encoding_normalise(&bad[i], NULL) < 0);
}

/* ---- a device's clock ---- */

TEST(a_device_that_drifts_stays_in_time)
{
    static int16_t run[2 * MIC_FRAMES_MOST];
    struct sound_clock *c = sound_clock_new();
    double hz = 44100 * 1.0004; /* 0.4 per mille too fast */
    int64_t last_ns = 0;
    double phase = 0;
    int got = 0, torn = 0;
    for (int k = 0; k < 1000; k++) { /* 20 s */
        size_t n = (size_t)((k + 1) * hz / 50) - (size_t)(k * hz / 50);
        for (size_t i = 0; i < n; i++, phase += 2 * M_PI * 440 / hz)
            run[i] = (int16_t)(9000 * sin(phase));
        const struct sound_run r = {k * SOUND_BLOCK_NS, 44100, 1, n};
        CHECK_INT(sound_clock_put(c, run, &r), 0);
        struct sound s = {.time_ns = k * SOUND_BLOCK_NS};
        while (sound_clock_get(c, &s)) {
            torn += got++ && s.time_ns != last_ns + SOUND_BLOCK_NS;
            last_ns = s.time_ns;
            CHECK(llabs(s.time_ns - k * SOUND_BLOCK_NS) < 80 * NSEC_PER_MSEC);
            s.time_ns = k * SOUND_BLOCK_NS;
        }
    }
    CHECK(got > 980);
    CHECK_INT(torn, 0);
    sound_clock_free(c);
}

/* ---- packets ---- */

static int given[64];
static int n_given;

static void give(void *arg, const struct rtp_in *p)
{
    given[n_given++ % 64] = p->seq;
}

static void put_seq(struct rtp_order *o, int seq)
{
    const uint8_t p[13] = {0x80, 0, (uint8_t)(seq >> 8), (uint8_t)seq, [12] = 1};
    rtp_order_put(o, p, sizeof(p), give, NULL);
}

TEST(packets_are_put_in_order)
{
    static const int in[] = {65534, 65535, 1, 0, 0, 2, 5, 4, 6, 7, 8, 3, 9};
    static const int out[] = {65534, 65535, 0, 1, 2, 4, 5, 6, 7, 8, 9};
    static struct rtp_order o;
    n_given = 0;
    for (size_t i = 0; i < sizeof(in) / sizeof(*in); i++)
        put_seq(&o, in[i]);
    CHECK_INT(n_given, (int)(sizeof(out) / sizeof(*out)));
    for (int i = 0; i < n_given; i++)
        CHECK_INT(given[i], out[i]);
    CHECK_INT((int)o.lost, 1);
    put_seq(&o, 30000); /* another stream */
    CHECK_INT(given[n_given - 1], 30000);
}

struct units {
    int n;
    size_t len[8];
};

static void count_unit(void *arg, const uint8_t *bytes, size_t len)
{
    struct units *u = arg;
    u->len[u->n++ % 8] = len;
}

TEST(units_of_aac_out_of_payloads)
{
    struct units u = {0};
    const uint8_t two[] = {0, 32, 3 << 3 >> 8, 3 << 3, 0, 2 << 3, 'a', 'b', 'c', 'd', 'e'};
    CHECK_INT(rtp_in_aac(two, sizeof(two), count_unit, &u), 0);
    CHECK(u.n == 2 && u.len[0] == 3 && u.len[1] == 2);
    const uint8_t odd[] = {0, 17, 0, 8, 'a'};
    CHECK(rtp_in_aac(odd, sizeof(odd), count_unit, &u) < 0);
    CHECK(rtp_in_aac(two, 3, count_unit, &u) < 0);
}

static size_t split_len[4];
static uint8_t split_head[4];
static bool split_last[4];
static int n_split;

static void on_split(void *arg, const struct rtp_piece piece[2], bool last)
{
    memcpy(split_head, piece[0].bytes, 4);
    split_last[n_split % 4] = last;
    split_len[n_split++ % 4] = piece[1].len;
}

/* RFC 3640: the size of the whole unit in each piece; the marker ends it. */
TEST(large_units_of_aac_go_in_pieces)
{
    static const uint8_t unit[2000] = {1};
    n_split = 0;
    CHECK_INT(rtp_split(unit, sizeof(unit), CODEC_AAC, on_split, NULL), 2);
    CHECK(split_len[0] + split_len[1] == sizeof(unit));
    CHECK(!split_last[0] && split_last[1]);
    CHECK_INT((split_head[0] << 8 | split_head[1]), 16);
    CHECK_INT((split_head[2] << 8 | split_head[3]) >> 3, 2000);
    CHECK_INT(rtp_split(unit, 8192 + 1, CODEC_AAC, on_split, NULL), 0);
}

/* ---- streams of bytes ---- */

TEST(ogg_there_and_back)
{
    static struct sound_stream s;
    static uint8_t bytes[4096];
    struct units u = {0};
    uint8_t packet[300] = {7};
    size_t n = ogg_opus_opening(5, 48000, bytes);
    static const size_t lens[] = {100, 255, 300};
    for (uint32_t i = 0; i < 3; i++) {
        const struct ogg_page page = {5, 2 + i, (i + 1) * 960, false};
        n += ogg_page_head(&page, packet, lens[i], bytes + n);
        memcpy(bytes + n, packet, lens[i]);
        n += lens[i];
    }
    CHECK_INT(sound_stream_init(&s, "audio/ogg; codecs=opus"), 0);
    for (size_t i = 0; i < n; i += 7)
        CHECK_INT(sound_stream_put(&s, bytes + i, n - i < 7 ? n - i : 7, count_unit, &u), 0);
    CHECK(u.n == 3 && u.len[0] == 100 && u.len[1] == 255 && u.len[2] == 300);
}

TEST(adts_there_and_back)
{
    static struct sound_stream s;
    static uint8_t bytes[1000];
    struct units u = {0};
    adts_head(16000, 200, bytes);
    adts_head(16000, 50, bytes + 207);
    CHECK_INT(sound_stream_init(&s, "audio/aac"), 0);
    for (size_t i = 0; i < 264; i++)
        CHECK_INT(sound_stream_put(&s, bytes + i, 1, count_unit, &u), 0);
    CHECK(u.n == 2 && u.len[0] == 207 && u.len[1] == 57);
    CHECK(sound_stream_put(&s, (const uint8_t *)"no sync.", 8, count_unit, &u) < 0);
}

UNIT_MAIN(UNIT_ROW(any_block_is_the_same_in_any_order) UNIT_ROW(a_clap_is_heard_when_it_happens)
              UNIT_ROW(weather_and_line_are_heard) UNIT_ROW(the_loudspeaker_remembers)
                  UNIT_ROW(each_coding_there_and_back) UNIT_ROW(g711_by_its_table)
                      UNIT_ROW(wishes_that_cannot_be) UNIT_ROW(a_device_that_drifts_stays_in_time)
                          UNIT_ROW(packets_are_put_in_order) UNIT_ROW(units_of_aac_out_of_payloads)
                              UNIT_ROW(large_units_of_aac_go_in_pieces) UNIT_ROW(ogg_there_and_back)
                                  UNIT_ROW(adts_there_and_back))
