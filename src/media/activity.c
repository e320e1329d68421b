#include "media/activity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "media/activity_kernels.h"

#define SAMPLE 4                             /* pixels of a side */
#define SAMPLES (ACTIVITY_CELL / SAMPLE)     /* of a cell's side */
#define UNIT (SAMPLE * SAMPLE)               /* of a sample, per grey level */
#define CELL_UNIT (UNIT * SAMPLES * SAMPLES) /* of a cell's sum, per grey level */
#define KEPT_SHIFT_STILL 4                   /* kept samples follow slowly what is still … */
#define KEPT_SHIFT_LIGHT 1                   /* … and fast while the light changes */

#define BINS 8 /* of brightness: noise is another in the dark */
#define BUCKETS 256
#define BUCKET 8        /* a cell's difference */
#define BIN_LEAST 24    /* cells: fewer say nothing about noise */
#define LEARN_BUSY 0.5  /* share of cells: above it, what is still is guessed from the calmest */
#define SURE 6.0        /* standard deviations of noise that begin activity … */
#define LIKELY 3.0      /* … and that go on with it beside what has begun */
#define LEAST 96        /* of a cell's difference: six grey levels of one sample */
#define RESTLESS 6.0f   /* times what a cell differs by most of the time, that begin activity */
#define REST_RATE 400   /* looks in which that rises by e */
#define HABIT 0.05f     /* share of looks: a cell that is active so often is so by habit … */
#define HABIT_LOOKS 900 /* … seen over so many */
#define CROWD 6         /* neighbours that are active with a cell that is so by habit */
#define WHOLE 0.6       /* share of cells: all of the picture has changed */
#define LIGHT_LEAST 0.4 /* grey levels a look */
#define POSE_LEAST_DEG 1e-4

struct noise { /* of a cell's difference, in one range of brightness */
    float mean, spread;
    bool known;
};

struct activity_watch {
    const struct activity_kernels *k;
    int width, height, across, down, samples_down;
    int stride; /* of the sample planes; cells are a multiple of four, and one more sample */
    uint16_t *now, *kept;
    struct activity_sums *sums; /* stride / 4 · down */
    uint8_t *mark, *shift;      /* likewise; mark: 1 likely, 2 sure */
    float *habit;               /* share of looks in which it is active, of late */
    float *excess, *usual;      /* usual: it differs by more in three of five looks */
    struct noise noise[BINS];
    float quiet[BINS]; /* differences up to that are noise */
    struct activity *before;
    struct capture how;
};

struct activity *activity_ref(struct activity *a)
{
    if (a)
        __atomic_add_fetch(&a->refs, 1, __ATOMIC_RELAXED);
    return a;
}

struct activity *activity_unref(struct activity *a)
{
    if (a && !__atomic_sub_fetch(&a->refs, 1, __ATOMIC_ACQ_REL))
        free(a);
    return NULL;
}

/* The arrays lie behind the struct. */
static struct activity *activity_new(const struct activity_watch *w)
{
    size_t cells = (size_t)w->across * (size_t)w->down;
    struct activity *a = calloc(1, sizeof(*a) + cells * (2 * sizeof(*a->last) + 2));
    if (!a)
        return NULL;
    a->refs = 1;
    a->width = w->width;
    a->height = w->height;
    a->across = w->across;
    a->down = w->down;
    a->last = (uint32_t *)(a + 1);
    a->self = a->last + cells;
    a->detail = (uint8_t *)(a->self + cells);
    a->restless = a->detail + cells;
    return a;
}

