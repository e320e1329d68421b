/* The sound beside the pictures of a demuxer: inside demux.c. Owner thread. */
#ifndef MEDIA_DEMUX_SOUND_H
#define MEDIA_DEMUX_SOUND_H

#include <libavformat/avformat.h>
#include <stdint.h>

struct demux_sound;

/* Of the best stream of sound; NULL: there is none that can be decoded. */
struct demux_sound *demux_sound_open(AVFormatContext *format, int picture_stream);
struct demux_sound *demux_sound_close(struct demux_sound *s);
int demux_sound_stream(const struct demux_sound *s); /* its number; −1 for NULL */
/* Decodes a packet of that stream; samples of SOUND_HZ, one channel, through heard(), with the time
 * of the first in the file (or since the stream began). */
void demux_sound_take(struct demux_sound *s, AVPacket *packet,
                      void (*heard)(void *arg, const int16_t *sample, int n, int64_t time_ns),
                      void *arg);
void demux_sound_flush(struct demux_sound *s); /* the file begins anew */

#endif
