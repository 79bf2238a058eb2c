/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Processor time of obtaining one response after the other with OpenSSL's own functions, and nothing else: request,
 * exchange over a connection that is kept, OCSP_basic_verify(), status, validity. What scale.py compares the module
 * with. The certificates are parsed before.
 *
 *   bench_refresh HOST PORT PATH ISSUER.pem CERTIFICATES.pem
 */
#include <openssl/err.h>
#include <openssl/http.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SKEW 300
#define SIZE_MAX_RESPONSE 65536
#define TIMEOUT 10

static void stop(const char *what)
{
    ERR_print_errors_fp(stderr);
    fprintf(stderr, "bench_refresh: %s\n", what);
    exit(1);
}

static STACK_OF(X509) * load(const char *path)
{
    STACK_OF(X509) *all = sk_X509_new_null();
    BIO *bio = BIO_new_file(path, "r");
    X509 *x509;

    if (!bio || !all)
        stop(path);
    while ((x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
        if (!sk_X509_push(all, x509))
            stop(path);
    BIO_free(bio);
    ERR_clear_error();
    if (sk_X509_num(all) == 0)
        stop(path);
    return all;
}

typedef struct {
    const char *host, *port, *path;
    X509 *issuer;
    X509_STORE *store;
    STACK_OF(X509) * issuers;
    OSSL_HTTP_REQ_CTX *connection;
} bench_t;

static OCSP_RESPONSE *exchange(bench_t *bench, OCSP_REQUEST *request)
{
    BIO *body = BIO_new(BIO_s_mem()), *answer;
    OCSP_RESPONSE *response;

    if (!body || !i2d_OCSP_REQUEST_bio(body, request))
        stop("the request");
    answer = OSSL_HTTP_transfer(&bench->connection, bench->host, bench->port, bench->path, 0, NULL, NULL, NULL, NULL,
                                NULL, NULL, 0, NULL, "application/ocsp-request", body, "application/ocsp-response", 1,
                                SIZE_MAX_RESPONSE, TIMEOUT, 1);
    response = answer ? d2i_OCSP_RESPONSE_bio(answer, NULL) : NULL;
    if (!response)
        stop("the exchange");
    BIO_free(answer);
    BIO_free(body);
    return response;
}

static void obtain(bench_t *bench, X509 *certificate)
{
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), certificate, bench->issuer), *copy = OCSP_CERTID_dup(id);
    OCSP_REQUEST *request = OCSP_REQUEST_new();
    ASN1_GENERALIZEDTIME *revoked, *begin, *end;
    OCSP_RESPONSE *response;
    OCSP_BASICRESP *basic;
    int status, reason;

    if (!id || !copy || !request || !OCSP_request_add0_id(request, copy))
        stop("the request");
    response = exchange(bench, request);
    basic = OCSP_response_get1_basic(response);
    if (!basic || OCSP_basic_verify(basic, bench->issuers, bench->store, 0) != 1
        || !OCSP_resp_find_status(basic, id, &status, &reason, &revoked, &begin, &end)
        || status != V_OCSP_CERTSTATUS_GOOD || !OCSP_check_validity(begin, end, SKEW, -1))
        stop("the response");
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    OCSP_REQUEST_free(request);
    OCSP_CERTID_free(id);
}

static double processor_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

int main(int argc, char **argv)
{
    STACK_OF(X509) * certificates;
    bench_t bench = {0};
    double begin;
    int i, n;

    if (argc != 6)
        stop("usage: bench_refresh HOST PORT PATH ISSUER.pem CERTIFICATES.pem");
    bench.host = argv[1];
    bench.port = argv[2];
    bench.path = argv[3];
    bench.issuers = load(argv[4]);
    bench.issuer = sk_X509_value(bench.issuers, 0);
    certificates = load(argv[5]);
    n = sk_X509_num(certificates);
    bench.store = X509_STORE_new();
    if (!bench.store || !X509_STORE_add_cert(bench.store, bench.issuer)
        || !X509_STORE_set_flags(bench.store, X509_V_FLAG_PARTIAL_CHAIN))
        stop("no memory");
    obtain(&bench, sk_X509_value(certificates, 0));
    begin = processor_us();
    for (i = 0; i < n; i++)
        obtain(&bench, sk_X509_value(certificates, i));
    printf("%.1f\n", (processor_us() - begin) / n);
    return 0;
}
