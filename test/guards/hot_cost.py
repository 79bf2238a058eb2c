#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""What a handshake costs: instructions of oc_ssl_hooks_get_resp() and of all it calls, counted by callgrind in a real
httpd while real clients are stapled a real response. The callback is left out: what mod_ssl does with the response is
mod_ssl's.

The guard fails above BUDGET, and on any system call. First it must refuse a copy of the module that was made worse.
"""
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "test" / "bench"), str(TOP / "test" / "e2e" / "harness")]

import bench_instructions  # noqa: E402
import pki  # noqa: E402
import responders  # noqa: E402
from bench_stage import adopt_orphans  # noqa: E402
from httpd import Config, Httpd, Vhost  # noqa: E402

# Instructions per handshake, for a response of about 900 bytes with its signer's certificate. Measured: 1,352 (gcc 12
# -O2, x86-64). A whole handshake takes millions. The margin is for other compilers, and for where in its buckets a key
# happens to lie.
BUDGET = 1600

ENTRY = "oc_ssl_hooks_get_resp"
HOST = "www.example.test"
HANDSHAKES = 5
# valgrind has no vDSO: what is read in user space otherwise is a system call there, this one, once per handshake.
CLOCK = "apr_time_now"

# What is put into look_up() to see the guard refuse it: too many instructions, and getpid(2).
WORSE = """for (volatile int i = 0; i < 200; i++) { }
    __asm__ volatile("syscall" : : "a"(39) : "rcx", "r11", "memory");
"""


def make(*arguments):
    done = subprocess.run(["make", "-s", "--no-print-directory", *arguments], cwd=TOP, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(f"make {shlex.join(arguments)}: failed\n{done.stdout}")
    return done.stdout.strip()


def build_worse(folder):
    """The module with that on the path."""
    source = (TOP / "src" / "server" / "ssl_hooks.c").read_text()
    begin = source.index("static staple_t look_up(")
    at = source.index(";\n\n", begin) + 2  # after the declarations
    patched, built = folder / "ssl_hooks.c", folder / "worse.so"
    patched.write_text(source[:at] + "    " + WORSE + source[at:])
    objects = [path for path in make("print-ROOT_OBJECT", "print-GLUE_OBJECTS", "print-CORE_OBJECTS").split()
               if not path.endswith("/server/ssl_hooks.o")]
    for command in (["gcc", *shlex.split(make("print-GLUE_FLAGS")), "-c", "-o", str(folder / "ssl_hooks.o"),
                     str(patched)],
                    ["gcc", *shlex.split(make("print-MODULE_LDFLAGS")), "-o", str(built), *objects,
                     str(folder / "ssl_hooks.o"),
                     *shlex.split(make("print-OPENSSL_LIBS"))]):
        subprocess.run(command, cwd=TOP, check=True)
    return built


def measure(module, folder, leaf, root):
    """-> (instructions per handshake, system calls per handshake)"""
    os.environ["OCSP_CACHE_MODULE"] = str(module)
    server = Httpd(folder, Config(vhosts=(Vhost(HOST, (leaf,)),), cache="ocsp_cache:cache/staples(128000)",
                                  status=False,
                                  log_level="warn"), root)
    server.start()
    server.wait_staple(HOST)
    server.stop()  # the response is in the file now: from the first handshake on it is stapled
    seen = bench_instructions.run(server, ENTRY, bench_instructions.handshake(server, HOST), HANDSHAKES)
    [calls] = [cost.calls for (_, callee, _), cost in seen.edges.items() if callee == ENTRY]
    assert calls == HANDSHAKES, f"{ENTRY} ran {calls} times in {HANDSHAKES} handshakes"
    below = {(callee, where): cost for (caller, callee, where), cost in seen.edges.items() if caller == ENTRY}
    callback = sum(cost.instructions for (_, where), cost in below.items() if where.endswith("/mod_ssl.so"))
    assert callback > 0, f"the callback into mod_ssl was not seen: {below}"
    system_calls = seen.own[ENTRY].system_calls + sum(cost.system_calls for (callee, where), cost in below.items()
                                                      if callee != CLOCK and not where.endswith("/mod_ssl.so"))
    return (seen.total - callback) / HANDSHAKES, system_calls / HANDSHAKES


def judge(instructions, system_calls):
    problems = []
    if instructions > BUDGET:
        problems.append(f"src/server/ssl_hooks.c: {instructions:.0f} instructions per handshake, the budget is "
                        f"{BUDGET} (test/guards/hot_cost.py)")
    if system_calls:
        problems.append(f"src/server/ssl_hooks.c: {system_calls:g} system calls per handshake")
    return problems


def main():
    module = TOP / make("print-MODULE")
    make("CC=gcc", str(module.relative_to(TOP)))
    adopt_orphans()
    with tempfile.TemporaryDirectory(prefix="ocsp-cache-guard-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        root = pki.Authority.root(folder / "pki", "Guard Root")
        ca = root.intermediate("Guard Intermediate")
        responder = responders.ScriptedResponder(ca)
        leaf = ca.leaf(HOST, url=responder.url)
        problems = judge(*measure(build_worse(folder), folder / "worse", leaf, root))
        if len(problems) != 2:
            sys.exit(f"hot_cost: the guard itself is broken: of two offences it saw {problems}")
        instructions, system_calls = measure(module, folder / "server", leaf, root)
        responder.stop()
    if problems := judge(instructions, system_calls):
        print("\n".join(problems))
        sys.exit(1)
    print(f"{instructions:.0f} instructions per handshake, budget {BUDGET}; no system call; a worse module refused")


if __name__ == "__main__":
    main()
