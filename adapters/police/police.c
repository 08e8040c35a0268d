/* The adapter's two doors: reading the syntax, and what a record says. */
#include "adapters/police/inside.h"

#include "base/text.h"

err
police_read(enum fhir_media media, view bytes, arena *mem, struct tree *ret, struct fault *f)
{
    return media == FHIR_XML ? police_read_xml(bytes, mem, ret, f) : tree_read_json(bytes, NULL, mem, ret, f);
}

err
police_read_signed(void *self, view octets, arena *mem, struct tree *ret, struct fault *f)
{
    (void)self;
    return police_read_xml(octets, mem, ret, f);
}

/* -- head -- */

static view
paper_name(const struct form *x)
{
    view item = form_value(x, x->root, "item");
    return item.n ? arena_printf(x->mem, "%.*s.%.*s", VIEW_ARG(x->part), VIEW_ARG(item)) : x->part;
}

/* <oid>/<accident_no>/<part>/<revision>: unique, and without the revision the same in all versions (DECISIONS "Attachments"). */
static err
read_identity(struct form *x)
{
    struct reading *rd = x->rd;
    int64_t revision = 1, replaced = 0;
    view paper = paper_name(x);
    (void)form_int(x, form_member(x, x->root, "revision"), &revision);
    if (!form_int(x, form_member(x, x->root, "replaces"), &replaced))
        replaced = revision - 1;
    view work =
        arena_printf(x->mem, "%.*s/%.*s/%.*s", VIEW_ARG(x->oid), VIEW_ARG(x->accident_no), VIEW_ARG(paper));
    rd->unique_identity = true;
    rd->identifier_system = rd->work_system = V(POLICE_IDENTIFIER_SYSTEM);
    rd->work_value = work;
    rd->identifier_value = arena_printf(x->mem, "%.*s/%lld", VIEW_ARG(work), (long long)revision);
    if (revision > 1) {
        rd->replaces_system = V(POLICE_IDENTIFIER_SYSTEM);
        rd->replaces_value = arena_printf(x->mem, "%.*s/%lld", VIEW_ARG(work), (long long)replaced);
    }
    return work.p && rd->identifier_value.p && (revision == 1 || rd->replaces_value.p) ? E_OK : E_TOO_LARGE;
}

static err
read_head(struct form *x)
{
    struct reading *rd = x->rd;
    rd->kind = x->inquest ? KIND_INQUEST : KIND_ACCIDENT_PART;
    rd->profile = V("accident-record-1");
    rd->author = x->oid;
    rd->withdraws = view_eq(form_value(x, x->root, "status"), V("entered_in_error"));
    for (NODE_EACH(a, x->t, form_member(x, x->root, "attachments"))) {
        if (rd->n_attachments == COUNT_OF(rd->attachments)) {
            form_issue(x, ISSUE_ERROR, E_CARDINALITY, a, "at most 64 attachments", "more");
            break;
        }
        rd->attachments[rd->n_attachments++] = form_value(x, a, "sha256");
    }
    struct doc_ref *ref = arena_make(x->mem, struct doc_ref);
    if (!ref)
        return E_TOO_LARGE;
    *ref = (struct doc_ref){.kind = REF_ACCIDENT_NO, .author = x->handler, .value = x->accident_no};
    rd->refs = ref;
    return read_identity(x);
}

/* -- the agency as a party -- */

static err
read_agency(struct form *x)
{
    const struct node *agency = form_member(x, x->root, "agency");
    const struct node *kind = form_member(x, agency, "kind");
    struct case_party *p = case_add_parties(x->mem, x->c);
    struct case_organisation *o = p ? case_make_party_organisation(x->mem, p) : NULL;
    struct case_organisation_identifier *id = o ? case_add_organisation_identifiers(x->mem, o) : NULL;
    struct case_role *role = case_add_roles(x->mem, x->c);
    if (!id || !role)
        return E_TOO_LARGE;
    form_word(&p->kind, "organisation", agency);
    form_text(x, &o->name, form_member(x, agency, "name"));
    form_word(&o->kind, "police", agency);
    if (kind)
        form_text(x, &o->kind, kind);
    form_word(&id->type, "agency_oid", agency);
    form_text(x, &id->value, form_member(x, agency, "oid"));
    x->agency = p->id;
    form_ref(x, &role->party, p->id, agency);
    form_word(&role->role, "issuer", agency);
    return E_OK;
}

