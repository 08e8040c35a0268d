#include "adapters/claimlink/paper.h"

#define NEED_R true
#define NEED_O false

#define SHAPE(o) static const struct paper_field fields_##o[] = {
#define END(o)                                                                                               \
    }                                                                                                        \
    ;
#define ROW(m, kind, need, arg, least, most, text)                                                           \
    {V_INIT(#m), PAPER_##kind, NEED_##need, arg, least, most, text},
#include "adapters/claimlink/paper_rows.h"

static const struct paper_shape_row shapes[] = {
#define SHAPE(o) [SHAPE_##o] = {#o, fields_##o, COUNT_OF(fields_##o)},
#define END(o)
#define ROW(...)
#include "adapters/claimlink/paper_rows.h"
};

static const char *const word_lists[] = {
#define WORDS(list, words) words,
#include "adapters/claimlink/paper.def"
#undef WORDS
};

static const struct {
    const char *word;
    enum paper_shape shape;
    enum document_kind kinds[AUTHOR_COUNT];
} parts[] = {
#define PART(id, owner, shop, insurer) {#id, SHAPE_##id, {KIND_##owner, KIND_##shop, KIND_##insurer}},
#include "adapters/claimlink/paper.def"
#undef PART
};

static const char *const authors[] = {"owner", "shop", "insurer"};

const struct paper_shape_row *
paper_shape_of(enum paper_shape s)
{
    return &shapes[s];
}

const struct paper_field *
paper_field_of(enum paper_shape s, view name)
{
    if (s >= SHAPE_COUNT)
        return NULL;
    for (size_t i = 0; i < shapes[s].n; i++)
        if (view_eq(shapes[s].fields[i].name, name))
            return &shapes[s].fields[i];
    return NULL;
}

const char *
paper_words_of(enum paper_words w)
{
    return word_lists[w];
}

bool
paper_word_known(enum paper_words w, view word)
{
    view rest = view_of(word_lists[w]);
    bool more = true;
    while (more)
        if (view_eq(view_cut(&rest, '|', &more), word))
            return true;
    return false;
}

enum paper_shape
paper_field_shape(const struct paper_field *f)
{
    return f->kind == PAPER_ONE || f->kind == PAPER_LIST ? (enum paper_shape)f->arg : SHAPE_NONE;
}

const char *
motor_part_word(enum motor_part p)
{
    return parts[p].word;
}

enum motor_part
motor_part_of(view word)
{
    int i = 0;
    while (i < PART_COUNT && !view_eq(word, view_of(parts[i].word)))
        i++;
    return (enum motor_part)i;
}

enum paper_shape
motor_part_shape(enum motor_part p)
{
    return parts[p].shape;
}

enum motor_author
motor_author_of(view word)
{
    int i = 0;
    while (i < AUTHOR_COUNT && !view_eq(word, view_of(authors[i])))
        i++;
    return (enum motor_author)i;
}

enum document_kind
motor_part_kind(enum motor_part p, enum motor_author a)
{
    return parts[p].kinds[a];
}

/* -- the schema file -- */

static void
print_words(const char *words, struct buf *out)
{
    view rest = view_of(words);
    bool more = true, first = true;
    BUF_LIT(out, "\"enum\": [");
    for (; more; first = false) {
        view word = view_cut(&rest, '|', &more);
        if (!first)
            BUF_LIT(out, ", ");
        buf_add_json(out, word);
    }
    BUF_LIT(out, "]");
}

static void
print_type(const struct paper_field *f, struct buf *out)
{
    switch ((enum paper_kind)f->kind) {
    case PAPER_TEXT:
        buf_printf(out, "\"type\": \"string\", \"minLength\": %d, \"maxLength\": %d", (int)f->least,
                   (int)f->most);
        return;
    case PAPER_WORD:
        print_words(paper_words_of((enum paper_words)f->arg), out);
        return;
    case PAPER_INT:
        buf_printf(out, "\"type\": \"integer\", \"minimum\": %d, \"maximum\": %d", (int)f->least,
                   (int)f->most);
        return;
    case PAPER_INTS:
        buf_printf(
            out, "\"type\": \"array\", \"maxItems\": %d, \"items\": {\"type\": \"integer\", \"minimum\": 1}",
            (int)f->most);
        return;
    case PAPER_DECIMAL:
    case PAPER_AMOUNT:
        BUF_LIT(out, "\"type\": \"string\", \"pattern\": \"^[0-9]{1,12}(\\\\.[0-9]{1,4})?$\"");
        return;
    case PAPER_BOOL:
        BUF_LIT(out, "\"type\": \"boolean\"");
        return;
    case PAPER_DATE:
        BUF_LIT(out, "\"type\": \"string\", \"format\": \"date\"");
        return;
    case PAPER_TIME:
        BUF_LIT(out, "\"type\": \"string\", \"format\": \"date-time\"");
        return;
    case PAPER_ONE:
        buf_printf(out, "\"$ref\": \"#/$defs/%s\"", shapes[f->arg].name);
        return;
    default:
        buf_printf(out,
                   "\"type\": \"array\", \"minItems\": 1, \"maxItems\": %d, \"items\": {\"$ref\": "
                   "\"#/$defs/%s\"}",
                   (int)f->most, shapes[f->arg].name);
        return;
    }
}

static void
print_shape(enum paper_shape s, struct buf *out)
{
    size_t required = 0;
    enum motor_part part = motor_part_of(view_of(shapes[s].name));
    buf_printf(out, "    \"%s\": {\n      \"type\": \"object\",\n      \"additionalProperties\": false,\n",
               shapes[s].name);
    BUF_LIT(out, "      \"required\": [");
    for (size_t i = 0; i < shapes[s].n; i++)
        if (shapes[s].fields[i].required)
            buf_printf(out, "%s\"%.*s\"", required++ ? ", " : "", VIEW_ARG(shapes[s].fields[i].name));
    BUF_LIT(out, "],\n      \"properties\": {\n");
    for (size_t i = 0; i < shapes[s].n; i++) {
        const struct paper_field *f = &shapes[s].fields[i];
        buf_printf(out, "        \"%.*s\": {", VIEW_ARG(f->name));
        if (part != PART_COUNT && view_eq(f->name, V("part")))
            buf_printf(out, "\"const\": \"%s\"", parts[part].word);
        else
            print_type(f, out);
        BUF_LIT(out, ", \"description\": ");
        buf_add_json(out, view_of(f->text));
        buf_printf(out, "}%s\n", i + 1 < shapes[s].n ? "," : "");
    }
    buf_printf(out, "      }\n    }%s\n", s + 1 < SHAPE_COUNT ? "," : "");
}

void
paper_print_schema(struct buf *out)
{
    BUF_LIT(out, "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
                 "  \"$id\": \"https://claimgate.tw/motor-filing/1/schema.json\",\n"
                 "  \"title\": \"A paper of a motor filing, version 1\",\n"
                 "  \"description\": \"Made from adapters/claimlink/paper.def. The paper is signed as it "
                 "stands: a detached JWS in X-JWS-Signature.\",\n"
                 "  \"oneOf\": [\n");
    for (int p = 0; p < PART_COUNT; p++)
        buf_printf(out, "    {\"$ref\": \"#/$defs/%s\"}%s\n", shapes[parts[p].shape].name,
                   p + 1 < PART_COUNT ? "," : "");
    BUF_LIT(out, "  ],\n  \"$defs\": {\n");
    for (int s = 0; s < SHAPE_COUNT; s++)
        print_shape((enum paper_shape)s, out);
    BUF_LIT(out, "  }\n}\n");
}
