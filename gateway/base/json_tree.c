#include "base/json_tree.h"

#include "base/jcs.h"
#include "base/json_names.h"
#include "base/json_scan.h"

#include <assert.h>
#include <stdio.h>

/* The reader is one loop over values with a stack of open containers; there is no recursion, so depth costs
 * 32 bytes. Helpers take the position and give the new one, or NULL after they have set the fault: the
 * position stays in a register that way. */

#define SAMPLE ((size_t)2 << 10)
#define NODES_DEFAULT 4000000U
#define BYTES_DEFAULT ((size_t)10 << 20)

static_assert(sizeof(struct node) == 32, "the memory of a tree is promised in docs/json.md");

struct frame {
    uint32_t node;  /* of the open container */
    uint32_t last;  /* its newest child, 0 when none */
    uint32_t count; /* of its children */
    bool is_object;
    uint64_t seen; /* names_bit of its names while there are few */
};

struct reader {
    const char *start, *end;
    struct node *nodes;
    uint32_t n, room, ceiling;
    struct frame *top; /* in stack; the bottom one is no container and holds the root */
    char *pool;
    size_t pool_n, pool_room;
    arena *mem;
    struct fault *fault;
    err code;
    struct names names;
    struct frame stack[TREE_DEPTH_MAX + 1];
};

struct text {
    uint32_t at, length; /* in the source or in the pool */
    bool in_pool;
};

static struct tree
reader_tree(const struct reader *r)
{
    return (struct tree){{r->start, (size_t)(r->end - r->start)}, r->nodes, r->n, {r->pool, r->pool_n}};
}

/* ---- faults ---- */

/* Names the byte at p by its form: letters and digits of a document are nobody's business. */
static void
describe(const struct reader *r, const char *p, char out[40])
{
    unsigned char c = 0;

    if (p >= r->end) {
        (void)snprintf(out, 40, "the end of the text");
        return;
    }
    c = (unsigned char)*p;
    if (c < 0x20 || c == 0x7F)
        (void)snprintf(out, 40, "control character 0x%02X", c);
    else if (c >= 0x80)
        (void)snprintf(out, 40, "a character outside ASCII");
    else if (scan_is_digit(*p))
        (void)snprintf(out, 40, "a digit");
    else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
        (void)snprintf(out, 40, "a letter");
    else
        (void)snprintf(out, 40, "'%c'", c);
}

/* Pointer of the innermost open container; where a step does not fit, of one farther out. */
static void
container_pointer(const struct reader *r, char out[256])
{
    struct tree t = reader_tree(r);
    size_t n = 0;

    out[0] = '\0';
    for (const struct frame *f = r->stack + 1; f < r->top; f++) {
        char step[256];
        size_t length = 0;
        view name = f->is_object ? node_name(&t, &r->nodes[f->last]) : VIEW_NONE;
        if (!f->is_object)
            length = (size_t)snprintf(step, sizeof step, "%u", f->count - 1);
        for (size_t i = 0; i < name.n && length + 2 < sizeof step; i++) {
            bool escape = name.p[i] == '~' || name.p[i] == '/';
            step[length++] = escape ? '~' : name.p[i];
            if (escape)
                step[length++] = name.p[i] == '~' ? '0' : '1';
        }
        if (n + 1 + length >= 256 || length + 2 >= sizeof step)
            return;
        out[n] = '/';
        memcpy(out + n + 1, step, length);
        n += 1 + length;
        out[n] = '\0';
    }
}

/* Returns NULL, so that the helpers can pass it on. */
static __attribute__((cold, noinline)) const char *
refuse_as(struct reader *r, err e, const char *p, size_t length, const char *expected, const char *found)
{
    char where[256];

    r->code = e;
    if (r->fault == NULL || r->fault->code != E_OK)
        return NULL;
    container_pointer(r, where);
    (void)fault_set(r->fault, e, where, expected, found);
    fault_range(r->fault, (size_t)(p - r->start), length);
    fault_locate(r->fault, view_make(r->start, (size_t)(r->end - r->start)));
    return NULL;
}

