"""D-Bus for threads that may wait: plain calls, signals, and the requests of the desktop portal.

Blocking on purpose, always with a limit, and interruptible: never used in the GUI thread except for the
short look in ``service_problem``.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import socket
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any

from jeepney import DBusAddress, DBusErrorResponse, MatchRule, Message, Properties, new_method_call
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, open_dbus_connection
from jeepney.low_level import HeaderFields, MessageType
from PySide6.QtCore import QCoreApplication

PORTAL_NAME = "org.freedesktop.portal.Desktop"
PORTAL_PATH = "/org/freedesktop/portal/desktop"
APP_ID = "io.github.yomitori.Yomitori"
_CALL_LIMIT = 5.0
_LOOK_LIMIT = 2.0


class BusError(Exception):
    """The bus or the service at its other end refused, vanished or did not answer; says why."""


class Interrupted(Exception):
    """``Bus.interrupt`` was called."""


class Denied(Exception):
    """The user said no to a portal's question, or the portal ended it (``code`` 1 or 2)."""

    def __init__(self, code: int) -> None:
        super().__init__(f"response {code}")
        self.code = code


class Bus:
    """One connection to the session bus. For one thread; only ``interrupt`` may be called by others.

    Args:
        address: the bus, None for ``$DBUS_SESSION_BUS_ADDRESS``.

    Raises:
        BusError: there is no bus, or it does not let us in.
    """

    def __init__(self, address: str | None = None) -> None:
        address = address or os.environ.get("DBUS_SESSION_BUS_ADDRESS")
        if not address:
            raise BusError(QCoreApplication.translate("Bus", "there is no D-Bus session bus"))
        self._wake, self._woken = socket.socketpair()
        try:
            self._connection: DBusConnection = open_dbus_connection(address)
        except (OSError, RuntimeError, ValueError) as error:
            self._close_pair()
            raise BusError(
                QCoreApplication.translate("Bus", "the D-Bus session bus cannot be reached")
            ) from error

    def __enter__(self) -> Bus:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()
        self._close_pair()

    def _close_pair(self) -> None:
        self._wake.close()
        self._woken.close()

    def interrupt(self) -> None:
        """Make the thread that waits here, now or next, raise Interrupted. Callable from any thread."""
        with contextlib.suppress(OSError):
            self._wake.send(b"\0")

    def call(
        self,
        service: str,
        path: str,
        member: str,
        signature: str | None = None,
        body: tuple[Any, ...] = (),
        limit: float = _CALL_LIMIT,
    ) -> tuple[Any, ...]:
        """Call ``interface.Method`` (``member``) of an object and wait for the answer.

        Raises:
            BusError: an error came back, or nothing within ``limit`` seconds.
            Interrupted: from another thread.
        """
        interface, _, method = member.rpartition(".")
        return self._ask(
            new_method_call(DBusAddress(path, service, interface), method, signature, body), limit
        )

    def get_property(self, service: str, path: str, interface: str, name: str, limit: float) -> Any:
        """The value of a property; raises as ``call``."""
        message = Properties(DBusAddress(path, service, interface)).get(name)
        return self._ask(message, limit)[0][1]

    def _ask(self, message: Message, limit: float) -> tuple[Any, ...]:
        replies: deque[Message] = deque()
        serial = next(self._connection.outgoing_serial)
        rule = _ReplyRule(serial)
        with self._connection.filter(rule, queue=replies):
            try:
                self._connection.send(message, serial=serial)
            except OSError as error:
                raise BusError(str(error)) from error
            self.wait(lambda: bool(replies), limit)
        reply = replies.popleft()
        if reply.header.message_type is MessageType.error:
            raise BusError(_error_text(reply))
        return tuple(reply.body)

    def subscribe(self, **match: str) -> deque[Message]:
        """A queue that fills with the signals that match (``interface``, ``member``, ``path``, …)."""
        rule = MatchRule(type="signal", **match)
        queue: deque[Message] = deque()
        self._connection.filter(rule, queue=queue)
        self._ask(message_bus.AddMatch(rule), _CALL_LIMIT)
        return queue

    def wait(self, ready: Callable[[], bool], limit: float | None) -> None:
        """Take in messages until ``ready()``; None waits for ever.

        Raises:
            BusError: not ready after ``limit`` seconds, or the connection is lost.
            Interrupted: from another thread.
        """
        end = None if limit is None else time.monotonic() + limit
        while not ready():
            try:
                self._connection.recv_messages(timeout=0)
                continue
            except TimeoutError:
                pass
            except OSError as error:
                raise BusError(str(error)) from error
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                raise BusError(QCoreApplication.translate("Bus", "no answer came in time"))
            readable, _, _ = select.select([self._connection.sock, self._woken], [], [], left)
            if self._woken in readable:
                raise Interrupted

    def register(self) -> None:
        """Tell the portal which program this is. To be done before any other portal call.

        GNOME wants it from programs outside a sandbox; older portals do not know it.
        """
        with contextlib.suppress(BusError):
            self.call(
                PORTAL_NAME,
                PORTAL_PATH,
                "org.freedesktop.host.portal.Registry.Register",
                "sa{sv}",
                (APP_ID, {}),
                limit=_LOOK_LIMIT,
            )

    def request(
        self,
        member: str,
        signature: str,
        arguments: tuple[Any, ...],
        options: dict[str, tuple[str, Any]],
        limit: float | None,
    ) -> dict[str, Any]:
        """Call a portal method that answers through a Request; its results as plain values.

        ``arguments`` leave out the last one, the options, which get a handle token.

        Raises:
            Denied: the user said no, or the portal ended the request.
            BusError: refused, or no answer within ``limit`` seconds (None: however long the user takes).
            Interrupted: from another thread.
        """
        token = new_token()
        sender = str(self._connection.unique_name).lstrip(":").replace(".", "_")
        path = f"{PORTAL_PATH}/request/{sender}/{token}"
        answers = self.subscribe(interface="org.freedesktop.portal.Request", member="Response", path=path)
        body = (*arguments, {**options, "handle_token": ("s", token)})
        self.call(PORTAL_NAME, PORTAL_PATH, member, signature, body)
        try:
            self.wait(lambda: bool(answers), limit)
        except BusError:
            with contextlib.suppress(BusError):
                self.call(PORTAL_NAME, path, "org.freedesktop.portal.Request.Close", limit=_LOOK_LIMIT)
            raise
        code, results = answers.popleft().body
        if code != 0:
            raise Denied(code)
        return {key: value for key, (_, value) in results.items()}


