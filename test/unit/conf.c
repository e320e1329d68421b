#include "conf/param.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/jobs.h"
#include "base/json.h"
#include "base/loop.h"
#include "unit.h"

#define PROFILES 3

struct profile {
    bool used;
    char name[16], text[32];
};
struct settings {
    int compression;
    double fps;
    bool mirror;
    int rotation;
    char title[24], password[24], serial[16];
    int position; /* fleeting */
    struct profile profiles[PROFILES];
    struct {
        bool enabled;
    } views[2];
};

static const char *const rotations[] = {"0", "90", "180", "Auto", NULL};
#define RW .read = ROLE_VIEWER, .write = ROLE_OPERATOR
#define PROFILE(field)                                                                             \
    .offset = offsetof(struct settings, profiles[0].field),                                        \
    .size = sizeof(((struct profile *)0)->field), .stride = sizeof(struct profile),                \
    .used_offset = offsetof(struct settings, profiles[0].used), .count = PROFILES

static const struct param_row rows[] = {
    {"Image.I0.Appearance.Compression", PARAM_INT, PARAM_FIELD(struct settings, compression),
     .min = 0, .max = 100, .standard = "30", RW},
    {"Image.I0.Stream.FPS", PARAM_DOUBLE, PARAM_FIELD(struct settings, fps), .min = 0.5, .max = 60,
     .standard = "25", RW},
    {"Image.Mirror", PARAM_BOOL, PARAM_FIELD(struct settings, mirror), .standard = "no", RW},
    {"Image.I0.Rotation", PARAM_ENUM, PARAM_FIELD(struct settings, rotation), .choices = rotations,
     .standard = "0", RW},
    {"Image.Title", PARAM_STRING, PARAM_FIELD(struct settings, title), .standard = "caméra", RW},
    {"Net.Password", PARAM_SECRET, PARAM_FIELD(struct settings, password), .standard = "",
     .read = ROLE_ADMIN, .write = ROLE_ADMIN},
    {"Brand.Serial", PARAM_STRING, PARAM_FIELD(struct settings, serial), .standard = "0",
     .read = ROLE_ANYONE, .write = ROLE_SYSTEM},
    {"PTZ.Position", PARAM_INT, PARAM_FIELD(struct settings, position), .standard = "0",
     .fleeting = true, .hidden = true, RW},
    {"StreamProfile.S#.Name", PARAM_STRING, PROFILE(name), .standard = "new",
     .template_name = "streamprofile", RW},
    {"StreamProfile.S#.Parameters", PARAM_STRING, PROFILE(text), .standard = "", RW},
    {"View.V#.Enabled", PARAM_BOOL, .offset = offsetof(struct settings, views[0].enabled),
     .size = sizeof(bool), .stride = sizeof(((struct settings *)0)->views[0]), .count = 2,
     .standard = "yes", RW},
};

/* Mirrored pictures cannot be turned by 90 degrees. */
static int check_settings(const void *candidate, void *arg, struct fault *why)
{
    const struct settings *s = candidate;
    if (s->mirror && s->rotation == 1)
        return fault_set(why, FAULT_CONFLICT, "Image.Mirror", "Not with 90 degrees.");
    return 0;
}

static const struct room_desc desc = {
    "image", sizeof(struct settings), rows, sizeof(rows) / sizeof(*rows), check_settings, NULL};
#define SYSTEM (~0u)

static struct clock *clock_;
static struct loop *loop_;
static struct conf *conf;
static struct room *room;
static struct fault why;

static void begin(struct jobs *jobs, struct file_port *files)
{
    conf = conf_new(loop_, jobs, files);
    struct fault f = {0};
    if (conf_add_room(conf, &desc, &room, &f))
        unit_fail(__FILE__, __LINE__, "%s", f.text);
    CHECK_INT(conf_load(conf, &f), 0);
}

static const char *value(const char *name)
{
    static char text[100];
    BUF(b, 100);
    int r = conf_get(conf, name, SYSTEM, &b, NULL);
    snprintf(text, sizeof(text), "%s", r == -ENOENT ? "(none)" : buf_str(&b));
    return text;
}

