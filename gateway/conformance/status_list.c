/* sig/token-status-list: the draft's encodings, with the entries that its appendix names.
 *
 * A file holds one block of text.  What it stands for, the text itself says: a byte array and its encoding, an encoding
 * whose entries the appendix lists by number of bits, or a token in CBOR, which the gateway does not speak. */
#include "conformance/conformance.h"

#include "base/buf.h"
#include "base/text.h"
#include "signing/jose/status_list.h"

#include <ctype.h>
#include <stdlib.h>

static view
without_space(struct conformance_run *r, view text)
{
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, text.n + 1);
    for (size_t i = 0; i < text.n; i++)
        if (!isspace((unsigned char)text.p[i]))
            buf_add_byte(&out, text.p[i]);
    return arena_dup(r->mem, out.n ? buf_view(&out) : V(""));
}

/* The map {"bits": n, "lst": bytes} as the draft writes it, in hex: only its head is CBOR, the list goes through the same door. */
static bool
cbor_map_read(struct conformance_run *r, view hex, unsigned *ret_bits, view *ret_packed)
{
    static const view head = V_INIT("a26462697473"), middle = V_INIT("636c7374");
    view all, rest;
    if (!view_starts(hex, head) || text_hex_decode(hex, r->mem, &all) != E_OK || all.n < 14)
        return false;
    rest = view_sub(all, head.n / 2, all.n);
    *ret_bits = (uint8_t)rest.p[0];
    rest = view_sub(rest, 1 + middle.n / 2, rest.n);
    unsigned kind = (uint8_t)rest.p[0], skip = kind < 0x58 ? 1 : kind == 0x58 ? 2 : kind == 0x59 ? 3 : 0;
    *ret_packed = view_sub(rest, skip, rest.n);
    return skip > 0;
}

static err
list_read(struct conformance_run *r, view text, bool *ret_known, struct status_list *ret, struct fault *f)
{
    json_t *json = NULL;
    view packed = VIEW_NONE;
    unsigned bits = 0;
    size_t from = view_find(text, V("encoded:"));
    view plain = without_space(r, from < text.n ? view_sub(text, from + 8, text.n) : text);
    *ret_known = true;
    if (view_starts(plain, V("{\"bits\""))) {
        TRY(json_load(plain, r->mem, &json, f));
        bits = (unsigned)json_int(json, "bits", 0);
        TRY(text_base64url_decode(json_text(json, "lst"), r->mem, &packed));
    } else if (!cbor_map_read(r, plain, &bits, &packed)) {
        *ret_known = false;
        return E_OK;
    }
    return status_list_unpack(packed, bits, r->mem, ret, f);
}

/* "byte_array = [0xb9, 0xa3]" */
static view
byte_array(struct conformance_run *r, view text)
{
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 4096);
    size_t end = view_find(text, V("]"));
    if (!view_starts(text, V("byte_array")) || end == text.n)
        return VIEW_NONE;
    view rest = view_sub(text, 0, end);
    for (size_t at = view_find(rest, V("0x")); at + 4 <= rest.n; at = view_find(rest, V("0x"))) {
        view byte;
        if (text_hex_decode(view_sub(rest, at + 2, 2), r->mem, &byte) == E_OK)
            buf_add_view(&out, byte);
        rest = view_sub(rest, at + 4, rest.n);
    }
    return arena_dup(r->mem, buf_view(&out));
}

/* The appendix's section for lists of so many bits: from its heading to the next. */
static view
section_of(struct conformance_run *r, view appendix, unsigned bits)
{
    view heading = arena_printf(r->mem, "\n## %u-bit", bits);
    size_t from = view_find(appendix, heading);
    view section = view_sub(appendix, from + heading.n, appendix.n);
    return view_sub(section, 0, view_find(section, V("\n## ")));
}

static bool
number_of_bits(view text, unsigned *ret)
{
    *ret = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != '0' && text.p[i] != '1')
            return i > 0;
        *ret = *ret * 2 + (unsigned)(text.p[i] - '0');
    }
    return text.n > 0;
}

/* "status[1993] = 0b10" for each entry named; the others are 0.  The stored appendix is cut off inside the last section:
 * there the entries it still names are compared, and what others hold is left open. */
static bool
entries_agree(const struct status_list *l, view section, size_t *ret_named)
{
    size_t not_zero = 0, found = 0;
    unsigned value, expected;
    bool is_whole = true;
    *ret_named = 0;
    for (size_t at = view_find(section, V("status[")); at < section.n;
         at = view_find(section, V("status["))) {
        uint64_t index = 0;
        section = view_sub(section, at + 7, section.n);
        view rest = section, number = view_cut(&rest, ']', NULL);
        is_whole = number_of_bits(view_sub(rest, view_find(rest, V("0b")) + 2, 8), &expected);
        if (!is_whole)
            break;
        if (text_to_u64(number, &index) != E_OK || status_list_get(l, index, &value, NULL) != E_OK ||
            value != expected)
            return false;
        not_zero += expected != 0;
        ++*ret_named;
    }
    for (uint64_t i = 0; i < l->bytes.n * 8 / l->bits; i++)
        found += status_list_get(l, i, &value, NULL) == E_OK && value != 0;
    return found == not_zero || !is_whole;
}

static err
judge_list(struct conformance_run *r, view name, view text, const struct status_list *l, struct fault *f)
{
    view bytes = byte_array(r, text), appendix;
    size_t named = 0;
    unsigned value;
    if (bytes.n) {
        conformance_case(r, name, view_eq(bytes, l->bytes) ? CONFORMANCE_AGREE : CONFORMANCE_WRONG_VALUE,
                         "%s", "other bytes");
        return E_OK;
    }
    TRY(conformance_file(r, V("draft-test-vectors-appendix.md"), &appendix, f));
    bool good = entries_agree(l, section_of(r, appendix, l->bits), &named) && named > 0 &&
                status_list_get(l, l->bytes.n * 8 / l->bits, &value, NULL) == E_STATUS_INDEX;
    conformance_case(r, name, good ? CONFORMANCE_AGREE : CONFORMANCE_WRONG_VALUE, "%s", "other entries");
    return E_OK;
}

static err
judge(struct conformance_run *r, const json_t *one, struct fault *f)
{
    view name = json_text(one, "id"), text;
    struct status_list l;
    bool known = false;
    struct jws_parts jwt;
    TRY(conformance_file(r, name, &text, f));
    err e = list_read(r, text, &known, &l, f);
    if (known && e != E_OK) {
        conformance_case(r, name, CONFORMANCE_WRONG_REJECT, "%s", err_info(e)->code);
        return E_OK;
    }
    if (known)
        return judge_list(r, name, text, &l, f);
    /* The JWT of the draft comes without its key: its form is all that can be judged. */
    if (view_starts(text, V("ey")) && jws_split(without_space(r, text), r->mem, &jwt, NULL) == E_OK &&
        view_eq(jwt.header.typ, V("statuslist+jwt")))
        conformance_case(r, name, CONFORMANCE_SKIPPED, "%s", "a signed token whose key is not in the set");
    else
        conformance_case(r, name, CONFORMANCE_SKIPPED, "%s",
                         "an explanation in words, or a CWT, which the gateway does not speak");
    return E_OK;
}

err
conformance_status_list(struct conformance_run *r, struct fault *f)
{
    return conformance_each(r, judge, f);
}
