/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_request: see oc_request.h. Called by oc_fetch, once per attempt. It must never put anything into a request that
 * did not come from the configuration or the certificate.
 */
#include "request.h"

#include "version.h"

#include <apr_strings.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <string.h>

#define GET_MAX 255 /* RFC 5019 section 5: scheme, host, path and encoded request together */

const char *oc_request_get_path(const oc_request_t *request)
{
    const oc_url_t *url = request->responder;
    unsigned char base64[GET_MAX + 8];
    char encoded[3 * sizeof(base64)];
    apr_size_t path_len = strlen(url->path);
    char *out = encoded;
    int i, n;

    if (url->query != NULL || request->der_len > (apr_size_t)GET_MAX / 4 * 3)
        return NULL;
    n = EVP_EncodeBlock(base64, request->der, (int)request->der_len);
    for (i = 0; i < n; i++) {
        /* RFC 3986: of base64's alphabet these three are reserved. */
        const char *escape = base64[i] == '+' ? "%2B" : base64[i] == '/' ? "%2F" : base64[i] == '=' ? "%3D" : NULL;

        if (escape != NULL) {
            memcpy(out, escape, 3);
            out += 3;
        }
        else {
            *out++ = (char)base64[i];
        }
    }
    *out = '\0';
    if (path_len > 0 && url->path[path_len - 1] == '/')
        path_len--;
    if (strlen("http://") + strlen(url->authority) + path_len + 1 + (apr_size_t)(out - encoded) > GET_MAX)
        return NULL;
    return apr_psprintf(request->pool, "%.*s/%s", (int)path_len, url->path, encoded);
}

static const char *request_post_path(const oc_request_t *request)
{
    const oc_url_t *url = request->responder;

    return url->query == NULL ? url->path : apr_pstrcat(request->pool, url->path, "?", url->query, NULL);
}

/* RFC 7617. NULL: the proxy's URL has no user name. */
static const char *request_proxy_authorization(const oc_request_t *request)
{
    const char *plain;
    unsigned char *base64;
    apr_size_t len;

    if (request->proxy == NULL || request->proxy->user == NULL)
        return NULL;
    plain = apr_pstrcat(request->pool, request->proxy->user, ":", request->proxy->password, NULL);
    len = strlen(plain);
    base64 = apr_palloc(request->pool, (len + 2) / 3 * 4 + 1);
    (void)EVP_EncodeBlock(base64, (const unsigned char *)plain, (int)len);
    return apr_pstrcat(request->pool, "Basic ", base64, NULL);
}

static STACK_OF(CONF_VALUE) * request_headers(const oc_request_t *request)
{
    STACK_OF(CONF_VALUE) *headers = NULL;
    const char *authorization = request_proxy_authorization(request);

    if (X509V3_add_value("Host", request->responder->authority, &headers)
        && X509V3_add_value("User-Agent", OC_USER_AGENT, &headers)
        && X509V3_add_value("Accept", "application/ocsp-response", &headers)
        && (request->keep_alive || X509V3_add_value("Connection", "close", &headers))
        && (authorization == NULL || X509V3_add_value("Proxy-Authorization", authorization, &headers)))
        return headers;
    sk_CONF_VALUE_pop_free(headers, X509V3_conf_free);
    return NULL;
}

int oc_request_compose(const oc_request_t *request, const char *get_path, apr_size_t response_max,
                       OSSL_HTTP_REQ_CTX *client)
{
    const char *path = get_path;
    STACK_OF(CONF_VALUE) *headers = request_headers(request);
    BIO *body = NULL;
    int done = 0;

    if (headers == NULL || request->der_len > INT_MAX)
        goto cleanup;
    if (path == NULL) {
        path = request_post_path(request);
        body = BIO_new_mem_buf(request->der, (int)request->der_len);
        if (body == NULL)
            goto cleanup;
    }
    if (request->proxy != NULL) /* RFC 9112 section 3.2.2 */
        path = apr_pstrcat(request->pool, "http://", request->responder->authority, path, NULL);
    /* The content type of the answer is left to the filter: OpenSSL knows no parameters. Timeout 0: ours is finer.
     * Asked to keep the connection, it adds the header, and decides nothing by it: see oc_http_seen_t. */
    done = OSSL_HTTP_set1_request(client, path, headers, body != NULL ? "application/ocsp-request" : NULL, body, NULL,
                                  1, response_max, 0, request->keep_alive);

cleanup:
    BIO_free(body);
    sk_CONF_VALUE_pop_free(headers, X509V3_conf_free);
    return done;
}
