# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# Completion of ocsp-cachectl for fish. Commands and options come from the program's help, hosts from `list`, for those who may read
# the cache.

# The first word that is no option; --file has a value.
function __ocsp_cachectl_command
    set -l words (commandline -opc)
    set -l is_value 0
    for word in $words[2..-1]
        if test $is_value = 1
            set is_value 0
        else if contains -- $word -f --file
            set is_value 1
        else if not string match -q -- '-*' $word
            echo $word
            return
        end
    end
end

function __ocsp_cachectl_commands
    ocsp-cachectl --help 2>/dev/null | string replace -rf '^  ([a-z]+)(?: \S+)?  +(.+)$' '$1\t$2'
end

function __ocsp_cachectl_options
    ocsp-cachectl (__ocsp_cachectl_command) --help 2>/dev/null |
        string replace -rf '^ +(?:-\w, )?(--[a-z-]+)(?: \S+)?  +(.+)$' '$1\t$2'
end

function __ocsp_cachectl_hosts
    ocsp-cachectl list --json 2>/dev/null | string match -rag '"host":"([^"]+?)(?::\d+)?"'
end

complete -c ocsp-cachectl -f
complete -c ocsp-cachectl -n 'test -z (__ocsp_cachectl_command)' -a '(__ocsp_cachectl_commands)'
complete -c ocsp-cachectl -n 'contains -- help (__ocsp_cachectl_command)' -a '(__ocsp_cachectl_commands)'
complete -c ocsp-cachectl -n 'string match -q -- "-*" (commandline -ct)' -a '(__ocsp_cachectl_options)'
complete -c ocsp-cachectl -n 'contains -- (__ocsp_cachectl_command) list show export refresh check probe' -a '(__ocsp_cachectl_hosts)'
complete -c ocsp-cachectl -n 'contains -- (__ocsp_cachectl_command) import probe' -F
complete -c ocsp-cachectl -s f -l file -r -F
