# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""A private httpd: its own ServerRoot and ports, started as a daemon like a distribution does.

`Config` is a value: change it with dataclasses.replace() and reload. At the end `Httpd.close()` stops the server and
fails on every line of warn or above in the error log that the test did not announce with expect() or allow().
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import pwd
import re
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterable, Optional, Union

import clients
import pki
import processes
from apxs import apxs, load_lines
from error_log import Announced, LogLine, parse
from ports import free_port
from wait import NotReached, poll

HARNESS = Path(__file__).resolve().parent
REPOSITORY = HARNESS.parents[2]


def module_path() -> Path:
    """The module under test: OCSP_CACHE_MODULE, or what `make` leaves in OUT (default out)."""
    default = REPOSITORY / os.environ.get("OUT", "out") / "mod_ocsp_cache.so"
    return Path(os.environ.get("OCSP_CACHE_MODULE", str(default))).resolve()


@functools.lru_cache(maxsize=None)
def sanitizer_environment() -> dict[str, str]:
    """What a module built with -fsanitize=address needs of a httpd that was not; empty for every other module."""
    if not module_path().exists():
        return {}
    needed = subprocess.run(["readelf", "-d", str(module_path())], check=True, stdout=subprocess.PIPE, text=True).stdout
    libraries = [name for name in ("libasan.so", "libubsan.so") if name in needed]
    if "libasan.so" not in libraries:
        return {}
    paths = [subprocess.run(["gcc", "-print-file-name=" + name], check=True, stdout=subprocess.PIPE,
                            text=True).stdout.strip() for name in libraries]
    return {"LD_PRELOAD": " ".join(paths), "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
            "ASAN_OPTIONS": "detect_leaks=0:detect_odr_violation=0:detect_stack_use_after_return=1:abort_on_error=0"}


@dataclass(frozen=True)
class Vhost:
    """A TLS virtual host. `issuer`: where the administrator put the issuer's certificate: in the certificate file
    ("file"), in SSLCertificateChainFile ("chain"), only in SSLCACertificateFile ("ca"), or nowhere ("none")."""

    host: str
    leaves: tuple[pki.Leaf, ...]
    stapling: Optional[bool] = True
    issuer: str = "file"
    directives: tuple[str, ...] = ()

    def render(self, address: str) -> str:
        lines = [f"<VirtualHost {address}>", f"ServerName {self.host}", "SSLEngine on"]
        for leaf in self.leaves:
            lines += [f'SSLCertificateFile "{leaf.fullchain_file if self.issuer == "file" else leaf.cert_file}"',
                      f'SSLCertificateKeyFile "{leaf.key_file}"']
        if self.issuer == "chain":
            lines.append(f'SSLCertificateChainFile "{self.leaves[0].issuer.cert_file}"')
        elif self.issuer == "ca":
            lines.append(f'SSLCACertificateFile "{self.leaves[0].issuer.cert_file}"')
        if self.stapling is not None:
            lines.append(f"SSLUseStapling {'on' if self.stapling else 'off'}")
        return "\n".join([*lines, *self.directives, "</VirtualHost>\n"])


