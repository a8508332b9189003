"""What is wrong with a value, in a sentence: the validator's own words are for programmers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_WHOLE = "it has to be a whole number"
_NUMBER = "it has to be a number"
_TEXT = "it has to be text"
_YES_OR_NO = "it has to be true or false"
_OBJECT = "it has to be an object"
_REASONS = {
    "missing": "it is missing",
    "string_type": _TEXT,
    "string_unicode": "it is not whole Unicode text",
    "string_too_short": "it has to have at least {min_length} characters",
    "string_too_long": "it has to have at most {max_length} characters",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing_size": "it is too large a number",
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "bool_type": _YES_OR_NO,
    "bool_parsing": _YES_OR_NO,
    "list_type": "it has to be a list",
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "too_short": "it has to have at least {min_length} of them",
    "too_long": "it has to have at most {max_length} of them",
    "greater_than": "it has to be greater than {gt}",
    "greater_than_equal": "it has to be {ge} or more",
    "less_than": "it has to be less than {lt}",
    "less_than_equal": "it has to be {le} or less",
    "literal_error": "it has to be {expected}",
    "enum": "it has to be {expected}",
    "extra_forbidden": "there is no such field",
    "json_invalid": "it is not valid JSON",
    "union_tag_not_found": "its type is missing",
}
_OTHER = "it is not what belongs there"


def reason_of(found: Mapping[str, Any], own: frozenset[str] = frozenset()) -> str:
    """The end of a sentence about one of a validator's errors.

    Args:
        own: types of errors that have words of ours. Of others nothing is told that may quote what was sent.
    """
    kind = str(found["type"])
    if kind in own:
        return str(found["msg"])
    context = {name: _shown(value) for name, value in (found.get("ctx") or {}).items()}
    try:
        return _REASONS.get(kind, _OTHER).format_map(context)
    except KeyError:
        return _OTHER


def _shown(value: Any) -> str:
    """A limit as people write it."""
    return f"{value:g}" if isinstance(value, float) else str(value)
