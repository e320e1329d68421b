#include "keeper.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "trust/wire.h"
#include "vault.h"

#define NAME_MAX_LEN 64
#define PASSWORD_MAX_LEN 64
#define ACCOUNTS_MAX 100
#define STATE_MAGIC "vedette keeper 1"

struct verifier {
    char name[NAME_MAX_LEN + 1];
    char comment[NAME_MAX_LEN + 1];
    uint32_t groups;
    char ha1_md5[2 * HASH_MAX + 1], ha1_sha256[2 * HASH_MAX + 1];
};

struct keeper {
    struct vault vault;
    char realm[65];
    EVP_PKEY *key;
    struct verifier accounts[ACCOUNTS_MAX];
    size_t n;
    struct verifier nobody; /* checked against for names that do not exist */
};

/* --- saving --- */

static void put_field(struct buf *b, const void *bytes, size_t len)
{
    uint8_t head[2] = {(uint8_t)(len >> 8), (uint8_t)len};
    buf_add(b, head, 2);
    buf_add(b, bytes, len);
}

static int save(struct keeper *k)
{
    BUF(state, VAULT_MAX);
    unsigned char *der = NULL;
    int der_len = i2d_PrivateKey(k->key, &der);
    if (der_len <= 0)
        return -ENOMEM;
    buf_reserve(&state, 1024 + k->n * sizeof(struct verifier)); /* grows once: no stray copies */
    put_field(&state, STATE_MAGIC, strlen(STATE_MAGIC));
    put_field(&state, der, (size_t)der_len);
    OPENSSL_clear_free(der, (size_t)der_len);
    for (size_t i = 0; i < k->n; i++) {
        const struct verifier *v = &k->accounts[i];
        uint8_t groups = (uint8_t)v->groups;
        put_field(&state, v->name, strlen(v->name));
        put_field(&state, v->comment, strlen(v->comment));
        put_field(&state, &groups, 1);
        put_field(&state, v->ha1_md5, strlen(v->ha1_md5));
        put_field(&state, v->ha1_sha256, strlen(v->ha1_sha256));
    }
    int err = state.err ? state.err : vault_save(&k->vault, state.data, state.len);
    if (state.data)
        OPENSSL_cleanse(state.data, state.len);
    return err;
}

static const uint8_t *take_field(const uint8_t **at, const uint8_t *end, size_t *ret_len)
{
    if (end - *at < 2)
        return NULL;
    size_t len = (size_t)(*at)[0] << 8 | (*at)[1];
    if (len > (size_t)(end - *at) - 2)
        return NULL;
    const uint8_t *field = *at + 2;
    *at += 2 + len;
    *ret_len = len;
    return field;
}

static bool take_text(const uint8_t **at, const uint8_t *end, char *ret, size_t size)
{
    size_t len = 0;
    const uint8_t *field = take_field(at, end, &len);
    if (!field || len >= size)
        return false;
    memcpy(ret, field, len);
    ret[len] = '\0';
    return true;
}

static int restore(struct keeper *k, const uint8_t *at, size_t state_len)
{
    const uint8_t *end = at + state_len;
    char magic[32];
    size_t len = 0;
    if (!take_text(&at, end, magic, sizeof(magic)) || strcmp(magic, STATE_MAGIC))
        return -EBADMSG;
    const unsigned char *der = take_field(&at, end, &len);
    if (!der)
        return -EBADMSG;
    k->key = d2i_AutoPrivateKey(NULL, &der, (long)len);
    if (!k->key)
        return -EBADMSG;
    while (at < end) {
        if (k->n == ACCOUNTS_MAX)
            return -EBADMSG;
        struct verifier *v = &k->accounts[k->n];
        const uint8_t *groups;
        if (!take_text(&at, end, v->name, sizeof(v->name)) ||
            !take_text(&at, end, v->comment, sizeof(v->comment)) ||
            !(groups = take_field(&at, end, &len)) || len != 1 ||
            !take_text(&at, end, v->ha1_md5, sizeof(v->ha1_md5)) ||
            !take_text(&at, end, v->ha1_sha256, sizeof(v->ha1_sha256)))
            return -EBADMSG;
        v->groups = *groups;
        k->n++;
    }
    return 0;
}

static int load(struct keeper *k)
{
    BUF(state, VAULT_MAX);
    int err = vault_load(&k->vault, &state);
    if (!err)
        err = restore(k, (const uint8_t *)state.data, state.len);
    if (state.data)
        OPENSSL_cleanse(state.data, state.len);
    if (err != -ENOENT)
        return err;
    k->key = EVP_EC_gen("P-256");
    return k->key ? save(k) : -ENOMEM;
}

