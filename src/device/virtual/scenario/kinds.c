#include "device/virtual/scenario/kinds.h"

#include <stddef.h>
#include <string.h>

#define CAR(name, length, axles, height)                                                           \
    {                                                                                              \
        name, "car", KIND_VEHICLE, length, 1.8, height, axles, 2.0, 1.8                            \
    }

static const struct cast_kind kinds[] = {
    {"man", "person", KIND_WALKER, 0.45, 0.55, 1.78, 0, 1.5, 1},
    {"woman", "person", KIND_WALKER, 0.45, 0.5, 1.67, 0, 1.5, 1},
    CAR("car-hatch", 4.36, 2.65, 1.48),
    CAR("car-estate", 4.45, 2.7, 1.62),
    CAR("car-suv", 4.65, 2.75, 1.7),
    CAR("car-small", 2.7, 1.87, 1.55),
    CAR("car-sedan", 4.4, 2.6, 1.45),
    {"van", "van", KIND_VEHICLE, 5.9, 2.0, 2.4, 3.6, 2.1, 1.5},
    {"bus", "bus", KIND_VEHICLE, 12.0, 2.5, 3.1, 5.9, 3.0, 1.0},
    {"truck", "truck", KIND_VEHICLE, 7.4, 2.4, 3.2, 4.2, 3.0, 0.9},
    {"motorcycle", "motorcycle", KIND_VEHICLE, 2.1, 0.8, 1.7, 1.4, 1.9, 2.5},
    {"bicycle", "bicycle", KIND_VEHICLE, 1.8, 0.6, 1.75, 1.05, 2.1, 0.9},
    {"dog", "dog", KIND_WALKER, 0.9, 0.3, 0.6, 0, 0.9, 1},
    {"parcel", "parcel", KIND_THING, 0.5, 0.4, 0.35, 0, 1, 1},
    {"cone", NULL, KIND_THING, 0.35, 0.35, 0.7, 0, 1, 1},
    {"barrier", NULL, KIND_THING, 6.2, 0.1, 0.1, 0, 1, 1},
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
