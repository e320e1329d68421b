#include "api/hls/settings.h"

#include "conf/param.h"

static const struct param_row rows[] = {
    {.name = "Network.HLS.SharedCache",
     PARAM_FIELD(struct hls_settings, shared_cache),
     .type = PARAM_BOOL,
     .standard = "no",
     .read = ROLE_VIEWER,
     .write = ROLE_ADMIN,
     .doc = "Proxies may keep pieces of HTTP Live Streaming and give them to others without asking "
            "us: yes only behind one that checks by itself who may watch"},
};

const struct room_desc hls_room_desc = {
    .name = "hls",
    .size = sizeof(struct hls_settings),
    .rows = rows,
    .n_rows = sizeof rows / sizeof *rows,
};
