"""No test reaches the network: neither this process, nor a Python it starts, nor a model process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable

import pytest

from core.engines import LoadOptions
from core.process import ModelProcess
from tests.support.environment import child_environment
from tests.support.fake_engine import FAKE
from tests.support.network_guard import is_local

ELSEWHERE = "192.0.2.1"
"""An address for documentation: nobody has it."""
REFUSED = "PermissionError: tests must not"
CONNECT = f"""
import socket
try:
    socket.create_connection(({ELSEWHERE!r}, 9), timeout=5)
except OSError as error:
    print(f"{{type(error).__name__}}: {{error}}")
"""


def datagram() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


@pytest.mark.parametrize(
    "reach",
    [
        lambda s: s.connect((ELSEWHERE, 9)),
        lambda s: s.connect_ex((ELSEWHERE, 9)),
        lambda s: s.sendto(b"x", (ELSEWHERE, 9)),
        lambda s: s.sendmsg([b"x"], [], 0, (ELSEWHERE, 9)),
        lambda s: socket.create_connection((ELSEWHERE, 9), timeout=5),
        lambda s: socket.getaddrinfo("localhost.example.org", 9),
        lambda s: socket.gethostbyname("example.org"),
    ],
    ids=["connect", "connect_ex", "sendto", "sendmsg", "create_connection", "getaddrinfo", "gethostbyname"],
)
def test_this_process_is_refused(reach: Callable[[socket.socket], object]) -> None:
    with datagram() as sender, pytest.raises(PermissionError, match="tests must not"):
        reach(sender)


def test_this_machine_may_be_reached() -> None:
    with datagram() as receiver, datagram() as sender:
        receiver.bind(("127.0.0.1", 0))
        sender.sendto(b"a", receiver.getsockname())
        sender.sendmsg([b"b"], [], 0, receiver.getsockname())
        assert receiver.recv(1) + receiver.recv(1) == b"ab"
    assert socket.getaddrinfo("localhost", 9)


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True), ("127.8.9.10", True), ("::1", True), ("localhost", True), ("", True),
        ("127.0.0.1.example.org", False), ("localhost.example.org", False), ("::12", False),
        ("0.0.0.0", False), ("192.0.2.1", False), ("example.org", False),
    ],
)  # fmt: skip
def test_addresses_are_compared_whole(host: str, local: bool) -> None:
    assert is_local(host) is local


@pytest.mark.parametrize(
    "environment",
    [None, child_environment(os.environ), child_environment({})],
    ids=["inherited", "with the repository", "otherwise empty"],
)
def test_a_python_that_a_test_starts_is_refused(environment: dict[str, str] | None) -> None:
    command = [sys.executable, "-P", "-c", CONNECT]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith(REFUSED)


def test_a_model_process_is_refused() -> None:
    process = ModelProcess()
    process.load(FAKE, LoadOptions())
    while process.receive()["kind"] != "loaded":
        pass
    process.run(1, "connect", {"host": ELSEWHERE})
    done = process.receive()
    process.end()
    assert done["result"]["error"].startswith(REFUSED)
