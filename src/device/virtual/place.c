#include "device/virtual/place.h"

#include <stdlib.h>
#include <string.h>

#include "device/virtual/texture.h"

static struct surface *surface_add(struct place *p, const struct vec *points, int n)
{
    static struct surface spare; /* written only when the place has failed already */
    if (p->n_surfaces == p->room && !p->failed) {
        size_t room = p->room ? p->room * 2 : 256;
        struct surface *bigger = realloc(p->surface, room * sizeof(*bigger));
        if (bigger) {
            p->surface = bigger;
            p->room = room;
        } else {
            p->failed = true;
        }
    }
    struct surface *s = p->failed ? &spare : &p->surface[p->n_surfaces++];
    memset(s, 0, sizeof(*s));
    if (n)
        surface_shape(s, points, n);
    return s;
}

static const struct texture *keep(struct place *p, struct texture *t)
{
    if (t && p->n_textures < PLACE_TEXTURES) {
        p->texture[p->n_textures++] = t;
        return t;
    }
    p->failed = true;
    return texture_free(t);
}

/* A flat patch of ground, x0…x1 by y0…y1; layers are added from the top down. */
static void ground_patch(struct place *p, const struct texture *t, double x0, double y0, double x1,
                         double y1, double tile_m, double tint)
{
    if (p->failed)
        return;
    struct vec at[4] = {vec(x0, y1, 0), vec(x1, y1, 0), vec(x1, y0, 0), vec(x0, y0, 0)};
    struct surface *s = surface_add(p, at, 4);
    surface_map(s, t, vec(0, 0, 0), vec(1, 0, 0), vec(0, -1, 0), 1 / tile_m, 1 / tile_m);
    surface_light(s, vec(0, 0, 1), tint, tint, tint);
    s->ground = true;
}

/* Paint on the ground, read by somebody who looks along `heading_deg`. */
static void ground_paint(struct place *p, const struct texture *t, double x, double y, double w,
                         double h, double heading_deg, double across, double along)
{
    if (p->failed)
        return;
    double a = heading_deg * M_PI / 180;
    struct vec right = vec(cos(a) * w, -sin(a) * w, 0), up = vec(sin(a) * h, cos(a) * h, 0);
    struct vec c = vec(x, y, 0), lt = vec_add(vec_sub(c, vec_mul(right, 0.5)), vec_mul(up, 0.5));
    struct vec at[4] = {lt, vec_add(lt, right), vec_sub(vec_add(lt, right), up), vec_sub(lt, up)};
    struct surface *s = surface_add(p, at, 4);
    surface_map(s, t, lt, right, vec_mul(up, -1), across, along);
    surface_light(s, vec(0, 0, 1), 1, 1, 1);
    s->ground = true;
}

/* A board with its middle at (x, y, z), looking at `faces_deg`. */
static struct surface *board(struct place *p, const struct texture *t, double x, double y, double z,
                             double w, double h, double faces_deg)
{
    double a = faces_deg * M_PI / 180;
    struct vec normal = vec(sin(a), cos(a), 0), right = vec(-cos(a) * w, sin(a) * w, 0);
    struct vec down = vec(0, 0, -h), c = vec(x, y, z);
    struct vec lt = vec_sub(vec_sub(c, vec_mul(right, 0.5)), vec_mul(down, 0.5));
    struct vec at[4] = {lt, vec_add(lt, right), vec_add(vec_add(lt, right), down),
                        vec_add(lt, down)};
    struct surface *s = surface_add(p, at, 4);
    if (t)
        surface_map(s, t, lt, right, down, 1, 1);
    else
        s->kind = DRAWN_FLAT;
    surface_light(s, normal, 1, 1, 1);
    return s;
}