struct keeper *keeper_new(struct file_port *files, int *ret_err)
{
    struct keeper *k = calloc(1, sizeof(*k));
    int err = k ? vault_open(&k->vault, files) : -ENOMEM;
    if (!err)
        err = load(k);
    if (err) {
        *ret_err = err;
        return keeper_free(k);
    }
    uint8_t noise[48];
    random_bytes(noise, sizeof(noise));
    hex_of(noise, 16, k->nobody.ha1_md5);
    hex_of(noise + 16, 32, k->nobody.ha1_sha256);
    return k;
}

struct keeper *keeper_free(struct keeper *k)
{
    if (!k)
        return NULL;
    EVP_PKEY_free(k->key);
    vault_close(&k->vault);
    OPENSSL_cleanse(k, sizeof(*k));
    free(k);
    return NULL;
}

/* --- answers: 0 or a positive errno; fields are added only on 0 --- */

/* Looks at all of every row, so that names cannot be found by timing. `name` is
 * padded with zeros to its full size, as the rows are. */
static struct verifier *find(struct keeper *k, const char name[NAME_MAX_LEN + 1])
{
    struct verifier *found = NULL;
    for (size_t i = 0; i < k->n; i++)
        if (same_secret(k->accounts[i].name, name, NAME_MAX_LEN + 1))
            found = &k->accounts[i];
    return found;
}

static int hello(struct keeper *k, struct wire *in, struct wire *out)
{
    char realm[sizeof(k->realm)];
    if (!wire_get_text(in, realm, sizeof(realm)) || !wire_ended(in) || !*realm)
        return EINVAL;
    memcpy(k->realm, realm, sizeof(realm));
    return 0;
}

static int spki(struct keeper *k, struct wire *in, struct wire *out)
{
    if (!wire_ended(in))
        return EINVAL;
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(k->key, &der);
    if (len <= 0)
        return ENOMEM;
    wire_put(out, der, (size_t)len);
    OPENSSL_free(der);
    return 0;
}

static int sign(struct keeper *k, struct wire *in, struct wire *out)
{
    size_t len = 0, sig_len = 128;
    uint8_t sig[128];
    const uint8_t *digest = wire_get(in, &len);
    if (!wire_ended(in) || len < 20 || len > 64)
        return EINVAL;
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(k->key, NULL);
    bool ok = c && EVP_PKEY_sign_init(c) == 1 && EVP_PKEY_sign(c, sig, &sig_len, digest, len) == 1;
    EVP_PKEY_CTX_free(c);
    if (!ok)
        return EIO;
    wire_put(out, sig, sig_len);
    return 0;
}

static void make_verifiers(const struct keeper *k, struct verifier *v, const char *password)
{
    const char *const parts[] = {v->name, ":", k->realm, ":", password};
    hash_hex(HASH_MD5, v->ha1_md5, 5, parts);
    hash_hex(HASH_SHA256, v->ha1_sha256, 5, parts);
}

/* Saved before it is answered; undone if it cannot be saved. */
static int set(struct keeper *k, struct wire *in, struct wire *out)
{
    char name[NAME_MAX_LEN + 1] = "", comment[NAME_MAX_LEN + 1] = "";
    char password[PASSWORD_MAX_LEN + 1] = "";
    uint32_t flags = wire_get_u32(in);
    wire_get_text(in, name, sizeof(name));
    wire_get_text(in, password, sizeof(password));
    uint32_t groups = wire_get_u32(in);
    wire_get_text(in, comment, sizeof(comment));
    if (!wire_ended(in) || !*name || groups > 15 || !*k->realm ||
        (flags & WIRE_SET_PASSWORD && !*password))
        return EINVAL;

    struct verifier *v = find(k, name);
    bool make = flags & WIRE_SET_NEW;
    if (make && (v || (flags & WIRE_SET_FIRST && k->n)))
        return EEXIST;
    if (make && k->n == ACCOUNTS_MAX)
        return ENOSPC;
    if (make && !(flags & WIRE_SET_PASSWORD))
        return EINVAL;
    if (!make && !v)
        return ENOENT;
    if (make) {
        v = &k->accounts[k->n++];
        *v = (struct verifier){0};
        memcpy(v->name, name, sizeof(name));
    }
    struct verifier before = *v;
    if (flags & WIRE_SET_PASSWORD)
        make_verifiers(k, v, password);
    if (flags & WIRE_SET_GROUPS)
        v->groups = groups;
    if (flags & WIRE_SET_COMMENT)
        memcpy(v->comment, comment, sizeof(comment));
    OPENSSL_cleanse(password, sizeof(password));
    int err = save(k);
    if (err) {
        *v = before;
        k->n -= make;
    }
    OPENSSL_cleanse(&before, sizeof(before));
    return -err;
}

