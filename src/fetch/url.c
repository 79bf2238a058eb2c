/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Checks and splits URLs, for every exchange and for the checks of the configuration. apr_uri_parse() splits; what it
 * accepts and an HTTP request must not contain is rejected here. It must never look up a name.
 */
#include "fetch/url.h"

#include <apr_cstr.h>
#include <apr_errno.h>
#include <apr_escape.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_uri.h>
#include <arpa/inet.h>
#include <string.h>

#define HTTP_PORT 80

/* A space or a control character would end or split the request line. */
static int url_is_printable(const char *text)
{
    const unsigned char *p;

    for (p = (const unsigned char *)text; *p != '\0'; p++)
        if (*p <= 0x20 || *p >= 0x7f)
            return 0;
    return 1;
}

static const char *url_check_scheme(const char *scheme)
{
    if (!scheme)
        return "it does not begin with http://";
    if (apr_cstr_casecmp(scheme, "https") == 0)
        return "https is not supported (OCSP responses are signed and travel over plain http)";
    if (apr_cstr_casecmp(scheme, "http") != 0)
        return "its scheme is not http";
    return NULL;
}

/* A name, an IPv4 address, or an IPv6 address in brackets, without a zone: that has no meaning in a certificate. */
static int url_is_host(const char *host, int bracketed)
{
    struct in6_addr address;
    const char *p;

    if (bracketed)
        return inet_pton(AF_INET6, host, &address) == 1;
    for (p = host; *p != '\0'; p++)
        if (!apr_isalnum(*p) && *p != '.' && *p != '-' && *p != '_')
            return 0;
    return 1;
}

static const char *url_take_port(oc_url_t *url, const char *digits)
{
    const char *p;
    long port = 0;

    if (!digits || !*digits) {
        url->port = HTTP_PORT;
        return NULL;
    }
    for (p = digits; *p != '\0'; p++)
        if (!apr_isdigit(*p) || (port = port * 10 + (*p - '0')) > 65535)
            return "its port is not a number from 1 to 65535";
    if (port == 0)
        return "its port is not a number from 1 to 65535";
    url->port = (apr_port_t)port;
    return NULL;
}

static const char *url_take_user(oc_url_t *url, const apr_uri_t *uri, oc_url_use_t use, apr_pool_t *pool)
{
    if (!uri->user && !uri->password)
        return NULL;
    if (use == OC_URL_RESPONDER)
        return "a user name or password in it is not supported";
    url->user = apr_punescape_url(pool, uri->user ? uri->user : "", NULL, NULL, 0);
    url->password = apr_punescape_url(pool, uri->password ? uri->password : "", NULL, NULL, 0);
    if (!url->user || !url->password)
        return "the percent-encoding of its user name or password is wrong";
    return NULL;
}

const char *oc_url_parse(oc_url_t *url, const char *text, oc_url_use_t use, apr_pool_t *pool)
{
    apr_uri_t uri;
    const char *problem;
    char *host;
    int bracketed;

    memset(url, 0, sizeof(*url));
    if (!text || !*text)
        return "it is empty";
    if (strlen(text) > OC_URL_MAX)
        return "it is longer than 2048 bytes";
    if (!url_is_printable(text))
        return "it contains a space, a control character or a byte beyond ASCII";
    if (apr_uri_parse(pool, text, &uri) != APR_SUCCESS)
        return "it is not a URL";
    problem = url_check_scheme(uri.scheme);
    if (problem)
        return problem;
    if (!uri.hostname || !*uri.hostname)
        return "it names no host";
    problem = url_take_user(url, &uri, use, pool);
    if (problem)
        return problem;
    bracketed = strchr(uri.hostinfo, '[') != NULL;
    if (!url_is_host(uri.hostname, bracketed))
        return "its host is neither a name nor an address";
    problem = url_take_port(url, uri.port_str);
    if (problem)
        return problem;
    url->host = host = apr_pstrdup(pool, uri.hostname);
    for (; *host != '\0'; host++)
        *host = (char)apr_tolower(*host);
    url->authority = bracketed ? apr_pstrcat(pool, "[", url->host, "]", NULL) : url->host;
    if (url->port != HTTP_PORT)
        url->authority = apr_psprintf(pool, "%s:%u", url->authority, (unsigned)url->port);
    url->path = uri.path && *uri.path == '/' ? uri.path : "/";
    url->query = uri.query;
    return NULL;
}

/* The authority as apr_uri_parse() finds it: behind the scheme, up to the first of "/?#". @return its beginning, *end
 * its end; NULL: there is none. */
static const char *url_authority(const char *text, const char **end)
{
    const char *colon = text;

    while (apr_isalnum(*colon) || *colon == '+' || *colon == '-' || *colon == '.')
        colon++;
    if (colon == text || strncmp(colon, "://", 3) != 0)
        return NULL;
    *end = colon + 3 + strcspn(colon + 3, "/?#");
    return colon + 3;
}

const char *oc_url_public(const char *text, apr_pool_t *pool)
{
    const char *authority, *end = NULL, *at;
    oc_url_t url;

    if (!text || !strchr(text, '@'))
        return text;
    authority = url_authority(text, &end);
    for (at = end; authority && at > authority; at--)
        if (at[-1] == '@')
            return apr_pstrcat(pool, apr_pstrmemdup(pool, text, (apr_size_t)(authority - text)), at, NULL);
    /* In the path or the query of a usable URL it is just a character. In any other text a password may precede it. */
    if (!oc_url_parse(&url, text, OC_URL_PROXY, pool))
        return text;
    return apr_pstrcat(pool, "***", strrchr(text, '@'), NULL);
}
