/* Pure parts of the RTSP door: descriptions, Transport headers, request targets. */
#include "api/rtsp/sdp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/rtsp/mikey.h"
#include "api/rtsp/transport.h"
#include "api/rtsp/uri.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "media/encode.h"
#include "unit.h"

static const struct stream_format h264 = {
    .codec = CODEC_H264,
    .sps = {0x67, 0x64, 0x00, 0x28, 0xac},
    .sps_len = 5,
    .pps = {0x68, 0xee, 0x38},
    .pps_len = 3,
};

TEST(description_of_h264)
{
    BUF(b, 8192);
    struct encoding e = {.codec = CODEC_H264, .key = {.width = 1280, .height = 720}};
    const struct sdp_desc d = {
        .id = 7,
        .version = 2,
        .name = "Live",
        .tool = "Test",
        .address = "192.0.2.10",
        .base = "rtsp://host:554/axis-media/media.amp",
        .query = "resolution=1280x720&fps=25",
        .format = &h264,
        .encoding = &e,
        .fps = 25,
    };
    CHECK_INT(sdp_write(&b, &d), 0);
    CHECK_STR(buf_str(&b),
              "v=0\r\n"
              "o=- 7 2 IN IP4 192.0.2.10\r\n"
              "s=Live\r\n"
              "t=0 0\r\n"
              "a=tool:Test\r\n"
              "a=type:broadcast\r\n"
              "a=range:npt=now-\r\n"
              "a=control:rtsp://host:554/axis-media/media.amp?resolution=1280x720&fps=25\r\n"
              "m=video 0 RTP/AVP 96\r\n"
              "c=IN IP4 0.0.0.0\r\n"
              "a=rtpmap:96 H264/90000\r\n"
              "a=fmtp:96 packetization-mode=1;profile-level-id=640028;"
              "sprop-parameter-sets=Z2QAKKw=,aO44\r\n"
              "a=framerate:25.000000\r\n"
              "a=framesize:96 1280-720\r\n"
              "a=transform:1.000000,0.000000,0.000000;0.000000,1.000000,0.000000;"
              "0.000000,0.000000,1.000000\r\n"
              "a=ts-refclk:local\r\n"
              "a=mediaclk:sender\r\n"
              "a=control:rtsp://host:554/axis-media/media.amp/stream=0"
              "?resolution=1280x720&fps=25\r\n");
    /* a limited bitrate is told */
    e.rate.mode = RATE_MBR;
    e.rate.max_kbps = 2000;
    buf_reset(&b);
    CHECK_INT(sdp_write(&b, &d), 0);
    CHECK(strstr(buf_str(&b), "c=IN IP4 0.0.0.0\r\nb=AS:2000\r\na=rtpmap"));
    /* without parameter sets there is nothing to describe */
    const struct stream_format none = {.codec = CODEC_H264};
    struct sdp_desc early = d;
    early.format = &none;
    CHECK(sdp_write(&b, &early) < 0);
}

TEST(description_of_multicast)
{
    BUF(b, 8192);
    struct encoding e = {.codec = CODEC_H264, .key = {.width = 1280, .height = 720}};
    struct sdp_desc d = {.name = "Live",
                         .tool = "Test",
                         .address = "192.0.2.10",
                         .base = "rtsp://host/axis-media/ssm/media.amp",
                         .query = "",
                         .format = &h264,
                         .encoding = &e,
                         .fps = 25,
                         .group = "232.1.2.3",
                         .group_port = 55002,
                         .hops = 7,
                         .source = "192.0.2.10"};
    CHECK_INT(sdp_write(&b, &d), 0);
    CHECK(strstr(buf_str(&b), "m=video 55002 RTP/AVP 96\r\n"
                              "c=IN IP4 232.1.2.3/7\r\n"
                              "a=source-filter: incl IN IP4 232.1.2.3 192.0.2.10\r\n"
                              "a=rtpmap"));
    /* bandwidth stands before attributes; IPv6 has no TTL; the group's kind is its own */
    e.rate.mode = RATE_MBR;
    e.rate.max_kbps = 2000;
    d.group = "ff35::8000:1";
    d.source = "2001:db8::1";
    buf_reset(&b);
    CHECK_INT(sdp_write(&b, &d), 0);
    CHECK(strstr(buf_str(&b), "o=- 0 0 IN IP4 192.0.2.10\r\n"));
    CHECK(strstr(buf_str(&b), "c=IN IP6 ff35::8000:1\r\n"
                              "b=AS:2000\r\n"
                              "a=source-filter: incl IN IP6 ff35::8000:1 2001:db8::1\r\n"));
}

