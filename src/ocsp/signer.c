/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Checks who signed a response, whether they may, and whether they did (RFC 6960 section 4.2.2.2). Called by the
 * checklist of verification. It must never trust anything but the issuer that it was given, or read a clock.
 *
 * Not checked, on purpose: whether the delegated signer itself is revoked. Section 4.2.2.2.1 leaves that to the client
 * and its policy: with id-pkix-ocsp-nocheck there is nothing to check, without it a CRL is needed, which browsers
 * and TLS libraries do not fetch for this purpose either. A client with a CRL of its own can still use it on a
 * stapled response.
 */
#include "signer.h"

#include "der.h"
#include "base/hex.h"
#include "ocsp/x509.h"

#include <apr_strings.h>
#include <openssl/asn1t.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <string.h>

/* In bits: what OpenSSL calls security level 2, the default of Debian, Ubuntu and RHEL. */
#define OC_SIGNER_STRENGTH 112

#define KEY_HASH_SHOWN 48 /* bytes of a key hash in a message: any SHA-1 */

static oc_verdict_t refuse_signer(const oc_check_t *check, oc_verdict_t verdict, const char *objection)
{
    char subject[64], serial[48];

    oc_x509_subject(subject, sizeof(subject), check->signer);
    oc_x509_serial(serial, sizeof(serial), X509_get0_serialNumber(check->signer));
    return oc_check_refuse(check, verdict, "%s: signer %s, serial %s", objection, subject, serial);
}

/* ---- who signed ---- */

/* Byte by byte, as GnuTLS and Firefox compare: to them the same name in another string type is another name. */
static int is_same_name(const X509_NAME *a, const X509_NAME *b)
{
    const unsigned char *a_der, *b_der;
    size_t a_len, b_len;

    return X509_NAME_get0_der((X509_NAME *)a, &a_der, &a_len) && X509_NAME_get0_der((X509_NAME *)b, &b_der, &b_len)
           && a_len == b_len && memcmp(a_der, b_der, a_len) == 0;
}

static int is_key_hash(const ASN1_OCTET_STRING *hash, const X509 *x509)
{
    const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(x509);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;

    return key && ASN1_STRING_length(hash) == SHA_DIGEST_LENGTH
           && EVP_Digest(ASN1_STRING_get0_data(key), (size_t)ASN1_STRING_length(key), digest, &len, EVP_sha1(), NULL)
           && memcmp(digest, ASN1_STRING_get0_data(hash), len) == 0;
}

static int answers_to_id(const oc_check_t *check, const X509 *x509)
{
    const ASN1_OCTET_STRING *key = NULL;
    const X509_NAME *name = NULL;

    if (!OCSP_resp_get0_id(check->basic, &key, &name))
        return 0;
    return name ? is_same_name(name, X509_get_subject_name(x509)) : is_key_hash(key, x509);
}

/* Over the bytes that clients get: as an ASN1_SEQUENCE, OpenSSL hands them on unparsed. */
static int has_signed(const oc_check_t *check, const X509 *x509)
{
    EVP_PKEY *key = X509_get0_pubkey(x509);
    ASN1_STRING *data = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
    int is_right = key && data && ASN1_STRING_set(data, check->signed_data.at, (int)check->signed_data.len)
                   && ASN1_item_verify(ASN1_ITEM_rptr(ASN1_SEQUENCE), OCSP_resp_get0_tbs_sigalg(check->basic),
                                       OCSP_resp_get0_signature(check->basic), data, key)
                          == 1;

    ASN1_STRING_free(data);
    return is_right;
}

static oc_verdict_t refuse_signer_missing(const oc_check_t *check)
{
    const ASN1_OCTET_STRING *key = NULL;
    const X509_NAME *name = NULL;
    char text[2 * KEY_HASH_SHOWN + 1];

    if (!OCSP_resp_get0_id(check->basic, &key, &name))
        return OC_SIGNER_MISSING;
    if (name) {
        oc_x509_name(text, sizeof(text), name);
        return oc_check_refuse(check, OC_SIGNER_MISSING, "responder name %s", text);
    }
    oc_hex_put(text, ASN1_STRING_get0_data(key),
               ASN1_STRING_length(key) < KEY_HASH_SHOWN ? (apr_size_t)ASN1_STRING_length(key) : KEY_HASH_SHOWN);
    /* RFC 6960 section 4.2.1: KeyHash is the SHA-1 hash of the key, which a key identifier need not be. */
    if (X509_get0_subject_key_id(check->subject->issuer)
        && ASN1_OCTET_STRING_cmp(key, X509_get0_subject_key_id(check->subject->issuer)) == 0)
        return oc_check_refuse(check, OC_SIGNER_MISSING,
                               "responder key hash %s is the issuer's subject key identifier and not the SHA-1 hash of "
                               "its key, which RFC 6960 requires",
                               text);
    return oc_check_refuse(check, OC_SIGNER_MISSING, "responder key hash %s", text);
}