static int answer, answers;
static void on_done(int err, const struct fault *f, void *arg)
{
    answer = err;
    answers++;
    CHECK((err != 0) == (f != NULL));
    if (f)
        why = *f;
}

static int set1(unsigned groups, const char *name, const char *text)
{
    struct txn *t = txn_new(conf, groups);
    int r = txn_set(t, name, text, &why);
    if (r < 0) {
        txn_abort(t);
        return r;
    }
    answer = 1;
    txn_commit(t, on_done, NULL);
    return answer;
}

TEST(values_are_strict_and_say_why)
{
    begin(NULL, NULL);
    CHECK_STR(value("Image.I0.Appearance.Compression"), "30");
    CHECK_STR(value("Image.Title"), "caméra");
    CHECK_STR(value("View.V1.Enabled"), "yes");
    static const struct {
        const char *name, *good, *prints, *bad[6], *says;
    } t[] = {
        {"Image.I0.Appearance.Compression",
         "100",
         "100",
         {"101", "-1", "5.0", "", " 5", "1e1"},
         "0 to 100"},
        {"Image.I0.Stream.FPS",
         "29.97",
         "29.97",
         {"0.4", "60.1", "nan", "x", "1e400", ""},
         "0.5 to 60"},
        {"Image.Mirror", "ON", "yes", {"2", "", "ja"}, "yes or no"},
        {"Image.I0.Rotation", "Auto", "Auto", {"auto", "45", "", "1"}, "0, 90, 180, Auto"},
        {"Image.Title",
         "123456789012345678901 é",
         "(checked below)",
         {"12345678901234567890123 é", "a\nb", "\xff"},
         ""},
    };
    for (size_t i = 0; i < 5; i++) {
        for (size_t k = 0; k < 6 && t[i].bad[k]; k++) {
            CHECK_INT(set1(SYSTEM, t[i].name, t[i].bad[k]), -EINVAL);
            CHECK_STR(why.name, t[i].name);
            CHECK(strstr(why.text, t[i].says));
        }
        if (i < 4) {
            CHECK_INT(set1(SYSTEM, t[i].name, t[i].good), 0);
            CHECK_STR(value(t[i].name), t[i].prints);
        }
    }
    CHECK_INT(set1(SYSTEM, "Image.Title", "12345678901234567890\xc3\xa9"), 0); /* 22 bytes */
    CHECK_INT(set1(SYSTEM, "Image.title", "x"), -ENOENT);
    CHECK_INT(set1(SYSTEM, "Image", "x"), -ENOENT);
    CHECK_INT(set1(SYSTEM, "StreamProfile.S0.Name", "x"), -ENOENT);
    const struct settings *s = room_ref(room);
    CHECK(s->compression == 100 && s->fps == 29.97 && s->mirror && s->rotation == 3);
    room_unref(s);
    room_unref(NULL);
    conf_free(conf);
    CHECK(!conf_free(NULL));
}

TEST(roles_are_kept)
{
    begin(NULL, NULL);
    BUF(b, 100);
    CHECK_INT(set1(GROUP_VIEWER, "Image.Mirror", "yes"), -EACCES);
    CHECK_INT(set1(0, "Image.Mirror", "yes"), -EACCES);
    CHECK_INT(set1(GROUP_OPERATOR, "Image.Mirror", "yes"), 0);
    CHECK_INT(set1(GROUP_ADMIN | GROUP_OPERATOR, "Brand.Serial", "1"), -EACCES);
    CHECK_INT(set1(SYSTEM, "Brand.Serial", "ABC"), 0);
    CHECK_INT(conf_get(conf, "Brand.Serial", 0, &b, &why), 0);
    CHECK_STR(buf_str(&b), "ABC");
    CHECK_INT(conf_get(conf, "Image.Mirror", 0, &b, &why), -EACCES);
    CHECK_INT(set1(GROUP_ADMIN, "Net.Password", "hush"), 0);
    CHECK_STR(value("Net.Password"), "*****"); /* even to the system */
    CHECK_INT(conf_get(conf, "Net.Password", GROUP_OPERATOR, &b, &why), -EACCES);
    const struct settings *s = room_ref(room);
    CHECK_STR(s->password, "hush");
    room_unref(s);
    conf_free(conf);
}

