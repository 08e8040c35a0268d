/* room: adapters */
/* Any bytes as an accident record, in JSON and in XML: nodes and sources stay inside their bytes, what is interpreted without errors can be stored, and an
 * issue has its place. */
#include "adapters/police/police.h"

#include "adapters/case_codec.h"
#include "base/digest.h"
#include "base/text.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool claim)
{
    if (!claim)
        abort();
}

static void
check_tree(const struct tree *t)
{
    for (uint32_t i = 0; i < t->n; i++) {
        const struct node *n = &t->nodes[i];
        view text = node_text(t, n), source = n->flags & NODE_TEXT_IN_POOL ? t->pool : t->source;
        must((size_t)n->from + n->length <= t->source.n);
        must(n->parent < t->n && n->next < t->n && (i == 0 || n->parent < i));
        must(text.n == 0 || (text.p >= source.p && text.p + text.n <= source.p + source.n));
        uint32_t children = 0;
        for (NODE_EACH(child, t, n)) {
            must(child->parent == i);
            children++;
        }
        must(children == node_count(n));
    }
}

static void
check_issues(const struct issues *issues, const struct tree *t)
{
    for (const struct issue *i = issues->first; i; i = i->next) {
        must(i->code != E_OK);
        must(i->from == FAULT_NOWHERE || (size_t)(i->from + i->length) <= t->source.n);
    }
}

static void
check_facts(const struct reading *rd)
{
    struct buf b AUTO_DONE(buf_done);
    buf_init(&b, 32u << 20);
    must(case_encode(rd->facts, NULL, true, &b) == E_OK);
    must(text_is_utf8(buf_view(&b), NULL));
    must(rd->author.n > 0 && rd->identifier_value.n > rd->work_value.n);
}

static void
run(enum fhir_media media, view bytes)
{
    struct tree t;
    struct issues issues;
    struct reading rd;
    struct fault f;
    fault_init(&f);
    arena *mem = arena_new(64u << 20);
    issues_init(&issues, mem, 200);
    err e = police_read(media, bytes, mem, &t, &f);
    must((e == E_OK) == (f.code == E_OK));
    if (e == E_OK) {
        check_tree(&t);
        e = police_interpret(&t, mem, &issues, &rd, &f);
        check_issues(&issues, &t);
        if (e == E_OK && issues.errors == 0)
            check_facts(&rd);
    }
    arena_free(mem);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    digest_start();
    run(FHIR_JSON, view_make(data, size));
    run(FHIR_XML, view_make(data, size));
    return 0;
}
