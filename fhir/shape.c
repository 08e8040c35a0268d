#include "fhir/shape.h"

#include <assert.h>
#include <pthread.h>

enum {
    CODES_NONE,
#define CODES(name, tail, system, words) CODES_##name,
#include "fhir/r4_codes.def"
#undef CODES
    CODES_COUNT
};

static const struct {
    const char *tail, *system, *words;
} code_sets[CODES_COUNT] = {
    [CODES_NONE] = {"", "", ""},
#define CODES(name, tail, system, words) [CODES_##name] = {tail, system, words},
#include "fhir/r4_codes.def"
#undef CODES
};

#define MANY_0 0
#define MANY_1 0
#define MANY_N 1
#define ROW(name, kind, min, many, type, codes) {#name, sizeof(#name) - 1, kind, min, many, type, codes},

#include "fhir/r4_rows.def"

#define PRIMITIVE(name, check) ROW(name, ROW_TYPE, 0, 0, SHAPE_NONE, FORM_##check)
#define TYPE(name, base) ROW(name, ROW_TYPE, 0, 0, SHAPE_##base, CODES_NONE) BASE_##base
#define E(name, min, max, type) ROW(name, ROW_ELEMENT, min, MANY_##max, SHAPE_##type, CODES_NONE)
#define B(name, min, max, type, codes) ROW(name, ROW_ELEMENT, min, MANY_##max, SHAPE_##type, CODES_##codes)
#define C(name, min) ROW(name, ROW_CHOICE, min, 0, SHAPE_NONE, CODES_NONE)
#define O(name, type) ROW(name, ROW_OPTION, 0, 0, SHAPE_##type, CODES_NONE)

static const struct shape_row rows[] = {
#include "fhir/r4_shape.def"
};
#define ROW_COUNT (sizeof rows / sizeof rows[0])

#define INDEX_SIZE 32768u /* a power of two, at least twice the rows */
#define TYPE_INDEX_SIZE 2048u
#define NAME_SIZE 96
_Static_assert(ROW_COUNT * 2 <= INDEX_SIZE, "the index is too small");
_Static_assert(SHAPE_COUNT * 2 <= TYPE_INDEX_SIZE, "the index of types is too small");

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool ready;
static char type_names[SHAPE_COUNT][NAME_SIZE]; /* with dots */
static uint8_t type_lengths[SHAPE_COUNT];
static uint16_t head_row[SHAPE_COUNT + 1]; /* the ROW_TYPE row */
static uint64_t required[SHAPE_COUNT];
uint8_t shape_forms[SHAPE_COUNT];
struct name_key {
    uint64_t head, tail;
};
/* What a search and a walk ask of a row, in one line of the processor's cache. */
struct row_facts {
    struct name_key key;
    uint16_t shape;
    uint16_t slot; /* row of the choice, or the row itself */
    uint8_t length;
    uint8_t bit; /* number of its slot's bit + 1 */
    bool choice;
};
static struct row_facts facts[ROW_COUNT];
static uint16_t row_index[INDEX_SIZE];       /* (shape, name) → row */
static uint16_t type_index[TYPE_INDEX_SIZE]; /* name → shape */

static uint64_t
load(const char *p, size_t n)
{
    uint64_t v = 0;
    memcpy(&v, p, n);
    return v;
}

/* Of names of up to 16 characters these are all of them. */
static struct name_key
key_of(view name)
{
    size_t n = name.n, width = n >= 8 ? 8 : n >= 4 ? 4 : 0;
    if (width == 8)
        return (struct name_key){load(name.p, 8), load(name.p + n - 8, 8)};
    if (width == 4)
        return (struct name_key){load(name.p, 4), load(name.p + n - 4, 4)};
    if (n == 0)
        return (struct name_key){0, 0};
    return (struct name_key){(uint8_t)name.p[0] | (uint64_t)(uint8_t)name.p[n / 2] << 8,
                             (uint8_t)name.p[n - 1]};
}

static uint32_t
hash_key(uint32_t seed, struct name_key key, size_t n)
{
    uint64_t h =
        (key.head + n) * UINT64_C(0x9E3779B97F4A7C15) ^ (key.tail + seed) * UINT64_C(0xC2B2AE3D27D4EB4F);
    return (uint32_t)((h ^ h >> 29) * UINT64_C(0x165667B19E3779F9) >> 32);
}

