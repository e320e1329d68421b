/* Baseline JPEG by libjpeg-turbo, straight from the planes. Standard Huffman
 * tables, 4:2:0, one scan, no restart markers: what RFC 2435 can carry.
 *
 * JFIF wants BT.601 and full range. What has other colours is converted sixteen rows at a
 * time, right before these are coded: they are still in the cache, and no picture is written
 * that is read only once. */
#include <errno.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "base/fault.h"
#include "base/list.h"
#include "base/log.h"
#include "media/convert.h"
#include "media/encode.h"

#define TEXT_MAX 512
#define ROWS 16          /* of luma that are coded at once: one row of blocks, twice */
#define FIRST_BYTES 4096 /* room for a first picture, which grows */
#define SPARES 2

extern const struct encoder_ops encoder_jpeg;

/* Rooms whose pictures have gone, for those to come: large memory that is new each time is mapped
 * and cleared by the kernel (7 % of the cost of a 1080p picture). */
struct spares {
    _Atomic unsigned refs; /* the encoder, and its packets */
    _Atomic(struct room *) room[SPARES];
};

struct room {
    struct spares *spares;
    size_t size;
    unsigned char bytes[];
};

struct jpeg_encoder {
    struct encoder base;
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_destination_mgr to;
    jmp_buf failed;
    bool stamp, told;
    struct stream_format format;
    struct picture band; /* rows in JFIF's colours; its width is one of whole blocks */
    void *band_memory;
    struct spares *spares;
    struct room *room; /* for what is being coded */
    size_t last_len;
};

/* VAPIX compression 0 best … 100 smallest. */
static int quality_of(int compression)
{
    return 95 - compression * 85 / 100;
}

/* ---- rooms ---- */

static void spares_unref(struct spares *s)
{
    if (!s || atomic_fetch_sub(&s->refs, 1) > 1)
        return;
    for (int i = 0; i < SPARES; i++)
        free(atomic_load(&s->room[i]));
    free(s);
}

static void room_release(void *owner)
{
    struct room *r = owner;
    struct spares *s = r->spares;
    for (int i = 0; r && i < SPARES; i++) {
        struct room *none = NULL;
        if (atomic_compare_exchange_strong(&s->room[i], &none, r))
            r = NULL;
    }
    free(r);
    spares_unref(s);
}

/* Of `least` bytes or some more; NULL: no memory. */
static struct room *room_get(struct spares *s, size_t least)
{
    struct room *r = NULL;
    for (int i = 0; !r && i < SPARES; i++) {
        r = atomic_exchange(&s->room[i], NULL);
        if (r && (r->size < least || r->size / 2 > least)) {
            free(r);
            r = NULL;
        }
    }
    if (!r) {
        r = malloc(sizeof(*r) + least);
        if (!r)
            return NULL;
        *r = (struct room){.spares = s, .size = least};
    }
    atomic_fetch_add(&s->refs, 1);
    return r;
}

/* ---- what libjpeg calls ---- */

static void fail(j_common_ptr jpeg)
{
    struct jpeg_encoder *e = jpeg->client_data;
    longjmp(e->failed, 1);
}

static void say_nothing(j_common_ptr jpeg)
{
}

static void hand_room(struct jpeg_encoder *e, size_t used)
{
    e->to.next_output_byte = e->room->bytes + used;
    e->to.free_in_buffer = e->room->size - used;
}

static void begin_output(j_compress_ptr jpeg)
{
    hand_room(jpeg->client_data, 0);
}

static boolean grow_output(j_compress_ptr jpeg)
{
    struct jpeg_encoder *e = jpeg->client_data;
    size_t used = e->room->size;
    struct room *more = realloc(e->room, sizeof(*more) + 2 * used);
    if (!more)
        fail((j_common_ptr)jpeg);
    e->room = more;
    more->size = 2 * used;
    hand_room(e, used); /* all of it is full, whatever is left of the room says */
    return TRUE;
}

static void end_output(j_compress_ptr jpeg)
{
}

/* ---- opening ---- */

static void jpeg_close(struct encoder *enc)
{
    struct jpeg_encoder *e = container_of(enc, struct jpeg_encoder, base);
    jpeg_destroy_compress(&e->jpeg);
    free(e->band_memory);
    spares_unref(e->spares);
    free(e);
}

/* As JFIF has it, 4:2:0. False: libjpeg does not want to. */
static bool set_up(struct jpeg_encoder *e, int quality)
{
    struct jpeg_compress_struct *j = &e->jpeg;
    j->err = jpeg_std_error(&e->errors);
    e->errors.error_exit = fail;
    e->errors.output_message = say_nothing;
    j->client_data = e;
    if (setjmp(e->failed))
        return false;
    jpeg_create_compress(j);
    j->image_width = (JDIMENSION)e->format.width;
    j->image_height = (JDIMENSION)e->format.height;
    j->input_components = 3;
    j->in_color_space = JCS_YCbCr;
    jpeg_set_defaults(j); /* chroma at half of luma's size both ways */
    jpeg_set_quality(j, quality, TRUE);
    j->dct_method = JDCT_ISLOW; /* exact, and with wide vectors the faster one, too */
    j->raw_data_in = TRUE;
    e->to = (struct jpeg_destination_mgr){.init_destination = begin_output,
                                          .empty_output_buffer = grow_output,
                                          .term_destination = end_output};
    j->dest = &e->to;
    return true;
}

