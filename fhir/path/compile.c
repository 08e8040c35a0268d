#include "fhir/fhirpath.h"
#include "fhir/path/code.h"
#include "fhir/path/lex.h"
#include "fhir/shape.h"

#include <stdio.h>

/* One pass with a stack of open operators and brackets (Dijkstra's), which writes the program as it goes: an
 * operand's code stands before its operator's.  What a call needs in front of its argument (the head of a loop, a
 * jump) is written when the bracket opens, and its target filled in when it closes. */

enum entry_kind { ENTRY_OPERATOR, ENTRY_PREFIX, ENTRY_BRACKET, ENTRY_INDEX, ENTRY_CALL };

struct entry {
    uint8_t kind; /* enum entry_kind */
    uint8_t op;
    uint8_t level;     /* of an operator: how tightly it binds */
    uint8_t arguments; /* of a call: begun so far */
    uint32_t function;
    uint32_t patch[2]; /* words that wait for a target, 0 when none */
    struct token token;
};

struct compiler {
    struct lexer lexer;
    struct token token; /* the next one */
    arena *mem;
    uint32_t *words;
    uint32_t n_words, words_room;
    char *pool;
    uint32_t n_pool, pool_room;
    uint32_t n_stack;
    uint16_t asked; /* the type that `as` has just named */
    bool operand;   /* an operand comes next */
    struct entry stack[FHIRPATH_NESTING_MOST];
};

/* Operators in two: {sign, operation, level}; a higher level binds tighter. */
static const struct {
    const char *sign;
    uint8_t op, level, skip;
} operators[] = {
    {"*", OP_MULTIPLY, 10, 0},
    {"/", OP_DIVIDE, 10, 0},
    {"div", OP_DIVIDE_WHOLE, 10, 0},
    {"mod", OP_REMAINDER, 10, 0},
    {"+", OP_ADD, 9, 0},
    {"-", OP_SUBTRACT, 9, 0},
    {"&", OP_JOIN_TEXT, 9, 0},
    {"is", OP_IS, 8, 0},
    {"as", OP_AS, 8, 0},
    {"|", OP_UNION, 7, 0},
    {"<", OP_LESS, 6, 0},
    {"<=", OP_LESS_EQUAL, 6, 0},
    {">", OP_GREATER, 6, 0},
    {">=", OP_GREATER_EQUAL, 6, 0},
    {"=", OP_EQUAL, 5, 0},
    {"!=", OP_NOT_EQUAL, 5, 0},
    {"~", OP_ALIKE, 5, 0},
    {"!~", OP_NOT_ALIKE, 5, 0},
    {"in", OP_IN, 4, 0},
    {"contains", OP_CONTAINS, 4, 0},
    {"and", OP_AND, 3, OP_AND_SKIP},
    {"or", OP_OR, 2, OP_OR_SKIP},
    {"xor", OP_XOR, 2, 0},
    {"implies", OP_IMPLIES, 1, OP_IMPLIES_SKIP},
};
#define LEVEL_PREFIX 11

static err
refuse(struct compiler *c, const char *expected)
{
    return lex_refuse(&c->lexer, &c->token, expected,
                      c->token.kind == TOKEN_END ? "the end of the text" : "something else");
}

static err
too_large(struct compiler *c)
{
    return fault_set(c->lexer.fault, E_TOO_LARGE, "", "an expression that fits the memory", "a larger one");
}

static err
advance(struct compiler *c)
{
    return lex_next(&c->lexer, &c->token);
}

static bool
is_sign(const struct compiler *c, const char *sign)
{
    return c->token.kind == TOKEN_SIGN && view_eq(c->token.text, view_of(sign));
}

static bool
is_word(const struct compiler *c, const char *word)
{
    return c->token.kind == TOKEN_NAME && !c->token.quoted && view_eq(c->token.text, view_of(word));
}

/* ---- writing ---- */

