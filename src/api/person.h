/* Who stands at a door that moves the camera: the account, and which of those who use it. They are
 * told apart by the web page's session, else by a cookie that the control queue gives out, else by
 * their address. Loop-bound. */
#ifndef API_PERSON_H
#define API_PERSON_H

#include <stddef.h>

struct camera;
struct controller;
struct exchange;

/* While the queue is on, whoever shows no cookie gets one with the reply. */
void person_of(struct camera *cam, struct exchange *ex, struct controller *ret);

/* Of a Cookie header (may be NULL); "" where it is not there or does not fit. */
void cookie_value(const char *cookie, const char *name, char *ret, size_t size);

#endif
