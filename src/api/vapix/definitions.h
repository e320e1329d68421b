/* listdefinitions of param.cgi: names, types and limits of parameters as XML. */
#ifndef API_VAPIX_DEFINITIONS_H
#define API_VAPIX_DEFINITIONS_H

#include <stdbool.h>

struct buf;
struct camera;

/* "" is everything, "Image" a group, "Image.*.Name" with '*' in levels. */
bool param_matches(const char *pattern, const char *name);
/* patterns: NULL-terminated; what any of them matches is written. 0 or negative errno. */
int definitions_write(struct buf *out, struct camera *cam, unsigned groups,
                      const char *const *patterns);

#endif
