/* `claimgate case check`: what the rules find, by case; all cases page by page, so that a gateway that runs answers others between two pages. */
#include "base/id.h"
#include "base/json.h"
#include "cli/operate/operator.h"

#include <stdio.h>

#define PAGE_MEMORY ((size_t)512 << 20)

struct told {
    const struct args *a;
    size_t checked, findings, holds, unread;
};

static const char *
severity_word(view severity, bool zh)
{
    static const struct {
        const char *word, *en, *zh;
    } words[] = {{"hold", "hold", "暫停"}, {"warn", "warn", "注意"}, {"info", "info", "說明"}};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (view_eq(severity, view_of(words[i].word)))
            return zh ? words[i].zh : words[i].en;
    return "";
}

static void
tell_finding(struct told *t, const json_t *finding)
{
    bool zh = t->a->lang == LANG_ZH;
    view severity = json_text(finding, "severity"), expected = json_text(finding, "expected"),
         found = json_text(finding, "found");
    t->findings++;
    t->holds += view_eq(severity, V("hold"));
    if (t->a->json)
        return;
    printf("  %-4s  %-20.*s  %.*s\n", severity_word(severity, zh), VIEW_ARG(json_text(finding, "code")),
           VIEW_ARG(json_text(json_member(finding, "text"), zh ? "zh" : "en")));
    printf("        %.*s", VIEW_ARG(json_text(finding, "pointer")));
    if (expected.n)
        printf(zh ? "  應為 %.*s" : "  expected %.*s", VIEW_ARG(expected));
    if (found.n)
        printf(zh ? "，實為 %.*s" : ", found %.*s", VIEW_ARG(found));
    printf("\n");
}

static void
tell_case(struct told *t, const json_t *one, arena *mem)
{
    const json_t *list = json_member(one, "findings"), *finding;
    view error = json_text(one, "error");
    size_t i;
    t->unread += error.n > 0;
    if (t->a->json)
        printf("%.*s\n", VIEW_ARG(json_dump_arena(one, mem)));
    else
        printf("%.*s%s%.*s\n", VIEW_ARG(json_text(one, "case")), error.n ? "  " : "", VIEW_ARG(error));
    json_array_foreach(list, i, finding)
    {
        tell_finding(t, finding);
    }
}

static err
ask(struct told *t, view verb, view text, arena *mem, json_t **ret, struct fault *f)
{
    view answer;
    TRY(operator_ask(t->a, verb, text, mem, &answer, f));
    return json_load(answer, mem, ret, f);
}

static err
check_all(struct told *t, struct fault *f)
{
    char before[ID_TEXT_SIZE] = "";
    do {
        AUTO(arena_free) arena *mem = arena_new(PAGE_MEMORY);
        json_t *page = NULL;
        const json_t *one;
        size_t i;
        TRY(ask(t, V("check-page"), view_of(before), mem, &page, f));
        json_array_foreach(json_member(page, "data"), i, one)
        {
            tell_case(t, one, mem);
        }
        t->checked += (size_t)json_int(page, "checked", 0);
        view next = json_text(page, "next");
        snprintf(before, sizeof before, "%.*s", VIEW_ARG(next));
    } while (*before);
    return E_OK;
}

static err
check_named(struct told *t, struct fault *f)
{
    for (int i = 0; i < t->a->n_positional; i++) {
        json_t *one = NULL;
        TRY(ask(t, V("check"), view_of(t->a->positional[i]), t->a->mem, &one, f));
        tell_case(t, one, t->a->mem);
        t->checked++;
    }
    return E_OK;
}

int
run_case_check(struct args *a)
{
    struct told t = {.a = a};
    struct fault f;
    fault_init(&f);
    err e = a->n_positional ? check_named(&t, &f) : check_all(&t, &f);
    if (e != E_OK)
        return command_fail(a, e, &f);
    if (!a->json)
        printf(a->lang == LANG_ZH
                   ? "已檢查案件 %zu 件：發現 %zu 項，其中 %zu 項須由人先行確認；無法讀取 %zu 件\n"
                   : "%zu cases checked: %zu findings, %zu of them for a person to look at before money "
                     "moves; %zu cases "
                     "could not be read\n",
               t.checked, t.findings, t.holds, t.unread);
    return t.unread ? EXIT_FAILED : t.holds ? EXIT_WARNINGS : EXIT_OK;
}
