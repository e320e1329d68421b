#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "net/digest.h"

static struct authorization parse(struct arena *a, const char *text)
{
    struct authorization auth;
    authorization_parse(&auth, a, text);
    return auth;
}

static void ha1(enum hash h, const char *user, const char *realm, const char *password,
                char ret[2 * HASH_MAX + 1])
{
    const char *const parts[] = {user, ":", realm, ":", password};
    hash_hex(h, ret, 5, parts);
}

/* RFC 7616 3.9.1. */
#define RFC7616                                                                                    \
    "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", "       \
    "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, "                        \
    "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, "                          \
    "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\", "

TEST(rfc7616_md5)
{
    struct arena *arena = arena_new(65536);
    struct authorization a =
        parse(arena, RFC7616 "algorithm=MD5, response=\"8ca523f5e9506fed4657c9700eebdbec\"");
    CHECK_INT(a.scheme, AUTH_DIGEST);
    char h[2 * HASH_MAX + 1], r[2 * HASH_MAX + 1];
    ha1(HASH_MD5, "Mufasa", "http-auth@example.org", "Circle of Life", h);
    digest_response(HASH_MD5, h, &a, "GET", r);
    CHECK_STR(r, a.response);
    arena_free(arena);
}

TEST(rfc7616_sha256)
{
    struct arena *arena = arena_new(65536);
    struct authorization a =
        parse(arena, RFC7616 "algorithm=SHA-256, response=\"753927fa0e85d155564e2e272a28d180"
                             "2ca10daf4496794697cf8db5856cb6c1\"");
    CHECK_INT(a.scheme, AUTH_DIGEST);
    CHECK_INT(a.algorithm, HASH_SHA256);
    char h[2 * HASH_MAX + 1], r[2 * HASH_MAX + 1];
    ha1(HASH_SHA256, "Mufasa", "http-auth@example.org", "Circle of Life", h);
    digest_response(HASH_SHA256, h, &a, "GET", r);
    CHECK_STR(r, a.response);
    arena_free(arena);
}

/* RFC 2617 3.5, and the same without qop (RFC 2069 form). */
TEST(rfc2617)
{
    struct arena *arena = arena_new(65536);
    struct authorization a =
        parse(arena, "Digest username=\"Mufasa\",\trealm=\"testrealm@host.com\","
                     "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\",uri=\"/dir/index.html\","
                     "qop=auth,nc=00000001,cnonce=\"0a4f113b\","
                     "response=\"6629fae49393a05397450978507c4ef1\",opaque=\"x\"");
    CHECK_INT(a.scheme, AUTH_DIGEST);
    char h[2 * HASH_MAX + 1], r[2 * HASH_MAX + 1];
    ha1(HASH_MD5, "Mufasa", "testrealm@host.com", "Circle Of Life", h);
    digest_response(HASH_MD5, h, &a, "GET", r);
    CHECK_STR(r, a.response);
    a.qop = NULL;
    digest_response(HASH_MD5, h, &a, "GET", r);
    CHECK_STR(r, "670fd8c2df070c60b045671b8b24ff02");
    arena_free(arena);
}

TEST(malformed)
{
    static const char *const bad[] = {
        "Bearer x",
        "Digest",
        "Digest x",
        "Digest username=\"a",
        "Digest username=a",
        "Digest username=a, username=b, realm=r, nonce=n, uri=/, "
        "response=00000000000000000000000000000000",
        "Digest username=a, realm=r, nonce=n, uri=/, response=0",
        "Digest username=a, realm=r, nonce=n, uri=/, response=00000000000000000000000000000000, "
        "qop=auth",
        "Digest username=a, realm=r, nonce=n, uri=/, response=00000000000000000000000000000000, "
        "qop=auth-int, nc=00000001, cnonce=x",
        "Digest username=a, realm=r, nonce=n, uri=/, response=00000000000000000000000000000000, "
        "algorithm=MD4",
        "Basic",
        "Basic !!!!",
        "Basic YQ==",     /* no colon */
        "Basic YQBiOmM=", /* NUL */
    };
    struct arena *arena = arena_new(65536);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (parse(arena, bad[i]).scheme != AUTH_MALFORMED)
            unit_fail(__FILE__, __LINE__, "%s", bad[i]);
    CHECK_INT(parse(arena, NULL).scheme, AUTH_NONE);
    struct authorization a = parse(arena, "basic QWxhZGRpbjpvcGVuOnNlc2FtZQ==");
    CHECK_INT(a.scheme, AUTH_BASIC);
    CHECK_STR(a.user, "Aladdin");
    CHECK_STR(a.password, "open:sesame");
    a = parse(arena, "Digest username=\"a\\\"b\\\\c\", realm=r, nonce=n, uri=/, "
                     "response=00000000000000000000000000000000");
    CHECK_STR(a.user, "a\"b\\c");
    arena_free(arena);
}

