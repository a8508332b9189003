"""A private D-Bus session bus, and services on it that a test writes as plain functions."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from jeepney import DBusAddress, Message, new_error, new_method_return, new_signal
from jeepney.io.blocking import open_dbus_connection
from jeepney.low_level import HeaderFields, MessageType

_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={path}</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/></policy></busconfig>"""

Handler = Callable[..., tuple[str | None, tuple[Any, ...]]]


class Refusal(Exception):
    """Raised by a handler: the caller gets a D-Bus error with this text."""


class PrivateBus:
    """``with PrivateBus() as bus:`` runs a bus of its own; no service is started by being asked for."""

    def __enter__(self) -> PrivateBus:
        self._folder = tempfile.TemporaryDirectory(prefix="bus-")
        folder = Path(self._folder.name)
        config = folder / "bus.conf"
        config.write_text(_CONFIG.format(path=folder / "socket"))
        command = ["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address=1"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().strip()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._folder.cleanup()

    def end(self) -> None:
        """The bus goes away under its users."""
        self._process.terminate()
        self._process.wait()


class FakeService:
    """A service under a well-known name: ``handlers`` maps ``interface.Method`` to a function.

    A handler gets the sender's unique name and the arguments, and returns signature and body of the
    answer. ``calls`` notes every call. ``emit`` sends signals, from any thread.
    """

    def __init__(self, address: str, name: str, handlers: dict[str, Handler]) -> None:
        self.handlers = handlers
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self._connection = open_dbus_connection(address)
        self._connection.bus_proxy.RequestName(name)
        self._lock = threading.Lock()
        self._after: list[Callable[[], None]] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=f"fake {name}")

    def __enter__(self) -> FakeService:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._thread.join()
        self._connection.close()

    def emit(self, path: str, signal: str, signature: str | None = None, body: tuple[Any, ...] = ()) -> None:
        interface, _, member = signal.rpartition(".")
        message = new_signal(DBusAddress(path, interface=interface), member, signature, body)
        with self._lock:
            self._connection.send(message)

    def afterwards(self, action: Callable[[], None]) -> None:
        """To be called by a handler: do this once the answer has been sent."""
        self._after.append(action)

    def _serve(self) -> None:
        while not self._ending.is_set():
            try:
                message = self._connection.receive(timeout=0.05)
            except TimeoutError:
                continue
            except OSError:
                return
            if message.header.message_type is MessageType.method_call:
                self._answer(message)

    def _answer(self, message: Message) -> None:
        fields = message.header.fields
        member = f"{fields.get(HeaderFields.interface)}.{fields[HeaderFields.member]}"
        self.calls.append((member, message.body))
        handler = self.handlers.get(member)
        try:
            if handler is None:
                raise Refusal(f"No such method {member}")
            reply = new_method_return(message, *handler(fields[HeaderFields.sender], *message.body))
        except Refusal as refusal:
            reply = new_error(message, "org.freedesktop.DBus.Error.Failed", "s", (str(refusal),))
        with self._lock:
            self._connection.send(reply)
        after, self._after = self._after, []
        for action in after:
            action()


class FakePortal:
    """The desktop portal: answers requests as ``responses`` says, by method name.

    A response is ``(code, results)`` or None for silence. ``interfaces`` lists what the portal offers.
    """

    PATH = "/org/freedesktop/portal/desktop"

    def __init__(
        self,
        address: str,
        interfaces: tuple[str, ...],
        responses: dict[str, Callable[..., tuple[int, dict[str, tuple[str, Any]]] | None]],
        registry: bool = True,
    ) -> None:
        handlers: dict[str, Handler] = {"org.freedesktop.DBus.Properties.Get": self._get_property}
        handlers["org.freedesktop.portal.Request.Close"] = lambda sender: (None, ())
        if registry:
            handlers["org.freedesktop.host.portal.Registry.Register"] = lambda sender, *_: (None, ())
        for member, response in responses.items():
            handlers[member] = self._request(response)
        self._interfaces = interfaces
        self.service = FakeService(address, "org.freedesktop.portal.Desktop", handlers)

    def __enter__(self) -> FakePortal:
        self.service.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.service.__exit__(kind, error, trace)

    def called(self, member: str) -> list[tuple[Any, ...]]:
        return [body for name, body in self.service.calls if name == member]

    def _get_property(self, sender: str, interface: str, name: str) -> tuple[str, tuple[Any, ...]]:
        if interface not in self._interfaces or name != "version":
            raise Refusal(f"No such interface {interface}")
        return "v", (("u", 1),)

    def _request(self, response: Callable[..., tuple[int, dict[str, Any]] | None]) -> Handler:
        def handle(sender: str, *arguments: Any) -> tuple[str, tuple[Any, ...]]:
            token = arguments[-1]["handle_token"][1]
            owner = sender.lstrip(":").replace(".", "_")
            path = f"{self.PATH}/request/{owner}/{token}"
            answer = response(*arguments)
            if answer is not None:
                signal = "org.freedesktop.portal.Request.Response"
                self.service.afterwards(lambda: self.service.emit(path, signal, "ua{sv}", answer))
            return "o", (path,)

        return handle
