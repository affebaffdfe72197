"""From a row of the table to a route: who asks, may they, what do they want, and the answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from flask import Flask
from pydantic import TypeAdapter
from werkzeug.wrappers import Response

from leadvibe.api import answers, editing, params, repeats
from leadvibe.api.fields import UnitId
from leadvibe.api.operations import Auth, Operation, path_names
from leadvibe.http import principal as asking
from leadvibe.http import rate_limits
from leadvibe.http.permissions import require, require_member
from leadvibe.identity.permissions import Permission
from leadvibe.identity.types import Principal

# Lead ids and event types are whatever a client chose, slashes included.
_CONVERTERS = {"leadID": "path:", "eventType": "path:"}
_PATH_NAME = re.compile(r"{(\w+)}")

_read_unit_id = params.path_reader(UnitId)


def register(app: Flask, operations: Iterable[Operation]) -> None:
    """Add a route for every operation and every alias of one."""
    for operation in operations:
        for method, path in operation.addresses():
            app.add_url_rule(
                _PATH_NAME.sub(_rule_part, path),
                endpoint=f"api.{method} {path}",
                view_func=_view(operation, path_names(path)),
                methods=[method],
            )


def _rule_part(match: re.Match[str]) -> str:
    return f"<{_CONVERTERS.get(match[1], '')}{match[1]}>"


def _view(operation: Operation, names: tuple[str, ...]) -> Callable[..., Response]:
    wanted, view, status = operation.interface, operation.view, operation.success
    gatekeeper = _gatekeeper(operation)
    readers = [params.path_reader(annotation) for annotation in wanted.path]
    named = tuple(zip(names, readers, strict=True))
    adapter = None if wanted.reply is None else _adapter(wanted.reply)

    def respond(**path: str) -> Response:
        if operation.is_limited:
            rate_limits.take()
        if operation.enters in path:
            _enter(path[operation.enters])
        principal = gatekeeper()
        arguments: list[Any] = [principal] if wanted.takes_principal else []
        arguments += [read(path[name]) for name, read in named]
        if principal is not None and operation.heeds_key:
            return repeats.once(operation, principal, lambda: carry_out(arguments))
        return carry_out(arguments)

    def carry_out(arguments: list[Any]) -> Response:
        given = _given(operation)
        if operation.edits is not None and editing.is_conditional():
            operation.lock(arguments[0].scope)
            editing.check_unchanged(operation.edits(*arguments))
        result = view(*arguments, **given)
        if operation.edits is not None and operation.method == "PUT" and adapter is None:
            answers.set_etag(operation.edits(*arguments))
        return answers.answer(result, adapter=adapter, status=status)

    return respond


@cache
def _adapter(reply: Any) -> TypeAdapter[Any]:
    """Return what writes answers of a type; many operations and each application share it."""
    return TypeAdapter(reply)


def _enter(text: str) -> None:
    """Let the caller work in the unit that the address names, whichever is active."""
    asking.current()  # somebody unknown need not learn which units there are
    asking.enter(_read_unit_id(text))


def _given(operation: Operation) -> Mapping[str, Any]:
    wanted = operation.interface
    given: dict[str, Any] = {}
    if wanted.query is not None:
        given["query"] = params.read_query(wanted.query)
    if wanted.body is not None:
        given["body"] = params.read_body(wanted.body, max_bytes=operation.max_body_bytes)
    return given


def _gatekeeper(operation: Operation) -> Callable[[], Principal | None]:
    """Return what lets callers in, or raises why they may not come in."""
    permission = operation.permission
    if operation.auth is Auth.NONE:
        return _let_anyone
    assert permission is not None, f"{operation.title} says nothing about who may do it"
    admit: Callable[[Permission], Principal]
    admit = require_member if operation.auth is Auth.MEMBER else require
    return lambda: admit(permission)


def _let_anyone() -> None:
    return None
