#include "media/pose.h"

#include <math.h>

#include "unit.h"

static struct pose looking(double pan, double tilt, double hfov)
{
    return (struct pose){
        .pan_deg = pan, .tilt_deg = tilt, .zoom = 1, .hfov_deg = hfov, .known = true};
}

TEST(wraps)
{
    CHECK(pose_wrap_pan(0) == 0);
    CHECK(pose_wrap_pan(180) == -180);
    CHECK(pose_wrap_pan(-180) == -180);
    CHECK_NEAR(pose_wrap_pan(190), -170, 1e-9);
    CHECK_NEAR(pose_wrap_pan(-541), 179, 1e-9);
    CHECK(pose_wrap_pan(179.123456789) == 179.123456789);
    CHECK(pose_wrap_pan(nextafter(-180, -181)) < 180);
}

TEST(middle_is_where_it_looks)
{
    struct pose p = looking(33, -21, 60);
    double x, y;
    CHECK(pose_project(&p, 16.0 / 9, 33, -21, &x, &y));
    CHECK_NEAR(x, 0.5, 1e-12);
    CHECK_NEAR(y, 0.5, 1e-12);
}

TEST(borders)
{
    struct pose p = looking(0, 0, 60);
    double x, y;
    CHECK(pose_project(&p, 16.0 / 9, 30, 0, &x, &y));
    CHECK_NEAR(x, 1, 1e-9);
    CHECK(pose_project(&p, 16.0 / 9, 0, pose_vfov_deg(&p, 16.0 / 9) / 2, &x, &y));
    CHECK_NEAR(y, 0, 1e-9);
    CHECK(!pose_project(&p, 16.0 / 9, 180, 0, &x, &y));
    CHECK(!pose_project(&p, 16.0 / 9, 90, 0, &x, &y));
}

TEST(inverse)
{
    const double pans[] = {-180, -90, 0, 12.5, 179}, tilts[] = {-90, -60, -8, 0, 20};
    const double fovs[] = {60, 12, 2.2};
    for (int a = 0; a < 5; a++)
        for (int b = 0; b < 5; b++)
            for (int c = 0; c < 3; c++)
                for (int i = 0; i < 49; i++) {
                    struct pose p = looking(pans[a], tilts[b], fovs[c]);
                    double x = (i % 7) / 6.0, y = (i / 7) / 6.0, pan, tilt, bx, by;
                    pose_unproject(&p, 16.0 / 9, x, y, &pan, &tilt);
                    CHECK(pan >= -180 && pan < 180 && tilt >= -90 && tilt <= 90);
                    CHECK(pose_project(&p, 16.0 / 9, pan, tilt, &bx, &by));
                    CHECK_NEAR(bx, x, 1e-9);
                    CHECK_NEAR(by, y, 1e-9);
                }
}

UNIT_MAIN(UNIT_ROW(wraps) UNIT_ROW(middle_is_where_it_looks) UNIT_ROW(borders) UNIT_ROW(inverse))
