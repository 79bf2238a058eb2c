/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The table of certificates for terminals. Two passes: the first measures the columns, the second prints. The memory of
 * a row is freed before the next one.
 */
#include "view/view.h"

#include <apr_strings.h>
#include <string.h>

#define GAP 2           /* blanks between columns, and before the continuation lines of a row */
#define DOTS 3          /* in place of what is left out */
#define SERIAL_SHORT 13 /* of a serial, where room is scarce: both ends are enough to distinguish certificates */

typedef enum {
    HOST,
    SUBJECT,
    SERIAL,
    RESPONDER,
    TEXTS, /* the columns before this one can be shortened */
    STATUS = TEXTS,
    THIS_UPDATE,
    NEXT_UPDATE,
    NEXT_REQUEST,
    FAILURES,
    SIZE,
    ORIGIN,
    COLUMNS
} column_t;

/* Narrower text columns are not readable: then a row takes several lines. */
static const unsigned readable[TEXTS] = {24, 24, SERIAL_SHORT, 24};

static const char *const heads[COLUMNS] = {"Host",     "Certificate", "Serial",      "Responder",
                                           "Status",   "This update", "Next update", "Next fetch",
                                           "Failures", "Size",        "Origin"};

typedef struct {
    unsigned width[COLUMNS];
    unsigned line[COLUMNS]; /* of the row, from 0; never falls from one column to the next */
} layout_t;

const char *oc_view_printable(const char *text, apr_pool_t *pool)
{
    const char *p;
    char *escaped, *out;

    if (!text || !*text)
        return "-";
    for (p = text; *p >= 0x20 && *p < 0x7F; p++)
        ;
    if (!*p)
        return text;
    escaped = out = apr_palloc(pool, 4 * strlen(text) + 1);
    for (p = text; *p; p++) {
        if (*p >= 0x20 && *p < 0x7F)
            *out++ = *p;
        else
            out += apr_snprintf(out, 5, "\\x%02X", (unsigned char)*p);
    }
    *out = '\0';
    return escaped;
}

/* All that are queried, in this order. A URL holds no blank. */
static const char *responders_of(const oc_view_t *view, apr_pool_t *pool)
{
    const char *all = oc_view_printable(view->url, pool);
    const char *const *next = view->url && view->urls && view->urls[0] ? view->urls + 1 : NULL;

    for (; next && *next; next++)
        all = apr_pstrcat(pool, all, " ", oc_view_printable(*next, pool), NULL);
    return all;
}

static void fill_cells(const char **cells, const oc_view_t *view, apr_time_t now, apr_pool_t *pool)
{
    cells[HOST] = oc_view_printable(view->host, pool);
    if (view->hosts && view->hosts->nelts > 1)
        cells[HOST] = apr_psprintf(pool, "%s +%d", cells[HOST], view->hosts->nelts - 1);
    cells[SUBJECT] = oc_view_printable(view->subject, pool);
    cells[SERIAL] = oc_view_printable(view->serial, pool);
    cells[RESPONDER] = responders_of(view, pool);
    cells[STATUS] = oc_view_state(view, now);
    cells[THIS_UPDATE] = cells[NEXT_UPDATE] = cells[SIZE] = cells[ORIGIN] = "-";
    if (view->has_record) {
        cells[THIS_UPDATE] = oc_view_span(view->this_update, now, pool);
        cells[NEXT_UPDATE] = oc_view_span(view->next_update, now, pool);
        cells[SIZE] = apr_psprintf(pool, "%" APR_SIZE_T_FMT, view->size);
        cells[ORIGIN] = oc_origin_name(view->origin);
    }
    cells[NEXT_REQUEST] = oc_view_span(view->next_request, now, pool);
    cells[FAILURES] = "-";
    if (view->failures > 0)
        cells[FAILURES] = apr_psprintf(pool, "%u %s", view->failures, oc_verdict_name(view->last));
}

/* ---- layout ---- */

static void measure(layout_t *layout, const char *const *cells)
{
    int i;

    for (i = 0; i < COLUMNS; i++) {
        unsigned len = (unsigned)strlen(cells[i]);

        if (layout->width[i] < len)
            layout->width[i] = len;
    }
}