static void shadow_of(struct place *p, const struct vec *points, int n, double soft_m)
{
    struct vec hull[MAX_EDGES];
    int m = place_shadow_hull(points, n, hull);
    if (m < 3)
        return;
    struct surface *s = surface_add(p, hull, m);
    s->kind = DRAWN_SHADOW;
    s->soft_m = soft_m;
    s->ground = true;
}

static void pole(struct place *p, double x, double y, double height, double width, double grey)
{
    double facing = atan2(-x, -y) * 180 / M_PI;
    struct surface *s = board(p, NULL, x, y, height / 2, width, height, facing);
    surface_light(s, vec_unit(vec(-x, -y, 0)), grey, grey, grey * 1.02);
}

struct building {
    double x0, y0, x1, y1, height;
    const struct texture *wall;
    double tile_w, tile_h; /* metres that one repeat of the wall spans */
    double tint[3];
};

static void building_walls(struct place *p, const struct building *b, const struct texture *roof)
{
    if (p->failed)
        return;
    const struct vec low[4] = {vec(b->x0, b->y0, 0), vec(b->x1, b->y0, 0), vec(b->x1, b->y1, 0),
                               vec(b->x0, b->y1, 0)};
    double nearest = 1e9;
    struct vec normals[4];
    bool faces_us[4]; /* the eye never moves */
    for (int i = 0; i < 4; i++) {
        struct vec u = low[i], v = low[(i + 1) % 4];
        for (int k = 0; k <= 32; k++)
            nearest = fmin(nearest, vec_len(vec_mix(u, v, k / 32.0)));
        normals[i] = vec_unit(vec_cross(vec_sub(v, u), vec(0, 0, 1)));
        faces_us[i] = vec_dot(normals[i], vec_sub(place_eye(), u)) > 0;
    }
    for (int i = 0; i < 4; i++) {
        struct vec u = low[i], v = low[(i + 1) % 4], normal = normals[i];
        double len = vec_len(vec_sub(v, u));
        if (!faces_us[i])
            continue;
        struct vec ut = vec_add(u, vec(0, 0, b->height)), vt = vec_add(v, vec(0, 0, b->height));
        struct vec at[4] = {ut, vt, v, u};
        struct surface *s = surface_add(p, at, 4);
        double across = fmax(1, round(len / b->tile_w)), along = b->height / b->tile_h;
        surface_map(s, b->wall, vec_add(u, vec(0, 0, b->tile_h * ceil(along))), vec_sub(v, u),
                    vec(0, 0, -b->tile_h), across, 1);
        surface_light(s, normal, b->tint[0], b->tint[1], b->tint[2]);
        s->key = nearest;
        s->fat[0] = b->height < EYE_HEIGHT_M;
        s->fat[1] = faces_us[(i + 1) % 4];
        s->fat[3] = faces_us[(i + 3) % 4];
    }
    if (b->height < EYE_HEIGHT_M) {
        struct vec at[4];
        for (int i = 0; i < 4; i++)
            at[i] = vec_add(low[i], vec(0, 0, b->height));
        struct surface *s = surface_add(p, at, 4);
        surface_map(s, roof, at[0], vec(4, 0, 0), vec(0, -4, 0), 1, 1);
        surface_light(s, vec(0, 0, 1), 1, 1, 1);
        s->key = nearest - 0.01;
    }
}

static void building_shadow(struct place *p, const struct building *b)
{
    const struct vec at[8] = {vec(b->x0, b->y0, 0),         vec(b->x1, b->y0, 0),
                              vec(b->x1, b->y1, 0),         vec(b->x0, b->y1, 0),
                              vec(b->x0, b->y0, b->height), vec(b->x1, b->y0, b->height),
                              vec(b->x1, b->y1, b->height), vec(b->x0, b->y1, b->height)};
    shadow_of(p, at, 8, 0.12);
}

