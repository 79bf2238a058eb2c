/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What all commands need: messages, exit statuses, durations, colours, and files that are replaced in one step. A
 * message is for the person who runs the command: it names what is wrong and what to do.
 */
#include "ctl.h"

#include "base/duration.h"

#include "view/view.h"

#include <apr_env.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DURATION_MAX (APR_TIME_C(36500) * 86400 * APR_USEC_PER_SEC)

int ctl_has(const ctl_t *ctl, int letter)
{
    return ctl->values[letter] != NULL;
}

int ctl_is_json(const ctl_t *ctl)
{
    return ctl_has(ctl, 'j');
}

void ctl_say(const char *format, ...)
{
    va_list args;

    (void)fputs(CTL_PROGRAM ": ", stderr);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
}

static int is_plugin(const ctl_t *ctl)
{
    return ctl->command && ctl->command->is_plugin;
}

/* A monitoring system shows the first line of the standard output and nothing else; a program that requests JSON
 * reads JSON. */
static int give_up(const ctl_t *ctl, const char *text, const char *hint)
{
    oc_json_t json;

    if (ctl_is_json(ctl)) {
        oc_json_begin(&json, oc_json_to_stream, stdout);
        oc_json_object(&json, NULL);
        oc_json_integer(&json, "version", OC_VIEW_JSON_VERSION);
        oc_json_string(&json, "command", ctl->command ? ctl->command->name : NULL);
        if (is_plugin(ctl))
            oc_json_string(&json, "state", "UNKNOWN");
        oc_json_string(&json, "error", text);
        oc_json_end(&json);
        return is_plugin(ctl) ? CTL_UNKNOWN : CTL_TROUBLE;
    }
    if (is_plugin(ctl)) {
        printf("OCSP UNKNOWN - %s\n", text);
        return CTL_UNKNOWN;
    }
    ctl_say("%s%s", text, hint);
    return CTL_TROUBLE;
}

int ctl_usage(const ctl_t *ctl, const char *format, ...)
{
    const char *text, *name = ctl->command ? ctl->command->name : "";
    va_list args;

    va_start(args, format);
    text = apr_pvsprintf(ctl->pool, format, args);
    va_end(args);
    return give_up(ctl, text,
                   apr_pstrcat(ctl->pool, "\nTry `" CTL_PROGRAM " ", name, *name ? " " : "", "--help`.", NULL));
}

int ctl_trouble(const ctl_t *ctl, const char *format, ...)
{
    const char *text;
    va_list args;

    va_start(args, format);
    text = apr_pvsprintf(ctl->pool, format, args);
    va_end(args);
    return give_up(ctl, text, "");
}

apr_status_t ctl_write_file(const ctl_t *ctl, const char *path, const void *bytes, apr_size_t len)
{
    /* With the same ending: in a folder of certificates, haproxy ignores files that end with ".ocsp" and loads all
     * others. */
    const char *name = strrchr(path, '/') ? strrchr(path, '/') : path,
               *ending = strrchr(name, '.') ? strrchr(name, '.') : "";
    char *fresh = apr_pstrcat(ctl->pool, path, ".XXXXXX", ending, NULL);
    apr_status_t rv = APR_SUCCESS;
    apr_size_t done = 0;
    int fd = mkstemps(fresh, (int)strlen(ending));

    if (fd < 0)
        return errno;
    while (rv == APR_SUCCESS && done < len) {
        ssize_t n = write(fd, (const char *)bytes + done, len - done);

        if (n >= 0)
            done += (apr_size_t)n;
        else if (errno != EINTR)
            rv = errno;
    }
    if (rv == APR_SUCCESS && (fchmod(fd, 0644) != 0 || fsync(fd) != 0))
        rv = errno;
    close(fd);
    if (rv == APR_SUCCESS && rename(fresh, path) != 0)
        rv = errno;
    if (rv != APR_SUCCESS)
        unlink(fresh);
    return rv;
}

static const char *option_name(const ctl_t *ctl, int letter)
{
    const ctl_option_t *option = ctl->command->options;

    while (option->name && option->letter != letter)
        option++;
    return option->name ? option->name : "";
}

int ctl_duration(const ctl_t *ctl, int letter, apr_interval_time_t fallback, apr_interval_time_t *duration)
{
    const char *text = ctl->values[letter];

    *duration = fallback;
    if (!text || oc_duration_parse(text, DURATION_MAX, duration))
        return CTL_OK;
    return ctl_usage(ctl, "--%s: '%s' is not a duration. Write " OC_DURATION_FORM, option_name(ctl, letter), text);
}

int ctl_wants_colours(apr_pool_t *pool)
{
    char *no_color = NULL, *term = NULL;

    (void)apr_env_get(&no_color, "NO_COLOR", pool);
    (void)apr_env_get(&term, "TERM", pool);
    return isatty(STDOUT_FILENO) && !(no_color && *no_color) && !(term && strcmp(term, "dumb") == 0);
}

const char *ctl_coloured(const ctl_t *ctl, const char *colour, const char *text)
{
    return ctl->has_colours && *colour ? apr_psprintf(ctl->pool, "\x1b[%sm%s\x1b[0m", colour, text) : text;
}

unsigned ctl_width(apr_pool_t *pool)
{
    struct winsize size;
    char *columns;

    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        return size.ws_col;
    return apr_env_get(&columns, "COLUMNS", pool) == APR_SUCCESS ? (unsigned)strtoul(columns, NULL, 10) : 0;
}

void ctl_fold(const char *label, const char *text, unsigned indent, unsigned width)
{
    unsigned at = (unsigned)strlen(label);

    printf("%s%*s", label, at < indent ? (int)(indent - at) : 1, "");
    at = at < indent ? indent : at + 1;
    while (*text) {
        unsigned len = (unsigned)strcspn(text, " ");

        if (at > indent && width > indent && at + 1 + len > width) {
            printf("\n%*s", (int)indent, "");
            at = indent;
        }
        else if (at > indent) {
            (void)putchar(' ');
            at++;
        }
        printf("%.*s", (int)len, text);
        at += len;
        text += len + strspn(text + len, " ");
    }
    (void)putchar('\n');
}
