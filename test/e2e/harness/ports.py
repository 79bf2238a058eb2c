# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Ports of the loopback for what the tests start."""

from __future__ import annotations

import collections
import socket

# More than one test uses at a time, and few descriptors.
N_KEPT = 256

_kept: collections.deque[socket.socket] = collections.deque()


def free_port(family: socket.AddressFamily = socket.AF_INET) -> int:
    """A TCP port that belongs to the caller until N_KEPT others have been given away, also while its server is down.

    A socket that does not listen stays bound to it, so the kernel gives the port neither to another server nor to a
    client. A server, which sets SO_REUSEADDR, can listen on it nevertheless; until one does, connections are refused.
    """
    kept = socket.socket(family)
    kept.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _kept.append(kept)
    if len(_kept) > N_KEPT:
        _kept.popleft().close()
    return kept.getsockname()[1]
