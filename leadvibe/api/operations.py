"""What an operation of the JSON API is: one row of the table that everything else is made from.

Routes, authentication, permissions, parsing, serialisation and the OpenAPI document all read the
same rows; what a view takes and returns is read off its annotations, so that it is said once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from http import HTTPStatus
from inspect import signature
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from flask import Response
from pydantic import BaseModel

from leadvibe.api.answers import Counted, Csv, JsonStream, Pending
from leadvibe.api.editing import Editable
from leadvibe.identity.permissions import Permission
from leadvibe.identity.types import Scope
from leadvibe.scoring.service import lock_configuration

MAX_BODY_BYTES = 1024 * 1024
"""Enough for the largest single event, however its JSON is spelled."""

_PATH_NAME = re.compile(r"{(\w+)}")
_STREAMED = (Counted, JsonStream)
_UNIONS = (Union, UnionType)


class Auth(StrEnum):
    """Who may call, by the contract's names for it."""

    NONE = "none"
    MEMBER = "B"
    EITHER = "B/C"
    """A member, or an API credential."""


@dataclass(frozen=True, slots=True)
class Interface:
    """What a view takes and returns. The path's values come in the order of its parameters."""

    takes_principal: bool
    path: tuple[Any, ...]
    query: type[BaseModel] | None
    body: type[BaseModel] | None
    reply: Any
    """The type of the JSON answer; None when there is none."""
    is_counted: bool
    may_be_pending: bool
    """Whether the answer may be 202, with what there is so far."""


@dataclass(frozen=True)
class Operation:
    """One operation: `number` is its row in the contract, empty for those that are ours."""

    number: str
    tag: str
    title: str
    method: str
    path: str
    view: Callable[..., Any]
    auth: Auth
    permission: Permission | None = None
    _: KW_ONLY
    success: int = 200
    aliases: tuple[str, ...] = ()
    """Other ways to call it, such as "GET /me"."""
    headers: tuple[tuple[str, str], ...] = ()
    """Request headers that it reads, with what they do."""
    media_type: str = ""
    """Of an answer that is not JSON."""
    uploads: str = ""
    """Name of the file in a multipart body."""
    max_body_bytes: int = MAX_BODY_BYTES
    enters: str = "ouId"
    """Name of the part of the path, if it has one, that says in which unit the caller works."""
    edits: Callable[..., Editable] | None = None
    """Reads what it changes, called as `view` is but without a body: then If-Match is heeded."""
    lock: Callable[[Scope], object] = lock_configuration
    """Keeps others from changing that until the commit."""
    happens_once: bool = False
    """Whether Idempotency-Key is heeded, although it does not answer 201."""
    shows_secret: bool = False
    """Whether its answer is not kept for when it is asked again."""
    is_limited: bool = True
    """Whether it counts towards the rate limit."""
    refusals: tuple[int, ...] = ()
    """Statuses it may refuse with beside those that follow from the rest (see api.refusals)."""
    interface: Interface = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "interface", _read_interface(self.view))

    @property
    def path_names(self) -> tuple[str, ...]:
        """Names of the path's parameters as the contract spells them, in order."""
        return path_names(self.path)

    @property
    def heeds_key(self) -> bool:
        """Say whether a request with the same Idempotency-Key makes nothing a second time."""
        makes_something = self.success == HTTPStatus.CREATED or self.happens_once
        return self.method == "POST" and makes_something

    def addresses(self) -> Iterator[tuple[str, str]]:
        """Yield (method, path) of the operation and of its aliases."""
        yield self.method, self.path
        for alias in self.aliases:
            method, path = alias.split(" ")
            yield method, path


def path_names(path: str) -> tuple[str, ...]:
    return tuple(_PATH_NAME.findall(path))


def _read_interface(view: Callable[..., Any]) -> Interface:
    hints = get_type_hints(view, include_extras=True)
    returned = hints.pop("return")
    names = list(signature(view).parameters)
    return Interface(
        takes_principal="principal" in names,
        path=tuple(hints[name] for name in names if name not in {"principal", "query", "body"}),
        query=hints.get("query"),
        body=hints.get("body"),
        reply=_published(returned),
        is_counted=get_origin(returned) is Counted,
        may_be_pending=any(get_origin(each) is Pending for each in _alternatives(returned)),
    )


def _published(returned: Any) -> Any:
    """Return the type that clients see: a list for what counts or streams one."""
    if get_origin(returned) in _STREAMED:
        return list[get_args(returned)[0]]  # type: ignore[misc]
    if get_origin(returned) is Pending:
        return get_args(returned)[0]
    if get_origin(returned) in _UNIONS:
        # What may be null is published as such; whole responses are not for the document.
        seen = [each if each is NoneType else _published(each) for each in get_args(returned)]
        return Union[tuple(each for each in seen if each is not None)]  # noqa: UP007 - of a tuple
    return None if returned in {NoneType, None, Csv, Response} else returned


def _alternatives(returned: Any) -> tuple[Any, ...]:
    return get_args(returned) if get_origin(returned) in _UNIONS else (returned,)
