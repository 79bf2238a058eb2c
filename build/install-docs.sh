#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# The part of `make install` that lays down the documents, in the folders that they have here, so that links between them work. A
# link to what is not installed becomes its text.
#
#   build/install-docs.sh FOLDER FILE...
set -eu
folder=$1
shift

not_installed='((ARCHITECTURE|CONTRIBUTING)\.md|LICENSE|(build|debian|include|packaging|src|test|tools)/)'
for file; do
    case $file in
    *.md)
        sed -E "s#\[([^]]*)\]\((\.\./)*${not_installed}[^)]*\)#\1#g" "$file" >"$folder/$file"
        chmod 0644 "$folder/$file"
        ;;
    *) install -m 0644 "$file" "$folder/$file" ;;
    esac
done