/* Does this one match the responder id? -1: the issuer, else a certificate in the response. */
static X509 *candidate(const oc_check_t *check, int i)
{
    X509 *issuer = check->subject->issuer;
    X509 *x509 = i < 0 ? issuer : sk_X509_value(OCSP_resp_get0_certs(check->basic), i);

    if (!answers_to_id(check, x509) || (i >= 0 && X509_cmp(x509, issuer) == 0))
        return NULL;
    return x509;
}

/* Most clients try only one certificate that matches the id, so trimming leaves only the right one. Where none has
 * signed, the first in the response is the one that OpenSSL and GnuTLS try. */
oc_verdict_t oc_signer_find(oc_check_t *check)
{
    const STACK_OF(X509) *certificates = OCSP_resp_get0_certs(check->basic);
    int count = certificates ? sk_X509_num(certificates) : 0, n = 0;

    check->signer = NULL;
    for (int i = -1; i < count; i++) {
        X509 *x509 = candidate(check, i);

        if (x509 && ++n && (!check->signer || check->signer == check->subject->issuer))
            check->signer = x509;
    }
    for (int i = -1; n > 1 && i < count; i++) {
        X509 *x509 = candidate(check, i);

        if (x509 && has_signed(check, x509)) {
            check->signer = x509;
            break;
        }
    }
    return check->signer ? PASSED : refuse_signer_missing(check);
}

/* ---- whether they may ---- */

/* The path signer <- issuer, with the issuer as the only certificate there is: signature, names, key identifiers,
 * critical extensions, name constraints, the issuer's right to sign certificates. The next check compares
 * the times with our time: the path validation would read the clock. */
static oc_verdict_t check_signer_path(const oc_check_t *check)
{
    X509_STORE_CTX *path = X509_STORE_CTX_new();
    STACK_OF(X509) *trusted = sk_X509_new_null();
    oc_verdict_t verdict = OC_OUT_OF_RESOURCES;

    if (path && trusted && sk_X509_push(trusted, check->subject->issuer)
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
    apr_time_t now = check->policy->now, not_before, not_after;

    if (!oc_x509_time(&not_before, X509_get0_notBefore(check->signer))
        || !oc_x509_time(&not_after, X509_get0_notAfter(check->signer)))
        return refuse_signer(check, OC_SIGNER_REFUSED, "unreadable validity");
    if (!oc_check_raise(check, not_before))
        return refuse_signer(check, OC_SIGNER_EXPIRED, "not valid yet");
    if (not_after <= now)
        return refuse_signer(check, OC_SIGNER_EXPIRED, "expired");
    oc_check_lower(check, not_after);
    return PASSED;
}

/* The hashes that all clients take in a signature. MD5 was broken in practice with certificates. SHA-1 too (chosen
 * prefixes, 2020): the CA/Browser Forum forbids it in responses since June 2022, RHEL 9 and its derivatives refuse such
 * signatures in every TLS library, Debian's OpenSSL 3.0 and GnuTLS 3.7 still accept them. A responder that still
 * uses it is an old private one, which can be set to SHA-256 (-rmd sha256 or its equivalent).
 * Firefox and Chrome know neither SHA-224 nor SHA-3. Ed25519 and Ed448 name no hash: it is part of the algorithm. */
static int is_good_hash(int nid)
{
    return nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512 || nid == NID_undef;
}

static void curve_of(EVP_PKEY *key, char *curve, size_t size)
{
    if (!EVP_PKEY_get_utf8_string_param(key, "group", curve, size, NULL))
        apr_cpystrn(curve, "", size);
}

/* RSA, P-256, P-384 and P-521 are what all clients know. On another curve only where the issuer's own key is on it:
 * then clients that do not know it refuse the certificate anyway. */
static int is_known_key(EVP_PKEY *key, EVP_PKEY *issuer)
{
    static const char *const known[] = {"prime256v1", "P-256", "secp384r1", "P-384", "secp521r1", "P-521"};
    char curve[80], issuers[80];

    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA)
        return 1;
    curve_of(key, curve, sizeof(curve));
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(curve, known[i]) == 0)
            return 1;
    curve_of(issuer, issuers, sizeof(issuers));
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_get_base_id(issuer) && strcmp(curve, issuers) == 0;
}

