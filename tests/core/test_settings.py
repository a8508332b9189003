"""Settings: one declaration, three sources, a file that is never lost. And the folders."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.errors import SettingsError, StorageError
from core.paths import Paths, ensure_private_folder
from core.settings import (
    SettingInfo,
    Settings,
    SettingsStore,
    default_hotkey,
    find_setting,
    iter_settings,
    parse_value,
    value_of,
    with_value,
    write_atomically,
)
from tests.support.ordinary_user import run_as_ordinary_user

SETTINGS = list(iter_settings())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.json"


def another_value(info: SettingInfo) -> Any:
    """A value that is allowed and is not the default."""
    if info.kind == "bool":
        return not info.default
    if info.kind == "int":
        return info.maximum
    if info.kind == "float":
        return 0.5
    if info.kind == "choice":
        return next(value for value in info.labels if value != info.default)
    if info.kind == "text":
        return "https://example.org" if info.key == "service.cors_origins" else "example.org"
    return {"device": "cuda:1", "model": "owner/name", "folder": "/models"}.get(info.kind, "Ctrl+F9")


# --- the declaration -------------------------------------------------------------------------------------


@pytest.mark.parametrize("info", SETTINGS, ids=lambda info: info.key)
def test_each_setting_says_what_it_is(info: SettingInfo) -> None:
    assert info.kind in ("bool", "int", "float", "choice", "text", "hotkey", "model", "device", "folder")
    assert info.title
    assert info.title[0].isupper()
    assert info.description.endswith(".")
    assert value_of(Settings(), info.key) == info.default
    if info.kind == "choice":
        assert info.default in info.labels
    if info.kind in ("int", "float"):
        assert info.minimum is not None
        assert info.maximum is not None
        assert info.minimum <= info.default <= info.maximum
        assert all(info.minimum <= number <= info.maximum for number in info.special)
    else:
        assert not info.special


def test_names_of_flags_and_variables_do_not_clash() -> None:
    assert len({info.env_name for info in SETTINGS}) == len(SETTINGS)
    assert len({info.flag for info in SETTINGS}) == len(SETTINGS)
    info = find_setting("models.idle_unload")
    assert (info.env_name, info.flag) == ("YOMITORI_MODELS_IDLE_UNLOAD", "--models-idle-unload")


def test_the_default_hotkey_is_no_altgr_on_windows() -> None:
    assert default_hotkey("S", "win32") == "Alt+Shift+S"
    assert default_hotkey("S", "linux") == "Ctrl+Alt+S"


@pytest.mark.parametrize("key", ["nothing", "models.nothing", "models", "a.b.c", ""])
def test_a_setting_that_does_not_exist_is_an_error(key: str) -> None:
    for use in (find_setting, lambda k: with_value(Settings(), k, 1), lambda k: value_of(Settings(), k)):
        with pytest.raises(SettingsError):
            use(key)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("models.idle_unload", -2),
        ("models.idle_unload", "300"),
        ("models.idle_unload", True),
        ("models.idle_unload", 1.5),
        ("card.text_size", 11),
        ("card.show_card", "yes"),
        ("card.show_card", 1),
        ("general.theme", "pink"),
        ("capture.snip_hotkey", 5),
        ("capture.snip_hotkey", None),
    ],
)
def test_a_value_of_the_wrong_kind_or_beyond_the_bounds_is_refused(key: str, value: object) -> None:
    with pytest.raises(SettingsError) as caught:
        with_value(Settings(), key, value)
    assert key in caught.value.message


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("card.show_card", "off", False),
        ("card.show_card", " TRUE ", True),
        ("card.show_card", "0", False),
        ("models.idle_unload", "-1", -1),
        ("general.theme", "dark", "dark"),
    ],
)
def test_text_of_flags_and_variables_is_understood(key: str, text: str, value: object) -> None:
    assert parse_value(find_setting(key), text) == value


@pytest.mark.parametrize(("key", "text"), [("card.show_card", "maybe"), ("models.threads", "two")])
def test_text_that_means_nothing_is_refused(key: str, text: str) -> None:
    with pytest.raises(SettingsError):
        parse_value(find_setting(key), text)


# --- the store -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("info", SETTINGS, ids=lambda info: info.key)
def test_what_is_set_is_there_after_a_restart(info: SettingInfo, file: Path) -> None:
    store = SettingsStore(file, environ={})
    store.set(info.key, another_value(info))
    again = SettingsStore(file, environ={})
    assert value_of(again.current, info.key) == another_value(info)
    assert again.warnings == []
    again.reset(info.key)
    assert SettingsStore(file, environ={}).current == Settings()


def test_the_names_that_other_programs_use_count_after_ours(file: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint"
    checkpoint.mkdir()
    (checkpoint / "config.json").write_text("{}")
    environ = {"MANGAOCR_MODEL_PATH": str(checkpoint), "HF_HOME": "/hub-home", "HF_HUB_CACHE": "/hub-cache"}
    store = SettingsStore(file, environ)
    assert store.current.models.ocr_model == str(checkpoint)
    assert store.current.models.dir == str(Path("/hub-cache").absolute())
    assert store.overridden == {"models.ocr_model": "MANGAOCR_MODEL_PATH", "models.dir": "HF_HUB_CACHE"}
    del environ["HF_HUB_CACHE"]
    assert SettingsStore(file, environ).current.models.dir == str(Path("/hub-home/hub").absolute())
    environ["YOMITORI_MODELS_DIR"] = "/ours"
    assert SettingsStore(file, environ).current.models.dir == "/ours"


def test_a_path_without_a_checkpoint_in_it_names_no_model(file: Path, tmp_path: Path) -> None:
    store = SettingsStore(file, {"MANGAOCR_MODEL_PATH": str(tmp_path)})
    assert store.current.models.ocr_model == "manga-ocr"
    assert store.overridden == {}


@pytest.mark.parametrize("device", ["auto", "cpu", "mps", "cuda", "cuda:0", "cuda:11"])
def test_devices_that_can_be_asked_for(device: str) -> None:
    assert with_value(Settings(), "models.device", device).models.device == device


@pytest.mark.parametrize("device", ["", "gpu", "cuda:", "cuda:x", "CUDA:0", "cuda:0 "])
def test_devices_that_cannot(device: str) -> None:
    with pytest.raises(SettingsError):
        with_value(Settings(), "models.device", device)


def test_a_flag_wins_over_the_environment_and_that_over_the_file(file: Path) -> None:
    file.parent.mkdir()
    file.write_text('{"models": {"threads": 1, "idle_unload": 1}, "card": {"text_size": 20}}')
    environ = {"YOMITORI_MODELS_THREADS": "2", "YOMITORI_MODELS_IDLE_UNLOAD": "2"}
    store = SettingsStore(file, environ, {"models.threads": 3})
    assert store.current.models.threads == 3
    assert store.current.models.idle_unload == 2
    assert store.current.card.text_size == 20
    assert store.overridden == {
        "models.threads": "--models-threads",
        "models.idle_unload": "YOMITORI_MODELS_IDLE_UNLOAD",
    }
    # An overridden value is locked, and says by what
    with pytest.raises(SettingsError, match="YOMITORI_MODELS_IDLE_UNLOAD"):
        store.set("models.idle_unload", 5)


def test_a_bad_value_falls_back_with_one_warning_and_the_rest_is_used(file: Path) -> None:
    file.parent.mkdir()
    file.write_text('{"models": {"threads": "many"}, "card": {"text_size": 20}, "old": {"x": 1}, "odd": 5}')
    store = SettingsStore(file, environ={"YOMITORI_CARD_SHOW_CARD": "perhaps"})
    assert store.current.models.threads == 0
    assert store.current.card.text_size == 20
    assert store.current.card.show_card is True
    assert len(store.warnings) == 2
    assert store.overridden == {}


def test_settings_of_another_version_survive_a_change(file: Path) -> None:
    file.parent.mkdir()
    file.write_text('{"future": {"thing": 7}}')
    SettingsStore(file, environ={}).set("models.threads", 1)
    assert json.loads(file.read_text()) == {"future": {"thing": 7}, "models": {"threads": 1}}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe\x00", b"null", b'{"a": 1', b"[" * 100_000])
def test_a_damaged_file_is_moved_aside_and_said(file: Path, content: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(content)
    store = SettingsStore(file, environ={})
    assert store.current == Settings()
    assert len(store.warnings) == 1
    (aside,) = file.parent.glob("settings.json.broken-*")
    assert aside.read_bytes() == content
    store.set("models.threads", 1)
    assert SettingsStore(file, environ={}).current.models.threads == 1


@hypothesis_settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    tree=st.dictionaries(
        st.sampled_from(["general", "capture", "card", "models", "storage", "x", "", "a.b"]),
        st.one_of(
            st.none(),
            st.integers(),
            st.dictionaries(
                st.sampled_from(["theme", "text_size", "threads", "history", "keep_days", "y", ""]),
                st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.just([1])),
                max_size=4,
            ),
        ),
        max_size=5,
    )
)
def test_any_json_object_gives_usable_settings(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, Any]
) -> None:
    file = tmp_path_factory.mktemp("config") / "settings.json"
    file.write_text(json.dumps(tree))
    store = SettingsStore(file, environ={})
    for info in SETTINGS:
        with_value(Settings(), info.key, value_of(store.current, info.key))
    store.set("models.threads", 3)
    assert SettingsStore(file, environ={}).current == store.current


def test_listeners_hear_of_each_change_until_they_leave(file: Path) -> None:
    store = SettingsStore(file, environ={})
    heard: list[int] = []
    leave = store.subscribe(lambda settings: heard.append(settings.models.threads))
    store.set("models.threads", 2)
    with pytest.raises(SettingsError):
        store.set("models.threads", -1)
    leave()
    store.set("models.threads", 4)
    assert heard == [2]


def test_what_another_program_has_changed_is_taken_over_when_asked_for(file: Path) -> None:
    store, other = SettingsStore(file, environ={}), SettingsStore(file, environ={})
    heard: list[int] = []
    store.subscribe(lambda settings: heard.append(settings.card.text_size))
    assert not store.reread()
    other.set("card.text_size", 30)
    assert store.reread()
    assert (store.current.card.text_size, heard) == (30, [30])
    # But nothing of a file that is damaged by then
    file.write_text("{")
    assert not store.reread()
    assert store.current.card.text_size == 30


def test_a_file_that_cannot_be_written_is_said_and_the_value_is_in_force(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a file where the folder should be")
    store = SettingsStore(tmp_path / "config" / "settings.json", environ={})
    heard: list[Settings] = []
    store.subscribe(heard.append)
    with pytest.raises(StorageError):
        store.set("models.threads", 2)
    assert store.current.models.threads == 2
    assert heard == [store.current]


@pytest.mark.skipif(os.name != "posix", reason="rights as POSIX has them")
def test_the_file_is_the_users_alone_and_nothing_is_left_beside_it(file: Path) -> None:
    SettingsStore(file, environ={}).set("models.threads", 2)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [path.name for path in file.parent.iterdir()] == ["settings.json"]


def test_a_write_that_fails_leaves_the_old_file(file: Path) -> None:
    write_atomically(file, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(file, "\ud800")
    assert file.read_text() == "old"
    assert [path.name for path in file.parent.iterdir()] == ["settings.json"]


# --- folders ---------------------------------------------------------------------------------------------


def test_one_variable_moves_all_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOMITORI_HOME", str(tmp_path / "here"))
    paths = Paths.for_user()
    assert paths == Paths.below(tmp_path / "here")
    assert paths.settings_file == tmp_path / "here" / "config" / "settings.json"
    assert paths.history_file == tmp_path / "here" / "data" / "history.sqlite3"
    assert not (tmp_path / "here").exists()


def test_without_it_the_platforms_folders_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("YOMITORI_HOME")
    paths = Paths.for_user()
    for folder in (paths.config, paths.data, paths.cache, paths.log, paths.runtime):
        assert folder.is_absolute()
        assert "yomitori" in str(folder)


def test_a_private_folder_is_made_once(tmp_path: Path) -> None:
    folder = ensure_private_folder(tmp_path / "a" / "b")
    assert folder.is_dir()
    assert ensure_private_folder(folder) == folder


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        ensure_private_folder(tmp_path / "file" / "folder")
    with pytest.raises(StorageError):
        ensure_private_folder(tmp_path / "file")


@pytest.mark.skipif(os.name != "posix", reason="rights as POSIX has them")
@pytest.mark.parametrize(
    ("rights", "folder", "reason"),
    [
        (0o000, "locked", "you may not write there"),
        (0o000, "locked/inner", "Permission denied"),
        (0o500, "locked", "you may not write there"),
        (0o500, "locked/inner", "Permission denied"),
    ],
)
def test_a_folder_without_rights_is_a_storage_error(rights: int, folder: str, reason: str) -> None:
    done = run_as_ordinary_user(
        "from core.errors import StorageError; from core.paths import ensure_private_folder",
        f"""