static const struct {
    double x, y, size;
    int kind;
} trees[] = {
    {-20, 38, 6.5, 0}, {-13, 57, 7, 1},    {17, 36, 5.5, 1},  {20, 55, 7.5, 0}, {-20, 52, 6, 1},
    {11.5, 56, 6, 0},  {-37, 24, 7, 0},    {38, 27, 6.5, 1},  {-36, 66, 7, 1},  {36, 68, 8, 0},
    {-17, -14, 6, 0},  {-24, -22, 7.5, 1}, {14, -20, 6.5, 0}, {27, -26, 7, 1},  {28, 8, 6, 0},
    {34, -12, 7, 1},   {-28, 8, 6.5, 0},   {-31, -8, 7, 1},   {60, 12, 8, 0},   {-62, 10, 8, 1},
    {-22, -33, 7, 0},  {52, 90, 9, 1},     {-64, 84, 9, 0},   {90, 40, 9, 0},   {-92, 44, 9, 1},
    {44, -44, 8, 0},   {-48, -36, 8, 1},   {110, 6, 9, 1},    {-112, 12, 9, 0},
};

static void build_trees(struct place *p, const struct texture *const kinds[2])
{
    for (size_t i = 0; i < sizeof(trees) / sizeof(*trees); i++) {
        double h = trees[i].size, facing = atan2(-trees[i].x, -trees[i].y) * 180 / M_PI;
        struct surface *s =
            board(p, kinds[trees[i].kind], trees[i].x, trees[i].y, h / 2, h * 0.8, h, facing);
        /* Leaves take light from everywhere. */
        surface_light(s, vec_unit(vec_add(place_sun(), vec(0, 0, 0.4))), 0.86, 0.86, 0.86);
        s->key = hypot(trees[i].x, trees[i].y);
    }
}

static void tree_shadows(struct place *p)
{
    for (size_t i = 0; i < sizeof(trees) / sizeof(*trees); i++) {
        struct vec crown[8], c = vec(trees[i].x, trees[i].y, trees[i].size * 0.62);
        double r = trees[i].size * 0.33;
        for (int k = 0; k < 8; k++)
            crown[k] = vec_add(c, vec(r * cos(k * M_PI / 4), r * sin(k * M_PI / 4), 0));
        shadow_of(p, crown, 8, 0.5);
    }
}

struct post_sign {
    double x, y, z, w, h, faces;
    struct texture_sign text;
    int log2_w, log2_h;
    bool post;
};

#define INK                                                                                        \
    {                                                                                              \
        28, 30, 36                                                                                 \
    }
#define PAPER                                                                                      \
    {                                                                                              \
        245, 245, 243                                                                              \
    }
