/* What all rooms stand on, but for the loop (loop.c), time (clock.c) and files (file.c). */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cpu.h"
#include "base/crypto.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "last_line.h"
#include "unit.h"

/* ---- buf, arena ---- */

TEST(buf_grows_to_its_limit)
{
    BUF(b, 10);
    CHECK_STR(buf_str(&b), "");
    CHECK_INT(buf_adds(&b, "01234"), 0);
    CHECK_INT(buf_addf(&b, "%d", 56789), 0);
    CHECK_STR(buf_str(&b), "0123456789");
    CHECK_INT(buf_adds(&b, "x"), -ENOSPC);
    CHECK_INT(b.err, -ENOSPC);
    CHECK_INT(buf_adds(&b, ""), -ENOSPC); /* stays failed */
    CHECK(buf_steal(&b, NULL) == NULL);
    buf_reset(&b);
    CHECK_INT(buf_adds(&b, "again"), 0);
    buf_consume(&b, 2);
    CHECK_STR(buf_str(&b), "ain");
    size_t len;
    char *s = buf_steal(&b, &len);
    CHECK_STR(s, "ain");
    CHECK_INT(len, 3);
    CHECK_INT(b.len, 0);
    free(s);
}

TEST(buf_formats_long_text)
{
    BUF(b, 2000);
    CHECK_INT(buf_addf(&b, "%01000d", 7), 0);
    CHECK_INT(b.len, 1000);
    CHECK(b.data[999] == '7' && b.data[1000] == '\0');
    CHECK_INT(buf_addf(&b, "%01001d", 7), -ENOSPC);
    CHECK_INT(b.len, 1000);
}

TEST(arena_gives_zeroed_aligned_pieces)
{
    struct arena *a = arena_new(100000);
    for (size_t i = 0; i < 300; i++) {
        unsigned char *p = arena_alloc(a, i);
        CHECK(p && (uintptr_t)p % 16 == 0);
        for (size_t k = 0; k < i; k++)
            CHECK(p[k] == 0);
        memset(p, 0xff, i);
    }
    CHECK_STR(arena_printf(a, "%s-%d", "x", 5), "x-5");
    CHECK_STR(arena_strndup(a, "abcdef", 3), "abc");
    CHECK(arena_alloc(a, 20000) != NULL);
    CHECK(arena_alloc(a, 100000) == NULL);
    CHECK(arena_alloc(a, (size_t)-1) == NULL);
    CHECK(arena_free(a) == NULL);
    CHECK(arena_free(NULL) == NULL);
}

/* ---- text ---- */

TEST(text_numbers_are_strict)
{
    int64_t i = 77;
    static const char *const bad[] = {"", "-", "+1", " 1", "1 ", "0x10", "1.0", "1e3", "--1", "١"};
    for (size_t k = 0; k < sizeof(bad) / sizeof(*bad); k++)
        CHECK_INT(text_int(bad[k], INT64_MIN, INT64_MAX, &i), -EINVAL);
    CHECK_INT(i, 77);
    CHECK_INT(text_int("9223372036854775807", INT64_MIN, INT64_MAX, &i), 0);
    CHECK(i == INT64_MAX);
    CHECK_INT(text_int("-9223372036854775808", INT64_MIN, INT64_MAX, &i), 0);
    CHECK(i == INT64_MIN);
    CHECK_INT(text_int("9223372036854775808", INT64_MIN, INT64_MAX, &i), -ERANGE);
    CHECK_INT(text_int("99999999999999999999999", INT64_MIN, INT64_MAX, &i), -ERANGE);
    CHECK_INT(text_int("11", 0, 10, &i), -ERANGE);
    CHECK_INT(text_int("010", 0, 10, &i), 0);
    CHECK_INT(i, 10);

    double d = 3;
    static const char *const not_double[] = {"",     ".",    "-.", ".e1", "inf",
                                             "nan",  "-",    "1e", "1,5", "0x1",
                                             " 1.5", "1.5 ", "+1", "1e+", "1..2"};
    for (size_t k = 0; k < sizeof(not_double) / sizeof(*not_double); k++)
        CHECK_INT(text_double(not_double[k], -1e300, 1e300, &d), -EINVAL);
    CHECK_INT(text_double("1e400", -1e308, 1e308, &d), -ERANGE);
    CHECK(d == 3);
    CHECK_INT(text_double("-1.25e2", -200, 200, &d), 0);
    CHECK(d == -125);
    CHECK_INT(text_double(".5", 0, 1, &d), 0); /* as shells and scripts write it */
    CHECK(d == 0.5);
    CHECK_INT(text_double("-.25", -1, 1, &d), 0);
    CHECK(d == -0.25);
    CHECK_INT(text_double("5.", 0, 10, &d), 0);
    CHECK(d == 5);
    CHECK_INT(text_double("200.0001", -200, 200, &d), -ERANGE);

    bool b = false;
    CHECK(!text_bool("YES", &b) && b);
    CHECK(!text_bool("off", &b) && !b);
    CHECK(!text_bool("1", &b) && b);
    CHECK_INT(text_bool("2", &b), -EINVAL);
    CHECK_INT(text_bool("", &b), -EINVAL);
}