TEST(bad_rows_are_refused)
{
    struct param_row bad[7];
    struct room *r;
    for (int i = 0; i < 7; i++)
        bad[i] = rows[0];
    bad[0].read = ROLE_NONE;
    bad[1].write = ROLE_NONE;
    bad[2].standard = "101";
    bad[3].offset = sizeof(struct settings);
    bad[4].size = 1;
    bad[5].name = "A.S#.B";
    bad[6].name = "A..B";
    conf = conf_new(NULL, NULL, NULL);
    for (int i = 0; i < 7; i++) {
        struct room_desc d = {"bad", sizeof(struct settings), &bad[i], 1};
        CHECK_INT(conf_add_room(conf, &d, &r, &why), -EINVAL);
    }
    struct param_row twice[] = {rows[0], rows[0]};
    struct room_desc d = {"bad", sizeof(struct settings), twice, 2};
    CHECK_INT(conf_add_room(conf, &d, &r, &why), -EINVAL);
    CHECK_INT(conf_add_room(conf, &desc, &r, &why), 0);
    CHECK_INT(conf_add_room(conf, &desc, &r, &why), -EINVAL);
    conf_free(conf);
}

static int list(const struct param_view *v, void *arg)
{
    buf_addf(arg, "%s=%s\n", v->name, v->value);
    return 0;
}

TEST(listing_order_and_rights)
{
    begin(NULL, NULL);
    BUF(b, 4000);
    unsigned index;
    struct txn *t = txn_new(conf, SYSTEM);
    CHECK_INT(txn_add(t, "streamprofile", &index, &why), 0);
    txn_commit(t, NULL, NULL);
    conf_set(conf, "Net.Password", "hush");
    CHECK_INT(conf_each(conf, SYSTEM, list, &b), 0);
    CHECK_STR(buf_str(&b), "Brand.Serial=0\n"
                           "Image.Mirror=no\n"
                           "Image.Title=caméra\n"
                           "Image.I0.Rotation=0\n"
                           "Image.I0.Appearance.Compression=30\n"
                           "Image.I0.Stream.FPS=25\n"
                           "Net.Password=*****\n"
                           "StreamProfile.S0.Name=new\n"
                           "StreamProfile.S0.Parameters=\n"
                           "View.V0.Enabled=yes\n"
                           "View.V1.Enabled=yes\n");
    buf_reset(&b);
    CHECK_INT(conf_each(conf, 0, list, &b), 0);
    CHECK_STR(buf_str(&b), "Brand.Serial=0\n");
    conf_free(conf);
}

TEST(rooms_lie_between_each_other)
{
    /* A room for each row, but for those of a group that comes and goes. */
    enum { GROUP = 8, N = sizeof(rows) / sizeof(*rows) - 1 };
    static const int steps[] = {1, 3, 7, 9}; /* all are reached: N is 10 */
    BUF(one, 4000);
    BUF(many, 4000);
    conf = conf_new(NULL, NULL, NULL);
    CHECK_INT(conf_add_room(conf, &desc, &room, &why), 0);
    CHECK_INT(conf_each(conf, SYSTEM, list, &one), 0);
    conf_free(conf);
    for (size_t k = 0; k < sizeof(steps) / sizeof(*steps); k++) {
        conf = conf_new(NULL, NULL, NULL);
        for (int i = 0; i < N; i++) {
            int at = i * steps[k] % N;
            struct room_desc d = {"part", sizeof(struct settings), &rows[at + (at > GROUP)],
                                  at == GROUP ? 2 : 1};
            CHECK_INT(conf_add_room(conf, &d, &room, &why), 0);
        }
        buf_reset(&many);
        CHECK_INT(conf_each(conf, SYSTEM, list, &many), 0);
        CHECK_STR(buf_str(&many), buf_str(&one));
        CHECK_STR(value("Image.I0.Appearance.Compression"), "30");
        CHECK_STR(value("Brand.Serial"), "0");
        CHECK_STR(value("View.V1.Enabled"), "yes");
        CHECK_STR(value("View.V2.Enabled"), "(none)");
        conf_free(conf);
    }
}

