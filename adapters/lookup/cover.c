#include "adapters/lookup/cover.h"

#include "base/buf.h"
#include "base/text.h"

#define ANSWER_FORMAT "cover-answer-1"
#define QUESTION_FORMAT "cover-question-1"
#define TEXT_MOST 64
#define SHOWN 4 /* characters of a masked number */

static const char *const words[COVER_WORDS] = {"insured", "not_ours", "uninsured", "unknown"};

const char *
cover_word(enum cover_word w)
{
    return w < COVER_WORDS ? words[w] : "";
}

enum cover_word
cover_word_of(view text)
{
    int i = 0;
    while (i < COVER_WORDS && !view_eq(text, view_of(words[i])))
        i++;
    return (enum cover_word)i;
}

/* -- out -- */

err
cover_question_print(const struct cover_question *q, arena *mem, view *ret)
{
    struct buf out AUTO_DONE(buf_done);
    char day[16];
    buf_init(&out, 4096);
    BUF_LIT(&out, "{\"format\":\"" QUESTION_FORMAT "\",\"question\":");
    buf_add_json(&out, q->id);
    BUF_LIT(&out, ",\"to\":");
    buf_add_json(&out, q->to);
    BUF_LIT(&out, ",\"plate\":");
    buf_add_json(&out, q->plate);
    buf_printf(&out, ",\"date\":\"%.*s\"}", VIEW_ARG(date_print(q->day, day)));
    *ret = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    return ret->p ? E_OK : E_TOO_LARGE;
}

/* -- in -- */

err
cover_open(const struct adapter_answer *said, arena *mem, struct cover_paper *ret, struct fault *f)
{
    bool has_payload = false, has_signature = false;
    view rest = view_trim(said->body);
    if (said->status != 200)
        return fault_set(f, E_LOOKUP_UNANSWERED, "status", "200", "another, or no answer");
    view header = view_cut(&rest, '.', &has_payload), payload = view_cut(&rest, '.', &has_signature);
    if (!has_payload || !has_signature || !payload.n || view_find_byte(rest, '.') < rest.n)
        return fault_set(f, E_SIGNATURE_FORM, "body", "a compact JWS", "another form");
    if (text_base64url_decode(payload, mem, &ret->body) != E_OK)
        return fault_set(f, E_SIGNATURE_FORM, "body", "base64url", "another form");
    ret->signature = arena_printf(mem, "%.*s..%.*s", VIEW_ARG(header), VIEW_ARG(rest));
    return ret->signature.p ? E_OK : E_TOO_LARGE;
}

struct answering {
    const struct tree *t;
    const struct node *root;
    const struct cover_question *q;
    arena *mem;
    struct fault *f;
    struct cover_answer *out;
};

static const struct member {
    const char *name;
    bool required;
} members[] = {{"format", true},      {"question", true}, {"by", true},
               {"plate", true},       {"date", true},     {"answer", true},
               {"answered_at", true}, {"insurer", false}, {"certificate_no", false},
               {"from", false},       {"to", false}};

static const struct node *
member_of(const struct answering *a, const char *name)
{
    return node_member(a->t, a->root, view_of(name));
}

static view
text_of(const struct answering *a, const char *name)
{
    return node_text(a->t, member_of(a, name));
}

static bool
is_plain(view text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] <= ' ' || (unsigned char)text.p[i] >= 0x7F)
            return false;
    return text.n > 0 && text.n <= TEXT_MOST;
}

static err
check_form(const struct answering *a)
{
    uint32_t known = 0;
    if (a->root->kind != NODE_OBJECT)
        return fault_set(a->f, E_SCHEMA, "", "an object", "another value");
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        const struct node *n = member_of(a, members[i].name);
        known += n != NULL;
        if (n ? n->kind != NODE_STRING || !is_plain(node_text(a->t, n)) : members[i].required)
            return fault_setf(a->f, E_SCHEMA, "1 to 64 ASCII characters", n ? "another form" : "none", "/%s",
                              members[i].name);
    }
    if (known != node_count(a->root))
        return fault_set(a->f, E_SCHEMA, "", "the members of cover-answer-1 alone", "a further one");
    return view_eq(text_of(a, "format"), V(ANSWER_FORMAT))
               ? E_OK
               : fault_set(a->f, E_SCHEMA, "/format", ANSWER_FORMAT, "another word");
}