@dataclass(frozen=True)
class Config:
    """One configuration. `module`: load mod_ocsp_cache; `client`: mod_ocsp_client. `cache`: the argument of
    SSLStaplingCache, None: no such line."""

    vhosts: tuple[Vhost, ...]
    cache: Optional[str] = None
    module: bool = True
    client: bool = False
    mpm: str = "event"
    directives: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    ssl: bool = True
    status: bool = True
    session_cache: str = "shmcb:run/sessions(512000)"
    log_level: str = "debug"          # of mod_ocsp_cache; everything else logs at info, mod_ssl at notice

    def render(self, server: "Httpd") -> str:
        modules = [f"mpm_{self.mpm}", "authz_core", "socache_shmcb", *(["ssl"] if self.ssl else []),
                   *(["status"] if self.status else []), *self.modules]
        lines = [f'ServerRoot "{server.root}"', "ServerName localhost", 'DefaultRuntimeDir "run"',
                 f'PidFile "{server.root}/run/httpd.pid"', 'ErrorLog "logs/error.log"', "Timeout 20",
                 "GracefulShutdownTimeout 5",  # an emulator lacks robust mutexes: test/unit/support_system.h
                 *([f'Mutex "fcntl:{server.root}/run" default'] if os.environ.get("OC_TEST_EMULATED") else [])]
        lines += load_lines(modules)
        if self.module:
            lines.append(f'LoadModule ocsp_cache_module "{module_path()}"')
        if self.client:
            lines.append(f'LoadModule ocsp_client_module "{module_path().with_name("mod_ocsp_client.so")}"')
        lines += [*server.identity(), *_MPM[self.mpm]]
        lines.append("LogLevel info" + (" ssl:notice" if self.ssl else "")
                     + (f" ocsp_cache:{self.log_level}" if self.module else "")
                     + (" ocsp_client:debug" if self.client else ""))
        lines.append(f"Listen 127.0.0.1:{server.http_port}")
        if self.ssl:
            lines += [f"Listen 127.0.0.1:{server.https_port} https", f'SSLSessionCache "{self.session_cache}"']
        if self.cache is not None:
            lines.append(f'SSLStaplingCache "{self.cache}"')
        lines += [*self.directives, 'DocumentRoot "htdocs"', '<Directory "htdocs">', "Require all granted",
                  "</Directory>"]
        if self.status:
            lines += ['<Location "/server-status">', "SetHandler server-status", "Require all granted", "</Location>"]
            if self.module:
                lines += ['<Location "/ocsp-cache-status">', "SetHandler ocsp-cache-status", "Require all granted",
                          "</Location>"]
        blocks = [vhost.render(f"127.0.0.1:{server.https_port}") for vhost in self.vhosts] if self.ssl else []
        return "\n".join(lines) + "\n" + "".join(blocks)


_THREADED = ("StartServers 2", "ServerLimit 16", "ThreadLimit 8", "ThreadsPerChild 8", "MinSpareThreads 8",
             "MaxSpareThreads 32", "MaxRequestWorkers 32")
_MPM = {"event": _THREADED, "worker": _THREADED,
        "prefork": ("StartServers 2", "ServerLimit 16", "MinSpareServers 2", "MaxSpareServers 4",
                    "MaxRequestWorkers 16")}


@dataclass(frozen=True)
class Check:
    """The result of `httpd -t`."""

    code: int
    output: str

    @property
    def lines(self) -> list[str]:
        return [line for line in self.output.splitlines() if line.strip()]


