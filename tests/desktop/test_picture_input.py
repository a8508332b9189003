"""Pictures that are pasted and dropped: what is taken, what is refused, and what a panel shows meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray, QMimeData, QPoint, QPointF, QSysInfo, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent, QImage, QPixmap
from PySide6.QtWidgets import QApplication, QLabel, QTextBrowser, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from core.images import MAX_PIXELS
from desktop.picture_input import (
    PictureDrop,
    files_in,
    picture_in,
    rather_than_text,
    refusal_at_sight,
    take,
)
from desktop.theme import Theme

WEB = "Nothing is fetched from the web. Copy the picture itself, or save it and drop the file."
COPY, MOVE, LINK = Qt.DropAction.CopyAction, Qt.DropAction.MoveAction, Qt.DropAction.LinkAction


def picture(width: int = 3, height: int = 2, color: Qt.GlobalColor = Qt.GlobalColor.red) -> QImage:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(color)
    return image


def mime_of(*urls: str | Path, image: QImage | None = None, text: str = "", html: str = "") -> QMimeData:
    mime = QMimeData()
    if urls:
        mime.setUrls([QUrl.fromLocalFile(str(url)) if isinstance(url, Path) else QUrl(url) for url in urls])
    if image is not None:
        mime.setImageData(image)
    if text:
        mime.setText(text)
    if html:
        mime.setHtml(html)
    return mime


# ---- what is in it


def test_a_copied_picture_is_taken_as_it_is(qapp: QApplication) -> None:
    given = take(mime_of(image=picture()))
    assert given.image == picture()
    assert (given.files, given.refusal) == ((), "")


def test_a_pixmap_of_our_own_is_a_picture_too(qapp: QApplication) -> None:
    mime = QMimeData()
    mime.setImageData(QPixmap.fromImage(picture()))
    found = picture_in(mime)
    assert found is not None
    assert (found.width(), found.height(), found.pixelColor(0, 0).name()) == (3, 2, "#ff0000")


def test_plain_text_holds_no_picture(qapp: QApplication) -> None:
    mime = mime_of(text="学校")
    assert picture_in(mime) is None
    assert files_in(mime) == []
    assert take(mime).refusal == ""


def test_files_are_told_by_their_names_each_once_in_order(tmp_path: Path) -> None:
    # Given files that need not exist, with capitals, spaces and Japanese in their names
    names = ["b.PNG", "第1話 #2.webp", "a.jpeg", "b.PNG"]
    mime = mime_of(*(tmp_path / name for name in names))
    # Then
    assert files_in(mime) == [tmp_path / "b.PNG", tmp_path / "第1話 #2.webp", tmp_path / "a.jpeg"]
    assert take(mime).refusal == ""


def test_a_file_that_is_no_picture_is_named_and_the_pictures_are_taken(tmp_path: Path) -> None:
    given = take(mime_of(tmp_path / "notes.pdf", tmp_path / "page.png"))
    assert given.files == (tmp_path / "page.png",)
    assert given.refusal == "notes.pdf is not a picture. Give a PNG, JPEG, WebP, GIF, BMP or TIFF picture."


def test_the_icon_that_comes_with_a_file_is_not_taken_for_it(tmp_path: Path, qapp: QApplication) -> None:
    assert take(mime_of(tmp_path / "page.png", image=picture())).files == (tmp_path / "page.png",)
    refused = take(mime_of(tmp_path / "notes.pdf", image=picture()))
    assert refused.image is None
    assert refused.refusal.startswith("notes.pdf is not a picture.")


def test_from_a_browser_the_picture_is_taken_not_its_address(qapp: QApplication) -> None:
    given = take(mime_of("https://example.org/page.png", image=picture()))
    assert given.image == picture()
    assert (given.files, given.refusal) == ((), "")


@pytest.mark.parametrize(
    "address",
    ["https://example.org/page.png", "http://example.org/page.png", "smb://nas/page.png", "ftp://x/page.png"],
)
def test_an_address_alone_is_refused_with_what_to_do_instead(address: str) -> None:
    given = take(mime_of(address))
    assert (given.image, given.files, given.refusal) == (None, (), WEB)


@pytest.mark.parametrize("address", ["file://nas/share/page.png", "file:////nas/share/page.png"])
def test_a_file_of_another_computer_is_not_opened(address: str) -> None:
    # Opening it would call there, on some systems with the user's name and password.
    given = take(mime_of(address))
    assert given.files == ()
    assert given.refusal == "page.png is on another computer. Copy it here first."


def test_this_computers_own_name_may_stand_in_a_files_address() -> None:
    for name in ("localhost", QSysInfo.machineHostName()):
        assert files_in(mime_of(f"file://{name}/tmp/page.png")) == [Path("/tmp/page.png")]


def test_a_picture_that_cannot_be_decoded_is_said(qapp: QApplication) -> None:
    mime = QMimeData()
    mime.setData("application/x-qt-image", QByteArray(b"no picture"))
    assert mime.hasImage()
    assert take(mime).refusal == "The other program's picture cannot be read. Save it and drop the file."


def test_a_picture_with_too_many_pixels_is_refused(qapp: QApplication) -> None:
    width = MAX_PIXELS // 1000 + 1
    large = QImage(width, 1000, QImage.Format.Format_Mono)
    given = take(mime_of(image=large))
    assert given.image is None
    assert given.refusal.startswith(f"The picture is too large: {width} x 1000 pixels")


def test_what_a_text_field_gives_on_and_what_it_writes(tmp_path: Path, qapp: QApplication) -> None:
    page = "https://example.org/chapter"
    # Pictures, files, and what a browser drags of a picture
    assert rather_than_text(mime_of(image=picture()))
    assert rather_than_text(mime_of(tmp_path / "page.png"))
    assert rather_than_text(mime_of(tmp_path / "notes.pdf"))
    assert rather_than_text(mime_of("https://example.org/page.png?size=2"))
    assert rather_than_text(mime_of("https://example.org/p/1", html='<IMG src="https://example.org/p/1">'))
    assert rather_than_text(mime_of(page, image=picture(), text=page))
    # A picture of the screen with the place where it was stored
    assert rather_than_text(mime_of(image=picture(), text="/home/me/shot.png"))
    # Text, links, and text from an office program, which adds its picture
    assert not rather_than_text(mime_of(text="https://example.org/page.png"))
    assert not rather_than_text(mime_of(page, text=page))
    assert not rather_than_text(mime_of(image=picture(), text="行きません\nでした"))
    assert not rather_than_text(mime_of(html="<b>word</b>", text="word"))


def test_what_is_refused_can_be_told_without_asking_for_the_picture(tmp_path: Path) -> None:
    class Silent(QMimeData):
        """Knows that it has a picture and must not be asked for it: that may take seconds."""

        def retrieveData(self, mime_type: str, kind: object) -> object:
            assert mime_type != "application/x-qt-image"
            return super().retrieveData(mime_type, kind)  # type: ignore[call-overload]

    mime = Silent()
    mime.setUrls([QUrl("https://example.org/page.png")])
    assert refusal_at_sight(mime) == WEB
    mime.setImageData(picture())
    assert refusal_at_sight(mime) == ""


# ---- a panel on which it is dropped


class Panel(QWidget):
    """A label, a view that is read only, and what the drop told."""

    def __init__(self) -> None:
        super().__init__()
        self.resize(320, 400)
        column = QVBoxLayout(self)
        self.label, self.view = QLabel("Ask"), QTextBrowser()
        column.addWidget(self.label)
        column.addWidget(self.view)
        self.drop = PictureDrop(self)
        self.images: list[QImage] = []
        self.files: list[list[Path]] = []
        self.told: list[str] = []
        self.drop.dropped_image.connect(self.images.append)
        self.drop.dropped_files.connect(self.files.append)
        self.drop.refused.connect(self.told.append)


@pytest.fixture
def panel(qapp: QApplication, qtbot: QtBot) -> Panel:
    shown = Panel()
    shown._theme = Theme(qapp, "light")  # type: ignore[attr-defined]
    qtbot.addWidget(shown)
    shown.show()
    qtbot.waitExposed(shown)
    return shown


def enter(widget: QWidget, mime: QMimeData, actions: Qt.DropAction = COPY | MOVE) -> QDragEnterEvent:
    point = widget.rect().center()
    event = QDragEnterEvent(point, actions, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    event.ignore()
    QApplication.sendEvent(widget, event)
    return event


def drop(
    widget: QWidget,
    mime: QMimeData,
    actions: Qt.DropAction = COPY | MOVE,
    held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> QDropEvent:
    """All that comes with a drop; the drop's own event."""
    point: QPoint = widget.rect().center()
    button = Qt.MouseButton.LeftButton
    if not enter(widget, mime, actions).isAccepted():
        pytest.fail("it may not be dropped here")
    QApplication.sendEvent(widget, QDragMoveEvent(point, actions, mime, button, held))
    event = QDropEvent(QPointF(point), actions, mime, button, held)
    QApplication.sendEvent(widget, event)
    return event


