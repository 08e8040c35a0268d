/* Files that stand in the binary (cmake/embed.cmake).  Constant, any thread. */
#ifndef BASE_EMBED_H
#define BASE_EMBED_H

#include <stddef.h>

struct embedded {
    const char *path;
    const char *bytes; /* one NUL behind the last byte */
    size_t length;
};

#endif