struct activity_watch *activity_watch_new(int width, int height, bool plain)
{
    struct activity_watch *w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    w->k = &activity_kernels_plain;
#if defined(__x86_64__)
    if (!plain && cpu_avx2())
        w->k = &activity_kernels_avx2;
#endif
    w->width = width;
    w->height = height;
    w->across = (width + ACTIVITY_CELL - 1) / ACTIVITY_CELL;
    w->down = (height + ACTIVITY_CELL - 1) / ACTIVITY_CELL;
    w->samples_down = height / SAMPLE;
    size_t row_cells = ((size_t)w->across + 3) / 4 * 4;
    w->stride = (int)row_cells * SAMPLES;
    size_t samples = (size_t)w->stride * (size_t)(w->down * SAMPLES) + 16;
    size_t cells = row_cells * (size_t)w->down;
    w->now = calloc(samples, sizeof(*w->now));
    w->kept = calloc(samples, sizeof(*w->kept));
    w->sums = calloc(cells, sizeof(*w->sums));
    w->mark = calloc(cells, 1);
    w->shift = calloc(cells, 1);
    w->excess = calloc(cells, sizeof(*w->excess));
    w->usual = calloc(cells, sizeof(*w->usual));
    w->habit = calloc(cells, sizeof(*w->habit));
    return w->now && w->kept && w->sums && w->mark && w->shift && w->excess && w->usual && w->habit
               ? w
               : activity_watch_free(w);
}

struct activity_watch *activity_watch_free(struct activity_watch *w)
{
    if (!w)
        return NULL;
    activity_unref(w->before);
    free(w->now);
    free(w->kept);
    free(w->sums);
    free(w->mark);
    free(w->shift);
    free(w->excess);
    free(w->usual);
    free(w->habit);
    free(w);
    return NULL;
}

static size_t cell_at(const struct activity_watch *w, int x, int y)
{
    return (size_t)y * (size_t)(w->stride / SAMPLES) + (size_t)x;
}

/* ---- from pixels to sums ---- */

static void reduce_picture(struct activity_watch *w, const struct picture *p)
{
    /* whole strips straight from the picture, the rest of a row through a copy */
    size_t n = (size_t)(w->width / SAMPLE), whole = n / 16 * 16;
    for (int y = 0; y < w->samples_down; y++) {
        const uint8_t *row[4];
        for (int r = 0; r < 4; r++)
            row[r] = p->plane[0] + (ptrdiff_t)(SAMPLE * y + r) * p->stride[0];
        uint16_t *to = w->now + (size_t)y * (size_t)w->stride;
        w->k->reduce(to, row, whole);
        if (whole == n)
            continue;
        uint8_t rest[4][64] = {0};
        uint16_t sums[16];
        const uint8_t *of_rest[4];
        for (int r = 0; r < 4; r++) {
            memcpy(rest[r], row[r] + SAMPLE * whole, SAMPLE * (n - whole));
            of_rest[r] = rest[r];
        }
        w->k->reduce(sums, of_rest, 16);
        memcpy(to + whole, sums, (n - whole) * sizeof(*to));
    }
}

static void compare_picture(struct activity_watch *w)
{
    size_t row_cells = (size_t)(w->stride / SAMPLES);
    memset(w->sums, 0, row_cells * (size_t)w->down * sizeof(*w->sums));
    for (int y = 0; y < w->samples_down; y++) {
        size_t at = (size_t)y * (size_t)w->stride;
        w->k->compare(w->sums + (size_t)(y / SAMPLES) * row_cells, w->now + at, w->kept + at,
                      row_cells);
    }
}

static void follow_picture(struct activity_watch *w)
{
    size_t row_cells = (size_t)(w->stride / SAMPLES);
    for (int y = 0; y < w->samples_down; y++) {
        size_t at = (size_t)y * (size_t)w->stride;
        w->k->follow(w->kept + at, w->now + at, w->shift + (size_t)(y / SAMPLES) * row_cells,
                     row_cells);
    }
}

static int bin_of(const struct activity_sums *s)
{
    return (int)(s->now / (CELL_UNIT * 256 / BINS));
}

/* ---- what is light, what is noise ---- */

struct tally {
    uint32_t bucket[BINS][BUCKETS], cells[BINS];
    double brighter[BINS]; /* sum of signed differences, each within a grey level or two */
};

