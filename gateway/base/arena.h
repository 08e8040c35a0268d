/* Memory that lives as long as one request.
 *
 * One arena belongs to one thread.  It has a ceiling in bytes, fixed when it is made: sizes that a peer
 * chooses can only be had through an arena or a buf, so that nothing is unbounded.  Blocks come zeroed
 * and aligned to 16.  Under AddressSanitizer each block is a malloc of its own, so that an overrun is
 * seen. Foreign objects (json_t, xmlDoc, EVP_PKEY) are put on its list with arena_defer and freed last
 * in, first out. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/attr.h"
#include "base/view.h"

#include <stdarg.h>
#include <stdint.h>

typedef struct arena arena;
typedef void (*arena_fn)(void *object);

/* Aborts when the process has no memory for the arena itself. */
arena *arena_new(size_t ceiling);
void arena_free(arena *mem);
DEFINE_AUTO(arena *, arena_free)
/* Runs the deferred functions and forgets all blocks, keeping the first chunk for the next request. */
void arena_reset(arena *mem);
/* Bytes handed out so far. */
size_t arena_used(const arena *mem);

/* NULL when the ceiling would be passed: the caller answers E_TOO_LARGE. */
void *arena_alloc(arena *mem, size_t n) MUST_USE;
/* The same without zeroes, for bytes that the caller writes whole before anybody reads them. */
void *arena_room(arena *mem, size_t n) MUST_USE;
/* count * size with overflow check. */
void *arena_array(arena *mem, size_t count, size_t size) MUST_USE;
/* Copies and adds a NUL after the last byte.  {NULL,0} when the ceiling would be passed or v.p is NULL. */
view arena_dup(arena *mem, view v);
/* The same as a C string; NULL on failure. */
char *arena_cstr(arena *mem, view v);
view arena_printf(arena *mem, const char *format, ...) PRINTF_LIKE(2, 3);
/* Takes object even on failure (then it is freed at once and false returned). */
bool arena_defer(arena *mem, arena_fn fn, void *take_object) MUST_USE;

/* arena_make(mem, struct x) → zeroed struct x * or NULL */
#define arena_make(mem, type) ((type *)arena_alloc((mem), sizeof(type)))
#define arena_make_array(mem, count, type) ((type *)arena_array((mem), (count), sizeof(type)))

#endif
