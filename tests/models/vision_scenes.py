"""Pictures of coloured shapes, drawn with Pillow from a seed, that ``tiny-llava`` answers questions about.

For tests::

    one = scene(7)                      # 1 to 4 shapes; the same for the same seed, on every machine
    picture = one.picture()             # PIL.Image, RGB, 100 to 800 pixels wide and high
    one.conversations("en")             # [[("What colour is the left one?", "Red."), ("And the other...
    two = arranged("red circle", "blue square")     # left to right; column=True: top to bottom
    snipped = worn(picture, random.Random(1))       # as it comes from the screen: cut, framed, as a JPEG

An answer is right when it is exactly the one given. Seeds from ``HELD_OUT`` on are never trained on.
"""

from __future__ import annotations

import colorsys
import io
import math
import random
from dataclasses import dataclass

from PIL import Image, ImageDraw

from tests.models import vision_talk
from tests.models.vision_talk import COLOURS, SHAPES

HELD_OUT = 10_000_000
"""Training draws the scenes below this seed; tests and measurements those from it on."""

# Hue in degrees from, to; value from, to. Saturation is that of bright poster paint.
_PAINT = {
    "red": (-6, 5, 0.78, 1.0),
    "orange": (24, 33, 0.95, 1.0),
    "yellow": (51, 58, 0.90, 1.0),
    "green": (112, 145, 0.50, 0.80),
    "blue": (210, 234, 0.70, 1.0),
    "purple": (274, 290, 0.55, 0.82),
}
_MARGIN = 0.1


@dataclass(frozen=True, slots=True)
class Thing:
    """A shape in the picture: the place of its middle and its side in pixels, tilt in degrees."""

    shape: str
    colour: str
    x: float
    y: float
    side: float
    tilt: float
    rgb: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Scene:
    """Shapes on plain paper, in reading order: left to right, or top to bottom when ``column`` is set."""

    things: tuple[Thing, ...]
    column: bool
    width: int
    height: int
    paper: tuple[int, int, int]

    def picture(self) -> Image.Image:
        """Draw it, with smooth edges: RGB, ``width`` by ``height``."""
        scale = 2 if max(self.width, self.height) > 300 else 4
        image = Image.new("RGB", (self.width * scale, self.height * scale), self.paper)
        pen = ImageDraw.Draw(image)
        for thing in self.things:
            _draw(pen, thing, scale)
        return image.reduce(scale)

    def place(self, index: int) -> str:
        """What a shape is called by its place: only, left, right, top, bottom, leftmost, rightmost, middle;
        "" when it has no such name."""
        last = len(self.things) - 1
        if last == 0:
            return "only"
        if last == 1:
            return ("top", "bottom")[index] if self.column else ("left", "right")[index]
        if index in (0, last):
            return "rightmost" if index else "leftmost"
        return "middle" if last == 2 else ""

    def side(self, index: int) -> str:
        """Where a shape is, one of two or three: left, middle, right, top, bottom; else ""."""
        if len(self.things) not in (2, 3):
            return ""
        return self.place(index).removesuffix("most")

    def box(self, index: int) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of a shape as shares of the picture's width and height."""
        thing = self.things[index]
        half = thing.side / 2
        return (
            (thing.x - half) / self.width,
            (thing.y - half) / self.height,
            (thing.x + half) / self.width,
            (thing.y + half) / self.height,
        )

    def conversations(self, language: str) -> list[list[tuple[str, str]]]:
        """Plain questions ("en" or "ja") with their answers; each list is one conversation, whose later
        questions need the earlier ones."""
        talks = vision_talk.plain_conversations(self, language)
        return [[(turn.question, turn.answer) for turn in talk.turns] for talk in talks]


def scene(seed: int, counts: tuple[int, ...] = (1, 2, 2, 3, 4)) -> Scene:
    """The scene of a seed; ``counts`` is what the number of shapes is drawn from."""
    rng = random.Random(f"scene {seed}")
    names = [(rng.choice(list(SHAPES)), rng.choice(list(COLOURS))) for _ in range(rng.choice(counts))]
    column = len(names) == 2 and rng.random() < 0.4
    lowest, highest = (0.5, 2.0) if len(names) == 1 else (0.75, 2.0) if len(names) == 2 else (1.0, 2.0)
    ratio = math.exp(rng.uniform(math.log(lowest), math.log(highest)))
    if column:
        ratio = 1 / ratio
    longest = math.exp(rng.uniform(math.log(100), math.log(800)))
    width, height = longest * min(1.0, ratio), longest * min(1.0, 1 / ratio)
    return _lay_out(rng, names, column, max(100, round(width)), max(100, round(height)), _paper(rng))


def arranged(
    *names: str, column: bool = False, size: tuple[int, int] = (320, 240), seed: int = 0, paper: str = "white"
) -> Scene:
    """A scene of your own: names like "red circle", from left to right or from top to bottom.

    Raises:
        ValueError: a colour or shape that is not known, more than four, or a column that is not of two.
    """
    pairs = [tuple(name.split()) for name in names]
    known = all(len(pair) == 2 and pair[0] in COLOURS and pair[1] in SHAPES for pair in pairs)
    if not known or not 1 <= len(pairs) <= 4 or (column and len(pairs) != 2):
        raise ValueError(f"cannot arrange {names}")
    rng = random.Random(f"arranged {seed}")
    from PIL import ImageColor

    rgb = ImageColor.getcolor(paper, "RGB")
    assert isinstance(rgb, tuple)
    made = [(shape, colour) for colour, shape in pairs]
    return _lay_out(rng, made, column, *size, (rgb[0], rgb[1], rgb[2]))


