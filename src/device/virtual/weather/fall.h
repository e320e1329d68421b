/* Where drops and flakes are: lattices of the world that move as a whole, one for each
 * shell of distances and each octave of zoom. Inside the weather. Pure functions. */
#ifndef DEVICE_VIRTUAL_WEATHER_FALL_H
#define DEVICE_VIRTUAL_WEATHER_FALL_H

#include "device/virtual/kernels.h"
#include "device/virtual/view.h"

/* Something that falls, as the enumeration hands it out. */
struct fallen {
    struct vec at;   /* relative to the eye, metres, at the asked time */
    double x, y, z;  /* the same in the camera's axes: right, up, ahead */
    uint64_t chance; /* random bits of its own, the same as long as it lives */
    float presence;  /* 0…1: fades in with the zoom's octave */
};

#define FALL_SIZES 17

struct fall {
    const struct kernels *kernels;
    const struct view *view;
    struct vec drift; /* how far the lattice has moved until now, metres */
    uint64_t salt;
    double near_m, far_m; /* of the shell, along the optical axis */
    double cell_m;
    double share; /* of the places that are taken, 0…1 */
    float presence;
    double margin_m; /* looks that much beyond the picture's borders */
    /* Whole box instead of the view's shell, when far_m is 0: */
    struct vec box_lo, box_hi;
    /* By classes of what fall_size() tells: square of how far from the middle (relative to the
     * eye) there may be any that is wanted; INFINITY: everywhere, and below 0: nowhere. The larger,
     * the farther. */
    struct vec middle;
    double reach2[FALL_SIZES];
};

typedef void (*fall_fn)(void *ctx, const struct fallen *f);
void fall_each(const struct fall *f, fall_fn fn, void *ctx);

static inline uint64_t fall_mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}
/* 0…1 from 16 bits of chance. */
static inline double fall_unit(uint64_t chance, int shift)
{
    return ((double)(chance >> shift & 0xffff) + 0.5) / 65536;
}

/* In which class of sizes something is, by the lowest 16 bits of its chance: fall_unit(chance, 0)
 * is below 2^-n, and not below 2^-(n + 1). */
static inline int fall_size(uint64_t chance)
{
    return __builtin_clz((uint32_t)(chance << 16 | 0x8000));
}

#endif
