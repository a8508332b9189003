"""The Japanese texts: complete, up to date with the code, and really what the windows show."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QFileInfo, QLocale, QRect, Qt
from PySide6.QtGui import QAction, QFont
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QMenu,
    QWidget,
)
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from core.engines import ENGINES
from core.errors import (
    BackendUnavailable,
    LoadFailed,
    ModelUnusable,
    NotEnoughMemory,
    ReadFailed,
    SettingsDamaged,
    StorageError,
    YomitoriError,
    known_errors,
)
from core.events import HostState, State
from core.history import History
from core.images import to_png, too_large
from core.models.layout import checkpoint_problem
from core.paths import Paths
from core.presets import PresetLibrary
from core.prompts import PromptLibrary
from core.settings import SettingsStore, iter_settings
from core.types import OcrResult, RgbImage
from desktop import capture
from desktop.app import install_translations, language_of_texts
from desktop.capture.base import CaptureBackend
from desktop.card_window import CARD_WIDTH
from desktop.focus import Focus
from desktop.history_window import HistoryWindow
from desktop.hotkeys.keys import parse_bindings
from desktop.overlay import Overlay
from desktop.panel import Panel
from desktop.prompt_words import menu_language
from desktop.prompts_editor import PromptsEditor
from desktop.registry import Entry, choose
from desktop.result import ResultCard
from desktop.settings_dialog import SettingsDialog
from desktop.texts import engine_title, error_hint, error_sentence, model_state
from desktop.theme import Theme
from desktop.tray import Actions, SmallWindow
from desktop.worker import Bridge
from tests.desktop.test_overlay import make_shot
from tests.support.environment import child_environment
from tests.support.talk_desk import Desk

ROOT = Path(__file__).resolve().parent.parent.parent
TS = ROOT / "resources" / "translations" / "yomitori_ja.ts"
JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
Texts = dict[tuple[str, str], str]

NAMES = {
    *("Yomitori", "English", "CPU", "MIT", "OS", "X11", "Qt", "Windows", "macOS"),
    *("fp32", "bf16", "fp16", "int8", "int4", "manga-ocr", "ID", "owner", "name", "RAM"),
    *("HTTP", "yomitori", "serve", "https", "chrome-extension", "manga", "example", "org", "abc"),
    *("http", "localhost", "OpenAI", "vLLM", "Ollama", "LM", "Studio", "llama", "cpp", "top_p"),
    *("PP-OCRv6", "wl-copy", "Wayland", "grim", "wlroots", "MangaOCR", "ABC", "Tab", "Enter", "px", "MB"),
}
"""What is called the same in every language."""


def messages(ts: Path) -> Iterator[tuple[str, str, ElementTree.Element]]:
    """Context, source text and translation of every message."""
    for context in ElementTree.parse(ts).iter("context"):
        for message in context.iter("message"):
            translation = message.find("translation")
            assert translation is not None
            yield context.findtext("name", ""), message.findtext("source", ""), translation


def translations() -> Texts:
    return {(context, source): found.text or "" for context, source, found in messages(TS)}


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The files that ``make translations`` would write now."""
    ts = tmp_path_factory.mktemp("translations") / TS.name
    shutil.copy(TS, ts)
    command = [sys.executable, str(ROOT / "packaging" / "translations.py"), str(ts)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return ts, ts.with_suffix(".qm")


@pytest.fixture
def japanese(qapp: QApplication) -> Iterator[QApplication]:
    """The application as it is for someone who chose Japanese."""
    font, locale = QFont(qapp.font()), QLocale()
    installed = install_translations(qapp, "ja")
    yield qapp
    for translator in installed:
        qapp.removeTranslator(translator)
    QLocale.setDefault(locale)
    qapp.setFont(font)
    qapp.sendPostedEvents(None, QEvent.Type.LanguageChange)


@pytest.fixture
def theme(japanese: QApplication) -> Theme:
    return Theme(japanese, "light")


@pytest.fixture
def dialog(theme: Theme, settings: SettingsStore, tmp_path: Path) -> Iterator[SettingsDialog]:
    prompts = PromptsEditor(PromptLibrary(tmp_path / "prompts.json"), theme)
    shown = SettingsDialog(settings, theme, Paths.below(tmp_path), more={"panel": [prompts]})
    shown.show()
    yield shown
    if isValid(shown):
        shown.close()


def words(widget: QWidget) -> list[str]:
    """Everything that is written on the visible labels, buttons and fields of ``widget``."""
    kinds = (QLabel, QAbstractButton)
    found = [child.text() for kind in kinds for child in widget.findChildren(kind) if child.isVisible()]
    fields = [child for child in widget.findChildren(QLineEdit) if child.isVisible()]
    return [text for text in (*found, *(f.placeholderText() for f in fields)) if text]


def english(text: str) -> str:
    """What is left of ``text`` without variables, paths, keys, versions and names."""
    rest = re.sub(r"\{\w+\}|/\S+|YOMITORI_\w+|\b(?:Ctrl|Alt|Shift|Super)\+\S+|\d+\.\d+\.\d+", "", text)
    return " ".join(word for word in re.findall(r"[A-Za-z][\w-]*", rest, re.ASCII) if word not in NAMES)


# ---- the files


def test_every_text_is_translated() -> None:
    for context, source, translation in messages(TS):
        assert translation.get("type") is None, f"{context}: {source} is unfinished or not used any more"
        assert (translation.text or "").strip(), f"{context}: {source} is empty"
    assert len(translations()) > 300


def test_no_text_of_the_code_is_missing_and_none_is_left_over(extracted: tuple[Path, Path]) -> None:
    now = {(context, source) for context, source, _ in messages(extracted[0])}
    assert now - set(translations()) == set(), "run 'make translations' and translate what is new"
    assert set(translations()) - now == set(), "run 'make translations'"


def test_the_compiled_file_is_made_of_the_texts(extracted: tuple[Path, Path]) -> None:
    assert TS.with_suffix(".qm").read_bytes() == extracted[1].read_bytes(), "run 'make translations'"


def test_placeholders_and_marks_survive_the_translation() -> None:
    def marks(text: str) -> list[str]:
        return sorted(re.findall(r"\{\w*\}|</?b>|'?yomitori \w+", text.replace("'", "")))

    for (context, source), translation in translations().items():
        assert marks(source) == marks(translation), f"{context}: {source}"
        keys = r"\b(?:Ctrl|Alt|Shift|Super|Enter|Esc|Space|Tab|F\d+)\b"
        written = re.sub("Escape", "Esc", source)
        assert set(re.findall(keys, written)) == set(re.findall(keys, translation, re.ASCII)), source


def test_sentences_end_as_japanese_ones_do() -> None:
    for (context, source), translation in translations().items():
        assert not re.search(r"[.,;!?]$", translation.replace("...", "")), f"{context}: {translation}"
        if context != "settings" and source.endswith(".") and "{fix}" not in source:
            assert translation.endswith("。"), f"{context}: {translation}"


def test_words_of_core_are_looked_up_where_they_are_kept(japanese: QApplication) -> None:
    def translated(context: str, text: str) -> str:
        return QCoreApplication.translate(context, text)

    texts = translations()
    for info in iter_settings():
        shown = (info.group_title, info.title, info.description, info.unit)
        for text in (*shown, *info.labels.values(), *info.special.values()):
            assert not text or translated("settings", text) == texts["settings", text]
    for kind in known_errors().values():
        if kind.__module__ == "core.errors":
            for text in (kind.sentence, kind.hint):
                assert not text or translated("errors", text) == texts["errors", text]
    for spec in ENGINES:
        assert engine_title(spec.name) == texts["engines", spec.title]


def cut_off(widget: QWidget) -> list[str]:
    """The visible buttons and paragraphs of ``widget`` whose words do not fit."""
    shown = [child for child in widget.findChildren(QWidget) if child.isVisible()]
    return [
        child.text()
        for child in shown
        if (isinstance(child, QAbstractButton) and child.width() < child.sizeHint().width())
        or (isinstance(child, QLabel) and child.height() < child.heightForWidth(child.width()))
    ]


# ---- what is said


@pytest.mark.parametrize(
    ("error", "sentence", "hint"),
    [
        (
            NotEnoughMemory(engine="built-in", need="200 MB", free="90 MB"),
            "内蔵エンジンには 200 MB のメモリが必要ですが、空きは 90 MB です。",
            "ほかのプログラムを閉じるか、小さいモデルを選んでください。",
        ),
        (
            LoadFailed(engine="built-in", reason="the package rapidocr is not installed"),
            "内蔵エンジンを読み込めませんでした: パッケージ rapidocr がインストールされていません。",
            "足りないものは「yomitori doctor」で確認できます。",
        ),
        (
            StorageError(path="/data", reason="it is damaged"),
            "/data を使えません: 壊れています。",
            "フォルダーがあり、書き込みが許可され、ディスクに空きがあるか確認してください。",
        ),
        (
            SettingsDamaged(aside="settings.json.broken"),
            "設定ファイルが壊れていたため、settings.json.broken に移しました。初期値を使います。",
            "必要な項目を「設定」でもう一度設定してください。",
        ),
        (
            LoadFailed(engine="built-in", reason="model.onnx is missing"),
            "内蔵エンジンを読み込めませんでした: model.onnx がありません。",
            "足りないものは「yomitori doctor」で確認できます。",
        ),
        (ReadFailed(), ReadFailed().message, "もう一度試すか、狭い範囲を切り抜いてください。"),
        (
            too_large("The picture", 20_000, 9_000),
            "画像 は大きすぎます: 20000 x 9000 ピクセル (上限は 64 メガピクセル)。",
            "ページごとに分けるか、縮小してください。",
        ),
    ],
    ids=["memory", "loading", "storage", "settings", "a reason with a name", "without parameters", "size"],
)
def test_errors_are_told_in_japanese_with_their_reasons(
    japanese: QApplication, error: YomitoriError, sentence: str, hint: str
) -> None:
    assert error_sentence(error) == sentence
    assert error_hint(error) == hint


@pytest.mark.parametrize(
    ("config", "role", "reason"),
    [
        (None, "ocr", "そのフォルダーはありません"),
        ({"model_type": "bert"}, "ocr", "種類が bert で、MangaOCR の形式ではありません"),
        (
            {"model_type": "llava_llama", "mm_vision_tower": "clip"},
            "vision",
            "LLaVA の元の形式です。代わりに llava-hf などの変換版を使ってください",
        ),
        (
            {"model_type": "llava", "mm_vision_tower": "clip", "_name_or_path": "liuhaotian/llava-v1.5-7b"},
            "vision",
            "LLaVA の元の形式です。代わりに llava-hf/llava-1.5-7b-hf を使ってください",
        ),
    ],
    ids=["no folder", "not for reading", "original format", "original format of a known model"],
)
def test_why_a_folder_holds_no_model_is_told_in_japanese(
    japanese: QApplication, tmp_path: Path, config: dict[str, str] | None, role: str, reason: str
) -> None:
    folder = tmp_path / "model"
    if config is not None:
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(config), "utf-8")
    problem = checkpoint_problem(folder, role)
    assert problem is not None
    assert error_sentence(ModelUnusable(model="x", reason=problem)) == f"x は使えません: {reason}。"


