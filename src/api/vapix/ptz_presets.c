#include "api/vapix/ptz_presets.h"

#include <string.h>

#include "api/vapix/door.h"
#include "base/buf.h"
#include "base/fault.h"
#include "base/role.h"
#include "base/text.h"
#include "conf/param.h"
#include "ptz/presets.h"

static int take_number(int *ret, const char *name, const char *value, struct fault *why)
{
    int64_t v;
    if (text_int(value, 1, PRESETS_MOST, &v))
        return fault_set(why, FAULT_INVALID, name, "%s=%.40s is not possible; allowed: 1 to %d",
                         name, value, PRESETS_MOST);
    *ret = (int)v;
    return 1;
}

static int take_yes(bool *ret, const char *name, const char *value, struct fault *why)
{
    if (text_bool(value, ret))
        return fault_set(why, FAULT_INVALID, name, "%s=%.40s is not possible; allowed: yes, no",
                         name, value);
    return *ret;
}

int preset_plan_take(struct preset_plan *p, const char *name, const char *value, struct fault *why)
{
    const struct {
        const char *name;
        const char **to;
    } names[] = {
        {"gotoserverpresetname", &p->go_name},
        {"setserverpresetname", &p->set_name},
        {"removeserverpresetname", &p->remove_name},
    };
    const struct {
        const char *name;
        int *to;
    } numbers[] = {
        {"gotoserverpresetno", &p->go},       {"gotodevicepreset", &p->go},
        {"setserverpresetno", &p->set},       {"setdevicepreset", &p->set},
        {"removeserverpresetno", &p->remove}, {"renameserverpresetno", &p->rename},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!strcmp(names[i].name, name)) {
            *names[i].to = value;
            return 1;
        }
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!strcmp(numbers[i].name, name))
            return take_number(numbers[i].to, name, value, why);
    if (!strcmp(name, "newname"))
        p->new_name = value;
    else if (!strcmp(name, "home"))
        return take_yes(&p->home, name, value, why);
    else if (!strcmp(name, "removeallserverpresets"))
        return take_yes(&p->remove_all, name, value, why);
    else if (!strcmp(name, "imagesettings")) {
        int err = take_yes(&p->image, name, value, why);
        return err < 0 ? err : 0;
    }
    return 0;
}

static int find(struct presets *all, const char *argument, const char *name, int *ret,
                struct fault *why)
{
    *ret = presets_find(all, name);
    return *ret ? 0
                : fault_set(why, FAULT_UNKNOWN, argument, "%s: there is no preset \"%.64s\"",
                            argument, name);
}

int preset_plan_go(const struct preset_plan *p, struct presets *all, double speed,
                   struct fault *why)
{
    int number = p->go;
    int err = p->go_name ? find(all, "gotoserverpresetname", p->go_name, &number, why) : 0;
    return err || !number ? err : presets_go(all, number, speed, why);
}

static int change(const struct preset_plan *p, struct presets *all, struct txn *t,
                  struct fault *why)
{
    int number = p->remove, stored = 0, err = 0;
    if (p->remove_name)
        err = find(all, "removeserverpresetname", p->remove_name, &number, why);
    if (!err && number)
        err = presets_remove(all, t, number, why);
    if (!err && p->remove_all)
        err = presets_remove_all(all, t, why);
    if (!err && p->rename)
        err = p->new_name
                  ? presets_rename(all, t, p->rename, p->new_name, why)
                  : fault_set(why, FAULT_MISSING, "newname", "newname: the new name is missing");
    int home = presets_home(all);
    if (!err && (p->set || p->set_name))
        err = presets_store(all, t, p->set, p->set_name, p->image, &stored, why);
    else if (!err && p->home) /* what is seen now becomes home */
        err = presets_store(all, t, home > 0 ? home : 0, home > 0 ? NULL : "Home", p->image,
                            &stored, why);
    return err || !p->home || stored == home ? err : presets_point_home(all, t, stored, why);
}

int preset_plan_change(const struct preset_plan *p, struct conf *conf, struct presets *all,
                       unsigned groups, struct txn **ret_txn, struct fault *why)
{
    *ret_txn = NULL;
    if (!(p->set_name || p->remove_name || p->set || p->remove || p->rename || p->home ||
          p->remove_all))
        return 0;
    if (!role_allows(ROLE_ADMIN, groups))
        return fault_set(why, FAULT_DENIED, NULL, "only administrators change presets");
    struct txn *t = txn_new(conf, ~0u);
    int err = t ? change(p, all, t, why) : fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
    if (err)
        txn_abort(t);
    else
        *ret_txn = t;
    return err;
}

void ptz_reply_error(struct exchange *ex, const char *text)
{
    BUF(out, 512);
    buf_adds(&out, "Error:");
    for (const char *s = text; *s; s++) {
        char c = (unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s;
        buf_add(&out, &c, 1);
    }
    buf_adds(&out, "\r\n");
    vapix_reply_text(ex, buf_str(&out));
}

void ptz_reply_committed(struct exchange *ex, int err, const struct fault *why, void *arg)
{
    if (err)
        ptz_reply_error(ex, why->text);
    else
        exchange_reply(ex, 204, NULL, NULL, 0);
}
