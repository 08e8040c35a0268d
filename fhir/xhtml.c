#include "fhir/xhtml.h"

#include "base/attr.h"

#include <stdint.h>

#define NAMESPACE "http://www.w3.org/1999/xhtml"
#define XHTML_DEPTH_MAX 64

struct scanner {
    view text;
    size_t at;
    view open[XHTML_DEPTH_MAX];
    size_t depth;
    bool content;  /* something to read or see */
    bool declared; /* the root has its namespace */
    bool urn;      /* a link leads to a URN, which no reader can follow */
    struct xhtml_look *look;
    size_t sourced; /* levels that stand within an element which names its source; 0: none */
};

/* Attributes of one tag. */
struct names {
    view v[32];
    size_t n;
};

static const char *const elements[] = {
    "a",  "abbr",    "acronym", "address", "area",   "b",        "bdo", "big",   "blockquote",
    "br", "caption", "cite",    "code",    "col",    "colgroup", "dd",  "dfn",   "div",
    "dl", "dt",      "em",      "h1",      "h2",     "h3",       "h4",  "h5",    "h6",
    "hr", "i",       "img",     "kbd",     "li",     "map",      "ol",  "p",     "pre",
    "q",  "samp",    "small",   "span",    "strong", "sub",      "sup", "table", "tbody",
    "td", "tfoot",   "th",      "thead",   "tr",     "tt",       "ul",  "var",
};

static const char *const attributes[] = {
    "abbr",     "accesskey", "align", "alt",   "axis",     "border", "cellpadding", "cellspacing",
    "char",     "charoff",   "cite",  "class", "colspan",  "coords", "dir",         "headers",
    "height",   "href",      "id",    "lang",  "longdesc", "name",   "nohref",      "nowrap",
    "rowspan",  "rules",     "scope", "shape", "span",     "src",    "start",       "style",
    "summary",  "tabindex",  "title", "type",  "usemap",   "valign", "value",       "width",
    "xml:lang", "xml:space", "xmlns",
};

static bool
is_in(const char *const *list, size_t n, view name)
{
    for (size_t i = 0; i < n; i++)
        if (view_eq(name, view_of(list[i])))
            return true;
    return false;
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' ||
           c == '-' || c == '_' || c == '.';
}

static void
skip_spaces(struct scanner *s)
{
    while (s->at < s->text.n && is_space(s->text.p[s->at]))
        s->at++;
}

static bool
take(struct scanner *s, const char *word)
{
    size_t n = strlen(word);
    if (!view_eq(view_sub(s->text, s->at, n), view_of(word)))
        return false;
    s->at += n;
    return true;
}

static view
take_name(struct scanner *s)
{
    size_t from = s->at;
    while (s->at < s->text.n && is_name_char(s->text.p[s->at]))
        s->at++;
    return view_sub(s->text, from, s->at - from);
}

/* The value of digits in a base; 0 when there is another character or too many. */
static uint32_t
number_of(view digits, uint32_t base)
{
    uint32_t value = 0;
    for (size_t i = 0; i < digits.n; i++) {
        char c = digits.p[i];
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                : base;
        if (digit >= base || value > 0x10FFFF)
            return 0;
        value = value * base + digit;
    }
    return value;
}

/* Characters of XML 1.0. */
static bool
is_xml_char(uint32_t c)
{
    return c == 9 || c == 10 || c == 13 || (c >= 0x20 && c <= 0xD7FF) || (c >= 0xE000 && c <= 0xFFFD) ||
           (c >= 0x10000 && c <= 0x10FFFF);
}

