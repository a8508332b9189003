"""Who may ask: names of this computer, origins of web pages, and the token.

Any web page can post a form to a loopback port, and have a name of its own lead there (DNS rebinding).
"""

from __future__ import annotations

import hmac
import ipaddress
from urllib.parse import urlsplit

from fastapi import Depends
from fastapi.security import HTTPBearer
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from core.errors import YomitoriError
from core.service_errors import HostNotAllowed, OriginNotAllowed, TokenNotSet, TokenWrong
from service.http.config import ServiceConfig, is_loopback
from service.http.context import context_of
from service.http.problems import problem

OPEN_PATHS = frozenset(
    {
        "/",
        "/health",
        "/docs",
        "/docs/oauth2-redirect",
        "/openapi.json",
    }
)
"""Answered without a token wherever the service listens: they tell nothing of what is kept here."""
OPEN_FOLDER = "/docs/files/"

_DEFAULT_PORTS = {"http": 80, "https": 443}
_PROXIED = ("forwarded", "via", "x-real-ip")
_PROXIED_PREFIX = "x-forwarded-"
_PAGES = frozenset({"/", "/docs"})
"""What a link of another page may lead to: the same for everybody, and of use to nobody but a reader."""

bearer = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="The token of the service. On loopback only what changes models asks for it.",
)


def privileged(request: Request, _documented: object = Depends(bearer)) -> None:
    """For ``Depends``: the token is needed, also on loopback.

    Raises:
        TokenNotSet, TokenWrong
    """
    check_token(context_of(request).config, request.headers)


def check_token(config: ServiceConfig, headers: Headers) -> None:
    """Raises TokenNotSet or TokenWrong unless the headers carry the token."""
    if not config.token:
        raise TokenNotSet
    scheme, _, given = headers.get("authorization", "").partition(" ")
    # Both in bytes: comparing text refuses what is not ASCII with an error of its own.
    right = hmac.compare_digest(given.strip().encode(), config.token.encode())
    if scheme.lower() != "bearer" or not right:
        raise TokenWrong


def needs_token(config: ServiceConfig, path: str, headers: Headers) -> bool:
    """Whether a request to ``path`` is answered only with the token, whatever its route asks for."""
    if path in OPEN_PATHS or path.startswith(OPEN_FOLDER):
        return False
    # A proxy lets others in, also where it connects from this computer.
    return config.everywhere or any(name in _PROXIED or name.startswith(_PROXIED_PREFIX) for name in headers)


def check_host(config: ServiceConfig, headers: Headers) -> None:
    """Raises HostNotAllowed unless the request was sent to a name of this computer."""
    named = headers.getlist("host")
    host = _host_of(named[0]) if len(named) == 1 else None
    if host is None:
        raise HostNotAllowed
    own = config.host.strip("[]").lower()
    # The address it listens at is no name that a web page could have lead there.
    if is_loopback(host) or host in config.allowed_hosts or (host == own and _is_address(own)):
        return
    raise HostNotAllowed


def check_origin(config: ServiceConfig, headers: Headers, method: str = "", path: str = "") -> None:
    """Raises OriginNotAllowed for a request of a web page that is neither ours nor allowed; a link to a page
    for readers may stand anywhere."""
    origins = headers.getlist("origin")
    if len(origins) > 1:
        raise OriginNotAllowed
    if origins:
        origin = origins[0].lower()
        if origin not in config.cors_origins and not _same_origin(origin, headers.get("host", "")):
            raise OriginNotAllowed
    elif headers.get("sec-fetch-site", "").lower() == "cross-site":
        followed = method in ("GET", "HEAD") and _is_followed_link(headers)
        if not (followed and path in _PAGES):
            raise OriginNotAllowed


def _is_followed_link(headers: Headers) -> bool:
    """Whether the answer is shown by itself, and not within or to the page that has the link."""
    mode, destination = headers.get("sec-fetch-mode", ""), headers.get("sec-fetch-dest", "")
    return (mode.lower(), destination.lower()) == ("navigate", "document")


def _same_origin(origin: str, host: str) -> bool:
    try:
        ours = urlsplit(f"//{host.lower()}")
        theirs = urlsplit(origin)
        default = _DEFAULT_PORTS.get(theirs.scheme)
        return default is not None and (theirs.hostname, theirs.port or default) == (
            ours.hostname,
            ours.port or default,
        )
    except ValueError:
        return False


def _host_of(header: str) -> str | None:
    """The name or address in a Host header, without its port; None where it is none."""
    if not header or any(sign in header for sign in "/@?#, \t\\"):
        return None
    try:
        parts = urlsplit(f"//{header}")
        _ = parts.port
    except ValueError:
        return None
    return parts.hostname


def _is_address(host: str) -> bool:
    """Whether it names one address: not a name, and not all addresses there are."""
    try:
        return not ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


class RightNames:
    """Refuses requests that were sent to another name, or by a web page that may not. Before CORS."""

    def __init__(self, app: ASGIApp, config: ServiceConfig) -> None:
        self._app = app
        self._config = config

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            try:
                check_host(self._config, headers)
                check_origin(self._config, headers, scope["method"], scope["path"])
            except YomitoriError as error:
                await problem(error, Request(scope))(scope, receive, send)
                return
        await self._app(scope, receive, send)


class TokenEverywhere:
    """Asks every request for the token, where others than this computer may send one. After CORS, since a
    browser asks first without the token."""

    def __init__(self, app: ASGIApp, config: ServiceConfig) -> None:
        self._app = app
        self._config = config

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            if needs_token(self._config, scope["path"], headers):
                try:
                    check_token(self._config, headers)
                except YomitoriError as error:
                    await problem(error, Request(scope))(scope, receive, send)
                    return
        await self._app(scope, receive, send)


def with_cors(app: ASGIApp, config: ServiceConfig) -> ASGIApp:
    """Tells browsers which web pages may ask; off where none may."""
    if not config.cors_origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=sorted(config.cors_origins),
        allow_methods=("GET", "POST"),
        # Whatever they ask for: OpenAI's client for pages sends a dozen of its own (X-Stainless-...), and a
        # header says nothing that an allowed page may not say.
        allow_headers=("*",),
        expose_headers=("Retry-After", "X-Request-ID"),
        allow_private_network=True,
    )
