/* Receiver reports of strangers. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/rtcp.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rtcp_news news;
    uint8_t *copy = malloc(size ? size : 1); /* so that each byte read too far is seen */
    if (!copy)
        abort();
    memcpy(copy, data, size);
    if (rtcp_read(copy, size, 0x01020304, &news))
        assert(size >= 8 && size % 4 == 0 && news.loss_fraction >= 0 && news.loss_fraction < 1);
    free(copy);
    return 0;
}
