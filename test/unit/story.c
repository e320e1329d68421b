/* What is told of the cast: lines that are crossed, areas that are entered and left. */
#include "device/virtual/cast/story.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "cast_set.h"
#include "device/virtual/cast/cast.h"
#include "unit.h"

struct heard {
    size_t n;
    struct story_event e[512];
};

static bool hear(const struct story_event *e, void *arg)
{
    struct heard *h = arg;
    h->e[h->n++] = *e;
    return h->n < 512;
}

static const char storied[] = "scenario a\nlength 60\n"
                              "actor w man walk (0 0 40 0) speed 1 from 5 spread 0\n"
                              "actor v woman walk (40 2 0 2) speed 2 from 10 spread 0\n"
                              "actor d dog at 15 1\n"
                              "line cross 20 5 20 -5 for person\n"
                              "line dogs 10 -5 10 5 for dog\n"
                              "area box 10 -5 20 -5 20 5 10 5\n";

TEST(lines_and_areas_are_told)
{
    static struct heard h;
    struct cast *c = play(storied);
    struct story *s = story_new(c);
    CHECK(s);
    h.n = 0;
    story_between(s, 0, 60 * NSEC_PER_SEC, hear, &h);
    /* The man is at x = t - 5, the woman at x = 40 - 2 (t - 10). */
    static const struct {
        double at;
        enum story_sort sort;
        const char *id, *where;
    } expected[] = {{15, STORY_ENTER, "person-1", "box"}, {20, STORY_IN, "person-2", "cross"},
                    {20, STORY_ENTER, "person-2", "box"}, {25, STORY_LEAVE, "person-1", "box"},
                    {25, STORY_OUT, "person-1", "cross"}, {25, STORY_LEAVE, "person-2", "box"}};
    CHECK_INT(h.n, 6);
    for (size_t i = 0; i < 6; i++) {
        bool found = false;
        for (size_t k = 0; k < h.n; k++)
            found |= fabs((double)h.e[k].at_ns / 1e9 - expected[i].at) < 0.01 &&
                     h.e[k].sort == expected[i].sort && !strcmp(h.e[k].id, expected[i].id) &&
                     !strcmp(h.e[k].where, expected[i].where);
        if (!found)
            unit_fail(__FILE__, __LINE__, "%s at %g s is missing", expected[i].id, expected[i].at);
    }
    const struct story_tally *t = story_at(s, 22 * NSEC_PER_SEC);
    CHECK_INT(t->line[0].in, 1);
    CHECK_INT(t->line[0].out, 0);
    CHECK_INT(t->area[0].n, 3); /* the dog, too */
    CHECK_STR(t->area[0].inside[0].id, "dog-1");
    CHECK_NEAR((double)t->area[0].inside[1].since_ns / 1e9, 15, 0.01);
    t = story_at(s, 50 * NSEC_PER_SEC);
    CHECK_INT(t->line[0].in, 1);
    CHECK_INT(t->line[1].in + t->line[1].out, 0);
    CHECK_INT(t->area[0].entered, 3);
    CHECK_INT(t->area[0].n, 1);
    for (size_t i = 0; i < h.n; i++)
        if (h.e[i].sort == STORY_LEAVE)
            CHECK_NEAR(h.e[i].seconds, strcmp(h.e[i].id, "person-1") ? 5 : 10, 0.02);
    story_free(s);
    cast_free(c);
}

TEST(counts_go_on_for_ever)
{
    struct cast *c = play(storied);
    struct story *near = story_new(c), *far = story_new(c);
    /* One step by step, the other at once. */
    for (int k = 1; k <= 40; k++)
        CHECK(story_at(near, (int64_t)k * 61 * NSEC_PER_SEC));
    const struct story_tally *a = story_at(near, 2462 * NSEC_PER_SEC);
    const struct story_tally *b = story_at(far, 2462 * NSEC_PER_SEC);
    CHECK_INT(a->line[0].in, 41);
    CHECK_INT(b->line[0].in, 41);
    CHECK_INT(b->line[0].out, a->line[0].out);
    CHECK_INT(b->area[0].entered, a->area[0].entered);
    CHECK_INT(b->area[0].n, a->area[0].n);
    for (size_t i = 0; i < a->area[0].n; i++) {
        CHECK_STR(b->area[0].inside[i].id, a->area[0].inside[i].id);
        CHECK_INT(b->area[0].inside[i].since_ns, a->area[0].inside[i].since_ns);
    }
    b = story_at(far, INT64_C(31557600) * NSEC_PER_SEC);
    CHECK_INT(b->line[0].in, 525960);
    /* A command changes what was told already. */
    struct fault why = {0};
    int64_t at_ns = INT64_C(31557600) * NSEC_PER_SEC;
    char id[32];
    CHECK(story_at(far, at_ns + 50 * NSEC_PER_SEC)->line[0].in == 525961);
    CHECK_INT(cast_spawn(c, at_ns + 30 * NSEC_PER_SEC, "man walk (22 1 12 1) speed 1", id, &why),
              0);
    CHECK(story_at(far, at_ns + 50 * NSEC_PER_SEC)->line[0].in == 525962);
    story_free(near);
    story_free(far);
    cast_free(c);
}

UNIT_MAIN(UNIT_ROW(lines_and_areas_are_told) UNIT_ROW(counts_go_on_for_ever))
