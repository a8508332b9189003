"""Draws crops of the lexicon as a snip would cut them: dark text on light paper, from a seed."""

from __future__ import annotations

import io
import math
import random
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from core.types import Direction, TextLine
from resources.samples import bubbles, fonts, phrases, typeset
from tests.models import lexicon


@dataclass(frozen=True, slots=True)
class Drawn:
    """A crop in mode L and what is written in it."""

    image: Image.Image
    text: str
    direction: Direction
    face: str
    lines: tuple[TextLine, ...]


def draw(
    rng: random.Random,
    marked: str,
    face: str = "",
    direction: Direction | None = None,
    largest: int = 44,
) -> Drawn:
    """A crop of a marked text, 14 to ``largest`` pixels per character; font and direction are drawn by lot
    where they are not given.

    The text is set in one or several lines, with 2 pixels to more than a character of margin, sometimes in
    a bubble whose outline shows at the edges, on light grain or screentone, blurred or saved as JPEG.

    Raises:
        FontsMissing: no Japanese font is installed.
    """
    face = face or rng.choice(fonts.names())
    direction = direction or rng.choice((Direction.VERTICAL, Direction.VERTICAL, Direction.HORIZONTAL))
    phrase = phrases.parse(marked)
    text = phrases.plain(phrase)
    size = round(14 * math.exp(rng.uniform(0, math.log(largest / 14))))
    style = typeset.Style(
        face=face,
        size=size,
        direction=direction,
        pitch=rng.uniform(1.15, 1.6),
        advance=rng.uniform(0.98, 1.12),
        pairs=rng.random() < 0.5,
        stagger=rng.choice((0.0, 0.0, 0.0, 0.3)) if direction is Direction.VERTICAL else 0.0,
    )
    setting = typeset.typeset(phrase, style, _limit(rng, marked))
    image, origin = _paper(rng, setting.ink, size)
    lines = typeset.shift_block(setting.truth, *origin).lines
    return Drawn(_spoil(rng, image, size), text, direction, face, lines)


def _limit(rng: random.Random, marked: str) -> int:
    """Characters a line: all in one, or about one of the marked pieces in each."""
    parts = lexicon.pieces(marked)
    longest, whole = max(map(len, parts)), sum(map(len, parts))
    if len(parts) == 1 or (whole <= 12 and rng.random() < 0.35):
        return whole
    return rng.randint(longest, max(longest, min(12, whole - 1)))


def _paper(rng: random.Random, ink: Image.Image, size: int) -> tuple[Image.Image, tuple[int, int]]:
    """The ink on its paper, with a margin of its own on every side, and where the ink's corner lies."""
    sides = [round(2 + size * rng.choice((0.0, 0.2, 0.6, 1.3)) * rng.random()) for _ in range(4)]
    left, top, right, bottom = sides
    width, height = ink.width + left + right, ink.height + top + bottom
    light, dark = rng.randint(215, 255), rng.randint(0, 70)
    sheet = Image.new("L", (width, height), light)
    ground = rng.random()
    if ground < 0.12:
        # Light enough to read through; heavier tone is set with a white rim, as printers do.
        sheet = bubbles.tone(sheet.size, rng.choice((4, 5, 6)), rng.uniform(0.3, 0.55), rng.randint(150, 215))
    elif ground < 0.2:
        sheet = bubbles.tone(sheet.size, rng.choice((4, 5, 6)), rng.uniform(0.35, 0.6), rng.randint(110, 170))
        rim = max(2, size // 8)
        sheet.paste(255, (left - rim - 2, top - rim - 2), bubbles.grown(ink, rim, rim + 2))
    if rng.random() < 0.4:
        _outline(rng, sheet, (left, top, left + ink.width, top + ink.height), size)
    sheet.paste(dark, (left, top), ink)
    return sheet, (left, top)


def _outline(rng: random.Random, sheet: Image.Image, box: tuple[int, int, int, int], size: int) -> None:
    """A bubble around the text box: an ellipse or a rounded box that may lie partly outside the sheet."""
    scale = 2
    gap = size * rng.uniform(0.1, 0.7)
    left, top, right, bottom = box
    if rng.random() < 0.6:
        # The ellipse through the corners of a box is larger by the square root of two.
        wide, high = (right - left) * (math.sqrt(2) - 1) / 2, (bottom - top) * (math.sqrt(2) - 1) / 2
        area = (left - wide - gap, top - high - gap, right + wide + gap, bottom + high + gap)
        corner = 0.0
    else:
        area = (left - gap, top - gap, right + gap, bottom + gap)
        corner = min(gap, size * 0.6)
    inside = Image.new("L", (sheet.width * scale, sheet.height * scale), 0)
    border = inside.copy()
    scaled = [value * scale for value in area]
    line = rng.randint(1, max(2, size // 8)) * scale
    for mask, fill, outline in ((inside, 255, None), (border, None, 255)):
        pen = ImageDraw.Draw(mask)
        if corner:
            pen.rounded_rectangle(scaled, corner * scale, fill=fill, outline=outline, width=line)
        else:
            pen.ellipse(scaled, fill=fill, outline=outline, width=line)
    inside, border = inside.resize(sheet.size), border.resize(sheet.size)
    beyond = rng.choice(("same", "grey", "tone"))
    if beyond == "grey":
        sheet.paste(rng.randint(90, 220), (0, 0), ImageChops.invert(inside))
    elif beyond == "tone":
        dots = bubbles.tone(sheet.size, rng.choice((4, 6)), rng.uniform(0.4, 0.7))
        sheet.paste(dots, (0, 0), ImageChops.invert(inside))
    sheet.paste(rng.randint(0, 40), (0, 0), border)


def _spoil(rng: random.Random, image: Image.Image, size: int) -> Image.Image:
    """What scans and the web do, as far as the text stays legible."""
    if rng.random() < 0.35:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.035 * size)))
    if rng.random() < 0.35:
        samples = [min(255, max(0, round(rng.gauss(128, rng.uniform(2, 12))))) for _ in range(512)]
        grain = Image.frombytes("L", image.size, bytes(rng.choices(samples, k=image.width * image.height)))
        image = ImageChops.add(image, grain, 1, -128)
    if rng.random() < 0.3:
        saved = io.BytesIO()
        image.save(saved, "JPEG", quality=rng.randint(35, 90))
        image = Image.open(saved).convert("L")
    return image