TEST(description_of_jpeg)
{
    BUF(b, 8192);
    const struct stream_format format = {.codec = CODEC_JPEG};
    const struct encoding e = {
        .codec = CODEC_JPEG,
        .key = {.width = 3840, .height = 2160, .rotation_deg = 180, .mirror = true}};
    const struct sdp_desc d = {.name = "Live",
                               .tool = "Test",
                               .address = "2001:db8::1",
                               .base = "rtsp://[2001:db8::1]/axis-media/media.amp",
                               .query = "",
                               .format = &format,
                               .encoding = &e,
                               .fps = 29.97};
    CHECK_INT(sdp_write(&b, &d), 0);
    const char *s = buf_str(&b);
    CHECK(strstr(s, "o=- 0 0 IN IP6 2001:db8::1\r\n"));
    CHECK(strstr(s, "m=video 0 RTP/AVP 26\r\nc=IN IP6 ::\r\na=rtpmap:26 JPEG/90000\r\n"));
    CHECK(strstr(s, "a=x-dimensions:3840,2160\r\n"));
    CHECK(strstr(s, "a=framesize:26 3840-2160\r\n"));
    CHECK(strstr(s, "a=transform:1.000000,0.000000,0.000000;0.000000,-1.000000,0.000000;"));
    CHECK(strstr(s, "a=control:rtsp://[2001:db8::1]/axis-media/media.amp/stream=0\r\n"));
    CHECK(!strstr(s, "fmtp"));
}

static struct transport picked;
static int pick(const char *header)
{
    memset(&picked, 0, sizeof(picked));
    const struct transport_offer offer = {.unicast = true, .udp = true, .peer = "192.0.2.7"};
    return transport_pick(header, &offer, &picked);
}

TEST(transports_as_clients_write_them)
{
    CHECK_INT(pick("RTP/AVP/TCP;unicast;interleaved=0-1"), 0);
    CHECK(picked.tcp);
    CHECK_INT(picked.channel, 0);
    CHECK_INT(pick("RTP/AVP/TCP;interleaved=4-5;unicast;mode=PLAY"), 0);
    CHECK_INT(picked.channel, 4);
    CHECK_INT(pick("RTP/AVP/TCP"), 0);
    CHECK_INT(picked.channel, 0);
    CHECK_INT(pick("rtp/avp/tcp;unicast;interleaved=3-2;mode=\"PLAY\""), 0);
    CHECK_INT(picked.channel, 3);
    CHECK_INT(pick("RTP/AVP;unicast;client_port=5000-5001"), 0);
    CHECK(!picked.tcp);
    CHECK_INT(picked.rtp_port, 5000);
    CHECK_INT(picked.rtcp_port, 5001);
    CHECK_INT(pick("RTP/AVP/UDP;unicast;client_port=5000"), 0);
    CHECK_INT(picked.rtcp_port, 5001);
    CHECK_INT(pick("RTP/AVP;unicast;destination=192.0.2.7;client_port=5000-5001;x=y"), 0);
    /* the first alternative that can be served */
    CHECK_INT(pick("RTP/AVP;multicast, RTP/SAVP;unicast;client_port=1-2,RTP/AVP/TCP;unicast"), 0);
    CHECK(picked.tcp);
    const struct transport_offer tcp = {.unicast = true, .peer = "::1"};
    CHECK_INT(transport_pick("RTP/AVP;unicast;client_port=5000-5001,RTP/AVP/TCP", &tcp, &picked),
              0);
    CHECK(picked.tcp);
}

