#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Who may know whom (ARCHITECTURE.md, "Rooms").

* Every file of src/ and include/ belongs to one unit, and the Makefile names each unit once: core or glue.
* Includes point downward: glue may include core, never the other way round; inside the core the table below rules; no two
  units include each other, not even in a circle.
* The core includes no header of httpd, and calls nothing of httpd, no clock and no random numbers: its objects are asked. It
  links against APR, APR-util and libcrypto with no symbol left over.
"""
import pathlib
import re
import shlex
import subprocess
import sys

# unit: the other units of the core that it may include. What is not named here may include none.
CORE_MAY_INCLUDE = {
    # the cache: knows nothing of OCSP, and its file nothing of the cache
    "oc_shm": {"oc_block", "oc_arena"},
    "oc_shm_write": {"oc_shm", "oc_block", "oc_arena"},
    "oc_arena": {"oc_shm", "oc_block"},
    "oc_file": {"oc_block", "oc_disk"},
    "oc_note": {"oc_verdict"},
    "oc_shared_entry": {"oc_cert", "oc_verify"},
    "oc_fleet": {"oc_record", "oc_shared_entry", "oc_verdict"},
    "oc_record": {"oc_verdict"},
    # what an operator sees
    "oc_tally": {"oc_record", "oc_verdict"},
    "oc_spawn": {"oc_limit", "oc_verdict"},
    "oc_notify": {"oc_spawn", "oc_crew"},
    "oc_ledger": {"oc_cert", "oc_note", "oc_disk"},
    # beside the cache's file, for ocsp-cachectl
    "oc_roster": {"oc_cert", "oc_disk", "oc_lines"},
    "oc_errand": {"oc_cert", "oc_disk", "oc_lines"},
    # judging a response
    "oc_signer": {"oc_verdict", "oc_x509"},
    "oc_verify": {"oc_verdict", "oc_x509", "oc_signer"},
    "oc_cert": {"oc_verify", "oc_x509"},
    # showing it
    "oc_view": {"oc_cert", "oc_record", "oc_verdict"},
    "oc_view_table": {"oc_view"},
    "oc_query": {"oc_view"},
    "oc_timeline": {"oc_view", "oc_x509"},
    "oc_kept": {"oc_file", "oc_ledger", "oc_record", "oc_view"},
    # asking a responder
    "oc_limit": {"oc_verdict"},
    "oc_trace": {"oc_verdict"},
    "oc_connect": {"oc_verdict", "oc_limit", "oc_trace"},
    "oc_idle": {"oc_connect"},
    "oc_chunked": {"oc_verdict"},
    "oc_head": {"oc_verdict"},
    "oc_http": {"oc_verdict", "oc_head", "oc_chunked"},
    "oc_request": {"oc_url", "oc_version"},
    "oc_fetch": {"oc_verdict", "oc_limit", "oc_url", "oc_connect", "oc_idle", "oc_http", "oc_request", "oc_trace"},
}
# One unit in two files shares a private header: two names, one unit.
SAME_UNIT = [{"oc_shm", "oc_shm_write", "oc_arena"}]

# Symbols that no object of the core may want, and the units that may all the same.
FORBIDDEN_IN_CORE = [
    (r"ap_.*|ocsp_cache_module", (), "httpd's"),
    (r"apr_time_now|time|gettimeofday|ftime", (), "the wall clock: time is an argument"),
    (r"clock_gettime", ("oc_limit", "oc_crew"), "a clock: time is an argument"),
    (r"rand|random|drand48|RAND_.*|apr_generate_random_bytes|apr_random_.*|getrandom|arc4random.*", (),
     "random numbers: randomness is an argument"),
    (r"v?syslog|perror|v?f?printf|puts|fputs|__v?f?printf_chk", (), "output: only glue logs"),
]

TOP = pathlib.Path(__file__).resolve().parents[2]
problems = []


def make_variable(name):
    return subprocess.run(["make", "-s", "--no-print-directory", f"print-{name}"], cwd=TOP, check=True,
                          stdout=subprocess.PIPE, text=True).stdout.split()


def files_of(unit):
    return [p for p in (TOP / "include" / f"{unit}.h", TOP / "src" / f"{unit}.c") if p.exists()]


def includes(path):
    """(line number, '<' or '"', name) of each #include"""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if match:
            yield number, match[1], match[2]


