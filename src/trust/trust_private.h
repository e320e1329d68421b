/* The inside of struct trust, for the files of this room. */
#ifndef TRUST_TRUST_PRIVATE_H
#define TRUST_TRUST_PRIVATE_H

#include <stdint.h>

#include "net/exchange.h"
#include "net/limits.h"
#include "net/tls.h"
#include "trust/accounts.h"
#include "trust/keys.h"
#include "trust/throttle.h"
#include "trust/trust.h"

#define NONCE_LIFETIME_S 300
#define BASIC_CACHE 64
#define BASIC_CACHE_S 60
#define WAITING_TOKENS 1024

enum auth_policy { POLICY_BASIC, POLICY_DIGEST, POLICY_BASIC_DIGEST, POLICY_RECOMMENDED };
enum algorithms { ALGORITHMS_BOTH, ALGORITHMS_MD5, ALGORITHMS_SHA256 };

struct trust_settings {
    int policy;                           /* enum auth_policy */
    int http_algorithms, rtsp_algorithms; /* enum algorithms */
};

/* A Basic header that was right a moment ago. */
struct basic_hit {
    uint8_t mac[32]; /* keyed hash of the header */
    char user[ACCOUNT_NAME_MAX + 1];
    int64_t until_ns; /* 0: free */
};

struct session {
    uint8_t mac[32]; /* of the token; 128 random bits are the secret */
    char user[ACCOUNT_NAME_MAX + 1];
    int64_t used_ns;
    bool open;
};

struct token {
    uint8_t mac[32];
    char user[ACCOUNT_NAME_MAX + 1];
    int64_t until_ns; /* 0: free */
    int purpose;
};

struct trust {
    struct loop *loop;
    struct file_port *files;
    struct room *room; /* NULL: defaults */
    char serial[32], realm[40];
    struct keys *keys;
    struct tls_key tls_key;
    struct tls_server *tls;
    uint8_t mac_key[32];

    struct account accounts[LIMIT_ACCOUNTS]; /* a copy of what the agent lists */
    size_t n_accounts;
    struct account_listener *listeners;

    struct nonces *nonces;
    struct throttle *throttle;
    struct basic_hit basic[BASIC_CACHE];
    unsigned basic_next;
    struct session sessions[LIMIT_SESSIONS];
    struct token *tokens; /* WAITING_TOKENS */
    unsigned token_next;
};

int64_t trust_now(struct trust *t);
struct trust_settings trust_settings(struct trust *t);
void trust_mac(const struct trust *t, const char *text, uint8_t ret[32]);
/* Copies the agent's list. */
int accounts_load(struct trust *t);
/* Ends what an account has open; NULL: all. */
void sessions_drop(struct trust *t, const char *name);
void basic_drop(struct trust *t);

#endif
