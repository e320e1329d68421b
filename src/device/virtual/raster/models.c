#include "device/virtual/raster/models.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "device/virtual/place/unpacked.h"

/* The pack is our own work, but a half-written or foreign file must not crash the camera:
 * every place that the inner loops will follow lies inside the file. */
static bool inside(const struct models *m, uint64_t at, uint64_t n)
{
    return at <= m->size && n <= m->size - at;
}

static bool sound_lod(const struct models *m, const struct model *model, const struct model_lod *l)
{
    if (l->n_vertices % MODEL_BLOCK || !l->n_vertices || l->n_vertices > 65536 || !l->n_frames ||
        l->n_triangles > 1 << 20 || l->n_batches > MODEL_MATERIALS || l->frames % 16 ||
        l->ao % 16 || l->uv % 16 || l->triangles % 16 || l->batches % 16 ||
        !inside(m, l->frames, (uint64_t)l->n_frames * model_frame_size(l)) ||
        !inside(m, l->ao, (uint64_t)l->n_vertices * 4) ||
        !inside(m, l->uv, (uint64_t)l->n_vertices * 4) ||
        !inside(m, l->triangles, (uint64_t)l->n_triangles * 6) ||
        !inside(m, l->batches, (uint64_t)l->n_batches * sizeof(struct model_batch)))
        return false;
    for (size_t i = 0; i <= MODEL_PARTS; i++)
        if (l->run[i].first % MODEL_BLOCK || l->run[i].n % MODEL_BLOCK ||
            l->run[i].first > l->n_vertices || l->run[i].n > l->n_vertices - l->run[i].first)
            return false;
    const uint16_t *t = (const void *)(m->base + l->triangles);
    for (size_t i = 0; i < (size_t)l->n_triangles * 3; i++)
        if (t[i] >= l->n_vertices)
            return false;
    const struct model_batch *b = (const void *)(m->base + l->batches);
    for (size_t i = 0; i < l->n_batches; i++)
        if (b[i].material >= model->n_materials || b[i].texture < -1 ||
            b[i].texture >= (int32_t)m->head->n_textures || b[i].first > l->n_triangles ||
            b[i].n > l->n_triangles - b[i].first)
            return false;
    return true;
}

static bool sound_model(const struct models *m, const struct model *x)
{
    if (!memchr(x->name, 0, sizeof(x->name)) || x->n_materials > MODEL_MATERIALS ||
        x->n_parts > MODEL_PARTS || x->n_clips > MODEL_CLIPS || x->n_lods > MODEL_LODS ||
        !x->n_lods || x->n_lamps > MODEL_LAMPS)
        return false;
    for (size_t i = 0; i < x->n_lods; i++) {
        if (!sound_lod(m, x, &x->lod[i]))
            return false;
        for (size_t k = 0; k < x->n_clips; k++)
            if (!x->clip[k].frames || x->clip[k].first > x->lod[i].n_frames ||
                x->clip[k].frames > x->lod[i].n_frames - x->clip[k].first)
                return false;
    }
    for (size_t i = 0; i < x->n_materials; i++)
        if (x->material[i].slot >= SLOTS)
            return false;
    return true;
}

static bool sound(struct models *m)
{
    const struct models_head *h = m->head = (const void *)m->base;
    if (m->size < sizeof(*h) || memcmp(h->magic, MODELS_MAGIC, 8) || h->version != MODELS_VERSION ||
        h->size != m->size || h->models % 16 || h->textures % 16 || h->n_models > 1000 ||
        h->n_textures > 1000 || !inside(m, h->models, h->n_models * sizeof(struct model)) ||
        !inside(m, h->textures, h->n_textures * sizeof(struct model_texture)))
        return false;
    m->model = (const void *)(m->base + h->models);
    m->texture = (const void *)(m->base + h->textures);
    for (size_t i = 0; i < h->n_models; i++)
        if (!sound_model(m, &m->model[i]))
            return false;
    for (size_t i = 0; i < h->n_textures; i++) {
        const struct model_texture *t = &m->texture[i];
        if (t->log2_w > 12 || t->log2_h > 12 || !t->levels || t->levels > MODEL_FACTORS)
            return false;
        for (int k = 0; k < t->levels; k++) {
            int w = t->log2_w - k, g = t->log2_h - k;
            if (w < 0 || g < 0 || t->level[k] % 16 ||
                !inside(m, t->level[k], (uint64_t)4 << (w + g)))
                return false;
        }
    }
    return true;
}

struct models *models_open(const char *path, struct fault *why)
{
    struct models *m = calloc(1, sizeof(*m));
    if (!m) {
        fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    m->base = unpacked_map(path, &m->size);
    if (!m->base) {
        fault_set(why, FAULT_UNKNOWN, "source",
                  "cannot read the models of people and vehicles (%s): %s", path,
                  "run 'make build' to unpack them");
        return models_close(m);
    }
    if (!sound(m)) {
        fault_set(why, FAULT_INVALID, "source",
                  "%s is damaged or of another version: delete it and run 'make build'", path);
        return models_close(m);
    }
    return m;
}

struct models *models_close(struct models *m)
{
    if (m) {
        unpacked_unmap(m->base, m->size);
        free(m);
    }
    return NULL;
}

struct models *models_find(struct fault *why)
{
    char path[UNPACKED_PATH];
    unpacked_path("models.pack", path);
    return models_open(path, why);
}

const struct model *models_named(const struct models *m, const char *name)
{
    for (size_t i = 0; i < m->head->n_models; i++)
        if (!strcmp(m->model[i].name, name))
            return &m->model[i];
    return NULL;
}

const struct model_clip *model_gait(const struct model *m, unsigned gait)
{
    for (size_t i = 0; i < m->n_clips; i++)
        if (m->clip[i].gait == gait)
            return &m->clip[i];
    return m->n_clips ? &m->clip[0] : NULL;
}
