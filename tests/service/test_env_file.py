"""``.env`` files."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.service_errors import EnvFileUnusable
from service.env_file import parse_env, read_env

HERE = Path(".env")


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("NAME=value", "value"),
        ("NAME =  a value # a comment", "a value"),
        ("export NAME=value", "value"),
        ('NAME="a # value" # a comment', "a # value"),
        ("NAME='$HOME \"quoted\"'", '$HOME "quoted"'),
        ("NAME=", ""),
        ("NAME=# a comment", ""),
        ('NAME=""', ""),
        ("NAME=a=b#c", "a=b#c"),
        ("  NAME=日本語  ", "日本語"),
        ("NAME=C:\\models", "C:\\models"),
    ],
)
def test_a_value(line: str, value: str) -> None:
    assert parse_env(f"# first\n\n{line}\nOTHER=1\n", HERE) == {"NAME": value, "OTHER": "1"}


@pytest.mark.parametrize(
    "line", ["SECRET", "1NAME=x", "NA ME=x", '"NAME"=x', 'NAME="open', "NAME='a' b", "=x"]
)
def test_a_line_that_is_none_is_named_and_not_quoted(line: str) -> None:
    with pytest.raises(EnvFileUnusable, match="line 2 is not NAME=value") as caught:
        parse_env(f"FINE=1\n{line}\n", HERE)
    assert line not in caught.value.message


def test_the_environment_comes_first(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"\xef\xbb\xbfNAME=file\r\nOTHER=file\r\n")
    environ = {"NAME": "environment"}
    read_env(file, environ)
    assert environ == {"NAME": "environment", "OTHER": "file"}


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(EnvFileUnusable, match="No such file"):
        read_env(tmp_path / "nothing", {})
    (tmp_path / "binary").write_bytes(b"NAME=\xff\xfe")
    with pytest.raises(EnvFileUnusable, match="UTF-8"):
        read_env(tmp_path / "binary", {})
