/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Writes requests for fetch.c. All of a request comes from the configuration or the certificate, by way of
 * oc_url_parse(), which lets nothing through that could end a line.
 */
#include "request.h"

#include "version.h"

#include <apr_base64.h>
#include <apr_strings.h>
#include <string.h>

#define GET_MAX 255 /* RFC 5019 section 5: scheme, host, path and encoded request together */

const char *oc_request_get_path(const oc_request_t *request)
{
    const oc_url_t *url = request->responder;
    char base64[GET_MAX + 8];
    char encoded[3 * sizeof(base64)];
    apr_size_t path_len = strlen(url->path);
    const char *in;
    char *out = encoded;

    if (url->query || request->der_len > (apr_size_t)GET_MAX / 4 * 3)
        return NULL;
    (void)apr_base64_encode_binary(base64, request->der, (int)request->der_len);
    for (in = base64; *in; in++) {
        /* RFC 3986 reserves these three of base64's alphabet. */
        const char *escape = *in == '+' ? "%2B" : *in == '/' ? "%2F" : *in == '=' ? "%3D" : NULL;

        if (escape) {
            memcpy(out, escape, 3);
            out += 3;
        }
        else {
            *out++ = *in;
        }
    }
    *out = '\0';
    if (path_len > 0 && url->path[path_len - 1] == '/')
        path_len--;
    if (strlen("http://") + strlen(url->authority) + path_len + 1 + (apr_size_t)(out - encoded) > GET_MAX)
        return NULL;
    return apr_psprintf(request->pool, "%.*s/%s", (int)path_len, url->path, encoded);
}

/* RFC 7617; "" where the proxy's URL has no user name. */
static const char *request_proxy_authorization(const oc_request_t *request)
{
    const char *plain;
    char *base64;
    int len;

    if (!request->proxy || !request->proxy->user)
        return "";
    plain = apr_pstrcat(request->pool, request->proxy->user, ":", request->proxy->password, NULL);
    len = (int)strlen(plain);
    base64 = apr_palloc(request->pool, (apr_size_t)apr_base64_encode_len(len));
    (void)apr_base64_encode(base64, plain, len);
    return apr_pstrcat(request->pool, "Proxy-Authorization: Basic ", base64, "\r\n", NULL);
}

const char *oc_request_text(const oc_request_t *request, const char *get_path, apr_size_t *len)
{
    const oc_url_t *url = request->responder;
    apr_pool_t *pool = request->pool;
    /* To a proxy the target is a whole URL (RFC 9112 section 3.2.2). HTTP/1.0, so that few answers come in chunks. */
    const char *head = apr_pstrcat(
        pool, get_path ? "GET " : "POST ", request->proxy ? "http://" : "", request->proxy ? url->authority : "",
        get_path ? get_path : url->path, !get_path && url->query ? "?" : "", !get_path && url->query ? url->query : "",
        " HTTP/1.0\r\n"
        "Host: ",
        url->authority,
        "\r\n"
        "User-Agent: " OC_USER_AGENT "\r\n"
        "Accept: application/ocsp-response\r\n"
        "Connection: ",
        request->keep_alive ? "keep-alive" : "close", "\r\n", request_proxy_authorization(request), NULL);
    apr_size_t head_len, body_len = get_path ? 0 : request->der_len;
    char *text;

    head = get_path
               ? apr_pstrcat(pool, head, "\r\n", NULL)
               : apr_psprintf(pool,
                              "%sContent-Type: application/ocsp-request\r\nContent-Length: %" APR_SIZE_T_FMT "\r\n\r\n",
                              head, body_len);
    head_len = strlen(head);
    text = apr_palloc(pool, head_len + body_len);
    memcpy(text, head, head_len);
    if (body_len > 0)
        memcpy(text + head_len, request->der, body_len);
    *len = head_len + body_len;
    return text;
}
