/* Vertices, and rows of pixels. Compiled several times; see kernels.h. */
#include "device/virtual/raster/kernels_vec.h"

INLINE f8 row3(const float m[4], f8 x, f8 y, f8 z)
{
    return ALL(m[0]) * x + ALL(m[1]) * y + ALL(m[2]) * z + ALL(m[3]);
}

static void vertices(const struct raster_stand *s, const struct model_lod *l, const uint8_t *a,
                     const uint8_t *b, const uint8_t *colour, const uint16_t *uv, size_t first,
                     size_t n, const struct raster_vertices *v)
{
    const size_t all = l->n_vertices;
    const int16_t *pa = (const void *)a, *pb = (const void *)b;
    const int8_t *na = (const int8_t *)(pa + all * 3), *nb = (const int8_t *)(pb + all * 3);
    const f8 mix = ALL(s->mix), keep = ALL(1 - s->mix);
    for (size_t i = first; i < first + n; i += BLOCK) {
        f8 q[3], d[3], p[3], nrm[3];
        for (size_t k = 0; k < 3; k++) {
            q[k] = from_signed_words(pa + k * all + i) * keep +
                   from_signed_words(pb + k * all + i) * mix;
            d[k] = from_signed_bytes(na + k * all + i) * keep +
                   from_signed_bytes(nb + k * all + i) * mix;
        }
        for (int k = 0; k < 3; k++) {
            p[k] = row3(s->to_model[k], q[0], q[1], q[2]);
            nrm[k] =
                ALL(s->turn[k][0]) * d[0] + ALL(s->turn[k][1]) * d[1] + ALL(s->turn[k][2]) * d[2];
        }
        f8 cx = row3(s->camera[0], p[0], p[1], p[2]), cy = row3(s->camera[1], p[0], p[1], p[2]);
        f8 cz = row3(s->camera[2], p[0], p[1], p[2]);
        i8 front = cz > ALL(s->near);
        f8 iz = ALL(1.0f) / pick(front, cz, ALL(1.0f));
        STORE(v->cx + i, cx);
        STORE(v->cy + i, cy);
        STORE(v->cz + i, cz);
        STORE(v->x + i, ALL(s->cx) + cx * iz);
        STORE(v->y + i, ALL(s->cy) + cy * iz);
        STORE(v->iz + i, pick(front, iz, ALL(-1.0f)));
        if (s->flat)
            continue;
        /* light */
        f8 ao = from_bytes(colour + i) * ALL(1 / 255.0f);
        f8 t = clamp01((p[1] + ALL(s->half_length)) * ALL(0.5f / s->half_length));
        f8 low = ALL(s->sun_rear) + t * ALL(s->sun_front - s->sun_rear);
        f8 high = clamp01(p[2] * ALL(1 / s->height));
        f8 sunny = low + high * (ALL(s->sun_high) - low);
        f8 cosine = nrm[0] * ALL(s->sun[0]) + nrm[1] * ALL(s->sun[1]) + nrm[2] * ALL(s->sun[2]);
        sunny *= most(cosine, ALL(0.0f)) * least(ao * ALL(1.7f), ALL(1.0f));
        f8 hemi = (ALL(0.5f) + ALL(0.5f) * nrm[2]);
        f8 open = ao * hemi, shut = ao * (ALL(1.0f) - hemi);
        f8 lamp = (ALL(0.3f) + ALL(0.7f) * most(nrm[2], ALL(0.0f))) * ao;
        f8 view[3], r2 = ALL(1e-6f);
        for (int k = 0; k < 3; k++) {
            view[k] = ALL(s->eye[k]) - p[k];
            r2 += view[k] * view[k];
        }
        f8 ir2 = ALL(1.0f) / r2, ir1 = root8(ir2);
        f8 facing = (nrm[0] * view[0] + nrm[1] * view[1] + nrm[2] * view[2]) * ir1;
        f8 beam = most(facing, ALL(0.0f)) * ir2;
        for (size_t k = 0; k < 3; k++) {
            f8 e = open * ALL(s->sky[k]) + shut * ALL(s->bounce[k]) + lamp * ALL(s->lamp[k]) +
                   sunny * ALL(s->sun_colour[k]) + beam * ALL(s->ir[k]);
            f8 c = from_bytes(colour + (k + 1) * all + i) * ALL(1 / 255.0f);
            STORE(v->light[k] + i, e * c * c);
        }
        STORE(v->u + i, (from_words(uv + i) - ALL(32768.0f)) * ALL(1 / 4096.0f));
        STORE(v->v + i, (from_words(uv + all + i) - ALL(32768.0f)) * ALL(1 / 4096.0f));
        if (s->shiny) {
            f8 mirror[3];
            for (int k = 0; k < 3; k++)
                mirror[k] = ALL(2.0f) * facing * nrm[k] - view[k] * ir1;
            STORE(v->up + i, mirror[2]);
            STORE(v->glint + i, mirror[0] * ALL(s->sun[0]) + mirror[1] * ALL(s->sun[1]) +
                                    mirror[2] * ALL(s->sun[2]));
            STORE(v->facing + i, facing);
        }
    }
}

