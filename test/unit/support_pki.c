/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Certificates and responses made to measure with OpenSSL's own functions, so that what is tested meets what OpenSSL
 * writes; by hand only what OpenSSL would not write.
 */
#include "support_pki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <apr_strings.h>
#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>

#define MUST(condition)                                            \
    do {                                                           \
        if (!(condition)) {                                        \
            ERR_print_errors_fp(stderr);                           \
            fail_msg("%s:%d: %s", __FILE__, __LINE__, #condition); \
        }                                                          \
    } while (0)

static apr_status_t free_id(void *data)
{
    pki_id_t *id = data;

    X509_free(id->x509);
    EVP_PKEY_free(id->key);
    return APR_SUCCESS;
}

static EVP_PKEY *make_key(pki_key_t kind)
{
    switch (kind) {
    case PKI_P256:
        return EVP_EC_gen("P-256");
    case PKI_RSA_2048:
        return EVP_RSA_gen(2048);
    case PKI_RSA_1024:
        return EVP_RSA_gen(1024);
    case PKI_P224:
        return EVP_EC_gen("P-224");
    case PKI_P384:
        return EVP_EC_gen("P-384");
    case PKI_P521:
        return EVP_EC_gen("P-521");
    case PKI_SECP256K1:
        return EVP_EC_gen("secp256k1");
    case PKI_BRAINPOOL:
        return EVP_EC_gen("brainpoolP256r1");
    case PKI_ED25519:
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    }
    return NULL;
}

static void add_extension(X509 *x509, X509V3_CTX *context, int nid, const char *value)
{
    X509_EXTENSION *extension;

    if (!value)
        return;
    extension = X509V3_EXT_conf_nid(NULL, context, nid, value);
    MUST(extension);
    MUST(X509_add_ext(x509, extension, -1));
    X509_EXTENSION_free(extension);
}

static X509_EXTENSION *extension_of(const char *oid, int critical, const unsigned char *bytes, int length)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *extension;

    MUST(object && value && ASN1_OCTET_STRING_set(value, bytes, length));
    extension = X509_EXTENSION_create_by_OBJ(NULL, object, critical, value);
    MUST(extension);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(object);
    return extension;
}

static X509_EXTENSION *odd_extension(const char *oid, int critical)
{
    return extension_of(oid, critical, (const unsigned char *)"\x05", 2);
}

static void add_extensions(X509 *x509, X509 *issuer, const pki_spec_t *spec)
{
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    if (!spec->no_key_ids)
        add_extension(x509, &context, NID_subject_key_identifier, spec->key_id ? spec->key_id : "hash");
    if (spec->issuer && !spec->no_key_ids)
        add_extension(x509, &context, NID_authority_key_identifier, "keyid:always");
    add_extension(x509, &context, NID_basic_constraints, spec->basic_constraints);
    add_extension(x509, &context, NID_key_usage, spec->key_usage);
    add_extension(x509, &context, NID_ext_key_usage, spec->eku);
    add_extension(x509, &context, NID_info_access, spec->aia);
    add_extension(x509, &context, NID_subject_alt_name, spec->san);
    add_extension(x509, &context, NID_tlsfeature, spec->tls_feature);
    add_extension(x509, &context, NID_name_constraints, spec->name_constraints);
    add_extension(x509, &context, NID_id_pkix_OCSP_noCheck, spec->no_check ? "ignored" : NULL);
    if (spec->critical) {
        X509_EXTENSION *extension = odd_extension(spec->critical, 1);
        MUST(X509_add_ext(x509, extension, -1));
        X509_EXTENSION_free(extension);
    }
    if (spec->uncritical) {
        X509_EXTENSION *extension =
            extension_of(spec->uncritical, 0, spec->uncritical_value.data, (int)spec->uncritical_value.length);
        MUST(X509_add_ext(x509, extension, -1));
        X509_EXTENSION_free(extension);
    }
}

static X509_NAME *make_name(const char *cn, int type)
{
    X509_NAME *name = X509_NAME_new();

    MUST(name);
    if (cn)
        MUST(X509_NAME_add_entry_by_txt(name, "CN", type != 0 ? type : V_ASN1_UTF8STRING, (const unsigned char *)cn, -1,
                                        -1, 0));
    return name;
}

