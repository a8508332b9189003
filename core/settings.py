"""The only declaration of every setting: type, default, title, description, bounds.

The settings dialog, the command-line flags, the environment variables and the table in the user guide are
all made from this file. Precedence: command-line flag, ``YOMITORI_*``, settings file, default.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from core.allow_lists import wrong_host, wrong_origin, wrong_server
from core.aside import free_name
from core.errors import KeyInUse, SettingsDamaged, SettingsError, StorageError, YomitoriError
from core.paths import ensure_private_folder

log = logging.getLogger(__name__)


def default_hotkey(letter: str, platform: str = sys.platform) -> str:
    """The platform's default key combination for ``letter``.

    Ctrl+Alt is AltGr on Windows, where it types letters in several layouts.
    """
    return f"Alt+Shift+{letter}" if platform == "win32" else f"Ctrl+Alt+{letter}"


def _choice(title: str, description: str, labels: dict[str, str], default: str) -> Any:
    return Field(
        default=default,
        title=title,
        description=description,
        json_schema_extra={"labels": dict(labels)},
    )


def _hotkey(title: str, description: str, default: str) -> Any:
    return Field(default=default, title=title, description=description, json_schema_extra={"kind": "hotkey"})


def _listed(why_not: Callable[[str], str]) -> AfterValidator:
    """A text that is refused with the reason that ``why_not`` gives."""

    def check(text: str) -> str:
        reason = why_not(text)
        if reason:
            raise PydanticCustomError("list", "{reason}", {"reason": reason})
        return text

    return AfterValidator(check)


_DEVICE = r"^(auto|cpu|mps|cuda(:[0-9]{1,2})?)$"
_DEVICES = "auto, cpu, mps or a card such as cuda:0"


class _Group(BaseModel):
    model_config = ConfigDict(extra="ignore", validate_assignment=True, frozen=True)


class General(_Group):
    """General"""

    language: Literal["system", "en", "ja"] = _choice(
        "Language",
        "The language of menus and windows. Takes effect after a restart.",
        {"system": "As the system", "en": "English", "ja": "日本語"},
        "system",
    )
    theme: Literal["system", "light", "dark"] = _choice(
        "Appearance",
        "Light or dark windows.",
        {"system": "As the system", "light": "Light", "dark": "Dark"},
        "system",
    )


class Capture(_Group):
    """Capture"""

    snip_hotkey: str = _hotkey(
        "Snip",
        "Press it anywhere, then drag over the text. Leave it empty for none.",
        default_hotkey("S"),
    )
    repeat_hotkey: str = _hotkey(
        "Repeat the last region",
        "Reads the same place of the screen again. Leave it empty for none.",
        default_hotkey("R"),
    )
    card_hotkey: str = _hotkey(
        "Go to the result card",
        "Moves the keyboard to the card, so that Tab, Enter and Edit work there.",
        default_hotkey("E"),
    )
    backend: Literal["auto", "x11", "grim", "portal", "native"] = _choice(
        "Take the picture with",
        "Automatic takes the first way that works on this desktop.",
        {
            "auto": "Automatic",
            "x11": "X11",
            "grim": "grim (wlroots)",
            "portal": "Desktop portal",
            "native": "System (Windows, macOS)",
        },
        "auto",
    )
    hotkey_backend: Literal["auto", "x11", "portal", "windows", "macos"] = _choice(
        "Listen for hotkeys with",
        "Automatic takes the first way that works on this desktop.",
        {
            "auto": "Automatic",
            "x11": "X11 key grab",
            "portal": "Desktop portal",
            "windows": "Windows",
            "macos": "macOS",
        },
        "auto",
    )
    magnifier: bool = Field(
        default=True,
        title="Magnifier",
        description="Shows the pixels around the pointer enlarged while selecting.",
    )


class Card(_Group):
    """Result"""

    copy_text: Literal["always", "keep_images", "never"] = _choice(
        "Copy what was read",
        "Puts the text into the clipboard after each snip.",
        {
            "always": "Always",
            "keep_images": "Unless a picture is in the clipboard",
            "never": "Only when I press Copy",
        },
        "always",
    )
    show_card: bool = Field(
        default=True,
        title="Show the result card",
        description="A small card beside the region. When it is off, a notification tells the text.",
    )
    quick_text: bool = Field(
        default=True,
        title="Show a quick reading first",
        description="While MangaOCR is loading or reading, the card shows what the built-in engine read.",
    )
    card_seconds: int = Field(
        default=8,
        ge=0,
        le=600,
        title="Hide the card after",
        description="Seconds without the pointer or the keyboard on it; 0 keeps it until it is closed.",
        json_schema_extra={"unit": "s", "special": {"0": "Never"}},
    )
    text_size: int = Field(
        default=19,
        ge=12,
        le=48,
        title="Size of the text that was read",
        description="In pixels, before the scale of the screen.",
        json_schema_extra={"unit": "px"},
    )
    clipboard_backend: Literal["auto", "qt", "wl-copy"] = _choice(
        "Copy with",
        "Automatic takes the way that works on this desktop.",
        {"auto": "Automatic", "qt": "Qt", "wl-copy": "wl-copy (Wayland)"},
        "auto",
    )


class Reading(_Group):
    """Reading"""

    engine: Literal["auto", "manga-ocr", "ppocr"] = _choice(
        "Engine",
        "What reads the picture. Automatic takes MangaOCR as soon as its weights are on this computer; "
        "the built-in engine needs no download.",
        {"auto": "Automatic", "manga-ocr": "MangaOCR", "ppocr": "Built-in (PP-OCRv6)"},
        "auto",
    )
    retry_doubtful: bool = Field(
        default=True,
        title="Look again at doubtful text",
        description="MangaOCR reads a doubtful bubble in other ways, too, and keeps the best reading.",
    )
    allow_repeats: bool = Field(
        default=False,
        title="Allow drawn-out sounds",
        description="Lets MangaOCR write ドドドドド. Its makers forbid repeats, which stops it from "
        "rambling, but cuts such sounds short.",
    )
    join_lines: bool = Field(
        default=True,
        title="Join the lines of a bubble",
        description="Example: 今日は / 学校に becomes 今日は学校に. Off keeps one row per line or column.",
    )
    line_breaks: Literal["keep", "drop"] = _choice(
        "Between bubbles",
        "Whether several bubbles in one snip become several rows. "
        "Example: はい and そうか become はい / そうか or はいそうか.",
        {"keep": "Start a new row", "drop": "Write on without a break"},
        "keep",
    )
    spaces: Literal["remove", "keep"] = _choice(
        "Spaces",
        "Japanese is written without spaces; engines sometimes put them between kana. "
        "Example: そ う か becomes そうか. Spaces between Latin words stay.",
        {"remove": "Remove", "keep": "Keep"},
        "remove",
    )
    full_width: bool = Field(
        default=False,
        title="Full-width letters and digits",
        description="Example: 3月 ABC! becomes ３月　ＡＢＣ！ as MangaOCR writes them.",
    )
    ellipsis: Literal["keep", "dots", "char"] = _choice(
        "Dots",
        "How a row of dots is written. Example: え・・・ stays え・・・ as read, "
        "becomes え... with full stops, or え… with one character.",
        {"keep": "As read", "dots": "Full stops (え...)", "char": "One character (え…)"},
        "char",
    )


class Models(_Group):
    """Models & devices"""

    ocr_model: str = Field(
        default="manga-ocr",
        min_length=1,
        max_length=4096,
        title="MangaOCR model",
        description="manga-ocr, or another model in its format: a hub id (owner/name) or a folder.",
        json_schema_extra={"kind": "model"},
    )
    device: str = Field(
        default="auto",
        pattern=_DEVICE,
        title="Device",
        description="Where models run. Automatic uses the graphics card while it has room. "
        "The built-in engine always runs on the CPU.",
        json_schema_extra={"kind": "device", "expects": _DEVICES},
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = _choice(
        "Precision",
        "Half the bits need half the memory and may change a reading now and then.",
        {
            "auto": "Automatic",
            "fp32": "Full (fp32)",
            "bf16": "Half (bf16)",
            "fp16": "Half (fp16)",
        },
        "auto",
    )
    idle_unload: int = Field(
        default=300,
        ge=-1,
        le=86400,
        title="Free memory when idle for",
        description="Models are loaded again when you need them. 0 frees at once, -1 never.",
        json_schema_extra={"unit": "s", "special": {"-1": "Never", "0": "At once"}},
    )
    threads: int = Field(
        default=0,
        ge=0,
        le=256,
        title="Processor threads",
        description="How many threads a model may use; 0 takes the number of physical cores.",
        json_schema_extra={"special": {"0": "Automatic"}},
    )
    dir: str = Field(
        default="",
        max_length=4096,
        title="Folder for models",
        description="Empty: the folder that other programs using the same hub share.",
        json_schema_extra={"kind": "folder"},
    )


class Vision(_Group):
    """Asking"""

    backend: Literal["local", "remote"] = _choice(
        "Answered by",
        "What answers questions about pictures. A server gets the pictures you ask it about.",
        {"local": "This computer", "remote": "A server"},
        "local",
    )
    model: str = Field(
        default="auto",
        min_length=1,
        max_length=4096,
        title="Model",
        description="Automatic takes the largest one here that fits on the graphics card, or the smallest "
        "for the CPU. Else a name of the list, a hub id (owner/name) or a folder.",
        json_schema_extra={"kind": "model"},
    )
    device: str = Field(
        default="auto",
        pattern=_DEVICE,
        title="Device",
        description="Where the model runs. Automatic uses the graphics card while it has room.",
        json_schema_extra={"kind": "device", "expects": _DEVICES},
    )
    precision: Literal["auto", "fp32", "bf16", "fp16", "int8", "int4"] = _choice(
        "Precision",
        "Fewer bits need less memory. Half answers nearly as well, 4 bits a little worse.",
        {
            "auto": "Automatic",
            "fp32": "Full (fp32)",
            "bf16": "Half (bf16)",
            "fp16": "Half (fp16)",
            "int8": "8 bits (int8)",
            "int4": "4 bits (int4)",
        },
        "auto",
    )
    idle_unload: int = Field(
        default=300,
        ge=-1,
        le=86400,
        title="Free memory when idle for",
        description="The model is loaded again when you ask. 0 frees at once, -1 never.",
        json_schema_extra={"unit": "s", "special": {"-1": "Never", "0": "At once"}},
    )
    temperature: float = Field(
        default=0.2,
        ge=0.0,
        le=1.0,
        title="Temperature",
        description="0 gives the likeliest answer each time, 1 the most varied ones.",
    )
    top_p: float = Field(
        default=1.0,
        ge=0.05,
        le=1.0,
        title="Choose among (top_p)",
        description="Only from the likeliest words that together have this probability.",
    )
    max_tokens: int = Field(
        default=1024,
        ge=1,
        le=32768,
        title="Longest answer",
        description="In tokens: about as many as words in English, more than characters in Japanese.",
        json_schema_extra={"unit": "tokens"},
    )
    server_url: str = Field(
        default="",
        max_length=2048,
        title="Server",
        description="Its address, such as http://localhost:8000/v1: any server that speaks OpenAI's "
        "interface (vLLM, Ollama, LM Studio, llama.cpp).",
    )
    server_model: str = Field(
        default="",
        max_length=512,
        title="Model of the server",
        description="What the server calls the model that should answer.",
    )


class Panel(_Group):
    """Panel"""

    panel_hotkey: str = _hotkey(
        "Open the panel",
        "Shows the side panel, and hides it again. Leave it empty for none.",
        default_hotkey("A"),
    )
    ask_hotkey: str = _hotkey(
        "Snip and ask",
        "Press it anywhere, then drag over what you want to ask about. Leave it empty for none.",
        default_hotkey("Q"),
    )
    clipboard_hotkey: str = _hotkey(
        "Ask about the clipboard's picture",
        "Opens the panel with the picture that was copied. Leave it empty for none.",
        default_hotkey("V"),
    )
    side: Literal["right", "left"] = _choice(
        "Side of the screen",
        "Where the panel stands. It goes to the other side rather than cover what you ask about.",
        {"right": "Right", "left": "Left"},
        "right",
    )
    dock: bool = Field(
        default=False,
        title="Keep its place free",
        description="Other windows make room beside the panel, where the desktop allows that. "
        "Off, it is an ordinary window.",
    )
    width: int = Field(
        default=420,
        ge=320,
        le=1600,
        title="Width",
        description="Of the panel, in pixels before the scale of the screen. Dragging its edge changes it.",
        json_schema_extra={"unit": "px"},
    )
    give_text: bool = Field(
        default=True,
        title="Give the text that was read",
        description="The model gets the recognised text with the picture, so that it need not read it.",
    )
    language: str = Field(
        default="",
        max_length=64,
        title="Answer in",
        description="What {language} stands for in prompts, such as English. Empty: the language of menus.",
    )
    level: Literal["beginner", "intermediate", "advanced"] = _choice(
        "Your Japanese",
        "What {level} stands for in prompts.",
        {"beginner": "Beginner", "intermediate": "Intermediate", "advanced": "Advanced"},
        "beginner",
    )


class Storage(_Group):
    """Storage"""

    history: bool = Field(
        default=True,
        title="Keep a history",
        description="Snips and their text stay on this computer, readable by you alone.",
    )
    keep_days: int = Field(
        default=30,
        ge=0,
        le=36500,
        title="Keep snips for",
        description="Older ones are deleted; 0 keeps them until the space below is used up.",
        json_schema_extra={"unit": "days", "special": {"0": "No limit"}},
    )
    keep_mb: int = Field(
        default=1024,
        ge=0,
        le=1_048_576,
        title="Use at most",
        description="The oldest snips are deleted beyond that; 0 sets no limit.",
        json_schema_extra={"unit": "MB", "special": {"0": "No limit"}},
    )


class Service(_Group):
    """Service"""

    enabled: bool = Field(
        default=False,
        title="Offer the HTTP service",
        description="Scripts, browser extensions and other programs can have pictures read, and ask about "
        "them, while Yomitori runs. 'yomitori serve' does the same without a window.",
    )
    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        max_length=253,
        title="Address",
        description="127.0.0.1 is for programs on this computer alone. Another of its addresses lets other "
        "computers in, which need the token. With 0.0.0.0, which is all of them, list below those that "
        "programs ask by.",
    )
    port: int = Field(
        default=9100,
        ge=0,
        le=65535,
        title="Port",
        description="The number at which programs find the service at that address.",
        json_schema_extra={"special": {"0": "Any that is free"}},
    )
    require_token: bool = Field(
        default=False,
        title="Always ask for the token",
        description="Otherwise programs on this computer need it only to load, unload and download models.",
    )
    allowed_hosts: Annotated[str, _listed(wrong_host)] = Field(
        default="",
        max_length=4096,
        title="Other names of this computer",
        description="By which programs may ask, beside localhost, separated by commas, such as "
        "manga.example.org or 192.168.1.5. Every request then needs the token.",
    )
    cors_origins: Annotated[str, _listed(wrong_origin)] = Field(
        default="",
        max_length=4096,
        title="Web pages that may ask",
        description="Their origins, separated by commas, such as https://reader.example.org or "
        "chrome-extension://abc. Empty: none.",
    )
    image_hosts: Annotated[str, _listed(wrong_server)] = Field(
        default="",
        max_length=4096,
        title="Servers to fetch pictures from",
        description="Their names, separated by commas. Empty: pictures are only taken from requests.",
    )
    queue: int = Field(
        default=16,
        ge=1,
        le=64,
        title="Requests that may wait",
        description="For each of reading and asking, with those that are being worked on. "
        "Any more are told to come again later.",
    )
    deadline: int = Field(
        default=300,
        ge=1,
        le=86400,
        title="Longest time of a request",
        description="What is not done by then is given up.",
        json_schema_extra={"unit": "s"},
    )
    body_mb: int = Field(
        default=32,
        ge=1,
        le=1024,
        title="Largest request",
        description="With all its pictures. Larger ones are refused before they are looked at.",
        json_schema_extra={"unit": "MB"},
    )
    batch: int = Field(
        default=32,
        ge=1,
        le=256,
        title="Pictures in one request",
        description="At most so many are taken at once by /batch.",
    )


class Settings(_Group):
    """Every setting, in the order in which the dialog shows the groups."""

    general: General = Field(default_factory=General)
    capture: Capture = Field(default_factory=Capture)
    card: Card = Field(default_factory=Card)
    reading: Reading = Field(default_factory=Reading)
    models: Models = Field(default_factory=Models)
    vision: Vision = Field(default_factory=Vision)
    panel: Panel = Field(default_factory=Panel)
    storage: Storage = Field(default_factory=Storage)
    service: Service = Field(default_factory=Service)


@dataclass(frozen=True)
class SettingInfo:
    """What a form, a flag or a table needs to know about one setting.

    ``kind`` is ``bool``, ``int``, ``float``, ``choice``, ``text``, ``hotkey``, ``model``, ``device`` or
    ``folder``. ``labels`` maps each value of a choice to the words shown for it, ``special`` the numbers that
    mean something else than an amount, ``older_names`` are environment variables of other programs that set
    it.
    """

    key: str
    group: str
    group_title: str
    title: str
    description: str
    kind: str
    default: Any
    labels: dict[str, str]
    minimum: float | None
    maximum: float | None
    unit: str
    special: dict[int, str]
    older_names: tuple[str, ...] = ()

    @property
    def env_name(self) -> str:
        return "YOMITORI_" + self.key.replace(".", "_").upper()

    @property
    def flag(self) -> str:
        return "--" + self.key.replace(".", "-").replace("_", "-")


def iter_settings() -> Iterator[SettingInfo]:
    """Every setting in the order of its declaration."""
    for group, group_field in Settings.model_fields.items():
        cls = group_field.annotation
        assert isinstance(cls, type)
        assert issubclass(cls, _Group)
        for name, info in cls.model_fields.items():
            yield _describe(group, (cls.__doc__ or group).strip(), name, info)


def _describe(group: str, group_title: str, name: str, info: FieldInfo) -> SettingInfo:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    if get_origin(info.annotation) is Literal:
        kind = "choice"
        labels = {str(k): str(v) for k, v in dict(extra["labels"]).items()}  # type: ignore[arg-type]
        assert list(labels) == list(get_args(info.annotation)), name
    else:
        labels = {}
        names = {bool: "bool", int: "int", float: "float", str: "text"}
        kind = str(extra.get("kind") or names[info.annotation])  # type: ignore[index]
    bounds = {type(m).__name__: m for m in info.metadata}
    return SettingInfo(
        key=f"{group}.{name}",
        group=group,
        group_title=group_title,
        title=info.title or name,
        description=info.description or "",
        kind=kind,
        default=info.default,
        labels=labels,
        minimum=getattr(bounds.get("Ge"), "ge", None),
        maximum=getattr(bounds.get("Le"), "le", None),
        unit=str(extra.get("unit", "")),
        special={int(k): str(v) for k, v in dict(extra.get("special", {})).items()},  # type: ignore[arg-type]
        older_names=tuple(older for older, _ in _OLDER_NAMES.get(f"{group}.{name}", ())),
    )


def _checkpoint_folder(value: str) -> str | None:
    """``MANGAOCR_MODEL_PATH`` names a checkpoint only when it holds one; else it is a cache folder."""
    return str(Path(value).absolute()) if value and (Path(value) / "config.json").is_file() else None


def _cache_folder(value: str) -> str | None:
    return str(Path(value).expanduser().absolute()) if value else None


def _hub_home(value: str) -> str | None:
    return str(Path(value).expanduser().absolute() / "hub") if value else None


def _as_it_is(value: str) -> str | None:
    return value.strip() or None


_OLDER_NAMES: dict[str, tuple[tuple[str, Callable[[str], str | None]], ...]] = {
    "models.ocr_model": (("MANGAOCR_MODEL_PATH", _checkpoint_folder),),
    "models.dir": (("HF_HUB_CACHE", _cache_folder), ("HF_HOME", _hub_home)),
    # An id in LLaVA's original format is taken for that of its conversion, as wherever a model is named.
    "vision.model": (("LLAVA_MODEL_ID", _as_it_is),),
    "vision.device": (("LLAVA_DEVICE", _as_it_is),),
}
"""What else may set a value, and what it then is; None: nothing. Asked after ``YOMITORI_*``."""


def find_setting(key: str) -> SettingInfo:
    """Raises SettingsError for a key that does not exist."""
    for info in iter_settings():
        if info.key == key:
            return info
    raise SettingsError(key=key, value="set", reason="there is no such setting")


def unknown_variables(environ: Mapping[str, str], besides: Collection[str] = ()) -> list[tuple[str, str]]:
    """Variables that begin as those of a group of settings and set nothing, each with the nearest name there
    is (empty where none is near). ``besides`` are those that something else reads."""
    known = {info.env_name for info in iter_settings()} | set(besides)
    found = []
    for group in Settings.model_fields:
        prefix = f"YOMITORI_{group.upper()}_"
        tails = sorted(name.removeprefix(prefix) for name in known if name.startswith(prefix))
        for name in sorted(environ):
            if name.startswith(prefix) and name not in known:
                near = _nearest(name.removeprefix(prefix), tails)
                found.append((name, near and prefix + near))
    return found


def _nearest(word: str, words: Sequence[str]) -> str:
    """What was misspelt, cut short, or else is the most alike; empty where none is."""
    found = (
        difflib.get_close_matches(word, words, 1, 0.75)
        or sorted((longer for longer in words if word in longer), key=lambda longer: longer.find(word))
        or difflib.get_close_matches(word, words, 1, 0.5)
    )
    return found[0] if found else ""


def parse_value(info: SettingInfo, text: str) -> Any:
    """The value that ``text`` (a flag or an environment variable) means.

    Raises:
        SettingsError: the text is no value of that setting.
    """
    if info.kind == "bool":
        words = {"1": True, "true": True, "yes": True, "on": True}
        words |= {"0": False, "false": False, "no": False, "off": False}
        if text.strip().lower() not in words:
            raise SettingsError(key=info.key, value=text, reason="say true or false")
        return words[text.strip().lower()]
    if info.kind == "int":
        try:
            return int(text)
        except ValueError:
            raise SettingsError(key=info.key, value=text, reason="say a whole number") from None
    if info.kind == "float":
        try:
            return float(text)
        except ValueError:
            raise SettingsError(key=info.key, value=text, reason="say a number such as 0.2") from None
    return text


def value_of(settings: Settings, key: str) -> Any:
    """The value of ``group.name``; raises SettingsError for a key that does not exist."""
    find_setting(key)
    group, name = key.split(".")
    return getattr(getattr(settings, group), name)


def with_value(settings: Settings, key: str, value: Any) -> Settings:
    """A copy with one value changed and checked.

    Raises:
        SettingsError: no such setting, or the value is not allowed.
    """
    info = find_setting(key)
    group, name = key.split(".")
    part = getattr(settings, group)
    try:
        changed = type(part).model_validate({**part.model_dump(), name: value}, strict=True)
    except ValidationError as error:
        extra = type(part).model_fields[name].json_schema_extra
        expects = (extra.get("expects") if isinstance(extra, dict) else None) or _bounds(info)
        reason = f"say {expects}" if expects else error.errors()[0]["msg"]
        raise SettingsError(key=key, value=value, reason=reason) from None
    return settings.model_copy(update={group: changed})


def _bounds(info: SettingInfo) -> str:
    """What a number has to be, empty for other settings and for one without bounds."""
    if info.minimum is None or info.maximum is None or info.kind not in ("int", "float"):
        return ""
    if info.kind == "int":
        return f"a whole number from {int(info.minimum)} to {int(info.maximum)}"
    return f"a number from {info.minimum:g} to {info.maximum:g}"


class SettingsStore:
    """The settings in force, where each comes from, and the file that keeps them.

    A value that is not allowed falls back to its default with one warning in ``warnings``; a file that is
    no JSON is moved aside, never overwritten. Listeners run in the thread that called ``set``.
    """

    def __init__(
        self,
        path: Path,
        environ: Mapping[str, str] | None = None,
        flags: Mapping[str, Any] | None = None,
    ) -> None:
        self._path = path
        self._environ = os.environ if environ is None else environ
        self._flags = dict(flags or {})
        self._listeners: list[Callable[[Settings], None]] = []
        self.warnings: list[YomitoriError] = []
        self.overridden: dict[str, str] = {}
        self._stored: dict[str, Any] = {}
        self._read_file()
        self.current = self._resolve()

    def _parse_file(self) -> dict[str, Any]:
        """Values by key; raises as reading and parsing do."""
        raw = json.loads(self._path.read_text("utf-8"))
        if not isinstance(raw, dict):
            raise ValueError("not an object")
        groups = {group: values for group, values in raw.items() if isinstance(values, dict)}
        return {
            f"{group}.{name}": value for group, values in groups.items() for name, value in values.items()
        }

    def _read_file(self) -> None:
        try:
            self._stored = self._parse_file()
        except FileNotFoundError:
            return
        except OSError as error:
            self._warn(StorageError(path=self._path, reason=error.strerror or str(error)))
            return
        except (ValueError, RecursionError):
            aside = free_name(self._path)
            with contextlib.suppress(OSError):
                self._path.replace(aside)
            self._warn(SettingsDamaged(aside=aside))

    def _warn(self, error: YomitoriError) -> None:
        self.warnings.append(error)
        log.warning("%s", error)

    def _resolve(self) -> Settings:
        settings = Settings()
        self.overridden = {}
        for info in iter_settings():
            for source, value in self._sources(info):
                try:
                    settings = with_value(settings, info.key, value())
                except SettingsError as error:
                    self._warn(error)
                    continue
                if source:
                    self.overridden[info.key] = source
                break
        return settings

    def _sources(self, info: SettingInfo) -> Iterator[tuple[str, Callable[[], Any]]]:
        if info.key in self._flags:
            yield info.flag, lambda: self._flags[info.key]
        if info.env_name in self._environ:
            yield info.env_name, lambda: parse_value(info, self._environ[info.env_name])
        for name, read in _OLDER_NAMES.get(info.key, ()):
            value = read(self._environ.get(name, ""))
            if value is not None:
                yield name, lambda value=value: value  # type: ignore[misc]
        if info.key in self._stored:
            yield "", lambda: self._stored[info.key]

    def set(self, key: str, value: Any) -> None:
        """Check, keep and announce one value.

        Raises:
            SettingsError: not allowed, or locked by a flag or the environment.
            StorageError: the file cannot be written; the value is in force all the same.
        """
        if key in self.overridden:
            raise SettingsError(key=key, value=value, reason=f"{self.overridden[key]} sets it for this run")
        self._refuse_used_key(key, value)
        self.current = with_value(self.current, key, value)
        self._stored[key] = value
        try:
            self._write()
        finally:
            for listener in tuple(self._listeners):
                listener(self.current)

    def reread(self) -> bool:
        """Take over what another program has written into the file since; whether anything has changed.

        A file that is damaged by now changes nothing.
        """
        try:
            self._stored = self._parse_file()
        except (OSError, ValueError, RecursionError):
            return False
        before, self.current = self.current, self._resolve()
        changed = self.current != before
        if changed:
            for listener in tuple(self._listeners):
                listener(self.current)
        return changed

    def _refuse_used_key(self, key: str, value: Any) -> None:
        """Two actions with one key would leave one of them dead."""
        if not value or find_setting(key).kind != "hotkey":
            return
        for info in iter_settings():
            if info.kind == "hotkey" and info.key != key and value_of(self.current, info.key) == value:
                raise KeyInUse(key=key, value=value, other=info.title)

    def reset(self, key: str) -> None:
        """Back to the default; raises as ``set`` does."""
        self.set(key, find_setting(key).default)

    def subscribe(self, listener: Callable[[Settings], None]) -> Callable[[], None]:
        """Call ``listener`` after every change; returns the function that ends it."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            self._listeners = [known for known in self._listeners if known is not listener]

        return unsubscribe

    def _write(self) -> None:
        tree: dict[str, dict[str, Any]] = {}
        for key, value in self._stored.items():
            group, name = key.split(".", 1)
            tree.setdefault(group, {})[name] = value
        write_atomically(self._path, json.dumps(tree, ensure_ascii=False, indent=2) + "\n")


def write_atomically(path: Path, text: str) -> None:
    """Replace ``path`` by ``text`` in one step, readable by the user alone.

    Raises:
        StorageError: the folder or the file cannot be written; the old file is as it was.
    """
    ensure_private_folder(path.parent)
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
        temporary = None
    except OSError as error:
        raise StorageError(path=path, reason=error.strerror or str(error)) from error
    finally:
        if temporary:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
