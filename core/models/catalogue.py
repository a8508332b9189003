"""The models Yomitori knows: data in ``catalogue.json``, checked against a schema.

A file's size or sum, or an exact figure, that is not known is null; ``unknown`` says so in words.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, field_validator, model_validator

from core.models import licences
from core.vision.family import FAMILY

Precision = Literal["fp32", "bf16", "fp16", "int8", "int4"]
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
class KnownVision:
    """What is special about a model that answers questions about pictures.

    ``type`` is what its ``config.json`` says; ``stored`` the precision of its weights on the disk;
    ``context`` the longest conversation in tokens; ``image_tokens`` the most that one picture takes of it;
    ``cache_bytes`` what a token of the conversation takes of memory in half precision, twice that in fp32.
    """

    type: str
    stored: str
    context: int
    image_tokens: int
    cache_bytes: int


@dataclass(frozen=True, slots=True)
class KnownModel:
    """One model of the catalogue.

    ``download_size`` is in bytes and rounded; the hub is asked for the exact one. ``memory`` is what working
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
    vision: KnownVision | None = None

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


class _Vision(_Strict):
    type: str
    stored: Literal["fp32", "bf16", "fp16"]
    context: PositiveInt
    image_tokens: PositiveInt
    cache_bytes: PositiveInt

    @field_validator("type")
    @classmethod
    def _of_the_family(cls, value: str) -> str:
        if value not in FAMILY:
            raise ValueError(f"none of {', '.join(FAMILY)}")
        return value


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
    vision: _Vision | None = None
    fallback: _Revision | None
    unknown: list[str]

    @model_validator(mode="after")
    def _vision_for_its_role(self) -> Self:
        if (self.role == "vision") != (self.vision is not None):
            raise ValueError("a model has vision when that is its role")
        return self


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
        vision=None if model.vision is None else KnownVision(**model.vision.model_dump()),
    )


def _files(files: Iterable[_File]) -> tuple[KnownFile, ...]:
    return tuple(KnownFile(file.name, file.size, file.sha256) for file in files)


def load_catalogue() -> tuple[KnownModel, ...]:
    """The catalogue that comes with Yomitori."""
    return parse_catalogue(_FILE.read_text("utf-8"))


def find_model(name_or_repo: str, catalogue: Iterable[KnownModel]) -> KnownModel | None:
    """The model of that name or hub id, None when the catalogue has none.

    Ids of models that were renamed are for ``core.models.stock`` to know.
    """
    return next((model for model in catalogue if name_or_repo in (model.name, model.repo)), None)


def default_model(role: str, catalogue: Iterable[KnownModel]) -> KnownModel | None:
    """What to offer first for a role: models under an open licence before others, in catalogue order."""
    mine = [model for model in catalogue if model.role == role]
    return next(iter(sorted(mine, key=lambda model: not model.licence_open)), None)
