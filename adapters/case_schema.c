#include "adapters/case_schema.h"

#include "adapters/case.h"
#include "adapters/view.h"

struct printer {
    struct buf *out;
    bool closed;
};

static void
line(struct printer *p, int depth, const char *text)
{
    for (int i = 0; i < depth; i++)
        BUF_LIT(p->out, "  ");
    buf_add_view(p->out, view_of(text));
}

/* Which permissions may carry a class (x-basis): contract alone releases nothing medical and nothing
 * personal but vehicles' data. */
static const char *basis_of(enum case_class class)
{
    switch (class) {
    case CLASS_special:
        return "[\"consent\", \"mandate\", \"statute\"]";
    case CLASS_personal:
    case CLASS_business:
        return "[\"consent\", \"mandate\", \"statute\", \"contract\"]";
    default:
        return "[\"consent\", \"mandate\", \"statute\", \"contract\", \"none\"]";
    }
}

static void
print_views(struct printer *p, enum case_group group)
{
    bool first = true;
    buf_add_byte(p->out, '[');
    for (unsigned v = 0; v < VIEW_COUNT; v++) {
        if (group != GROUP_follow && view_predicate_of((enum view_kind)v, group) == PREDICATE_NONE)
            continue;
        buf_printf(p->out, "%s\"%s\"", first ? "" : ", ", view_kind_word((enum view_kind)v));
        first = false;
    }
    buf_add_byte(p->out, ']');
}

static void
print_annotations(struct printer *p, const struct case_field *f, int depth)
{
    if (f->class == CLASS_inherit)
        return;
    BUF_LIT(p->out, ",\n");
    line(p, depth, "");
    buf_printf(p->out, "\"x-class\": \"%s\",\n", case_class_word((enum case_class)f->class));
    line(p, depth, "");
    buf_printf(p->out, "\"x-basis\": %s,\n", basis_of((enum case_class)f->class));
    line(p, depth, "");
    buf_printf(p->out, "\"x-group\": \"%s\",\n", case_group_word((enum case_group)f->group));
    line(p, depth, "\"x-view\": ");
    print_views(p, (enum case_group)f->group);
}

static void
print_words(struct printer *p, enum case_words list)
{
    view rest = view_of(case_words_text(list));
    bool more = true, first = true;
    BUF_LIT(p->out, "\"type\": \"string\", \"enum\": [");
    while (more) {
        view word = view_cut(&rest, '|', &more);
        buf_printf(p->out, "%s\"%.*s\"", first ? "" : ", ", VIEW_ARG(word));
        first = false;
    }
    buf_add_byte(p->out, ']');
}

static void
print_target(struct printer *p, const struct case_field *f)
{
    buf_printf(p->out, "\"$ref\": \"#/$defs/reference_to\", \"x-target\": \"%s\"", f->targets);
}

/* The type of one value of the field, without braces. */
static void
print_type(struct printer *p, const struct case_field *f)
{
    switch ((enum case_kind)f->kind) {
    case FIELD_TEXT:
    case FIELD_TEXTS:
        BUF_LIT(p->out, "\"type\": \"string\"");
        return;
    case FIELD_POINTER:
        BUF_LIT(p->out, "\"type\": \"string\", \"pattern\": \"^(/[^/]*)*$\"");
        return;
    case FIELD_WORD:
        print_words(p, (enum case_words)f->words);
        return;
    case FIELD_REF:
    case FIELD_REFS:
        print_target(p, f);
        return;
    case FIELD_BOOL:
        BUF_LIT(p->out, "\"type\": \"boolean\"");
        return;
    case FIELD_INT:
        BUF_LIT(p->out, "\"type\": \"integer\"");
        return;
    case FIELD_DECIMAL:
        BUF_LIT(p->out, "\"$ref\": \"#/$defs/decimal\"");
        return;
    case FIELD_DATE:
        BUF_LIT(p->out, "\"$ref\": \"#/$defs/date\"");
        return;
    case FIELD_TIME:
        BUF_LIT(p->out, "\"$ref\": \"#/$defs/time\"");
        return;
    default:
        buf_printf(p->out, "\"$ref\": \"#/$defs/%s\"", case_row_of((enum case_record)f->record)->name);
        return;
    }
}

static void
print_property(struct printer *p, const struct case_field *f, bool first)
{
    bool is_list =
        f->kind == FIELD_TEXTS || f->kind == FIELD_REFS || f->kind == FIELD_PUTS || f->kind == FIELD_LIST;
    view name = case_field_name(f);
    buf_printf(p->out, "%s\n", first ? "" : ",");
    line(p, 4, "");
    buf_printf(p->out, "\"%.*s\": {\n", VIEW_ARG(name));
    line(p, 5, "");
    if (is_list)
        BUF_LIT(p->out, "\"type\": \"array\", \"minItems\": 1, \"items\": { ");
    print_type(p, f);
    if (is_list)
        BUF_LIT(p->out, " }");
    print_annotations(p, f, 5);
    BUF_LIT(p->out, "\n");
    line(p, 4, "}");
}

static void
print_required(struct printer *p, const struct case_row *row)
{
    bool first = true;
    if (!p->closed)
        return;
    for (unsigned i = 0; i < row->n; i++) {
        if (!row->fields[i].required)
            continue;
        view name = case_field_name(&row->fields[i]);
        buf_printf(p->out, "%s\"%.*s\"", first ? ",\n      \"required\": [" : ", ", VIEW_ARG(name));
        first = false;
    }
    if (!first)
        BUF_LIT(p->out, "]");
}

