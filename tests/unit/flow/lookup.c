#include "flow/lookup/lookup_inside.h"

#include <criterion/criterion.h>
#include <stdio.h>

/* "RN-" register (R), whom a paper names (N), others (I): one letter each, its state behind it. */
#define MOST 6

static enum inquiry
state_of(char c)
{
    static const char letters[] = "w+-0?xs"; /* in the order of lookup.def */
    return (enum inquiry)(strchr(letters, c) - letters);
}

static size_t
make(const char *text, struct row_inquiry rows[MOST])
{
    size_t n = 0;
    for (const char *p = text; *p; p += 3, n++) {
        rows[n] = (struct row_inquiry){.place = (int64_t)n,
                                       .kind = p[0] == 'R'   ? INQUIRY_REGISTER
                                               : p[0] == 'N' ? INQUIRY_NAMED
                                                             : INQUIRY_INSURER,
                                       .state = view_of(inquiry_word(state_of(p[1]))),
                                       .tries = p[2] - '0'};
        if (n)
            rows[n - 1].next = &rows[n];
    }
    return n;
}

/* kind, state, tries of each; what follows; place of who is asked next, -1: nobody */
static const struct {
    const char *rows, *state, *result;
    int next;
} cases[] = {
    {"Iw0", "asking", "", 0},
    {"I-1Iw0", "asking", "", 1},
    {"I-1I+1Iw0", "answered", "insured", -1},
    {"I-1I-1I-1", "answered", "uninsured", -1},
    {"I-1Iw1Iw0", "asking", "", 2},        /* who did not answer is asked again later, the next one now */
    {"I-1Iw1I-1", "asking", "", -1},       /* later, and nobody else is left */
    {"I-1Ix5I-1", "unanswered", "", -1},   /* who never answered has not denied */
    {"I-1I?1I-1", "unanswered", "", -1},   /* nor has who does not know */
    {"Rw0Iw0", "asking", "", 0},           /* the register first */
    {"R+1Iw0", "answered", "insured", -1}, /* its word alone */
    {"R01Iw0Iw0", "answered", "uninsured", -1},
    {"R01Nw0Iw0", "asking", "", 1}, /* but whom a paper names is heard */
    {"R01Nw1Iw0", "asking", "", -1},
    {"R01N-1Iw0", "answered", "uninsured", -1},
    {"R01Nx5Iw0", "answered", "uninsured", -1},
    {"R01N+1Iw0", "contradictory", "", -1},
    {"R?1Iw0", "asking", "", 1}, /* the register does not know: the insurers */
    {"Rw1Iw0", "asking", "", 1}, /* or does not answer */
    {"Rx5I-1I-1", "answered", "uninsured", -1},
    {"Rx5I+1", "answered", "insured", -1},
    {"Rx5", "unanswered", "", -1},
    {"Ix0", "unanswered", "", -1}, /* writes the cover, has no address */
};

Test(lookup, what_follows_from_the_answers)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct row_inquiry rows[MOST];
        make(cases[i].rows, rows);
        struct conclusion c = lookup_conclude(rows);
        cr_assert_str_eq(c.state, cases[i].state, "%s", cases[i].rows);
        cr_assert_str_eq(c.result, cases[i].result, "%s", cases[i].rows);
        cr_assert_eq(c.next ? (int)c.next->place : -1, cases[i].next, "%s", cases[i].rows);
    }
}

/* Whatever they say: an end has nobody to ask, "uninsured" has no insured beside it, and asking goes on only while somebody has not ended. */
Test(lookup, every_combination_of_three_ends_or_goes_on)
{
    static const char kinds[] = "RNI", states[] = "w+-0?x";
    for (int n = 0; n < 3 * 6 * 6 * 6; n++) {
        char text[] = "Xw1Nw1Iw1";
        int s = n / 3;
        text[0] = kinds[n % 3];
        text[1] = states[s % 6];
        text[4] = states[s / 6 % 6];
        text[7] = states[s / 36];
        struct row_inquiry rows[MOST];
        make(text, rows);
        struct conclusion c = lookup_conclude(rows);
        bool asks = strcmp(c.state, "asking") == 0, has_insured = strchr(text, '+') != NULL;
        cr_assert(asks || !c.next, "%s", text);
        cr_assert(strcmp(c.result, "uninsured") != 0 || !has_insured, "%s", text);
        cr_assert(!has_insured || !asks, "%s", text);
        cr_assert(!asks || strchr(text, 'w'), "%s", text);
        cr_assert_eq(strcmp(c.result, "insured") == 0 || strcmp(c.state, "contradictory") == 0, has_insured,
                     "%s", text);
    }
}

Test(lookup, tries_are_bounded)
{
    instant now = {INT64_C(1700000000000000)};
    int64_t n = 1, last = 0;
    for (instant next; (next = inquiry_retry(n, now)).us; n++) {
        cr_assert_gt(next.us - now.us, last, "each wait is longer");
        last = next.us - now.us;
    }
    cr_assert_eq(n, 5, "five tries");
    cr_assert_eq(inquiry_retry(0, now).us, 0);
}
