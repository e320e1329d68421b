/* Heads of metal without the metal: the estimate of where they are, what SPECs say, and
 * what they answer. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/xml.h"
#include "device/head/driver.h"
#include "device/head/estimate.h"
#include "device/onvif/answer.h"
#include "device/rtsp/address.h"
#include "device/vapix/answer.h"
#include "device/visca/protocol.h"
#include "unit.h"

#define MS NSEC_PER_MSEC
#define POLL (100 * MS)

static const struct head_caps caps = {
    .pan = true,
    .tilt = true,
    .zoom = true,
    .min_pan_deg = -170,
    .max_pan_deg = 170,
    .min_tilt_deg = -30,
    .max_tilt_deg = 90,
    .max_zoom = 16,
    .max_pan_speed = 100,
    .max_tilt_speed = 50,
    .max_zoom_speed = 1,
    .wide_hfov_deg = 60,
    .tele_hfov_deg = 4.13,
};
static const double resolution[AXES] = {0.1, 0.1, 0.001};

/* A head that starts late, speeds up and is slower than its plate says. */
struct metal {
    double at, speed, to;
    double top, pull; /* deg/s, deg/s² */
    int64_t starts_ns;
};
static double metal_step(struct metal *m, int64_t now_ns, double dt)
{
    if (now_ns < m->starts_ns)
        return m->at;
    double left = m->to - m->at, way = left < 0 ? -1 : 1;
    double allowed = fmin(m->top, sqrt(2 * m->pull * fabs(left)));
    m->speed = fmin(fabs(m->speed) + m->pull * dt, allowed) * way;
    if (fabs(m->speed * dt) >= fabs(left)) {
        m->at = m->to;
        m->speed = 0;
    } else {
        m->at += m->speed * dt;
    }
    return m->at;
}

static struct pose pose_at(const struct estimate *e, int64_t t)
{
    struct pose p;
    estimate_pose(e, t, &p);
    return p;
}

static void measure(struct estimate *e, int64_t t, double pan, double tilt, double zoom)
{
    const double at[AXES] = {pan, tilt, log(zoom)};
    estimate_measured(e, t - 10 * MS, t, at);
}

TEST(unknown_until_it_answers_and_when_it_stops)
{
    struct estimate e;
    estimate_init(&e, &caps, resolution);
    CHECK(!pose_at(&e, 0).known);
    measure(&e, 1000 * MS, 12, -3, 2);
    struct pose p = pose_at(&e, 1000 * MS);
    CHECK(p.known);
    CHECK_NEAR(p.pan_deg, 12, 1e-9);
    CHECK_NEAR(p.tilt_deg, -3, 1e-9);
    CHECK_NEAR(p.zoom, 2, 1e-9);
    CHECK_NEAR(p.hfov_deg, 32.2, 0.1);
    CHECK(pose_at(&e, 2000 * MS).uncertainty_deg > p.uncertainty_deg);
    CHECK(pose_at(&e, 3900 * MS).known);
    CHECK(!pose_at(&e, 4100 * MS).known);
    measure(&e, 5000 * MS, 12, -3, 2);
    CHECK(pose_at(&e, 5000 * MS).known);
    estimate_lost(&e);
    CHECK(!pose_at(&e, 5000 * MS).known);
}

TEST(an_axis_that_cannot_tell_is_unknown)
{
    struct estimate e;
    estimate_init(&e, &caps, resolution);
    measure(&e, 0, 1, 2, NAN);
    CHECK(!pose_at(&e, 0).known);
}

TEST(uncertainty_grows_with_speed_and_shrinks_with_answers)
{
    struct estimate e;
    estimate_init(&e, &caps, resolution);
    measure(&e, 0, 0, 0, 1);
    double rest = pose_at(&e, 500 * MS).uncertainty_deg;
    estimate_go(&e, 500 * MS, (double[]){100, NAN, NAN}, 1);
    CHECK(estimate_moving(&e, 510 * MS));
    double told = pose_at(&e, 600 * MS).uncertainty_deg;
    CHECK(told > rest + 5); /* it may not have started yet: 100 deg/s for 0.1 s */
    measure(&e, 600 * MS, 8, 0, 1);
    double seen = pose_at(&e, 600 * MS).uncertainty_deg;
    CHECK(seen < told / 4);
    measure(&e, 700 * MS, 18, 0, 1);
    measure(&e, 800 * MS, 28, 0, 1);
    double slow_growth =
        pose_at(&e, 900 * MS).uncertainty_deg - pose_at(&e, 800 * MS).uncertainty_deg;
    CHECK(slow_growth < (told - rest) / 2);
    CHECK(slow_growth > 1); /* still more than at rest */
}

