#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "net/message.h"

#define HTTP (1u << PROTO_HTTP10 | 1u << PROTO_HTTP11)
#define RTSP (1u << PROTO_RTSP10)

static int parse(struct arena *a, struct message *m, const char *text, unsigned kinds)
{
    return message_parse_head(m, a, text, strlen(text), kinds);
}

static int verdict(const char *text, unsigned kinds)
{
    struct arena *a = arena_new(1 << 20);
    struct message m;
    int r = parse(a, &m, text, kinds);
    arena_free(a);
    return r;
}

TEST(parses_request)
{
    struct arena *a = arena_new(1 << 20);
    struct message m;
    const char *text = "GET /a?b=c HTTP/1.1\r\nHost: cam\r\nX-One:  two \t\r\n\r\nGET";
    CHECK_INT(parse(a, &m, text, HTTP), strlen(text) - 3);
    CHECK_STR(m.method, "GET");
    CHECK_STR(m.target, "/a?b=c");
    CHECK_INT(m.protocol, PROTO_HTTP11);
    CHECK_STR(message_header(&m, "x-one"), "two");
    CHECK(!message_header(&m, "x-two"));
    CHECK_INT(m.content_length, -1);
    CHECK(m.keep_alive && !m.chunked && !m.expect_continue);
    arena_free(a);
}

TEST(every_prefix_needs_more)
{
    const char *text = "\r\nPOST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n";
    for (size_t n = 0; n < strlen(text); n++) {
        struct arena *a = arena_new(1 << 20);
        struct message m;
        CHECK_INT(message_parse_head(&m, a, text, n, HTTP), 0);
        arena_free(a);
    }
    CHECK_INT(verdict(text, HTTP), strlen(text));
}

TEST(keep_alive_rules)
{
    struct arena *a = arena_new(1 << 20);
    struct message m;
    CHECK(parse(a, &m, "GET / HTTP/1.0\r\n\r\n", HTTP) > 0);
    CHECK(!m.keep_alive);
    CHECK(parse(a, &m, "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", HTTP) > 0);
    CHECK(m.keep_alive);
    CHECK(parse(a, &m, "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", HTTP) > 0);
    CHECK(!m.keep_alive);
    CHECK(parse(a, &m, "OPTIONS rtsp://h/m RTSP/1.0\r\nCSeq: 1\r\n\r\n", RTSP) > 0);
    CHECK(m.keep_alive);
    arena_free(a);
}