static uint32_t
hash_name(uint32_t seed, view name)
{
    return hash_key(seed, key_of(name), name.n);
}

static void
index_type(uint16_t shape, const struct shape_row *row)
{
    assert(row->name_length < NAME_SIZE);
    for (size_t i = 0; i < row->name_length; i++)
        type_names[shape][i] = row->name[i] == '_' ? '.' : row->name[i];
    type_lengths[shape] = row->name_length;
    uint32_t at = hash_name(0, shape_name(shape));
    while (type_index[at % TYPE_INDEX_SIZE])
        at++;
    type_index[at % TYPE_INDEX_SIZE] = shape;
}

/* Choices may not be found as elements: "value" alone is no name of FHIR JSON.  They get an entry of their
 * own kind. */
static uint32_t
row_seed(uint16_t shape, bool choice)
{
    return (uint32_t)shape * 2 + choice;
}

static void
index_row(uint16_t shape, uint16_t row)
{
    uint32_t at = hash_name(row_seed(shape, rows[row].kind == ROW_CHOICE), row_name(&rows[row]));
    while (row_index[at % INDEX_SIZE])
        at++;
    row_index[at % INDEX_SIZE] = row;
}

/* One type: bits, slots and index of the rows behind head. Returns the next type's head. */
static uint16_t
index_rows(uint16_t shape, uint16_t head)
{
    uint16_t choice = 0, row = (uint16_t)(head + 1);
    uint8_t bits = 0;
    for (; row < ROW_COUNT && rows[row].kind != ROW_TYPE; row++) {
        if (rows[row].kind == ROW_CHOICE)
            choice = row;
        bool option = rows[row].kind == ROW_OPTION;
        facts[row] = (struct row_facts){.key = key_of(row_name(&rows[row])),
                                        .shape = shape,
                                        .slot = option ? choice : row,
                                        .length = rows[row].name_length,
                                        .bit = option ? facts[choice].bit : 0,
                                        .choice = rows[row].kind == ROW_CHOICE};
        if (rows[row].kind == ROW_CHOICE || rows[row].min > 0)
            facts[row].bit = ++bits;
        if (rows[row].min > 0)
            required[shape] |= (uint64_t)1 << (bits - 1);
        index_row(shape, row);
    }
    assert(bits < 64);
    return row;
}

static void
build(void)
{
    uint16_t shape = 0;
    for (uint16_t row = 0; row < ROW_COUNT;) {
        head_row[++shape] = row;
        index_type(shape, &rows[row]);
        /* A primitive's head has its form where others have none. */
        shape_forms[shape] = rows[row].type == SHAPE_NONE ? (uint8_t)rows[row].codes : FORM_NONE;
        row = index_rows(shape, row);
    }
    assert(shape + 1 == SHAPE_COUNT);
    head_row[SHAPE_NONE] = (uint16_t)(ROW_COUNT - 1); /* never read: SHAPE_NONE has no rows */
    ready = true;
}

void
shape_start(void)
{
    pthread_once(&once, build);
}

view
shape_name(uint16_t shape)
{
    return (view){type_names[shape], type_lengths[shape]};
}

uint16_t
shape_of_type(view name)
{
    assert(ready);
    for (uint32_t at = hash_name(0, name);; at++) {
        uint16_t shape = type_index[at % TYPE_INDEX_SIZE];
        if (shape == SHAPE_NONE || view_eq(shape_name(shape), name))
            return shape;
    }
}

bool
shape_is_resource(uint16_t shape)
{
    uint16_t base = shape == SHAPE_NONE ? SHAPE_NONE : rows[head_row[shape]].type;
    return (base == SHAPE_Resource || base == SHAPE_DomainResource) && shape != SHAPE_Resource &&
           shape != SHAPE_DomainResource;
}

uint16_t
shape_base(uint16_t shape)
{
    switch (shape) {
    case SHAPE_NONE:
    case SHAPE_Resource:
    case SHAPE_Element:
        return SHAPE_NONE;
    case SHAPE_code:
    case SHAPE_id:
    case SHAPE_markdown:
        return SHAPE_string;
    case SHAPE_canonical:
    case SHAPE_oid:
    case SHAPE_url:
    case SHAPE_uuid:
        return SHAPE_uri;
    case SHAPE_positiveInt:
    case SHAPE_unsignedInt:
        return SHAPE_integer;
    case SHAPE_Age:
    case SHAPE_Count:
    case SHAPE_Distance:
    case SHAPE_Duration:
        return SHAPE_Quantity;
    case SHAPE_DomainResource:
        return SHAPE_Resource;
    case SHAPE_BackboneElement:
        return SHAPE_Element;
    default:
        return shape_form(shape) != FORM_NONE ? (uint16_t)SHAPE_Element : rows[head_row[shape]].type;
    }
}

