/* The operation table (routes.def) compiled into patterns of segments, and one lookup that tells 404 from
 * 405.
 *
 * Made once (router_start, called by http_start; more calls do nothing), then read by any thread. */
#ifndef HTTP_ROUTER_H
#define HTTP_ROUTER_H

#include "http/guard.h"
#include "http/http.h"
#include "http/path.h"

struct match {
    const struct route *route; /* NULL unless a row has this path and method */
    unsigned methods;          /* bit per enum method that the path has; 0 = no such path */
    view params[PARAMS_MAX];
    size_t n_params;
};

void router_start(void);
/* E_NOT_FOUND or E_METHOD; match is filled in any case.  HEAD finds the GET row, OPTIONS finds none. */
err router_find(const struct path *path, enum method method, struct match *match) MUST_USE;
/* "GET, HEAD, OPTIONS" */
view router_allow(unsigned methods, arena *mem);
/* The media types that a row takes, for Accept-Post; a constant. */
const char *router_accepts(unsigned media);

#endif