locked.chmod({rights})
try:
    ensure_private_folder(locked.parent / {folder!r})
except StorageError as error:
    print(error.params["reason"])
""",
    )
    assert done.stdout.strip() == reason, done.stderr


def test_the_older_names_of_the_model_that_answers_count_after_ours(file: Path) -> None:
    environ = {"LLAVA_MODEL_ID": "liuhaotian/llava-v1.5-7b", "LLAVA_DEVICE": "cuda"}
    store = SettingsStore(file, environ)
    assert (store.current.vision.model, store.current.vision.device) == ("liuhaotian/llava-v1.5-7b", "cuda")
    assert store.overridden == {"vision.model": "LLAVA_MODEL_ID", "vision.device": "LLAVA_DEVICE"}
    environ |= {"YOMITORI_VISION_MODEL": "auto", "LLAVA_DEVICE": "gpu"}
    store = SettingsStore(file, environ)
    assert (store.current.vision.model, store.current.vision.device) == ("auto", "auto")
    (warning,) = store.warnings
    assert "vision.device cannot be gpu" in warning.message
    assert SettingsStore(file, {"LLAVA_MODEL_ID": " ", "LLAVA_DEVICE": ""}).overridden == {}


def test_the_service_s_settings_have_the_names_that_its_documentation_gives() -> None:
    names = {info.env_name for info in SETTINGS if info.group == "service"}
    assert {
        "YOMITORI_SERVICE_ALLOWED_HOSTS",
        "YOMITORI_SERVICE_CORS_ORIGINS",
        "YOMITORI_SERVICE_PORT",
    } <= names
    assert not Settings().service.enabled
    assert Settings().service.host == "127.0.0.1"
