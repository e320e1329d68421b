#include "device/virtual/scenario/kinds.h"

#include <stddef.h>
#include <string.h>

#define CAR(name, length, axles, height, wheel)                                                    \
    {                                                                                              \
        name, "car", KIND_VEHICLE, length, 1.8, height, axles, wheel, 0, 1.8                       \
    }
/* Somebody who only stands. */
#define STANDS(name, width, height)                                                                \
    {                                                                                              \
        name, "person", KIND_THING, 0.45, width, height, 0, 1, 0, 1                                \
    }

static const struct cast_kind kinds[] = {
    {"man", "person", KIND_WALKER, 0.45, 0.55, 1.76, 0, 1.349, 2.6, 1},
    {"woman", "person", KIND_WALKER, 0.45, 0.5, 1.64, 0, 1.248, 2.405, 1},
    {"worker", "person", KIND_WALKER, 0.45, 0.55, 1.76, 0, 1.349, 2.6, 1},
    STANDS("bystander-1", 0.60, 1.82),
    STANDS("bystander-2", 0.78, 1.82),
    STANDS("bystander-3", 0.55, 1.79),
    STANDS("bystander-4", 0.46, 1.66),
    STANDS("bystander-5", 0.53, 1.70),
    STANDS("bystander-6", 0.54, 1.68),
    STANDS("bystander-7", 0.44, 1.68),
    STANDS("bystander-8", 0.62, 1.83),
    CAR("car-hatch", 4.40, 2.76, 1.56, 2.19),
    CAR("car-estate", 4.47, 2.79, 1.74, 2.19),
    CAR("car-suv", 4.66, 2.82, 1.63, 2.30),
    CAR("car-small", 2.71, 1.93, 1.65, 1.93),
    CAR("car-sedan", 4.41, 2.66, 1.54, 2.11),
    {"van", "van", KIND_VEHICLE, 5.91, 2.0, 2.54, 3.63, 2.33, 0, 1.5},
    {"bus", "bus", KIND_VEHICLE, 12.02, 2.5, 2.97, 6.03, 3.19, 0, 1.0},
    {"truck", "truck", KIND_VEHICLE, 7.4, 2.6, 3.99, 4.2, 3.0, 0, 0.9},
    {"motorcycle", "motorcycle", KIND_VEHICLE, 2.05, 0.8, 1.66, 1.37, 1.93, 0, 2.5},
    {"bicycle", "bicycle", KIND_VEHICLE, 1.8, 0.56, 1.81, 1.06, 2.13, 0, 0.9},
    {"dog", "dog", KIND_WALKER, 1.18, 0.26, 0.82, 0, 0.75, 1.4, 1},
    {"parcel", "parcel", KIND_THING, 0.35, 0.55, 0.30, 0, 1, 0, 1},
    {"cone", NULL, KIND_THING, 0.38, 0.38, 0.70, 0, 1, 0, 1},
    {"barrier", NULL, KIND_THING, 6.95, 0.16, 0.2, 0, 1, 0, 1},
};

/* How often one meets them. */
static const char *const persons[] = {"man", "woman"};
static const char *const cars[] = {"car-hatch", "car-estate", "car-suv",   "car-small",
                                   "car-sedan", "car-hatch",  "car-estate"};

const struct cast_kind *cast_kind_find(const char *name, uint64_t pick)
{
    if (!strcmp(name, "person"))
        name = persons[pick % (sizeof(persons) / sizeof(*persons))];
    else if (!strcmp(name, "car"))
        name = cars[pick % (sizeof(cars) / sizeof(*cars))];
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        if (!strcmp(kinds[i].name, name))
            return &kinds[i];
    return NULL;
}
