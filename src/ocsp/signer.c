/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_signer: who signed a response, may they, and did they? (RFC 6960 section 4.2.2.2.) Called by oc_verify alone. It
 * must never use a key before its owner is found entitled, nor trust anything but the issuer it was given, nor ask a
 * clock.
 *
 * Not checked, on purpose: whether the delegated signer itself is revoked. Section 4.2.2.2.1 leaves that to the client
 * and its policy: with id-pkix-ocsp-nocheck there is nothing to check, without it one would need a CRL, which browsers
 * and TLS libraries do not fetch for this purpose either. What a client might do with a CRL of its own it can still do
 * with a stapled response.
 */
#include "signer.h"

#include "ocsp/x509.h"

#include <apr_strings.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <string.h>

/* In bits: what OpenSSL calls security level 2, the default of Debian, Ubuntu and RHEL. */
#define OC_SIGNER_STRENGTH 112

/* What a check answers when it has nothing to object to. */
#define PASSED OC_PENDING

typedef struct {
    OCSP_BASICRESP *basic;
    X509 *issuer;
    X509 *signer; /* belongs to `basic`, or is the issuer */
    apr_time_t now;
    apr_time_t *not_after;
    char *detail;
    apr_size_t detail_size;
} oc_check_t;

__attribute__((format(printf, 3, 4))) static oc_verdict_t refuse(const oc_check_t *check, oc_verdict_t verdict,
                                                                 const char *format, ...)
{
    va_list args;

    va_start(args, format);
    apr_vsnprintf(check->detail, check->detail_size, format, args);
    va_end(args);
    return verdict;
}

static oc_verdict_t refuse_signer(const oc_check_t *check, oc_verdict_t verdict, const char *objection)
{
    char subject[64], serial[48];

    oc_x509_subject(subject, sizeof subject, check->signer);
    oc_x509_serial(serial, sizeof serial, X509_get0_serialNumber(check->signer));
    return refuse(check, verdict, "%s: signer %s, serial %s", objection, subject, serial);
}

static oc_verdict_t refuse_signer_missing(const oc_check_t *check)
{
    const ASN1_OCTET_STRING *key = NULL;
    const X509_NAME *name = NULL;
    char text[100] = "";
    apr_size_t used = 0;

    if (!OCSP_resp_get0_id(check->basic, &key, &name))
        return OC_SIGNER_MISSING;
    if (name != NULL) {
        oc_x509_name(text, sizeof text, name);
        return refuse(check, OC_SIGNER_MISSING, "responder name %s", text);
    }
    for (int i = 0; i < ASN1_STRING_length(key) && used + 3 < sizeof text; i++, used += 2)
        apr_snprintf(text + used, 3, "%02X", ASN1_STRING_get0_data(key)[i]);
    return refuse(check, OC_SIGNER_MISSING, "responder key hash %s", text);
}

/* The first embedded certificate that answers to the responder id, else the issuer: that is whom OpenSSL and GnuTLS
 * clients will hold responsible, and they try no second one. So an embedded certificate counts even when the issuer
 * answers to the same id. */
static oc_verdict_t check_signer_found(oc_check_t *check)
{
    STACK_OF(X509) * issuer;
    int found = OCSP_resp_get0_signer(check->basic, &check->signer, NULL);

    if (found)
        return PASSED;
    issuer = sk_X509_new_null();
    if (issuer == NULL || !sk_X509_push(issuer, check->issuer)) {
        sk_X509_free(issuer);
        return OC_OUT_OF_RESOURCES;
    }
    found = OCSP_resp_get0_signer(check->basic, &check->signer, issuer);
    sk_X509_free(issuer);
    return found ? PASSED : refuse_signer_missing(check);
}

/* The path signer <- issuer, with the issuer as the only certificate there is: signature, names, key identifiers,
 * critical extensions, name constraints, the issuer's right to sign certificates. Times are looked at in the next
 * check, with our time: the path validation would ask the clock. */
