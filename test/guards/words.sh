#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# Words and paths that must not be in any file that git keeps: places of one developer's machine, work left undone, and
# phrases that are not plain technical English.
# Every file with code also bears the licence's tag and the copyright line.
set -u
cd "$(dirname "$0")/../.." || exit 1

# Brackets, so that this file does not match itself.
places='/[w]ork/|\.\./[s]hared|/[h]ome/[a-z]|/[r]oot/'
undone='[T]ODO|[F]IXME|[X]XX|[H]ACK|[n]ot implemented'
phrases='[w]ho looks on|[k]ept from before|[h]ad elsewhere|[t]hrows? its own dice|[i]s written nowhere'
phrases="$phrases|[n]obody else's pen|\\b[r]oster\\b|[i]s to be had|\\b[b]e they\\b|[b]y its nature|\\b[w]hoever\\b|\\b[w]hom\\b"
phrases="$phrases|\\b[a]ll the same\\b|[^.(][e]rrand|\\b[m]end(ed|s|ing)?\\b|[i]s no (program|error|toy)\\b|\\b[b]esides?\\b|[w]ants some(body|one)"
phrases="$phrases|\\b[s]tands? in\\b|\\b[s]tood in\\b|\\b[a]t work\\b|\\b[a]new\\b|\\b[s]omebody|\\b[n]obody's\\b|\\b[g]o(es)? on\\b|\\b[h]ence\\b"
phrases="$phrases|\\b[a]sk(s|ed|ing)? (the responder|a responder|responders|again|[n]obody|anybody)|[a]sked for (again|once)"
phrases="$phrases|[r]un(s|ning)? out soon|[i]s held to staple|[n]o time at all|[n]o room to be|[n]othing is to be done|[l]eft alone|[t]heir like"
files() { git ls-files -co --exclude-standard -- "$@" | grep -v -x LICENSE; }

files Makefile | grep -q . || {
    echo "git does not list the files: this guard runs in a clone"
    exit 1
}
{
    files | xargs grep -nIE "$places" /dev/null |
        sed 's/$/   <- a path of one machine/'
    files | xargs grep -nIiE "$phrases" /dev/null |
        sed 's/$/   <- say it plainly/'
    files '*.c' '*.h' '*.py' '*.sh' '*.conf' '*.load' Makefile '.ci/*' |
        xargs grep -nIwE "$undone" /dev/null | sed 's/$/   <- left undone/'
    files '*.c' '*.h' '*.css' '*.js' '*.py' '*.sh' Makefile .ci/run | xargs awk '
        FNR == 1 { if (file != "") print file ":1: no SPDX-License-Identifier line"; file = FILENAME }
        FNR <= 5 && /SPDX-License-Identifier: Apache-2.0/ { file = "" }
        END { if (file != "") print file ":1: no SPDX-License-Identifier line" }'
} | {
    if grep .; then exit 1; fi
    echo "no foreign paths, nothing left undone, licence tags in place"
}
