"""The models there are: download, choose, check, update, delete, import."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from core.errors import YomitoriError
from core.memory import format_bytes
from core.models.entries import ModelEntry
from core.models.places import HUB_NAMES
from core.models.renamed import conversion_of
from core.settings import SettingsStore
from desktop.ask import ask
from desktop.download_panel import DownloadPanel, ask_to_cancel
from desktop.keyboard import keyboard_stays, press_button, presses
from desktop.model_group import ModelGroup
from desktop.model_rows import ModelRow, Standing
from desktop.model_survey import AUTO, MODEL_SETTINGS, Survey
from desktop.model_tasks import IMPORT, Doing, ModelTasks
from desktop.model_texts import renamed_text, short_commit, told
from desktop.setting_controls import ChoiceBox
from desktop.texts import breakable
from desktop.theme import STEP, set_role
from desktop.window_size import resize_on_screen


class ModelsDialog(QWidget):
    """Shows what ``tasks`` knows and asks before anything is deleted. Closing frees the window; what runs
    goes on."""

    def __init__(
        self,
        tasks: ModelTasks,
        settings: SettingsStore,
        before_delete: Callable[[str], None] = lambda repo: None,
        parent: QWidget | None = None,
    ) -> None:
        """``before_delete(repo)`` is told before files of a model are deleted: it may be in memory."""
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Models"))
        self._tasks = tasks
        self._settings = settings
        self._before_delete = before_delete
        self.rows: dict[str, ModelRow] = {}
        self.groups = {
            "ocr": ModelGroup("ocr", self.tr("For reading")),
            "vision": ModelGroup("vision", self.tr("For asking about pictures")),
        }
        # The group that was asked for, until it could be brought into view.
        self._asked = ""
        self._bring_soon = QTimer(self, singleShot=True, interval=0)
        self._bring_soon.timeout.connect(self._bring_asked)
        self.folder_row = self.groups["ocr"].folder_row
        self.groups["vision"].automatic.clicked.connect(self._choose_automatically)
        self._lay_out()
        tasks.changed.connect(self._refresh_one)
        tasks.surveyed.connect(self.refresh)
        resize_on_screen(self, 720, 600)
        self.refresh()
        tasks.look()

    def _lay_out(self) -> None:
        heading = QLabel(self.tr("Models"))
        set_role(heading, "title")
        self.place = QLabel()
        self.place.setWordWrap(True)
        self.place.setTextFormat(Qt.TextFormat.PlainText)
        set_role(self.place, "muted")
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        set_role(self.problem, "bad")
        head = QVBoxLayout()
        head.setContentsMargins(22, 18, 22, 0)
        head.setSpacing(STEP)
        for label in (heading, self.place, self.problem):
            head.addWidget(label)

        content = QWidget()
        groups = QVBoxLayout(content)
        groups.setContentsMargins(22, 2 * STEP, 22, 3 * STEP)
        groups.setSpacing(6 * STEP)
        for group in self.groups.values():
            groups.addWidget(group)
        groups.addStretch(1)
        self.scroll = QScrollArea()
        self.scroll.setWidgetResizable(True)
        self.scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.scroll.setWidget(content)

        line = QFrame()
        set_role(line, "line")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * STEP)
        layout.addLayout(head)
        layout.addWidget(self.scroll, 1)
        layout.addWidget(line)
        layout.addLayout(self._make_add())

    def _make_add(self) -> QVBoxLayout:
        title = QLabel(self.tr("Another model"))
        set_role(title, "strong")
        self.kind = ChoiceBox()
        self.kind.addItem(self.tr("For reading, in MangaOCR's format"), "ocr")
        self.kind.addItem(self.tr("For asking, of the LLaVA family"), "vision")
        self.kind.setAccessibleName(self.tr("What the other model is for"))
        self.name = QLineEdit()
        self.name.setPlaceholderText(self.tr("Hub id (owner/name) or folder"))
        self.name.setAccessibleName(self.tr("Hub id (owner/name) or folder"))
        self.name.returnPressed.connect(self._add)
        title.setBuddy(self.name)
        self.add = QPushButton(self.tr("Add"))
        self.add.clicked.connect(self._add)
        self.browse = QPushButton(self.tr("Browse…"))
        self.browse.setAccessibleName(self.tr("Browse for a folder with a model"))
        self.browse.clicked.connect(self._browse)
        self.import_button = QPushButton(self.tr("Import…"))
        menu = QMenu(self.import_button)
        menu.addAction(self.tr("Import from a folder…"), lambda: self._import(IMPORT, False))
        menu.addAction(self.tr("Import from a zip file…"), lambda: self._import(IMPORT, True))
        self.import_button.setMenu(menu)
        self.import_button.setAccessibleDescription(
            self.tr(
                "For a computer without internet: take a model from files that were downloaded elsewhere."
            )
        )
        self.import_button.setToolTip(self.import_button.accessibleDescription())
        self.said = QLabel()
        self.said.setWordWrap(True)
        self.said.setTextFormat(Qt.TextFormat.PlainText)
        self.said.hide()
        self.importing = DownloadPanel()
        self.importing.hide()
        self.importing.cancel_requested.connect(lambda: self._tasks.pause(IMPORT))
        top = QHBoxLayout()
        top.setSpacing(2 * STEP)
        top.addWidget(title)
        top.addWidget(self.kind)
        top.addStretch(1)
        fields = QHBoxLayout()
        fields.setSpacing(2 * STEP)
        fields.addWidget(self.name, 1)
        for button in (self.add, self.browse, self.import_button):
            fields.addWidget(button)
        layout = QVBoxLayout()
        layout.setContentsMargins(22, STEP, 22, 4 * STEP)
        layout.setSpacing(2 * STEP)
        layout.addLayout(top)
        layout.addLayout(fields)
        layout.addWidget(self.said)
        layout.addWidget(self.importing)
        return layout

    # ---- showing

    def refresh(self) -> None:
        """Show what the last survey found."""
        survey = self._tasks.survey
        if survey is None:
            self.place.setText(self.tr("Looking for models…"))
            self.problem.hide()
            for group in self.groups.values():
                group.folder_row.hide()
            return
        place = self.tr("Kept in {0} · {1} free").format(survey.root, format_bytes(survey.free_disk))
        if survey.asking_root != survey.root:
            place += "\n" + self.tr("Those for asking are kept in {0}").format(survey.asking_root)
        self.place.setText(breakable(place))
        root_problem = survey.root_problem
        self.problem.setText(breakable(told(root_problem)) if root_problem is not None else "")
        self.problem.setVisible(root_problem is not None)
        repos = [entry.repo for entry in survey.entries]
        with keyboard_stays(self, self._refuge):
            for group in self.groups.values():
                self._show_group(group, survey)
            self._show_rows(repos, survey)

    def _refuge(self, gone: QWidget) -> QWidget | None:
        """What gets the keyboard when ``gone``, which had it, is not there any more."""
        survey = self._tasks.survey
        entry = survey.asking.entry if survey is not None else None
        if gone is self.groups["vision"].automatic and entry is not None and entry.repo in self.rows:
            return self.rows[entry.repo].first_part()
        # One that was mistyped is taken from the list where the next is typed.
        return self.name

    def _show_group(self, group: ModelGroup, survey: Survey) -> None:
        chosen = survey.chosen_for(group.role)
        may_choose = group.role == "vision" and not chosen.automatic and not self._locked(group.role)
        note = renamed_text(chosen.renamed) if chosen.problem is None else ""
        if group.role == "vision" and not survey.answers:
            note = self.tr("A server answers now, as the settings say.")
        group.show_survey(survey, may_choose, note)

    def _show_rows(self, repos: list[str], survey: Survey) -> None:
        for repo in [known for known in self.rows if known not in repos]:
            row = self.rows.pop(repo)
            for group in self.groups.values():
                group.drop(row)
            row.hide()
            row.deleteLater()
        first = not self.rows
        for repo in repos:
            if repo not in self.rows:
                self._add_row(repo)
            self._refresh_row(repo, survey)
        self._refresh_one(IMPORT)
        self._set_tab_order()
        if self._asked:
            self._bring_soon.start()
        elif first and repos:
            self.rows[repos[0]].take_focus()

    def _set_tab_order(self) -> None:
        """As it is seen: the models, then what adds another."""
        order: list[QWidget] = []
        for group in self.groups.values():
            order.append(group.automatic)
            for row in self.rows.values():
                if row.parentWidget() is group:
                    order += row.tab_order()
        order += [self.kind, self.name, self.add, self.browse, self.import_button]
        for before, after in pairwise(order):
            QWidget.setTabOrder(before, after)

    def _add_row(self, repo: str) -> None:
        row = ModelRow(repo, self._tasks)
        row.use_requested.connect(self._use_entry)
        row.delete_requested.connect(self._ask_to_delete)
        row.cancel_requested.connect(self._ask_to_cancel)
        row.import_requested.connect(self._import)
        self.rows[repo] = row

    def _refresh_one(self, repo: str) -> None:
        survey = self._tasks.survey
        if repo == IMPORT:
            self._show_import()
        elif survey is not None and repo in self.rows:
            self._refresh_row(repo, survey)

    def _refresh_row(self, repo: str, survey: Survey) -> None:
        entry = self._tasks.entry(repo)
        if entry is None:
            return
        row, chosen = self.rows[repo], survey.chosen_for(entry.role)
        # What a model is for may be known only once its files are here.
        self.groups[entry.role].take(row)
        named = chosen.entry is not None and chosen.entry.repo == repo
        row.refresh(
            entry,
            Standing(
                survey.fits.get(repo),
                survey.earlier.get(repo, ""),
                named and not chosen.automatic,
                named and chosen.automatic,
                self._locked(entry.role),
                survey.in_use(repo),
            ),
        )

    def _locked(self, role: str) -> str:
        """What sets for this run which model of that role is used, empty where the user may choose."""
        return self._settings.overridden.get(MODEL_SETTINGS[role], "")

    def _show_import(self) -> None:
        task = self._tasks.task(IMPORT)
        self.importing.setVisible(task.doing is Doing.IMPORT)
        if task.doing is Doing.IMPORT:
            self.importing.show_download(self.tr("the model"), task, None)
            self._say("")
        elif task.error is not None:
            self._say(told(task.error))
        elif task.said:
            self._say(task.said, "good")

    def _say(self, text: str, role: str = "bad") -> None:
        set_role(self.said, role)
        self.said.setText(breakable(text))
        self.said.setVisible(bool(text))

    def show_model(self, repo: str) -> None:
        """Bring the model into view, with the keyboard on what can be done with it."""
        row = self.rows.get(repo)
        if row is None:
            return
        self.scroll.ensureWidgetVisible(row)
        row.take_focus()

    def show_group(self, role: str) -> None:
        """Bring the models of a role into view, as soon as they are known, with the keyboard at the chosen
        one or at their heading; another model is added to them."""
        self.kind.setCurrentIndex(self.kind.findData(role))
        self._asked = role
        self._place_asked()
        self._bring_soon.start()

    def _bring_asked(self) -> None:
        """A window that was just opened has found its places by now."""
        self._place_asked()
        if self.rows:
            self._asked = ""

    def _place_asked(self) -> None:
        survey = self._tasks.survey
        if not self._asked or survey is None or not self.rows:
            return
        group, chosen = self.groups[self._asked], survey.chosen_for(self._asked).entry
        row = self.rows.get(chosen.repo) if chosen is not None else None
        content, heading = self.scroll.widget(), group.heading
        for widget in (group, content):
            layout = widget.layout()
            if layout is not None:
                layout.activate()
        top = heading.mapTo(content, QPoint(0, 0)).y() - 2 * STEP
        self.scroll.verticalScrollBar().setValue(top)
        if row is not None and row.parentWidget() is group:
            # The heading stays where the card is near it.
            self.scroll.ensureWidgetVisible(row)
            row.take_focus()
        else:
            # Not what another model's card would do.
            heading.setFocus(Qt.FocusReason.OtherFocusReason)

    # ---- doing

    def _add(self) -> None:
        """A hub id comes into the list, a folder is used at once: it is there already."""
        text = self.name.text().strip()
        if not text:
            self._say(self.tr("Type a hub id, such as owner/name, or choose a folder."), "muted")
            return
        self._say("")
        path = Path(text).expanduser()
        if path.is_absolute() or path.is_dir():
            self._use_folder(path.absolute())
            return
        renamed = conversion_of(text)
        try:
            self._tasks.add(text, "vision" if renamed is not None else self.kind.currentData())
        except YomitoriError as error:
            self._say(told(error))
        else:
            self.name.clear()
            self._say(renamed_text(renamed), "muted")

    def _use_folder(self, path: Path) -> None:
        def checked(role: str, error: YomitoriError | None) -> None:
            if error is not None:
                self._say(told(error))
            elif self._use(str(path), role):
                self.name.clear()

        self._tasks.check_folder(path, checked)

    def _use_entry(self, name: str) -> None:
        entry = next((known for known in self._entries() if known.name == name), None)
        if entry is not None:
            self._use(name, entry.role)

    def _entries(self) -> tuple[ModelEntry, ...]:
        return self._tasks.survey.entries if self._tasks.survey is not None else ()

    def _choose_automatically(self) -> None:
        # The button goes when it has done its work; the keyboard stays at these models.
        self._use(AUTO, "vision")

    def _use(self, name: str, role: str) -> bool:
        """Read or answer with this model from now on; whether that could be set."""
        try:
            self._settings.set(MODEL_SETTINGS[role], name)
        except YomitoriError as error:
            self._say(told(error))
            return False
        self._say("")
        return True

    def _browse(self) -> None:
        self._choose(self.tr("Folder with a model"), False, self.name.setText)

    def _import(self, repo: str, from_zip: bool) -> None:
        title = self.tr("Import from a zip file") if from_zip else self.tr("Import from a folder")
        self._choose(title, from_zip, self._importer(repo))

    def _importer(self, repo: str) -> Callable[[str], None]:
        role = self.kind.currentData()
        return lambda path: self._tasks.import_from(Path(path), repo, role)

    def _choose(self, title: str, file: bool, then: Callable[[str], None]) -> None:
        dialog = QFileDialog(self, title, str(Path.home()))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if file:
            dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
            dialog.setNameFilter(self.tr("Zip files (*.zip)"))
        else:
            dialog.setFileMode(QFileDialog.FileMode.Directory)
            dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(then)
        dialog.open()

    def _ask_to_delete(self, repo: str, commit: str) -> None:
        entry = self._tasks.entry(repo)
        if entry is None:
            return
        if commit:
            size = next((known.size for known in entry.revisions if known.commit == commit), 0)
            question = self.tr("Delete revision {0} of {1}?").format(short_commit(commit), entry.title)
        else:
            size = entry.disk_bytes
            question = self.tr("Delete {0}?").format(entry.title)
        detail = self.tr("{0} on the disk. It can be downloaded again.").format(format_bytes(size))
        if self._is_shared():
            detail += " " + self.tr("Other programs that use this folder lose it, too.")

        def delete() -> None:
            self._before_delete(repo)
            self._tasks.remove(repo, commit or None)

        ask(self, question, detail, self.tr("Delete"), delete)

    def _ask_to_cancel(self, repo: str) -> None:
        ask_to_cancel(self, self._tasks, repo)

    def _is_shared(self) -> bool:
        """Whether models lie in the hub's own cache instead of a folder chosen for Yomitori."""
        folder = self._settings.current.models.dir
        return not folder or self._settings.overridden.get("models.dir", "") in HUB_NAMES

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        elif not (presses(event) and press_button(self)):
            super().keyPressEvent(event)
