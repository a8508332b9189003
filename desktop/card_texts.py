"""What the result card says of a reading: where it comes from and how it compares."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from core.alternatives import Variant
from core.engines import BUILT_IN
from core.errors import YomitoriError
from core.types import OcrResult
from desktop.texts import engine_title, error_sentence

translate = QCoreApplication.translate


def quick_remark(engine: str) -> str:
    """Of a text that was read first; ``engine`` is the title of the one that still reads."""
    return translate("ResultCard", "Quick reading. {engine} is still reading…").format(engine=engine)


def converting(percent: int) -> str:
    """Of weights that are converted before they are loaded for the first time."""
    if not percent:
        return translate("ResultCard", "Converting the model once…")
    return translate("ResultCard", "Converting the model once… {0} %").format(percent)


def quick_converting(percent: int) -> str:
    """Of a text that was read first, meanwhile."""
    return translate("ResultCard", "Quick reading. {0}").format(converting(percent))


def still_reading(engine: str) -> str:
    """Of the user's own version of such a text."""
    return translate("ResultCard", "{engine} is still reading…").format(engine=engine)


def doubt_remark() -> str:
    return translate("ResultCard", "Not sure about this one.")


def comparison(result: OcrResult, first: Variant) -> str:
    """Of the engine's own reading, which has taken the place of ``first``."""
    same = translate("ResultCard", "{engine} agrees.")
    other = translate("ResultCard", "Now as {engine} reads it.")
    return (same if first.text == result.text else other).format(engine=engine_title(result.engine))


def difference(result: OcrResult) -> str:
    """Of a text that has stayed although the engine reads another one, or nothing."""
    differs = translate("ResultCard", "{engine} reads it differently.")
    nothing = translate("ResultCard", "{engine} found no text.")
    return (differs if result.text.strip() else nothing).format(engine=engine_title(result.engine))


def second_opinion() -> str:
    """Of a text that MangaOCR itself left to the built-in engine."""
    return translate("ResultCard", "MangaOCR was not sure. The built-in engine's reading was kept.")


def read_by_built_in() -> str:
    return translate("ResultCard", "Read by the built-in engine.")


def notice_text(notice: YomitoriError) -> str:
    """Why another engine than the one asked for has read."""
    words = translate("ResultCard", "{problem} The built-in engine read this.")
    return words.format(problem=error_sentence(notice))


def origin(variant: Variant) -> str:
    """Where a reading comes from that is not the first one."""
    told = {
        "beam": translate("ResultCard", "A less likely reading"),
        "inverted": translate("ResultCard", "Read with light and dark swapped"),
        "enlarged": translate("ResultCard", "Read enlarged"),
    }
    if variant.how in told:
        return told[variant.how]
    if variant.how == "built-in" or variant.result.engine == BUILT_IN:
        return read_by_built_in()
    return translate("ResultCard", "Read by {engine}.").format(engine=engine_title(variant.result.engine))
