# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""ocsp-cachectl looks: list, show, export, verify, check, with one running server."""

import os
import pty
import re
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

import pytest

import pki
import responders
from cachectl import cache_file, command, ctl, run
from conftest import CACHE
from httpd import Config, Httpd, Vhost

WWW, MAIL, SILENT = "www.example.test", "mail.example.test", "silent.example.test"


@dataclass
class Scene:
    server: Httpd
    www: pki.Leaf
    mail: pki.Leaf
    silent: pki.Leaf


@pytest.fixture(scope="module")
def scene(workplace, root_ca, ca) -> Iterator[Scene]:
    """Three certificates: a plain one with two hosts, one with Must-Staple, one without a responder."""
    folder = Path(tempfile.mkdtemp(prefix="t-", dir=workplace))
    folder.chmod(0o755)
    answering = responders.ScriptedResponder(ca)
    www = ca.leaf(WWW, url=answering.url)
    mail = ca.leaf(MAIL, url=answering.url, must_staple=True)
    silent = ca.leaf(SILENT)
    vhosts = (Vhost(WWW, (www,)), Vhost("alias.example.test", (www,)), Vhost(MAIL, (mail,)), Vhost(SILENT, (silent,)))
    server = Httpd(folder / "server", Config(vhosts=vhosts, cache=CACHE), root_ca)
    server.allow("AH01909: alias")  # not in the certificate
    server.start()
    server.wait_staple(WWW)
    server.wait_staple(MAIL)
    yield Scene(server, www, mail, silent)
    server.close()
    answering.stop()


@pytest.fixture
def copy(scene, folder) -> Path:
    """The cache's file and its companions, to be spoilt."""
    for path in scene.server.cache_folder.iterdir():
        if path.suffix != ".lock":
            shutil.copy2(path, folder / path.name)
    return folder / "staples"


def respin(der: Path, leaf: pki.Leaf) -> str:
    """What `openssl ocsp` makes of a response in a file."""
    done = subprocess.run(["openssl", "ocsp", "-respin", der, "-issuer", leaf.issuer.cert_file, "-cert", leaf.cert_file,
                           "-CAfile", leaf.issuer.top.cert_file, "-verify_other", leaf.issuer.cert_file],
                          capture_output=True, text=True, check=False)
    return done.stdout + done.stderr

# ---- list, show ------------------------------------------------------------------------------------------------------

@pytest.mark.asan
def test_list_shows_every_certificate(scene):
    done = ctl(scene.server, "list")
    assert done.code == 0 and not done.err
    for word in (WWW, MAIL, SILENT, "good", "no-responder", "Attention"):
        assert word in done.out
    assert all(len(line) <= 80 for line in done.out.splitlines())
    wide = ctl(scene.server, "list", "--wide").out
    assert scene.www.serial_hex in wide and scene.www.serial_hex not in done.out and "Responder" in wide
    assert len(ctl(scene.server, "list", WWW).out.splitlines()) < len(done.out.splitlines())
    for arguments in ((SILENT,), (scene.silent.serial_hex,), ("silent*",)):
        done = ctl(scene.server, "list", *arguments)
        assert "no-responder" in done.out and "No certificate" not in done.out, "others of this server name one"


@pytest.mark.asan
def test_list_as_json(scene):
    document = ctl(scene.server, "list", "--json").json
    assert document["version"] == 1 and document["command"] == "list"
    assert document["cache"] == {"path": str(cache_file(scene.server)), "records": 2} \
        and document["server_pid"] == scene.server.parent
    by_serial = {one["serial"]: one for one in document["certificates"]}
    assert set(by_serial) == {leaf.serial_hex for leaf in (scene.www, scene.mail, scene.silent)}
    www = by_serial[scene.www.serial_hex]
    assert {host.split(":")[0] for host in www["hosts"]} == {WWW, "alias.example.test"}
    assert www["response"]["verdict"] == "good" and www["response"]["origin"] == "responder"
    assert by_serial[scene.mail.serial_hex]["must_staple"] is True
    assert by_serial[scene.silent.serial_hex]["response"] is None