/* The byte at p is not what the grammar wants; bytes that are no UTF-8 at all are said to be that. */
static __attribute__((cold, noinline)) const char *
refuse(struct reader *r, const char *p, const char *expected)
{
    char found[40];

    if (p < r->end && (unsigned char)*p >= 0x80 && scan_utf8(p, r->end) == 0)
        return refuse_as(r, E_UTF8, p, 1, "UTF-8", "a malformed byte sequence");
    describe(r, p, found);
    return refuse_as(r, E_JSON_SYNTAX, p, p < r->end ? 1 : 0, expected, found);
}

/* ---- memory ---- */

/* How many nodes the text will need, from its first bytes: every node but the first stands behind one of these
 * three.  For a text no longer than the sample this is enough for certain.  A longer one may well begin with many
 * small values and end with an attachment, so the guess stays below two bytes for a byte of text. */
static uint32_t
guess_nodes(const struct reader *r)
{
    size_t n = (size_t)(r->end - r->start), sample = n < SAMPLE ? n : SAMPLE;
    uint64_t marks = 0;

    for (size_t i = 0; i < sample; i++)
        marks += r->start[i] == ',' || r->start[i] == '{' || r->start[i] == '[';
    if (sample < n)
        marks = marks * n / sample * 9 / 8;
    if (sample < n && marks > n / 16)
        marks = n / 16;
    return marks + 1 < r->ceiling ? (uint32_t)marks + 1 : r->ceiling;
}

/* Room for more nodes.  The density met so far tells what is still to come; a node needs two bytes of text
 * at least, which bounds it.  The old array stays behind in the arena, so each is half as large again as the
 * one before. */
static __attribute__((cold, noinline)) bool
grow_nodes(struct reader *r, const char *p)
{
    uint64_t consumed = (uint64_t)(p - r->start) + 1, left = (uint64_t)(r->end - p);
    uint64_t more = (uint64_t)r->n * left / consumed;
    more += more / 8 + 16;
    if (more < r->n / 2)
        more = r->n / 2;
    if (more > left / 2 + 2)
        more = left / 2 + 2;
    if (more > r->ceiling - r->n)
        more = r->ceiling - r->n;
    if (more == 0)
        return false;
    struct node *nodes = arena_room(r->mem, (r->n + more) * sizeof *nodes);
    if (nodes == NULL)
        return false;
    if (r->n > 0)
        memcpy(nodes, r->nodes, r->n * sizeof *nodes);
    r->nodes = nodes;
    r->room = r->n + (uint32_t)more;
    return true;
}

/* The pool never outgrows the source: each decoded text is shorter than its escaped form. */
static bool
pool_add(struct reader *r, const char *p, size_t n)
{
    if (n == 0)
        return true;
    if (r->pool_room - r->pool_n < n) {
        size_t most = (size_t)(r->end - r->start);
        size_t room = r->pool_room == 0 ? most / 32 + 64 : r->pool_room * 2;
        if (room < r->pool_n + n)
            room = r->pool_n + n;
        if (room > most)
            room = most;
        char *pool = arena_room(r->mem, room);
        if (pool == NULL)
            return false;
        if (r->pool_n > 0)
            memcpy(pool, r->pool, r->pool_n);
        r->pool = pool;
        r->pool_room = room;
    }
    memcpy(r->pool + r->pool_n, p, n);
    r->pool_n += n;
    return true;
}

static const char *
refuse_memory(struct reader *r, const char *p)
{
    return refuse_as(r, E_TOO_LARGE, p, 0, "a text that fits the memory of one request", "more");
}

/* ---- strings ---- */

