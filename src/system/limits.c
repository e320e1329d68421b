#include "system/limits.h"

#include "conf/param.h"
#include "net/limits.h"

#define TEXT(number) #number
#define STANDARD(number) TEXT(number)

#define ROW(row_name, field, lowest, highest, number, what)                                        \
    {                                                                                              \
        .name = row_name, .type = PARAM_INT, PARAM_FIELD(struct limit_settings, field),            \
        .min = lowest, .max = highest, .standard = STANDARD(number), .read = ROLE_VIEWER,          \
        .write = ROLE_ADMIN, .doc = what                                                           \
    }

static const char *const efforts[] = {"auto", "low", "high", NULL};

static const struct param_row rows[] = {
    ROW("Image.MaxViewers", viewers, 0, 10000, LIMIT_VIEWERS, "Most viewers of streams at a time"),
    ROW("Image.MaxEncoders", encoders, 1, 64, LIMIT_ENCODERS,
        "Most different streams coded at a time"),
    {.name = "Image.MaxCores",
     .type = PARAM_DOUBLE,
     PARAM_FIELD(struct limit_settings, cores),
     .min = 0,
     .max = 1024,
     .standard = "0",
     .read = ROLE_VIEWER,
     .write = ROLE_ADMIN,
     .doc = "Processor cores that the coding of one stream may count on; 0: all of the machine's"},
    {.name = "Image.H265.Effort",
     .type = PARAM_ENUM,
     PARAM_FIELD(struct limit_settings, effort),
     .choices = efforts,
     .standard = "auto",
     .read = ROLE_VIEWER,
     .write = ROLE_ADMIN,
     .doc = "high: H.265 smaller than H.264, for 1.7 times the processor's time of low; auto: high "
            "where the machine keeps up with it. Of streams that begin"},
    ROW("Network.Connections.Max", connections, 16, 65536, LIMIT_CONNECTIONS,
        "Most connections at a time"),
    ROW("Network.Connections.MaxPerAddress", per_address, 4, 65536, LIMIT_CONNECTIONS_PER_ADDRESS,
        "Most connections of one address (loopback is exempt)"),
    ROW("Network.Connections.MaxUnauthenticated", unauthenticated, 16, 65536,
        LIMIT_CONNECTIONS_UNAUTHENTICATED, "Most connections that have not logged in"),
};

const struct room_desc limit_room_desc = {
    .name = "limits",
    .size = sizeof(struct limit_settings),
    .rows = rows,
    .n_rows = sizeof rows / sizeof *rows,
};
