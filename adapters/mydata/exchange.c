/* The three steps with the platform before there is a package. */
#include "adapters/mydata/mydata.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include "signing/jose/aes_cbc.h"

#include <ctype.h>
#include <stdio.h>

#define SECRET_SIZE 16
#define URL_MAX 4096

static void
add_escaped(struct buf *out, view text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (isalnum(c) || strchr("-._~", c))
            buf_add_byte(out, (char)c);
        else
            buf_printf(out, "%%%02X", c);
    }
}

err
mydata_redirect(const struct mydata_client *c, const view *resources, size_t n, view tx_id, view return_url,
                arena *mem, view *ret_url, struct fault *f)
{
    struct buf list AUTO_DONE(buf_done), out AUTO_DONE(buf_done);
    buf_init(&list, URL_MAX);
    buf_init(&out, URL_MAX);
    if (n == 0 || n > MYDATA_RESOURCES_MAX)
        return fault_set(f, E_PARAMETER, "resources", "one to eight data sets", "another number");
    for (size_t i = 0; i < n; i++)
        buf_printf(&list, "%s%.*s", i ? ":" : "", VIEW_ARG(resources[i]));
    buf_printf(&out, "%.*s/service/", VIEW_ARG(c->platform));
    add_escaped(&out, c->client_id);
    buf_add_byte(&out, '/');
    add_escaped(&out, text_base64(mem, buf_view(&list)));
    buf_printf(&out, "/%.*s?returnUrl=", VIEW_ARG(tx_id));
    add_escaped(&out, return_url);
    *ret_url = out.failed || list.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    return ret_url->p ? E_OK : E_TOO_LARGE;
}

static err
key_open(const struct mydata_client *c, view sealed, arena *mem, view *ret, struct fault *f)
{
    char key[2 * SECRET_SIZE];
    view bytes, plain;
    if (c->secret.n != SECRET_SIZE || c->iv.n != AES_CBC_IV)
        return fault_set(f, E_CONFIG, "mydata", "a secret and a vector of 16 characters each",
                         "another length");
    memcpy(key, c->secret.p, SECRET_SIZE);
    memcpy(key + SECRET_SIZE, c->secret.p, SECRET_SIZE);
    if (text_base64_decode(sealed, mem, &bytes) != E_OK ||
        aes_cbc_open(view_make(key, sizeof key), c->iv, bytes, mem, &plain) != E_OK || plain.n != AES_CBC_KEY)
        return fault_set(f, E_SIGNATURE_MISMATCH, "/secret_key", "a key sealed under our secret", "another");
    *ret = plain;
    return E_OK;
}

static bool
is_token(view text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!isalnum((unsigned char)text.p[i]) && !strchr("-._~+/=", text.p[i]))
            return false;
    return text.n > 0 && text.n <= 512;
}

err
mydata_notice_read(const struct mydata_client *c, view json, arena *mem, struct mydata_notice *ret,
                   struct fault *f)
{
    struct mydata_notice n = {0};
    json_t *said = NULL;
    TRY(json_load(json, mem, &said, f));
    const json_t *missing = json_member(said, "unable_to_deliver");
    n.tx_id = json_text(said, "tx_id");
    n.permission_ticket = json_text(said, "permission_ticket");
    /* Both become header values. */
    if (!is_token(n.tx_id) || !is_token(n.permission_ticket))
        return fault_set(f, E_SCHEMA, "/permission_ticket", "tx_id and permission_ticket", "something else");
    if (missing && (!json_is_array(missing) || json_array_size(missing) > MYDATA_RESOURCES_MAX))
        return fault_set(f, E_SCHEMA, "/unable_to_deliver", "a list of at most eight", "something else");
    for (size_t i = 0; i < json_array_size(missing); i++) {
        const json_t *one = json_array_get(missing, i);
        if (!json_is_string(one))
            return fault_set(f, E_SCHEMA, "/unable_to_deliver", "texts", "something else");
        n.undelivered[n.n_undelivered++] = view_make(json_string_value(one), json_string_length(one));
    }
    TRY(key_open(c, json_text(said, "secret_key"), mem, &n.key, f));
    *ret = n;
    return E_OK;
}

err
mydata_fetch_call(const struct mydata_client *c, const struct mydata_notice *notice, arena *mem,
                  struct adapter_call *ret)
{
    view url = arena_printf(mem, "%.*s/service/data", VIEW_ARG(c->platform));
    if (!url.p)
        return E_TOO_LARGE;
    *ret = (struct adapter_call){
        .method = "GET",
        .url = url,
        .headers = {{"permission_ticket", notice->permission_ticket}, {"tx_id", notice->tx_id}},
        .n_headers = 2,
        .answer_max = MYDATA_PACKAGE_MAX,
    };
    return E_OK;
}

err
mydata_fetch_judge(const struct adapter_answer *a, struct fault *f)
{
    static const struct {
        int status;
        err means;
        const char *found;
    } answers[] = {
        {201, E_MYDATA_TAKEN, "taken before"},
        {401, E_MYDATA_REFUSED, "our address is not on the platform's list"},
        {403, E_MYDATA_REFUSED, "the ticket is not valid"},
        {429, E_MYDATA_NOT_READY, "not ready"},
        {504, E_MYDATA_REFUSED, "no provider answered"},
    };
    view media = a->media_type;
    if (a->status == 200)
        return view_eq_nocase(view_trim(view_cut(&media, ';', NULL)), V("application/jwe"))
                   ? E_OK
                   : fault_set(f, E_MEDIA_TYPE, "platform's answer", "application/jwe", "another type");
    for (size_t i = 0; i < COUNT_OF(answers); i++)
        if (a->status == answers[i].status)
            return fault_set(f, answers[i].means, "platform's answer", "200", answers[i].found);
    return fault_set(f, E_MYDATA_REFUSED, "platform's answer", "200", "another status");
}
