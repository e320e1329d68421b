/* Accounts and logins (trust_set.h). */
#include "trust_set.h"

#include <errno.h>

#include "trust/session.h"

TEST(first_administrator_once)
{
    begin();
    struct fault why;
    CHECK(accounts_empty(w.trust));
    CHECK_INT(accounts_add(w.trust, "vera", "x", GROUP_VIEWER, NULL, &why), -EINVAL);
    CHECK_INT(accounts_add_first(w.trust, "vera", "x", GROUP_VIEWER, NULL, &why), -EINVAL);
    add_root();
    CHECK(!accounts_empty(w.trust));
    CHECK_INT(accounts_add_first(w.trust, "eve", "x", admin, NULL, &why), -EEXIST);
    CHECK_INT(why.kind, FAULT_CONFLICT);
    CHECK_INT(accounts_count(w.trust), 1);
    /* The agent itself refuses, whatever the camera believes. */
    CHECK_INT(keys_set(w.trust->keys, WIRE_SET_NEW | WIRE_SET_FIRST | WIRE_SET_PASSWORD, "eve", "x",
                       15, ""),
              -EEXIST);
    end();
}

TEST(account_rules)
{
    begin();
    struct fault why;
    add_root();
    static const char *const names[] = {"",
                                        "a b",
                                        "a:b",
                                        "a/b",
                                        "ä",
                                        "a\n",
                                        "\"",
                                        "12345678901234567890123456789012345678901234567890"
                                        "123456789012345"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        CHECK_INT(accounts_add(w.trust, names[i], "x", GROUP_VIEWER, NULL, &why), -EINVAL);
    CHECK_INT(accounts_add(w.trust, "a", "", GROUP_VIEWER, NULL, &why), -EINVAL);
    CHECK_INT(accounts_add(w.trust, "a", "\x7f", GROUP_VIEWER, NULL, &why), -EINVAL);
    CHECK_INT(accounts_add(w.trust, "a", "x", 0, NULL, &why), -EINVAL);
    CHECK_INT(accounts_add(w.trust, "root", "x", GROUP_VIEWER, NULL, &why), -EEXIST);
    CHECK_INT(accounts_add(w.trust, "olof", "x", GROUP_OPERATOR, "a comment", &why), 0);
    const struct account *a = accounts_find(w.trust, "olof");
    CHECK_INT(a->groups, GROUP_OPERATOR | GROUP_VIEWER);
    CHECK_STR(a->comment, "a comment");

    CHECK_INT(accounts_remove(w.trust, "root", &why), -EEXIST);
    unsigned viewer = GROUP_VIEWER;
    CHECK_INT(accounts_update(w.trust, "root", NULL, &viewer, NULL, &why), -EEXIST);
    CHECK_INT(accounts_update(w.trust, "olof", NULL, &admin, NULL, &why), 0);
    CHECK_INT(accounts_remove(w.trust, "root", &why), 0);
    CHECK_INT(accounts_remove(w.trust, "root", &why), -ENOENT);
    CHECK_INT(accounts_remove(w.trust, "olof", &why), -EEXIST);

    char name[16];
    for (int i = 1; i < LIMIT_ACCOUNTS; i++) {
        snprintf(name, sizeof(name), "u%d", i);
        CHECK_INT(accounts_add(w.trust, name, "x", GROUP_VIEWER, NULL, &why), 0);
    }
    CHECK_INT(accounts_add(w.trust, "more", "x", GROUP_VIEWER, NULL, &why), -ENOSPC);
    stop();
    start();
    CHECK_INT(accounts_count(w.trust), LIMIT_ACCOUNTS);
    CHECK_INT(accounts_reset(w.trust, &why), 0);
    CHECK(accounts_empty(w.trust));

    unsigned groups;
    CHECK_INT(accounts_parse_groups("admin:operator:viewer:ptz", &groups), 0);
    CHECK_INT(groups, admin);
    CHECK_INT(accounts_parse_groups("", &groups), 0);
    CHECK_INT(accounts_parse_groups("admin:x", &groups), -EINVAL);
    end();
}

TEST(digest_both_algorithms)
{
    begin();
    add_root();
    struct conn *c = connect_from("1");
    struct challenge ch = challenge(SURFACE_HTTP, c, false);
    CHECK_INT(ch.n, 2);
    static const char form[] = "Digest realm=\"AXIS_02AB34CD56EF\", nonce=\"";
    CHECK(!strncmp(ch.lines[0], form, strlen(form)));
    CHECK(strstr(ch.lines[0], ", stale=FALSE, qop=\"auth\", algorithm=SHA-256"));
    CHECK(strstr(ch.lines[1], ", stale=FALSE, qop=\"auth\", algorithm=MD5"));
    CHECK(!strncmp(ch.lines[0], ch.lines[1], strlen(form) + 64));
    ch = challenge(SURFACE_RTSP, c, true);
    CHECK_INT(ch.n, 1);
    CHECK(strstr(ch.lines[0], ", stale=TRUE, qop=\"auth\", algorithm=MD5"));

    struct identity who;
    for (int h = 0; h < 2; h++) {
        struct client k = {.hash = h ? HASH_SHA256 : HASH_MD5,
                           .user = "root",
                           .password = "pass word",
                           .nonce = nonce_for(SURFACE_HTTP, c),
                           .uri = "/axis-cgi/param.cgi?action=list",
                           .method = "GET",
                           .qop = "auth",
                           .nc = "00000001",
                           .cnonce = "c"};
        char *header = answer(&k);
        const char *t = "/axis-cgi/param.cgi?action=list";
        CHECK_INT(identify(SURFACE_HTTP, c, "GET", t, NULL, header, &who), LOGIN_OK);
        CHECK_STR(who.user, "root");
        CHECK_INT(who.groups, admin);
        CHECK_INT(who.by, BY_DIGEST);
        /* A07: again, elsewhere, with another method. */
        CHECK_INT(identify(SURFACE_HTTP, c, "GET", t, NULL, header, &who), LOGIN_STALE);
        CHECK_STR(who.user, "");
        k.cnonce = "d";
        header = answer(&k);
        CHECK_INT(identify(SURFACE_HTTP, c, "GET", "/other", NULL, header, &who), LOGIN_NONE);
        CHECK_INT(
            identify(SURFACE_HTTP, c, "GET", "/axis-cgi/param.cgi?action=x", NULL, header, &who),
            LOGIN_NONE);
        CHECK_INT(identify(SURFACE_HTTP, c, "POST", t, NULL, header, &who), LOGIN_WRONG);
        k.uri = "/axis-cgi/param.cgi"; /* path only */
        k.cnonce = "e";
        CHECK_INT(identify(SURFACE_HTTP, c, "GET", t, NULL, answer(&k), &who), LOGIN_OK);
        k.qop = NULL; /* bound to the connection, there as often as wanted */
        header = answer(&k);
        CHECK_INT(identify(SURFACE_HTTP, c, "GET", t, NULL, header, &who), LOGIN_OK);
        CHECK_INT(identify(SURFACE_HTTP, c, "GET", t, NULL, header, &who), LOGIN_OK);
        struct conn *d = connect_from("1");
        CHECK_INT(identify(SURFACE_HTTP, d, "GET", t, NULL, header, &who), LOGIN_STALE);
        conn_free(d);
        k.qop = "auth"; /* old */
        k.cnonce = "f";
        header = answer(&k);
        wait_s(NONCE_LIFETIME_S + 1);
        CHECK_INT(identify(SURFACE_HTTP, c, "GET", t, NULL, header, &who), LOGIN_STALE);
        k.nonce = "0000000000000000000000000000000000000000000000000000000000000000";
        CHECK_INT(identify(SURFACE_HTTP, c, "GET", t, NULL, answer(&k), &who), LOGIN_STALE);
    }
    conn_free(c);
    end();
}

TEST(rtsp_uri_and_method_habits)
{
    begin();
    add_root();
    struct conn *c = connect_from("1");
    struct identity who;
    struct client k = {.hash = HASH_MD5,
                       .user = "root",
                       .password = "pass word",
                       .nonce = nonce_for(SURFACE_RTSP, c),
                       .uri = "rtsp://10.0.0.1/axis-media/media.amp",
                       .method = "SETUP"};
    const char *t = "rtsp://10.0.0.1/axis-media/media.amp/trackID=1",
               *scope = "/axis-media/media.amp";
    CHECK_INT(identify(SURFACE_RTSP, c, "SETUP", t, scope, answer(&k), &who), LOGIN_OK);
    k.uri = "rtsp://10.0.0.1/axis-media/media.amp/";
    CHECK_INT(identify(SURFACE_RTSP, c, "SETUP", t, scope, answer(&k), &who), LOGIN_OK);
    /* The previous answer with the next method: asked again, no guess. */
    for (int i = 0; i < 30; i++)
        CHECK_INT(identify(SURFACE_RTSP, c, "PLAY", t, scope, answer(&k), &who), LOGIN_STALE);
    k.uri = "rtsp://10.0.0.1/axis-media/media.ampere";
    CHECK_INT(identify(SURFACE_RTSP, c, "SETUP", t, scope, answer(&k), &who), LOGIN_NONE);
    k.uri = "/other";
    CHECK_INT(identify(SURFACE_RTSP, c, "SETUP", t, scope, answer(&k), &who), LOGIN_NONE);
    k.hash = HASH_SHA256; /* not offered there */
    k.uri = t;
    CHECK_INT(identify(SURFACE_RTSP, c, "SETUP", t, scope, answer(&k), &who), LOGIN_NONE);
    k.hash = HASH_MD5;
    k.password = "wrong";
    CHECK_INT(identify(SURFACE_RTSP, c, "SETUP", t, scope, answer(&k), &who), LOGIN_WRONG);
    conn_free(c);
    end();
}

TEST(basic_nobody_asked_for)
{
    begin();
    add_root();
    struct conn *c = connect_from("1");
    struct identity who;
    for (int i = 0; i < 30; i++) { /* right or wrong: no credentials, no guess */
        CHECK_INT(identify(SURFACE_HTTP, c, "GET", "/", NULL, "Basic cm9vdDpwYXNzIHdvcmQ=", &who),
                  LOGIN_NONE);
        CHECK_INT(identify(SURFACE_RTSP, c, "GET", "/", NULL, "Basic cm9vdDp4", &who), LOGIN_NONE);
        CHECK_INT(identify(SURFACE_HTTP, c, "GET", "/", NULL, NULL, &who), LOGIN_NONE);
    }
    CHECK_INT(try_digest(c, "root", "pass word"), LOGIN_OK);
    conn_free(c);
    end();
}

TEST(guesses_are_slowed_down_by_source)
{
    begin();
    add_root();
    struct conn *bad = connect_from("1"), *good = connect_from("2");
    struct identity who;
    int wrong = 0;
    for (int i = 0; i < 200; i++)
        wrong += try_digest(bad, i % 2 ? "root" : "nobody", "guess") == LOGIN_WRONG;
    CHECK_INT(wrong, LIMIT_GUESSES_PER_MINUTE);
    CHECK_INT(try_digest(bad, "root", "pass word"), LOGIN_THROTTLED); /* no oracle */
    CHECK(login_retry_after_s(w.trust, SURFACE_HTTP, bad) > 0);
    CHECK_INT(try_digest(good, "root", "pass word"), LOGIN_OK);
    CHECK_INT(login_form(w.trust, bad, "root", "pass word", &who), LOGIN_OK); /* own surface */
    for (int i = 0; i < 20; i++)
        login_form(w.trust, bad, "root", "guess", &who);
    CHECK_INT(login_form(w.trust, bad, "root", "pass word", &who), LOGIN_THROTTLED);
    CHECK_INT(login_form(w.trust, good, "root", "pass word", &who), LOGIN_OK);

    wrong = 0; /* ten minutes of a guess each second: ten a minute */
    for (int i = 0; i < 600; i++) {
        wait_s(1);
        wrong += try_digest(bad, "root", "guess") == LOGIN_WRONG;
    }
    CHECK(wrong >= 98 && wrong <= 101);
    wait_s(61); /* and no lasting lockout */
    CHECK_INT(try_digest(bad, "root", "pass word"), LOGIN_OK);
    conn_free(bad);
    conn_free(good);
    end();
}

TEST(form_and_sessions)
{
    begin();
    add_root();
    struct conn *c = connect_from("1");
    struct identity who, found;
    struct fault why;
    char token[TOKEN_TEXT], cookie[256], line[256];
    CHECK_INT(login_form(w.trust, c, "root", "pass wore", &who), LOGIN_WRONG);
    CHECK_INT(login_form(w.trust, c, "nobody", "pass word", &who), LOGIN_WRONG);
    CHECK_INT(login_form(w.trust, c, "root", "pass word", &who), LOGIN_OK);
    CHECK_STR(who.user, "root");
    CHECK_INT(session_new(w.trust, &who, false, token, &why), -EACCES);
    CHECK_INT(session_new(w.trust, &who, true, token, &why), 0);
    session_cookie(token, line, sizeof(line));
    snprintf(cookie, sizeof(cookie),
             "vedette_session=%s; Path=/; HttpOnly; Secure; SameSite=Strict", token);
    CHECK_STR(line, cookie);
    snprintf(cookie, sizeof(cookie), "a=b; vedette_session=00; vedette_session=%s", token);
    CHECK(session_find(w.trust, cookie, &found));
    CHECK_STR(found.user, "root");
    CHECK_INT(found.by, BY_COOKIE);
    CHECK(!session_find(w.trust, "vedette_session=00000000000000000000000000000000", &found));
    CHECK(!session_find(w.trust, token, &found));

    /* On a plain connection a cookie says nothing. */
    struct login_request req = {
        .surface = SURFACE_HTTP, .conn = c, .method = "GET", .target = "/", .cookie = cookie};
    CHECK_INT(login_identify(w.trust, w.arena, &req, &found), LOGIN_NONE);

    wait_s(11 * 3600);
    CHECK(session_find(w.trust, cookie, &found)); /* use keeps it alive */
    wait_s(11 * 3600);
    CHECK(session_find(w.trust, cookie, &found));
    wait_s(13 * 3600);
    CHECK(!session_find(w.trust, cookie, &found));

    CHECK_INT(session_new(w.trust, &who, true, token, &why), 0);
    snprintf(cookie, sizeof(cookie), "vedette_session=%s", token);
    CHECK_INT(accounts_update(w.trust, "root", "new", NULL, NULL, &why), 0);
    CHECK(!session_find(w.trust, cookie, &found));
    CHECK_INT(login_form(w.trust, c, "root", "pass word", &who), LOGIN_WRONG);
    CHECK_INT(login_form(w.trust, c, "root", "new", &who), LOGIN_OK);
    CHECK_INT(session_new(w.trust, &who, true, token, &why), 0);
    snprintf(cookie, sizeof(cookie), "vedette_session=%s", token);
    session_end(w.trust, cookie);
    CHECK(!session_find(w.trust, cookie, &found));
    for (int i = 0; i < 2 * LIMIT_SESSIONS; i++)
        CHECK_INT(session_new(w.trust, &who, true, token, &why), 0);
    conn_free(c);
    end();
}

TEST(one_time_tokens)
{
    begin();
    add_root();
    struct identity root = {.user = "root", .groups = admin}, who;
    char token[TOKEN_TEXT];
    CHECK_INT(token_make(w.trust, &root, TOKEN_RTSP_WEBSOCKET, token), 0);
    CHECK(token_take(w.trust, TOKEN_RTSP_WEBSOCKET, token, &who));
    CHECK_STR(who.user, "root");
    CHECK_INT(who.by, BY_TOKEN);
    CHECK(!token_take(w.trust, TOKEN_RTSP_WEBSOCKET, token, &who));
    CHECK_INT(token_make(w.trust, &root, TOKEN_RTSP_WEBSOCKET, token), 0);
    CHECK(!token_take(w.trust, TOKEN_EVENT_WEBSOCKET, token, &who));
    CHECK_INT(token_make(w.trust, &root, TOKEN_EVENT_WEBSOCKET, token), 0);
    wait_s(TOKEN_SECONDS + 1);
    CHECK(!token_take(w.trust, TOKEN_EVENT_WEBSOCKET, token, &who));
    CHECK(!token_take(w.trust, TOKEN_EVENT_WEBSOCKET, "", &who));
    CHECK(!token_take(w.trust, TOKEN_EVENT_WEBSOCKET, "00000000000000000000000000000000", &who));
    end();
}

static unsigned told;
static void on_change(struct account_listener *l, const char *name)
{
    told++;
}

TEST(listeners_hear_of_lost_rights)
{
    begin();
    add_root();
    struct account_listener l = {.changed = on_change};
    accounts_listen(w.trust, &l);
    CHECK_INT(accounts_add(w.trust, "vera", "x", GROUP_VIEWER, NULL, NULL), 0);
    CHECK_INT(accounts_update(w.trust, "vera", NULL, NULL, "only a comment", NULL), 0);
    CHECK_INT(told, 0);
    CHECK_INT(accounts_update(w.trust, "vera", "y", NULL, NULL, NULL), 0);
    CHECK_INT(accounts_remove(w.trust, "vera", NULL), 0);
    CHECK_INT(told, 2);
    accounts_unlisten(w.trust, &l);
    end();
}

UNIT_MAIN(UNIT_ROW(first_administrator_once) UNIT_ROW(account_rules)
              UNIT_ROW(digest_both_algorithms) UNIT_ROW(rtsp_uri_and_method_habits)
                  UNIT_ROW(basic_nobody_asked_for) UNIT_ROW(guesses_are_slowed_down_by_source)
                      UNIT_ROW(form_and_sessions) UNIT_ROW(one_time_tokens)
                          UNIT_ROW(listeners_hear_of_lost_rights))