static err
differs(const struct answering *a, const char *where, const char *expected)
{
    return fault_set(a->f, E_LOOKUP_ANSWER, where, expected, "another");
}

/* Only an answer to this question, of who was asked. */
static err
check_question(const struct answering *a)
{
    char day[16];
    if (!view_eq(text_of(a, "question"), a->q->id))
        return differs(a, "/question", "the question that was asked");
    if (!view_eq(text_of(a, "by"), a->q->to))
        return differs(a, "/by", "who was asked");
    if (!view_eq(text_of(a, "plate"), a->q->plate))
        return differs(a, "/plate", "the plate that was asked for");
    if (!view_eq(text_of(a, "date"), date_print(a->q->day, day)))
        return differs(a, "/date", "the day that was asked for");
    return E_OK;
}

static err
read_day(const struct answering *a, const char *name, date *ret)
{
    view text = text_of(a, name);
    if (text.n && (date_parse(text, ret) != E_OK || ret->precision != DATE_DAY))
        return fault_setf(a->f, E_SCHEMA, "YYYY-MM-DD", "another form", "/%s", name);
    return E_OK;
}

/* Who says "insured" names the policy, and it covers the day.  An insurer speaks for itself; the register for all. */
static err
check_policy(const struct answering *a)
{
    struct cover_answer *o = a->out;
    bool is_insured = o->word == COVER_INSURED;
    if (o->word == COVER_WORDS)
        return fault_set(a->f, E_SCHEMA, "/answer", "insured, not_ours, uninsured or unknown",
                         "another word");
    if ((o->word == COVER_UNINSURED && !a->q->of_register) ||
        (o->word == COVER_NOT_OURS && a->q->of_register))
        return differs(a, "/answer", "a word that the one who was asked can say");
    if (!is_insured)
        return o->insurer.n || o->certificate_no.n || text_of(a, "from").n || text_of(a, "to").n
                   ? differs(a, "/answer", "no policy where none is")
                   : E_OK;
    if (!o->insurer.n || !o->certificate_no.n || !text_of(a, "from").n || !text_of(a, "to").n)
        return differs(a, "/answer", "insurer, number and period of the policy");
    if (!a->q->of_register && !view_eq(o->insurer, a->q->to))
        return differs(a, "/insurer", "who was asked");
    if (date_days(a->q->day) < date_days(o->from) || date_days(a->q->day) > date_days(o->to))
        return differs(a, "/from", "a period with the day that was asked for in it");
    return E_OK;
}

/* -- facts -- */

static void
copy_text(const struct answering *a, struct leaf_text *leaf, const char *name)
{
    const struct node *n = member_of(a, name);
    if (n)
        leaf_set_text(leaf, node_text(a->t, n), source_of_node(n, HOW_COPIED));
}

static err
add_insurer(const struct answering *a, struct claim_case *c, struct case_vehicle_cali *cali)
{
    const struct node *n = member_of(a, "insurer");
    struct case_party *p = case_add_parties(a->mem, c);
    struct case_organisation *o = p ? case_make_party_organisation(a->mem, p) : NULL;
    struct case_organisation_identifier *id = o ? case_add_organisation_identifiers(a->mem, o) : NULL;
    if (!id)
        return E_TOO_LARGE;
    leaf_set_text(&p->kind, V("organisation"), source_of_node(n, HOW_MAPPED));
    leaf_set_text(&o->kind, V("insurer"), source_of_node(n, HOW_MAPPED));
    leaf_set_text(&id->type, V("ubn"), source_of_node(n, HOW_MAPPED));
    copy_text(a, &id->value, "insurer");
    return case_ref(a->mem, &cali->insurer, p->id, source_of_node(n, HOW_MAPPED)) ? E_OK : E_TOO_LARGE;
}

