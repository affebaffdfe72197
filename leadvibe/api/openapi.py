"""The OpenAPI 3.1 document, written from the table of operations and the models it names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal, get_args

from pydantic import TypeAdapter

from leadvibe.api.answers import JSON, TOTAL_HEADER
from leadvibe.api.editing import IF_MATCH, Editable
from leadvibe.api.operations import Auth, Operation, path_names
from leadvibe.api.recorded import Recorded, find_recorded
from leadvibe.api.refusals import ERROR_SCHEMA, published_refusals, published_responses
from leadvibe.api.repeats import KEY_HEADER, REPEATED_HEADER

VERSION = "3.1.0"
SCHEMAS = "#/components/schemas/"

_DESCRIPTION = """\
Leadvibe turns what leads do into scores and shows where every point comes from.

Members sign in at `POST /auth/login` and send the token as `Authorization: Bearer`; programs use \
HTTP Basic with a client_id and client_secret of one organisation unit, or act as a member with a \
personal access token (`Authorization: Bearer lv_pat_…`) made at `POST /me/tokens`. Everything \
belongs to the caller's active unit, which `POST /org-units/active` sets; clients never send a \
`unit_id`.

Bodies are JSON in snake_case, times RFC 3339 in UTC, ids opaque strings. Lists come in pages of \
`limit` (50, at most 500), counted from `page` 1. A refused request says why in `error`, for \
programs in `code`, and for each field in `fields`.

What people edit says in `etag` which state it is in. Send that in `If-Match` to change it only if \
nobody else has done so meanwhile.

A request that makes something and carries an `Idempotency-Key` may be sent again when its answer \
was lost.

Where requests are limited (`GET /me/rate-limit`), every answer says in `RateLimit-Limit`, \
`RateLimit-Remaining` and `RateLimit-Reset` how many may be made at once, how many are left and in \
how many seconds all are back; one too many is answered 429 with `Retry-After`."""

_SECURITY: Mapping[Auth, list[dict[str, list[str]]]] = {
    Auth.NONE: [],
    Auth.MEMBER: [{"bearerAuth": []}, {"personalTokenAuth": []}],
    Auth.EITHER: [{"bearerAuth": []}, {"personalTokenAuth": []}, {"basicAuth": []}],
}
_SCHEMES = {
    "bearerAuth": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The access token that `POST /auth/login` answers with.",
    },
    "personalTokenAuth": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "lv_pat_…",
        "description": "A personal access token, which acts as the member who made it.",
    },
    "basicAuth": {
        "type": "http",
        "scheme": "basic",
        "description": "The client_id and client_secret of an API credential.",
    },
}
_PENDING = {
    "description": "It takes longer: this is how far it is, and Location where to follow it.",
    "headers": {"Location": {"schema": {"type": "string"}}},
}
_IF_MATCH = (
    IF_MATCH,
    "Change it only if it is in this state still: its `etag`, in double quotes. Otherwise 412.",
)
_KEY = (
    KEY_HEADER,
    "Within 24 hours, the same request with the same key makes nothing again: same answer.",
)
_SECRET_KEY = (
    KEY_HEADER,
    "Within 24 hours, the same request with the same key makes nothing again: 409, no secret.",
)
_REPEATED = {
    "description": "true for the answer that an earlier request with the same key had.",
    "schema": {"type": "string", "enum": ["true"]},
}
_ETAG = {"description": "The state it is in now, for If-Match.", "schema": {"type": "string"}}
_TOTAL = {"description": "How many there are on all pages.", "schema": {"type": "integer"}}

Schema = dict[str, Any]
Key = tuple[Any, Literal["validation", "serialization"]]


def build(operations: Sequence[Operation], *, version: str, url: str) -> Schema:
    """Return the document as JSON can hold it."""
    schemas, components = _read_models(operations)
    queries = {name: components.pop(name) for name in _query_names(operations)}
    for component in components.values():
        _drop_titles(component)
    paths: dict[str, Schema] = {}
    for operation in operations:
        for method, path in operation.addresses():
            written = _operation(operation, method, path, schemas, queries)
            paths.setdefault(path, {})[method.lower()] = written
    return {
        "openapi": VERSION,
        "info": {"title": "Leadvibe API", "version": version, "description": _DESCRIPTION},
        "servers": [{"url": url}],
        "tags": [{"name": name} for name in dict.fromkeys(it.tag for it in operations)],
        "paths": paths,
        "components": {
            "schemas": {"Error": ERROR_SCHEMA, **components},
            "responses": published_responses(),
            "securitySchemes": _SCHEMES,
        },
    }


def _read_models(operations: Iterable[Operation]) -> tuple[dict[Key, Schema], dict[str, Schema]]:
    """Return each model's schema by itself, and the named parts that they refer to."""
    keys: dict[Key, TypeAdapter[Any]] = {}
    for operation in operations:
        wanted = operation.interface
        for model in (wanted.body, wanted.query):
            if model is not None:
                keys[model, "validation"] = TypeAdapter(model)
        if wanted.reply is not None:
            keys[wanted.reply, "serialization"] = TypeAdapter(wanted.reply)
    inputs = [(model, mode, adapter) for (model, mode), adapter in keys.items()]
    schemas, shared = TypeAdapter.json_schemas(inputs, ref_template=f"{SCHEMAS}{{model}}")
    return schemas, shared.get("$defs", {})


