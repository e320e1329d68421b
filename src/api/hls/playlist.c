#include "api/hls/playlist.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "api/hls/segments.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "net/message.h"

#define SKIP_TARGETS 6    /* what is older than so many target durations may be left out */
#define PARTS_TARGETS 3   /* parts of what is older are not told */
#define HOLD_BACK_PARTS 3 /* players stay so far from the newest part at least */

/* ---- requests ---- */

/* Digits without a leading zero; false: something else. */
static bool take_number(const char **at, int64_t max, int64_t *ret)
{
    const char *s = *at;
    size_t n = strspn(s, "0123456789");
    char digits[20];
    if (!n || n >= sizeof digits || (n > 1 && *s == '0'))
        return false;
    memcpy(digits, s, n);
    digits[n] = '\0';
    *at = s + n;
    return !text_int(digits, 0, max, ret);
}

enum hls_file hls_file_parse(const char *name, uint64_t *ret_number, int *ret_part)
{
    int64_t number, part;
    if (!strcmp(name, "media.m3u8"))
        return HLS_PLAYLIST;
    if (!strcmp(name, "init.mp4"))
        return HLS_INIT;
    if (*name++ != 's' || !take_number(&name, INT64_MAX, &number))
        return HLS_NOTHING;
    *ret_number = (uint64_t)number;
    if (!strcmp(name, ".m4s"))
        return HLS_SEGMENT;
    if (*name++ != '.' || !take_number(&name, SEGMENT_PARTS_MAX, &part) || strcmp(name, ".m4s"))
        return HLS_NOTHING;
    *ret_part = (int)part;
    return HLS_PART;
}

int hls_wish_parse(struct hls_wish *ret, const struct arg *args, unsigned long n_args)
{
    struct hls_wish w = {.part = -1};
    int64_t v;
    for (unsigned long i = 0; i < n_args; i++) {
        const char *value = args[i].value;
        if (!strcmp(args[i].name, "_HLS_msn")) {
            if (!take_number(&value, INT64_MAX, &v) || *value)
                return -EINVAL;
            w.blocking = true;
            w.number = (uint64_t)v;
        } else if (!strcmp(args[i].name, "_HLS_part")) {
            if (!take_number(&value, 1 << 20, &v) || *value)
                return -EINVAL;
            w.part = (int)v;
        } else if (!strcmp(args[i].name, "_HLS_skip")) {
            w.skip = !strcmp(value, "YES") || !strcmp(value, "v2");
        }
    }
    if (w.part >= 0 && !w.blocking)
        return -EINVAL;
    *ret = w;
    return 0;
}

/* ---- playlists ---- */

static double seconds(int64_t ns)
{
    return (double)ns / (double)NSEC_PER_SEC;
}

static void write_date(struct buf *b, int64_t utc_ns)
{
    char text[32];
    time_t s = (time_t)(utc_ns / NSEC_PER_SEC);
    struct tm tm;
    if (gmtime_r(&s, &tm) && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm))
        buf_addf(b, "#EXT-X-PROGRAM-DATE-TIME:%s.%03dZ\n", text,
                 (int)(utc_ns % NSEC_PER_SEC / NSEC_PER_MSEC));
}

static void write_segment(struct buf *b, const struct segment *g, bool parts)
{
    if (g->complete || (parts && g->n_parts))
        write_date(b, g->utc_ns);
    for (int i = 0; parts && i < g->n_parts; i++)
        buf_addf(b, "#EXT-X-PART:DURATION=%.5f,URI=\"s%llu.%d.m4s\"%s\n",
                 seconds(g->part[i].duration_ns), (unsigned long long)g->number, i,
                 g->part[i].independent ? ",INDEPENDENT=YES" : "");
    if (g->complete)
        buf_addf(b, "#EXTINF:%.5f,\ns%llu.m4s\n", seconds(g->duration_ns),
                 (unsigned long long)g->number);
}

void hls_write_media(struct buf *b, const struct segments *s, bool skip)
{
    const struct segment_plan *p = &s->plan;
    uint64_t first = segments_first_listed(s);
    uint64_t hint;
    int hint_part;
    buf_addf(b,
             "#EXTM3U\n"
             "#EXT-X-VERSION:9\n"
             "#EXT-X-TARGETDURATION:%d\n"
             "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=%.3f,CAN-SKIP-UNTIL=%.1f\n"
             "#EXT-X-PART-INF:PART-TARGET=%.3f\n"
             "#EXT-X-MEDIA-SEQUENCE:%llu\n"
             "#EXT-X-MAP:URI=\"init.mp4\"\n",
             (int)(p->segment_ns / NSEC_PER_SEC), HOLD_BACK_PARTS * (seconds(p->part_ns) + 0.001),
             SKIP_TARGETS * seconds(p->segment_ns), seconds(p->part_ns) + 0.0005,
             (unsigned long long)first);
    int64_t behind_ns = 0; /* how far each one's end is from the end of all */
    uint64_t with_parts = s->next, fresh = s->next;
    for (uint64_t n = s->next; n > first; n--) {
        behind_ns += segments_find(s, n - 1)->duration_ns;
        if (behind_ns <= PARTS_TARGETS * p->segment_ns)
            with_parts = n - 1;
        if (behind_ns <= SKIP_TARGETS * p->segment_ns)
            fresh = n - 1;
    }
    uint64_t from = first;
    if (skip && fresh > first) {
        buf_addf(b, "#EXT-X-SKIP:SKIPPED-SEGMENTS=%llu\n", (unsigned long long)(fresh - first));
        from = fresh;
    }
    for (uint64_t n = from; n < s->next; n++)
        write_segment(b, segments_find(s, n), n >= with_parts);
    segments_next(s, &hint, &hint_part);
    buf_addf(b, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"s%llu.%d.m4s\"\n", (unsigned long long)hint,
             hint_part);
}

void hls_write_master(struct buf *b, const struct hls_variant *v)
{
    buf_addf(b,
             "#EXTM3U\n"
             "#EXT-X-VERSION:9\n"
             "#EXT-X-INDEPENDENT-SEGMENTS\n"
             "#EXT-X-STREAM-INF:BANDWIDTH=%d,CODECS=\"%s\",RESOLUTION=%dx%d,FRAME-RATE=%.3f\n"
             "%s\n",
             v->kbps * 1000, v->codecs, v->width, v->height, v->fps, v->uri);
}
