#include "base/jcs.h"

#include <assert.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers ---- */

static locale_t plain_locale;
static pthread_once_t plain_locale_once = PTHREAD_ONCE_INIT;

static void
make_plain_locale(void)
{
    plain_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    assert(plain_locale != (locale_t)0);
}

static void
restore_locale(locale_t *before)
{
    (void)uselocale(*before);
}

/* strtod and "%e" write and want the decimal point of the thread's locale: for this scope that is ".". */
static locale_t
enter_plain_locale(void)
{
    (void)pthread_once(&plain_locale_once, make_plain_locale);
    return uselocale(plain_locale);
}

bool
jcs_double(view text, double *ret)
{
    UNUSED locale_t before AUTO_DONE(restore_locale) = enter_plain_locale();
    char copy[TREE_NUMBER_MAX + 1];
    char *end = NULL;

    if (text.n == 0 || text.n > TREE_NUMBER_MAX)
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    /* strtod knows "inf", "nan", hexadecimal and leading blanks too; a number of ours has none of these
     * bytes. */
    if (strspn(copy, "0123456789+-.eE") != text.n)
        return false;
    double value = strtod(copy, &end);
    if (end != copy + text.n || !isfinite(value))
        return false;
    *ret = value;
    return true;
}

/* More digits than any double's shortest text has. */
#define DIGITS_LOOKED_AT 32

/* A number of JSON as digits without zeros at either end, times 10^exponent; no digits for zero. */
struct written_number {
    char digits[DIGITS_LOOKED_AT];
    bool longer; /* there are others than zero behind them */
    size_t n;
    long exponent;
    bool negative;
};

static struct written_number
written_number_of(view text)
{
    struct written_number w = {.n = 0};
    bool fraction = false;
    size_t i = 0;
    for (; i < text.n && text.p[i] != 'e' && text.p[i] != 'E'; i++) {
        char c = text.p[i];
        w.negative |= c == '-';
        fraction |= c == '.';
        if (c < '0' || c > '9')
            continue;
        w.exponent -= fraction;
        if (w.n == DIGITS_LOOKED_AT) {
            w.exponent++;
            w.longer |= c != '0';
        } else if (c != '0' || w.n > 0) {
            w.digits[w.n++] = c;
        }
    }
    long sign = 1, power = 0;
    for (i++; i < text.n; i++) {
        if (text.p[i] == '-')
            sign = -1;
        else if (text.p[i] != '+' && power < 100000)
            power = power * 10 + (text.p[i] - '0');
    }
    w.exponent += sign * power;
    for (; w.n > 0 && w.digits[w.n - 1] == '0'; w.n--)
        w.exponent++;
    return w;
}

bool
jcs_is_exact(view text)
{
    double value;
    char out[40];
    if (!jcs_double(text, &value))
        return false;
    struct written_number a = written_number_of(text), b = written_number_of(jcs_number(value, out));
    if (a.n == 0 || b.n == 0)
        return a.n == b.n;
    return a.n == b.n && !a.longer && a.exponent == b.exponent && a.negative == b.negative &&
           memcmp(a.digits, b.digits, a.n) == 0;
}

/* digits[0].digits[1]… × 10^exponent */
struct decimal_digits {
    char digits[20];
    int n;
    int exponent;
};

/* The decimal of n digits that is nearest to value (which is above zero). */
static struct decimal_digits
nearest_decimal(double value, int n)
{
    struct decimal_digits d = {.n = n};
    char text[40];
    int at = 2, exponent = 0;

    (void)snprintf(text, sizeof text, "%.*e", n - 1, value);
    d.digits[0] = text[0];
    for (int i = 1; i < n; i++)
        d.digits[i] = text[at++];
    if (n == 1)
        at = 1;
    bool below = text[at + 1] == '-'; /* at stands on 'e' */
    for (at += 2; text[at] != '\0'; at++)
        exponent = exponent * 10 + (text[at] - '0');
    d.exponent = below ? -exponent : exponent;
    return d;
}

static bool
reads_back(const struct decimal_digits *d, double value)
{
    char text[40];

    (void)snprintf(text, sizeof text, "%c.%.*se%d", d->digits[0], d->n - 1, d->digits + 1, d->exponent);
    return strtod(text, NULL) == value;
}

