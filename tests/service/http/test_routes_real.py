"""The operations of the service's own, of a process of its own with real models."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2

from tests.support.environment import ROOT
from tests.support.http_service import Serving

PAGE = {"file": ("page.png", (ROOT / "tests" / "data" / "short.png").read_bytes())}


def test_a_page_is_read_and_asked_about_at_the_same_time(server: Serving) -> None:
    with httpx2.Client(base_url=server.url, trust_env=False, timeout=120) as client:

        def post(path: str, **fields: str) -> dict[str, Any]:
            answer = client.post(path, files=PAGE, data=fields)
            assert answer.status_code == 200, answer.text
            row: dict[str, Any] = answer.json()
            return row

        with ThreadPoolExecutor(2) as pool:
            read = pool.submit(post, "/ocr", details="true")
            asked = pool.submit(
                post, "/analyze_image", prompt="What is this?", max_tokens="8", details="true"
            )
            row, answer = read.result(), asked.result()
        assert (row["engine"], row["device"]) == ("manga-ocr", "cpu")
        assert row["text"]
        assert row["blocks"][0]["lines"][0]["confidences"]
        assert answer["usage"]["images"] > 0
        assert 0 < answer["confidence"] <= 1
        roles = {role["role"]: role for role in client.get("/models").json()["roles"]}
        assert roles["ocr"]["engine"] == "manga-ocr"
        assert roles["vision"]["memory"] > 0
