/* vsnprintf for the conversions that nearly every text of ours is made of (%s %.*s %c %d %u %ld %lu %lld %llu %zu %%): no
 * stream is set up and no locale asked, which for a short text costs more than the text.  Any other conversion sends the
 * whole call to the library.  Pure, any thread. */
#ifndef BASE_FORMAT_H
#define BASE_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* As vsnprintf. */
int format_print(char *out, size_t room, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

#endif
