#include "fhir/path/machine.h"

/* ---- frames ---- */

static struct frame *
push_frame(struct machine *m)
{
    if (m->n_frames == m->frames_room) {
        void *frames = machine_grow(m, m->frames, &m->frames_room, sizeof *m->frames);
        if (frames == NULL)
            return NULL;
        m->frames = frames;
    }
    struct frame *f = &m->frames[m->n_frames++];
    *f = (struct frame){.outer_floor = m->floor};
    m->floor = m->n_marks;
    return f;
}

static struct frame
pop_frame(struct machine *m)
{
    struct frame f = m->frames[--m->n_frames];
    m->floor = f.outer_floor;
    return f;
}

/* At the end of a frame its value, and nothing else, stands above what was there before. */
static bool
frame_is_open(struct machine *m, bool scope)
{
    const struct frame *top = m->n_frames > 0 ? &m->frames[m->n_frames - 1] : NULL;
    if (top == NULL || (top->kind == LOOP_KINDS) != scope || m->n_marks != m->floor + 1)
        return machine_fail(m, "the end of a loop that was begun", "another");
    return true;
}

/* ---- where we are ---- */

struct fhirpath_value
machine_this(const struct machine *m, bool *ret_there)
{
    const struct fhirpath_focus *f = m->focus;
    if (m->n_frames > 0) {
        const struct frame *top = &m->frames[m->n_frames - 1];
        *ret_there = top->has_this;
        return top->this;
    }
    *ret_there = f->node != NULL || f->companion != NULL;
    return value_of_node(m, f->node, f->companion, f->shape);
}

static bool
push_this(struct machine *m)
{
    bool there = false;
    struct fhirpath_value this = machine_this(m, &there);
    return machine_mark(m) && (!there || machine_push(m, this));
}

static bool
push_node(struct machine *m, const struct node *n, const struct node *companion, uint16_t shape)
{
    if (!machine_mark(m))
        return false;
    return (n == NULL && companion == NULL) || machine_push(m, value_of_node(m, n, companion, shape));
}

static bool
push_loop_value(struct machine *m, bool index)
{
    const struct frame *f = m->n_frames > 0 ? &m->frames[m->n_frames - 1] : NULL;
    if (!machine_mark(m))
        return false;
    if (f == NULL || (f->kind == LOOP_KINDS && !f->inside_loop))
        return machine_fail(m, "$index and $total inside a loop", "one outside");
    if (!index)
        return !f->has_total || machine_push(m, f->total);
    struct fhirpath_value v = system_value(FHIRPATH_INTEGER);
    v.integer = f->index;
    return machine_push(m, v);
}

/* ---- constants ---- */

static bool
push_text(struct machine *m, view text)
{
    struct fhirpath_value v = system_value(FHIRPATH_STRING);
    v.text = text;
    return machine_mark(m) && machine_push(m, v);
}

static bool
push_number(struct machine *m, view text)
{
    struct number n;
    if (!machine_mark(m))
        return false;
    if (!number_parse(text, &n))
        return machine_fail(m, "a decimal of at most 36 digits", "a longer one");
    return machine_give_number(m, 1, n);
}

static bool
push_moment(struct machine *m, enum code_op op, view text)
{
    struct moment moment;
    bool ok = op == OP_DATE       ? moment_parse_date(text, &moment)
              : op == OP_DATETIME ? moment_parse_datetime(text, &moment)
                                  : moment_parse_time(text, &moment);
    enum fhirpath_kind kind = op == OP_DATE       ? FHIRPATH_DATE
                              : op == OP_DATETIME ? FHIRPATH_DATETIME
                                                  : FHIRPATH_TIME;
    if (!machine_mark(m))
        return false;
    if (!ok)
        return machine_fail(m, "a date or time that exists", "another");
    return machine_give_moment(m, 1, kind, &moment);
}

/* The number on the stack gets a unit. */
static bool
run_unit(struct machine *m, view unit)
{
    struct quantity q = {.unit = view_sub(unit, 1, unit.n), .calendar = view_starts(unit, V("w"))};
    if (one_number(m, machine_operand(m, 0), &q.value) != GOT_ONE)
        return machine_fail(m, "a number before a unit", "none");
    if (!q.calendar && moment_unit_of(q.unit) != UNIT_NONE)
        q.calendar = true;
    return machine_give_quantity(m, 1, &q);
}