static err
emit(struct compiler *c, uint32_t word)
{
    if (c->n_words == c->words_room) {
        uint32_t room = c->words_room * 2 + 32;
        uint32_t *words = arena_make_array(c->mem, room, uint32_t);
        if (words == NULL)
            return too_large(c);
        if (c->n_words > 0)
            memcpy(words, c->words, c->n_words * sizeof *words);
        c->words = words;
        c->words_room = room;
    }
    c->words[c->n_words++] = word;
    return E_OK;
}

static err
emit_op(struct compiler *c, enum code_op op, uint32_t number)
{
    return emit(c, (uint32_t)op | number << 8);
}

/* An operation with a text in the pool; first is put before it unless it is '\0'. */
static err
emit_text(struct compiler *c, enum code_op op, char first, view text)
{
    uint32_t n = (uint32_t)text.n + (first != '\0');
    if (c->pool_room - c->n_pool < n) {
        uint32_t room = c->pool_room * 2 + n + 64;
        char *pool = arena_alloc(c->mem, room);
        if (pool == NULL)
            return too_large(c);
        if (c->n_pool > 0)
            memcpy(pool, c->pool, c->n_pool);
        c->pool = pool;
        c->pool_room = room;
    }
    uint32_t at = c->n_pool;
    if (first != '\0')
        c->pool[c->n_pool++] = first;
    if (text.n > 0)
        memcpy(c->pool + c->n_pool, text.p, text.n);
    c->n_pool = at + n;
    TRY(emit_op(c, op, n));
    return emit(c, at);
}

/* A jump whose target is not known yet; the word to fill in goes to *ret. */
static err
emit_jump(struct compiler *c, enum code_op op, uint32_t number, uint32_t *ret)
{
    TRY(emit_op(c, op, number));
    *ret = c->n_words;
    return emit(c, 0);
}

static void
land(struct compiler *c, uint32_t *patch)
{
    if (*patch != 0)
        c->words[*patch] = c->n_words;
    *patch = 0;
}

/* ---- the stack of what is open ---- */

static err
push(struct compiler *c, struct entry entry)
{
    if (c->n_stack == FHIRPATH_NESTING_MOST)
        return refuse(c, "at most 256 open brackets, calls and operators");
    entry.token = c->token;
    c->stack[c->n_stack++] = entry;
    return E_OK;
}

/* Writes the operators on top that bind at least as tightly as level. */
static err
reduce(struct compiler *c, uint8_t level)
{
    while (c->n_stack > 0) {
        struct entry *top = &c->stack[c->n_stack - 1];
        if (top->kind > ENTRY_PREFIX || top->level < level)
            break;
        TRY(emit_op(c, top->op, 0));
        land(c, &top->patch[0]);
        c->n_stack--;
    }
    return E_OK;
}

/* ---- types ---- */

/* name or name.name, into mem as it is written */
static err
read_type(struct compiler *c, view *ret)
{
    if (c->token.kind != TOKEN_NAME)
        return refuse(c, "the name of a type");
    view first = c->token.text;
    TRY(advance(c));
    if (is_sign(c, ".")) {
        TRY(advance(c));
        if (c->token.kind != TOKEN_NAME)
            return refuse(c, "the name of a type");
        first = arena_printf(c->mem, "%.*s.%.*s", VIEW_ARG(first), VIEW_ARG(c->token.text));
        if (first.p == NULL)
            return too_large(c);
        TRY(advance(c));
    }
    *ret = first;
    return E_OK;
}

/* As a function, is(Boolean) asks for System's type; as an operator, `is Boolean` also takes FHIR's boolean (que-7 of R4 is
 * written so), and as(Boolean) takes it too, as published rules are written. */
