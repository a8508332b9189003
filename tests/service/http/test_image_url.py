"""Pictures that are fetched: only from where the operator allows, and never from inside the network."""

from __future__ import annotations

import asyncio
import http.server
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import YomitoriError
from core.service_errors import (
    PictureHostNotAllowed,
    PictureNotFetched,
    PictureTooHeavy,
    PictureTooSlow,
    PictureUrlInvalid,
)
from service.http.image_url import FetchLimits, Network, fetch
from service.http.picture_url import check_allowed, parse_url
from service.http.public_address import is_public
from tests.support.chat_server import AUTHORITY, CERTIFICATE_AND_KEY
from tests.support.http_service import Parts, app_over, client_of
from tests.support.pictures import encoded

PUBLIC = "93.184.215.14"
PICTURE = encoded(9, 8)
LIMITS = FetchLimits(max_bytes=100_000, seconds=20.0)


# ---- addresses


@pytest.mark.parametrize(
    "address",
    ["93.184.215.14", "1.1.1.1", "172.32.0.1", "2606:4700::1111", "2a00:1450:4001::1",
     "::ffff:93.184.215.14", "64:ff9b::5db8:d70e", "2002:5db8:d70e::1"],
)  # fmt: skip
def test_public_addresses(address: str) -> None:
    # 6to4 is public when what it carries is
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.255.0.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.1",
        "203.0.113.9", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.88.99.1",
        "::", "::1", "::127.0.0.1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1",
        "ff02::1", "2001:db8::1", "3fff::1", "100::1", "5f00::1", "2001::1", "2001:0:5db8:d70e::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:7f00:1",
        "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::5db8:d70e", "2002:7f00:1::1", "2002:c0a8:101::1",
        "2002:a9fe:a9fe::1", "2606:4700::5efe:a00:1", "2606:4700::200:5efe:7f00:1", "2606:4700::1%1",
        "nonsense", "",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


# ---- URLs


@pytest.mark.parametrize(
    ("text", "host", "port", "target"),
    [
        ("http://example.org", "example.org", 80, "/"),
        ("HTTPS://Example.ORG./a.png?b=c#d", "example.org", 443, "/a.png?b=c"),
        ("http://example.org:8080/a%20b/ü", "example.org", 8080, "/a%20b/%C3%BC"),
        ("http://[2606:4700:0::1]/", "2606:4700::1", 80, "/"),
        ("http://例え.jp/", "xn--r8jz45g.jp", 80, "/"),
        ("http://example.org?x=/../", "example.org", 80, "/?x=/../"),
    ],
)
def test_urls_are_brought_into_one_form(text: str, host: str, port: int, target: str) -> None:
    url = parse_url(text)
    assert (url.host, url.port, url.target) == (host, port, target)


@pytest.mark.parametrize(
    "text",
    ["", "example.org/a.png", "//example.org/a.png", "ftp://example.org/", "file:///etc/passwd", "gopher://x/",
     "http://", "http:///a", "http://example.org:0/", "http://example.org:99999/", "http://example.org:x/",
     "http://a@example.org/", "http://a:b@example.org/", "http://example.org\\@127.0.0.1/",
     "http://example.org/a b", "http://example.org/\r\nHost: x", "http://exa\tmple.org/", "http://[::1/",
     "http://[::1]x/", "http://ex ample/", "http://" + "a" * 9000, "http://example.org/\x00", "http://a%2eb/"],
)  # fmt: skip
def test_what_is_no_url_of_a_picture(text: str) -> None:
    with pytest.raises(PictureUrlInvalid):
        parse_url(text)


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("http://example.org/", {"example.org"}),
        ("https://example.org/", {"other.org", "example.org"}),
        ("https://EXAMPLE.org./", {"example.org"}),
        ("http://example.org:8080/", {"example.org:8080"}),
        ("http://a.b.example.org/", {"*.example.org"}),
        ("http://[::1]:8080/", {"[::1]:8080"}),
        ("http://[0:0::1]/", {"::1"}),
        ("http://192.168.1.5/", {"192.168.1.5"}),
    ],
)
def test_hosts_that_the_operator_has_named(url: str, hosts: set[str]) -> None:
    check_allowed(parse_url(url), hosts)


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("http://example.org/", set()),
        ("http://example.org/", {"*.example.org"}),
        ("http://badexample.org/", {"example.org", "*.example.org"}),
        ("http://a.example.org/", {"example.org"}),
        ("http://example.org.evil.net/", {"example.org"}),
        ("http://example.org:8080/", {"example.org"}),
        ("http://example.org/", {"example.org:8080"}),
        ("https://example.org:80/", {"example.org"}),
        ("http://127.0.0.1/", {"localhost", "*.0.0.1"}),
        ("http://example.org/", {"*", "", ":80", "[", "*.org:x"}),
    ],
)
def test_hosts_that_the_operator_has_not_named(url: str, hosts: set[str]) -> None:
    with pytest.raises(PictureHostNotAllowed):
        check_allowed(parse_url(url), hosts)