/* The true place lies within the uncertainty at any moment, also past ones, while a head
 * goes there and back with its own idea of speed. */
static void follow(double top, double pull, int64_t late_ns)
{
    struct estimate e;
    estimate_init(&e, &caps, resolution);
    struct metal m = {.top = top, .pull = pull};
    double was[20000];
    double sum = 0, worst = 0;
    int n = 0;
    for (int ms = 0; ms < 19000; ms++) {
        int64_t now = ms * MS;
        if (ms == 1000 || ms == 9000) {
            double to = ms == 1000 ? 120 : -40;
            estimate_go(&e, now, (double[]){to, NAN, NAN}, 1);
            m.to = to;
            m.starts_ns = now + late_ns;
        }
        was[ms] = metal_step(&m, now, 0.001);
        if (ms % 100 == 20) /* asked 20 ms ago, seen in the middle */
            estimate_measured(&e, now - 20 * MS, now,
                              (double[]){round(was[ms - 10] * 10) / 10, 0, 0});
        if (ms < 200)
            continue;
        struct pose p = pose_at(&e, now);
        double missed = fabs(p.pan_deg - was[ms]);
        CHECK(p.known);
        if (missed > p.uncertainty_deg)
            unit_fail(__FILE__, __LINE__, "at %d ms: %.2f is %.2f, missed by more than %.2f", ms,
                      was[ms], p.pan_deg, p.uncertainty_deg);
        sum += missed;
        worst = fmax(worst, missed);
        n++;
    }
    CHECK(!estimate_moving(&e, 19000 * MS));
    CHECK_NEAR(pose_at(&e, 19000 * MS).pan_deg, -40, 0.1);
    CHECK(sum / n < 1.5);
    printf("# %g deg/s, %g deg/s2: missed by %.2f on average, %.2f at worst\n", top, pull, sum / n,
           worst);
}
TEST(the_truth_lies_within_the_uncertainty)
{
    follow(100, 1e6, 0);
    follow(60, 200, 100 * MS);
    follow(20, 50, 300 * MS);
    follow(100, 300, 50 * MS);
}

TEST(somebody_else_moves_it)
{
    struct estimate e;
    estimate_init(&e, &caps, resolution);
    for (int i = 0; i < 10; i++)
        measure(&e, i * POLL, 0, 0, 1);
    CHECK(!estimate_moving(&e, 950 * MS));
    double rest = pose_at(&e, 950 * MS).uncertainty_deg;
    for (int i = 0; i < 10; i++)
        measure(&e, (10 + i) * POLL, 3 * (i + 1), 0, 1);
    CHECK(estimate_moving(&e, 1900 * MS));
    CHECK_NEAR(pose_at(&e, 1900 * MS).pan_deg, 30, 1);
    CHECK(pose_at(&e, 1950 * MS).uncertainty_deg > 2 * rest);
    for (int i = 0; i < 3; i++)
        measure(&e, (20 + i) * POLL, 30, 0, 1);
    CHECK(!estimate_moving(&e, 2250 * MS));
}

TEST(blocked_it_is_where_it_is)
{
    struct estimate e;
    estimate_init(&e, &caps, resolution);
    measure(&e, 0, 0, 0, 1);
    estimate_go(&e, 0, (double[]){90, NAN, NAN}, 1);
    for (int i = 1; i < 12; i++)
        measure(&e, i * POLL, 0, 0, 1);
    CHECK(!estimate_moving(&e, 1200 * MS));
    CHECK_NEAR(pose_at(&e, 1200 * MS).pan_deg, 0, 0.01);
}