static bool
means_system(view type)
{
    static const char *const names[] = {"Boolean", "String",   "Integer", "Decimal",
                                        "Date",    "DateTime", "Time"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (view_eq(type, view_of(names[i])))
            return true;
    return false;
}

static err
emit_type(struct compiler *c, enum code_op op, bool function)
{
    view type;
    TRY(read_type(c, &type));
    shape_start();
    if (function && op == OP_IS && means_system(type))
        type = arena_printf(c->mem, "System.%.*s", VIEW_ARG(type));
    if (type.p == NULL)
        return too_large(c);
    c->asked = op == OP_AS ? shape_of_type(type) : SHAPE_NONE;
    return emit_text(c, op, '\0', type);
}

/* ---- calls ---- */

static uint32_t
find_function(view name)
{
    uint32_t i = 0;
    while (i < function_count && !view_eq(name, view_of(function_rows[i].name)))
        i++;
    return i;
}

/* Before the argument of a loop, of iif, of a type test. */
static err
open_argument(struct compiler *c, struct entry *call)
{
    const struct function_row *row = &function_rows[call->function];
    if (row->form == CALL_IIF)
        return emit_op(c, OP_SCOPE, 0);
    if (row->form != CALL_LOOP || row->detail == LOOP_TRACE)
        return E_OK;
    if (row->detail != LOOP_AGGREGATE)
        return emit_jump(c, OP_LOOP, row->detail, &call->patch[0]);
    /* The start value is written behind the body but is needed first. */
    TRY(emit_jump(c, OP_JUMP, 0, &call->patch[0]));
    call->patch[1] = c->n_words; /* the body */
    return E_OK;
}

/* At a ',': the next argument begins. */
static err
next_argument(struct compiler *c, struct entry *call)
{
    const struct function_row *row = &function_rows[call->function];
    if (call->arguments == row->most)
        return refuse(c, "no further argument");
    call->arguments++;
    if (row->form == CALL_IIF && call->arguments == 2)
        return emit_jump(c, OP_UNLESS, 0, &call->patch[0]);
    if (row->form == CALL_IIF) {
        TRY(emit_jump(c, OP_JUMP, 0, &call->patch[1]));
        land(c, &call->patch[0]);
        return E_OK;
    }
    if (row->form == CALL_LOOP && row->detail == LOOP_TRACE) { /* the name goes, the projection is run */
        TRY(emit_op(c, OP_DROP, 0));
        return emit_jump(c, OP_LOOP, LOOP_TRACE, &call->patch[0]);
    }
    if (row->form == CALL_LOOP && row->detail == LOOP_AGGREGATE) {
        TRY(emit_op(c, OP_NEXT, 0));
        land(c, &call->patch[0]);
    }
    return E_OK;
}

static err
close_iif(struct compiler *c, struct entry *call)
{
    if (call->arguments == 2) {
        TRY(emit_jump(c, OP_JUMP, 0, &call->patch[1]));
        land(c, &call->patch[0]);
        TRY(emit_op(c, OP_EMPTY, 0));
    }
    land(c, &call->patch[1]);
    return emit_op(c, OP_SCOPE_END, 0);
}

static err
close_aggregate(struct compiler *c, struct entry *call)
{
    uint32_t body = call->patch[1];
    if (call->arguments == 1) {
        TRY(emit_op(c, OP_NEXT, 0));
        land(c, &call->patch[0]);
        TRY(emit_op(c, OP_EMPTY, 0));
    }
    TRY(emit_op(c, OP_LOOP_TOTAL, LOOP_AGGREGATE));
    return emit(c, body);
}

/* At the ')'. */
static err
close_call(struct compiler *c, struct entry *call)
{
    const struct function_row *row = &function_rows[call->function];
    if (call->arguments < row->least)
        return refuse(c, "a further argument");
    if (row->form == CALL_IIF)
        return close_iif(c, call);
    if (row->form == CALL_LOOP && row->detail == LOOP_AGGREGATE)
        return close_aggregate(c, call);
    bool loop = row->form == CALL_LOOP && call->arguments == (row->detail == LOOP_TRACE ? 2 : 1);
    if (!loop)
        return emit_op(c, OP_CALL, call->function | (uint32_t)call->arguments << 16);
    TRY(emit_op(c, OP_NEXT, 0));
    land(c, &call->patch[0]);
    return E_OK;
}

/* name( has been seen, the receiver is written, the token behind '(' is the next one. */
static err
open_call(struct compiler *c, uint32_t function)
{
    struct entry call = {.kind = ENTRY_CALL, .function = function};
    const struct function_row *row = &function_rows[function];
    if (row->form == CALL_TYPE) {
        TRY(emit_type(c, row->detail, true));
        if (!is_sign(c, ")"))
            return refuse(c, "')'");
        c->operand = false;
        return advance(c);
    }
    if (is_sign(c, ")")) {
        TRY(close_call(c, &call));
        c->operand = false;
        return advance(c);
    }
    if (row->most == 0)
        return refuse(c, "no argument");
    call.arguments = 1;
    TRY(open_argument(c, &call));
    c->operand = true;
    return push(c, call);
}

/* At a name; steps are those behind a '.', else it begins a path. */
static err
read_step(struct compiler *c, bool first)
{
    struct token name = c->token;
    uint16_t asked = c->asked;
    c->asked = SHAPE_NONE;
    TRY(advance(c));
    if (is_sign(c, "(")) {
        uint32_t function = find_function(name.text);
        if (function == function_count)
            return lex_refuse(&c->lexer, &name, "a function of FHIRPath", "an unknown one");
        if (first)
            TRY(emit_op(c, OP_THIS, 0));
        TRY(advance(c));
        return open_call(c, function);
    }
    c->operand = false;
    if (first)
        return emit_text(c, OP_ROOT, '\0', name.text);
    bool foreign = asked != SHAPE_NONE && shape_form(asked) == FORM_NONE && asked != SHAPE_Resource &&
                   shape_find(asked, name.text) == NULL && shape_find_choice(asked, name.text) == NULL;
    return emit_text(c, foreign ? OP_MEMBER_OF_OTHER : OP_MEMBER, '\0', name.text);
}

/* ---- operands ---- */

static err
emit_integer(struct compiler *c, view digits)
{
    int64_t value = 0;
    for (size_t i = 0; i < digits.n; i++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digits.p[i] - '0', &value))
            return refuse(c, "an integer of 64 bits");
    TRY(emit_op(c, OP_INTEGER, 0));
    TRY(emit(c, (uint32_t)((uint64_t)value & UINT32_MAX)));
    return emit(c, (uint32_t)((uint64_t)value >> 32));
}

