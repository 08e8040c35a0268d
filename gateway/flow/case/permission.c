#include "flow/case/permission.h"

enum releases { RELEASES_EVIDENCE, RELEASES_BASIS, RELEASES_BUSINESS, RELEASES_NOTHING };

static const struct {
    const char *word;
    enum releases releases;
} kinds[] = {
#define PERMISSION(id, word, releases) {word, RELEASES_##releases},
#include "flow/case/permission.def"
#undef PERMISSION
};

static const struct {
    const char *word;
    bool releases_special;
} levels[] = {
#define EVIDENCE(id, word, releases) {word, releases},
#include "flow/case/permission.def"
#undef EVIDENCE
};

static const struct statute statutes[] = {
#define BASIS(word, article, line, lines, kinds, zh, en)                                                     \
    {word, article, line, V_INIT(lines), V_INIT(kinds), {en, zh}},
#include "flow/case/permission.def"
#undef BASIS
};

const char *
permission_kind_word(enum permission_kind k)
{
    return k < PERMISSION_COUNT ? kinds[k].word : "";
}

enum permission_kind
permission_kind_of(view word)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (view_eq(word, view_of(kinds[i].word)))
            return (enum permission_kind)i;
    return PERMISSION_COUNT;
}

const char *
consent_evidence_word(enum consent_evidence e)
{
    return e < EVIDENCE_COUNT ? levels[e].word : "";
}

enum consent_evidence
consent_evidence_of(view word)
{
    for (size_t i = 0; i < COUNT_OF(levels); i++)
        if (view_eq(word, view_of(levels[i].word)))
            return (enum consent_evidence)i;
    return EVIDENCE_COUNT;
}

const struct statute *
statute_of(view word)
{
    for (size_t i = 0; i < COUNT_OF(statutes); i++)
        if (view_eq(word, view_of(statutes[i].word)))
            return &statutes[i];
    return NULL;
}

bool
words_have(view list, view word)
{
    while (list.n)
        if (view_eq(view_cut(&list, ' ', NULL), word))
            return true;
    return false;
}

bool
document_is_special(enum document_kind kind)
{
    return kind == KIND_CERTIFICATE || kind == KIND_RECEIPT || kind == KIND_REPORT ||
           kind == KIND_CLAIM_BUNDLE || kind == KIND_INQUEST || kind == KIND_HOUSEHOLD || kind == KIND_OTHER;
}

/* Whatever the row says: no kind of permission releases more than its table row. */
static bool
may_release(const struct row_permission *p, enum document_kind kind)
{
    enum permission_kind k = permission_kind_of(p->kind);
    enum consent_evidence level = consent_evidence_of(p->level);
    const struct statute *s = statute_of(p->basis);
    switch (k == PERMISSION_COUNT ? RELEASES_NOTHING : kinds[k].releases) {
    case RELEASES_EVIDENCE:
        return level != EVIDENCE_COUNT && (levels[level].releases_special || !document_is_special(kind));
    case RELEASES_BASIS:
        return s && words_have(s->kinds, view_of(document_kind_word(kind)));
    case RELEASES_BUSINESS:
        return !document_is_special(kind);
    default:
        return false;
    }
}

static bool
is_in_force(const struct row_permission *p, instant now)
{
    return !p->withdrawn_at.us && !p->waits.n && p->valid_from.us <= now.us &&
           (!p->valid_to.us || p->valid_to.us > now.us);
}

/* Who insures a vehicle stands on the accident's papers as well, and goes to whom they go: nobody signs for it apart. */
static enum document_kind
released_as(enum document_kind kind)
{
    return kind == KIND_CALI_ANSWER ? KIND_ACCIDENT_PART : kind;
}

bool
permission_stands(const struct row_permission *p, uid recipient, view purpose, enum document_kind kind,
                  instant now)
{
    kind = released_as(kind);
    return uid_eq(p->recipient, recipient) && view_eq(p->purpose, purpose) && is_in_force(p, now) &&
           may_release(p, kind) && words_have(p->kinds, view_of(document_kind_word(kind)));
}

bool
permission_covers(const struct row_permission *p, uid recipient, view purpose, enum document_kind kind,
                  instant now)
{
    return p->uses_left != 0 && permission_stands(p, recipient, purpose, kind, now);
}

const struct row_permission *
permission_for(const struct row_permission *list, uid recipient, view purpose, enum document_kind kind,
               instant now)
{
    for (; list; list = list->next)
        if (permission_covers(list, recipient, purpose, kind, now))
            return list;
    return NULL;
}

const struct row_permission *
permission_mandate(const struct row_permission *list, uid attorney, enum document_kind kind, instant now)
{
    for (; list; list = list->next)
        if (permission_kind_of(list->kind) == PERMISSION_MANDATE && uid_eq(list->recipient, attorney) &&
            is_in_force(list, now) && list->uses_left != 0 &&
            words_have(list->kinds, view_of(document_kind_word(kind))))
            return list;
    return NULL;
}

bool
permission_is_consent(const struct row_permission *p)
{
    enum permission_kind k = permission_kind_of(p->kind);
    return k == PERMISSION_CONSENT || k == PERMISSION_CONTRACT;
}