TEST(transports_of_multicast)
{
    const struct transport_offer all = {
        .unicast = true, .udp = true, .peer = "192.0.2.7", .group = "239.192.1.2"};
    const struct transport_offer group = {.peer = "192.0.2.7", .group = "239.192.1.2"};
    static const char *const good[] = {
        "RTP/AVP;multicast",
        "RTP/AVP/UDP;multicast",
        "RTP/AVP;multicast;mode=PLAY",
        "RTP/AVP;multicast;destination=239.192.1.2;port=5000-5001;ttl=127",
        "RTP/AVP;destination=239.192.1.2;multicast",
        "RTP/AVP;multicast;client_port=9000-9001", /* ours are others, and told */
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        CHECK_INT(transport_pick(good[i], &group, &picked), 0);
        CHECK(picked.multicast && !picked.tcp);
        CHECK_INT(transport_pick(good[i], &all, &picked), 0);
        CHECK(picked.multicast);
    }
    static const char *const bad[] = {
        "RTP/AVP;multicast;destination=239.192.1.3",
        "RTP/AVP;multicast;destination=192.0.2.7",
        "RTP/AVP;unicast;destination=239.192.1.2;client_port=5000-5001",
        "RTP/AVP/TCP;multicast",
        "RTP/SAVP;multicast",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        CHECK_INT(transport_pick(bad[i], &all, &picked), 461);
    CHECK_INT(transport_pick("RTP/AVP/TCP;unicast", &group, &picked), 461);
    CHECK_INT(transport_pick("RTP/AVP;unicast;client_port=5000-5001", &group, &picked), 461);
    CHECK_INT(transport_pick("RTP/AVP;unicast;client_port=1-2,RTP/AVP;multicast", &all, &picked),
              0);
    CHECK(picked.multicast);
}

TEST(transports_that_cannot_be)
{
    static const char *const headers[] = {
        "RTP/AVP;multicast",
        "RTP/AVP;unicast",
        "RTP/AVP;unicast;client_port=0-1",
        "RTP/AVP;unicast;client_port=5001-5002",
        "RTP/AVP;unicast;client_port=5000-5000",
        "RTP/AVP;unicast;client_port=70000-70001",
        "RTP/AVP;unicast;client_port=65535",
        "RTP/AVP;unicast;client_port=-5000",
        "RTP/AVP;unicast;client_port=5000-5001-5002",
        "RTP/AVP;unicast;client_port=5000-5001;destination=198.51.100.1",
        "RTP/AVP;unicast;client_port=5000-5001;source=198.51.100.1",
        "RTP/AVP;unicast;client_port=5000-5001;mode=RECORD",
        "RTP/AVP/TCP;unicast;interleaved=300-301",
        "RTP/AVP/TCP;unicast;interleaved=a-b",
        "RTP/SAVP;unicast;client_port=5000-5001",
        "RAW/RAW/UDP;unicast",
        ",,,;;;",
        ";",
        "=",
    };
    for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++)
        CHECK_INT(pick(headers[i]), 461);
    CHECK_INT(pick(NULL), 400);
    CHECK_INT(pick(""), 400);
}

static struct rtsp_uri uri;
static int parse(struct arena *arena, const char *target)
{
    return rtsp_uri_parse(&uri, arena, target);
}

