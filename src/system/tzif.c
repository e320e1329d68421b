#include "system/tzif.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_BYTES 44
#define TYPE_BYTES 6
#define MAX_OFFSET_S (26 * 3600)

struct head {
    uint32_t isut, isstd, leap, time, type, chars;
};

static uint32_t be32(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static int64_t be64(const uint8_t *b)
{
    return (int64_t)((uint64_t)be32(b) << 32 | be32(b + 4));
}

static int get_head(const uint8_t *b, size_t len, struct head *ret, int *ret_version)
{
    if (len < HEAD_BYTES || memcmp(b, "TZif", 4))
        return -EINVAL;
    *ret_version = b[4] ? b[4] - '0' : 1;
    *ret = (struct head){be32(b + 20), be32(b + 24), be32(b + 28),
                         be32(b + 32), be32(b + 36), be32(b + 40)};
    uint32_t most = TZIF_MAX_BYTES;
    return ret->isut > most || ret->isstd > most || ret->leap > most || ret->time > most ||
                   ret->type > 256 || ret->type < 1 || ret->chars > most
               ? -EINVAL
               : 0;
}

static size_t block_bytes(const struct head *h, size_t time_bytes)
{
    return (size_t)h->time * (time_bytes + 1) + (size_t)h->type * TYPE_BYTES + h->chars +
           (size_t)h->leap * (time_bytes + 4) + h->isstd + h->isut;
}

/* Changes and offsets of the 64-bit block. */
static int get_block(const uint8_t *b, const struct head *h, struct tzif *z)
{
    const uint8_t *index = b + (size_t)h->time * 8;
    const uint8_t *types = index + h->time;
    long offset[256];
    for (uint32_t i = 0; i < h->type; i++) {
        offset[i] = (int32_t)be32(types + (size_t)i * TYPE_BYTES);
        if (offset[i] < -MAX_OFFSET_S || offset[i] > MAX_OFFSET_S)
            return -EINVAL;
    }
    z->n = h->time;
    z->at_s = calloc(z->n ? z->n : 1, sizeof *z->at_s);
    z->offset_s = calloc(z->n + 1, sizeof *z->offset_s);
    if (!z->at_s || !z->offset_s)
        return -ENOMEM;
    z->offset_s[0] = offset[0];
    for (uint32_t i = 0; i < h->time; i++) {
        z->at_s[i] = be64(b + (size_t)i * 8);
        if (index[i] >= h->type || (i && z->at_s[i] <= z->at_s[i - 1]))
            return -EINVAL;
        z->offset_s[i + 1] = offset[index[i]];
    }
    return 0;
}

static int get_rule(const uint8_t *b, size_t len, struct tzif *z)
{
    if (len < 2 || b[0] != '\n' || b[len - 1] != '\n' || len - 2 >= sizeof z->rule ||
        memchr(b, '\0', len))
        return -EINVAL;
    memcpy(z->rule, b + 1, len - 2);
    z->rule[len - 2] = '\0';
    return *z->rule ? posix_tz_parse(z->rule, &z->tz) : 0;
}

int tzif_parse(const uint8_t *bytes, size_t len, struct tzif *ret)
{
    struct head h;
    int version;
    if (len > TZIF_MAX_BYTES || get_head(bytes, len, &h, &version) || version < 2)
        return -EINVAL;
    size_t at = HEAD_BYTES + block_bytes(&h, 4); /* the 32-bit block is for old programs */
    if (at > len || get_head(bytes + at, len - at, &h, &version))
        return -EINVAL;
    at += HEAD_BYTES;
    size_t block = block_bytes(&h, 8);
    if (block > len - at)
        return -EINVAL;
    struct tzif z = {0};
    int err = get_block(bytes + at, &h, &z);
    if (!err)
        err = get_rule(bytes + at + block, len - at - block, &z);
    if (err) {
        tzif_done(&z);
        return err;
    }
    *ret = z;
    return 0;
}

void tzif_done(struct tzif *z)
{
    free(z->at_s);
    free(z->offset_s);
    *z = (struct tzif){0};
}

long tzif_offset(const struct tzif *z, int64_t utc_s)
{
    if (*z->rule && (!z->n || utc_s >= z->at_s[z->n - 1]))
        return posix_tz_offset(&z->tz, utc_s);
    size_t low = 0, high = z->n; /* how many changes lie at or before utc_s */
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (z->at_s[mid] <= utc_s)
            low = mid + 1;
        else
            high = mid;
    }
    return z->offset_s[low];
}
