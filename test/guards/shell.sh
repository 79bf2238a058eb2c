#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# Every shell script is clean for shellcheck, and those with #!/bin/sh keep to POSIX.
set -u
cd "$(dirname "$0")/../.." || exit 1

# shellcheck disable=SC2046
set -- $(git ls-files -co --exclude-standard -- '*.sh' '*.bash' .ci/run)
shellcheck -f gcc "$@" || exit 1
echo "$# scripts"