# ---- fetching


class Site:
    """A server of pictures: ``answer`` writes the whole response to a path."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.closing = threading.Event()
        self.answers: dict[str, Callable[[Any], None]] = {"/a.png": lambda page: self.send(page, PICTURE)}
        site = self

        class Page(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                site.answers[self.path.partition("?")[0]](self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @staticmethod
    def send(page: Any, body: bytes, status: int = 200, **headers: str) -> None:
        page.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            page.send_header(name.replace("_", "-"), value)
        page.end_headers()
        page.wfile.write(body)

    def redirect(self, path: str, target: str, status: int = 302) -> None:
        self.answers[path] = lambda page: self.send(page, b"", status, Location=target)

    def raw(self, path: str, *pieces: bytes, pause: float = 0.0) -> None:
        def answer(page: Any) -> None:
            page.close_connection = True
            for piece in pieces:
                page.wfile.write(piece)
                if self.closing.wait(pause):
                    return

        self.answers[path] = answer


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


class Names:
    """A network in which names are what the test says, and all connections go to a site of the test."""

    def __init__(self, port: int, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.looked_up: list[str] = []
        self.connected: list[tuple[str, int]] = []
        self._port = port

    def lookup(self, host: str, port: int, **_: object) -> list[Any]:
        self.looked_up.append(host)
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [(None, None, None, "", (address, port)) for address in addresses]

    def connect(self, address: str, port: int, timeout: float) -> socket.socket:
        self.connected.append((address, port))
        return socket.create_connection(("127.0.0.1", self._port), timeout)

    @property
    def network(self) -> Network:
        return Network(self.lookup, self.connect)


def get(url: str, *hosts: str, network: Network | None = None, limits: FetchLimits = LIMITS) -> bytes:
    return asyncio.run(fetch(url, hosts, limits, network))


def fails(
    error: type[YomitoriError], url: str, *hosts: str, network: Network | None = None, **limits: float
) -> YomitoriError:
    changed = FetchLimits(**{"max_bytes": 100_000, "seconds": 20.0, **limits})  # type: ignore[arg-type]
    with pytest.raises(error) as raised:
        get(url, *hosts, network=network, limits=changed)
    assert type(raised.value) is error
    return raised.value


def test_a_picture_of_an_allowed_host_is_fetched_and_nothing_of_ours_is_sent(site: Site) -> None:
    assert get(f"{site.url}/a.png?x=y", site.host) == PICTURE
    ((path, headers),) = site.asked
    assert path == "/a.png?x=y"
    assert headers["host"] == site.host
    assert headers.keys() == {"host", "user-agent", "accept", "accept-encoding", "connection"}


def test_no_host_is_asked_unless_the_operator_has_named_it(site: Site) -> None:
    fails(PictureHostNotAllowed, f"{site.url}/a.png")
    fails(PictureHostNotAllowed, f"{site.url}/a.png", "example.org", "127.0.0.1")
    assert site.asked == []


def test_a_name_is_looked_up_once_and_asked_at_that_address_by_its_name(site: Site) -> None:
    # Given a name that leads elsewhere each time (DNS rebinding)
    names = Names(site.port, [PUBLIC], ["127.0.0.1"])
    # When a picture is fetched
    assert get("http://example.org/a.png", "example.org", network=names.network) == PICTURE
    # Then the address that was checked is the one that was asked
    assert names.looked_up == ["example.org"]
    assert names.connected == [(PUBLIC, 80)]
    assert site.asked[0][1]["host"] == "example.org"


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], [PUBLIC, "10.0.0.1"], ["::1", PUBLIC], ["169.254.169.254"], ["64:ff9b::7f00:1"],
     ["::ffff:192.168.0.1"], ["2002:7f00:1::"], ["fe80::1%2"]],
)  # fmt: skip
def test_a_name_that_leads_into_the_network_is_not_asked(site: Site, addresses: list[str]) -> None:
    names = Names(site.port, addresses)
    error = fails(PictureHostNotAllowed, "http://example.org/a.png", "example.org", network=names.network)
    assert "private network" in error.message
    assert addresses[0] not in error.message
    assert names.connected == []


def test_a_name_of_this_computer_is_not_asked_however_it_is_spelt(site: Site) -> None:
    fails(PictureHostNotAllowed, f"http://localhost:{site.port}/a.png", f"localhost:{site.port}")
    for host in ("2130706433", "0x7f000001", "127.1"):
        names = Names(site.port, ["127.0.0.1"])
        fails(PictureHostNotAllowed, f"http://{host}/a.png", host, network=names.network)


def test_the_next_address_is_tried_when_one_does_not_answer(site: Site) -> None:
    names = Names(site.port, ["2606:4700::1", PUBLIC])

    def connect(address: str, port: int, timeout: float) -> socket.socket:
        if ":" in address:
            raise ConnectionRefusedError
        return names.connect(address, port, timeout)

    assert get("http://example.org/a.png", "example.org", network=Network(names.lookup, connect)) == PICTURE


def test_proxies_of_the_environment_are_not_asked(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert get(f"{site.url}/a.png", site.host) == PICTURE


# ---- redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_within_what_is_allowed_is_followed(site: Site, status: int) -> None:
    site.redirect("/old", "a.png?new#part", status)
    assert get(f"{site.url}/old", site.host) == PICTURE
    assert [path for path, _ in site.asked] == ["/old", "/a.png?new"]


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ("http://127.0.0.1:{other}/a.png", PictureHostNotAllowed),
        ("http://localhost:{port}/a.png", PictureHostNotAllowed),
        ("//169.254.169.254/latest", PictureHostNotAllowed),
        ("http://[::ffff:127.0.0.1]:{port}/a.png", PictureHostNotAllowed),
        ("file:///etc/passwd", PictureUrlInvalid),
        ("data:image/png;base64,AAAA", PictureUrlInvalid),
        ("http://a@127.0.0.1:{port}/a.png", PictureUrlInvalid),
    ],
)
def test_a_redirect_elsewhere_is_not_followed(site: Site, target: str, error: type[YomitoriError]) -> None:
    site.redirect("/old", target.format(port=site.port, other=site.port + 1))
    fails(error, f"{site.url}/old", site.host)
    assert [path for path, _ in site.asked] == ["/old"]


def test_a_redirect_to_a_name_that_leads_into_the_network_is_not_followed(site: Site) -> None:
    # Given two allowed names, the second of which has come to lead to this computer
    site.redirect("/old", "http://inside.example.org/a.png")
    names = Names(site.port, [PUBLIC], ["127.0.0.1"])
    fails(
        PictureHostNotAllowed, "http://example.org/old", "example.org", "*.example.org", network=names.network
    )
    assert names.looked_up == ["example.org", "inside.example.org"]
    assert names.connected == [(PUBLIC, 80)]


def test_redirects_without_an_end_are_given_up(site: Site) -> None:
    site.redirect("/again", "/again")
    assert "again and again" in fails(PictureNotFetched, f"{site.url}/again", site.host).message
    assert len(site.asked) == LIMITS.redirects + 1


# ---- limits


def test_a_body_that_announces_too_much_is_not_read(site: Site) -> None:
    site.raw("/a.png", b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", pause=30.0)
    fails(PictureTooHeavy, f"{site.url}/a.png", site.host)


def test_a_body_that_does_not_end_is_left(site: Site) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    site.raw("/a.png", head, *[b"8000\r\n" + bytes(0x8000) + b"\r\n"] * 40)
    fails(PictureTooHeavy, f"{site.url}/a.png", site.host)


@pytest.mark.parametrize(
    ("pieces", "pause"),
    [
        ((b"",), 60.0),
        ((b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 1000), 0.02),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", *[b"x"] * 1000), 0.02),
    ],
)
def test_whatever_comes_too_slowly_is_given_up(site: Site, pieces: tuple[bytes, ...], pause: float) -> None:
    # Each piece comes in time, all of them never
    site.raw("/a.png", *pieces, pause=pause)
    fails(PictureTooSlow, f"{site.url}/a.png", site.host, seconds=0.3)
    # Then the thread that waited is free again, though nothing has come
    deadline = time.monotonic() + 20
    while any("AnyIO" in thread.name for thread in threading.enumerate()):
        assert time.monotonic() < deadline, "the thread that fetched waits on"
        time.sleep(0.01)


def test_a_name_that_takes_for_ever_to_look_up_is_given_up(site: Site) -> None:
    stuck = threading.Event()

    def lookup(*_: object, **__: object) -> list[Any]:
        stuck.wait(30)
        return []

    async def both() -> None:
        try:
            await fetch("http://example.org/", {"example.org"}, FetchLimits(1000, 0.1), Network(lookup))
        finally:
            stuck.set()

    with pytest.raises(PictureTooSlow):
        asyncio.run(both())


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", "404"),
        (b"HTTP/1.1 204 No\r\n\r\n", "204"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", "packs"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nabc", "broke off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP"),
        (b"SSH-2.0-OpenSSH\r\n", "HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 300 + b"\r\n", "HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", "HTTP"),
        (b"", "HTTP"),
    ],
)
def test_answers_that_are_none_are_told(site: Site, answer: bytes, reason: str) -> None:
    site.raw("/a.png", answer)
    assert reason in fails(PictureNotFetched, f"{site.url}/a.png", site.host).message


def test_a_redirect_that_says_nothing_or_nonsense_is_told(site: Site) -> None:
    for head in (b"", b"Location: http://[\r\n", b"Location: http://exa mple/\r\n"):
        site.raw("/a.png", b"HTTP/1.1 302 Found\r\n" + head + b"Content-Length: 0\r\n\r\n")
        with pytest.raises((PictureUrlInvalid, PictureNotFetched)):
            get(f"{site.url}/a.png", site.host)


def test_a_host_that_nobody_knows_and_one_where_nothing_listens_are_told() -> None:
    def unknown(*_: object, **__: object) -> list[Any]:
        raise socket.gaierror

    fails(PictureNotFetched, "http://example.org/", "example.org", network=Network(unknown))
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{unused.getsockname()[1]}"
        fails(PictureNotFetched, f"http://{host}/", host)


# ---- TLS


@pytest.fixture
def secure_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Its certificate is for localhost, by an authority that the tests alone trust."""
    if sys.platform != "linux":
        pytest.skip("only OpenSSL takes its trusted certificates from a variable")
    (tmp_path / "authority.pem").write_text(AUTHORITY)
    (tmp_path / "site.pem").write_text(CERTIFICATE_AND_KEY)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "site.pem")
    site = Site(tls)
    yield site
    site.close()