TEST(challenge_form)
{
    char line[256];
    digest_challenge(line, sizeof(line), HASH_SHA256, "AXIS_X", "ab", false, true, true);
    CHECK_STR(line, "Digest realm=\"AXIS_X\", nonce=\"ab\", stale=FALSE, qop=\"auth\", "
                    "algorithm=SHA-256");
    digest_challenge(line, sizeof(line), HASH_MD5, "AXIS_X", "ab", true, true, true);
    CHECK_STR(line,
              "Digest realm=\"AXIS_X\", nonce=\"ab\", stale=TRUE, qop=\"auth\", algorithm=MD5");
    digest_challenge(line, sizeof(line), HASH_MD5, "AXIS_X", "ab", false, false, false);
    CHECK_STR(line, "Digest realm=\"AXIS_X\", nonce=\"ab\", stale=FALSE");
}

TEST(nonces)
{
    struct nonces *n = nonces_new(60 * NSEC_PER_SEC), *other = nonces_new(60 * NSEC_PER_SEC);
    char nonce[65], foreign[65];
    int64_t now = 5 * NSEC_PER_SEC;
    nonce_make(n, now, 7, nonce);
    nonce_make(other, now, 7, foreign);
    CHECK_INT(strlen(nonce), 64);
    CHECK(!strchr(nonce, '='));

    struct authorization a = {.nonce = nonce, .qop = "auth", .nc = "00000001", .cnonce = "x"};
    CHECK_INT(nonce_judge(n, now, 7, &a), NONCE_FRESH);
    CHECK_INT(nonce_judge(n, now, 7, &a), NONCE_REPEATED);
    CHECK_INT(nonce_judge(n, now, 8, &a), NONCE_REPEATED);
    a.cnonce = "y"; /* clients that always send nc=1 */
    CHECK_INT(nonce_judge(n, now, 9, &a), NONCE_FRESH);
    a.nc = "00000002";
    CHECK_INT(nonce_judge(n, now + 59 * NSEC_PER_SEC, 9, &a), NONCE_FRESH);
    CHECK_INT(nonce_judge(n, now + 59 * NSEC_PER_SEC, 9, &a), NONCE_REPEATED);
    a.nc = "00000003";
    CHECK_INT(nonce_judge(n, now + 61 * NSEC_PER_SEC, 9, &a), NONCE_STALE);

    struct authorization bare = {.nonce = nonce}; /* no qop: this connection only, any age */
    CHECK_INT(nonce_judge(n, now + 3600 * NSEC_PER_SEC, 7, &bare), NONCE_FRESH);
    CHECK_INT(nonce_judge(n, now + 3600 * NSEC_PER_SEC, 7, &bare), NONCE_FRESH);
    CHECK_INT(nonce_judge(n, now, 8, &bare), NONCE_STALE);

    a.nonce = foreign;
    CHECK_INT(nonce_judge(n, now, 7, &a), NONCE_UNKNOWN);
    nonce[0] ^= 1;
    a.nonce = nonce;
    CHECK_INT(nonce_judge(n, now, 7, &a), NONCE_UNKNOWN);
    a.nonce = "";
    CHECK_INT(nonce_judge(n, now, 7, &a), NONCE_UNKNOWN);
    nonces_free(n);
    nonces_free(other);
}

/* What was used stays used, however much else comes in between. */
TEST(flood_forgets_no_replay)
{
    struct nonces *n = nonces_new(300 * NSEC_PER_SEC);
    int64_t now = NSEC_PER_SEC;
    char first[65], nonce[65], nc[9];
    nonce_make(n, now, 1, first);
    struct authorization victim = {.nonce = first, .qop = "auth", .nc = "00000001", .cnonce = "v"};
    CHECK_INT(nonce_judge(n, now, 1, &victim), NONCE_FRESH);
    for (unsigned i = 0; i < 100000; i++) {
        now += NSEC_PER_MSEC;
        if (i % 1000 == 0)
            nonce_make(n, now, 1, nonce);
        snprintf(nc, sizeof(nc), "%08x", i);
        struct authorization a = {.nonce = nonce, .qop = "auth", .nc = nc, .cnonce = "f"};
        CHECK(nonce_judge(n, now, 1, &a) == NONCE_FRESH || i % 1000);
        if (i % 5000 == 0)
            CHECK(nonce_judge(n, now, 1, &victim) != NONCE_FRESH);
    }
    CHECK(nonce_judge(n, now, 1, &victim) != NONCE_FRESH);
    nonces_free(n);
}

UNIT_MAIN(UNIT_ROW(rfc7616_md5) UNIT_ROW(rfc7616_sha256) UNIT_ROW(rfc2617) UNIT_ROW(malformed)
              UNIT_ROW(challenge_form) UNIT_ROW(nonces) UNIT_ROW(flood_forgets_no_replay))
