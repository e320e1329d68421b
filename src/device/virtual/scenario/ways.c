/* The ways that a place has of itself: every scenario there may use them by name. In the
 * scenarios' own language, and read by the same parser. See docs/scenarios.md. */
#include "device/virtual/scenario/words.h"

#include <string.h>

/* The lanes swing round the cars that stand at the kerbs, and round two cones. Where there is no
 * room for two wide ones those that drive west wait for the others. */
#define EAST_BEGIN                                                                                 \
    "-160 27.4  -124 27.4  -116 28.7  -109 28.7  -103 27.4  -97 27.4  -90.5 28.65  -85.5 28.65  "  \
    "-82 28  -78.5 28  -75 28.7  -55 28.7  -44 27.4  "
#define EAST_END                                                                                   \
    "38 27.4  46 26.7  58 26.7  66 27.1  108 27.1  115.5 28.75  121 28.75  130 27.4  160 27.4  "   \
    "radius 25\n"
#define WEST_BEGIN                                                                                 \
    "160 31.1  128 31.55  115.7 31.55  107.5 29.8  66 29.8  58.5 28.55  46.5 28.55  36 31.1  "
#define WEST_END                                                                                   \
    "-41 31.1  -48 31.5  -73.5 31.5  -77.5 30.05  -82.5 30.05  -86 31  -92 31.2  -97.5 29.9  "     \
    "-102.5 29.9  -109 31.55  -121 31.55  -129 31.1  -160 31.1  "

static const char street[] =
    /* road */
    "path eastbound " EAST_BEGIN EAST_END "path westbound " WEST_BEGIN WEST_END "radius 25\n"
    "path to-stop " EAST_BEGIN "4 27.4  14 26.9  22 26.9  radius 25\n"
    "path from-stop 22 26.9  30 26.9  38 27.1 " EAST_END
    /* car park: in by the right lane, out by the other; they swing out to keep off the kerbs */
    "path enter " WEST_BEGIN "20 30.4  6.3 30.4  6.5 45  radius 6\n"
    "path leave 3.5 47  3.8 30.4  -10 30.4  -22 31.1 " WEST_END "radius 6\n"
    "path to-bay-1 6.5 45  6.5 50.8  29.25 50.8  29.25 46.5  radius 3.6 limit 5\n"
    "path to-bay-2 6.5 45  6.5 50.8  16.75 50.8  16.75 46.5  radius 3.6 limit 5\n"
    "path to-bay-3 6.5 45  6.5 50.8  24.25 50.8  24.25 57.4  radius 4 limit 5\n"
    "path back-1 29.25 46.5  29.25 53.2  35 53.2  radius 4 limit 5\n"
    "path back-2 16.75 46.5  16.75 53.2  22.5 53.2  radius 4 limit 5\n"
    "path back-3 24.25 57.4  24.25 53.2  30 53.2  radius 3.6 limit 5\n"
    "path from-bay-1 35 53.2  3.5 53.2  3.5 47  radius 5 limit 5\n"
    "path from-bay-2 22.5 53.2  3.5 53.2  3.5 47  radius 5 limit 5\n"
    "path from-bay-3 30 53.2  3.5 53.2  3.5 47  radius 5 limit 5\n"
    "path round-park 6.5 45  6.5 66.7  44.7 66.7  44.7 53.2  3.5 53.2  3.5 47  radius 5 limit 5\n"
    "gate main 8.4 41 height 1 arm 6.2 facing 270\n"
    "yield 2 36.7  5 36.7\nyield 1.6 33  5 33\n"
    "yield 65 28.6  65 31  narrow 30\nyield -68 30  -68 32.5  narrow 38\n"
    "yield 28 49  30.5 49\nyield 15.5 49  18 49\nyield 23 54.9  25.5 54.9\n"
    "crossing -6 25.3  -2.5 25.3  -2.5 33.2  -6 33.2\n"
    "crossing 1.8 33.2  8.2 33.2  8.2 35.2  1.8 35.2\n"
    /* on foot */
    "path north-pavement -150 34.4  150 34.4\n"
    "path south-pavement -150 23  150 23\n"
    "path park-lane -60 -12  60 -12\n"
    "path over-the-road -4.25 22.9  -4.25 34.4\n"
    "path park-to-west 60 -12  -4.25 -12  -4.25 34.4  -150 34.4  radius 1\n"
    "path park-to-east -60 -12  -4.25 -12  -4.25 34.4  150 34.4  radius 1\n"
    "path park-to-door 60 -12  -4.25 -12  -4.25 34.4  -19 34.4  -19 40.5  radius 1\n"
    "path door-to-park -19 40.5  -19 34.4  -4.25 34.4  -4.25 -12  -60 -12  radius 1\n"
    "path west-to-door -150 34.4  -19 34.4  -19 40.5  radius 0.8\n"
    "path east-to-door 150 34.4  -18.6 34.4  -18.6 40.5  radius 0.8\n"
    "path door-to-east -19.3 40.5  -19.3 34.4  150 34.4  radius 0.8\n"
    "path west-to-shelter -150 23  17.4 23  18.9 25.2  21.4 25.2  radius 0.8\n"
    "path door-to-shelter -19 40.5  -19 34.4  -4.25 34.4  -4.25 23  17.4 23  18.9 25.2  22.6 25.2\n"
    "path shelter-to-west 21 25.2  18.9 25.2  17.4 23  -150 23  radius 0.8\n"
    "path shelter-to-east 24 25.2  26.9 25.2  28.6 23  150 23  radius 0.8\n"
    "path bays-to-west 28 49.4  0.3 49.4  0.3 34.4  -150 34.4  radius 0.8\n"
    "path east-to-bays 150 34.4  0.3 34.4  0.3 49.4  28 49.4  radius 0.8\n";