@pytest.mark.parametrize("name", ["host", "alias", "host:port", "HOST", "serial", "lower", "colons", "0x", "sha1"])
def test_a_certificate_goes_by_many_names(scene, name):
    serial = scene.www.serial_hex
    words = {"host": WWW, "alias": "alias.example.test", "host:port": f"{WWW}:{scene.server.https_port}",
             "HOST": WWW.upper(), "serial": serial, "lower": serial.lower(),
             "colons": ":".join(serial[n:n + 2] for n in range(0, len(serial), 2)), "0x": "0x" + serial,
             "sha1": scene.www.sha1}
    found = ctl(scene.server, "list", "--json", words[name]).json["certificates"]
    assert [one["serial"] for one in found] == [serial]


@pytest.mark.parametrize("options, hosts", [
    (("--state", "good"), {WWW, MAIL}), (("--state", "no-responder"), {SILENT}), (("--problems",), set()),
    (("--match", "MAIL"), {MAIL}), (("*.example.test",), {WWW, MAIL, SILENT}), (("w?w.*", "--state", "revoked"), set()),
    (("--match", "alias"), {WWW})])
def test_list_filters(scene, options, hosts):
    found = ctl(scene.server, "list", "--json", *options).json["certificates"]
    assert {one["host"].split(":")[0] for one in found} == hosts
    assert ("No matching certificates." in ctl(scene.server, "list", *options).out) == (not hosts)


def test_list_sorts(scene):
    def order(key: str) -> list[str]:
        return [one["host"].split(":")[0]
                for one in ctl(scene.server, "list", "--json", "--sort", key).json["certificates"]]
    assert order("host") == [MAIL, SILENT, WWW] and order("-host") == [WWW, SILENT, MAIL]
    assert order("left")[0] == SILENT, "nothing held comes first"


def test_list_problems_tells_what_to_do(copy):
    copy.unlink()
    done = run("list", "--problems", "--file", copy, COLUMNS="80")
    assert MAIL in done.out and "critical" in done.out and "Clients reject" in done.out and SILENT not in done.out
    assert all(len(line) <= 80 for line in done.out.splitlines()), done.out


def on_terminal(*arguments: object, **environment: str) -> str:
    """What the command writes to a terminal of 80 columns."""
    text = b""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(command()[0], command(*arguments), {"PATH": os.environ["PATH"], "TERM": "xterm", **environment})
    try:
        while chunk := os.read(fd, 4096):
            text += chunk
    except OSError:  # the end, on Linux
        pass
    os.close(fd)
    os.waitpid(pid, 0)
    return text.decode()


def test_colours_only_on_a_terminal(scene):
    cache = cache_file(scene.server)
    for verb in (("list",), ("check",), ("show", WWW)):
        assert "\x1b[3" in on_terminal(*verb, "--file", cache), verb
        assert "\x1b[" not in on_terminal(*verb, "--file", cache, NO_COLOR="1"), verb
        assert "\x1b[" not in ctl(scene.server, *verb).out


def test_no_der_on_a_terminal(scene):
    cache = cache_file(scene.server)
    assert "--out" in on_terminal("export", WWW, "--file", cache)
    assert "BEGIN OCSP RESPONSE" in on_terminal("export", "--pem", WWW, "--file", cache)


@pytest.mark.parametrize("verb", ["list", "show", "export", "refresh"])
def test_an_unknown_host_names_the_nearest(scene, verb):
    done = ctl(scene.server, verb, "wwww.example.test")
    assert done.code == 2 and not done.out
    assert done.err.index(WWW) < done.err.index(MAIL)


def test_a_negative_serial_is_not_an_option(scene, copy):
    manifest = copy.with_suffix(".manifest")
    manifest.write_text(manifest.read_text().replace(f"\nserial {scene.www.serial_hex}\n", "\nserial -66\n"))
    for words in (("show", "-66"), ("list", "--wide", "-66"), ("list", "-0066", "--wide"), ("check", "-66")):
        done = run(words[0], "--file", copy, *words[1:])
        assert done.code == 0, done
    assert WWW in run("show", "--file", copy, "-66", "--json").out
    assert run("show", "--file", copy, "66").code == 2


def test_probe_takes_a_host(scene):
    done = ctl(scene.server, "probe", WWW)
    assert done.code == 0 and "good" in done.out and scene.www.serial_hex in done.out, done
    missing = ctl(scene.server, "probe", "wwww.example.test")
    assert missing.code == 2 and WWW in missing.err