uint16_t
shape_of_resource(view name)
{
    uint16_t shape = shape_of_type(name);
    return shape_is_resource(shape) ? shape : SHAPE_NONE;
}

static bool
is_named(uint16_t row, view name, struct name_key key)
{
    const struct row_facts *f = &facts[row];
    return f->length == name.n && f->key.head == key.head && f->key.tail == key.tail &&
           (name.n <= 16 || memcmp(rows[row].name, name.p, name.n) == 0);
}

static const struct shape_row *
find(uint16_t shape, view name, bool choice)
{
    assert(ready);
    if (shape == SHAPE_NONE || name.n == 0)
        return NULL;
    const struct name_key key = key_of(name);
    for (uint32_t at = hash_key(row_seed(shape, choice), key, name.n);; at++) {
        uint16_t row = row_index[at % INDEX_SIZE];
        if (row == 0)
            return NULL;
        if (facts[row].shape == shape && facts[row].choice == choice && is_named(row, name, key))
            return &rows[row];
    }
}

const struct shape_row *
shape_find(uint16_t shape, view name)
{
    return find(shape, name, false);
}

const struct shape_row *
shape_find_choice(uint16_t shape, view name)
{
    return find(shape, name, true);
}

const struct shape_row *
shape_rows(uint16_t shape, uint32_t *ret_n)
{
    uint32_t to = shape + 1 < SHAPE_COUNT ? head_row[shape + 1] : (uint32_t)ROW_COUNT;
    *ret_n = shape == SHAPE_NONE ? 0 : to - head_row[shape] - 1;
    return &rows[head_row[shape]] + 1;
}

const struct shape_row *
shape_slot(const struct shape_row *row)
{
    return &rows[facts[row - rows].slot];
}

uint32_t
shape_row_count(void)
{
    return (uint32_t)ROW_COUNT;
}

/* Row 0 is the head of the first type and no element. */
uint16_t
shape_row_number(const struct shape_row *row)
{
    return row ? (uint16_t)(row - rows) : 0;
}

const struct shape_row *
shape_row_at(uint16_t number)
{
    return number ? &rows[number] : NULL;
}

uint16_t
shape_of_row(const struct shape_row *row)
{
    while (row->kind != ROW_TYPE)
        row--;
    uint16_t low = 1, high = SHAPE_COUNT - 1;
    while (low < high) {
        uint16_t middle = (uint16_t)((low + high + 1) / 2);
        if (head_row[middle] <= row - rows)
            low = middle;
        else
            high = (uint16_t)(middle - 1);
    }
    return low;
}

uint64_t
shape_bit(const struct shape_row *row)
{
    uint8_t bit = facts[row - rows].bit;
    return bit ? (uint64_t)1 << (bit - 1) : 0;
}

uint64_t
shape_required(uint16_t shape)
{
    return required[shape];
}

/* ---- required bindings of the base ---- */

uint16_t
codes_of_url(view canonical)
{
    static const view prefix = {"http://hl7.org/fhir/ValueSet/", sizeof "http://hl7.org/fhir/ValueSet/" - 1};
    if (!view_starts(canonical, prefix))
        return 0;
    view tail = view_cut(&(view){canonical.p + prefix.n, canonical.n - prefix.n}, '|', NULL);
    for (uint16_t i = 1; i < CODES_COUNT; i++)
        if (view_eq(tail, view_of(code_sets[i].tail)))
            return i;
    return 0;
}

view
codes_name(uint16_t codes)
{
    return view_of(code_sets[codes].tail);
}

bool
codes_hold(uint16_t codes, view system, bool has_system, view code)
{
    view expected = view_of(code_sets[codes].system);
    if (has_system && expected.n > 0 && !view_eq(system, expected))
        return false;
    view rest = view_of(code_sets[codes].words);
    while (rest.n > 0)
        if (view_eq(view_cut(&rest, ' ', NULL), code))
            return true;
    return false;
}
