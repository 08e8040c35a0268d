#include "fhir/shape.h"

#include "fhir_kit.h"

static const struct shape_row *
row_of(const char *type, const char *name)
{
    return shape_find(shape_of_type(view_of(type)), view_of(name));
}

Test(shape, knows_elements_of_types_bases_and_nested_types)
{
    static const struct {
        const char *type, *name, *of;
        int min, many;
    } rows[] = {
        {"Claim", "status", "code", 1, 0},
        {"Claim", "item", "Claim.item", 0, 1},
        {"Claim.item", "sequence", "positiveInt", 1, 0},
        {"Claim.item.detail", "subDetail", "Claim.item.detail.subDetail", 0, 1},
        {"Claim", "contained", "Resource", 0, 1},
        {"Claim", "id", "id", 0, 0},
        {"Claim.item", "modifierExtension", "Extension", 0, 1},
        {"Invoice", "totalPriceComponent", "Invoice.lineItem.priceComponent", 0, 1},
        {"Bundle", "timestamp", "instant", 0, 0},
        {"Composition.section", "section", "Composition.section", 0, 1},
        {"Composition", "author", "Reference", 1, 1},
        {"HumanName", "given", "string", 0, 1},
        {"Extension", "valueCodeableConcept", "CodeableConcept", 0, 0},
        {"Narrative", "div", "xhtml", 1, 0},
    };
    shape_start();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct shape_row *row = row_of(rows[i].type, rows[i].name);
        cr_assert_not_null(row, "%s.%s", rows[i].type, rows[i].name);
        cr_expect(view_eq(shape_name(row->type), view_of(rows[i].of)), "%s.%s is %.*s", rows[i].type,
                  rows[i].name, VIEW_ARG(shape_name(row->type)));
        cr_expect_eq(row->min, rows[i].min, "%s.%s", rows[i].type, rows[i].name);
        cr_expect_eq(row->many, rows[i].many, "%s.%s", rows[i].type, rows[i].name);
        cr_expect(view_eq(shape_name(shape_of_row(row)), view_of(rows[i].type)));
    }
}

Test(shape, does_not_know_what_is_not_there)
{
    shape_start();
    cr_expect_null(row_of("Claim", "statu"));
    cr_expect_null(row_of("Claim", "value"));
    cr_expect_null(row_of("Extension", "value"), "a choice is no element by itself");
    cr_expect_null(row_of("Claim", ""));
    cr_expect_null(row_of("Nothing", "id"));
    cr_expect_eq(shape_of_resource(V("HumanName")), SHAPE_NONE);
    cr_expect_eq(shape_of_resource(V("Claim.item")), SHAPE_NONE);
    cr_expect_eq(shape_of_resource(V("Resource")), SHAPE_NONE);
    cr_expect_eq(shape_of_resource(V("Claim")), SHAPE_Claim);
}

Test(shape, gives_options_the_slot_of_their_choice)
{
    shape_start();
    const struct shape_row *choice = shape_find_choice(SHAPE_Extension, V("value"));
    cr_assert_not_null(choice);
    cr_expect_eq(shape_slot(row_of("Extension", "valueString")), choice);
    cr_expect_eq(shape_bit(row_of("Extension", "valueString")), shape_bit(row_of("Extension", "valueMeta")));
    cr_expect_null(shape_find_choice(SHAPE_Extension, V("url")));
}

Test(shape, asks_for_every_required_element_and_nothing_else)
{
    shape_start();
    uint32_t n;
    for (uint16_t shape = 1; shape < SHAPE_COUNT; shape++) {
        const struct shape_row *rows = shape_rows(shape, &n);
        uint64_t bits = 0;
        for (uint32_t i = 0; i < n; i++)
            if (rows[i].min > 0)
                bits |= shape_bit(&rows[i]);
        cr_assert_eq(bits, shape_required(shape), "%.*s", VIEW_ARG(shape_name(shape)));
    }
}

Test(shape, finds_every_row_by_its_name)
{
    shape_start();
    uint32_t n;
    for (uint16_t shape = 1; shape < SHAPE_COUNT; shape++) {
        const struct shape_row *rows = shape_rows(shape, &n);
        for (uint32_t i = 0; i < n; i++) {
            const struct shape_row *found = rows[i].kind == ROW_CHOICE
                                                ? shape_find_choice(shape, row_name(&rows[i]))
                                                : shape_find(shape, row_name(&rows[i]));
            cr_assert_eq(found, &rows[i], "%.*s.%s", VIEW_ARG(shape_name(shape)), rows[i].name);
        }
        cr_assert_eq(shape_of_type(shape_name(shape)), shape);
    }
}

Test(shape, holds_the_codes_of_required_bindings)
{
    shape_start();
    uint16_t gender = row_of("Patient", "gender")->codes;
    cr_assert_neq(gender, 0);
    cr_expect_eq(codes_of_url(V("http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1")), gender);
    cr_expect(codes_hold(gender, VIEW_NONE, false, V("female")));
    cr_expect_not(codes_hold(gender, VIEW_NONE, false, V("Female")));
    cr_expect_not(codes_hold(gender, VIEW_NONE, false, V("")));
    uint16_t clinical = row_of("Condition", "clinicalStatus")->codes;
    cr_expect(codes_hold(clinical, V("http://terminology.hl7.org/CodeSystem/condition-clinical"), true,
                         V("active")));
    cr_expect_not(codes_hold(clinical, V("http://example.org"), true, V("active")));
    cr_expect_eq(codes_of_url(V("http://example.org/ValueSet/administrative-gender")), 0);
}