TEST(text_utf8_by_rfc3629)
{
    CHECK(text_is_utf8("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\xa5", 10));
    CHECK(!text_is_utf8("\xc0\x80", 2));         /* overlong */
    CHECK(!text_is_utf8("\xe0\x80\x80", 3));     /* overlong */
    CHECK(!text_is_utf8("\xed\xa0\x80", 3));     /* surrogate */
    CHECK(!text_is_utf8("\xf4\x90\x80\x80", 4)); /* above U+10FFFF */
    CHECK(!text_is_utf8("\xe2\x82", 2));
    CHECK(!text_is_utf8("\x80", 1));
}

TEST(text_url_escapes)
{
    char out[32];
    CHECK_INT(text_url_decode("a%20b+c%C3%a9", 13, true, out, sizeof(out)), 7);
    CHECK_STR(out, "a b c\xc3\xa9");
    CHECK_INT(text_url_decode("a+b", 3, false, out, sizeof(out)), 3);
    CHECK_STR(out, "a+b");
    CHECK_INT(text_url_decode("%", 1, true, out, sizeof(out)), -EINVAL);
    CHECK_INT(text_url_decode("%4", 2, true, out, sizeof(out)), -EINVAL);
    CHECK_INT(text_url_decode("%4g", 3, true, out, sizeof(out)), -EINVAL);
    CHECK_INT(text_url_decode("%00", 3, true, out, sizeof(out)), -EINVAL);
    CHECK_INT(text_url_decode("%0a", 3, true, out, sizeof(out)), -EINVAL);
    CHECK_INT(text_url_decode("%ff", 3, true, out, sizeof(out)), -EINVAL);
    CHECK_INT(text_url_decode("abc", 3, true, out, 3), -ENOSPC);
    char here[] = "%41%42c";
    CHECK_INT(text_url_decode(here, 7, true, here, sizeof(here)), 3);
    CHECK_STR(here, "ABc");
}

TEST(text_odds_and_ends)
{
    char out[32];
    CHECK(text_glob("Video*/Sig*", "VideoSource/SignalLoss"));
    CHECK(text_glob("*", ""));
    CHECK(text_glob("a*b*c", "axxbyybzc"));
    CHECK(!text_glob("a*b", "axxc"));
    CHECK(!text_glob("", "a"));
    CHECK(text_iequal("Image.I0", "iMAGE.i0"));
    CHECK(!text_iequal("a", "ab"));
    text_html("<a b='\"&", out, sizeof(out));
    CHECK_STR(out, "&lt;a b=&#39;&quot;&amp;");
    text_html("<<<<<<<<<<<<<<<", out, sizeof(out));
    CHECK_STR(out, "&lt;&lt;&lt;&lt;&lt;&lt;&lt;"); /* never half an escape */
    CHECK(!text_copy(out, 4, "abcd"));
    CHECK_STR(out, "abc");
    CHECK(text_copy(out, 5, "abcd"));
    text_utc(INT64_C(1782043200033000000), out, sizeof(out));
    CHECK_STR(out, "2026-06-21T12:00:00.033Z");
    text_utc(-1, out, sizeof(out));
    CHECK_STR(out, "1969-12-31T23:59:59.999Z");
}

/* ---- crypto ---- */

