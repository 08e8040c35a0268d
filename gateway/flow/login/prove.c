/* How the person proves to be one: a signature over the text on the page, or a presentation from the wallet of the same device. */
#include "flow/login/inside.h"

#include "adapters/adapter.h"
#include "base/text.h"
#include "flow/case/join.h"
#include "flow/evidence/seal.h"
#include "flow/person/signature.h"

/* ---- a certificate ---- */

/* National numbers and residents' numbers have one form and two systems: the second character tells (1, 2: citizens). */
static view
person_of_number(view number, arena *mem)
{
    bool right = number.n == 10;
    for (size_t i = 2; i < number.n; i++)
        right = right && number.p[i] >= '0' && number.p[i] <= '9';
    if (!right)
        return VIEW_NONE;
    bool citizen = number.p[1] == '1' || number.p[1] == '2';
    return person_key_text(citizen ? V("http://www.moi.gov.tw") : V("http://www.immigration.gov.tw"), number,
                           mem);
}

static err
refuse(struct fault *f, const char *where, const char *expected, const char *found)
{
    return fault_set(f, E_LOGIN_EVIDENCE, where, expected, found);
}

/* A certificate names its holder by the last four characters of the number only; so that nobody else's number with the same end is claimed with it, the
 * number that was first shown with a card stays the card's. */
static err
check_card(struct gateway *g, view card, view person, arena *mem, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_card *row = NULL;
    digest subject = BLIND(g->seal, "card", card), who = blind_person(g->seal, person);
    TRY(store_reader(g->store, &r));
    TRY(query_card(r, ARGS(val_digest(&subject)), mem, &row));
    return !row || digest_eq(&row->person, &who)
               ? E_OK
               : refuse(f, "number", "the number first shown with this card", "another");
}

err
login_by_certificate(struct gateway *g, struct exchange *x, const struct login_try *what, instant now,
                     arena *mem, struct proven *ret, struct fault *f)
{
    struct verdict *verdict = NULL;
    view payload, number = view_trim(form_field(what->form, "number", mem));
    TRY(signature_judge(g, view_trim(form_field(what->form, "signature", mem)), now, mem, &verdict, &payload,
                        f));
    const struct signature_out *sig = verdict_signature(verdict, 0);
    if (!view_eq(payload, login_challenge(x->request)))
        return refuse(f, "signature", "the text of this page, unchanged", "another");
    if (sig->signer.use != USE_MOICA || sig->signer.subject != SUBJECT_PERSON ||
        sig->signer.organisation.n < 4 || !sig->signer.licence.n)
        return refuse(f, "signature", "a citizen's certificate", "another");
    if (sig->level < LEVEL_CACHED_WITHIN_GRACE)
        return refuse(f, "signature", "a certificate whose status is known", "an unknown status");
    ret->person = person_of_number(number, mem);
    ret->card = sig->signer.licence;
    if (!ret->person.p || !view_ends(ret->person, sig->signer.organisation))
        return refuse(f, "number", "the number of the certificate's holder", "another");
    return check_card(g, ret->card, ret->person, mem, f);
}

/* ---- the code ---- */

static err
add_card(struct gateway *g, struct unit *u, const struct proven *who, instant now)
{
    struct row_card *row = who->card.n ? unit_add_card(u) : NULL;
    if (!who->card.n)
        return E_OK;
    if (!row)
        return E_TOO_LARGE;
    *row = (struct row_card){.subject = BLIND(g->seal, "card", who->card),
                             .person = blind_person(g->seal, who->person),
                             .at = now,
                             .op = ROW_KEEP};
    return E_OK;
}