/* An RSA key of 1024 bits or the like is refused, unless the issuer's own is no better: then clients
 * refuse the issuer itself, or are configured to accept it, and the staple makes no difference. */
static oc_verdict_t check_signer_strength(const oc_check_t *check)
{
    EVP_PKEY *key = X509_get0_pubkey(check->signer), *issuer = X509_get0_pubkey(check->subject->issuer);
    int hash = NID_undef, bits = 0;

    if (!X509_get_signature_info(check->signer, &hash, NULL, &bits, NULL) || bits < OC_SIGNER_STRENGTH
        || !is_good_hash(hash))
        return refuse_signer(check, OC_SIGNATURE_WEAK, "weak or uncommon signature on its certificate");
    if (EVP_PKEY_get_security_bits(key) < OC_SIGNER_STRENGTH
        && EVP_PKEY_get_security_bits(key) < EVP_PKEY_get_security_bits(issuer))
        return refuse_signer(check, OC_SIGNATURE_WEAK, "weak key");
    if (!is_known_key(key, issuer))
        return refuse_signer(check, OC_SIGNATURE_WEAK, "key type that not all clients support");
    return PASSED;
}

/* GnuTLS encodes the certificate again before it verifies the signature on it, and rejects an extension that is present
 * twice (gnutls_x509_crt_import()). It decodes the extended key usage, and Firefox reads only DER there. */
static int is_readable(X509 *signer)
{
    const ASN1_OCTET_STRING *usage =
        X509_EXTENSION_get_data(X509_get_ext(signer, X509_get_ext_by_NID(signer, NID_ext_key_usage, -1)));
    unsigned char *der = NULL;
    int len = i2d_X509(signer, &der);
    int result = len > 0 && oc_der_is_canonical(der, len, OC_DER_CERTIFICATE)
                 && oc_der_is_canonical(ASN1_STRING_get0_data(usage), ASN1_STRING_length(usage), OC_DER_RESPONSE);

    OPENSSL_free(der);
    for (int i = 0; result && i < X509_get_ext_count(signer); i++)
        result = X509_get_ext_by_OBJ(signer, X509_EXTENSION_get_object(X509_get_ext(signer, i)), i) < 0;
    return result;
}

/* No key usage is required, as in RFC 6960 and in all clients: there are signers with nonRepudiation alone. */
static oc_verdict_t check_signer_extensions(const oc_check_t *check)
{
    X509 *signer = check->signer;
    uint32_t flags = X509_get_extension_flags(signer);

    /* Must be listed itself: anyExtendedKeyUsage would make any certificate without purpose a responder. */
    if ((flags & EXFLAG_XKUSAGE) == 0 || (X509_get_extended_key_usage(signer) & XKU_OCSP_SIGN) == 0)
        return refuse_signer(check, OC_SIGNER_REFUSED, "no extended key usage OCSPSigning");
    /* An intermediate with OCSPSigning by mistake could sign for its siblings; Firefox rejects it. */
    if (flags & EXFLAG_CA)
        return refuse_signer(check, OC_SIGNER_REFUSED, "a CA certificate");
    if (!is_readable(signer))
        return refuse_signer(check, OC_SIGNER_REFUSED,
                             "OID, encoding or repeated extension that not all clients accept");
    return PASSED;
}

