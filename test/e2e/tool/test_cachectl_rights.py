# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""ocsp-cachectl and rights: who may read the cache, and the process without rights that reads the responses in it."""

import os
import subprocess

import pytest

import pki
from cachectl import cache_file, command, ctl
from conftest import HOST
from httpd import unprivileged_user


@pytest.fixture
def one(site):
    """A running server that staples."""
    made = site()
    made.server.start()
    made.wait_staple()
    return made


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_only_the_owner_may_look(one):
    done = ctl(one.server, "list", user=unprivileged_user())
    assert done.code == 2 and "Permission denied" in done.err and "belongs to root: run this as root" in done.err
    assert ctl(one.server, "check", user=unprivileged_user()).code == 3


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_responses_are_read_without_rights(one, folder):
    """The process that parses them has given up root before it does."""
    log = folder / "trace"
    subprocess.run(["strace", "-f", "-e", "trace=setresuid,setgroups,setresgid,fork,vfork,clone", "-o", log,
                    *command("show", "--file", cache_file(one.server), HOST)], check=True, stdout=subprocess.DEVNULL)
    dropped = [line for line in log.read_text().splitlines() if "setresuid(" in line]
    assert dropped and all(line.rstrip().endswith("= 0") and "setresuid(0" not in line for line in dropped)


@pytest.mark.asan
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize("missing", ["setuid", "setgid"])
def test_root_that_cannot_become_nobody(one, folder, missing):
    """As in a container with few capabilities: nothing is read, and each command reports why in its own way."""
    der = folder / "response.der"
    der.write_bytes(pki.response(one.leaf))

    def crippled(verb: str, *arguments: object):
        return ctl(one.server, verb, *arguments, through=("setpriv", f"--bounding-set=-{missing}"))
    done = crippled("check")
    assert done.code == 3 and not done.err, done
    assert done.out.startswith("OCSP UNKNOWN - ") and len(done.out) <= 201 and "capabilities SETUID" in done.out, done
    for verb, *arguments in (("list",), ("show", HOST), ("verify",), ("export", HOST, "--out", folder / "out"),
                             ("import", der), ("probe", one.leaf.fullchain_file)):
        done = crippled(verb, *arguments)
        assert done.code == 2 and "user nobody" in done.err and "capabilities SETUID" in done.err, done
        done = crippled(verb, *arguments, "--json")
        assert done.code == 2 and not done.err and done.json["command"] == verb and "nobody" in done.json["error"], done
    done = crippled("check", "--json")
    assert done.code == 3 and done.json["state"] == "UNKNOWN" and "user nobody" in done.json["error"], done
    assert not (folder / "out").exists()


def test_a_full_disk_is_named(one):
    """Where the output goes, in the process that has no rights too."""
    for verb, *arguments in (("list",), ("show", HOST), ("check",)):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(command(verb, "--file", cache_file(one.server), *arguments), stdout=full,
                                  stderr=subprocess.PIPE, check=False)
        assert done.returncode == (3 if verb == "check" else 2) and b"cannot write the output" in done.stderr, done
