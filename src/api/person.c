#include "api/person.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "api/camera.h"
#include "base/crypto.h"
#include "base/text.h"
#include "net/conn.h"
#include "net/exchange.h"
#include "ptz/queue.h"
#include "trust/session.h"

#define COOKIE "ptz_queue"
#define COOKIE_BYTES 16

void cookie_value(const char *cookie, const char *name, char *ret, size_t size)
{
    ret[0] = 0;
    size_t n = strlen(name);
    for (const char *c = cookie; c && *c;) {
        c += strspn(c, "; \t");
        size_t item = strcspn(c, ";");
        if (item > n && !strncmp(c, name, n) && c[n] == '=' && item - n - 1 < size) {
            memcpy(ret, c + n + 1, item - n - 1);
            ret[item - n - 1] = 0;
            return;
        }
        c += item;
    }
}

void person_of(struct camera *cam, struct exchange *ex, struct controller *ret)
{
    char from[CONTROLLER_FROM] = "", set[128];
    uint8_t random[COOKIE_BYTES];
    const char *cookie = exchange_header(ex, "Cookie");
    if (ex->who.by == BY_COOKIE)
        cookie_value(cookie, SESSION_COOKIE, from, sizeof from);
    else
        cookie_value(cookie, COOKIE, from, sizeof from);
    bool known = hex_bytes(from, strlen(from), random, sizeof random) == COOKIE_BYTES;
    if (!known)
        conn_peer_text(ex->conn, from, sizeof from);
    controller_of_account(ret, ex->who.user, ex->who.groups, from);
    if (known || !cam->control || !control_is_on(cam->control))
        return;
    random_bytes(random, sizeof random);
    hex_of(random, sizeof random, ret->offered);
    snprintf(set, sizeof set, COOKIE "=%s; Path=/axis-cgi/; HttpOnly; SameSite=Strict",
             ret->offered);
    exchange_set_header(ex, "Set-Cookie", set);
}
