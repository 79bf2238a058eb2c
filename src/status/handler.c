/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The content handler `SetHandler ocsp-cache-status`. <Location> decides who may see the page; this handler keeps the
 * page from being framed, cached, or used to run foreign scripts.
 */
#include "status/handler.h"

#include "assets.h"
#include "html.h"
#include "html_certificate.h"
#include "json.h"
#include "prometheus.h"
#include "request.h"
#include "base/hex.h"
#include "status/post.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <openssl/evp.h>

/* The name of an inline text in a Content-Security-Policy: 'sha256-...'. "'none'" when OpenSSL fails: the page then
 * goes without it. */
static const char *source_of(const char *text, apr_pool_t *pool)
{
    unsigned char digest[EVP_MAX_MD_SIZE], base64[EVP_MAX_MD_SIZE * 2];
    unsigned len = 0;

    if (!EVP_Digest(text, strlen(text), digest, &len, EVP_sha256(), NULL))
        return "'none'";
    EVP_EncodeBlock(base64, digest, (int)len);
    return apr_psprintf(pool, "'sha256-%s'", (const char *)base64);
}

/* The referrer stays within this site, but is sent: a browser that must not send one sends no Origin with a POST
 * either. */
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

static int send_text(request_rec *r, int status, const char *problem)
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

    return send_text(request->r, status, status == HTTP_SEE_OTHER ? "See the status page." : problem);
}

/* The response itself, under the name that OCSPCacheResponseFolder knows it by. */
static int send_response(request_rec *r, unsigned ordinal, const unsigned char *id)
{
    const unsigned char *der;
    apr_size_t len;

    if (oc_snapshot_response(ordinal, &der, &len, r->pool) != APR_SUCCESS)
        return send_text(r, HTTP_NOT_FOUND, "The cache holds no response for this certificate.");
    ap_set_content_type(r, "application/ocsp-response");
    apr_table_setn(
        r->headers_out, "Content-Disposition",
        apr_pstrcat(r->pool, "attachment; filename=\"", oc_hex_print(id, OC_CERT_ID_LEN, r->pool), ".der\"", NULL));
    ap_set_content_length(r, (apr_off_t)len);
    if (!r->header_only)
        ap_rwrite(der, (int)len, r);
    return OK;
}

static int answer(const oc_status_request_t *request)
{
    static const char *const types[OC_FORMATS] = {[OC_FORMAT_HTML] = "text/html; charset=utf-8",
                                                  [OC_FORMAT_JSON] = "application/json",
                                                  [OC_FORMAT_PROMETHEUS] = "text/plain; version=0.0.4; charset=utf-8"};
    const oc_query_t *query = &request->query;
    request_rec *r = request->r;
    int ordinal = query->has_id && request->is_active ? oc_snapshot_find(query->id) : -1;

    if (query->has_id && ordinal < 0)
        return send_text(r, HTTP_NOT_FOUND, "No such certificate. It may have been replaced.");
    if (query->format == OC_FORMAT_DER)
        return send_response(r, (unsigned)ordinal, query->id);
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

    if (!r->handler || strcmp(r->handler, OC_STATUS_HANDLER_NAME) != 0)
        return DECLINED;
    set_headers(r);
    problem = oc_status_request_begin(&request, r);
    if (r->method_number == M_POST && oc_status_post_is_on())
        return answer_post(&request);
    if (r->method_number != M_GET) {
        ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, oc_status_post_is_on() ? M_POST : -1, -1);
        return HTTP_METHOD_NOT_ALLOWED;
    }
    return problem ? send_text(r, HTTP_BAD_REQUEST, problem) : answer(&request);
}