static bool was_active(const struct activity *before, size_t i)
{
    return before && before->last[i] == before->look;
}

static void tally_cells(const struct activity_watch *w, bool all, struct tally *t)
{
    memset(t, 0, sizeof(*t));
    for (int y = 0; y < w->down; y++)
        for (int x = 0; x < w->across; x++) {
            if (!all && was_active(w->before, (size_t)(y * w->across + x)))
                continue;
            const struct activity_sums *s = &w->sums[cell_at(w, x, y)];
            uint32_t d = s->difference / BUCKET;
            int bin = bin_of(s), most = 3 * CELL_UNIT;
            int signed_d = (int)s->now - (int)s->kept;
            t->bucket[bin][d < BUCKETS ? d : BUCKETS - 1]++;
            t->cells[bin]++;
            t->brighter[bin] += signed_d < -most ? -most : signed_d > most ? most : signed_d;
        }
}

/* The difference that a share of the cells stays below. */
static float quantile(const struct tally *t, int bin, double share)
{
    double want = share * t->cells[bin], have = 0;
    for (int i = 0; i < BUCKETS; i++) {
        double n = t->bucket[bin][i];
        if (n > 0 && have + n >= want)
            return (float)((i + (want - have) / n) * BUCKET);
        have += n;
    }
    return BUCKETS * BUCKET;
}

static void learn(struct activity_watch *w, const struct tally *t, bool busy, bool first)
{
    for (int b = 0; b < BINS; b++) {
        struct noise *n = &w->noise[b];
        if (t->cells[b] < BIN_LEAST)
            continue;
        float low = quantile(t, b, busy ? 0.1 : 0.25), mid = quantile(t, b, busy ? 0.3 : 0.5);
        float spread = (mid - low) / (busy ? 0.76f : 0.674f);
        float mean = mid + (busy ? 0.52f * spread : 0);
        spread = fmaxf(spread, 0.1f * mean);
        /* Quickly down, slowly up: what moves must not pass for noise. */
        float k = first || !n->known ? 1 : mean < n->mean ? 0.5f : 0.15f;
        n->mean += (mean - n->mean) * k;
        n->spread += (spread - n->spread) * k;
        n->known = true;
    }
}

/* A range of brightness that has too few cells is like the nearest one that has enough. */
static struct noise noise_of(const struct activity_watch *w, int bin)
{
    for (int d = 0; d < BINS; d++) {
        if (bin + d < BINS && w->noise[bin + d].known)
            return w->noise[bin + d];
        if (bin >= d && w->noise[bin - d].known)
            return w->noise[bin - d];
    }
    return (struct noise){.mean = LEAST, .spread = LEAST / 4};
}

static double noise_level(const struct activity_watch *w, const struct tally *t)
{
    double sum = 0, cells = 0;
    for (int b = 0; b < BINS; b++) {
        if (w->noise[b].known) {
            sum += (double)w->noise[b].mean * (t->cells[b] + 1);
            cells += t->cells[b] + 1;
        }
    }
    /* Mean of |d| over samples of 16 pixels, d normal: · √(π/2), and √16 for one pixel. */
    return cells > 0 ? sum / cells / CELL_UNIT * 1.2533 * SAMPLE : 0;
}

/* ---- which cells ---- */

static bool neighbour_has(const struct activity_watch *w, int x, int y, uint8_t least)
{
    for (int dy = -1; dy <= 1; dy++)
        for (int dx = -1; dx <= 1; dx++) {
            int nx = x + dx, ny = y + dy;
            if ((dx || dy) && nx >= 0 && ny >= 0 && nx < w->across && ny < w->down &&
                w->mark[cell_at(w, nx, ny)] >= least)
                return true;
        }
    return false;
}

