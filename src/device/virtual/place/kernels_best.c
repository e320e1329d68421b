#include "device/virtual/place/kernels.h"

#include "base/cpu.h"

const struct place_kernels *place_kernels_best(void)
{
#if defined(__x86_64__)
    if (cpu_avx2())
        return &kernels_avx2_place;
#endif
    return &kernels_plain_place;
}
