/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * A public-key infrastructure in memory: certificates and OCSP responses of every kind, right and wrong ones, all dated
 * around PKI_NOW, which is far from the clock's time: a unit that looks at the clock fails its tests.
 *
 * Everything belongs to the pool it is made from. Whatever OpenSSL refuses to do ends the test.
 */
#ifndef SUPPORT_PKI_H
#define SUPPORT_PKI_H

#include "ocsp/verify.h"

#include <apr_pools.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#define PKI_NOW apr_time_from_sec(1900000000) /* 2030-03-17T17:46:40Z */
#define PKI_HOUR apr_time_from_sec(3600)
#define PKI_DAY apr_time_from_sec(86400)

/* Two OIDs that no client knows; beneath an arc that RFC 5612 reserves for examples. */
#define PKI_OID "1.3.6.1.4.1.32473.1"
#define PKI_OTHER_OID "1.3.6.1.4.1.32473.2"

typedef enum {
    PKI_P256,
    PKI_RSA_2048,
    PKI_RSA_1024,
    PKI_ED25519,
    PKI_P224,
    PKI_P384,
    PKI_P521,
    PKI_SECP256K1,
    PKI_BRAINPOOL
} pki_key_t;

typedef struct {
    unsigned char *data;
    apr_size_t length;
} pki_bytes_t;

typedef struct {
    X509 *x509;
    EVP_PKEY *key;
} pki_id_t;

/** The properties of a certificate. Zero in a field: the default. */
typedef struct {
    const char *cn;         /* NULL: empty subject */
    pki_key_t key;          /* kind of a new key */
    const pki_id_t *rekey;  /* take this one's key instead of a new one */
    const pki_id_t *issuer; /* NULL: self-signed */
    long serial;            /* 0: 1 */
    apr_time_t not_before;  /* 0: PKI_NOW less 30 days */
    apr_time_t not_after;   /* 0: PKI_NOW plus 30 days */
    const EVP_MD *md;       /* of the signature; NULL: SHA-256 */
    const char *basic_constraints, *key_usage, *eku, *aia, *san, *tls_feature,
        *name_constraints;  /* openssl.cnf syntax */
    const char *issuer_cn;  /* NULL: the issuer is named as it names itself; else these bytes are its CN, */
    int issuer_cn_len;      /* so many of them, in a string of issuer_type */
    int no_key_ids;         /* neither subject nor authority key identifier */
    const char *key_id;     /* subject key identifier in hexadecimal; NULL: the key's hash */
    int no_check;           /* id-pkix-ocsp-nocheck */
    const char *critical;   /* OID of a critical extension without sense */
    const char *uncritical; /* OID of an extension with this value */
    pki_bytes_t uncritical_value;
    int string_type; /* of the common name; 0: UTF8String */
    int issuer_type; /* of the issuer's common name; 0: as the issuer writes it */
} pki_spec_t;

pki_id_t *pki_make(apr_pool_t *pool, const pki_spec_t *spec);

/** A CA: CA:TRUE, keyCertSign and cRLSign, as common CAs have it. */
pki_id_t *pki_make_ca(apr_pool_t *pool, const char *cn, pki_key_t key, const pki_id_t *issuer);

/** Certificate and issuer, one after the other, as mod_ssl's prime hook gives them. */
const char *pki_pem(apr_pool_t *pool, const pki_id_t *certificate, const pki_id_t *issuer);

/** The properties of one SingleResponse. */
typedef struct {
    const pki_id_t *issuer;
    const pki_id_t *certificate; /* whose issuer field the CertID hashes; NULL: the issuer\'s subject */
    long serial;
    const EVP_MD *id_hash;                /* of the CertID; NULL: SHA-1 */
    int status;                           /* V_OCSP_CERTSTATUS_* */
    int reason;                           /* CRLReason, -1: none; of a revoked one only */
    const char *revoked_at, *this_update; /* as they are in the response, right or wrong */
    const char *next_update;              /* NULL: none */
    const char *critical, *uncritical;    /* OID of an extension */
    const char *value_oid[2];             /* OIDs of uncritical extensions with these values */
    pki_bytes_t value[2];
} pki_single_t;

typedef struct {
    const pki_id_t *signer;
    const EVP_MD *md;       /* NULL: SHA-256; not for Ed25519 */
    int pss;                /* RSASSA-PSS */
    const EVP_MD *pss_mask; /* the hash of its mask; NULL: md */
    int pss_salt;           /* its bytes; 0: as many as the hash has */
    int by_key;             /* responder id */
    const char *produced_at;
    const pki_single_t *singles;
    int count;
    X509 *certificates[3]; /* embedded */
    const char *critical;  /* OID of a critical response extension */
    int nonce;
} pki_response_t;

pki_bytes_t pki_respond(apr_pool_t *pool, const pki_response_t *spec);

/** The DER of a response that is a status only. */
pki_bytes_t pki_status(apr_pool_t *pool, int status);

/** A time as GeneralizedTime writes it. */
const char *pki_time(apr_pool_t *pool, apr_time_t time);

/** The DER of a response's ResponseData, without its outer header: to be changed by hand. */
pki_bytes_t pki_response_data(apr_pool_t *pool, pki_bytes_t response);

/** Sign any bytes as ResponseData, with ecdsa-with-SHA256, and wrap them up as a response. */
pki_bytes_t pki_sign_raw(apr_pool_t *pool, pki_bytes_t response_data, const pki_id_t *signer);

/** Identifier, DER length, content. */
pki_bytes_t pki_tlv(apr_pool_t *pool, unsigned char identifier, pki_bytes_t content);
/** What stands behind identifier and length of the first element of @a bytes. */
pki_bytes_t pki_content(pki_bytes_t bytes);
pki_bytes_t pki_join(apr_pool_t *pool, pki_bytes_t first, pki_bytes_t second);
#define PKI_BYTES(...) ((pki_bytes_t){(unsigned char[]){__VA_ARGS__}, sizeof((unsigned char[]){__VA_ARGS__})})

/** The second opinion: does `openssl ocsp` with @a issuer as its only trust, at @a now, find the response authentic? */
int pki_openssl_agrees(pki_bytes_t response, X509 *issuer, apr_time_t now);

#endif
