# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Completion of ocsp-cachectl in a real bash with the bash-completion package, in zsh and in fish: what only a running
cache and a file system can give. (Commands and options in bash: test/guards/cachectl.py.)"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Optional

import pytest

from cachectl import cache_file, ctl, program
from conftest import HOST
from httpd import REPOSITORY
from wait import poll

# Loaded as bash-completion loads it at the first <Tab>, and called as bash calls it.
SCRIPT = """
. /usr/share/bash-completion/bash_completion
. "$1"
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=0
COMP_POINT=${#COMP_LINE}
complete -p ocsp-cachectl >/dev/null || exit
_ocsp_cachectl "$1" "${!#}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def complete(*words: object, where: Optional[Path] = None) -> set[str]:
    done = subprocess.run(["bash", "--norc", "-c", SCRIPT, "bash", str(REPOSITORY / "tools" / "ocsp-cachectl.bash"),
                           str(program()),
                           *map(str, words)], cwd=where, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and done.stderr == "", done
    return set(done.stdout.split())


def test_hosts_and_serials_of_a_cache(site, folder):
    one = site()
    one.server.start()
    one.wait_staple("good")
    cache = cache_file(one.server)
    poll(lambda: one.leaf.serial_hex in ctl(one.server, "list", "--wide").out, "the certificate is listed")
    for verb in ("list", "show", "export", "refresh", "check"):
        assert complete(verb, "--file", cache, "") == {HOST, one.leaf.serial_hex}, verb
    assert complete("--file", cache, "show", HOST[:3]) == {HOST}
    assert complete("probe", "--file", cache, HOST[:3], where=folder) == {HOST}
    (folder / f"{HOST}.pem").write_text("")
    assert complete("probe", "--file", cache, HOST[:3], where=folder) == {HOST, f"{HOST}.pem"}, "a host or a file"
    assert complete("show", "-f", cache, one.leaf.serial_hex[:4]) == {one.leaf.serial_hex}
    assert complete("show", "-f", cache, "nothing") == set()
    assert complete("show", "--file", cache.with_name("elsewhere"), "") == set()


@pytest.mark.parametrize("words", [("probe", ""), ("import", ""), ("probe", "--chain", ""), ("probe", "-o", ""),
                                   ("export", "--out", ""),
                                   ("--file", ""), ("list", "-f", "")])
def test_files(folder, words):
    (folder / "www.pem").write_text("")
    (folder / "certs").mkdir()
    assert complete(*words, where=folder) == {"www.pem", "certs"}


def test_values():
    assert complete("probe", "--hash", "") == {"sha1", "sha256"}
    assert complete("probe", "--hash", "sha2") == {"sha256"}
    for words in (("probe", "--url", ""), ("probe", "-t", ""), ("check", "-w", ""), ("check", "--crit", "")):
        assert complete(*words) == set(), words
    assert complete("verify", "") == set() and complete("no-such-command", "") == set()
    assert {"list", "probe"} < complete("")
    assert complete("pro") == {"probe"}


# ---- zsh and fish: what the functions offer, with the completion system's own functions replaced by ones that print --

ZSH = """
_describe() { print -l -- ${(P)@[-1]} }
compadd() { print -l -- ${(P)2} }
_files() { print FILES }
file=$1; shift
words=("$@") CURRENT=$#
source $file
"""


def in_zsh(*words: object) -> set[str]:
    done = subprocess.run(["zsh", "-f", "-c", ZSH, "zsh", str(REPOSITORY / "tools" / "ocsp-cachectl.zsh"),
                           str(program()),
                           *map(str, words)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and done.stderr == "", done
    return {line.partition(":")[0] for line in done.stdout.splitlines()}


def in_fish(*words: object) -> set[str]:
    """fish writes into its home, which is the cache's folder here."""
    typed = " ".join(map(str, ("ocsp-cachectl", *words)))
    script = f"source {REPOSITORY}/tools/ocsp-cachectl.fish; complete -C '{typed}'"
    environment = {"PATH": f"{program().parent}:/usr/bin:/bin", "HOME": str(Path(in_fish.cache).parent), "LANG": "C",
                   "OCSP_CACHE_FILE": in_fish.cache}
    done = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True, timeout=60,
                          check=False, env=environment)
    assert done.returncode == 0, done
    return {line.partition("\t")[0] for line in done.stdout.splitlines()}


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells(site, shell, monkeypatch):
    one = site()
    one.server.start()
    one.wait_staple()
    in_fish.cache = str(cache_file(one.server))
    monkeypatch.setenv("OCSP_CACHE_FILE", in_fish.cache)
    offered = {"zsh": in_zsh, "fish": in_fish}[shell]
    assert {"list", "show", "import", "probe", "help"} <= offered("")
    assert {"--problems", "--state", "--file"} <= offered("list", "--") and "--warn" not in offered("list", "--")
    assert "--warn" in offered("check", "--")
    assert HOST in offered("show", "") and "list" not in offered("show", "")
    assert HOST in offered("--file", in_fish.cache, "show", "")
    assert "list" in offered("help", "")
