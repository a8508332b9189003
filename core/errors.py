"""The one exception tree. Each error is a sentence for the user and a hint what to do.

::

    YomitoriError
    ├── InputError                 what was given cannot be used
    │   ├── NotAnImage
    │   ├── ImageDamaged
    │   ├── ImageTooLarge
    │   ├── PicturesTooLarge       together
    │   ├── FileUnreadable
    │   ├── NoPictures
    │   │   └── PicturesDeeper     they lie in folders inside it
    │   ├── NothingInClipboard
    │   └── ImportFailed           what should be imported holds no model
    ├── SettingsError              a setting's name or value is wrong
    │   ├── SettingsDamaged        the file was moved aside
    │   ├── KeyInUse               two actions cannot have one key
    │   └── ServerNotSet           questions should go to a server, and none is named
    ├── StorageError               a folder or database cannot be read or written
    │   ├── DiskFull
    │   ├── NotEnoughDisk          said before a download begins
    │   │   └── FixedFolderFull        something fixes the folder for this run
    │   ├── ModelsFolderUnusable   models cannot be kept there
    │   │   ├── ModelsFolderLocked     carries the command that gives the right to write
    │   │   │   └── FixedFolderLocked      something fixes the folder for this run
    │   │   └── FixedFolderUnusable        the same
    │   └── HistoryDamaged         the file was moved aside
    ├── ModelError                 a model could not do its work
    │   ├── UnknownEngine
    │   ├── LoadFailed
    │   ├── NotEnoughMemory
    │   ├── ModelMissing           its weights are not on this computer
    │   │   └── ImportGone             it was imported, so no hub has it
    │   ├── ModelImported          a hub was to be asked for a model that was imported
    │   ├── NothingToRemove
    │   ├── NoEarlierRevision
    │   ├── ModelUnknown           no such model in the catalogue or the cache
    │   ├── ModelUnusable          its files cannot be used
    │   ├── LicenceNotAccepted
    │   ├── OnePictureOnly         it was not taught to look at several
    │   ├── ContextFull            the conversation is longer than it can take
    │   ├── SawLess                never raised: told when memory was too short for all details
    │   ├── Offloaded              never raised: told when it was too short for all weights at a time
    │   ├── Quantized              never raised: told when it was too short for the weights as they were
    │   ├── QuantizerMissing       carries the library to install
    │   ├── PackageMissing         a model needs one that is not installed
    │   ├── DeviceFailed           the device cannot be used, or failed at work
    │   │   ├── DeviceAbsent       it is not there, or PyTorch here was not made for it
    │   │   └── OutOfMemory        the device ran out of memory
    │   ├── FellBack               never raised: told when a model runs on another device than asked
    │   │   └── FellBackForGood    trying that device again would lead nowhere
    │   ├── ProcessDied            retryable: the next job starts a new process
    │   ├── ProtocolError          retryable, the same
    │   ├── ReadFailed             the engine raised while working
    │   └── Interrupted            Yomitori ended before the picture was read
    ├── HubError                   a download did not work; what was received is kept
    │   ├── HubOffline             downloads are turned off by the environment
    │   ├── HubAddressWrong        the environment names something that is no address
    │   ├── HubUnreachable         retryable: no network, a proxy, a broken connection
    │   ├── HubRefused             needs a token, or conditions accepted on the model's page
    │   ├── HubNotFound
    │   ├── HubBusy                retryable: asks to wait
    │   ├── AlreadyDownloading     another program of ours receives the same model
    │   └── DownloadDamaged        retryable: what came is not what the hub announced
    ├── BackendError               the desktop refused something
    │   ├── BackendUnavailable     carries what to install or enable
    │   ├── CaptureFailed
    │   ├── HotkeyTaken
    │   └── ClipboardFailed
    ├── UsageError                 a command was asked for something it cannot do
    ├── InstanceError              the running instance could not be reached or asked
    │   ├── NotRunning
    │   ├── EngineGone             the program that held the model has ended
    │   └── EngineDiffers          it holds another model
    ├── QueueFull                  retryable
    └── Cancelled                  the user stopped it; never shown as a failure

HTTP status, command-line exit code and the tray's message are all taken from here. ``sentence`` and
``hint`` are templates, filled from the keyword arguments, so that the desktop can translate the template
and fill it afterwards.
"""

from __future__ import annotations

from typing import Any, ClassVar


