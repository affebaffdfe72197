"""From a row of the table to a route: who asks, may they, what do they want, and the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Response
from pydantic import TypeAdapter

from leadvibe.dialects.nexus.auth import require
from leadvibe.dialects.nexus.operations import OPERATIONS, Operation
from leadvibe.dialects.nexus.params import read_body, read_query
from leadvibe.http import answers, rate_limits


def register(app: Flask) -> None:
    for operation in OPERATIONS:
        app.add_url_rule(
            # Lead ids are whatever a client chose, slashes included.
            operation.path.replace("{leadId}", "<path:leadId>"),
            endpoint=f"nexus.{operation.name}",
            view_func=_view(operation),
            methods=[operation.method],
        )


def _view(operation: Operation) -> Callable[..., Response]:
    adapter: TypeAdapter[Any] | None = TypeAdapter(operation.reply) if operation.reply else None

    def respond(**path: str) -> Response:
        rate_limits.take()
        arguments: list[Any] = [require(operation.scope), *path.values()]
        if operation.query is not None:
            arguments.append(read_query(operation.query))
        if operation.body is not None:
            arguments.append(read_body(operation.body))
        answer = operation.view(*arguments)
        reply, status = answer if isinstance(answer, tuple) else (answer, operation.statuses[0])
        if adapter is None:
            return answers.empty(status)
        return Response(adapter.dump_json(reply), status=status, content_type="application/json")

    return respond
