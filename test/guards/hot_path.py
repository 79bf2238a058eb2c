#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""What a handshake may run (ARCHITECTURE.md: no lock, no system call, no file, no allocation, no ASN.1).

Starts at the get_resp hook, follows each reference to a function of ours, compiling its source with every function kept
apart, and checks every external symbol that is reached against the list below. Also refused: an indirect call in a
function that is not named here, an instruction that enters the kernel, a log line above debug. Taking a function's
address counts as calling it. First the guard must refuse each of its own bad samples.

    test/guards/hot_path.py [--entry FUNCTION] [--list]      --list prints what is reached
"""
import argparse
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ENTRY = "oc_ssl_hooks_get_resp"
CLIENT_ENTRY = "look_up_client"  # of a client certificate, for mod_ocsp_client

# Symbols from outside that the handshake may use, and why each is harmless.
ALLOWED = {
    "memcpy": "touches memory alone",
    "memmove": "touches memory alone",
    "memcmp": "touches memory alone",
    "memset": "touches memory alone",
    "apr_time_now": "read in user space through the vDSO",
    "apr_hash_get": "reads a table that is never written after the fork",
    "ap_log_cerror_": "behind the level check of its macro, debug or below (checked in the source)",
    "ap_log_error_": "behind the level check of its macro, debug or below (checked in the source)",
    "ocsp_cache_module": "our own record: where httpd keeps the module's index",
}
# The same, for one function alone.
ALLOWED_IN = {
    ("look_up", "apr_palloc"): "the connection's own pool, for a response too large for the buffer on the stack",
}

# Functions that may call through a pointer, and what they call.
INDIRECT = {
    ENTRY: "the callback that mod_ssl passes to the hook",
}

QUIET_LEVELS = re.compile(r"APLOG_(DEBUG|TRACE[1-8])\b")
FLAGS = ["-O1", "-ffunction-sections", "-fno-inline", "-fno-jump-tables", "-fno-stack-protector", "-U_FORTIFY_SOURCE",
         "-fno-ipa-icf", "-fcf-protection=none", "-w"]

INSTRUCTION = re.compile(r"^\s+[0-9a-f]+:\s+(?:(?:bnd|notrack|lock|rep\w*)\s+)*([a-z0-9.]+)\s*([^<#]*)")
RELOCATION = re.compile(r"^\s+[0-9a-f]+:\s+R_[A-Z0-9_]+\s+(\S+?)([-+]0x[0-9a-f]+)?$")
FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")
KERNEL = {"syscall", "sysenter", "int", "svc"}

TOP = pathlib.Path(__file__).resolve().parents[2]


def run(*command):
    ended = subprocess.run(command, cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if ended.returncode != 0:
        sys.exit(f"{ended.stderr}{shlex.join(command)}: failed")
    return ended.stdout


def make_variable(name):
    return run("make", "-s", "--no-print-directory", f"print-{name}").strip()


class Function:
    def __init__(self, name, source):
        self.name, self.source = name, source
        self.references, self.indirect, self.kernel = set(), False, set()


class Program:
    """Every function of the sources, by name; a static one is seen from its own object first. A source is compiled when
    something that it defines is looked for."""

    def __init__(self, sources, flags, folder):
        self.globals, self.locals, self.data = {}, {}, set()
        self.flags, self.folder = flags, folder
        self.left = {source: (TOP / source).read_text() for source in sources}

    def fetch(self, name):
        """Compiles the source that defines the name; declarations are in headers."""
        definition = re.compile(rf"^[A-Za-z_].*\b{re.escape(name)}(\(|\[| =|;)", re.MULTILINE)
        for source in [source for source, text in self.left.items() if definition.search(text)]:
            del self.left[source]
            object_file = f"{self.folder}/{'_'.join(source.with_suffix('.o').parts[-2:])}"
            run("gcc", *self.flags, *FLAGS, "-c", "-o", object_file, str(source))
            self.add(source, object_file)

    def add(self, source, object_file):
        defined_globally = set()
        for line in run("nm", "--defined-only", object_file).splitlines():
            _, kind, name = line.split()
            if kind in "TW":
                defined_globally.add(name)
            elif kind not in "t":
                self.data.add((object_file, name))
                if kind.isupper():
                    self.data.add((None, name))
        current = None
        for line in run("objdump", "-dr", "--no-show-raw-insn", object_file).splitlines():
            if match := FUNCTION.match(line):
                current = Function(match[1], source)
                where = self.globals if match[1] in defined_globally else self.locals.setdefault(object_file, {})
                where[match[1]] = current
            elif match := RELOCATION.match(line):
                name = match[1].split("@")[0]
                name = re.sub(r"^\.text\.(unlikely\.|hot\.)?", "", name)
                current.references.add((object_file, name))
            elif match := INSTRUCTION.match(line):
                mnemonic, operands = match[1], match[2]
                if mnemonic in KERNEL:
                    current.kernel.add(mnemonic)
                if re.match(r"(call|jmp)q?$", mnemonic) and operands.startswith("*") or mnemonic in ("blr", "br"):
                    current.indirect = True

    def find(self, object_file, name):
        if name not in self.locals.get(object_file, {}) and name not in self.globals and name.isidentifier():
            self.fetch(name)
        return self.locals.get(object_file, {}).get(name) or self.globals.get(name)

    def is_data(self, object_file, name):
        return name.startswith(".") or (object_file, name) in self.data or (None, name) in self.data


def loud_log_lines(function):
    """Log calls above debug in the source of a function, as "file:line: text"."""
    base = function.name.split(".")[0]
    inside = False
    lines = function.source.read_text().splitlines()
    for number, line in enumerate(lines, 1):
        if re.match(rf"[a-z].*\b{re.escape(base)}\(", line) and not line.rstrip().endswith(";"):
            inside = True
        if inside and re.search(r"\bap_log_[a-z]*error\(", line):
            call = " ".join(lines[number - 1:number + 2])
            if not QUIET_LEVELS.search(call.split(";")[0]):
                yield f"{function.source}:{number}: {base}: logs above debug on the handshake path"
        if line.startswith("}"):
            inside = False


def judge(program, entry):
    """-> (problems, names of our functions reached, names from outside reached)"""
    start = program.find(None, entry) or next((f[entry] for f in program.locals.values() if entry in f), None)
    if start is None:
        return [f"{entry}: no such function: does the hook have another name? (ENTRY in {sys.argv[0]})"], [], []
    problems, outside, reached = [], set(), {start: None}
    todo = [start]
    while todo:
        function = todo.pop()
        chain, step = [], function
        while step:
            chain.append(step.name)
            step = reached[step]
        way = " <- ".join(chain)
        if function.indirect and function.name.split(".")[0] not in INDIRECT:
            problems.append(f"{function.source}: an indirect call in {way}")
        if function.kernel:
            problems.append(f"{function.source}: {', '.join(function.kernel)} in {way}")
        problems += loud_log_lines(function)
        for object_file, name in sorted(function.references):
            target = program.find(object_file, name)
            if target is not None:
                if target not in reached:
                    reached[target] = function
                    todo.append(target)
            elif not program.is_data(object_file, name):
                outside.add(name)
                if name not in ALLOWED and (function.name.split(".")[0], name) not in ALLOWED_IN:
                    problems.append(f"{function.source}: {name} is reached by {way}")
    return problems, sorted(f.name for f in reached), sorted(outside)


SAMPLES = {  # what the sample does: (is it harmless, its code)
    "a lookup and a copy": (True,
                            "static int copy(void) { return memcmp(a, b, 8); } int ENTRY(void) { return copy(); }"),
    "the callback": (True, "int ENTRY(void (*cb)(void)) { cb(); return 0; }"),
    "a debug line": (True,
                     "int ENTRY(void)\n{\n    ap_log_cerror(APLOG_MARK, APLOG_DEBUG, 0, c, \"x\");\n    return 0;\n}"),
    "a mutex in a static helper": (
        False, "static int deep(void) { return pthread_mutex_lock(m); } static int f(void) { return 1 + deep(); } "
               "int ENTRY(void) { return 2 + f(); }"),
    "an allocation": (False, "int ENTRY(void) { a = malloc(9); return 0; }"),
    "a tail call to OpenSSL": (False, "int ENTRY(void) { return d2i_OCSP_RESPONSE(); }"),
    "a function's address": (False, "int ENTRY(void) { p = read; return 0; }"),
    "an indirect call elsewhere": (
        False, "static int f(void) { return 1 + p(); } int ENTRY(void) { return 1 + f(); }"),
    "a system call of its own": (False, "int ENTRY(void) { __asm__ volatile(\"syscall\" ::: \"memory\"); return 0; }"),
    "an error line": (False,
                      "int ENTRY(void)\n{\n    ap_log_cerror(APLOG_MARK, APLOG_ERR, 0, c, \"x\");\n    return 0;\n}"),
    "no such entry": (False, "int another(void) { return 0; }"),
}
SAMPLE_HEAD = """
#include <stddef.h>
void *a, *b, *c, *m; int (*p)(void); int pthread_mutex_lock(void *); void *malloc(size_t);
int memcmp(const void *, const void *, size_t);
int d2i_OCSP_RESPONSE(void); int read(void); void ap_log_cerror_(int, void *);
#define APLOG_MARK 0
#define ap_log_cerror(mark, level, ...) ap_log_cerror_(mark, c)
"""


def self_test(folder):
    for what, (harmless, code) in SAMPLES.items():
        source = pathlib.Path(folder) / "sample.c"
        source.write_text(SAMPLE_HEAD + code.replace("ENTRY", ENTRY) + "\n")
        problems, _, _ = judge(Program([source], [], folder), ENTRY)
        if harmless == bool(problems):
            sys.exit(f"hot_path: the guard itself is broken: {what} was {'refused' if harmless else 'let through'} "
                     f"{problems}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--entry", action="append", help=f"instead of {ENTRY} and {CLIENT_ENTRY}")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()

    units = (make_variable("CORE_UNITS") + " " + make_variable("GLUE_UNITS")).split()
    sources = [path for path in [pathlib.Path("mod_ocsp_cache.c")] + [pathlib.Path(f"src/{u}.c") for u in units]
               if (TOP / path).exists()]
    with tempfile.TemporaryDirectory() as folder:
        self_test(folder)
        program = Program(sources, shlex.split(make_variable("GLUE_FLAGS")), folder)
        entries = options.entry or [ENTRY, CLIENT_ENTRY]
        judged = [judge(program, entry) for entry in entries]
    problems, reached, outside = ({one: None for each in judged for one in each[i]} for i in range(3))
    if options.list:
        print("ours:   ", *reached, "\noutside:", *outside)
    if problems:
        print("\n".join(problems))
        sys.exit(1)
    print(f"{len(reached)} functions from {' and '.join(entries)} on; from outside only {', '.join(outside)}; "
          f"{sum(not harmless for harmless, _ in SAMPLES.values())} bad samples refused")


if __name__ == "__main__":
    main()
