"""Examples of requests and their answers: recorded from the API itself, not made up.

The tests send each of them again and compare the shape of the answer with what is stored here
(tests/api/test_recorded.py, which also writes the file).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from leadvibe.api.operations import Operation

FILE = Path(__file__).with_name("recorded.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One request that succeeded. `answer` is its JSON, or its text; None when it had no body."""

    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    file: str = ""
    """Content of the uploaded file."""
    answer: Any = None


def find_recorded(operation: Operation) -> Recorded | None:
    """Return the example of an operation, if one has been recorded."""
    found = _read().get(name_of(operation))
    return Recorded(**found) if found is not None else None


def name_of(operation: Operation) -> str:
    """Return what an operation is filed under."""
    return f"{operation.method} {operation.path}"


@cache
def _read() -> dict[str, dict[str, Any]]:
    read: dict[str, dict[str, Any]] = json.loads(FILE.read_text()) if FILE.exists() else {}
    return read