static oc_verdict_t check_signer_path(const oc_check_t *check)
{
    X509_STORE_CTX *path = X509_STORE_CTX_new();
    STACK_OF(X509) *trusted = sk_X509_new_null();
    oc_verdict_t verdict = OC_OUT_OF_RESOURCES;

    if (path != NULL && trusted != NULL && sk_X509_push(trusted, check->issuer)
        && X509_STORE_CTX_init(path, NULL, check->signer, NULL)
        && X509_STORE_CTX_set_purpose(path, X509_PURPOSE_OCSP_HELPER)) {
        X509_STORE_CTX_set0_trusted_stack(path, trusted);
        X509_STORE_CTX_set_flags(path, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
        if (X509_verify_cert(path) == 1) {
            verdict = PASSED;
        }
        else {
            int error = X509_STORE_CTX_get_error(path);
            verdict = error == X509_V_ERR_OUT_OF_MEM ? OC_OUT_OF_RESOURCES
                      : error == X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION
                          ? refuse_signer(check, OC_CRITICAL_EXTENSION, "in the signer's certificate")
                      : error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY
                          ? refuse_signer(check, OC_SIGNER_REFUSED, "not issued by the certificate's issuer")
                          : refuse_signer(check, OC_SIGNER_REFUSED, X509_verify_cert_error_string(error));
        }
    }
    X509_STORE_CTX_free(path);
    sk_X509_free(trusted);
    return verdict;
}

static oc_verdict_t check_signer_validity(oc_check_t *check)
{
    apr_time_t not_before, not_after;

    if (!oc_x509_time(&not_before, X509_get0_notBefore(check->signer))
        || !oc_x509_time(&not_after, X509_get0_notAfter(check->signer)))
        return refuse_signer(check, OC_SIGNER_REFUSED, "unreadable validity");
    if (not_before > check->now)
        return refuse_signer(check, OC_SIGNER_EXPIRED, "not valid yet");
    if (not_after <= check->now)
        return refuse_signer(check, OC_SIGNER_EXPIRED, "expired");
    *check->not_after = not_after;
    return PASSED;
}

/* An RSA key of 1024 bits or the like is refused, unless the issuer's own is no better: then it is the issuer that
 * clients refuse, or have been told to accept, and the staple takes nothing away from them. */
static oc_verdict_t check_signer_strength(const oc_check_t *check)
{
    int signature_bits = 0;
    int key_bits = EVP_PKEY_get_security_bits(X509_get0_pubkey(check->signer));
    int issuer_bits = EVP_PKEY_get_security_bits(X509_get0_pubkey(check->issuer));

    if (!X509_get_signature_info(check->signer, NULL, NULL, &signature_bits, NULL)
        || signature_bits < OC_SIGNER_STRENGTH)
        return refuse_signer(check, OC_SIGNATURE_WEAK, "weak signature on its certificate");
    if (key_bits < OC_SIGNER_STRENGTH && key_bits < issuer_bits)
        return refuse_signer(check, OC_SIGNATURE_WEAK, "weak key");
    return PASSED;
}

/* Who may sign (RFC 6960 section 4.2.2.2): the issuer, or whom the issuer certified for just that. */
static oc_verdict_t check_signer_entitled(oc_check_t *check)
{
    X509 *signer = check->signer;
    oc_verdict_t verdict;

    if (X509_get0_pubkey(signer) == NULL || X509_get0_pubkey(check->issuer) == NULL)
        return refuse_signer(check, OC_SIGNER_REFUSED, "unusable public key");

    /* The issuer as configured. digitalSignature is not asked of it: private CAs that lack it are common, and neither
     * OpenSSL nor GnuTLS nor Firefox ask. */
    if (X509_cmp(signer, check->issuer) == 0)
        return PASSED;
    /* Another certificate of the issuer's name, cross-signed for instance: Firefox takes the issuer for the signer,
     * OpenSSL and GnuTLS this one, for which they may need a path that nobody here can see. */
    if (X509_NAME_cmp(X509_get_subject_name(signer), X509_get_subject_name(check->issuer)) == 0)
        return refuse_signer(check, OC_SIGNER_REFUSED, "bears the issuer's name, but is not the issuer");

    if ((verdict = check_signer_path(check)) != PASSED)
        return verdict;
    /* Written out: anyExtendedKeyUsage would make any certificate without purpose a responder. */
    if ((X509_get_extension_flags(signer) & EXFLAG_XKUSAGE) == 0
        || (X509_get_extended_key_usage(signer) & XKU_OCSP_SIGN) == 0)
        return refuse_signer(check, OC_SIGNER_REFUSED, "no extended key usage OCSPSigning");
    if ((X509_get_key_usage(signer) & KU_DIGITAL_SIGNATURE) == 0) /* absent: all bits set */
        return refuse_signer(check, OC_SIGNER_REFUSED, "key usage without digitalSignature");
    /* An intermediate that bears OCSPSigning by mistake could answer for its siblings; Firefox refuses it. */
    if ((X509_get_extension_flags(signer) & (EXFLAG_CA | EXFLAG_INVALID)) != 0)
        return refuse_signer(check, OC_SIGNER_REFUSED, "a CA certificate");
    if ((verdict = check_signer_validity(check)) != PASSED)
        return verdict;
    return check_signer_strength(check);
}

static int parameters_absent(const X509_ALGOR *algorithm, int or_null)
{
    int type;

    X509_ALGOR_get0(NULL, &type, NULL, algorithm);
    return type == V_ASN1_UNDEF || (or_null && type == V_ASN1_NULL);
}

/* The hash in RSASSA-PSS parameters; NID_undef unless they are of the one form that is in use: both hashes the same and
 * without parameters of their own, no trailerField (its only value is the default, which DER omits). A hash that is not
 * named is SHA-1 (RFC 4055 section 3.1). */
static int pss_hash(const X509_ALGOR *algorithm)
{
    RSA_PSS_PARAMS *pss = NULL;
    X509_ALGOR *mask = NULL;
    const void *value;
    int type, nid = NID_undef;

    X509_ALGOR_get0(NULL, &type, &value, algorithm);
    if (type == V_ASN1_SEQUENCE) {
        const unsigned char *p = ASN1_STRING_get0_data(value);
        pss = d2i_RSA_PSS_PARAMS(NULL, &p, ASN1_STRING_length(value));
    }
    if (pss != NULL && pss->hashAlgorithm == NULL)
        nid = NID_sha1;
    else if (pss != NULL && pss->trailerField == NULL && pss->maskGenAlgorithm != NULL)
        mask = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(X509_ALGOR), pss->maskGenAlgorithm->parameter);
    if (mask != NULL && parameters_absent(pss->hashAlgorithm, 1) && parameters_absent(mask, 1)
        && OBJ_cmp(mask->algorithm, pss->hashAlgorithm->algorithm) == 0)
        nid = OBJ_obj2nid(pss->hashAlgorithm->algorithm);
    X509_ALGOR_free(mask);
    RSA_PSS_PARAMS_free(pss);
    return nid;
}