def test_a_backend_that_does_not_work_gives_its_reason_and_its_fix_in_japanese(
    japanese: QApplication,
) -> None:
    # Given that nothing of what the registry knows is made for this system
    foreign: list[Entry[CaptureBackend]] = [
        Entry(entry.name, entry.make, ("plan9",)) for entry in capture.BACKENDS
    ]
    with pytest.raises(BackendUnavailable) as nothing:
        choose("capture", "auto", foreign)
    with pytest.raises(BackendUnavailable) as named:
        choose("capture", "grim", foreign)
    # Then the whole message is Japanese but for names
    sentence, hint = error_sentence(nothing.value), error_hint(nothing.value)
    assert sentence == "画面の取り込み: この環境では使えません (この OS に対応した方式がありません)。"
    assert hint == "この環境で使えるものは「yomitori doctor」で確認できます。"
    assert error_sentence(named.value) == "grim: この環境では使えません (別の OS 用です)。"
    assert error_hint(named.value) == "「設定」で「自動」を選んでください。"


def test_a_wrong_hotkey_is_told_in_one_sentence(japanese: QApplication) -> None:
    _, wrong = parse_bindings({"snip": "Ctrl+Nothing"})
    assert (
        error_sentence(wrong["snip"])
        == "設定 snip に Ctrl+Nothing は使えません: 「Nothing」というキーはありません。"
    )