TEST(over_the_back_the_shorter_way)
{
    struct head_caps round = caps;
    round.min_pan_deg = -180;
    round.max_pan_deg = 180;
    struct estimate e;
    estimate_init(&e, &round, resolution);
    measure(&e, 0, 170, 0, 1);
    estimate_go(&e, 0, (double[]){-170, NAN, NAN}, 1);
    CHECK_NEAR(pose_at(&e, 50 * MS).pan_deg, 175, 0.1);
    CHECK_NEAR(pose_at(&e, 150 * MS).pan_deg, -175, 0.1);
    measure(&e, 100 * MS, 179.5, 0, 1);
    measure(&e, 200 * MS, -170, 0, 1);
    CHECK(!estimate_moving(&e, 300 * MS));
    CHECK_NEAR(pose_at(&e, 300 * MS).pan_deg, -170, 0.01);
}

TEST(moves_on_to_its_limit)
{
    struct estimate e;
    estimate_init(&e, &caps, resolution);
    measure(&e, 0, 160, 0, 1);
    estimate_move(&e, 0, (double[]){50, 0, 1});
    CHECK_NEAR(pose_at(&e, 100 * MS).pan_deg, 165, 0.1);
    CHECK_NEAR(pose_at(&e, 1000 * MS).pan_deg, 170, 0.01);
    CHECK_NEAR(pose_at(&e, 1000 * MS).zoom, exp(1), 0.01);
    estimate_move(&e, 1000 * MS, (double[]){0, 0, 0});
    CHECK(!estimate_moving(&e, 1000 * MS));
}

/* ---- what is written ---- */

TEST(specs_of_heads)
{
    struct head_spec s;
    struct fault why = {0};
    CHECK_INT(head_spec_parse(&s, "visca:/dev/ttyUSB0#baud=38400&pan=-100..100&units=14.4&number=2",
                              &why),
              0);
    CHECK_STR(s.scheme, "visca");
    CHECK_STR(s.address, "/dev/ttyUSB0");
    CHECK_INT(s.baud, 38400);
    CHECK_INT(s.number, 2);
    CHECK_NEAR(s.min_pan_deg, -100, 0);
    CHECK_NEAR(s.max_pan_deg, 100, 0);
    CHECK(isnan(s.min_tilt_deg));
    CHECK_INT(head_spec_parse(&s, "vapix://ro%3aot:p%40ss@10.0.0.1:81#zoom=18&hfov=55.2", &why), 0);
    CHECK_STR(s.user, "ro:ot");
    CHECK_STR(s.password, "p@ss");
    CHECK_STR(s.address, "//10.0.0.1:81");
    CHECK(!strstr(s.shown, "ss"));
    struct head_caps c = caps;
    head_spec_apply(&s, &c);
    CHECK_NEAR(c.max_zoom, 18, 0);
    CHECK_NEAR(c.wide_hfov_deg, 55.2, 0);
    CHECK_NEAR(c.min_pan_deg, -170, 0);
    static const char *const bad[] = {
        "",
        ":",
        "visca",
        "visca:/dev/x#baud=1",
        "x:#pan=1",
        "x:#pan=9..1",
        "x:#tilt=-91..0",
        "x:#what=1",
        "vapix://",
        "vapix://u:p@",
        "vapix://u%zz@h",
        "vapix://h/ path",
        "x:#zoom=nan",
        "x:#=1",
        "x:#reverse=maybe",
        "averyveryverylongscheme:x",
    };
    for (size_t i = 1; i < sizeof(bad) / sizeof(*bad); i++) {
        if (!strcmp(bad[i], "visca"))
            continue; /* a kind without an address: the driver judges it */
        why = (struct fault){0};
        if (!head_spec_parse(&s, bad[i], &why))
            unit_fail(__FILE__, __LINE__, "\"%s\" was taken", bad[i]);
        CHECK(*why.text);
    }
}

