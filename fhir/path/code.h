/* The program that an expression becomes: a header, instructions of 32-bit words, a pool of bytes.
 *
 * Words are read with memcpy, since a program may lie at any address, in the byte order of the machine that made
 * it (a file of programs is made where it is used).  An instruction's first word holds the operation in its low 8
 * bits and a number in the other 24.  The machine (machine.h) has a stack of collections; each instruction takes some off its
 * top and puts one there.  Inside this folder only. */
#ifndef FHIR_PATH_CODE_H
#define FHIR_PATH_CODE_H

#include "base/view.h"

#include <stdint.h>
#include <string.h>

/* To be raised when the meaning of a word changes. */
#define CODE_VERSION 1U
#define CODE_MAGIC 0x31504846U /* FHP1 */

struct code_header {
    uint32_t magic;
    uint32_t version; /* CODE_VERSION, the number of operations and of functions */
    uint32_t n_words;
    uint32_t n_pool;
};

/* OP(name, further words, collections taken, what the number and the words are) */
#define CODE_OPERATIONS                                                                                      \
    OP(END, 0, 1, NONE)                                                                                      \
    OP(THIS, 0, 0, NONE)                                                                                     \
    OP(LOOP_INDEX, 0, 0, NONE)                                                                               \
    OP(TOTAL, 0, 0, NONE)                                                                                    \
    OP(CONTEXT, 0, 0, NONE)                                                                                  \
    OP(RESOURCE, 0, 0, NONE)                                                                                 \
    OP(ROOT_RESOURCE, 0, 0, NONE)                                                                            \
    OP(EMPTY, 0, 0, NONE)                                                                                    \
    OP(BOOLEAN, 0, 0, NONE)                                                                                  \
    OP(INTEGER, 2, 0, NONE)                                                                                  \
    OP(DECIMAL, 1, 0, POOL)                                                                                  \
    OP(STRING, 1, 0, POOL)                                                                                   \
    OP(DATE, 1, 0, POOL)                                                                                     \
    OP(DATETIME, 1, 0, POOL)                                                                                 \
    OP(TIME, 1, 0, POOL)                                                                                     \
    OP(UNIT, 1, 1,                                                                                           \
       POOL) /* number on the stack → quantity; the unit's first byte says ' or a calendar word */         \
    OP(MEMBER, 1, 1, POOL)                                                                                   \
    OP(MEMBER_OF_OTHER, 1, 1, POOL) /* a member that the type just asked for does not have */                \
    OP(ROOT, 1, 0, POOL)            /* first step: the type of $this, or a member of it */                   \
    OP(IS, 1, 1, POOL)                                                                                       \
    OP(AS, 1, 1, POOL)                                                                                       \
    OP(ITEM, 0, 2, NONE)                                                                                     \
    OP(PLUS_SIGN, 0, 1, NONE)                                                                                \
    OP(MINUS_SIGN, 0, 1, NONE)                                                                               \
    OP(MULTIPLY, 0, 2, NONE)                                                                                 \
    OP(DIVIDE, 0, 2, NONE)                                                                                   \
    OP(DIVIDE_WHOLE, 0, 2, NONE)                                                                             \
    OP(REMAINDER, 0, 2, NONE)                                                                                \
    OP(ADD, 0, 2, NONE)                                                                                      \
    OP(SUBTRACT, 0, 2, NONE)                                                                                 \
    OP(JOIN_TEXT, 0, 2, NONE)                                                                                \
    OP(UNION, 0, 2, NONE)                                                                                    \
    OP(LESS, 0, 2, NONE)                                                                                     \
    OP(LESS_EQUAL, 0, 2, NONE)                                                                               \
    OP(GREATER, 0, 2, NONE)                                                                                  \
    OP(GREATER_EQUAL, 0, 2, NONE)                                                                            \
    OP(EQUAL, 0, 2, NONE)                                                                                    \
    OP(NOT_EQUAL, 0, 2, NONE)                                                                                \
    OP(ALIKE, 0, 2, NONE)                                                                                    \
    OP(NOT_ALIKE, 0, 2, NONE)                                                                                \
    OP(IN, 0, 2, NONE)                                                                                       \
    OP(CONTAINS, 0, 2, NONE)                                                                                 \
    OP(AND, 0, 2, NONE)                                                                                      \
    OP(OR, 0, 2, NONE)                                                                                       \
    OP(XOR, 0, 2, NONE)                                                                                      \
    OP(IMPLIES, 0, 2, NONE)                                                                                  \
    OP(AND_SKIP, 1, 1, TARGET) /* the left operand decides: over the right one and the operation */          \
    OP(OR_SKIP, 1, 1, TARGET)                                                                                \
    OP(IMPLIES_SKIP, 1, 1, TARGET)                                                                           \
    OP(JUMP, 1, 0, TARGET)                                                                                   \
    OP(UNLESS, 1, 1, TARGET) /* takes a condition, jumps when it is not true */                              \
    OP(DROP, 0, 1, NONE)                                                                                     \
    OP(SCOPE, 0, 1, NONE) /* the collection becomes $this */                                                 \
    OP(SCOPE_END, 0, 1, NONE)                                                                                \
    OP(LOOP, 1, 1, TARGET)       /* number: enum loop_kind; target: behind the loop */                       \
    OP(LOOP_TOTAL, 1, 2, TARGET) /* target: the body; the start value is on top */                           \
    OP(NEXT, 0, 1, NONE)         /* end of a body */                                                         \
    OP(CALL, 0, 1, CALL)         /* number: function, and arguments above bit 16 */

enum code_op {
#define OP(name, words, takes, form) OP_##name,
    CODE_OPERATIONS
#undef OP
        OP_COUNT
};

enum code_form { FORM_OP_NONE, FORM_OP_POOL, FORM_OP_TARGET, FORM_OP_CALL };

struct code_op_row {
    uint8_t words, takes, form;
};
extern const struct code_op_row code_ops[OP_COUNT];

enum loop_kind {
    LOOP_WHERE,
    LOOP_SELECT,
    LOOP_ALL,
    LOOP_EXISTS,
    LOOP_REPEAT,
    LOOP_TRACE,
    LOOP_SORT,
    LOOP_AGGREGATE,
    LOOP_KINDS
};

/* How the parser treats a call. */
enum function_form { CALL_PLAIN, CALL_LOOP, CALL_TYPE, CALL_IIF };

struct machine;
struct function_row {
    const char *name;
    uint8_t least, most; /* arguments */
    uint8_t form;        /* enum function_form */
    uint8_t detail;      /* enum loop_kind, or the operation of a CALL_TYPE */
    bool (*run)(struct machine *m, uint32_t n_args);
};
extern const struct function_row function_rows[];
extern const uint32_t function_count;

static inline uint32_t
code_version(void)
{
    return CODE_VERSION | (uint32_t)OP_COUNT << 8 | function_count << 16;
}

struct code {
    const char *words; /* not aligned */
    uint32_t n_words;
    view pool;
};
/* False when it is no program of this version. */
bool code_open(view program, struct code *ret);

static inline uint32_t
code_word(const struct code *c, uint32_t at)
{
    uint32_t w;
    memcpy(&w, c->words + (size_t)at * 4, 4);
    return w;
}
/* The pool range of an instruction of form POOL at a place; empty when it is none. */
static inline view
code_text(const struct code *c, uint32_t at)
{
    uint32_t from = code_word(c, at + 1), n = code_word(c, at) >> 8;
    return from <= c->pool.n && n <= c->pool.n - from ? (view){c->pool.p + from, n} : V("");
}

#endif
