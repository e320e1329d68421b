/* The source thread: takes shots from the sensor at k/fps, develops them into
 * frames, offers those to the pipeline.
 *
 * Started and stopped by demand. The first picture after a start is the current
 * tick's, so that who comes first waits for nothing. A sensor without signal gives
 * a placeholder frame and the event VideoSource/SignalLoss. start, stop: loop. */
#ifndef IMAGE_SOURCE_H
#define IMAGE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

struct clock;
struct events;
struct eye;
struct masks;
struct pipeline;
struct room;
struct sensor;
struct source;

/* settings: the eye's (eye.h), for finishing; NULL: pictures stay as the sensor gave them. */
struct source *source_new(struct clock *clock, struct sensor *sensor, struct events *events,
                          struct masks *masks, struct room *settings);
struct source *source_free(struct source *s);
void source_set_pipeline(struct source *s, struct pipeline *p);
/* What sets the sensor; before the first demand. */
void source_set_eye(struct source *s, struct eye *eye);
void source_demand(struct source *s, bool wanted);
/* While pictures are wanted: takes that of the current tick again, at once. Whoever waits for one
 * that shows something else than before need not wait for the next. Any thread. */
void source_retake(struct source *s);

struct source_stats {
    uint64_t shots, placeholders, late;
    int64_t take_cpu_ns, eye_cpu_ns, develop_cpu_ns; /* totals */
};
void source_stats(struct source *s, struct source_stats *ret);
/* The tick that is now: the picture that whoever asked now would get. Any thread. */
void source_tick(struct source *s, uint64_t *ret_serial, int64_t *ret_start_ns);
/* How the newest picture was taken (position read-back); false before the first. */
struct capture;
bool source_newest(struct source *s, struct capture *ret);
/* The same of one of the last SOURCE_REMEMBERED pictures; false: not one of them. */
#define SOURCE_REMEMBERED 256
bool source_capture(struct source *s, uint64_t serial, struct capture *ret);
/* Where that picture is covered by privacy masks: a new reference; NULL: nowhere, or it is not
 * one of them. */
struct masked;
struct masked *source_masked(struct source *s, uint64_t serial);

#endif