TEST(addresses_of_cameras)
{
    struct address a;
    CHECK_INT(address_parse(
                  &a, "rtsp://user:pa%20ss@[::1]:554/live?key=geheim#size=640x360&fps=12.5", NULL),
              0);
    CHECK_STR(a.url, "rtsp://user:pa%20ss@[::1]:554/live?key=geheim");
    CHECK_STR(a.shown, "rtsp://[::1]:554/live");
    CHECK_INT(a.width, 640);
    CHECK_INT(a.height, 360);
    CHECK_NEAR(a.fps, 12.5, 0);
    CHECK_INT(address_parse(&a, "http://10.0.0.2", NULL), 0);
    CHECK_INT(a.width, 0);
    CHECK(address_parse(&a, "http://u:p@/x", NULL) < 0);
    CHECK(address_parse(&a, "http://h/#size=640", NULL) < 0);
}

TEST(vapix_answers)
{
    static const char text[] = "pan=12.3400\r\ntilt=-30.0100\nzoom=2500\r\nautofocus=on\r\n"
                               "bad=1e999\r\nlong=11111111111111111111111111111111111111111\r\n"
                               "last=7";
    double v = 5;
    CHECK_INT(vapix_number(text, strlen(text), "pan", -180, 180, &v), 0);
    CHECK_NEAR(v, 12.34, 1e-9);
    CHECK_INT(vapix_number(text, strlen(text), "tilt", -180, 180, &v), 0);
    CHECK_NEAR(v, -30.01, 1e-9);
    CHECK_INT(vapix_number(text, strlen(text), "zoom", 1, 9999, &v), 0);
    CHECK_INT(vapix_number(text, strlen(text), "last", 1, 9, &v), 0);
    CHECK_NEAR(v, 7, 0);
    CHECK_INT(vapix_number(text, strlen(text), "zoom", 1, 99, &v), -EINVAL);
    CHECK_INT(vapix_number(text, strlen(text), "autofocus", 1, 99, &v), -EINVAL);
    CHECK_INT(vapix_number(text, strlen(text), "bad", -1, 99, &v), -EINVAL);
    CHECK_INT(vapix_number(text, strlen(text), "long", -1, 99, &v), -EINVAL);
    CHECK_INT(vapix_number(text, strlen(text), "an", -1, 99, &v), -ENOENT);
    CHECK_INT(vapix_number(text, 3, "pan", -1, 99, &v), -ENOENT);
    CHECK_INT(vapix_number("", 0, "pan", -1, 99, &v), -ENOENT);
    CHECK_NEAR(v, 7, 0);
}

/* ---- VISCA ---- */

static void check_bytes(const struct visca_message *m, const char *hex)
{
    char got[3 * VISCA_MAX + 1] = "";
    for (size_t i = 0; i < m->len; i++)
        snprintf(got + 3 * i, 4, "%02x ", m->bytes[i]);
    got[3 * m->len - 1] = 0;
    CHECK_STR(got, hex);
}

TEST(visca_commands)
{
    struct visca_message m;
    visca_drive(&m, 1, -24, 20);
    check_bytes(&m, "81 01 06 01 18 14 01 01 ff");
    visca_drive(&m, 2, 3, -1);
    check_bytes(&m, "82 01 06 01 03 01 02 02 ff");
    visca_drive(&m, 1, 0, 0);
    check_bytes(&m, "81 01 06 01 01 01 03 03 ff");
    visca_turn_to(&m, 1, 24, 20, -2267, 1200);
    check_bytes(&m, "81 01 06 02 18 14 0f 07 02 05 00 04 0b 00 ff");
    visca_zoom_to(&m, 1, 0x38a9);
    check_bytes(&m, "81 01 04 47 03 08 0a 09 ff");
    visca_zoom_drive(&m, 1, 8);
    check_bytes(&m, "81 01 04 07 27 ff");
    visca_zoom_drive(&m, 1, -1);
    check_bytes(&m, "81 01 04 07 30 ff");
    visca_zoom_drive(&m, 1, 0);
    check_bytes(&m, "81 01 04 07 00 ff");
    visca_ask_pan_tilt(&m, 7);
    check_bytes(&m, "87 09 06 12 ff");
}

