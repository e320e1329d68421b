/* VISCA messages, as Sony's command lists for its EVI and BRC cameras have them: what is sent
 * and how replies are cut out of what comes. Pure; any thread. */
#ifndef DEVICE_VISCA_PROTOCOL_H
#define DEVICE_VISCA_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

#define VISCA_MAX 16 /* bytes of one message, its end included */

struct visca_message {
    uint8_t bytes[VISCA_MAX];
    size_t len;
};

/* address: 1…7 on a serial line, 1 elsewhere. */
void visca_clear(struct visca_message *ret);  /* to all: forget what you do */
void visca_number(struct visca_message *ret); /* to all: number yourselves */
void visca_ask_pan_tilt(struct visca_message *ret, int address);
void visca_ask_zoom(struct visca_message *ret, int address);
/* Speeds signed, right and up positive, 0 stops: pan -24…24, tilt -20…20. */
void visca_drive(struct visca_message *ret, int address, int pan, int tilt);
void visca_turn_to(struct visca_message *ret, int address, int pan_speed, int tilt_speed, int pan,
                   int tilt);
void visca_zoom_drive(struct visca_message *ret, int address, int speed); /* -8…8, tele positive */
void visca_zoom_to(struct visca_message *ret, int address, int zoom);     /* 0…0x4000 */

enum visca_kind {
    VISCA_ACK,    /* taken, will be done */
    VISCA_DONE,   /* a command has ended */
    VISCA_ANSWER, /* to a question: data */
    VISCA_ERROR,  /* error: VISCA_… below */
    VISCA_OTHER,  /* noise, or nothing we asked for */
};
enum {
    VISCA_SYNTAX = 2,
    VISCA_FULL = 3,
    VISCA_CANCELLED = 4,
    VISCA_NO_SOCKET = 5,
    VISCA_NOT_NOW = 0x41,
};
struct visca_reply {
    enum visca_kind kind;
    int address, socket, error;
    uint8_t data[VISCA_MAX];
    size_t n;
};
/* The first message in what came. Its length, noise before it included; 0: more is needed. */
size_t visca_cut(const uint8_t *bytes, size_t len, struct visca_reply *ret);
/* -EBADMSG: it is no such answer. */
int visca_read_pan_tilt(const struct visca_reply *r, int *ret_pan, int *ret_tilt);
int visca_read_zoom(const struct visca_reply *r, int *ret_zoom);

/* The logarithm of the magnification at 0…0x4000, and back. The scale is that of the usual
 * 18-fold block; other lenses are taken to divide their range alike. */
#define VISCA_ZOOM_MAX 0x4000
double visca_zoom_log(int zoom, double max_zoom);
int visca_zoom_of_log(double zoom_log, double max_zoom);

#endif
