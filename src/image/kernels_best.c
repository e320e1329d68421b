#include "base/cpu.h"
#include "image/kernels.h"

const struct image_kernels *image_kernels_best(void)
{
#if defined(__x86_64__)
    if (cpu_avx2())
        return &image_kernels_avx2;
#endif
    return &image_kernels_plain;
}