/* One entity of XML, or a character by number, behind the ampersand. */
static bool
take_entity(struct scanner *s)
{
    view name = view_sub(s->text, s->at, 12);
    size_t end = view_find_byte(name, ';');
    if (end == name.n || end == 0)
        return false;
    s->at += end + 1;
    name.n = end;
    if (name.p[0] != '#')
        return view_eq(name, V("amp")) || view_eq(name, V("lt")) || view_eq(name, V("gt")) ||
               view_eq(name, V("quot")) || view_eq(name, V("apos"));
    bool hex = name.n > 1 && name.p[1] == 'x';
    return is_xml_char(number_of(view_sub(name, hex ? 2 : 1, name.n), hex ? 16 : 10));
}

/* Programs in links.  Letter case, blanks and characters by number don't hide the scheme. */
static bool
is_script(view value)
{
    static const char *const schemes[] = {"javascript", "vbscript", "data:text"};
    value = view_trim(value);
    for (size_t i = 0; i < COUNT_OF(schemes); i++)
        if (view_eq_nocase(view_sub(value, 0, strlen(schemes[i])), view_of(schemes[i])))
            return true;
    view head = view_sub(value, 0, 32);
    return view_find(head, V("&#")) < head.n;
}

/* The quoted value behind the equals sign. */
static const char *
take_value(struct scanner *s, view *ret)
{
    skip_spaces(s);
    char quote = s->at < s->text.n ? s->text.p[s->at++] : 0;
    size_t from = s->at;
    if (quote != '"' && quote != '\'')
        return "well-formed XHTML";
    while (s->at < s->text.n && s->text.p[s->at] != quote) {
        char c = s->text.p[s->at++];
        if (c == '<')
            return "well-formed XHTML";
        if (c == '&' && !take_entity(s))
            return "entities of XML only";
    }
    *ret = view_sub(s->text, from, s->at - from);
    return s->at++ < s->text.n ? NULL : "well-formed XHTML";
}

/* https://hl7.org/fhir/extensions/StructureDefinition-narrative-source-control.html */
static bool
names_source(view classes)
{
    static const char *const sources[] = {"boilerplate", "generated", "original", "extension", "additional"};
    while (classes.n > 0)
        if (is_in(sources, COUNT_OF(sources), view_cut(&classes, ' ', NULL)))
            return true;
    return false;
}

/* An attribute of the element that stands at level s->depth + 1. */
static void
note_attribute(struct scanner *s, view name, view value)
{
    struct xhtml_look *look = s->look;
    bool language = view_eq(name, V("lang")) || view_eq(name, V("xml:lang"));
    bool local = view_eq(name, V("href")) && view_starts(value, V("#"));
    if (language && s->depth == 1)
        look->has_section |= look->language.n == 0 || view_eq_nocase(look->language, value);
    if (s->sourced == 0 && view_eq(name, V("class")) && names_source(value))
        s->sourced = s->depth + 1;
    look->has_local_link |= local;
    if (look->mark && (local || view_eq(name, V("id")) || view_eq(name, V("name"))))
        look->mark(look->self, local, local ? view_sub(value, 1, value.n) : value);
}

static const char *
take_attribute(struct scanner *s, struct names *seen)
{
    view name = take_name(s), value;
    skip_spaces(s);
    if (name.n == 0 || !take(s, "="))
        return "well-formed XHTML";
    const char *fault = take_value(s, &value);
    if (fault)
        return fault;
    for (size_t i = 0; i < seen->n; i++)
        if (view_eq(seen->v[i], name))
            return "well-formed XHTML";
    if (seen->n == COUNT_OF(seen->v))
        return "fewer attributes";
    seen->v[seen->n++] = name;
    if (view_eq(name, V("xmlns"))) {
        s->declared = view_eq(value, V(NAMESPACE));
        return s->declared ? NULL : "the namespace " NAMESPACE;
    }
    if (!is_in(attributes, COUNT_OF(attributes), name))
        return "txt-1: formatting attributes only";
    note_attribute(s, name, value);
    bool link = view_eq(name, V("href")) || view_eq(name, V("src"));
    s->urn |= link && view_eq_nocase(view_sub(value, 0, 4), V("urn:"));
    return link && is_script(value) ? "txt-1: no program in a link" : NULL;
}

