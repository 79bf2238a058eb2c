# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""What `httpd -t` reports about the cache's file: it warns where the server would keep the cache in memory only, with
advice that fits the cause, and never fails."""

import contextlib
import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Iterator

import pytest

from conftest import HOST
from httpd import Httpd, unprivileged_user

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def checked(site):
    """The module's lines of `-t` with a cache file at the path, relative to the folder "cache" if it is not
    absolute."""
    server = site().server

    def check(path: object, user=None) -> list[str]:
        server.config = replace(server.config, cache=f"ocsp_cache:{server.cache_folder / str(path)}(128000)")
        done = server.check(user=user)
        assert done.code == 0 and done.lines[-1] == "Syntax OK", done.output
        return [line.split("] ", 1)[1] for line in done.lines[:-1]]
    check.folder = server.cache_folder
    check.server = server
    return check


def test_files_that_cannot_be_used(checked):
    folder: Path = checked.folder
    assert checked("x") == []
    (folder / "file").write_text("")
    (folder / "folder").mkdir()
    (folder / "foreign").write_text("dear diary\n" * 1000)
    (folder / "link").symlink_to("foreign")
    for path, words in (("no/such/folder/x",
                         r"No such file or directory.* Create the folder \(`mkdir -p \S+/no/such/folder/`\)"),
                        ("file/x", "Not a directory.* Name a file in a folder"),
                        ("folder", "is not a regular file.* Remove it"),
                        ("foreign", "is not an OCSP cache file.* Remove it"),
                        ("link", "is a symbolic link.* Remove it")):
        [line] = checked(path)
        assert line.startswith("[ocsp_cache:warn]") and "kept in memory only" in line, line
        assert re.search(f"SSLStaplingCache: .*{words}", line), line
        assert not line.endswith(". ") and ". ." not in line
    assert sorted(entry.name for entry in folder.iterdir()) == ["file", "folder", "foreign", "link"], \
        "nothing is created"


@contextlib.contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@needs_root
def test_folders(checked):
    folder: Path = checked.folder
    with mounted(folder, "mode=755"):
        [line] = checked("x")
        assert line.startswith("[ocsp_cache:notice]") and "tmpfs" in line and "reboot" in line
    with mounted(folder, "mode=755,ro"):
        [line] = checked("x")
        assert "Read-only file system" in line and "ReadWritePaths=" in line and "kept in memory only" in line
    for mode, owner, words in ((0o1777, 0, "Every user"), (0o757, 0, "Every user"),
                               (0o755, unprivileged_user(), "which own it"),
                               (0o775, 0, "by their group")):
        subprocess.run(["chown", f"{owner}:{unprivileged_user()}", str(folder)], check=True)
        folder.chmod(mode)
        [line] = checked("x")
        assert line.startswith("[ocsp_cache:warn]") and words in line and f"mode {mode:04o}" in line, line
    subprocess.run(["chown", "root:root", str(folder)], check=True)
    for mode in (0o700, 0o775, 0o755):
        folder.chmod(mode)
        assert checked("x") == []
    [line] = checked("x", user=unprivileged_user())
    assert line.startswith("[ocsp_cache:warn]") and "not an error if root starts the server" in line


def test_file_of_another_server(checked, site):
    other: Httpd = site().server.start()
    other.wait_staple(HOST)
    [line] = checked(other.cache_folder / "staples")
    assert f"process {other.parent}" in line and "will not start" in line
    assert other.check().lines == ["Syntax OK"], "its own"


@needs_root
def test_chroot(site, folder: Path):
    """The children find folders and programs in the jail only."""
    responses, program, jail = folder / "responses", folder / "notify", folder / "jail"
    responses.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    jail.mkdir()
    server = site(directives=(f"ChrootDir {jail}", f"OCSPCacheResponseFolder {responses}",
                              f"OCSPCacheNotify {program}")).server
    lines = [line for line in server.check().lines if "[ocsp_cache:warn]" in line]
    assert len(lines) == 4 and sum("has no effect: the children run in ChrootDir" in line for line in lines) == 3, lines
    assert any("etc/resolv.conf" in line for line in lines)
    for path in (responses, server.cache_folder):
        inside = jail / str(path).lstrip("/")
        inside.parent.mkdir(parents=True, exist_ok=True)
        inside.symlink_to(path)  # for this test only: as a bind mount, the same folder
    (jail / str(program).lstrip("/")).write_text("")
    (jail / "etc").mkdir()
    (jail / "etc" / "resolv.conf").write_text("")
    assert server.check().lines == ["Syntax OK"]


def test_responder_behind_the_server_itself(site):
    one = site(leaf={"must_staple": True})
    server = one.server
    assert server.check().lines == ["Syntax OK"]
    for url in (f"http://127.0.0.1:{server.http_port}/ocsp", f"http://{HOST}:{server.http_port}/"):
        server.config = one.changed(directives=(f"SSLStaplingForceURL {url}",))
        [line, _ok] = server.check().lines
        assert "[ocsp_cache:warn]" in line and f"its responder, {url}, is behind this server" in line, line
    server.config = one.changed(directives=(*server.config.directives, "OCSPCacheMustStapleWait 0"))
    assert server.check().lines == ["Syntax OK"]
