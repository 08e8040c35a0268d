/* What follows from the answers so far: pure, over the rows by place. */
#include "flow/lookup/lookup_inside.h"

static const struct {
    const char *word;
    bool is_final;
} inquiries[] = {
#define INQUIRY(id, word, final) {word, final},
#include "flow/lookup/lookup.def"
#undef INQUIRY
};

static const int64_t waits[] = {
#define WAIT(seconds) seconds,
#include "flow/lookup/lookup.def"
#undef WAIT
};

const char *
inquiry_word(enum inquiry i)
{
    return i < INQUIRY_COUNT ? inquiries[i].word : "";
}

enum inquiry
inquiry_of(view word)
{
    int i = 0;
    while (i < INQUIRY_COUNT && !view_eq(word, view_of(inquiries[i].word)))
        i++;
    return (enum inquiry)i;
}

bool
inquiry_is_final(enum inquiry i)
{
    return i < INQUIRY_COUNT && inquiries[i].is_final;
}

instant
inquiry_retry(int64_t tries, instant now)
{
    return tries >= 1 && tries <= (int64_t)COUNT_OF(waits) ? instant_add(now, SPAN_SECONDS(waits[tries - 1]))
                                                           : INSTANT_NONE;
}

/* -- what they say together -- */

static bool
says(const struct row_inquiry *q, enum inquiry word)
{
    return q && inquiry_of(q->state) == word;
}

static struct row_inquiry *
find(struct row_inquiry *list, view kind)
{
    while (list && !view_eq(list->kind, kind))
        list = list->next;
    return list;
}

static const struct row_inquiry *
find_insured(const struct row_inquiry *list)
{
    while (list && !says(list, INQUIRY_INSURED))
        list = list->next;
    return list;
}

/* Who is to be asked now: the first that has not been asked, when all before it have been at least once. */
static struct row_inquiry *
find_next(struct row_inquiry *list)
{
    for (; list; list = list->next) {
        bool waits_now = says(list, INQUIRY_WAITING);
        if (waits_now && list->tries == 0)
            return list->next_at.us ? NULL : list;
    }
    return NULL;
}

/* The register knows of no policy.  Whom a paper names is heard too: its word against the register's is for a person to judge. */
static struct conclusion
conclude_uninsured(struct row_inquiry *named)
{
    if (says(named, INQUIRY_WAITING))
        return (struct conclusion){"asking", "", NULL, named->tries || named->next_at.us ? NULL : named};
    return (struct conclusion){"answered", "uninsured", NULL, NULL};
}

/* Nobody has said "insured". */
static struct conclusion
conclude_rest(struct row_inquiry *list)
{
    bool all_final = true, all_deny = true, any_insurer = false;
    for (const struct row_inquiry *q = list; q; q = q->next) {
        bool is_insurer = !view_eq(q->kind, INQUIRY_REGISTER);
        all_final = all_final && inquiry_is_final(inquiry_of(q->state));
        all_deny = all_deny && (!is_insurer || says(q, INQUIRY_NOT_OURS));
        any_insurer = any_insurer || is_insurer;
    }
    if (any_insurer && all_deny)
        return (struct conclusion){"answered", "uninsured", NULL, NULL};
    return all_final ? (struct conclusion){"unanswered", "", NULL, NULL}
                     : (struct conclusion){"asking", "", NULL, find_next(list)};
}

struct conclusion
lookup_conclude(struct row_inquiry *list)
{
    const struct row_inquiry *insured = find_insured(list);
    const struct row_inquiry *of_all = find(list, INQUIRY_REGISTER);
    if (says(of_all, INQUIRY_UNINSURED) && insured)
        return (struct conclusion){"contradictory", "", insured, NULL};
    if (insured)
        return (struct conclusion){"answered", "insured", insured, NULL};
    return says(of_all, INQUIRY_UNINSURED) ? conclude_uninsured(find(list, INQUIRY_NAMED))
                                           : conclude_rest(list);
}