static bool
push_constant(struct machine *m, enum code_op op, uint32_t at)
{
    struct fhirpath_value v = system_value(op == OP_BOOLEAN ? FHIRPATH_BOOLEAN : FHIRPATH_INTEGER);
    switch (op) {
    case OP_EMPTY:
        return machine_mark(m);
    case OP_BOOLEAN:
        v.truth = code_word(&m->code, at) >> 8 != 0;
        return machine_mark(m) && machine_push(m, v);
    case OP_INTEGER:
        v.integer = (int64_t)(code_word(&m->code, at + 1) | (uint64_t)code_word(&m->code, at + 2) << 32);
        return machine_mark(m) && machine_push(m, v);
    case OP_DECIMAL:
        return push_number(m, code_text(&m->code, at));
    case OP_STRING:
        return push_text(m, code_text(&m->code, at));
    default:
        return push_moment(m, op, code_text(&m->code, at));
    }
}

/* ---- logic ---- */

static bool
give_truth_or_empty(struct machine *m, uint32_t taken, enum truth t)
{
    if (t == TRUTH_FAULT)
        return false;
    return t == TRUTH_EMPTY ? machine_give_nothing(m, taken) : machine_give_truth(m, taken, t == TRUTH_TRUE);
}

/* The left operand may decide alone; a collection of several is a fault either way. */
static bool
run_skip(struct machine *m, enum code_op op, uint32_t target)
{
    enum truth left = one_truth(m, machine_operand(m, 0));
    bool decides = op == OP_OR_SKIP ? left == TRUTH_TRUE : left == TRUTH_FALSE;
    if (left == TRUTH_FAULT)
        return false;
    if (!decides)
        return true;
    m->pc = target;
    return machine_give_truth(m, 1, op != OP_AND_SKIP);
}

static enum truth
combine(enum code_op op, enum truth a, enum truth b)
{
    if (op == OP_AND)
        return a == TRUTH_FALSE || b == TRUTH_FALSE ? TRUTH_FALSE
               : a == TRUTH_TRUE && b == TRUTH_TRUE ? TRUTH_TRUE
                                                    : TRUTH_EMPTY;
    if (op == OP_XOR)
        return a == TRUTH_EMPTY || b == TRUTH_EMPTY ? TRUTH_EMPTY : a != b ? TRUTH_TRUE : TRUTH_FALSE;
    if (op == OP_IMPLIES)
        a = a == TRUTH_TRUE ? TRUTH_FALSE : a == TRUTH_FALSE ? TRUTH_TRUE : a;
    return a == TRUTH_TRUE || b == TRUTH_TRUE     ? TRUTH_TRUE
           : a == TRUTH_FALSE && b == TRUTH_FALSE ? TRUTH_FALSE
                                                  : TRUTH_EMPTY;
}

static bool
run_logic(struct machine *m, enum code_op op)
{
    enum truth a = one_truth(m, machine_operand(m, 1)), b = one_truth(m, machine_operand(m, 0));
    if (a == TRUTH_FAULT || b == TRUTH_FAULT)
        return false;
    return give_truth_or_empty(m, 2, combine(op, a, b));
}

static bool
run_unless(struct machine *m, uint32_t target)
{
    enum truth t = one_truth(m, machine_operand(m, 0));
    if (t == TRUTH_FAULT)
        return false;
    m->n = m->marks[--m->n_marks];
    if (t != TRUTH_TRUE)
        m->pc = target;
    return true;
}

/* ---- loops ---- */

static void
enter(struct machine *m, struct frame *f)
{
    f->this = m->values[f->from + f->index];
    f->has_this = true;
    m->pc = f->body;
}

/* The input's collection stays the result's. */
static bool
leave(struct machine *m)
{
    struct frame f = pop_frame(m);
    m->pc = f.exit;
    switch (f.kind) {
    case LOOP_WHERE:
        m->n = f.from + f.kept;
        return true;
    case LOOP_SELECT:
    case LOOP_REPEAT:
        return machine_give(m, 1, f.to);
    case LOOP_TRACE:
        m->n = f.to;
        return true;
    case LOOP_ALL:
        return machine_give_truth(m, 1, true);
    case LOOP_EXISTS:
        return machine_give_truth(m, 1, false);
    case LOOP_SORT:
        return fn_sort(m, 1);
    default:
        return f.has_total ? machine_give_value(m, 1, f.total) : machine_give_nothing(m, 1);
    }
}