static void blend(size_t n, const float *const rgb[3], const float *cover, const float *seen,
                  float clear, const float haze[3], uint16_t *gone, uint16_t *const add[3])
{
    for (size_t i = 0; i < n; i += BLOCK) {
        f8 there = LOAD(cover + i), surely = LOAD(seen + i);
        *(w8u *)(gone + i) = to_words(least(there * surely * ALL(65536.0f), ALL(65535.0f)));
        for (int k = 0; k < 3; k++) {
            f8 light = (LOAD(rgb[k] + i) * ALL(clear) + there * ALL(haze[k])) * surely;
            *(w8u *)(add[k] + i) = to_words(sample_of(light));
        }
    }
}

static void lay(size_t n, const uint16_t *gone, const uint16_t *const add[3], uint16_t *const to[3])
{
    for (int k = 0; k < 3; k++) {
        const uint16_t *come = add[k];
        uint16_t *out = to[k];
        size_t i = 0;
#ifdef __AVX2__
        for (; i + 16 <= n; i += 16) {
            __m256i v = _mm256_loadu_si256((const __m256i *)(out + i));
            if (gone)
                v = _mm256_sub_epi16(
                    v, _mm256_mulhi_epu16(v, _mm256_loadu_si256((const __m256i *)(gone + i))));
            v = _mm256_adds_epu16(v, _mm256_loadu_si256((const __m256i *)(come + i)));
            _mm256_storeu_si256((__m256i *)(out + i), v);
        }
#endif
        for (; i < n; i++) {
            uint32_t v = out[i] - (gone ? (uint32_t)out[i] * gone[i] >> 16 : 0) + come[i];
            out[i] = (uint16_t)(v < 65535 ? v : 65535);
        }
    }
}

static void darken(size_t n, const uint8_t *sun, const float k[3], const uint8_t *sky, float rest,
                   const float air[3], uint16_t *const to[3])
{
    for (size_t i = 0; i < n; i += BLOCK) {
        int some = n - i < BLOCK ? (int)(n - i) : BLOCK;
        f8 shade = from_bytes(sun + i) * ALL(1 / 255.0f);
        f8 dim = from_bytes(sky + i) * ALL(1 / 255.0f) * (ALL(1.0f) + shade * ALL(rest));
        f8 open = ALL(1.0f) - least(dim, ALL(0.97f));
        for (int c = 0; c < 3; c++) {
            f8 left = (ALL(1.0f) - shade * ALL(k[c])) * open, a = ALL(air[c]);
            f8 was = get_words(to[c] + i, some);
            put_words(to[c] + i, sample_of(pick(was > a, a + (was - a) * left, was)), some);
        }
    }
}

/* Where the rays of eight pixels meet the ground, in the member's axes; depth along the optical
 * axis; which of them show it (the backdrop is no nearer and no farther). */
