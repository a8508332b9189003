"""The look of every window: colour tokens for light and dark, one style sheet, Japanese fonts, icons.

Widgets choose their part of the style sheet with two dynamic properties, set through ``set_kind`` and
``set_role``:

=========  ====================================================================================
property   values
=========  ====================================================================================
kind       buttons: ``primary``, ``ghost``, ``icon`` (none: a normal, outlined button)
role       labels: ``muted``, ``title``, ``strong``, ``warn``, ``bad``, ``good``, ``key``,
           ``heading`` (over cards, in line with their words, with a ring for the keyboard);
           frames: ``card``, ``line``; lists: ``nav``, ``rows``
=========  ====================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from string import Template

from PySide6.QtCore import QLocale, QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QIcon, QPalette
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QWidget

STEP = 4
"""Every distance is a multiple of this, in logical pixels."""
CONTROL_RADIUS = 8
CARD_RADIUS = 12

JAPANESE_FAMILIES = (
    "Noto Sans CJK JP",
    "Noto Sans JP",
    "Source Han Sans JP",
    "Hiragino Sans",
    "Hiragino Kaku Gothic ProN",
    "Yu Gothic UI",
    "Yu Gothic",
    "BIZ UDPGothic",
    "Meiryo",
    "IPAPGothic",
    "IPAexGothic",
    "IPAGothic",
    "TakaoPGothic",
    "VL PGothic",
    "MS PGothic",
    "Noto Serif CJK JP",
    "Droid Sans Japanese",
)
"""Families whose kanji have Japanese forms, best first."""

_ICON_SIZES = (16, 24, 32, 48, 64, 128, 256)
_DRAWN = (
    *("chevron-down", "chevron-up", "check"),
    *("arrow-left", "arrow-right", "arrow-up", "folder-new", "view-list", "view-details"),
)
"""Icons that the style sheet names, each in a dark and a light version."""
_ICONS = Path(__file__).resolve().parent.parent / "resources" / "icons"


@dataclass(frozen=True, slots=True)
class Tokens:
    """The colours of one theme as ``#rrggbb``; ``shadow`` is the alpha (0..255) of a card's black shadow."""

    dark: bool
    bg: str
    surface: str
    raised: str
    text: str
    muted: str
    line: str
    control_line: str
    focus: str
    accent: str
    accent_soft: str
    on_accent: str
    warn: str
    bad: str
    good: str
    shadow: int

    def color(self, name: str) -> QColor:
        """The token ``name`` as a colour to paint with."""
        return QColor(getattr(self, name))


LIGHT = Tokens(
    dark=False,
    bg="#f7f6f3",
    surface="#ffffff",
    raised="#ffffff",
    text="#1d1d1b",
    muted="#5f5e59",
    line="#e2e0da",
    control_line="#85827a",
    focus="#1f5f8b",
    accent="#1f5f8b",
    accent_soft="#e6f0f7",
    on_accent="#ffffff",
    warn="#9a4b00",
    bad="#a8281e",
    good="#2c6e3f",
    shadow=46,
)

DARK = Tokens(
    dark=True,
    bg="#1a1a1c",
    surface="#232326",
    raised="#2b2b2f",
    text="#ecebe7",
    muted="#a9a7a0",
    line="#3a3a3f",
    control_line="#86868e",
    focus="#7fc1ea",
    accent="#7fc1ea",
    accent_soft="#1f3443",
    on_accent="#0d1a23",
    warn="#f0b26b",
    bad="#f2938a",
    good="#8fd0a2",
    shadow=153,
)


@dataclass(frozen=True, slots=True)
class OverlayTokens:
    """The overlay lies on any picture, so its colours are the same in both themes."""

    accent: str = "#7fc1ea"
    hair: str = "#1f5f8b"
    label: str = "#14202a"
    on_label: str = "#ffffff"
    dim: tuple[int, int, int, int] = (10, 14, 20, 122)