static bool
run_loop(struct machine *m, enum loop_kind kind, uint32_t body, uint32_t exit)
{
    struct items input = machine_operand(m, 0);
    struct frame *f = kind < LOOP_KINDS ? push_frame(m) : NULL;
    if (f == NULL)
        return kind < LOOP_KINDS ? false : machine_fail(m, "a kind of loop", "another number");
    f->kind = (uint8_t)kind;
    f->body = body;
    f->exit = exit;
    f->from = input.from;
    f->to = input.to;
    if (kind == LOOP_REPEAT) {
        f->seen = set_new(m, 16);
        if (f->seen == NULL)
            return false;
    }
    if (input.from == input.to)
        return leave(m);
    enter(m, f);
    return true;
}

/* aggregate(): the start value is on top of the input. */
static bool
run_loop_total(struct machine *m, uint32_t body)
{
    struct fhirpath_value total;
    enum got got = one_value(m, machine_operand(m, 0), &total);
    if (got == GOT_FAULT)
        return false;
    m->n = m->marks[--m->n_marks];
    uint32_t exit = m->pc;
    struct items input = machine_operand(m, 0);
    struct frame *f = push_frame(m);
    if (f == NULL)
        return false;
    *f = (struct frame){
        .kind = LOOP_AGGREGATE, .body = body, .exit = exit, .from = input.from, .to = input.to};
    f->has_total = got == GOT_ONE;
    if (f->has_total)
        f->total = total;
    if (input.from == input.to)
        return leave(m);
    enter(m, f);
    return true;
}

/* What repeat() has not met before stays behind the input and is visited in its turn. */
static bool
keep_new(struct machine *m, struct set *seen, uint32_t from)
{
    uint32_t kept = from;
    for (uint32_t i = from; i < m->n; i++) {
        bool is_new = false;
        if (!set_add(m, seen, &m->values[i], &is_new))
            return false;
        if (is_new)
            m->values[kept++] = m->values[i];
    }
    m->n = kept;
    return true;
}

/* A body's value goes where its loop wants it. *ret_done: the loop needs no further item. */
static bool
take_result(struct machine *m, struct frame *f, bool *ret_done)
{
    struct items result = machine_operand(m, 0);
    enum truth t = TRUTH_EMPTY;
    enum got got = GOT_NOTHING;
    m->n_marks--;
    if (f->kind == LOOP_SELECT)
        return true;
    if (f->kind == LOOP_REPEAT)
        return keep_new(m, f->seen, result.from);
    if (f->kind == LOOP_SORT) /* the keys stay behind the items */
        return result.to - result.from == 1 ||
               machine_fail(m, "one key for each item to sort", "none or several");
    if (f->kind == LOOP_AGGREGATE) {
        got = one_value(m, result, &f->total);
        f->has_total = got == GOT_ONE;
    } else if (f->kind != LOOP_TRACE) {
        t = one_truth(m, result);
    }
    m->n = result.from;
    if (got == GOT_FAULT || t == TRUTH_FAULT)
        return false;
    if (f->kind == LOOP_WHERE && t == TRUTH_TRUE)
        m->values[f->from + f->kept++] = f->this;
    bool found = f->kind == LOOP_EXISTS && t == TRUTH_TRUE;
    if (!found && (f->kind != LOOP_ALL || t == TRUTH_TRUE))
        return true;
    *ret_done = true;
    m->pc = f->exit;
    (void)pop_frame(m);
    return machine_give_truth(m, 1, found);
}

static bool
run_next(struct machine *m)
{
    bool done = false;
    if (!frame_is_open(m, false))
        return false;
    struct frame *f = &m->frames[m->n_frames - 1];
    if (!take_result(m, f, &done))
        return false;
    if (done)
        return true;
    f->index++;
    uint32_t end = f->kind == LOOP_REPEAT ? m->n : f->to;
    if (f->from + f->index >= end)
        return leave(m);
    enter(m, f);
    return machine_step(m, 1);
}

/* iif(): its receiver is $this of its arguments. */
static bool
run_scope(struct machine *m)
{
    struct fhirpath_value this;
    enum got got = one_value(m, machine_operand(m, 0), &this);
    if (got == GOT_FAULT)
        return false;
    m->n = m->marks[--m->n_marks];
    bool inside = m->n_frames > 0;
    struct frame outer = inside ? m->frames[m->n_frames - 1] : (struct frame){0};
    struct frame *f = push_frame(m);
    if (f == NULL)
        return false;
    f->kind = LOOP_KINDS;
    f->has_this = got == GOT_ONE;
    if (f->has_this)
        f->this = this;
    f->index = outer.index; /* $index and $total stay those of the loop around it */
    f->has_total = outer.has_total;
    f->total = outer.total;
    f->inside_loop = inside;
    return true;
}

