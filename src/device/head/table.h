/* The kinds of heads of metal there are. */
#ifndef DEVICE_HEAD_TABLE_H
#define DEVICE_HEAD_TABLE_H

struct head_driver;

const struct head_driver *head_driver_find(const char *scheme); /* NULL: none */

#endif
