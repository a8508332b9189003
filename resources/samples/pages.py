"""Generated manga-like pages: irregular panels, drawings, bubbles, a sign and a caption, with their truth."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace

from PIL import Image, ImageDraw

from core.types import Box, Direction, TextBlock
from resources.samples import fonts, phrases, scenery, typeset
from resources.samples.bubbles import Sample, tone

SIZE = (900, 1280)
SCALE = 2
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Quad:
    """A panel: four corners in page pixels, clockwise from the upper left."""

    tl: Point
    tr: Point
    br: Point
    bl: Point

    @property
    def corners(self) -> tuple[Point, Point, Point, Point]:
        return (self.tl, self.tr, self.br, self.bl)

    @property
    def inner(self) -> Box:
        """The largest upright rectangle that its edges leave, roughly."""
        left, right = max(self.tl[0], self.bl[0]), min(self.tr[0], self.br[0])
        top, bottom = max(self.tl[1], self.tr[1]), min(self.bl[1], self.br[1])
        return Box(round(left), round(top), round(right - left), round(bottom - top))


def _between(a: Point, b: Point, share: float) -> Point:
    return (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share)


def _rows(quad: Quad, share: float, slant: float, gutter: float) -> tuple[Quad, Quad]:
    """Cut into an upper and a lower panel; ``slant`` raises the right end by that share of the height."""
    height = quad.bl[1] - quad.tl[1]
    half = gutter / 2 / height
    left, right = share + slant / 2, share - slant / 2
    upper = replace(
        quad,
        bl=_between(quad.tl, quad.bl, left - half),
        br=_between(quad.tr, quad.br, right - half),
    )
    lower = replace(
        quad,
        tl=_between(quad.tl, quad.bl, left + half),
        tr=_between(quad.tr, quad.br, right + half),
    )
    return upper, lower


def _columns(quad: Quad, share: float, slant: float, gutter: float) -> tuple[Quad, Quad]:
    """Cut into a right and a left panel (in this order); ``share`` is measured from the right."""
    width = quad.tr[0] - quad.tl[0]
    half = gutter / 2 / width
    top, bottom = 1 - share + slant / 2, 1 - share - slant / 2
    right = replace(
        quad,
        tl=_between(quad.tl, quad.tr, top + half),
        bl=_between(quad.bl, quad.br, bottom + half),
    )
    left = replace(
        quad,
        tr=_between(quad.tl, quad.tr, top - half),
        br=_between(quad.bl, quad.br, bottom - half),
    )
    return right, left


def layout(rng: random.Random) -> list[Quad]:
    """3 to 7 panels in the order they are read: cuts across the page first, then from right to left."""
    margin = rng.randint(24, 40)
    width, height = SIZE
    sheet = Quad(
        (margin, margin),
        (width - margin, margin),
        (width - margin, height - margin),
        (margin, height - margin),
    )

    def across(quad: Quad, share: float) -> tuple[Quad, Quad]:
        slant = rng.choice((0, rng.uniform(-0.09, 0.09)))
        return _rows(quad, share, slant, rng.randint(16, 24))

    def down(quad: Quad, share: float) -> tuple[Quad, Quad]:
        # The gutter between columns is narrower than that between rows: this is what makes a manga's
        # order plain to people.
        slant = rng.choice((0, rng.uniform(-0.12, 0.12)))
        return _columns(quad, share, slant, rng.randint(10, 15))

    top, rest = across(sheet, rng.uniform(0.3, 0.36))
    middle, bottom = across(rest, rng.uniform(0.46, 0.54))
    panels: list[Quad] = []
    kinds = rng.choice(
        (
            ("wide", "two", "two"),
            ("two", "wide", "two"),
            ("two", "two", "wide"),
            ("two", "two", "two"),
            ("wide", "wide", "two"),
            ("two", "stack", "wide"),
            ("wide", "stack-left", "two"),
            ("wide", "two", "stack"),
            ("wide", "wide", "wide"),
            ("three", "two", "two"),
            ("two", "three", "wide"),
        )
    )
    for band, kind in zip((top, middle, bottom), kinds, strict=True):
        if kind == "wide":
            panels.append(band)
        elif kind == "two":
            panels.extend(down(band, rng.choice((rng.uniform(0.36, 0.44), rng.uniform(0.56, 0.64)))))
        elif kind == "three":
            right, others = down(band, rng.uniform(0.32, 0.35))
            panels.extend((right, *down(others, rng.uniform(0.48, 0.52))))
        elif kind == "stack":
            right, left = down(band, rng.uniform(0.5, 0.6))
            panels.extend((right, *_rows(left, 0.5, 0, 16)))
        else:
            right, left = down(band, rng.uniform(0.42, 0.5))
            panels.extend((*_rows(right, 0.5, 0, 16), left))
    return panels


@dataclass(frozen=True, slots=True)
class _Balloon:
    """A placed bubble: its shape's box, the text, where the text goes, and where the tail points."""

    box: Box
    setting: typeset.Setting
    at: tuple[int, int]
    oval: bool
    tail: Point | None
    angle: float = 0.0


