/* Rooms: device/virtual/scenario, cast (VWORLD). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "cast_set.h"
#include "device/virtual/cast/cast.h"
#include "device/virtual/scenario/kinds.h"
#include "device/virtual/scenario/scenario.h"
#include "unit.h"

/* One that is there and is what it should be. */
static const struct member *must(struct cast *c, double t, const char *id)
{
    size_t n = at(c, t, now);
    const struct member *m = find(now, n, id);
    if (!m)
        unit_fail(__FILE__, __LINE__, "%s is not there at %g s", id, t);
    return m;
}

static void refuse(const char *text, const char *line, const char *part)
{
    struct scenario *s = NULL;
    struct fault why = {0};
    CHECK(scenario_parse(text, strlen(text), &s, &why) < 0);
    if (strcmp(why.name, line) || !strstr(why.text, part))
        unit_fail(__FILE__, __LINE__, "\"%s\": \"%s\", expected \"%s\": \"%s\"", why.name, why.text,
                  line, part);
}

TEST(refuses_with_line_and_reason)
{
    refuse("", "line 1", "scenario NAME");
    refuse("title x\n", "line 1", "scenario NAME");
    refuse("scenario Bad\n", "line 1", "no name");
    refuse("scenario a\n\n# c\nnonsense 1\n", "line 4", "not with \"nonsense\"");
    refuse("scenario a\npath p 0 0\n", "line 2", "open path wants 2");
    refuse("scenario a\npath p 0 0 0 0\n", "line 2", "are one");
    refuse("scenario a\npath p 0 0 10 0 0 0\n", "line 2", "turns back at its point 2");
    refuse("scenario a\npath p 0 0 1e9 0\n", "line 2", "from -1000 to 1000");
    refuse("scenario a\npath p 0 0 nowhere\n", "line 2", "neither a number nor a point");
    refuse("scenario a\nactor x ghost at 0 0\n", "line 2", "no model");
    refuse("scenario a\nactor x man walk p\n", "line 2", "no path p above");
    refuse("scenario a\nactor x man\n", "line 2", "does nothing");
    refuse("scenario a\nactor x man drive (0 0 1 0)\n", "line 2", "walks, runs or carries");
    refuse("scenario a\nactor x car walk (0 0 1 0)\n", "line 2", "a car drives");
    refuse("scenario a\nactor x man walk (0 0 10 0) walk (20 0 30 0)\n", "line 2",
           "goes on 10.0 m");
    refuse("scenario a\nactor x man walk (0 0 10 0) walk (10 0 0 0.1)\n", "line 2",
           "would turn by");
    refuse("scenario a\nactor x man walk (0 0 10 0\n", "line 2", ") is missing");
    refuse("scenario a\nactor x man walk (0 0 10 0) repeat\n", "line 2", "ends where it began");
    refuse("scenario a\nactor x man at 0 0\nactor x man at 0 0\n", "line 3", "an actor x already");
    refuse("scenario a\nline l 0 0 5 5 for tree\n", "line 2", "no class");
    refuse("scenario a\narea l 0 0 5 5\n", "line 2", "three corners");
    refuse("scenario a\ncrowd c 500 person in x\n", "line 2", "from 1 to 100");
    refuse("scenario a\ncrowd c 50 person in x\n", "line 2", "no area x");
    refuse("scenario a\nat 5 gate side open\n", "line 2", "no gate side");
    refuse("scenario a\ngate main 0 0\n", "line 2", "a gate main already");
    refuse("scenario a\nactor x man at 0 0\nplace hall\n", "line 3", "place comes before");
    refuse("scenario a\nat 5\n", "line 2", "a time and a command");
    refuse("scenario a\nlength 1\n", "line 2", "from 5 to 3600");
    refuse("scenario a\nplace street extra\n", "line 2", "too much here");
    refuse("scenario a\ntitle \x01\n", "line 2", "control character");
    refuse("scenario a\ntitle \xff\n", "line 2", "UTF-8");
    /* Continued lines are counted; the fault names where the statement began. */
    refuse("scenario a\nactor x man\n  at 0 0\n  sing\n\n", "line 2",
           "does not understand \"sing\"");
    static char big[SCENARIO_BYTES + 2];
    memset(big, '#', sizeof(big) - 1);
    struct scenario *s = NULL;
    struct fault why = {0};
    CHECK(scenario_parse(big, strlen(big), &s, &why) < 0 && why.kind == FAULT_LIMIT);
}

