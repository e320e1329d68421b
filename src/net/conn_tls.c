/* TLS on a connection.
 *
 * What is written is encrypted record behind record into one buffer of the thread, which goes
 * out with one send: a picture costs as many system calls as it does in the clear. What the
 * socket did not take is kept here, and the owner, who has been told that only a part of his
 * bytes went, pays for the kept ones by offering them again; they are not looked at a second
 * time. So nothing is ever left behind that its owner believes to have gone. */
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "net/conn_inside.h"
#include "net/tls_private.h"

#define RECORD ((size_t)16384)
#define SEALED_MOST (8 * RECORD)   /* bytes of the owner in one send */
#define RECORD_LEAST ((size_t)512) /* a client may ask for such records (RFC 6066) */
#define RECORD_EXTRA 40            /* header, nonce, type and tag of any cipher */

/* Where records wait for their one send. */
static _Thread_local struct {
    bool open;
    size_t len;
    _Alignas(64) uint8_t bytes[SEALED_MOST + (SEALED_MOST / RECORD_LEAST + 8) * RECORD_EXTRA];
} sealed;

/* Sends what is kept. 0: all has gone; -EAGAIN or negative errno. */
static int send_rest(struct conn *c)
{
    while (c->rest_len) {
        ssize_t n = send(c->fd, c->rest + c->rest_at, c->rest_len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0)
            return -errno;
        c->rest_at += (size_t)n;
        c->rest_len -= (size_t)n;
    }
    free(c->rest);
    c->rest = NULL;
    c->rest_at = 0;
    return 0;
}

/* ---- OpenSSL's way out ---- */

static int bio_write(BIO *b, const char *bytes, int len)
{
    struct conn *c = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    if (sealed.open) {
        if ((size_t)len > sizeof(sealed.bytes) - sealed.len)
            return -1;
        memcpy(sealed.bytes + sealed.len, bytes, (size_t)len);
        sealed.len += (size_t)len;
        return len;
    }
    /* of the handshake, an answer to the peer's TLS, the farewell: behind what is kept */
    int err = send_rest(c);
    ssize_t n = err ? err : send(c->fd, bytes, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (err)
        errno = -err;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_write(b);
    return n < 0 ? -1 : (int)n;
}

static long bio_ctrl(BIO *b, int cmd, long num, void *arg)
{
    return cmd == BIO_CTRL_FLUSH;
}

static int bio_create(BIO *b)
{
    BIO_set_init(b, 1);
    return 1;
}

static BIO_METHOD *out_method;

static void make_method(void)
{
    out_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "connection");
    if (!out_method)
        return;
    BIO_meth_set_write(out_method, bio_write);
    BIO_meth_set_ctrl(out_method, bio_ctrl);
    BIO_meth_set_create(out_method, bio_create);
}

int tls_begin(struct conn *c, struct tls_server *tls)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_method);
    SSL *ssl = tls_session_new(tls, c->fd);
    BIO *out = ssl && out_method ? BIO_new(out_method) : NULL;
    if (!out) {
        SSL_free(ssl);
        ERR_clear_error();
        return -ENOMEM;
    }
    BIO_set_data(out, c);
    SSL_set0_wbio(ssl, out);
    c->ssl = ssl;
    c->tls = tls_server_ref(tls);
    return 0;
}

void tls_farewell(struct conn *c)
{
    if (!c->broken && SSL_is_init_finished(c->ssl))
        SSL_shutdown(c->ssl);
    ERR_clear_error();
}

void tls_end(struct conn *c)
{
    tls_farewell(c);
    SSL_free(c->ssl);
    tls_server_unref(c->tls);
    free(c->rest);
}

/* ---- bytes ---- */