static const struct post_sign signs[] = {
    /* On the kiosk's bright wall: the one that only the longest lens reads. */
    {-10.6,
     43.97,
     1.4,
     0.60,
     0.30,
     180,
     {{"VEDETTE", "30X", NULL}, INK, PAPER, false, false, 0.17},
     10,
     9,
     false},
    {3.2,
     41,
     2.25,
     0.60,
     0.30,
     180,
     {{"WALKERS", "GATE 12", NULL}, INK, PAPER, true, false, 0.15},
     10,
     9,
     true},
    {-4.4,
     52,
     2.1,
     0.5,
     0.25,
     180,
     {{"BUS 42", "PARK", NULL}, INK, PAPER, true, false, 0.15},
     9,
     8,
     true},
    {-12.0,
     43.96,
     2.35,
     2.4,
     0.6,
     180,
     {{"KIOSK", NULL, NULL}, {250, 245, 235}, {150, 30, 36}, false, false, 0.18},
     9,
     7,
     false},
    {30,
     75.96,
     9.62,
     13,
     1.5,
     180,
     {{"VEDETTE WORKS", NULL, NULL}, {245, 245, 245}, {28, 58, 104}, false, false, 0.16},
     11,
     8,
     false},
    {-30,
     75.96,
     9.62,
     11,
     1.4,
     180,
     {{"CITY LIBRARY", NULL, NULL}, {240, 224, 170}, {40, 36, 34}, false, false, 0.15},
     10,
     7,
     false},
    {2,
     79.96,
     4.4,
     8,
     1.2,
     180,
     {{"HOTEL NORD", NULL, NULL}, {250, 250, 250}, {22, 96, 84}, false, false, 0.16},
     10,
     7,
     false},
    {23.6,
     20.4,
     2.3,
     0.7,
     0.7,
     180,
     {{"30", NULL, NULL}, INK, PAPER, true, false, 0.15},
     8,
     8,
     true},
    {-23.4,
     20.4,
     2.5,
     1.6,
     0.4,
     130,
     {{"LINDEN STREET", NULL, NULL}, {245, 245, 245}, {24, 66, 140}, true, false, 0.15},
     9,
     7,
     true},
    {49.96,
     -4,
     6.42,
     5,
     1.4,
     270,
     {{"EXIT", NULL, NULL}, {245, 245, 245}, {20, 110, 60}, true, false, 0.17},
     9,
     7,
     false},
    {24,
     3,
     2.2,
     0.9,
     0.45,
     262,
     {{"PLATFORM 2", "> EAST", NULL}, INK, PAPER, true, false, 0.14},
     9,
     8,
     true},
    {-8,
     -39.96,
     5.0,
     7,
     1.6,
     0,
     {{"GATE 7", NULL, NULL}, {34, 34, 34}, {240, 196, 40}, true, false, 0.17},
     9,
     7,
     false},
    {5,
     -24,
     2.2,
     0.8,
     0.4,
     350,
     {{"LOADING", "ZONE 3", NULL}, INK, PAPER, true, false, 0.14},
     9,
     8,
     true},
    {-54.96,
     2,
     3.22,
     5.4,
     1.35,
     90,
     {{"BAKERY", NULL, NULL}, {250, 240, 220}, {120, 66, 30}, false, false, 0.16},
     9,
     7,
     false},
    {-26,
     -3,
     2.2,
     0.9,
     0.45,
     80,
     {{"WEST PARK", "12 MIN", NULL}, INK, PAPER, true, false, 0.14},
     9,
     8,
     true},
};

static void build_signs(struct place *p)
{
    for (size_t i = 0; i < sizeof(signs) / sizeof(*signs) && !p->failed; i++) {
        const struct post_sign *g = &signs[i];
        const struct texture *t =
            keep(p, texture_text(&g->text, g->log2_w, g->log2_h, g->w / g->h));
        if (!t)
            return;
        struct surface *s = board(p, t, g->x, g->y, g->z, g->w, g->h, g->faces);
        if (g->post) {
            s->key = hypot(g->x, g->y) - 0.05;
            pole(p, g->x, g->y, g->z - g->h / 2 + 0.02, 0.06, 0.35);
        } else {
            s->key = -1; /* on a wall: set below the wall's own key by the caller */
        }
    }
}

/* A wall's decal comes just before the wall that it hangs on. */
static void hang_decals(struct place *p, const struct building *b, int n)
{
    for (size_t i = 0; i < p->n_surfaces; i++) {
        struct surface *s = &p->surface[i];
        if (s->key >= 0)
            continue;
        struct vec c = vec_add(vec_mix(s->vert[0], s->vert[2], 0.5), place_eye());
        double best = 1e9;
        for (int k = 0; k < n; k++) {
            double dx = fmax(fmax(b[k].x0 - c.x, c.x - b[k].x1), 0);
            double dy = fmax(fmax(b[k].y0 - c.y, c.y - b[k].y1), 0);
            if (hypot(dx, dy) > 0.5 || hypot(dx, dy) >= best)
                continue;
            best = hypot(dx, dy);
            double nearest = 1e9;
            for (int e = 0; e <= 32; e++) {
                double fx = b[k].x0 + (b[k].x1 - b[k].x0) * e / 32;
                double fy = b[k].y0 + (b[k].y1 - b[k].y0) * e / 32;
                nearest = fmin(nearest, fmin(hypot(fx, b[k].y0), hypot(fx, b[k].y1)));
                nearest = fmin(nearest, fmin(hypot(b[k].x0, fy), hypot(b[k].x1, fy)));
            }
            s->key = nearest - 0.02;
        }
        if (s->key < 0)
            s->key = vec_len(c);
    }
}

