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
    "bearerAuth": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "personalTokenAuth": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "lv_pat_…",
        "description": "a personal access token: acts as the member, with the member's roles",
    },
    "basicAuth": {
        "type": "http",
        "scheme": "basic",
        "description": "client_id and client_secret of an API credential",
    },
}
_ERROR_SCHEMA = {
    "type": "object",
    "title": "Error",
    "description": "Why a request was refused. `fields` says what is wrong with each.",
    "required": ["error", "code", "request_id"],
    "properties": {
        "error": {"type": "string", "description": "What is wrong and what to do about it."},
        "code": {"type": "string", "description": "The same for programs."},
        "fields": {"type": "object", "additionalProperties": {"type": "string"}},
        "request_id": {"type": "string", "description": "What to quote when asking for help."},
    },
}
_ERROR_RESPONSE = {
    "description": "The request was refused, or failed.",
    "content": {"application/json": {"schema": {"$ref": f"{SCHEMAS}Error"}}},
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
            "schemas": {"Error": _ERROR_SCHEMA, **components},
            "responses": {"Error": _ERROR_RESPONSE},
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
    written: Schema = {
        "operationId": _operation_id(method, path),
        "tags": [operation.tag],
        "summary": operation.title,
        "description": (operation.view.__doc__ or "").strip(),
        "security": _SECURITY[operation.auth],
        "responses": {
            **_successes(operation, schemas),
            "4XX": {"$ref": "#/components/responses/Error"},
            "5XX": {"$ref": "#/components/responses/Error"},
        },
    }
    if parameters := [*_path(operation, path), *_query(operation, queries), *_headers(operation)]:
        written["parameters"] = parameters
    if body := _body(operation, schemas):
        written["requestBody"] = body
    return written


def _operation_id(method: str, path: str) -> str:
    return f"{method.lower()}{re.sub(r'[^A-Za-z0-9]+', '_', path)}".rstrip("_")


def _path(operation: Operation, path: str) -> Iterator[Schema]:
    for name, annotation in zip(path_names(path), operation.interface.path, strict=True):
        kind = (get_args(annotation) or (annotation,))[0]
        schema = TypeAdapter(kind).json_schema()
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _query(operation: Operation, queries: Mapping[str, Schema]) -> Iterator[Schema]:
    model = operation.interface.query
    if model is None:
        return
    schema = queries[model.__name__]
    for name, field in schema["properties"].items():
        described = {key: value for key, value in field.items() if key != "description"}
        yield {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": field.get("description", ""),
            "schema": described,
        }


def _headers(operation: Operation) -> Iterator[Schema]:
    heeded = list(operation.headers)
    if operation.edits:
        heeded.append(_IF_MATCH)
    if operation.heeds_key:
        heeded.append(_SECRET_KEY if operation.shows_secret else _KEY)
    for name, description in heeded:
        schema = {"type": "string"}
        yield {"name": name, "in": "header", "description": description, "schema": schema}


def _body(operation: Operation, schemas: Mapping[Key, Schema]) -> Schema | None:
    if operation.uploads:
        file = {"type": "string", "format": "binary"}
        fields = {"type": "object", "properties": {operation.uploads: file}}
        required = {**fields, "required": [operation.uploads]}
        return {"required": True, "content": {"multipart/form-data": {"schema": required}}}
    model = operation.interface.body
    if model is None:
        return None
    is_required = any(field.is_required() for field in model.model_fields.values())
    content = {"application/json": {"schema": schemas[model, "validation"]}}
    return {"required": is_required, "content": content}


def _successes(operation: Operation, schemas: Mapping[Key, Schema]) -> Schema:
    success = _success(operation, schemas)
    responses: Schema = {str(operation.success): success}
    if operation.interface.may_be_pending:
        responses[str(HTTPStatus.ACCEPTED.value)] = {**success, **_PENDING}
    return responses


def _success(operation: Operation, schemas: Mapping[Key, Schema]) -> Schema:
    response: Schema = {"description": HTTPStatus(operation.success).phrase}
    if headers := _answer_headers(operation):
        response["headers"] = headers
    if operation.interface.reply is not None:
        schema = schemas[operation.interface.reply, "serialization"]
        response["content"] = {JSON: {"schema": schema}}
    elif operation.media_type:
        kind = "object" if operation.media_type == JSON else "string"
        response["content"] = {operation.media_type: {"schema": {"type": kind}}}
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
