/* The audit log: who changed what protects somebody's privacy. Lines of room "audit" in the
 * system log. Loop-bound. */
#ifndef API_AUDIT_H
#define API_AUDIT_H

struct exchange;

/* Who asks; kept until the answer, since the exchange may go before. */
struct audit_who {
    char user[72], address[64];
};
void audit_who(const struct exchange *ex, struct audit_who *ret);
/* The same of somebody known by name; address may be NULL. */
void audit_who_named(const char *user, const char *address, struct audit_who *ret);

/* After a parameter was changed: privacy masks are told, all others are not. value NULL: the
 * group was taken away or added. */
void audit_param(const struct audit_who *who, const char *name, const char *value);
void audit_line(const struct audit_who *who, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
