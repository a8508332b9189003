"""The models Yomitori knows: data in ``catalogue.json``, checked against a schema.

A file's size or sum, or an exact figure, that is not known is null; ``unknown`` says so in words.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from core.models import licences

Precision = Literal["fp32", "bf16", "fp16"]
_FILE = Path(__file__).with_name("catalogue.json")


@dataclass(frozen=True, slots=True)
class KnownFile:
    """``size`` in bytes and ``sha256`` in hexadecimal; None where it is not known."""

    name: str
    size: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class KnownRevision:
    """A branch, reference or commit of a repository, and its files."""

    revision: str
    files: tuple[KnownFile, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownModel:
    """One model of the catalogue.

    ``download_size`` is in bytes and rounded; the hub is asked for the exact one. ``memory`` is what reading
    with it needs in bytes, by precision. ``fallback`` is taken when the hub no longer has ``revision``.
    """

    name: str
    role: str
    title: str
    what_for: str
    repo: str
    revision: str
    files: tuple[KnownFile, ...]
    download_size: int
    parameters: int
    licence: str
    licence_open: bool
    licence_url: str
    memory: dict[str, int]
    devices: tuple[str, ...]
    fallback: KnownRevision | None = None
    unknown: tuple[str, ...] = ()

    def revisions(self) -> tuple[KnownRevision, ...]:
        """What may be downloaded, in the order in which it is tried."""
        first = KnownRevision(self.revision, self.files)
        return (first,) if self.fallback is None else (first, self.fallback)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _File(_Strict):
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    size: PositiveInt | None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None


class _Revision(_Strict):
    revision: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$")
    files: list[_File] = Field(min_length=1)


class _Model(_Revision):
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    role: Literal["ocr", "vision"]
    title: str = Field(min_length=1)
    what_for: str = Field(pattern=r"^[A-Z].*\.$")
    repo: str = Field(pattern=r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$")
    download_size: PositiveInt
    parameters: PositiveInt
    licence: str = Field(min_length=1)
    licence_url: str = Field(pattern=r"^https://")
    memory: dict[Precision, PositiveInt] = Field(min_length=1)
    devices: list[Literal["cpu", "cuda", "mps"]] = Field(min_length=1)
    fallback: _Revision | None
    unknown: list[str]


class _Catalogue(_Strict):
    version: Literal[1]
    models: list[_Model]


def parse_catalogue(text: str) -> tuple[KnownModel, ...]:
    """Raises pydantic.ValidationError for text that is not in the schema."""
    return tuple(_known(model) for model in _Catalogue.model_validate(json.loads(text)).models)


def _known(model: _Model) -> KnownModel:
    fallback = model.fallback
    return KnownModel(
        name=model.name,
        role=model.role,
        title=model.title,
        what_for=model.what_for,
        repo=model.repo,
        revision=model.revision,
        files=_files(model.files),
        download_size=model.download_size,
        parameters=model.parameters,
        licence=model.licence,
        licence_open=licences.is_open(model.licence),
        licence_url=model.licence_url,
        memory={str(precision): size for precision, size in model.memory.items()},
        devices=tuple(model.devices),
        fallback=None if fallback is None else KnownRevision(fallback.revision, _files(fallback.files)),
        unknown=tuple(model.unknown),
    )


def _files(files: Iterable[_File]) -> tuple[KnownFile, ...]:
    return tuple(KnownFile(file.name, file.size, file.sha256) for file in files)


def load_catalogue() -> tuple[KnownModel, ...]:
    """The catalogue that comes with Yomitori."""
    return parse_catalogue(_FILE.read_text("utf-8"))


def find_model(name_or_repo: str, catalogue: Iterable[KnownModel]) -> KnownModel | None:
    """The model of that name or hub id, None when the catalogue has none."""
    return next((model for model in catalogue if name_or_repo in (model.name, model.repo)), None)


def default_model(role: str, catalogue: Iterable[KnownModel]) -> KnownModel | None:
    """What to offer first for a role: models under an open licence before others, in catalogue order."""
    mine = [model for model in catalogue if model.role == role]
    return next(iter(sorted(mine, key=lambda model: not model.licence_open)), None)
