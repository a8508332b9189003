"""What the manga-ocr package itself does to a text; ``manga_ocr_reads`` reads with the package."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import jaconv


def published_post_process() -> Callable[[str], str]:
    """The function of that name, cut out of its module: importing that would import torch, which takes longer
    than the tests."""
    found = find_spec("manga_ocr")
    assert found is not None
    assert found.origin is not None
    source = Path(found.origin).with_name("ocr.py").read_text(encoding="utf-8")
    parts = [
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and node.name == "post_process"
    ]
    assert len(parts) == 1
    names = {"re": re, "jaconv": jaconv}
    exec(compile(ast.Module(parts, []), "manga_ocr/ocr.py", "exec"), names)
    function: Callable[[str], str] = names["post_process"]  # type: ignore[assignment]
    return function