TEST(visca_replies)
{
    struct visca_reply r;
    static const uint8_t many[] = {0x13, 0x90, 0x41, 0xff, 0x90, 0x52, 0xff, 0x90, 0x50,
                                   0x0f, 0x07, 0x02, 0x05, 0x00, 0x04, 0x0b, 0x00, 0xff,
                                   0x90, 0x60, 0x41, 0xff, 0x90, 0x50, 0x03};
    size_t at = 0, n = visca_cut(many, sizeof(many), &r);
    CHECK_INT(n, 4); /* with the noise before it */
    CHECK_INT(r.kind, VISCA_ACK);
    CHECK_INT(r.socket, 1);
    CHECK_INT(r.address, 1);
    at += n;
    at += n = visca_cut(many + at, sizeof(many) - at, &r);
    CHECK_INT(r.kind, VISCA_DONE);
    CHECK_INT(r.socket, 2);
    at += n = visca_cut(many + at, sizeof(many) - at, &r);
    int pan, tilt, zoom;
    CHECK_INT(visca_read_pan_tilt(&r, &pan, &tilt), 0);
    CHECK_INT(pan, -2267);
    CHECK_INT(tilt, 1200);
    CHECK_INT(visca_read_zoom(&r, &zoom), -EBADMSG);
    at += n = visca_cut(many + at, sizeof(many) - at, &r);
    CHECK_INT(r.kind, VISCA_ERROR);
    CHECK_INT(r.error, VISCA_NOT_NOW);
    CHECK_INT(visca_cut(many + at, sizeof(many) - at, &r), 0); /* half of one */
    static const uint8_t noise[40] = {0x90, 0x50};
    n = visca_cut(noise, sizeof(noise), &r);
    CHECK(n > 0 && n < sizeof(noise));
    CHECK_INT(r.kind, VISCA_OTHER);
    /* digits that are none */
    static const uint8_t bad[] = {0x90, 0x50, 0x13, 0x08, 0x0a, 0x09, 0xff};
    visca_cut(bad, sizeof(bad), &r);
    CHECK_INT(visca_read_zoom(&r, &zoom), -EBADMSG);
}

TEST(visca_zoom_scale)
{
    CHECK_NEAR(exp(visca_zoom_log(0x1606, 18)), 2, 1e-6);
    CHECK_NEAR(exp(visca_zoom_log(0x38a9, 18)), 10, 1e-6);
    CHECK_NEAR(exp(visca_zoom_log(0x4000, 18)), 18, 1e-6);
    CHECK_NEAR(exp(visca_zoom_log(0x5000, 30)), 30, 1e-6);
    CHECK_NEAR(visca_zoom_log(-5, 30), 0, 0);
    for (int z = 0; z <= VISCA_ZOOM_MAX; z += 7)
        CHECK_NEAR(visca_zoom_of_log(visca_zoom_log(z, 25), 25), z, 1.01);
    CHECK_INT(visca_zoom_of_log(-1, 25), 0);
    CHECK_INT(visca_zoom_of_log(9, 25), VISCA_ZOOM_MAX);
}

/* ---- XML and ONVIF ---- */

static struct xml *parse(const char *text)
{
    return xml_parse(text, strlen(text), NULL);
}