def test_the_state_of_the_model_is_told_in_japanese(japanese: QApplication) -> None:
    ready = HostState("ocr", State.READY, engine="ppocr", memory=212_000_000)
    assert re.fullmatch(r"エンジン \(内蔵\): 準備完了、2\d\d MB 使用中", model_state(ready))
    assert model_state(HostState("ocr", State.UNLOADED)) == "メモリ上のモデルはありません"


# ---- what is shown


def test_the_menu_is_japanese(theme: Theme, qtbot: QtBot) -> None:
    actions, menu = Actions(), QMenu()
    qtbot.addWidget(menu)
    actions.fill(menu)
    shown = [action.text() for action in menu.actions() if not action.isSeparator()]
    assert shown[0] == "切り抜き"
    assert shown[-1] == "終了"
    assert {"履歴", "設定", "ホットキーを一時停止", "画像を開く…"} <= set(shown)
    assert all(JAPANESE.search(text) for text in shown)
    # Qt's own words are Japanese as well
    assert QCoreApplication.translate("QPlatformTheme", "Cancel") == "キャンセル"


def test_the_small_window_is_japanese(theme: Theme, qtbot: QtBot) -> None:
    window = SmallWindow(Actions(), theme)
    qtbot.addWidget(window)
    window.show()
    assert window.windowTitle() == "Yomitori"
    shown = words(window)
    assert "Yomitori は起動しています" in shown
    assert all(JAPANESE.search(text) and not english(text) for text in shown), shown


