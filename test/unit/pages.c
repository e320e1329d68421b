/* Pages that many viewers are sent in place of copies, and where there are none. */
#include "deliver/pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deliver_set.h"
#include "unit.h"

/* The RTP of what one has received: reports differ. */
static void keep_rtp(const struct buf *from, struct buf *to)
{
    const uint8_t *p = (const uint8_t *)from->data;
    to->max = from->len + 1;
    for (size_t at = 0, n; at + 4 <= from->len; at += n) {
        n = 4 + (size_t)(p[at + 2] << 8 | p[at + 3]);
        CHECK(p[at] == '$' && at + n <= from->len);
        if (!p[at + 1])
            buf_add(to, p + at, n);
    }
}

static long blocks_of_pages(void)
{
    struct stat st;
    CHECK(!fstat(pages_file(), &st));
    return (long)st.st_blocks;
}

static void choose(const char *folder, const char *of, const char *text)
{
    char path[300];
    snprintf(path, sizeof(path), "%s/%s", folder, of);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/%s/shmem_enabled", folder, of);
    FILE *f = fopen(path, "w");
    CHECK(f && fputs(text, f) >= 0 && !fclose(f));
}

TEST(no_pages_where_large_ones_may_be)
{
    char dir[] = "/tmp/vedette-pages-XXXXXX";
    CHECK(mkdtemp(dir));
    CHECK(pages_are_small("/nowhere")); /* a kernel without large pages */
    CHECK(pages_are_small(dir));
    static const struct {
        const char *all, *some;
        bool small;
    } cases[] = {
        {"always within_size advise [never] deny force\n", "always [inherit] never\n", true},
        {"always within_size [advise] never deny force\n", "always inherit [never]\n", true},
        {"always within_size advise never [deny] force\n", "[advise] never\n", true},
        {"[always] within_size advise never deny force\n", "always [inherit] never\n", false},
        {"always [within_size] advise never deny force\n", "always inherit [never]\n", false},
        {"always within_size advise never deny [force]\n", "always inherit [never]\n", false},
        {"always within_size advise [never] deny force\n", "[always] inherit never\n", false},
        {"always within_size advise [never] deny force\n", "[within_size] never\n", false},
        {"", "always inherit [never]\n", false}, /* what it says is not known */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        choose(dir, ".", cases[i].all);
        choose(dir, "hugepages-64kB", cases[i].some);
        CHECK_INT(pages_are_small(dir), cases[i].small);
    }
    static const char *const entry[] = {"hugepages-64kB/shmem_enabled", "hugepages-64kB",
                                        "shmem_enabled", "."};
    for (size_t i = 0; i < sizeof(entry) / sizeof(*entry); i++) {
        char path[300];
        snprintf(path, sizeof(path), "%s/%s", dir, entry[i]);
        remove(i == 3 ? dir : path);
    }
}

#define MANY 24 /* on two loops, enough for pages on each */

TEST(many_viewers_are_sent_pages)
{
    if (pages_file() < 0) /* large pages for files in memory are on here */
        return;
    set_up(CODEC_H264);
    int clients[MANY];
    struct viewer *v[MANY];
    picture(150000, true);
    for (int i = 0; i < MANY; i++) {
        v[i] = new_viewer(FRAMING_INTERLEAVED);
        clients[i] = client;
        CHECK_INT(viewer_play(v[i], 0, on_ready, NULL), 0);
        viewer_go(v[i]);
    }
    picture(60000, false);
    picture(200, false);
    for (struct viewer_stats s = {0}; s.pictures < 3;) { /* the last one, who reads at the end */
        deliver_each_viewer(deliver, copy_stats, &s);
        idle_ms(1);
    }
    const size_t about = 150000 + 60000 + 200;
    struct buf first = {0}, rtp = {0};
    for (int i = 0; i < MANY; i++) {
        if (i == MANY - 1) { /* what is on its way outlives the pictures and what comes after */
            CHECK(blocks_of_pages() >= (150000 + 60000) / 512);
            for (int k = 0; k < MANY; k++)
                viewer_close(v[k], false);
            idle_ms(5);
            tear_down();
            CHECK_INT(blocks_of_pages(), 0);
            static const uint8_t other[256 << 10] = {1};
            struct pages pages = {0};
            CHECK(pages_of(&pages, other, sizeof(other)) > 0);
        }
        client = clients[i];
        buf_done(&got);
        for (client_eof = false; i == MANY - 1 ? !client_eof : got.len < about;)
            drain();
        if (i != MANY - 1)
            for (int k = 0; k < 50 && parse_got().pictures < 3; k++) {
                idle_ms(2);
                drain();
            }
        CHECK_INT(parse_got().pictures, 3);
        CHECK(!parse_got().gap);
        keep_rtp(&got, i ? &rtp : &first);
        CHECK(!i || (rtp.len == first.len && !memcmp(rtp.data, first.data, rtp.len)));
        buf_done(&rtp);
        close(client);
    }
    CHECK(first.len > about);
    buf_done(&first);
}

UNIT_MAIN(UNIT_ROW(many_viewers_are_sent_pages) UNIT_ROW(no_pages_where_large_ones_may_be))