TEST(paths_have_round_corners)
{
    struct path p = {0};
    struct fault why = {0};
    const double pt[][2] = {{0, 0}, {10, 0}, {10, 10}};
    CHECK_INT(path_make(&p, pt, 3, false, 2, &why), 0);
    CHECK_NEAR(p.len_m, 20 - 4 + M_PI, 1e-9);
    struct spot was = path_at(&p, 0, NULL);
    for (double s = 0.01; s < p.len_m; s += 0.01) {
        struct spot now_at = path_at(&p, s, NULL);
        CHECK_NEAR(hypot(now_at.x - was.x, now_at.y - was.y), 0.01, 1e-4);
        CHECK(now_at.dx * was.dx + now_at.dy * was.dy > 0.9999);
        was = now_at;
    }
    struct spot end = path_at(&p, p.len_m + 1, NULL);
    CHECK_NEAR(end.x, 10, 1e-9);
    CHECK_NEAR(end.y, 11, 1e-9);
    const double a[2] = {8, 5}, b[2] = {12, 5}, beside[2] = {20, 5};
    CHECK_NEAR(path_crosses(&p, 0, a, b), p.len_m - 5, 1e-6);
    CHECK(path_crosses(&p, 0, b, beside) < 0);
    path_done(&p);
}

TEST(walkers_keep_their_time)
{
    struct cast *c = play("scenario a\nlength 100 once\n"
                          "actor w man walk (0 0 20 0) wait 5 facing 180 walk (20 0 20 20)\n"
                          "  speed 1 from 10 spread 0 look 1\n");
    CHECK_INT(at(c, 9.9, now), 0);
    const struct member *m = must(c, 20, "person-1");
    CHECK_NEAR(m->at.x, 10, 1e-6);
    CHECK_NEAR(m->heading_deg, 90, 1e-6);
    CHECK_NEAR(m->speed_m_s, 1, 1e-6);
    CHECK_INT(m->gait, GAIT_WALK);
    CHECK_STR(m->class_name, "person");
    CHECK_STR(m->model, "man");
    /* A step is as long as a step is, whatever the speed. */
    double phase = must(c, 21, "person-1")->phase;
    m = must(c, 20, "person-1");
    CHECK_NEAR(remainder(phase - m->phase, 1), 1 / 1.349 - 1, 1e-6);
    m = must(c, 33, "person-1"); /* arrived at 30.4, waits until 35.4 */
    CHECK_NEAR(m->at.x, 20, 1e-6);
    CHECK_NEAR(fabs(m->heading_deg), 180, 1e-6);
    CHECK_INT(m->gait, GAIT_STAND);
    CHECK_NEAR(m->speed_m_s, 0, 1e-9);
    m = must(c, 45, "person-1");
    CHECK_NEAR(m->at.x, 20, 1e-6);
    CHECK_NEAR(m->heading_deg, 0, 1e-6);
    CHECK_INT(at(c, 60, now), 0);
    cast_free(c);
}

