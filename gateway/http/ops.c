/* The operations listener: a second daemon with one thread and a table of pages.  It shares nothing with the
 * public one but the type, so that a public listener that is full cannot hide the process's state. */
#include "http/conn.h"

#include <assert.h>
#include <unistd.h>

#define OPS_CONNECTIONS 32
#define OPS_PAGE_MAX (16 * 1024 * 1024)

static enum MHD_Result
send_page(struct MHD_Connection *mhd, int status, const char *media, view body)
{
    /* Copied: the one thread goes on with other connections while this one is being written. */
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body.n, (void *)(uintptr_t)body.p, MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", media);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    if (status == 405)
        MHD_add_response_header(response, "Allow", "GET, HEAD");
    enum MHD_Result result = MHD_queue_response(mhd, (unsigned)status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result
send_text(struct MHD_Connection *mhd, int status, view text)
{
    return send_page(mhd, status, "text/plain; charset=utf-8", text);
}

static enum MHD_Result
print_page(struct http_server *s, struct MHD_Connection *mhd, const struct ops_page *page)
{
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, OPS_PAGE_MAX);
    int status = page->print(s->pages_self, &out);
    if (out.failed)
        return send_text(mhd, 500, V("too large\n"));
    return send_page(mhd, status, page->media, buf_view(&out));
}

static enum MHD_Result
serve_page(void *cls, struct MHD_Connection *mhd, const char *path, const char *method, const char *version,
           const char *upload, size_t *upload_n, void **request)
{
    struct http_server *s = cls;
    (void)version;
    (void)upload;
    (void)upload_n;
    (void)request;
    if (!view_eq(view_of(method), V("GET")) && !view_eq(view_of(method), V("HEAD")))
        return send_text(mhd, 405, V("method not allowed\n"));
    for (size_t i = 0; i < s->n_pages; i++) {
        if (view_eq(view_of(path), view_of(s->pages[i].path)))
            return print_page(s, mhd, &s->pages[i]);
    }
    return send_text(mhd, 404, V("not found\n"));
}

static err
open_ops(struct http_server *s, const char *where, struct fault *f)
{
    int fd = -1;
    TRY(listen_open(where, s, &fd, f));
    s->daemon = server_start_ops(s, fd, serve_page, OPS_CONNECTIONS);
    if (!s->daemon) {
        close(fd);
        return fault_set(f, E_CONFIG, "ops.listen", "a listener that starts", "a library that refuses");
    }
    return E_OK;
}

err
ops_start(const char *listen, const struct ops_page *pages, size_t n, void *self, struct http_server **ret,
          struct fault *f)
{
    const struct http_options options = {.listen = listen, .connections = OPS_CONNECTIONS};
    struct http_server *s = server_make(&options, 0);
    s->pages = pages;
    s->n_pages = n;
    s->pages_self = self;
    err e = open_ops(s, listen, f);
    if (e != E_OK) {
        server_free(s);
        return e;
    }
    *ret = s;
    return E_OK;
}
