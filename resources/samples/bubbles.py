"""Generated speech bubbles with their truth: what a user would snip."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from core.types import Direction, TextBlock
from resources.samples import fonts, phrases, typeset

CATEGORIES = ("vertical", "horizontal", "furigana", "small", "inverted", "screentone", "noise")


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture (mode RGB) and the blocks written in it, in reading order."""

    image: Image.Image
    blocks: tuple[TextBlock, ...]

    @property
    def text(self) -> str:
        """The blocks' texts, one line of the picture per row."""
        return "\n".join(block.text for block in self.blocks)

    def to_json(self) -> dict[str, Any]:
        return {"text": self.text, "blocks": [block.to_json() for block in self.blocks]}


def tone(size: tuple[int, int], pitch: int, dot: float, ink: int = 90) -> Image.Image:
    """A screentone: dots of ``dot`` x ``pitch`` pixels on a grid turned by 45 degrees, in mode L."""
    scale = 4
    step = pitch * scale
    tile = Image.new("L", (step, step), 255)
    draw = ImageDraw.Draw(tile)
    radius = max(1.0, step * dot / 2)
    for x, y in ((0, 0), (step, 0), (0, step), (step, step), (step / 2, step / 2)):
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)
    tile = tile.resize((pitch, pitch), Image.Resampling.LANCZOS)
    sheet = Image.new("L", size, 255)
    for y in range(0, size[1], pitch):
        for x in range(0, size[0], pitch):
            sheet.paste(tile, (x, y))
    return sheet


def grown(ink: Image.Image, pixels: int, margin: int) -> Image.Image:
    """The ink spread by ``pixels`` on every side, on a sheet ``margin`` larger all round."""
    sheet = Image.new("L", (ink.width + margin * 2, ink.height + margin * 2), 0)
    sheet.paste(ink, (margin, margin))
    for _ in range(pixels):
        sheet = sheet.filter(ImageFilter.MaxFilter(3))
    return sheet


def _style(rng: random.Random, category: str) -> typeset.Style:
    sideways = {"horizontal": 1.0, "furigana": 0.15, "small": 0.3, "inverted": 0.25, "screentone": 0.2}
    share = 0.25 if category == "noise" else sideways.get(category, 0.0)
    horizontal = rng.random() < share
    size = rng.randint(12, 15) if category == "small" else rng.randint(20, 44)
    face = rng.choice(fonts.names(heavy=category in ("inverted", "screentone") and rng.random() < 0.6))
    aids = category == "furigana"
    if aids:
        size = max(size, 24)
    pitch = rng.uniform(1.62, 1.95) if aids else rng.uniform(1.25, 1.6)
    return typeset.Style(
        face=face,
        size=size,
        direction=Direction.HORIZONTAL if horizontal else Direction.VERTICAL,
        pitch=pitch,
        advance=rng.uniform(1.0, 1.1),
        stagger=rng.choice((0, 0, 0, 0.25)) if not horizontal else 0.0,
        pairs=rng.random() < 0.5,
        furigana=aids,
        furigana_scale=rng.uniform(0.46, 0.54),
    )