@dataclass
class Httpd:
    """A server under `root`, which is created and belongs to it."""

    root: Path
    config: Config
    root_ca: pki.Authority
    environment: dict[str, str] = field(default_factory=dict)
    https_port: int = field(default_factory=free_port)
    http_port: int = field(default_factory=free_port)
    announced: Announced = field(default_factory=Announced)
    _console: str = ""
    _running: bool = False
    _known: set[int] = field(default_factory=set)  # pids to be reaped

    def __post_init__(self) -> None:
        for name in ("logs", "run", "htdocs", "cache"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o755)
        (self.root / "htdocs" / "index.html").write_text("hello\n")

    # -- files -------------------------------------------------------------------------------------------------------

    @property
    def conf_file(self) -> Path:
        return self.root / "httpd.conf"

    @property
    def cache_folder(self) -> Path:
        """The folder of the tests' cache files: "cache/x" in SSLStaplingCache."""
        return self.root / "cache"

    @property
    def error_log(self) -> Path:
        return self.root / "logs" / "error.log"

    def identity(self) -> list[str]:
        """As root, the children run under the account of the system's httpd; otherwise under the same account."""
        if os.geteuid() != 0:
            return []
        return [f"User {unprivileged_user()}", f"Group #{pwd.getpwnam(unprivileged_user()).pw_gid}"]

    # -- running it --------------------------------------------------------------------------------------------------

    def _command(self, *arguments: str, user: Optional[str] = None,
                 stderr: int = subprocess.STDOUT) -> subprocess.CompletedProcess[str]:
        self.conf_file.write_text(self.config.render(self))
        environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "C", **self.environment}
        if self.config.module or self.config.client:
            environment.update({name: value for name, value in sanitizer_environment().items()
                                if name not in environment})
        return subprocess.run([f"{apxs('SBINDIR')}/{apxs('PROGNAME')}", "-d", str(self.root), "-f",
                               str(self.conf_file), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=stderr, text=True, errors="replace", env=environment, cwd="/", check=False,
                              timeout=120, user=user)

    def dump(self, name: str, user: Optional[str] = None) -> subprocess.CompletedProcess[str]:
        """`httpd -t -D name`: the dump is on stdout, messages are on stderr."""
        return self._command("-t", "-D", name, user=user, stderr=subprocess.PIPE)

    def check(self, *arguments: str, user: Optional[str] = None) -> Check:
        """`httpd -t`; with `user`, under that account, which requires root."""
        done = self._command("-t", *arguments, user=user)
        return Check(done.returncode, done.stdout)

    def start(self, deadline: float = 30) -> "Httpd":
        """Until it accepts connections."""
        done = self.try_start(deadline)
        if not self._running:
            raise AssertionError(f"httpd did not start ({done.returncode}):\n{done.stdout}\n{self.raw_log()}")
        return self

    def try_start(self, deadline: float = 30) -> subprocess.CompletedProcess[str]:
        """Start, and return when it is up or has failed: see `running`."""
        before = self.resumed()
        done = self._command("-k", "start")
        self._console += done.stdout
        gone_since: Optional[float] = None

        def settled() -> bool:
            nonlocal gone_since
            if self.resumed() > before:
                self._running = True
                return True
            if done.returncode != 0:
                return True
            if self.processes():
                gone_since = None
            elif gone_since is None:
                gone_since = time.monotonic()
            return gone_since is not None and time.monotonic() - gone_since > 1.0
        poll(settled, "httpd is up, or has failed", deadline)
        return done

    @property
    def running(self) -> bool:
        return self._running and bool(self.processes())

    def resumed(self) -> int:
        """How many generations have begun to serve."""
        return self.raw_log().count("configured -- resuming normal operations")

    @property
    def parent(self) -> int:
        return int((self.root / "run" / "httpd.pid").read_text())

    def processes(self) -> dict[int, int]:
        """pid -> parent's pid of every live process of this server."""
        return {pid: parent for pid, (parent, _name) in processes.of(self.conf_file).items()}

    def writing(self) -> set[int]:
        """The process that writes the cache's files after a reload, while it does."""
        return {pid for pid, (_parent, name) in processes.of(self.conf_file).items() if name == "ocsp-cache-disk"}

    def children(self) -> set[int]:
        return {pid for pid, (parent, name) in processes.of(self.conf_file).items()
                if parent == self.parent and name != "ocsp-cache-disk"}

    def _until_quiet(self) -> None:
        """Until a signal ends the children in an orderly way. Those that cannot begin, or serve all the time, are ended
        as they are."""
        with contextlib.suppress(NotReached):
            poll(lambda: all(processes.has_begun(pid, self.config.mpm) for pid in self.children()),
                 "all children have begun", 5)
            poll(lambda: all(processes.is_at_rest(pid) for pid in self.children()), "all threads sleep", 1)

    def _reload(self, number: signal.Signals, settle: bool, deadline: float) -> None:
        before, old = self.resumed(), self.children()
        self.conf_file.write_text(self.config.render(self))
        os.kill(self.parent, number)

        def has_resumed() -> bool:
            seen, resumed = self.children(), self.resumed() > before
            if number == signal.SIGUSR1 and not resumed:
                old.update(seen)  # forked before the parent took the signal; the new ones come after its line in the log
            return resumed
        poll(has_resumed, f"a new generation after {number.name}", deadline)
        if settle:
            poll(lambda: self.children() and not (old & self.children()), "the old children are gone", deadline)
            poll(lambda: not self.writing(), "the cache's files are written", deadline)

    def graceful(self, config: Optional[Config] = None, settle: bool = True, deadline: float = 30) -> None:
        """Reload as logrotate does, with `config` if given. `settle`: until all children of the old one are gone."""
        self.config = config or self.config
        self._reload(signal.SIGUSR1, settle, deadline)

    def hang_up(self, config: Optional[Config] = None) -> None:
        """SIGHUP: the parent stays, every child is ended immediately."""
        self.config = config or self.config
        self._until_quiet()
        self._reload(signal.SIGHUP, True, 30)

    def stop(self, deadline: float = 20) -> None:
        """SIGTERM, until every process is gone."""
        self._known |= set(self.processes())
        if self.processes():
            self._until_quiet()
            os.kill(self.parent, signal.SIGTERM)
        self._wait_gone(deadline)
        self._running = False

    def kill(self) -> None:
        """SIGKILL for every process at once: like a power failure, but nothing is lost in the kernel's memory."""
        def killed() -> bool:
            """A child may be forked while the others are being killed."""
            left = set(self.processes())
            self._known |= left
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return not left
        poll(killed, "every process was killed", 30)
        self._wait_gone(15)
        self._running = False

    def _wait_gone(self, deadline: float) -> None:
        poll(lambda: not self.processes(), "httpd has ended", deadline)
        poll(self._reap, "the ended processes are reaped")

    def _reap(self) -> bool:
        """Reap the processes that this one inherited (see conftest.orphans); true when none is left."""
        for pid in list(self._known):
            try:
                reaped, _status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                reaped = pid if not Path(f"/proc/{pid}").exists() else 0
            if reaped:
                self._known.discard(pid)
        return not self._known

    # -- talking to it -----------------------------------------------------------------------------------------------

    def handshake(self, host: str, **options: object) -> clients.Handshake:
        return clients.s_client(self.https_port, host, self.root_ca, **options)

    def gnutls(self, host: str, **options: object) -> clients.Handshake:
        return clients.gnutls(self.https_port, host, self.root_ca, **options)

    def wait_staple(self, host: str, status: Optional[str] = "good", deadline: float = 15.0,
                    **options: object) -> clients.Handshake:
        """Handshakes until the staple has `status`."""
        last: list[clients.Handshake] = []

        def stapled() -> Optional[clients.Handshake]:
            last[:] = [self.handshake(host, **options)]
            return last[0] if last[0].ok and last[0].status == status else None
        try:
            return poll(stapled, f"{host} staples {status}", deadline)
        except NotReached as failure:
            raise NotReached(f"{failure}\nlast handshake: {last[0] if last else None}") from None

    def status_page(self, query: str = "") -> str:
        return clients.http_get(f"http://127.0.0.1:{self.http_port}/server-status{query}")

    def certificates(self) -> list[dict]:
        """The JSON of the module's status page, in the order of the configuration."""
        return json.loads(
            clients.http_get(f"http://127.0.0.1:{self.http_port}/ocsp-cache-status?format=json"))["certificates"]

    # -- the error log -----------------------------------------------------------------------------------------------

    def raw_log(self) -> str:
        try:
            return self.error_log.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def log(self, module: Optional[str] = None, level: Union[str, Iterable[str], None] = None,
            pattern: str = "") -> list[LogLine]:
        """The lines of one module, of one level or several, that match `pattern`."""
        levels = (level,) if isinstance(level, str) else tuple(level) if level is not None else None
        return [line for line in self._lines() if module in (None, line.module)
                and (levels is None or line.level in levels) and re.search(pattern, line.text)]

    def ours(self, level: Union[str, Iterable[str], None] = None, pattern: str = "") -> list[LogLine]:
        return self.log("ocsp_cache", level, pattern)

    def _lines(self) -> list[LogLine]:
        return parse(self._console + self.raw_log())

    def wait_log(self, pattern: str, level: Union[str, Iterable[str], None] = None,
                 module: Optional[str] = "ocsp_cache",
                 deadline: float = 15.0) -> LogLine:
        return poll(lambda: self.log(module, level, pattern), f"a log line like {pattern!r}", deadline)[0]

    def expect(self, *patterns: str) -> None:
        """Lines of warn and above that this test causes: each must appear, and none of them fails it."""
        self.announced.must += map(re.compile, patterns)

    def allow(self, *patterns: str) -> None:
        """Lines of warn and above that may appear."""
        self.announced.may += map(re.compile, patterns)

    def close(self) -> None:
        """Stop, and judge the log. A line that a running server is expected to write is waited for before it is
        stopped."""
        if self._running and self.processes():
            try:
                poll(lambda: not self.announced.missing(self._lines()), "the expected lines are logged")
            except NotReached:
                pass  # judge_log() names them
        try:
            if self.processes():
                self.stop()
        except (NotReached, OSError):
            left = self.processes()
            self.kill()
            raise AssertionError(f"httpd did not end on SIGTERM: {left}\n{self.raw_log()}") from None
        self.judge_log()

    def judge_log(self) -> None:
        problems = self.announced.problems(self._lines())
        assert not problems, "in the error log:\n" + "\n".join(problems)


def unprivileged_user() -> str:
    """The account that this system's httpd uses."""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("www-data", "apache", "http", "daemon", "nobody") if name in names)
