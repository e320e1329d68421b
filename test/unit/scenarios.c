/* The scenarios that come with the camera: they play, their traffic flows, and nobody goes through
 * another. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cast_set.h"
#include "device/virtual/cast/cast.h"
#include "device/virtual/cast/library.h"
#include "device/virtual/scenario/kinds.h"
#include "unit.h"

#define OVERLAP_M 0.1 /* so deep two may stand in one another: sleeves touch */

/* Those that come with the camera: smooth, lively, nobody stuck, and soon the same again. */
TEST(shipped_scenarios_play)
{
    static struct member later[CAST_MOST];
    struct scenario_library *l = library_new();
    CHECK(l && l->n >= 15);
    CHECK(library_find(l, "default") && library_find(l, "hall-rush"));
    CHECK(!library_find(l, "nobody-knows-it"));
    for (size_t i = 0; i < l->n; i++) {
        const struct scenario_text *t = &l->item[i];
        struct cast *c = cast_new(1);
        CHECK_INT(cast_load(c, 0, t->text, t->len, NULL), 0);
        check_smooth(c, 0, 30);
        check_smooth(c, t->facts.length_s - 10, t->facts.length_s + 10);
        size_t most = 0;
        for (double at_s = 0; at_s < 3 * t->facts.length_s; at_s += 20) {
            size_t n = at(c, at_s, now);
            most = n > most ? n : most;
        }
        CHECK(most > 0 && most < CAST_MOST);
        /* From the third round on all are alike, but for who it is. */
        for (double at_s = 0; at_s < t->facts.length_s; at_s += 17) {
            size_t n = at(c, 3 * t->facts.length_s + at_s, now);
            CHECK_INT(at(c, 10003 * t->facts.length_s + at_s, later), n);
            for (size_t k = 0; k < n; k++) {
                CHECK_NEAR(now[k].at.x, later[k].at.x, 1e-4);
                CHECK_NEAR(now[k].at.y, later[k].at.y, 1e-4);
            }
        }
        cast_free(c);
    }
    library_free(l);
}

/* Nobody waits in the road for ever: each vehicle of a scenario gets through. */
TEST(traffic_flows)
{
    struct scenario_library *l = library_new();
    CHECK(l);
    for (size_t i = 0; i < l->n; i++) {
        const struct scenario_text *t = &l->item[i];
        struct cast *c = cast_new(3);
        CHECK_INT(cast_load(c, 0, t->text, t->len, NULL), 0);
        static struct {
            char id[32];
            double since;
        } still[CAST_MOST];
        size_t n_still = 0;
        for (double at_s = 0; at_s < 2.5 * t->facts.length_s; at_s += 1) {
            size_t n = at(c, at_s, now), left = 0;
            for (size_t k = 0; k < n_still; k++) {
                const struct member *m = find(now, n, still[k].id);
                if (m && m->speed_m_s == 0 && m->headlights)
                    still[left++] = still[k];
            }
            n_still = left;
            for (size_t k = 0; k < n; k++) {
                bool known = false;
                if (now[k].gait != GAIT_RIDE || now[k].speed_m_s != 0 || !now[k].headlights)
                    continue;
                for (size_t m = 0; m < n_still; m++)
                    if (!strcmp(still[m].id, now[k].id)) {
                        known = true;
                        if (at_s - still[m].since > 120)
                            unit_fail(__FILE__, __LINE__, "%s: %s stands at %g, %g since %g s",
                                      t->facts.name, now[k].id, now[k].at.x, now[k].at.y,
                                      still[m].since);
                    }
                if (!known) {
                    memcpy(still[n_still].id, now[k].id, sizeof(still->id));
                    still[n_still++].since = at_s;
                }
            }
        }
        cast_free(c);
    }
    library_free(l);
}

/* Somebody who takes up room: a box on the ground. */
struct stood {
    const struct member *m;
    double length, width, sine, cosine;
    bool wheels;
};

static size_t who_stands(const struct member *m, size_t n, struct stood *ret)
{
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        const struct cast_kind *k = cast_kind_find(m[i].model, 0);
        if (!k || !k->class_name || !strcmp(k->class_name, "parcel"))
            continue;
        double h = m[i].heading_deg * M_PI / 180;
        ret[found++] = (struct stood){.m = &m[i],
                                      .length = k->length_m * m[i].scale,
                                      .width = k->width_m * m[i].scale,
                                      .sine = sin(h),
                                      .cosine = cos(h),
                                      .wheels = k->sort == KIND_VEHICLE};
    }
    return found;
}