TEST(hashes_match_their_standards)
{
    char hex[2 * HASH_MAX + 1];
    const char *const abc[] = {"a", "b", "c"};
    hash_hex(HASH_MD5, hex, 3, abc); /* RFC 1321 */
    CHECK_STR(hex, "900150983cd24fb0d6963f7d28e17f72");
    hash_hex(HASH_SHA1, hex, 3, abc); /* FIPS 180 */
    CHECK_STR(hex, "a9993e364706816aba3e25717850c26c9cd0d89d");
    hash_hex(HASH_SHA256, hex, 3, abc);
    CHECK_STR(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    uint8_t mac[32];
    hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, mac); /* RFC 4231 case 2 */
    hex_of(mac, 32, hex);
    CHECK_STR(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    CHECK_INT(crc32_of("123456789", 9), 0xcbf43926);
}

TEST(base64_by_rfc4648)
{
    static const char *const rows[][2] = {{"", ""},
                                          {"f", "Zg=="},
                                          {"fo", "Zm8="},
                                          {"foo", "Zm9v"},
                                          {"foob", "Zm9vYg=="},
                                          {"fooba", "Zm9vYmE="},
                                          {"foobar", "Zm9vYmFy"}};
    char text[16], bytes[16];
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        base64_of(rows[i][0], strlen(rows[i][0]), text);
        CHECK_STR(text, rows[i][1]);
        int n = base64_bytes(text, strlen(text), bytes, sizeof(bytes));
        CHECK_INT(n, strlen(rows[i][0]));
        CHECK(!memcmp(bytes, rows[i][0], (size_t)n));
    }
    static const char *const bad[] = {
        "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm 9", "Zm9v\n", "Zm_v"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        CHECK_INT(base64_bytes(bad[i], strlen(bad[i]), bytes, sizeof(bytes)), -EINVAL);
    CHECK_INT(base64_bytes("Zm9vYmFy", 8, bytes, 5), -EINVAL);
    CHECK_INT(hex_bytes("00fFa", 5, bytes, sizeof(bytes)), -EINVAL);
    CHECK_INT(hex_bytes("00fF", 4, bytes, sizeof(bytes)), 2);
    CHECK((uint8_t)bytes[1] == 0xff);
}

/* ---- json, fault, log ---- */

static enum fault_kind refused(const char *text)
{
    struct fault why = {0};
    json_t *j = json_parse(text, strlen(text), &why);
    CHECK(!j);
    CHECK(!strstr(why.text, "secret"));
    return why.kind;
}

TEST(json_refuses_what_hurts)
{
    char deep[200] = "";
    memset(deep, '[', JSON_MAX_DEPTH + 1);
    CHECK_INT(refused(deep), FAULT_INVALID);
    CHECK_INT(refused("{\"a\":1e400}"), FAULT_INVALID);
    CHECK_INT(refused("{\"a\":-1e999}"), FAULT_INVALID);
    CHECK_INT(refused("{\"a\":NaN}"), FAULT_INVALID);
    CHECK_INT(refused("{\"a\":1,\"a\":2}"), FAULT_INVALID);
    CHECK_INT(refused("{\"a\":\"\\u0000\"}"), FAULT_INVALID);
    CHECK_INT(refused("[\"\xff\"]"), FAULT_INVALID);
    CHECK_INT(refused("[1] x"), FAULT_INVALID);
    CHECK_INT(refused("{\"pass\":secret}"), FAULT_INVALID);
    CHECK_INT(refused(""), FAULT_INVALID);
    char *big = malloc(JSON_MAX_BYTES + 1);
    memset(big, ' ', JSON_MAX_BYTES + 1);
    struct fault why;
    CHECK(!json_parse(big, JSON_MAX_BYTES + 1, &why) && why.kind == FAULT_INVALID);
    free(big);
    struct fault line = {0};
    CHECK(!json_parse("{\n \"a\":,\n}", 9, &line));
    CHECK(strstr(line.text, "line 2"));
}

TEST(json_members_are_typed)
{
    static const char text[] =
        "{\"s\":\"x\",\"i\":5,\"d\":0.1,\"b\":true,\"brackets\":\"[[\\\"[\"}";
    JSON_AUTO *j = json_parse(text, strlen(text), NULL);
    CHECK(j);
    const char *s = "kept";
    int64_t i = 0;
    double d = 0;
    bool b = false;
    struct fault why;
    CHECK(!json_get_string(j, "s", &s, &why) && !strcmp(s, "x"));
    CHECK(!json_get_int(j, "i", &i, &why) && i == 5);
    CHECK(!json_get_double(j, "i", &d, &why) && d == 5);
    CHECK(!json_get_double(j, "d", &d, &why) && d == 0.1);
    CHECK(!json_get_bool(j, "b", &b, &why) && b);
    s = "kept";
    CHECK_INT(json_get_string(j, "absent", &s, &why), 0);
    CHECK_STR(s, "kept");
    CHECK_INT(json_get_string(j, "i", &s, &why), -EINVAL);
    CHECK_STR(why.name, "i");
    CHECK_INT(json_get_int(j, "d", &i, &why), -EINVAL);
    CHECK_INT(json_get_bool(j, "i", &b, &why), -EINVAL);
    BUF(out, 1000);
    CHECK_INT(json_write(&out, j), 0);
    CHECK_STR(buf_str(&out), text);
    BUF(tiny, 4);
    CHECK_INT(json_write(&tiny, j), -ENOSPC);
}

TEST(fault_kinds_are_errnos)
{
    struct fault why;
    CHECK_INT(fault_set(&why, FAULT_DENIED, "X.Y", "No %d.", 5), -EACCES);
    CHECK_STR(why.name, "X.Y");
    CHECK_STR(why.text, "No 5.");
    CHECK_INT(fault_set(NULL, FAULT_BUSY, NULL, "x"), -EBUSY);
    CHECK_STR(fault_kind_name(FAULT_IO), "io");
}

/* A quotation that is cut in the middle of a character would make the answer no JSON. */
TEST(fault_texts_are_utf8)
{
    static const char *const long_ones[] = {"\u00e9", "\u20ac", "\U0001f600"};
    for (size_t k = 0; k < 3; k++)
        for (int ahead = 0; ahead < 5; ahead++) {
            char word[400];
            memset(word, 'a', (size_t)ahead);
            for (size_t n = (size_t)ahead; n + 5 < sizeof(word); n += strlen(long_ones[k]))
                memcpy(word + n, long_ones[k], strlen(long_ones[k]) + 1);
            struct fault why;
            fault_set(&why, FAULT_UNKNOWN, word, "There is no \"%.40s\".", word);
            CHECK(text_is_utf8(why.name, strlen(why.name)) && strlen(why.name) > 91);
            CHECK(text_is_utf8(why.text, strlen(why.text)));
            CHECK_STR(why.text + strlen(why.text) - 2, "\".");
            fault_set(&why, FAULT_UNKNOWN, NULL, "%s", word);
            CHECK(text_is_utf8(why.text, strlen(why.text)) && strlen(why.text) > 251);
        }
    char mixed[] = "a\xff\xc3z\xe2\x82\u00e9\xc3";
    text_keep_utf8(mixed);
    CHECK_STR(mixed, "az\u00e9");
}

TEST(log_lines_cannot_be_forged)
{
    char last[600] = "";
    /* U+009B steers terminals as ESC [ does */
    log_info("base", "%s",
             "a\xc2\x9b"
             "2J\xc2\xa7\xc2");
    log_each(last_line, last);
    CHECK(strstr(last, "a\\x9b2J\xc2\xa7\xc2"));
    log_info("base", "name=%s", "x\n2026 error \x1b[2J");
    log_each(last_line, last);
    CHECK(strstr(last, "info base: name=x\\x0a2026 error \\x1b[2J"));
    char longer[2000];
    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    log_info("base", "%s", longer);
    for (int i = 0; i < 600; i++)
        log_debug("base", "not wanted");
    log_each(last_line, last);
    CHECK(strlen(last) < 512 && strstr(last, "aaaa"));
}

/* clang-format off */
/* As in a container or under taskset: what the machine has besides does not count. */
TEST(cores_are_those_that_may_be_used)
{
    cpu_set_t all, one;
    CHECK_INT(sched_getaffinity(0, sizeof(all), &all), 0);
    CHECK_INT(cpu_cores(), CPU_COUNT(&all));
    int first = 0;
    while (!CPU_ISSET(first, &all))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    CHECK_INT(sched_setaffinity(0, sizeof(one), &one), 0);
    CHECK_INT(cpu_cores(), 1);
    CHECK_INT(sched_setaffinity(0, sizeof(all), &all), 0);
}

UNIT_MAIN(
    UNIT_ROW(cores_are_those_that_may_be_used)
    UNIT_ROW(buf_grows_to_its_limit)
    UNIT_ROW(buf_formats_long_text)
    UNIT_ROW(arena_gives_zeroed_aligned_pieces)
    UNIT_ROW(text_numbers_are_strict)
    UNIT_ROW(text_utf8_by_rfc3629)
    UNIT_ROW(text_url_escapes)
    UNIT_ROW(text_odds_and_ends)
    UNIT_ROW(hashes_match_their_standards)
    UNIT_ROW(base64_by_rfc4648)
    UNIT_ROW(json_refuses_what_hurts)
    UNIT_ROW(json_members_are_typed)
    UNIT_ROW(fault_kinds_are_errnos)
    UNIT_ROW(fault_texts_are_utf8)
    UNIT_ROW(log_lines_cannot_be_forged))