OVERLAY = OverlayTokens()


def contrast(one: str, other: str) -> float:
    """The WCAG contrast ratio of two opaque colours, 1 to 21."""

    def luminance(name: str) -> float:
        color = QColor(name)
        parts = (color.redF(), color.greenF(), color.blueF())
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dim, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dim + 0.05)


def _japanese_families() -> list[str]:
    """The installed families with Japanese forms, best first.

    Those that are not installed are left out: font matching may put any CJK font, a Chinese one too,
    in the place of a name it does not know.
    """
    installed = set(QFontDatabase.families())
    japanese = [name for name in JAPANESE_FAMILIES if name in installed]
    if not japanese:
        japanese = [
            name
            for name in QFontDatabase.families(QFontDatabase.WritingSystem.Japanese)
            if not QFontDatabase.isPrivateFamily(name)
        ]
    return japanese


def write_kanji_japanese(app: QApplication) -> None:
    """Let menus and windows in Japanese take Japanese forms where the system's font has no kanji."""
    font = QFont(app.font())
    font.setFamilies([*font.families(), *_japanese_families()])
    app.setFont(font)


def japanese_font(pixel_size: int) -> QFont:
    """A font of ``pixel_size`` logical pixels whose kanji are Japanese wherever one such font exists."""
    font = QFont(QApplication.font())
    font.setFamilies([*_japanese_families(), *font.families()])
    font.setPixelSize(pixel_size)
    font.setLetterSpacing(QFont.SpacingType.PercentageSpacing, 102)
    return font


def set_japanese(widget: QWidget, pixel_size: int) -> None:
    """Make ``widget`` show text that was read: Japanese font, ``ja`` locale."""
    widget.setFont(japanese_font(pixel_size))
    widget.setLocale(QLocale(QLocale.Language.Japanese, QLocale.Country.Japan))


def set_kind(button: QWidget, kind: str) -> None:
    """Style a button as ``primary``, ``ghost``, ``icon`` (one square character) or ``""`` (normal)."""
    _set(button, "kind", kind)


def set_role(widget: QWidget, role: str) -> None:
    """Style a label, frame or list; see the module's table."""
    _set(widget, "role", role)


def set_ring(widget: QWidget, on: bool) -> None:
    """Whether a list with the role ``nav`` shows that it has the keyboard."""
    _set(widget, "ring", "true" if on else "false")


def pad_spin_box(box: QAbstractSpinBox) -> None:
    """Set the text of a spin box as far from its border as in other fields: no style sheet can."""
    box.lineEdit().setTextMargins(2 * STEP, 0, 2 * STEP, 0)
    box.setMinimumWidth(box.sizeHint().width() + 4 * STEP)


def _set(widget: QWidget, name: str, value: str) -> None:
    if widget.property(name) == value:
        return
    widget.setProperty(name, value)
    # Qt reads dynamic properties only when a widget is polished.
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    widget.update()


