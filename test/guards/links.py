#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Every link of every *.md to a file or a section of this project leads there, and no section's name is used twice.

Every section of the manual can be reached from another place in it, and every text in docs/ with at most two clicks
from README.md.

    links.py             the texts that git knows
    links.py FOLDER      those of an installed tree
"""
import collections
import os
import pathlib
import re
import subprocess
import sys

FIRST, DOCS, MANUAL = pathlib.Path("README.md"), pathlib.Path("docs"), pathlib.Path("docs/manual")
CLICKS = 2


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


def links_of(path, text):
    """[(line, link, file, anchor)]"""
    found = []
    for number, line in enumerate(prose(text).split("\n"), 1):
        for link in re.findall(r"\]\(([^)\s]+)\)", line):
            if not re.match(r"[a-z]+:", link):
                name, _, anchor = link.partition("#")
                found.append((number, link, pathlib.Path(os.path.normpath(path.parent / name)) if name
                              else path, anchor))
    return found


def check(path, texts, links, offences):
    for number, link, target, anchor in links[path]:
        if not target.exists():
            offences.append(f"{path}:{number}: there is no {link}")
        elif anchor and target.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", texts[target], re.M)
            if anchor not in named(texts[target]) + [heading_anchor(heading) for heading in headings]:
                offences.append(f"{path}:{number}: there is no section {link}")
    for anchor, times in collections.Counter(named(prose(texts[path]))).items():
        if times > 1:
            offences.append(f"{path}: id=\"{anchor}\" {times} times")
        if MANUAL in path.parents and not any((path, anchor) == (target, to) for page in links if MANUAL in page.parents
                                              for _, _, target, to in links[page]):
            offences.append(f"{path}: no link in the manual leads to #{anchor}")


def check_reach(texts, links, offences):
    reached = {FIRST}
    for _ in range(CLICKS):
        reached |= {target for path in reached if path in links for _, _, target, _ in links[path]}
    offences += [f"{path}: more than {CLICKS} clicks from {FIRST}" for path in texts if DOCS in path.parents
                 and path not in reached]


def main():
    if len(sys.argv) > 1:
        os.chdir(sys.argv[1])
        paths = list(pathlib.Path().rglob("*.md"))
    else:
        listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], check=True,
                                capture_output=True, text=True)
        paths = [pathlib.Path(name) for name in listed.stdout.split() if pathlib.Path(name).exists()]
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(paths)}
    links = {path: links_of(path, text) for path, text in texts.items()}
    offences = []
    for path in texts:
        check(path, texts, links, offences)
    check_reach(texts, links, offences)
    print("\n".join(offences) if offences else f"{sum(map(len, links.values()))} links in {len(texts)} texts")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
