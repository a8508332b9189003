"""Keys of servers: in the system's keyring or in the environment, never in a file."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, ClassVar

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.chainer import ChainerBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.backends.null import Keyring as NullKeyring
from keyring.errors import KeyringLocked, PasswordDeleteError, PasswordSetError

from core.vision.errors import KeyringUnavailable, RemoteAddressInvalid
from core.vision.keys import SERVICE, VARIABLE, delete_key, get_key, set_key

URL = "http://localhost:8000/v1"
KEY = "sk-hunter2"
NOTHING: dict[str, str] = {}


class MemoryKeyring(KeyringBackend):
    """A keyring that works, as long as the test runs."""

    priority: ClassVar[float] = 9

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.kept:
            raise PasswordDeleteError("no such password")
        del self.kept[service, username]


class FaultyKeyring(MemoryKeyring):
    """One that raises, with the key in its words."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def get_password(self, service: str, username: str) -> str | None:
        raise self.error

    def set_password(self, service: str, username: str, password: str) -> None:
        raise self.error


class WaitingKeyring(MemoryKeyring):
    """One that lets everybody wait until ``answers`` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = threading.Event()
        self.waiting: list[threading.Thread] = []

    def _wait(self) -> None:
        self.waiting.append(threading.current_thread())
        assert self.answers.wait(60.0)

    def get_password(self, service: str, username: str) -> str | None:
        self._wait()
        return super().get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self._wait()
        super().set_password(service, username, password)


# As the package keyrings.alt has it: a file with the keys as they are.
PlainTextKeyring = type("PlaintextKeyring", (MemoryKeyring,), {"__module__": "keyrings.alt.file"})


@pytest.fixture(autouse=True)
def _own_keyring(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test touches the developer's own keyring."""
    monkeypatch.delenv(VARIABLE, raising=False)
    before = keyring.get_keyring()
    keyring.set_keyring(NoKeyring())  # type: ignore[no-untyped-call]
    yield
    keyring.set_keyring(before)


@pytest.fixture
def ring() -> MemoryKeyring:
    ring = MemoryKeyring()
    keyring.set_keyring(ring)
    return ring


def test_a_key_is_kept_under_the_normal_form_of_the_address(ring: MemoryKeyring) -> None:
    # Given a key kept for an address as it was typed
    set_key(" localhost:8000/ ", f" {KEY}\n")
    # Then the keyring has it under ours and the server's name, and any spelling finds it
    assert ring.kept == {(SERVICE, URL): KEY}
    assert get_key("HTTP://LOCALHOST:8000/v1/", NOTHING) == KEY
    # But not another server
    assert get_key("localhost:8001", NOTHING) == ""


def test_a_key_can_be_replaced_and_deleted(ring: MemoryKeyring) -> None:
    set_key(URL, "old")
    set_key(URL, KEY)
    assert get_key(URL, NOTHING) == KEY
    delete_key(URL)
    assert ring.kept == {}
    delete_key(URL)  # without effect
    set_key(URL, KEY)
    set_key(URL, "")
    assert ring.kept == {}


def test_the_environment_comes_first(ring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch) -> None:
    set_key(URL, KEY)
    assert get_key(URL, {VARIABLE: " other "}) == "other"
    monkeypatch.setenv(VARIABLE, "from the real one")
    assert get_key(URL) == "from the real one"


def test_without_a_keyring_the_environment_is_left() -> None:
    # Given no keyring, as on a machine without a desktop
    with pytest.raises(KeyringUnavailable, match="no keyring on this computer") as caught:
        set_key(URL, KEY)
    # Then the hint names the way out, and asking a server that needs no key works
    assert VARIABLE in caught.value.advice
    assert get_key(URL, NOTHING) == ""
    assert get_key(URL, {VARIABLE: KEY}) == KEY
    delete_key(URL)


def test_a_keyring_that_forgets_is_found_out() -> None:
    keyring.set_keyring(NullKeyring())  # type: ignore[no-untyped-call]
    with pytest.raises(KeyringUnavailable, match="does not give back"):
        set_key(URL, KEY)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (KeyringLocked(f"{KEY} is locked"), "it is locked"),
        (PasswordSetError(f"{KEY} not set"), "does not open"),
        (ConnectionResetError(f"the bus is gone with {KEY}"), "does not open"),
    ],
)
def test_a_keyring_that_fails_is_told_without_the_key(error: Exception, reason: str) -> None:
    keyring.set_keyring(FaultyKeyring(error))
    calls: list[Any] = [lambda: get_key(URL, NOTHING), lambda: set_key(URL, KEY), lambda: delete_key(URL)]
    for call in calls:
        with pytest.raises(KeyringUnavailable, match=reason) as caught:
            call()
        assert KEY not in caught.value.message + str(caught.value.to_json())


def test_a_keyring_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = WaitingKeyring()
    keyring.set_keyring(ring)
    monkeypatch.setattr("core.vision.keys.PATIENCE", 0.02)
    try:
        calls: list[Any] = [
            lambda: get_key(URL, NOTHING),
            lambda: set_key(URL, KEY),
            lambda: delete_key(URL),
        ]
        for call in calls:
            with pytest.raises(KeyringUnavailable, match="it does not answer") as caught:
                call()
            assert KEY not in caught.value.message
        # Then nothing that waits for it holds up the end of the program
        assert len(ring.waiting) == 3
        assert all(thread.daemon for thread in ring.waiting)
        # And a key of the environment needs no keyring
        assert get_key(URL, {VARIABLE: KEY}) == KEY
    finally:
        ring.answers.set()


def test_a_file_that_calls_itself_a_keyring_is_not_used() -> None:
    plain = PlainTextKeyring()
    keyring.set_keyring(plain)
    with pytest.raises(KeyringUnavailable, match="no keyring"):
        set_key(URL, KEY)
    assert plain.kept == {}


def test_a_file_is_passed_over_where_several_keyrings_are_chained(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, good = PlainTextKeyring(), MemoryKeyring()
    monkeypatch.setattr(ChainerBackend, "backends", [plain, good])
    keyring.set_keyring(ChainerBackend())  # type: ignore[no-untyped-call]
    set_key(URL, KEY)
    assert (plain.kept, list(good.kept.values())) == ({}, [KEY])


def test_what_is_no_address_has_no_key(ring: MemoryKeyring) -> None:
    for call in (lambda: get_key("ftp://h", NOTHING), lambda: set_key("ftp://h", KEY)):
        with pytest.raises(RemoteAddressInvalid):
            call()
