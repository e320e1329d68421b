#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "unit.h"

/* ---- what both ports do alike ---- */

static void put(struct file_port *p, const char *path, const char *text)
{
    struct file *f;
    CHECK_INT(file_open(p, path, O_RDWR | O_CREAT | O_TRUNC, &f), 0);
    CHECK_INT(file_write(f, text, strlen(text), 0), 0);
    file_close(f);
}

static const char *get(struct file_port *p, const char *path)
{
    static char text[256];
    struct file *f;
    int r = file_open(p, path, O_RDONLY, &f);
    if (r < 0)
        return r == -ENOENT ? "(none)" : "(error)";
    ssize_t n = file_read(f, text, sizeof(text) - 1, 0);
    CHECK(n >= 0);
    text[n] = '\0';
    file_close(f);
    return text;
}

static int collect(const char *name, bool is_dir, void *arg)
{
    char *names = arg;
    size_t n = strlen(names);
    snprintf(names + n, 200 - n, "%s%s ", name, is_dir ? "/" : "");
    return 0;
}

static int stop_at_once(const char *name, bool is_dir, void *arg)
{
    return 42;
}

static void behaves(struct file_port *p)
{
    struct file *f;
    char names[200] = "";
    CHECK_INT(file_mkdir(p, "d"), 0);
    CHECK_INT(file_mkdir(p, "d"), 0);
    CHECK_INT(file_mkdir(p, "x/y"), -ENOENT);
    put(p, "d/one", "hello");
    CHECK_INT(file_mkdir(p, "d/one"), -EEXIST);
    CHECK_INT(file_open(p, "d/one", O_RDWR, &f), 0);
    CHECK_INT(file_write(f, "J", 1, 7), 0);
    CHECK_INT(file_write(f, "!", 1, 5), 0);
    CHECK_INT(file_size(f), 8);
    char bytes[16];
    CHECK_INT(file_read(f, bytes, sizeof(bytes), 0), 8);
    CHECK(!memcmp(bytes, "hello!\0J", 8));
    CHECK_INT(file_read(f, bytes, 2, 100), 0);
    CHECK_INT(file_sync(f), 0);
    file_close(f);
    CHECK_INT(file_open(p, "d/one", O_WRONLY | O_APPEND, &f), 0);
    CHECK_INT(file_write(f, "end", 3, 0), 0);
    CHECK_INT(file_size(f), 11);
    file_close(f);

    CHECK_INT(file_rename(p, "d/one", "two"), 0);
    CHECK_STR(get(p, "d/one"), "(none)");
    CHECK_STR(get(p, "two"), "hello!");
    CHECK_INT(file_rename(p, "d/one", "two"), -ENOENT);
    put(p, "d/three", "3");
    CHECK_INT(file_rename(p, "two", "d/three"), 0);
    CHECK_STR(get(p, "d/three"), "hello!");
    CHECK_INT(file_list(p, "d", collect, names), 0);
    CHECK_STR(names, "three ");
    names[0] = '\0';
    CHECK_INT(file_list(p, "", collect, names), 0);
    CHECK_STR(names, "d/ ");
    CHECK_INT(file_list(p, "", stop_at_once, NULL), 42);
    CHECK_INT(file_list(p, "nowhere", collect, names), -ENOENT);
    CHECK_INT(file_remove(p, "d"), -ENOTEMPTY);
    CHECK_INT(file_remove(p, "d/three"), 0);
    CHECK_INT(file_remove(p, "d/three"), -ENOENT);
    CHECK_INT(file_remove(p, "d"), 0);
    CHECK_INT(file_sync_dir(p, ""), 0);

    static const char *const bad[] = {"", "/etc/passwd", "..", "a/../../b", "a//b", "a/", "./a"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        CHECK_INT(file_open(p, bad[i], O_RDONLY, &f), -EINVAL);

    put(p, "n", "x");
    uint64_t before = file_calls(p);
    file_fail_nth(p, 2, EIO);
    CHECK_STR(get(p, "nowhere"), "(none)");
    CHECK_STR(get(p, "n"), "(error)");
    CHECK_STR(get(p, "n"), "x");
    CHECK_INT(file_calls(p) - before, 4);
}

TEST(real_port)
{
    char base[] = "/tmp/unit-file-XXXXXX", dir[64], path[96];
    int err;
    struct stat st;
    CHECK(mkdtemp(base));
    snprintf(dir, sizeof(dir), "%s/a/b", base);
    struct file_port *p = file_port_open(dir, &err);
    CHECK(p && file_port_dirfd(p) >= 0);
    CHECK(!stat(dir, &st) && (st.st_mode & 0777) == 0700);
    behaves(p);
    snprintf(path, sizeof(path), "%s/n", dir);
    CHECK(!stat(path, &st) && (st.st_mode & 0777) == 0600);

    /* a link does not lead out of the folder, and nobody waits at a pipe */
    snprintf(path, sizeof(path), "%s/link", dir);
    CHECK(!symlink("/etc/hostname", path));
    struct file *f;
    CHECK_INT(file_open(p, "link", O_RDONLY, &f), -EBADMSG);
    CHECK_INT(file_remove(p, "link"), 0);
    CHECK(!mkfifo(path, 0600));
    CHECK_INT(file_open(p, "link", O_RDONLY, &f), -EBADMSG);
    CHECK_INT(file_open(p, "link", O_WRONLY | O_CREAT, &f), -EBADMSG);
    CHECK_INT(file_save_small(p, "link", "x", 1), 0);
    CHECK_INT(file_remove(p, "link"), 0);
    CHECK_INT(file_remove(p, "n"), 0);
    file_port_free(p);
    CHECK(!rmdir(dir));
    snprintf(dir, sizeof(dir), "%s/a", base);
    CHECK(!rmdir(dir) && !rmdir(base));
    CHECK(!file_port_open("/proc/nothing/here", &err) && err < 0);
    CHECK(!file_port_free(NULL));
}

TEST(lossy_port)
{
    struct file_port *p = file_port_lossy(1);
    behaves(p);
    file_port_free(p);
}

/* ---- what a cut takes and leaves ---- */

TEST(a_cut_keeps_what_was_synced)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct file_port *p = file_port_lossy(seed);
        struct file *f;
        file_mkdir(p, "d");
        file_sync_dir(p, "");
        CHECK_INT(file_open(p, "d/f", O_WRONLY | O_CREAT, &f), 0);
        file_write(f, "kept", 4, 0);
        file_sync(f);
        file_sync_dir(p, "d");
        file_write(f, "lost", 4, 4);
        file_lossy_cut(p, seed);
        CHECK_INT(file_write(f, "x", 1, 0), -EIO);
        CHECK_INT(file_sync(f), -EIO);
        file_close(f);
        CHECK(!strncmp(get(p, "d/f"), "kept", 4));
        file_port_free(p);
    }
}

