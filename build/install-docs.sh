#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# The part of `make install` that lays down the documents: all in one folder, so links between them lose their folders, and a link
# to what is not installed becomes its text.
#
#   build/install-docs.sh FOLDER FILE...
set -eu
folder=$1
shift

names=''
for file; do names="$names|$(basename "$file" | sed 's/\./\\./g')"; done

for file; do
    case $file in
    *.md)
        sed -E -e "s#\]\((\.\./)?((docs|conf)/)?(${names#|})(\#[^)]*)?\)#](\4\5)#g" \
            -e 's#\[([^]]*)\]\((\.\./)?(ARCHITECTURE\.md|CONTRIBUTING\.md|build/[^)]*)\)#\1#g' "$file" >"$folder/$(basename "$file")"
        chmod 0644 "$folder/$(basename "$file")"
        ;;
    *) install -m 0644 "$file" "$folder/" ;;
    esac
done
