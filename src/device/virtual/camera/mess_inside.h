/* Inside of the pane: mess.c, mess_layers.c. */
#ifndef DEVICE_VIRTUAL_CAMERA_MESS_INSIDE_H
#define DEVICE_VIRTUAL_CAMERA_MESS_INSIDE_H

#include <stdbool.h>

#include "device/virtual/camera/mess.h"
#include "device/virtual/kernels.h"

#define LEVELS 4096
#define DROPS 48

/* A thing on the dome: where, how bright; and whose state it shows. */
struct layer {
    uint8_t *alpha, *shade; /* width × height; shade in 64ths */
    double amount;          /* of the mess for which alpha was made */
};

struct pane {
    uint64_t seed;
    int width, height; /* of what follows */
    uint16_t *planes;
    struct radiance out;
    uint16_t *field;      /* pattern of the paint */
    double level[LEVELS]; /* below which so many of its values lie, 0…1 */
    struct layer paint, cloth;
    uint16_t *coarse; /* the picture in little: four numbers a point */
    int coarse_width, coarse_height;
    struct defocus *defocus;
    uint16_t *small;         /* … and what is laid over the place, for pictures in bands */
    bool bands;              /* coarse is of the place alone */
    uint8_t *old;            /* cells whose points of `coarse` are not those of now */
    struct drop drop[DROPS]; /* strength 0: is not there */
    struct radiance *under;  /* the picture that they were laid over; NULL: none */
    uint16_t *aside;         /* … and what they cover, drop by drop */
    size_t aside_room;
    uint8_t *cells; /* of `out` that may differ from the picture before */
    const struct kernels *kernels;
    const struct radiance *of; /* of which coarse was made … */
    bool known;                /* … but for what is old */
    /* what is in `out`: of which picture, and how it came there */
    bool valid;
    const struct radiance *out_of;
    struct mess mess;
    double grey, veil[3];
};

/* mess_layers.c: alpha and shade of paint and of a cloth that cover so much; 0 or -ENOMEM. */
int make_paint(struct pane *p, double amount);
int make_cloth(struct pane *p, double amount);
uint64_t pane_mix(uint64_t x);
/* 0…1 for a place of a lattice. */
double pane_chance(uint64_t key, int x, int y);

#endif
