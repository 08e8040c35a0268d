#include "store/page_cache.h"

#include <sqlite3.h>
#include <stdlib.h>

static sqlite3_pcache_methods2 library;

struct page_cache {
    sqlite3_pcache *pages;
    unsigned highest; /* no page has a higher number, but the one that is away */
    unsigned away;    /* the number that a page has for the moment; 0 = none */
};

static struct page_cache *
cache_of(sqlite3_pcache *handle)
{
    return (struct page_cache *)handle;
}

static int
cache_init(void *arg)
{
    (void)arg;
    return library.xInit ? library.xInit(library.pArg) : SQLITE_OK;
}

static void
cache_shutdown(void *arg)
{
    (void)arg;
    if (library.xShutdown)
        library.xShutdown(library.pArg);
}

static sqlite3_pcache *
cache_create(int page, int extra, int purgeable)
{
    struct page_cache *c = malloc(sizeof *c);
    sqlite3_pcache *pages = c ? library.xCreate(page, extra, purgeable) : NULL;
    if (!pages) {
        free(c);
        return NULL;
    }
    *c = (struct page_cache){.pages = pages};
    return (sqlite3_pcache *)c;
}

static void
cache_size(sqlite3_pcache *handle, int pages)
{
    library.xCachesize(cache_of(handle)->pages, pages);
}

static int
cache_count(sqlite3_pcache *handle)
{
    return library.xPagecount(cache_of(handle)->pages);
}

static sqlite3_pcache_page *
cache_fetch(sqlite3_pcache *handle, unsigned number, int create)
{
    struct page_cache *c = cache_of(handle);
    if (create && number > c->highest)
        c->highest = number;
    return library.xFetch(c->pages, number, create);
}

static void
cache_unpin(sqlite3_pcache *handle, sqlite3_pcache_page *page, int discard)
{
    library.xUnpin(cache_of(handle)->pages, page, discard);
}

static void
cache_rekey(sqlite3_pcache *handle, sqlite3_pcache_page *page, unsigned from, unsigned to)
{
    struct page_cache *c = cache_of(handle);
    if (from == c->away)
        c->away = 0;
    if (to > c->highest && c->away)
        c->highest = to;
    else if (to > c->highest)
        c->away = to;
    library.xRekey(c->pages, page, from, to);
}

static void
cache_truncate(sqlite3_pcache *handle, unsigned first)
{
    struct page_cache *c = cache_of(handle);
    if (first > c->highest && first > c->away)
        return;
    library.xTruncate(c->pages, first);
    if (c->highest >= first)
        c->highest = first ? first - 1 : 0;
    if (c->away >= first)
        c->away = 0;
}

static void
cache_destroy(sqlite3_pcache *handle)
{
    struct page_cache *c = cache_of(handle);
    library.xDestroy(c->pages);
    free(c);
}

static void
cache_shrink(sqlite3_pcache *handle)
{
    library.xShrink(cache_of(handle)->pages);
}

void
page_cache_configure(void)
{
    static sqlite3_pcache_methods2 ours = {.iVersion = 1,
                                           .xInit = cache_init,
                                           .xShutdown = cache_shutdown,
                                           .xCreate = cache_create,
                                           .xCachesize = cache_size,
                                           .xPagecount = cache_count,
                                           .xFetch = cache_fetch,
                                           .xUnpin = cache_unpin,
                                           .xRekey = cache_rekey,
                                           .xTruncate = cache_truncate,
                                           .xDestroy = cache_destroy,
                                           .xShrink = cache_shrink};
    if (sqlite3_config(SQLITE_CONFIG_GETPCACHE2, &library) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_PCACHE2, &ours) != SQLITE_OK)
        abort();
}
