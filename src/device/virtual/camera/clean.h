/* The developed picture before its noise, kept from one picture to the next: only what has
 * been touched is developed anew. One thread. */
#ifndef DEVICE_VIRTUAL_CAMERA_CLEAN_H
#define DEVICE_VIRTUAL_CAMERA_CLEAN_H

#include <stdbool.h>
#include <stdint.h>

#include "device/virtual/kernels.h"
#include "device/virtual/radiance.h"

struct clean;
struct picture;

/* Noise behind the transfer curve: shot noise has nearly the same size everywhere there,
 * read noise shows in the dark. Shares of full scale, of one colour, in the dark. */
struct clean_noise {
    double shot, read;
};

/* Width and height even. NULL: out of memory. */
struct clean *clean_new(int width, int height);
struct clean *clean_free(struct clean *c);
/* Develops what of `l` has been touched, or all of it when it is another picture or another
 * curve than before; then none of it is touched. Without l->touched: all. */
void clean_develop(struct clean *c, const struct kernels *k, const struct sensor_curve *curve,
                   struct radiance *l);
/* The picture that was developed, with its noise: a pure function of that, `key` and `n`.
 * grey: without colour. Sets all of `to`, also its colour matrix and range. */
void clean_print(const struct clean *c, const struct kernels *k, const struct clean_noise *n,
                 uint64_t key, bool grey, struct picture *to);
/* What clean_print() does with a sample, for tests: 8-bit steps of luma (and of each chroma)
 * that a noise of one sigma makes where luma is 0…1. */
void clean_noise_of(const struct clean_noise *n, struct sensor_noise *ret);

#endif