@pytest.mark.asan
def test_show_prints_facts_and_the_response(scene):
    done = ctl(scene.server, "show", WWW)
    assert done.code == 0, done
    assert "verified just now" in done.out and "OCSP Response Data:" in done.out
    assert scene.www.serial_hex in done.out and "Cert Status: good" in done.out
    assert "alias.example.test" in done.out


@pytest.mark.asan
def test_show_as_json_has_the_response_that_is_stapled(scene, folder):
    [one] = ctl(scene.server, "show", "--json", MAIL).json["certificates"]
    assert one["certificate"]["serial"] == scene.mail.serial_hex and one["response"]["verdict"] == "good"
    pem = folder / "response.pem"
    pem.write_text(one["response"]["pem"])
    assert "BEGIN OCSP RESPONSE" in one["response"]["pem"]
    [silent] = ctl(scene.server, "show", "--json", SILENT).json["certificates"]
    assert silent["response"] is None


# ---- export ----------------------------------------------------------------------------------------------------------

@pytest.mark.asan
def test_export_writes_what_openssl_verifies(scene, folder):
    out = folder / "www.ocsp"
    done = ctl(scene.server, "export", WWW, "--out", out)
    assert done.code == 0 and str(out) in done.out
    assert stat.S_IMODE(out.stat().st_mode) == 0o644
    assert "Response verify OK" in respin(out, scene.www) and ": good" in respin(out, scene.www)
    assert ctl(scene.server, "export", WWW).raw == out.read_bytes(), "to the standard output"
    assert list(folder.iterdir()) == [out], "nothing else"


def test_export_pem(scene, folder):
    der, pem = ctl(scene.server, "export", WWW).raw, ctl(scene.server, "export", "--pem", WWW).out
    assert pem.startswith("-----BEGIN OCSP RESPONSE-----\n")
    decoded = subprocess.run(["openssl", "base64", "-d"], input="".join(pem.splitlines(True)[1:-1]).encode(),
                             capture_output=True, check=True).stdout
    assert decoded == der