INLINE i8 meet(const struct raster_ground *g, int px, const float *far, f8 *ret_x, f8 *ret_y)
{
    const f8 lane = {0, 1, 2, 3, 4, 5, 6, 7};
    f8 x = ALL((float)px) + lane, z = ALL(g->z[0]) + x * ALL(g->z[1]);
    i8 down = z < ALL(-1e-3f);
    f8 k = ALL(g->height) / -pick(down, z, ALL(-1.0f)), depth = k * ALL(g->f);
    f8 gx = (ALL(g->x[0]) + x * ALL(g->x[1])) * k - ALL(g->at[0]);
    f8 gy = (ALL(g->y[0]) + x * ALL(g->y[1])) * k - ALL(g->at[1]);
    *ret_x = gx * ALL(g->cosine) - gy * ALL(g->sine);
    *ret_y = gx * ALL(g->sine) + gy * ALL(g->cosine);
    f8 off = LOAD(far) - depth, slack = ALL(0.3f) + depth * (ALL(0.03f) + ALL(2e-4f) * depth);
    return down & (off < slack) & (off > -slack);
}

static void seen(size_t n, const float *far, const float *depth, float *ret)
{
    for (size_t i = 0; i < n; i += BLOCK) {
        f8 d = LOAD(depth + i), f = LOAD(far + i), clear = ALL(1.0f);
        if (any((f * d < ALL(1.001f)) & (d > ALL(0.0f)))) {
            f8 z = ALL(1.0f) / pick(d > ALL(0.0f), d, ALL(1.0f));
            clear = clamp01(clear + (f - z) / (ALL(0.12f) + ALL(1.2e-4f) * z * z));
        }
        STORE(ret + i, clear);
    }
}

static void contact(const struct raster_ground *g, int x0, int x1, const float *far, uint8_t *dark)
{
    for (int px = x0; px < x1; px += BLOCK) {
        f8 gx, gy;
        i8 there = meet(g, px, far + px, &gx, &gy);
        f8 mx = most(gx, -gx) - ALL(g->half_w), my = most(gy, -gy) - ALL(g->half_l);
        f8 ox = most(mx, ALL(0.0f)), oy = most(my, ALL(0.0f));
        f8 out2 = (ox * ox + oy * oy) * ALL(g->inv_soft * g->inv_soft);
        /* Past the border it fades to nothing at 2.4 times its softness; inside it deepens. */
        f8 fade = most(ALL(1.0f) - out2 * ALL(1 / 5.76f), ALL(0.0f));
        f8 in = clamp01(-most(mx, my) * ALL(g->inv_soft * 0.7f));
        f8 dim = (fade * fade * fade * ALL(0.7f) + in * ALL(0.3f)) * ALL(g->strength);
        dim = pick(there, dim, ALL(0.0f));
        put_bytes(dark + px, most(dim, get_bytes(dark + px, x1 - px)), x1 - px);
    }
}

static void shadow(const struct raster_ground *g, int x0, int x1, const float *far,
                   const float *cover, uint8_t *dark)
{
    for (int px = x0; px < x1; px += BLOCK) {
        f8 gx, gy;
        i8 there = meet(g, px, far + px, &gx, &gy);
        f8 along = clamp01(gy * ALL(g->inv_soft)) * ALL(2.0f);
        f8 first = least(along, ALL(1.0f)), second = along - first;
        f8 share = ALL(g->share[0]) + first * ALL(g->share[1] - g->share[0]) +
                   second * ALL(g->share[2] - g->share[1]);
        f8 full = share * ALL(255.0f);
        f8 add = pick(there, full * LOAD(cover + px - x0) * ALL(g->strength), ALL(0.0f));
        f8 was = get_bytes(dark + px, x1 - px), now = least(was + add, full);
        put_bytes(dark + px, pick(now > was, now + ALL(0.5f), was), x1 - px);
    }
}