def _limit(rng: random.Random, length: int, direction: Direction) -> int:
    """Characters a line so that a bubble of that many has a bubble's shape."""
    if direction is Direction.HORIZONTAL:
        return max(4, rng.randint(7, 12))
    columns = 1 if length <= 5 else rng.choice((2, 2, 3)) if length <= 14 else rng.choice((3, 3, 4, 5))
    return max(3, min(10, -(-length // columns) + 1))


def bubble(seed: int, category: str) -> Sample:
    """A bubble of one of ``CATEGORIES``; the same seed gives the same picture.

    Raises:
        ValueError: no such category.
        FontsMissing: no Japanese font is installed.
    """
    if category not in CATEGORIES:
        raise ValueError(f"{category} is none of {', '.join(CATEGORIES)}")
    rng = random.Random(f"{category} {seed}")
    style = _style(rng, category)
    longest = 40
    words = (phrases.with_reading if category == "furigana" else phrases.phrase)(rng, longest)
    setting = typeset.typeset(words, style, _limit(rng, len(phrases.plain(words)), style.direction))
    pad = round(style.size * rng.uniform(0.6, 1.3))
    outlined = category != "inverted" and rng.random() < 0.6
    # The text must clear the curve of the outline: half of (sqrt(2) - 1) of the text's side, and a little.
    pad_x, pad_y = pad, pad
    if outlined:
        pad_x += round(setting.ink.width * 0.2)
        pad_y += round(setting.ink.height * 0.2)
    width, height = setting.ink.width + pad_x * 2, setting.ink.height + pad_y * 2
    paper, ink = _colours(rng, category)
    image = _background(rng, category, (width, height), paper)
    if outlined:
        _outline(rng, image, category)
    at = (pad_x, pad_y)
    if category == "screentone":
        halo = grown(setting.ink, max(2, style.size // 12), 8)
        image.paste((255, 255, 255), (at[0] - 8, at[1] - 8), halo)
    image.paste(ink, at, setting.ink)
    block = typeset.shift_block(setting.truth, *at)
    if category == "noise":
        image, block = _spoil(rng, image, block)
    return Sample(image, (block,))


def _colours(rng: random.Random, category: str) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    dark, light = rng.randint(0, 45), rng.randint(246, 255)
    paper, ink = (light,) * 3, (dark,) * 3
    return (ink, paper) if category == "inverted" else (paper, ink)


def _background(
    rng: random.Random, category: str, size: tuple[int, int], paper: tuple[int, int, int]
) -> Image.Image:
    image = Image.new("RGB", size, paper)
    if category == "screentone":
        dots = tone(size, rng.choice((4, 5, 6, 8)), rng.uniform(0.35, 0.7), rng.randint(60, 150))
        image = Image.merge("RGB", (dots,) * 3)
    return image


def _outline(rng: random.Random, image: Image.Image, category: str) -> None:
    """The bubble's outline just inside the picture's edge, and what is seen of the panel in the corners."""
    scale = 3
    width, height = image.size
    inside = Image.new("L", (width * scale, height * scale), 0)
    border = inside.copy()
    inset = rng.uniform(1.5, 4) * scale
    line = rng.randint(2, 4) * scale
    box = (inset, inset, width * scale - inset, height * scale - inset)
    round_corner = rng.random() < 0.35
    for mask, keywords in ((inside, {"fill": 255}), (border, {"outline": 255, "width": line})):
        draw: Any = ImageDraw.Draw(mask)
        if round_corner:
            draw.rounded_rectangle(box, radius=min(width, height) * scale * 0.25, **keywords)
        else:
            draw.ellipse(box, **keywords)
    inside = inside.resize(image.size, Image.Resampling.LANCZOS)
    border = border.resize(image.size, Image.Resampling.LANCZOS)
    if category != "screentone":
        outside = rng.choice(("white", "grey", "tone"))
        if outside == "grey":
            image.paste((rng.randint(120, 220),) * 3, (0, 0), ImageChops.invert(inside))
        elif outside == "tone":
            dots = tone(image.size, rng.choice((4, 6)), rng.uniform(0.4, 0.7))
            image.paste(Image.merge("RGB", (dots,) * 3), (0, 0), ImageChops.invert(inside))
    image.paste((15, 15, 15), (0, 0), border)


def _spoil(rng: random.Random, image: Image.Image, block: TextBlock) -> tuple[Image.Image, TextBlock]:
    """What scans and the web do to a picture: scaled, blurred, grainy, and saved as JPEG."""
    factor = rng.uniform(0.7, 1.3)
    image = image.resize(
        (round(image.width * factor), round(image.height * factor)), Image.Resampling.BICUBIC
    )
    image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0, 1.1)))
    grain = _grain(rng, image.size, rng.uniform(2, 22))
    image = Image.merge("RGB", tuple(ImageChops.add(band, grain, 1, -128) for band in image.split()))
    saved = io.BytesIO()
    image.save(saved, "JPEG", quality=rng.randint(25, 80))
    return Image.open(saved).convert("RGB"), typeset.scale_block(block, factor)


def _grain(rng: random.Random, size: tuple[int, int], sigma: float) -> Image.Image:
    """Gaussian noise around 128 from the seed (Pillow's own ``effect_noise`` cannot be seeded)."""
    samples = [min(255, max(0, round(rng.gauss(128, sigma)))) for _ in range(4096)]
    return Image.frombytes("L", size, bytes(rng.choices(samples, k=size[0] * size[1])))
