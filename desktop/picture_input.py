"""Pictures that are pasted or dropped: what is in them, and a panel that takes them.

Nothing is ever fetched: an address on the web is refused with a sentence that says what to do instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QMimeData, QObject, QSysInfo, Qt, QUrl, Signal
from PySide6.QtGui import QDropEvent, QImage, QPixmap
from PySide6.QtWidgets import QWidget

from core.errors import NotAnImage, YomitoriError
from core.images import MAX_PIXELS, SUFFIXES, too_large
from desktop.drop_veil import DropVeil
from desktop.texts import error_hint, error_sentence

_ON_THE_WEB = (*SUFFIXES, ".avif", ".svg", ".jxl", ".heic")
"""How the address of a picture ends, whether or not we could read it."""
_TAKES_PICTURES = "takesPictures"


@dataclass(frozen=True)
class Given:
    """What came: one picture, or files of pictures, or neither; ``refusal`` says why something was left."""

    image: QImage | None = None
    files: tuple[Path, ...] = ()
    refusal: str = ""


def picture_in(mime: QMimeData) -> QImage | None:
    """The picture itself, if there is one that can be decoded. May wait for the program that has it."""
    if not mime.hasImage():
        return None
    data = mime.imageData()
    if isinstance(data, QPixmap):
        data = data.toImage()
    return data if isinstance(data, QImage) and not data.isNull() else None


def files_in(mime: QMimeData) -> list[Path]:
    """The files of this computer that are pictures by their names, each once, in the order given.

    The disk is not touched: whether they exist and can be read turns out when they are opened.
    """
    return list(_sorted_urls(mime)[0])


def take(mime: QMimeData) -> Given:
    """The files of pictures, or else the picture itself, with a sentence about what cannot be taken.

    Files come first because some systems add a file's icon as a picture. What a browser gives is the picture
    with its address: there the picture is taken.
    """
    files, others, _ = _sorted_urls(mime)
    if files or others:
        return Given(files=tuple(files), refusal=refusal_at_sight(mime))
    image = picture_in(mime)
    if image is None:
        return Given(refusal=refusal_at_sight(mime) or _undecodable(mime))
    if image.width() * image.height() > MAX_PIXELS:
        name = QCoreApplication.translate("PictureInput", "The picture")
        return Given(refusal=_told(too_large(name, image.width(), image.height())))
    return Given(image=image)


def refusal_at_sight(mime: QMimeData) -> str:
    """Why something in it cannot be taken, as far as can be told without asking for the picture's data."""
    files, others, remote = _sorted_urls(mime)
    if others:
        if all(_elsewhere(url) for url in others):
            text = QCoreApplication.translate(
                "PictureInput", "{0} is on another computer. Copy it here first."
            )
            return text.format(others[0].fileName())
        return _told(NotAnImage(name=next(url for url in others if not _elsewhere(url)).fileName()))
    if remote and not files and not mime.hasImage():
        return QCoreApplication.translate(
            "PictureInput",
            "Nothing is fetched from the web. Copy the picture itself, or save it and drop the file.",
        )
    return ""


def holds_something(mime: QMimeData) -> bool:
    """Whether a picture, a file or an address is in it, so that it can be taken or refused with a reason."""
    return mime.hasImage() or mime.hasUrls()


def rather_than_text(mime: QMimeData) -> bool:
    """Whether a text field should give it on as a picture instead of writing its text.

    Text copied from an office program comes with its picture, and is text. An address is text, too, unless
    it is the address of a picture that was dragged.
    """
    files, others, remote = _sorted_urls(mime)
    if files or others:
        return True
    if mime.hasImage():
        return bool(remote) or not _has_words(mime)
    return any(_is_picture_address(url, mime) for url in remote)


def _has_words(mime: QMimeData) -> bool:
    if not mime.hasFormat("text/plain"):
        return False
    text = mime.text().strip()
    # Programs that take pictures of the screen add where they have stored them.
    place = "\n" not in text and ("://" in text or text.lower().endswith(SUFFIXES))
    return bool(text) and not place


