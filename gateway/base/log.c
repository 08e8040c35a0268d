#include "base/log.h"

#include "base/buf.h"
#include "base/metrics.h"
#include "base/text.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

/* Below PIPE_BUF one write to a pipe is never mixed with another thread's. */
#define LINE_MOST 4096u
#define TEXT_MOST 256u
#define EVENT_SIZE 32
#define HEAD_SIZE 256

enum { FIELD_NUMBER, FIELD_CODE, FIELD_NAME, FIELD_UID, FIELD_DIGEST };

static const struct event_row {
    const char *id;
    enum log_level level;
    const char *stream;
    const char *message;
} EVENTS[] = {
#define LOG_EVENT(id, level, stream, message) [LOG_##id] = {#id, LEVEL_##level, #stream, message},
#include "base/log.def"
#undef LOG_EVENT
};

static const char *const LEVELS[] = {"debug", "info", "warn", "error"};

/* authn_fail, not AUTHN_FAIL: what a reader searches for, and the metric's label. */
static char event_names[LOG_EVENT_COUNT][EVENT_SIZE];
/* What stands between time and fields, the same in every line of an event. */
static char event_heads[LOG_EVENT_COUNT][HEAD_SIZE];
static pthread_once_t named = PTHREAD_ONCE_INIT;

static _Atomic int least_level = LEVEL_INFO;
static _Atomic int out_fd = STDERR_FILENO;

struct log_field
F_N(const char *name, int64_t number) {
    return (struct log_field){.name = name, .type = FIELD_NUMBER, .number = number};
}

struct log_field
F_CODE(const char *name, err code) {
    return (struct log_field){.name = name, .type = FIELD_CODE, .number = code};
}

struct log_field
F_NAME(const char *name, const char *constant) {
    return (struct log_field){.name = name, .type = FIELD_NAME, .kind = view_of(constant)};
}

struct log_field
F_UID(const char *name, const char *kind, const uid *id) {
    return (struct log_field){.name = name, .type = FIELD_UID, .kind = view_of(kind), .ref = id};
}

struct log_field
F_DIGEST(const char *name, const digest *d) {
    return (struct log_field){.name = name, .type = FIELD_DIGEST, .ref = d};
}

static void
name_events(void)
{
    for (unsigned e = 0; e < LOG_EVENT_COUNT; e++) {
        const char *id = EVENTS[e].id;
        assert(strlen(id) < EVENT_SIZE);
        for (size_t i = 0; id[i]; i++)
            event_names[e][i] = id[i] >= 'A' && id[i] <= 'Z' ? (char)(id[i] - 'A' + 'a') : id[i];
        struct buf head;
        buf_init_over(&head, event_heads[e], HEAD_SIZE);
        buf_printf(&head, "\",\"level\":\"%s\",\"stream\":\"%s\",\"event\":\"%s\",\"msg\":\"%s\"",
                   LEVELS[EVENTS[e].level], EVENTS[e].stream, event_names[e], EVENTS[e].message);
        assert(!head.failed);
    }
}

err
log_level_parse(view text, enum log_level *ret)
{
    for (unsigned i = 0; i < COUNT_OF(LEVELS); i++) {
        if (view_eq(text, view_of(LEVELS[i]))) {
            *ret = (enum log_level)i;
            return E_OK;
        }
    }
    return E_SYNTAX;
}

void
log_start(enum log_level least, int fd)
{
    atomic_store(&least_level, (int)least);
    atomic_store(&out_fd, fd);
}

/* Cut to a bearable length.  JSON leaves DEL as it is, a terminal does not. */
static void
add_text(struct buf *line, view text)
{
    char clean[TEXT_MOST];
    view cut = text.n ? view_sub(text, 0, sizeof clean) : V("");
    size_t bad = cut.n;
    if (!text_is_utf8(cut, &bad) && cut.n == text.n) {
        BUF_LIT(line, "\"not-utf8\"");
        return;
    }
    for (size_t i = 0; i < bad; i++)
        clean[i] = cut.p[i] == 0x7F ? '?' : cut.p[i];
    buf_add_json(line, (view){clean, bad});
}

static void
add_field(struct buf *line, const struct log_field *field)
{
    char text[ID_TEXT_SIZE];
    BUF_LIT(line, ",\"");
    buf_add_view(line, view_of(field->name)); /* a word of ours */
    BUF_LIT(line, "\":");
    switch (field->type) {
    case FIELD_NUMBER:
        buf_printf(line, "%lld", (long long)field->number);
        break;
    case FIELD_CODE:
        add_text(line, view_of(err_info((err)field->number)->code));
        break;
    case FIELD_UID:
        BUF_LIT(line, "\"");
        if (field->ref)
            buf_add_view(line, uid_print(field->kind, *(const uid *)field->ref, text));
        BUF_LIT(line, "\"");
        break;
    case FIELD_DIGEST:
        buf_add_byte(line, '"');
        if (field->ref)
            buf_add_hex(line, view_make(((const digest *)field->ref)->b, 8));
        buf_add_byte(line, '"');
        break;
    default:
        add_text(line, field->kind);
    }
}

static void
add_head(struct buf *line, enum log_event_id event)
{
    char ts[32];
    BUF_LIT(line, "{\"ts\":\"");
    buf_add_view(line, instant_print(clock_now(), ts));
    buf_add_view(line, view_of(event_heads[event]));
}

/* What does not fit is left out whole, and the line says so. */
static void
add_fields(struct buf *line, const struct log_field *fields, size_t n)
{
    static const char CUT[] = ",\"truncated\":true";
    size_t most = line->ceiling;
    line->ceiling -= sizeof CUT + 2;
    for (size_t i = 0; i < n; i++) {
        size_t before = line->n;
        add_field(line, &fields[i]);
        if (!line->failed)
            continue;
        line->n = before;
        line->failed = false;
        line->ceiling = most;
        buf_add(line, CUT, sizeof CUT - 1);
        break;
    }
    line->ceiling = most;
}

static void
write_line(view line)
{
    int fd = atomic_load_explicit(&out_fd, memory_order_relaxed);
    while (line.n > 0) {
        ssize_t written = write(fd, line.p, line.n);
        if (written < 0 && errno == EINTR)
            continue;
        /* A log that cannot be written must not stop the gateway, and there is nowhere else to say it. */
        if (written <= 0)
            return;
        line = view_sub(line, (size_t)written, line.n);
    }
}

void
log_write(enum log_event_id event, const struct log_field *fields, size_t n)
{
    assert((unsigned)event < LOG_EVENT_COUNT);
    pthread_once(&named, name_events);
    const struct event_row *row = &EVENTS[event];
    if (row->level == LEVEL_ERROR)
        metric_add(METRIC_ERRORS, event_names[event], 1);
    if ((int)row->level < atomic_load_explicit(&least_level, memory_order_relaxed))
        return;
    char text[LINE_MOST + 1];
    struct buf line;
    buf_init_over(&line, text, sizeof text);
    add_head(&line, event);
    add_fields(&line, fields, n);
    BUF_LIT(&line, "}\n");
    write_line(buf_view(&line));
}
