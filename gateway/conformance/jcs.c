/* RFC 8785: canonical documents and numbers. */
#include "conformance/judge.h"

#include "base/buf.h"
#include "base/jcs.h"
#include "base/text.h"

#define DOCUMENT_MAX (8u << 20)

static void
equal(struct conformance_run *r, view id, view got, view want)
{
    conformance_case(r, id, view_eq(got, want) ? CONFORMANCE_AGREE : CONFORMANCE_WRONG_VALUE, "other bytes");
}

static err
judge_document(struct conformance_run *r, const json_t *one, struct fault *f)
{
    view input, output;
    struct tree tree;
    struct buf got AUTO_DONE(buf_done);
    buf_init(&got, DOCUMENT_MAX);
    TRY(conformance_file(r, json_text(one, "input"), &input, f));
    TRY(conformance_file(r, json_text(one, "output"), &output, f));
    err e = tree_read_json(input, NULL, r->mem, &tree, NULL);
    if (e == E_OK)
        e = jcs_write(&tree, tree_root(&tree), NULL, 0, &got);
    if (e != E_OK)
        judge_case(r, judge_id(one), true, e, NULL);
    else
        equal(r, judge_id(one), buf_view(&got), output);
    return E_OK;
}

err
conformance_jcs(struct conformance_run *r, struct fault *f)
{
    return conformance_each(r, judge_document, f);
}

static bool
double_of_hex(view hex, double *ret)
{
    uint64_t bits = 0;
    if (hex.n == 0 || hex.n > 16)
        return false;
    for (size_t i = 0; i < hex.n; i++) {
        const char *digits = "0123456789abcdef", *at = memchr(digits, hex.p[i], 16);
        if (!at)
            return false;
        bits = bits << 4 | (uint64_t)(at - digits);
    }
    memcpy(ret, &bits, sizeof *ret);
    return true;
}

/* A line "bits in hex,text". */
err
conformance_jcs_numbers(struct conformance_run *r, struct fault *f)
{
    view lines;
    TRY(conformance_file(r, V("numbers.txt"), &lines, f));
    while (lines.n > 0) {
        view want = view_trim(view_cut(&lines, '\n', NULL));
        view hex = view_cut(&want, ',', NULL);
        double number;
        char out[40];
        if (hex.n == 0)
            continue;
        if (!double_of_hex(hex, &number))
            conformance_case(r, hex, CONFORMANCE_SKIPPED, "no hexadecimal number");
        else
            equal(r, hex, jcs_number(number, out), want);
    }
    return E_OK;
}