def _query_names(operations: Iterable[Operation]) -> set[str]:
    return {it.interface.query.__name__ for it in operations if it.interface.query}


def _operation(
    operation: Operation,
    method: str,
    path: str,
    schemas: Mapping[Key, Schema],
    queries: Mapping[str, Schema],
) -> Schema:
    recorded = find_recorded(operation) or Recorded()
    written: Schema = {
        "operationId": _operation_id(method, path),
        "tags": [operation.tag],
        "summary": operation.title,
        "description": (operation.view.__doc__ or "").strip(),
        "security": _SECURITY[operation.auth],
        "responses": {
            **_successes(operation, schemas, recorded),
            **published_refusals(operation),
        },
    }
    parameters = [
        *_path(operation, path, recorded),
        *_query(operation, queries, recorded),
        *_headers(operation),
    ]
    if parameters:
        written["parameters"] = parameters
    if body := _body(operation, schemas, recorded):
        written["requestBody"] = body
    return written


def _operation_id(method: str, path: str) -> str:
    return f"{method.lower()}{re.sub(r'[^A-Za-z0-9]+', '_', path)}".rstrip("_")


def _path(operation: Operation, path: str, recorded: Recorded) -> Iterator[Schema]:
    examples = dict(zip(path_names(path), recorded.path.values(), strict=False))
    for name, annotation in zip(path_names(path), operation.interface.path, strict=True):
        kind = (get_args(annotation) or (annotation,))[0]
        schema = TypeAdapter(kind).json_schema()
        written = {"name": name, "in": "path", "required": True, "schema": schema}
        yield written | ({"example": examples[name]} if name in examples else {})


def _query(
    operation: Operation, queries: Mapping[str, Schema], recorded: Recorded
) -> Iterator[Schema]:
    model = operation.interface.query
    if model is None:
        return
    schema = queries[model.__name__]
    for name, field in schema["properties"].items():
        written = {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": field.get("description", ""),
            "schema": _without_null(field),
        }
        yield written | ({"example": recorded.query[name]} if name in recorded.query else {})


def _without_null(field: Schema) -> Schema:
    """Return what may be given in a query string, where what is null is left out."""
    schema = {key: value for key, value in field.items() if key not in {"description", "title"}}
    if "default" in schema and schema["default"] is None:
        del schema["default"]
    choices = [each for each in schema.pop("anyOf", ()) if each != {"type": "null"}]
    if len(choices) == 1:
        return {**choices[0], **schema}
    return {**schema, "anyOf": choices} if choices else schema


def _drop_titles(schema: Schema) -> None:
    """Take away the titles of fields, which repeat their names."""
    for field in schema.get("properties", {}).values():
        field.pop("title", None)


def _headers(operation: Operation) -> Iterator[Schema]:
    heeded = list(operation.headers)
    if operation.edits:
        heeded.append(_IF_MATCH)
    if operation.heeds_key:
        heeded.append(_SECRET_KEY if operation.shows_secret else _KEY)
    for name, description in heeded:
        schema = {"type": "string"}
        yield {"name": name, "in": "header", "description": description, "schema": schema}


def _body(operation: Operation, schemas: Mapping[Key, Schema], recorded: Recorded) -> Schema | None:
    if operation.uploads:
        file = {"type": "string", "format": "binary"}
        fields = {"type": "object", "properties": {operation.uploads: file}}
        required = {**fields, "required": [operation.uploads]}
        return {"required": True, "content": {"multipart/form-data": {"schema": required}}}
    model = operation.interface.body
    if model is None:
        return None
    is_required = any(field.is_required() for field in model.model_fields.values())
    content = {"schema": schemas[model, "validation"]}
    if recorded.body is not None:
        content["example"] = recorded.body
    return {"required": is_required, "content": {JSON: content}}


def _successes(operation: Operation, schemas: Mapping[Key, Schema], recorded: Recorded) -> Schema:
    success = _success(operation, schemas, recorded)
    responses: Schema = {str(operation.success): success}
    if operation.interface.may_be_pending:
        responses[str(HTTPStatus.ACCEPTED.value)] = {**success, **_PENDING}
    return responses


def _success(operation: Operation, schemas: Mapping[Key, Schema], recorded: Recorded) -> Schema:
    response: Schema = {"description": HTTPStatus(operation.success).phrase}
    if headers := _answer_headers(operation):
        response["headers"] = headers
    if operation.interface.reply is not None:
        content = {"schema": schemas[operation.interface.reply, "serialization"]}
        response["content"] = {JSON: content}
    elif operation.media_type:
        kind = "object" if operation.media_type == JSON else "string"
        content = {"schema": {"type": kind}}
        response["content"] = {operation.media_type: content}
    else:
        return response
    if recorded.answer is not None or operation.interface.reply is not None:
        content["example"] = recorded.answer
    return response


def _answer_headers(operation: Operation) -> Schema:
    headers: Schema = {}
    if operation.interface.is_counted:
        headers[TOTAL_HEADER] = _TOTAL
    if _says_its_state(operation):
        headers["ETag"] = _ETAG
    if operation.heeds_key and not operation.shows_secret:
        headers[REPEATED_HEADER] = _REPEATED
    return headers


def _says_its_state(operation: Operation) -> bool:
    reply = operation.interface.reply
    if reply is None:
        return operation.edits is not None and operation.method == "PUT"
    return isinstance(reply, type) and issubclass(reply, Editable)