/* What went wrong in OpenSSL, as read and write return it. */
static ssize_t tls_error(struct conn *c, int result, bool reading)
{
    int saved = errno;
    switch (SSL_get_error(c->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        c->tls_write_wants_in = !reading;
        if (reading)
            c->tls_read_wants_out = false;
        conn_update_watch(c);
        return -EAGAIN;
    case SSL_ERROR_WANT_WRITE:
        c->tls_read_wants_out = reading;
        if (!reading)
            c->tls_write_wants_in = false;
        conn_update_watch(c);
        return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return reading ? 0 : -EPIPE;
    case SSL_ERROR_SYSCALL:
        c->broken = true;
        ERR_clear_error();
        return saved ? -saved : -ECONNRESET;
    default:
        break;
    }
    unsigned long why = ERR_peek_error();
    c->broken = true;
    if (ERR_GET_LIB(why) == ERR_LIB_SSL && ERR_GET_REASON(why) == SSL_R_HTTP_REQUEST) {
        static const char plain[] = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n"
                                    "Content-Length: 33\r\nConnection: close\r\n\r\n"
                                    "This port speaks HTTPS, not HTTP\n";
        (void)!send(c->fd, plain, sizeof(plain) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        shutdown(c->fd, SHUT_WR);
    }
    ERR_clear_error();
    return -EPROTO;
}

ssize_t tls_read(struct conn *c, void *bytes, size_t len)
{
    if (c->broken)
        return -EPROTO;
    ERR_clear_error();
    errno = 0;
    int n = SSL_read(c->ssl, bytes, len > INT32_MAX ? INT32_MAX : (int)len);
    if (n <= 0)
        return tls_error(c, n, true);
    c->tls_read_wants_out = false;
    conn_update_watch(c);
    return n;
}

static ssize_t tls_write(struct conn *c, const void *bytes, size_t len)
{
    ERR_clear_error();
    errno = 0;
    int n = SSL_write(c->ssl, bytes, (int)len);
    if (n <= 0)
        return tls_error(c, n, false);
    c->tls_write_wants_in = false;
    return n;
}

/* Encrypts the first bytes into `sealed`; how many, or negative errno. Whole records as far as
 * possible: small pieces share one. */
static ssize_t seal(struct conn *c, const struct iovec *iov, int n)
{
    static _Thread_local uint8_t gather[RECORD];
    size_t at = 0, gathered = 0, sum = 0;
    ssize_t done = 0;
    sealed.len = 0;
    sealed.open = true;
    for (int i = 0; i < n && sum < SEALED_MOST && done >= 0;) {
        const uint8_t *from = (const uint8_t *)iov[i].iov_base + at;
        size_t left = iov[i].iov_len - at, take = left;
        if (take > SEALED_MOST - sum)
            take = SEALED_MOST - sum;
        bool direct = !gathered && (take >= RECORD || i + 1 == n);
        if (direct && i + 1 < n)
            take -= take % RECORD; /* its end shares a record with what follows */
        if (direct && take) {
            done = tls_write(c, from, take);
        } else if (take) {
            if (take > RECORD - gathered)
                take = RECORD - gathered;
            memcpy(gather + gathered, from, take);
            gathered += take;
        }
        sum += take;
        at += take;
        if (at == iov[i].iov_len)
            i++, at = 0;
        if (gathered == RECORD || (gathered && (i == n || sum == SEALED_MOST))) {
            done = tls_write(c, gather, gathered);
            gathered = 0;
        }
    }
    sealed.open = false;
    return done < 0 ? done : (ssize_t)sum;
}

/* What has been encrypted for the owner and did not go out: how much of his bytes he may count
 * as gone, or -EAGAIN. The kept bytes contain at most as many of his. */
static ssize_t paid(struct conn *c, size_t offered)
{
    size_t still = c->owed < c->rest_len ? c->owed : c->rest_len, gone = c->owed - still;
    if (gone > offered)
        gone = offered;
    c->owed -= gone;
    c->tls_write_wants_in = false;
    return gone ? (ssize_t)gone : -EAGAIN;
}

static ssize_t keep_rest(struct conn *c, size_t sent, size_t len)
{
    c->rest = malloc(sealed.len - sent);
    if (!c->rest) {
        c->broken = true;
        return -ENOMEM;
    }
    c->rest_at = 0;
    c->rest_len = sealed.len - sent;
    memcpy(c->rest, sealed.bytes + sent, c->rest_len);
    c->owed = len;
    return paid(c, len);
}

ssize_t tls_writev(struct conn *c, const struct iovec *iov, int n)
{
    size_t offered = 0;
    for (int i = 0; i < n; i++)
        offered += iov[i].iov_len;
    if (c->broken)
        return -EPROTO;
    if (!offered)
        return 0;
    if (c->owed) {
        int err = send_rest(c);
        if (err && err != -EAGAIN && err != -EINTR) {
            c->broken = true;
            return err;
        }
        return paid(c, offered);
    }
    if (!SSL_is_init_finished(c->ssl)) { /* the handshake comes first, and answers are awaited */
        while (!iov->iov_len)
            iov++;
        return tls_write(c, iov->iov_base, iov->iov_len < RECORD ? iov->iov_len : RECORD);
    }
    ssize_t len = seal(c, iov, n);
    if (len < 0)
        return len;
    ssize_t sent = send(c->fd, sealed.bytes, sealed.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent == (ssize_t)sealed.len)
        return len;
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        c->broken = true;
        return -errno;
    }
    return keep_rest(c, sent > 0 ? (size_t)sent : 0, (size_t)len);
}