/* Who may sign (RFC 6960 section 4.2.2.2): the issuer, or a certificate that the issuer signed for this purpose. */
static oc_verdict_t check_signer_entitled(oc_check_t *check)
{
    X509 *signer = check->signer, *issuer = check->subject->issuer;
    oc_verdict_t verdict;

    if (!X509_get0_pubkey(signer) || !X509_get0_pubkey(issuer))
        return refuse_signer(check, OC_SIGNER_REFUSED, "unusable public key");
    if (signer == issuer)
        return PASSED;
    /* Another certificate of the issuer's name: for Firefox the issuer is the signer, for OpenSSL and GnuTLS this. */
    if (X509_NAME_cmp(X509_get_subject_name(signer), X509_get_subject_name(issuer)) == 0)
        return refuse_signer(check, OC_SIGNER_REFUSED, "has the issuer's name, but is not the issuer");
    /* Without this check, the path validation reports that the issuer is unknown. */
    if (X509_get_extension_flags(signer) & EXFLAG_INVALID)
        return refuse_signer(check, OC_SIGNER_REFUSED, "malformed extension, or key usage without any bit");
    if ((verdict = check_signer_path(check)) != PASSED)
        return verdict;
    if (!is_same_name(X509_get_issuer_name(signer), X509_get_subject_name(issuer)))
        return refuse_signer(check, OC_SIGNER_REFUSED, "encodes its issuer's name differently from the issuer");
    if ((verdict = check_signer_extensions(check)) != PASSED)
        return verdict;
    if ((verdict = check_signer_validity(check)) != PASSED)
        return verdict;
    return check_signer_strength(check);
}

/* ---- whether they did ---- */

static int parameters_absent(const X509_ALGOR *algorithm, int or_null)
{
    int type;

    X509_ALGOR_get0(NULL, &type, NULL, algorithm);
    return type == V_ASN1_UNDEF || (or_null && type == V_ASN1_NULL);
}

/* SHA-256, MGF1 with SHA-256, 32 bytes of salt, with every NULL: the only form of RSASSA-PSS that all clients take.
 * Firefox compares bytes, and GnuTLS assumes SHA-256 in a response. */
static int is_common_pss(const X509_ALGOR *algorithm)
{
    static const unsigned char common[] = {
        0x30, 0x34, 0xa0, 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
        0x00, 0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08, 0x30, 0x0d,
        0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0xa2, 0x03, 0x02, 0x01, 0x20};
    const ASN1_STRING *value = NULL;
    const void *parameters;
    int type;

    X509_ALGOR_get0(NULL, &type, &parameters, algorithm);
    if (type == V_ASN1_SEQUENCE)
        value = parameters;
    return value && ASN1_STRING_length(value) == (int)sizeof(common)
           && memcmp(ASN1_STRING_get0_data(value), common, sizeof(common)) == 0;
}

/* The algorithm identifier stands outside of what is signed, so it must be one of exactly the allowed forms: the
 * parameters are absent, but may be NULL for PKCS #1 v1.5 (RFC 4055 section 5, RFC 5758 section 3.2, RFC 8410
 * section 3). */
static oc_verdict_t check_signature_algorithm(oc_check_t *check)
{
    const X509_ALGOR *algorithm = OCSP_resp_get0_tbs_sigalg(check->basic);
    const ASN1_OBJECT *oid;
    char text[80];
    int hash, key;

    X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
    OBJ_obj2txt(text, sizeof(text), oid, 0);
    if (!OBJ_find_sigid_algs(OBJ_obj2nid(oid), &hash, &key))
        return oc_check_refuse(check, OC_SIGNATURE_BAD, "unknown signature algorithm %s", text);
    if (key == NID_rsassaPss ? !is_common_pss(algorithm) : !parameters_absent(algorithm, key == NID_rsaEncryption))
        return oc_check_refuse(check, OC_SIGNATURE_BAD,
                               "signature algorithm %s has parameters that not all clients accept", text);
    if (!is_good_hash(hash))
        return oc_check_refuse(check, OC_SIGNATURE_WEAK, "%s with %s", text, OBJ_nid2sn(hash));
    return PASSED;
}

static oc_verdict_t check_signature(oc_check_t *check)
{
    return has_signed(check, check->signer) ? PASSED
                                            : refuse_signer(check, OC_SIGNATURE_BAD, "it does not match the key");
}

oc_verdict_t oc_signer_check(oc_check_t *check)
{
    static oc_verdict_t (*const checklist[])(oc_check_t *) = {
        check_signer_entitled,
        check_signature_algorithm,
        check_signature,
    };
    oc_verdict_t verdict = PASSED;

    for (size_t i = 0; verdict == PASSED && i < sizeof(checklist) / sizeof(checklist[0]); i++)
        verdict = checklist[i](check);
    return verdict;
}
