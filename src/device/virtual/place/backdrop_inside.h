/* Inside of the backdrop: backdrop.c, backdrop_cell.c, backdrop_sky.c, lit.c, sway.c, lettering.c,
 * backdrop_ask.c. */
#ifndef DEVICE_VIRTUAL_PLACE_BACKDROP_INSIDE_H
#define DEVICE_VIRTUAL_PLACE_BACKDROP_INSIDE_H

#include "device/virtual/place/backdrop.h"
#include "device/virtual/place/kernels.h"
#include "device/virtual/place/mixing.h"
#include "device/virtual/place/plan.h"
#include "device/virtual/place/sky.h"

#define PATCHWORK 96 /* texels: side of what a cell may take from several tiles */
#define PHASES 16    /* moments at which tiles take a new light */
#define PERIODS 3
/* At which leaves move: none, 2 moments of 1/15 s, 4 of 2/15, 8 of 4/15, and where they are hardly
 * seen 16 of 8/15. */
#define RHYTHMS 31

enum { CELL_SKY = 1, CELL_SWAY = 2 };

struct cell {
    uint16_t phases; /* of the tiles that are in it */
    uint8_t flags;
    uint8_t rhythm; /* of the leaves in it, 1…; 0: none */
    bool faint;     /* they are lost in the noise; the phases of the tiles that say so */
    uint16_t faint_phases;
    uint32_t sky_id; /* what its samples of the sky were made for; 0: nothing */
    uint32_t air_id; /* … and those of what lamps add to the air before it */
};

/* Its samples, the left top one first. */
struct cell_sky {
    float all[3][SKY_SIDE * SKY_SIDE]; /* of b->sky_id of its row */
    float air[3][SKY_SIDE * SKY_SIDE]; /* of b->air_id of its row */
};

/* A corner of cells. */
struct knot {
    struct look look;
    uint64_t patches; /* of the plan that may lie there, as bits */
    float sway;       /* radians that a leaf there moves for each metre */
    float far;        /* metres, about */
    int64_t moved_ns; /* when the wind last moved it, … */
    uint32_t gust;    /* … in which wind (b->gusts), and how far, degrees */
    double aside, lift;
    int beam; /* 0…256: what the own lamp's beam leaves of the light */
};

/* A patch's part of a cell. */
struct cell_layer {
    const struct plan_use *use;
    const struct sheet *sheet;
    struct remap remap;
    int weight[4], x, y, w, h; /* weights at the corners; texels of the sheet */
    bool whole;                /* all weights are full */
    bool there;                /* else nothing of it is */
    bool large, several;       /* texels are magnified; lie in several tiles, or beyond the sheet */
};

/* A cell that is to be painted. */
struct cell_job {
    int i, j;
    struct cell *cell;
    const struct knot *knot[4];
    struct look at[4]; /* its corners, where the wind has moved them */
    struct cell_layer layer[PLAN_MOST];
    int n; /* layers, the uppermost first */
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
    struct plan finest; /* of all that is there; never changes */
    const struct place_kernels *kernels;
    void (*light_at)(void *ctx, int64_t time_ns, struct light *ret);
    void *ctx;
    struct phase phase[PHASES];
    struct past past[PERIODS][PHASES];
    int64_t since_ns; /* no light of before that time counts */
    uint64_t revision;
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
    struct cell_sky *sky; /* of each cell that has some */
    size_t room;
    int across, down; /* knots */
    bool dark;        /* it is night: less is seen of what moves */
    int64_t sky_time[PHASES], sway_time[RHYTHMS];
    uint32_t sky_id[PHASES], sky_ids; /* change with what the sky of a row looks like */
    uint32_t air_id[PHASES];          /* … and with what lamps add to it */
    unsigned sky_moved, sway_moved;   /* bits of phases; of rhythms */
    double wind_m_s, wind_deg;
    uint32_t gusts; /* changes with the wind and the view */
    bool quick;
    bool beam;                   /* the own lamp burns … */
    double beam_share, beam_deg; /* … and makes so much of the light, that wide */
    struct lettered *lettered;
    int n_lettered;
    int8_t grain[GRAIN * GRAIN + 4];
};

/* backdrop_cell.c: where the texels of a cell are, which are fetched with the pixels that they go
 * to; paints it. The next may be found before. */
void cell_find(struct backdrop *b, int i, int j, const struct radiance *into, struct cell_job *to);
void cell_paint(struct backdrop *b, struct cell_job *job, struct radiance *into);
/* Whether leaves between those corners are so dark that nobody sees them move. A function of view
 * and light alone. */
bool cell_faint(struct backdrop *b, const struct knot *const k[4], uint16_t *ret_phases);
/* lit.c: the light of each phase (b->phase, b->stale); the lit texels of a tile of the sheet, whose
 * phase the cell notes. NULL: there is nothing (or no memory: failed). */
void lit_choose(struct backdrop *b, const struct light *now, int64_t time_ns);
const uint16_t *lit_tile(struct backdrop *b, const struct patch *p, const struct sheet *s,
                         uint32_t index, struct cell *cell);
/* sway.c: what the wind does at a corner, in degrees, into k->aside, k->lift; when the leaves of
 * each rhythm were last moved (returns which are, since the last call), and the rhythm of a cell.
 */
void sway_find(struct backdrop *b, struct knot *k);
void sway_move(const struct backdrop *b, struct knot *k, int64_t time_ns);
unsigned sway_times(struct backdrop *b, const struct set *s, int64_t time_ns);
uint8_t sway_rhythm(const struct backdrop *b, const struct knot *const k[4], int i, int j,
                    bool faint);
/* backdrop_sky.c: which sky each row has at that time, with phases whose light has changed; lays
 * it behind a cell of the row, between those corners. */
void sky_choose(struct backdrop *b, int64_t time_ns, uint16_t stale);
void sky_add(struct backdrop *b, const struct knot *const k[4], int row, struct cell *cell,
             uint16_t *to);
/* lettering.c: signs in view, their light, and their part of a cell; the last returns the
 * phases whose light they have. */
void lettering_find(struct backdrop *b);
void lettering_light(struct backdrop *b);
uint16_t lettering_paint(const struct backdrop *b, int x, int y, uint16_t *cell);
/* backdrop_ask.c: mean radiance of what a view sees. */
double ask_meter(const struct tiles *t, const struct light *l, const struct view *v);
/* Light on a point seen in that direction: radiance of a white card. */
void ask_light(const struct backdrop *b, const struct light *l, struct vec direction, float ret[3]);

#endif
