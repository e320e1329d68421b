/* Faults on purpose on one connection, in simulated time. */
#include "net/fault_hook.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "net/conn.h"
#include "on_loop.h"
#include "unit.h"

static struct clock *clk;
static struct loop *loop;
static pthread_t thread;
static struct conn *conn;
static int peer;
static _Atomic unsigned readies;

static void *run(void *arg)
{
    loop_run(loop);
    return NULL;
}

static void on_ready(void *arg, bool in, bool out)
{
    readies++;
}

static void attach(void *arg)
{
    conn_attach(conn, loop, on_ready, NULL);
    conn_about(conn, "/a/path");
}

static void begin(void)
{
    int pair[2];
    clk = clock_new_sim();
    loop = loop_new(clk, "test");
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    conn = conn_new(pair[0], NULL, NULL, 0);
    peer = pair[1];
    pthread_create(&thread, NULL, run, NULL);
    on_loop(loop, attach, NULL);
}

static void let_go(void *arg)
{
    conn = conn_free(conn);
}

static void end(void)
{
    on_loop(loop, let_go, NULL);
    loop_stop(loop);
    pthread_join(thread, NULL);
    loop_free(loop);
    conns_done();
    clock_free(clk);
    close(peer);
}

static int broken(enum net_fault_kind kind, const char *path, double value)
{
    struct net_fault f = {.kind = kind, .value = value};
    strcpy(f.path, path);
    int number = net_fault_add(&f);
    CHECK(number > 0);
    return number;
}

struct writing {
    const char *bytes;
    size_t len;
    ssize_t result;
};
static void do_write(void *arg)
{
    struct writing *w = arg;
    w->result = conn_write(conn, w->bytes, w->len);
}
static ssize_t put(const char *bytes, size_t len)
{
    struct writing w = {bytes, len, 0};
    on_loop(loop, do_write, &w);
    return w.result;
}

static void ask_unsent(void *arg)
{
    *(int *)arg = conn_unsent(conn);
}

/* What has come at the other end. */
static ssize_t got(char *ret, size_t size)
{
    ssize_t n = recv(peer, ret, size, MSG_DONTWAIT);
    return n < 0 ? -errno : n;
}

TEST(delay_keeps_order_and_rate)
{
    char bytes[64];
    begin();
    CHECK_INT(put("now", 3), 3);
    CHECK_INT(got(bytes, sizeof(bytes)), 3);
    int number = broken(NET_DELAY, "/a/*", 0.5);
    CHECK_INT(put("one", 3), 3);
    clock_advance(clk, NSEC_PER_SEC / 4);
    CHECK_INT(put("two", 3), 3); /* does not wait for the first one */
    clock_advance(clk, NSEC_PER_SEC / 4 - 1);
    CHECK_INT(got(bytes, sizeof(bytes)), -EAGAIN);
    int unsent = 0;
    on_loop(loop, ask_unsent, &unsent);
    CHECK(unsent >= 6);
    clock_advance(clk, 1);
    CHECK_INT(got(bytes, sizeof(bytes)), 3);
    net_fault_remove(number);
    CHECK_INT(put("three", 5), 5); /* not before what waits */
    CHECK_INT(got(bytes, sizeof(bytes)), -EAGAIN);
    clock_advance(clk, NSEC_PER_SEC / 4);
    CHECK_INT(got(bytes, sizeof(bytes)), 8);
    CHECK(!memcmp(bytes, "twothree", 8));
    CHECK(!net_faults_on());
    end();
}

TEST(others_and_the_spared_are_left_alone)
{
    char bytes[64];
    begin();
    broken(NET_DELAY, "/b/*", 9);
    CHECK_INT(put("other", 5), 5);
    CHECK_INT(got(bytes, sizeof(bytes)), 5);
    net_fault_rules("/a/*", NULL);
    broken(NET_STALL, "*", 0);
    CHECK_INT(put("spared", 6), 6);
    CHECK_INT(got(bytes, sizeof(bytes)), 6);
    net_fault_rules(NULL, NULL);
    end();
}

static void want_out(void *arg)
{
    conn_want(conn, false, true);
}

TEST(slow_holds_the_writer_back)
{
    static char many[100000], bytes[100000];
    begin();
    broken(NET_SLOW, "*", 2000);
    ssize_t taken = put(many, sizeof(many));
    CHECK(taken > 0 && taken <= 2000);
    CHECK(put(many, sizeof(many)) < 500);
    on_loop(loop, want_out, NULL);
    readies = 0;
    clock_advance(clk, 4 * NSEC_PER_SEC);
    ssize_t n = got(bytes, sizeof(bytes));
    CHECK(n >= taken); /* all that was taken has gone */
    CHECK(n < 8000 + 2000);
    usleep(20000); /* there is room again: the owner is told */
    CHECK(readies > 0);
    end();
}

TEST(stall_is_silent_and_passes)
{
    char bytes[64];
    begin();
    int number = broken(NET_STALL, "*", 0);
    CHECK_INT(put("later", 5), 5);
    clock_advance(clk, 5 * NSEC_PER_SEC);
    CHECK_INT(got(bytes, sizeof(bytes)), -EAGAIN);
    net_fault_remove(number);
    clock_advance(clk, NSEC_PER_SEC);
    CHECK_INT(got(bytes, sizeof(bytes)), 5);
    end();
}

TEST(cut_after_so_many_bytes)
{
    char bytes[64];
    begin();
    broken(NET_CUT, "*", 4);
    CHECK_INT(put("abcdef", 6), 4);
    CHECK_INT(put("ef", 2), -EPIPE);
    CHECK_INT(got(bytes, sizeof(bytes)), 4);
    CHECK_INT(got(bytes, sizeof(bytes)), 0);
    end();
}

TEST(what_was_taken_outlives_its_owner)
{
    char bytes[64];
    begin();
    broken(NET_DELAY, "*", 2);
    CHECK_INT(put("farewell", 8), 8);
    on_loop(loop, let_go, NULL);
    clock_advance(clk, NSEC_PER_SEC);
    CHECK_INT(got(bytes, sizeof(bytes)), -EAGAIN);
    clock_advance(clk, NSEC_PER_SEC);
    CHECK_INT(got(bytes, sizeof(bytes)), 8);
    CHECK_INT(got(bytes, sizeof(bytes)), 0); /* and then it goes */
    end();
    begin(); /* nobody waits for it at the end; nothing leaks */
    broken(NET_DELAY, "*", 2);
    CHECK_INT(put("farewell", 8), 8);
    end();
}

UNIT_MAIN(UNIT_ROW(delay_keeps_order_and_rate) UNIT_ROW(others_and_the_spared_are_left_alone)
              UNIT_ROW(slow_holds_the_writer_back) UNIT_ROW(stall_is_silent_and_passes)
                  UNIT_ROW(cut_after_so_many_bytes) UNIT_ROW(what_was_taken_outlives_its_owner))
