"""The OpenAPI 3.1 document of this API, written from its table of operations and their models."""

from __future__ import annotations

import re
from functools import cache
from http import HTTPStatus
from typing import Any

from flask import Response, current_app
from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode
from pydantic_core import to_json

from leadvibe import __version__
from leadvibe.dialects.nexus.operations import OPERATIONS, Operation

_REF = "#/components/schemas/{model}"
_ERROR = _REF.format(model="Error")
_JSON = "application/json"
_SCHEME = "apiKey"
_OF_ALL = (401, 403, 429, 500)
_PATH_NAME = re.compile(r"{(\w+)}")
_DESCRIPTION = """\
The lead API of Nexus ERP, served over the leads of Leadvibe. Send a key as \
`Authorization: Bearer sk_...`; what it may do is in its scopes. Bodies are JSON, times ISO-8601 \
in UTC with milliseconds, phone numbers E.164. Of a text over 1,750 bytes, but for notes, \
leads show the beginning. A refused request says why in `error`."""


def show_document() -> Response:
    """Answer anybody: it is the same for all."""
    return Response(_document(current_app.config["PUBLIC_URL"]), content_type=_JSON)


@cache
def _document(url: str) -> bytes:
    schemas = _schemas()
    return to_json(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Leadvibe: the Nexus ERP lead API",
                "version": __version__,
                "description": _DESCRIPTION,
            },
            "servers": [{"url": url}],
            "security": [{_SCHEME: []}],
            "paths": _paths(),
            "components": {
                "schemas": schemas,
                "securitySchemes": {
                    _SCHEME: {
                        "type": "http",
                        "scheme": "bearer",
                        "bearerFormat": "sk_xxxxxxxx_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
                    }
                },
            },
        }
    )


def _schemas() -> dict[str, Any]:
    replies = {each.reply for each in OPERATIONS if each.reply is not None}
    bodies = {each.body for each in OPERATIONS if each.body is not None}
    modes: list[tuple[Any, JsonSchemaMode]] = [
        *((it, "serialization") for it in replies),
        *((it, "validation") for it in bodies),
    ]
    _, written = TypeAdapter.json_schemas(
        sorted((it.__name__, mode, TypeAdapter(it)) for it, mode in modes), ref_template=_REF
    )
    error = {
        "type": "object",
        "properties": {"error": {"type": "string"}},
        "required": ["error"],
    }
    return {**written["$defs"], "Error": error}


def _paths() -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return paths


def _operation(operation: Operation) -> dict[str, Any]:
    written: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.title,
        "description": f"Scope: `{operation.scope}`. {operation.view.__doc__ or ''}".strip(),
        "parameters": [*_path_parameters(operation), *_query_parameters(operation)],
        "responses": _responses(operation),
    }
    if operation.body is not None:
        content = _content(_REF.format(model=operation.body.__name__))
        written["requestBody"] = {"required": True, "content": content}
    return written


def _path_parameters(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PATH_NAME.findall(operation.path)
    ]


def _query_parameters(operation: Operation) -> list[dict[str, Any]]:
    if operation.query is None:
        return []
    properties = operation.query.model_json_schema()["properties"]
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": schema.pop("description"),
            "schema": schema,
        }
        for name, schema in properties.items()
    ]


def _responses(operation: Operation) -> dict[str, Any]:
    reply = operation.reply
    content = {"content": _content(_REF.format(model=reply.__name__))} if reply else {}
    fine = {
        str(status): {"description": HTTPStatus(status).phrase, **content}
        for status in operation.statuses
    }
    refused = {
        str(status): {"description": HTTPStatus(status).phrase, "content": _content(_ERROR)}
        for status in sorted((*_OF_ALL, *operation.refusals))
    }
    return fine | refused


def _content(reference: str) -> dict[str, Any]:
    return {_JSON: {"schema": {"$ref": reference}}}
