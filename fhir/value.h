/* Forms of FHIR's primitive types (https://hl7.org/fhir/R4/datatypes.html), checked by hand-written
 * readers instead of regular expressions. Pure functions, any thread. */
#ifndef FHIR_VALUE_H
#define FHIR_VALUE_H

#include "base/json_tree.h"
#include "fhir/shape.h"

enum value_fault { VALUE_OK, VALUE_WRONG_KIND, VALUE_WRONG_FORM };

/* Judges a primitive value; null is a wrong kind. */
enum value_fault value_check(enum value_form form, const struct tree *t, const struct node *n);
/* The JSON kind that a form is written in. */
enum node_kind value_kind(enum value_form form);
/* For messages: what the form looks like. */
view value_expected(enum value_form form);
view value_kind_name(uint8_t node_kind);

bool value_is_id(view text);
/* "<b>", "</p>", "<!-- -->": what a page that does not escape would take for markup. */
bool value_holds_markup(view text);
/* YYYY-MM-DD, with less only when partial is set. */
bool value_is_date(view text, bool partial);
/* With partial also a date; else a full time with offset (instant). */
bool value_is_datetime(view text, bool partial);

/* Microseconds since 1970 that a date, dateTime or instant may mean at the earliest and at the latest; a
 * text without offset is taken as UTC. False when it is none. */
bool value_time_range(view text, int64_t *ret_from, int64_t *ret_to);

#endif
