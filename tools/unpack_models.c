/* Unpacks assets/models/ into the one file that the camera maps
 * (src/device/virtual/raster/models.h): poses are worked out from bones, textures are decoded and
 * halved down to one texel.
 *
 * usage: unpack_models OUT FOLDER
 *
 * NAME.mesh, little endian (written by tools/bake/models_mesh.py): "VEDMESH1"; u32 materials,
 * textures, parts, bones, clips, levels of detail, lamps; f32 lo[3], hi[3]; materials (u8 kind,
 * slot, flags, 0); textures (char name[32]: NAME.jpg, perhaps NAME-a.jpg with the coverage);
 * parts (f32 pivot[3], axis[3], turns); clips (u8 gait, u8 0, u16 frames, f32 stride, then for
 * each frame and bone f32 [3][4]); lamps (u32 kind, f32 [3]); levels of detail: u32 vertices,
 * triangles, batches; vertices (i16 p[3], i8 n[3], u8 ao, u8 rgb[3], u8 part, u16 uv[2]); with
 * bones: for each vertex u8 bone[4], u8 weight[4]; triangles (u16 [3]); batches (u16 material,
 * i16 texture, u32 first, u32 n). */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "device/virtual/cast/cast.h"
#include "device/virtual/raster/models.h"

static void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
static void die(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("unpack_models: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(1);
}

static void *must(void *p)
{
    if (!p)
        die("out of memory");
    return p;
}

/* ---- the file being made ---- */
static uint8_t *pack;
static size_t pack_size, pack_room;

static uint64_t put(const void *data, size_t n)
{
    size_t at = (pack_size + 63) & ~(size_t)63;
    if (at + n > pack_room) {
        pack_room = (at + n) * 2;
        pack = must(realloc(pack, pack_room));
    }
    memset(pack + pack_size, 0, at - pack_size);
    if (data)
        memcpy(pack + at, data, n);
    else
        memset(pack + at, 0, n);
    pack_size = at + n;
    return at;
}

/* ---- reading ---- */
struct in {
    const char *name;
    const uint8_t *p, *end;
};

static const uint8_t *take(struct in *in, size_t n)
{
    if ((size_t)(in->end - in->p) < n)
        die("%s is too short", in->name);
    const uint8_t *p = in->p;
    in->p += n;
    return p;
}
static uint32_t u32(struct in *in)
{
    const uint8_t *p = take(in, 4);
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}
static uint32_t u16(struct in *in)
{
    const uint8_t *p = take(in, 2);
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}
static float f32(struct in *in)
{
    uint32_t v = u32(in);
    float f;
    memcpy(&f, &v, 4);
    return f;
}
static uint32_t count(struct in *in, uint32_t most)
{
    uint32_t n = u32(in);
    if (n > most)
        die("%s: a number is too large", in->name);
    return n;
}

static uint8_t *slurp(const char *path, size_t *ret_n)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        die("%s: %s", path, strerror(errno));
    size_t n = 0, room = 1 << 16;
    uint8_t *p = must(malloc(room));
    for (size_t got; (got = fread(p + n, 1, room - n, f)) > 0;)
        if ((n += got) == room)
            p = must(realloc(p, room *= 2));
    fclose(f);
    *ret_n = n;
    return p;
}

/* ---- textures ---- */
static struct {
    char name[40];
    struct model_texture t;
} texture[1000];
static size_t n_textures;

static uint8_t *decode(const char *path, int components, int *ret_w, int *ret_h)
{
    size_t n;
    uint8_t *data = slurp(path, &n);
    struct jpeg_decompress_struct d;
    struct jpeg_error_mgr err;
    d.err = jpeg_std_error(&err); /* exits with a message when damaged */
    jpeg_create_decompress(&d);
    jpeg_mem_src(&d, data, n);
    jpeg_read_header(&d, TRUE);
    d.out_color_space = components == 3 ? JCS_RGB : JCS_GRAYSCALE;
    jpeg_start_decompress(&d);
    *ret_w = (int)d.output_width;
    *ret_h = (int)d.output_height;
    size_t row = (size_t)*ret_w * (size_t)components;
    uint8_t *out = must(malloc(row * (size_t)*ret_h));
    while (d.output_scanline < d.output_height) {
        JSAMPROW r = out + row * d.output_scanline;
        jpeg_read_scanlines(&d, &r, 1);
    }
    jpeg_finish_decompress(&d);
    jpeg_destroy_decompress(&d);
    free(data);
    return out;
}

