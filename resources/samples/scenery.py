"""Our own simple drawings for the pages: people, a cat, houses, hills, speed lines. All take mode L."""

from __future__ import annotations

import math
import random

from PIL import Image, ImageDraw

from resources.samples.bubbles import tone

Draw = ImageDraw.ImageDraw


def person(draw: Draw, x: float, y: float, r: float, bottom: float, rng: random.Random) -> None:
    """A person from the chest up: head of radius ``r`` round x, y; the body goes down to ``bottom``."""
    line = max(3, round(r * 0.05))
    hair = rng.choice((20, 20, 90, 245))
    long_hair = rng.random() < 0.5
    cloth = rng.choice((255, 210, 60, 30))
    down = 1.9 * r if long_hair else 0.45 * r
    draw.ellipse((x - 1.12 * r, y - 1.18 * r, x + 1.12 * r, y + down), fill=hair, outline=15, width=line)
    body = [
        (x - 1.9 * r, bottom),
        (x - 1.35 * r, y + 1.75 * r),
        (x - 0.4 * r, y + 1.35 * r),
        (x + 0.4 * r, y + 1.35 * r),
        (x + 1.35 * r, y + 1.75 * r),
        (x + 1.9 * r, bottom),
    ]
    if bottom > y + 1.75 * r:
        draw.polygon(body, fill=cloth)
        draw.line([*body], fill=15, width=line, joint="curve")
    neck = (x - 0.3 * r, y + 0.7 * r, x + 0.3 * r, y + 1.5 * r)
    draw.rectangle(neck, fill=255)
    draw.line((neck[0], neck[1], neck[0], neck[3]), fill=15, width=line)
    draw.line((neck[2], neck[1], neck[2], neck[3]), fill=15, width=line)
    draw.polygon(
        [(x - 0.45 * r, y + 1.33 * r), (x, y + 1.75 * r), (x + 0.45 * r, y + 1.33 * r)], fill=255, outline=15
    )
    face = (x - 0.86 * r, y - 0.95 * r, x + 0.86 * r, y + 1.05 * r)
    draw.ellipse(face, fill=255, outline=15, width=line)
    _fringe(draw, x, y, r, hair, line, rng)
    _face(draw, x, y, r, line, rng)


def _fringe(draw: Draw, x: float, y: float, r: float, hair: int, line: int, rng: random.Random) -> None:
    top = [(x + 1.02 * r * math.cos(a), y - 0.1 * r + 1.05 * r * math.sin(a)) for a in _arc(180, 360, 24)]
    teeth = 6
    zigzag: list[tuple[float, float]] = []
    for n in range(teeth * 2 + 1):
        across = x + 1.0 * r - 2.0 * r * n / (teeth * 2)
        depth = rng.uniform(-0.55, -0.4) if n % 2 else rng.uniform(-0.22, -0.05)
        zigzag.append((across, y + depth * r))
    draw.polygon(top + zigzag, fill=hair)
    draw.line([*top, *zigzag, top[0]], fill=15, width=line, joint="curve")


def _face(draw: Draw, x: float, y: float, r: float, line: int, rng: random.Random) -> None:
    mood = rng.choice(("glad", "calm", "shout"))
    for side in (-1, 1):
        eye = x + side * 0.38 * r
        wide, high = 0.17 * r, 0.26 * r
        at = y + 0.22 * r
        draw.ellipse((eye - wide, at - high, eye + wide, at + high), fill=255, outline=15, width=line)
        draw.ellipse((eye - wide * 0.75, at - high * 0.7, eye + wide * 0.75, at + high * 0.9), fill=15)
        draw.ellipse((eye - wide * 0.5, at - high * 0.6, eye + wide * 0.1, at - high * 0.05), fill=255)
        tilt = (-0.07 if mood == "shout" else 0.04) * r * side
        brow = y - 0.17 * r
        draw.line((eye - 0.2 * r, brow + tilt, eye + 0.2 * r, brow - tilt), fill=15, width=line + 1)
    draw.line((x, y + 0.45 * r, x - 0.06 * r, y + 0.55 * r), fill=15, width=line)
    mouth = (x - 0.22 * r, y + 0.58 * r, x + 0.22 * r, y + 0.88 * r)
    if mood == "shout":
        draw.ellipse((x - 0.2 * r, y + 0.6 * r, x + 0.2 * r, y + 0.92 * r), fill=70, outline=15, width=line)
    elif mood == "glad":
        draw.chord((mouth[0], mouth[1] - 0.14 * r, mouth[2], mouth[3]), 0, 180, fill=120, outline=15)
    else:
        draw.arc(mouth, 30, 150, fill=15, width=line)


def _arc(start: int, end: int, steps: int) -> list[float]:
    return [math.radians(start + (end - start) * n / steps) for n in range(steps + 1)]


