/* OBUs of AV1 (AV1 Bitstream Specification 5.3). Pure functions; any thread. */
#ifndef MEDIA_OBU_H
#define MEDIA_OBU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    OBU_SEQUENCE_HEADER = 1,
    OBU_TEMPORAL_DELIMITER,
    OBU_FRAME_HEADER,
    OBU_TILE_GROUP,
    OBU_METADATA,
    OBU_FRAME,
    OBU_REDUNDANT_FRAME_HEADER,
    OBU_TILE_LIST,
    OBU_PADDING = 15
};

struct obu {
    int type;
    const uint8_t *bytes; /* header, size and payload as they stand */
    size_t len;
    size_t header_len;      /* 1, or 2 with an extension */
    const uint8_t *payload; /* behind header and size */
    size_t payload_len;
};
/* The OBU at *at, which then stands behind it. 0; -ENOENT: the end; -EBADMSG: no OBU with its
 * size stands there. */
int obu_next(const uint8_t *bytes, size_t len, size_t *at, struct obu *ret);
/* leb128(): how many bytes `v` takes, written to ret (5 at most). */
size_t obu_leb128(uint32_t v, uint8_t *ret);

#endif