def test_export_leaves_an_unchanged_file_alone(scene, folder):
    out = folder / "www.ocsp"
    ctl(scene.server, "export", WWW, "--out", out)
    before = out.stat()
    assert "unchanged" in ctl(scene.server, "export", WWW, "--out", out).out
    assert (out.stat().st_ino, out.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    out.write_bytes(b"something else")
    assert ctl(scene.server, "export", WWW, "--out", out).code == 0
    assert out.read_bytes() == ctl(scene.server, "export", WWW).raw


def test_export_all_into_a_folder(scene, folder):
    done = ctl(scene.server, "export", "--all", "--out", folder, "--json")
    assert done.code == 0, done
    assert {path.name for path in folder.iterdir()} == {f"{leaf.sha1}.der" for leaf in (scene.www, scene.mail)}
    assert {one["file"] for one in done.json["exports"]} == {str(path) for path in folder.iterdir()}


def test_export_says_what_it_does_not_write(scene, folder):
    out = folder / "silent.ocsp"
    done = ctl(scene.server, "export", SILENT, "--out", out)
    assert done.code == 1 and "no response is stored" in done.err and not out.exists()
    assert ctl(scene.server, "export", WWW, "--out", folder / "missing" / "x").code == 1


def test_export_refuses_what_does_not_verify(scene, copy, folder, stranger):
    """As if a child had written the response of another CA: the certificates say so."""
    manifest = copy.with_suffix(".manifest")
    own = "".join(scene.www.issuer.cert_file.read_text())
    manifest.write_text(manifest.read_text().replace(own, stranger.cert_file.read_text()))
    out = folder / "out"
    done = run("export", "--file", copy, WWW, "--out", out)
    assert done.code == 1 and "not exported" in done.err and not out.exists()
    assert run("export", "--file", copy, WWW, "--out", out, "--force").code == 0 and out.exists()
    refused = run("verify", "--file", copy)
    assert refused.code == 1 and "2 rejected" in refused.out and WWW in refused.out
    assert "REJECTED" in run("show", "--file", copy, WWW).out


def test_without_certificates_nothing_is_trusted(copy, folder):
    copy.with_suffix(".manifest").unlink()
    assert "good" in run("list", "--file", copy).out
    assert run("export", "--file", copy, "--all", "--out", folder).code == 2
    assert run("check", "--file", copy).code == 3
    verified = run("verify", "--file", copy)
    assert verified.code == 0 and "not verified" in verified.out


# ---- verify ----------------------------------------------------------------------------------------------------------

@pytest.mark.asan
def test_verify_finds_all_well(scene):
    done = ctl(scene.server, "verify", "--json")
    assert done.code == 0, done
    assert done.json["verified"] == 2 and done.json["damaged"] == 0 and done.json["is_verified"] is True


@pytest.mark.asan
def test_verify_finds_damage(scene, copy):
    image = bytearray(copy.read_bytes())
    at = image.index(ctl(scene.server, "export", WWW).raw[:250])  # as far as the serial, within one block
    image[at + 5] ^= 1
    copy.write_bytes(image)
    done = run("verify", "--file", copy)
    assert done.code == 1 and "1 damaged" in done.out
    assert run("verify", "--file", copy, "--json").json["damaged"] == 1
    assert "none" in run("list", "--file", copy, WWW).out


def test_verify_finds_a_claim_that_is_too_bold(scene, copy):
    """A record says how long its response may be stapled. By these settings that would be for less long."""
    manifest = copy.with_suffix(".manifest")
    manifest.write_text(manifest.read_text().replace("\nmax-age 0\n", "\nmax-age 7200000000\n"))
    done = run("verify", "--file", copy)
    assert done.code == 1 and done.out.count("usable for too long") == 2, done


@pytest.mark.parametrize("content", [b"", b"dear diary\n" * 1000, b"OCSPCACH" + bytes(9000)],
                         ids=["empty", "foreign", "zero"])
def test_other_contents(copy, content):
    copy.write_bytes(content)
    for verb in ("list", "verify", "check"):
        assert run(verb, "--file", copy).code in (0, 1, 2, 3)
    assert run("list", "--file", copy).code == (2 if content[:4] in (b"dear", b"OCSP") else 0)
    assert copy.read_bytes() == content


# ---- check -----------------------------------------------------------------------------------------------------------

@pytest.mark.asan
def test_check_speaks_as_a_plugin(scene):
    done = ctl(scene.server, "check")
    assert done.code == 0, done
    text, _, figures = done.out.splitlines()[0].partition(" | ")
    assert text.startswith("OCSP OK - 2 of 3 certificates")
    assert "certificates=3;;;0" in figures and re.search(r" min_left=\d+s;;;0$", figures)
    assert "min_left=" in figures and len(text) <= 200 and "  " not in done.out
    figures = ctl(scene.server, "check", "-w", "12h", "-c", "2h").out.partition(" | ")[2]
    assert re.search(r" min_left=\d+s;43200:;7200:;0$", figures.splitlines()[0])
    assert ctl(scene.server, "check", "-w", "60").code == 0, "alone"


@pytest.mark.parametrize("options, code, word", [
    (("--warn", "2d"), 1, "WARNING"), (("--warn", "3d", "--crit", "2d"), 2, "CRITICAL"),
    (("--warn", "1h", "--crit", "60"), 0, "OK"), (("--warn", "3d", "--crit", "2d", SILENT), 0, "OK")])
def test_check_thresholds(scene, options, code, word):
    done = ctl(scene.server, "check", *options)
    assert (done.code, done.out.split()[1]) == (code, word), done
    document = ctl(scene.server, "check", "--json", *options)
    assert (document.code, document.json["state"]) == (code, word)
    assert bool(document.json["problems"]) == (code > 0)


def test_check_is_unknown_where_there_is_no_certificate(copy):
    manifest = copy.with_suffix(".manifest")
    text = manifest.read_text()
    manifest.write_text(re.sub(r"\ncertificates \d+\n", "\ncertificates 0\n", text[:text.index("\ncertificate ") + 1]))
    done = run("check", "--file", copy)
    assert done.code == 3 and "no certificates" in done.out, done


def test_without_a_list_nothing_is_said_of_certificates(copy):
    """A server whose disk is full cannot write the list: that it has no certificates would be wrong."""
    copy.with_suffix(".manifest").unlink()
    os.truncate(copy, 4096)  # the head, and no record
    for command_line in (("list",), ("list", "--wide"), ("check",)):
        done = run(*command_line, "--file", copy)
        assert "no certificates" not in done.out + done.err and "logs why it cannot" in done.out + done.err, done
    assert run("check", "--file", copy).code == 3


def test_check_keeps_to_200_characters(copy):
    """A host whose name and subject are long, and many problems."""
    copy.unlink()
    manifest = copy.with_suffix(".manifest")
    manifest.write_text(re.sub(r"\nhost ([a-z])", r"\nhost " + "long-" * 40 + r"\1", manifest.read_text()))
    first = run("check", "--file", copy).out.splitlines()[0]
    assert len(first.partition(" | ")[0]) == 200 and "and 1 more" in first \
        and first.startswith("OCSP CRITICAL - 0 of 3")


def test_check_knows_must_staple(copy):
    """Nothing is held: clients reject the one, and do without for the other."""
    copy.unlink()
    done = run("check", "--file", copy, "--json")
    states = {one["host"].split(":")[0]: one["state"] for one in done.json["problems"]}
    assert done.code == 2 and states == {MAIL: "CRITICAL", WWW: "WARNING"}
    assert run("check", "--file", copy, WWW).code == 1


@pytest.mark.parametrize("options", [
    ("--warn", "soon"), ("--warn", "1h", "--crit", "2h"), ("--bogus",), ("nowhere.example",), ("--warn", "-5"),
    ("--warn",)])
def test_check_cannot_tell(scene, options):
    done = ctl(scene.server, "check", *options)
    assert done.code == 3 and done.out.startswith("OCSP UNKNOWN - ") and not done.err


# ---- the command line ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("arguments, code", [
    (("list", "--json", "nowhere.example"), 2), (("--json",), 2), (("list", "-j", "--bogus"), 2),
    (("check", "--json", "nowhere.example"), 3)])
