/* The arguments of com/ptz.cgi and com/ptzconfig.cgi that are about presets, and how both
 * answer. */
#ifndef API_VAPIX_PTZ_PRESETS_H
#define API_VAPIX_PTZ_PRESETS_H

#include <stdbool.h>

struct conf;
struct exchange;
struct fault;
struct presets;
struct txn;

/* NULL, 0: not asked for. Names are borrowed. */
struct preset_plan {
    const char *go_name, *set_name, *remove_name, *new_name;
    int go, set, remove, rename;
    bool home, remove_all, image;
};

/* 1: the argument asks for something; 0: it is not one of these, or only says how; negative: its
 * value makes no sense. */
int preset_plan_take(struct preset_plan *p, const char *name, const char *value, struct fault *why);
int preset_plan_go(const struct preset_plan *p, struct presets *all, double speed,
                   struct fault *why);
/* What is to be stored, renamed or removed: with the rights of who asks. *ret_txn NULL: nothing. */
int preset_plan_change(const struct preset_plan *p, struct conf *conf, struct presets *all,
                       unsigned groups, struct txn **ret_txn, struct fault *why);

/* "Error:" and the text, with status 200. */
void ptz_reply_error(struct exchange *ex, const char *text);
/* For commit_then: 204 or the error. */
void ptz_reply_committed(struct exchange *ex, int err, const struct fault *why, void *arg);

#endif