/* The next larger decimal of as many digits. */
static void
step_up(struct decimal_digits *d)
{
    for (int i = d->n - 1; i >= 0; i--) {
        if (d->digits[i] != '9') {
            d->digits[i]++;
            return;
        }
        d->digits[i] = '0';
    }
    d->digits[0] = '1';
    d->exponent++;
}

static bool
is_power_of_two(double value)
{
    int exponent;
    return frexp(value, &exponent) == 0.5;
}

/* The shortest decimal that reads back as value, and among those the nearest: ECMA-262 Number::toString.
 *
 * A decimal of up to 15 digits survives the way into a double and back, so with 15 digits, and trailing
 * zeros cut, one sees at once whether one so short exists; denormals have fewer bits and are tried from 1
 * digit.  Below a power of two doubles lie half as far apart as above it.  Then the nearest decimal may lie
 * below and read back as the neighbour, while the next one up, though farther, reads back as value. */
static struct decimal_digits
shortest_decimal(double value)
{
    struct decimal_digits d = {.n = 0};

    for (int n = fpclassify(value) == FP_SUBNORMAL ? 1 : 15; n <= 17; n++) {
        d = nearest_decimal(value, n);
        if (reads_back(&d, value))
            break;
        if (!is_power_of_two(value))
            continue;
        step_up(&d);
        if (reads_back(&d, value))
            break;
    }
    while (d.n > 1 && d.digits[d.n - 1] == '0')
        d.n--;
    return d;
}

/* ECMA-262: plain from 1e-6 up to below 1e21, else with an exponent. */
static int
print_decimal(const struct decimal_digits *d, const char *sign, char out[40])
{
    int whole = d->exponent + 1; /* digits before the point */

    if (d->n <= whole && whole <= 21)
        return snprintf(out, 40, "%s%.*s%.*s", sign, d->n, d->digits, whole - d->n, "00000000000000000000");
    if (whole > 0 && whole <= 21)
        return snprintf(out, 40, "%s%.*s.%.*s", sign, whole, d->digits, d->n - whole, d->digits + whole);
    if (whole > -6 && whole <= 0)
        return snprintf(out, 40, "%s0.%.*s%.*s", sign, -whole, "000000", d->n, d->digits);
    return snprintf(out, 40, "%s%c%s%.*se%c%d", sign, d->digits[0], d->n > 1 ? "." : "", d->n - 1,
                    d->digits + 1, d->exponent < 0 ? '-' : '+', abs(d->exponent));
}

view
jcs_number(double value, char out[40])
{
    UNUSED locale_t before AUTO_DONE(restore_locale) = enter_plain_locale();

    assert(isfinite(value));
    /* Whole numbers that a double holds exactly, so nearly all, need no search.  -0 is written 0. */
    if (fabs(value) < 9007199254740992.0 && trunc(value) == value)
        return view_make(out, (size_t)snprintf(out, 40, "%" PRId64, (int64_t)value));
    struct decimal_digits d = shortest_decimal(fabs(value));
    return view_make(out, (size_t)print_decimal(&d, value < 0 ? "-" : "", out));
}

/* ---- trees ---- */

struct level {
    const struct node *node;
    const struct node *child; /* next item of an array */
    size_t order;   /* of an object: where the sorted indices of its members begin in writer.order … */
    size_t next, n; /* … the next one, and how many there are */
};

struct writer {
    const struct tree *t;
    struct buf *out;
    struct buf *order; /* uint32_t; members of all open objects */
    size_t depth;
    struct level levels[TREE_DEPTH_MAX];
};

/* RFC 8785 sorts by UTF-16 code units.  Bytes of UTF-8 sort the same way but for characters above U+FFFF:
 * these begin with 0xF0 to 0xF4, and their surrogates come before U+E000, which begins with 0xEE. */
static int
compare_utf16(view a, view b)
{
    size_t n = a.n < b.n ? a.n : b.n, i = 0;

    while (i < n && a.p[i] == b.p[i])
        i++;
    if (i == n)
        return (a.n > b.n) - (a.n < b.n);
    unsigned x = (unsigned char)a.p[i], y = (unsigned char)b.p[i];
    x += x == 0xEE || x == 0xEF ? 0x10 : 0;
    y += y == 0xEE || y == 0xEF ? 0x10 : 0;
    return (x > y) - (x < y);
}

