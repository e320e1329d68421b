/* Segments, parts and playlists of HTTP Live Streaming, without a camera. */
#include <stdio.h>
#include <string.h>

#include "api/hls/playlist.h"
#include "api/hls/segments.h"
#include "base/buf.h"
#include "base/clock.h"
#include "net/message.h"
#include "unit.h"

#define FRAME_NS (NSEC_PER_SEC / 30)

static struct segments segments;

static void begin(double fps, int gop)
{
    struct segment_plan plan;
    segment_plan(&plan, fps, gop);
    segments_init(&segments, &plan, 1 << 20);
}

/* Picture n at its time; true: something was told. */
static bool add(int n, bool key)
{
    char piece[8];
    int len = snprintf(piece, sizeof(piece), "%d,", n);
    int64_t at_ns = n * NSEC_PER_SEC / 30;
    return segments_add(&segments, piece, (size_t)len, at_ns, CLOCK_SIM_UTC_NS + at_ns, key) > 0;
}

TEST(hls_plan)
{
    struct segment_plan p;
    segment_plan(&p, 30, 32);
    CHECK_INT(p.part_pictures, 9);
    CHECK_INT(p.segment_pictures, 32); /* one group of pictures lasts more than a second */
    CHECK_INT(p.segment_ns, 2 * NSEC_PER_SEC);
    segment_plan(&p, 30, 8);
    CHECK_INT(p.segment_pictures, 32);
    segment_plan(&p, 30, 60);
    CHECK_INT(p.segment_ns, 3 * NSEC_PER_SEC);
    segment_plan(&p, 1, 2); /* a part has a picture at least */
    CHECK_INT(p.part_pictures, 1);
    CHECK(p.part_ns >= NSEC_PER_SEC);
}

TEST(hls_segments_begin_with_keys)
{
    begin(30, 32);
    CHECK(!add(0, false)); /* before the first key */
    CHECK(!segments_newest(&segments));
    int told = 0;
    for (int n = 1; n <= 70; n++)
        told += add(n, n % 32 == 1);
    CHECK_INT(told, 2 * (4 + 1)); /* parts of 9, 9, 9 and 5 pictures, and each segment whole */
    CHECK_INT(segments.next, 3);
    const struct segment *g = segments_find(&segments, 0);
    CHECK(g->complete);
    CHECK_INT(g->n_parts, 4);
    CHECK(g->part[0].independent && !g->part[1].independent);
    CHECK_INT(g->utc_ns, CLOCK_SIM_UTC_NS + NSEC_PER_SEC / 30);
    CHECK_NEAR((double)g->duration_ns, 32.0 * (double)FRAME_NS, 100);
    CHECK(!strncmp((char *)g->part[0].bytes->bytes, "1,2,3,4,5,6,7,8,9,", g->part[0].bytes->len));
    struct blob *b = segment_whole(segments_find(&segments, 1));
    CHECK(b && !strncmp((char *)b->bytes, "33,34,", 6));
    CHECK(segment_whole(segments_find(&segments, 1)) == b); /* the same bytes for all */
    blob_unref(b);
    blob_unref(b);
    CHECK(!segment_whole(segments_find(&segments, 2)));
    CHECK(segments_have(&segments, 1, -1) && !segments_have(&segments, 2, -1));
    CHECK(segments_have(&segments, 1, 3) && !segments_have(&segments, 2, 0));
    CHECK(!segments_have(&segments, 1, 4)); /* is the first of the next */
    for (int n = 71; n <= 73; n++)
        add(n, false);
    CHECK(segments_have(&segments, 2, 0) && segments_have(&segments, 1, 4));
    uint64_t number;
    int part;
    segments_next(&segments, &number, &part);
    CHECK_INT(number, 2);
    CHECK_INT(part, 1);
    for (int n = 74; n <= 96; n++)
        add(n, false);
    segments_next(&segments, &number, &part); /* a key is due: the hint is for a new segment */
    CHECK_INT(number, 3);
    CHECK_INT(part, 0);
    segments_done(&segments);
}

TEST(hls_sound_lies_before_its_picture)
{
    begin(30, 32);
    segments_add_sound(&segments, "early,", 6); /* before the first picture: nobody needs it */
    CHECK(!segments_newest(&segments));
    for (int n = 0; n < 40; n++) {
        if (n == 9 || n == 32)
            segments_add_sound(&segments, "sound,", 6);
        add(n, n % 32 == 0);
    }
    const struct segment *g = segments_find(&segments, 0);
    CHECK_INT(g->n_parts, 4); /* as without */
    CHECK(!strncmp((char *)g->part[1].bytes->bytes, "sound,9,10,", 11));
    CHECK(!memmem(g->part[3].bytes->bytes, g->part[3].bytes->len, "sound", 5));
    add(40, false);
    g = segments_find(&segments, 1);
    CHECK_INT(g->n_parts, 1);
    CHECK(g->part[0].independent && !strncmp((char *)g->part[0].bytes->bytes, "sound,32,33,", 12));
    segments_done(&segments);
}

