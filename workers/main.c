/* The picture worker's process; see picture.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "image/picture_answer.h"
#include "picture.h"

static int write_all(const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len) {
        ssize_t n = write(1, at, len);
        if (n <= 0)
            return -1;
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

static int parse_colour(const char *text, uint32_t *ret)
{
    char *end;
    unsigned long v = strtoul(text, &end, 16);
    if (strlen(text) != 6 || *end)
        return -1;
    *ret = 0xff000000u | (uint32_t)v;
    return 0;
}

static void make_transparent(struct bitmap *b, uint32_t colour)
{
    size_t n = (size_t)b->width * (size_t)b->height;
    for (size_t i = 0; i < n; i++)
        if (b->argb[i] == colour) {
            b->argb[i] = 0;
            b->has_alpha = true;
        }
}

static int decode(struct limits *l, const char *colour, struct bitmap *ret, struct fault *why)
{
    struct stat st;
    uint32_t clear = 0;
    if (fstat(0, &st) || st.st_size <= 0)
        return fault_set(why, FAULT_INVALID, NULL, "the picture is empty");
    uint8_t *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, 0, 0);
    if (bytes == MAP_FAILED)
        return fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
    int err = picture_decode(bytes, (size_t)st.st_size, l, ret, why);
    if (!err && colour && !parse_colour(colour, &clear))
        make_transparent(ret, clear);
    return err;
}

int main(int argc, char **argv)
{
    int64_t width, height;
    if (argc < 3 || text_int(argv[1], 1, 16384, &width) || text_int(argv[2], 1, 16384, &height))
        return 2;
    if (sandbox_enter())
        return 3;
    struct limits l = {(int)width, (int)height};
    struct bitmap b = {0};
    struct fault why = {0};
    int err = decode(&l, argc > 3 ? argv[3] : NULL, &b, &why);
    struct picture_answer a = {.magic = PICTURE_MAGIC, .refused = err != 0};
    if (err) {
        text_copy(a.why, sizeof a.why, *why.text ? why.text : "the picture cannot be read");
    } else {
        a.width = (uint32_t)b.width;
        a.height = (uint32_t)b.height;
        a.nominal_width = (uint32_t)b.nominal_width;
        a.nominal_height = (uint32_t)b.nominal_height;
        a.has_alpha = b.has_alpha;
    }
    if (write_all(&a, sizeof a) ||
        (!err && write_all(b.argb, 4 * (size_t)b.width * (size_t)b.height)))
        return 4;
    _exit(0); /* no library's last words: they may want what is forbidden */
}
