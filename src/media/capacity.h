/* How many pictures a second this machine codes, before it has tried: an estimate from what a
 * JPEG picture costs its processor (measured once, a few milliseconds, when it is first asked),
 * and from how many times dearer the live presets of the other codecs are. What a scene holds
 * makes a factor of two or three; pace.h puts right what proves wrong. Any thread. */
#ifndef MEDIA_CAPACITY_H
#define MEDIA_CAPACITY_H

#include "media/stream.h"

/* cores: how many of the machine's may be counted on; 0: all. An encoder of the machine's own is
 * taken to keep up with anything. */
double capacity_fps(enum codec codec, int width, int height, double cores);

#endif
