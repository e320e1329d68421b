/* The noise of a developed picture, which becomes samples of a picture. Compiled like kernels.c. */
#include "device/virtual/camera/kernels_inside.h"
#include "device/virtual/kernels_inside.h"

#ifdef __AVX2__
/* Sixteen samples with their noise; `size`: that of each, in 256ths of a step. */
INLINE __m128i noisy16(__m256i clean, const int8_t *noise, __m256i size, int lo, int hi)
{
    __m256i n = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)noise));
    n = _mm256_mulhrs_epi16(_mm256_slli_epi16(n, 7), size);
    n = _mm256_add_epi16(_mm256_add_epi16(clean, n), _mm256_set1_epi16(STEPS / 2));
    n = _mm256_srai_epi16(n, 6);
    n = _mm256_min_epi16(_mm256_max_epi16(n, _mm256_set1_epi16((short)lo)),
                         _mm256_set1_epi16((short)hi));
    return _mm_packus_epi16(_mm256_castsi256_si128(n), _mm256_extracti128_si256(n, 1));
}

/* The points of sizes, and how much more the next ones are, in bytes that can be looked up. */
struct sizes16 {
    __m256i at_low, at_high, more_low, more_high, white;
};

INLINE __m256i bytes_of(const int16_t *v, int shift)
{
    uint8_t b[16];
    for (int i = 0; i < NOISE_POINTS; i++)
        b[i] = (uint8_t)((uint16_t)v[i] >> shift);
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)b));
}

INLINE struct sizes16 sizes_of(const struct sensor_noise *s)
{
    int16_t more[NOISE_POINTS] = {0};
    for (int i = 0; i + 1 < NOISE_POINTS; i++)
        more[i] = (int16_t)(s->at[i + 1] - s->at[i]);
    return (struct sizes16){bytes_of(s->at, 0), bytes_of(s->at, 8), bytes_of(more, 0),
                            bytes_of(more, 8), _mm256_set1_epi16(s->white)};
}

INLINE __m256i look_up16(__m256i low, __m256i high, __m256i point)
{
    __m256i first = _mm256_or_si256(point, _mm256_set1_epi16((short)0x8000));
    __m256i second = _mm256_or_si256(_mm256_slli_epi16(point, 8), _mm256_set1_epi16(0x80));
    return _mm256_or_si256(_mm256_shuffle_epi8(low, first), _mm256_shuffle_epi8(high, second));
}

INLINE __m256i size16(const struct sizes16 *s, __m256i luma)
{
    __m256i point = _mm256_srli_epi16(luma, 10);
    __m256i way = _mm256_slli_epi16(_mm256_and_si256(luma, _mm256_set1_epi16(NOISE_SPLIT - 1)), 5);
    __m256i size =
        _mm256_add_epi16(look_up16(s->at_low, s->at_high, point),
                         _mm256_mulhrs_epi16(look_up16(s->more_low, s->more_high, point), way));
    return _mm256_and_si256(size, _mm256_cmpgt_epi16(s->white, luma));
}
#endif

INLINE int size_of(const struct sensor_noise *s, int luma)
{
    if (luma >= s->white)
        return 0;
    int i = luma >> 10, more = i + 1 < NOISE_POINTS ? (int16_t)(s->at[i + 1] - s->at[i]) : 0;
    return s->at[i] + share_of(more, (luma & (NOISE_SPLIT - 1)) << 5);
}

INLINE uint8_t noisy(int clean, int noise, int size, int lo, int hi)
{
    int v = (clean + share_of(noise * 128, size) + STEPS / 2) >> 6;
    return (uint8_t)(v < lo ? lo : v > hi ? hi : v);
}

/* Which of two rows is meant at a pixel. */
INLINE int row_of(const uint8_t *which, int x)
{
    return which && which[x / CELL];
}

INLINE void noise_luma(const struct sensor_noise *s, const uint16_t *const luma[2],
                       const uint8_t *which, const int8_t *noise, int n, uint8_t *to)
{
    int i = 0;
#ifdef __AVX2__
    const struct sizes16 sizes = sizes_of(s);
    for (; i + CELL <= n; i += CELL) {
        __m256i y = load16(luma[row_of(which, i)] + i);
        EXPECT_READ(luma[0] + i, n);
        if (i % 32 == 0)
            EXPECT_WRITE(to + i, n);
        _mm_storeu_si128((__m128i *)(to + i), noisy16(y, noise + i, size16(&sizes, y), 16, 235));
    }
#endif
    for (; i < n; i++) {
        int y = luma[row_of(which, i)][i];
        to[i] = noisy(y, noise[i], size_of(s, y), 16, 235);
    }
}

INLINE void noise_chroma(const struct sensor_noise *s, const uint16_t *const luma[2],
                         const uint16_t *const chroma[2][2], const uint8_t *which,
                         const int8_t *const noise[2], int n, uint8_t *const to[2])
{
    int i = 0;
#ifdef __AVX2__
    const struct sizes16 sizes = sizes_of(s);
    const __m256i even = _mm256_set1_epi32(0xffff);
    for (; i + 16 <= n; i += 16) {
        int left = row_of(which, 2 * i), right = row_of(which, 2 * i + CELL);
        __m256i a = load16(luma[left] + 2 * i), b = load16(luma[right] + 2 * i + CELL);
        a = _mm256_packus_epi32(_mm256_and_si256(a, even), _mm256_and_si256(b, even));
        __m256i size = size16(&sizes, _mm256_permute4x64_epi64(a, 0xd8));
        for (int k = 0; k < 2; k++) {
            EXPECT_READ(chroma[0][k] + i, n / 2);
            __m256i own = _mm256_mulhrs_epi16(size, _mm256_set1_epi16(s->chroma[k]));
            __m256i c = _mm256_loadu2_m128i((const __m128i *)(chroma[right][k] + i + 8),
                                            (const __m128i *)(chroma[left][k] + i));
            _mm_storeu_si128((__m128i *)(to[k] + i), noisy16(c, noise[k] + i, own, 16, 240));
        }
    }
#endif
    for (; i < n; i++) {
        int row = row_of(which, 2 * i), size = size_of(s, luma[row][2 * i]);
        for (int k = 0; k < 2; k++)
            to[k][i] = noisy(chroma[row][k][i], noise[k][i], share_of(size, s->chroma[k]), 16, 240);
    }
}

void KERNELS_OWN(noise)(const struct sensor_noise *s, const struct developed_at of[2],
                        const uint8_t *which, const int8_t *const grain[4], int n,
                        uint8_t *const to[4])
{
    const uint16_t *const upper[2] = {of[0].luma, of[1].luma};
    const uint16_t *const lower[2] = {of[0].luma + of[0].stride, of[1].luma + of[1].stride};
    const uint16_t *const chroma[2][2] = {{of[0].chroma[0], of[0].chroma[1]},
                                          {of[1].chroma[0], of[1].chroma[1]}};
    noise_luma(s, upper, which, grain[0], n, to[0]);
    if (of[0].chroma[0])
        noise_chroma(s, upper, chroma, which, grain + 2, n / 2, to + 2);
    noise_luma(s, lower, which, grain[1], n, to[1]);
}