/* What is left of a beam behind what stands in its way; across: -1 its left edge … 1 its right. */
INLINE f8 beam_left(const float *reach, f8 across, f8 ahead)
{
    const f8 one = ALL(1.0f), none = ALL(0.0f);
    f8 ray = (across + one) * ALL((BEAM_RAYS - 1) / 2.0f), ends;
    i8 number = __builtin_convertvector(least(most(ray, none), ALL(BEAM_RAYS - 1.0f)), i8);
    for (int k = 0; k < BLOCK; k++)
        ends[k] = reach[number[k]];
    return least(most((ends - ahead) * ALL(2.0f) + one, none), one);
}

/* A dipped beam: level ground gets the less of it, the flatter it falls, with the cube of the
 * distance. It ends smoothly where beam_corners() says: by night even a thousandth of it is
 * seen on a lawn. */
static void beam(const struct raster_ground *g, int x0, int n, float *energy)
{
    const f8 lane = {0, 8, 16, 24, 32, 40, 48, 56}, one = ALL(1.0f), none = ALL(0.0f);
    for (int i = 0; i < n; i += BLOCK) {
        f8 x = ALL((float)(x0 + 8 * i)) + lane, z = ALL(g->z[0]) + x * ALL(g->z[1]);
        i8 there = z < ALL(-1e-3f);
        f8 k = ALL(g->height) / -pick(there, z, ALL(-1.0f));
        f8 gx = (ALL(g->x[0]) + x * ALL(g->x[1])) * k - ALL(g->at[0]);
        f8 gy = (ALL(g->y[0]) + x * ALL(g->y[1])) * k - ALL(g->at[1]);
        f8 ahead = gx * ALL(g->sine) + gy * ALL(g->cosine) - ALL(g->half_l);
        f8 aside = gx * ALL(g->cosine) - gy * ALL(g->sine);
        there = there & (ahead > ALL(0.3f)) & (ahead < ALL(BEAM_M));
        ahead = pick(there, ahead, one);
        f8 across = aside / (ALL(BEAM_NEAR_M) + ahead * ALL((BEAM_FAR_M - BEAM_NEAR_M) / BEAM_M));
        f8 edge = one - most(across, -across);
        f8 end = one - ahead * ALL(1 / BEAM_M), side = aside / (ALL(1.1f) + ALL(0.16f) * ahead);
        f8 side2 = side * side, far = ahead * ALL(1 / 11.0f);
        edge = least(most(edge, none), ALL(0.5f));
        edge = ALL(4.0f) * edge * (one - edge);
        end = least(end * ALL(1 / 0.3f), one);
        end *= beam_left(g->reach, across, ahead);
        f8 light = least(ahead * ALL(1 / 8.0f), one) * edge * end /
                   ((one + side2 * side2) * (one + far * far * far));
        STORE(energy + i, LOAD(energy + i) + pick(there, light * ALL(g->strength), none));
    }
}

static void shine(int n, const float *energy, const uint16_t *const ground[3],
                  uint16_t *const add[3])
{
    static const float tint[3] = {1.0f / 65535, 0.93f / 65535, 0.80f / 65535};
    const f8 lane = {0, 0.125f, 0.25f, 0.375f, 0.5f, 0.625f, 0.75f, 0.875f};
    for (int i = 0; i < n; i += BLOCK, energy++) {
        f8 light = ALL(energy[0]) + lane * ALL(energy[1] - energy[0]);
        for (int k = 0; k < 3; k++) {
            f8 now = ALL(0.5f) + get_words(ground[k] + i, n - i) * (light * ALL(tint[k]));
            *(w8u *)(add[k] + i) = to_words(least(now, ALL(65535.0f)));
        }
    }
}

