/* Inside of build/tools/unpack: makes the places and models that the camera maps from the
 * packed ones in assets/. A tool of the build; trusts its input, but stops with a word
 * where it is not what it should be. */
#ifndef TOOLS_UNPACK_H
#define TOOLS_UNPACK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "device/virtual/place/tiles.h"

void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void *take(size_t n, size_t each); /* zeroed; never NULL */

/* All layers of a patch at one density. Halves are rounded up. */
struct layers {
    double density;
    int w, h;   /* of the texels; … */
    int w2, h2; /* half */
    int w4, h4; /* quarter */
    int w8, h8; /* eighth */
    uint8_t *y, *cover;
    uint8_t *cb, *cr;           /* half */
    uint16_t *depth;            /* half */
    uint8_t *sun;               /* half, LIGHT_SUNS interleaved */
    uint32_t *soft[LIGHT_SOFT]; /* quarter */
    uint8_t *sway;              /* eighth */
    bool round;
};

void layers_init(struct layers *l, int w, int h);
void layers_done(struct layers *l);
/* Reads the Matroska files DIR/NAME-LAYER.mkv. */
void layers_load(struct layers *l, const char *dir, const char *name, const char *const soft[]);
/* Straightens ragged edges of colour and takes specks out of the light. */
void layers_smooth(struct layers *l);
/* Texels x0 ≤ x < x1, y0 ≤ y < y1 get the colours of their left and right neighbours. */
void layers_blank(struct layers *l, int x0, int y0, int x1, int y1);
/* Half the density. */
void layers_halve(struct layers *to, const struct layers *from);
/* The foot of a round patch as seen straight down; see PROJECTION_DOWN. */
void layers_down(struct layers *to, const struct layers *from, double pan0, double tilt1,
                 double reach);
/* Makes the lights that are baked in a unit of their own k times as strong. */
void layers_scale(struct layers *l, int layer, double k);
uint32_t soft_pack(const float rgb[3]);
/* Linear colour of a texel. */
void layers_albedo(const struct layers *l, int x, int y, float ret[3]);

/* The file that is made. */
struct out {
    FILE *f;
    uint64_t at;
    struct out_part {
        uint64_t a, b;
        uint32_t at;
    } * part; /* what has been written, by content */
    size_t n_parts, room;
    uint64_t saved;
};
/* Writes a part (or finds the same one), returns its place in units. */
uint32_t out_part(struct out *o, const void *data, size_t n);
uint64_t out_table(struct out *o, const void *data, size_t n);
/* Cuts a sheet into tiles and writes their parts; `ret` holds across × down. */
void sheet_cut(struct out *o, const struct layers *l, struct tile *ret);
/* A sheet's size in tiles. */
void sheet_size(struct sheet *s, const struct layers *l);

#define PATCHES 64
#define SHEETS 512

/* A place file that is being made. Fill in head.name, eye, suns and lamp_lux before the base. */
struct build {
    struct out out;
    struct tiles_head head;
    struct patch patch[PATCHES];
    struct sheet sheet[SHEETS];
    struct tile *tile;
    size_t tile_room;
    struct meter_cell *meter;
    struct ground_cell *ground;
    double lamp_scale; /* from the units of the layers to full suns, found with the base */
    char path[1024], part[1040];
};
void build_open(struct build *b, const char *path);
/* Adds a patch (name and borders of `as`), consuming its layers. The first one is the base:
 * all the way round and down to the nadir. */
void build_patch(struct build *b, const struct patch *as, struct layers *l, bool base);
void build_close(struct build *b);

#endif