/* -- the event and the accident -- */

static err
read_event(struct form *x)
{
    const struct node *number = form_member(x, x->root, "accident_no");
    const struct node *handler = form_member(x, x->root, "handled_by");
    struct case_event *e = case_make_event(x->mem, x->c);
    struct case_police_report *report = e ? case_make_event_police_report(x->mem, e) : NULL;
    struct case_meta *meta = case_make_meta(x->mem, x->c);
    struct case_reference *ref = meta ? case_add_meta_references(x->mem, meta) : NULL;
    if (!report || !ref)
        return E_TOO_LARGE;
    form_word(&e->kind, "traffic", x->root);
    form_time(x, &e->occurred.from, form_member(x, x->root, "occurred"));
    form_text(x, &e->place, form_member(x, form_member(x, x->root, "place"), "text"));
    form_text(x, &e->narrative, form_member(x, x->root, "narrative"));
    form_text(x, &report->agency,
              handler ? handler : form_member(x, form_member(x, x->root, "agency"), "oid"));
    form_text(x, &report->no, number);
    form_word(&ref->kind, "accident_no", number);
    form_text(x, &ref->value, number);
    if (!handler)
        form_ref(x, &ref->owner, x->agency, number);
    return E_OK;
}

static err
read_place(struct form *x, struct case_accident *a)
{
    const struct node *place = form_member(x, x->root, "place");
    struct case_accident_place *out = case_make_accident_place(x->mem, a);
    if (!out)
        return E_TOO_LARGE;
    form_text(x, &out->text, form_member(x, place, "text"));
    form_text(x, &out->county, form_member(x, place, "county"));
    form_text(x, &out->town, form_member(x, place, "town"));
    form_text(x, &out->road, form_member(x, place, "road"));
    form_decimal(x, &out->km, form_member(x, place, "km"));
    form_decimal(x, &out->lon, form_member(x, place, "lon"));
    form_decimal(x, &out->lat, form_member(x, place, "lat"));
    return E_OK;
}

static err
read_casualties(struct form *x, struct case_accident *a)
{
    const struct node *n = form_member(x, x->root, "casualties");
    struct case_casualties *out = case_make_accident_casualties(x->mem, a);
    if (!out)
        return E_TOO_LARGE;
    form_count(x, &out->dead_24h, form_member(x, n, "dead_24h"));
    form_count(x, &out->dead_30d, form_member(x, n, "dead_30d"));
    form_count(x, &out->injured, form_member(x, n, "injured"));
    return E_OK;
}

static err
read_lanes(struct form *x, struct case_conditions *out, const struct node *n)
{
    static const struct {
        const char *member;
        enum police_column column;
    } lanes[] = {{"lane_fast", COLUMN_lane_fast}, {"lane_slow", COLUMN_lane_slow}};
    for (size_t i = 0; i < COUNT_OF(lanes); i++) {
        const struct node *lane = form_member(x, n, lanes[i].member);
        struct case_police_code *code = lane ? case_add_conditions_lane_dividers(x->mem, out) : NULL;
        if (lane && !code)
            return E_TOO_LARGE;
        if (code)
            form_code(x, code, lanes[i].column, lane);
    }
    return E_OK;
}

