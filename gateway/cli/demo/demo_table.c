#include "cli/demo/demo.h"

#include "base/text.h"
#include "cli/demo/screen.h"
#include "signing/sandbox/pki_sandbox.h"

#include <stdio.h>
#include <unistd.h>

/* -- what was told -- */

static const char *
keep(struct demo *d, const json_t *json, const char *name)
{
    const char *text = arena_cstr(d->mem, json_text(json, name).p ? json_text(json, name) : V(""));
    return text ? text : "";
}

static void
take_step(struct demo *d, const json_t *json)
{
    if (d->n_steps == DEMO_ROWS)
        return;
    d->steps[d->n_steps++] =
        (struct step){keep(d, json, "step"), keep(d, json, "by"), json_bool(json, "ok", false)};
    if (!d->a->json && !d->a->quiet) {
        demo_progress(d, true);
        demo_print_steps(d, d->n_steps - 1);
    }
}

static void
take_refusal(struct demo *d, const json_t *json)
{
    if (d->n_refusals == DEMO_ROWS)
        return;
    struct refusal *r = &d->refusals[d->n_refusals++];
    *r = (struct refusal){keep(d, json, "refused"),
                          keep(d, json, "by"),
                          keep(d, json, "code"),
                          keep(d, json, "expected"),
                          keep(d, json, "place"),
                          (int)json_int(json, "status", 0),
                          false};
    r->ok = strcmp(r->code, r->expected) == 0;
}

static void
take_report(struct demo *d, const json_t *j)
{
    if (d->n_recipients == COUNT_OF(d->recipients))
        return;
    size_t at = d->n_recipients++;
    for (; at && strcmp(d->recipients[at - 1].name, keep(d, j, "name")) > 0; at--)
        d->recipients[at] = d->recipients[at - 1];
    d->recipients[at] = (struct recipient){
        .name = keep(d, j, "name"),
        .via = keep(d, j, "via"),
        .view = keep(d, j, "view"),
        .events = json_int(j, "events", 0),
        .missing = json_int(j, "missing", 0),
        .unannounced = json_int(j, "unannounced", 0),
        .claims = json_int(j, "claims", 0),
        .documents = json_int(j, "documents", 0),
        .originals = json_int(j, "originals", 0),
        .lines_seen = json_int(j, "lines_seen", 0),
        .lines_not = json_int(j, "lines_not", 0),
        .diagnosis_seen = json_int(j, "diagnosis_seen", 0),
        .diagnosis_not = json_int(j, "diagnosis_not", 0),
        .attempts = json_int(j, "attempts", 0),
        .statuses = json_int(j, "statuses", 0),
        .median_us = json_int(j, "median_us", -1),
        .bad_signatures = json_int(j, "bad_signatures", 0),
    };
}

void
demo_take(void *self, const json_t *told)
{
    struct demo *d = self;
    if (json_text(told, "step").n) {
        take_step(d, told);
    } else if (json_text(told, "refused").n) {
        take_refusal(d, told);
    } else if (json_text(told, "decided").n) {
        snprintf(d->peek, sizeof d->peek, "%.*s", VIEW_ARG(json_text(told, "decided")));
    } else if (json_member(told, "report")) {
        take_report(d, json_member(told, "report"));
    } else if (json_text(told, "document").n) {
        d->documents_sent++;
        d->documents_failed += !json_bool(told, "ok", false);
    } else if (json_text(told, "application").n) {
        bool ok = json_bool(told, "ok", false);
        d->totals.applications += ok;
        d->applications_failed += !ok;
        d->totals.verified_applications += ok ? json_int(told, "signatures", 0) : 0;
    }
}

/* -- the gateway's own count -- */

/* Sum of a metric's values over the label sets in which `part` stands. */
static int64_t
metric_sum(view text, view name, view part)
{
    int64_t sum = 0, n = 0;
    while (text.n) {
        view line = view_cut(&text, '\n', NULL);
        size_t space = view_find_byte(line, ' ');
        view key = view_sub(line, 0, space), labels = view_sub(key, name.n, key.n);
        bool same = view_starts(key, name) && (labels.n == 0 || labels.p[0] == '{');
        if (same && view_find(labels, part) < labels.n + (part.n == 0) &&
            text_to_i64(view_sub(line, space + 1, line.n), &n) == E_OK)
            sum += n;
    }
    return sum;
}

err
demo_read_metrics(struct demo *d, struct fault *f)
{
    const struct net_policy policy = {.allow_private = true};
    struct net_reply reply;
    view url = arena_printf(d->mem, "http://127.0.0.1:%d/metrics", d->cast.ops_port);
    const struct net_request rq = {.method = "GET", .url = url, .reply_max = 1u << 20};
    TRY(net_fetch(&policy, &rq, d->mem, &reply, f));
    struct totals *t = &d->totals;
    t->accepted = metric_sum(reply.body, V("claimgate_submissions_total"), V("result=\"accepted\""));
    t->verified = metric_sum(reply.body, V("claimgate_signature_verifications_total"), V("result=\"ok\""));
    t->refused_signatures =
        metric_sum(reply.body, V("claimgate_signature_verifications_total"), V("result=\"refused\""));
    t->deliveries = metric_sum(reply.body, V("claimgate_delivery_attempts_total"), V("\"delivered\""));
    t->retries = metric_sum(reply.body, V("claimgate_delivery_attempts_total"), V("\"retry\""));
    t->leaves = metric_sum(reply.body, V("claimgate_log_chain_length"), V(""));
    return E_OK;
}

