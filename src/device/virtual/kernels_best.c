#include "device/virtual/kernels.h"

#include "base/cpu.h"

const struct kernels *kernels_best(void)
{
#if defined(__x86_64__)
    if (cpu_avx512())
        return &kernels_avx512;
    if (cpu_avx2())
        return &kernels_avx2;
#endif
    return &kernels_plain;
}
