#include "api/api.h"

const handler api_handlers[ROUTE_COUNT] = {
#define ROUTE(id, method, path, surface, media, ceiling, flags, scope) [ROUTE_##id] = api_##id,
#include "http/routes.def"
#undef ROUTE
};