static const char *
take_start(struct scanner *s)
{
    struct names seen = {.n = 0};
    view name = take_name(s);
    if (!is_in(elements, COUNT_OF(elements), name))
        return "txt-1: formatting elements only";
    if (s->depth == 0 && !view_eq(name, V("div")))
        return "an XHTML div";
    s->content |= view_eq(name, V("img"));
    for (;;) {
        size_t before = s->at;
        skip_spaces(s);
        bool empty = take(s, "/>");
        if (empty || take(s, ">")) {
            if (s->depth == 0 && !s->declared)
                return "the namespace " NAMESPACE;
            if (empty) {
                s->sourced = s->sourced > s->depth ? 0 : s->sourced;
                return s->depth == 0 ? "txt-2: a narrative that is not empty" : NULL;
            }
            if (s->depth == XHTML_DEPTH_MAX)
                return "at most 64 levels of XHTML";
            s->open[s->depth++] = name;
            return NULL;
        }
        const char *fault = s->at == before ? "well-formed XHTML" : take_attribute(s, &seen);
        if (fault)
            return fault;
    }
}

static const char *
take_end(struct scanner *s)
{
    view name = take_name(s);
    skip_spaces(s);
    if (s->depth == 0 || !view_eq(name, s->open[s->depth - 1]) || !take(s, ">"))
        return "well-formed XHTML";
    s->depth--;
    s->sourced = s->sourced > s->depth ? 0 : s->sourced;
    return NULL;
}

/* Moves behind end; false when it does not come. */
static bool
skip_to(struct scanner *s, view end)
{
    view rest = view_sub(s->text, s->at, s->text.n);
    size_t at = view_find(rest, end);
    s->at += at + end.n;
    return at < rest.n;
}

static const char *
take_markup(struct scanner *s)
{
    if (take(s, "<!--"))
        return skip_to(s, V("--")) && take(s, ">") ? NULL : "well-formed XHTML";
    if (take(s, "<![CDATA["))
        return s->depth > 0 && skip_to(s, V("]]>")) ? NULL : "well-formed XHTML";
    if (take(s, "</"))
        return take_end(s);
    s->at++;
    return take_start(s);
}

static const char *
take_text(struct scanner *s)
{
    char c = s->text.p[s->at++];
    if (is_space(c))
        return NULL;
    s->content = true;
    s->look->unsourced |= s->sourced == 0;
    if (s->depth == 0)
        return "an XHTML div";
    if (c == ']' && view_starts(view_sub(s->text, s->at, 2), V("]>")))
        return "well-formed XHTML";
    return c != '&' || take_entity(s) ? NULL : "entities of XML only";
}

/* Control characters, and the code points U+FFFE and U+FFFF: no XML may hold them. */
static bool
has_foreign_char(view text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c < ' ' && !is_space(text.p[i]))
            return true;
        if (c == 0xEF && i + 2 < text.n && (unsigned char)text.p[i + 1] == 0xBF &&
            (text.p[i + 2] & 0xFE) == 0xBE)
            return true;
    }
    return false;
}

const char *
xhtml_fault(view div, struct xhtml_look *look)
{
    struct xhtml_look none = {.self = NULL};
    struct scanner s = {.text = div, .look = look ? look : &none};
    bool begun = false;
    if (has_foreign_char(div))
        return "characters of XML";
    while (s.at < div.n) {
        bool markup = div.p[s.at] == '<';
        if (markup && begun && s.depth == 0 && !view_starts(view_sub(div, s.at, 4), V("<!--")))
            return "one XHTML div";
        const char *fault = markup ? take_markup(&s) : take_text(&s);
        if (fault)
            return fault;
        begun |= s.depth > 0;
    }
    if (!begun || s.depth > 0)
        return "an XHTML div";
    if (!s.content)
        return "txt-2: a narrative that is not empty";
    return s.urn ? "links that lead somewhere" : NULL;
}
