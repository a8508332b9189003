"""The look: readable colours, light and dark, Japanese glyphs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QLocale, Qt
from PySide6.QtGui import QFontInfo, QImage, QPalette
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QSpinBox
from pytestqt.qtbot import QtBot

from desktop.theme import (
    DARK,
    JAPANESE_FAMILIES,
    LIGHT,
    OVERLAY,
    Theme,
    Tokens,
    contrast,
    japanese_font,
    pad_spin_box,
    set_japanese,
    set_kind,
    style_sheet,
)

BACKGROUNDS = ("bg", "surface", "raised")


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    theme = Theme(qapp, "light")
    yield theme
    theme.set_choice("system")
    theme.deleteLater()


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("behind", [*BACKGROUNDS, "accent_soft"])
@pytest.mark.parametrize("ink", ["text", "muted", "accent", "warn", "bad", "good"])
def test_text_can_be_read(tokens: Tokens, ink: str, behind: str) -> None:
    assert contrast(getattr(tokens, ink), getattr(tokens, behind)) >= 4.5


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
def test_text_on_the_accent_can_be_read(tokens: Tokens) -> None:
    assert contrast(tokens.on_accent, tokens.accent) >= 4.5


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("behind", [*BACKGROUNDS, "accent_soft"])
@pytest.mark.parametrize("edge", ["control_line", "focus"])
def test_borders_of_controls_and_the_focus_ring_are_seen(tokens: Tokens, edge: str, behind: str) -> None:
    assert contrast(getattr(tokens, edge), getattr(tokens, behind)) >= 3


def test_the_overlays_labels_can_be_read() -> None:
    assert contrast(OVERLAY.on_label, OVERLAY.label) >= 4.5
    assert contrast(OVERLAY.accent, OVERLAY.label) >= 3


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#123456", "#123456") == 1


def test_the_setting_chooses_and_is_announced(theme: Theme, qapp: QApplication, qtbot: QtBot) -> None:
    assert not theme.dark
    with qtbot.waitSignal(theme.changed):
        theme.set_choice("dark")

    assert theme.tokens is DARK
    assert qapp.palette().color(QPalette.ColorRole.Window) == DARK.color("bg")
    assert DARK.accent in qapp.styleSheet()

    theme.set_choice("light")
    assert theme.tokens is LIGHT
    assert LIGHT.accent in qapp.styleSheet()


def test_the_same_choice_again_changes_nothing(theme: Theme, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(theme.changed):
        theme.set_choice("light")


def test_system_follows_the_systems_colour_scheme(theme: Theme, qapp: QApplication) -> None:
    theme.set_choice("system")

    system_is_dark = qapp.styleHints().colorScheme() == Qt.ColorScheme.Dark
    assert theme.dark == system_is_dark


def test_every_picture_of_the_style_sheet_is_there() -> None:
    for tokens in (LIGHT, DARK):
        for part in style_sheet(tokens, 13).split("url(")[1:]:
            path = part.split(")")[0]
            assert Path(path).is_file()
            assert not QImage(path).isNull()


def test_icons_have_small_and_large_sizes(theme: Theme) -> None:
    for icon in (theme.app_icon, theme.tray_icon):
        sizes = {size.width() for size in icon.availableSizes()}
        assert {16, 24, 32, 48, 64, 128, 256} <= sizes


def test_the_kind_of_a_button_changes_how_it_is_painted(theme: Theme, qtbot: QtBot) -> None:
    button = QPushButton("Copy")
    qtbot.addWidget(button)
    button.resize(100, 40)
    button.show()
    corner = (16, 20)

    normal = button.grab().toImage().pixelColor(*corner)
    set_kind(button, "primary")
    primary = button.grab().toImage().pixelColor(*corner)

    assert normal == LIGHT.color("raised")
    assert primary == LIGHT.color("accent")


def test_a_padded_spin_box_shows_its_longest_value(theme: Theme, qtbot: QtBot) -> None:
    box = QSpinBox()
    qtbot.addWidget(box)
    box.setRange(0, 100000)
    box.setSuffix(" MB")
    pad_spin_box(box)
    box.setValue(100000)
    box.resize(box.minimumSizeHint())
    box.show()

    edit = box.lineEdit()
    margins = edit.textMargins()
    room = edit.width() - margins.left() - margins.right()
    assert edit.fontMetrics().horizontalAdvance("100000 MB") <= room


def test_japanese_text_gets_a_japanese_font(theme: Theme, qtbot: QtBot) -> None:
    font = japanese_font(19)

    assert font.pixelSize() == 19
    assert QFontInfo(font).family() in JAPANESE_FAMILIES, "a Japanese font is installed for the tests"
    label = QLabel("直")
    qtbot.addWidget(label)
    set_japanese(label, 19)
    assert label.locale().language() == QLocale.Language.Japanese
    assert label.font().families()[0] in JAPANESE_FAMILIES