def test_the_result_card_is_japanese_and_nothing_is_cut_off(theme: Theme, qtbot: QtBot) -> None:
    card = ResultCard(theme, Focus())
    qtbot.addWidget(card)
    card.show_pending(QRect(10, 10, 40, 60))
    assert "読み取っています…" in words(card)
    # When a text has been read and copied, the widest row of buttons
    card.show_result(OcrResult("今日は学校に行きませんでした", (), "ppocr", "cpu", 12.34), True)
    shown = words(card)
    assert {"コピー済み ✓", "再読み取り", "編集", "内蔵 · 12.3 秒"} <= set(shown)
    # Then every button and the line beside them have all the room they ask for
    for child in card.findChildren(QWidget):
        if child.isVisible() and isinstance(child, QLabel | QAbstractButton):
            assert child.width() >= child.sizeHint().width(), child
    # And an engine with a long name gives way to the buttons
    card.show_result(OcrResult("読", (), "a very long engine name " * 4, "cpu", 0.1), True)
    for child in card.findChildren(QAbstractButton):
        if child.isVisible():
            assert child.width() >= child.sizeHint().width()
            assert child.mapTo(card, child.rect().topRight()).x() < card.width()
    assert card.width() >= CARD_WIDTH
    card.show_result(OcrResult("", (), "ppocr", "cpu", 0.1))
    assert "文字が見つかりませんでした。" in words(card)