TEST(all_or_nothing)
{
    begin(NULL, NULL);
    uint64_t generation = conf_generation(conf);
    struct txn *t = txn_new(conf, SYSTEM);
    CHECK_INT(txn_set(t, "Image.Title", "changed", &why), 0);
    CHECK_INT(txn_set(t, "Image.I0.Rotation", "90", &why), 0);
    CHECK_INT(txn_set(t, "Image.Mirror", "yes", &why), 0);
    txn_commit(t, on_done, NULL);
    CHECK_INT(answer, -EEXIST);
    CHECK_STR(why.name, "Image.Mirror");
    CHECK_STR(value("Image.Title"), "caméra");
    CHECK_STR(value("Image.I0.Rotation"), "0");
    CHECK_INT(conf_generation(conf), generation);
    /* one bad set does not spoil the rest of a transaction */
    t = txn_new(conf, SYSTEM);
    CHECK_INT(txn_set(t, "Image.Title", "changed", &why), 0);
    CHECK_INT(txn_set(t, "Image.I0.Rotation", "91", &why), -EINVAL);
    txn_commit(t, on_done, NULL);
    CHECK_INT(answer, 0);
    CHECK_STR(value("Image.Title"), "changed");
    CHECK_INT(conf_generation(conf), generation + 1);
    CHECK_INT(set1(SYSTEM, "Image.Title", "changed"), 0);
    CHECK_INT(conf_generation(conf), generation + 1); /* nothing changed */
    CHECK(!txn_abort(NULL));
    conf_free(conf);
}

static char told[400];

static void on_change(struct conf_listener *l, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(told);
        snprintf(told + len, sizeof(told) - len, "%s ", names[i]);
    }
}

static struct conf_listener second = {.changed = on_change};

/* Goes away, takes the next along, and changes something meanwhile. */
static void on_change_once(struct conf_listener *l, const char *const *names, size_t n)
{
    conf_unlisten(conf, l);
    conf_unlisten(conf, &second);
    conf_set(conf, "PTZ.Position", "7");
    CHECK_STR(value("PTZ.Position"), "0"); /* after this one */
}

TEST(listeners)
{
    begin(NULL, NULL);
    struct conf_listener first = {.changed = on_change_once}, third = {.changed = on_change};
    conf_listen(conf, &first);
    conf_listen(conf, &second);
    conf_listen(conf, &third);
    CHECK_INT(set1(SYSTEM, "Image.I0.Stream.FPS", "10"), 0);
    CHECK_STR(told, "Image.I0.Stream.FPS PTZ.Position ");
    CHECK_STR(value("PTZ.Position"), "7");
    conf_free(conf);
}

/* A turned picture is mirrored as well, unless told otherwise at the same time. */
static void follow_rotation(void *candidate, const bool *was_set)
{
    struct settings *s = candidate;
    if (was_set[3] && !was_set[2])
        s->mirror = s->rotation == 2;
}

TEST(what_follows_from_a_change)
{
    begin(NULL, NULL);
    conf_free(conf);
    struct room_desc with = desc;
    with.follow = follow_rotation;
    conf = conf_new(loop_, NULL, NULL);
    CHECK_INT(conf_add_room(conf, &with, &room, &why), 0);
    struct conf_listener listener = {.changed = on_change};
    conf_listen(conf, &listener);
    CHECK_INT(set1(SYSTEM, "Image.I0.Rotation", "180"), 0);
    CHECK_STR(value("Image.Mirror"), "yes");
    CHECK_STR(told, "Image.Mirror Image.I0.Rotation ");
    CHECK_INT(set1(SYSTEM, "Image.Title", "x"), 0);
    CHECK_INT(set1(SYSTEM, "Image.Mirror", "no"), 0);
    CHECK_STR(value("Image.Mirror"), "no");
    CHECK_INT(set1(SYSTEM, "Image.I0.Rotation", "180"), 0); /* once more */
    CHECK_STR(value("Image.Mirror"), "yes");
    struct txn *t = txn_new(conf, SYSTEM);
    CHECK_INT(txn_set(t, "Image.Mirror", "no", &why), 0);
    CHECK_INT(txn_set(t, "Image.I0.Rotation", "180", &why), 0);
    txn_commit(t, on_done, NULL);
    CHECK_STR(value("Image.Mirror"), "no");
    conf_unlisten(conf, &listener);
    conf_free(conf);
}

