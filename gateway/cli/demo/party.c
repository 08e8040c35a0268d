#include "cli/demo/party.h"

#include "base/text.h"
#include "cli/demo/party_server.h"
#include "cli/sample/sign.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define LINE_CEILING ((size_t)4 << 20)
#define TICK_MS 60
#define JOB_MEMORY ((size_t)512 << 20)

/* -- lines -- */

void
lines_init(struct lines *l, int fd)
{
    *l = (struct lines){.fd = fd};
    buf_init(&l->in, LINE_CEILING);
}

void
lines_done(struct lines *l)
{
    buf_done(&l->in);
}

void
lines_fill(struct lines *l)
{
    char part[16384];
    if (l->taken) {
        view rest = view_sub(buf_view(&l->in), l->taken, l->in.n);
        if (rest.n)
            memmove(l->in.p, rest.p, rest.n);
        l->in.n = rest.n;
        l->taken = 0;
    }
    ssize_t n = read(l->fd, part, sizeof part);
    if (n > 0)
        buf_add(&l->in, part, (size_t)n);
    l->ended = n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN) || l->in.failed;
}

bool
lines_next(struct lines *l, view *ret)
{
    view rest = view_sub(buf_view(&l->in), l->taken, l->in.n);
    size_t end = view_find_byte(rest, '\n');
    if (end == rest.n)
        return false;
    *ret = view_sub(rest, 0, end);
    l->taken += end + 1;
    return true;
}

/* -- telling -- */

static void
write_line(const struct buf *line)
{
    size_t at = 0;
    while (at < line->n) {
        ssize_t n = write(STDOUT_FILENO, line->p + at, line->n - at);
        if (n < 0 && errno != EINTR)
            return; /* nobody listens any more */
        at += n > 0 ? (size_t)n : 0;
    }
}

void
party_say(const char *format, ...)
{
    struct buf line;
    char text[65536];
    va_list list;
    va_start(list, format);
    int n = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (n < 0 || (size_t)n >= sizeof text)
        return;
    buf_init(&line, LINE_CEILING);
    buf_printf(&line, "%s\n", text);
    write_line(&line);
    buf_done(&line);
}

view
party_quoted(view text, arena *mem)
{
    struct buf out;
    buf_init(&out, 65536);
    buf_add_json(&out, text.p ? text : V(""));
    view v = arena_dup(mem, buf_view(&out));
    buf_done(&out);
    return v;
}

void
party_step(const struct party *p, bool ok, const char *format, ...)
{
    char text[1024];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    party_say("{\"step\":%.*s,\"by\":\"%s\",\"ok\":%s}", VIEW_ARG(party_quoted(view_of(text), p->mem)),
              p->name, ok ? "true" : "false");
}

void
party_fault(const struct party *p, const char *what, err e, const struct fault *f)
{
    party_step(p, false, "%s: %s%s%s", what, err_info(e)->code, f->where[0] ? " at " : "", f->where);
}

void
party_refused(const struct party *p, const char *what, const char *expected, const struct client_reply *reply)
{
    view code = reply->status >= 200 && reply->status < 300 ? V("accepted") : client_code(reply);
    party_say(
        "{\"refused\":%.*s,\"by\":\"%s\",\"status\":%d,\"code\":%.*s,\"expected\":\"%s\",\"place\":%.*s}",
        VIEW_ARG(party_quoted(view_of(what), p->mem)), p->name, reply->status,
        VIEW_ARG(party_quoted(code, p->mem)), expected, VIEW_ARG(party_quoted(client_place(reply), p->mem)));
}

void
party_done(view word)
{
    party_say("{\"done\":\"%.*s\"}", VIEW_ARG(word));
}

/* -- life -- */

err
party_open(struct party *p, struct args *a, struct fault *f)
{
    *p = (struct party){
        .a = a, .dir = args_value(a, "dir"), .name = a->positional[0], .mem = arena_new(JOB_MEMORY)};
    snprintf(p->pki, sizeof p->pki, "%s/pki", p->dir);
    /* Whoever started the party may go away and leave it running. */
    const struct sigaction ignored = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignored, NULL);
    TRY(net_start());
    return client_open(p->dir, p->name, &p->client, f);
}

err
party_pem(const struct party *p, const char *stem, const char *ending, const char **ret)
{
    view path = arena_printf(p->mem, "%s/%s.%s", p->pki, stem, ending);
    *ret = path.p;
    return path.p ? E_OK : E_TOO_LARGE;
}

