"""Presets: how an answer is chosen, and what the model is told to be, under one name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.chat import GenerationOptions
from core.errors import SettingsError, YomitoriError
from core.kept_list import KeptList
from core.settings import Settings, find_setting, with_value

MAX_SEED = 2**31 - 1
"""The largest that every server takes."""

AS_IN_SETTINGS = "balanced"
"""The key of the built-in preset that has the values of the settings."""

_OWN = "own:"


@dataclass(frozen=True, slots=True)
class Preset:
    """``system`` is the system prompt, empty for none of its own. ``key`` is empty for the user's presets;
    the names of the others are English here, and looked up by the desktop."""

    name: str
    options: GenerationOptions
    system: str = ""
    key: str = ""

    @property
    def id(self) -> str:
        """Tells it from every other one: several may have equal values."""
        return self.key or _OWN + self.name


def built_in(settings: GenerationOptions) -> tuple[Preset, ...]:
    """Those that are always there; ``settings`` are the values of the settings."""
    return (
        Preset("Exact", replace(settings, temperature=0.0, top_p=1.0), key="exact"),
        Preset("Balanced", settings, key=AS_IN_SETTINGS),
        Preset("Lively", replace(settings, temperature=0.8, top_p=0.95), key="lively"),
    )


def checked(options: GenerationOptions) -> GenerationOptions:
    """The same options.

    Raises:
        SettingsError: a value is none that the settings allow, or no seed.
    """
    for name in ("temperature", "top_p", "max_tokens"):
        with_value(Settings(), f"vision.{name}", getattr(options, name))
    seed = options.seed
    if seed is not None and (type(seed) is not int or not 0 <= seed <= MAX_SEED):
        raise SettingsError(key="seed", value=seed, reason="say a whole number, 0 or more")
    return options


def kept_options(kept: object, otherwise: GenerationOptions) -> tuple[GenerationOptions, list[SettingsError]]:
    """Options that were kept as JSON, each value as near as the settings allow.

    What is missing or no number is as in ``otherwise``. For each value that was changed there is an error
    that tells what it was.
    """
    raw = kept if isinstance(kept, dict) else {}
    changes: dict[str, Any] = {}
    problems = []
    for name in ("temperature", "top_p", "max_tokens", "seed"):
        if name not in raw:
            continue
        value = raw[name]
        try:
            checked(replace(otherwise, **{name: value}))
        except SettingsError as error:
            problems.append(error)
            nearest = _nearest(name, value)
            if nearest is not None:
                changes[name] = nearest
        else:
            changes[name] = value
    return replace(otherwise, **changes), problems


def _nearest(name: str, value: object) -> float | int | None:
    """The allowed value that is nearest to ``value``, None for what is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return None
    if name == "seed":
        # A seed that is not the same one gives another answer anyway.
        return None
    info = find_setting(f"vision.{name}")
    assert info.minimum is not None
    assert info.maximum is not None
    bounded = min(max(value, info.minimum), info.maximum)
    return int(bounded) if info.kind == "int" else float(bounded)


class PresetLibrary:
    """The built-in presets and the user's own, which are kept in a file.

    ``settings`` tells the values that the settings have now. A file that is damaged is put aside, with an
    error in ``warnings``. Listeners run in the thread that made the change.
    """

    def __init__(self, path: Path, settings: Callable[[], GenerationOptions]) -> None:
        self._file = KeptList(path, "presets")
        self._settings = settings
        self._listeners: list[Callable[[], None]] = []
        self._own = tuple(self._file.read(_from_json) or ())

    @property
    def warnings(self) -> Sequence[YomitoriError]:
        """What was wrong with the file."""
        return self._file.warnings

    def presets(self) -> tuple[Preset, ...]:
        """The built-in ones, then the user's own, in the order in which they were first saved."""
        return (*built_in(self._settings()), *self._own)

    def as_in_settings(self) -> Preset:
        """The built-in one with the values of the settings."""
        return next(preset for preset in built_in(self._settings()) if preset.key == AS_IN_SETTINGS)

    def save(self, name: str, options: GenerationOptions, system: str, place: int | None = None) -> Preset:
        """Keep these as a preset; it takes the place of the user's own one with that name. A new one comes
        last, or to ``place`` among the user's own.

        Raises:
            SettingsError: no name, that of a built-in one, or values that are not allowed.
            StorageError: the file cannot be written; the preset is there all the same, until the end.
        """
        made = Preset(self._name(name), checked(options), system)
        if self._place_of(made.name) is not None:
            self._keep(tuple(made if preset.name == made.name else preset for preset in self._own))
        else:
            at = len(self._own) if place is None else place
            self._keep((*self._own[:at], made, *self._own[at:]))
        return made

    def rename(self, name: str, to: str) -> Preset:
        """Give the user's own preset ``name`` another name, in its place.

        Raises:
            SettingsError: there is none, no name, or another one has that name.
            StorageError: as ``save``.
        """
        at = self._place_of(name)
        if at is None:
            raise SettingsError(key="preset", value=name, reason="there is none of that name")
        to = self._name(to)
        if self._place_of(to) not in (None, at):
            raise SettingsError(key="preset", value=to, reason="another one has that name")
        made = replace(self._own[at], name=to)
        self._keep((*self._own[:at], made, *self._own[at + 1 :]))
        return made

    def delete(self, name: str) -> None:
        """Forget the user's own preset of that name, if there is one; raises StorageError as ``save``."""
        self._keep(tuple(preset for preset in self._own if preset.name != name))

    def _place_of(self, name: str) -> int | None:
        return next((at for at, preset in enumerate(self._own) if preset.name == name), None)

    def _name(self, name: str) -> str:
        """``name`` without spaces that cannot be seen; raises SettingsError where it cannot be one."""
        name = " ".join(name.split())
        if not name:
            raise SettingsError(key="preset", value=name, reason="it needs a name")
        if name.casefold() in (preset.name.casefold() for preset in built_in(self._settings())):
            raise SettingsError(key="preset", value=name, reason="a built-in one has that name")
        return name

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener`` after every change of the user's own; returns the function that ends it."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            self._listeners = [known for known in self._listeners if known is not listener]

        return unsubscribe

    def _keep(self, own: tuple[Preset, ...]) -> None:
        self._own = own
        try:
            self._file.write([_to_json(preset) for preset in own])
        finally:
            for listener in tuple(self._listeners):
                listener()


def _to_json(preset: Preset) -> dict[str, Any]:
    return {"name": preset.name, "options": preset.options.to_json(), "system": preset.system}


def _from_json(entry: dict[str, Any]) -> Preset:
    name, system = entry["name"], entry["system"]
    if not isinstance(name, str) or not isinstance(system, str) or not name:
        raise TypeError("not a text")
    return Preset(name, checked(GenerationOptions.from_json(entry["options"])), system)