TEST(refuses_smuggling)
{
    static const char *const heads[] = {
        "Content-Length: 1\r\nContent-Length: 1",
        "Content-Length: 1\r\nContent-Length: 2",
        "Content-Length: 1, 1",
        "Content-Length: -1",
        "Content-Length: +1",
        "Content-Length: 0x5",
        "Content-Length:",
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "X: a\r\n b",
        "X : a",
        ": a",
        "X",
        "X: a\rb",
        "X: a\nb",
        "X: a\x01",
        "X: \xff",
        "Host: again",
    };
    for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
        char text[512];
        snprintf(text, sizeof(text), "POST / HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n", heads[i]);
        int r = verdict(text, HTTP);
        if (r != -400)
            unit_fail(__FILE__, __LINE__, "%s gives %d", heads[i], r);
    }
    CHECK_INT(verdict("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", HTTP), -501);
    CHECK_INT(verdict("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP), -400);
    CHECK_INT(verdict("GET / HTTP/1.1\r\n\r\n", HTTP), -400);
    CHECK_INT(verdict("GET / HTTP/1.1\nHost: a\n\n", HTTP), -400);
}

TEST(length_beyond_any_number_is_kept_large)
{
    struct arena *a = arena_new(1 << 20);
    struct message m;
    CHECK(parse(a, &m,
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: "
                "99999999999999999999999999\r\n\r\n",
                HTTP) > 0);
    CHECK(m.content_length > INT64_C(1) << 40);
    arena_free(a);
}

TEST(versions)
{
    CHECK_INT(verdict("GET / HTTP/2.0\r\n\r\n", HTTP), -505);
    CHECK_INT(verdict("GET / HTTP/9.9\r\n\r\n", HTTP), -505);
    CHECK_INT(verdict("GET / RTSP/1.0\r\n\r\n", HTTP), -400);
    CHECK_INT(verdict("PLAY rtsp://h/ RTSP/9.9\r\n\r\n", RTSP), -505);
    CHECK_INT(verdict("PLAY rtsp://h/ RTSP/2.0\r\n\r\n", RTSP), -505);
    CHECK_INT(verdict("GET /\r\n\r\n", HTTP), -400);
    CHECK_INT(verdict("GET / HTTP/1.1 x\r\n\r\n", HTTP), -400);
    CHECK_INT(verdict("GET  / HTTP/1.1\r\n\r\n", HTTP), -400);
    CHECK_INT(verdict("G\x80T / HTTP/1.1\r\n\r\n", HTTP), -400);
    CHECK_INT(verdict("\x16\x03\x01\x02", HTTP), -400);
}

static char *repeat(const char *head, const char *piece, size_t n, const char *tail)
{
    BUF(b, 8 << 20);
    buf_adds(&b, head);
    for (size_t i = 0; i < n; i++)
        buf_adds(&b, piece);
    buf_adds(&b, tail);
    return buf_steal(&b, NULL);
}

TEST(sizes)
{
    char *s = repeat("GET /", "a", 1 << 20, " HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK_INT(verdict(s, HTTP), -414);
    free(s);
    s = repeat("GET /", "a", LIMIT_TARGET_BYTES - 1, " HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK_INT(verdict(s, HTTP), strlen(s));
    free(s);
    s = repeat("GET /", "a", LIMIT_TARGET_BYTES, " HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK_INT(verdict(s, HTTP), -414);
    free(s);
    s = repeat("GET / HTTP/1.1\r\nHost: a\r\nX: ", "a", 1 << 20, "\r\n\r\n");
    CHECK_INT(verdict(s, HTTP), -431);
    free(s);
    s = repeat("GET / HTTP/1.1\r\nHost: a\r\n", "X: y\r\n", 10000, "\r\n");
    CHECK_INT(verdict(s, HTTP), -431);
    free(s);
    s = repeat("GET / HTTP/1.1\r\nHost: a\r\n", "X: y\r\n", LIMIT_HEADERS - 1, "\r\n");
    CHECK_INT(verdict(s, HTTP), strlen(s));
    free(s);
    s = repeat("GET / HTTP/1.1\r\nHost: a\r\n", "X: y\r\n", LIMIT_HEADERS, "\r\n");
    CHECK_INT(verdict(s, HTTP), -431);
    free(s);
    s = repeat("", "A", 100000, "");
    CHECK_INT(verdict(s, HTTP), -414);
    free(s);
}

static int unchunk(const char *text, size_t step, size_t max, char *ret, size_t size)
{
    struct chunked c = {0};
    BUF(body, max);
    size_t len = strlen(text), at = 0;
    while (at < len && !c.done) {
        int n = chunked_feed(&c, text + at, len - at < step ? len - at : step, &body);
        if (n < 0)
            return n;
        at += (size_t)n;
    }
    snprintf(ret, size, "%s", buf_str(&body));
    return c.done ? (int)at : 0;
}

TEST(chunked_bodies)
{
    const char *good = "5\r\nhello\r\n1;x=y\r\n!\r\n000A\r\n0123456789\r\n0\r\nT: x\r\n\r\nREST";
    char body[64];
    for (size_t step = 1; step < 80; step++) {
        CHECK_INT(unchunk(good, step, 100, body, sizeof(body)), strlen(good) - 4);
        CHECK_STR(body, "hello!0123456789");
    }
    CHECK_INT(unchunk(good, 99, 10, body, sizeof(body)), -413);
    static const char *const bad[] = {"FFFFFFFFFFFFFFFF\r\n",
                                      "-1\r\n",
                                      "0x5\r\nhello\r\n",
                                      "\r\n",
                                      "5\nhello",
                                      "5\r\nhelloXX",
                                      "5\r\nhello\n",
                                      "1;\x01\r\n",
                                      "0\r\nT: x\n\r\n",
                                      "0\r\n\rX",
                                      "5 \r\nhello",
                                      "g\r\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        for (size_t step = 1; step < 20; step += 18)
            if (unchunk(bad[i], step, 100, body, sizeof(body)) != -400)
                unit_fail(__FILE__, __LINE__, "%s", bad[i]);
}

static const char *path_of(struct arena *a, const char *target)
{
    struct target t;
    return target_parse(&t, a, target) < 0 ? "REFUSED" : t.path;
}

TEST(targets)
{
    struct arena *a = arena_new(1 << 20);
    struct target t;
    CHECK_INT(target_parse(&t, a, "/axis-cgi/param.cgi?action=list&x=%20"), 0);
    CHECK_STR(t.path, "/axis-cgi/param.cgi");
    CHECK_STR(t.query, "action=list&x=%20");
    CHECK(!t.authority);
    CHECK_INT(target_parse(&t, a, "rtsp://user:pw@host:554/axis-media//media.amp?a=1"), 0);
    CHECK_STR(t.authority, "host:554");
    CHECK_STR(t.path, "/axis-media/media.amp");
    CHECK_STR(t.query, "a=1");
    CHECK_STR(path_of(a, "http://h"), "/");
    CHECK_STR(path_of(a, "http://h?q"), "/");
    CHECK_STR(path_of(a, "*"), "*");
    CHECK_STR(path_of(a, "//a///b/"), "/a/b/");
    CHECK_STR(path_of(a, "/a.b/..c/d.."), "/a.b/..c/d..");
    CHECK_STR(path_of(a, "/%61bc%20d"), "/abc d");
    CHECK_STR(path_of(a, "/\xc3\xa9"), "/\xc3\xa9");
    static const char *const bad[] = {
        "",      "a",        "/./a",    "/a/.",      "/a/..",  "/../a",  "/a/%2e%2e/b",
        "/%2E",  "/a%2fb",   "/a%2Fb",  "/a%5cb",    "/a\\b",  "/%00",   "/%252e",
        "/%zz",  "/%4",      "/a#b",    "/a b",      "/\xff",  "/%ff",   "/%c0%ae",
        "/a%0d", "ftp://h/", "http://", "http:///a", "/a?b#c", "/a?b c", "/%25"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (strcmp(path_of(a, bad[i]), "REFUSED"))
            unit_fail(__FILE__, __LINE__, "%s gives %s", bad[i], path_of(a, bad[i]));
    arena_free(a);
}

TEST(arguments)
{
    struct arena *a = arena_new(1 << 20);
    struct arg args[LIMIT_ARGS];
    size_t n = 0;
    const char *text = "a=1&&b=x+y%2Bz&c&d==&a=2&";
    CHECK_INT(args_parse(args, &n, a, text, strlen(text)), 0);
    CHECK_INT(n, 5);
    CHECK_STR(args[1].name, "b");
    CHECK_STR(args[1].value, "x y+z");
    CHECK_STR(args[2].name, "c");
    CHECK_STR(args[2].value, "");
    CHECK_STR(args[3].value, "=");
    CHECK_STR(args[4].value, "2");
    static const char *const bad[] = {"a=%", "a=%4", "a=%zz", "a=%00", "a=%ff", "a=%0a", "=x"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        n = 0;
        CHECK_INT(args_parse(args, &n, a, bad[i], strlen(bad[i])), -EINVAL);
        CHECK_INT(n, 0);
    }
    char *many = repeat("", "a&", LIMIT_ARGS, "b");
    n = 0;
    CHECK_INT(args_parse(args, &n, a, many, strlen(many)), -E2BIG);
    free(many);
    arena_free(a);
}

TEST(tokens)
{
    CHECK(header_has_token("keep-alive, Upgrade", "upgrade"));
    CHECK(header_has_token("upgrade", "Upgrade"));
    CHECK(!header_has_token("upgraded", "upgrade"));
    CHECK(!header_has_token("", "upgrade"));
}

UNIT_MAIN(UNIT_ROW(parses_request) UNIT_ROW(every_prefix_needs_more) UNIT_ROW(keep_alive_rules)
              UNIT_ROW(refuses_smuggling) UNIT_ROW(length_beyond_any_number_is_kept_large)
                  UNIT_ROW(versions) UNIT_ROW(sizes) UNIT_ROW(chunked_bodies) UNIT_ROW(targets)
                      UNIT_ROW(arguments) UNIT_ROW(tokens))