TEST(targets_as_clients_write_them)
{
    struct arena *a = arena_new(1 << 20);
    CHECK_INT(parse(a, "rtsp://me:secret@cam:8554/axis-media/media.amp?x=1&y=2"), 0);
    CHECK_STR(uri.base, "/axis-media/media.amp");
    CHECK_STR(uri.query, "x=1&y=2");
    CHECK_STR(uri.authority, "cam:8554");
    CHECK_INT(uri.track, -1);
    static const char *const tracks[] = {
        "rtsp://cam/axis-media/media.amp/stream=0?x=1",
        "rtsp://cam/axis-media/media.amp/trackID=0?x=1",
        "rtsp://cam/axis-media/media.amp/trackID=0/?x=1/",
        "rtsp://cam/axis-media/media.amp?x=1/stream=0",
        "rtsp://cam/axis-media/media.amp?x=1/trackID=0/",
        "/axis-media/media.amp/stream=0?x=1",
        "rtsp://cam//axis-media//media.amp/stream=0?x=1",
    };
    for (size_t i = 0; i < sizeof(tracks) / sizeof(*tracks); i++) {
        CHECK_INT(parse(a, tracks[i]), 0);
        CHECK_STR(uri.base, "/axis-media/media.amp");
        CHECK_STR(uri.query, "x=1");
        CHECK_INT(uri.track, 0);
    }
    CHECK_INT(parse(a, "rtsp://cam/axis-media/media.amp/"), 0);
    CHECK_STR(uri.query, "");
    CHECK_INT(parse(a, "rtsp://cam/axis-media/media.amp?x=1/"), 0);
    CHECK_STR(uri.query, "x=1");
    CHECK_INT(uri.track, -1);
    CHECK_INT(parse(a, "rtsp://cam/mpeg4/media.amp"), 0);
    CHECK_STR(uri.base, "/mpeg4/media.amp");
    CHECK_INT(parse(a, "*"), 0);
    CHECK_STR(uri.base, "*");
    CHECK_INT(parse(a, "rtsp://cam/axis-media/stream=0"), 0);
    CHECK(uri.lost);
    CHECK_INT(parse(a, "rtsp://cam/axis-media/media.amp/stream=7"), 0);
    CHECK_INT(uri.track, 7);
    CHECK_INT(parse(a, "rtsp://cam"), 404);
    CHECK_INT(parse(a, "rtsp://cam/"), 404);
    CHECK_INT(parse(a, "rtsp://cam/axis-media/media.amp/x"), 404);
    CHECK_INT(parse(a, "rtsp://cam/axis-media"), 404);
    CHECK_INT(parse(a, "rtsp://cam/axis-media/../media.amp"), 400);
    CHECK_INT(parse(a, "media.amp"), 400);
    arena_free(a);
}

/* ---- MIKEY ---- */

static struct srtp_key some_key(size_t mki_len)
{
    struct srtp_key key = {.mki_len = mki_len};
    for (int i = 0; i < SRTP_KEY; i++)
        key.bytes[i] = (uint8_t)(i + 1);
    for (size_t i = 0; i < mki_len; i++)
        key.mki[i] = (uint8_t)(0xa0 + i);
    return key;
}

TEST(mikey_is_read_as_it_was_written)
{
    static const uint8_t random[16] = {7};
    for (size_t n = 0; n <= SRTP_MKI_MAX; n += 4) {
        struct srtp_key key = some_key(n), back = {0};
        uint8_t m[MIKEY_MAX];
        size_t len = mikey_write(m, 5, &key, CLOCK_SIM_UTC_NS, random);
        CHECK_INT(mikey_read(m, len, &back), 0);
        CHECK(!memcmp(&key, &back, sizeof(key)));
        for (size_t cut = 0; cut < len; cut++) /* each byte is needed */
            CHECK(mikey_read(m, cut, &back) < 0);
        m[len] = 0;
        CHECK_INT(mikey_read(m, len + 1, &back), -EBADMSG);
    }
}

