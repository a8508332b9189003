"""Lists of those who may ask the HTTP service, and of those whom it asks: names between commas, never all."""

from __future__ import annotations

import ipaddress
import re

_NAME = r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_.])?"
_PORT = r"(?::[0-9]{1,5})?"
_ORIGIN = re.compile(rf"[a-z][a-z0-9+.-]*://(?:{_NAME}|\[[0-9a-f:.]+\]){_PORT}/?", re.IGNORECASE)
_SERVER = re.compile(r"(?:\*\.)?[^\s/*?#@:\[\]]+" + _PORT + r"|\[[0-9a-f:.]+\]" + _PORT, re.IGNORECASE)


def names_in(text: str) -> frozenset[str]:
    """The names in such a list, in lower case."""
    return frozenset(_split(text))


def wrong_host(text: str) -> str:
    """Why ``text`` is no list of names and addresses of this computer; empty where it is one."""
    for name in _split(text):
        if "*" in name:
            return "name each one, * does not stand for all"
        if not re.fullmatch(_NAME, name) and not _is_address(name):
            return f"{name} is no name or address alone, such as manga.example.org or 192.168.1.5"
    return ""


def wrong_origin(text: str) -> str:
    """Why ``text`` is no list of origins of web pages; empty where it is one."""
    for name in _split(text):
        if "*" in name:
            return "name each one, * does not stand for all"
        if name == "null":
            return "any page can have the origin null"
        if not _ORIGIN.fullmatch(name):
            return f"{name} is no origin, such as https://reader.example.org"
    return ""


def wrong_server(text: str) -> str:
    """Why ``text`` is no list of servers of pictures; empty where it is one."""
    for name in _split(text):
        if "*" in name.removeprefix("*."):
            return "name each one, * does not stand for all, only *.example.org for what is below a name"
        if not _SERVER.fullmatch(name) and not _is_address(name):
            return f"{name} is no server, such as example.org, *.example.org or example.org:8080"
    return ""


def _split(text: str) -> list[str]:
    return [name.strip().lower() for name in text.split(",") if name.strip()]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