class YomitoriError(Exception):
    """Base of everything Yomitori raises on purpose."""

    sentence: ClassVar[str] = "Something went wrong: {detail}."
    hint: ClassVar[str] = "The log has the details."
    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, **params: Any) -> None:
        self.params = params
        super().__init__(self.message)

    @property
    def message(self) -> str:
        return self.sentence.format_map(_Params(self.params))

    @property
    def advice(self) -> str:
        return self.hint.format_map(_Params(self.params))

    def to_json(self) -> dict[str, Any]:
        return {"error": type(self).__name__, "params": {k: str(v) for k, v in self.params.items()}}


class _Params(dict[str, Any]):
    """A missing parameter shows as '?', since an error while telling an error would hide both."""

    def __missing__(self, key: str) -> str:
        return "?"


class InputError(YomitoriError):
    sentence = "This cannot be read: {detail}."
    hint = "Give a PNG, JPEG, WebP, GIF, BMP or TIFF picture."
    exit_code = 3
    http_status = 422


class NotAnImage(InputError):
    sentence = "{name} is not a picture."
    hint = "Give a PNG, JPEG, WebP, GIF, BMP or TIFF picture."


class ImageDamaged(InputError):
    sentence = "{name} is damaged or not complete."
    hint = "Open it in a viewer to check it, or download it again."


class ImageTooLarge(InputError):
    sentence = "{name} is too large: {width} x {height} pixels, at most {limit} megapixels are read."
    hint = "Cut the picture into pages or scale it down."
    http_status = 413


class PicturesTooLarge(InputError):
    sentence = "The pictures have {megapixels} megapixels together, at most {limit} are looked at."
    hint = "Send fewer of them, or scale them down."
    http_status = 413


class FileUnreadable(InputError):
    sentence = "{name} cannot be opened: {reason}."
    hint = "Check that it exists and that you may read it."


class NoPictures(InputError):
    sentence = "There is no picture in {name}."
    hint = "Files ending in {suffixes} are looked for."


class PicturesDeeper(NoPictures):
    sentence = "There is no picture in {name} itself, only in folders inside it."
    hint = "Folders inside a folder are not looked into. Name them: {folders}."


class NothingInClipboard(InputError):
    sentence = "There is no picture in the clipboard."
    hint = "Copy a picture first, for example with the screenshot key."


class ImportFailed(InputError):
    sentence = "{name} holds no model that can be used: {reason}."
    hint = "Give the folder (or a zip of it) with config.json and the weights in it."


class SettingsError(YomitoriError):
    sentence = "The setting {key} cannot be {value}: {reason}."
    hint = "The settings page of the user guide lists every setting and its values."
    exit_code = 2
    http_status = 422


class SettingsDamaged(SettingsError):
    sentence = "The settings file was damaged. It was moved to {aside}; defaults are used."
    hint = "Set what you need again in Settings."


class KeyInUse(SettingsError):
    sentence = "{value} is the key for “{other}” already."
    hint = "Choose another key."


class ServerNotSet(SettingsError):
    sentence = "Questions go to a server, and its address or the model there is not set."
    hint = "Set both in Settings, or have this computer answer."


class StorageError(YomitoriError):
    sentence = "{path} cannot be used: {reason}."
    hint = "Check that the folder exists, that you may write there, and that the disk is not full."
    exit_code = 5


class DiskFull(StorageError):
    sentence = "The disk is full: {path} could not be written."
    hint = "Free some space. The text is still in the clipboard and on the card."
    http_status = 507


class NotEnoughDisk(StorageError):
    sentence = "{path} has {free} of free space, {need} are needed."
    hint = "Free some space, or choose another folder for models in Settings."
    http_status = 507


class FixedFolderFull(NotEnoughDisk):
    hint = "Free some space. {source} sets this folder: name another one there, or with --models-dir."


class ModelsFolderUnusable(StorageError):
    sentence = "Models cannot be kept in {path}: {reason}."
    hint = "Choose another folder for models in Settings."


class ModelsFolderLocked(ModelsFolderUnusable):
    sentence = "Models cannot be kept in {path}: you may not write there."
    hint = "Choose another folder for models in Settings, or take this one over with: {command}"


class FixedFolderUnusable(ModelsFolderUnusable):
    hint = "{source} sets this folder: name another one there, or with --models-dir."


class FixedFolderLocked(ModelsFolderLocked):
    hint = (
        "{source} sets this folder: name another one there, or with --models-dir, "
        "or take this one over with: {command}"
    )


class HistoryDamaged(StorageError):
    sentence = "The history was damaged. It was moved to {aside}; a new one was started."
    hint = "New snips are kept as before."


class ModelError(YomitoriError):
    exit_code = 4