/* Divide @a room: a column that needs less than an equal share gets what it needs, the others share the rest. */
static void share(unsigned *width, unsigned room)
{
    unsigned given[TEXTS] = {0}, open = TEXTS, i, had;

    do {
        had = open;
        for (i = 0; i < TEXTS; i++) {
            if (!given[i] && width[i] <= room / open) {
                given[i] = width[i];
                room -= width[i];
                if (--open == 0)
                    return;
            }
        }
    } while (open < had);
    for (i = 0; i < TEXTS; i++)
        if (!given[i])
            width[i] = room / open;
}

/* One line, if all columns fit with readable texts. Else the texts share the first line, and the others follow as they
 * fit. */
static void arrange(layout_t *layout, unsigned width)
{
    unsigned wanted = GAP * (COLUMNS - 1), least = wanted, others = wanted, line = 1, at = 0, i;

    memset(layout->line, 0, sizeof(layout->line));
    for (i = 0; i < COLUMNS; i++) {
        wanted += layout->width[i];
        least += i < TEXTS && layout->width[i] > readable[i] ? readable[i] : layout->width[i];
        others += i < TEXTS ? 0 : layout->width[i];
    }
    if (width == 0 || wanted <= width)
        return;
    if (layout->width[SERIAL] > SERIAL_SHORT)
        layout->width[SERIAL] = SERIAL_SHORT;
    if (least <= width) {
        share(layout->width, width - others);
        return;
    }
    share(layout->width, width > GAP * (TEXTS - 1) + TEXTS ? width - GAP * (TEXTS - 1) : TEXTS);
    for (i = TEXTS; i < COLUMNS; i++) {
        if (at > 0 && at + GAP + layout->width[i] > width) {
            line++;
            at = 0;
        }
        at += GAP + layout->width[i];
        layout->line[i] = line;
    }
}

/* ---- printing ---- */

/* Print @a text in a column of @a width. A longer text loses its middle, since names and URLs differ at both ends. */
static char *put(char *out, const char *text, unsigned width)
{
    int len = (int)strlen(text), dots = (int)width > DOTS + 1 ? DOTS : 0, tail = ((int)width - dots) / 2;

    if (len <= (int)width)
        return out + apr_snprintf(out, width + 1, "%-*s", (int)width, text);
    return out
           + apr_snprintf(out, width + 1, "%.*s%.*s%s", (int)width - dots - tail, text, dots, "...", text + len - tail);
}

static void end_line(const char *begin, char *out)
{
    while (out > begin && out[-1] == ' ')
        out--;
    *out++ = '\n';
    *out = '\0';
}

static void print_row(const char *const *cells, const layout_t *layout, char *buffer, oc_view_print_fn *print,
                      void *context)
{
    char *out = buffer;
    int i;

    for (i = 0; i < COLUMNS; i++) {
        unsigned blanks = GAP;

        if (i == 0 || layout->line[i] != layout->line[i - 1]) {
            if (i > 0) {
                end_line(buffer, out);
                print(context, buffer);
            }
            out = buffer;
            blanks = layout->line[i] > 0 ? GAP : 0;
        }
        memset(out, ' ', blanks);
        out = put(out + blanks, cells[i], layout->width[i]);
    }
    end_line(buffer, out);
    print(context, buffer);
}

void oc_view_table(const apr_array_header_t *views, apr_time_t now, unsigned width, oc_view_print_fn *print,
                   void *context, apr_pool_t *pool)
{
    const char *cells[COLUMNS];
    layout_t layout = {{0}, {0}};
    apr_size_t room = 2;
    apr_pool_t *row;
    char *buffer;
    int i;

    apr_pool_create(&row, pool);
    measure(&layout, heads);
    for (i = 0; i < views->nelts; i++) {
        apr_pool_clear(row);
        fill_cells(cells, &APR_ARRAY_IDX(views, i, oc_view_t), now, row);
        measure(&layout, cells);
    }
    arrange(&layout, width);
    for (i = 0; i < COLUMNS; i++)
        room += GAP + layout.width[i];
    buffer = apr_palloc(pool, room);
    print_row(heads, &layout, buffer, print, context);
    for (i = 0; i < views->nelts; i++) {
        apr_pool_clear(row);
        fill_cells(cells, &APR_ARRAY_IDX(views, i, oc_view_t), now, row);
        print_row(cells, &layout, buffer, print, context);
    }
    apr_pool_destroy(row);
}