TEST(hls_forgets_all_at_once)
{
    begin(30, 32);
    for (int n = 1; n <= 70; n++)
        add(n, n % 32 == 1);
    uint64_t told, number;
    int part;
    segments_next(&segments, &told, &part);
    CHECK(segments_any(&segments));
    segments_forget(&segments);
    CHECK(!segments_any(&segments) && !segments_newest(&segments));
    for (uint64_t i = 0; i <= told; i++)
        CHECK(!segments_find(&segments, i)); /* nor comes what was told of beforehand */
    for (int n = 71; n <= 75; n++)
        add(n, false);
    CHECK(!segments_newest(&segments)); /* waits for a key */
    for (int n = 76; n <= 110; n++)
        add(n, n == 76 || n == 108);
    CHECK(segments_any(&segments));
    const struct segment *g = segments_find(&segments, told + 1);
    CHECK(g && g->complete && g->part[0].independent);
    CHECK(!strncmp((char *)g->part[0].bytes->bytes, "76,77,", 6));
    segments_next(&segments, &number, &part);
    CHECK_INT(number, told + 2);
    BUF(text, 1 << 16);
    hls_write_media(&text, &segments, true);
    char expected[64];
    snprintf(expected, sizeof expected, "#EXT-X-MEDIA-SEQUENCE:%llu\n",
             (unsigned long long)(told + 1));
    CHECK(strstr(buf_str(&text), expected) && !strstr(buf_str(&text), "SKIP:"));
    segments_done(&segments);
}

TEST(hls_early_and_late_keys)
{
    begin(30, 30);
    for (int n = 0; n < 60; n++)
        add(n, n == 0 || n == 10 || n == 40); /* one on demand, then late ones */
    CHECK_INT(segments.next, 2);
    CHECK_NEAR((double)segments_find(&segments, 0)->duration_ns, 40.0 * (double)FRAME_NS, 100);
    CHECK(segments_find(&segments, 0)->part[1].independent == false);
    for (int n = 60; n < 100; n++)
        add(n, false);
    CHECK(segments_want_key(&segments));
    segments_done(&segments);
}

TEST(hls_parts_are_never_too_long)
{
    begin(30, 60);
    for (int n = 0; n < 300; n++)
        if (n % 7 != 3) /* pictures are left out */
            add(n, n % 60 == 0);
    for (uint64_t i = segments.first; i < segments.next; i++) {
        const struct segment *g = segments_find(&segments, i);
        for (int k = 0; k < g->n_parts; k++)
            CHECK(g->part[k].duration_ns <= segments.plan.part_ns);
        CHECK(g->duration_ns <= segments.plan.segment_ns + NSEC_PER_SEC / 2);
    }
    segments_done(&segments);
}

TEST(hls_forgets)
{
    begin(30, 30);
    for (int n = 0; n < 30 * 200; n++)
        add(n, n % 30 == 0);
    CHECK(segments.next - segments.first <= 32);
    uint64_t listed = segments.next - segments_first_listed(&segments);
    CHECK(listed >= 13 && listed <= 16); /* seven target durations of 2 s */
    CHECK(segments.next - segments.first >= 2 * (listed - 1));
    CHECK(segments_have(&segments, 0, 5)); /* it has been told, long ago */
    CHECK(!segments_find(&segments, 0));
    segments_done(&segments);
}

static int count(const char *text, const char *word)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, word)); at++)
        n++;
    return n;
}