/* Element ids and, at the root, what the codec adds. */
static bool
print_extras(struct printer *p, const struct case_row *row)
{
    if (row->form == FORM_ELEMENT)
        BUF_LIT(p->out, "\n        \"id\": { \"$ref\": \"#/$defs/local_id\" }");
    if (row->form == FORM_ROOT)
        BUF_LIT(
            p->out,
            "\n        \"provenance\": { \"$ref\": \"#/$defs/provenance\" },"
            "\n        \"sources\": { \"type\": \"string\", \"contentEncoding\": \"base64\", "
            "\"x-class\": \"technical\", \"x-basis\": [\"none\"], \"x-group\": \"technical\", \"x-view\": [],"
            "\n          \"description\": \"stored form only: 12 bytes for each leaf in the order of the "
            "text\" }");
    return row->form == FORM_ELEMENT || row->form == FORM_ROOT;
}

static void
print_record(struct printer *p, enum case_record record)
{
    const struct case_row *row = case_row_of(record);
    BUF_LIT(p->out, ",\n");
    line(p, 2, "");
    buf_printf(p->out, "\"%s\": {\n      \"type\": \"object\",\n", row->name);
    buf_printf(p->out, "      \"additionalProperties\": %s", p->closed ? "false" : "true");
    print_required(p, row);
    BUF_LIT(p->out, ",\n      \"properties\": {");
    bool first = !print_extras(p, row);
    for (unsigned i = 0; i < row->n; i++) {
        print_property(p, &row->fields[i], first);
        first = false;
    }
    BUF_LIT(p->out, "\n      }\n    }");
}

/* Forms that are not records of the table. */
static void
print_forms(struct printer *p)
{
    const char *more = p->closed ? "false" : "true";
    BUF_LIT(p->out,
            "    \"local_id\": { \"type\": \"string\", \"pattern\": \"^[a-z0-9]+$\",\n"
            "      \"x-class\": \"technical\", \"x-basis\": [\"none\"], \"x-group\": \"follow\", \"x-view\": "
            "[] },\n"
            "    \"reference_to\": { \"type\": \"string\", \"pattern\": \"^#[a-z0-9]+$\" },\n"
            "    \"decimal\": { \"type\": \"string\", \"pattern\": \"^-?[0-9]+([.][0-9]{1,9})?$\" },\n"
            "    \"time\": { \"type\": \"string\", \"description\": \"RFC 3339 with the offset as stated, or "
            "the day, month or year alone\",\n"
            "      \"pattern\": "
            "\"^[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"
            ")?)?)?$\" },\n");
    buf_printf(
        p->out,
        "    \"date\": { \"type\": \"object\", \"additionalProperties\": %s, \"required\": [\"value\"],\n"
        "      \"properties\": {\n"
        "        \"value\": { \"type\": \"string\", \"pattern\": \"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$\" },\n"
        "        \"precision\": { \"type\": \"string\", \"enum\": [\"day\", \"month\", \"year\"], "
        "\"default\": \"day\" },\n"
        "        \"raw\": { \"type\": \"string\", \"description\": \"as written, when that differs\" },\n"
        "        \"calendar\": { \"type\": \"string\", \"enum\": [\"AD\", \"ROC\"], \"default\": \"AD\" } } "
        "},\n",
        more);
    buf_printf(
        p->out,
        "    \"provenance\": { \"type\": \"object\", \"propertyNames\": { \"pattern\": \"^(/[^/]*)*$\" },\n"
        "      \"x-class\": \"technical\", \"x-basis\": [\"none\"], \"x-group\": \"technical\", \"x-view\": "
        "[],\n"
        "      \"additionalProperties\": { \"type\": \"array\", \"minItems\": 1, \"items\": {\n"
        "        \"type\": \"object\", \"additionalProperties\": %s, \"required\": [\"how\"],\n"
        "        \"properties\": {\n"
        "          \"document\": { \"$ref\": \"#/$defs/reference_to\" },\n"
        "          \"locator\": { \"type\": \"string\" },\n"
        "          \"range\": { \"type\": \"array\", \"items\": { \"type\": \"integer\" }, \"minItems\": 2, "
        "\"maxItems\": 2 },\n"
        "          \"how\": { \"type\": \"string\", \"enum\": [\"copied\", \"parsed\", \"mapped\", "
        "\"computed\", \"asserted\"] },\n"
        "          \"table\": { \"type\": \"object\", \"required\": [\"name\", \"version\"], \"properties\": "
        "{\n"
        "            \"name\": { \"type\": \"string\" }, \"version\": { \"type\": \"string\" } } },\n"
        "          \"salted_digest\": { \"type\": \"string\" } } } } }",
        more);
}

void
case_print_schema(struct buf *out, bool closed)
{
    struct printer p = {out, closed};
    buf_printf(out,
               "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
               "  \"$id\": \"urn:claimgate:schema:case%s:1\",\n"
               "  \"title\": \"Shared claims schema%s\",\n"
               "  \"$ref\": \"#/$defs/case\",\n  \"$defs\": {\n",
               closed ? "" : "-open", closed ? "" : ", open for receivers");
    print_forms(&p);
    for (unsigned r = 0; r < RECORD_COUNT; r++)
        print_record(&p, (enum case_record)r);
    BUF_LIT(out, "\n  }\n}\n");
}
