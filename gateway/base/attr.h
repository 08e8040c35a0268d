/* Promises that the compiler checks: who must look at a result, who frees a local, who formats.
 *
 * A local that owns is declared with AUTO(x_free); `return TAKE(p)` hands it over.  Any thread. */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#include <stddef.h>

#define MUST_USE __attribute__((warn_unused_result))
#define NO_RETURN __attribute__((noreturn))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))
#define UNUSED __attribute__((unused))

/* DEFINE_AUTO(struct tree *, tree_free) makes AUTO(tree_free) usable on locals of that type. */
#define DEFINE_AUTO(type, fn)                                                                                \
    static inline UNUSED void fn##_auto_(type *slot)                                                         \
    {                                                                                                        \
        fn(*slot);                                                                                           \
    }
#define AUTO(fn) __attribute__((cleanup(fn##_auto_)))

/* For embedded values: cleanup takes the address (buf_done(struct buf *)). */
#define AUTO_DONE(fn) __attribute__((cleanup(fn)))

#define TAKE(p)                                                                                              \
    __extension__({                                                                                          \
        __auto_type taken_ = (p);                                                                            \
        (p) = NULL;                                                                                          \
        taken_;                                                                                              \
    })

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
