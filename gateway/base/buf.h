/* A growing run of bytes with a ceiling that must be named.  After a failed append it stays failed
 * (sticky), so ten appends need one check.  One thread.  Always NUL-terminated behind its bytes when n >
 * 0. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/attr.h"
#include "base/view.h"

#include <stdint.h>

struct buf {
    char *p;
    size_t n;
    size_t room;
    size_t ceiling;
    bool failed;
};

void buf_init(struct buf *b, size_t ceiling);
/* Over memory of the caller, which no append leaves: ceiling is room - 1.  Without buf_done. */
void buf_init_over(struct buf *b, char *p, size_t room);
void buf_done(struct buf *b);
/* Forgets the bytes and the failure, keeps the room. */
void buf_clear(struct buf *b);
/* Makes room for n more bytes at once; false when the ceiling forbids. */
bool buf_reserve(struct buf *b, size_t n);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_add_view(struct buf *b, view v);
void buf_add_byte(struct buf *b, char c);
void buf_printf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);
/* Appends v as a JSON string with quotes and minimal escapes (RFC 8785 rules). v must be valid UTF-8. */
void buf_add_json(struct buf *b, view v);
/* Appends v escaped for XML text and attribute values. */
void buf_add_xml(struct buf *b, view v);
void buf_add_hex(struct buf *b, view bytes);
void buf_add_base64(struct buf *b, view bytes);
void buf_add_base64url(struct buf *b, view bytes);

static inline view
buf_view(const struct buf *b)
{
    return (view){b->p, b->n};
}

/* Literal append: BUF_LIT(b, "text") */
#define BUF_LIT(b, literal) buf_add((b), "" literal, sizeof(literal) - 1)

#endif