TEST(the_past_repeats_exactly)
{
    static struct member other[CAST_MOST];
    const char *text = "scenario a\nlength 60\n"
                       "path e -160 27 160 27\n"
                       "actor c car drive e every 7 jitter 3 vary 0.2\n"
                       "actor w person walk (0 20 40 20) every 9 jitter 4 vary 0.1\n";
    struct cast *a = play(text), *b = play(text);
    /* One looked at in order, the other at random. */
    for (int i = 0; i < 400; i++)
        at(a, i, now);
    for (int i = 0; i < 200; i++) {
        double t = (i * 7919 % 4000) / 10.0;
        size_t n = at(a, t, now);
        CHECK_INT(at(b, t, other), n);
        for (size_t k = 0; k < n; k++) {
            CHECK_STR(now[k].id, other[k].id);
            CHECK(now[k].at.x == other[k].at.x && now[k].heading_deg == other[k].heading_deg);
            CHECK_INT(now[k].look, other[k].look);
        }
    }
    struct cast *c = cast_new(2);
    CHECK_INT(cast_load(c, 0, text, strlen(text), NULL), 0);
    size_t n = at(a, 30, now), same = 0;
    at(c, 30, other);
    for (size_t k = 0; k < n; k++)
        same += now[k].at.x == other[k].at.x;
    CHECK(same < n); /* another seed, another day */
    cast_free(a);
    cast_free(b);
    cast_free(c);
}

TEST(cars_keep_apart_and_brake)
{
    struct cast *c = play("scenario a\nlength 120\n"
                          "path e -160 27 160 27\n"
                          "actor slow truck drive e every 30 speed 7\n"
                          "actor c car drive e every 5 jitter 2 vary 0.3\n");
    check_smooth(c, 0, 130);
    bool braked = false;
    for (double t = 0; t < 130; t += 0.1) {
        size_t n = at(c, t, now);
        for (size_t i = 0; i < n; i++) {
            braked |= now[i].brake_lights;
            CHECK(now[i].headlights);
            for (size_t k = 0; k < i; k++)
                CHECK(fabs(now[i].at.x - now[k].at.x) > 5);
        }
    }
    CHECK(braked);
    cast_free(c);
}

TEST(cars_stop_for_people_on_the_crossing)
{
    struct cast *c = play("scenario a\nlength 60 once\n"
                          "crossing -6 25 -2.5 25 -2.5 34 -6 34\n"
                          "actor w man walk (-4 20 -4 38) speed 1 spread 0 from 10\n"
                          "actor c car-hatch drive (-160 27.4 160 27.4) from 5\n");
    double slowest = 99, nearest = 99;
    for (double t = 5; t < 60; t += 0.1) {
        size_t n = at(c, t, now);
        const struct member *w = find(now, n, "person-1"), *car = find(now, n, "car-1");
        if (car)
            slowest = fmin(slowest, car->speed_m_s);
        if (car && w && w->at.y > 25 && w->at.y < 34)
            nearest = fmin(nearest, fabs(car->at.x - w->at.x));
    }
    CHECK(slowest < 0.01);
    CHECK(nearest > 3.4);
    CHECK_INT(at(c, 59, now), 0); /* and went on */
    check_smooth(c, 0, 60);
    cast_free(c);
}

/* How far the nearest somebody on foot is from the nose of a vehicle that moves; 99: nobody.
 * Who walks against its side has himself to blame. */
static double nearest_on_foot(const struct member *m, size_t n)
{
    double nearest = 99;
    for (size_t i = 0; i < n; i++) {
        const struct cast_kind *k = cast_kind_find(m[i].model, 0);
        if (!k || k->sort != KIND_VEHICLE || m[i].speed_m_s < 1)
            continue;
        double h = m[i].heading_deg * M_PI / 180;
        for (size_t j = 0; j < n; j++) {
            if (!m[j].class_name || strcmp(m[j].class_name, "person") != 0)
                continue;
            double dx = m[j].at.x - m[i].at.x, dy = m[j].at.y - m[i].at.y;
            double along = dx * sin(h) + dy * cos(h) - k->length_m / 2;
            double aside = fabs(dx * cos(h) - dy * sin(h));
            if (along > -1)
                nearest = fmin(nearest, hypot(fmax(along, 0), aside));
        }
    }
    return nearest;
}

