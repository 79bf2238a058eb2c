/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Client certificates, and the one request with which a client finds out whether the server lets it in: with TLS 1.3 a
 * client has finished its handshake before the server looks at its certificate.
 */
#include "load_conn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

struct load_identity_t {
    X509 *cert;
    EVP_PKEY *key;
    STACK_OF(X509) * chain;
};

/* A file with the certificate, those of its issuers, and the key. */
static void read_identity(load_identity_t *identity, const char *path)
{
    BIO *file = BIO_new_file(path, "r");
    X509 *cert;

    identity->chain = sk_X509_new_null();
    if (!file || !identity->chain || !(identity->cert = PEM_read_bio_X509(file, NULL, NULL, NULL)))
        load_die("%s: no certificate", path);
    while ((cert = PEM_read_bio_X509(file, NULL, NULL, NULL)) != NULL)
        sk_X509_push(identity->chain, cert);
    ERR_clear_error();
    (void)BIO_reset(file);
    if (!(identity->key = PEM_read_bio_PrivateKey(file, NULL, NULL, NULL)))
        load_die("%s: no key", path);
    BIO_free(file);
}

load_identity_t *load_client_read(const load_options_t *options)
{
    const char *number = strstr(options->client, "%d");
    load_identity_t *identities = calloc((size_t)options->n_clients, sizeof(*identities));
    char path[4096];

    if (!identities)
        load_die("no memory");
    for (int i = 0; i < options->n_clients; i++) {
        if (number)
            snprintf(path, sizeof(path), "%.*s%d%s", (int)(number - options->client), options->client, i, number + 2);
        else
            snprintf(path, sizeof(path), "%s", options->client);
        read_identity(&identities[i], path);
    }
    return identities;
}

void load_client_use(load_conn_t *conn)
{
    const load_run_t *run = conn->worker->run;
    const load_identity_t *identity = &run->identity[conn->number % (uint64_t)run->options->n_clients];

    if (SSL_use_cert_and_key(conn->ssl, identity->cert, identity->key, identity->chain, 1) != 1)
        load_die("a client certificate and its key do not match");
}

/* Is the failed call to be repeated later? Otherwise the connection has failed. */
static int is_pending(load_conn_t *conn, int result)
{
    int error = SSL_get_error(conn->ssl, result);
    const char *text = error == SSL_ERROR_SSL ? ERR_reason_error_string(ERR_peek_error()) : NULL;

    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return 1;
    load_conn_fail(conn, "request", text ? text : "closed by the server");
    ERR_clear_error();
    return 0;
}

void load_client_request(load_conn_t *conn)
{
    static const char form[] = "GET /index.html HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n";
    char request[512];
    int len = snprintf(request, sizeof(request), form, conn->host->name);
    int written = SSL_write(conn->ssl, request, len);

    conn->phase = written > 0 ? LOAD_ANSWER : LOAD_REQUEST;
    if (written > 0)
        load_client_answer(conn);
    else
        (void)is_pending(conn, written);
}

void load_client_answer(load_conn_t *conn)
{
    static const char let_in[] = "HTTP/1.1 200";
    load_detail_t detail = {0};
    char bytes[512];
    int got = SSL_read(conn->ssl, bytes, sizeof(bytes));

    if (got <= 0) {
        (void)is_pending(conn, got);
        return;
    }
    if (got >= (int)sizeof(let_in) - 1 && memcmp(bytes, let_in, sizeof(let_in) - 1) == 0)
        load_conn_done(conn, LOAD_GOOD, &detail);
    else
        load_conn_done(conn, LOAD_ERROR, &detail);
}