/* The issuer's name, its common name in another string type, or of other bytes. */
static void set_issuer(X509 *x509, const X509_NAME *issuer, const pki_spec_t *spec)
{
    char cn[200] = "";
    X509_NAME *name = X509_NAME_new();
    int length = spec->issuer_cn_len;

    if (spec->issuer_cn)
        memcpy(cn, spec->issuer_cn, (size_t)length);
    else if (spec->issuer_type != 0)
        MUST((length = X509_NAME_get_text_by_NID((X509_NAME *)issuer, NID_commonName, cn, sizeof(cn))) > 0);
    if (length > 0)
        MUST(X509_NAME_add_entry_by_NID(name, NID_commonName, spec->issuer_type, (unsigned char *)cn, length, -1, 0));
    MUST(X509_set_issuer_name(x509, length > 0 ? name : issuer));
    X509_NAME_free(name);
}

static void set_time(ASN1_TIME *asn1, apr_time_t time, apr_time_t otherwise)
{
    MUST(ASN1_TIME_set(asn1, (time_t)apr_time_sec(time != 0 ? time : otherwise)) != NULL);
}

pki_id_t *pki_make(apr_pool_t *pool, const pki_spec_t *spec)
{
    pki_id_t *made = apr_pcalloc(pool, sizeof(*made));
    const pki_id_t *issuer = spec->issuer ? spec->issuer : made;
    X509_NAME *name = make_name(spec->cn, spec->string_type);
    const EVP_MD *md = spec->md ? spec->md : EVP_sha256();

    apr_pool_cleanup_register(pool, made, free_id, apr_pool_cleanup_null);
    made->x509 = X509_new();
    made->key = spec->rekey ? spec->rekey->key : make_key(spec->key);
    MUST(made->x509 && made->key);
    if (spec->rekey)
        EVP_PKEY_up_ref(made->key);
    MUST(X509_set_version(made->x509, X509_VERSION_3));
    MUST(ASN1_INTEGER_set(X509_get_serialNumber(made->x509), spec->serial != 0 ? spec->serial : 1));
    MUST(X509_set_subject_name(made->x509, name));
    set_issuer(made->x509, X509_get_subject_name(issuer->x509), spec);
    set_time(X509_getm_notBefore(made->x509), spec->not_before, PKI_NOW - 30 * PKI_DAY);
    set_time(X509_getm_notAfter(made->x509), spec->not_after, PKI_NOW + 30 * PKI_DAY);
    MUST(X509_set_pubkey(made->x509, made->key));
    add_extensions(made->x509, issuer->x509, spec);
    MUST(X509_sign(made->x509, issuer->key, EVP_PKEY_is_a(issuer->key, "ED25519") ? NULL : md));
    X509_NAME_free(name);
    return made;
}

pki_id_t *pki_make_ca(apr_pool_t *pool, const char *cn, pki_key_t key, const pki_id_t *issuer)
{
    return pki_make(pool, &(pki_spec_t){.cn = cn,
                                        .key = key,
                                        .issuer = issuer,
                                        .basic_constraints = "critical,CA:TRUE",
                                        .key_usage = "critical,keyCertSign,cRLSign"});
}

const char *pki_pem(apr_pool_t *pool, const pki_id_t *certificate, const pki_id_t *issuer)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text, *copy;
    long length;

    MUST(bio && PEM_write_bio_X509(bio, certificate->x509));
    if (issuer)
        MUST(PEM_write_bio_X509(bio, issuer->x509));
    length = BIO_get_mem_data(bio, &text);
    copy = apr_pstrmemdup(pool, text, (apr_size_t)length);
    BIO_free(bio);
    return copy;
}

const char *pki_time(apr_pool_t *pool, apr_time_t time)
{
    apr_time_exp_t t;

    apr_time_exp_gmt(&t, time);
    return apr_psprintf(pool, "%04d%02d%02d%02d%02d%02dZ", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour,
                        t.tm_min, t.tm_sec);
}

/* OpenSSL checks a time when it is given one, so it gets a right one first and the wanted one afterwards. */
static void overwrite_time(const ASN1_GENERALIZEDTIME *asn1, const char *text)
{
    MUST(ASN1_STRING_set((ASN1_STRING *)asn1, text, -1));
}

static OCSP_CERTID *make_id(const pki_single_t *spec)
{
    ASN1_INTEGER *serial = ASN1_INTEGER_new();
    OCSP_CERTID *id;

    MUST(serial && ASN1_INTEGER_set(serial, spec->serial));
    id = OCSP_cert_id_new(spec->id_hash ? spec->id_hash : EVP_sha1(),
                          spec->certificate ? X509_get_issuer_name(spec->certificate->x509)
                                            : X509_get_subject_name(spec->issuer->x509),
                          X509_get0_pubkey_bitstr(spec->issuer->x509), serial);
    MUST(id);
    ASN1_INTEGER_free(serial);
    return id;
}

