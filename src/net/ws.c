#include "net/ws.h"

#include <string.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/text.h"
#include "net/exchange.h"
#include "net/message.h"

bool ws_is_upgrade(const struct exchange *ex)
{
    const char *upgrade = exchange_header(ex, "Upgrade");
    return upgrade && header_has_token(upgrade, "websocket");
}

bool ws_offers(const struct exchange *ex, const char *protocol)
{
    for (size_t i = 0; i < ex->msg->n_headers; i++)
        if (text_iequal(ex->msg->headers[i].name, "Sec-WebSocket-Protocol") &&
            header_has_token(ex->msg->headers[i].value, protocol))
            return true;
    return false;
}

static bool key_is_valid(const char *key)
{
    uint8_t bytes[32];
    return strlen(key) == 24 && base64_bytes(key, 24, bytes, sizeof(bytes)) == 16;
}

struct conn *ws_accept(struct exchange *ex, const char *protocol, struct buf *ret_pending)
{
    const char *connection = exchange_header(ex, "Connection");
    const char *key = exchange_header(ex, "Sec-WebSocket-Key");
    const char *version = exchange_header(ex, "Sec-WebSocket-Version");
    if (!ws_is_upgrade(ex) || !connection || !header_has_token(connection, "upgrade") ||
        (version && strcmp(version, "13"))) {
        exchange_set_header(ex, "Upgrade", "websocket");
        exchange_set_header(ex, "Connection", "Upgrade");
        exchange_set_header(ex, "Sec-WebSocket-Version", "13");
        exchange_replyf(ex, 426, "text/plain", "This is a WebSocket, version 13\n");
        return NULL;
    }
    if (ex->method != METHOD_GET || ex->head_only || ex->msg->protocol != PROTO_HTTP11 ||
        !version || !key || !key_is_valid(key)) {
        exchange_replyf(ex, 400, "text/plain", "Malformed WebSocket upgrade\n");
        return NULL;
    }
    uint8_t sha[HASH_MAX];
    char text[64], proof[32];
    size_t key_len = strlen(key);
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    memcpy(text, key, key_len);
    memcpy(text + key_len, guid, sizeof(guid) - 1);
    hash_bytes(HASH_SHA1, text, key_len + sizeof(guid) - 1, sha);
    base64_of(sha, hash_len(HASH_SHA1), proof);
    buf_addf(ret_pending,
             "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Accept: %s\r\n",
             proof);
    if (protocol)
        buf_addf(ret_pending, "Sec-WebSocket-Protocol: %s\r\n", protocol);
    if (buf_adds(ret_pending, "\r\n") < 0) {
        exchange_reply(ex, 503, NULL, NULL, 0);
        return NULL;
    }
    return exchange_take_conn(ex);
}

size_t ws_header(uint8_t ret[10], enum ws_opcode op, uint64_t payload_len)
{
    ret[0] = (uint8_t)(0x80 | op);
    if (payload_len < 126) {
        ret[1] = (uint8_t)payload_len;
        return 2;
    }
    size_t n = payload_len < 65536 ? 2 : 8;
    ret[1] = n == 2 ? 126 : 127;
    for (size_t i = 0; i < n; i++)
        ret[2 + i] = (uint8_t)(payload_len >> (8 * (n - 1 - i)));
    return 2 + n;
}

struct frame_head {
    bool fin;
    enum ws_opcode op;
    size_t len, head_len;
    uint8_t mask[4];
};

/* 1: a head; 0: more is needed; or minus a close code. */
static int parse_head(const struct ws_reader *r, struct frame_head *ret)
{
    const uint8_t *b = (const uint8_t *)r->in->data;
    if (r->in->len < 2)
        return 0;
    struct frame_head f = {.fin = b[0] & 0x80, .op = (enum ws_opcode)(b[0] & 15)};
    bool control = f.op >= WS_CLOSE;
    if (b[0] & 0x70 || !(b[1] & 0x80)) /* extensions; a client must mask */
        return -1002;
    if (f.op > WS_PONG || (f.op > WS_BINARY && f.op < WS_CLOSE))
        return -1002;
    uint64_t len = b[1] & 0x7f;
    size_t more = len == 126 ? 2 : len == 127 ? 8 : 0;
    if (control && (!f.fin || more))
        return -1002;
    if (!control && (f.op == WS_CONT) != r->in_message)
        return -1002;
    f.head_len = 2 + more + 4;
    if (r->in->len < f.head_len)
        return 0;
    if (more) {
        len = 0;
        for (size_t i = 0; i < more; i++)
            len = len << 8 | b[2 + i];
        if (len < (more == 2 ? 126u : 65536u)) /* not the shortest form */
            return -1002;
    }
    size_t have = !control && r->in_message ? r->msg->len : 0;
    if (len > LIMIT_WS_MESSAGE - have)
        return -1009;
    f.len = (size_t)len;
    memcpy(f.mask, b + 2 + more, 4);
    *ret = f;
    return 1;
}

static int check_close(const uint8_t *payload, size_t len)
{
    if (len == 0)
        return 0;
    if (len == 1)
        return -1002;
    unsigned code = (unsigned)payload[0] << 8 | payload[1];
    bool known = (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
                 (code >= 3000 && code <= 4999);
    if (!known)
        return -1002;
    return text_is_utf8((const char *)payload + 2, len - 2) ? 0 : -1007;
}

static int take_frame(struct ws_reader *r, const struct frame_head *f, uint8_t *payload,
                      void (*message)(void *arg, enum ws_opcode op, const uint8_t *payload,
                                      size_t len),
                      void *arg)
{
    for (size_t i = 0; i < f->len; i++)
        payload[i] ^= f->mask[i & 3];
    if (f->op >= WS_CLOSE) {
        int err = f->op == WS_CLOSE ? check_close(payload, f->len) : 0;
        if (!err)
            message(arg, f->op, payload, f->len);
        return err;
    }
    if (!r->in_message) {
        r->op = f->op;
        r->in_message = true;
        buf_reset(r->msg);
    }
    if (buf_add(r->msg, payload, f->len) < 0)
        return -1009;
    if (!f->fin)
        return 0;
    r->in_message = false;
    if (r->op == WS_TEXT && !text_is_utf8(buf_str(r->msg), r->msg->len))
        return -1007;
    message(arg, r->op, (const uint8_t *)buf_str(r->msg), r->msg->len);
    buf_reset(r->msg);
    return 0;
}

int ws_feed(struct ws_reader *r, const void *bytes, size_t len,
            void (*message)(void *arg, enum ws_opcode op, const uint8_t *payload, size_t len),
            void *arg)
{
    const uint8_t *at = bytes;
    while (len) {
        /* In steps, so that `in` holds one frame and a little more at most. */
        size_t take = len < 16384 ? len : 16384;
        if (buf_add(r->in, at, take) < 0)
            return -1009;
        at += take;
        len -= take;
        size_t done = 0;
        for (;;) {
            struct buf rest = {.data = r->in->data + done, .len = r->in->len - done};
            struct ws_reader view = *r;
            view.in = &rest;
            struct frame_head f;
            int got = parse_head(&view, &f);
            if (got < 0)
                return got;
            if (got == 0 || rest.len - f.head_len < f.len)
                break;
            int err = take_frame(r, &f, (uint8_t *)rest.data + f.head_len, message, arg);
            if (err)
                return err;
            done += f.head_len + f.len;
        }
        buf_consume(r->in, done);
    }
    return 0;
}
