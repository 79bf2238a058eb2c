# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# Completion of ocsp-cachectl for bash, with the bash-completion package. Commands and options come from the program's help, hosts
# and serials from `list`, for those who may read the cache.
# shellcheck shell=bash

# The options of a command (or of all), each with its letter and what stands for its value: "-o, --out FILE".
_ocsp_cachectl_options() {
    "$@" --help 2>/dev/null | sed -nE 's/^ +((-., )?--[a-z-]+( [A-Z:|]+)?)  .*/\1/p'
}

_ocsp_cachectl() {
    local cur prev words cword command='' file=() i
    _init_completion -n : || return

    for ((i = 1; i < cword; i++)); do
        case ${words[i]} in
        -f | --file) file=(--file "${words[++i]}") ;;
        -*) ;;
        *) [[ -n $command ]] || command=${words[i]} ;;
        esac
    done

    # the value of an option
    local value=''
    if [[ $prev == -* ]]; then
        value=$(_ocsp_cachectl_options "$1" ${command:+"$command"} | sed -nE "s/^(-., )?$prev(, --[a-z-]+)? ([A-Z:|]+)\$/\3/p")
    fi
    case $value in
    *FILE* | *PATH* | *FOLDER*) _filedir ;;
    STATE) mapfile -t COMPREPLY < <(compgen -W 'good revoked error none no-issuer no-responder' -- "$cur") ;;
    KEY) mapfile -t COMPREPLY < <(compgen -W 'host subject state left next failures attention' -- "$cur") ;;
    HASH) mapfile -t COMPREPLY < <(compgen -W 'sha1 sha256' -- "$cur") ;;
    esac
    [[ -z $value ]] || return

    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_ocsp_cachectl_options "$1" ${command:+"$command"} | grep -oE -- '--[a-z-]+')" -- "$cur")
        return
    fi
    if [[ -z $command ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$("$1" --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')" -- "$cur")
        return
    fi
    local usage hosts=()
    usage=$("$1" "$command" --help 2>/dev/null | head -n 1)
    if [[ $usage == *COMMAND* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$("$1" --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')" -- "$cur")
    fi
    if [[ $usage == *FILE* || $usage == *CERT* ]]; then
        _filedir
    fi
    if [[ $usage == *HOST* ]]; then
        mapfile -t hosts < <(compgen -W "$("$1" list --json "${file[@]}" 2>/dev/null |
            grep -oE '"(host|serial)":"[][A-Za-z0-9.:_*-]+"' | sed -E 's/.*:"(.*)"/\1/; s/:[0-9]+$//')" -- "$cur")
        COMPREPLY+=("${hosts[@]}")
        __ltrim_colon_completions "$cur"
    fi
} && complete -F _ocsp_cachectl ocsp-cachectl
