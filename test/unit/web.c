/* The web door without the rest of the camera: files and the socket's requests over
 * a real connection. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/camera.h"
#include "api/web/files.h"
#include "api/web/socket.h"
#include "base/clock.h"
#include "base/fault.h"
#include "conf/param.h"
#include "event/event.h"
#include "net/conn.h"
#include "unit.h"

/* ---- files ---- */

static void put(const char *dir, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void make_page(char dir[64])
{
    strncpy(dir, "/tmp/vedette-web-XXXXXX", 64);
    CHECK(mkdtemp(dir));
    char assets[128];
    snprintf(assets, sizeof(assets), "%s/assets", dir);
    CHECK(!mkdir(assets, 0700));
    put(dir, "index.html", "<!doctype html>");
    put(dir, "assets/a-1.js", "let a = 1;");
    put(dir, "assets/a-1.js.gz", "zipped");
    put(dir, "assets/notes.xyz", "no known type");
}

TEST(files_are_loaded_with_their_twins)
{
    char dir[64];
    struct web_files files;
    make_page(dir);
    CHECK_INT(web_files_load(&files, dir, NULL), 0);
    CHECK_INT(files.n, 2);
    const struct web_file *js = web_files_find(&files, "/assets/a-1.js");
    const struct web_file *html = web_files_find(&files, "/index.html");
    CHECK(js && html && !html->gzip && js->gzip);
    CHECK(js->immutable && !html->immutable);
    CHECK_INT(js->gzip_len, 6);
    CHECK_STR(js->type, "text/javascript; charset=utf-8");
    CHECK(strcmp(js->etag, js->gzip_etag));
    CHECK(js->etag[0] == '"' && js->etag[strlen(js->etag) - 1] == '"');
    CHECK(!web_files_find(&files, "/assets/notes.xyz"));
    CHECK(!web_files_find(&files, "/assets/a-1.js.gz"));
    web_files_done(&files);
}

TEST(a_missing_page_is_told)
{
    struct web_files files;
    struct fault why = {0};
    CHECK(web_files_load(&files, "/nonexistent/web", &why) < 0);
    CHECK_INT(why.kind, FAULT_UNKNOWN);
    CHECK_INT(files.n, 0);
    CHECK(web_files_load(&files, NULL, &why) < 0);
}

TEST(gzip_is_sent_to_who_takes_it)
{
    CHECK(web_accepts_gzip("gzip"));
    CHECK(web_accepts_gzip("deflate, gzip;q=0.5"));
    CHECK(web_accepts_gzip("br;q=1.0, GZIP ; q=0.01"));
    CHECK(web_accepts_gzip("*"));
    CHECK(!web_accepts_gzip(NULL));
    CHECK(!web_accepts_gzip(""));
    CHECK(!web_accepts_gzip("gzip;q=0"));
    CHECK(!web_accepts_gzip("gzip;q=0.000, br"));
    CHECK(!web_accepts_gzip("xgzip, br"));
}

TEST(etags_match_lists_and_weak_forms)
{
    CHECK(web_etag_matches("\"abc\"", "\"abc\""));
    CHECK(web_etag_matches("\"x\", W/\"abc\"", "\"abc\""));
    CHECK(web_etag_matches("*", "\"abc\""));
    CHECK(!web_etag_matches("\"abcd\"", "\"abc\""));
    CHECK(!web_etag_matches(NULL, "\"abc\""));
}

/* ---- the socket ---- */

struct settings {
    int level;
    bool lamp;
    char secret_note[32];
};
static const struct param_row rows[] = {
    {.name = "Test.Level",
     .type = PARAM_INT,
     PARAM_FIELD(struct settings, level),
     .min = 0,
     .max = 100,
     .standard = "30",
     .read = ROLE_VIEWER,
     .write = ROLE_OPERATOR,
     .unit = "%",
     .doc = "How much."},
    {.name = "Test.Lamp",
     .type = PARAM_BOOL,
     PARAM_FIELD(struct settings, lamp),
     .standard = "no",
     .read = ROLE_VIEWER,
     .write = ROLE_OPERATOR},
    {.name = "Test.Note",
     .type = PARAM_STRING,
     PARAM_FIELD(struct settings, secret_note),
     .standard = "",
     .read = ROLE_ADMIN,
     .write = ROLE_ADMIN},
};
static const struct room_desc room_desc = {
    .name = "test", .size = sizeof(struct settings), .rows = rows, .n_rows = 3};

static const struct event_topic topic = {
    .name = "VideoSource/SignalLoss", .title = "Signal", .is_state = true, .state_key = "lost"};

struct bench {
    struct camera cam;
    struct hub *hub;
    struct web_socket *s;
    struct room *room;
    int fd;
    struct buf got;
};

static void turn(struct bench *b)
{
    /* A few turns: what is asked, what is posted, what is sent. */
    for (int i = 0; i < 4; i++) {
        loop_call(b->cam.loop, "stop", (void (*)(void *))loop_stop, b->cam.loop);
        loop_run(b->cam.loop);
    }
    char bytes[4096];
    for (ssize_t n; (n = recv(b->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0;)
        buf_add(&b->got, bytes, (size_t)n);
}

static void start(struct bench *b, unsigned groups)
{
    memset(b, 0, sizeof(*b));
    buf_init(&b->got, 1 << 20);
    b->cam.clock = clock_new_real();
    b->cam.loop = loop_new(b->cam.clock, "test");
    b->cam.events = events_new(b->cam.loop);
    b->cam.conf = conf_new(b->cam.loop, NULL, NULL);
    CHECK(b->cam.loop && b->cam.events && b->cam.conf);
    CHECK_INT(events_declare(b->cam.events, &topic), 0);
    CHECK_INT(conf_add_room(b->cam.conf, &room_desc, &b->room, NULL), 0);
    b->hub = hub_new(&b->cam);
    int fds[2];
    CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds));
    b->fd = fds[1];
    struct sockaddr_storage peer = {.ss_family = AF_UNIX};
    struct conn *c = conn_new(fds[0], NULL, (struct sockaddr *)&peer, sizeof(peer));
    struct identity who = {.user = "vera", .groups = groups, .by = BY_COOKIE};
    b->s = hub_adopt(b->hub, c, &who, "0123", NULL);
    CHECK(b->s);
    turn(b);
}

static void stop(struct bench *b)
{
    hub_free(b->hub);
    close(b->fd);
    conf_free(b->cam.conf);
    events_free(b->cam.events);
    loop_free(b->cam.loop);
    clock_free(b->cam.clock);
    buf_done(&b->got);
}

static void ask(struct bench *b, const char *text)
{
    uint8_t frame[2048];
    size_t len = strlen(text), n = 2;
    frame[0] = 0x81;
    if (len < 126) {
        frame[1] = 0x80 | (uint8_t)len;
    } else {
        frame[1] = 0x80 | 126;
        frame[n++] = (uint8_t)(len >> 8);
        frame[n++] = (uint8_t)len;
    }
    static const uint8_t mask[4] = {1, 2, 3, 4};
    memcpy(frame + n, mask, 4);
    n += 4;
    for (size_t i = 0; i < len; i++)
        frame[n + i] = (uint8_t)text[i] ^ mask[i & 3];
    CHECK(send(b->fd, frame, n + len, 0) == (ssize_t)(n + len));
    turn(b);
}

/* The next message, or NULL. Close frames come as {"close": code}. */
static json_t *next(struct bench *b)
{
    const uint8_t *p = (const uint8_t *)b->got.data;
    if (b->got.len < 2)
        return NULL;
    size_t n = 2, len = p[1] & 0x7f;
    CHECK(!(p[1] & 0x80));
    if (len == 126) {
        len = (size_t)p[2] << 8 | p[3];
        n = 4;
    }
    CHECK(b->got.len >= n + len);
    json_t *j = (p[0] & 15) == WS_CLOSE ? json_pack("{s:i}", "close", p[n] << 8 | p[n + 1])
                                        : json_loadb((const char *)p + n, len, 0, NULL);
    CHECK(j);
    buf_consume(&b->got, n + len);
    return j;
}

static json_t *answer(struct bench *b, const char *text)
{
    while (b->got.len)
        json_decref(next(b));
    ask(b, text);
    json_t *j;
    while ((j = next(b)) && !json_object_get(j, "ok") && !json_object_get(j, "close"))
        json_decref(j);
    CHECK(j);
    return j;
}

static const char *word(const json_t *j, const char *a, const char *name)
{
    const char *v = json_string_value(json_object_get(json_object_get(j, a), name));
    return v ? v : "";
}

TEST(hello_comes_first)
{
    struct bench b;
    start(&b, GROUP_VIEWER);
    JSON_AUTO *hello = next(&b);
    CHECK_STR(json_string_value(json_object_get(hello, "type")), "hello");
    CHECK_STR(word(hello, "you", "user"), "vera");
    CHECK(json_is_null(json_object_get(hello, "head")));
    stop(&b);
}

TEST(requests_are_answered_by_number)
{
    struct bench b;
    start(&b, GROUP_VIEWER | GROUP_PTZ);
    JSON_AUTO *ping = answer(&b, "{\"id\":7,\"do\":\"ping\"}");
    CHECK(json_is_true(json_object_get(ping, "ok")));
    CHECK_INT(json_integer_value(json_object_get(ping, "id")), 7);
    CHECK(json_number_value(json_object_get(ping, "utcMs")) > 1e12);
    JSON_AUTO *odd = answer(&b, "{\"id\":8,\"do\":\"fly\"}");
    CHECK_STR(word(odd, "error", "kind"), "unknown");
    JSON_AUTO *bad = answer(&b, "{nonsense");
    CHECK_STR(word(bad, "error", "kind"), "invalid");
    JSON_AUTO *list = answer(&b, "[1]");
    CHECK_STR(word(list, "error", "kind"), "invalid");
    JSON_AUTO *fixed = answer(&b, "{\"id\":9,\"do\":\"home\"}");
    CHECK_STR(word(fixed, "error", "kind"), "unsupported");
    stop(&b);
}

TEST(viewers_may_not_move)
{
    struct bench b;
    start(&b, GROUP_VIEWER);
    JSON_AUTO *j = answer(&b, "{\"id\":1,\"do\":\"move\",\"pan\":1}");
    CHECK_STR(word(j, "error", "kind"), "denied");
    stop(&b);
}

TEST(parameters_are_read_by_right)
{
    struct bench b;
    start(&b, GROUP_VIEWER);
    JSON_AUTO *j = answer(&b, "{\"id\":1,\"do\":\"get\",\"names\":[\"Test.*\"],\"describe\":true}");
    CHECK_STR(word(j, "values", "Test.Level"), "30");
    CHECK_STR(word(j, "values", "Test.Lamp"), "no");
    CHECK(!json_object_get(json_object_get(j, "values"), "Test.Note"));
    json_t *row = json_object_get(json_object_get(j, "rows"), "Test.Level");
    CHECK(json_is_false(json_object_get(row, "writable")));
    CHECK_INT(json_number_value(json_object_get(row, "max")), 100);
    JSON_AUTO *none = answer(&b, "{\"id\":2,\"do\":\"get\",\"names\":[\"Test.Nothing\"]}");
    CHECK_STR(word(none, "error", "name"), "Test.Nothing");
    JSON_AUTO *odd = answer(&b, "{\"id\":3,\"do\":\"get\",\"names\":[3]}");
    CHECK_STR(word(odd, "error", "kind"), "invalid");
    stop(&b);
}

TEST(a_change_is_all_or_nothing)
{
    struct bench b;
    start(&b, GROUP_VIEWER | GROUP_OPERATOR);
    JSON_AUTO *bad =
        answer(&b, "{\"id\":1,\"do\":\"set\",\"values\":{\"Test.Lamp\":true,\"Test.Level\":101}}");
    CHECK_STR(word(bad, "error", "name"), "Test.Level");
    const struct settings *s = room_ref(b.room);
    CHECK(!s->lamp && s->level == 30);
    room_unref(s);
    JSON_AUTO *good =
        answer(&b, "{\"id\":2,\"do\":\"set\",\"values\":{\"Test.Lamp\":true,\"Test.Level\":42}}");
    CHECK(json_is_true(json_object_get(good, "ok")));
    s = room_ref(b.room);
    CHECK(s->lamp && s->level == 42);
    room_unref(s);
    JSON_AUTO *may_not = answer(&b, "{\"id\":3,\"do\":\"set\",\"values\":{\"Test.Note\":\"x\"}}");
    CHECK(json_is_false(json_object_get(may_not, "ok")));
    stop(&b);
}

TEST(changes_and_events_are_told)
{
    struct bench b;
    start(&b, GROUP_VIEWER);
    while (b.got.len)
        json_decref(next(&b));
    conf_set(b.cam.conf, "Test.Level", "55");
    const struct event_item source = {"Source", "1"}, data = {"lost", "1"};
    event_publish(b.cam.events, topic.name, &source, 1, &data, 1);
    turn(&b);
    bool param = false, event = false;
    for (json_t *j; (j = next(&b)); json_decref(j)) {
        const char *type = json_string_value(json_object_get(j, "type"));
        if (!strcmp(type, "params"))
            param = !strcmp(word(j, "values", "Test.Level"), "55");
        if (!strcmp(type, "event"))
            event = !strcmp(word(j, "data", "lost"), "1");
    }
    CHECK(param && event);
    stop(&b);
}

TEST(too_many_messages_end_the_socket)
{
    struct bench b;
    start(&b, GROUP_VIEWER);
    int code = 0;
    for (int i = 0; i < 3 * WS_MESSAGES_BURST && !code; i++) {
        JSON_AUTO *j = answer(&b, "{\"do\":\"ping\"}");
        code = (int)json_integer_value(json_object_get(j, "close"));
    }
    CHECK_INT(code, 1008);
    stop(&b);
}

TEST(a_session_takes_its_sockets_along)
{
    struct bench b;
    start(&b, GROUP_VIEWER);
    while (b.got.len)
        json_decref(next(&b));
    hub_end_session(b.hub, "a=b; vedette_session=9999");
    turn(&b);
    CHECK_INT(b.hub->n_sockets, 1);
    hub_end_session(b.hub, "a=b; vedette_session=0123; c=d");
    turn(&b);
    CHECK_INT(b.hub->n_sockets, 0);
    JSON_AUTO *j = next(&b);
    CHECK_INT(json_integer_value(json_object_get(j, "close")), 4001);
    stop(&b);
}

TEST(garbage_ends_the_socket_only)
{
    struct bench b;
    start(&b, GROUP_VIEWER);
    CHECK(send(b.fd, "\x81\x05hello", 7, 0) == 7); /* unmasked: not allowed */
    turn(&b);
    CHECK_INT(b.hub->n_sockets, 0);
    stop(&b);
}

UNIT_MAIN(UNIT_ROW(files_are_loaded_with_their_twins) UNIT_ROW(a_missing_page_is_told)
              UNIT_ROW(gzip_is_sent_to_who_takes_it) UNIT_ROW(etags_match_lists_and_weak_forms)
                  UNIT_ROW(hello_comes_first) UNIT_ROW(requests_are_answered_by_number)
                      UNIT_ROW(viewers_may_not_move) UNIT_ROW(parameters_are_read_by_right)
                          UNIT_ROW(a_change_is_all_or_nothing) UNIT_ROW(changes_and_events_are_told)
                              UNIT_ROW(too_many_messages_end_the_socket)
                                  UNIT_ROW(a_session_takes_its_sockets_along)
                                      UNIT_ROW(garbage_ends_the_socket_only))