def test_a_dropped_picture_and_dropped_files_arrive(panel: Panel, tmp_path: Path) -> None:
    drop(panel.label, mime_of(image=picture()))
    assert panel.images == [picture()]
    drop(panel.view.viewport(), mime_of(tmp_path / "a.png", tmp_path / "b.png", tmp_path / "c.txt"))
    assert panel.files == [[tmp_path / "a.png", tmp_path / "b.png"]]
    assert len(panel.told) == 1
    assert panel.told[0].startswith("c.txt is not a picture.")


def test_a_dropped_file_is_never_moved_away_from_its_folder(panel: Panel, tmp_path: Path) -> None:
    mime = mime_of(tmp_path / "a.png")
    # With Shift held a move is what is proposed
    event = drop(panel, mime, held=Qt.KeyboardModifier.ShiftModifier)
    assert (event.proposedAction(), event.dropAction()) == (MOVE, COPY)
    assert not enter(panel, mime, MOVE).isAccepted()


def test_the_panel_shows_where_to_drop_and_that_it_is_over(panel: Panel, tmp_path: Path) -> None:
    veil = panel.drop.veil
    assert veil.text == ""
    enter(panel, mime_of(image=picture()))
    assert veil.isVisible()
    assert veil.text == "Drop the picture here"
    assert veil.geometry() == panel.rect()
    # It grows with the panel
    panel.resize(500, 300)
    assert veil.geometry() == panel.rect()
    QApplication.sendEvent(panel, QDragLeaveEvent())
    assert not veil.isVisible()
    enter(panel, mime_of(tmp_path / "a.png", tmp_path / "b.png"))
    assert veil.text == "Drop the pictures here"
    drop(panel, mime_of(tmp_path / "a.png"))
    assert veil.text == ""