def _is_picture_address(url: QUrl, mime: QMimeData) -> bool:
    return url.path().lower().endswith(_ON_THE_WEB) or "<img" in mime.html().lower()


def _sorted_urls(mime: QMimeData) -> tuple[list[Path], list[QUrl], list[QUrl]]:
    """Files of pictures, other files, addresses."""
    files: dict[Path, None] = {}
    others: list[QUrl] = []
    remote: list[QUrl] = []
    for url in mime.urls() if mime.hasUrls() else ():
        if not url.isLocalFile():
            remote.append(url)
        elif _elsewhere(url) or not url.path().lower().endswith(SUFFIXES):
            others.append(url)
        else:
            here = QUrl(url)
            here.setHost("")
            files[Path(here.toLocalFile())] = None
    return list(files), others, remote


def _elsewhere(url: QUrl) -> bool:
    """Whether a file's address names another computer: opening it would call there."""
    here = ("", "localhost", QSysInfo.machineHostName().lower())
    # Two slashes before the path name a computer just as well.
    return url.host() not in here or url.path().startswith("//")


def _undecodable(mime: QMimeData) -> str:
    if not mime.hasImage():
        return ""
    return QCoreApplication.translate(
        "PictureInput", "The other program's picture cannot be read. Save it and drop the file."
    )


def _told(error: YomitoriError) -> str:
    return f"{error_sentence(error)} {error_hint(error)}".strip()


class PictureDrop(QObject):
    """Lets ``widget``, and all in it that takes no drops itself, take pictures and files that are dropped.

    Inside a widget that has one already, it leaves everything to that one.
    """

    dropped_image = Signal(QImage)
    dropped_files = Signal(list)
    """Files of pictures as ``Path``, at least one."""
    refused = Signal(str)
    """A sentence: why something cannot be taken, and what to do."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        self.veil = DropVeil(widget)
        widget.setAcceptDrops(True)
        widget.setProperty(_TAKES_PICTURES, True)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.Resize:
            self.veil.fit()
        elif kind == QEvent.Type.DragLeave:
            self.veil.hide()
        elif isinstance(event, QDropEvent):
            self._follow(event)
            return True
        return super().eventFilter(watched, event)

    def _follow(self, event: QDropEvent) -> None:
        """Something is dragged into the widget, over it, or dropped on it."""
        if not self._wants(event):
            event.ignore()
            return
        # Never a move, whatever is proposed: the file would be deleted where it came from.
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        if event.type() == QEvent.Type.DragEnter:
            self._say(event.mimeData())
        elif event.type() == QEvent.Type.Drop:
            self.veil.hide()
            self._give(take(event.mimeData()))

    def _wants(self, event: QDropEvent) -> bool:
        source = event.source()
        own = isinstance(source, QWidget) and source.window() is self._widget.window()
        return (
            not own
            and bool(event.possibleActions() & Qt.DropAction.CopyAction)
            and holds_something(event.mimeData())
            and not self._within_another()
        )

    def _within_another(self) -> bool:
        parent = self._widget.parentWidget()
        while parent is not None:
            if parent.property(_TAKES_PICTURES):
                return True
            parent = None if parent.isWindow() else parent.parentWidget()
        return False

    def _say(self, mime: QMimeData) -> None:
        files = files_in(mime)
        refusal = refusal_at_sight(mime)
        if refusal and not files:
            self.veil.cover(refusal, False)
        elif len(files) > 1:
            self.veil.cover(self.tr("Drop the pictures here"), True)
        else:
            self.veil.cover(self.tr("Drop the picture here"), True)

    def _give(self, given: Given) -> None:
        if given.image is not None:
            self.dropped_image.emit(given.image)
        if given.files:
            self.dropped_files.emit(list(given.files))
        if given.refusal:
            self.refused.emit(given.refusal)