static bool
run_scope_end(struct machine *m)
{
    if (!frame_is_open(m, true))
        return false;
    (void)pop_frame(m);
    return true;
}

/* ---- the rest ---- */

static bool
run_item(struct machine *m)
{
    struct items list = machine_operand(m, 1);
    int64_t i = 0;
    enum got got = one_integer(m, machine_operand(m, 0), &i);
    if (got == GOT_FAULT)
        return false;
    if (got == GOT_NOTHING || i < 0 || i >= (int64_t)(list.to - list.from))
        return machine_give_nothing(m, 2);
    return machine_give_value(m, 2, m->values[list.from + (uint32_t)i]);
}

static bool
run_call(struct machine *m, uint32_t number)
{
    uint32_t n_args = number >> 16, i = number & 0xFFFF;
    const struct function_row *row = i < function_count ? &function_rows[i] : NULL;
    if (row == NULL || n_args < row->least || n_args > row->most || m->n_marks - m->floor < n_args + 1)
        return machine_fail(m, "a function with its receiver and arguments", "fewer");
    return row->run(m, n_args);
}

static bool
run_set_operator(struct machine *m, enum code_op op)
{
    bool in = op == OP_IN, has = false;
    struct items one = machine_operand(m, in ? 1 : 0), list = machine_operand(m, in ? 0 : 1);
    struct fhirpath_value v;
    enum got got = one_value(m, one, &v);
    if (got == GOT_FAULT)
        return false;
    if (got == GOT_NOTHING)
        return machine_give_nothing(m, 2);
    for (uint32_t i = list.from; i < list.to && !has; i++) {
        enum truth t = values_equal(m, &v, &m->values[i]);
        if (t == TRUTH_FAULT)
            return false;
        has = t == TRUTH_TRUE;
    }
    return machine_give_truth(m, 2, has);
}

static bool
run_control(struct machine *m, enum code_op op, uint32_t at)
{
    uint32_t target = code_ops[op].words > 0 ? code_word(&m->code, at + 1) : 0;
    switch (op) {
    case OP_AND_SKIP:
    case OP_OR_SKIP:
    case OP_IMPLIES_SKIP:
        return run_skip(m, op, target);
    case OP_JUMP:
        m->pc = target;
        return true;
    case OP_UNLESS:
        return run_unless(m, target);
    case OP_DROP:
        m->n = m->marks[--m->n_marks];
        return true;
    case OP_SCOPE:
        return run_scope(m);
    case OP_SCOPE_END:
        return run_scope_end(m);
    case OP_LOOP:
        return run_loop(m, (enum loop_kind)(code_word(&m->code, at) >> 8), m->pc, target);
    case OP_LOOP_TOTAL:
        return run_loop_total(m, target);
    case OP_NEXT:
        return run_next(m);
    default:
        return run_call(m, code_word(&m->code, at) >> 8);
    }
}

static bool
run_place(struct machine *m, enum code_op op)
{
    const struct fhirpath_focus *f = m->focus;
    switch (op) {
    case OP_THIS:
        return push_this(m);
    case OP_CONTEXT:
        return push_node(m, f->node, f->companion, f->shape);
    case OP_RESOURCE:
        return push_node(m, f->resource, NULL, SHAPE_NONE);
    case OP_ROOT_RESOURCE:
        return push_node(m, f->root_resource ? f->root_resource : f->resource, NULL, SHAPE_NONE);
    default:
        return push_loop_value(m, op == OP_LOOP_INDEX);
    }
}

static bool
run_operator(struct machine *m, enum code_op op)
{
    if (op >= OP_MULTIPLY && op <= OP_SUBTRACT)
        return run_arithmetic(m, op);
    if (op >= OP_LESS && op <= OP_GREATER_EQUAL)
        return run_compare(m, op);
    if (op >= OP_EQUAL && op <= OP_NOT_ALIKE)
        return run_equal(m, op);
    if (op >= OP_AND && op <= OP_IMPLIES)
        return run_logic(m, op);
    switch (op) {
    case OP_ITEM:
        return run_item(m);
    case OP_PLUS_SIGN:
    case OP_MINUS_SIGN:
        return run_sign(m, op == OP_MINUS_SIGN);
    case OP_JOIN_TEXT:
        return run_join_text(m);
    case OP_UNION:
        return fn_union(m, 1);
    default:
        return run_set_operator(m, op);
    }
}