/* -- did it come out as it must -- */

static bool
recipient_holds(const struct recipient *r)
{
    bool only_certificates = strcmp(r->name, "l1") == 0;
    bool view_right = only_certificates ? r->lines_seen == 0 && strcmp(r->view, "fixed_benefit_insurer") == 0
                                        : r->lines_seen > 0 || r->claims == 0;
    bool original = strcmp(r->name, "l2") != 0 || r->originals > 0;
    return r->missing == 0 && r->unannounced == 0 && r->bad_signatures == 0 && view_right && original;
}

bool
demo_holds(const struct demo *d)
{
    bool ok = d->n_recipients == 6 && d->documents_failed == 0 && d->applications_failed == 0 &&
              d->totals.accepted == d->documents_sent;
    for (size_t i = 0; i < d->n_recipients; i++)
        ok = ok && recipient_holds(&d->recipients[i]);
    for (size_t i = 0; i < d->n_refusals; i++)
        ok = ok && d->refusals[i].ok;
    for (size_t i = 0; i < d->n_steps; i++)
        ok = ok && d->steps[i].ok;
    return ok;
}

/* -- printing -- */

void
demo_progress(struct demo *d, bool last)
{
    static int64_t next_us, drawn;
    if (!d->progress || (!last && clock_monotonic_us() < next_us) || (last && !drawn))
        return;
    next_us = clock_monotonic_us() + 100000;
    drawn = !last;
    if (last)
        fprintf(stderr, "\r\033[K");
    else
        fprintf(stderr, "\r\033[K  %lld documents, %lld applications, %zu refusals …",
                (long long)d->documents_sent, (long long)d->totals.applications, d->n_refusals);
    fflush(stderr);
}

void
demo_print_steps(const struct demo *d, size_t from)
{
    for (size_t i = from; i < d->n_steps; i++) {
        screen_mark(d->steps[i].ok);
        screen_cell(view_of(d->steps[i].by), 4);
        printf("%s\n", d->steps[i].text);
    }
    fflush(stdout);
}

/* "L1 沙箱第一人壽": six characters of the name are enough to know the company. */
static view
short_name(const char *name, arena *mem)
{
    for (size_t i = 0; i < sandbox_parties_count; i++) {
        if (strcmp(sandbox_parties[i].name, name) != 0)
            continue;
        view full = view_of(sandbox_parties[i].common_name);
        size_t at = 0;
        for (int k = 0; k < 6 && at < full.n; k++)
            text_next_scalar(full, &at);
        return arena_printf(mem, "%c%c %.*s", name[0] - 'a' + 'A', name[1], (int)at, full.p);
    }
    return view_of(name);
}

static void
print_recipients(const struct demo *d)
{
    printf("\n%sWhat each recipient got%s\n", screen_paint("\033[1m"), screen_paint("\033[0m"));
    printf("  recipient         via      claims  events  documents  originals  lines yes/no  diagnosis "
           "yes/no  attempts  median    view\n");
    for (size_t i = 0; i < d->n_recipients; i++) {
        const struct recipient *r = &d->recipients[i];
        char lines[32], diagnosis[32];
        snprintf(lines, sizeof lines, "%lld/%lld", (long long)r->lines_seen, (long long)r->lines_not);
        snprintf(diagnosis, sizeof diagnosis, "%lld/%lld", (long long)r->diagnosis_seen,
                 (long long)r->diagnosis_not);
        printf("  ");
        screen_cell(short_name(r->name, d->mem), 18);
        printf("%-7s  %6lld  %6lld  %9lld  %9lld  %12s  %16s  %8lld  ", r->via, (long long)r->claims,
               (long long)r->events, (long long)r->documents, (long long)r->originals, lines, diagnosis,
               (long long)r->attempts);
        if (r->median_us < 0)
            printf("     –    ");
        else
            printf("%5.*f %s  ", r->median_us < 1000000 ? 0 : 2,
                   (double)r->median_us / (r->median_us < 1000000 ? 1e3 : 1e6),
                   r->median_us < 1000000 ? "ms" : "s ");
        printf("%s%s\n", r->view, recipient_holds(r) ? "" : "   <- not as it must be");
    }
    printf("  L1 pulls the feed and commits; the others get signed webhooks and then fetch. P2 answers 503 "
           "twice, P3 takes 3 s for each answer.\n");
}