static bool
is_calendar_word(view text)
{
    static const char *const words[] = {"year", "month",  "week",   "day",
                                        "hour", "minute", "second", "millisecond"};
    if (text.n > 1 && text.p[text.n - 1] == 's')
        text.n--;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (view_eq(text, view_of(words[i])))
            return true;
    return false;
}

/* A number, and a unit if one follows. */
static err
read_number(struct compiler *c)
{
    if (c->token.kind == TOKEN_INTEGER)
        TRY(emit_integer(c, c->token.text));
    else
        TRY(emit_text(c, OP_DECIMAL, '\0', c->token.text));
    TRY(advance(c));
    bool word = c->token.kind == TOKEN_NAME && !c->token.quoted && is_calendar_word(c->token.text);
    if (!word && c->token.kind != TOKEN_STRING)
        return E_OK;
    TRY(emit_text(c, OP_UNIT, word ? 'w' : '\'', c->token.text));
    return advance(c);
}

static const struct {
    const char *name, *text;
} constants[] = {
    {"ucum", "http://unitsofmeasure.org"},
    {"sct", "http://snomed.info/sct"},
    {"loinc", "http://loinc.org"},
};

static err
read_external(struct compiler *c)
{
    static const struct {
        const char *name;
        uint8_t op;
    } nodes[] = {{"context", OP_CONTEXT}, {"resource", OP_RESOURCE}, {"rootResource", OP_ROOT_RESOURCE}};
    static const struct {
        const char *prefix, *url;
    } families[] = {{"vs-", "http://hl7.org/fhir/ValueSet/"},
                    {"ext-", "http://hl7.org/fhir/StructureDefinition/"}};
    view name = c->token.text;
    for (size_t i = 0; i < 3; i++)
        if (view_eq(name, view_of(nodes[i].name)))
            return emit_op(c, nodes[i].op, 0);
    for (size_t i = 0; i < 3; i++)
        if (view_eq(name, view_of(constants[i].name)))
            return emit_text(c, OP_STRING, '\0', view_of(constants[i].text));
    for (size_t i = 0; i < 2; i++) {
        view prefix = view_of(families[i].prefix);
        if (!view_starts(name, prefix))
            continue;
        view url =
            arena_printf(c->mem, "%s%.*s", families[i].url, (int)(name.n - prefix.n), name.p + prefix.n);
        return url.p == NULL ? too_large(c) : emit_text(c, OP_STRING, '\0', url);
    }
    return refuse(c, "a constant that is known");
}

