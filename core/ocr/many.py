"""What jobs with several pictures have in common. Model process only."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator, Mapping
from typing import Any

from core.errors import Cancelled, DeviceFailed, ReadFailed, YomitoriError
from core.types import RgbImage

Run = Callable[
    [str, Mapping[str, Any], tuple[RgbImage, ...], Callable[[], bool]],
    Generator[dict[str, Any], None, dict[str, Any]],
]
"""``ModelEngine.run``."""


def one_by_one(
    run: Run,
    engine: str,
    params: Mapping[str, Any],
    images: tuple[RgbImage, ...],
    cancelled: Callable[[], bool],
) -> Generator[dict[str, Any], None, dict[str, Any]]:
    """``recognize_many`` for an engine that gains nothing from batches.

    Yields what ``recognize`` yields, with ``page``, the index of the picture. Returns
    ``{"pages": [...]}``: for each picture what ``recognize`` returns, or ``{"error": ...}``.

    Args:
        engine: what people call it.

    Raises:
        Cancelled, DeviceFailed: these are not one picture's.
    """
    pages: list[dict[str, Any]] = []
    for number, image in enumerate(images):
        try:
            steps = run("recognize", params, (image,), cancelled)
            while True:
                try:
                    piece = next(steps)
                except StopIteration as end:
                    pages.append(end.value)
                    break
                yield {"page": number, **piece}
        except (Cancelled, DeviceFailed):
            raise
        except Exception as error:
            pages.append(failed(error, engine))
    return {"pages": pages}


def failed(error: Exception, engine: str) -> dict[str, Any]:
    """The page of a picture that could not be read."""
    if not isinstance(error, YomitoriError):
        traceback.print_exception(error)
        error = ReadFailed(engine=engine, reason=f"{type(error).__name__}: {error}")
    return {"error": error.to_json()}