static void
print_refusals(const struct demo *d)
{
    printf("\n%sWhat was refused%s\n", screen_paint("\033[1m"), screen_paint("\033[0m"));
    printf("        by   what                                            HTTP  code                       "
           "place\n");
    for (size_t i = 0; i < d->n_refusals; i++) {
        const struct refusal *r = &d->refusals[i];
        screen_mark(r->ok);
        screen_cell(view_of(r->by), 5);
        screen_cell(view_of(r->what), 48);
        printf("%4d  %-26s %s\n", r->status, r->code, r->place);
        if (!r->ok)
            printf("             expected %s\n", r->expected);
    }
}

void
demo_print(const struct demo *d)
{
    const struct totals *t = &d->totals;
    if (d->a->quiet)
        return;
    print_recipients(d);
    print_refusals(d);
    printf("\n%sTotals%s\n", screen_paint("\033[1m"), screen_paint("\033[0m"));
    printf("  documents accepted    %6lld of %lld good ones, and %lld applications\n", (long long)t->accepted,
           (long long)d->documents_sent, (long long)t->applications);
    printf("  signatures            %6lld verified on documents, %lld on applications; %lld refused\n",
           (long long)t->verified, (long long)t->verified_applications, (long long)t->refused_signatures);
    printf("  deliveries            %6lld by webhook (%lld attempts failed and were made again)\n",
           (long long)t->deliveries, (long long)t->retries);
    printf("  refused               %6zu of %zu hostile requests, each with its own code\n", d->n_refusals,
           d->n_refusals);
    printf("  log                   %6lld leaves\n", (long long)t->leaves);
    printf("  wall time             %6.1f s\n", (double)t->wall_us / 1e6);
}

/* -- JSON -- */

static void
put_text(struct buf *out, const char *before, const char *text)
{
    buf_add_view(out, view_of(before));
    buf_add_json(out, view_of(text));
}

static void
put_rows(const struct demo *d, struct buf *out)
{
    BUF_LIT(out, "{\"recipients\":[");
    for (size_t i = 0; i < d->n_recipients; i++) {
        const struct recipient *r = &d->recipients[i];
        put_text(out, i ? ",{\"name\":" : "{\"name\":", r->name);
        put_text(out, ",\"via\":", r->via);
        put_text(out, ",\"view\":", r->view);
        buf_printf(out,
                   ",\"claims\":%lld,\"events\":%lld,\"missing\":%lld,\"unannounced\":%lld,\"documents\":%"
                   "lld,\"originals\":%lld,\"lines\":{\"yes\":%lld,\"no\":%lld},",
                   (long long)r->claims, (long long)r->events, (long long)r->missing,
                   (long long)r->unannounced, (long long)r->documents, (long long)r->originals,
                   (long long)r->lines_seen, (long long)r->lines_not);
        buf_printf(out,
                   "\"diagnosis\":{\"yes\":%lld,\"no\":%lld},\"attempts\":%lld,\"statuses\":%lld,\"median_"
                   "us\":%lld,\"ok\":%s}",
                   (long long)r->diagnosis_seen, (long long)r->diagnosis_not, (long long)r->attempts,
                   (long long)r->statuses, (long long)r->median_us, recipient_holds(r) ? "true" : "false");
    }
    BUF_LIT(out, "],\"refused\":[");
    for (size_t i = 0; i < d->n_refusals; i++) {
        const struct refusal *r = &d->refusals[i];
        put_text(out, i ? ",{\"what\":" : "{\"what\":", r->what);
        put_text(out, ",\"by\":", r->by);
        put_text(out, ",\"code\":", r->code);
        put_text(out, ",\"expected\":", r->expected);
        put_text(out, ",\"place\":", r->place);
        buf_printf(out, ",\"status\":%d,\"ok\":%s}", r->status, r->ok ? "true" : "false");
    }
    BUF_LIT(out, "],\"steps\":[");
    for (size_t i = 0; i < d->n_steps; i++) {
        put_text(out, i ? ",{\"step\":" : "{\"step\":", d->steps[i].text);
        put_text(out, ",\"by\":", d->steps[i].by);
        buf_printf(out, ",\"ok\":%s}", d->steps[i].ok ? "true" : "false");
    }
}

void
demo_print_json(const struct demo *d)
{
    const struct totals *t = &d->totals;
    struct buf out;
    buf_init(&out, 4u << 20);
    put_rows(d, &out);
    buf_printf(&out,
               "],\"totals\":{\"documents_sent\":%lld,\"documents_accepted\":%lld,\"applications\":%lld,"
               "\"signatures_verified\":%lld,",
               (long long)d->documents_sent, (long long)t->accepted, (long long)t->applications,
               (long long)(t->verified + t->verified_applications));
    buf_printf(&out,
               "\"signatures_refused\":%lld,\"deliveries\":%lld,\"retries\":%lld,\"log_leaves\":%lld,\"wall_"
               "seconds\":%.3f},\"ok\":%s}\n",
               (long long)t->refused_signatures, (long long)t->deliveries, (long long)t->retries,
               (long long)t->leaves, (double)t->wall_us / 1e6, demo_holds(d) ? "true" : "false");
    fwrite(out.p, 1, out.n, stdout);
    buf_done(&out);
}
