/* Inside of the backdrop: backdrop.c, sway.c, lettering.c, backdrop_ask.c. */
#ifndef DEVICE_VIRTUAL_PLACE_BACKDROP_INSIDE_H
#define DEVICE_VIRTUAL_PLACE_BACKDROP_INSIDE_H

#include "device/virtual/place/backdrop.h"
#include "device/virtual/place/kernels.h"
#include "device/virtual/place/plan.h"
#include "device/virtual/place/sky.h"

#define PHASES 16 /* moments at which tiles take a new light */
#define PERIODS 3

enum { CELL_SKY = 1, CELL_SWAY = 2 };

struct cell {
    uint16_t phases; /* of the tiles that are in it */
    uint8_t flags;
};

/* A corner of cells. */
struct knot {
    struct look look;
    float sway;        /* radians that a leaf there moves for each metre */
    float far;         /* metres, about */
    int beam;          /* 0…256: what the own lamp's beam leaves of the light */
    float aside, lift; /* degrees that the wind has moved it, at sway_time */
};

struct slot {
    uint16_t *texels;
    uint16_t *slab; /* to be freed; NULL: part of one before */
    uint32_t tile;
    uint64_t light; /* id of what it is lit by */
    uint64_t used;
};

struct phase {
    struct light light;
    struct mix mix;
    uint64_t id; /* changes with mix */
};

struct past {
    struct light light;
    int64_t time_ns;
    bool known;
};

/* A sign that is in the picture. */
struct lettered {
    const struct sign *sign;
    int x0, y0, x1, y1; /* pixels that it may touch */
    struct vec a, b, n; /* a·ray / n·ray: 0…1 along its right side; b: down */
    double far;         /* metres to its middle */
    double pixel_m;     /* size of a pixel there */
    float light[3];     /* radiance of a white card */
    float clear, veil[3];
};

struct backdrop {
    const struct tiles *tiles;
    const struct place_kernels *kernels;
    void (*light_at)(void *ctx, int64_t time_ns, struct light *ret);
    void *ctx;
    struct phase phase[PHASES];
    struct past past[PERIODS][PHASES];
    uint16_t stale; /* phases whose light has changed */
    uint64_t ids;
    /* working tiles */
    struct slot *slot;
    int n_slots, most_slots;
    uint32_t *where; /* slot + 1 of each tile */
    uint64_t clock;
    uint64_t n_mixed; /* for tests and benches */
    uint8_t *work;
    float *scratch;
    uint16_t *buffer[2], *patchwork;
    bool failed;
    /* the picture */
    uint64_t held;
    struct view view;
    struct plan plan;
    struct knot *knot;
    struct cell *cell;
    size_t room;
    int across, down; /* knots */
    int64_t sky_time[PHASES], sway_time;
    unsigned sky_moved;
    double wind_m_s, wind_deg;
    bool quick;
    bool beam; /* the own lamp burns */
    struct lettered *lettered;
    int n_lettered;
    int8_t grain[GRAIN * GRAIN + 4];
};

/* sway.c: what the wind does at a corner. */
void sway_find(struct backdrop *b, struct knot *k);
void sway_move(const struct backdrop *b, struct knot *k);
/* lettering.c: signs in view, their light, and their part of a cell; the last returns the
 * phases whose light they have. */
void lettering_find(struct backdrop *b);
void lettering_light(struct backdrop *b);
uint16_t lettering_paint(const struct backdrop *b, int x, int y, uint16_t *cell);
/* backdrop_ask.c: mean radiance of what a view sees. */
double ask_meter(const struct tiles *t, const struct light *l, const struct view *v);
/* Light on a point seen in that direction: radiance of a white card. */
void ask_light(const struct tiles *t, const struct light *l, struct vec direction, float ret[3]);

#endif
