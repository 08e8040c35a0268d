#include "http/router.h"

#include <assert.h>
#include <pthread.h>

#define ROUTE_NAME_SIZE 40

/* {id} alone, or {id}:verb: then tail is ":verb". */
struct step {
    view text; /* literal; empty for a parameter */
    view tail;
    bool is_param;
};

struct pattern {
    struct step steps[PATH_SEGMENTS_MAX];
    size_t n, n_params;
    unsigned looseness; /* 2 per parameter, 1 per parameter with a tail */
};

static struct route routes[ROUTE_COUNT] = {
#define ROUTE(id, method, path, surface, media, ceiling, flags, scope)                                       \
    [ROUTE_##id] = {ROUTE_##id, #id, method, path, surface, media, ceiling, flags, scope},
#include "http/routes.def"
#undef ROUTE
};
static char route_names[ROUTE_COUNT][ROUTE_NAME_SIZE];
static struct pattern patterns[ROUTE_COUNT];
static pthread_once_t router_once = PTHREAD_ONCE_INIT;

/* BUNDLE_CREATE → bundleCreate, the operationId of the API description. */
static void
name_route(struct route *row, char out[ROUTE_NAME_SIZE])
{
    size_t n = 0;
    bool is_upper = false;
    for (const char *p = row->name; *p; p++) {
        assert(n + 1 < ROUTE_NAME_SIZE);
        if (*p != '_')
            out[n++] = (char)(is_upper || *p < 'A' || *p > 'Z' ? *p : *p - 'A' + 'a');
        is_upper = *p == '_';
    }
    out[n] = '\0';
    row->name = out;
}

static struct step
compile_step(view segment)
{
    if (segment.n == 0 || segment.p[0] != '{')
        return (struct step){.text = segment};
    size_t close = view_find_byte(segment, '}');
    assert(close < segment.n);
    return (struct step){.tail = view_sub(segment, close + 1, segment.n), .is_param = true};
}

static void
compile_pattern(const char *path, struct pattern *ret)
{
    view rest = view_of(path);
    assert(rest.n > 0 && rest.p[0] == '/');
    rest = view_sub(rest, 1, rest.n);
    bool more = true;
    while (more) {
        assert(ret->n < PATH_SEGMENTS_MAX);
        struct step step = compile_step(view_cut(&rest, '/', &more));
        ret->n_params += step.is_param;
        ret->looseness += step.is_param ? (step.tail.n > 0 ? 1U : 2U) : 0U;
        ret->steps[ret->n++] = step;
    }
    assert(ret->n_params <= PARAMS_MAX);
}

static void
compile_all(void)
{
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        name_route(&routes[i], route_names[i]);
        compile_pattern(routes[i].path, &patterns[i]);
    }
}

void
router_start(void)
{
    pthread_once(&router_once, compile_all);
}

const struct route *
route_info(enum route_id id)
{
    router_start();
    assert((size_t)id < ROUTE_COUNT);
    return &routes[id];
}

static bool
fits(const struct pattern *pattern, const struct path *path)
{
    if (pattern->n != path->n)
        return false;
    /* From the end: the first segments (v1, fhir) are what most rows share. */
    for (size_t i = path->n; i-- > 0;) {
        const struct step *step = &pattern->steps[i];
        view segment = path->segments[i];
        bool is_same = step->is_param ? segment.n > step->tail.n && view_ends(segment, step->tail)
                                      : view_eq(segment, step->text);
        if (!is_same)
            return false;
    }
    return true;
}

static void
take_params(const struct pattern *pattern, const struct path *path, struct match *match)
{
    match->n_params = 0;
    for (size_t i = 0; i < path->n; i++) {
        const struct step *step = &pattern->steps[i];
        view segment = path->segments[i];
        if (step->is_param)
            match->params[match->n_params++] = view_sub(segment, 0, segment.n - step->tail.n);
    }
}

/* A literal beats a parameter with a tail, that beats a bare one: {id}:verb is never read as an id. */
static bool
is_better(size_t i, const struct match *match)
{
    return !match->route || patterns[i].looseness < patterns[match->route->id].looseness;
}

err
router_find(const struct path *path, enum method method, struct match *match)
{
    *match = (struct match){.methods = 0};
    enum method wanted = method == METHOD_HEAD ? METHOD_GET : method;
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (!fits(&patterns[i], path))
            continue;
        match->methods |= 1U << routes[i].method;
        if (routes[i].method == wanted && is_better(i, match))
            match->route = &routes[i];
    }
    if (match->methods == 0)
        return E_NOT_FOUND;
    if (match->methods & 1U << METHOD_GET)
        match->methods |= 1U << METHOD_HEAD;
    match->methods |= 1U << METHOD_OPTIONS;
    if (!match->route)
        return E_METHOD;
    take_params(&patterns[match->route->id], path, match);
    return E_OK;
}

view
router_allow(unsigned methods, arena *mem)
{
    view list = V("");
    for (int m = 0; m < METHOD_COUNT; m++) {
        if (methods & 1U << m)
            list = arena_printf(mem, "%.*s%s%s", VIEW_ARG(list), list.n > 0 ? ", " : "",
                                method_name((enum method)m));
    }
    return list;
}

const char *
router_accepts(unsigned media)
{
    if (media & MEDIA_ANY)
        return "*/*";
    switch (media) {
    case MEDIA_JSON:
        return "application/json, application/fhir+json";
    case MEDIA_JSON | MEDIA_XML:
        return "application/fhir+json, application/fhir+xml, application/json, application/xml, text/xml";
    case MEDIA_XML:
        return "application/fhir+xml, application/xml, text/xml";
    case MEDIA_FORM:
        return "application/x-www-form-urlencoded";
    case MEDIA_FORM | MEDIA_JSON:
        return "application/x-www-form-urlencoded, application/json";
    default:
        return "";
    }
}
