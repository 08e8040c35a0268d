#include "fhir/xhtml.h"

#include "fhir_kit.h"

#define DIV "<div xmlns=\"http://www.w3.org/1999/xhtml\">"

static const char *const good[] = {
    DIV "x</div>",
    " " DIV "<p class=\"a\" style='b'>\xE8\xA8\xBA \xE6\x96\xB7<br/></p></div>\n",
    DIV "<table border=\"1\"><tr><td colspan=\"2\">a &lt; b &#65; &#x41; &amp;</td></tr></table></div>",
    DIV "<img src=\"#pic\" alt=\"\"/></div>",
    DIV "<!-- c --><a href=\"https://x/y?a=1&amp;b=2\">z</a></div><!-- d -->",
};

static const struct {
    const char *text, *expected;
} bad[] = {
    {"", "an XHTML div"},
    {"text", "an XHTML div"},
    {"<div>x</div>", "the namespace http://www.w3.org/1999/xhtml"},
    {"<div xmlns=\"urn:x\">x</div>", "the namespace http://www.w3.org/1999/xhtml"},
    {"<p xmlns=\"http://www.w3.org/1999/xhtml\">x</p>", "an XHTML div"},
    {DIV "x", "an XHTML div"},
    {DIV "<p>x</div></p>", "well-formed XHTML"},
    {DIV "x</div>" DIV "y</div>", "one XHTML div"},
    {DIV "x</div>y", "an XHTML div"},
    {DIV "<script>alert(1)</script></div>", "txt-1: formatting elements only"},
    {DIV "<SCRIPT>alert(1)</SCRIPT></div>", "txt-1: formatting elements only"},
    {DIV "<iframe src=\"x\"/></div>", "txt-1: formatting elements only"},
    {DIV "<p onclick=\"x\">a</p></div>", "txt-1: formatting attributes only"},
    {DIV "<a href=\" JavaScript:alert(1)\">a</a></div>", "txt-1: no program in a link"},
    {DIV "<a href=\"java&#115;cript:alert(1)\">a</a></div>", "txt-1: no program in a link"},
    {DIV "<img src=\"data:text/html,x\"/></div>", "txt-1: no program in a link"},
    {DIV "&nbsp;</div>", "entities of XML only"},
    {DIV "a & b</div>", "entities of XML only"},
    {DIV "&#;</div>", "entities of XML only"},
    {DIV "<p a</p></div>", "well-formed XHTML"},
    {DIV "<p class=a>x</p></div>", "well-formed XHTML"},
    {DIV "<p class=\"a<b\">x</p></div>", "well-formed XHTML"},
    {DIV "<!-- x", "well-formed XHTML"},
    {DIV "<?php x ?></div>", "txt-1: formatting elements only"},
    {DIV " \n </div>", "txt-2: a narrative that is not empty"},
    {DIV "<!-- x --></div>", "txt-2: a narrative that is not empty"},
    {"<div xmlns=\"http://www.w3.org/1999/xhtml\"/>", "txt-2: a narrative that is not empty"},
};

Test(xhtml, takes_formatting)
{
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        const char *why = xhtml_fault(view_of(good[i]), NULL);
        cr_expect_null(why, "%s: %s", good[i], why ? why : "");
    }
}

Test(xhtml, refuses_programs_and_broken_text)
{
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        const char *why = xhtml_fault(view_of(bad[i].text), NULL);
        cr_expect(why && strcmp(why, bad[i].expected) == 0, "%s: %s", bad[i].text, why ? why : "taken");
    }
}

Test(xhtml, never_reads_behind_the_end)
{
    for (size_t i = 0; i < COUNT_OF(good); i++)
        for (size_t n = 0; n < strlen(good[i]); n++) {
            char *copy = malloc(n + 1); /* so that a sanitizer sees the end */
            memcpy(copy, good[i], n);
            view part = {copy, n};
            bool whole = view_ends(view_trim(part), V("</div>")) && n > 50;
            if (!whole)
                cr_expect(xhtml_fault(part, NULL) || i == 4, "%.*s", (int)n, copy);
            free(copy);
        }
}

Test(xhtml, bounds_the_depth)
{
    struct buf b;
    buf_init(&b, 1u << 16);
    BUF_LIT(&b, DIV);
    for (int i = 0; i < 64; i++)
        BUF_LIT(&b, "<b>");
    const char *why = xhtml_fault(buf_view(&b), NULL);
    cr_assert(why && strcmp(why, "at most 64 levels of XHTML") == 0);
    buf_done(&b);
}

/* ---- what else is seen on the way ---- */

Test(xhtml, tells_sections_sources_and_local_links)
{
    static const struct {
        const char *div, *language;
        bool section, unsourced, link;
    } cases[] = {
        {DIV "a</div>", "", false, true, false},
        {DIV "<div lang=\"zh-TW\">a</div></div>", "", true, true, false},
        {DIV "<div lang=\"zh-TW\">a</div></div>", "ZH-tw", true, true, false},
        {DIV "<div xml:lang=\"zh-TW\">a</div></div>", "en", false, true, false},
        {DIV "<p><b lang=\"en\">a</b></p></div>", "en", false, true, false},
        {DIV "<p class=\"x generated\"><b>a</b></p></div>", "", false, false, false},
        {DIV "<p class=\"generated\">a</p><p>b</p></div>", "", false, true, false},
        {DIV "<p class=\"generated\"/><p>b</p></div>", "", false, true, false},
        {DIV "<p class=\"ungenerated\">a</p></div>", "", false, true, false},
        {DIV "<a href=\"#a\">a</a></div>", "", false, true, true},
        {DIV "<a href=\"http://x/#a\">a</a></div>", "", false, true, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct xhtml_look look = {.language = view_of(cases[i].language)};
        cr_expect_null(xhtml_fault(view_of(cases[i].div), &look), "%s", cases[i].div);
        cr_expect_eq(look.has_section, cases[i].section, "section: %s", cases[i].div);
        cr_expect_eq(look.unsourced, cases[i].unsourced, "source: %s", cases[i].div);
        cr_expect_eq(look.has_local_link, cases[i].link, "link: %s", cases[i].div);
    }
}
