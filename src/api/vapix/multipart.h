/* Bodies of several parts (RFC 7578, RFC 2046): what browsers and curl -F send. Any thread. */
#ifndef API_VAPIX_MULTIPART_H
#define API_VAPIX_MULTIPART_H

#include <stddef.h>

#define MULTIPART_PARTS 8
#define MULTIPART_HEADER_BYTES 2048 /* of one part */

struct multipart_part {
    char name[64], filename[128], type[64]; /* "" when not said; cut off where longer */
    const char *bytes;                      /* borrowed from the body */
    size_t len;
};

/* content_type: the header of the message. Number of parts, or -EINVAL: no such body, damaged,
 * or more parts than that. */
int multipart_parse(const char *content_type, const char *body, size_t len,
                    struct multipart_part ret[MULTIPART_PARTS]);

#endif