static int
compare_members(const void *a, const void *b, void *tree)
{
    const struct tree *t = tree;
    uint32_t x, y;

    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return compare_utf16(node_name(t, &t->nodes[x]), node_name(t, &t->nodes[y]));
}

static bool
is_skipped(view name, const view *skip, size_t n_skip)
{
    for (size_t i = 0; i < n_skip; i++) {
        if (view_eq(name, skip[i]))
            return true;
    }
    return false;
}

static err
open_level(struct writer *w, const struct node *n, const view *skip, size_t n_skip)
{
    if (w->depth == TREE_DEPTH_MAX)
        return E_JSON_DEPTH;
    struct level *level = &w->levels[w->depth++];
    *level = (struct level){.node = n, .order = w->order->n, .child = node_first(w->t, n)};
    buf_add_byte(w->out, n->kind == NODE_OBJECT ? '{' : '[');
    if (n->kind == NODE_ARRAY)
        return E_OK;
    for (NODE_EACH(member, w->t, n)) {
        uint32_t index = node_index(w->t, member);
        if (!is_skipped(node_name(w->t, member), skip, n_skip))
            buf_add(w->order, &index, sizeof index);
    }
    if (w->order->failed)
        return E_TOO_LARGE;
    level->n = (w->order->n - level->order) / sizeof(uint32_t);
    if (level->n > 1) {
        struct tree borrowed = *w->t;
        qsort_r(w->order->p + level->order, level->n, sizeof(uint32_t), compare_members, &borrowed);
    }
    return E_OK;
}

/* The next child to write of the open container; NULL when there is none. */
static const struct node *
next_child(struct writer *w, struct level *level)
{
    const struct node *child = level->child;
    uint32_t index;

    if (level->node->kind == NODE_ARRAY) {
        if (child != NULL)
            level->child = node_next(w->t, child);
        return child;
    }
    if (level->next == level->n)
        return NULL;
    memcpy(&index, w->order->p + level->order + level->next * sizeof index, sizeof index);
    return &w->t->nodes[index];
}

static err
write_scalar(struct writer *w, const struct node *n)
{
    char digits[40];
    double value = 0;

    switch ((enum node_kind)n->kind) {
    case NODE_STRING:
        buf_add_json(w->out, node_text(w->t, n));
        return E_OK;
    case NODE_NUMBER:
        if (!jcs_double(node_text(w->t, n), &value))
            return E_OUT_OF_RANGE;
        buf_add_view(w->out, jcs_number(value, digits));
        return E_OK;
    case NODE_TRUE:
        BUF_LIT(w->out, "true");
        return E_OK;
    case NODE_FALSE:
        BUF_LIT(w->out, "false");
        return E_OK;
    case NODE_NULL:
    case NODE_ARRAY:
    case NODE_OBJECT:
        break;
    }
    BUF_LIT(w->out, "null");
    return E_OK;
}

static err
write_children(struct writer *w)
{
    while (w->depth > 0) {
        struct level *level = &w->levels[w->depth - 1];
        bool in_object = level->node->kind == NODE_OBJECT;
        const struct node *child = next_child(w, level);
        if (child == NULL) {
            buf_add_byte(w->out, in_object ? '}' : ']');
            w->order->n = level->order;
            w->depth--;
            continue;
        }
        if (level->next++ > 0)
            buf_add_byte(w->out, ',');
        if (in_object) {
            buf_add_json(w->out, node_name(w->t, child));
            buf_add_byte(w->out, ':');
        }
        if (child->kind >= NODE_ARRAY)
            TRY(open_level(w, child, NULL, 0));
        else
            TRY(write_scalar(w, child));
    }
    return E_OK;
}

err
jcs_write(const struct tree *t, const struct node *n, const view *skip, size_t n_skip, struct buf *out)
{
    struct writer w;
    struct buf order AUTO_DONE(buf_done) = {0};

    /* Without the levels, which are filled as they are opened. */
    memset(&w, 0, offsetof(struct writer, levels));
    w.t = t;
    w.out = out;
    w.order = &order;
    buf_init(&order, (size_t)t->n * sizeof(uint32_t));
    if (n->kind < NODE_ARRAY)
        TRY(write_scalar(&w, n));
    else
        TRY(open_level(&w, n, skip, n_skip));
    TRY(write_children(&w));
    return out->failed ? E_TOO_LARGE : E_OK;
}
