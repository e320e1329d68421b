#include "media/feed.h"

#include <stddef.h>

struct feed *feed_close(struct feed *f)
{
    if (f)
        f->ops->close(f);
    return NULL;
}

struct stream *feed_stream(struct feed *f)
{
    return f->ops->stream(f);
}

void feed_request_key(struct feed *f)
{
    if (f->ops->request_key)
        f->ops->request_key(f);
}