@dataclass(frozen=True, slots=True)
class Worn:
    """A picture as it was snipped, and which part of the original it shows: left, top, right, bottom in
    shares of the original, beyond 0..1 where a border was added."""

    image: Image.Image
    window: tuple[float, float, float, float]


def worn(picture: Image.Image, rng: random.Random) -> Worn:
    """Cut off or framed by up to 15 % on each side, and often saved as a JPEG once."""
    width, height = picture.size
    shares = [0.0] * 4
    kind = rng.random()
    if kind < 0.35:
        shares = [rng.uniform(0, 0.15) for _ in shares]
    elif kind < 0.7:
        shares = [-rng.uniform(0, 0.15) for _ in shares]
    left, right = (round(share * width) for share in shares[:2])
    top, bottom = (round(share * height) for share in shares[2:])
    window = (left, top, width - right, height - bottom)
    if kind >= 0.35:
        frame = picture.getpixel((0, 0)) if rng.random() < 0.5 else _paper(rng)
        made = Image.new("RGB", (window[2] - window[0], window[3] - window[1]), frame)
        made.paste(picture, (-left, -top))
    else:
        made = picture.crop(window)
    if rng.random() < 0.4:
        buffer = io.BytesIO()
        made.save(buffer, "JPEG", quality=rng.randint(60, 95))
        made = Image.open(buffer).convert("RGB")
    shown = (window[0] / width, window[1] / height, window[2] / width, window[3] / height)
    return Worn(made, shown)


def _paper(rng: random.Random) -> tuple[int, int, int]:
    """White, a light tint or grey, or nearly black."""
    lot = rng.random()
    if lot < 0.4:
        return (255, 255, 255)
    if lot < 0.75:
        tint = colorsys.hsv_to_rgb(rng.random(), rng.uniform(0, 0.12), rng.uniform(0.88, 1))
    else:
        tint = colorsys.hsv_to_rgb(rng.random(), rng.uniform(0, 0.4), rng.uniform(0, 0.2))
    return _rgb(tint)


def _rgb(shares: tuple[float, float, float]) -> tuple[int, int, int]:
    red, green, blue = (round(255 * share) for share in shares)
    return red, green, blue


def _paint(rng: random.Random, colour: str) -> tuple[int, int, int]:
    low, high, dark, light = _PAINT[colour]
    hue = rng.uniform(low, high) % 360 / 360
    return _rgb(colorsys.hsv_to_rgb(hue, rng.uniform(0.82, 1), rng.uniform(dark, light)))


def _lay_out(
    rng: random.Random,
    names: list[tuple[str, str]],
    column: bool,
    width: int,
    height: int,
    paper: tuple[int, int, int],
) -> Scene:
    """Each shape in a slot of its own along the row or column, a little off the line across it."""
    along, across = (height, width) if column else (width, height)
    slot = (1 - 2 * _MARGIN) * along / len(names)
    largest = min(0.9 * slot, 0.6 * across)
    smallest = max((0.45, 0.65, 0.75, 0.8)[len(names) - 1] * largest, 0.13 * max(width, height))
    things = []
    for number, (shape, colour) in enumerate(names):
        side = rng.uniform(min(smallest, largest), largest)
        middle = _MARGIN * along + (number + 0.5) * slot + rng.uniform(-1, 1) * (slot - side) / 2
        room = across * (0.5 - _MARGIN) - side / 2
        if len(names) > 1:
            room = min(room, 0.18 * across)
        off = across / 2 + rng.uniform(-1, 1) * max(0.0, room)
        x, y = (off, middle) if column else (middle, off)
        things.append(Thing(shape, colour, x, y, side, rng.uniform(-9, 9), _paint(rng, colour)))
    return Scene(tuple(things), column, width, height, paper)


def _draw(pen: ImageDraw.ImageDraw, thing: Thing, scale: int) -> None:
    x, y, half = thing.x * scale, thing.y * scale, thing.side * scale / 2
    if thing.shape == "circle":
        pen.ellipse((x - half, y - half, x + half, y + half), fill=thing.rgb)
        return
    tilt = math.radians(thing.tilt)
    if thing.shape == "square":
        corners = [(dx * 0.9, dy * 0.9) for dx, dy in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    elif thing.shape == "triangle":
        corners = [(0.0, -0.95), (1.0, 0.85), (-1.0, 0.85)]
    else:
        reach = [1.05 if n % 2 == 0 else 0.42 for n in range(10)]
        angles = [math.pi * n / 5 - math.pi / 2 for n in range(10)]
        corners = [(r * math.cos(a), r * math.sin(a)) for r, a in zip(reach, angles, strict=True)]
    turned = [
        (
            x + half * (dx * math.cos(tilt) - dy * math.sin(tilt)),
            y + half * (dx * math.sin(tilt) + dy * math.cos(tilt)),
        )
        for dx, dy in corners
    ]
    pen.polygon(turned, fill=thing.rgb)
