/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What the commands of ocsp-cachectl share: how a command and its options are described (the one list from which they
 * are parsed and `--help` is printed), messages, output, and which cache a command uses.
 *
 * One thread, one run, one pool: what is allocated lives until the program ends.
 */
#ifndef CTL_H
#define CTL_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>

#define CTL_PROGRAM "ocsp-cachectl"

/** Exit statuses of all commands except `check`, which has those of monitoring plug-ins. */
#define CTL_OK 0
#define CTL_NO 1      /* the answer is no, or something was not done; the reason has been printed */
#define CTL_TROUBLE 2 /* bad usage, or the files cannot be read */
#define CTL_UNKNOWN 3 /* the same for a monitoring plug-in */

typedef struct {
    const char *name;  /* without the dashes */
    int letter;        /* or, for an option without a letter, a number from CTL_LONG on; unique within a command */
    const char *value; /* the name of its value in the help; NULL: it takes none */
    const char *help;
} ctl_option_t;

#define CTL_LONG 256
#define CTL_LETTERS 320 /* all letters and numbers are below */
#define CTL_OPTIONS_END     \
    {                       \
        NULL, 0, NULL, NULL \
    }

typedef struct ctl_t ctl_t;

typedef struct {
    const char *name;
    const char *arguments; /* as the help shows them; "": none */
    const char *summary;   /* a line */
    const char *help;      /* paragraphs, each line ends with a line end; "": the summary is enough */
    const ctl_option_t *options;
    int is_plugin;        /* speaks and exits as a monitoring plug-in */
    int is_free_of_cache; /* works without a cache's file and ignores --file */
    int (*run)(ctl_t *ctl);
} ctl_command_t;

struct ctl_t {
    apr_pool_t *pool;
    apr_time_t now; /* when the program was started */
    const ctl_command_t *command;
    const char *values[CTL_LETTERS];     /* of the options: "" for one without value, NULL: not given */
    const apr_array_header_t *arguments; /* const char * */
    const char *path;                    /* the cache's file: ctl_cache_find() */
    const char *error;                   /* of the option parser */
    int has_colours;
};

/** Was the option given? */
int ctl_has(const ctl_t *ctl, int letter);

/** --json */
int ctl_is_json(const ctl_t *ctl);

/** The duration that an option has: "90", "90s", "30min", "12h", "2d", "1w", "500ms"; @a fallback where it is not
 *  given.
 *  @return CTL_OK; otherwise a message has been printed. */
int ctl_duration(const ctl_t *ctl, int letter, apr_interval_time_t fallback, apr_interval_time_t *duration);

/** Print what is wrong with the command line, and where to find help. @return the exit status for it. */
int ctl_usage(const ctl_t *ctl, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Print why it cannot be done. @return the exit status for it. */
int ctl_trouble(const ctl_t *ctl, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Print a line on stderr, after the program's name. */
void ctl_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Write these bytes to @a path, mode 0644: a response is not secret. Writes a new file in the same folder and
 *  renames it, because another server may be reading. */
apr_status_t ctl_write_file(const ctl_t *ctl, const char *path, const void *bytes, apr_size_t len);

/** Which cache: --file, OCSP_CACHE_FILE, or the one in the default folder. Sets ctl->path. @return CTL_OK; otherwise
 *  a message has been printed. */
int ctl_cache_find(ctl_t *ctl);

/** The end of a message about a file or folder of another user: its owner, and how to become that user; "": the
 *  owner is the current user. */
const char *ctl_become_owner(const char *path, apr_pool_t *pool);

/* ---- output ---- */

#define CTL_RED "31"
#define CTL_GREEN "32"
#define CTL_YELLOW "33"
#define CTL_BOLD "1"

/** Is the standard output a terminal that shows colours (NO_COLOR, TERM)? */
int ctl_wants_colours(apr_pool_t *pool);

/** @a text in a colour, where ctl->has_colours; colour "": as it is. */
const char *ctl_coloured(const ctl_t *ctl, const char *colour, const char *text);

/** The width of the terminal, or COLUMNS; 0: the output is not a terminal. */
unsigned ctl_width(apr_pool_t *pool);

/** Print @a label and @a text, which begins at column @a indent and is folded between words at @a width (0: never). */
void ctl_fold(const char *label, const char *text, unsigned indent, unsigned width);

/* ---- mistyped words ---- */

/** How many letters two words differ in. */
unsigned ctl_distance(const char *a, const char *b);

/** The name that @a word is most similar to; NULL: none is similar. */
const char *ctl_nearest(const char *word, const char *const *names, unsigned n);

/* The commands, each in the file of its name. */
extern const ctl_command_t ctl_list;
extern const ctl_command_t ctl_show;
extern const ctl_command_t ctl_export;
extern const ctl_command_t ctl_import;
extern const ctl_command_t ctl_probe;
extern const ctl_command_t ctl_verify;
extern const ctl_command_t ctl_refresh;
extern const ctl_command_t ctl_check;

#endif
