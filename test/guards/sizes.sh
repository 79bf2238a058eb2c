#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# No file of code above 450 lines, no function of the module and its tools above 70, the hook registration file within
# 200.
set -u
cd "$(dirname "$0")/../.." || exit 1

# A function begins with "{" in column 1 and ends with "}" in column 1: the format guard ensures it.
find mod_ocsp_cache.c mod_ocsp_client.c mtls src include tools test build conf -name '*.[ch]' -o -name '*.py' -o -name '*.sh' | sort | xargs awk '
    FNR == 1 { end_of_file(); file = FILENAME; start = 0 }
    { lines = FNR }
    /^\{/ { start = FNR }
    /^\}/ { end_of_function() }
    END { end_of_file(); exit bad }

    function end_of_function() {
        if (start && FNR - start - 1 > 70 && file ~ /^(mod_ocsp_|mtls|src|tools).*\.c$/)
            report(start ": a function of " FNR - start - 1 " lines, more than 70")
        start = 0
    }
    function end_of_file(limit) {
        limit = file == "mod_ocsp_cache.c" ? 200 : 450
        if (file != "" && lines > limit) report("1: " lines " lines, more than " limit)
    }
    function report(what) { print file ":" what; bad = 1 }' || exit 1
echo "files within 450 lines, functions within 70"