static int log2_of(int n, const char *what)
{
    int k = 0;
    while (1 << k < n)
        k++;
    if (1 << k != n || k >= MODEL_FACTORS)
        die("%s: its sides are no powers of two", what);
    return k;
}

static int32_t texture_named(const char *folder, const char *name)
{
    for (size_t i = 0; i < n_textures; i++)
        if (!strcmp(texture[i].name, name))
            return (int32_t)i;
    if (n_textures == sizeof(texture) / sizeof(*texture))
        die("too many textures");
    char path[4096];
    int w, h, aw = 0, ah = 0;
    snprintf(path, sizeof(path), "%s/%s.jpg", folder, name);
    uint8_t *rgb = decode(path, 3, &w, &h), *alpha = NULL;
    snprintf(path, sizeof(path), "%s/%s-a.jpg", folder, name);
    FILE *f = fopen(path, "rb");
    if (f) {
        fclose(f);
        alpha = decode(path, 1, &aw, &ah);
        if (aw != w || ah != h)
            die("%s: another size than its colours", path);
    }
    struct model_texture *t = &texture[n_textures].t;
    snprintf(texture[n_textures].name, sizeof(texture[n_textures].name), "%s", name);
    t->log2_w = (uint8_t)log2_of(w, name);
    t->log2_h = (uint8_t)log2_of(h, name);
    size_t n = (size_t)w * (size_t)h;
    float *v = must(malloc(n * 4 * sizeof(float)));
    for (size_t i = 0; i < n; i++) {
        for (int k = 0; k < 3; k++) {
            double s = rgb[i * 3 + (size_t)k] / 255.0;
            v[i * 4 + (size_t)k] =
                (float)(s <= 0.04045 ? s / 12.92 : pow((s + 0.055) / 1.055, 2.4));
        }
        v[i * 4 + 3] = alpha ? alpha[i] / 255.0f : 1;
    }
    for (int level = 0;; level++) {
        uint32_t *texel = must(malloc((size_t)w * (size_t)h * 4));
        for (size_t i = 0; i < (size_t)w * (size_t)h; i++) {
            texel[i] = (uint32_t)lrintf(v[i * 4 + 3] * 255) << 24;
            for (int k = 0; k < 3; k++)
                texel[i] |= (uint32_t)lrintf(sqrtf(v[i * 4 + (size_t)k]) * 255) << (8 * k);
        }
        t->level[level] = put(texel, (size_t)w * (size_t)h * 4);
        free(texel);
        t->levels = (uint8_t)(level + 1);
        if (w == 1 || h == 1)
            break;
        w /= 2;
        h /= 2;
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++)
                for (int k = 0; k < 4; k++) {
                    const float *p = v + ((size_t)y * 2 * (size_t)w * 2 + (size_t)x * 2) * 4 + k;
                    v[((size_t)y * (size_t)w + (size_t)x) * 4 + (size_t)k] =
                        0.25f * (p[0] + p[4] + p[(size_t)w * 8] + p[(size_t)w * 8 + 4]);
                }
    }
    free(v);
    free(rgb);
    free(alpha);
    return (int32_t)n_textures++;
}

/* ---- meshes ---- */
struct vertex {
    float p[3], n[3];
    uint8_t ao, rgb[3], part, bone[4], weight[4];
    uint16_t uv[2];
};

struct mesh {
    struct model model;
    uint32_t n_bones, n_poses;
    float *pose; /* [poses][bones][3][4] */
    struct {
        struct vertex *vertex;
        uint8_t *carried; /* [vertices] */
        uint32_t n_vertices;
    } lod[MODEL_LODS];
};

static void skin(const struct mesh *m, uint32_t pose, const struct vertex *v, float p[3],
                 float n[3])
{
    if (!m->n_bones) {
        memcpy(p, v->p, sizeof(v->p));
        memcpy(n, v->n, sizeof(v->n));
        return;
    }
    float t[12] = {0};
    for (int b = 0; b < 4; b++)
        for (int k = 0; k < 12; k++)
            t[k] += (float)v->weight[b] / 255 *
                    m->pose[((size_t)pose * m->n_bones + v->bone[b]) * 12 + (size_t)k];
    float len = 0;
    for (int r = 0; r < 3; r++) {
        p[r] = t[r * 4] * v->p[0] + t[r * 4 + 1] * v->p[1] + t[r * 4 + 2] * v->p[2] + t[r * 4 + 3];
        n[r] = t[r * 4] * v->n[0] + t[r * 4 + 1] * v->n[1] + t[r * 4 + 2] * v->n[2];
        len += n[r] * n[r];
    }
    for (int r = 0; r < 3; r++)
        n[r] /= sqrtf(len > 1e-12f ? len : 1);
}