TEST(groups_come_and_go)
{
    begin(NULL, NULL);
    unsigned a, b, c, d;
    struct txn *t = txn_new(conf, GROUP_OPERATOR), *other = txn_new(conf, SYSTEM);
    CHECK_INT(txn_add(t, "nothing", &a, &why), -ENOENT);
    CHECK_INT(txn_add(t, "streamprofile", &a, &why), 0);
    CHECK_INT(txn_set(t, "StreamProfile.S0.Name", "first", &why), 0);
    CHECK_INT(txn_add(t, "streamprofile", &b, &why), 0);
    CHECK_INT(txn_add(t, "streamprofile", &c, &why), 0);
    CHECK_INT(txn_add(t, "streamprofile", &d, &why), -ENOSPC);
    CHECK(a == 0 && b == 1 && c == 2);
    CHECK_INT(txn_add(other, "streamprofile", &d, &why), 0); /* knows nothing of t */
    CHECK_STR(value("StreamProfile.S0.Name"), "(none)");
    txn_commit(t, on_done, NULL);
    CHECK_INT(answer, 0);
    CHECK_STR(value("StreamProfile.S0.Name"), "first");
    CHECK_STR(value("StreamProfile.S2.Name"), "new");
    txn_commit(other, on_done, NULL);
    CHECK_INT(answer, -EEXIST);

    t = txn_new(conf, GROUP_VIEWER);
    CHECK_INT(txn_add(t, "streamprofile", &a, &why), -EACCES);
    CHECK_INT(txn_remove(t, "StreamProfile.S0", &why), -EACCES);
    txn_abort(t);
    t = txn_new(conf, SYSTEM);
    CHECK_INT(txn_remove(t, "StreamProfile.S", &why), -ENOENT);
    CHECK_INT(txn_remove(t, "StreamProfile.S7", &why), -ENOENT);
    CHECK_INT(txn_remove(t, "View.V0", &why), -ENOENT);
    CHECK_INT(txn_remove(t, "StreamProfile.S0", &why), 0);
    CHECK_INT(txn_remove(t, "StreamProfile.S0", &why), -ENOENT);
    CHECK_INT(txn_set(t, "StreamProfile.S0.Name", "x", &why), -ENOENT);
    txn_commit(t, on_done, NULL);
    CHECK_INT(answer, 0);
    CHECK_STR(value("StreamProfile.S0.Name"), "(none)");
    t = txn_new(conf, SYSTEM);
    CHECK_INT(txn_add(t, "streamprofile", &a, &why), 0);
    CHECK_INT(a, 0);
    txn_commit(t, on_done, NULL);
    CHECK_STR(value("StreamProfile.S0.Name"), "new"); /* not what it was before */
    const struct settings *s = room_ref(room);
    CHECK(s->profiles[0].used && s->profiles[1].used && s->profiles[2].used);
    room_unref(s);
    conf_free(conf);
}

/* ---- keeping ---- */

static const char *saved(struct file_port *p)
{
    static char text[2000];
    BUF(b, 2000);
    bool old;
    int r = file_load_small(p, "params.json", 2000, &b, &old);
    snprintf(text, sizeof(text), "%s", r < 0 ? "(none)" : buf_str(&b));
    return text;
}

