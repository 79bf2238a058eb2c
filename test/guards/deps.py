#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""What build/deps.sh leaves behind when it is killed while it installs.

While it works, it forbids the start of services by a policy-rc.d. With stand-ins for apt-get and dpkg, and a
folder in place of the root: the file is gone after success, failure and SIGTERM, which also ends apt-get first; after
SIGKILL it permits, and the next run replaces it; an administrator's own file stays as it is.
"""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 120  # seconds, for a machine that is busy
# no redis-server among them
TOOLS = ("sh", "sed", "sort", "tr", "mktemp", "rm", "cat", "chmod", "cut", "grep", "sleep")

# Only "install" takes time: it writes its number, ends when it is told to or its folder is gone, and lingers as if it
# finished a package.
APT_GET = """#!/bin/sh
case " $* " in *" install "*) ;; *) exit 0 ;; esac
ended=no
trap 'echo asked >"$STAGE/asked"; ended=yes' TERM
echo $$ >"$STAGE/apt.new"
mv "$STAGE/apt.new" "$STAGE/apt"
while [ $ended = no ] && [ -e "$STAGE/apt" ] && [ ! -e "$STAGE/end" ]; do sleep 0.05; done
"$DPKG_ROOT/usr/sbin/policy-rc.d"
echo $? >"$STAGE/policy_at_the_end"
exit 1
"""


def wait_for(is_so, what):
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, f"not within {PATIENCE} seconds: {what}"
        time.sleep(0.02)


class Stage:
    """A root with a policy-rc.d or none, and a PATH that holds nothing but stand-ins and a few tools."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.policy = self.folder / "usr/sbin/policy-rc.d"
        self.policy.parent.mkdir(parents=True)
        commands = self.folder / "commands"
        commands.mkdir()
        for name in (*TOOLS, "mv"):
            (commands / name).symlink_to(shutil.which(name))
        for name, text in (("apt-get", APT_GET), ("dpkg", "#!/bin/sh\n"), ("id", "#!/bin/sh\necho 0\n")):
            (commands / name).write_text(text)
            (commands / name).chmod(0o755)
        self.environment = {"PATH": str(commands), "DPKG_ROOT": str(self.folder), "STAGE": str(self.folder)}

    def begin(self):
        """deps.sh, with apt-get running"""
        for name in ("apt", "asked", "end", "policy_at_the_end"):
            (self.folder / name).unlink(missing_ok=True)
        process = subprocess.Popen(["/bin/sh", TOP / "build/deps.sh", "fleet"], env=self.environment,
                                   stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for((self.folder / "apt").exists, "apt-get runs")
        return process

    def verdict(self):
        """The answer of policy-rc.d to a start: 101 forbids it."""
        return subprocess.run([self.policy], check=False, env=self.environment).returncode

    def end_apt(self):
        (self.folder / "end").touch()
        wait_for((self.folder / "policy_at_the_end").exists, "apt-get ended")
        return (self.folder / "policy_at_the_end").read_text().strip()


def check_killed(stage):
    process = stage.begin()
    assert stage.verdict() == 101, "services are not forbidden during the installation"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert stage.verdict() == 0, "after SIGKILL services are forbidden for ever"
    stage.end_apt()
    process = stage.begin()
    assert stage.verdict() == 101, "a stale policy-rc.d is not replaced"
    stage.end_apt()
    assert process.wait(PATIENCE) == 1 and not stage.policy.exists(), "policy-rc.d is left behind by a failure"


def check_terminated(stage):
    process = stage.begin()
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 128 + signal.SIGTERM
    assert (stage.folder / "asked").exists(), "apt-get was not asked to end"
    assert (stage.folder / "policy_at_the_end").read_text().strip() == "101", \
        "services were permitted before apt-get ended"
    assert not stage.policy.exists(), "policy-rc.d is left behind by SIGTERM"


def check_foreign(stage):
    text = "#!/bin/sh\nexit 104\n"
    stage.policy.write_text(text)
    stage.policy.chmod(0o755)
    process = stage.begin()
    assert stage.end_apt() == "104"
    process.wait(PATIENCE)
    assert stage.policy.read_text() == text, "the administrator's policy-rc.d was touched"


def main():
    if not os.path.exists("/proc/self/stat"):
        print("skipped: no /proc")
        return
    for check in (check_killed, check_terminated, check_foreign):
        with tempfile.TemporaryDirectory() as folder:
            check(Stage(folder))
    print("build/deps.sh leaves no policy-rc.d that forbids services")


if __name__ == "__main__":
    try:
        main()
    except AssertionError as problem:
        sys.exit(f"build/deps.sh: {problem}")