err
party_sign(const struct party *p, const char *signer, view body, bool detach, view *ret, struct fault *f)
{
    const char *key, *certificate;
    TRY(party_pem(p, signer, "key", &key));
    TRY(party_pem(p, signer, "crt", &certificate));
    return sign_jws(key, certificate, NULL, NULL, body, detach, clock_now(), p->mem, ret, f);
}

void
party_close(struct party *p)
{
    client_free(p->client);
    arena_free(p->mem);
    net_stop();
}

/* Until there is something at `in` (may be NULL) or for the server, or the time is over. */
static bool
wait_for(struct party *p, const struct lines *in, int ms)
{
    struct pollfd fds[SERVER_VISITS + 2] = {{.fd = in ? in->fd : -1, .events = POLLIN}};
    size_t n = 1 + (p->server ? server_poll(p->server, fds + 1) : 0);
    bool ready = poll(fds, n, ms) > 0 && fds[0].revents;
    if (p->server)
        server_turn(p->server);
    return ready;
}

void
party_pause(struct party *p, int ms)
{
    int64_t until = clock_monotonic_us() + (int64_t)ms * 1000;
    do
        wait_for(p, NULL, ms);
    while (clock_monotonic_us() < until);
}

int
party_run(struct party *p, party_job job)
{
    struct lines in;
    view line;
    lines_init(&in, STDIN_FILENO);
    party_say("{\"ready\":true}");
    while (!in.ended) {
        if (wait_for(p, &in, p->server ? TICK_MS : -1))
            lines_fill(&in);
        else
            arena_reset(p->mem);
        while (lines_next(&in, &line)) {
            view word = view_cut(&line, ' ', NULL);
            if (!job(p, word, line))
                party_step(p, false, "unknown job");
            party_done(word);
            arena_reset(p->mem);
        }
    }
    lines_done(&in);
    return EXIT_OK;
}

/* -- stays -- */

err
party_stay(enum play play, arena *mem, struct sample_stay *ret)
{
    static const struct {
        uint64_t seed;
        size_t person, hospital;
        int8_t month, day;
    } plays[] = {
        [PLAY_APPENDIX] = {900002, 0, 0, 3, 9},
        [PLAY_MINOR] = {900004, 3, 1, 4, 13},
        [PLAY_ATTACK] = {900006, 0, 0, 5, 4},
    };
    struct sample_stay s;
    TRY(sample_stay_make(plays[play].seed, SAMPLE_SURGERY, mem, &s));
    int32_t from =
        date_days((date){2026, (uint8_t)plays[play].month, (uint8_t)plays[play].day, DATE_DAY, CALENDAR_AD});
    s.person = &sample_people[plays[play].person];
    s.hospital = &sample_hospitals[plays[play].hospital];
    s.diagnosis_code = "K35.80";
    s.diagnosis = "急性闌尾炎";
    s.surgery_code = "0DTJ4ZZ";
    s.surgery = "腹腔鏡闌尾切除術";
    s.advice = "宜休養兩週，需專人看護七日。";
    s.category = "certificate-b";
    s.from = date_of_days(from);
    s.to = date_of_days(from + 4);
    *ret = s;
    return E_OK;
}

bool
mixed_next(struct mixed *m, arena *mem, struct mixed_stay *ret, err *ret_e)
{
    size_t n;
    if (m->documents >= m->wanted)
        return false;
    m->seed++;
    err e = sample_stay_make(m->seed, SAMPLE_KIND_COUNT, mem, &ret->stay);
    if (e == E_OK)
        e = sample_documents(&ret->stay, mem, ret->documents, &n);
    if (e != E_OK) {
        *ret_e = e;
        return false;
    }
    int64_t left = m->wanted - m->documents;
    ret->n = (int64_t)n < left ? n : (size_t)left;
    ret->number = (int64_t)m->seed - 1;
    m->documents += (int64_t)ret->n;
    return true;
}

int
party_main(struct args *a, party_job job)
{
    struct party p;
    struct fault f;
    fault_init(&f);
    if (a->n_positional != 1 || !args_value(a, "dir"))
        return command_usage(a, "needs a name and --dir DIR");
    err e = party_open(&p, a, &f);
    int code = e == E_OK ? party_run(&p, job) : command_fail(a, e, &f);
    party_close(&p);
    return code;
}
