"""Finds the Japanese fonts that the samples are drawn with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont, features

ROOTS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".local/share/fonts")
PACKAGES = "fonts-noto-cjk fonts-ipafont fonts-vlgothic libfribidi0"


class FontsMissing(RuntimeError):
    """No Japanese font, or no way to set vertical text; the message names the Debian packages."""


@dataclass(frozen=True, slots=True)
class Face:
    """One font file. ``heavy`` faces stay legible as white lettering and over screentone."""

    name: str
    files: tuple[str, ...]
    heavy: bool = False


# Index 0 of Noto's collections is the Japanese face.
FACES = (
    Face("noto-sans", ("NotoSansCJK-Regular.ttc",)),
    Face("noto-sans-bold", ("NotoSansCJK-Bold.ttc",), heavy=True),
    Face("noto-serif", ("NotoSerifCJK-Regular.ttc",)),
    Face("noto-serif-bold", ("NotoSerifCJK-Bold.ttc",), heavy=True),
    Face("ipa-gothic", ("ipag.ttf",)),
    Face("ipa-mincho", ("ipam.ttf",)),
    Face("vl-gothic", ("VL-Gothic-Regular.ttf",)),
)


def find_fonts(roots: Sequence[Path] = ROOTS) -> dict[str, Path]:
    """The installed faces by name.

    Raises:
        FontsMissing: none is installed, or Pillow cannot set vertical text.
    """
    wanted = {file: face.name for face in FACES for file in face.files}
    found = {
        wanted[path.name]: path
        for root in roots
        if root.is_dir()
        for path in sorted(root.rglob("*.tt[fc]"))
        if path.name in wanted
    }
    if not found:
        raise FontsMissing(f"No Japanese font was found. On Debian: apt-get install {PACKAGES}")
    if not features.check("raqm"):
        raise FontsMissing(f"Pillow cannot set vertical text here. On Debian: apt-get install {PACKAGES}")
    return {face.name: found[face.name] for face in FACES if face.name in found}


@lru_cache(maxsize=1)
def installed() -> dict[str, Path]:
    """``find_fonts()`` looked up once."""
    return find_fonts()


@lru_cache(maxsize=256)
def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """The face at ``size`` pixels per em."""
    return ImageFont.truetype(installed()[name], size, index=0, layout_engine=ImageFont.Layout.RAQM)


def names(heavy: bool = False) -> list[str]:
    """Installed faces; only the heavy ones when asked and there are any."""
    present = [face for face in FACES if face.name in installed()]
    bold = [face.name for face in present if face.heavy]
    return bold if heavy and bold else [face.name for face in present]
