/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The entry of one client certificate: its key, its bytes, and the decision. Any child may have written the bytes, so
 * lengths and verdict are checked when they are read.
 */
#include "client/client.h"

#include "base/hex.h"
#include "base/timestamp.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#define VERSION 1
#define AHEAD apr_time_from_sec(1) /* of the clock, between two who read it; more than that: it was set back */
#define PENDING_AGE apr_time_from_sec(60)

/* The stored form, in the byte order of the machine: the file's head names it. */
typedef struct {
    uint32_t version;
    uint32_t verdict;
    int64_t this_update, usable_until, fetched_at, tried_at, not_before, not_after;
    uint64_t host;
    unsigned char issuer[OC_CLIENT_KEY_LEN];
    uint16_t urls_len;
    unsigned char serial_der_len;
    unsigned char serial_der[OC_CLIENT_SERIAL_MAX + 1];
} stored_t;

_Static_assert(sizeof(stored_t) == OC_CLIENT_HEAD_LEN, "the head has no hidden bytes");

/* ---- the key ---- */

/* The length of each part is hashed with it, so that no two different sets of parts are the same bytes. */
static int add(EVP_MD_CTX *md, const unsigned char *bytes, int len)
{
    uint32_t head = (uint32_t)len;

    return bytes && len >= 0 && EVP_DigestUpdate(md, &head, sizeof(head)) && EVP_DigestUpdate(md, bytes, (size_t)len);
}

int oc_client_identify(oc_client_key_t *key, const X509 *cert, const X509 *issuer)
{
    const ASN1_BIT_STRING *issuer_key = X509_get0_pubkey_bitstr(issuer);
    const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    const unsigned char *name = NULL, sign[1] = {(ASN1_STRING_type(serial) & V_ASN1_NEG) != 0};
    size_t name_len = 0;
    int done = md && issuer_key && X509_NAME_get0_der(X509_get_issuer_name(cert), &name, &name_len)
               && name_len < INT32_MAX && EVP_DigestInit_ex(md, EVP_sha256(), NULL)
               && add(md, ASN1_STRING_get0_data(issuer_key), ASN1_STRING_length(issuer_key))
               && add(md, name, (int)name_len) && add(md, sign, sizeof(sign))
               && add(md, ASN1_STRING_get0_data(serial), ASN1_STRING_length(serial))
               && EVP_DigestFinal_ex(md, key->bytes, NULL);

    EVP_MD_CTX_free(md);
    return done;
}

uint64_t oc_client_host_id(const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return hash;
}

/* ---- the entry ---- */

/* As many as fit: the first responders are the important ones. */
static void join_urls(oc_client_t *client, const char *const *urls, apr_pool_t *pool)
{
    char *joined = apr_palloc(pool, OC_CLIENT_URLS_MAX);

    client->urls = joined;
    for (; *urls; urls++) {
        apr_size_t len = strlen(*urls) + 1;

        if (len > OC_CLIENT_URLS_MAX - client->urls_len)
            continue;
        memcpy(joined + client->urls_len, *urls, len);
        client->urls_len += len;
    }
}

int oc_client_begin(oc_client_t *client, const oc_cert_t *cert, uint64_t host, apr_time_t now, apr_pool_t *pool)
{
    memset(client, 0, sizeof(*client));
    if (cert->serial_der_len > OC_CLIENT_SERIAL_MAX)
        return 0;
    client->verdict = OC_PENDING;
    client->tried_at = now;
    client->not_before = cert->not_before;
    client->not_after = cert->not_after;
    client->host = host;
    memcpy(client->serial_der, cert->serial_der, cert->serial_der_len);
    client->serial_der_len = cert->serial_der_len;
    join_urls(client, cert->urls, pool);
    return 1;
}

apr_size_t oc_client_encode(const oc_client_t *client, unsigned char *bytes)
{
    stored_t stored = {.version = VERSION,
                       .verdict = client->verdict,
                       .this_update = client->this_update,
                       .usable_until = client->usable_until,
                       .fetched_at = client->fetched_at,
                       .tried_at = client->tried_at,
                       .not_before = client->not_before,
                       .not_after = client->not_after,
                       .host = client->host,
                       .urls_len = (uint16_t)client->urls_len,
                       .serial_der_len = (unsigned char)client->serial_der_len};

    memcpy(stored.issuer, client->issuer, sizeof(stored.issuer));
    memcpy(stored.serial_der, client->serial_der, client->serial_der_len);
    memcpy(bytes, &stored, sizeof(stored));
    if (client->urls_len > 0)
        memcpy(bytes + sizeof(stored), client->urls, client->urls_len);
    return sizeof(stored) + client->urls_len;
}

static int has_valid_times(const stored_t *stored)
{
    return oc_time_is_valid(stored->this_update) && oc_time_is_valid(stored->usable_until)
           && oc_time_is_valid(stored->fetched_at) && oc_time_is_valid(stored->tried_at)
           && oc_time_is_valid(stored->not_before) && oc_time_is_valid(stored->not_after);
}