TEST(hls_playlist)
{
    BUF(b, 1 << 16);
    begin(30, 32);
    for (int n = 0; n < 32 * 3 + 20; n++)
        add(n, n % 32 == 0);
    hls_write_media(&b, &segments, false);
    CHECK_STR(
        buf_str(&b),
        "#EXTM3U\n"
        "#EXT-X-VERSION:9\n"
        "#EXT-X-TARGETDURATION:2\n"
        "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.921,CAN-SKIP-UNTIL=12.0\n"
        "#EXT-X-PART-INF:PART-TARGET=0.306\n"
        "#EXT-X-MEDIA-SEQUENCE:0\n"
        "#EXT-X-MAP:URI=\"init.mp4\"\n"
        "#EXT-X-PROGRAM-DATE-TIME:2026-06-21T12:00:00.000Z\n"
        "#EXT-X-PART:DURATION=0.30000,URI=\"s0.0.m4s\",INDEPENDENT=YES\n"
        "#EXT-X-PART:DURATION=0.30000,URI=\"s0.1.m4s\"\n"
        "#EXT-X-PART:DURATION=0.30000,URI=\"s0.2.m4s\"\n"
        "#EXT-X-PART:DURATION=0.16667,URI=\"s0.3.m4s\"\n"
        "#EXTINF:1.06667,\n"
        "s0.m4s\n"
        "#EXT-X-PROGRAM-DATE-TIME:2026-06-21T12:00:01.066Z\n"
        "#EXT-X-PART:DURATION=0.30000,URI=\"s1.0.m4s\",INDEPENDENT=YES\n"
        "#EXT-X-PART:DURATION=0.30000,URI=\"s1.1.m4s\"\n"
        "#EXT-X-PART:DURATION=0.30000,URI=\"s1.2.m4s\"\n"
        "#EXT-X-PART:DURATION=0.16667,URI=\"s1.3.m4s\"\n"
        "#EXTINF:1.06667,\n"
        "s1.m4s\n"
        "#EXT-X-PROGRAM-DATE-TIME:2026-06-21T12:00:02.133Z\n"
        "#EXT-X-PART:DURATION=0.30000,URI=\"s2.0.m4s\",INDEPENDENT=YES\n"
        "#EXT-X-PART:DURATION=0.30000,URI=\"s2.1.m4s\"\n"
        "#EXT-X-PART:DURATION=0.30000,URI=\"s2.2.m4s\"\n"
        "#EXT-X-PART:DURATION=0.16667,URI=\"s2.3.m4s\"\n"
        "#EXTINF:1.06667,\n"
        "s2.m4s\n"
        "#EXT-X-PROGRAM-DATE-TIME:2026-06-21T12:00:03.200Z\n"
        "#EXT-X-PART:DURATION=0.30000,URI=\"s3.0.m4s\",INDEPENDENT=YES\n"
        "#EXT-X-PART:DURATION=0.30000,URI=\"s3.1.m4s\"\n"
        "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"s3.2.m4s\"\n");
    for (int n = 32 * 3 + 20; n < 32 * 40; n++)
        add(n, n % 32 == 0);
    buf_reset(&b);
    hls_write_media(&b, &segments, false);
    int whole = count(buf_str(&b), "#EXTINF");
    CHECK(count(buf_str(&b), "#EXT-X-PART:") <= 6 * 4); /* of the newest only */
    buf_reset(&b);
    hls_write_media(&b, &segments, true);
    int skipped = 0;
    const char *skip = strstr(buf_str(&b), "#EXT-X-SKIP:SKIPPED-SEGMENTS=");
    CHECK(skip && sscanf(skip, "#EXT-X-SKIP:SKIPPED-SEGMENTS=%d", &skipped) == 1);
    CHECK(skipped > 0);
    CHECK_INT(skipped + count(buf_str(&b), "#EXTINF"), whole);
    segments_done(&segments);
}

TEST(hls_names)
{
    uint64_t number = 0;
    int part = 0;
    CHECK_INT(hls_file_parse("media.m3u8", &number, &part), HLS_PLAYLIST);
    CHECK_INT(hls_file_parse("init.mp4", &number, &part), HLS_INIT);
    CHECK_INT(hls_file_parse("s12.m4s", &number, &part), HLS_SEGMENT);
    CHECK_INT(number, 12);
    CHECK_INT(hls_file_parse("s9007199254740993.3.m4s", &number, &part), HLS_PART);
    CHECK(number == 9007199254740993);
    CHECK_INT(part, 3);
    static const char *const bad[] = {
        "",        "s.m4s",      "s1.m4",      "s01.m4s", "s-1.m4s",
        "s1..m4s", "s1.2.3.m4s", "s1.999.m4s", "sx.m4s",  "s99999999999999999999.m4s",
        "x1.m4s",  "s1.2.m4sx"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        CHECK_INT(hls_file_parse(bad[i], &number, &part), HLS_NOTHING);
}

TEST(hls_wishes)
{
    struct hls_wish w;
    const struct arg whole[] = {{"_HLS_msn", "7"}, {"x", "y"}};
    CHECK(!hls_wish_parse(&w, whole, 2) && w.blocking && w.number == 7 && w.part < 0 && !w.skip);
    const struct arg part[] = {{"_HLS_part", "2"}, {"_HLS_msn", "7"}, {"_HLS_skip", "YES"}};
    CHECK(!hls_wish_parse(&w, part, 3) && w.part == 2 && w.skip);
    CHECK(!hls_wish_parse(&w, NULL, 0) && !w.blocking);
    const struct arg alone[] = {{"_HLS_part", "2"}}, word[] = {{"_HLS_msn", "soon"}},
                     minus[] = {{"_HLS_msn", "-1"}};
    CHECK(hls_wish_parse(&w, alone, 1) < 0 && hls_wish_parse(&w, word, 1) < 0 &&
          hls_wish_parse(&w, minus, 1) < 0);
}

UNIT_MAIN(UNIT_ROW(hls_plan) UNIT_ROW(hls_segments_begin_with_keys)
              UNIT_ROW(hls_sound_lies_before_its_picture) UNIT_ROW(hls_forgets_all_at_once)
                  UNIT_ROW(hls_early_and_late_keys) UNIT_ROW(hls_parts_are_never_too_long)
                      UNIT_ROW(hls_forgets) UNIT_ROW(hls_playlist) UNIT_ROW(hls_names)
                          UNIT_ROW(hls_wishes))