static void box_clear(float lo[3], float hi[3])
{
    for (int k = 0; k < 3; k++) {
        lo[k] = INFINITY;
        hi[k] = -INFINITY;
    }
}

static void box_add(float lo[3], float hi[3], const float a[3], const float b[3])
{
    for (int k = 0; k < 3; k++) {
        lo[k] = fminf(lo[k], a[k]);
        hi[k] = fmaxf(hi[k], b[k]);
    }
}

static void pose_box(const struct mesh *m, uint32_t pose, bool laden, float lo[3], float hi[3])
{
    for (uint32_t l = 0; l < m->model.n_lods; l++)
        for (uint32_t i = 0; i < m->lod[l].n_vertices; i++) {
            float p[3], n[3];
            if (laden || !m->lod[l].carried[i]) {
                skin(m, pose, &m->lod[l].vertex[i], p, n);
                box_add(lo, hi, p, p);
            }
        }
}

static void find_box(struct mesh *m)
{
    struct model *o = &m->model;
    box_clear(o->lo, o->hi);
    if (!o->n_clips)
        pose_box(m, 0, true, o->lo, o->hi);
    for (uint32_t c = 0; c < o->n_clips; c++) {
        struct model_clip *clip = &o->clip[c];
        box_clear(clip->lo, clip->hi);
        for (uint32_t f = 0; f < clip->frames; f++)
            pose_box(m, clip->first + f, clip->gait == GAIT_CARRY, clip->lo, clip->hi);
        box_add(o->lo, o->hi, clip->lo, clip->hi);
    }
    for (int k = 0; k < 3; k++) {
        o->lo[k] -= 1e-4f;
        o->hi[k] += 1e-4f;
    }
}

static void put_vertices(struct mesh *m, uint32_t l, const uint32_t *from)
{
    struct model_lod *o = &m->model.lod[l];
    size_t n = o->n_vertices;
    uint8_t *colour = must(malloc(n * 4));
    uint16_t *uv = must(malloc(n * 4));
    for (size_t i = 0; i < n; i++) {
        const struct vertex *v = &m->lod[l].vertex[from[i]];
        colour[i] = v->ao;
        for (size_t k = 0; k < 3; k++)
            colour[(k + 1) * n + i] = v->rgb[k];
        for (size_t k = 0; k < 2; k++)
            uv[k * n + i] = v->uv[k];
    }
    o->ao = put(colour, n * 4);
    o->uv = put(uv, n * 4);
    free(colour);
    free(uv);
    o->n_frames = m->n_poses;
    uint8_t *frames = must(malloc(model_frame_size(o) * m->n_poses));
    for (uint32_t f = 0; f < m->n_poses; f++) {
        int16_t *pos = (void *)(frames + model_frame_size(o) * f);
        int8_t *nrm = (int8_t *)(pos + n * 3);
        for (size_t i = 0; i < n; i++) {
            float p[3], d[3];
            skin(m, f, &m->lod[l].vertex[from[i]], p, d);
            for (size_t k = 0; k < 3; k++) {
                float span = m->model.hi[k] - m->model.lo[k];
                pos[k * n + i] = (int16_t)lrintf((p[k] - m->model.lo[k]) / span * 65535 - 32768);
                nrm[k * n + i] = (int8_t)lrintf(d[k] * 127);
            }
        }
    }
    o->frames = put(frames, model_frame_size(o) * m->n_poses);
    free(frames);
}