TEST(a_cut_takes_what_was_not_synced)
{
    unsigned no_name = 0, empty = 0, torn = 0, whole = 0, zeros = 0;
    for (uint64_t seed = 0; seed < 400; seed++) {
        struct file_port *p = file_port_lossy(seed);
        put(p, "f", "0123456789");
        file_lossy_cut(p, seed);
        struct file *f;
        char bytes[16] = "";
        if (file_open(p, "f", O_RDONLY, &f) < 0) {
            no_name++;
        } else {
            int64_t n = file_size(f);
            file_read(f, bytes, sizeof(bytes), 0);
            empty += n == 0;
            whole += !strcmp(bytes, "0123456789");
            zeros += n == 10 && !bytes[0];
            torn += n == 10 && bytes[0] && strlen(bytes) < 10;
            file_close(f);
        }
        file_port_free(p);
    }
    CHECK(no_name && empty && torn && whole && zeros);
}

/* ---- small state, DUR-1 ---- */

static int load(struct file_port *p, struct buf *b, bool *old)
{
    buf_reset(b);
    return file_load_small(p, "state", 1000, b, old);
}

TEST(small_state_round_trip)
{
    struct file_port *p = file_port_lossy(3);
    BUF(b, 2000);
    bool old = true;
    CHECK_INT(load(p, &b, &old), -ENOENT);
    CHECK_INT(file_save_small(p, "state", "", 0), 0);
    CHECK_INT(load(p, &b, &old), 0);
    CHECK(!old && b.len == 0);
    CHECK_INT(file_save_small(p, "state", "one\0\n", 5), 0);
    CHECK_INT(load(p, &b, &old), 0);
    CHECK(!old && b.len == 5 && !memcmp(b.data, "one\0\n", 5));

    /* a damaged copy: the one before; a save then does not lose that one */
    put(p, "state", "vedette-small 1 00000000 3\nxyz");
    CHECK_INT(load(p, &b, &old), 0);
    CHECK(old && b.len == 0);
    CHECK_INT(file_save_small(p, "state", "two", 3), 0);
    put(p, "state", "");
    CHECK_INT(load(p, &b, &old), 0);
    CHECK(old && b.len == 0);
    put(p, "state.old", "?");
    CHECK_INT(load(p, &b, &old), -EBADMSG);
    CHECK_INT(file_remove(p, "state"), 0);
    CHECK_INT(load(p, &b, &old), -EBADMSG);

    char big[1500] = {0};
    for (size_t len = 1001; len <= sizeof(big); len += 499) { /* just over max, and far */
        CHECK_INT(file_save_small(p, "state", big, len), 0);
        CHECK_INT(load(p, &b, &old), -EBADMSG);
    }
    CHECK_INT(file_mkdir(p, "d"), 0);
    CHECK_INT(file_save_small(p, "d/s", "x", 1), 0);
    CHECK_INT(file_save_small(p, "nowhere/s", "x", 1), -ENOENT);
    file_port_free(p);
}

