/* What base R4 says of every type: the names of its elements in XML order, their types, how often they may
 * stand, the options of a choice, the codes of required bindings.  The facts stand in r4_shape.def and
 * r4_codes.def; this module gives them an index.
 *
 * Constant data.  shape_start must have run before any other call; the entry points of the room (fhir.h)
 * do it.  Any thread. */
#ifndef FHIR_SHAPE_H
#define FHIR_SHAPE_H

#include "base/view.h"

#include <stdint.h>

/* One enumerator per type: SHAPE_Claim_item, SHAPE_dateTime.  SHAPE_NONE where the type is not known. */
enum shape {
    SHAPE_NONE,
#define PRIMITIVE(name, check) SHAPE_##name,
#define TYPE(name, base) SHAPE_##name,
#define E(name, min, max, type)
#define B(name, min, max, type, codes)
#define C(name, min)
#define O(name, type)
#define OPEN(name, min)
#include "fhir/r4_shape.def"
#undef PRIMITIVE
#undef TYPE
#undef E
#undef B
#undef C
#undef O
#undef OPEN
    SHAPE_COUNT
};

/* What fhir/value.h checks. */
enum value_form {
    FORM_NONE, /* not a primitive type */
    FORM_BASE64,
    FORM_BOOLEAN,
    FORM_CODE,
    FORM_DATE,
    FORM_DATETIME,
    FORM_DECIMAL,
    FORM_ID,
    FORM_INSTANT,
    FORM_INTEGER,
    FORM_OID,
    FORM_POSITIVE,
    FORM_STRING,
    FORM_TIME,
    FORM_UNSIGNED,
    FORM_URI,
    FORM_UUID,
    FORM_XHTML,
};

enum row_kind { ROW_TYPE, ROW_ELEMENT, ROW_CHOICE, ROW_OPTION };

struct shape_row {
    const char *name;
    uint8_t name_length;
    uint8_t kind; /* enum row_kind */
    uint8_t min;
    uint8_t many;   /* may repeat: an array in JSON */
    uint16_t type;  /* enum shape; of a ROW_TYPE its base; SHAPE_NONE for a ROW_CHOICE */
    uint16_t codes; /* row of r4_codes.def, 0 when there is no required binding */
};

void shape_start(void);

/* "Claim" → SHAPE_Claim; SHAPE_NONE when there is no such resource type. */
uint16_t shape_of_resource(view name);
/* "Claim.item", "HumanName", "dateTime"; SHAPE_NONE when unknown. */
uint16_t shape_of_type(view name);
/* "Claim.item" */
view shape_name(uint16_t shape);
bool shape_is_resource(uint16_t shape);
/* The type that a type is made from (code → string → Element, Age → Quantity, Claim → DomainResource);
 * SHAPE_NONE for Resource and Element. */
uint16_t shape_base(uint16_t shape);
/* FORM_NONE for complex types. */
extern uint8_t shape_forms[SHAPE_COUNT];
static inline enum value_form
shape_form(uint16_t shape)
{
    return (enum value_form)shape_forms[shape];
}

/* The element or option with this name, NULL when the type has none. */
const struct shape_row *shape_find(uint16_t shape, view name);
/* The row of the choice name[x]; its options stand behind it. */
const struct shape_row *shape_find_choice(uint16_t shape, view name);
/* All rows of a type in XML order; a choice stands before its options. */
const struct shape_row *shape_rows(uint16_t shape, uint32_t *ret_n);
/* The choice that an option belongs to; the row itself when it is no option. */
const struct shape_row *shape_slot(const struct shape_row *row);
/* The type that a row belongs to. */
uint16_t shape_of_row(const struct shape_row *row);
static inline view
row_name(const struct shape_row *row)
{
    return (view){row->name, row->name_length};
}

/* Rows by number, for what is kept beside them: 1 … shape_row_count() - 1; 0 for NULL. */
uint32_t shape_row_count(void);
uint16_t shape_row_number(const struct shape_row *row);
const struct shape_row *shape_row_at(uint16_t number);

/* Bits for "seen once": each row that must stand, or that is a choice, has one in its type.  Options share
 * the bit of their choice; 0 for rows without one. */
uint64_t shape_bit(const struct shape_row *row);
/* The bits that must all be set when an object of this type ends. */
uint64_t shape_required(uint16_t shape);

/* Base value sets: row number for a canonical URL, 0 when it is not one of them. */
uint16_t codes_of_url(view canonical);
bool codes_hold(uint16_t codes, view system, bool has_system, view code);
/* For messages: the value set's name. */
view codes_name(uint16_t codes);

#endif
