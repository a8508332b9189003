"""Lists of names: what can be in one, and why what cannot is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.allow_lists import names_in, wrong_host, wrong_origin, wrong_server

GOOD = {
    wrong_host: ("", "manga.example.org, 192.168.1.5,fe80::1", "box", "My-Box.LAN.", "a_b.example,,"),
    wrong_origin: (
        "",
        "https://reader.example.org/, http://localhost:3000",
        "chrome-extension://abcdefg, moz-extension://0a1b-2c3d",
        "http://[::1]:8080",
    ),
    wrong_server: (
        "",
        "example.org, *.example.org, example.org:8080",
        "192.168.1.5, ::1, [::1]:8080, *.example.org:81",
        "bücher.example",
    ),
}
BAD = [
    (wrong_host, "*", "name each one"),
    (wrong_host, "a.example, *.example.org", "name each one"),
    (wrong_host, "manga.example.org:8080", "manga.example.org:8080 is no name or address alone"),
    (wrong_host, "https://manga.example.org", "is no name or address alone"),
    (wrong_host, "a.example b.example", "is no name or address alone"),
    (wrong_origin, "*", "name each one"),
    (wrong_origin, "https://*.example.org", "name each one"),
    (wrong_origin, "null", "any page"),
    (wrong_origin, "reader.example.org", "reader.example.org is no origin"),
    (wrong_origin, "https://reader.example.org/page", "is no origin"),
    (wrong_origin, "https://me@reader.example.org", "is no origin"),
    (wrong_server, "*", "name each one"),
    (wrong_server, "cdn.*.org", "name each one"),
    (wrong_server, "*.*", "name each one"),
    (wrong_server, "https://example.org", "is no server"),
    (wrong_server, "example.org/pictures", "is no server"),
]


@pytest.mark.parametrize(
    ("why_not", "text"), [(rule, text) for rule, texts in GOOD.items() for text in texts]
)
def test_names_are_taken(why_not: Callable[[str], str], text: str) -> None:
    assert why_not(text) == ""


@pytest.mark.parametrize(("why_not", "text", "reason"), BAD)
def test_what_names_nobody_or_everybody_is_refused_with_the_reason(
    why_not: Callable[[str], str], text: str, reason: str
) -> None:
    assert reason in why_not(text)


def test_names_are_compared_in_lower_case() -> None:
    assert names_in(" Manga.Example.org , ,box") == {"manga.example.org", "box"}