static void text_of(unsigned n, char *text)
{
    snprintf(text, 64, "state number %u of the camera", n);
}

static int load_number(struct file_port *p)
{
    BUF(b, 1000);
    bool old;
    char text[64];
    int r = file_load_small(p, "d/state", 1000, &b, &old);
    if (r < 0)
        return r;
    unsigned n;
    CHECK(sscanf(buf_str(&b), "state number %u", &n) == 1);
    text_of(n, text);
    CHECK_STR(buf_str(&b), text);
    return (int)n;
}

static int save_number(struct file_port *p, unsigned n)
{
    char text[64];
    text_of(n, text);
    return file_save_small(p, "d/state", text, strlen(text));
}

/* The power goes during any call of a save: the old state or the new one is there,
 * whole; what was acknowledged before is never lost; and saving works again. */
TEST(dur1_power_cut_anywhere)
{
    unsigned old_kept = 0, new_kept = 0;
    for (unsigned before = 0; before < 3; before++) {
        struct file_port *probe = file_port_lossy(0);
        file_mkdir(probe, "d");
        for (unsigned i = 0; i < before; i++)
            CHECK_INT(save_number(probe, i), 0);
        uint64_t calls = file_calls(probe);
        CHECK_INT(save_number(probe, before), 0);
        calls = file_calls(probe) - calls;
        file_port_free(probe);

        for (uint64_t at = 1; at <= calls; at++) {
            for (uint64_t seed = 0; seed < 100; seed++) {
                struct file_port *p = file_port_lossy(seed * 1000 + at);
                file_mkdir(p, "d");
                file_sync_dir(p, "");
                for (unsigned i = 0; i < before; i++)
                    CHECK_INT(save_number(p, i), 0);
                file_lossy_stop_at(p, at);
                CHECK_INT(save_number(p, before), -EIO);
                file_lossy_cut(p, seed);
                int n = load_number(p);
                if (before)
                    CHECK(n == (int)before || n == (int)before - 1);
                else
                    CHECK(n == 0 || n == -ENOENT || n == -EBADMSG);
                CHECK(before || n != -EBADMSG); /* not even a first save leaves half a file */
                new_kept += n == (int)before;
                old_kept += n == (int)before - 1;
                CHECK_INT(save_number(p, 99), 0);
                file_lossy_cut(p, seed + 1);
                CHECK_INT(load_number(p), 99);
                file_port_free(p);
            }
        }
    }
    CHECK(old_kept && new_kept);
}