static err
read_dollar(struct compiler *c)
{
    view name = c->token.text;
    if (view_eq(name, V("this")))
        return emit_op(c, OP_THIS, 0);
    if (view_eq(name, V("index")))
        return emit_op(c, OP_LOOP_INDEX, 0);
    if (view_eq(name, V("total")))
        return emit_op(c, OP_TOTAL, 0);
    return refuse(c, "$this, $index or $total");
}

static err
read_literal(struct compiler *c)
{
    static const uint8_t ops[] = {
        [TOKEN_STRING] = OP_STRING,
        [TOKEN_DATE] = OP_DATE,
        [TOKEN_DATETIME] = OP_DATETIME,
        [TOKEN_TIME] = OP_TIME,
    };
    if (c->token.kind == TOKEN_EXTERNAL)
        TRY(read_external(c));
    else if (c->token.kind == TOKEN_DOLLAR)
        TRY(read_dollar(c));
    else
        TRY(emit_text(c, ops[c->token.kind], '\0', c->token.text));
    return advance(c);
}

static err
read_operand_sign(struct compiler *c)
{
    if (is_sign(c, "+") || is_sign(c, "-")) {
        uint8_t op = is_sign(c, "-") ? OP_MINUS_SIGN : OP_PLUS_SIGN;
        TRY(push(c, (struct entry){.kind = ENTRY_PREFIX, .op = op, .level = LEVEL_PREFIX}));
        return advance(c);
    }
    if (is_sign(c, "(")) {
        TRY(push(c, (struct entry){.kind = ENTRY_BRACKET}));
        return advance(c);
    }
    if (!is_sign(c, "{"))
        return refuse(c, "an operand");
    TRY(advance(c));
    if (!is_sign(c, "}"))
        return refuse(c, "'}'");
    c->operand = false;
    TRY(emit_op(c, OP_EMPTY, 0));
    return advance(c);
}

static err
read_operand(struct compiler *c)
{
    c->asked = SHAPE_NONE;
    if (c->token.kind == TOKEN_SIGN)
        return read_operand_sign(c);
    if (c->token.kind == TOKEN_END)
        return refuse(c, "an operand");
    if (is_word(c, "true") || is_word(c, "false")) {
        c->operand = false;
        TRY(emit_op(c, OP_BOOLEAN, is_word(c, "true")));
        return advance(c);
    }
    if (c->token.kind == TOKEN_NAME)
        return read_step(c, true);
    c->operand = false;
    if (c->token.kind == TOKEN_INTEGER || c->token.kind == TOKEN_DECIMAL)
        return read_number(c);
    return read_literal(c);
}

/* ---- behind an operand ---- */