static void build_marks(struct place *p)
{
    static const double headings[4] = {0, 90, 180, 270};
    const struct texture_sign bar = {{NULL}, {240, 240, 236}, {240, 240, 236}, false, false, 0};
    const struct texture *line = keep(p, texture_text(&bar, 3, 3, 1));
    for (int m = 10; m <= 120 && line; m += 10) {
        char number[2][8] = {{0}};
        int n = 0;
        if (m >= 100)
            number[0][n++] = (char)('0' + m / 100);
        number[0][n++] = (char)('0' + m / 10 % 10);
        number[0][n++] = '0';
        const struct texture_sign text = {{number[0]}, {244, 244, 240}, {0, 0, 0}, false, true,
                                          0.17};
        const struct texture *t = keep(p, texture_text(&text, 7, 7, 1));
        for (int k = 0; k < 4 && t; k++) {
            if (k && m > 70)
                break;
            double a = headings[k] * M_PI / 180, x = sin(a) * m, y = cos(a) * m;
            ground_paint(p, line, x, y, 1.6, 0.12, headings[k], 1, 1);
            double side = 1.45;
            ground_paint(p, t, x + cos(a) * side, y - sin(a) * side, 1.0, 1.2, headings[k], 1, 1);
        }
    }
    static const char *const names[4] = {"N", "E", "S", "W"};
    for (int k = 0; k < 4; k++) {
        const struct texture_sign text = {{names[k]}, {244, 244, 240}, {0, 0, 0}, false, true,
                                          0.17};
        const struct texture *t = keep(p, texture_text(&text, 7, 7, 1));
        if (!t)
            return;
        double a = headings[k] * M_PI / 180;
        ground_paint(p, t, sin(a) * 2.2, cos(a) * 2.2, 0.8, 0.8, headings[k], 1, 1);
        ground_paint(p, line, sin(a) * 0.9, cos(a) * 0.9, 0.1, 1.4, headings[k], 1, 1);
    }
}

static void build_roads(struct place *p, const struct texture *asphalt,
                        const struct texture *dashes, const struct texture *zebra)
{
    /* Centre lines: 4 m a dash with its gap. Four road pieces around the park and onwards. */
    ground_paint(p, zebra, 8, 25.5, 3.2, 6.6, 0, 1, 8);
    ground_paint(p, dashes, 0, 25.5, 0.16, 900, 90, 1, 225);
    ground_paint(p, dashes, -28.5, 230, 0.16, 400, 0, 1, 100);
    ground_paint(p, dashes, 28.5, 230, 0.16, 400, 0, 1, 100);
    ground_paint(p, dashes, 0, 64.5, 0.16, 49, 90, 1, 12);
    ground_patch(p, asphalt, -450, 22, 450, 29, 4, 1);
    ground_patch(p, asphalt, -32, 29, -25, 500, 4, 0.97);
    ground_patch(p, asphalt, 25, 29, 32, 500, 4, 0.97);
    ground_patch(p, asphalt, -25, 61, 25, 68, 4, 0.98);
    /* the yard of the warehouse behind the camera */
    ground_patch(p, asphalt, -32, -40, 16, -26, 4, 1.02);
}

