"""From the hotkey to the text: capture, overlay, engine, clipboard, card, history."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from PySide6.QtCore import QObject, QPoint, QRect, QSize, Signal
from PySide6.QtGui import QCursor, QGuiApplication

from core.alternatives import readings
from core.engine import Engine
from core.errors import (
    BackendUnavailable,
    Cancelled,
    CaptureFailed,
    ClipboardFailed,
    YomitoriError,
)
from core.history import History
from core.images import load_image, to_png
from core.jobs import Job
from core.models.entries import Progress
from core.settings import SettingsStore
from core.types import Box, Direction, OcrResult, RgbImage
from desktop.capture.base import CaptureBackend, ScreenInfo, Shot
from desktop.capture.crop import crop, to_rgb
from desktop.capture.screens import describe_screens
from desktop.clipboard.base import ClipboardBackend
from desktop.clipboard.picture import picture_in
from desktop.model_texts import percent
from desktop.overlay import Overlay
from desktop.result import ResultCard
from desktop.texts import error_hint, error_sentence
from desktop.worker import Bridge

log = logging.getLogger(__name__)


class Messages(Protocol):
    """The one sink for messages to the user."""

    def tell(self, title: str, body: str = "") -> None: ...
    def tell_error(self, error: YomitoriError) -> None: ...


@dataclass
class Reading:
    """One picture on its way to text. ``row`` is its place in the history, None when none is kept."""

    image: RgbImage
    source: str
    anchor: QRect
    row: int | None = None
    job: Job[OcrResult] | None = None
    cancelled: bool = False
    provisional: OcrResult | None = None
    """What was read first, while the engine is still at work."""
    taken: bool = False
    """The user has copied or changed the provisional text: the clipboard is theirs."""
    edited: str | None = None
    """What the user made of the provisional text."""
    result: OcrResult | None = None
    asks: bool = False
    """It is for the side panel: no card, and the clipboard is left alone."""


@dataclass(frozen=True)
class Region:
    """A place on a screen, to be read again: the screen's name and native pixels on it."""

    screen: str
    rect: QRect


