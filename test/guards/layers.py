#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Which room may include which (ARCHITECTURE.md, "Rooms").

* A folder under src/ is a room, and the Makefile lists each as glue or core (GLUE_ROOMS, CORE_ROOMS).
* A room includes the rooms that the table below gives it, by "room/x.h", which is include/room/x.h; headers of its own
  by "x.h", next to the source. The table has no circle, and neither have the files.
* The core includes no header of httpd, and calls nothing of httpd, no clock and no random numbers: its object files are
  checked. It links against APR, APR-util and libcrypto with no symbol left over.
* A header in include/ is included from another room, or by mod_ocsp_cache.c, or by the tools: else it belongs next to
  its source.
"""
import pathlib
import re
import shlex
import subprocess
import sys

# room: the other rooms that it may include. All may include version.h; mod_ocsp_cache.c and tools/ may include what
# they like.
MAY_INCLUDE = {
    "config": {"refresh", "server", "client", "state", "view", "fleet", "fetch", "ocsp", "cache", "base"},
    "status": {"server", "client", "state", "view", "fetch", "cache", "ocsp", "base"},
    "refresh": {"server", "client", "state", "view", "fleet", "fetch", "ocsp", "cache", "base"},
    "server": {"client", "state", "fetch", "ocsp", "cache", "base"},
    "client": {"ocsp", "cache", "base"},
    "state": {"view", "ocsp", "cache", "base"},
    "view": {"ocsp", "base"},
    "fleet": {"ocsp", "base"},
    "ocsp": {"base"},
    "fetch": {"base"},
    "cache": {"base"},
    "base": set(),
}

# One unit in three files: the arena's layout is known to its readers and to its writer.
SAME_UNIT = {"cache/arena": "cache/shm", "cache/shm_write": "cache/shm"}

# Symbols that no object of the core may use, and the units that may nevertheless.
FORBIDDEN_IN_CORE = [
    (r"ap_.*|ocsp_cache_module", (), "httpd's"),
    (r"apr_time_now|time|gettimeofday|ftime", (), "the wall clock: time is an argument"),
    (r"clock_gettime", ("base/deadline", "base/workers"), "a clock: time is an argument"),
    (r"rand|random|drand48|RAND_.*|apr_generate_random_bytes|apr_random_.*|getrandom|arc4random.*", (),
     "random numbers: randomness is an argument"),
    (r"v?syslog|perror|v?f?printf|puts|fputs|__v?f?printf_chk", (), "output: only glue logs"),
]

TOP = pathlib.Path(__file__).resolve().parents[2]
problems = []


def make_variable(name):
    return subprocess.run(["make", "-s", "--no-print-directory", f"print-{name}"], cwd=TOP, check=True,
                          stdout=subprocess.PIPE, text=True).stdout.split()


def room_of(path):
    """The room of a file; None for include/version.h and what stands at the top."""
    parts = path.relative_to(TOP).parts
    return parts[1] if parts[0] in ("src", "include") and len(parts) == 3 else None


def includes(path):
    """(line number, '<' or '"', name) of each #include"""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if match:
            yield number, match[1], match[2]


def blame(path, line, text):
    problems.append(f"{path.relative_to(TOP)}:{line}: {text}")


def sources():
    return sorted(p for folder in ("src", "include") for p in (TOP / folder).rglob("*.[ch]"))


def check_rooms(core, glue):
    if set(core + glue) != set(MAY_INCLUDE) or set(core) & set(glue):
        problems.append(
            "Makefile: CORE_ROOMS and GLUE_ROOMS are not the rooms of the table in test/guards/layers.py, each once")
    for path in sources():
        if room_of(path) not in MAY_INCLUDE and path != TOP / "include" / "version.h":
            blame(path, 1, "in no room of the table in test/guards/layers.py")