TEST(xml_within_limits)
{
    struct xml *x =
        parse("<?xml version=\"1.0\"?><e:a xmlns:e=\"urn:e\"><b c=\"1 &gt; 0\"> t&amp;u "
              "<![CDATA[<v>]]></b><b/><!-- <!DOCTYPE --></e:a>");
    CHECK(x);
    CHECK_STR(xml_name(xml_root(x)), "a");
    CHECK_STR(xml_namespace(xml_root(x)), "urn:e");
    const struct xml_node *b = xml_child(xml_root(x), "b");
    char text[16];
    CHECK_INT(xml_text(b, text, sizeof(text)), 7);
    CHECK_STR(text, "t&u <v>");
    CHECK_STR(xml_attribute(b, "c"), "1 > 0");
    CHECK(!xml_attribute(b, "d"));
    CHECK(xml_next(b, "b"));
    CHECK(!xml_next(xml_next(b, "b"), NULL));
    CHECK(xml_find(xml_root(x), "b") == b);
    CHECK(!xml_child(NULL, "b") && !xml_find(NULL, "b"));
    CHECK_INT(xml_text(b, text, 4), 3); /* cut off */
    xml_free(x);
    static const char *const bad[] = {
        "",
        "text",
        "<a>",
        "<a></b>",
        "<a/><b/>",
        "<a b='1' b='2'/>",
        "<!DOCTYPE a><a/>",
        "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        "<a>&b;</a>",
        "<?php x?><a/>",
        "<a><?x y?></a>",
        "<a>\xff</a>",
        "<!-- <a/>",
        "<?xml version=\"1.0\" encoding=\"UTF-16\"?",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (parse(bad[i]))
            unit_fail(__FILE__, __LINE__, "\"%s\" was taken", bad[i]);
    static char deep[7 * 100000 + 8];
    for (int n = XML_LIMIT_DEPTH; n <= 100000; n *= 40) {
        for (int i = 0; i < n; i++)
            memcpy(deep + 3 * i, "<a>", 3);
        for (int i = 0; i < n; i++)
            memcpy(deep + 3 * n + 4 * i, "</a>", 4);
        x = xml_parse(deep, 7 * (size_t)n, NULL);
        CHECK(!x == (n > XML_LIMIT_DEPTH));
        xml_free(x);
    }
    CHECK_INT(xml_escape("a<b>&\"'", deep, 30), 27);
    CHECK_STR(deep, "a&lt;b&gt;&amp;&quot;&apos;");
    CHECK_INT(xml_escape("a<b>", deep, 8), 0);
}

TEST(onvif_answers)
{
    double x = 9, y = 9, z = 9;
    struct xml *d =
        parse("<E><PTZStatus><Position><PanTilt x='-0.5' y='1'/><Zoom x='2'/></Position>"
              "</PTZStatus></E>");
    CHECK_INT(onvif_read_position(d, &x, &y, &z), 0);
    CHECK_NEAR(x, -0.5, 0);
    CHECK_NEAR(y, 1, 0);
    CHECK(isnan(z));
    xml_free(d);
    int64_t utc_s;
    d = parse(
        "<E><UTCDateTime><Time><Hour>12</Hour><Minute>0</Minute><Second>0</Second></Time><Date>"
        "<Year>2026</Year><Month>6</Month><Day>21</Day></Date></UTCDateTime></E>");
    CHECK_INT(onvif_read_time(d, &utc_s), 0);
    CHECK_INT(utc_s, CLOCK_SIM_UTC_NS / NSEC_PER_SEC);
    xml_free(d);
    char path[32];
    d = parse("<E><Capabilities><PTZ><XAddr>http://10.0.0.1:80/p?q=1</XAddr></PTZ><Media><XAddr>"
              "http://h</XAddr></Media></Capabilities></E>");
    CHECK_INT(onvif_read_service(d, "PTZ", path, sizeof(path)), 0);
    CHECK_STR(path, "/p?q=1");
    CHECK_INT(onvif_read_service(d, "Media", path, sizeof(path)), -EBADMSG);
    CHECK_INT(onvif_read_service(d, "Device", path, sizeof(path)), -EBADMSG);
    CHECK_INT(onvif_read_time(d, &utc_s), -EBADMSG);
    xml_free(d);
}

UNIT_MAIN(UNIT_ROW(unknown_until_it_answers_and_when_it_stops)
              UNIT_ROW(an_axis_that_cannot_tell_is_unknown)
                  UNIT_ROW(uncertainty_grows_with_speed_and_shrinks_with_answers)
                      UNIT_ROW(the_truth_lies_within_the_uncertainty)
                          UNIT_ROW(somebody_else_moves_it) UNIT_ROW(blocked_it_is_where_it_is)
                              UNIT_ROW(over_the_back_the_shorter_way)
                                  UNIT_ROW(moves_on_to_its_limit) UNIT_ROW(specs_of_heads)
                                      UNIT_ROW(addresses_of_cameras) UNIT_ROW(vapix_answers)
                                          UNIT_ROW(visca_commands) UNIT_ROW(visca_replies)
                                              UNIT_ROW(visca_zoom_scale) UNIT_ROW(xml_within_limits)
                                                  UNIT_ROW(onvif_answers))
