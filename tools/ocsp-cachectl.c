/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Lets an administrator manage the cache of mod_ocsp_cache from a shell, with the server running or stopped. This file
 * finds the command, reads its options and prints the help; ctl_*.c implement the commands.
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
static const ctl_command_t ctl_help;
static const ctl_command_t *const commands[] = {&ctl_list,    &ctl_show,  &ctl_export, &ctl_import, &ctl_verify,
                                                &ctl_refresh, &ctl_check, &ctl_probe,  &ctl_help};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const ctl_option_t common_options[] = {
    {"file", 'f', "PATH",
     "the cache file, or a folder that contains one (default: $OCSP_CACHE_FILE, " OC_CACHE_DIR ")"},
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

    printf("Usage: " CTL_PROGRAM " COMMAND [OPTION...] [ARGUMENT...]\n"
           "Shows, exports, imports, verifies and refreshes the OCSP responses that mod_ocsp_cache staples.\n"
           "It works with the server running or stopped.\n\nCommands:\n");
    for (i = 0; i < N_COMMANDS; i++) {
        int width = (int)(strlen(commands[i]->name) + strlen(commands[i]->arguments) + 1);

        printf("  %s %s%*s  %s\n", commands[i]->name, commands[i]->arguments, width < 32 ? 32 - width : 0, "",
               commands[i]->summary);
    }
    printf("\nOptions of all commands:\n");
    print_options(common_options, 0);
    printf("\n`" CTL_PROGRAM " help COMMAND` describes a command.\n"
           "Exit status: 0 success; 1 a negative result, or something was not done; 2 wrong usage, or the cache cannot "
           "be\n"
           "read. `check` exits like monitoring plug-ins: 0 OK, 1 warning, 2 critical, 3 unknown.\n");
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

/* APR's text is "NAME: WHAT: OPTION" and a line end: leave the name out. */
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

/* A suggestion for an unknown option: "; did you mean --file?". */
static const char *suggest_option(const ctl_t *ctl, const char *error)
{
    const char *lists[OPTIONS_MAX], *near, *word = strstr(error, "--");
    const apr_getopt_option_t *option;
    unsigned n = 0;

    for (option = parsable(ctl->command, ctl->pool); word && option->name && n < OPTIONS_MAX; option++)
        lists[n++] = option->name;
    near = word && strlen(word) > 3 ? ctl_nearest(word + 2, lists, n) : NULL;
    return near ? apr_psprintf(ctl->pool, ". Did you mean --%s?", near) : "";
}

/* @return CTL_OK; otherwise a message has been printed. */
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
    return rv == APR_EOF ? CTL_OK : ctl_usage(ctl, "%s%s", ctl->error, suggest_option(ctl, ctl->error));
}

static const ctl_command_t *find_command(const char *name)
{
    apr_size_t i;

    for (i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static int refuse_command(const ctl_t *ctl, const char *name)
{
    const char *names[N_COMMANDS], *near;
    apr_size_t i;

    for (i = 0; i < N_COMMANDS; i++)
        names[i] = commands[i]->name;
    near = ctl_nearest(name, names, N_COMMANDS);
    return near ? ctl_usage(ctl, "unknown command '%s'. Did you mean %s?", name, near)
                : ctl_usage(ctl, "unknown command '%s'", name);
}

/* The serial of a certificate may be negative: "-66" is one, not an option. The letters of options are no upper-case
 * digits. */
static int is_serial(const char *word)
{
    return word[0] == '-' && word[1] != '\0' && word[1 + strspn(word + 1, "0123456789ABCDEF:")] == '\0';
}

/* The words behind the command, without negative serials, which go to @a arguments. */
static int take_words(ctl_t *ctl, int argc, const char *const *argv, apr_array_header_t *arguments)
{
    const char **words = apr_palloc(ctl->pool, ((apr_size_t)argc + 1) * sizeof(*words));
    apr_getopt_t *getopt;
    int i, n = 0, status;

    for (i = 0; i < argc; i++) {
        if (is_serial(argv[i]))
            APR_ARRAY_PUSH(arguments, const char *) = argv[i];
        else
            words[n++] = argv[i];
    }
    words[n] = NULL;
    apr_getopt_init(&getopt, ctl->pool, n, words);
    getopt->interleave = 1;
    status = read_options(ctl, getopt);
    for (; status == CTL_OK && getopt->ind < getopt->argc; getopt->ind++)
        APR_ARRAY_PUSH(arguments, const char *) = getopt->argv[getopt->ind];
    return status;
}

static int run_help(ctl_t *ctl)
{
    const char *name = ctl->arguments->nelts > 0 ? APR_ARRAY_IDX(ctl->arguments, 0, const char *) : NULL;
    const ctl_command_t *command = name ? find_command(name) : NULL;

    if (ctl->arguments->nelts > 1)
        return ctl_usage(ctl, "help takes one command");
    if (name && !command)
        return refuse_command(ctl, name);
    if (command)
        print_command_help(command);
    else
        print_help();
    return CTL_OK;
}

static int run(ctl_t *ctl, int argc, const char *const *argv)
{
    apr_array_header_t *arguments = apr_array_make(ctl->pool, 4, sizeof(const char *));
    apr_getopt_t *getopt;
    int i, status;

    for (i = 1; i < argc; i++) /* known early: an error in the options is JSON, too */
        if (strcmp(argv[i], "--json") == 0 || strcmp(argv[i], "-j") == 0)
            ctl->values['j'] = "";
    apr_getopt_init(&getopt, ctl->pool, argc, argv);
    status = read_options(ctl, getopt); /* up to the command */
    if (status != CTL_OK)
        return status;
    if (getopt->ind < argc) {
        ctl->command = find_command(argv[getopt->ind]);
        if (!ctl->command)
            return refuse_command(ctl, argv[getopt->ind]);
        status = take_words(ctl, argc - getopt->ind, argv + getopt->ind, arguments);
        if (status != CTL_OK)
            return status;
    }
    ctl->arguments = arguments;
    ctl->has_colours = ctl_wants_colours(ctl->pool);

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
    return ctl->command ? ctl->command->run(ctl) : ctl_usage(ctl, "a command is missing");
}

static const ctl_option_t help_options[] = {CTL_OPTIONS_END};

static const ctl_command_t ctl_help = {.name = "help",
                                       .arguments = "[COMMAND]",
                                       .summary = "Print this help, or help on a command",
                                       .help = "",
                                       .options = help_options,
                                       .is_free_of_cache = 1,
                                       .run = run_help};

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
