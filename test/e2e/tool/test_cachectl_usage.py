# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""ocsp-cachectl's command line: help, and what is wrong with it. No server is needed."""

import pytest

from cachectl import run


@pytest.mark.parametrize("arguments", [
    (), ("--bogus",), ("conquer",), ("list", "--file"), ("export",), ("export", "--all"),
    ("export", "--der", "--pem", "x"), ("refresh",), ("refresh", "--all", "x"), ("import",), ("show",), ("verify", "x"),
    ("refresh", "--timeout", "x", "--all")])
def test_bad_usage(arguments):
    done = run(*arguments)
    assert done.code == 2 and not done.out and "ocsp-cachectl" in done.err and "--help" in done.err


@pytest.mark.parametrize("arguments, hint",
                         [(("lits",), "Did you mean list?"), (("export", "--pme", "x"), "Did you mean --pem?"),
                          (("help", "chekc"), "Did you mean check?"), (("exp",), "Did you mean export?")])
def test_did_you_mean(arguments, hint):
    done = run(*arguments)
    assert done.code == 2 and hint in done.err


def test_help_is_a_command():
    assert run("help").out == run("--help").out and run("help", "check").out == run("check", "--help").out
    assert run("help", "help").code == 0 and run("help", "a", "b").code == 2


def test_help_names_every_command():
    text = run("--help").out
    for verb in ("list", "show", "export", "import", "verify", "refresh", "check"):
        assert f"\n  {verb} " in text
        help_text = run(verb, "--help")
        assert help_text.code == 0 and help_text.out.startswith(f"Usage: ocsp-cachectl {verb} ") \
            and "--json" in help_text.out
    assert run("--version").out.startswith("ocsp-cachectl ")
