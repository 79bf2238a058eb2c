#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Every link of every *.md to a file or a section of this project leads there, no section's name is used twice, and every
section of the manual can be reached from another place in it."""
import collections
import pathlib
import re
import subprocess
import sys

MANUAL = "docs/mod_ocsp_cache.md"


def prose(text):
    """Without code, in which brackets are no links."""
    text = re.sub(r"^( *)```.*?^ *```", lambda code: "\n" * code[0].count("\n"), text, flags=re.M | re.S)
    return re.sub(r"`[^`\n]*`", "", text)


def heading_anchor(heading):
    """As GitHub names it."""
    heading = re.sub(r"<[^>]*>|[`*]", "", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", heading).replace(" ", "-")


def named(text):
    return re.findall(r'<a id="([^"]+)"', text)


def check(path, texts, offences):
    text = prose(texts[path])
    links = 0
    for number, line in enumerate(text.split("\n"), 1):
        for link in re.findall(r"\]\(([^)\s]+)\)", line):
            if re.match(r"[a-z]+:", link):
                continue
            links += 1
            name, _, anchor = link.partition("#")
            target = (path.parent / name).resolve().relative_to(pathlib.Path.cwd()) if name else path
            if not target.exists():
                offences.append(f"{path}:{number}: there is no {link}")
            elif anchor and target.suffix == ".md":
                headings = re.findall(r"^#+ (.*)$", texts[target], re.M)
                if anchor not in named(texts[target]) + [heading_anchor(heading) for heading in headings]:
                    offences.append(f"{path}:{number}: there is no section {link}")
    for anchor, times in collections.Counter(named(text)).items():
        if times > 1:
            offences.append(f"{path}: id=\"{anchor}\" {times} times")
        if str(path) == MANUAL and f"](#{anchor})" not in text:
            offences.append(f"{path}: no link in it leads to #{anchor}")
    return links


def main():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], check=True, capture_output=True, text=True)
    paths = [pathlib.Path(name) for name in listed.stdout.split() if pathlib.Path(name).exists()]
    texts = {path: path.read_text(encoding="utf-8") for path in paths}
    offences = []
    links = sum(check(path, texts, offences) for path in paths)
    print("\n".join(offences) if offences else f"{links} links in {len(paths)} texts")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