/* How deep two stand in one another, in metres; negative: apart. */
static double overlap(const struct stood *a, const struct stood *b)
{
    const struct stood *const two[] = {a, b};
    double dx = a->m->at.x - b->m->at.x, dy = a->m->at.y - b->m->at.y, deep = INFINITY;
    for (int axis = 0; axis < 4; axis++) {
        const struct stood *o = two[axis / 2];
        double x = axis % 2 ? o->cosine : o->sine, y = axis % 2 ? -o->sine : o->cosine, room = 0;
        for (int i = 0; i < 2; i++) {
            const struct stood *s = two[i];
            room += (s->length * fabs(s->sine * x + s->cosine * y) +
                     s->width * fabs(s->cosine * x - s->sine * y)) /
                    2;
        }
        deep = fmin(deep, room - fabs(dx * x + dy * y));
    }
    return deep;
}

enum { TWO_VEHICLES, TWO_WALKERS, WALKER_AND_VEHICLE, PAIRS };
static const char *const pair_name[PAIRS] = {"vehicles", "walkers", "walker and vehicle"};

/* How many moments of a scenario show two in one another, in steps of that many seconds. */
static void count_overlaps(const struct scenario_text *t, uint64_t seed, double step_s,
                           size_t ret[PAIRS])
{
    static struct stood s[CAST_MOST];
    size_t found[PAIRS] = {0};
    double deepest[PAIRS] = {0};
    char where[PAIRS][160] = {""};
    struct cast *c = cast_new(seed);
    CHECK_INT(cast_load(c, 0, t->text, t->len, NULL), 0);
    for (double at_s = 0; at_s < fmax(300, t->facts.length_s); at_s += step_s) {
        size_t n = who_stands(now, at(c, at_s, now), s);
        for (size_t k = 0; k < n; k++)
            for (size_t m = 0; m < k; m++) {
                double reach = (s[k].length + s[m].length) / 2 + 0.5;
                if (fabs(s[k].m->at.x - s[m].m->at.x) > reach + 1 ||
                    fabs(s[k].m->at.y - s[m].m->at.y) > reach + 1)
                    continue;
                double deep = overlap(&s[k], &s[m]);
                int pair = s[k].wheels && s[m].wheels   ? TWO_VEHICLES
                           : s[k].wheels || s[m].wheels ? WALKER_AND_VEHICLE
                                                        : TWO_WALKERS;
                if (deep <= OVERLAP_M)
                    continue;
                found[pair]++;
                if (deep > deepest[pair]) {
                    deepest[pair] = deep;
                    snprintf(where[pair], sizeof(where[pair]),
                             "%s and %s, %.2f m at %.1f, %.1f, %.1f s", s[k].m->id, s[m].m->id,
                             deep, s[k].m->at.x, s[k].m->at.y, at_s);
                }
            }
    }
    for (int i = 0; i < PAIRS; i++)
        if (found[i])
            printf("%-16s seed %2llu, %-18s %4zu: deepest %s\n", t->facts.name,
                   (unsigned long long)seed, pair_name[i], found[i], where[i]);
    for (int i = 0; i < PAIRS; i++)
        ret[i] += found[i];
    cast_free(c);
}

/* Two on foot never are. Of the others so many moments are known, all of busy-noon but few: cars
 * that wait with their tail upon the pavement, wide ones that meet where it is narrow. */
static const size_t known[PAIRS] = {6, 0, 16};

/* Nobody walks or drives through another: not where cars stand at the kerbs, nor in a crowd, nor
 * when somebody appears. With COUNT_OVERLAPS=1 in the environment and -n: for twelve seeds. */
TEST(nobody_goes_through_another)
{
    bool all = getenv("COUNT_OVERLAPS") != NULL;
    size_t sum[PAIRS] = {0};
    struct scenario_library *l = library_new();
    CHECK(l);
    for (size_t i = 0; i < l->n; i++)
        for (uint64_t seed = all ? 1 : 3; seed <= (all ? 12 : 11); seed += all ? 1 : 8)
            count_overlaps(&l->item[i], seed, all ? 0.2 : 0.5, sum);
    library_free(l);
    fflush(stdout);
    for (int i = 0; i < PAIRS; i++)
        if (sum[i] > (all ? 0 : known[i]))
            unit_fail(__FILE__, __LINE__, "%s in one another: %zu", pair_name[i], sum[i]);
}

UNIT_MAIN(UNIT_ROW(shipped_scenarios_play) UNIT_ROW(traffic_flows)
              UNIT_ROW(nobody_goes_through_another))
