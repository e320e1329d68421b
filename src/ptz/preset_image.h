/* The picture's own settings at a preset, as one line of text: "Brightness=55&WDR=off". They
 * are parameters ImageSource.I0.*; while the camera stands at the preset they hold, then what
 * held before comes back. Loop-bound. */
#ifndef PTZ_PRESET_IMAGE_H
#define PTZ_PRESET_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

struct conf;
struct fault;
struct txn;

#define PRESET_IMAGE_SIZE 576

/* What holds now. all: each control of the picture; else the iris alone, and only where it is
 * set by hand ("": it is not). */
int preset_image_now(struct conf *c, bool all, char *ret, size_t size, struct fault *why);
/* Is it such a line? */
int preset_image_check(const char *text, struct fault *why);
/* What holds now of the controls that `of` names. */
void preset_image_same(struct conf *c, const char *of, char *ret, size_t size);
/* Sets what `text` says; of that, only what still is as `unless_not` says ("": everything): what
 * somebody has changed since stays. */
int preset_image_set(struct conf *c, struct txn *t, const char *text, const char *unless_not,
                     struct fault *why);

#endif
