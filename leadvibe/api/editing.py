"""Editing beside others: everything says which state it is in, and a change may insist on that one.

A state is named by what people see of it, so nothing has to be counted or stored for it. It is
compared under the lock that every such change takes, in the transaction of the change itself.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, ClassVar

from flask import request
from pydantic import ConfigDict, Field
from pydantic_core import to_json

from leadvibe.lib.errors import PreconditionFailedError

IF_MATCH = "If-Match"
_TAG_BYTES = 12
"""Enough that no two states of one thing ever have the same name by chance."""


def _always_there(schema: dict[str, Any]) -> None:
    # A default would say that it may be left out.
    schema["properties"]["etag"].pop("default", None)


Tag = Annotated[
    str, Field(description="Names the state it is in: send it in If-Match to change only that.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Editable:
    """Something that people change, with a name for the state it is in."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(
        json_schema_extra=_always_there, json_schema_serialization_defaults_required=True
    )
    not_edited: ClassVar[frozenset[str]] = frozenset()
    """Fields that change by themselves, and are no part of its state."""

    etag: Tag = field(default="", init=False)

    def __post_init__(self) -> None:
        kept = {each.name for each in fields(self)} - {"etag"} - self.not_edited
        content = to_json({name: getattr(self, name) for name in sorted(kept)})
        digest = hashlib.blake2b(content, digest_size=_TAG_BYTES)
        object.__setattr__(self, "etag", digest.hexdigest())


def is_conditional() -> bool:
    """Say whether the client insists on a state."""
    return IF_MATCH in request.headers


def check_unchanged(current: Editable) -> None:
    """Raise PreconditionFailedError unless the thing is in the state that If-Match names.

    It is read under its lock, or somebody might yet change it before this request does.
    """
    if not request.if_match.contains(current.etag):
        raise PreconditionFailedError(
            f"It is not in the state that {IF_MATCH} names: {_who_changed(current)}."
            " Read it again, and decide what to change of it now.",
            fields={IF_MATCH: f'is not "{current.etag}"'},
        )


def _who_changed(current: Editable) -> str:
    by, at = getattr(current, "updated_by", None), getattr(current, "updated_at", None)
    who = f"{by} changed it last" if by else "somebody has changed it"
    return f"{who}, on {at:%Y-%m-%d at %H:%M:%S} UTC" if at else who
