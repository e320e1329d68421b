#include "trust/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "net/exchange.h"
#include "trust/trust_private.h"

#define IDLE_NS (SESSION_IDLE_HOURS * 3600 * NSEC_PER_SEC)
#define SESSIONS_PER_USER 32

static void make_token(char ret[TOKEN_TEXT])
{
    uint8_t bytes[16];
    random_bytes(bytes, sizeof(bytes));
    hex_of(bytes, sizeof(bytes), ret);
}

static void session_close(struct session *s)
{
    *s = (struct session){0};
}

/* A free place; else the longest unused of a user who has too many. */
static struct session *session_place(struct trust *t, const char *user)
{
    struct session *free_place = NULL, *oldest = NULL;
    unsigned mine = 0;
    for (unsigned i = 0; i < LIMIT_SESSIONS; i++) {
        struct session *s = &t->sessions[i];
        if (s->open && trust_now(t) - s->used_ns > IDLE_NS)
            session_close(s);
        if (!s->open) {
            free_place = free_place ? free_place : s;
        } else if (!strcmp(s->user, user)) {
            mine++;
            if (!oldest || s->used_ns < oldest->used_ns)
                oldest = s;
        }
    }
    return mine >= SESSIONS_PER_USER || !free_place ? oldest : free_place;
}

int session_new(struct trust *t, const struct identity *who, bool secure,
                char ret_token[TOKEN_TEXT], struct fault *why)
{
    if (!secure)
        return fault_set(why, FAULT_DENIED, NULL, "sessions are for HTTPS only");
    if (!accounts_find(t, who->user))
        return fault_set(why, FAULT_UNKNOWN, "user", "there is no such account");
    struct session *s = session_place(t, who->user);
    if (!s)
        return fault_set(why, FAULT_LIMIT, NULL, "%d sessions are open already", LIMIT_SESSIONS);
    make_token(ret_token);
    *s = (struct session){.open = true, .used_ns = trust_now(t)};
    trust_mac(t, ret_token, s->mac);
    snprintf(s->user, sizeof(s->user), "%s", who->user);
    return 0;
}

void session_cookie(const char *token, char *ret, size_t size)
{
    snprintf(ret, size, "%s=%s; Path=/; HttpOnly; Secure; SameSite=Strict%s", SESSION_COOKIE,
             token ? token : "", token ? "" : "; Max-Age=0");
}

static struct session *find_by_token(struct trust *t, const char *token, size_t len)
{
    char text[TOKEN_TEXT];
    uint8_t mac[32];
    if (len != TOKEN_TEXT - 1)
        return NULL;
    memcpy(text, token, len);
    text[len] = '\0';
    trust_mac(t, text, mac);
    for (unsigned i = 0; i < LIMIT_SESSIONS; i++)
        if (t->sessions[i].open && same_secret(t->sessions[i].mac, mac, 32))
            return &t->sessions[i];
    return NULL;
}

/* A browser may hold cookies of equal names for other paths: any may fit. */
static struct session *find_by_cookie(struct trust *t, const char *cookie)
{
    static const char name[] = SESSION_COOKIE "=";
    for (const char *s = cookie; s && *s;) {
        s += strspn(s, " \t;");
        size_t len = strcspn(s, ";");
        if (!strncmp(s, name, sizeof(name) - 1)) {
            const char *token = s + sizeof(name) - 1;
            struct session *found = find_by_token(t, token, len - (sizeof(name) - 1));
            if (found)
                return found;
        }
        s += len;
    }
    return NULL;
}

bool session_find(struct trust *t, const char *cookie, struct identity *ret_who)
{
    struct session *s = find_by_cookie(t, cookie);
    if (!s)
        return false;
    const struct account *a = accounts_find(t, s->user);
    if (!a || trust_now(t) - s->used_ns > IDLE_NS) {
        session_close(s);
        return false;
    }
    s->used_ns = trust_now(t);
    *ret_who = (struct identity){.groups = a->groups, .by = BY_COOKIE};
    snprintf(ret_who->user, sizeof(ret_who->user), "%s", a->name);
    return true;
}

void session_end(struct trust *t, const char *cookie)
{
    struct session *s = find_by_cookie(t, cookie);
    if (s)
        session_close(s);
}

void sessions_drop(struct trust *t, const char *name)
{
    for (unsigned i = 0; i < LIMIT_SESSIONS; i++)
        if (t->sessions[i].open && (!name || !strcmp(t->sessions[i].user, name)))
            session_close(&t->sessions[i]);
    for (unsigned i = 0; i < WAITING_TOKENS; i++)
        if (!name || !strcmp(t->tokens[i].user, name))
            t->tokens[i] = (struct token){0};
}

int token_make(struct trust *t, const struct identity *who, enum token_purpose purpose,
               char ret_token[TOKEN_TEXT])
{
    if (!accounts_find(t, who->user))
        return -EACCES;
    struct token *k = &t->tokens[t->token_next++ % WAITING_TOKENS];
    make_token(ret_token);
    *k = (struct token){.purpose = (int)purpose,
                        .until_ns = trust_now(t) + TOKEN_SECONDS * NSEC_PER_SEC};
    trust_mac(t, ret_token, k->mac);
    snprintf(k->user, sizeof(k->user), "%s", who->user);
    return 0;
}

bool token_take(struct trust *t, enum token_purpose purpose, const char *token,
                struct identity *ret_who)
{
    uint8_t mac[32];
    if (!token || strlen(token) != TOKEN_TEXT - 1)
        return false;
    trust_mac(t, token, mac);
    for (unsigned i = 0; i < WAITING_TOKENS; i++) {
        struct token *k = &t->tokens[i];
        if (!k->until_ns || !same_secret(k->mac, mac, 32))
            continue;
        struct token taken = *k;
        *k = (struct token){0};
        const struct account *a = accounts_find(t, taken.user);
        if (!a || taken.purpose != (int)purpose || taken.until_ns < trust_now(t))
            return false;
        *ret_who = (struct identity){.groups = a->groups, .by = BY_TOKEN};
        snprintf(ret_who->user, sizeof(ret_who->user), "%s", a->name);
        return true;
    }
    return false;
}
