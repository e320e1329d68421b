/* What a patch shows: its faces' colours, and coverage. Compiled several times; see kernels.h. */
#include "device/virtual/raster/kernels_vec.h"

/* The light of a face in a tile's pixels. */
INLINE void shade(const struct raster_batch *b, const struct raster_face *f, f8 x, f8 y, f8 rgb[3])
{
    f8 w[3], sum = ALL(1e-30f);
    for (int k = 0; k < 3; k++) {
        w[k] = most(ALL(f->ex[k]) * x + ALL(f->ey[k]) * y + ALL(f->ec[k]), ALL(0.0f));
        sum += w[k] * ALL(f->at[k]);
    }
    f8 inv = ALL(1.0f) / sum;
#define AT(array) ((w[0] * ALL(array[0]) + w[1] * ALL(array[1]) + w[2] * ALL(array[2])) * inv)
    for (int k = 0; k < 3; k++)
        rgb[k] = AT(f->light[k]);
    if (b->levels) {
        f8 t[4];
        texels(b, f->level, AT(f->u), AT(f->v), t);
        for (int k = 0; k < 3; k++) {
            t[k] *= ALL(1 / 65280.0f);
            rgb[k] *= t[k] * t[k];
        }
    }
    if (b->shiny)
        mirror(b, AT(f->facing), AT(f->up), AT(f->glint), rgb);
#undef AT
}

INLINE void straight(const struct raster_face *f, f8 x, f8 y, f8 rgb[3])
{
    for (int k = 0; k < 3; k++) {
        const float *p = f->plane[k];
        rgb[k] = least(most(ALL(p[0]) + ALL(p[1]) * x + ALL(p[2]) * y, ALL(p[3])), ALL(p[4]));
    }
}

/* A tile's pixels as two rows. */
INLINE void put_rows(f8 lanes, float *above, float *below)
{
    float all[BLOCK];
    STORE(all, reading_order(lanes));
    memcpy(above, all, RASTER_TILE_W * sizeof(float));
    memcpy(below, all + RASTER_TILE_W, RASTER_TILE_W * sizeof(float));
}

/* Which share of each pixel's samples is meant. */
INLINE f8 counted(const i8 lanes[RASTER_BLOCKS])
{
    i8 n = sums(sums(lanes[0], lanes[1]), sums(lanes[2], lanes[3]));
    return TO_F8(n) * ALL(-1.0f / RASTER_SAMPLES);
}

bool KERNELS_OWN(raster_resolve)(struct raster_patch *p, const struct raster_batch *batch,
                                 int tile_row, float *const rgb[2][3], float *const cover[2],
                                 float *const depth[2], int ret_x[2])
{
    const f8 none = ALL(0.0f), y = lane_y(tile_row);
    const uint8_t *touched = p->touched + (size_t)tile_row * (size_t)p->across;
    int first = 0, end = p->across;
    while (first < end && !touched[first])
        first++;
    while (end > first && !touched[end - 1])
        end--;
    ret_x[0] = first * RASTER_TILE_W;
    ret_x[1] = end * RASTER_TILE_W;
    for (int tx = first; tx < end; tx++) {
        size_t tile = (size_t)tile_row * (size_t)p->across + (size_t)tx;
        f8 n = none, z = none, sum[3] = {none, none, none};
        if (touched[tx]) {
            float *d = p->depth + tile * (RASTER_BLOCKS * BLOCK);
            int32_t *who = p->who + tile * (RASTER_BLOCKS * BLOCK);
            uint32_t left = 0;
            f8 at[RASTER_BLOCKS];
            i8 there[RASTER_BLOCKS];
            for (int i = 0; i < RASTER_BLOCKS; i++) {
                at[i] = LOAD(d + i * BLOCK);
                there[i] = at[i] > none;
                left |= bits(there[i]) << (BLOCK * i);
            }
            n = counted(there);
            z = mosts(mosts(at[0], at[1]), mosts(at[2], at[3]));
            f8 x = lane_x(tx);
            while (batch && left) {
                int32_t id = who[__builtin_ctz(left)];
                f8 c[3];
                i8 same[RASTER_BLOCKS];
                uint32_t mine = 0;
                for (int i = 0; i < RASTER_BLOCKS; i++) {
                    same[i] = LOAD_I(who + i * BLOCK) == ALL_I(id);
                    mine |= bits(same[i]) << (BLOCK * i);
                }
                f8 weight = counted(same);
                left &= ~mine;
                const struct raster_face *f = &p->face[id];
                if (f->batch < 0)
                    straight(f, x, y, c);
                else
                    shade(&batch[f->batch], f, x, y, c);
                for (int k = 0; k < 3; k++)
                    sum[k] += c[k] * weight;
            }
            for (int i = 0; i < RASTER_BLOCKS; i++) {
                STORE(d + i * BLOCK, none);
                STORE_I(who + i * BLOCK, ALL_I(-1));
            }
        }
        int at = tx * RASTER_TILE_W;
        put_rows(n, cover[0] + at, cover[1] + at);
        put_rows(z, depth[0] + at, depth[1] + at);
        for (int k = 0; batch && k < 3; k++)
            put_rows(sum[k], rgb[0][k] + at, rgb[1][k] + at);
    }
    return first < end;
}

void KERNELS_OWN(raster_resolve_mask)(const struct raster_patch *p, int tile_row,
                                      float *const cover[2])
{
    const uint32_t *row = p->mask + (size_t)tile_row * (size_t)p->across;
    const u8 place = {0, 8, 16, 24, 4, 12, 20, 28}, four = place * 0 + 15;
    for (int tx = 0; tx < p->across; tx++) {
        f8 n = ALL(0.0f);
        if (row[tx]) {
            u8 mine = (place * 0 + row[tx]) >> place & four; /* a pixel's samples */
            mine = (mine & 5) + (mine >> 1 & 5);
            n = TO_F8((i8)((mine & 3) + (mine >> 2))) * ALL(1.0f / RASTER_SAMPLES);
        }
        put_rows(n, cover[0] + tx * RASTER_TILE_W, cover[1] + tx * RASTER_TILE_W);
    }
}