def test_the_certificate_is_checked_against_the_name_and_not_the_address(secure_site: Site) -> None:
    names = Names(secure_site.port, [PUBLIC])
    assert get("https://localhost/a.png", "localhost", network=names.network) == PICTURE
    assert names.connected == [(PUBLIC, 443)]
    error = fails(PictureNotFetched, "https://example.org/a.png", "example.org", network=names.network)
    assert "certificate" in error.message
    assert len(secure_site.asked) == 1


# ---- as requests name them


def test_a_request_may_name_a_picture_of_an_allowed_host(parts: Parts, site: Site) -> None:
    with client_of(app_over(parts, image_hosts=frozenset({site.host}))) as client:
        answer = client.post("/ocr", data={"image_url": f"{site.url}/a.png"})
        assert answer.json() == {"text": "9x8", "language": "ja"}
        site.answers["/page.html"] = lambda page: site.send(page, b"<html>")
        answer = client.post("/ocr", data={"image_url": f"{site.url}/page.html"})
        assert (answer.status_code, answer.json()["code"]) == (422, "NotAnImage")


def test_no_server_is_asked_by_default(parts: Parts, site: Site) -> None:
    with client_of(app_over(parts)) as client:
        for path in ("/ocr", "/analyze_image"):
            answer = client.post(path, data={"image_url": f"{site.url}/a.png?secret"})
            assert (answer.status_code, answer.json()["code"]) == (403, "PictureHostNotAllowed")
            assert "secret" not in answer.text
    assert site.asked == []


def test_the_limit_of_a_request_holds_for_what_it_names(parts: Parts, site: Site) -> None:
    site.answers["/big.png"] = lambda page: site.send(page, bytes(3_000_000))
    with client_of(app_over(parts, image_hosts=frozenset({site.host}), body_bytes=2_000_000)) as client:
        answer = client.post("/ocr", data={"image_url": f"{site.url}/big.png"})
    assert (answer.status_code, answer.json()["code"]) == (413, "PictureTooHeavy")
