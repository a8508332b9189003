"""What the service is set to: settings and the token, once, at its start."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from core.allow_lists import names_in
from core.settings import Service

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class ServiceConfig:
    """``deadline`` and other times in seconds; sizes in bytes. Names and origins are in lower case.

    ``queue`` bounds the jobs of a role that run or wait. ``batch``: pictures in one request of ``/batch``,
    ``pictures``: in one question. ``prompt_chars``: all text of a question with its history.
    ``body_pause``: between two pieces of a request's body, ``body_seconds``: until it has arrived.
    ``send_pause``: for a client to take what is sent. ``connections`` are open at once, each for
    ``header_seconds`` before it asks and ``keep_alive`` before it asks again. ``grace``: for answers to
    finish when the service is shut down.
    """

    host: str = "127.0.0.1"
    port: int = 9100
    token: str = ""
    require_token: bool = False
    allowed_hosts: frozenset[str] = frozenset()
    cors_origins: frozenset[str] = frozenset()
    image_hosts: frozenset[str] = frozenset()
    queue: int = 16
    deadline: float = 300.0
    body_bytes: int = 32 * MB
    batch: int = 32
    pictures: int = 16
    prompt_chars: int = 200_000
    body_pause: float = 10.0
    body_seconds: float = 120.0
    send_pause: float = 60.0
    connections: int = 512
    header_seconds: float = 10.0
    keep_alive: float = 15.0
    grace: float = 10.0

    @classmethod
    def of(cls, settings: Service, token: str = "", grace: float = 10.0) -> ServiceConfig:
        return cls(
            host=settings.host,
            port=settings.port,
            token=token,
            require_token=settings.require_token,
            allowed_hosts=names_in(settings.allowed_hosts),
            cors_origins=frozenset(name.rstrip("/") for name in names_in(settings.cors_origins)),
            image_hosts=names_in(settings.image_hosts),
            queue=settings.queue,
            deadline=float(settings.deadline),
            body_bytes=settings.body_mb * MB,
            batch=settings.batch,
            grace=grace,
        )

    @property
    def loopback(self) -> bool:
        """Whether only programs of this computer can connect."""
        return is_loopback(self.host)

    @property
    def everywhere(self) -> bool:
        """Whether every request needs the token, not only those that change something."""
        # A name of its own means that something, such as a proxy, lets other computers in.
        return self.require_token or not self.loopback or bool(self.allowed_hosts)


def is_loopback(host: str) -> bool:
    """Whether ``host``, a name or an address, is this computer to itself alone."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
