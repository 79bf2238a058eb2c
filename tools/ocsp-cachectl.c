/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * ocsp-cachectl: what an administrator does with the cache of mod_ocsp_cache from a shell, with the server running or not. This file
 * finds the command, reads its options and prints the help; the work is done in ctl_*.c.
 */
#include "ctl.h"

#include "version.h"

#include <apr_general.h>
#include <apr_getopt.h>
#include <apr_strings.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS_MAX 32

/* In the order of the help. */
static const ctl_command_t *const commands[] = {&ctl_list,   &ctl_show,    &ctl_export, &ctl_import,
                                                &ctl_verify, &ctl_refresh, &ctl_check,  &ctl_probe};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const ctl_option_t common_options[] = {
    {"file", 'f', "PATH", "the cache's file, or a folder that holds one cache (default: the one in " OC_CACHE_DIR ")"},
    {"json", 'j', NULL, "print JSON"},
    {"help", 'h', NULL, "print this help"},
    {"version", 'V', NULL, "print the version"},
    CTL_OPTIONS_END};

/* ---- help ---- */

static void print_options(const ctl_option_t *option, int is_free_of_cache)
{
    for (; option->name; option++) {
        const char *value = option->value ? option->value : "";
        int width = (int)(strlen(option->name) + strlen(value) + (*value != '\0'));

        if (is_free_of_cache && option->letter == 'f')
            continue;
        if (option->letter < CTL_LONG)
            printf("  -%c, ", option->letter);
        else
            printf("      ");
        printf("--%s%s%s%*s  %s\n", option->name, *value ? " " : "", value, width < 20 ? 20 - width : 0, "",
               option->help);
    }
}

static void print_help(void)
{
    apr_size_t i;

    printf(
        "Usage: " CTL_PROGRAM " COMMAND [OPTION...] [ARGUMENT...]\n"
        "Looks at the OCSP responses that mod_ocsp_cache holds, takes them out, brings them in, and has them renewed.\n"
        "It works beside a running server and without one.\n\nCommands:\n");
    for (i = 0; i < N_COMMANDS; i++) {
        int width = (int)(strlen(commands[i]->name) + strlen(commands[i]->arguments) + 1);

        printf("  %s %s%*s  %s\n", commands[i]->name, commands[i]->arguments, width < 32 ? 32 - width : 0, "",
               commands[i]->summary);
    }
    printf("\nOptions of all commands:\n");
    print_options(common_options, 0);
    printf(
        "\n`" CTL_PROGRAM " COMMAND --help` says more about a command.\n"
        "Exit status: 0 done; 1 what was asked for is not so, or was not done; 2 wrong usage, or the cache cannot be\n"
        "read. `check` exits as monitoring plug-ins do: 0 OK, 1 warning, 2 critical, 3 unknown.\n");
}

static void print_command_help(const ctl_command_t *command)
{
    printf("Usage: " CTL_PROGRAM " %s [OPTION...]%s%s\n%s.\n", command->name, *command->arguments ? " " : "",
           command->arguments, command->summary);
    if (*command->help)
        printf("\n%s", command->help);
    printf("\nOptions:\n");
    print_options(command->options, command->is_free_of_cache);
    print_options(common_options, command->is_free_of_cache);
}

/* ---- the command line ---- */

/* "NAME: WHAT: OPTION" and a line end: the name is not wanted. */
static void keep_error(void *data, const char *format, ...)
{
    ctl_t *ctl = data;
    const char *text;
    va_list args;

    va_start(args, format);
    text = apr_pvsprintf(ctl->pool, format, args);
    va_end(args);
    if (strstr(text, ": "))
        text = strstr(text, ": ") + 2;
    ctl->error = apr_pstrmemdup(ctl->pool, text, strcspn(text, "\n"));
}

/* For APR's parser: the options of the command, then those of all. */
static const apr_getopt_option_t *parsable(const ctl_command_t *command, apr_pool_t *pool)
{
    apr_getopt_option_t *all = apr_pcalloc(pool, OPTIONS_MAX * sizeof(*all));
    const ctl_option_t *lists[] = {command ? command->options : NULL, common_options};
    int list, n = 0;

    for (list = 0; list < 2; list++) {
        const ctl_option_t *option = lists[list];

        for (; option && option->name && n < OPTIONS_MAX - 1; option++, n++) {
            all[n].name = option->name;
            all[n].optch = option->letter;
            all[n].has_arg = option->value != NULL;
        }
    }
    return all;
}

/* @return CTL_OK; else what is wrong has been said. */
static int read_options(ctl_t *ctl, apr_getopt_t *getopt)
{
    const apr_getopt_option_t *options = parsable(ctl->command, ctl->pool);
    const char *value;
    apr_status_t rv;
    int letter;

    getopt->errfn = keep_error;
    getopt->errarg = ctl;
    while ((rv = apr_getopt_long(getopt, options, &letter, &value)) == APR_SUCCESS)
        ctl->values[letter] = value ? value : "";
    return rv == APR_EOF ? CTL_OK : ctl_usage(ctl, "%s", ctl->error);
}

static const ctl_command_t *find_command(const char *name)
{
    apr_size_t i;

    for (i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static int run(ctl_t *ctl, int argc, const char *const *argv)
{
    apr_array_header_t *arguments = apr_array_make(ctl->pool, 4, sizeof(const char *));
    apr_getopt_t *getopt;
    int status;

    apr_getopt_init(&getopt, ctl->pool, argc, argv);
    status = read_options(ctl, getopt); /* up to the command */
    if (status != CTL_OK)
        return status;
    if (getopt->ind < argc) {
        ctl->command = find_command(argv[getopt->ind]);
        if (!ctl->command)
            return ctl_usage(ctl, "there is no command '%s'", argv[getopt->ind]);
        apr_getopt_init(&getopt, ctl->pool, argc - getopt->ind, argv + getopt->ind);
        getopt->interleave = 1;
        status = read_options(ctl, getopt);
        if (status != CTL_OK)
            return status;
        for (; getopt->ind < getopt->argc; getopt->ind++)
            APR_ARRAY_PUSH(arguments, const char *) = getopt->argv[getopt->ind];
    }
    ctl->arguments = arguments;

    if (ctl_has(ctl, 'V')) {
        printf(CTL_PROGRAM " " OC_VERSION "\n");
        return CTL_OK;
    }
    if (ctl_has(ctl, 'h')) {
        if (ctl->command)
            print_command_help(ctl->command);
        else
            print_help();
        return CTL_OK;
    }
    return ctl->command ? ctl->command->run(ctl) : ctl_usage(ctl, "which command?");
}

int main(int argc, const char *const *argv)
{
    ctl_t ctl = {0};
    int status;

    if (apr_app_initialize(&argc, &argv, NULL) != APR_SUCCESS || apr_pool_create(&ctl.pool, NULL) != APR_SUCCESS)
        return CTL_TROUBLE;
    ctl.now = apr_time_now();
    status = run(&ctl, argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        ctl_say("cannot write the output");
        status = ctl.command && ctl.command->is_plugin ? CTL_UNKNOWN : CTL_TROUBLE;
    }
    apr_pool_destroy(ctl.pool);
    apr_terminate();
    return status;
}
