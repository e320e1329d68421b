#include "trust/trust.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/loop.h"
#include "conf/param.h"
#include "net/digest.h"
#include "trust/trust_private.h"

#define CERT_FILE "tls/cert.pem"
#define CERT_MAX 65536
#define CERT_YEARS 10

static const char *const policies[] = {"basic", "digest", "basic_digest", "recommended", NULL};
static const char *const algorithms[] = {"both", "md5", "sha256", NULL};

static const struct param_row rows[] = {
    {.name = "Network.HTTP.AuthenticationPolicy",
     .type = PARAM_ENUM,
     PARAM_FIELD(struct trust_settings, policy),
     .choices = policies,
     .standard = "recommended",
     .read = ROLE_ADMIN,
     .write = ROLE_ADMIN,
     .doc = "How clients may log in: recommended is Digest, and Basic over HTTPS only"},
    {.name = "Network.HTTP.DigestAlgorithms",
     .type = PARAM_ENUM,
     PARAM_FIELD(struct trust_settings, http_algorithms),
     .choices = algorithms,
     .standard = "both",
     .read = ROLE_ADMIN,
     .write = ROLE_ADMIN,
     .doc = "Digest algorithms offered over HTTP and HTTPS"},
    {.name = "Network.RTSP.DigestAlgorithms",
     .type = PARAM_ENUM,
     PARAM_FIELD(struct trust_settings, rtsp_algorithms),
     .choices = algorithms,
     .standard = "md5",
     .read = ROLE_ADMIN,
     .write = ROLE_ADMIN,
     .doc = "Digest algorithms offered over RTSP; many players know MD5 only"},
};

const struct room_desc trust_params = {
    .name = "trust",
    .size = sizeof(struct trust_settings),
    .rows = rows,
    .n_rows = sizeof(rows) / sizeof(*rows),
};

void trust_use_params(struct trust *t, struct room *room)
{
    t->room = room;
}

struct trust_settings trust_settings(struct trust *t)
{
    if (!t->room)
        return (struct trust_settings){.policy = POLICY_RECOMMENDED,
                                       .http_algorithms = ALGORITHMS_BOTH,
                                       .rtsp_algorithms = ALGORITHMS_MD5};
    const struct trust_settings *s = room_ref(t->room);
    struct trust_settings copy = *s;
    room_unref(s);
    return copy;
}

int64_t trust_now(struct trust *t)
{
    return clock_now(loop_clock(t->loop));
}

void trust_mac(const struct trust *t, const char *text, uint8_t ret[32])
{
    hmac_sha256(t->mac_key, sizeof(t->mac_key), text, strlen(text), ret);
}

static int load_certificate(struct file_port *files, struct buf *ret)
{
    struct file *f;
    int err = file_open(files, CERT_FILE, O_RDONLY, &f);
    if (err)
        return err;
    int64_t size = file_size(f);
    ssize_t n = -EFBIG;
    if (size >= 0 && size <= CERT_MAX && !(err = buf_reserve(ret, (size_t)size)))
        n = file_read(f, ret->data, (size_t)size, 0);
    file_close(f);
    if (n < 0)
        return err ? err : (int)n;
    ret->len = (size_t)n;
    ret->data[ret->len] = '\0';
    return 0;
}

/* Public, so a plain PEM file that other programs can read. */
static int save_certificate(struct file_port *files, const char *pem)
{
    struct file *f;
    int err = file_mkdir(files, "tls");
    if (err || (err = file_open(files, CERT_FILE ".new", O_WRONLY | O_CREAT | O_TRUNC, &f)))
        return err;
    err = file_write(f, pem, strlen(pem), 0);
    if (!err)
        err = file_sync(f);
    file_close(f);
    if (!err)
        err = file_rename(files, CERT_FILE ".new", CERT_FILE);
    return err ? err : file_sync_dir(files, "tls");
}

