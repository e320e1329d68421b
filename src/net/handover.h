/* Listening sockets that outlive the program: when the camera starts itself anew it has no
 * right to ports below 1024 any more, so it keeps those that it has. Who connects meanwhile
 * waits. They are named in the environment, in the order in which they were opened.
 * From the only thread, at start and at the end. */
#ifndef NET_HANDOVER_H
#define NET_HANDOVER_H

/* Before exec: one more for who comes after. Keeps a copy of its own. */
void handover_give(int fd);
/* First of all at start: finds what was given, which no other program shall inherit. */
void handover_find(void);
/* The next one, to be closed by the caller; -1: there is none, or it has another port
 * (0: any will do). */
int handover_take(int port, int *ret_port);

#endif