static const char hall[] =
    "path west-in -45 36.5  -0.6 36.5  -0.3 28  0 25.5  radius 1.5\n"
    "path east-in 45 36.8  0 36.8  0 25.5  radius 1.5\n"
    "path west-out 0.7 25.5  0.7 35.6  -45 35.6  radius 1.5\n"
    "path east-out 0.7 25.5  0.7 35.2  45 35.2  radius 1.5\n"
    "path to-offices 0 25.5  0 17.5  -1.2 15.5  -1.2 11.5  -5 5.2  -12 4  -25.5 4  radius 1\n"
    "path from-offices -25.5 3.6  -12 3.6  -4 4.6  1.2 11.5  1.2 15.5  0.7 18  0.7 25.5  radius 1\n"
    "path to-desk 0 25.5  -0.4 24.2  -3 21.4  -9 18.4  radius 1\n"
    "path desk-to-doors -9 18.4  -3 19.6  0.7 25.5  radius 1\n"
    "path desk-to-offices -9 18.4  -3 16.6  -2.4 15.6  -2.4 11.5  -5.4 5.2  -12 4.4  -25.5 4.4  "
    "radius 1\n"
    "path to-kiosk 0 25.5  0.7 23.6  4.6 16.6  14.5 15.8  17 17.5  17 19.4  14.4 19.8  radius 0.8\n"
    "path kiosk-to-doors 14.4 19.8  17 18.9  16.6 16.2  14 15.3  5 15.9  0.7 25.5  radius 0.8\n"
    "path offices-to-kiosk -25.5 3.6  -12 3.6  -4 4.6  1.2 11.5  1.2 15.5  5 15.8  14.5 15.8  "
    "17 17.5  17 19.4  14.8 19.8  radius 0.8\n"
    "path kiosk-to-offices 14.8 19.8  17 18.9  16.6 16.2  14 15.3  0 15.5  -1.2 14.5  -1.2 11.5  "
    "-5 5.2  -12 4  -25.5 4  radius 0.8\n"
    "path past-the-front -45 36  45 36\n";

const char *scenario_ways(const char *place)
{
    return !strcmp(place, "street") ? street : !strcmp(place, "hall") ? hall : "";
}
