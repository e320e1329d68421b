/* A user of something coded: what runs because somebody wants its stream, pictures (pipeline.h)
 * and sound (sounds.h) alike. Loop-bound. */
#ifndef MEDIA_FEED_H
#define MEDIA_FEED_H

struct feed;
struct stream;

struct feed_ops {
    void (*close)(struct feed *f); /* frees it */
    struct stream *(*stream)(struct feed *f);
    void (*request_key)(struct feed *f); /* NULL: every packet is one */
};
struct feed {
    const struct feed_ops *ops;
};

struct feed *feed_close(struct feed *f);    /* NULL-safe, returns NULL */
struct stream *feed_stream(struct feed *f); /* borrowed */
/* A packet to begin with soon; at most one a second per stream, shared by all who ask. */
void feed_request_key(struct feed *f);

#endif