/* Over a run of characters outside ASCII. */
static const char *
skip_foreign(struct reader *r, const char *p)
{
    while (p < r->end && (unsigned char)*p >= 0x80) {
        unsigned length = scan_utf8(p, r->end);
        if (length == 0)
            return refuse_as(r, E_UTF8, p, 1, "UTF-8", "a malformed byte sequence");
        p += length;
    }
    return p;
}

/* To the closing quote or a backslash. */
static inline const char *
skip_text(struct reader *r, const char *p)
{
    for (;;) {
        p = scan_plain(p, r->end);
        if (p < r->end && (*p == '"' || *p == '\\'))
            return p;
        if (p == r->end || (unsigned char)*p < 0x80)
            return refuse(
                r, p, p == r->end ? "the closing quote of a string" : "an escape for a control character");
        p = skip_foreign(r, p);
        if (p == NULL)
            return NULL;
    }
}

/* Four hexadecimal digits at p, or -1. */
static int32_t
read_hex4(const char *p, const char *end)
{
    int32_t value = 0;

    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        char low = (char)(c | 0x20);
        if (scan_is_digit(c))
            value = value << 4 | (c - '0');
        else if (low >= 'a' && low <= 'f')
            value = value << 4 | (low - 'a' + 10);
        else
            return -1;
    }
    return value;
}