/* The number stays in the paper: whose it is not does not need it. */
static err
add_cover(const struct answering *a, struct claim_case *c, struct case_vehicle *v)
{
    const struct node *word = member_of(a, "answer"), *at = member_of(a, "answered_at");
    struct case_vehicle_cali *cali = case_make_vehicle_cali(a->mem, v);
    if (!cali)
        return E_TOO_LARGE;
    copy_text(a, &cali->status, "answer");
    leaf_set_text(&cali->source, V("lookup"), source_of_node(word, HOW_MAPPED));
    if (leaf_parse_time(&cali->checked_at, node_text(a->t, at), source_of_node(at, HOW_PARSED)) != E_OK)
        return fault_set(a->f, E_SCHEMA, "/answered_at", "an RFC 3339 time", "another form");
    if (a->out->word != COVER_INSURED)
        return E_OK;
    TRY(add_insurer(a, c, cali));
    if (leaf_parse_time(&cali->period.start, text_of(a, "from"),
                        source_of_node(member_of(a, "from"), HOW_PARSED)) != E_OK ||
        leaf_parse_time(&cali->period.end, text_of(a, "to"),
                        source_of_node(member_of(a, "to"), HOW_PARSED)) != E_OK)
        return E_INTERNAL; /* read before */
    return E_OK;
}

static err
add_facts(const struct answering *a, struct claim_case *c)
{
    struct case_vehicle *v = case_add_vehicles(a->mem, c);
    if (!v)
        return E_TOO_LARGE;
    const struct node *plate = member_of(a, "plate");
    leaf_set_text(&v->plate, a->q->written.n ? a->q->written : node_text(a->t, plate),
                  source_of_node(plate, HOW_MAPPED));
    return a->out->word == COVER_INSURED || a->out->word == COVER_UNINSURED ? add_cover(a, c, v) : E_OK;
}

err
cover_interpret(const struct tree *t, const struct cover_question *q, arena *mem, struct reading *ret,
                struct cover_answer *ret_answer, struct fault *f)
{
    struct cover_answer answer = {.word = COVER_WORDS};
    const struct answering a = {t, tree_root(t), q, mem, f, &answer};
    instant at;
    TRY(check_form(&a));
    TRY(check_question(&a));
    answer.word = cover_word_of(text_of(&a, "answer"));
    answer.insurer = text_of(&a, "insurer");
    answer.certificate_no = text_of(&a, "certificate_no");
    TRY(read_day(&a, "from", &answer.from));
    TRY(read_day(&a, "to", &answer.to));
    TRY(check_policy(&a));
    if (instant_parse(text_of(&a, "answered_at"), &at, NULL) != E_OK)
        return fault_set(f, E_SCHEMA, "/answered_at", "an RFC 3339 time", "another form");
    bool tells = answer.word == COVER_INSURED || answer.word == COVER_UNINSURED;
    struct reading rd = {.kind = tells ? KIND_CALI_ANSWER : KIND_CALI_DENIAL,
                         .profile = V(ANSWER_FORMAT),
                         .unique_identity = true,
                         .identifier_system = V(COVER_ANSWER_SYSTEM),
                         .identifier_value = q->id,
                         .author = q->to,
                         .facts = case_new(mem)};
    if (!rd.facts)
        return E_TOO_LARGE;
    TRY(add_facts(&a, rd.facts));
    *ret = rd;
    *ret_answer = answer;
    return E_OK;
}

view
cover_masked(view number, arena *mem)
{
    size_t hidden = number.n > 2 * SHOWN ? number.n - SHOWN : number.n;
    char *out = arena_alloc(mem, number.n + 1);
    if (!out)
        return VIEW_NONE;
    memset(out, '*', hidden);
    if (hidden < number.n)
        memcpy(out + hidden, number.p + hidden, number.n - hidden);
    return view_make(out, number.n);
}