TEST(drivers_brake_for_whoever_stands_or_comes_in_their_way)
{
    /* A crowd upon the road, somebody who only stands, somebody who steps off the kerb. */
    static const char *const who[] = {
        "area square 20 25 34 25 34 31 20 31\ncrowd people 12 person in square speed 1\n",
        "actor p bystander-2 at 24 27.5 facing 10\n",
        "actor p man walk (10 20 10 36) speed 1.6 spread 0 every 15\n",
    };
    for (size_t i = 0; i < 3; i++) {
        char text[512];
        snprintf(text, sizeof(text),
                 "scenario a\nlength 120\n%sactor c car-hatch drive (-160 27.4 160 27.4) every 12 "
                 "speed 12\n",
                 who[i]);
        struct cast *c = play(text);
        double nearest = 99;
        bool waits = false;
        for (double t = 0; t < 100; t += 0.1) {
            size_t n = at(c, t, now);
            nearest = fmin(nearest, nearest_on_foot(now, n));
            for (size_t k = 0; k < n; k++)
                waits |= now[k].brake_lights && now[k].speed_m_s < 6;
        }
        if (nearest < 1.1)
            unit_fail(__FILE__, __LINE__, "%zu: %.2f m from somebody", i, nearest);
        CHECK(waits);
        cast_free(c);
    }
}

TEST(nobody_waits_on_the_pavement)
{
    /* The gate stays shut: the second one waits before the pavement, not across it. */
    struct cast *c = play("scenario a\nlength 100 once\n"
                          "gate main 8.4 41 arm 6.2 facing 270\n"
                          "crossing 1.8 33.2 8.2 33.2 8.2 35.2 1.8 35.2\n"
                          "path in 60 31.1 20 30.4 6.3 30.4 6.5 64 radius 6\n"
                          "actor a car-hatch drive in from 1\n"
                          "actor b car-hatch drive in from 9\n"
                          "at 0 gate main close\n");
    const struct member *m = must(c, 80, "car-1");
    CHECK(m->speed_m_s < 0.01 && m->at.y - 2.2 > 35.2 && m->at.y < 41);
    m = must(c, 80, "car-2");
    CHECK(m->speed_m_s < 0.01 && m->at.y < 33.2);
    cast_free(c);
}

TEST(walkers_make_room)
{
    /* Towards each other on one line, past somebody who stands on it, and overtaking. */
    struct cast *c = play("scenario a\nlength 100 once\n"
                          "path w -30 10 30 10\n"
                          "actor a man walk w speed 1.3 spread 0\n"
                          "actor b woman walk w turned speed 1.3 spread 0\n"
                          "actor s bystander-1 at 12 10\n"
                          "actor f man walk w speed 1.9 spread 0 from 3\n");
    double nearest = 99;
    for (double t = 3; t < 50; t += 0.05) {
        size_t n = at(c, t, now);
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k < i; k++)
                nearest =
                    fmin(nearest, hypot(now[i].at.x - now[k].at.x, now[i].at.y - now[k].at.y));
    }
    if (nearest < 0.3)
        unit_fail(__FILE__, __LINE__, "they come as near as %.2f m", nearest);
    check_smooth(c, 3, 50);
    cast_free(c);
}

static const char gated[] = "scenario a\nlength 120\n"
                            "gate main 8.4 41 arm 6.2 facing 270\n"
                            "path in 160 31.1 6.5 31.1 6.5 64 radius 6\n"
                            "actor visitor car-hatch drive in on-call\n";

static double farthest_north(struct cast *c, double t, const char *id)
{
    size_t n = at(c, t, now);
    const struct member *m = find(now, n, id);
    return m ? m->at.y : 99;
}