static err
read_operator(struct compiler *c)
{
    size_t i = 0, n = sizeof operators / sizeof *operators;
    bool can = c->token.kind == TOKEN_SIGN || (c->token.kind == TOKEN_NAME && !c->token.quoted);
    while (can && i < n && !view_eq(c->token.text, view_of(operators[i].sign)))
        i++;
    if (!can || i == n)
        return refuse(c, "an operator, '.', '[' or the end");
    TRY(reduce(c, operators[i].level));
    struct entry entry = {.kind = ENTRY_OPERATOR, .op = operators[i].op, .level = operators[i].level};
    if (entry.op == OP_IS || entry.op == OP_AS) {
        TRY(advance(c));
        return emit_type(c, entry.op, false);
    }
    if (operators[i].skip != 0)
        TRY(emit_jump(c, operators[i].skip, 0, &entry.patch[0]));
    c->operand = true;
    TRY(push(c, entry));
    return advance(c);
}

/* ')' ']' ',' */
static err
read_closing(struct compiler *c)
{
    TRY(reduce(c, 0));
    struct entry *top = c->n_stack > 0 ? &c->stack[c->n_stack - 1] : NULL;
    if (top == NULL)
        return refuse(c, "an operator or the end");
    if (is_sign(c, ",")) {
        if (top->kind != ENTRY_CALL)
            return refuse(c, "a closing bracket");
        TRY(next_argument(c, top));
        c->operand = true;
        return advance(c);
    }
    if (is_sign(c, "]") != (top->kind == ENTRY_INDEX))
        return refuse(c, "the bracket that was opened");
    if (top->kind == ENTRY_INDEX)
        TRY(emit_op(c, OP_ITEM, 0));
    if (top->kind == ENTRY_CALL)
        TRY(close_call(c, top));
    bool keeps = top->kind == ENTRY_BRACKET; /* ( … as T).name is still a step of T */
    if (!keeps)
        c->asked = SHAPE_NONE;
    c->n_stack--;
    return advance(c);
}

static err
read_behind(struct compiler *c)
{
    if (is_sign(c, ")") || is_sign(c, "]") || is_sign(c, ","))
        return read_closing(c);
    if (is_sign(c, ".")) {
        TRY(advance(c));
        if (c->token.kind != TOKEN_NAME)
            return refuse(c, "a name behind '.'");
        return read_step(c, false);
    }
    if (is_sign(c, "[")) {
        TRY(push(c, (struct entry){.kind = ENTRY_INDEX}));
        c->operand = true;
        return advance(c);
    }
    return read_operator(c);
}

/* ---- the whole ---- */

static err
finish(struct compiler *c, view *ret)
{
    TRY(reduce(c, 0));
    if (c->n_stack > 0)
        return refuse(c, "a closing bracket");
    TRY(emit_op(c, OP_END, 0));
    struct code_header head = {CODE_MAGIC, code_version(), c->n_words, c->n_pool};
    size_t n = sizeof head + (size_t)c->n_words * 4 + c->n_pool;
    char *out = arena_alloc(c->mem, n);
    if (out == NULL)
        return too_large(c);
    memcpy(out, &head, sizeof head);
    memcpy(out + sizeof head, c->words, (size_t)c->n_words * 4);
    if (c->n_pool > 0)
        memcpy(out + sizeof head + (size_t)c->n_words * 4, c->pool, c->n_pool);
    *ret = view_make(out, n);
    return E_OK;
}

err
fhirpath_compile(view text, arena *mem, view *ret_program, struct fault *f)
{
    if (text.n > FHIRPATH_TEXT_MOST)
        return fault_set(f, E_TOO_LARGE, "", "an expression of at most 64 KiB", "a longer one");
    struct compiler *c = arena_make(mem, struct compiler);
    if (c == NULL)
        return fault_set(f, E_TOO_LARGE, "", "an expression that fits the memory", "a larger one");
    c->lexer = (struct lexer){text, 0, mem, f};
    c->mem = mem;
    c->operand = true;
    TRY(advance(c));
    while (c->operand || c->token.kind != TOKEN_END)
        TRY(c->operand ? read_operand(c) : read_behind(c));
    return finish(c, ret_program);
}
