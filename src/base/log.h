/* The system log: one line an event, to standard error and to a bounded ring that
 * systemlog.cgi will show. Control characters are escaped; secrets are never
 * passed in. A function logs an error or returns it, not both. Any thread. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_DEBUG_LEVEL, LOG_INFO_LEVEL, LOG_WARN_LEVEL, LOG_ERROR_LEVEL };

struct clock;

void log_init(struct clock *clock, enum log_level least); /* clock may be NULL */
void log_line(enum log_level level, const char *room, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The kept lines, oldest first, without line end; stops when each() is not 0 and returns that. */
int log_each(int (*each)(const char *line, void *arg), void *arg);

/* room: the folder's name, a string literal. */
#define log_debug(room, ...) log_line(LOG_DEBUG_LEVEL, room, __VA_ARGS__)
#define log_info(room, ...) log_line(LOG_INFO_LEVEL, room, __VA_ARGS__)
#define log_warn(room, ...) log_line(LOG_WARN_LEVEL, room, __VA_ARGS__)
#define log_error(room, ...) log_line(LOG_ERROR_LEVEL, room, __VA_ARGS__)

#endif
