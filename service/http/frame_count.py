"""How many frames or pages a picture has, counted without decoding any, and no further than asked."""

from __future__ import annotations

import io
import warnings

from core.images import FORMATS

_GIF = (b"GIF87a", b"GIF89a")
_EXTENSION, _FRAME = 0x21, 0x2C


def has_more_frames(data: bytes, limit: int) -> bool:
    """Whether a picture has more than ``limit`` frames or pages.

    What cannot be read as a picture counts as having none: whoever decodes it says what is wrong with it.
    """
    if data[:6] in _GIF:
        return _gif_has_more(data, limit)
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                if image.format == "TIFF":
                    # Its pages are a list in which each knows only the next one; to count all of them
                    # could take for ever.
                    image.seek(limit)
                    return True
                return int(getattr(image, "n_frames", 1)) > limit
    except Exception:
        # Decoders raise nearly anything for broken files, EOFError where there is no such page.
        return False


def _gif_has_more(data: bytes, limit: int) -> bool:
    """Blocks are stepped over by their lengths alone (GIF89a, sections 12 to 27)."""
    frames = 0
    try:
        at = 13 + _colours(data[10])
        while frames <= limit:
            kind = data[at]
            if kind == _EXTENSION:
                at += 2
            elif kind == _FRAME:
                frames += 1
                at += 11 + _colours(data[at + 9])
            else:
                break
            while data[at]:
                at += 1 + data[at]
            at += 1
    except IndexError:
        # Cut off: what is there counts.
        pass
    return frames > limit


def _colours(flags: int) -> int:
    """Bytes of the table of colours that a descriptor announces."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0
