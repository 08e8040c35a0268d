/* One call as curl sees it.  Inside of the net room: net.c runs one by itself, pool.c many in a multi
 * handle. */
#ifndef NET_TRANSFER_H
#define NET_TRANSFER_H

#include "base/buf.h"
#include "net/net.h"

#include <curl/curl.h>

#define MEDIA_SIZE 128

struct transfer {
    struct transfer *next;  /* free list of a pool */
    struct transfer **slot; /* where the list of those under way points to it */
    CURL *easy;
    struct curl_slist *headers;
    const struct net_policy *policy;
    struct buf body;
    size_t header_bytes;
    char media[MEDIA_SIZE];
    size_t media_n;
    int64_t max_age;
    bool cut_reply, is_cut, is_refused;
    char url[2049];
    struct fault fault;
    net_done done;
    void *user;
};

/* The first of these makes what the second frees; a transfer is used again and again. */
err transfer_new(struct transfer **ret) MUST_USE;
void transfer_free(struct transfer *t);
/* Sets the handle up for rq, after checking its URL. */
err transfer_prepare(struct transfer *t, const struct net_policy *p, const struct net_request *rq,
                     struct fault *f) MUST_USE;
/* Turns curl's result into ours.  The reply's views point into t. */
err transfer_finish(struct transfer *t, CURLcode code, struct net_reply *ret, struct fault *f) MUST_USE;
/* Forgets the request, keeps the handle and its memory. */
void transfer_clear(struct transfer *t);

#endif