/*
 * The algorithm identifier stands outside of what is signed, so it must be one of exactly the allowed forms: the
 * parameters are absent, but NULL for PKCS #1 v1.5 (RFC 4055 section 5, RFC 5758 section 3.2, RFC 8410 section 3).
 *
 * A hash must be of 112 bits against collisions. MD5 was broken in practice with certificates. SHA-1 too (chosen
 * prefixes, 2020): the CA/Browser Forum forbids it in responses since June 2022, RHEL 9 and its like refuse such
 * signatures in every TLS library, Debian's OpenSSL 3.0 and GnuTLS 3.7 still accept them. A responder that answers so
 * today is an old private one, which has -rmd sha256 or its equivalent; and its clients are told by nobody else.
 */
static oc_verdict_t check_signature_algorithm(oc_check_t *check)
{
    const X509_ALGOR *algorithm = OCSP_resp_get0_tbs_sigalg(check->basic);
    const ASN1_OBJECT *oid;
    const EVP_MD *hash = NULL;
    char text[80];
    int hash_nid, key_nid, well_formed;

    X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
    OBJ_obj2txt(text, sizeof text, oid, 0);
    if (!OBJ_find_sigid_algs(OBJ_obj2nid(oid), &hash_nid, &key_nid))
        return refuse(check, OC_SIGNATURE_BAD, "unknown signature algorithm %s", text);
    if (key_nid == NID_rsassaPss) {
        hash_nid = pss_hash(algorithm);
        well_formed = hash_nid != NID_undef;
    }
    else {
        well_formed = parameters_absent(algorithm, key_nid == NID_rsaEncryption);
    }
    if (!well_formed)
        return refuse(check, OC_SIGNATURE_BAD, "signature algorithm %s has wrong parameters", text);
    /* Ed25519, Ed448 and their successors name no hash: it is part of the algorithm. */
    if (hash_nid != NID_undef) {
        hash = EVP_get_digestbynid(hash_nid);
        if (hash == NULL || EVP_MD_get_size(hash) * 4 < OC_SIGNER_STRENGTH)
            return refuse(check, OC_SIGNATURE_WEAK, "%s with %s", text, OBJ_nid2sn(hash_nid));
    }
    return PASSED;
}

static oc_verdict_t check_signature(oc_check_t *check)
{
    if (ASN1_item_verify(ASN1_ITEM_rptr(OCSP_RESPDATA), OCSP_resp_get0_tbs_sigalg(check->basic),
                         OCSP_resp_get0_signature(check->basic), OCSP_resp_get0_respdata(check->basic),
                         X509_get0_pubkey(check->signer))
        == 1)
        return PASSED;
    return refuse_signer(check, OC_SIGNATURE_BAD, "it does not match the key");
}

/* NOLINTNEXTLINE(readability-non-const-parameter): `refuse` writes to @a detail */
oc_verdict_t oc_signer_check(OCSP_BASICRESP *basic, X509 *issuer, apr_time_t now, apr_time_t *not_after, char *detail,
                             apr_size_t detail_size)
{
    static oc_verdict_t (*const checklist[])(oc_check_t *) = {
        check_signer_found,
        check_signer_entitled,
        check_signature_algorithm,
        check_signature,
    };
    oc_check_t check = {.basic = basic,
                        .issuer = issuer,
                        .now = now,
                        .not_after = not_after,
                        .detail = detail,
                        .detail_size = detail_size};
    oc_verdict_t verdict = PASSED;

    *not_after = APR_INT64_MAX;
    for (size_t i = 0; verdict == PASSED && i < sizeof checklist / sizeof checklist[0]; i++)
        verdict = checklist[i](&check);
    return verdict;
}