static err
give_code(struct gateway *g, struct exchange *x, enum login_method method, const struct proven *who,
          instant now, arena *mem, view *ret_location, struct fault *f)
{
    struct unit u;
    view code = exchange_secret(mem);
    json_t *to = exchange_object(mem);
    digest person = blind_person(g->seal, who->person);
    const struct login_method_row *m = login_method_info(method);
    if (!to || !code.p)
        return E_TOO_LARGE;
    TRY(exchange_put(to, "person", text_hex(mem, digest_view(&person))));
    TRY(exchange_put(to, "method", view_of(m->word)));
    TRY(exchange_put(to, "acr", view_of(m->acr)));
    if (json_object_set_new(to, "auth_time_us", json_integer((json_int_t)now.us)) != 0)
        return E_TOO_LARGE;
    unit_init(&u, mem);
    TRY(add_card(g, &u, who, now));
    TRY(login_step(g, &u, x, "coded", code, instant_add(now, CODE_LIFE), to));
    err e = store_commit(g->store, &u);
    if (e == E_PRESENTATION_USED)
        return fault_set(f, E_LOGIN_STATE, "", "a login that waits", "one that is over");
    TRY(e);
    *ret_location = login_location(g, x->request, "code", code, mem);
    return ret_location->p ? E_OK : E_TOO_LARGE;
}

static err
cancel(struct gateway *g, struct exchange *x, instant now, arena *mem, view *ret_location)
{
    struct unit u;
    unit_init(&u, mem);
    TRY(login_step(g, &u, x, "denied", exchange_secret(mem), now, NULL));
    TRY(store_commit(g->store, &u));
    *ret_location = login_location(g, x->request, "error", V("access_denied"), mem);
    return ret_location->p ? E_OK : E_TOO_LARGE;
}

/* ---- a wallet ---- */

bool
login_has_wallet(const struct gateway *g)
{
    return g->outside && g->outside->has_wallet && g->outside->login_type.n;
}

/* Asks for a presentation; the page then shows the link.  The cookie stays the secret. */
err
login_by_wallet(struct gateway *g, struct exchange *x, const struct login_try *what, instant now, arena *mem,
                struct proven *ret, struct fault *f)
{
    struct login_presentation p;
    struct unit u;
    json_t *to = exchange_object(mem);
    (void)ret; /* who it is comes with the browser's return */
    if (!to)
        return E_TOO_LARGE;
    TRY(presentation_for_login(g, (partner_id){x->row->id}, now, mem, &p, f));
    TRY(exchange_put(to, "presentation", p.id));
    TRY(exchange_put(to, "link", p.link));
    unit_init(&u, mem);
    TRY(login_step(g, &u, x, "opened", what->cookie, x->row->expires, to));
    return store_commit(g->store, &u);
}

err
login_return(struct gateway *g, view cookie, view response_code, instant now, arena *mem, view *ret_location,
             struct fault *f)
{
    struct exchange x;
    struct proven who = {.person = VIEW_NONE};
    *ret_location = VIEW_NONE;
    TRY(login_find(g, cookie, "opened", now, mem, &x, f));
    if (!login_method_serves(g, LOGIN_WALLET, x.request))
        return fault_set(f, E_LOGIN_METHOD, "", "a method that the app asked for", "another");
    err e = presentation_of_login(g, (partner_id){x.row->id}, json_text(x.result, "presentation"),
                                  response_code, mem, &who.person, f);
    if (e == E_OK && who.person.n)
        e = give_code(g, &x, LOGIN_WALLET, &who, now, mem, ret_location, f);
    data_key_forget(&x.key);
    return e;
}

err
login_submit(struct gateway *g, view cookie, view form, instant now, arena *mem, view *ret_location,
             struct fault *f)
{
    struct exchange x;
    struct proven who = {.person = VIEW_NONE};
    const struct login_try what = {cookie, form};
    *ret_location = VIEW_NONE;
    TRY(form_once(form, f));
    TRY(login_find(g, cookie, "opened", now, mem, &x, f));
    view action = form_field(form, "action", mem);
    enum login_method m = login_method_of(action);
    err e;
    if (view_eq(action, V("cancel")))
        e = cancel(g, &x, now, mem, ret_location);
    else if (m == LOGIN_METHODS || !login_method_serves(g, m, x.request))
        e = fault_set(f, E_LOGIN_METHOD, "action", "a method that is set up, and that the app asked for",
                      "another");
    else if ((e = login_method_info(m)->proves(g, &x, &what, now, mem, &who, f)) == E_OK && who.person.n)
        e = give_code(g, &x, m, &who, now, mem, ret_location, f);
    data_key_forget(&x.key);
    return e;
}