TEST(mikey_of_others)
{
    static const uint8_t random[16];
    struct srtp_key key = some_key(0), back;
    uint8_t m[MIKEY_MAX], other[MIKEY_MAX + 8];
    size_t len = mikey_write(m, 5, &key, 0, random), data = len - 1 - SRTP_KEY - 4;
    /* key and salt apart */
    memcpy(other, m, data);
    other[data - 1] = 4 + 16 + 2 + 14;
    const uint8_t head[] = {0, 3 << 4, 0, 16}, salt[] = {0, 14};
    memcpy(other + data, head, 4);
    memcpy(other + data + 4, key.bytes, 16);
    memcpy(other + data + 20, salt, 2);
    memcpy(other + data + 22, key.bytes + 16, 14);
    other[data + 36] = 0;
    CHECK_INT(mikey_read(other, data + 37, &back), 0);
    CHECK(!memcmp(&key, &back, sizeof(key)));
    /* valid for a time: it is taken for good */
    memcpy(other, m, len);
    other[data - 1] += 4;
    other[data + 1] |= 2;
    const uint8_t interval[] = {1, 9, 1, 9, 0};
    memcpy(other + len - 1, interval, 5);
    CHECK_INT(mikey_read(other, len + 4, &back), 0);
    /* what is not spoken here */
    static const struct {
        int at;
        uint8_t value;
    } bad[] = {{0, 2}, {1, 1}, {9, 1}, {2, 4}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        memcpy(other, m, len);
        other[bad[i].at] = bad[i].value;
        CHECK(mikey_read(other, len, &back) < 0);
    }
    memcpy(other, m, len);
    other[data + 1] = 0; /* a key that leads to keys */
    CHECK_INT(mikey_read(other, len, &back), -ENOTSUP);
    memcpy(other, m, len);
    other[data - 3] = 1; /* an encrypted one */
    CHECK_INT(mikey_read(other, len, &back), -ENOTSUP);
    const uint8_t cipher[] = {0, 1, 1}, f8[] = {0, 1, 2};
    uint8_t *policy = memmem(m, len, cipher, 3);
    CHECK(policy);
    memcpy(policy, f8, 3);
    CHECK_INT(mikey_read(m, len, &back), -ENOTSUP);
}

TEST(mikey_header)
{
    static const uint8_t random[16];
    struct srtp_key key = some_key(4), back;
    uint8_t m[MIKEY_MAX];
    char text[MIKEY_MAX * 2], line[1024];
    base64_of(m, mikey_write(m, 5, &key, 0, random), text);
    static const char *const good[][2] = {{"prot=mikey;uri=\"rtsp://x/y?a=b\";data=\"", "\""},
                                          {"prot=mikey; uri=\"rtsp://x\"; data=\"", "\""},
                                          {"prot=MIKEY;data=", ""}};
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        snprintf(line, sizeof(line), "%s%s%s", good[i][0], text, good[i][1]);
        CHECK_INT(mikey_read_header(line, &back), 0);
        CHECK(!memcmp(&key, &back, sizeof(key)));
    }
    CHECK_INT(mikey_read_header("prot=other;data=\"AA==\"", &back), -ENOTSUP);
    static const char *const bad[] = {"",
                                      "prot",
                                      "prot=mikey",
                                      "prot=mikey;data=\"",
                                      "prot=mikey;data=\"A\"",
                                      "prot=mikey;data=\"AA==\"",
                                      "data=\"AA==\";prot=mikey",
                                      "prot=mikey;data=\"\";x"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        CHECK_INT(mikey_read_header(bad[i], &back), -EBADMSG);
}

UNIT_MAIN(UNIT_ROW(description_of_h264) UNIT_ROW(description_of_jpeg)
              UNIT_ROW(transports_as_clients_write_them) UNIT_ROW(transports_that_cannot_be)
                  UNIT_ROW(transports_of_multicast) UNIT_ROW(description_of_multicast)
                      UNIT_ROW(targets_as_clients_write_them)
                          UNIT_ROW(mikey_is_read_as_it_was_written) UNIT_ROW(mikey_of_others)
                              UNIT_ROW(mikey_header))
