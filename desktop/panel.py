"""The side panel: a picture, what was read in it, and questions about both."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, QUrl, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QAction,
    QCloseEvent,
    QDesktopServices,
    QImage,
    QKeyEvent,
    QKeySequence,
    QResizeEvent,
    QShortcut,
)
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from core.conversation_types import TurnState
from core.engines import BUILT_IN
from core.presets import PresetLibrary
from core.prompts import PromptLibrary, fill
from core.settings import SettingsStore
from desktop.answering import Progress
from desktop.ask import ask
from desktop.ask_options import AskOptions
from desktop.chat_view import ChatView
from desktop.composer import Composer
from desktop.keyboard import keyboard_stays, press_button, presses
from desktop.missing_model import MissingModel
from desktop.notice import Notice
from desktop.panel_texts import waiting
from desktop.picture_input import PictureDrop
from desktop.picture_pane import PicturePane
from desktop.picture_share import PictureShare
from desktop.picture_types import PanePicture
from desktop.pointer import forget_pointer
from desktop.prompt_texts import prompt_title
from desktop.prompt_words import prompt_variables
from desktop.saved_note import SavedNote
from desktop.talk import Shown, Talk
from desktop.texts import engine_title, error_hint, error_sentence
from desktop.theme import STEP, Theme, set_kind, set_role

_LOW = 660
"""Logical pixels, below which long texts scroll and what cannot be used gives way."""
_ROOM_FOR_ALL = 540
"""From here on there is room for several pictures, all that is said of one, and some of the conversation."""


class Panel(QWidget):
    """A window on a ``Talk``; closing frees it, the talk stays.

    ``welcome`` stands in the place of an empty conversation, ``missing``, which hides itself, above the
    question's field; while it is needed, no question can be sent.
    """

    snip_requested = Signal()
    open_requested = Signal()
    """The user wants to choose a picture file."""
    paste_requested = Signal()
    conversations_requested = Signal()
    add_snip_requested = Signal()
    """The same, into the open conversation."""
    delete_requested = Signal()
    """The open conversation shall go; the user has been asked."""
    export_requested = Signal(str)
    """The open conversation, as ``markdown`` or ``json``."""
    settings_requested = Signal()
    models_requested = Signal()
    copy_requested = Signal(str)
    told = Signal(str)
    """Something the user should know, in one sentence."""
    closed = Signal()

    def __init__(
        self,
        talk: Talk,
        theme: Theme,
        settings: SettingsStore,
        prompts: PromptLibrary,
        presets: PresetLibrary,
        welcome: QWidget,
        missing: MissingModel | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Ask – Yomitori"))
        self._talk = talk
        self._theme = theme
        self._settings = settings
        self._prompts = prompts
        self._presets = presets
        self._told: dict[int, int] = {}
        # The pictures that are shown, by id.
        self._seen: list[int] = []

        self.welcome = welcome
        self._missing = missing
        self.pane = PicturePane(theme)
        self.chat = ChatView(theme)
        self.notice = Notice()
        self.saved = SavedNote()
        self.composer = Composer(theme)
        self.pages = QStackedWidget()
        self.body = QStackedWidget()
        self._lay_out()
        self._connect()
        self._forget_prompts = prompts.subscribe(lambda _: self._show_prompts())
        self._forget_settings = settings.subscribe(lambda _: self._show_settings())
        self._show_prompts()
        self._show_settings()
        self.show_all()

    # ---- making

    def _lay_out(self) -> None:
        self.title = QLabel(self.tr("Ask"))
        set_role(self.title, "title")
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.new_snip = _ghost(self.tr("New snip"))
        self.new_snip.setToolTip(self.tr("Drag over what you want to ask about"))
        self.paste = _ghost(self.tr("Paste"))
        self.paste.setToolTip(self.tr("Ask about the picture in the clipboard (Ctrl+V)"))
        self.more = QToolButton()
        self.more.setText("…")
        self.more.setAccessibleName(self.tr("More"))
        self.more.setToolTip(self.tr("More"))
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        set_kind(self.more, "ghost")
        self.more.setMenu(self._make_menu())
        self.more.menu().aboutToHide.connect(partial(forget_pointer, self.more))
        header = QHBoxLayout()
        header.setContentsMargins(4 * STEP, 3 * STEP, 2 * STEP, 3 * STEP)
        header.setSpacing(STEP)
        header.addWidget(self.title, 1)
        # Only while there is no title bar.
        self.close_button = QPushButton("×")
        self.close_button.setAccessibleName(self.tr("Close"))
        self.close_button.setToolTip(self.tr("Close (Esc)"))
        set_kind(self.close_button, "icon")
        self.close_button.clicked.connect(self.close)
        self.close_button.hide()
        for button in (self.new_snip, self.paste, self.more, self.close_button):
            # A click leaves the keyboard where it is: Space would press it again.
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            header.addWidget(button)
        line = QFrame()
        set_role(line, "line")

        talk = QWidget()
        column = QVBoxLayout(talk)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.pane)
        self._pane_line = QFrame()
        set_role(self._pane_line, "line")
        column.addWidget(self._pane_line)
        # In a low window it gives way first: it scrolls. With 0 it would keep what its scroll bars need.
        self.chat.setMinimumHeight(1)
        column.addWidget(self.chat, 1)
        if self._missing is not None:
            column.addWidget(self._missing)
        self.body.addWidget(self.welcome)
        self.body.addWidget(talk)
        self._share = PictureShare(self.pane, self.chat, self.body)
        first = QWidget()
        whole = QVBoxLayout(first)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(header)
        whole.addWidget(line)
        whole.addWidget(self.body, 1)
        self.pages.addWidget(first)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.pages, 1)
        # On every page; what is read gives way to it, and the field stays where it is.
        layout.addWidget(self.notice)
        layout.addWidget(self.saved)
        layout.addWidget(self.composer)
        self.setMinimumSize(320, 480)
        self._drop = PictureDrop(self)

    def _make_menu(self) -> QMenu:
        menu = QMenu(self)
        self.new = menu.addAction(self.tr("New conversation"), self._begin)
        self.new.setShortcut(QKeySequence("Ctrl+N"))
        self.add_snip = menu.addAction(self.tr("Snip into this conversation"), self.add_snip_requested.emit)
        self.open_file = menu.addAction(self.tr("Open picture…"), self.open_requested.emit)
        self.open_file.setShortcut(QKeySequence("Ctrl+O"))
        self.earlier = menu.addAction(self.tr("Earlier conversations…"), self.conversations_requested.emit)
        self.earlier.setShortcut(QKeySequence("Ctrl+H"))
        menu.addSeparator()
        self.export_markdown = menu.addAction(
            self.tr("Export as Markdown…"), partial(self.export_requested.emit, "markdown")
        )
        self.export_json = menu.addAction(
            self.tr("Export as JSON…"), partial(self.export_requested.emit, "json")
        )
        self.copy_all = menu.addAction(self.tr("Copy the last answer"), self._copy_last)
        self.copy_all.setShortcut(QKeySequence("Ctrl+Shift+C"))
        self.delete = menu.addAction(self.tr("Delete this conversation…"), self._delete_all)
        menu.addSeparator()
        menu.addAction(self.tr("Models…"), self.models_requested.emit)
        menu.addAction(self.tr("Settings…"), self.settings_requested.emit)
        # Their keys work while the menu is closed, too.
        self.addActions([self.new, self.open_file, self.earlier, self.copy_all])
        to_field = QAction(self)
        to_field.setShortcut(QKeySequence("Ctrl+L"))
        to_field.triggered.connect(self.take_focus)
        self.addAction(to_field)
        return menu

    def _connect(self) -> None:
        talk, chat, pane, composer = self._talk, self.chat, self.pane, self.composer
        self.new_snip.clicked.connect(self.snip_requested)
        self.paste.clicked.connect(self.paste_requested)
        talk.opened.connect(self._on_opened)
        talk.pictures_changed.connect(self._show_pictures)
        talk.picture_read.connect(self._show_picture)
        talk.turns_changed.connect(self._show_turns)
        talk.turn_changed.connect(self._show_turn)
        talk.progressed.connect(self._show_progress)
        talk.busy_changed.connect(self._show_busy)
        talk.accepted.connect(self._on_accepted)
        chat.copy_requested.connect(self.copy_requested)
        chat.regenerate_requested.connect(self._answer_again)
        chat.retry_requested.connect(self._answer_again)
        chat.edit_requested.connect(self._edit_question)
        chat.delete_requested.connect(self._delete_from)
        chat.link_activated.connect(self._open_link)
        pane.text_edited.connect(talk.edit_text)
        pane.remove_requested.connect(self._remove_picture)
        pane.left.connect(self.take_focus)
        pane.read_again_requested.connect(talk.read)
        pane.copy_text_requested.connect(self.copy_requested)
        pane.give_text_changed.connect(partial(self._settings.set, "panel.give_text"))
        composer.submitted.connect(self._ask)
        composer.stop_requested.connect(talk.stop)
        composer.typing.connect(talk.typing)
        composer.prompt_chosen.connect(self.use_prompt)
        composer.options_requested.connect(self._show_options)
        composer.picture_pasted.connect(self._add_image)
        composer.files_pasted.connect(self._add_files)
        composer.refused.connect(self.told)
        composer.several.part_requested.connect(talk.part_with_last_picture)
        composer.several.take_out_requested.connect(self._remove_last_picture)
        composer.several.models_requested.connect(self.models_requested)
        self._drop.dropped_image.connect(self._add_image)
        self._drop.dropped_files.connect(self._add_files)
        self._drop.refused.connect(self.told)
        paste = QShortcut(QKeySequence(QKeySequence.StandardKey.Paste), self)
        paste.activated.connect(self.paste_requested)
        if self._missing is not None:
            self._missing.changed.connect(self._show_missing)
            self._show_missing()

    # ---- showing what the talk holds

    def show_all(self) -> None:
        """Everything anew."""
        self._told.clear()
        self.chat.clear()
        self._show_pictures()
        self._show_turns()
        self._show_busy()

    def _on_opened(self) -> None:
        # A question that is half written stays: a picture may be what it was waiting for.
        self.notice.forget()
        self.show_all()

    def _on_accepted(self) -> None:
        self.notice.forget()
        self._share.show_talk()
        self.composer.set_text("")

    def _show_body(self) -> None:
        empty = self._talk.empty
        self.body.setCurrentIndex(0 if empty else 1)
        self._show_composer()
        self.pane.setVisible(bool(self._talk.pictures))
        self._pane_line.setVisible(bool(self._talk.pictures))
        for action in (self.export_markdown, self.export_json, self.copy_all):
            action.setEnabled(bool(self._talk.turns))
        for action in (self.add_snip, self.delete):
            action.setEnabled(not empty)

    def _show_composer(self) -> None:
        wanted = self.on_talk and not self._talk.empty
        if wanted == self.composer.isHidden():
            self.composer.setVisible(wanted)
            if self.on_talk:
                self.take_focus()

    def _show_missing(self) -> None:
        # What is missing, and how it gets here, stands above the field already.
        needed = self._missing is not None and self._missing.needed
        self.composer.set_enabled_reason(self.tr("You can send it once the model is here.") if needed else "")

    def _show_pictures(self) -> None:
        pictures = [shown.picture.id for shown in self._talk.pictures]
        if pictures != self._seen:
            # One that could not be opened changes none of them: that is still to be read.
            self.notice.forget()
            self._seen = pictures
        self.pane.set_pictures([self._pane_picture(shown) for shown in self._talk.pictures])
        self._show_obstacle()
        self._show_body()

    def _show_picture(self, picture: int) -> None:
        for shown in self._talk.pictures:
            if shown.picture.id == picture:
                self.pane.update_picture(self._pane_picture(shown))

    def _pane_picture(self, shown: Shown) -> PanePicture:
        image, result = shown.image, shown.result
        picture = QImage(
            image.data, image.width, image.height, 3 * image.width, QImage.Format.Format_RGB888
        ).copy()
        role = "muted"
        if shown.reading:
            status = self.tr("Reading…")
        elif shown.error is not None:
            status, role = f"{error_sentence(shown.error)} {error_hint(shown.error)}".strip(), "bad"
        elif not shown.picture.text.strip():
            status = self.tr("No text found")
        elif result is not None and result.engine == BUILT_IN:
            status = self.tr("Text read by the built-in engine")
        elif result is not None:
            status = self.tr("Text read by {0}").format(engine_title(result.engine))
        else:
            status = self.tr("Text")
        blocks = tuple(result.blocks) if result is not None else ()
        return PanePicture(
            shown.picture.id,
            picture,
            shown.picture.text,
            shown.picture.edited,
            blocks,
            status,
            role,
            shown.reading,
        )

    def _show_turns(self) -> None:
        with keyboard_stays(self.chat, lambda _: self.composer.field):
            self.chat.show_turns(self._talk.turns)
        self._told.clear()
        for turn in self._talk.turns:
            progress = self._talk.progress(turn.id)
            if progress is not None:
                self._show_progress(turn.id, progress)
        self._show_body()

    def _show_turn(self, turn: int) -> None:
        shown = self._talk.turn(turn)
        if shown is not None:
            if shown.state in (TurnState.DONE, TurnState.FAILED):
                self._share.answer_arrives(turn)
            self.chat.update_turn(shown)

    def _show_progress(self, turn: int, progress: Progress) -> None:
        known = self._told.get(turn, 0)
        for notice in progress.notices[known:]:
            self.chat.add_note(turn, error_sentence(notice))
        self._told[turn] = len(progress.notices)
        if progress.text:
            self._share.answer_arrives(turn)
            self.chat.grow(turn, progress.text)
        else:
            self.chat.set_progress(turn, *waiting(progress, self._talk.waits_for_text(turn)))

    def _show_busy(self) -> None:
        self.composer.set_busy(self._talk.busy)

    def _show_settings(self) -> None:
        self.pane.set_give_text(self._settings.current.panel.give_text)

    def set_one_picture(self, model: str) -> None:
        """The name of the model that answers, where that looks at one picture at a time; else empty."""
        self._talk.one_picture = model
        self._show_obstacle()

    def _show_obstacle(self) -> None:
        self.composer.set_problem(self._talk.obstacle())
        self._show_room()

    def set_model_line(self, text: str, role: str) -> None:
        """Which model answers; under the question's field."""
        self.composer.set_status(text, role)

    def say(self, text: str, role: str = "muted") -> None:
        """Say something for a while, and to screen readers."""
        self.notice.say(text, role)

    def show_copied(self) -> None:
        """What was to be copied is in the clipboard now."""
        told = self.tr("Copied to the clipboard")
        if self.chat.show_copied():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, told))
        else:
            self.say(told)

    def show_close_button(self, on: bool) -> None:
        """Docked, the window has no title bar to close it with."""
        self.close_button.setVisible(on)

    # ---- pages

    def show_page(self, page: QWidget) -> None:
        """Show another page in the place of the conversation."""
        if self.pages.indexOf(page) < 0:
            self.pages.addWidget(page)
        self.pages.setCurrentWidget(page)
        self._show_composer()
        page.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_talk(self) -> None:
        """Back to the conversation."""
        self.pages.setCurrentIndex(0)
        self._show_composer()
        self.take_focus()

    def take_focus(self) -> None:
        """The keyboard goes to the question's field, or while there is nothing to ask about, to no control:
        what is typed then presses no button."""
        if self._talk.empty:
            self.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.composer.take_focus()

    @property
    def on_talk(self) -> bool:
        return self.pages.currentIndex() == 0

    # ---- what the user does

    def use_prompt(self, index: int) -> None:
        """Ask with one of the quick prompts, about the part of the text that is selected, or all of it; what
        is written in the field is added."""
        prompts = self._prompts.prompts()
        if not 0 <= index < len(prompts) or self._talk.busy:
            return
        self.pane.flush()
        selected = self.pane.text.textCursor().selectedText().replace("\u2029", "\n").strip()
        given = self._settings.current.panel.give_text
        text = selected or (self._talk.text() if given else "")
        variables = prompt_variables(self._settings.current, text, self._prompts.language)
        asked = fill(prompts[index].text, variables)
        words = self.composer.text().strip()
        title = ": ".join(filter(None, (prompt_title(prompts[index]), words or " ".join(text.split()))))
        self._talk.ask("\n".join(filter(None, (asked, words))), title)

    def _ask(self, text: str) -> None:
        self.pane.flush()
        self._talk.ask(text)

    def _show_prompts(self) -> None:
        self.composer.set_prompts([prompt_title(prompt) for prompt in self._prompts.prompts()])

    def _begin(self) -> None:
        self._talk.begin()
        self.show_talk()

    def _copy_last(self) -> None:
        answers = [turn.text for turn in self._talk.turns if turn.role == "assistant" and turn.text.strip()]
        if answers:
            self.copy_requested.emit(answers[-1])

    def _may_ask(self) -> bool:
        """Whether nothing is being answered; else that is said."""
        if self._talk.busy:
            self.say(self.tr("Wait for the answer that is being written, or stop it first."))
        return not self._talk.busy

    def _answer_again(self, turn: int) -> None:
        if not self._may_ask():
            return
        attempts = self._talk.attempts(turn)
        later = [each for each in self._talk.turns if each.id > turn and each.id not in attempts]
        if not later or self._talk.obstacle(turn) is not None:
            self._talk.answer_again(turn)
            return
        ask(
            self,
            self.tr("Answer this question again?"),
            self.tr("What was asked and answered after it is deleted when the new answer is there."),
            self.tr("Answer again"),
            partial(self._talk.answer_again, turn),
        )

    def _edit_question(self, turn: int, text: str) -> None:
        if not self._may_ask():
            return
        later = [each for each in self._talk.turns if each.id > turn]
        if len(later) <= 1 or self._talk.obstacle(turn) is not None:
            self._talk.edit_question(turn, text)
            return
        ask(
            self,
            self.tr("Ask this again in other words?"),
            self.tr("All that was asked and answered after it is deleted. This cannot be undone."),
            self.tr("Ask again"),
            partial(self._talk.edit_question, turn, text),
        )

    def _remove_picture(self, picture: int) -> None:
        if not any(picture in turn.pictures for turn in self._talk.turns):
            self._talk.remove_picture(picture)
            return
        ask(
            self,
            self.tr("Take this picture out of the conversation?"),
            self.tr("It is deleted here for good, and the answers about it stay."),
            self.tr("Take out"),
            partial(self._talk.remove_picture, picture),
        )

    def _remove_last_picture(self) -> None:
        if self._talk.pictures:
            self._remove_picture(self._talk.pictures[-1].picture.id)

    def _delete_all(self) -> None:
        ask(
            self,
            self.tr("Delete this conversation with its pictures?"),
            self.tr("This cannot be undone."),
            self.tr("Delete"),
            self.delete_requested.emit,
        )

    def _delete_from(self, turn: int) -> None:
        ask(
            self,
            self.tr("Delete this and all that follows?"),
            self.tr("This cannot be undone."),
            self.tr("Delete"),
            partial(self._talk.delete_from, turn),
        )

    def _open_link(self, address: str) -> None:
        url = QUrl(address)
        if url.scheme() in ("http", "https", "mailto"):
            QDesktopServices.openUrl(url)
        else:
            self.told.emit(self.tr("Only links to web pages are opened: {0}").format(address))

    def _show_options(self) -> None:
        popup = AskOptions(self._theme, self._presets, self)
        popup.set_options(self._talk.options, self._talk.system, self._talk.preset)
        popup.changed.connect(partial(self._take_options, popup))
        popup.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        popup.open_at(self.composer.options_anchor)

    def _take_options(self, popup: AskOptions) -> None:
        self._talk.set_options(popup.options(), popup.system(), popup.chosen())

    def _add_image(self, image: QImage) -> None:
        from desktop.capture.crop import to_rgb

        self._talk.add_loaded(lambda: to_rgb(image), "clipboard")

    def _add_files(self, files: list[Path]) -> None:
        for file in files:
            self._talk.add_file(file)

    # ---- events

    def _show_room(self) -> None:
        # What keeps the user from asking, and the ways out, come first; then the conversation.
        enough = _ROOM_FOR_ALL if self.composer.several.isHidden() else _LOW
        self.pane.set_tight(len(self._seen) > 1 and self.height() < enough)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        activated = event.type() == QEvent.Type.ActivationChange and self.isActiveWindow()
        if activated and self._missing is not None:
            self._missing.look_again()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        low = self.height() < _LOW
        self.pane.set_low(low)
        self.composer.set_low(low)
        self._show_room()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            if event.isAutoRepeat():
                # Who holds it to stop an answer does not mean to close the panel.
                pass
            elif not self.on_talk:
                self.show_talk()
            elif self._talk.busy:
                self._talk.stop()
            else:
                self.close()
            event.accept()
        elif not (presses(event) and press_button(self)):
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.pane.flush()
        self._forget_prompts()
        self._forget_settings()
        super().closeEvent(event)
        self.closed.emit()


def _ghost(text: str) -> QPushButton:
    button = QPushButton(text)
    set_kind(button, "ghost")
    return button