class SnipController(QObject):
    """Owns the overlay and the card; one snip is selected at a time, any number may be waiting to be read."""

    history_changed = Signal()
    finished = Signal(object, object)
    """OcrResult or None, YomitoriError or None: a reading has ended."""
    ask_requested = Signal(object)
    """The user wants to ask about the picture of this ``Reading``, which may still be being read."""
    selecting_ended = Signal()
    """Nothing is selected: the user has cancelled, or the screen could not be taken."""
    read = Signal(object, object, object)
    """A ``Reading`` has ended: OcrResult or None, YomitoriError or None."""

    def __init__(
        self,
        engine: Engine,
        bridge: Bridge,
        settings: SettingsStore,
        history: History | None,
        capture: Callable[[], CaptureBackend],
        clipboard: Callable[[], ClipboardBackend],
        overlay: Overlay,
        card: ResultCard,
        messages: Messages,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._bridge = bridge
        self._settings = settings
        self._history = history
        self._capture = capture
        self._clipboard = clipboard
        self._overlay = overlay
        self._card = card
        self._messages = messages
        self._opening = False
        self._asks = False
        self._last: Region | None = None
        self._current: Reading | None = None
        self.history_paused = False
        overlay.selected.connect(self._on_selected)
        overlay.cancelled.connect(self._on_cancelled)
        overlay.block_requested.connect(self._on_block_requested)
        card.copy_requested.connect(self.copy)
        card.taken.connect(self._on_taken)
        card.reread_requested.connect(self._on_reread)
        card.cancel_requested.connect(self._on_cancel)
        card.edited.connect(self._on_edited)
        card.chosen.connect(self._on_chosen)
        card.ask_requested.connect(self._on_ask)

    # ---- what the user asks for

    def snip(self, asks: bool = False) -> None:
        """Freeze the screens and let the user select; with ``asks`` what they want to ask about."""
        if self._opening:
            return
        self._opening, self._asks = True, asks
        self._leave_last()
        # Loading overlaps with the user's dragging.
        self._engine.load()
        self._grab(describe_screens(_app()), self._open_overlay)

    def repeat(self) -> None:
        """Read the last region again, as the screen is now."""
        if self._opening:
            return
        self._leave_last()
        region = self._last
        if region is None:
            self._messages.tell(self.tr("Nothing to repeat yet"), self.tr("Snip a region first."))
            return
        screens = [screen for screen in describe_screens(_app()) if screen.name == region.screen]
        if not screens:
            self._messages.tell(
                self.tr("That screen is gone"), self.tr("The last region was on a screen that is not there.")
            )
            return
        self._engine.load()

        def read(shots: list[Shot]) -> None:
            self._read_region(shots[0], region.rect)

        self._grab(screens, read)

    def read_clipboard(self) -> None:
        """Read the picture in the clipboard."""
        try:
            image = picture_in(self._clipboard())
        except YomitoriError as error:
            self._messages.tell_error(error)
            return
        self._bridge.run(lambda: to_rgb(image), self._loaded("clipboard"))

    def read_file(self, path: Path) -> None:
        """Read a picture file."""
        self._bridge.run(lambda: load_image(path), self._loaded("file"))

    def _loaded(self, source: str) -> Callable[[RgbImage | None, YomitoriError | None], None]:
        """What to do with a picture that did not come from the screen."""

        def loaded(image: RgbImage | None, error: YomitoriError | None) -> None:
            if image is not None:
                self._read(self._at_pointer(image, source))
            elif error is not None:
                self._messages.tell_error(error)

        return loaded

    def read_again(self, row: int) -> None:
        """Read a snip of the history again; its row is updated."""
        history = self._history
        if history is None:
            return

        def load() -> RgbImage | None:
            data = history.image(row)
            return None if data is None else load_image(data, self.tr("The snip"))

        def loaded(image: RgbImage | None, error: YomitoriError | None) -> None:
            if error is not None:
                self._messages.tell_error(error)
            if image is None:
                return
            reading = self._at_pointer(image, "history")
            reading.row = row
            self._show_pending(reading)
            self._keep(lambda history, row: history.retry(row), reading)
            self._start(reading)

        self._bridge.run(load, loaded)

    def copy(self, text: str) -> None:
        """Put text into the clipboard and say on the card whether it is there."""
        self._put(text, self._current)

    def focus_card(self) -> None:
        """The keyboard goes to the card."""
        self._card.take_focus()

    def close(self) -> None:
        """End what is on the screen; readings in the queue end with the engine."""
        self._overlay.close()
        self._card.dismiss()

    # ---- capture and selection

    def _leave_last(self) -> None:
        """Take the last result off the screen; under Wayland its overlay is still open."""
        self._card.dismiss()
        self._overlay.close()

    def _end_opening(self) -> None:
        """No selection comes: the engine need not wait for it."""
        self._opening = False
        self._engine.release()
        self.selecting_ended.emit()

    def _grab(self, screens: list[ScreenInfo], then: Callable[[list[Shot]], None]) -> None:
        def grabbed(shots: list[Shot] | None, error: YomitoriError | None) -> None:
            if shots is None:
                self._end_opening()
                self._messages.tell_error(error or CaptureFailed(reason="?"))
            else:
                then(shots)

        try:
            backend = self._capture()
        except BackendUnavailable as error:
            grabbed(None, error)
        else:
            self._bridge.run(lambda: backend.grab(screens), grabbed)

    def _open_overlay(self, shots: list[Shot]) -> None:
        try:
            self._overlay.open(shots, self._asks)
        finally:
            if not self._overlay.is_open:
                self._end_opening()

    def _on_cancelled(self, reason: str) -> None:
        self._end_opening()
        if reason == "too_small":
            self._messages.tell(
                self.tr("That was too small to read"),
                self.tr("Drag over the whole bubble, or double-click it."),
            )

    def _on_selected(self, shot: Shot, rect: QRect) -> None:
        self._opening = False
        self._read_region(shot, rect, self._asks)

    def _on_block_requested(self, shot: Shot, point: QPoint) -> None:
        def found(blocks: list[tuple[Box, Direction]] | None, error: YomitoriError | None) -> None:
            if error is not None:
                self._messages.tell_error(error)
            rects = [_with_margin(box, shot.image.rect()) for box, _ in blocks or ()]
            if any(rect.contains(point) for rect in rects):
                self._overlay.set_blocks(shot, rects)
            else:
                self._overlay.no_block(shot)

        self._bridge.when_done(self._engine.detect(to_rgb(shot.image)), found)

    # ---- reading

    def _read_region(self, shot: Shot, rect: QRect, asks: bool = False) -> None:
        try:
            image = crop(shot, rect)
        except ValueError as error:
            self._messages.tell_error(CaptureFailed(reason=str(error)))
            return
        self._last = Region(shot.screen.name, rect)
        scale = shot.image.width() / max(1, shot.screen.geometry.width())
        anchor = QRect(
            shot.screen.geometry.x() + round(rect.x() / scale),
            shot.screen.geometry.y() + round(rect.y() / scale),
            max(1, round(rect.width() / scale)),
            max(1, round(rect.height() / scale)),
        )
        self._read(Reading(image, "snip", anchor, asks=asks))

    def _at_pointer(self, image: RgbImage, source: str) -> Reading:
        return Reading(image, source, QRect(QCursor.pos(), QSize(1, 1)))

    def _read(self, reading: Reading) -> None:
        """Keep the picture first, so that nothing is lost if all else fails, then read it."""
        self._show_pending(reading)
        history = self._history
        if history is None or self.history_paused or not self._settings.current.storage.history:
            self._start(reading)
            return
        image = reading.image

        def kept(row: int | None, error: YomitoriError | None) -> None:
            reading.row = row
            if error is not None:
                # Reading goes on: the text matters more than its record.
                self._messages.tell_error(error)
            self.history_changed.emit()
            self._start(reading)

        source = reading.source
        self._bridge.run_in_order(
            lambda: history.add_pending(to_png(image), image.width, image.height, source), kept
        )

    def _show_pending(self, reading: Reading) -> None:
        self._current = None if reading.asks else reading
        if reading.asks or not self._settings.current.card.show_card:
            self._overlay.close()
            return
        if self._overlay.is_open:
            # Wayland lets no client place a window: the card is shown in the overlay's.
            self._overlay.host(self._card)
        self._card.show_pending(reading.anchor)

    def _start(self, reading: Reading) -> None:
        if reading.cancelled:
            self._keep(lambda history, row: history.cancel(row), reading)
            return
        reading.provisional, reading.taken, reading.edited, reading.result = None, False, None, None
        card = self._settings.current.card

        def read_first(result: OcrResult) -> None:
            self._bridge.post(lambda: self._on_provisional(reading, result))

        def piece_came(piece: dict[str, Any]) -> None:
            if "conversion" in piece:
                progress = Progress.from_json(piece["conversion"])
                self._bridge.post(lambda: self._on_conversion(reading, progress))

        quick = card.quick_text and card.show_card and not reading.asks
        reading.job = self._engine.recognize(
            reading.image, piece_came, read_first if quick else None, looked_at=True
        )
        if reading.asks:
            self.ask_requested.emit(reading)
        self._bridge.when_done(reading.job, lambda result, error: self._on_read(reading, result, error))

    def _on_provisional(self, reading: Reading, result: OcrResult) -> None:
        if reading.cancelled or reading.job is None:
            return
        reading.provisional = result
        # With the result already on its way, the text would only flash up.
        if self._on_card(reading) and not reading.job.done():
            self._card.show_provisional(result, self._engine.reading_engine())

    def _on_conversion(self, reading: Reading, progress: Progress) -> None:
        if self._on_card(reading) and reading.job is not None and not reading.job.done():
            done = percent(progress)
            self._card.show_conversion(done if done < 100 else None)

    def _on_read(self, reading: Reading, result: OcrResult | None, error: YomitoriError | None) -> None:
        first, edited = reading.provisional, reading.edited
        if result is not None:
            reading.result = result
            # An engine that finds nothing where another has read does not erase that.
            kept = first if first is not None and not result.text.strip() else result
            self._keep(lambda history, row: _finish(history, row, kept, edited), reading)
            if not reading.cancelled:
                self._present(reading, result)
        elif isinstance(error, Cancelled):
            own = first if reading.taken else None
            self._keep(lambda history, row: _cancel(history, row, own, edited), reading)
        elif error is not None:
            self._keep(lambda history, row: _fail(history, row, first, edited, error), reading)
            self._present_error(reading, error)
        self.read.emit(reading, result, error)
        self.finished.emit(result, error)

    def _keep(self, write: Callable[[History, int], Any], reading: Reading) -> None:
        """Write to the row of ``reading``, in order, off the GUI thread: a deletion may hold the file."""
        history, row = self._history, reading.row
        if history is None or row is None:
            return

        def kept(_: object, error: YomitoriError | None) -> None:
            if error is not None:
                self._messages.tell_error(error)
            self.history_changed.emit()

        self._bridge.run_in_order(lambda: write(history, row), kept)

    def _present(self, reading: Reading, result: OcrResult) -> None:
        if reading.asks:
            return
        card = self._settings.current.card
        accepted = not reading.taken
        if card.show_card and self._on_card(reading):
            others = readings(result, self._settings.current.reading)[1:]
            accepted = self._card.show_result(result, None, others, keep=reading.taken)
        if not result.text.strip():
            if not card.show_card:
                self._messages.tell(self.tr("No text found"), self.tr("Try a tighter or larger region."))
            return
        if not card.show_card:
            self._messages.tell(self.tr("Text read"), result.text)
        if accepted:
            self._copy_unasked(result.text, reading)

    def _on_card(self, reading: Reading) -> bool:
        """Whether the card is this reading's. While the next region is being selected, nothing may lie over
        the frozen screen: the text goes to the clipboard and the history all the same."""
        return reading is self._current and not self._opening

    def _copy_unasked(self, text: str, reading: Reading) -> None:
        """Put ``text`` into the clipboard as far as the settings want that without being asked."""
        mode = self._settings.current.card.copy_text
        if mode == "always" or (mode == "keep_images" and not self._picture_in_clipboard()):
            self._put(text, reading)
        elif mode == "keep_images" and self._on_card(reading):
            self._card.set_copied(None, self.tr("The picture in the clipboard was left alone."))

    def _present_error(self, reading: Reading, error: YomitoriError) -> None:
        if reading.asks:
            # The panel tells it beside the picture.
            return
        if self._settings.current.card.show_card and self._on_card(reading):
            self._card.show_error(error_sentence(error), error_hint(error), error.retryable)
        else:
            self._messages.tell_error(error)

    def _picture_in_clipboard(self) -> bool:
        try:
            return self._clipboard().holds_image()
        except BackendUnavailable:
            return False

    def _put(self, text: str, reading: Reading | None) -> None:
        def done(error: ClipboardFailed | None) -> None:
            if reading is None or self._on_card(reading):
                self._card.set_copied(error is None)
            if error is not None:
                self._messages.tell_error(error)

        try:
            self._clipboard().copy(text, done)
        except BackendUnavailable as error:
            self._messages.tell_error(error)
            self._card.set_copied(False)

    # ---- the card

    def _on_reread(self) -> None:
        reading = self._current
        if reading is None:
            return
        reading.cancelled = False
        self._keep(lambda history, row: history.retry(row), reading)
        self._show_pending(reading)
        self._start(reading)

    def _on_ask(self) -> None:
        """From the card to the panel; what is still being read goes on there."""
        reading, self._current = self._current, None
        self._leave_last()
        if reading is not None:
            self.ask_requested.emit(reading)

    def _on_cancel(self) -> None:
        """The user closed the card before the text came: the snip stays in the history, unread."""
        reading = self._current
        if reading is not None:
            reading.cancelled = True
            if reading.job is not None:
                reading.job.cancel()

    def _on_edited(self, text: str) -> None:
        reading = self._current
        if reading is not None:
            if reading.result is None:
                reading.taken, reading.edited = True, text
            self._keep(lambda history, row: history.update_text(row, text), reading)
        self.copy(text)

    def _on_taken(self) -> None:
        if self._current is not None:
            self._current.taken = True

    def _on_chosen(self, text: str) -> None:
        """The user went to another reading: it is what they wanted read."""
        reading = self._current
        if reading is None:
            return
        result = reading.result
        if result is not None and text == result.text:
            self._keep(lambda history, row: history.finish(row, result), reading)
        else:
            self._keep(lambda history, row: history.update_text(row, text), reading)
        self._copy_unasked(text, reading)


def _finish(history: History, row: int, result: OcrResult, edited: str | None) -> None:
    """Keep what was read; what the user has made of the provisional text stays the row's text."""
    history.finish(row, result)
    if edited is not None:
        history.update_text(row, edited)


def _cancel(history: History, row: int, first: OcrResult | None, edited: str | None) -> None:
    _keep_first(history, row, first, edited)
    history.cancel(row)


def _fail(
    history: History, row: int, first: OcrResult | None, edited: str | None, error: YomitoriError
) -> None:
    _keep_first(history, row, first, edited)
    history.fail(row, error)


def _keep_first(history: History, row: int, first: OcrResult | None, edited: str | None) -> None:
    """What was read first is better than nothing; it does not take the place of an earlier reading."""
    if first is not None and history.result(row) is None:
        _finish(history, row, first, edited)


def _app() -> QGuiApplication:
    app = QGuiApplication.instance()
    assert isinstance(app, QGuiApplication)
    return app


def _with_margin(box: Box, within: QRect) -> QRect:
    """A detected block and a little air around it: boxes are so tight that they cut strokes off."""
    margin = max(4, min(box.width, box.height) // 12)
    rect = QRect(box.x, box.y, box.width, box.height)
    return rect.adjusted(-margin, -margin, margin, margin).intersected(within)
