/* Chance that repeats: the same numbers from the same seed. Any thread. */
#ifndef DEVICE_VIRTUAL_CAST_CHANCE_H
#define DEVICE_VIRTUAL_CAST_CHANCE_H

#include <stdint.h>

static inline uint64_t chance_mix(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}
static inline uint64_t chance_of(uint64_t seed, uint64_t a, uint64_t b)
{
    return chance_mix(chance_mix(chance_mix(seed + UINT64_C(0x9e3779b97f4a7c15)) ^ a) + b);
}
static inline uint64_t chance_next(uint64_t *state)
{
    return chance_mix(*state += UINT64_C(0x9e3779b97f4a7c15));
}
/* 0 ≤ … < 1 */
static inline double chance_unit(uint64_t x)
{
    return (double)(x >> 11) * 0x1p-53;
}

#endif