static int sure_neighbours(const struct activity_watch *w, int x, int y)
{
    int n = 0;
    for (int ny = y > 0 ? y - 1 : 0; ny <= y + 1 && ny < w->down; ny++)
        for (int nx = x > 0 ? x - 1 : 0; nx <= x + 1 && nx < w->across; nx++)
            n += (nx != x || ny != y) && w->mark[cell_at(w, nx, ny)] == 2;
    return n;
}

/* Light that changed for all is taken off; what remains is set against the noise. */
static void mark_cells(struct activity_watch *w, const double light[BINS])
{
    struct noise noise[BINS];
    for (int b = 0; b < BINS; b++) {
        noise[b] = noise_of(w, b);
        w->quiet[b] = noise[b].mean + (float)SURE * noise[b].spread + LEAST;
    }
    for (int y = 0; y < w->down; y++)
        for (int x = 0; x < w->across; x++) {
            size_t at = cell_at(w, x, y);
            const struct activity_sums *s = &w->sums[at];
            const struct noise *n = &noise[bin_of(s)];
            float usual = RESTLESS * w->usual[at];
            float sure = fmaxf(w->quiet[bin_of(s)], usual);
            float likely = fmaxf(n->mean + (float)LIKELY * n->spread + LEAST, usual * 0.8f);
            float over = (float)s->difference - (float)fabs(light[bin_of(s)]);
            w->mark[at] = over > sure ? 2 : over > likely ? 1 : 0;
            w->excess[at] = over - 2 * sure;
        }
}

/* Three in five looks are above it. */
static void learn_usual(struct activity_watch *w, struct activity *a, bool changing)
{
    float rate = 1.0f / (float)(a->look < REST_RATE ? a->look : REST_RATE);
    for (int y = 0; y < w->down; y++)
        for (int x = 0; x < w->across; x++) {
            size_t at = cell_at(w, x, y);
            float *u = &w->usual[at], d = (float)w->sums[at].difference;
            float step = fmaxf(*u, LEAST / 8) * rate;
            if (!changing)
                *u += d > *u ? step : -1.5f * step;
            a->restless[y * w->across + x] = RESTLESS * *u > w->quiet[bin_of(&w->sums[at])];
        }
}

static bool is_active(const struct activity_watch *w, int x, int y)
{
    size_t at = cell_at(w, x, y);
    switch (w->mark[at]) {
    case 2: /* alone it must be plain, two support each other */
        return w->excess[at] > 0 || neighbour_has(w, x, y, 1);
    case 1:
        return was_active(w->before, (size_t)(y * w->across + x)) && neighbour_has(w, x, y, 1);
    }
    return false;
}

/* What is around it too: there it goes next. Leaves go nowhere. */
static void spread_out(const struct activity_watch *w, struct activity *a, int x, int y)
{
    int by = a->restless[y * w->across + x] && w->excess[cell_at(w, x, y)] <= 0 ? 0 : 1;
    for (int ny = y > by ? y - by : 0; ny <= y + by && ny < w->down; ny++)
        for (int nx = x > by ? x - by : 0; nx <= x + by && nx < w->across; nx++)
            a->last[ny * w->across + nx] = a->look;
}

/* What is active is kept as it is now; the rest follows slowly, so that its noise averages
 * out. Returns how many are active that matter: where it is usual, several at once. */
static unsigned take_cells(struct activity_watch *w, struct activity *a, uint8_t still_shift)
{
    unsigned n = 0;
    float rate = 1.0f / (float)(a->look < HABIT_LOOKS ? a->look : HABIT_LOOKS);
    memset(w->shift, still_shift, (size_t)(w->stride / SAMPLES) * (size_t)w->down);
    for (int y = 0; y < w->down; y++)
        for (int x = 0; x < w->across; x++) {
            size_t at = cell_at(w, x, y);
            bool active = is_active(w, x, y);
            w->habit[at] += ((float)active - w->habit[at]) * rate;
            if (!active)
                continue;
            spread_out(w, a, x, y);
            a->self[y * w->across + x] = a->look;
            w->shift[at] = 0;
            bool usual = a->restless[y * w->across + x] || w->habit[at] > HABIT;
            n += !usual || (w->excess[at] > 0 && sure_neighbours(w, x, y) >= CROWD);
        }
    return n;
}

