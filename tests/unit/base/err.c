#include "base/err.h"

#include <criterion/criterion.h>

#include <stdio.h>

#include "base/text.h"

/* Codes are public: a row with a hole in it would be seen by partners. */
Test(err, rows_are_whole_and_codes_unique)
{
    for (unsigned e = E_OK + 1; e < ERR_COUNT; e++) {
        const struct err_row *row = err_info((err)e);
        cr_assert(row->name && row->name[0] == 'E' && row->name[1] == '_', "row %u", e);
        cr_assert(row->code[0], "%s", row->name);
        for (const char *p = row->code; *p; p++)
            cr_assert((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '-', "%s", row->name);
        cr_assert(row->status == 200 || (row->status >= 400 && row->status <= 599), "%s", row->name);
        cr_assert(row->issue[0] && row->text[LANG_EN][0] && row->remedy[LANG_EN][0], "%s", row->name);
        cr_assert(text_has_han(view_of(row->text[LANG_ZH])), "%s has no Chinese text", row->name);
        cr_assert(text_has_han(view_of(row->remedy[LANG_ZH])), "%s has no Chinese remedy", row->name);
        cr_assert(text_is_utf8(view_of(row->text[LANG_ZH]), NULL), "%s", row->name);
        cr_assert_eq(err_by_code(view_of(row->code)), (err)e, "%s: its code belongs to another row",
                     row->name);
    }
}

/* FHIR R4 issue-type codes that rows may name. */
Test(err, issue_types_are_of_fhir_r4)
{
    static const char *const KNOWN[] = {
        "invalid",       "structure", "required",         "value",         "invariant",  "security",
        "login",         "unknown",   "expired",          "forbidden",     "suppressed", "processing",
        "not-supported", "duplicate", "multiple-matches", "not-found",     "deleted",    "too-long",
        "code-invalid",  "extension", "too-costly",       "business-rule", "conflict",   "transient",
        "lock-error",    "no-store",  "exception",        "timeout",       "incomplete", "throttled",
        "informational"};
    for (unsigned e = 0; e < ERR_COUNT; e++) {
        bool known = false;
        for (size_t i = 0; i < COUNT_OF(KNOWN); i++)
            known |= strcmp(KNOWN[i], err_info((err)e)->issue) == 0;
        cr_assert(known, "%s: %s", err_info((err)e)->name, err_info((err)e)->issue);
    }
}

Test(err, unknown_numbers_and_codes)
{
    cr_assert_eq(err_info((err)ERR_COUNT), err_info(E_INTERNAL));
    cr_assert_eq(err_info((err)-1), err_info(E_INTERNAL));
    cr_assert_eq(err_by_code(V("no-such-code")), E_OK);
    cr_assert_eq(err_by_code(VIEW_NONE), E_OK);
    cr_assert_str_eq(err_info(E_OK)->code, "");
}

Test(err, fault_is_set_once)
{
    struct fault f;
    fault_init(&f);
    cr_assert_eq(f.code, E_OK);
    cr_assert_eq(f.from, FAULT_NOWHERE);
    cr_assert_eq(fault_set(&f, E_SYNTAX, "/a", "digits", "letters"), E_SYNTAX);
    cr_assert_eq(fault_set(&f, E_INTERNAL, "/b", "x", "y"), E_INTERNAL);
    cr_assert_eq(f.code, E_SYNTAX);
    cr_assert_str_eq(f.where, "/a");
    cr_assert_str_eq(f.expected, "digits");
    cr_assert_str_eq(f.found, "letters");
    cr_assert_eq(fault_set(NULL, E_UTF8, "", "", ""), E_UTF8);
    cr_assert_eq(fault_setf(NULL, E_UTF8, "", "", "%d", 1), E_UTF8);
}

Test(err, fault_takes_null_and_zeroed_faults)
{
    struct fault f = {0};
    fault_set(&f, E_SYNTAX, NULL, NULL, NULL);
    cr_assert_str_eq(f.where, "");
    cr_assert_eq(f.from, FAULT_NOWHERE);
    fault_range(NULL, 1, 2);
    fault_locate(NULL, V("x"));
}

Test(err, fault_cuts_between_characters)
{
    struct fault f;
    char longer[400];
    for (size_t lead = 0; lead < 3; lead++) {
        size_t n = 0;
        while (n < lead)
            longer[n++] = 'x';
        while (n + 3 < sizeof longer) {
            memcpy(longer + n, "\xE8\xBB\x8A", 3);
            n += 3;
        }
        longer[n] = '\0';
        fault_init(&f);
        fault_setf(&f, E_SYNTAX, longer, longer, "%s", longer);
        cr_assert(text_is_utf8(view_of(f.where), NULL) && strlen(f.where) > 252);
        cr_assert(text_is_utf8(view_of(f.expected), NULL) && strlen(f.expected) > 156);
        cr_assert(text_is_utf8(view_of(f.found), NULL) && strlen(f.found) > 156);
    }
}

Test(err, fault_range_is_kept)
{
    struct fault f;
    fault_init(&f);
    fault_set(&f, E_SYNTAX, "", "", "");
    fault_range(&f, 5, 2);
    fault_range(&f, 9, 9);
    cr_assert_eq(f.from, 5);
    cr_assert_eq(f.length, 2);
}

Test(err, fault_locates_lines_and_characters)
{
    const view TEXT = V("one\r\n\xE8\xBB\x8A\xE7\xA6\x8D!\n\nlast");
    const struct {
        size_t at;
        long line, column;
    } CASES[] = {{0, 1, 1},  {3, 1, 4},  {5, 2, 1},  {8, 2, 2}, {11, 2, 3},
                 {12, 2, 4}, {13, 3, 1}, {14, 4, 1}, {18, 4, 5}};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct fault f;
        fault_init(&f);
        fault_range(&f, CASES[i].at, 0);
        fault_locate(&f, TEXT);
        cr_assert(f.line == CASES[i].line && f.column == CASES[i].column, "at %zu: %ld:%ld", CASES[i].at,
                  f.line, f.column);
    }
    struct fault f;
    fault_init(&f);
    fault_locate(&f, TEXT);
    cr_assert_eq(f.line, 0);
    fault_range(&f, 19, 1); /* behind the end */
    fault_locate(&f, TEXT);
    cr_assert_eq(f.line, 0);
}
