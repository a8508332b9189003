"""The fields of a form: those there are, each once, and files where files belong."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, get_args, get_origin

from fastapi import Depends, UploadFile
from fastapi.dependencies.models import Dependant
from starlette.datastructures import UploadFile as Uploaded
from starlette.requests import Request

from core.service_errors import FieldRepeated, FieldUnknown, FileExpected, NotInAddress

NAME = re.compile(r"\w{1,64}", re.ASCII)
"""What may be told back of a name that was sent: it may be anything."""


async def right_fields(request: Request) -> None:
    """For ``Depends``: the framework takes no notice of fields that it does not look for.

    Raises:
        FieldUnknown, FieldRepeated, FileExpected, NotInAddress
    """
    fields = dict(_fields(request.scope["route"].dependant))
    for name in request.query_params:
        if name in fields:
            raise NotInAddress(field=name)
    # It was read before, for the route: this is what was found.
    sent = (await request.form()).multi_items()
    for name, value in sent:
        if name not in fields:
            shown = name if NAME.fullmatch(name) else "of that name"
            raise FieldUnknown(field=shown, known=", ".join(fields))
        if _takes_files(fields[name]) and value and not isinstance(value, Uploaded):
            raise FileExpected(field=name)
    for name, count in Counter(name for name, _ in sent).items():
        if count > 1 and not _takes_many(fields[name]):
            raise FieldRepeated(field=name)


def _fields(dependant: Dependant) -> Iterator[tuple[str, Any]]:
    """The names of a form's fields with their types, those of dependencies last."""
    for param in dependant.body_params:
        yield param.alias, param.field_info.annotation
    for inner in dependant.dependencies:
        yield from _fields(inner)


def _takes_files(kind: Any) -> bool:
    return kind is UploadFile or any(map(_takes_files, get_args(kind)))


def _takes_many(kind: Any) -> bool:
    return get_origin(kind) is list


RIGHT_FIELDS = [Depends(right_fields)]
"""``dependencies`` of every route that takes a form."""