TEST(the_gate_opens_for_a_car)
{
    struct cast *c = play(gated);
    struct fault why = {0};
    CHECK_INT(must(c, 3, "barrier-1")->phase, 0);
    CHECK(!now[0].class_name);
    CHECK_INT(cast_gate(c, 10 * NSEC_PER_SEC, "car", &why), 0);
    bool stood = false, open = false;
    for (double t = 10; t < 70; t += 0.1) {
        size_t n = at(c, t, now);
        const struct member *car = find(now, n, "car-x1"), *b = find(now, n, "barrier-1");
        CHECK(b);
        if (!car)
            continue;
        stood |= fabs(car->speed_m_s) < 0.01 && car->at.y > 33;
        open |= b->phase > 0.99;
        if (car->at.y + 2.05 > 41 && car->at.y - 2.05 < 41)
            CHECK(b->phase > 0.85);
    }
    CHECK(stood && open);
    CHECK(!find(now, at(c, 70, now), "car-x1"));
    CHECK_NEAR(must(c, 70, "barrier-1")->phase, 0, 1e-6);
    check_smooth(c, 0, 70);

    /* Held shut: it waits for ever. */
    CHECK_INT(cast_gate(c, 80 * NSEC_PER_SEC, "close", &why), 0);
    CHECK_INT(cast_gate(c, 80 * NSEC_PER_SEC, "car", &why), 0);
    CHECK(farthest_north(c, 1000, "car-x2") < 40);
    CHECK_INT(cast_gate(c, 1000 * NSEC_PER_SEC, "open", &why), 0);
    CHECK(farthest_north(c, 999, "car-x2") < 40); /* the past stays */
    CHECK(farthest_north(c, 1020, "car-x2") > 50);
    CHECK_NEAR(must(c, 1500, "barrier-1")->phase, 1, 1e-6);
    CHECK(cast_gate(c, 1600 * NSEC_PER_SEC, "explode", &why) < 0);
    cast_free(c);
}

TEST(commands_hold_from_their_time)
{
    struct cast *c = play("scenario a\nlength 60\nactor w man at 0 10\npath p 0 0 50 0\n");
    struct fault why = {0};
    char id[32];
    CHECK_INT(cast_spawn(c, 20 * NSEC_PER_SEC, "woman walk p speed 1", id, &why), 0);
    CHECK_STR(id, "person-x1");
    CHECK(!find(now, at(c, 19.9, now), id));
    CHECK_NEAR(must(c, 30, id)->at.x, 10, 1e-6);
    CHECK_INT(cast_spawn(c, 30 * NSEC_PER_SEC, "car-suv at 5 5 facing 45", id, &why), 0);
    CHECK_NEAR(must(c, 40, "car-x1")->heading_deg, 45, 1e-6);
    CHECK(!must(c, 40, "car-x1")->headlights);
    CHECK_INT(cast_remove(c, 40 * NSEC_PER_SEC, "person-1", &why), 0);
    must(c, 39.9, "person-1");
    CHECK(!find(now, at(c, 40, now), "person-1"));
    CHECK(cast_remove(c, 41 * NSEC_PER_SEC, "person-1", &why) < 0 && why.kind == FAULT_UNKNOWN);
    CHECK_INT(cast_remove(c, 42 * NSEC_PER_SEC, "all", &why), 0);
    CHECK_INT(at(c, 42.5, now), 0);
    must(c, 41, "car-x1");
    CHECK(cast_spawn(c, 50 * NSEC_PER_SEC, "ghost at 0 0", id, &why) < 0);
    CHECK(cast_spawn(c, 50 * NSEC_PER_SEC, "man walk nowhere", id, &why) < 0);
    CHECK(cast_spawn(c, 50 * NSEC_PER_SEC, "man at 0 0\nman at 1 1", id, &why) < 0);
    CHECK(cast_spawn(c, 50 * NSEC_PER_SEC, "", id, &why) < 0);
    int rc = 0;
    for (int i = 0; i < CAST_MOST + 1 && !rc; i++)
        rc = cast_spawn(c, 51 * NSEC_PER_SEC, "cone at 0 0", id, &why);
    CHECK(rc < 0 && why.kind == FAULT_LIMIT);
    cast_free(c);
}