static void build_ground(struct place *p, uint32_t seed)
{
    const struct texture *asphalt = keep(p, texture_asphalt(seed + 1));
    const struct texture *dashes = keep(p, texture_dashes()), *zebra = keep(p, texture_zebra());
    const struct texture *slabs = keep(p, texture_pavement(seed + 2));
    const struct texture *grass = keep(p, texture_grass(seed + 3));
    if (p->failed)
        return;
    build_marks(p);
    build_roads(p, asphalt, dashes, zebra);
    ground_patch(p, slabs, -450, 16.5, 450, 22, 3, 1);
    ground_patch(p, slabs, -450, 29, 450, 31, 3, 1);
    ground_patch(p, slabs, -9, -9, 9, 16.5, 3, 1.03);
    ground_patch(p, slabs, -34.5, 68, 34.5, 76, 3, 1);
    ground_patch(p, slabs, -2.5, 31, 2.5, 61, 3, 1.02);
    ground_patch(p, slabs, -14.5, 42, -2.5, 50, 3, 0.99);
    ground_patch(p, slabs, -25, 59, 25, 61, 3, 1);
    ground_patch(p, slabs, -1.5, -60, 1.5, -9, 3, 1);
    ground_patch(p, slabs, 9, -1.5, 50, 1.5, 3, 1);
    ground_patch(p, slabs, -55, -1.5, -9, 1.5, 3, 1);
    /* grass, to the horizon */
    struct surface *s = surface_add(p, NULL, 0);
    s->normal = vec(0, 0, -1);
    s->plane = EYE_HEIGHT_M;
    s->edge[0] = s->normal;
    s->n_edges = 1;
    s->haze_at = 900;
    surface_map(s, grass, vec(0, 0, 0), vec(1, 0, 0), vec(0, -1, 0), 1 / 9.0, 1 / 9.0);
    surface_light(s, vec(0, 0, 1), 1, 1, 1);
    s->ground = true;
}

static void build_sky(struct place *p, uint32_t seed)
{
    const struct texture *clouds = keep(p, texture_clouds(seed + 4));
    if (p->failed)
        return;
    struct surface *s = surface_add(p, NULL, 0);
    s->normal = vec(0, 0, 1);
    s->plane = 900;
    s->edge[0] = s->normal;
    s->n_edges = 1;
    surface_map(s, clouds, vec(0, 0, 0), vec(1, 0, 0), vec(0, -1, 0), 1 / 5200.0, 1 / 5200.0);
    for (int k = 0; k < 3; k++)
        s->light[k] = (float)(RADIANCE_UNIT * 1.0);
    s->haze_at = 9000;
    s->fade_at = 5200;
    s->ground = true;
    s = surface_add(p, NULL, 0);
    s->kind = DRAWN_SKY;
    s->normal = vec(0, 0, 1);
    s->ground = true;
}

static void build_skyline(struct place *p, uint32_t seed)
{
    const struct texture *t = keep(p, texture_skyline(seed + 5));
    if (p->failed)
        return;
    const int sides = 24;
    const double r = 780, wide = 2 * r * tan(M_PI / sides);
    for (int i = 0; i < sides; i++) {
        double a = 2 * M_PI * i / sides;
        struct surface *s =
            board(p, t, r * sin(a), r * cos(a), 43, wide + 2, 90, a * 180 / M_PI + 180);
        struct vec lt = vec(r * sin(a) - cos(a) * wide / 2, r * cos(a) + sin(a) * wide / 2, 88);
        surface_map(s, t, lt, vec(cos(a) * wide, -sin(a) * wide, 0), vec(0, 0, -90), 1.0 / 3, 1);
        s->u0 += texture_w(t) * (i % 3) / 3.0;
        surface_light(s, vec(0, -0.6, 0.8), 0.8, 0.8, 0.8);
        s->haze_at = 700;
        s->key = 700;
    }
}

static int nearer(const void *a, const void *b)
{
    const struct surface *u = a, *v = b;
    return u->key < v->key ? -1 : u->key > v->key;
}

