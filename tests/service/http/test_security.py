"""Who may ask. Any web page can post a form to a loopback port."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.http_service import TOKEN, Parts, app_over, client_of

PROTECTED = "/test/protected"


def status(
    parts: Parts, path: str = "/ready", method: str = "GET", config: Any = None, **headers: str
) -> int:
    """Of an application with ``config``; header names with ``_`` for ``-``."""
    app = app_over(parts, **(config or {}))
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with client_of(app) as client:
        return client.request(method, path, headers=named).status_code


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "localhost:9100", "127.0.0.1:9100", "127.9.9.9", "[::1]:9100", "LOCALHOST:1",
        "yomitori.localhost",
    ],
)  # fmt: skip
def test_names_of_this_computer_are_answered(parts: Parts, host: str) -> None:
    assert status(parts, host=host) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:9100", "127.0.0.1.evil.example", "localhost.evil.example",
        "192.168.1.5:9100", "0.0.0.0:9100", "[::]:9100", "127.0.0.1@evil.example", "evil.example#127.0.0.1",
        "localhost/evil", "127.0.0.1:port", "[::1", " localhost, evil.example", "",
    ],
)  # fmt: skip
def test_other_names_are_refused(parts: Parts, host: str) -> None:
    assert status(parts, host=host) == 421


def test_a_request_with_two_hosts_is_refused(parts: Parts) -> None:
    with client_of(app_over(parts)) as client:
        answer = client.get("/ready", headers=[("Host", "localhost"), ("Host", "evil.example")])
    assert answer.status_code == 421


def test_names_that_the_operator_allows_are_answered_with_the_token(parts: Parts) -> None:
    config = {"allowed_hosts": frozenset({"manga.example"})}
    assert status(parts, config=config, host="manga.example") == 401
    assert status(parts, config=config, host="manga.example", authorization=f"Bearer {TOKEN}") == 200
    assert status(parts, config=config, host="other.example", authorization=f"Bearer {TOKEN}") == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:3000"},
        {"origin": "http://127.0.0.1"},
        {"origin": "https://127.0.0.1"},
        {"origin": "http://127.0.0.1:9100.evil.example"},
        {"origin": "http://127.0.0.1:port"},
        {"origin": "chrome-extension://abc"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "Cross-Site"},
        {"origin": "https://evil.example", "sec_fetch_site": "same-origin"},
    ],
)
def test_what_a_foreign_web_page_sends_is_refused(parts: Parts, headers: dict[str, str]) -> None:
    assert status(parts, **headers) == 403
    assert status(parts, "/ocr", "POST", **headers) == 403
    assert status(parts, "/v1/models", **headers, authorization=f"Bearer {TOKEN}") == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://127.0.0.1:9100"},
        {"sec_fetch_site": "none"},
        {"sec_fetch_site": "same-origin", "origin": "http://127.0.0.1:9100"},
    ],
)
def test_our_own_page_and_programs_are_answered(parts: Parts, headers: dict[str, str]) -> None:
    assert status(parts, **headers) == 200


LINK = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}


@pytest.mark.parametrize("path", ["/docs", "/"])
def test_a_link_of_another_page_opens_the_page_for_readers(parts: Parts, path: str) -> None:
    assert status(parts, path, **LINK) == 200
    assert status(parts, path, "HEAD", **LINK) == 200


@pytest.mark.parametrize(
    ("path", "method", "headers"),
    [
        ("/docs", "GET", LINK | {"sec_fetch_dest": "iframe"}),
        ("/docs", "GET", LINK | {"sec_fetch_mode": "no-cors", "sec_fetch_dest": "image"}),
        ("/docs", "GET", {"sec_fetch_site": "cross-site"}),
        ("/docs", "GET", LINK | {"origin": "https://evil.example"}),
        ("/docs", "POST", LINK),
        ("/ready", "GET", LINK),
        ("/models", "GET", LINK),
        ("/metrics", "GET", LINK),
        ("/openapi.json", "GET", LINK),
        ("/docs/", "GET", LINK),
    ],
)
def test_a_link_leads_nowhere_else(parts: Parts, path: str, method: str, headers: dict[str, str]) -> None:
    assert status(parts, path, method, **headers) == 403


OPENAI_CLIENT = (
    "authorization,content-type,x-stainless-arch,x-stainless-lang,x-stainless-os,x-stainless-package-version,"
    "x-stainless-retry-count,x-stainless-runtime,x-stainless-runtime-version,x-stainless-timeout"
)


def test_an_allowed_page_may_send_what_openais_client_sends(parts: Parts) -> None:
    ask = {
        "Origin": "https://reader.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": OPENAI_CLIENT,
    }
    app = app_over(parts, cors_origins=frozenset({"https://reader.example"}))
    with client_of(app) as client:
        answer = client.options("/v1/chat/completions", headers=ask)
        assert answer.status_code == 200
        allowed = {name.strip() for name in answer.headers["access-control-allow-headers"].split(",")}
        assert set(OPENAI_CLIENT.split(",")) <= allowed
        assert client.options("/v1/models", headers=ask | {"Origin": "https://a.example"}).status_code == 403


def test_two_origins_are_refused(parts: Parts) -> None:
    ours = ("Origin", "http://127.0.0.1:9100")
    with client_of(app_over(parts)) as client:
        assert client.get("/ready", headers=[ours, ("Origin", "https://evil.example")]).status_code == 403


def test_origins_are_shared_with_nobody_by_default(parts: Parts) -> None:
    ask = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    with client_of(app_over(parts)) as client:
        answer = client.options("/ocr", headers=ask)
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_web_page_that_the_operator_allows_may_ask(parts: Parts) -> None:
    reader = "https://reader.example"
    app = app_over(parts, cors_origins=frozenset({reader}))
    ask = {
        "Origin": reader,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
        "Sec-Fetch-Site": "cross-site",
    }
    with client_of(app) as client:
        before = client.options("/ocr", headers=ask)
        answer = client.get("/ready", headers={"Origin": reader, "Sec-Fetch-Site": "cross-site"})
        other = client.options("/ocr", headers=ask | {"Origin": "https://reader.example.evil"})
    assert (before.status_code, before.headers["access-control-allow-origin"]) == (200, reader)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, reader)
    assert other.status_code == 403


def test_a_browser_asks_first_without_the_token(parts: Parts) -> None:
    reader = "https://reader.example"
    app = app_over(parts, cors_origins=frozenset({reader}), require_token=True)
    ask = {"Origin": reader, "Access-Control-Request-Method": "POST"}
    with client_of(app) as client:
        assert client.options("/ocr", headers=ask).status_code == 200
        refused = client.get("/ready", headers={"Origin": reader})
    # The page can read why.
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, reader)


# ---- the token


@pytest.mark.parametrize(
    "config",
    [
        {"host": "0.0.0.0"},
        {"host": "192.168.1.5"},
        {"host": "::"},
        {"host": "manga.example"},
        {"require_token": True},
        {"allowed_hosts": frozenset({"manga.example"})},
    ],
)
def test_where_others_can_ask_everything_needs_the_token(parts: Parts, config: dict[str, Any]) -> None:
    with client_of(app_over(parts, **config)) as client:
        for path in ("/ready", "/metrics", "/v1/models", "/models", "/nothing"):
            assert client.get(path).status_code == 401, path
        for path in ("/health", "/docs", "/openapi.json", "/"):
            assert client.get(path).status_code == 200, path
        assert client.get("/ready", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


@pytest.mark.parametrize(
    "header", ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP"]
)
def test_what_a_proxy_hands_on_needs_the_token_also_on_loopback(parts: Parts, header: str) -> None:
    assert status(parts, **{header: "for=203.0.113.7"}) == 401
    assert status(parts, **{header: "for=203.0.113.7", "authorization": f"Bearer {TOKEN}"}) == 200


@pytest.mark.parametrize(
    "given",
    [
        "", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN,
        f"Bearer {TOKEN.upper()}", f"Bearer x {TOKEN}", "Bearer \u00e9",
    ],
)  # fmt: skip
def test_other_tokens_are_refused(parts: Parts, given: str) -> None:
    app = app_over(parts, require_token=True)
    with client_of(app) as client:
        answer = client.get("/ready", headers={b"Authorization": given.encode("latin-1")})  # type: ignore[dict-item]
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert TOKEN not in answer.text


def test_any_token_is_fine_where_none_is_needed(parts: Parts) -> None:
    """OpenAI's clients always send one."""
    assert status(parts, authorization="Bearer unused") == 200


@pytest.mark.parametrize("path", ["/models/ocr/load", "/models/ocr/unload", "/models/vision/unload"])
def test_what_changes_models_needs_the_token_on_loopback_too(parts: Parts, path: str) -> None:
    assert status(parts, path, "POST") == 401
    assert status(parts, path, "POST", authorization="Bearer unused") == 401
    assert status(parts, path, "POST", config={"token": ""}) == 403
    assert status(parts, path, "POST", config={"token": ""}, authorization="Bearer ") == 403


def test_every_operation_that_changes_models_is_privileged(parts: Parts) -> None:
    """So that one that is added later is not forgotten."""
    schema = app_over(parts).openapi()
    changing = {
        path: operation
        for path, operations in schema["paths"].items()
        for method, operation in operations.items()
        if method != "get" and path.startswith("/models")
    }
    assert changing
    assert [path for path, operation in changing.items() if not operation.get("security")] == []
