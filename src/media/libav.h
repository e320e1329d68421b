/* What all users of libav here share. Any thread. */
#ifndef MEDIA_LIBAV_H
#define MEDIA_LIBAV_H

void libav_init(void); /* sends its words to the log, once */

#endif
