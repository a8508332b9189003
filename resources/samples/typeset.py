"""Sets Japanese text in vertical columns or horizontal lines, with furigana and the boxes of both."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache

from PIL import Image, ImageChops, ImageDraw

from core.types import Box, Direction, Furigana, TextBlock, TextLine
from resources.samples import fonts
from resources.samples.phrases import Phrase, Token

# What must not stand at the head of a line (kinsoku), and what must not stand at its end.
NOT_AT_HEAD = frozenset("、。，．！？ー…‥〜」』）ぁぃぅぇぉっゃゅょァィゥェォッャュョ・")
NOT_AT_END = frozenset("「『（")
# Drawn upright side by side in one cell of a vertical column.
PAIRS = frozenset({"！？", "！！", "？！"})


@dataclass(frozen=True, slots=True)
class Style:
    """How a block is set. Sizes in pixels; ``pitch`` and ``advance`` in ems of ``size``."""

    face: str
    size: int
    direction: Direction = Direction.VERTICAL
    pitch: float = 1.4
    advance: float = 1.04
    stroke: int = 0
    stagger: float = 0.0
    pairs: bool = False
    furigana: bool = False
    furigana_scale: float = 0.5


@dataclass(slots=True)
class Setting:
    """A set block: the ink of all text (mode L, 255 = ink) and the truth in the mask's own pixels."""

    ink: Image.Image
    truth: TextBlock
    size: tuple[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self.size = self.ink.size


def wrap(phrase: Phrase, limit: int) -> list[list[Token]]:
    """Break a phrase into lines of at most about ``limit`` characters, at its break points where possible.

    A word with a reading is never broken, and no line begins with a mark that may not begin one: such a
    line runs over the limit instead.
    """
    chunks: list[list[Token]] = [[]]
    for token in phrase:
        chunks[-1].append(token)
        if token.breaks:
            chunks.append([])
    lines: list[list[Token]] = [[]]
    for chunk in filter(None, chunks):
        length = sum(len(t.text) for t in chunk)
        used = sum(len(t.text) for t in lines[-1])
        if used and used + length > limit and chunk[0].text[0] not in NOT_AT_HEAD:
            lines.append([])
        if length <= limit:
            lines[-1].extend(chunk)
            continue
        for token in _characters(chunk):
            used = sum(len(t.text) for t in lines[-1])
            head_ok = token.text[0] not in NOT_AT_HEAD
            end_ok = not lines[-1] or lines[-1][-1].text[-1] not in NOT_AT_END
            if used + len(token.text) > limit and used and head_ok and end_ok:
                lines.append([])
            lines[-1].append(token)
    return [line for line in lines if line]


def _characters(chunk: list[Token]) -> list[Token]:
    """Tokens without a reading split into single characters."""
    parts: list[Token] = []
    for token in chunk:
        if token.reading:
            parts.append(token)
        else:
            parts.extend(Token(c) for c in token.text)
    return parts


def typeset(phrase: Phrase, style: Style, limit: int) -> Setting:
    """Set a phrase with at most about ``limit`` characters a line; the mask is cut to the ink."""
    lines = wrap(phrase, limit)
    if style.direction is Direction.VERTICAL:
        return _vertical(lines, style)
    return _horizontal(lines, style)


def _cells(text: str, pairs: bool) -> list[str]:
    """The text cut into cells: single characters, or a pair of marks that share one."""
    cells: list[str] = []
    at = 0
    while at < len(text):
        # A longer run of marks is set one below the other.
        pair = text[at : at + 2]
        alone = pair in PAIRS and text[at + 2 : at + 3] not in ("！", "？")
        step = 2 if pairs and alone and (not cells or cells[-1] not in ("！", "？")) else 1
        cells.append(text[at : at + step])
        at += step
    return cells


@lru_cache(maxsize=4096)
def _glyph(face: str, size: int, cell: str, vertical: bool, stroke: int) -> Image.Image:
    """The ink of one cell, 2 em square with the cell's em box in the middle."""
    mask = Image.new("L", (size * 2, size * 2), 0)
    draw = ImageDraw.Draw(mask)
    font = fonts.font(face, size)
    if len(cell) == 2:
        half = str.maketrans("！？", "!?")
        draw.text((size, size), cell.translate(half), 255, font, "mm", stroke_width=stroke)
        return mask
    if not vertical:
        draw.text((size, size), cell, 255, font, "mm", language="ja", stroke_width=stroke)
        return mask
    draw.text((size, size // 2), cell, 255, font, "st", direction="ttb", language="ja", stroke_width=stroke)
    box = mask.getbbox()
    # Some fonts have no vertical form of these; a quarter turn is what a typesetter would do.
    if cell in "…‥ー〜" and box and box[2] - box[0] > box[3] - box[1]:
        mask = mask.rotate(-90)
    return mask


def _paste(layer: Image.Image, glyph: Image.Image, x: int, y: int) -> None:
    """Add a glyph's ink to a layer, its upper left corner at x, y."""
    box = (x, y, x + glyph.width, y + glyph.height)
    layer.paste(ImageChops.lighter(layer.crop(box), glyph), box)


def _ink_box(layer: Image.Image) -> Box:
    left, top, right, bottom = layer.getbbox() or (0, 0, 1, 1)
    return Box(left, top, right - left, bottom - top)


def _vertical(lines: list[list[Token]], style: Style) -> Setting:
    size, step = style.size, style.size * style.advance
    pitch = style.size * style.pitch
    small = max(5, round(size * style.furigana_scale))
    margin = size * 2
    cells = [_cells("".join(t.text for t in line), style.pairs) for line in lines]
    offsets = [round(style.stagger * size * n) for n in range(len(lines))]
    width = round(pitch * (len(lines) - 1)) + size + margin * 2
    height = round(max(len(c) * step + o for c, o in zip(cells, offsets, strict=True))) + margin * 2
    total = Image.new("L", (width, height), 0)
    truths: list[TextLine] = []
    for n, line in enumerate(lines):
        layer = Image.new("L", total.size, 0)
        center = width - margin - size / 2 - pitch * n
        top = margin + offsets[n]
        for k, cell in enumerate(cells[n]):
            glyph = _glyph(style.face, size, cell, True, style.stroke)
            _paste(layer, glyph, round(center - size), round(top + k * step - size / 2))
        box = _ink_box(layer)
        total = ImageChops.lighter(total, layer)
        aids: list[Furigana] = []
        if style.furigana:
            heads = _aid_places(line, style.pairs, step, small)
            for token, start in _positions(line):
                if not token.reading:
                    continue
                aid = Image.new("L", total.size, 0)
                gap, head = heads[start]
                first = top + head + (gap - small) / 2
                for k, cell in enumerate(token.reading):
                    glyph = _glyph(style.face, small, cell, True, 0)
                    x = round(center + size / 2 + small * 0.06 - small / 2)
                    _paste(aid, glyph, x, round(first + k * gap - small / 2))
                total = ImageChops.lighter(total, aid)
                aids.append(
                    Furigana(token.reading, _ink_box(aid), start, start + len(token.text)),
                )
        text = "".join(t.text for t in line)
        truths.append(TextLine(text, box, (), tuple(aids)))
    return _trimmed(total, truths, style.direction)


def _horizontal(lines: list[list[Token]], style: Style) -> Setting:
    size, step = style.size, style.size * style.advance
    pitch = style.size * style.pitch
    small = max(5, round(size * style.furigana_scale))
    margin = size * 2
    texts = ["".join(t.text for t in line) for line in lines]
    width = round(max(map(len, texts)) * step) + margin * 2
    height = round(pitch * (len(lines) - 1)) + size + margin * 2
    total = Image.new("L", (width, height), 0)
    font = fonts.font(style.face, size)
    truths: list[TextLine] = []
    for n, line in enumerate(lines):
        layer = Image.new("L", total.size, 0)
        draw = ImageDraw.Draw(layer)
        top = margin + pitch * n
        baseline = top + size * 0.86
        for k, cell in enumerate(texts[n]):
            x = margin + k * step
            draw.text((x, baseline), cell, 255, font, "ls", language="ja", stroke_width=style.stroke)
        box = _ink_box(layer)
        total = ImageChops.lighter(total, layer)
        aids: list[Furigana] = []
        if style.furigana:
            heads = _aid_places(line, False, step, small)
            for token, start in _positions(line):
                if not token.reading:
                    continue
                aid = Image.new("L", total.size, 0)
                draw = ImageDraw.Draw(aid)
                gap, head = heads[start]
                first = margin + head + gap / 2
                aid_font = fonts.font(style.face, small)
                for k, cell in enumerate(token.reading):
                    draw.text((first + k * gap, top - small * 0.08), cell, 255, aid_font, "ms", language="ja")
                total = ImageChops.lighter(total, aid)
                aids.append(Furigana(token.reading, _ink_box(aid), start, start + len(token.text)))
        truths.append(TextLine(texts[n], box, (), tuple(aids)))
    return _trimmed(total, truths, style.direction)


def _positions(line: list[Token]) -> list[tuple[Token, int]]:
    """Each token with the index of its first character in the line."""
    placed: list[tuple[Token, int]] = []
    at = 0
    for token in line:
        placed.append((token, at))
        at += len(token.text)
    return placed


def _aid_places(line: list[Token], pairs: bool, step: float, small: int) -> dict[int, tuple[float, float]]:
    """For each word with a reading, by its first character: the distance between the reading's characters,
    and where it begins, in pixels from the head of the line.

    A reading is spread over its word or stands out at both ends. Where two would meet, both give way.
    """
    text = "".join(token.text for token in line)
    starts, gaps, heads, lengths = [], [], [], []
    for token, start in _positions(line):
        if not token.reading:
            continue
        word = len(token.text) * step
        gap = max(small * 1.0, min(word / len(token.reading), small * 1.7))
        length = gap * len(token.reading)
        begin = len(_cells(text[:start], pairs)) * step
        starts.append(start)
        gaps.append(gap)
        lengths.append(length)
        heads.append(begin + (word - length) / 2)
    for _ in range(8):
        for n in range(1, len(heads)):
            clash = heads[n - 1] + lengths[n - 1] + small * 0.25 - heads[n]
            if clash > 0:
                heads[n - 1] -= clash / 2
                heads[n] += clash / 2
    return {start: (gap, head) for start, gap, head in zip(starts, gaps, heads, strict=True)}


def _trimmed(total: Image.Image, lines: list[TextLine], direction: Direction) -> Setting:
    """Cut the empty margin away and build the block."""
    box = _ink_box(total)
    moved = tuple(shift_line(line, -box.x, -box.y) for line in lines)
    ink = total.crop((box.x, box.y, box.right, box.bottom))
    return Setting(ink, TextBlock(Box(0, 0, box.width, box.height), direction, moved))


def shift_box(box: Box, dx: int, dy: int) -> Box:
    return Box(box.x + dx, box.y + dy, box.width, box.height)


def shift_line(line: TextLine, dx: int, dy: int) -> TextLine:
    aids = tuple(replace(f, box=shift_box(f.box, dx, dy)) for f in line.furigana)
    return replace(line, box=shift_box(line.box, dx, dy), furigana=aids)


def shift_block(block: TextBlock, dx: int, dy: int) -> TextBlock:
    """The block with every box moved."""
    lines = tuple(shift_line(line, dx, dy) for line in block.lines)
    return TextBlock(shift_box(block.box, dx, dy), block.direction, lines)


def scale_block(block: TextBlock, factor: float) -> TextBlock:
    """The block with every box scaled about the origin, rounded outwards by less than a pixel."""

    def scaled(box: Box) -> Box:
        x, y = int(box.x * factor), int(box.y * factor)
        return Box(x, y, max(1, round(box.right * factor) - x), max(1, round(box.bottom * factor) - y))

    def line(value: TextLine) -> TextLine:
        aids = tuple(replace(f, box=scaled(f.box)) for f in value.furigana)
        return replace(value, box=scaled(value.box), furigana=aids)

    return TextBlock(scaled(block.box), block.direction, tuple(line(v) for v in block.lines))