static void add_single(OCSP_BASICRESP *basic, const pki_single_t *spec)
{
    OCSP_CERTID *id = make_id(spec);
    ASN1_TIME *valid = ASN1_TIME_set(NULL, 1900000000);
    ASN1_GENERALIZEDTIME *revoked_at, *this_update, *next_update;
    OCSP_SINGLERESP *single =
        OCSP_basic_add1_status(basic, id, spec->status, spec->reason, valid, valid, spec->next_update ? valid : NULL);
    const char *oids[] = {spec->critical, spec->uncritical};

    MUST(single);
    OCSP_single_get0_status(single, NULL, &revoked_at, &this_update, &next_update);
    overwrite_time(this_update, spec->this_update);
    if (spec->next_update)
        overwrite_time(next_update, spec->next_update);
    if (spec->status == V_OCSP_CERTSTATUS_REVOKED && spec->revoked_at)
        overwrite_time(revoked_at, spec->revoked_at);
    for (int i = 0; i < 2; i++) {
        if (oids[i]) {
            X509_EXTENSION *extension = odd_extension(oids[i], i == 0);
            MUST(OCSP_SINGLERESP_add_ext(single, extension, -1));
            X509_EXTENSION_free(extension);
        }
    }
    for (int i = 0; i < 2 && spec->value_oid[i] != NULL; i++) {
        X509_EXTENSION *extension =
            extension_of(spec->value_oid[i], 0, spec->value[i].data, (int)spec->value[i].length);
        MUST(OCSP_SINGLERESP_add_ext(single, extension, -1));
        X509_EXTENSION_free(extension);
    }
    ASN1_TIME_free(valid);
    OCSP_CERTID_free(id);
}

static void sign(OCSP_BASICRESP *basic, const pki_response_t *spec)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key_context = NULL;
    const EVP_MD *md = spec->md ? spec->md : EVP_sha256();
    unsigned long flags = OCSP_NOTIME | OCSP_NOCERTS | (spec->by_key ? OCSP_RESPID_KEY : 0);

    if (EVP_PKEY_is_a(spec->signer->key, "ED25519"))
        md = NULL;
    MUST(context && EVP_DigestSignInit(context, &key_context, md, NULL, spec->signer->key));
    if (spec->pss) {
        MUST(EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) > 0);
        MUST(
            EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, spec->pss_salt != 0 ? spec->pss_salt : RSA_PSS_SALTLEN_DIGEST)
            > 0);
        if (spec->pss_mask)
            MUST(EVP_PKEY_CTX_set_rsa_mgf1_md(key_context, spec->pss_mask) > 0);
    }
    MUST(OCSP_basic_sign_ctx(basic, spec->signer->x509, context, NULL, flags));
    EVP_MD_CTX_free(context);
}

static pki_bytes_t take(apr_pool_t *pool, unsigned char *der, int length)
{
    pki_bytes_t bytes;

    MUST(length > 0);
    bytes.data = apr_pmemdup(pool, der, (apr_size_t)length);
    bytes.length = (apr_size_t)length;
    OPENSSL_free(der);
    return bytes;
}

static pki_bytes_t response_der(apr_pool_t *pool, OCSP_RESPONSE *response)
{
    unsigned char *der = NULL;
    int length;

    MUST(response);
    length = i2d_OCSP_RESPONSE(response, &der);
    OCSP_RESPONSE_free(response);
    return take(pool, der, length);
}

pki_bytes_t pki_respond(apr_pool_t *pool, const pki_response_t *spec)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    pki_bytes_t bytes;
    const char *produced_at = spec->produced_at ? spec->produced_at : pki_time(pool, PKI_NOW - PKI_HOUR);

    MUST(basic);
    for (int i = 0; i < spec->count; i++)
        add_single(basic, &spec->singles[i]);
    for (int i = 0; i < 3 && spec->certificates[i] != NULL; i++)
        MUST(OCSP_basic_add1_cert(basic, spec->certificates[i]));
    if (spec->critical) {
        X509_EXTENSION *extension = odd_extension(spec->critical, 1);
        MUST(OCSP_BASICRESP_add_ext(basic, extension, -1));
        X509_EXTENSION_free(extension);
    }
    if (spec->nonce)
        MUST(OCSP_basic_add1_nonce(basic, (unsigned char *)"0123456789abcdef", 16));
    overwrite_time(OCSP_resp_get0_produced_at(basic), produced_at);
    sign(basic, spec);
    bytes = response_der(pool, OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic));
    OCSP_BASICRESP_free(basic);
    return bytes;
}

pki_bytes_t pki_status(apr_pool_t *pool, int status)
{
    return response_der(pool, OCSP_response_create(status, NULL));
}