static size_t
encode_utf8(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

/* p at the backslash of \uXXXX. */
static const char *
read_unicode_escape(struct reader *r, const char *p)
{
    char bytes[4];
    int32_t low = 0, c = read_hex4(p + 2, r->end);

    if (c < 0)
        return refuse_as(r, E_JSON_SYNTAX, p, 2, "\\u and four hexadecimal digits", "fewer");
    if (c == 0)
        return refuse_as(r, E_JSON_NUL, p, 6, "any character but U+0000", "\\u0000");
    if (c >= 0xDC00 && c <= 0xDFFF)
        return refuse_as(r, E_JSON_SYNTAX, p, 6, "a high surrogate before a low one",
                         "a low surrogate alone");
    p += 6;
    if (c >= 0xD800 && c <= 0xDBFF) {
        low = r->end - p >= 6 && p[0] == '\\' && p[1] == 'u' ? read_hex4(p + 2, r->end) : -1;
        if (low < 0xDC00 || low > 0xDFFF)
            return refuse_as(r, E_JSON_SYNTAX, p - 6, 6, "a low surrogate after a high one",
                             "a high surrogate alone");
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        p += 6;
    }
    return pool_add(r, bytes, encode_utf8((uint32_t)c, bytes)) ? p : refuse_memory(r, p);
}

/* p at a backslash. */
static const char *
read_escape(struct reader *r, const char *p)
{
    static const char plain[] = "\"\\/bfnrt", meaning[] = "\"\\/\b\f\n\r\t";
    const char *which = NULL;

    if (r->end - p < 2)
        return refuse(r, r->end, "the character that is escaped");
    if (p[1] == 'u')
        return read_unicode_escape(r, p);
    which = memchr(plain, p[1], sizeof plain - 1);
    if (which == NULL)
        return refuse(r, p + 1, "one of \"\\/bfnrtu after a backslash");
    return pool_add(r, meaning + (which - plain), 1) ? p + 2 : refuse_memory(r, p);
}

/* The rest of a string that has an escape, into the pool. from is its first byte, p the first backslash. */
static __attribute__((noinline)) const char *
read_escaped(struct reader *r, const char *from, const char *p, struct text *ret)
{
    size_t begin = r->pool_n;

    for (;;) {
        if (!pool_add(r, from, (size_t)(p - from)))
            return refuse_memory(r, p);
        if (*p == '"')
            break;
        from = read_escape(r, p);
        if (from == NULL)
            return NULL;
        p = skip_text(r, from);
        if (p == NULL)
            return NULL;
    }
    *ret = (struct text){(uint32_t)begin, (uint32_t)(r->pool_n - begin), true};
    return p + 1;
}

/* p behind the opening quote; gives the place behind the closing one. */
static inline const char *
read_string(struct reader *r, const char *p, struct text *ret)
{
    const char *from = p;

    p = skip_text(r, p);
    if (p == NULL)
        return NULL;
    if (*p != '"')
        return read_escaped(r, from, p, ret);
    *ret = (struct text){(uint32_t)(from - r->start), (uint32_t)(p - from), false};
    return p + 1;
}

/* ---- names ---- */

/* True when another member of the object before nodes[at] has its name. */
static bool
stands_twice(const struct tree *t, const struct frame *f, uint32_t at)
{
    view name = node_name(t, &t->nodes[at]);

    for (uint32_t i = f->node + 1; i != at; i = t->nodes[i].next) {
        if (t->nodes[i].name_length == name.n && view_eq(node_name(t, &t->nodes[i]), name))
            return true;
    }
    return false;
}

/* The table of names takes over when an object gets big: first the members that it has by now. */
static enum names_verdict
note_in_table(struct reader *r, const struct frame *f, uint32_t at)
{
    struct tree t = reader_tree(r);

    for (uint32_t i = f->node + 1; f->count == NAMES_FEW + 1 && i != at; i = r->nodes[i].next) {
        if (names_put(&r->names, &t, i, r->mem) == NAMES_FULL)
            return NAMES_FULL;
    }
    return names_put(&r->names, &t, at, r->mem);
}

static inline enum names_verdict
note_name(struct reader *r, struct frame *f, uint32_t at, view name)
{
    if (f->count > NAMES_FEW)
        return note_in_table(r, f, at);
    uint64_t bit = names_bit(name);
    if ((f->seen & bit) != 0) {
        struct tree t = reader_tree(r);
        return stands_twice(&t, f, at) ? NAMES_TWICE : NAMES_NEW;
    }
    f->seen |= bit;
    return NAMES_NEW;
}

/* p at the name of member nodes[at]; gives the place of its value. */
static inline const char *
read_name(struct reader *r, const char *p, uint32_t at)
{
    const char *from = p;
    struct text text;
    struct node *node = &r->nodes[at];

    if (p == r->end || *p != '"')
        return refuse(r, p, r->top->count == 1 ? "a name in quotes or '}'" : "a name in quotes");
    p = read_string(r, p + 1, &text);
    if (p == NULL)
        return NULL;
    if (text.length > UINT16_MAX)
        return refuse_as(r, E_TOO_LARGE, from, (size_t)(p - from), "a name of at most 65535 bytes",
                         "a longer one");
    node->name = text.at;
    node->name_length = (uint16_t)text.length;
    node->flags = text.in_pool ? NODE_NAME_IN_POOL : 0;
    view name = {(text.in_pool ? r->pool : r->start) + text.at, text.length};
    enum names_verdict verdict = note_name(r, r->top, at, name);
    if (verdict == NAMES_TWICE)
        return refuse_as(r, E_JSON_DUPLICATE_NAME, from, (size_t)(p - from), "each name once in an object",
                         "a name that stands in the same object already");
    if (verdict == NAMES_FULL)
        return refuse_memory(r, from);
    p = scan_space(p, r->end);
    if (p == r->end || *p != ':')
        return refuse(r, p, "':' after a name");
    return scan_space(p + 1, r->end);
}

/* ---- values ---- */

static inline const char *
skip_digits(const char *p, const char *end)
{
    while (p < end && scan_is_digit(*p))
        p++;
    return p;
}

/* Whether a double can hold a number that is long, or whose exponent (from there to p; NULL: none) has three digits or
 * more.  Only those near the limit are converted. */
static __attribute__((cold, noinline)) bool
is_beyond_double(const char *from, const char *exponent, const char *p)
{
    double value = 0;
    long power = 0;
    for (const char *d = exponent; d != NULL && d < p && power < 10000; d++)
        power = power * 10 + (*d - '0');
    bool small = exponent != NULL && exponent[-1] == '-';
    return !small && power + (p - from) > 300 && !jcs_double(view_make(from, (size_t)(p - from)), &value);
}

static const char *
read_number(struct reader *r, const char *p)
{
    const char *from = p, *exponent = NULL, *end = r->end;

    if (*p == '-')
        p++;
    if (p == end || !scan_is_digit(*p))
        return refuse(r, p, "a digit");
    p = *p == '0' ? p + 1 : skip_digits(p, end);
    if (p < end && *p == '.') {
        if (++p == end || !scan_is_digit(*p))
            return refuse(r, p, "a digit after the decimal point");
        p = skip_digits(p, end);
    }
    if (p < end && (*p | 0x20) == 'e') {
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        if (p == end || !scan_is_digit(*p))
            return refuse(r, p, "a digit in the exponent");
        exponent = p;
        p = skip_digits(p, end);
    }
    if (p - from > TREE_NUMBER_MAX)
        return refuse_as(r, E_OUT_OF_RANGE, from, (size_t)(p - from), "a number of at most 4096 characters",
                         "a longer one");
    if ((p - from > 300 || (exponent != NULL && p - exponent > 2)) && is_beyond_double(from, exponent, p))
        return refuse_as(r, E_OUT_OF_RANGE, from, (size_t)(p - from), "a number of at most 1.8e308",
                         "a larger one");
    return p;
}

static const char *
read_word(struct reader *r, const char *p, view word)
{
    if (!view_starts(view_make(p, (size_t)(r->end - p)), word))
        return refuse(r, p, "a value");
    return p + word.n;
}

static bool
may_close(const struct reader *r)
{
    return r->top > r->stack && !r->top->is_object && r->top->count == 1;
}

/* p at '{' or '['; pushes it. */
static inline const char *
open_container(struct reader *r, const char *p, uint32_t at)
{
    if (r->top == r->stack + TREE_DEPTH_MAX)
        return refuse_as(r, E_JSON_DEPTH, p, 1, "at most 64 levels", "one more");
    r->top++;
    *r->top = (struct frame){.node = at, .is_object = *p == '{'};
    r->nodes[at].kind = *p == '{' ? NODE_OBJECT : NODE_ARRAY;
    return p + 1;
}

static inline const char *
read_scalar(struct reader *r, const char *p, struct node *node)
{
    struct text text = {node->from, 0, false};

    switch (*p) {
    case '"':
        node->kind = NODE_STRING;
        p = read_string(r, p + 1, &text);
        node->text = text.at;
        node->text_length = text.length;
        node->flags |= text.in_pool ? NODE_TEXT_IN_POOL : 0;
        return p;
    case 't':
        node->kind = NODE_TRUE;
        p = read_word(r, p, V("true"));
        break;
    case 'f':
        node->kind = NODE_FALSE;
        p = read_word(r, p, V("false"));
        break;
    case 'n':
        node->kind = NODE_NULL;
        return read_word(r, p, V("null"));
    default:
        if (*p != '-' && !scan_is_digit(*p))
            return refuse(r, p, may_close(r) ? "a value or ']'" : "a value");
        node->kind = NODE_NUMBER;
        p = read_number(r, p);
        break;
    }
    if (p == NULL)
        return NULL;
    node->text = node->from;
    node->text_length = (uint32_t)(p - r->start) - node->from;
    return p;
}

/* ---- the loop ---- */

/* A new node as the last child of the open container. */
static inline bool
add_child(struct reader *r, const char *p)
{
    struct frame *f = r->top;
    uint32_t at = r->n;

    if (at == r->room && !grow_nodes(r, p))
        return false;
    r->nodes[at] = (struct node){.parent = f->node};
    if (f->last != 0)
        r->nodes[f->last].next = at;
    f->last = at;
    f->count++;
    r->n++;
    return true;
}

/* After a value: closes what ends here.  Gives the place of the next name or value, or, when the root is
 * complete, where the text has to end. */
static inline const char *
close_containers(struct reader *r, const char *p)
{
    while (r->top > r->stack) {
        struct frame *f = r->top;
        p = scan_space(p, r->end);
        char c = p < r->end ? *p : '\0';
        if (c == ',')
            return scan_space(p + 1, r->end);
        if (c != (f->is_object ? '}' : ']'))
            return refuse(r, p, f->is_object ? "',' or '}'" : "',' or ']'");
        p++;
        struct node *node = &r->nodes[f->node];
        node->length = (uint32_t)(p - r->start) - node->from;
        node->text = f->count;
        r->top--;
    }
    return p;
}

/* One value; of a container only the opening bracket. */
static inline const char *
read_value(struct reader *r, const char *p)
{
    uint32_t at = r->n;

    if (!add_child(r, p))
        return at == r->ceiling ? refuse_as(r, E_TOO_LARGE, p, 0, "fewer values in one document", "more")
                                : refuse_memory(r, p);
    if (r->top->is_object) {
        p = read_name(r, p, at);
        if (p == NULL)
            return NULL;
    }
    struct node *node = &r->nodes[at];
    node->from = (uint32_t)(p - r->start);
    if (p == r->end)
        return refuse(r, p, "a value");
    if (*p == '{' || *p == '[')
        return open_container(r, p, at);
    p = read_scalar(r, p, node);
    if (p != NULL)
        node->length = (uint32_t)(p - r->start) - node->from;
    return p;
}

static err
read_document(struct reader *r)
{
    const char *p = scan_space(r->start, r->end);

    do {
        const struct frame *before = r->top;
        p = read_value(r, p);
        if (p == NULL)
            return r->code;
        if (r->top > before) {
            p = scan_space(p, r->end);
            if (p == r->end || *p != (r->top->is_object ? '}' : ']'))
                continue;
        }
        p = close_containers(r, p);
        if (p == NULL)
            return r->code;
    } while (r->top > r->stack);
    p = scan_space(p, r->end);
    if (p != r->end) {
        (void)refuse(r, p, "the end of the text after the value");
        return r->code;
    }
    return E_OK;
}

err
tree_read_json(view source, const struct tree_limits *limits, arena *mem, struct tree *ret, struct fault *f)
{
    static const char nothing[1] = "";
    size_t most = limits != NULL && limits->bytes > 0 ? limits->bytes : BYTES_DEFAULT;
    uint32_t nodes = limits != NULL && limits->nodes > 0 ? limits->nodes : NODES_DEFAULT;
    struct reader r;

    /* Not with an initializer: it would clear the stack, which costs more than a small document. */
    memset(&r, 0, offsetof(struct reader, stack));
    r.start = source.p != NULL ? source.p : nothing;
    r.end = r.start + source.n;
    r.ceiling = nodes;
    r.mem = mem;
    r.fault = f;
    r.top = r.stack;
    r.stack[0] = (struct frame){0};
    if (source.n > most || source.n > UINT32_MAX) {
        (void)refuse_as(&r, E_TOO_LARGE, r.start, source.n, "a shorter text",
                        "more bytes than are allowed here");
        return r.code;
    }
    if (view_starts(source, V("\xEF\xBB\xBF"))) {
        (void)refuse_as(&r, E_BOM, r.start, 3, "JSON text", "a byte order mark");
        return r.code;
    }
    r.room = guess_nodes(&r);
    r.nodes = arena_room(mem, r.room * sizeof *r.nodes); /* each is written whole when it begins */
    if (r.nodes == NULL) {
        (void)refuse_memory(&r, r.start);
        return r.code;
    }
    TRY(read_document(&r));
    *ret = reader_tree(&r);
    return E_OK;
}