def target_of(path, name):
    """The file that #include "name" means in path; None: there is none."""
    own, shown = path.parent / name, TOP / "include" / name
    return own if "/" not in name and own.exists() and room_of(path) else shown if shown.exists() else None


def check_includes(core, httpd_include):
    """-> {file: files that it includes}"""
    graph = {}
    for path in sources():
        room, graph[path] = room_of(path), set()
        for line, kind, name in includes(path):
            if kind == "<":
                if room in core and (httpd_include / name).exists():
                    blame(path, line, f"core includes a header of httpd: <{name}>")
                continue
            target = target_of(path, name)
            if target is None:
                blame(path, line, f'"{name}" is neither include/{name} nor next to the file')
                continue
            graph[path].add(target)
            other = room_of(target)
            if other not in (None, room) and other not in MAY_INCLUDE.get(room, ()):
                blame(path, line, f"{room} must not include {other}: {name} (the table in test/guards/layers.py)")
    return graph


def circle(graph):
    """-> the nodes of one circle, or []"""
    done, path = set(), []

    def visit(node):
        if node in path:
            return path[path.index(node):] + [node]
        if node in done:
            return []
        path.append(node)
        found = next(filter(None, (visit(target) for target in sorted(graph.get(node, ())))), [])
        path.pop()
        done.add(node)
        return found

    return next(filter(None, map(visit, sorted(graph))), [])


def check_circles(graph):
    """The units of a room (x.c with x.h) and the rooms: neither may know each other in a circle."""
    def unit(path):
        name = str(path.relative_to(TOP).with_suffix("")).partition("/")[2]
        return SAME_UNIT.get(name, name)

    units, rooms = {}, {}
    for path, targets in graph.items():
        units.setdefault(unit(path), set()).update({unit(t) for t in targets} - {unit(path)})
        rooms.setdefault(room_of(path), set()).update({room_of(t) for t in targets} - {room_of(path), None})
    rooms.pop(None, None)
    for what, nodes in (("units", units), ("rooms", rooms), ("rooms of the table", MAY_INCLUDE)):
        found = circle(nodes)
        if found:
            problems.append(f"a circle of {what}: " + " -> ".join(found))


def check_shown(graph):
    """Every header of include/ is needed outside of its room."""
    outside = [TOP / "mod_ocsp_cache.c", *(TOP / "tools").glob("*.[ch]")]
    wanted = {TOP / "include" / name for path in outside for _, kind, name in includes(path) if kind == '"'}
    for path, targets in graph.items():
        wanted |= {t for t in targets if room_of(t) != room_of(path)}
        if path.parts[-3] == "include":  # a header of include/ includes only headers of include/
            wanted |= targets
    for path in sources():
        if path.suffix == ".h" and path.parts[-3] == "include" and path not in wanted:
            blame(path, 1, "only its own room includes it: it belongs next to its source")


def check_core_objects(core):
    if subprocess.run(["make", "-s", "core"], cwd=TOP, stdout=subprocess.DEVNULL).returncode != 0:
        problems.append("make core: fails")
        return False
    out = TOP / make_variable("OUT")[0]
    for unit in core:
        path = out / "core" / f"{unit}.o"
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
    core, glue = make_variable("CORE_ROOMS"), make_variable("GLUE_ROOMS")
    check_rooms(core, glue)
    graph = check_includes(core, pathlib.Path(make_variable("HTTPD_INCLUDE")[0]))
    check_circles(graph)
    check_shown(graph)
    if check_core_objects(make_variable("CORE_UNITS")):
        check_core_links()
    if problems:
        print("\n".join(problems))
        sys.exit(1)
    arrows = {(room_of(a), room_of(b)) for a, targets in graph.items() for b in targets
              if room_of(b) not in (None, room_of(a))}
    print(f"{len(core)} core and {len(glue)} glue rooms, {len(graph)} files, {len(arrows)} arrows between rooms, all "
          "downward")


if __name__ == "__main__":
    main()