TEST(crowds_do_not_run_into_each_other)
{
    struct cast *c = play("scenario a\nlength 120\n"
                          "area square -10 10 10 10 10 22 -10 22\n"
                          "crowd some 50 person in square\n");
    double walked = 0;
    size_t n = at(c, 0, now);
    CHECK_INT(n, 50);
    check_smooth(c, 0, 121);
    for (double t = 0; t < 121; t += 0.25) {
        n = at(c, t, now);
        CHECK_INT(n, 50);
        for (size_t i = 0; i < n; i++) {
            walked += now[i].speed_m_s * 0.25 / 50;
            CHECK(now[i].at.x > -10.1 && now[i].at.x < 10.1 && now[i].at.y > 9.9 &&
                  now[i].at.y < 22.1);
            for (size_t k = 0; k < i; k++) {
                double d = hypot(now[i].at.x - now[k].at.x, now[i].at.y - now[k].at.y);
                if (d < 0.5)
                    unit_fail(__FILE__, __LINE__, "%s and %s are %g m apart at %g s", now[i].id,
                              now[k].id, d, t);
            }
        }
    }
    if (walked < 30)
        unit_fail(__FILE__, __LINE__, "they walked only %g m in two minutes", walked);
    cast_free(c);
}

TEST(cues_come_in_time)
{
    struct cast *c = play("scenario a\nhour 22\nweather rain\nlength 60 loop\n"
                          "gate g 0 0\nat 20 s wind 5\nat 20 lens cover 1\nat 10 gate g open\n");
    struct cast_cue q[8];
    CHECK_INT(cast_cues(c, -1, 0, q, 8), 2);
    CHECK_STR(q[0].text, "hour 22");
    CHECK_STR(q[1].text, "weather rain 0s");
    CHECK_INT(cast_cues(c, 0, 100 * NSEC_PER_SEC, q, 8), 4);
    CHECK_STR(q[0].text, "wind 5");
    CHECK_STR(q[1].text, "lens cover 1");
    CHECK_INT(q[0].at_ns, 20 * NSEC_PER_SEC);
    CHECK_INT(q[2].at_ns, 80 * NSEC_PER_SEC);
    CHECK_INT(cast_next_cue(c, 20 * NSEC_PER_SEC), 80 * NSEC_PER_SEC);
    CHECK_INT(cast_next_cue(c, 200 * NSEC_PER_SEC), 200 * NSEC_PER_SEC + 60 * NSEC_PER_SEC);
    CHECK_NEAR(must(c, 15, "barrier-1")->phase, 1, 1e-6);
    cast_free(c);
}

TEST(a_year_ahead_is_near)
{
    struct cast *c = play("scenario a\nlength 60\npath e -160 27 160 27\n"
                          "actor c car drive e every 7 jitter 3 vary 0.2\n");
    int64_t begin = clock_thread_cpu_ns();
    size_t n = at(c, 365.25 * 86400, now);
    CHECK(n > 1);
    CHECK(clock_thread_cpu_ns() - begin < NSEC_PER_SEC);
    cast_free(c);
}

UNIT_MAIN(UNIT_ROW(refuses_with_line_and_reason) UNIT_ROW(paths_have_round_corners)
              UNIT_ROW(walkers_keep_their_time) UNIT_ROW(the_past_repeats_exactly)
                  UNIT_ROW(cars_keep_apart_and_brake) UNIT_ROW(cars_stop_for_people_on_the_crossing)
                      UNIT_ROW(drivers_brake_for_whoever_stands_or_comes_in_their_way)
                          UNIT_ROW(nobody_waits_on_the_pavement) UNIT_ROW(walkers_make_room)
                              UNIT_ROW(the_gate_opens_for_a_car)
                                  UNIT_ROW(commands_hold_from_their_time)
                                      UNIT_ROW(crowds_do_not_run_into_each_other)
                                          UNIT_ROW(cues_come_in_time)
                                              UNIT_ROW(a_year_ahead_is_near))
