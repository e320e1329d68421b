/* What stands around a packet of sound over HTTP: nothing for samples, an ADTS header, an Ogg page,
 * or the headers of a part of a multipart. Pure. */
#ifndef DELIVER_SOUND_HTTP_H
#define DELIVER_SOUND_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "media/packet.h"

struct stream;

#define SOUND_HTTP_HEAD 96
/* Its length. */
size_t sound_http_head(struct stream *s, const struct packet *p, bool parts,
                       char ret[SOUND_HTTP_HEAD]);

#endif
