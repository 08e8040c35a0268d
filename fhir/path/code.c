#include "fhir/path/code.h"

#include "fhir/path/machine.h"

const struct code_op_row code_ops[OP_COUNT] = {
#define OP(name, words, takes, form) [OP_##name] = {words, takes, FORM_OP_##form},
    CODE_OPERATIONS
#undef OP
};

const struct function_row function_rows[] = {
#define F(name, least, most, form, detail, run) {#name, least, most, CALL_##form, detail, run},
#include "fhir/path/functions.def"
#undef F
};
const uint32_t function_count = sizeof function_rows / sizeof *function_rows;

/* Never called: the parser writes loops, tests of types and iif as instructions. */
bool
fn_none(struct machine *m, uint32_t n_args)
{
    (void)n_args;
    return machine_fail(m, "a function with a handler", "a loop");
}

bool
code_open(view program, struct code *ret)
{
    struct code_header head;
    if (program.n < sizeof head)
        return false;
    memcpy(&head, program.p, sizeof head);
    if (head.magic != CODE_MAGIC || head.version != code_version() || head.n_words == 0 ||
        (size_t)head.n_words * 4 + head.n_pool != program.n - sizeof head)
        return false;
    const char *words = program.p + sizeof head;
    *ret = (struct code){words, head.n_words, {words + (size_t)head.n_words * 4, head.n_pool}};
    return true;
}

static bool
instruction_is_sound(const struct code *c, uint32_t at)
{
    uint32_t op = code_word(c, at) & 0xFF, number = code_word(c, at) >> 8;
    if (op >= OP_COUNT || at + code_ops[op].words >= c->n_words)
        return op == OP_END && at + 1 == c->n_words;
    switch (code_ops[op].form) {
    case FORM_OP_POOL: {
        uint32_t from = code_word(c, at + 1);
        return from <= c->pool.n && number <= c->pool.n - from && (op != OP_UNIT || number > 0);
    }
    case FORM_OP_TARGET:
        return code_word(c, at + 1) < c->n_words && (op != OP_LOOP || number < LOOP_KINDS);
    case FORM_OP_CALL:
        return (number & 0xFFFF) < function_count && number >> 16 >= function_rows[number & 0xFFFF].least &&
               number >> 16 <= function_rows[number & 0xFFFF].most;
    default:
        return true;
    }
}

err
fhirpath_check(view program)
{
    struct code c;
    if (!code_open(program, &c))
        return E_FHIRPATH_SYNTAX;
    uint32_t at = 0, last = 0;
    while (at < c.n_words) {
        if (!instruction_is_sound(&c, at))
            return E_FHIRPATH_SYNTAX;
        last = at;
        at += 1U + code_ops[code_word(&c, at) & 0xFF].words;
    }
    return (code_word(&c, last) & 0xFF) == OP_END ? E_OK : E_FHIRPATH_SYNTAX;
}

const char *
fhirpath_function_name(uint32_t i)
{
    return i < function_count ? function_rows[i].name : NULL;
}

/* A loop or a test of a type stands in the program as its own instruction. */
static bool
calls(const struct code *c, uint32_t at, uint32_t function)
{
    uint32_t op = code_word(c, at) & 0xFF, number = code_word(c, at) >> 8;
    const struct function_row *row = &function_rows[function];
    if (op == OP_CALL)
        return (number & 0xFFFF) == function;
    if (op == OP_LOOP || op == OP_LOOP_TOTAL)
        return row->form == CALL_LOOP && row->detail == number;
    return op == OP_SCOPE && row->form == CALL_IIF;
}

void
fhirpath_functions_of(view program, void (*fn)(void *self, uint32_t function), void *self)
{
    struct code c;
    if (fhirpath_check(program) != E_OK || !code_open(program, &c))
        return;
    for (uint32_t i = 0; i < function_count; i++) {
        bool called = false;
        for (uint32_t at = 0; at < c.n_words && !called; at += 1U + code_ops[code_word(&c, at) & 0xFF].words)
            called = calls(&c, at, i);
        if (called)
            fn(self, i);
    }
}
