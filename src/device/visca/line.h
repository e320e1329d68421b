/* The way to a VISCA head: a serial line, TCP, or UDP with Sony's header (VISCA over IP).
 * The head's thread. */
#ifndef DEVICE_VISCA_LINE_H
#define DEVICE_VISCA_LINE_H

#include "device/head/driver.h"
#include "device/visca/protocol.h"

enum visca_way { VISCA_SERIAL, VISCA_TCP, VISCA_UDP };

struct visca_line {
    const struct head_host *host;
    enum visca_way way;
    const char *address; /* of the spec: "/dev/ttyUSB0" or "//host:port" */
    int baud;
    int fd; /* -1: not open */
    uint32_t sequence;
    uint8_t in[256];
    size_t n_in;
};

void visca_line_init(struct visca_line *l, const struct head_spec *spec,
                     const struct head_host *host);
int visca_line_open(struct visca_line *l); /* 0 when it is open already */
void visca_line_close(struct visca_line *l);
/* question: it is not a command (the UDP header says which). again: the same as before, since
 * no reply came. */
int visca_send(struct visca_line *l, const struct visca_message *m, bool question, bool again);
/* The next reply; noise is passed over. -ETIMEDOUT when none comes in time. With UDP only
 * replies to what was sent last, or later words about what was sent before (VISCA_DONE). */
int visca_receive(struct visca_line *l, int timeout_ms, struct visca_reply *ret);
void visca_drain(struct visca_line *l); /* forgets what came unasked */

#endif
