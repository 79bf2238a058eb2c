#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""How the module grows with certificates: `make bench-scale`, or `test/bench/scale.py 1 100 1000 10000`.

A private httpd with that many virtual hosts and certificates, a scripted responder that takes 20 ms for each answer,
nothing cached. Prints, and writes to out/bench-scale.json: seconds that `httpd -t` takes, with and without the module
(the median of five); seconds from the start until httpd listens, with and without the module; seconds from then until
all are stapled (mod_status shows good for each); memory of a child process per certificate that the module adds (the
difference in what the process has for itself, Private_Dirty, between the two servers); processor time that all of the
server takes in five idle seconds. The responder is Python: above some hundred answers a second, it limits the result.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "test" / "e2e" / "harness"))

import pki  # noqa: E402
import responders  # noqa: E402
from httpd import Config, Httpd, Vhost  # noqa: E402
from wait import poll  # noqa: E402

ANSWER_TIME = 0.02


def slowly(exchange) -> None:
    time.sleep(ANSWER_TIME)
    responders.good()(exchange)


def processes(server: Httpd) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{server.parent}/task/{server.parent}/children").read_text().split()]


def private_memory(server: Httpd) -> float:
    """kB that one child has for itself, on average."""
    sizes = [sum(int(line.split()[1]) for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                 if line.startswith("Private_Dirty")) for pid in processes(server)]
    return sum(sizes) / len(sizes)


def cpu_seconds(server: Httpd) -> float:
    ticks = 0
    for pid in (server.parent, *processes(server)):
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def started(folder: Path, config: Config, root: pki.Authority) -> tuple[Httpd, float]:
    server = Httpd(folder, config, root)
    begin = time.monotonic()
    server.start()
    return server, time.monotonic() - begin


def check_time(server: Httpd) -> float:
    """Seconds of `httpd -t`, which has to find nothing to complain of."""
    times = []
    for _ in range(5):
        begin = time.monotonic()
        checked = server.check()
        times.append(time.monotonic() - begin)
        assert checked.code == 0 and checked.lines == ["Syntax OK"], checked.output
    return sorted(times)[2]


def measure(n: int, folder: Path, root: pki.Authority, ca: pki.Authority) -> dict:
    answering = responders.ScriptedResponder(ca, slowly)
    vhosts = tuple(Vhost(f"h{i}.example.test", (ca.leaf(f"h{i}.example.test", url=answering.url),)) for i in range(n))
    plain, plain_start = started(folder / f"plain{n}",
                                Config(vhosts=vhosts, module=False, cache="shmcb:run/staples(4194304)"),
                                 root)
    plain_check, plain_memory = check_time(plain), private_memory(plain)
    plain.stop()

    server, start = started(folder / f"server{n}",
                            Config(vhosts=vhosts, cache=f"ocsp_cache:cache/staples({2**22 + n * 4096})"),
                            root)
    begin = time.monotonic()
    poll(lambda: f"OCSPCacheCertificatesStapled: {n}\n" in server.status_page("?auto"), "all are stapled", 300)
    stapled, check = time.monotonic() - begin, check_time(server)
    memory = private_memory(server)
    before = cpu_seconds(server)
    time.sleep(5)  # idle time is what is measured
    idle = cpu_seconds(server) - before
    row = {"certificates": n, "check_s": round(check, 2), "check_without_s": round(plain_check, 2),
           "start_s": round(start, 2), "start_without_s": round(plain_start, 2),
           "all_stapled_s": round(stapled, 2), "requests": len(answering.asked),
           "kB_per_certificate_and_process": round((memory - plain_memory) / n, 2),
           "idle_cpu_percent": round(idle / 5 * 100, 2)}
    server.stop()
    answering.stop()
    return row


def main() -> None:
    counts = [int(argument) for argument in sys.argv[1:]] or [1, 100, 1000]
    rows = []
    with tempfile.TemporaryDirectory(prefix="ocsp-cache-scale-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        root = pki.Authority.root(folder / "pki", "Scale Root")
        ca = root.intermediate("Scale Intermediate")
        for n in counts:
            rows.append(measure(n, folder, root, ca))
            print("  ".join(f"{key} {value}" for key, value in rows[-1].items()), flush=True)
    (TOP / "out").mkdir(exist_ok=True)
    (TOP / "out" / "bench-scale.json").write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
