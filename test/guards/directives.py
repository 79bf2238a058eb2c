#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Code, reference configuration and manual name the same directives, with the same syntax, default and context.

The code: SOURCES, AP_INIT_...("OCSPCacheX", setter, ..., the tables, the structs `defaults`.

The reference, conf/ocsp_cache-reference.conf, one block each, ended by the directive at its default, commented out:

    # OCSPCacheX
    #   Syntax:  OCSPCacheX number
    #   Default: OCSPCacheX 8
    #   Context: server config
    # free text
    #OCSPCacheX 8

The manual, docs/manual/directives.md, one section each; the table may hold more rows, and rows may use `code`:

    ## <a id="ocspcachex"></a>OCSPCacheX Directive

    | | |
    |---|---|
    | Description: | One sentence |
    | Syntax: | `OCSPCacheX number` |
    | Default: | `OCSPCacheX 8` |
    | Context: | server config |

    ```apache
    OCSPCacheX 16
    ```

and one row in the table at its top, with syntax, default and description as there:

    | [OCSPCacheX](#ocspcachex) | `number` | `8` | One sentence |

A directive without a default says "none" there, and its block in the reference ends with an example. Context is "server
config" (the setter checks GLOBAL_ONLY) or "server config, virtual host". And no file of the project speaks of an
OCSPCache... directive that does not exist.
"""
import pathlib
import re
import subprocess
import sys

# directive: the fields of `defaults` that hold its default, argument by argument; () for one without a default
DEFAULTS = {
    "OCSPCacheRefresh": ("refresh",),
    "OCSPCacheWorkers": ("workers", "workers_per_responder"),
    "OCSPCacheRefreshInterval": ("refresh_min", "refresh_max"),
    "OCSPCacheMustStapleWait": ("must_staple_wait",),
    "OCSPCacheExpiryWarning": ("expiry_warning",),
    "OCSPCacheCertIDHash": ("certid_hash",),
    "OCSPCacheNotify": (),
    "OCSPCacheResponder": (),
    "OCSPCacheResponseFolder": (),
    "OCSPCacheStatusRefresh": ("status_refresh",),
    "OCSPCacheShared": (),
    "OCSPCacheSharedPrefix": ("shared_prefix",),
    "OCSPCacheSharedTimeout": ("shared_timeout",),
    "OCSPCacheClient": ("mode",),
    "OCSPCacheClientWait": ("wait",),
    "OCSPCacheClientGrace": ("grace",),
    "OCSPCacheClientMaxAge": ("client_max_age",),
    "OCSPCacheClientResponder": (),
    "OCSPCacheClientSize": ("size",),
    "OCSPCacheClientFile": (),
}
CODE = "src/config/directives.c"
SOURCES = (CODE, "src/server/settings.c", "mtls/config.c")
REFERENCE, MANUAL = "conf/ocsp_cache-reference.conf", "docs/manual/directives.md"
REPORT = "src/status/mod_status.c"
ROWS = ("syntax", "default", "context")

TOP = pathlib.Path(__file__).resolve().parents[2]
problems = []


def body_of(code, function):
    match = re.search(rf"^static [^;{{]*\b{function}\([^;]*?\)\n\{{\n(.*?)^\}}", code, re.M | re.S)
    return match[1] if match else ""


def from_code():
    """-> {directive: context}, {field: its default in words or seconds}"""
    code = "".join((TOP / path).read_text() for path in SOURCES)
    directives = {}
    for name, setter, where in re.findall(r'AP_INIT_\w+\(\s*"(OCSPCache\w+)",\s*(\w+),[^,]*,\s*([A-Z_|\s]+)', code):
        if where.strip() != "RSRC_CONF":
            problems.append(f"{CODE}: {name}: context {where.strip()}: teach test/guards/directives.py its name")
        body = body_of(code, setter)
        body += "".join(body_of(code, helper) for helper in set(re.findall(r"\b([a-z_]+)\(", body)))
        directives[name] = "server config" if "GLOBAL_ONLY" in body else "server config, virtual host"
    initialisers = "".join(re.findall(r"\} defaults = \{(.*?)\};", code, re.S))
    fields = {}
    for field, value in re.findall(r"\.(\w+) = ([^,]+),", initialisers):
        seconds = re.fullmatch(r"APR_TIME_C\((\d+)\) \* APR_USEC_PER_SEC", value)
        milliseconds = re.fullmatch(r"apr_time_from_msec\((\d+)\)", value)
        if milliseconds:
            fields[field] = float(milliseconds[1]) / 1000
        elif seconds or value.isdigit():
            fields[field] = float(seconds[1] if seconds else value)
        else:
            fields[field] = value_of(value.strip('"').removeprefix("OC_CERTID_").removeprefix("OC_CLIENT_").lower())
    return directives, fields


def value_of(word):
    """A documented argument as the number that the code holds."""
    if word.lower() in ("on", "off"):
        return float(word.lower() == "on")
    match = re.fullmatch(r"(\d+)(ms|s|mi|min|h)?", word)
    if not match:
        return word.lower()
    return float(match[1]) * {"ms": 0.001, "mi": 60, "min": 60, "h": 3600}.get(match[2], 1)


def from_reference():
    found = {}
    text = (TOP / REFERENCE).read_text()
    for block in re.split(r"\n(?=# OCSPCache\w+\n)", text)[1:]:
        name = re.match(r"# (\w+)", block)[1]
        rows = {key.lower(): value.strip() for key, value in re.findall(r"^#   (\w+): +(.*)$", block, re.M)}
        last = re.findall(r"^#(OCSPCache.*)$", block, re.M)
        if rows.get("default") != "none" and last != [rows.get("default")]:
            problems.append(f"{REFERENCE}: {name}: its block ends with {last}, not with the default")
        if name in found:
            problems.append(f"{REFERENCE}: {name}: two blocks")
        found[name] = rows
    return found


def from_manual():
    if not (TOP / MANUAL).exists():
        problems.append(f"{MANUAL}: missing")
        return {}
    found = {}
    for section in re.split(r"\n(?=## )", (TOP / MANUAL).read_text()):
        heading = re.match(r"## (?:<a [^>]*></a>)?(OCSPCache\w+) Directive", section)
        if heading:
            cells = re.findall(r"^\| *(?:\[|\*\*)?(\w+):?[^|]*\|((?:[^|\\]|\\.)*)\|", section, re.M)
            found[heading[1]] = {key.lower(): re.sub(r"[`\\]", "", value).strip() for key, value in cells}
            if not found[heading[1]].get("description"):
                problems.append(f"{MANUAL}: {heading[1]}: no row Description")
            if not re.search(rf"^```apache\n(?:.*\n)*?{heading[1]} (?:.*\n)*?```", section, re.M):
                problems.append(f"{MANUAL}: {heading[1]}: no example")
    compare_summary(found)
    return found


def compare_summary(sections):
    rows = re.findall(r"^\| \[(OCSPCache\w+)\]\(#\w+\) \| (.*) \|$", (TOP / MANUAL).read_text(), re.M)
    if [name for name, _ in rows] != list(sections):
        problems.append(f"{MANUAL}: its table names other directives than its sections, or in another order")
    for name, row in rows:
        cells = [re.sub(r"[`\\]", "", cell).strip() for cell in re.split(r"(?<!\\)\|", row)]
        expected = [sections.get(name, {}).get(key, "").removeprefix(name + " ")
                    for key in ("syntax", "default", "description")]
        if cells != expected:
            problems.append(f"{MANUAL}: {name}: {cells} in the table, {expected} in its section")


def compare(directives, fields, documents):
    for path, found in documents.items():
        for name in sorted(set(found) - set(directives)):
            problems.append(f"{path}: {name}: the code has no such directive")
        for name, context in directives.items():
            rows = found.get(name)
            if rows is None:
                problems.append(f"{path}: {name} is missing")
                continue
            if rows.get("context") != context:
                problems.append(f"{path}: {name}: context '{rows.get('context')}', but '{context}' in the code")
            compare_default(path, name, rows.get("default", "").split(), fields)
    reference, manual = documents.values()
    for name in sorted(set(reference) & set(manual)):
        for row in ROWS:
            if reference[name].get(row) != manual[name].get(row):
                problems.append(f"{MANUAL}: {name}: {row} '{manual[name].get(row)}', but '{reference[name].get(row)}' "
                                f"in {REFERENCE}")


def compare_default(path, name, words, fields):
    if name not in DEFAULTS:
        problems.append(f"{CODE}: {name}: name the field of its default in test/guards/directives.py")
        return
    expected = [fields.get(field) for field in DEFAULTS[name]]
    documented = [value_of(word) for word in words[1:]]
    if (words[:1] != [name] or documented != expected) and not (words == ["none"] and expected == []):
        problems.append(f"{path}: {name}: default '{' '.join(words)}', but {expected} in the code")


def check_mentions(directives):
    # mod_status' keys begin with the same word: "OCSPCacheBlocks: %u".
    keys = set(re.findall(r"\bOCSPCache[A-Z]\w*(?=:)", (TOP / REPORT).read_text().replace("\\n", "\n")))
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=TOP, check=True,
                            stdout=subprocess.PIPE, text=True)
    for path in listed.stdout.split("\n"):
        if not path.endswith((".md", ".conf", ".c", ".h", ".py", ".sh")) or path == "test/guards/directives.py":
            continue
        for number, line in enumerate((TOP / path).read_text().splitlines(), 1):
            for name in re.findall(r"\bOCSPCache[A-Z]\w*", line):
                if name not in directives and name not in keys:
                    problems.append(f"{path}:{number}: there is no directive {name}")


def main():
    directives, fields = from_code()
    if not directives:
        problems.append(f"{CODE}: no directive found: is the table written otherwise now?")
    compare(directives, fields, {REFERENCE: from_reference(), MANUAL: from_manual()})
    check_mentions(directives)
    if problems:
        print("\n".join(problems))
        sys.exit(1)
    print(f"{len(directives)} directives agree in code, reference configuration and manual")


if __name__ == "__main__":
    main()