static int make_certificate(struct trust *t, struct fault *why)
{
    uint8_t spki[512];
    int spki_len = keys_spki(t->keys, spki, sizeof(spki));
    if (spki_len < 0)
        return fault_set(why, FAULT_IO, "key agent", "it does not give its public key");
    char name[64], local[80];
    snprintf(name, sizeof(name), "vedette-%s", t->serial);
    for (char *s = name; *s; s++)
        *s = (char)tolower((unsigned char)*s);
    snprintf(local, sizeof(local), "%s.local", name);
    const char *const names[] = {local, name, "localhost", "127.0.0.1", "::1", NULL};
    char *pem = NULL;
    int err = tls_self_signed(spki, (size_t)spki_len, &t->tls_key, name, names,
                              clock_utc(loop_clock(t->loop)), CERT_YEARS, &pem, why);
    if (err)
        return err;
    t->tls = tls_server_new(pem, &t->tls_key, why);
    if (t->tls && (err = save_certificate(t->files, pem)))
        log_warn("trust", "the certificate could not be saved: %s", strerror(-err));
    free(pem);
    return t->tls ? 0 : -EIO;
}

static int open_certificate(struct trust *t, struct fault *why)
{
    BUF(pem, CERT_MAX);
    int err = load_certificate(t->files, &pem);
    if (!err) {
        struct fault unusable = {0};
        t->tls = tls_server_new(buf_str(&pem), &t->tls_key, &unusable);
        if (t->tls)
            return 0;
        log_warn("trust", "a new certificate is made, since %s", unusable.text);
    }
    return make_certificate(t, why);
}

struct trust *trust_new(struct loop *loop, struct jobs *jobs, struct file_port *files,
                        const char *serial, const char *agent_path, struct fault *why)
{
    struct trust *t = calloc(1, sizeof(*t));
    if (!t) {
        fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    t->loop = loop;
    t->files = files;
    snprintf(t->serial, sizeof(t->serial), "%s", serial);
    snprintf(t->realm, sizeof(t->realm), "AXIS_%s", t->serial);
    random_bytes(t->mac_key, sizeof(t->mac_key));
    t->nonces = nonces_new(NONCE_LIFETIME_S * NSEC_PER_SEC);
    t->throttle = throttle_new();
    t->tokens = calloc(WAITING_TOKENS, sizeof(*t->tokens));
    if (!t->nonces || !t->throttle || !t->tokens) {
        fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        return trust_free(t);
    }
    t->keys = keys_new(loop, files, t->realm, agent_path, why);
    if (!t->keys)
        return trust_free(t);
    t->tls_key = (struct tls_key){.sign = keys_sign, .arg = t->keys};
    int err = accounts_load(t);
    if (err) {
        fault_set(why, FAULT_IO, "key agent", "the accounts cannot be listed: %s", strerror(-err));
        return trust_free(t);
    }
    if (open_certificate(t, why) < 0)
        return trust_free(t);
    return t;
}

struct trust *trust_free(struct trust *t)
{
    if (!t)
        return NULL;
    tls_server_unref(t->tls);
    keys_free(t->keys);
    nonces_free(t->nonces);
    throttle_free(t->throttle);
    free(t->tokens);
    free(t);
    return NULL;
}

int trust_agent_path(char *ret, size_t size)
{
    /* Installed: beside the camera. In a build tree each program has its folder. */
    static const char *const places[] = {"vedette-agent", "agent/vedette-agent",
                                         "../agent/vedette-agent"};
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (n < 0)
        return -errno;
    self[n] = '\0';
    char *slash = strrchr(self, '/');
    if (!slash)
        return -ENOENT;
    slash[1] = '\0';
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        int len = snprintf(ret, size, "%s%s", self, places[i]);
        if (len > 0 && (size_t)len < size && !access(ret, X_OK))
            return 0;
    }
    return -ENOENT;
}

const char *trust_realm(const struct trust *t)
{
    return t->realm;
}

struct tls_server *trust_tls(struct trust *t)
{
    return t->tls;
}
