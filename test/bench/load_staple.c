/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Judges what was stapled. It uses none of the module's code, so a fault there cannot hide here. What is costly
 * (signature, signer, certificate) is verified once for each distinct response; what changes (the times, the
 * certificate that it must be for) is checked each time.
 */
#include "load.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

enum { SLOTS = 1 << 14 };

/* One distinct response about one certificate. */
typedef struct seen_t {
    struct seen_t *next;
    unsigned char *der;
    size_t len;
    ASN1_INTEGER *serial; /* of the certificate that it was verified for */
    load_outcome_t outcome;
    time_t from, until; /* good within these */
    char why[160];
} seen_t;

struct load_judge_t {
    X509_STORE *store;
    pthread_mutex_t mutex;
    size_t distinct;
    seen_t *slot[SLOTS];
};

load_judge_t *load_judge_create(const char *ca_file)
{
    load_judge_t *judge = calloc(1, sizeof(*judge));

    if (!judge || !(judge->store = X509_STORE_new()))
        load_die("no memory");
    if (X509_STORE_load_file(judge->store, ca_file) != 1)
        load_die("%s: no certificates", ca_file);
    pthread_mutex_init(&judge->mutex, NULL);
    return judge;
}

static uint32_t hash_of(const unsigned char *der, size_t len, const ASN1_INTEGER *serial)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (int i = 0; i < serial->length; i++)
        hash = (hash ^ serial->data[i]) * 16777619u;
    /* The signature is at the end or before the signer's certificate: 64 bytes from each end and the middle tell
     * responses apart. */
    for (size_t part = 0; part < 3; part++) {
        size_t from = len <= 64 ? 0 : (len - 64) * part / 2;

        for (size_t i = from; i < len && i < from + 64; i++)
            hash = (hash ^ der[i]) * 16777619u;
    }
    return hash % SLOTS;
}

static int is_time(const ASN1_GENERALIZEDTIME *text, time_t *when)
{
    struct tm tm;

    if (!text || ASN1_TIME_to_tm(text, &tm) != 1)
        return 0;
    *when = timegm(&tm);
    return 1;
}

static load_outcome_t wrong(seen_t *seen, const char *why)
{
    snprintf(seen->why, sizeof(seen->why), "%s", why);
    return LOAD_WRONG;
}

/* Who issued the first certificate of the chain, among the others. */
static X509 *issuer_of(STACK_OF(X509) * chain)
{
    for (int i = 1; i < sk_X509_num(chain); i++) {
        if (X509_check_issued(sk_X509_value(chain, i), sk_X509_value(chain, 0)) == X509_V_OK)
            return sk_X509_value(chain, i);
    }
    return NULL;
}

/* Signature and signer as OCSP_basic_verify() sees them, then what the response says of this certificate. */
static load_outcome_t verify_basic(load_judge_t *judge, OCSP_BASICRESP *basic, STACK_OF(X509) * chain, seen_t *seen)
{
    X509 *issuer = issuer_of(chain);
    OCSP_CERTID *id = issuer ? OCSP_cert_to_id(NULL, sk_X509_value(chain, 0), issuer) : NULL;
    ASN1_GENERALIZEDTIME *this_update = NULL, *next_update = NULL;
    int status = -1, reason, found;

    if (!id)
        return wrong(seen, "the server showed no issuer");
    found = OCSP_resp_find_status(basic, id, &status, &reason, NULL, &this_update, &next_update);
    OCSP_CERTID_free(id);
    if (OCSP_basic_verify(basic, chain, judge->store, 0) != 1) {
        const char *text = ERR_reason_error_string(ERR_peek_last_error());

        return wrong(seen, text ? text : "the signature does not verify");
    }
    if (!found)
        return wrong(seen, "is not about this certificate");
    if (status != V_OCSP_CERTSTATUS_GOOD)
        return wrong(seen, OCSP_cert_status_str(status));
    if (!is_time(this_update, &seen->from))
        return wrong(seen, "no thisUpdate");
    if (!next_update)
        seen->until = seen->from + 365 * 86400;
    else if (!is_time(next_update, &seen->until))
        return wrong(seen, "nextUpdate is not a time");
    return LOAD_GOOD;
}

static load_outcome_t verify(load_judge_t *judge, STACK_OF(X509) * chain, seen_t *seen)
{
    const unsigned char *at = seen->der;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)seen->len);
    OCSP_BASICRESP *basic = NULL;
    load_outcome_t outcome;

    if (!response || at != seen->der + seen->len)
        outcome = wrong(seen, "not an OCSP response");
    else if (OCSP_response_status(response) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        outcome = LOAD_ERROR;
    else if (!(basic = OCSP_response_get1_basic(response)))
        outcome = wrong(seen, "not a basic response");
    else
        outcome = verify_basic(judge, basic, chain, seen);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    ERR_clear_error();
    return outcome;
}

/* Mutex held. */
static seen_t *find_or_verify(load_judge_t *judge, const unsigned char *der, size_t len, STACK_OF(X509) * chain)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(sk_X509_value(chain, 0));
    seen_t **slot = &judge->slot[hash_of(der, len, serial)], *seen;

    for (seen = *slot; seen; seen = seen->next) {
        if (seen->len == len && memcmp(seen->der, der, len) == 0 && ASN1_INTEGER_cmp(seen->serial, serial) == 0)
            return seen;
    }
    if (!(seen = calloc(1, sizeof(*seen))) || !(seen->der = malloc(len + 1))
        || !(seen->serial = ASN1_INTEGER_dup(serial)))
        load_die("no memory");
    memcpy(seen->der, der, len);
    seen->len = len;
    seen->outcome = verify(judge, chain, seen);
    seen->next = *slot;
    *slot = seen;
    judge->distinct++;
    return seen;
}

load_outcome_t load_judge_staple(load_judge_t *judge, SSL *ssl, load_detail_t *detail)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    const unsigned char *der = NULL;
    long len = SSL_get_tlsext_status_ocsp_resp(ssl, &der);
    time_t now = time(NULL);
    load_outcome_t outcome;
    seen_t *seen;

    if (!der || len <= 0)
        return LOAD_NONE;
    if (!chain || sk_X509_num(chain) < 1) {
        snprintf(detail->why, sizeof(detail->why), "no certificate");
        return LOAD_WRONG;
    }
    pthread_mutex_lock(&judge->mutex);
    seen = find_or_verify(judge, der, (size_t)len, chain);
    pthread_mutex_unlock(&judge->mutex);
    outcome = seen->outcome;
    if (outcome == LOAD_WRONG)
        snprintf(detail->why, sizeof(detail->why), "%s", seen->why);
    if (outcome == LOAD_GOOD && (now < seen->from || now > seen->until)) {
        snprintf(detail->why, sizeof(detail->why),
                 now < seen->from ? "%ld s before its thisUpdate" : "%ld s past its nextUpdate",
                 labs((long)(now - (now < seen->from ? seen->from : seen->until))));
        return LOAD_WRONG;
    }
    detail->until = outcome == LOAD_GOOD ? seen->until : 0;
    return outcome;
}

size_t load_judge_distinct(load_judge_t *judge)
{
    return judge->distinct;
}