class UnknownEngine(ModelError):
    sentence = "There is no engine called {name}."
    hint = "Choose one of: {known}."
    http_status = 422


class LoadFailed(ModelError):
    sentence = "The {engine} engine could not be loaded: {reason}."
    hint = "Run 'yomitori doctor' to see what is missing."
    http_status = 503
    retryable = True


class NotEnoughMemory(ModelError):
    sentence = "The {engine} engine needs {need} of memory, {free} are free."
    hint = "Close other programs or choose a smaller model."
    http_status = 503
    retryable = True


class ModelMissing(ModelError):
    """``model`` is what commands call it, ``title`` what people do; the same unless given."""

    sentence = "{title} is not on this computer yet."
    hint = "Download it in the Models window, or with: yomitori models download {model}"
    http_status = 503

    def __init__(self, **params: Any) -> None:
        super().__init__(**{**params, "title": params.get("title") or params.get("model", "?")})


class ImportGone(ModelMissing):
    sentence = "{model} was imported, and is not on this computer any more."
    hint = "Import it again in the Models window, or choose another model in Settings."


class ModelImported(ModelError):
    sentence = "{model} was imported; no hub knows it."
    hint = "To mend or renew it, import it again from its folder or zip file."
    http_status = 422


class NothingToRemove(ModelError):
    sentence = "{model} is not on this computer: there is nothing to remove."
    hint = "'yomitori models list' shows what is here."
    http_status = 422


class NoEarlierRevision(ModelError):
    sentence = "There is no earlier revision of {model} on this computer."
    hint = "An update keeps the revision before it. 'yomitori models list' shows those that are here."
    http_status = 422


class ModelUnknown(ModelError):
    sentence = "There is no model called {model}."
    hint = "'yomitori models list' shows those there are. A hub id looks like owner/name."
    http_status = 422


class ModelUnusable(ModelError):
    sentence = "{model} cannot be used: {reason}."
    hint = "Check it with 'yomitori models verify', and get it anew: download it, or copy the folder again."


class LicenceNotAccepted(ModelError):
    sentence = "{model} comes under the licence {licence}, which has to be accepted first."
    hint = "Read it on the model's page, then download with --accept-license."
    http_status = 403


class OnePictureOnly(ModelError):
    sentence = "{model} looks at one picture at a time."
    hint = "Ask about each picture in a conversation of its own, or choose a model that compares pictures."
    http_status = 422


class ContextFull(ModelError):
    sentence = "The conversation has {tokens} tokens, and the model can take {limit}."
    hint = "Start a new conversation, or delete earlier questions."
    http_status = 422


class SawLess(ModelError):
    sentence = "{device} had too little memory, so the picture was looked at in less detail."
    hint = "Close other programs, or choose a smaller model."


class Offloaded(ModelError):
    sentence = (
        "{device} had too little memory, so {count} of {total} layers of {model} wait in RAM. "
        "Answers take longer."
    )
    hint = "Close other programs, or choose a smaller model."


class Quantized(ModelError):
    sentence = "{device} had too little memory, so {model} goes on in {precision}."
    hint = "Close other programs, or choose a smaller model."


class QuantizerMissing(ModelError):
    sentence = "{precision} on a graphics card needs {library}, which is not installed."
    hint = (
        "Install it with: pip install {library}. Or choose another precision in Settings, Models & devices."
    )
    http_status = 503


class PackageMissing(ModelError):
    sentence = "{model} needs {library}, which is not installed."
    hint = "Install it with: pip install {library}. Or choose another model."
    http_status = 503


class DeviceFailed(ModelError):
    sentence = "{device} cannot be used: {reason}."
    hint = "Choose another device in Settings, Models & devices."
    http_status = 503
    retryable = True


class DeviceAbsent(DeviceFailed):
    retryable = False


class OutOfMemory(DeviceFailed):
    sentence = "{device} ran out of memory."
    hint = "Close other programs, choose a smaller model, or let it run on the CPU."


class FellBack(ModelError):
    sentence = "{reason} {engine} runs on {used} instead of {asked}."
    hint = "Choose Try again in Settings, Models & devices, to return to {asked}."


class FellBackForGood(FellBack):
    hint = "Choose another device in Settings, Models & devices."


class ProcessDied(ModelError):
    sentence = "The model process ended in the middle of its work ({reason})."
    hint = "Try again: a new process is started. If it happens again, the memory may be too small."
    http_status = 503
    retryable = True