class _ReplyRule:
    """Matches the answer to one call; jeepney's own rules know no serial numbers."""

    def __init__(self, serial: int) -> None:
        self._serial = serial

    def matches(self, message: Message) -> bool:
        return bool(message.header.fields.get(HeaderFields.reply_serial) == self._serial)


def _error_text(reply: Message) -> str:
    error = DBusErrorResponse(reply)
    text = error.data[0] if error.data and isinstance(error.data[0], str) else error.name
    return str(text).rstrip(".")


def new_token() -> str:
    """A name for a request or a session that nobody else has."""
    return f"yomitori_{secrets.token_hex(8)}"


def service_problem(service: str, address: str | None = None) -> str | None:
    """Why nobody answers to ``service`` on the session bus, as part of a sentence; None: it is there."""
    try:
        with Bus(address) as bus:
            return _service_problem(bus, service)
    except BusError as error:
        return str(error)


def _service_problem(bus: Bus, service: str) -> str | None:
    name, path = "org.freedesktop.DBus", "/org/freedesktop/DBus"
    owned = bus.call(name, path, f"{name}.NameHasOwner", "s", (service,), _LOOK_LIMIT)[0]
    if owned or service in bus.call(name, path, f"{name}.ListActivatableNames", limit=_LOOK_LIMIT)[0]:
        return None
    return QCoreApplication.translate("Bus", "{0} is not running").format(service)


def portal_problem(interface: str, address: str | None = None) -> str | None:
    """Why the desktop portal cannot do ``interface``, as part of a sentence; None: it can."""
    try:
        with Bus(address) as bus:
            problem = _service_problem(bus, PORTAL_NAME)
            if problem is None:
                bus.get_property(PORTAL_NAME, PORTAL_PATH, interface, "version", _LOOK_LIMIT)
            return problem
    except BusError as error:
        return str(error)