static bool
run_one(struct machine *m, enum code_op op, uint32_t at)
{
    if (op <= OP_ROOT_RESOURCE)
        return run_place(m, op);
    if (op <= OP_TIME)
        return push_constant(m, op, at);
    if (op >= OP_AND_SKIP)
        return run_control(m, op, at);
    switch (op) {
    case OP_UNIT:
        return run_unit(m, code_text(&m->code, at));
    case OP_MEMBER:
    case OP_MEMBER_OF_OTHER:
        return run_member(m, code_text(&m->code, at), op == OP_MEMBER_OF_OTHER);
    case OP_ROOT:
        return run_root(m, code_text(&m->code, at));
    case OP_IS:
    case OP_AS:
        return run_type(m, code_text(&m->code, at), op == OP_AS);
    default:
        return run_operator(m, op);
    }
}

/* A program that fhirpath_check accepts may still jump into the middle of an instruction or take what is not its own:
 * whatever stands in it, nothing outside program, stack and tree is touched. */
static bool
run(struct machine *m)
{
    for (;;) {
        uint32_t at = m->pc;
        enum code_op op = at < m->code.n_words ? (enum code_op)(code_word(&m->code, at) & 0xFF) : OP_COUNT;
        if (op >= OP_COUNT || at + code_ops[op].words >= m->code.n_words + (op == OP_END))
            return machine_fail(m, "an instruction", "another word");
        if (m->n_marks - m->floor < code_ops[op].takes)
            return machine_fail(m, "an operand", "none");
        if (op == OP_END)
            return (m->n_frames == 0 && m->n_marks == 1) || machine_fail(m, "one result", "another number");
        if (!machine_step(m, 1))
            return false;
        m->pc = at + 1U + code_ops[op].words;
        if (!run_one(m, op, at))
            return false;
    }
}

static err
start(struct machine *m, view program, const struct fhirpath_focus *focus, struct fault *f)
{
    shape_start();
    m->focus = focus;
    m->tree = focus->tree;
    m->pc = 0;
    m->own_steps = FHIRPATH_STEPS;
    m->steps = focus->steps != NULL ? focus->steps : &m->own_steps;
    m->outcome = E_OK;
    m->fault = f;
    m->values = m->values_inline;
    m->n = 0;
    m->room = VALUES_INLINE;
    m->marks = m->marks_inline;
    m->n_marks = 0;
    m->marks_room = MARKS_INLINE;
    m->frames = m->frames_inline;
    m->n_frames = 0;
    m->floor = 0;
    m->frames_room = FRAMES_INLINE;
    m->scratch_used = 0;
    return code_open(program, &m->code) ? E_OK
                                        : fault_set(f, E_FHIRPATH_SYNTAX, "", "a program", "something else");
}

err
fhirpath_eval(view program, const struct fhirpath_focus *focus, struct fhirpath_values *ret, struct fault *f)
{
    struct machine m;
    TRY(start(&m, program, focus, f));
    m.keep = true;
    if (!run(&m))
        return m.outcome;
    struct items all = machine_operand(&m, 0);
    uint32_t n = all.to - all.from;
    struct fhirpath_value *items = n > 0 ? arena_make_array(focus->mem, n, struct fhirpath_value) : NULL;
    if (n > 0 && items == NULL)
        return fault_set(f, E_TOO_LARGE, "", "a result that fits the memory", "a larger one");
    if (n > 0)
        memcpy(items, m.values + all.from, n * sizeof *items);
    *ret = (struct fhirpath_values){items, n};
    return E_OK;
}

err
fhirpath_holds(view program, const struct fhirpath_focus *focus, bool *ret, struct fault *f)
{
    struct machine m;
    bool truth = false;
    TRY(start(&m, program, focus, f));
    m.keep = false;
    if (!run(&m))
        return m.outcome;
    struct items all = machine_operand(&m, 0);
    if (all.to - all.from == 1 && value_truth(&m, &m.values[all.from], &truth))
        *ret = truth;
    else
        *ret = all.to > all.from;
    return E_OK;
}