TEST(what_is_saved_comes_back)
{
    struct file_port *p = file_port_lossy(1);
    static const char from_future[] =
        "{\"Image.Mirror\":\"yes\",\"Future.Thing\":\"1\","
        "\"Future.Odd\":[1],\"Image.I0.Rotation\":\"45\","
        "\"StreamProfile.S9.Name\":\"x\",\"StreamProfile.S1.Name\":\"one\"}";
    CHECK_INT(file_save_small(p, "params.json", from_future, strlen(from_future)), 0);
    begin(NULL, p);
    CHECK_STR(value("Image.Mirror"), "yes");
    CHECK_STR(value("Image.I0.Rotation"), "0"); /* no longer allowed: the default */
    CHECK_STR(value("StreamProfile.S1.Name"), "one");
    CHECK_STR(value("StreamProfile.S0.Name"), "(none)");
    uint64_t calls = file_calls(p);
    CHECK_INT(set1(SYSTEM, "PTZ.Position", "5"), 0);
    CHECK_INT(set1(SYSTEM, "Image.Mirror", "yes"), 0);
    CHECK_INT(file_calls(p), calls); /* fleeting, and no change: not saved */
    CHECK_INT(set1(SYSTEM, "Net.Password", "hush"), 0);
    CHECK_STR(saved(p), "{\n \"Future.Odd\": [\n  1\n ],\n \"Future.Thing\": \"1\",\n"
                        " \"Image.Mirror\": \"yes\",\n \"Net.Password\": \"hush\",\n"
                        " \"StreamProfile.S1.Name\": \"one\",\n"
                        " \"StreamProfile.S1.Parameters\": \"\",\n"
                        " \"StreamProfile.S9.Name\": \"x\"\n}");
    conf_free(conf);
    file_lossy_cut(p, 1);
    begin(NULL, p);
    CHECK_STR(value("StreamProfile.S1.Name"), "one");
    CHECK_STR(value("PTZ.Position"), "0");
    const struct settings *s = room_ref(room);
    CHECK_STR(s->password, "hush");
    room_unref(s);

    static const char *const keep[] = {"Net.*", "Future.T*", NULL};
    conf_reset(conf, keep, on_done, NULL);
    CHECK_INT(answer, 0);
    CHECK_STR(value("Image.Mirror"), "no");
    CHECK_STR(saved(p), "{\n \"Future.Thing\": \"1\",\n \"Net.Password\": \"hush\"\n}");
    conf_reset(conf, NULL, on_done, NULL);
    CHECK_STR(saved(p), "{}");
    conf_free(conf);

    struct file *f;
    for (int i = 0; i < 2; i++) {
        CHECK_INT(file_open(p, i ? "params.json.old" : "params.json", O_RDWR | O_TRUNC, &f), 0);
        file_close(f);
        conf = conf_new(NULL, NULL, p);
        CHECK_INT(conf_add_room(conf, &desc, &room, &why), 0);
        CHECK_INT(conf_load(conf, &why), i ? -EIO : 0);
        CHECK_STR(value("Image.I0.Rotation"), "0");
        conf_free(conf);
    }
    file_port_free(p);
}

TEST(a_failed_save_changes_nothing)
{
    struct file_port *p = file_port_lossy(1);
    begin(NULL, p);
    file_fail_nth(p, 3, ENOSPC);
    CHECK_INT(set1(SYSTEM, "Image.Title", "new"), -ENOSPC);
    CHECK_STR(value("Image.Title"), "caméra");
    CHECK_INT(conf_generation(conf), 0);
    CHECK_INT(set1(SYSTEM, "Image.Title", "new"), 0);
    CHECK_STR(value("Image.Title"), "new");
    conf_free(conf);
    file_port_free(p);
}

/* Commits overlap with saves on a job thread and are still one after another. */
static struct jobs *jobs;

static void last_done(int err, const struct fault *f, void *arg)
{
    on_done(err, f, arg);
    loop_stop(loop_);
}