def test_errors_as_json(scene, arguments, code):
    done = run(*arguments, OCSP_CACHE_FILE=str(cache_file(scene.server)))
    assert done.code == code and done.json["error"] and not done.err
    assert done.json.get("state") == ("UNKNOWN" if code == 3 else None)


def test_which_cache(scene, folder):
    server = scene.server
    assert run("list", OCSP_CACHE_FILE=str(cache_file(server))).code == 0
    assert run("list", "--file", folder, OCSP_CACHE_FILE=str(cache_file(server))).code == 2, "--file counts first"
    (folder / "empty-file").write_bytes(b"")
    for verb in (("list", "--file", folder / "empty-file"), ("list", "--file", folder)):
        assert run(*verb).code == 2, "an empty file is not a cache"
    assert "Remove" not in run("list", "--file", "/etc/passwd").err
    assert run("list", "--file", server.cache_folder).code == 0, "the one in the folder"
    shutil.copy(cache_file(server), folder / "one")
    shutil.copy(cache_file(server), folder / "two")
    done = run("list", "-f", folder)
    assert done.code == 2 and str(folder / "one") in done.err and str(folder / "two") in done.err
    for name in ("one", "three"):
        shutil.copy(cache_file(server).with_suffix(".manifest"), folder / f"{name}.manifest")
    assert run("list", "-f", folder, "--json").json["cache"]["path"] == str(folder / "one"), "the one of a server"
    shutil.copy(cache_file(server), folder / "three")
    done = run("check", "-f", folder)
    assert done.code == 3 and str(folder / "one") in done.out and str(folder / "three") in done.out, done
    assert str(folder / "two") not in done.out
    empty = folder / "empty"
    empty.mkdir()
    assert run("list", "-f", empty).code == 2 and run("list", "-f", folder / "missing").code == 2


# ---- what the server leaves for it -----------------------------------------------------------------------------------

def test_the_manifest_is_the_parents_alone(scene):
    manifest = cache_file(scene.server).with_suffix(".manifest")
    assert stat.S_IMODE(manifest.stat().st_mode) == 0o600
    for pid in [scene.server.parent, *scene.server.children()]:
        held = [os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.is_symlink() and fd.exists()]
        assert not [name for name in held if name.endswith(".manifest")]
