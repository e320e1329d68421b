/* What overlays cost a 1080p picture: a coat over the frame, painted, and given back. */
#ifndef BENCH_OVERLAYS_H
#define BENCH_OVERLAYS_H

struct clock;

/* Rows, medians and means: the clock alone; four texts and a compass, still and while the head
 * turns; one text whose every picture is another; none. */
void overlay_rows(struct clock *clock, int n,
                  void (*tell)(const char *row, double median_ms, double mean_ms));

/* Four texts and the compass, to be painted on other people's frames. */
struct capture;
struct four;
struct picture;
struct four *four_new(struct clock *clock);
void four_paint(struct four *f, struct picture *frame, const struct capture *how);
void four_free(struct four *f);

#endif
