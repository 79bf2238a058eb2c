/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_status: see oc_status.h. Who may see the page is for <Location> to say; this handler sees to it that the page harms nobody who may.
 */
#include "status/handler.h"

#include "assets.h"
#include "html.h"
#include "html_certificate.h"
#include "json.h"
#include "prometheus.h"
#include "status/post.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <openssl/evp.h>

#define HANDLER "ocsp-cache-status"

/* As a Content-Security-Policy names an inline text: 'sha256-...'. "'none'" when OpenSSL fails: then the page goes without. */
static const char *source_of(const char *text, apr_pool_t *pool)
{
    unsigned char digest[EVP_MAX_MD_SIZE], base64[EVP_MAX_MD_SIZE * 2];
    unsigned len = 0;

    if (!EVP_Digest(text, strlen(text), digest, &len, EVP_sha256(), NULL))
        return "'none'";
    EVP_EncodeBlock(base64, digest, (int)len);
    return apr_psprintf(pool, "'sha256-%s'", (const char *)base64);
}

/* The referrer stays within this site, and is not left out: browsers that are to send none send no Origin with a POST either. */
static void set_headers(request_rec *r)
{
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    apr_table_setn(r->headers_out, "Referrer-Policy", "same-origin");
    apr_table_setn(r->headers_out, "Cross-Origin-Resource-Policy", "same-origin");
    apr_table_setn(r->headers_out, "Content-Security-Policy",
                   apr_pstrcat(r->pool, "default-src 'none'; style-src ", source_of(oc_assets_style, r->pool),
                               "; script-src ", source_of(oc_assets_script, r->pool),
                               "; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
                               NULL));
}

static int say(request_rec *r, int status, const char *problem)
{
    r->status = status;
    ap_set_content_type(r, "text/plain; charset=utf-8");
    if (!r->header_only)
        ap_rvputs(r, problem, "\n", NULL);
    return OK;
}

static int answer_post(const oc_status_request_t *request)
{
    const char *problem = "";
    int status = oc_status_post(request, &problem);

    return say(request->r, status, status == HTTP_SEE_OTHER ? "See the status page." : problem);
}

/* One certificate as a page; -1: there is none, or that is not what is wanted */
static int find_one(const oc_status_request_t *request)
{
    const apr_array_header_t *all = oc_managed_all();
    int i;

    for (i = 0; request->is_active && i < all->nelts; i++)
        if (memcmp(APR_ARRAY_IDX(all, i, const oc_managed_t *)->cert->id, request->query.id, OC_CERT_ID_LEN) == 0)
            return i;
    return -1;
}

static int answer(const oc_status_request_t *request)
{
    static const char *const types[] = {[OC_FORMAT_HTML] = "text/html; charset=utf-8",
                                        [OC_FORMAT_JSON] = "application/json",
                                        [OC_FORMAT_PROMETHEUS] = "text/plain; version=0.0.4; charset=utf-8"};
    const oc_query_t *query = &request->query;
    request_rec *r = request->r;
    int ordinal = query->has_id ? find_one(request) : -1;

    if (query->has_id && ordinal < 0)
        return say(r, HTTP_NOT_FOUND, "There is no such certificate; perhaps it was replaced.");
    ap_set_content_type(r, types[query->format]);
    if (r->header_only)
        return OK;
    if (query->format == OC_FORMAT_JSON)
        oc_status_json(request);
    else if (query->format == OC_FORMAT_PROMETHEUS)
        oc_status_prometheus(request);
    else if (ordinal >= 0)
        oc_status_html_certificate(request, (unsigned)ordinal);
    else
        oc_status_html(request);
    return OK;
}

int oc_status_handler(request_rec *r)
{
    oc_status_request_t request;
    const char *problem;

    if (!r->handler || strcmp(r->handler, HANDLER) != 0)
        return DECLINED;
    set_headers(r);
    problem = oc_status_request_begin(&request, r);
    if (r->method_number == M_POST && oc_status_post_is_on())
        return answer_post(&request);
    if (r->method_number != M_GET) {
        ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, oc_status_post_is_on() ? M_POST : -1, -1);
        return HTTP_METHOD_NOT_ALLOWED;
    }
    return problem ? say(r, HTTP_BAD_REQUEST, problem) : answer(&request);
}
