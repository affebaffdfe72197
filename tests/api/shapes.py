"""What JSON looks like when its values are left out: what examples and answers are compared by."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

ANY_ID = "<id>"
_ID = re.compile(r"ld_\w+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def differences(expected: Any, found: Any, *, extra: bool = False, at: str = "$") -> Iterator[str]:
    """Say where two documents differ in fields and types.

    Null may stand for anything, and lists are compared by their first items. Maps by ids are
    compared by whatever is under any of them. With `extra`, what is found may have more fields.
    """
    if expected is None or found is None:
        return
    if isinstance(expected, dict) and isinstance(found, dict):
        yield from _of_objects(_by_any_id(expected), _by_any_id(found), extra=extra, at=at)
    elif isinstance(expected, list) and isinstance(found, list):
        if expected and found:
            yield from differences(expected[0], found[0], extra=extra, at=f"{at}[0]")
    elif _kind(expected) != _kind(found):
        yield f"{at} is {_kind(found)}, not {_kind(expected)}"


def _of_objects(
    expected: dict[str, Any], found: dict[str, Any], *, extra: bool, at: str
) -> Iterator[str]:
    for name in expected.keys() - found.keys():
        if name != ANY_ID:  # a map may be empty
            yield f"{at}.{name} is missing"
    for name in found.keys() - expected.keys():
        if not extra and name != ANY_ID:
            yield f"{at}.{name} is new"
    for name in expected.keys() & found.keys():
        yield from differences(expected[name], found[name], extra=extra, at=f"{at}.{name}")


def _by_any_id(document: dict[str, Any]) -> dict[str, Any]:
    return {ANY_ID if _ID.fullmatch(name) else name: value for name, value in document.items()}


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return {str: "text", dict: "object", list: "list"}[type(value)]
