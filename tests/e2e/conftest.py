"""The stage of the end-to-end tests: a real X server with two screens, a window manager and a tray."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.xserver import XServer


@pytest.fixture(scope="module")
def xserver() -> Iterator[XServer]:
    """1920x1080 at 0,0 and 1280x1024 beside it, lower by 40 px; openbox; trayer.

    It ends with its file: files that come after it, in the same process, may look at what children there are.
    """
    with XServer(screens=((1920, 1080), (1280, 1024)), origins=((0, 0), (1920, 40))) as server:
        server.spawn(["trayer", "--edge", "bottom", "--align", "right", "--width", "20", "--height", "32"])
        yield server