static void take_all(struct activity_watch *w, struct activity *a)
{
    memset(w->shift, 0, (size_t)(w->stride / SAMPLES) * (size_t)w->down);
    for (int i = 0; i < a->across * a->down; i++)
        a->last[i] = a->self[i] = a->look;
    a->last_any = a->last_whole = a->look;
    a->moving = 1;
}

static bool same_direction(const struct pose *a, const struct pose *b)
{
    return fabs(a->pan_deg - b->pan_deg) < POSE_LEAST_DEG &&
           fabs(a->tilt_deg - b->tilt_deg) < POSE_LEAST_DEG && fabs(a->zoom - b->zoom) < 1e-4;
}

static bool travels(const struct activity_watch *w, const struct capture *how)
{
    return !same_direction(&how->pose_start, &how->pose_end) ||
           !same_direction(&how->pose_start, &w->how.pose_start);
}

static void judge(struct activity_watch *w, struct activity *a)
{
    struct tally t;
    bool second = a->look == 2;
    bool busy = second || w->before->moving > LEARN_BUSY;
    tally_cells(w, busy, &t);
    double light[BINS] = {0}, all = 0, cells = 0;
    for (int b = 0; b < BINS; b++) {
        all += t.brighter[b];
        cells += t.cells[b];
    }
    all = cells > 0 ? all / cells : 0;
    for (int b = 0; b < BINS; b++) {
        double mean = t.cells[b] >= BIN_LEAST ? t.brighter[b] / t.cells[b] : all;
        light[b] = fabs(mean) > LIGHT_LEAST * CELL_UNIT ? mean : 0;
    }
    a->light = all / CELL_UNIT;
    bool changing = fabs(a->light) > LIGHT_LEAST;
    if (!changing || second)
        learn(w, &t, busy, second);
    mark_cells(w, light);
    learn_usual(w, a, changing);
    unsigned n = take_cells(w, a, changing ? KEPT_SHIFT_LIGHT : KEPT_SHIFT_STILL);
    if (n)
        a->last_any = a->look;
    unsigned shown = 0;
    for (int i = 0; i < a->across * a->down; i++)
        shown += a->last[i] == a->look;
    a->moving = (double)shown / (a->across * a->down);
    if (n > WHOLE * a->across * a->down)
        take_all(w, a);
    a->noise = noise_level(w, &t);
}

static void note_detail(const struct activity_watch *w, struct activity *a)
{
    for (int y = 0; y < w->down; y++)
        for (int x = 0; x < w->across; x++) {
            uint32_t d = w->sums[cell_at(w, x, y)].detail / CELL_UNIT;
            a->detail[y * w->across + x] = (uint8_t)(d > 255 ? 255 : d);
        }
}

struct activity *activity_look(struct activity_watch *w, const struct picture *p,
                               const struct capture *how)
{
    struct activity *a = activity_new(w);
    if (!a)
        return NULL;
    const struct activity *before = w->before;
    a->look = before ? before->look + 1 : 1;
    if (before) {
        /* both: they lie side by side */
        memcpy(a->last, before->last, (size_t)(a->across * a->down) * 2 * sizeof(*a->last));
        a->last_any = before->last_any;
        a->last_whole = before->last_whole;
        a->noise = before->noise;
    }
    reduce_picture(w, p);
    compare_picture(w);
    note_detail(w, a);
    if (!before || travels(w, how) || how->mono != w->how.mono || how->ir_cut != w->how.ir_cut ||
        how->no_signal != w->how.no_signal)
        take_all(w, a);
    else
        judge(w, a);
    follow_picture(w);
    w->how = *how;
    activity_unref(w->before);
    w->before = activity_ref(a);
    return a;
}