static int remove_account(struct keeper *k, struct wire *in, struct wire *out)
{
    char name[NAME_MAX_LEN + 1] = "";
    if (!wire_get_text(in, name, sizeof(name)) || !wire_ended(in))
        return EINVAL;
    struct verifier *v = find(k, name);
    if (!v)
        return ENOENT;
    struct verifier before = *v;
    size_t i = (size_t)(v - k->accounts);
    memmove(v, v + 1, (k->n - i - 1) * sizeof(*v));
    k->n--;
    int err = save(k);
    if (err) {
        memmove(v + 1, v, (k->n - i) * sizeof(*v));
        *v = before;
        k->n++;
    } else {
        OPENSSL_cleanse(&k->accounts[k->n], sizeof(*v));
    }
    OPENSSL_cleanse(&before, sizeof(before));
    return -err;
}

static int clear(struct keeper *k, struct wire *in, struct wire *out)
{
    if (!wire_ended(in))
        return EINVAL;
    size_t n = k->n;
    k->n = 0;
    int err = save(k);
    if (err)
        k->n = n;
    else
        OPENSSL_cleanse(k->accounts, sizeof(k->accounts));
    return -err;
}

static int list(struct keeper *k, struct wire *in, struct wire *out)
{
    uint32_t i = wire_get_u32(in);
    if (!wire_ended(in))
        return EINVAL;
    if (i >= k->n)
        return ENOENT;
    wire_put_text(out, k->accounts[i].name);
    wire_put_u32(out, k->accounts[i].groups);
    wire_put_text(out, k->accounts[i].comment);
    return 0;
}

static int allow(const struct verifier *v, bool same, struct wire *out)
{
    if (!v || !same)
        return EACCES;
    wire_put_u32(out, v->groups);
    return 0;
}

static int check_digest(struct keeper *k, struct wire *in, struct wire *out)
{
    char name[NAME_MAX_LEN + 1] = "";
    char middle[640], method[33], uri[4097], response[2 * HASH_MAX + 1];
    uint32_t h = wire_get_u32(in);
    wire_get_text(in, name, sizeof(name));
    wire_get_text(in, middle, sizeof(middle));
    wire_get_text(in, method, sizeof(method));
    wire_get_text(in, uri, sizeof(uri));
    wire_get_text(in, response, sizeof(response));
    if (!wire_ended(in) || (h != HASH_MD5 && h != HASH_SHA256))
        return EINVAL;
    enum hash hash = (enum hash)h;
    if (strlen(response) != 2 * hash_len(hash))
        return EACCES;
    for (char *s = response; *s; s++)
        *s = (char)(*s >= 'A' && *s <= 'F' ? *s | 0x20 : *s);

    const struct verifier *v = find(k, name), *judged = v ? v : &k->nobody;
    char ha2[2 * HASH_MAX + 1], ours[2 * HASH_MAX + 1];
    const char *const a2[] = {method, ":", uri};
    hash_hex(hash, ha2, 3, a2);
    const char *const all[] = {hash == HASH_MD5 ? judged->ha1_md5 : judged->ha1_sha256, ":", middle,
                               ":", ha2};
    hash_hex(hash, ours, 5, all);
    return allow(v, same_secret(ours, response, 2 * hash_len(hash)), out);
}

static int check_password(struct keeper *k, struct wire *in, struct wire *out)
{
    char password[257];
    struct verifier tried = {0};
    wire_get_text(in, tried.name, sizeof(tried.name));
    wire_get_text(in, password, sizeof(password));
    if (!wire_ended(in) || !*k->realm)
        return EINVAL;
    const struct verifier *v = find(k, tried.name), *judged = v ? v : &k->nobody;
    make_verifiers(k, &tried, password);
    OPENSSL_cleanse(password, sizeof(password));
    int err = allow(v, same_secret(tried.ha1_sha256, judged->ha1_sha256, 64), out);
    OPENSSL_cleanse(&tried, sizeof(tried));
    return err;
}

void keeper_answer(struct keeper *k, struct wire *request, struct wire *ret_reply)
{
    static int (*const answers[])(struct keeper * k, struct wire * in, struct wire * out) = {
        [WIRE_HELLO] = hello,
        [WIRE_SPKI] = spki,
        [WIRE_SIGN] = sign,
        [WIRE_SET] = set,
        [WIRE_REMOVE] = remove_account,
        [WIRE_CLEAR] = clear,
        [WIRE_LIST] = list,
        [WIRE_DIGEST] = check_digest,
        [WIRE_PASSWORD] = check_password,
    };
    request->at = 0;
    request->bad = false;
    unsigned version = wire_byte(request), op = wire_byte(request);
    wire_begin(ret_reply, 0);
    int err = EINVAL;
    if (!request->bad && version == WIRE_VERSION && op < sizeof(answers) / sizeof(*answers) &&
        answers[op])
        err = answers[op](k, request, ret_reply);
    if (err || ret_reply->bad)
        wire_begin(ret_reply, (uint8_t)(err ? err : EMSGSIZE));
}
