/* What the virtual source costs, a picture after the other, in scenes at rest and in motion. All of
 * it is taken several times, since equal times give equal pictures, and of each the least counts:
 * what else a machine does only adds to it. One thread. */
#ifndef BENCH_SOURCE_H
#define BENCH_SOURCE_H

/* `n` pictures a row; tells median and mean of each in milliseconds of the thread's CPU.
 * `only`: rows whose name holds this; NULL: all. 0 or -1 (said on stderr). */
int source_rows(int n, const char *scenarios, const char *only,
                void (*tell)(const char *row, double median_ms, double mean_ms));

#endif