def test_the_dialog_for_files_is_japanese(theme: Theme, qtbot: QtBot) -> None:
    chooser = QFileDialog(None, "", "/")
    chooser.setOption(QFileDialog.Option.DontUseNativeDialog)
    qtbot.addWidget(chooser)
    labels = [label.text() for label in chooser.findChildren(QLabel) if label.text()]
    assert {"場所(&L):", "ファイルの種類(&T):"} <= set(labels)
    assert chooser.iconProvider().type(QFileInfo("/")) in ("フォルダー", "ドライブ")


def test_the_settings_are_japanese_but_for_names(dialog: SettingsDialog) -> None:
    assert dialog.windowTitle() == "設定"
    shown: list[str] = []
    for row in range(dialog.navigation.count()):
        dialog.navigation.setCurrentRow(row)
        shown += [dialog.navigation.item(row).text(), *words(dialog.stack.currentWidget())]
    shown += words(dialog)
    for combo in dialog.findChildren(QComboBox):
        shown += [combo.itemText(index) for index in range(combo.count())]
    left = sorted({text for text in shown if english(text)})
    assert left == []
    assert {"一般", "取り込み", "読み取り", "このアプリについて"} <= set(shown)
    assert "内蔵 (PP-OCRv6)" in shown
    # Every row says what a screen reader tells in Japanese too
    for setting in dialog.rows.values():
        assert JAPANESE.search(setting.control.accessibleName() or "")


def test_every_word_of_the_settings_has_room(dialog: SettingsDialog) -> None:
    for page in range(dialog.navigation.count()):
        dialog.navigation.setCurrentRow(page)
        QApplication.processEvents()
        item = dialog.navigation.item(page)
        room = dialog.navigation.visualItemRect(item).width()
        assert dialog.navigation.fontMetrics().horizontalAdvance(item.text()) < room
        for label in dialog.stack.currentWidget().findChildren(QLabel):
            if label.isVisible():
                assert label.height() >= label.heightForWidth(label.width()), label.text()
        for button in dialog.stack.currentWidget().findChildren(QAbstractButton):
            if button.isVisible():
                assert button.width() >= button.sizeHint().width(), button.text()


def test_a_number_is_typed_with_its_japanese_word_or_unit(dialog: SettingsDialog, qtbot: QtBot) -> None:
    row = dialog.rows["card.card_seconds"]
    dialog.open_group("結果")
    field = row.control.findChild(QLineEdit)
    assert field is not None
    assert field.text() == "8 秒"
    field.selectAll()
    field.insert("無期限")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert field.text() == "無期限"
    field.selectAll()
    field.insert("12 秒")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert field.text() == "12 秒"


def test_settings_are_found_by_japanese_and_by_english_words(dialog: SettingsDialog) -> None:
    for query in ("拡大鏡", "magnifier"):
        dialog.search.setText(query)
        assert dialog.rows["capture.magnifier"].isVisible()
        assert not dialog.rows["capture.backend"].isVisible()
    dialog.search.setText("んん")
    assert "「んん」は見つかりませんでした。" in words(dialog)


def test_the_history_is_japanese(theme: Theme, tmp_path: Path, qtbot: QtBot) -> None:
    history = History(tmp_path / "history.sqlite3")
    bridge = Bridge()
    window = HistoryWindow(history, theme, bridge)
    window.set_hotkey("Ctrl+Alt+S")
    window.show()
    assert window.windowTitle() == "履歴"
    assert window.empty.text() == "まだ何もありません。Ctrl+Alt+S を押して、文字の上をドラッグしてください。"
    # When a snip could not be read
    row = history.add_pending(to_png(RgbImage(8, 8, bytes(192))), 8, 8, "snip")
    history.fail(row, LoadFailed(engine="built-in", reason="it is damaged"))
    window.refresh()
    window.list.setCurrentIndex(window.model.index(0))
    shown = words(window)
    assert {"すべて削除…", "画像をコピー", "再試行", "削除", "テキストを検索"} <= set(shown)
    assert not [text for text in shown if english(text.replace("yomitori doctor", ""))]
    told = str(window.model.index(0).data())
    assert told.startswith("内蔵エンジンを読み込めませんでした: 壊れています。")
    menu = window._menu(history.list("", 1)[0])
    assert [action.text() for action in menu.findChildren(QAction) if action.text()] == [
        "コピー",
        "画像をコピー",
        "再試行",
        "これについて質問",
        "削除",
    ]
    menu.deleteLater()
    window.close()
    bridge.close()
    history.close()