class ProtocolError(ModelError):
    sentence = "The model process answered something that cannot be understood ({reason})."
    hint = "Try again: a new process is started."
    retryable = True


class ReadFailed(ModelError):
    sentence = "The {engine} engine could not finish: {reason}."
    hint = "Try again, or snip a smaller region."
    retryable = True


class Interrupted(ModelError):
    sentence = "Yomitori ended before this was read."
    hint = "Read it again."
    retryable = True


class HubError(YomitoriError):
    sentence = "The download of {model} failed: {reason}."
    hint = "Try again: a download that had begun goes on where it stopped."
    exit_code = 9
    http_status = 502


class HubOffline(HubError):
    sentence = "Downloads are turned off: {variable} is set."
    hint = "Unset it, or import the model from a folder or a zip file."


class HubAddressWrong(HubError):
    sentence = "{variable} is no address of a hub: {value}."
    hint = "Set it to an address such as https://huggingface.co, or unset it."


class HubUnreachable(HubError):
    sentence = "{host} could not be reached: {reason}."
    hint = "Check the network or the proxy and try again: a download that had begun goes on where it stopped."
    retryable = True


class HubRefused(HubError):
    sentence = "{host} does not give out {model} without permission."
    hint = "Accept its conditions on the model's page and set HF_TOKEN to your access token."


class HubNotFound(HubError):
    sentence = "{host} has no {model} in the revision {revision}."
    hint = "Check the spelling: a hub id looks like owner/name."


class HubBusy(HubError):
    sentence = "{host} asks to wait before the next download."
    hint = "Try again later: a download that had begun goes on where it stopped."
    retryable = True


class AlreadyDownloading(HubError):
    sentence = "{model} is being downloaded, imported or removed by another Yomitori already."
    hint = "Wait until that is done, then try again."
    exit_code = 8
    http_status = 409
    retryable = True


class DownloadDamaged(HubError):
    sentence = "{name} arrived damaged and was thrown away."
    hint = "Start the download again; if it happens again, a proxy may be changing files."
    retryable = True


class BackendError(YomitoriError):
    exit_code = 6


class BackendUnavailable(BackendError):
    sentence = "{name} cannot be used here: {reason}."
    hint = "{fix}"


class CaptureFailed(BackendError):
    sentence = "The screen could not be captured: {reason}."
    hint = "Run 'yomitori doctor' to see which way of capturing works here."


class HotkeyTaken(BackendError):
    sentence = "The key {key} is already used by another program."
    hint = (
        "Choose another key in Settings, Capture, or bind 'yomitori capture' in the desktop's own settings."
    )


class ClipboardFailed(BackendError):
    sentence = "The text could not be put into the clipboard: {reason}."
    hint = "Copy it from the card, or from the history."


class UsageError(YomitoriError):
    sentence = "{option} cannot be used like this: {reason}."
    hint = "'yomitori --help' tells what can be."
    exit_code = 2


class InstanceError(YomitoriError):
    sentence = "The running Yomitori could not be reached: {reason}."
    hint = "Quit it from the tray and start it again."
    exit_code = 7


class NotRunning(InstanceError):
    sentence = "Yomitori is not running."
    hint = "Start it with 'yomitori'."


class EngineGone(InstanceError):
    sentence = "The program that held the model has ended in the middle of the work."
    hint = "Try again: the model is loaded here then."
    http_status = 503
    retryable = True


class EngineDiffers(InstanceError):
    sentence = "The running Yomitori holds another model."
    hint = "Choose the same model there, or add --standalone."
    http_status = 503


class QueueFull(YomitoriError):
    sentence = "{count} others are already waiting."
    hint = "Wait for a moment and try again."
    exit_code = 8
    http_status = 503
    retryable = True


class Cancelled(YomitoriError):
    sentence = "Cancelled."
    hint = ""
    exit_code = 130
    http_status = 499


def known_errors() -> dict[str, type[YomitoriError]]:
    """Every class of the tree by name."""
    # Parts of the tree; they come over the pipe also before anything else has imported them.
    import core.service_errors
    import core.vision.errors  # noqa: F401

    found: dict[str, type[YomitoriError]] = {}
    queue: list[type[YomitoriError]] = [YomitoriError]
    while queue:
        cls = queue.pop()
        found[cls.__name__] = cls
        queue.extend(cls.__subclasses__())
    return found


def from_json(value: dict[str, Any]) -> YomitoriError:
    """The error a model process or another instance sent with ``to_json``."""
    cls = known_errors().get(str(value.get("error")), YomitoriError)
    return cls(**value.get("params", {}))