static void read_lod(struct in *in, struct mesh *m, uint32_t l, const float lo[3],
                     const float hi[3], const int32_t *names, uint32_t n_names)
{
    struct model_lod *o = &m->model.lod[l];
    uint32_t n = count(in, 65535), n_tri = count(in, 1 << 20), n_batch = count(in, MODEL_MATERIALS);
    struct vertex *v = m->lod[l].vertex = must(calloc(n + 1, sizeof(*v)));
    m->lod[l].n_vertices = n;
    for (uint32_t i = 0; i < n; i++) {
        for (int k = 0; k < 3; k++)
            v[i].p[k] = lo[k] + ((float)(int16_t)u16(in) + 32768) / 65535 * (hi[k] - lo[k]);
        for (int k = 0; k < 3; k++)
            v[i].n[k] = (float)(int8_t)*take(in, 1) / 127;
        v[i].ao = *take(in, 1);
        memcpy(v[i].rgb, take(in, 3), 3);
        v[i].part = *take(in, 1);
        v[i].uv[0] = (uint16_t)u16(in);
        v[i].uv[1] = (uint16_t)u16(in);
        if (v[i].part > m->model.n_parts)
            die("%s: no such part", in->name);
    }
    if (m->n_bones)
        for (uint32_t i = 0; i < n; i++) {
            memcpy(v[i].bone, take(in, 4), 4);
            memcpy(v[i].weight, take(in, 4), 4);
            for (int k = 0; k < 4; k++)
                if (v[i].bone[k] >= m->n_bones)
                    die("%s: no such bone", in->name);
        }
    /* Vertices by part, each run filled up to whole blocks. */
    uint32_t *from = must(calloc((size_t)n + (MODEL_PARTS + 1) * MODEL_BLOCK, sizeof(*from)));
    uint32_t *to = must(calloc((size_t)n + 1, sizeof(*to)));
    for (uint32_t part = 0; part <= m->model.n_parts; part++) {
        uint32_t first = o->n_vertices;
        for (uint32_t i = 0; i < n; i++)
            if (v[i].part == part) {
                to[i] = o->n_vertices;
                from[o->n_vertices++] = i;
            }
        while (o->n_vertices % MODEL_BLOCK) {
            from[o->n_vertices] = from[o->n_vertices - 1];
            o->n_vertices++;
        }
        o->run[part] = (struct model_run){first, o->n_vertices - first};
    }
    uint16_t *tri = must(malloc((size_t)n_tri * 6 + 1)), *raw = must(malloc((size_t)n_tri * 6 + 1));
    m->lod[l].carried = must(calloc((size_t)n + 1, 1));
    for (uint32_t i = 0; i < n_tri * 3; i++) {
        uint32_t k = u16(in);
        if (k >= n)
            die("%s: no such vertex", in->name);
        raw[i] = (uint16_t)k;
        tri[i] = (uint16_t)to[k];
    }
    o->n_triangles = n_tri;
    o->triangles = put(tri, (size_t)n_tri * 6);
    struct model_batch batch[MODEL_MATERIALS];
    for (uint32_t i = 0; i < n_batch; i++) {
        batch[i].material = u16(in);
        int name = (int16_t)u16(in);
        batch[i].first = u32(in);
        batch[i].n = u32(in);
        if (name >= (int)n_names || batch[i].material >= m->model.n_materials ||
            batch[i].first > n_tri || batch[i].n > n_tri - batch[i].first)
            die("%s: a bad batch", in->name);
        batch[i].texture = name < 0 ? -1 : names[name];
        if (m->model.material[batch[i].material].flags & MATERIAL_CARRIED)
            for (uint32_t k = batch[i].first * 3; k < (batch[i].first + batch[i].n) * 3; k++)
                m->lod[l].carried[raw[k]] = 1;
    }
    o->n_batches = n_batch;
    o->batches = put(batch, n_batch * sizeof(*batch));
    /* The box must be known first: kept for put_vertices(). */
    o->ao = (uint64_t)(uintptr_t)from;
    free(tri);
    free(raw);
    free(to);
}

static void read_clips(struct in *in, struct mesh *m)
{
    for (uint32_t i = 0; i < m->model.n_clips; i++) {
        const uint8_t *p = take(in, 2);
        uint32_t frames = u16(in);
        m->model.clip[i] = (struct model_clip){
            .gait = p[0], .first = m->n_poses, .frames = frames, .stride = f32(in)};
        size_t n = (size_t)frames * m->n_bones * 12, had = (size_t)m->n_poses * m->n_bones * 12;
        if (frames > 256)
            die("%s: too many poses", in->name);
        m->pose = must(realloc(m->pose, (had + n + 1) * sizeof(float)));
        for (size_t k = 0; k < n; k++)
            m->pose[had + k] = f32(in);
        m->n_poses += frames;
    }
    if (!m->n_poses)
        m->n_poses = 1;
}

