/* Coded pictures as pieces of a container (libavformat): an opening (MP4: ftyp and moov;
 * Matroska: everything before the first cluster), then one piece a packet (a moof and its
 * mdat; a cluster). Fragmented MP4 is ISO/IEC 14496-12 and -15, fit for CMAF (23000-19)
 * tracks; Matroska RFC 9559.
 *
 * A piece depends on its packet and the formats alone, so that pieces can be made when
 * somebody asks, in any order, and the same packet gives the same bytes. Times in it count
 * from the clock's zero. Pure functions; any thread. */
#ifndef MEDIA_MUX_H
#define MEDIA_MUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/stream.h"

struct buf;

enum container { CONTAINER_MP4, CONTAINER_MATROSKA };

/* Whether the container may hold it: MP4 has no JPEG here, and AAC is its only sound; Matroska has
 * all but G.726. */
bool mux_holds(enum container c, enum codec codec);
/* Appends to *ret the opening for `n` tracks, whose numbers are 1 to n (video first). Formats
 * are those of streams that have begun. 0, -EINVAL (parameter sets are missing or broken),
 * -ENOTSUP, -ENOMEM. */
int mux_opening(enum container c, const struct stream_format *tracks, int n, struct buf *ret);
/* The same for a packet of track `number`. A key stands alone. */
int mux_piece(enum container c, const struct stream_format *f, int number, const struct packet *p,
              struct buf *ret);

/* Ticks a second of a track's times, and the clock's time in them. */
int mux_hz(enum container c, const struct stream_format *f);
int64_t mux_ticks(int hz, int64_t time_ns);

/* The codec as RFC 6381 names it ("avc1.640028"); false: parameter sets are missing. */
#define MUX_CODEC_NAME 40
bool mux_codec_name(const struct stream_format *f, char ret[MUX_CODEC_NAME]);

#endif
