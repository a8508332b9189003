"""What clients of the service can do about an error, where the hint of the desktop speaks of its windows."""

from __future__ import annotations

from core import errors as core
from core.errors import YomitoriError
from core.vision import errors as vision

_OPERATOR = "Have the operator of the service "
_HINTS: dict[type[YomitoriError], str] = {
    core.ServerNotSet: _OPERATOR + "set both, or have its own computer answer.",
    core.DiskFull: _OPERATOR + "free some space.",
    core.NotEnoughDisk: _OPERATOR + "free some space, or set another folder for models.",
    core.ModelsFolderUnusable: _OPERATOR + "set another folder for models, or let it write there.",
    core.ModelsFolderLocked: _OPERATOR + "set another folder for models, or let it write there: {command}",
    core.ModelMissing: "Get it with POST /models/{model}/download, which needs the token.",
    core.ImportGone: _OPERATOR + "import it again, or choose another model.",
    core.ModelUnknown: "GET /models shows those there are. A hub id looks like owner/name.",
    core.ModelUnusable: _OPERATOR + "check it with 'yomitori models verify', or choose another model.",
    core.LicenceNotAccepted: "Read it on the model's page, then send accept_license=true.",
    core.QuantizerMissing: _OPERATOR + "install it, or choose another precision.",
    core.PackageMissing: _OPERATOR + "install it, or choose another model.",
    core.DeviceFailed: _OPERATOR + "choose another device.",
    core.OutOfMemory: "Send a smaller picture or ask for less; or have the operator choose a smaller model.",
    core.FellBack: _OPERATOR + "look why {asked} cannot be used.",
    core.FellBackForGood: _OPERATOR + "choose another device.",
    core.ReadFailed: "Try again, or send a smaller picture.",
    vision.RemoteElsewhere: _OPERATOR + "check the address of the server that answers. Nothing was sent.",
    vision.RemoteRedirected: _OPERATOR + "set that address, if that server is to be trusted.",
    vision.RemoteRefused: _OPERATOR + "check the key of the server that answers.",
    vision.RemoteModelMissing: _OPERATOR + "choose another model of that server.",
}


def hint_of(error: YomitoriError) -> str:
    """The hint for a client; that of the error itself where it fits everybody."""
    return template_of(type(error)).format_map(_Known(error.params))


def template_of(kind: type[YomitoriError]) -> str:
    """The same before its variables are filled in."""
    for cls in kind.__mro__:
        if cls in _HINTS:
            return _HINTS[cls]
        if "hint" in vars(cls):
            break
    return kind.hint


class _Known(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "?"