static struct model read_mesh(const char *folder, const char *file)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", folder, file);
    size_t size;
    uint8_t *data = slurp(path, &size);
    struct in in = {path, data, data + size};
    struct mesh m = {0};
    snprintf(m.model.name, sizeof(m.model.name), "%.*s", (int)(strlen(file) - 5), file);
    if (memcmp(take(&in, 8), "VEDMESH1", 8))
        die("%s is no mesh", path);
    m.model.n_materials = count(&in, MODEL_MATERIALS);
    uint32_t n_names = count(&in, MODEL_MATERIALS);
    m.model.n_parts = count(&in, MODEL_PARTS);
    m.n_bones = count(&in, 255);
    m.model.n_clips = count(&in, MODEL_CLIPS);
    m.model.n_lods = count(&in, MODEL_LODS);
    m.model.n_lamps = count(&in, MODEL_LAMPS);
    float lo[3], hi[3];
    for (int k = 0; k < 3; k++)
        lo[k] = f32(&in);
    for (int k = 0; k < 3; k++)
        hi[k] = f32(&in);
    for (uint32_t i = 0; i < m.model.n_materials; i++) {
        const uint8_t *p = take(&in, 4);
        m.model.material[i] = (struct model_material){p[0], p[1], p[2], 0};
        if (p[1] >= SLOTS)
            die("%s: no such slot", path);
    }
    int32_t names[MODEL_MATERIALS];
    for (uint32_t i = 0; i < n_names; i++) {
        char name[33] = {0};
        memcpy(name, take(&in, 32), 32);
        names[i] = texture_named(folder, name);
    }
    for (uint32_t i = 0; i < m.model.n_parts; i++) {
        struct model_part *p = &m.model.part[i];
        for (int k = 0; k < 3; k++)
            p->pivot[k] = f32(&in);
        for (int k = 0; k < 3; k++)
            p->axis[k] = f32(&in);
        p->turns = f32(&in);
    }
    read_clips(&in, &m);
    for (uint32_t i = 0; i < m.model.n_lamps; i++) {
        m.model.lamp[i].kind = u32(&in);
        for (int k = 0; k < 3; k++)
            m.model.lamp[i].at[k] = f32(&in);
    }
    for (uint32_t l = 0; l < m.model.n_lods; l++)
        read_lod(&in, &m, l, lo, hi, names, n_names);
    if (in.p != in.end)
        die("%s is too long", path);
    find_box(&m);
    for (uint32_t l = 0; l < m.model.n_lods; l++) {
        uint32_t *from = (uint32_t *)(uintptr_t)m.model.lod[l].ao;
        put_vertices(&m, l, from);
        free(from);
        free(m.lod[l].vertex);
        free(m.lod[l].carried);
    }
    free(m.pose);
    free(data);
    return m.model;
}

static int is_mesh(const struct dirent *d)
{
    size_t n = strlen(d->d_name);
    return n > 5 && n < 24 && !strcmp(d->d_name + n - 5, ".mesh");
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: unpack_models OUT FOLDER\n");
        return 2;
    }
    struct models_head head = {.magic = MODELS_MAGIC, .version = MODELS_VERSION};
    put(&head, sizeof(head));
    struct dirent **list;
    int n = scandir(argv[2], &list, is_mesh, alphasort);
    if (n <= 0)
        die("%s: no meshes", argv[2]);
    struct model *model = must(calloc((size_t)n, sizeof(*model)));
    for (int i = 0; i < n; i++) {
        model[i] = read_mesh(argv[2], list[i]->d_name);
        free(list[i]);
    }
    free(list);
    head.n_models = (uint32_t)n;
    head.models = put(model, (size_t)n * sizeof(*model));
    free(model);
    head.n_textures = (uint32_t)n_textures;
    head.textures = put(NULL, n_textures * sizeof(struct model_texture));
    for (size_t i = 0; i < n_textures; i++)
        memcpy(pack + head.textures + i * sizeof(struct model_texture), &texture[i].t,
               sizeof(texture[i].t));
    head.size = pack_size;
    memcpy(pack, &head, sizeof(head));
    /* Whoever has the old one mapped keeps it. */
    char part[4096];
    snprintf(part, sizeof(part), "%s.part", argv[1]);
    FILE *f = fopen(part, "wb");
    if (!f || fwrite(pack, 1, pack_size, f) != pack_size || fclose(f))
        die("%s: %s", part, strerror(errno));
    if (rename(part, argv[1]))
        die("%s: %s", argv[1], strerror(errno));
    free(pack);
    return 0;
}
