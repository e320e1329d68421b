#include "device/visca/protocol.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define END 0xff

static void set(struct visca_message *m, const uint8_t *bytes, size_t len)
{
    memcpy(m->bytes, bytes, len);
    m->bytes[len] = END;
    m->len = len + 1;
}
#define SET(m, ...) set(m, (const uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}))

static uint8_t to(int address)
{
    return (uint8_t)(0x80 | address);
}

static uint8_t nibble(int v, int n)
{
    return (uint8_t)(((unsigned)v >> (4 * n)) & 15);
}

void visca_clear(struct visca_message *ret)
{
    SET(ret, 0x88, 0x01, 0x00, 0x01);
}

void visca_number(struct visca_message *ret)
{
    SET(ret, 0x88, 0x30, 0x01);
}

void visca_ask_pan_tilt(struct visca_message *ret, int address)
{
    SET(ret, to(address), 0x09, 0x06, 0x12);
}

void visca_ask_zoom(struct visca_message *ret, int address)
{
    SET(ret, to(address), 0x09, 0x04, 0x47);
}

static uint8_t amount(int speed)
{
    return (uint8_t)(speed ? abs(speed) : 1);
}

void visca_drive(struct visca_message *ret, int address, int pan, int tilt)
{
    SET(ret, to(address), 0x01, 0x06, 0x01, amount(pan), amount(tilt),
        pan < 0   ? 1
        : pan > 0 ? 2
                  : 3,
        tilt > 0   ? 1
        : tilt < 0 ? 2
                   : 3);
}

void visca_turn_to(struct visca_message *ret, int address, int pan_speed, int tilt_speed, int pan,
                   int tilt)
{
    SET(ret, to(address), 0x01, 0x06, 0x02, amount(pan_speed), amount(tilt_speed), nibble(pan, 3),
        nibble(pan, 2), nibble(pan, 1), nibble(pan, 0), nibble(tilt, 3), nibble(tilt, 2),
        nibble(tilt, 1), nibble(tilt, 0));
}

void visca_zoom_drive(struct visca_message *ret, int address, int speed)
{
    uint8_t how = speed > 0   ? (uint8_t)(0x20 | (speed - 1))
                  : speed < 0 ? (uint8_t)(0x30 | (-speed - 1))
                              : 0;
    SET(ret, to(address), 0x01, 0x04, 0x07, how);
}

void visca_zoom_to(struct visca_message *ret, int address, int zoom)
{
    SET(ret, to(address), 0x01, 0x04, 0x47, nibble(zoom, 3), nibble(zoom, 2), nibble(zoom, 1),
        nibble(zoom, 0));
}

/* ---- replies ---- */

/* From a camera: its address plus eight in the upper half, nobody in the lower. */
static bool is_sender(uint8_t b)
{
    return b >= 0x90 && !(b & 15);
}

static void read_reply(const uint8_t *m, size_t len, struct visca_reply *ret)
{
    *ret = (struct visca_reply){.kind = VISCA_OTHER};
    if (len < 3 || !is_sender(m[0]))
        return;
    ret->address = (m[0] >> 4) - 8;
    ret->socket = m[1] & 15;
    ret->n = len - 3;
    memcpy(ret->data, m + 2, ret->n);
    switch (m[1] & 0xf0) {
    case 0x40:
        ret->kind = ret->n ? VISCA_OTHER : VISCA_ACK;
        break;
    case 0x50:
        ret->kind = ret->n ? VISCA_ANSWER : VISCA_DONE;
        break;
    case 0x60:
        ret->kind = ret->n == 1 ? VISCA_ERROR : VISCA_OTHER;
        ret->error = ret->data[0];
        break;
    default:
        break;
    }
}

size_t visca_cut(const uint8_t *bytes, size_t len, struct visca_reply *ret)
{
    const uint8_t *end = memchr(bytes, END, len);
    if (!end && len < VISCA_MAX)
        return 0;
    *ret = (struct visca_reply){.kind = VISCA_OTHER};
    if (!end) /* a message would have ended: keep what one may still begin in */
        return len - (VISCA_MAX - 1);
    size_t all = (size_t)(end - bytes) + 1, from = 0;
    if (all > VISCA_MAX)
        from = all - VISCA_MAX;
    while (from < all - 1 && !is_sender(bytes[from]))
        from++;
    read_reply(bytes + from, all - from, ret);
    return all;
}

static int join(const uint8_t *n)
{
    return (n[0] & 15) << 12 | (n[1] & 15) << 8 | (n[2] & 15) << 4 | (n[3] & 15);
}

static bool are_nibbles(const struct visca_reply *r, size_t n)
{
    bool yes = r->kind == VISCA_ANSWER && r->n == n;
    for (size_t i = 0; yes && i < n; i++)
        yes = r->data[i] < 16;
    return yes;
}

int visca_read_pan_tilt(const struct visca_reply *r, int *ret_pan, int *ret_tilt)
{
    if (!are_nibbles(r, 8))
        return -EBADMSG;
    *ret_pan = (int16_t)join(r->data);
    *ret_tilt = (int16_t)join(r->data + 4);
    return 0;
}

int visca_read_zoom(const struct visca_reply *r, int *ret_zoom)
{
    if (!are_nibbles(r, 4))
        return -EBADMSG;
    *ret_zoom = join(r->data);
    return 0;
}

/* ---- zoom ---- */

/* Positions of magnifications 1 to 18. */
static const int positions[] = {0x0000, 0x1606, 0x2151, 0x2860, 0x2cb5, 0x3060,
                                0x32d3, 0x3545, 0x3727, 0x38a9, 0x3a42, 0x3b4b,
                                0x3c85, 0x3d75, 0x3e4e, 0x3ef7, 0x3fa0, 0x4000};
#define MAGNIFICATIONS (int)(sizeof(positions) / sizeof(*positions))

double visca_zoom_log(int zoom, double max_zoom)
{
    double scale = log(max_zoom) / log(MAGNIFICATIONS);
    if (zoom <= 0)
        return 0;
    if (zoom >= VISCA_ZOOM_MAX) /* digital beyond */
        return log(max_zoom);
    int i = 1;
    while (positions[i] < zoom)
        i++;
    double share = (double)(zoom - positions[i - 1]) / (positions[i] - positions[i - 1]);
    return (log(i) + share * (log(i + 1) - log(i))) * scale;
}

int visca_zoom_of_log(double zoom_log, double max_zoom)
{
    double at = zoom_log / log(max_zoom) * log(MAGNIFICATIONS);
    if (!(at > 0))
        return 0;
    int i = 1;
    while (i < MAGNIFICATIONS - 1 && log(i + 1) < at)
        i++;
    double share = fmin(1, (at - log(i)) / (log(i + 1) - log(i)));
    return (int)lround(positions[i - 1] + share * (positions[i] - positions[i - 1]));
}