apr_status_t oc_client_decode(oc_client_t *client, const unsigned char *bytes, apr_size_t len)
{
    stored_t stored;

    memset(client, 0, sizeof(*client));
    if (len < sizeof(stored))
        return APR_EINVAL;
    memcpy(&stored, bytes, sizeof(stored));
    if (stored.version != VERSION || stored.urls_len > OC_CLIENT_URLS_MAX || len != sizeof(stored) + stored.urls_len
        || (stored.urls_len > 0 && bytes[len - 1] != '\0') || stored.serial_der_len > OC_CLIENT_SERIAL_MAX
        || (stored.verdict != OC_PENDING && stored.verdict != OC_GOOD && stored.verdict != OC_REVOKED)
        || !has_valid_times(&stored))
        return APR_EINVAL;
    client->verdict = (oc_verdict_t)stored.verdict;
    client->this_update = stored.this_update;
    client->usable_until = stored.usable_until;
    client->fetched_at = stored.fetched_at;
    client->tried_at = stored.tried_at;
    client->not_before = stored.not_before;
    client->not_after = stored.not_after;
    client->host = stored.host;
    memcpy(client->issuer, stored.issuer, sizeof(client->issuer));
    memcpy(client->serial_der, stored.serial_der, stored.serial_der_len);
    client->serial_der_len = stored.serial_der_len;
    client->urls = (const char *)bytes + sizeof(stored);
    client->urls_len = stored.urls_len;
    return APR_SUCCESS;
}

const char *oc_client_serial(const oc_client_t *client, apr_pool_t *pool)
{
    const unsigned char *at = client->serial_der + 2; /* INTEGER, and a length that is below 128 */
    apr_size_t len = client->serial_der_len > 2 ? client->serial_der_len - 2 : 0;

    if (len > 1 && *at == 0) { /* keeps a number positive */
        at++;
        len--;
    }
    return oc_hex_print(at, len, pool);
}

/* ---- the decision ---- */

static apr_time_t later(apr_time_t time, apr_interval_time_t by)
{
    return time > APR_INT64_MAX - by ? APR_INT64_MAX : time + by;
}

static int is_ahead(apr_time_t time, apr_time_t now)
{
    return time > later(now, AHEAD);
}

int oc_client_is_paused(const oc_client_t *client, const oc_note_t *note, apr_time_t now)
{
    return note->due > now && !is_ahead(client->tried_at, now);
}

oc_client_answer_t oc_client_decide(const oc_client_t *client, const oc_note_t *note, apr_time_t now,
                                    apr_interval_time_t grace)
{
    oc_client_answer_t answer = {OC_CLIENT_UNKNOWN, OC_CLIENT_SOURCE_NONE, 0, 1};

    if (!client)
        return answer;
    if (client->verdict == OC_REVOKED)
        return (oc_client_answer_t){OC_CLIENT_REVOKED, OC_CLIENT_SOURCE_CACHE, client->this_update, 0};
    if (client->verdict == OC_GOOD && client->usable_until > now)
        return (oc_client_answer_t){OC_CLIENT_GOOD, OC_CLIENT_SOURCE_CACHE, client->this_update, 0};
    answer.may_change = note->failures == 0 || !oc_client_is_paused(client, note, now);
    if (client->verdict == OC_GOOD && later(client->usable_until, grace) > now && note->verdict != OC_UNKNOWN) {
        answer.state = OC_CLIENT_GOOD;
        answer.source = OC_CLIENT_SOURCE_GRACE;
        if (note->failures > 0) /* it is let in anyway: the next attempt, which will hang too, is no reason to wait */
            answer.may_change = 0;
        answer.this_update = client->this_update;
    }
    return answer;
}

int oc_client_is_due(const oc_client_t *client, const oc_note_t *note, apr_time_t seen, apr_time_t now)
{
    oc_note_t bounded = *note;

    if (is_ahead(seen, now)) /* it has not come since the clock was set back */
        return 0;
    if (note->verdict == OC_PENDING && client->verdict != OC_PENDING) /* out of the file, which has no notes */
        bounded.due = client->fetched_at + (client->usable_until - client->fetched_at) / 2;
    if (oc_client_is_paused(client, &bounded, now))
        return 0;
    if ((client->verdict == OC_PENDING && note->failures == 0) || is_ahead(client->tried_at, now))
        return seen > now - PENDING_AGE;
    return apr_time_sec(seen) > apr_time_sec(client->tried_at);
}

const char *oc_client_state_name(oc_client_state_t state)
{
    return state == OC_CLIENT_GOOD ? "good" : state == OC_CLIENT_REVOKED ? "revoked" : "unknown";
}

const char *oc_client_source_name(oc_client_source_t source)
{
    switch (source) {
    case OC_CLIENT_SOURCE_CACHE:
        return "cache";
    case OC_CLIENT_SOURCE_RESPONDER:
        return "responder";
    case OC_CLIENT_SOURCE_GRACE:
        return "grace";
    default:
        return "none";
    }
}