class Theme(QObject):
    """Puts the tokens of light or dark on the application and follows the system's colour scheme.

    ``choice`` is the setting ``general.theme``: ``system``, ``light`` or ``dark``.
    """

    changed = Signal()
    """The tokens are others now; widgets that paint themselves repaint."""

    def __init__(self, app: QApplication, choice: str = "system", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._app = app
        self._choice = choice
        self._tokens: Tokens | None = None
        app.setStyle("Fusion")
        app.setWindowIcon(self.app_icon)
        hints = app.styleHints()
        hints.colorSchemeChanged.connect(self._refresh)
        self.set_choice(choice)

    @property
    def tokens(self) -> Tokens:
        """The colours in use."""
        assert self._tokens is not None
        return self._tokens

    @property
    def choice(self) -> str:
        return self._choice

    @property
    def dark(self) -> bool:
        return self.tokens.dark

    def set_choice(self, choice: str) -> None:
        """Use the theme of the setting ``general.theme``."""
        self._choice = choice
        hints = self._app.styleHints()
        # The hint also turns the title bars that the system draws.
        if choice == "system":
            hints.unsetColorScheme()
        else:
            hints.setColorScheme(Qt.ColorScheme.Dark if choice == "dark" else Qt.ColorScheme.Light)
        self._refresh()

    def _refresh(self) -> None:
        if self._choice == "system":
            dark = self._app.styleHints().colorScheme() == Qt.ColorScheme.Dark
        else:
            dark = self._choice == "dark"
        tokens = DARK if dark else LIGHT
        if tokens is self._tokens:
            return
        self._tokens = tokens
        self._app.setPalette(palette(tokens))
        self._app.setStyleSheet(style_sheet(tokens, QFontInfo(QApplication.font()).pixelSize()))
        self.changed.emit()

    @cached_property
    def app_icon(self) -> QIcon:
        """The coloured icon of windows and the task bar."""
        return _icon("yomitori")

    @cached_property
    def tray_icon(self) -> QIcon:
        """The tray's icon, readable on light and dark bars."""
        return _icon("tray")


def _icon(name: str) -> QIcon:
    icon = QIcon()
    for size in _ICON_SIZES:
        icon.addFile(str(_ICONS / f"{name}-{size}.png"))
    return icon


def palette(tokens: Tokens) -> QPalette:
    """The palette of ``tokens`` for everything that the style sheet does not draw."""
    result = QPalette()
    roles = {
        QPalette.ColorRole.Window: tokens.bg,
        QPalette.ColorRole.WindowText: tokens.text,
        QPalette.ColorRole.Base: tokens.surface,
        QPalette.ColorRole.AlternateBase: tokens.bg,
        QPalette.ColorRole.Text: tokens.text,
        QPalette.ColorRole.PlaceholderText: tokens.muted,
        QPalette.ColorRole.Button: tokens.raised,
        QPalette.ColorRole.ButtonText: tokens.text,
        QPalette.ColorRole.BrightText: tokens.bad,
        QPalette.ColorRole.ToolTipBase: tokens.raised,
        QPalette.ColorRole.ToolTipText: tokens.text,
        QPalette.ColorRole.Highlight: tokens.accent,
        QPalette.ColorRole.HighlightedText: tokens.on_accent,
        QPalette.ColorRole.Accent: tokens.accent,
        QPalette.ColorRole.Link: tokens.accent,
        QPalette.ColorRole.LinkVisited: tokens.accent,
        QPalette.ColorRole.Mid: tokens.line,
        QPalette.ColorRole.Midlight: tokens.line,
        QPalette.ColorRole.Dark: tokens.control_line,
    }
    for role, name in roles.items():
        result.setColor(role, QColor(name))
    for role in (
        QPalette.ColorRole.WindowText,
        QPalette.ColorRole.Text,
        QPalette.ColorRole.ButtonText,
    ):
        result.setColor(QPalette.ColorGroup.Disabled, role, QColor(tokens.control_line))
    return result


def style_sheet(tokens: Tokens, text_size: int) -> str:
    """The application's one style sheet; ``text_size`` is the system font's size in logical pixels."""
    values = {name: getattr(tokens, name) for name in Tokens.__dataclass_fields__}
    mode = "dark" if tokens.dark else "light"
    return Template(_STYLE).substitute(
        values,
        radius=CONTROL_RADIUS,
        card_radius=CARD_RADIUS,
        title_size=text_size + 2,
        key_size=max(10, text_size - 2),
        **{name.replace("-", "_"): (_ICONS / f"{name}-{mode}.svg").as_posix() for name in _DRAWN},
    )


# A focused control's border grows from 1 to 2 px; its padding shrinks by 1 so that nothing moves.
_STYLE = """
QToolTip { background: $raised; color: $text; border: 1px solid $line; padding: 4px 8px; }
/* Qt's own balloon, where there is no notification service: always on light yellow. */
QBalloonTip QLabel { color: #1f1f1f; }

QLabel[role="muted"] { color: $muted; }
QLabel[role="title"] { font-size: ${title_size}px; font-weight: 600; }
QLabel[role="strong"] { font-weight: 600; }
QLabel[role="heading"] { font-weight: 600; border: 2px solid transparent; border-radius: ${radius}px;
    padding: 2px 11px; }
QLabel[role="heading"]:focus { border-color: $focus; }
QLabel[role="warn"] { color: $warn; }
QLabel[role="bad"] { color: $bad; }
QLabel[role="good"] { color: $good; }
QLabel[role="key"] { font-size: ${key_size}px; color: $muted; background: $surface;
    border: 1px solid $line; border-radius: 4px; padding: 0 5px; }

QFrame[role="card"] { background: $raised; border: 1px solid $line; border-radius: ${card_radius}px; }
QFrame[role="line"] { background: $line; border: none; max-height: 1px; min-height: 1px; }

QPushButton, QToolButton { background: $raised; color: $text; border: 1px solid $control_line;
    border-radius: ${radius}px; padding: 5px 11px; min-height: 18px; outline: none; }
QPushButton:hover, QToolButton:hover { background: $accent_soft; }
QPushButton:pressed, QToolButton:pressed { background: $line; }
QPushButton:focus, QToolButton:focus { border: 2px solid $focus; padding: 4px 10px; }
QPushButton:disabled, QToolButton:disabled { color: $control_line; border-color: $line; }
QPushButton[kind="primary"] { background: $accent; border-color: $accent; color: $on_accent; }
QPushButton[kind="primary"]:hover { border-color: $text; }
QPushButton[kind="primary"]:focus { border-color: $text; }
QPushButton[kind="primary"]:disabled { background: $line; border-color: $line; color: $muted; }
QPushButton[kind="ghost"], QToolButton[kind="ghost"] { background: transparent;
    border-color: transparent; padding: 5px 8px; }
QPushButton[kind="ghost"]:hover, QToolButton[kind="ghost"]:hover { background: $accent_soft; }
QPushButton[kind="ghost"]:focus, QToolButton[kind="ghost"]:focus { border-color: $focus; padding: 4px 7px; }
QPushButton[kind="icon"] { background: transparent; border-color: transparent; padding: 0;
    min-width: 22px; max-width: 22px; min-height: 22px; max-height: 22px; }
QPushButton[kind="icon"]:hover { background: $accent_soft; }
QPushButton[kind="icon"]:focus { border-color: $focus; padding: 0; min-width: 20px; max-width: 20px;
    min-height: 20px; max-height: 20px; }
QPushButton::menu-indicator, QToolButton::menu-indicator { image: none; width: 0; }

/* Where the system has no dialog for files of its own, Qt's. Its icons are made for light windows. */
QFileDialog { backward-icon: url($arrow_left); forward-icon: url($arrow_right);
    filedialog-parent-directory-icon: url($arrow_up); filedialog-new-directory-icon: url($folder_new);
    filedialog-listview-icon: url($view_list); filedialog-detailedview-icon: url($view_details); }
QFileDialog QToolButton { padding: 5px; min-height: 0; }
QFileDialog QToolButton:focus { padding: 4px; }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }

QLineEdit, QPlainTextEdit, QTextEdit, QSpinBox, QDoubleSpinBox, QComboBox, QKeySequenceEdit QLineEdit {
    background: $surface; color: $text; border: 1px solid $control_line; border-radius: ${radius}px;
    padding: 5px 9px; selection-background-color: $accent; selection-color: $on_accent;
    placeholder-text-color: $muted; }
QLineEdit > QToolButton { background: transparent; border: none; padding: 0; min-height: 0; }
QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox { min-height: 18px; }
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus,
QComboBox:focus { border: 2px solid $focus; padding: 4px 8px; }
QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled, QComboBox:disabled,
QPlainTextEdit:disabled, QTextEdit:disabled { color: $muted; background: $bg; border-color: $line; }
QTextEdit[frameShape="0"], QPlainTextEdit[frameShape="0"] { background: transparent; border: none;
    padding: 0; }

QComboBox { background: $raised; padding-right: 4px; combobox-popup: 0; }
QComboBox:focus { padding-right: 3px; }
QComboBox::drop-down { border: none; width: 24px; }
QComboBox::down-arrow { image: url($chevron_down); width: 12px; height: 12px; }
/* The list opens under its box, and its height is taken before it gets the focus: nothing may grow then. */
QComboBox QAbstractItemView, QComboBox QAbstractItemView:focus { background: $raised; color: $text;
    border: 1px solid $control_line; border-radius: 0; padding: 4px; }
QComboBox QAbstractItemView::item { min-height: 20px; padding: 3px 8px; border-radius: 6px; }

QSpinBox::up-button, QDoubleSpinBox::up-button { border: none; width: 24px; subcontrol-position: top right; }
QSpinBox::down-button, QDoubleSpinBox::down-button { border: none; width: 24px;
    subcontrol-position: bottom right; }
QSpinBox::up-arrow, QDoubleSpinBox::up-arrow { image: url($chevron_up); width: 10px; height: 10px; }
QSpinBox::down-arrow, QDoubleSpinBox::down-arrow { image: url($chevron_down); width: 10px; height: 10px; }

QCheckBox, QRadioButton { spacing: 8px; padding: 3px; border: 2px solid transparent;
    border-radius: ${radius}px; }
QCheckBox:focus, QRadioButton:focus { border-color: $focus; }
QCheckBox::indicator { width: 16px; height: 16px; border: 1px solid $control_line; border-radius: 5px;
    background: $surface; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; image: url($check); }
QRadioButton::indicator { width: 16px; height: 16px; border: 1px solid $control_line; border-radius: 9px;
    background: $surface; }
QRadioButton::indicator:checked { width: 8px; height: 8px; border: 5px solid $accent; }
QCheckBox::indicator:disabled { border-color: $line; background: $bg; }
QCheckBox::indicator:checked:disabled { background: $control_line; border-color: $control_line; }

QListView, QTreeView, QTableView { background: $surface; color: $text; border: 1px solid $line;
    border-radius: ${radius}px; outline: none; }
QListView::item:selected, QTreeView::item:selected { background: $accent_soft; color: $text; }
QListView:focus, QTreeView:focus, QTableView:focus { border: 2px solid $focus; }
QListView[role="nav"] { background: transparent; border: 2px solid transparent; border-radius: ${radius}px; }
QListView[role="nav"][ring="true"]:focus { border-color: $focus; }
QListView[role="rows"], QListView[role="rows"]:focus { background: transparent; border: none; }
QListView[role="nav"]::item { padding: 6px 10px; border-radius: 7px; }
QListView[role="nav"]::item:selected { background: $accent_soft; color: $accent; font-weight: 600; }

QScrollArea { border: none; background: transparent; }
QScrollBar { background: transparent; border: none; }
QScrollBar:vertical { width: 12px; }
QScrollBar:horizontal { height: 12px; }
QScrollBar::handle { background: $control_line; border-radius: 3px; margin: 3px; }
QScrollBar::handle:vertical { min-height: 32px; }
QScrollBar::handle:horizontal { min-width: 32px; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QProgressBar { background: $line; border: none; border-radius: 3px; min-height: 6px; max-height: 6px;
    color: transparent; }
QProgressBar::chunk { background: $accent; border-radius: 3px; }

QMenu { background: $raised; color: $text; border: 1px solid $line; padding: 4px; }
QMenu::item { padding: 6px 24px 6px 12px; border-radius: 6px; }
QMenu::item:selected { background: $accent_soft; color: $text; }
QMenu::item:disabled { color: $control_line; }
QMenu::separator { height: 1px; background: $line; margin: 4px 8px; }
"""
