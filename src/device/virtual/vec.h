/* Small vectors of doubles: x east, y north, z up. */
#ifndef DEVICE_VIRTUAL_VEC_H
#define DEVICE_VIRTUAL_VEC_H

#include <math.h>

struct vec {
    double x, y, z;
};

static inline struct vec vec(double x, double y, double z)
{
    return (struct vec){x, y, z};
}
static inline struct vec vec_add(struct vec a, struct vec b)
{
    return vec(a.x + b.x, a.y + b.y, a.z + b.z);
}
static inline struct vec vec_sub(struct vec a, struct vec b)
{
    return vec(a.x - b.x, a.y - b.y, a.z - b.z);
}
static inline struct vec vec_mul(struct vec a, double k)
{
    return vec(a.x * k, a.y * k, a.z * k);
}
static inline double vec_dot(struct vec a, struct vec b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}
static inline struct vec vec_cross(struct vec a, struct vec b)
{
    return vec(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
}
static inline double vec_len(struct vec a)
{
    return sqrt(vec_dot(a, a));
}
static inline struct vec vec_unit(struct vec a)
{
    double n = vec_len(a);
    return n > 0 ? vec_mul(a, 1 / n) : a;
}
static inline struct vec vec_mix(struct vec a, struct vec b, double t)
{
    return vec_add(a, vec_mul(vec_sub(b, a), t));
}

#endif