@pytest.mark.parametrize("width", [320, 420])
def test_the_panel_is_japanese_and_nothing_is_cut_off(
    theme: Theme, settings: SettingsStore, tmp_path: Path, qtbot: QtBot, width: int
) -> None:
    # Given the panel, as narrow as it gets and as wide as it is
    desk = Desk(qtbot, settings, tmp_path)
    prompts = PromptLibrary(tmp_path / "prompts.json", language_of_texts())
    presets = PresetLibrary(tmp_path / "presets.json", desk.talk.defaults)
    panel = Panel(desk.talk, theme, settings, prompts, presets, QWidget())
    panel.resize(width, 800)
    with qtbot.waitExposed(panel):
        panel.show()
    # When a picture is asked about
    desk.add()
    desk.ask("何ですか")
    QApplication.processEvents()
    # Then everything beside the talk itself is Japanese, and can be read
    shown = words(panel)
    assert {"質問", "貼り付け", "翻訳", "コピー", "再読み取り", "再回答", "送信"} <= set(shown)
    assert not [text for text in shown if english(text)]
    assert cut_off(panel) == []
    assert all(JAPANESE.search(action.text()) for action in panel.more.menu().actions() if action.text())
    # And answers are asked for in the language of the menus
    assert menu_language() == "Japanese"
    # And a quick prompt asks in that language
    with qtbot.waitSignal(desk.talk.accepted, timeout=30_000):
        panel.use_prompt(0)
    question = desk.talk.turns[-2].text
    assert question.startswith("画像の文字：6x4\n画像の文章を日本語に訳してください。")
    assert not re.search("[A-Za-z{}]", question.replace("6x4", ""))
    desk.until_quiet()
    panel.close()
    desk.close()


def test_the_overlay_fits_its_keys_on_a_small_screen(theme: Theme, qtbot: QtBot) -> None:
    overlay = Overlay(Focus(), True, False)
    overlay.open([make_shot()])
    window = overlay.windows[0]
    assert "ドラッグで読み取り" in window._hint.text()
    QTest.keyClick(window, Qt.Key.Key_Right)
    QTest.keyClick(window, Qt.Key.Key_Return)
    assert "<b>Ctrl+矢印</b> 移動" in window._hint.text()
    assert window.rect().contains(window._layout.hint)
    overlay.close()


# ---- which language


def test_english_needs_no_translation(qapp: QApplication) -> None:
    font, locale = QFont(qapp.font()), QLocale()
    installed = install_translations(qapp, "en")
    assert QCoreApplication.translate("Actions", "History") == "History"
    assert qapp.font() == font
    for translator in installed:
        qapp.removeTranslator(translator)
    QLocale.setDefault(locale)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep their languages elsewhere")
@pytest.mark.parametrize(
    ("languages", "expected"),
    [("ja_JP", "履歴"), ("en_US:ja_JP", "History"), ("de_DE:ja_JP:en_US", "履歴"), ("de_DE", "History")],
)
def test_the_first_language_of_the_system_that_there_is_wins(languages: str, expected: str) -> None:
    # Given a system whose languages are these, in this order
    code = """
from PySide6.QtWidgets import QApplication
from desktop.app import install_translations, language_of_texts
app = QApplication([])
kept = install_translations(app, "system")
print(app.translate("Actions", "History"))
"""
    environ = {"LANGUAGE": languages, "LC_ALL": languages.split(":")[0] + ".UTF-8"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=child_environment({"QT_QPA_PLATFORM": "offscreen", "PYTHONUTF8": "1", **environ}),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.stdout.strip() == expected, done.stderr
