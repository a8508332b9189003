"""What a user types as the address of a server, and whether it leads off this computer."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from core.vision.address import Resolved, ServerAddress, check_route, is_loopback, parse_address, resolve
from core.vision.errors import (
    RemoteAddressInvalid,
    RemoteElsewhere,
    RemoteKeyUnusable,
    RemoteNotSecure,
    RemoteUnreachable,
)
from tests.support.imports import CHILD_ONLY, imported_by


def lookup_of(*addresses: str) -> Any:
    def lookup(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    return lookup


def found(url: str, *addresses: str) -> Resolved:
    return resolve(parse_address(url), lookup_of(*addresses))


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("http://localhost:8000/v1", "http://localhost:8000/v1"),
        ("  localhost:11434 \n", "http://localhost:11434/v1"),
        ("192.0.2.7:1234/", "http://192.0.2.7:1234/v1"),
        ("HTTPS://Example.ORG./v1/", "https://example.org/v1"),
        ("https://example.org:443/v1", "https://example.org/v1"),
        ("http://example.org:80", "http://example.org/v1"),
        ("https://example.org:80", "https://example.org:80/v1"),
        ("http://h:8000/v1/chat/completions", "http://h:8000/v1"),
        ("http://h:8000/v1/models/", "http://h:8000/v1"),
        ("http://h:8000//api//v1//", "http://h:8000/api/v1"),
        ("http://h/a b".replace(" ", "é"), "http://h/a%C3%A9b"),
        ("0.0.0.0:8000", "http://127.0.0.1:8000/v1"),
        ("http://[::]:8000", "http://[::1]:8000/v1"),
        ("http://[2001:DB8:0::1]:8000/v1", "http://[2001:db8::1]:8000/v1"),
        ("http://漫画.example/v1", "http://xn--l8jvb.example/v1"),
        ("gpu_box:8000", "http://gpu_box:8000/v1"),
    ],
)
def test_what_is_typed_becomes_one_address(typed: str, url: str) -> None:
    if "漫画" in typed:
        url = f"http://{'漫画'.encode('idna').decode()}.example/v1"
    server = parse_address(typed)
    assert server.url == url
    # And the normal form is its own normal form: a key is found again.
    assert parse_address(url) == server


@pytest.mark.parametrize(
    "typed",
    [
        "", "   ", "ftp://h/v1", "file:///etc/passwd", "http://", "http:///v1", "http://h:0/v1", "http://h:99999",
        "http://h:port/v1", "a b", "http://h/v1?x=1", "http://h/v1#x", "http://user:secret@h/v1",
        "http://h\\@other/v1", "http://ho\nst/v1", "http://-h/v1", "http://a..b/v1", "http://[::1/v1",
        "http://a*b/v1", "http://" + "a" * 64 + "/v1",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(RemoteAddressInvalid) as caught:
        parse_address(typed)
    assert "secret" not in caught.value.message


def test_a_secret_in_a_refused_address_is_not_repeated() -> None:
    for typed in ("https://me:hunter2@h/v1", "https://h/v1?key=hunter2", "https://h/v1#hunter2"):
        with pytest.raises(RemoteAddressInvalid) as caught:
            parse_address(typed)
        assert "hunter2" not in caught.value.message + str(caught.value.to_json())


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("::ffff:127.0.0.1", True),
        ("::ffff:192.0.2.1", False), ("192.0.2.1", False), ("10.0.0.1", False), ("169.254.1.1", False),
        ("fe80::1%eth0", False), ("2001:db8::1", False), ("0.0.0.0", False),
    ],
)  # fmt: skip
def test_only_loopback_stays_on_this_computer(address: str, loopback: bool) -> None:
    assert is_loopback(address) is loopback


def test_an_address_of_numbers_needs_no_lookup() -> None:
    def lookup(*_: Any, **__: Any) -> list[Any]:
        raise AssertionError("looked up")

    assert resolve(parse_address("192.0.2.1:8000"), lookup) == Resolved(
        ServerAddress("http", "192.0.2.1", 8000, "/v1"), ("192.0.2.1",), False
    )
    assert resolve(parse_address("http://[::1]:8000"), lookup).loopback


def test_the_name_localhost_is_looked_up_and_stays_here() -> None:
    # The real one, since what this computer says is what counts.
    resolved = resolve(parse_address("localhost:8000"))
    assert resolved.loopback
    assert "127.0.0.1" in resolved.addresses or "::1" in resolved.addresses


def test_a_name_stays_here_only_when_all_its_addresses_do() -> None:
    assert found("box:8000", "127.0.0.1", "::1", "127.0.0.1").addresses == ("127.0.0.1", "::1")
    assert found("box:8000", "127.0.0.1", "::1").loopback
    assert not found("box:8000", "127.0.0.1", "192.0.2.1").loopback
    # A name that only sounds like it
    assert not found("localhost.example.org", "192.0.2.1").loopback


def test_a_name_that_nobody_knows_is_told() -> None:
    def lookup(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror(-2, "Name or service not known")

    for nobody in (lookup, lookup_of()):
        with pytest.raises(
            RemoteUnreachable, match=r"box:8000 could not be reached: no computer of that name"
        ):
            resolve(parse_address("box:8000"), nobody)


def test_a_key_goes_over_https_or_stays_here() -> None:
    for safe in (found("https://example.org", "192.0.2.1"), found("http://localhost:1", "127.0.0.1")):
        check_route(safe, "secret")
    open_air = found("http://example.org", "192.0.2.1")
    check_route(open_air, "")
    with pytest.raises(RemoteNotSecure) as caught:
        check_route(open_air, "secret")
    assert "secret" not in caught.value.message + str(caught.value.to_json())


def test_a_server_that_was_told_to_be_here_must_be_here() -> None:
    check_route(found("http://box", "127.0.0.1"), "", told_loopback=True)
    with pytest.raises(RemoteElsewhere):
        check_route(found("https://box", "127.0.0.1", "192.0.2.1"), "", told_loopback=True)


@pytest.mark.parametrize("key", ["a b", "a\nX-Other: b", "ключ", "a\x00"])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(RemoteKeyUnusable) as caught:
        check_route(found("https://h", "192.0.2.1"), key)
    assert key not in caught.value.message + str(caught.value.to_json())


def test_a_front_end_may_import_it() -> None:
    # Given what the front end needs before it sends, when it is imported, then no HTTP library comes along
    modules = imported_by("import core.vision.address, core.vision.errors, core.vision.keys")
    assert (
        modules & {*CHILD_ONLY, "PySide6", "http", "urllib3", "httpx2", "truststore", "keyring", "ssl"}
        == set()
    )