/* Many saves, cut at random moments again and again: never less than was acknowledged. */
TEST(dur1_acknowledged_is_kept)
{
    struct file_port *p = file_port_lossy(77);
    file_mkdir(p, "d");
    file_sync_dir(p, "");
    int acknowledged = -ENOENT;
    unsigned tried = 0;
    for (uint64_t round = 0; round < 3000; round++) {
        file_lossy_stop_at(p, 1 + round * 2654435761 % 37);
        while (!save_number(p, tried))
            acknowledged = (int)tried++;
        file_lossy_cut(p, round);
        int n = load_number(p);
        CHECK(n == acknowledged || n == (int)tried);
        acknowledged = n;
        tried++;
    }
    CHECK(acknowledged > 1000);
    file_port_free(p);
}

/* One call fails, the disk goes on: the save says so, and nothing is lost. */
static void every_failure(struct file_port *p, int err)
{
    unsigned failures = 0;
    file_mkdir(p, "d");
    CHECK_INT(save_number(p, 1), 0);
    CHECK_INT(save_number(p, 2), 0);
    for (uint64_t nth = 1;; nth++) {
        file_fail_nth(p, nth, err);
        int r = save_number(p, 3);
        file_fail_nth(p, 0, 0);
        int n = load_number(p);
        CHECK(n == 3 || (r < 0 && n == 2));
        if (!r)
            break;
        CHECK_INT(r, -err);
        failures++;
        CHECK_INT(save_number(p, 2), 0);
        CHECK_INT(load_number(p), 2);
    }
    CHECK(failures >= 8);
    for (uint64_t nth = 1;; nth++) {
        BUF(b, 1000);
        bool old;
        file_fail_nth(p, nth, err);
        int r = file_load_small(p, "d/state", 1000, &b, &old);
        file_fail_nth(p, 0, 0);
        if (!r)
            break;
        CHECK_INT(r, -err);
    }
}

TEST(dur1_every_call_fails_once)
{
    struct file_port *p = file_port_lossy(5);
    every_failure(p, EIO);
    every_failure(p, ENOSPC);
    file_port_free(p);
}

TEST(dur1_every_call_fails_once_for_real)
{
    char dir[] = "/tmp/unit-file-XXXXXX";
    CHECK(mkdtemp(dir));
    struct file_port *p = file_port_open(dir, NULL);
    every_failure(p, EIO);
    static const char *const left[] = {"d/state", "d/state.old", "d"};
    file_remove(p, "d/state.new");
    for (size_t i = 0; i < 3; i++)
        CHECK_INT(file_remove(p, left[i]), 0);
    file_port_free(p);
    CHECK(!rmdir(dir));
}

/* clang-format off */
UNIT_MAIN(
    UNIT_ROW(real_port)
    UNIT_ROW(lossy_port)
    UNIT_ROW(a_cut_keeps_what_was_synced)
    UNIT_ROW(a_cut_takes_what_was_not_synced)
    UNIT_ROW(small_state_round_trip)
    UNIT_ROW(dur1_power_cut_anywhere)
    UNIT_ROW(dur1_acknowledged_is_kept)
    UNIT_ROW(dur1_every_call_fails_once)
    UNIT_ROW(dur1_every_call_fails_once_for_real))
