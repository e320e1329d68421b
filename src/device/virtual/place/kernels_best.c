#include "device/virtual/place/kernels.h"

const struct place_kernels *place_kernels_best(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
        __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma"))
        return &kernels_avx2_place;
#endif
    return &kernels_plain_place;
}
