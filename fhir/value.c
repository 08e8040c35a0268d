#include "fhir/value.h"

/* Strings of R4 are at most 1 MB. */
#define STRING_MAX (1u << 20)

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* n digits at text[at] as a number, -1 when they are not there. */
static int
digits(view text, size_t at, size_t n)
{
    int value = 0;
    if (at + n > text.n)
        return -1;
    for (size_t i = at; i < at + n; i++) {
        if (!is_digit(text.p[i]))
            return -1;
        value = value * 10 + (text.p[i] - '0');
    }
    return value;
}

static bool
is_char(view text, size_t at, char c)
{
    return at < text.n && text.p[at] == c;
}

static int
days_of_month(int year, int month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* A time as far as it was stated; month and day are 0, hour -1 where nothing stands. */
struct moment {
    int year, month, day;
    int hour, minute, second, offset;
    int64_t fraction_us;
};

/* Reads as much of a date as stands there; returns the length, 0 when it is no date. */
static size_t
read_date(view text, struct moment *ret)
{
    *ret = (struct moment){.hour = -1};
    ret->year = digits(text, 0, 4);
    if (ret->year < 1)
        return 0;
    if (!is_char(text, 4, '-'))
        return 4;
    ret->month = digits(text, 5, 2);
    if (ret->month < 1 || ret->month > 12)
        return 0;
    if (!is_char(text, 7, '-'))
        return 7;
    ret->day = digits(text, 8, 2);
    return ret->day >= 1 && ret->day <= days_of_month(ret->year, ret->month) ? 10 : 0;
}

/* hh:mm:ss(.f+)? at text[at]; returns the length, 0 when it is no time. */
static size_t
read_clock(view text, size_t at, struct moment *ret)
{
    ret->hour = digits(text, at, 2);
    ret->minute = digits(text, at + 3, 2);
    ret->second = digits(text, at + 6, 2);
    if (ret->hour < 0 || ret->hour > 23 || !is_char(text, at + 2, ':') || ret->minute < 0 ||
        ret->minute > 59 || !is_char(text, at + 5, ':') || ret->second < 0 || ret->second > 60)
        return 0;
    if (!is_char(text, at + 8, '.'))
        return 8;
    size_t i = at + 9;
    int64_t unit = 100000;
    for (; i < text.n && is_digit(text.p[i]); i++, unit /= 10)
        ret->fraction_us += unit * (text.p[i] - '0');
    return i > at + 9 ? i - at : 0;
}

/* Z or ±hh:mm to the very end. */
static bool
read_zone(view text, size_t at, struct moment *ret)
{
    if (is_char(text, at, 'Z'))
        return at + 1 == text.n;
    int hour = digits(text, at + 1, 2), minute = digits(text, at + 4, 2);
    if (at + 6 != text.n || (text.p[at] != '+' && text.p[at] != '-') || text.p[at + 3] != ':' || hour < 0 ||
        minute < 0 || minute > 59 || hour > 14 || (hour == 14 && minute > 0))
        return false;
    ret->offset = (text.p[at] == '-' ? -1 : 1) * (hour * 60 + minute);
    return true;
}

static bool
read_moment(view text, struct moment *ret)
{
    size_t date = read_date(text, ret);
    if (date == 0)
        return false;
    if (date == text.n)
        return true;
    if (date != 10 || text.p[10] != 'T')
        return false;
    size_t clock = read_clock(text, 11, ret);
    return clock > 0 && read_zone(text, 11 + clock, ret);
}

bool
value_is_date(view text, bool partial)
{
    struct moment m;
    size_t n = read_date(text, &m);
    return n > 0 && n == text.n && (partial || n == 10);
}

bool
value_is_datetime(view text, bool partial)
{
    struct moment m;
    return read_moment(text, &m) && (partial || m.hour >= 0);
}

/* Days since 1970-01-01 of a civil date (the era arithmetic of the proleptic Gregorian calendar). */
static int64_t
days_of(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = y / 400, year_of_era = y - era * 400;
    int64_t shifted = month > 2 ? month - 3 : month + 9;
    int64_t day_of_year = (153 * shifted + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

#define DAY_US (INT64_C(86400) * 1000000)

bool
value_time_range(view text, int64_t *ret_from, int64_t *ret_to)
{
    struct moment m;
    if (!read_moment(text, &m))
        return false;
    int last_month = m.month ? m.month : 12;
    int last_day = m.day ? m.day : days_of_month(m.year, last_month);
    int64_t from = days_of(m.year, m.month ? m.month : 1, m.day ? m.day : 1) * DAY_US;
    if (m.hour < 0) {
        *ret_from = from;
        *ret_to = (days_of(m.year, last_month, last_day) + 1) * DAY_US - 1;
        return true;
    }
    int64_t seconds = (int64_t)(m.hour * 60 + m.minute - m.offset) * 60 + m.second;
    *ret_from = *ret_to = from + seconds * 1000000 + m.fraction_us;
    return true;
}

static bool
is_time(view text)
{
    struct moment m = {0};
    size_t n = read_clock(text, 0, &m);
    return n > 0 && n == text.n;
}

/* Sign, digits without leading zeros, and the range of 32 bits. */
static bool
is_integer(view text, int64_t least)
{
    bool minus = text.n > 0 && text.p[0] == '-';
    size_t from = minus ? 1 : 0;
    if (text.n == from || text.n - from > 10 || (text.p[from] == '0' && text.n > 1))
        return false;
    int64_t value = 0;
    for (size_t i = from; i < text.n; i++) {
        if (!is_digit(text.p[i]))
            return false;
        value = value * 10 + (text.p[i] - '0');
    }
    value = minus ? -value : value;
    return value >= least && value <= INT32_MAX;
}

bool
value_is_id(view text)
{
    if (text.n == 0 || text.n > 64)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' || c == '.'))
            return false;
    }
    return true;
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* No white space at the ends, single spaces within. */
static bool
is_code(view text)
{
    bool space = true;
    for (size_t i = 0; i < text.n; i++) {
        bool now = is_space(text.p[i]);
        if (now && space)
            return false;
        space = now;
    }
    return text.n > 0 && !space;
}

static bool
is_uri(view text)
{
    /* To the end in any case: without a way out the compiler takes many bytes at a time. */
    unsigned char blank = 0;
    for (size_t i = 0; i < text.n; i++)
        blank |= (unsigned char)((unsigned char)text.p[i] <= ' ');
    return text.n > 0 && !blank;
}

static bool
is_uuid(view text)
{
    static const char form[] = "urn:uuid:hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";
    if (text.n != sizeof form - 1 || !view_starts(text, V("urn:uuid:")))
        return false;
    for (size_t i = 9; i < text.n; i++) {
        char c = text.p[i];
        bool hex = is_digit(c) || (c >= 'a' && c <= 'f');
        if (form[i] == 'h' ? !hex : c != '-')
            return false;
    }
    return true;
}

static bool
is_oid(view text)
{
    static const view prefix = {"urn:oid:", 8};
    if (!view_starts(text, prefix) || text.n < 11 || text.p[8] < '0' || text.p[8] > '2')
        return false;
    view rest = view_sub(text, 9, text.n);
    if (rest.n < 2 || rest.p[0] != '.')
        return false;
    rest = view_sub(rest, 1, rest.n);
    for (bool more = true; more;) {
        view arc = view_cut(&rest, '.', &more);
        if (arc.n == 0 || (arc.p[0] == '0' && arc.n > 1))
            return false;
        for (size_t i = 0; i < arc.n; i++)
            if (!is_digit(arc.p[i]))
                return false;
    }
    return true;
}

static bool
is_base64_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || is_digit(c) || c == '+' || c == '/';
}

/* White space is allowed in FHIR; padding only at the end. */
static bool
is_base64(view text)
{
    size_t n = 0, padding = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (is_space(c))
            continue;
        if (c == '=')
            padding++;
        else if (padding > 0 || !is_base64_char(c))
            return false;
        n++;
    }
    return n > 0 && n % 4 == 0 && padding <= 2;
}

/* Control characters can only have come by an escape; then the text stands in the pool. */
static bool
is_string(view text, bool decoded)
{
    for (size_t i = 0; decoded && i < text.n; i++)
        if ((unsigned char)text.p[i] < ' ' && !is_space(text.p[i]))
            return false;
    return text.n > 0 && text.n <= STRING_MAX;
}

static bool
is_form(enum value_form form, view text, bool decoded)
{
    switch (form) {
    case FORM_BASE64:
        return is_base64(text);
    case FORM_CODE:
        return is_code(text);
    case FORM_DATE:
        return value_is_date(text, true);
    case FORM_DATETIME:
        return value_is_datetime(text, true);
    case FORM_INSTANT:
        return value_is_datetime(text, false);
    case FORM_ID:
        return value_is_id(text);
    case FORM_INTEGER:
        return is_integer(text, INT32_MIN);
    case FORM_UNSIGNED:
        return is_integer(text, 0);
    case FORM_POSITIVE:
        return is_integer(text, 1);
    case FORM_OID:
        return is_oid(text);
    case FORM_UUID:
        return is_uuid(text);
    case FORM_TIME:
        return is_time(text);
    case FORM_URI:
        return is_uri(text);
    case FORM_STRING:
    case FORM_XHTML:
        return is_string(text, decoded);
    case FORM_BOOLEAN:
    case FORM_DECIMAL:
    case FORM_NONE:
        return true; /* the JSON kind says it all */
    }
    return false;
}

enum node_kind
value_kind(enum value_form form)
{
    switch (form) {
    case FORM_BOOLEAN:
        return NODE_TRUE;
    case FORM_DECIMAL:
    case FORM_INTEGER:
    case FORM_UNSIGNED:
    case FORM_POSITIVE:
        return NODE_NUMBER;
    default:
        return NODE_STRING;
    }
}

enum value_fault
value_check(enum value_form form, const struct tree *t, const struct node *n)
{
    enum node_kind kind = n->kind == NODE_FALSE ? NODE_TRUE : (enum node_kind)n->kind;
    if (kind != value_kind(form)) {
        /* In XML every value is text: one that is no number there has the wrong form, not the wrong type. */
        bool text = (n->flags & NODE_FROM_XML) && kind == NODE_STRING;
        return text ? VALUE_WRONG_FORM : VALUE_WRONG_KIND;
    }
    return is_form(form, node_text(t, n), n->flags & NODE_TEXT_IN_POOL) ? VALUE_OK : VALUE_WRONG_FORM;
}

view
value_expected(enum value_form form)
{
    static const char *const words[] = {
        [FORM_NONE] = "an object",
        [FORM_BASE64] = "base64 in groups of four",
        [FORM_BOOLEAN] = "true or false",
        [FORM_CODE] = "a code without surrounding or double blanks",
        [FORM_DATE] = "a date: YYYY, YYYY-MM or YYYY-MM-DD",
        [FORM_DATETIME] = "YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with offset",
        [FORM_DECIMAL] = "a decimal number",
        [FORM_ID] = "1 to 64 letters, digits, - or .",
        [FORM_INSTANT] = "YYYY-MM-DDThh:mm:ss with offset",
        [FORM_INTEGER] = "a whole number of 32 bits",
        [FORM_OID] = "urn:oid: and numbers with dots",
        [FORM_POSITIVE] = "a whole number from 1",
        [FORM_STRING] = "a string that is not empty",
        [FORM_TIME] = "hh:mm:ss",
        [FORM_UNSIGNED] = "a whole number from 0",
        [FORM_URI] = "a URI without blanks",
        [FORM_UUID] = "urn:uuid: and a UUID in lower case",
        [FORM_XHTML] = "an XHTML div",
    };
    return view_of(words[form]);
}

view
value_kind_name(uint8_t node_kind)
{
    static const char *const words[] = {
        [NODE_NULL] = "null",     [NODE_FALSE] = "boolean", [NODE_TRUE] = "boolean",
        [NODE_NUMBER] = "number", [NODE_STRING] = "string", [NODE_ARRAY] = "array",
        [NODE_OBJECT] = "object",
    };
    return view_of(words[node_kind]);
}

static bool
begins_tag(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '/' || c == '!';
}

bool
value_holds_markup(view text)
{
    bool open = false; /* a tag has begun */
    for (size_t i = 0; i < text.n; i++) {
        open |= text.p[i] == '<' && i + 1 < text.n && begins_tag(text.p[i + 1]);
        if (open && text.p[i] == '>')
            return true;
    }
    return false;
}