/* ---------------------------------------------------------------------- what OpenSSL would not write, by hand */

pki_bytes_t pki_join(apr_pool_t *pool, pki_bytes_t first, pki_bytes_t second)
{
    pki_bytes_t both = {apr_palloc(pool, first.length + second.length), first.length + second.length};

    if (first.length > 0)
        memcpy(both.data, first.data, first.length);
    if (second.length > 0)
        memcpy(both.data + first.length, second.data, second.length);
    return both;
}

pki_bytes_t pki_tlv(apr_pool_t *pool, unsigned char identifier, pki_bytes_t content)
{
    unsigned char header[16], *p = header;

    ASN1_put_object(&p, (identifier & V_ASN1_CONSTRUCTED) != 0, (int)content.length, identifier & 0x1f,
                    identifier & 0xc0);
    return pki_join(pool, (pki_bytes_t){header, (apr_size_t)(p - header)}, content);
}

pki_bytes_t pki_content(pki_bytes_t bytes)
{
    const unsigned char *p = bytes.data;
    long length;
    int tag, class;

    MUST((ASN1_get_object(&p, &length, &tag, &class, (long)bytes.length) & 0x80) == 0);
    return (pki_bytes_t){bytes.data + (p - bytes.data), (apr_size_t)length};
}

pki_bytes_t pki_response_data(apr_pool_t *pool, pki_bytes_t response)
{
    const unsigned char *p = response.data;
    OCSP_RESPONSE *parsed = d2i_OCSP_RESPONSE(NULL, &p, (long)response.length);
    OCSP_BASICRESP *basic = parsed ? OCSP_response_get1_basic(parsed) : NULL;
    unsigned char *der = NULL;
    pki_bytes_t bytes;

    MUST(basic);
    {
        int taken = i2d_OCSP_RESPDATA(OCSP_resp_get0_respdata(basic), &der);
        bytes = take(pool, der, taken);
    }
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(parsed);
    return pki_content(bytes);
}

pki_bytes_t pki_sign_raw(apr_pool_t *pool, pki_bytes_t response_data, const pki_id_t *signer)
{
    /* AlgorithmIdentifier of ecdsa-with-SHA256; id-pkix-ocsp-basic */
    static unsigned char algorithm[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
    static unsigned char basic_type[] = {0x06, 0x09, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01};
    static unsigned char successful[] = {0x0a, 0x01, 0x00};
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char signature[1 + 128] = {0}; /* no unused bits */
    size_t length = sizeof(signature) - 1;
    pki_bytes_t basic, bytes;

    MUST(context && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, signer->key));
    MUST(EVP_DigestSign(context, signature + 1, &length, response_data.data, response_data.length));
    EVP_MD_CTX_free(context);
    basic = pki_join(pool, response_data, (pki_bytes_t){algorithm, sizeof(algorithm)});
    basic = pki_join(pool, basic, pki_tlv(pool, 0x03, (pki_bytes_t){signature, length + 1}));
    basic = pki_tlv(pool, 0x04, pki_tlv(pool, 0x30, basic));
    bytes = pki_tlv(pool, 0x30, pki_join(pool, (pki_bytes_t){basic_type, sizeof(basic_type)}, basic));
    bytes = pki_join(pool, (pki_bytes_t){successful, sizeof(successful)}, pki_tlv(pool, 0xa0, bytes));
    return pki_tlv(pool, 0x30, bytes);
}

int pki_openssl_agrees(pki_bytes_t response, X509 *issuer, apr_time_t now)
{
    const unsigned char *p = response.data;
    OCSP_RESPONSE *parsed = d2i_OCSP_RESPONSE(NULL, &p, (long)response.length);
    OCSP_BASICRESP *basic = parsed ? OCSP_response_get1_basic(parsed) : NULL;
    X509_STORE *store = X509_STORE_new();
    STACK_OF(X509) *issuers = sk_X509_new_null();
    int agrees;

    MUST(store && X509_STORE_add_cert(store, issuer) && issuers && sk_X509_push(issuers, issuer));
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), (time_t)apr_time_sec(now));
    /* Embedded certificates first, as a TLS client of OpenSSL finds them. */
    agrees = basic != NULL
             && (OCSP_basic_verify(basic, NULL, store, OCSP_PARTIAL_CHAIN) == 1
                 || OCSP_basic_verify(basic, issuers, store, OCSP_PARTIAL_CHAIN | OCSP_NOINTERN) == 1);
    sk_X509_free(issuers);
    X509_STORE_free(store);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(parsed);
    ERR_clear_error();
    return agrees;
}
