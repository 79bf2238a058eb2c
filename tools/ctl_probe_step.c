/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Takes each step of the exchange of `ocsp-cachectl probe` as it ends: notes what the result needs, and passes the step
 * to the text or to the JSON. Heads are untrusted; the printing functions escape them.
 */
#include "ctl_probe.h"

#include <apr_cstr.h>
#include <apr_date.h>
#include <apr_strings.h>
#include <string.h>

#define LINES_MAX 24      /* of a head */
#define NOTABLE_OFFSET 60 /* seconds between two clocks from which on it is reported */

/* Headers that show where an answer comes from, and which proxies changed it. */
static int is_notable(const char *line)
{
    static const char *const names[] = {"Content-Type:",
                                        "Content-Length:",
                                        "Content-Encoding:",
                                        "Transfer-Encoding:",
                                        "Cache-Control:",
                                        "Age:",
                                        "Date:",
                                        "Retry-After:",
                                        "Location:",
                                        "Server:",
                                        "Via:",
                                        "Proxy-Authenticate:",
                                        "WWW-Authenticate:",
                                        "Allow:",
                                        "X-Cache:"};
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (apr_cstr_casecmpn(line, names[i], strlen(names[i])) == 0)
            return 1;
    return 0;
}

/* The status line, then those headers: const char *, raw, without line ends. */
static apr_array_header_t *lines_of(const char *head, apr_pool_t *pool)
{
    apr_array_header_t *lines = apr_array_make(pool, 8, sizeof(const char *));
    char *rest = apr_pstrdup(pool, head), *line, *end;

    while ((line = rest) != NULL && *line != '\0' && lines->nelts < LINES_MAX) {
        end = strchr(line, '\n');
        rest = end ? end + 1 : NULL;
        if (end && end > line && end[-1] == '\r')
            end--;
        if (end)
            *end = '\0';
        if (lines->nelts == 0 || is_notable(line))
            APR_ARRAY_PUSH(lines, const char *) = line;
    }
    return lines;
}

/* RFC 9110 section 6.6.1: Date is the responder's clock, unless the answer comes from an HTTP cache (Age). */
static void compare_clocks(probe_t *probe, const apr_array_header_t *lines)
{
    apr_time_t theirs = 0, now = apr_time_now();
    int i;

    for (i = 1; i < lines->nelts; i++) {
        const char *line = APR_ARRAY_IDX(lines, i, const char *);

        if (apr_cstr_casecmpn(line, "Age:", 4) == 0)
            return;
        if (apr_cstr_casecmpn(line, "Date:", 5) == 0)
            theirs = apr_date_parse_http(line + 5 + strspn(line + 5, " \t"));
    }
    if (theirs > now + apr_time_from_sec(NOTABLE_OFFSET)
        || (theirs > 0 && theirs < now - apr_time_from_sec(NOTABLE_OFFSET)))
        probe->ahead = theirs - now;
}

void probe_take_step(void *context, const oc_step_t *step)
{
    probe_t *probe = context;
    const apr_array_header_t *lines = step->kind == OC_STEP_HEAD ? lines_of(step->text, probe->pool) : NULL;

    if (lines && lines->nelts == 0)
        return;
    if (lines)
        compare_clocks(probe, lines);
    probe->last_step = step->kind;
    if (ctl_is_json(probe->ctl))
        probe_keep_step(probe, step, lines);
    else
        probe_tell_step(probe, step, lines);
}
