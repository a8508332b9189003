"""The token of the service: a named file, the keyring, or a file of the user's own."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backends.fail import Keyring as NoKeyring

from core.errors import UsageError
from core.paths import Paths
from core.service_errors import TokenUnusable
from core.vision.keys import SERVICE
from service import token_store
from service.token_store import KEYRING, NAME, VARIABLE, Token, find_token, make_token
from tests.support.keyrings import MemoryKeyring

TOKEN = "0123456789abcdef-test"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.below(tmp_path)


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    """The user's keyring; empty."""
    before = keyring.get_keyring()
    ring = MemoryKeyring()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


@pytest.fixture
def no_ring() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(NoKeyring())  # type: ignore[no-untyped-call]
    yield
    keyring.set_keyring(before)


def own_file(paths: Paths, text: str = TOKEN, mode: int = 0o600) -> Path:
    paths.config.mkdir(parents=True, exist_ok=True)
    file = paths.config / NAME
    file.write_text(text)
    file.chmod(mode)
    return file


def test_a_named_file_comes_before_the_keyring_and_that_before_the_own_file(
    paths: Paths, ring: MemoryKeyring, tmp_path: Path
) -> None:
    assert find_token(paths, {}) is None
    file = own_file(paths, TOKEN + "\n")
    assert find_token(paths, {}) == Token(TOKEN, str(file))
    ring.kept[SERVICE, NAME] = TOKEN + "-ring"
    assert find_token(paths, {}) == Token(TOKEN + "-ring", KEYRING)
    named = tmp_path / "named"
    named.write_text(TOKEN + "-named")
    # As a container is given it.
    named.chmod(0o444)
    assert find_token(paths, {VARIABLE: str(named)}) == Token(TOKEN + "-named", str(named), exposed=True)


def test_whether_others_may_read_a_named_file_is_known(
    tmp_path: Path, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = tmp_path / "named"
    named.write_text(TOKEN)
    for mode, exposed in ((0o600, False), (0o400, False), (0o640, True), (0o644, True)):
        named.chmod(mode)
        found = find_token(paths, {VARIABLE: str(named)})
        assert found is not None
        assert found.exposed is exposed
    # Nobody else is in a container.
    monkeypatch.setattr(token_store, "_SECRETS", str(tmp_path))
    found = find_token(paths, {VARIABLE: str(named)})
    assert found is not None
    assert not found.exposed


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_an_own_file_that_others_can_read_is_refused(paths: Paths, no_ring: None, mode: int) -> None:
    own_file(paths, mode=mode)
    with pytest.raises(TokenUnusable, match="chmod 600") as caught:
        find_token(paths, {})
    assert TOKEN not in str(caught.value.params)


@pytest.mark.parametrize(
    "text", ["", "short", "a token with spaces", "x" * 600, "日本語" * 10, f"{TOKEN}\nand more"]
)
def test_what_is_no_token_is_refused(paths: Paths, no_ring: None, text: str) -> None:
    own_file(paths, text)
    with pytest.raises(TokenUnusable, match="16 to 512") as caught:
        find_token(paths, {})
    assert text == "" or text not in str(caught.value.params)


def test_a_named_file_that_is_not_there_is_told_and_nothing_else_is_taken(
    paths: Paths, no_ring: None
) -> None:
    own_file(paths)
    with pytest.raises(TokenUnusable, match="No such file"):
        find_token(paths, {VARIABLE: str(paths.config / "nothing")})


def test_a_keyring_that_does_not_open_is_passed_by(paths: Paths, ring: MemoryKeyring) -> None:
    file = own_file(paths)
    ring.locked = True
    assert find_token(paths, {}) == Token(TOKEN, str(file))
    ring.locked = False
    ring.opened.clear()
    try:
        # Nobody is there to unlock it.
        assert find_token(paths, {}, patience=0.05) == Token(TOKEN, str(file))
    finally:
        ring.opened.set()


def test_a_new_token_is_kept_in_the_keyring_and_replaces_the_file(paths: Paths, ring: MemoryKeyring) -> None:
    file = own_file(paths)
    token = make_token(paths, {})
    assert (token.source, ring.kept[SERVICE, NAME], file.exists()) == (KEYRING, token.value, False)
    assert find_token(paths, {}) == token
    assert make_token(paths, {}).value != token.value


def test_without_a_keyring_a_file_keeps_it_that_only_the_user_can_read(paths: Paths, no_ring: None) -> None:
    token = make_token(paths, {})
    file = paths.config / NAME
    assert token.source == str(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert find_token(paths, {}) == token
    assert len(token.value) >= 43


def test_a_token_that_is_made_by_itself_asks_no_keyring(paths: Paths, ring: MemoryKeyring) -> None:
    assert make_token(paths, {}, keyring=False).source == str(paths.config / NAME)
    assert ring.kept == {}


def test_a_token_that_a_variable_names_is_not_replaced(paths: Paths, no_ring: None) -> None:
    with pytest.raises(UsageError, match=VARIABLE):
        make_token(paths, {VARIABLE: "/somewhere"})
    assert not paths.config.exists()


def test_a_token_is_not_shown() -> None:
    assert TOKEN not in f"{Token(TOKEN, KEYRING)!r} {Token(TOKEN, KEYRING)}"
