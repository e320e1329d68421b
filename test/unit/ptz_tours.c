#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fault.h"
#include "media/pose.h"
#include "ptz/preset_data.h"
#include "ptz/ptz.h"
#include "ptz/recording.h"
#include "ptz/scale.h"

TEST(preset_data_reads_what_it_prints)
{
    struct preset_data d = {12.5, -3.25, 1200, 4711}, back;
    char text[PRESET_DATA_SIZE];
    preset_data_print(&d, text, sizeof text);
    CHECK_STR(text, "pan=12.500000:tilt=-3.250000:zoom=1200.000000:focus=4711.000000");
    CHECK_INT(preset_data_parse(text, &back, NULL), 0);
    CHECK_NEAR(back.focus, 4711, 1e-6);
    CHECK_INT(preset_data_parse("tilt=1:pan=2", &back, NULL), 0); /* as old cameras */
    CHECK_NEAR(back.pan_deg, 2, 0);
    CHECK(isnan(back.zoom) && isnan(back.focus));
    preset_data_print(&back, text, sizeof text);
    CHECK_STR(text, "pan=2.000000:tilt=1.000000");
}

TEST(preset_data_refuses_the_rest)
{
    static const char *const bad[] = {"",
                                      "pan=1",
                                      "pan=1:tilt=2:",
                                      "pan=1:pan=2:tilt=0",
                                      "pan=nan:tilt=0",
                                      "pan=1e9:tilt=0",
                                      "pan=1:tilt=0:zoom=0",
                                      "pan=1:tilt=0:moon=1",
                                      ":pan=1:tilt=0",
                                      "pan=1::tilt=0",
                                      "pan=:tilt=0",
                                      "pan=1 :tilt=0"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct preset_data d = {7, 7, 7, 7};
        struct fault why = {0};
        CHECK(preset_data_parse(bad[i], &d, &why) < 0);
        CHECK(*why.text);
        CHECK_NEAR(d.pan_deg, 7, 0);
    }
}

TEST(scales)
{
    CHECK_NEAR(zoom_of_step(1, 30), 1, 0);
    CHECK_NEAR(zoom_of_step(9999, 30), 30, 1e-9);
    CHECK_NEAR(step_of_zoom(15.5, 30), 5000, 1e-9);
    CHECK_NEAR(zoom_of_step(5000, 1), 1, 0); /* no zoom */
    CHECK_NEAR(step_of_zoom(1, 1), 1, 0);
}

static const struct pose somewhere = {.pan_deg = -120.25, .tilt_deg = 3.5, .zoom = 2};

TEST(recording_reads_what_it_prints)
{
    struct recording *r = calloc(1, sizeof *r), *back = calloc(1, sizeof *back);
    const struct ptz_order go = {true, 10, NAN, 4.5, 0.75}, move = {false, -300, 0, NAN, 1};
    BUF(text, RECORDING_TEXT_MOST);
    CHECK_INT(recording_add(r, 0, &somewhere, NULL), 0);
    CHECK_INT(recording_add(r, 10.125, &somewhere, &go), 0);
    CHECK_INT(recording_add(r, 20, &somewhere, &move), 0);
    CHECK_INT(recording_add(r, 320, &somewhere, &move), 0); /* said already */
    CHECK_INT(recording_add(r, 2000, &somewhere, NULL), 0);
    CHECK_INT(r->n, 4);
    CHECK_INT(recording_print(r, &text), 0);
    CHECK_INT(recording_parse(text.data, text.len, back, NULL), 0);
    CHECK_INT(back->n, 4);
    CHECK_NEAR(back->step[1].t_ms, 10.125, 1e-9);
    CHECK(back->step[1].kind == RECORDING_GOES && isnan(back->step[1].b));
    CHECK_NEAR(back->step[1].speed, 0.75, 1e-6);
    CHECK_NEAR(back->step[2].a, -300, 1e-6);
    CHECK_NEAR(back->step[3].pan, -120.25, 1e-4);
    free(r);
    free(back);
}

TEST(recording_has_an_end)
{
    struct recording *r = calloc(1, sizeof *r);
    int err = 0;
    CHECK(recording_add(r, RECORDING_MOST_MS + 1, &somewhere, NULL) < 0);
    for (int i = 0; !err && i < RECORDING_MOST_STEPS + 1; i++)
        err = recording_add(r, i, &somewhere, NULL);
    CHECK(err < 0);
    CHECK_INT(r->n, RECORDING_MOST_STEPS);
    BUF(text, RECORDING_TEXT_MOST); /* the fullest one fits into its file */
    CHECK_INT(recording_print(r, &text), 0);
    free(r);
}

TEST(recording_refuses_damage)
{
#define TOUR "vedette recorded tour 1\n"
    static const char *const bad[] = {
        "",
        TOUR,
        "0 0 0 1 rests\n",
        TOUR "0 0 0 1 rests",
        TOUR "0 0 0 1\n",
        TOUR "0 0 0 1 rests 1\n",
        TOUR "0 0 0 0 rests\n",
        TOUR "5 0 0 1 rests\n4 0 0 1 rests\n",
        TOUR "0 nan 0 1 rests\n",
        TOUR "0 0 0 1 flies 0 0 1 1\n",
        TOUR "0 0 0 1 goes 0 0 1\n",
        TOUR "0 0 0 1 goes 0 0 1 2\n",
        TOUR "0 0 0 1 goes 0 0 0 1\n",
        TOUR "0 0 0 1 moves 1e9 0 0 1\n",
        TOUR "9e9 0 0 1 rests\n",
        TOUR "\n",
    };
    struct recording *r = calloc(1, sizeof *r);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct fault why = {0};
        CHECK(recording_parse(bad[i], strlen(bad[i]), r, &why) < 0);
        CHECK(*why.text);
    }
    CHECK_INT(recording_parse(TOUR "0 0 0 1 rests\n", strlen(TOUR "0 0 0 1 rests\n"), r, NULL), 0);
    free(r);
}

UNIT_MAIN(UNIT_ROW(preset_data_reads_what_it_prints) UNIT_ROW(preset_data_refuses_the_rest)
              UNIT_ROW(scales) UNIT_ROW(recording_reads_what_it_prints)
                  UNIT_ROW(recording_has_an_end) UNIT_ROW(recording_refuses_damage))