static void streak(const struct raster_streak *s, int i, int n, const uint8_t *paved,
                   uint16_t *const add[3])
{
    const f8 lane = {0, 1, 2, 3, 4, 5, 6, 7}, one = ALL(1.0f), none = ALL(0.0f);
    for (int k = 0; k < n; k += BLOCK) {
        f8 dx = ALL(s->first + (float)(i + k)) + lane;
        f8 left = most(one - dx * dx * ALL(s->inv), none);
        left *= left;
        left *= left * from_bytes(paved + k) * ALL(1 / 255.0f);
        for (int c = 0; c < 3; c++) {
            f8 light = ALL(s->radiance[c]) * left + ALL(0.5f);
            *(w8u *)(add[c] + k) = to_words(least(light, ALL(65535.0f)));
        }
    }
}

static void glare(const struct raster_glare *g, int n, float first, float dy2,
                  uint16_t *const add[3])
{
    const f8 lane = {0, 1, 2, 3, 4, 5, 6, 7}, one = ALL(1.0f), none = ALL(0.0f);
    for (int i = 0; i < n; i += BLOCK) {
        f8 dx = ALL(first) + (ALL((float)i) + lane), d2 = (dx * dx + ALL(dy2)) * ALL(g->inv);
        f8 rest = most(one - d2 * ALL(g->end), none) * ALL(g->dim);
        f8 k = ALL(g->glare) * rest * rest / (one + d2);
        for (int c = 0; c < 3; c++) {
            f8 light = ALL(g->radiance[c]) * k + ALL(0.5f);
            *(w8u *)(add[c] + i) = to_words(least(light, ALL(65535.0f)));
        }
    }
}

static void halves(size_t n, const float *restrict a, const float *restrict b, float *restrict to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = 0.5f * a[i] + 0.5f * b[i];
}

static void means(int rows, size_t n, const float *a, const float *b, size_t stride, float *to,
                  size_t to_stride)
{
    for (int k = 0; k < rows; k++, a += stride, b += stride, to += to_stride)
        for (size_t i = 0; i < n; i += BLOCK)
            STORE(to + i, ALL(0.5f) * LOAD(a + i) + ALL(0.5f) * LOAD(b + i));
}

static void widen(int rows, size_t n, const float *from, size_t stride, float *to, size_t to_stride)
{
    for (int k = 0; k < rows; k++, from += stride, to += to_stride)
        for (size_t i = 0; i < n; i += BLOCK) {
            f8 most = ALL(0.75f) * LOAD(from + i);
            f8 left = most + ALL(0.25f) * LOAD(from + i - 1);
            f8 right = most + ALL(0.25f) * LOAD(from + i + 1);
            STORE(to + 2 * i, __builtin_shufflevector(left, right, 0, 8, 1, 9, 2, 10, 3, 11));
            STORE(to + 2 * i + BLOCK,
                  __builtin_shufflevector(left, right, 4, 12, 5, 13, 6, 14, 7, 15));
        }
}

static void unweigh(size_t n, const float *cover, float *near)
{
    size_t i = 0;
    for (; i + BLOCK <= n; i += BLOCK) {
        f8 c = LOAD(cover + i);
        i8 some = c > ALL(1e-4f);
        STORE(near + i, pick(some, LOAD(near + i) / pick(some, c, ALL(1.0f)), ALL(0.0f)));
    }
    for (; i < n; i++)
        near[i] = cover[i] > 1e-4f ? near[i] / cover[i] : 0;
}

const struct kernels_raster KERNELS_RASTER = {
    .vertices = vertices,
    .triangles = KERNELS_OWN(raster_triangles),
    .outline = KERNELS_OWN(raster_outline),
    .mask = KERNELS_OWN(raster_mask),
    .resolve = KERNELS_OWN(raster_resolve),
    .resolve_mask = KERNELS_OWN(raster_resolve_mask),
    .blend = blend,
    .lay = lay,
    .darken = darken,
    .contact = contact,
    .shadow = shadow,
    .seen = seen,
    .halves = halves,
    .means = means,
    .widen = widen,
    .unweigh = unweigh,
    .beam = beam,
    .shine = shine,
    .streak = streak,
    .glare = glare,
};
