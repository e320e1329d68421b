/* Scenarios from strangers: whatever parses can also be played, and whoever is there is
 * somewhere. The text behind a line "%%" is what somebody is sent with. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/fault.h"
#include "device/virtual/cast/cast.h"
#include "fuzz.h"

static struct member now[CAST_MOST];

static void look(struct cast *c, int64_t time_ns)
{
    size_t n = cast_at(c, time_ns, now, CAST_MOST);
    assert(n <= CAST_MOST);
    for (size_t i = 0; i < n; i++) {
        assert(isfinite(now[i].at.x) && isfinite(now[i].at.y) && isfinite(now[i].heading_deg));
        assert(now[i].phase >= 0 && now[i].phase <= 1 && isfinite(now[i].speed_m_s));
        assert(*now[i].id && now[i].model);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *mark = memmem(data, size, "\n%%\n", 4);
    size_t len = mark ? (size_t)(mark - text) + 1 : size;
    struct fault why = {0};
    struct cast *c = cast_new(1);
    char who[512] = "", id[32];
    assert(c);
    if (mark) {
        size_t rest = size - len - 3;
        rest = rest < sizeof(who) ? rest : sizeof(who) - 1;
        memcpy(who, mark + 4, rest);
    }
    int rc = cast_load(c, 0, text, len, &why);
    if (rc) {
        assert(why.kind != FAULT_NONE && *why.text);
    } else {
        look(c, 0);
        look(c, INT64_C(7300000000));
        if (!cast_spawn(c, INT64_C(8000000000), who, id, &why))
            look(c, INT64_C(9100000000));
        cast_gate(c, INT64_C(9500000000), "close", &why);
        cast_call(c, INT64_C(9600000000), "", id, &why);
        look(c, INT64_C(20000000000));
    }
    cast_free(c);
    return 0;
}
