#include "media/packet.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "media/picture.h"
#include "unit.h"

static int released;
static void release(void *owner)
{
    released += *(int *)owner;
}

struct form {
    struct packet_form base;
    int *count;
};
static void free_form(struct packet_form *f)
{
    struct form *form = (struct form *)f;
    __atomic_add_fetch(form->count, 1, __ATOMIC_RELAXED);
    free(form);
}

TEST(packet_releases_once)
{
    int one = 1, forms = 0;
    struct packet *p = packet_new((const uint8_t *)"abc", 3, release, &one);
    packet_ref(p);
    CHECK(!packet_unref(p));
    CHECK_INT(released, 0);
    struct form *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
    a->base.free = b->base.free = free_form;
    a->count = b->count = &forms;
    CHECK(!packet_get_form(p, 0));
    CHECK(packet_set_form(p, 0, &a->base) == &a->base);
    CHECK(packet_set_form(p, 0, &b->base) == &a->base);
    CHECK_INT(forms, 1); /* the slower one is gone */
    CHECK(packet_get_form(p, 0) == &a->base);
    CHECK(!packet_get_form(p, 1));
    packet_unref(p);
    CHECK_INT(released, 1);
    CHECK_INT(forms, 2);
    packet_unref(NULL);
}

static void *churn(void *arg)
{
    struct picture_pool *pool = arg;
    for (int i = 0; i < 2000; i++) {
        struct picture *p = picture_get(pool);
        if (!p)
            continue;
        p->plane[0][0] = (uint8_t)i;
        picture_ref(p);
        picture_unref(p);
        picture_unref(p);
    }
    return NULL;
}

TEST(pool_recycles_and_limits)
{
    for (int memfd = 0; memfd < 2; memfd++) {
        struct picture_pool *pool = picture_pool_new(66, 34, memfd, 3);
        struct picture *a = picture_get(pool), *b = picture_get(pool), *c = picture_get(pool);
        CHECK(a && b && c && !picture_get(pool));
        CHECK_INT(a->stride[0] % 64, 0);
        CHECK_INT((uintptr_t)a->plane[1] % 64, 0);
        CHECK((a->memfd >= 0) == memfd);
        picture_fill(a, 10, 20, 30);
        picture_copy_rows(b, a, 0, 34);
        CHECK_INT(b->plane[0][33 * b->stride[0] + 65], 10);
        CHECK_INT(b->plane[2][16 * b->stride[2] + 32], 30);
        uint8_t *mem = a->plane[0];
        picture_unref(a);
        a = picture_get(pool);
        CHECK(a->plane[0] == mem);
        picture_unref(a);
        picture_unref(b);
        picture_pool_unref(pool);
        c->plane[0][0] = 1; /* lives on without its pool's owner */
        picture_unref(c);
    }
}

static bool all_are(const struct picture *p, int y, int height, int luma)
{
    for (int row = y; row < y + height; row++)
        for (int x = 0; x < p->width; x++)
            if (p->plane[0][row * p->stride[0] + x] != luma)
                return false;
    return true;
}

/* A coat shows the picture beneath, of any turn of its memory, and keeps no old paint. */
TEST(picture_coat)
{
    struct picture_pool *pool = picture_pool_new(1920, 270, true, 2);
    for (int turn = 1; turn < 30; turn++) {
        struct picture *p = picture_get(pool);
        picture_fill(p, (uint8_t)turn, 128, 128);
        struct picture *a = picture_coat(p), *b = picture_coat(p);
        CHECK(a && b && a->width == 1920 && a->height == 270);
        CHECK(all_are(a, 0, 270, turn) && all_are(b, 0, 270, turn));
        int bands = turn % (PICTURE_BANDS + 3); /* none told, some, and more than fit */
        for (int i = 0; i < bands || i < 1; i++) {
            int y = i * 24 + turn % 2;
            memset(a->plane[0] + (ptrdiff_t)y * a->stride[0], 200, (size_t)a->stride[0] * 5);
            if (bands)
                picture_painted(a, y, 5);
            CHECK(all_are(a, y, 5, 200) && all_are(a, y + 5, 19, turn));
            CHECK(all_are(p, 0, 270, turn) && all_are(b, 0, 270, turn));
        }
        picture_unref(p); /* the coats keep it */
        picture_unref(a);
        CHECK(all_are(b, 0, 270, turn));
        picture_unref(b);
    }
    picture_pool_unref(pool);

    pool = picture_pool_new(64, 64, false, 1);
    struct picture *p = picture_get(pool);
    CHECK(!picture_coat(p)); /* its memory cannot be mapped twice */
    picture_painted(p, 0, 2);
    picture_unref(p);
    picture_pool_unref(pool);
}

TEST(pool_from_many_threads)
{
    struct picture_pool *pool = picture_pool_new(64, 64, false, 3);
    pthread_t t[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, churn, pool);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    picture_pool_unref(pool);
}

TEST(capture_text_is_json)
{
    struct capture c = {
        .serial = 7,
        .utc_ns = INT64_C(1782043200000000000),
        .pose_start = {.pan_deg = -12.34567, .tilt_deg = 3, .zoom = 2.5, .known = true}};
    char text[256];
    CHECK_INT(capture_text(&c, text, sizeof(text)), strlen(text));
    CHECK_STR(text, "{\"serial\":7,\"utc\":\"2026-06-21T12:00:00.000Z\",\"pose\":{\"pan\":-12.3457,"
                    "\"tilt\":3.0000,\"zoom\":2.5000}}");
}

UNIT_MAIN(UNIT_ROW(packet_releases_once) UNIT_ROW(pool_recycles_and_limits) UNIT_ROW(picture_coat)
              UNIT_ROW(pool_from_many_threads) UNIT_ROW(capture_text_is_json))