def test_why_it_cannot_be_taken_is_shown_before_and_said_after_the_drop(panel: Panel) -> None:
    mime = mime_of("https://example.org/page.png")
    enter(panel, mime)
    assert panel.drop.veil.text == WEB
    assert panel.told == []
    drop(panel, mime)
    assert panel.told == [WEB]
    assert panel.images == []


def test_the_veil_can_be_seen(panel: Panel) -> None:
    before = panel.grab().toImage()
    enter(panel, mime_of(image=picture()))
    during = panel.grab().toImage()
    # Its frame runs down the left side in the accent's colour
    column = {
        during.pixelColor(round(8 * panel.devicePixelRatioF()), y).name() for y in range(during.height())
    }
    assert "#1f5f8b" in column
    assert before.pixelColor(before.rect().center()) != during.pixelColor(20, during.height() // 2)


def test_text_alone_is_left_to_others(panel: Panel) -> None:
    assert not enter(panel, mime_of(text="学校")).isAccepted()
    assert panel.drop.veil.text == ""


def test_within_a_panel_that_takes_pictures_only_the_panel_takes_them(panel: Panel) -> None:
    # Given a part that takes pictures by itself
    inner = PictureDrop(panel.label)
    images: list[QImage] = []
    inner.dropped_image.connect(images.append)
    # When one is dropped on the part
    enter(panel.label, mime_of(image=picture()))
    assert panel.drop.veil.isVisible()
    assert not inner.veil.isVisible()
    drop(panel.label, mime_of(image=picture()))
    # Then it comes once
    assert (len(panel.images), images) == (1, [])