struct place *place_new(uint64_t seed64)
{
    struct place *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    uint32_t seed = (uint32_t)(seed64 ^ seed64 >> 32) * 7919u;
    const struct texture *brick = keep(p, texture_brick_facade(seed + 10));
    const struct texture *plaster = keep(p, texture_plaster_facade(seed + 11));
    const struct texture *glass = keep(p, texture_glass_facade(seed + 12));
    const struct texture *metal = keep(p, texture_metal_wall(seed + 13));
    const struct texture *roof = keep(p, texture_roof(seed + 14));
    const struct texture *const kinds[2] = {keep(p, texture_tree(seed + 15)),
                                            keep(p, texture_tree(seed + 16))};
    p->wheel = keep(p, texture_wheel());
    static const char *const plates[2] = {"VD 3041", "PX 7725"};
    for (int i = 0; i < 2; i++) {
        const struct texture_sign t = {{plates[i]}, INK, PAPER, true, false, 0.16};
        p->plates[i] = keep(p, texture_text(&t, 8, 6, 4.6));
    }
    const struct building all[] = {
        {-48, 76, -12, 92, 12.8, brick, 7, 6.4, {1, 1, 1}},
        {-8, 80, 13, 98, 25.6, glass, 6, 6.4, {1, 1, 1}},
        {17, 76, 46, 94, 10.9, plaster, 7, 6.4, {1.0, 0.95, 0.82}},
        {-62, 34, -40, 60, 9.6, plaster, 7, 6.4, {0.95, 0.82, 0.72}},
        {40, 36, 64, 62, 12.8, brick, 7, 6.4, {1.05, 0.95, 0.9}},
        {-130, 110, -90, 140, 32, glass, 6, 6.4, {0.9, 0.95, 1}},
        {62, 112, 96, 140, 41.6, plaster, 7, 6.4, {0.86, 0.9, 0.95}},
        {-16, 150, 6, 170, 44.8, plaster, 7, 6.4, {0.92, 0.86, 0.8}},
        {-15, 44, -9, 48.5, 3.0, metal, 4, 4, {1.62, 1.54, 1.40}},
        {-30, -62, 12, -40, 8.0, metal, 4, 4, {0.8, 0.92, 1.05}},
        {22, -92, 46, -62, 25.6, brick, 7, 6.4, {0.95, 0.95, 1}},
        {50, -18, 78, 10, 9.6, plaster, 7, 6.4, {0.98, 0.98, 0.9}},
        {-82, -16, -55, 12, 12.8, brick, 7, 6.4, {1.05, 0.92, 0.84}},
        {84, -40, 110, -22, 22.4, glass, 6, 6.4, {1, 1, 1}},
        {-120, -60, -92, -36, 19.2, plaster, 7, 6.4, {0.9, 0.95, 0.9}},
        {-70, -110, -44, -88, 32, glass, 6, 6.4, {1, 0.98, 0.95}},
    };
    const int n = (int)(sizeof(all) / sizeof(*all));
    for (int i = 0; i < n; i++)
        building_walls(p, &all[i], roof);
    if (!p->failed) {
        build_trees(p, kinds);
        build_signs(p);
        hang_decals(p, all, n);
        build_skyline(p, seed);
        for (int i = -3; i <= 3; i++) /* lamp posts along the front road */
            pole(p, i * 13 + 6.5, 30.2, 5.2, 0.12, 0.22);
    }
    if (!p->failed && p->n_surfaces)
        qsort(p->surface, p->n_surfaces, sizeof(*p->surface), nearer);
    /* What lies on the ground comes after all that stands on it, the sky last. */
    for (int i = 0; i < n && !p->failed; i++)
        building_shadow(p, &all[i]);
    tree_shadows(p);
    build_ground(p, seed);
    build_sky(p, seed);
    return p->failed ? place_free(p) : p;
}

struct place *place_free(struct place *p)
{
    if (!p)
        return NULL;
    for (size_t i = 0; i < p->n_textures; i++)
        texture_free(p->texture[i]);
    free(p->surface);
    free(p);
    return NULL;
}
