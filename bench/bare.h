/* The bare codec libraries at the camera's settings: what a picture costs at least. */
#ifndef BENCH_BARE_H
#define BENCH_BARE_H

#include "media/picture.h"

struct bare_h264;
struct bare_h264 *bare_h264_new(int width, int height, double crf, int gop);
void bare_h264_encode(struct bare_h264 *b, const struct picture *p); /* throws the bytes away */
void bare_h264_free(struct bare_h264 *b);

struct bare_jpeg;
struct bare_jpeg *bare_jpeg_new(int width, int height, int quality);
void bare_jpeg_encode(struct bare_jpeg *b, const struct picture *p);
void bare_jpeg_free(struct bare_jpeg *b);

#endif