def _fit(rng: random.Random, slot: Box, face: str, oval: bool) -> tuple[typeset.Setting, Box] | None:
    """A phrase set so that its bubble fits the slot; the bubble's box is at 0, 0."""
    for attempt in range(40):
        longest = max(4, 34 - attempt)
        size = max(19, rng.randint(22, 30) - attempt // 8)
        aids = rng.random() < 0.3
        words = phrases.phrase(rng, longest)
        aids = aids and any(token.reading for token in words)
        style = typeset.Style(
            face,
            size,
            Direction.VERTICAL,
            pitch=rng.uniform(1.65, 1.8) if aids else rng.uniform(1.3, 1.45),
            advance=rng.uniform(1.0, 1.06),
            pairs=rng.random() < 0.5,
            furigana=aids,
        )
        length = len(phrases.plain(words))
        columns = 1 if length <= 5 else 2 if length <= 12 else rng.choice((3, 4)) if length <= 24 else 4
        setting = typeset.typeset(words, style, max(3, -(-length // columns) + 1))
        wide, high = setting.size
        # The corners of the text must clear an oval: sqrt(2) of its sides.
        grow, pad = (0.36, 1.3) if oval else (0.0, 1.8)
        box = Box(0, 0, round(wide * (1 + grow) + size * pad), round(high * (1 + grow) + size * pad))
        if box.width <= slot.width and box.height <= slot.height:
            return setting, box
    return None


def _slots(rng: random.Random, area: Box) -> list[Box]:
    """Where a panel's bubbles go, in reading order: from right to left, or one above the other."""
    if area.width < 240 and area.height < 300:
        return [area]
    if rng.random() < 0.25:
        return [Box(area.right - area.width // 2, area.y, area.width // 2, area.height)]
    if area.width >= area.height * 0.75:
        if area.width > 620 and rng.random() < 0.4:
            third = area.width // 3
            return [Box(area.right - third * n, area.y, third - 16, area.height) for n in (1, 2, 3)]
        half = area.width // 2
        low = round(area.height * rng.uniform(0, 0.15))
        return [
            Box(area.right - half + 10, area.y, half - 10, area.height),
            Box(area.x, area.y + low, half - 10, area.height - low),
        ]
    half = area.height // 2
    return [
        Box(area.right - round(area.width * 0.8), area.y, round(area.width * 0.8), half - 10),
        Box(area.x, area.y + half + 10, round(area.width * 0.8), half - 10),
    ]


class _Artist:
    """Draws one page: the pictures at double size, the lettering at its own."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.art = Image.new("L", (SIZE[0] * SCALE, SIZE[1] * SCALE), 255)
        self.lettering: list[tuple[Image.Image, tuple[int, int], int]] = []
        self.blocks: list[TextBlock] = []
        self.face = rng.choice(fonts.names())

    def panel(self, quad: Quad, caption: bool, sign: bool) -> None:
        """Draw one panel with what is said in it."""
        inner = quad.inner
        area = Box(inner.x + 12, inner.y + 12, inner.width - 24, inner.height - 24)
        balloons: list[_Balloon] = []
        if caption:
            balloon = self._caption(area)
            balloons.append(balloon)
            used = balloon.box.bottom + 14 - area.y
            area = Box(area.x, area.y + used, area.width, area.height - used)
        board = self._sign(area) if sign else None
        if board:
            keep = area.height - board.box.height - 24
            slots = [Box(area.x + area.width // 3, area.y, area.width - area.width // 3, keep)]
        else:
            slots = _slots(self.rng, area)
        for slot in slots:
            found = self._balloon(slot)
            if found:
                balloons.append(found)
        if board:
            balloons.append(board)
        heads = self._picture(quad, balloons)
        for balloon in balloons:
            self._draw_balloon(balloon, heads)
            self.blocks.append(typeset.shift_block(balloon.setting.truth, *balloon.at))

    def _balloon(self, slot: Box) -> _Balloon | None:
        oval = self.rng.random() < 0.7
        fitted = _fit(self.rng, slot, self.face, oval)
        if not fitted:
            return None
        setting, box = fitted
        x = slot.right - box.width - round((slot.width - box.width) * self.rng.uniform(0, 0.3))
        y = slot.y + round(min(40, slot.height - box.height) * self.rng.uniform(0, 1))
        box = Box(x, y, box.width, box.height)
        at = (x + (box.width - setting.size[0]) // 2, y + (box.height - setting.size[1]) // 2)
        return _Balloon(box, setting, at, oval, (box.center[0], box.bottom))

    def _caption(self, area: Box) -> _Balloon:
        style = typeset.Style(self.face, self.rng.randint(19, 23), Direction.HORIZONTAL, 1.4)
        limit = max(4, int(area.width / style.size / 1.1) - 2)
        setting = typeset.typeset(phrases.caption(self.rng), style, limit)
        box = Box(area.right - setting.size[0] - 28, area.y, setting.size[0] + 28, setting.size[1] + 22)
        return _Balloon(box, setting, (box.x + 14, box.y + 11), False, None)

    def _sign(self, area: Box) -> _Balloon | None:
        style = typeset.Style(self.face, self.rng.randint(24, 30), Direction.HORIZONTAL, advance=1.1)
        straight = typeset.typeset(phrases.sign(self.rng), style, 20)
        angle = self.rng.choice((-1, 1)) * self.rng.uniform(4, 9)
        ink = straight.ink.rotate(angle, Image.Resampling.BICUBIC, expand=True)
        left, top, right, bottom = ink.getbbox() or (0, 0, 1, 1)
        ink = ink.crop((left, top, right, bottom))
        line = replace(straight.truth.lines[0], box=Box(0, 0, *ink.size), furigana=())
        setting = typeset.Setting(ink, TextBlock(Box(0, 0, *ink.size), Direction.HORIZONTAL, (line,)))
        wide = straight.size[0] * math.cos(math.radians(angle)) + 60
        box = Box(area.x, area.bottom - ink.height - 50, round(wide), ink.height + 40)
        if box.width > area.width or area.height < 300:
            return None
        at = (box.x + (box.width - ink.width) // 2, box.y + (box.height - ink.height) // 2)
        return _Balloon(box, setting, at, False, None, angle)

    def _picture(self, quad: Quad, balloons: list[_Balloon]) -> list[Point]:
        """Draw the panel's picture and its frame; the heads in it, in page pixels."""
        rng = self.rng
        xs, ys = [p[0] for p in quad.corners], [p[1] for p in quad.corners]
        left, top = min(xs), min(ys)
        width, height = round((max(xs) - left) * SCALE), round((max(ys) - top) * SCALE)
        layer = Image.new("L", (width, height), 255)
        draw = ImageDraw.Draw(layer)
        heads: list[Point] = []
        kind = rng.choice(("sky", "speed", "town", "hills", "tone", "plain"))
        if kind in ("sky", "town") and rng.random() < 0.8:
            scenery.sky(layer, rng)
        if kind == "tone":
            layer.paste(tone(layer.size, rng.choice((8, 10, 12)), rng.uniform(0.3, 0.5), 130))
        elif kind == "speed":
            scenery.speed_lines(draw, width, height, rng)
        elif kind == "town":
            scenery.town(draw, width, height, rng)
        elif kind == "hills":
            scenery.hills(draw, width, height, rng)
        signs = any(b.angle for b in balloons)
        count = 0 if signs else rng.choice((1, 2)) if width > 700 else 1
        covered = [
            Box(
                round((b.box.x - left) * SCALE),
                round((b.box.y - top) * SCALE),
                b.box.width * SCALE,
                b.box.height * SCALE,
            )
            for b in balloons
        ]
        for n in range(count):
            place = self._place(width, height, count, n, covered)
            if place is None:
                continue
            x, y, radius = place
            if rng.random() < 0.12:
                scenery.cat(draw, x, y, radius * 0.7)
            else:
                scenery.person(draw, x, y, radius, height + 10, rng)
            heads.append((left + x / SCALE, top + (y - radius) / SCALE))
            covered.append(Box(round(x - radius), round(y - radius), round(radius * 2), round(radius * 2)))
        mask = Image.new("L", layer.size, 0)
        points = [((x - left) * SCALE, (y - top) * SCALE) for x, y in quad.corners]
        ImageDraw.Draw(mask).polygon(points, fill=255)
        at = (round(left * SCALE), round(top * SCALE))
        self.art.paste(layer, at, mask)
        frame = [(x * SCALE, y * SCALE) for x, y in quad.corners]
        ImageDraw.Draw(self.art).line([*frame, *frame[:2]], fill=10, width=4 * SCALE, joint="curve")
        return heads

    def _place(
        self, width: int, height: int, count: int, n: int, covered: list[Box]
    ) -> tuple[float, float, float] | None:
        """Where a head is seen best: x, y, radius in the panel's own pixels; None where all is taken."""
        rng = self.rng
        best, found = 0.3, None
        for _ in range(40):
            radius = min(width / count, height) * rng.uniform(0.12, 0.2)
            x = (
                width * rng.uniform(0.14, 0.86)
                if count == 1
                else width * (n + rng.uniform(0.25, 0.75)) / count
            )
            y = height - radius * rng.uniform(1.3, 2.3)
            head = Box(round(x - radius), round(y - radius), round(radius * 2), round(radius * 2))
            hidden = sum(head.intersection(box).area for box in covered) / head.area
            # A larger head is worth a little more.
            if hidden - radius / height < best:
                best, found = hidden - radius / height, (x, y, radius)
        return found

    def _draw_balloon(self, balloon: _Balloon, heads: list[Point]) -> None:
        draw = ImageDraw.Draw(self.art)
        box = [v * SCALE for v in (balloon.box.x, balloon.box.y, balloon.box.right, balloon.box.bottom)]
        line = 3 * SCALE
        if balloon.angle:
            self._board(balloon)
        elif balloon.tail is None:
            draw.rectangle(box, fill=255, outline=10, width=line)
        else:
            tail = self._tail(balloon, heads)
            if tail:
                draw.line([*tail, tail[0]], fill=10, width=line * 2, joint="curve")
            grown = [box[0] - 1, box[1] - 1, box[2] + 1, box[3] + 1]
            if balloon.oval:
                draw.ellipse(grown, fill=255, outline=10, width=line)
            else:
                draw.rounded_rectangle(grown, min(balloon.box.width, balloon.box.height) * 0.5, 255, 10, line)
            if tail:
                draw.polygon(tail, fill=255)
        self.lettering.append((balloon.setting.ink, balloon.at, 15))

    def _tail(self, balloon: _Balloon, heads: list[Point]) -> list[Point] | None:
        """A tail from the bubble's lower half towards the nearest head, if one is near enough below."""
        cx, cy = balloon.box.center
        below = [h for h in heads if h[1] > balloon.box.bottom]
        if not below:
            return None
        hx, hy = min(below, key=lambda h: math.dist(h, (cx, cy)))
        base = cy + balloon.box.height * 0.38
        half = min(11.0, balloon.box.width * 0.12)
        length = min(34.0, max(0.0, hy - balloon.box.bottom) * 0.5)
        if length < 10:
            return None
        lean = max(-26.0, min(26.0, (hx - cx) * 0.3))
        tip = (cx + lean, balloon.box.bottom + length)
        points = [(cx - half + lean * 0.3, base), tip, (cx + half + lean * 0.3, base)]
        return [(x * SCALE, y * SCALE) for x, y in points]

    def _board(self, balloon: _Balloon) -> None:
        """The board of a slanted sign, on a post."""
        draw = ImageDraw.Draw(self.art)
        cx, cy = balloon.box.center
        slope = math.radians(-balloon.angle)
        lettered = balloon.setting.truth.box
        tall = max(40.0, lettered.height - abs(math.sin(slope)) * lettered.width + 26)
        wide = lettered.width + 26.0
        draw.rectangle(
            [v * SCALE for v in (cx - 7, cy, cx + 7, balloon.box.bottom + 20)], fill=120, outline=10
        )
        corners = [
            (cx + x * math.cos(slope) - y * math.sin(slope), cy + x * math.sin(slope) + y * math.cos(slope))
            for x, y in (
                (-wide / 2, -tall / 2),
                (wide / 2, -tall / 2),
                (wide / 2, tall / 2),
                (-wide / 2, tall / 2),
            )
        ]
        points = [(x * SCALE, y * SCALE) for x, y in corners]
        draw.polygon(points, fill=250)
        draw.line([*points, *points[:2]], fill=10, width=4 * SCALE, joint="curve")

    def finished(self) -> Sample:
        page = self.art.resize(SIZE, Image.Resampling.LANCZOS)
        for ink, at, shade in self.lettering:
            page.paste(shade, at, ink)
        return Sample(page.convert("RGB"), tuple(self.blocks))


def page(seed: int) -> Sample:
    """A page of 900 x 1280 pixels; the same seed gives the same picture.

    Raises:
        FontsMissing: no Japanese font is installed.
    """
    rng = random.Random(f"page {seed}")
    artist = _Artist(rng)
    panels = layout(rng)
    caption = rng.choice((0, 0, len(panels) - 1)) if rng.random() < 0.7 else None
    # The sign stands in a tall panel that has no caption.
    roomy = [n for n, quad in enumerate(panels) if n != caption and quad.inner.height > 330]
    sign = rng.choice(roomy) if roomy and rng.random() < 0.6 else None
    for n, quad in enumerate(panels):
        artist.panel(quad, n == caption, n == sign)
    return artist.finished()
