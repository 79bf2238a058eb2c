/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Finds a certificate's issuer among the certificates that an administrator configured. Called while the configuration
 * is read, and by ocsp-cachectl. Must never take a certificate for the issuer by its name alone: a response would then
 * be verified with the wrong key.
 */
#include "ocsp/issuer.h"

#include "ocsp/x509.h"

#include <apr_strings.h>
#include <openssl/x509v3.h>

#define NAMES_MAX 4 /* named in a message; the others are counted */

/* Names and permissions. The key identifier is only a hint: a renewed CA may have another one. */
static int check_issued(X509 *x509, X509 *issuer, int *is_hinted)
{
    int result = X509_check_issued(issuer, x509);

    *is_hinted = result == X509_V_OK;
    if (result != X509_V_ERR_AKID_SKID_MISMATCH && result != X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH)
        return result;
    return X509_get_key_usage(issuer) & KU_KEY_CERT_SIGN ? X509_V_OK : X509_V_ERR_KEYUSAGE_NO_CERTSIGN;
}

const char *oc_issuer_problem(X509 *x509, X509 *issuer)
{
    EVP_PKEY *key = X509_get0_pubkey(issuer);
    int is_hinted, result = check_issued(x509, issuer, &is_hinted);

    if (result != X509_V_OK)
        return X509_verify_cert_error_string(result);
    if (!key)
        return "its public key is unusable";
    return X509_verify(x509, key) == 1 ? NULL : "the signature does not match";
}

X509 *oc_issuer_choose(const apr_array_header_t *candidates, X509 *x509)
{
    int i, hinted, is_hinted;

    for (hinted = 1; hinted >= 0; hinted--)
        for (i = 0; i < candidates->nelts; i++) {
            X509 *one = APR_ARRAY_IDX(candidates, i, X509 *);

            if (check_issued(x509, one, &is_hinted) == X509_V_OK && is_hinted == hinted
                && !oc_issuer_problem(x509, one))
                return one;
        }
    return NULL;
}

int oc_issuer_is_plausible(const apr_array_header_t *candidates, X509 *x509)
{
    int i;

    for (i = 0; i < candidates->nelts; i++)
        if (X509_check_issued(APR_ARRAY_IDX(candidates, i, X509 *), x509) == X509_V_OK)
            return 1;
    return 0;
}

const char *oc_issuer_needed(const X509 *x509, apr_pool_t *pool)
{
    char name[512];

    oc_x509_name(name, sizeof(name), X509_get_issuer_name(x509));
    return apr_pstrdup(pool, *name ? name : "(no name)");
}

const char *oc_issuer_names(const apr_array_header_t *candidates, const X509 *x509, apr_pool_t *pool)
{
    const char *text = "";
    char name[512];
    int i;

    for (i = 0; i < candidates->nelts && i < NAMES_MAX; i++) {
        const X509 *one = APR_ARRAY_IDX(candidates, i, const X509 *);
        int is_namesake = X509_NAME_cmp(X509_get_subject_name(one), X509_get_issuer_name(x509)) == 0;

        oc_x509_subject(name, sizeof(name), one);
        text = apr_pstrcat(pool, text, i > 0 ? ", " : "", name, is_namesake ? " (another key)" : "", NULL);
    }
    if (candidates->nelts > NAMES_MAX)
        text = apr_psprintf(pool, "%s and %d more", text, candidates->nelts - NAMES_MAX);
    return text;
}