static err
read_conditions(struct form *x, struct case_accident *a)
{
    const struct node *n = form_member(x, x->root, "conditions");
    struct case_conditions *out = n ? case_make_accident_conditions(x->mem, a) : NULL;
    if (!n)
        return E_OK;
    if (!out)
        return E_TOO_LARGE;
#define CONDITION(m) form_code(x, &out->m, COLUMN_##m, form_member(x, n, #m))
    CONDITION(weather);
    CONDITION(light);
    CONDITION(road_class);
    form_count(x, &out->speed_limit, form_member(x, n, "speed_limit"));
    CONDITION(road_form);
    CONDITION(position);
    CONDITION(pavement);
    CONDITION(surface);
    CONDITION(defect);
    CONDITION(obstacle);
    CONDITION(sight_quality);
    CONDITION(sight_distance);
    CONDITION(signal);
    CONDITION(signal_action);
    CONDITION(direction_divider);
    CONDITION(edge_line);
#undef CONDITION
    return read_lanes(x, out, n);
}

static err
read_accident(struct form *x)
{
    const struct node *agency = form_member(x, x->root, "agency"),
                      *handler = form_member(x, x->root, "handled_by");
    struct case_accident *a = case_make_accident(x->mem, x->c);
    if (!a)
        return E_TOO_LARGE;
    form_text(x, &a->accident_no, form_member(x, x->root, "accident_no"));
    form_text(x, &a->agency, handler ? handler : form_member(x, agency, "oid"));
    if (!handler) { /* a board's officer is not the accident's */
        form_text(x, &a->unit, form_member(x, agency, "unit"));
        form_text(x, &a->officer, form_member(x, agency, "officer"));
    }
    form_text(x, &a->class, form_member(x, x->root, "class"));
    form_text(x, &a->form_era, form_member(x, x->root, "form_era"));
    form_time(x, &a->occurred, form_member(x, x->root, "occurred"));
    form_code(x, &a->type, COLUMN_type, form_member(x, x->root, "type"));
    form_code(x, &a->cause_main, COLUMN_cause, form_member(x, x->root, "cause_main"));
    TRY(read_place(x, a));
    TRY(read_casualties(x, a));
    return read_conditions(x, a);
}

/* -- the whole -- */

static void
read_keys(struct form *x)
{
    const struct node *agency = form_member(x, x->root, "agency");
    x->inquest = form_member(x, x->root, "inquest");
    x->part = form_value(x, x->root, "part");
    x->oid = form_value(x, agency, "oid");
    x->handler = form_value(x, x->root, "handled_by");
    if (!x->handler.n)
        x->handler = x->oid;
    x->accident_no = form_value(x, x->root, "accident_no");
    x->era = police_era_of(form_value(x, x->root, "form_era"));
    if (!x->era)
        x->era =
            ERA_NEW; /* an inquest need not say it: it has no codes of the form but those of its parties */
}

static err
read_all(struct form *x)
{
    TRY(read_head(x));
    TRY(read_agency(x));
    TRY(read_event(x));
    if (!x->inquest)
        TRY(read_accident(x));
    TRY(form_parties(x));
    TRY(form_opinions(x));
    TRY(form_inquest(x));
    return x->failed ? fault_set(x->f, E_TOO_LARGE, "", "a record that fits the request's memory", "more")
                     : E_OK;
}

err
police_interpret(const struct tree *t, arena *mem, struct issues *issues, struct reading *ret,
                 struct fault *f)
{
    struct form x = {.t = t, .root = tree_root(t), .mem = mem, .issues = issues, .f = f};
    struct reading rd = {.kind = KIND_ACCIDENT_PART};
    size_t errors = issues->errors;
    if (x.root->kind != NODE_OBJECT)
        return fault_set(f, E_DOCUMENT_KIND, "", "an object", "another value");
    rd.facts = x.c = case_new(mem);
    if (!x.c)
        return E_TOO_LARGE;
    x.rd = &rd;
    read_keys(&x);
    const struct layout_document d = {.layout = record_layout(),
                                      .tree = t,
                                      .mem = mem,
                                      .issues = issues,
                                      .facts = x.c,
                                      .asks = x.inquest ? NEED_ALWAYS : NEED_MOSTLY};
    TRY(layout_check(&d, SHAPE_record));
    TRY(form_rules(&x));
    /* What is not in form is not interpreted: the caller sees the errors. */
    if (issues->errors == errors)
        TRY(read_all(&x));
    *ret = rd;
    return E_OK;
}