static bool make_band(struct jpeg_encoder *e)
{
    const size_t width = ((size_t)e->format.width + 63) & ~(size_t)63; /* of whole blocks */
    uint8_t *at = e->band_memory = aligned_alloc(64, width * ROWS * 3 / 2);
    if (!at)
        return false;
    e->band = (struct picture){.width = e->format.width, .memfd = -1};
    for (int i = 0; i < 3; i++) {
        e->band.plane[i] = at;
        e->band.stride[i] = (int)(i ? width / 2 : width);
        at += (i ? width / 2 : width) * (i ? ROWS / 2 : ROWS);
    }
    return true;
}

static struct encoder *jpeg_open(const struct encoding *enc, double source_fps, struct fault *why)
{
    struct jpeg_encoder *e = calloc(1, sizeof(*e));
    if (!e) {
        fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    e->base.ops = &encoder_jpeg;
    e->stamp = enc->stamp;
    e->format = (struct stream_format){.codec = CODEC_JPEG,
                                       .width = enc->key.width,
                                       .height = enc->key.height,
                                       .fps = enc->fps > 0 ? enc->fps : source_fps};
    e->spares = calloc(1, sizeof(*e->spares));
    if (e->spares)
        e->spares->refs = 1;
    if (!set_up(e, quality_of(enc->compression)) || !e->spares || !make_band(e)) {
        jpeg_close(&e->base);
        fault_set(why, FAULT_INTERNAL, NULL, "the JPEG encoder does not start");
        return NULL;
    }
    return &e->base;
}

/* ---- coding ---- */

/* Blocks are whole: what lies behind a row's end is its last sample. */
static void fill_up(struct picture *band, int height)
{
    for (int i = 0; i < 3; i++) {
        const int width = i ? band->width / 2 : band->width;
        uint8_t *row = band->plane[i];
        for (int y = 0; y < (i ? height / 2 : height); y++, row += band->stride[i])
            memset(row + width, row[width - 1], (size_t)(-width & 7));
    }
}

/* The rows from y on, in JFIF's colours, with whole blocks. */
static void code_rows(struct jpeg_encoder *e, const struct colour_map *map,
                      const struct picture *pic, int y)
{
    const int left = pic->height - y, height = left < ROWS ? left : ROWS;
    struct picture part = picture_part(pic, 0, y, pic->width, height);
    const struct picture *from = &part;
    if (!map->same || pic->width % 16) {
        e->band.height = height;
        colour_map_rows(map, &e->band, &part);
        fill_up(&e->band, height);
        from = &e->band;
    }
    JSAMPROW row[3][ROWS];
    JSAMPARRAY rows[3] = {row[0], row[1], row[2]};
    for (int i = 0; i < 3; i++) {
        const int n = i ? ROWS / 2 : ROWS, have = i ? height / 2 : height;
        for (int k = 0; k < n; k++) /* below the last row it goes on as it is */
            row[i][k] = from->plane[i] + (ptrdiff_t)(k < have ? k : have - 1) * from->stride[i];
    }
    jpeg_write_raw_data(&e->jpeg, rows, ROWS);
}

/* Into e->room; its length, or 0: something failed. */
static size_t code(struct jpeg_encoder *e, const struct picture *pic, const struct capture *how)
{
    const struct colour_map map = colour_map(pic->matrix, pic->range, COLOUR_BT601, RANGE_FULL);
    if (setjmp(e->failed)) {
        if (!e->told) {
            char text[JMSG_LENGTH_MAX];
            e->errors.format_message((j_common_ptr)&e->jpeg, text);
            log_error("media", "jpeg: %s", text);
        }
        e->told = true;
        jpeg_abort_compress(&e->jpeg);
        return 0;
    }
    jpeg_start_compress(&e->jpeg, TRUE);
    if (e->stamp) {
        char text[TEXT_MAX];
        int n = capture_text(how, text, sizeof(text));
        jpeg_write_marker(&e->jpeg, JPEG_COM, (const JOCTET *)text, (unsigned)n);
    }
    for (int y = 0; y < pic->height; y += ROWS)
        code_rows(e, &map, pic, y);
    jpeg_finish_compress(&e->jpeg);
    return e->room->size - e->to.free_in_buffer;
}

static int jpeg_encode(struct encoder *enc, struct rendition *r, bool force_key,
                       struct packet **ret_p, struct stream_format *format)
{
    struct jpeg_encoder *e = container_of(enc, struct jpeg_encoder, base);
    if (r->pixels->width != e->format.width || r->pixels->height != e->format.height)
        return -EINVAL;
    e->room = room_get(e->spares, e->last_len + e->last_len / 8 + FIRST_BYTES);
    if (!e->room)
        return -ENOMEM;
    size_t len = code(e, r->pixels, &r->how);
    struct packet *p = len ? packet_new(e->room->bytes, len, room_release, e->room) : NULL;
    if (!p) {
        room_release(e->room);
        return len ? -ENOMEM : -EIO;
    }
    e->last_len = len;
    p->flags = PACKET_KEY;
    p->how = r->how;
    *format = e->format;
    *ret_p = p;
    return 0;
}

const struct encoder_ops encoder_jpeg = {
    .codec = CODEC_JPEG,
    .name = "jpeg",
    .open = jpeg_open,
    .encode = jpeg_encode,
    .close = jpeg_close,
};