static void commit_many(void *arg)
{
    char text[8];
    for (int i = 0; i < 50; i++) {
        struct txn *t = txn_new(conf, SYSTEM);
        snprintf(text, sizeof(text), "%d", i + 31);
        CHECK_INT(txn_set(t, "Image.I0.Appearance.Compression", text, &why), 0);
        if (i % 2)
            CHECK_INT(txn_set(t, "Image.Mirror", "yes", &why), 0);
        else
            CHECK_INT(txn_set(t, "Image.I0.Rotation", "90", &why), 0);
        txn_commit(t, i < 49 ? on_done : last_done, NULL);
    }
    CHECK_STR(value("Image.I0.Appearance.Compression"), "30"); /* the first is being saved */
    unsigned a, b;
    struct txn *t = txn_new(conf, SYSTEM);
    CHECK_INT(txn_add(t, "streamprofile", &a, &why), 0);
    txn_commit(t, NULL, NULL);
    t = txn_new(conf, SYSTEM); /* sees what waits */
    CHECK_INT(txn_add(t, "streamprofile", &b, &why), 0);
    CHECK(a == 0 && b == 1);
    txn_commit(t, last_done, NULL);
}

TEST(saves_on_a_job_thread)
{
    struct file_port *p = file_port_lossy(1);
    clock_ = clock_new_real();
    loop_ = loop_new(clock_, "test");
    jobs = jobs_new(loop_, 2);
    begin(jobs, p);
    CHECK(!loop_call(loop_, "commit", commit_many, NULL));
    CHECK_INT(loop_run(loop_), 0);
    CHECK_INT(loop_run(loop_), 0);
    CHECK_INT(answers, 51);
    CHECK_INT(conf_generation(conf), 25 + 2);
    CHECK_STR(value("Image.I0.Appearance.Compression"), "79"); /* mirror was always refused */
    CHECK(strstr(saved(p), "\"79\""));
    CHECK(strstr(saved(p), "StreamProfile.S1.Name"));

    /* stopping in the middle: whoever waits is told */
    answers = 0;
    CHECK_INT(set1(SYSTEM, "Image.Title", "a"), 1);
    CHECK_INT(set1(SYSTEM, "Image.Title", "b"), 1);
    conf_free(conf);
    CHECK_INT(answers, 2);
    CHECK_INT(answer, -EBUSY);
    jobs_free(jobs);
    loop_free(loop_);
    clock_free(clock_);
    file_port_free(p);
}

static atomic_bool reading = true;

static void *reader(void *arg)
{
    while (reading) {
        const struct settings *s = room_ref(room);
        CHECK(s->compression - 10 == (int)s->fps); /* both or none */
        room_unref(s);
    }
    return NULL;
}

TEST(snapshots_are_whole_on_any_thread)
{
    begin(NULL, NULL);
    char a[8], b[8];
    pthread_t threads[2];
    conf_set(conf, "Image.I0.Appearance.Compression", "35");
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, reader, NULL);
    for (int i = 0; i < 3000; i++) {
        struct txn *t = txn_new(conf, SYSTEM);
        snprintf(a, sizeof(a), "%d", 11 + i % 40);
        snprintf(b, sizeof(b), "%d", 1 + i % 40);
        CHECK_INT(txn_set(t, "Image.I0.Appearance.Compression", a, &why), 0);
        CHECK_INT(txn_set(t, "Image.I0.Stream.FPS", b, &why), 0);
        txn_commit(t, on_done, NULL);
        CHECK_INT(answer, 0);
    }
    reading = false;
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    conf_free(conf);
}

/* clang-format off */
UNIT_MAIN(
    UNIT_ROW(values_are_strict_and_say_why)
    UNIT_ROW(roles_are_kept)
    UNIT_ROW(bad_rows_are_refused)
    UNIT_ROW(listing_order_and_rights) UNIT_ROW(rooms_lie_between_each_other)
    UNIT_ROW(all_or_nothing)
    UNIT_ROW(listeners) UNIT_ROW(what_follows_from_a_change)
    UNIT_ROW(groups_come_and_go)
    UNIT_ROW(what_is_saved_comes_back)
    UNIT_ROW(a_failed_save_changes_nothing)
    UNIT_ROW(saves_on_a_job_thread)
    UNIT_ROW(snapshots_are_whole_on_any_thread))
