/* room: http */
/* Any bytes as the head of a request: guard, path, router, media type, query.  Beyond "no crash": what passes
 * has one Host, one length, a path without dots, and decodes to the same when asked twice. */
#include "base/text.h"
#include "http/body.h"
#include "http/guard.h"
#include "http/router.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_path(struct guard *g, arena *mem)
{
    struct path path, again;
    struct match match;
    struct media_type media;
    struct fault f;
    bool has_body = false;
    fault_init(&f);
    if (path_split(g->path, mem, &path, &f) != E_OK) {
        assert(f.code != E_OK || arena_used(mem) > 0);
        return;
    }
    assert(path_split(g->path, mem, &again, &f) == E_OK && again.n == path.n);
    for (size_t i = 0; i < path.n && i < PATH_SEGMENTS_MAX; i++) {
        assert(!view_eq(path.segments[i], V("..")) && !view_eq(path.segments[i], V(".")));
        assert(view_find_byte(path.segments[i], '/') == path.segments[i].n);
        assert(view_find_byte(path.segments[i], '\0') == path.segments[i].n);
    }
    if (router_find(&path, g->method, &match) == E_OK &&
        body_check_head(g, match.route, &media, &has_body, &f) == E_OK)
        assert(g->length <= match.route->ceiling);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    view rest = view_make(data, size);
    struct guard g;
    struct fault f;
    bool more = true;
    arena *mem = arena_new(1 << 16);
    router_start();
    fault_init(&f);
    guard_init(&g, V("X-Client-Cert"), &f);
    view line = view_cut(&rest, '\n', &more);
    view method = view_cut(&line, ' ', NULL);
    view whole = view_cut(&line, ' ', NULL);
    view target = whole;
    target = view_cut(&target, '?', NULL);
    guard_line(&g, method, target, whole.n, line);
    size_t hosts = 0, lengths = 0;
    while (more) {
        view value = view_cut(&rest, '\n', &more);
        view name = view_cut(&value, ':', NULL);
        hosts += view_eq_nocase(name, V("host"));
        lengths += view_eq_nocase(name, V("content-length")) + view_eq_nocase(name, V("transfer-encoding"));
        guard_header(&g, name, value);
    }
    (void)query_decode(view_sub(whole, target.n, whole.n), mem);
    err e = guard_end(&g, 0);
    assert(e == f.code);
    if (e == E_OK) {
        assert(hosts == 1 && lengths <= 1);
        assert(view_eq(line, V("HTTP/1.1")));
        if (!g.is_asterisk)
            read_path(&g, mem);
    }
    arena_free(mem);
    return 0;
}
