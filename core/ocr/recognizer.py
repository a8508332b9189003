"""What a line says: PP-OCRv6's recognition model, decoded here so that each character keeps its likelihood.

Imported in the model process only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.ocr.arena import give_back
from core.ocr.pixels import Picture

LINE_HEIGHT = 48
TO_SMALL = dict(
    zip("つツよヨやヤゆユあアいイうウえエおオ", "っッょョゃャゅュぁァぃィぅゥぇェぉォ", strict=True)
)
OTHER_SIZE = TO_SMALL | {small: large for large, small in TO_SMALL.items()}
_MAX_WIDTH = 3200
_BATCH_WIDTH = 3200
_TURN_RATIO = 1.5


@dataclass(frozen=True)
class Reading:
    """A line as read, with three values per character.

    ``confidences``: the model's likelihood. ``places``: where along the line it was seen, from 0 to 1.
    ``rivals``: the likelihood of the other size, for a kana that has a small and a large form, else 0.
    """

    text: str = ""
    confidences: tuple[float, ...] = ()
    places: tuple[float, ...] = ()
    rivals: tuple[float, ...] = ()

    @property
    def confidence(self) -> float:
        """The mean likelihood, 0 when nothing was read."""
        return sum(self.confidences) / len(self.confidences) if self.confidences else 0.0


class LineRecognizer:
    """Reads lines; a tall picture is a column and is turned by a quarter, as the model was trained."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name
        characters = session.get_modelmeta().custom_metadata_map["character"].splitlines()
        self._characters = ["", *characters, " "]
        allowed = np.array([_used_in_japanese(c) for c in self._characters])
        allowed[0] = True
        self._allowed: NDArray[np.intp] = np.flatnonzero(allowed)
        index = {self._characters[i]: k for k, i in enumerate(self._allowed)}
        self._rival = {index[a]: index[b] for a, b in OTHER_SIZE.items() if a in index and b in index}

    def read(self, picture: Picture) -> Reading:
        return self.read_all([picture])[0]

    def read_all(self, pictures: Sequence[Picture]) -> list[Reading]:
        """One reading per picture, in the same order."""
        readings = [Reading()] * len(pictures)
        for batch in self.batches(pictures):
            for index, reading in batch:
                readings[index] = reading
        return readings

    def batches(self, pictures: Sequence[Picture]) -> Iterator[list[tuple[int, Reading]]]:
        """Readings with the index of their picture, as they come: similar widths go through together."""
        blobs = [_to_blob(p) for p in pictures]
        order = sorted(range(len(blobs)), key=lambda i: blobs[i].shape[2])
        while order:
            batch = [order.pop()]
            width = blobs[batch[0]].shape[2]
            while (
                order and blobs[order[-1]].shape[2] > 0.8 * width and (len(batch) + 1) * width <= _BATCH_WIDTH
            ):
                batch.append(order.pop())
            tensor = np.zeros((len(batch), 3, LINE_HEIGHT, width), np.float32)
            for row, index in enumerate(batch):
                tensor[row, :, :, : blobs[index].shape[2]] = blobs[index]
            likelihoods = self._session.run(None, {self._input: tensor})[0]
            yield [
                (index, self._decode(likelihoods[row], blobs[index].shape[2] / width))
                for row, index in enumerate(batch)
            ]

    def give_back(self) -> None:
        """Return the memory that is not in use."""
        give_back(self._session, 1, 3, LINE_HEIGHT, LINE_HEIGHT)

    def _decode(self, likelihood: NDArray[np.float32], used: float) -> Reading:
        """Best path of connectionist temporal classification over the characters Japanese uses."""
        steps = likelihood.shape[0] * used
        kept = likelihood[:, self._allowed]
        best = kept.argmax(axis=1)
        value = kept[np.arange(len(best)), best]
        text: list[str] = []
        confidences: list[float] = []
        places: list[float] = []
        rivals: list[float] = []
        start = 0
        while start < len(best):
            end = start + 1
            while end < len(best) and best[end] == best[start]:
                end += 1
            if best[start] != 0:
                text.append(self._characters[self._allowed[best[start]]])
                confidences.append(float(value[start:end].max()))
                places.append(min(1.0, (start + end) / 2 / steps))
                rival = self._rival.get(int(best[start]))
                near = kept[max(0, start - 1) : end + 1, rival] if rival is not None else None
                rivals.append(float(near.max()) if near is not None else 0.0)
            start = end
        return Reading("".join(text), tuple(confidences), tuple(places), tuple(rivals))


def _to_blob(picture: Picture) -> NDArray[np.float32]:
    if picture.shape[0] >= _TURN_RATIO * picture.shape[1]:
        picture = np.rot90(picture)
    height, width = picture.shape[:2]
    scaled = min(_MAX_WIDTH, max(16, round(width * LINE_HEIGHT / height)))
    method = cv2.INTER_AREA if height > LINE_HEIGHT else cv2.INTER_LINEAR
    picture = np.asarray(cv2.resize(picture, (scaled, LINE_HEIGHT), interpolation=method), np.uint8)
    return (picture.astype(np.float32) / 127.5 - 1.0).transpose(2, 0, 1)


def _used_in_japanese(character: str) -> bool:
    """Whether a Japanese character set has it: the model also knows Chinese forms and pictographs."""
    for charset in ("cp932", "euc_jis_2004"):
        try:
            character.encode(charset)
        except UnicodeEncodeError:
            continue
        return True
    return False