def cat(draw: Draw, x: float, y: float, r: float) -> None:
    """A sitting cat, its head round x, y."""
    line = max(3, round(r * 0.07))
    draw.ellipse((x - 0.9 * r, y + 0.5 * r, x + 0.9 * r, y + 3 * r), fill=30)
    draw.arc((x + 0.3 * r, y + 1.2 * r, x + 2.1 * r, y + 3 * r), 300, 150, fill=30, width=line * 3)
    for side in (-1, 1):
        ear = [
            (x + side * 0.95 * r, y - 1.15 * r),
            (x + side * 0.95 * r, y),
            (x + side * 0.15 * r, y - 0.7 * r),
        ]
        draw.polygon(ear, fill=30)
    draw.ellipse((x - r, y - 0.85 * r, x + r, y + 0.9 * r), fill=30)
    for side in (-1, 1):
        eye = x + side * 0.42 * r
        draw.ellipse((eye - 0.22 * r, y - 0.3 * r, eye + 0.22 * r, y + 0.15 * r), fill=255)
        draw.ellipse((eye - 0.08 * r, y - 0.28 * r, eye + 0.08 * r, y + 0.13 * r), fill=15)
        for lift in (-0.1, 0.1):
            start, end = x + side * 0.4 * r, x + side * 1.5 * r
            draw.line((start, y + 0.4 * r, end, y + (0.4 + lift * 2) * r), fill=140, width=line // 2)


def town(draw: Draw, width: int, height: int, rng: random.Random) -> None:
    """Roofs along the bottom of a panel."""
    x = -rng.randint(0, 60)
    while x < width:
        wide = rng.randint(110, 220)
        top = height - rng.randint(height // 6, height // 3)
        wall = rng.choice((255, 225, 190))
        draw.rectangle((x, top, x + wide, height), fill=wall, outline=15, width=4)
        roof = [(x - 16, top), (x + wide / 2, top - wide * 0.35), (x + wide + 16, top)]
        draw.polygon(roof, fill=rng.choice((60, 120, 235)), outline=15, width=4)
        for pane in range(x + 24, x + wide - 40, 60):
            draw.rectangle((pane, top + 30, pane + 34, top + 70), fill=245, outline=15, width=3)
            draw.line((pane + 17, top + 30, pane + 17, top + 70), fill=15, width=2)
        x += wide + rng.randint(4, 40)


def hills(draw: Draw, width: int, height: int, rng: random.Random) -> None:
    """A sun or moon and hills with trees."""
    sun = rng.uniform(0.2, 0.35) * height
    at = rng.uniform(0.15, 0.3) * width
    draw.ellipse((at - sun / 3, sun / 2, at + sun / 3, sun / 2 + sun / 1.5), fill=255, outline=15, width=4)
    for layer, shade in enumerate((230, 205, 245)):
        start = rng.uniform(0, 6.28)
        level = height * (0.68 + 0.1 * layer)
        edge = [
            (x, level + height * 0.05 * math.sin(start + x / width * 5)) for x in range(0, width + 20, 20)
        ]
        draw.polygon([*edge, (width, height), (0, height)], fill=shade)
        draw.line(edge, fill=15, width=4, joint="curve")
    for _ in range(rng.randint(2, 5)):
        x, y, tall = rng.uniform(0, width), height * rng.uniform(0.8, 0.95), height * 0.16
        draw.rectangle((x - 5, y - tall * 0.3, x + 5, y), fill=40)
        draw.polygon(
            [(x - tall * 0.3, y - tall * 0.25), (x, y - tall), (x + tall * 0.3, y - tall * 0.25)], fill=60
        )


def speed_lines(draw: Draw, width: int, height: int, rng: random.Random) -> None:
    """Lines that run towards the middle of the panel from all sides."""
    cx, cy = width * rng.uniform(0.35, 0.65), height * rng.uniform(0.4, 0.65)
    reach = math.hypot(width, height)
    inner = min(width, height) * 0.42
    angle = 0.0
    while angle < math.tau:
        start = inner * rng.uniform(0.9, 1.5)
        half = rng.uniform(0.002, 0.008)
        tip = (cx + start * 1.15 * math.cos(angle), cy + start * math.sin(angle))
        ends = [
            (cx + reach * math.cos(angle + s * half), cy + reach * math.sin(angle + s * half))
            for s in (-1, 1)
        ]
        draw.polygon([tip, *ends], fill=20)
        angle += rng.uniform(0.02, 0.06)


def sky(layer: Image.Image, rng: random.Random) -> None:
    """A screentone over the upper part of a panel, lighter towards its end."""
    height = round(layer.height * rng.uniform(0.35, 0.8))
    band = max(40, height // 4)
    for n, y in enumerate(range(0, height, band)):
        dots = tone((layer.width, min(band, height - y)), 12, 0.62 - 0.1 * n, 120)
        layer.paste(dots, (0, y))
