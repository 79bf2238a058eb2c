#compdef ocsp-cachectl
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# Completion of ocsp-cachectl for zsh. Commands and options come from the program's help, hosts from `list`, for those who may read
# the cache.

# "list:List the certificates ..."; a colon in a description needs no care, the first one counts.
_ocsp_cachectl_commands() {
    local -a found
    found=(${(f)"$($words[1] --help 2>/dev/null | sed -nE '/^Commands:/,/^$/s/^  ([a-z]+)( [^ ]+)?  +(.*)/\1:\3/p')"})
    _describe command found
}

_ocsp_cachectl_options() {
    local -a found
    found=(${(f)"$($words[1] $1 --help 2>/dev/null | sed -nE 's/^ +(-., )?(--[a-z-]+)( [^ ]+)?  +(.*)/\2:\4/p')"})
    _describe -o option found
}

_ocsp_cachectl_hosts() {
    local -a found
    found=(${(fu)"$($words[1] list --json 2>/dev/null | grep -oE '"host":"[^"]+"' | sed -E 's/^"host":"//; s/(:[0-9]+)?"$//')"})
    compadd -a found
}

_ocsp_cachectl() {
    local command i
    for ((i = 2; i < CURRENT; i++)); do
        case $words[i] in
        -f | --file) ((i++)) ;;
        -*) ;;
        *) command=$words[i]; break ;;
        esac
    done
    if [[ $words[CURRENT-1] == (-f|--file) ]]; then
        _files
    elif [[ $words[CURRENT] == -* ]]; then
        _ocsp_cachectl_options $command
    elif [[ -z $command || $command == help ]]; then
        _ocsp_cachectl_commands
    else
        [[ $command == (import|probe) ]] && _files
        [[ $command == (list|show|export|refresh|check|probe) ]] && _ocsp_cachectl_hosts
    fi
}

_ocsp_cachectl "$@"