def blame(path, line, text):
    problems.append(f"{path.relative_to(TOP)}:{line}: {text}")


def check_lists(core, glue):
    for unit in sorted(set(core) & set(glue)):
        problems.append(f"Makefile: {unit} is both core and glue")
    for unit in core + glue:
        if not files_of(unit):
            problems.append(f"Makefile: {unit} is listed, but there is no such file")
    for path in sorted([*TOP.glob("src/*"), *TOP.glob("include/*")]):
        if path.suffix not in (".c", ".h") or path.stem not in core + glue:
            blame(path, 1, "not a unit that the Makefile lists (CORE_UNITS, GLUE_UNITS)")


def check_includes(core, glue, httpd_include):
    graph = {}
    for unit in core + glue:
        graph[unit] = set()
        for path in files_of(unit):
            for line, kind, name in includes(path):
                target = name[:-2] if name.endswith(".h") else name
                if kind == '"':
                    if not (TOP / "include" / name).exists():
                        blame(path, line, f"{name}: only headers of include/ are included with quotes")
                    elif target != unit:
                        graph[unit].add(target)
                        if unit in core and target in glue:
                            blame(path, line, f"core includes glue: {name}")
                        elif unit in core and target not in CORE_MAY_INCLUDE.get(unit, ()):
                            blame(path, line, f"{unit} must not know {target} (the table in test/guards/layers.py)")
                elif unit in core and (httpd_include / name).exists():
                    blame(path, line, f"core includes a header of httpd: <{name}>")
    return graph


def check_circles(graph):
    alias = {name: min(group) for group in SAME_UNIT for name in group}
    merged = {}
    for unit, targets in graph.items():
        merged.setdefault(alias.get(unit, unit), set()).update(alias.get(t, t) for t in targets)
    done, path = set(), []

    def visit(unit):
        if unit in path:
            problems.append("include/: a circle: " + " -> ".join(path[path.index(unit):] + [unit]))
        elif unit not in done:
            path.append(unit)
            for target in sorted(merged.get(unit, set()) - {unit}):
                visit(target)
            path.pop()
            done.add(unit)

    for unit in sorted(merged):
        visit(unit)


def check_core_objects(core):
    if subprocess.run(["make", "-s", "core"], cwd=TOP, stdout=subprocess.DEVNULL).returncode != 0:
        problems.append("make core: fails")
        return False
    out = TOP / make_variable("OUT")[0]
    for unit in core:
        path = out / "core" / f"{unit}.o"
        if not path.exists():
            continue
        wanted = subprocess.run(["nm", "-u", path], check=True, stdout=subprocess.PIPE, text=True).stdout
        for symbol in (line.split()[-1].split("@")[0] for line in wanted.splitlines()):
            for pattern, exempt, what in FORBIDDEN_IN_CORE:
                if re.fullmatch(pattern, symbol) and unit not in exempt:
                    problems.append(f"src/{unit}.c: uses {symbol}: {what}")
    return True


def check_core_links():
    [core_archive] = make_variable("CORE")
    command = ["gcc", "-shared", "-pthread", "-o", "/dev/null", "-Wl,-z,defs", "-Wl,--whole-archive", core_archive,
               "-Wl,--no-whole-archive", *make_variable("APR_LIBS"), *make_variable("OPENSSL_LIBS")]
    linked = subprocess.run(command, cwd=TOP, stderr=subprocess.PIPE, text=True)
    if linked.returncode != 0:
        problems.append(f"{shlex.join(command)}: the core does not link alone:\n{linked.stderr}")


def main():
    core, glue = make_variable("CORE_UNITS"), make_variable("GLUE_UNITS")
    check_lists(core, glue)
    graph = check_includes(core, glue, pathlib.Path(make_variable("HTTPD_INCLUDE")[0]))
    check_circles(graph)
    if check_core_objects(core):
        check_core_links()
    if problems:
        print("\n".join(problems))
        sys.exit(1)
    print(f"{len(core)} core and {len(glue)} glue units, {sum(map(len, graph.values()))} includes, all downward")


if __name__ == "__main__":
    main()
