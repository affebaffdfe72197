"""The OpenAPI 3.1 document of this API, written from the tables that the routes use."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from leadvibe.dialects.octanist.ad_spend import CSV
from leadvibe.dialects.octanist.auth import HEADER
from leadvibe.dialects.octanist.errors import CHECK_PATH, CODES, OWN_CODES, REFUSED
from leadvibe.dialects.octanist.lead_fields import EXISTS, SORTABLE, Kind
from leadvibe.dialects.octanist.operations import Operation
from leadvibe.dialects.octanist.params import (
    DEFAULT_LIMIT,
    DEFAULT_SORT,
    FILTERS,
    LARGEST_LIMIT,
    LONGEST_SEARCH,
    UPDATED_AFTER,
    Filter,
)
from leadvibe.dialects.octanist.schemas import (
    COMPONENTS,
    SCHEMAS,
    TEXT,
    TIME,
    Schema,
    an_object,
    value_of,
)

_JSON = "application/json"
_ALWAYS_REFUSED = (400, 401, 403, 429, 500)
_DESCRIPTION = """\
Leads, statistics and ad spend for clients of the Octanist API, over the leads of one Leadvibe \
unit. Keys are made under Settings, API credentials, and sent in X-API-KEY.

Filters are combined with AND. Lists end where `meta.pagination.hasMore` is false. Of very long \
texts leads show the beginning: 200 characters of a name, 1,750 bytes of others but `note` and \
`custom`."""
_WORDS = {
    "eq": "Equals.",
    "gte": "Greater than or equal.",
    "gt": "Greater than.",
    "lte": "Less than or equal.",
    "lt": "Less than.",
    EXISTS: "true: has a value; false: has none.",
}


def build(operations: Sequence[Operation], *, version: str, url: str) -> Schema:
    """Return the document as JSON can hold it."""
    models = dict.fromkeys(
        model for it in operations for model in (it.body, it.takes_csv) if model is not None
    )
    _, shared = models_json_schema(
        [(model, "validation") for model in models], ref_template=f"{SCHEMAS}{{model}}"
    )
    paths: dict[str, Schema] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Octanist API", "version": version, "description": _DESCRIPTION},
        "servers": [{"url": url}],
        "paths": paths,
        "components": {
            "schemas": {**shared.get("$defs", {}), **COMPONENTS, "Error": _error()},
            "securitySchemes": {"apiKey": {"type": "apiKey", "in": "header", "name": HEADER}},
        },
    }


def _operation(operation: Operation) -> Schema:
    written: Schema = {
        "operationId": re.sub(r"\W+", "_", operation.title.lower()),
        "summary": operation.title,
        "description": (operation.view.__doc__ or "").strip(),
        "security": [] if operation.is_public else [{"apiKey": []}],
        "responses": dict(_responses(operation)),
    }
    if parameters := list(_parameters(operation)):
        written["parameters"] = parameters
    if content := _content(operation):
        written["requestBody"] = {"required": True, "content": content}
    return written


def _parameters(operation: Operation) -> Iterator[Schema]:
    for name in re.findall(r"{(\w+)}", operation.path):
        yield {"name": name, "in": "path", "required": True, "schema": TEXT}
    if not operation.is_filtered:
        return
    limit = {"type": "integer", "minimum": 1, "maximum": LARGEST_LIMIT, "default": DEFAULT_LIMIT}
    yield _query("limit", "Results per page.", limit)
    yield _query("page", "Page number.", {"type": "integer", "minimum": 1, "default": 1})
    sort = f"field:asc or field:desc, several with commas. Fields: {', '.join(SORTABLE)}."
    yield _query("sort", sort, {**TEXT, "default": DEFAULT_SORT})
    searched = "Text within the name, the e-mail address or the phone number."
    yield _query("search", searched, {**TEXT, "maxLength": LONGEST_SEARCH})
    yield _query("fields", "Fields to return, with commas. The id is always included.", TEXT)
    for each in FILTERS.values():
        yield _query(each.name, _WORDS[each.operator] + _hint(each), _value(each))
    yield _query(UPDATED_AFTER, "The old name of updatedAt[gte].", TIME)


def _query(name: str, description: str, schema: Schema) -> Schema:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _value(wanted: Filter) -> Schema:
    if wanted.operator == EXISTS:
        return {"type": "string", "enum": ["true", "false"]}
    # Several statuses are one text.
    return TEXT if wanted.field.kind is Kind.STATUS else value_of(wanted.field)


def _hint(wanted: Filter) -> str:
    is_status = wanted.field.kind is Kind.STATUS
    choices = ", ".join(value_of(wanted.field)["enum"]) if is_status else ""
    return f" One of {choices}; or several, with commas." if choices else ""


def _content(operation: Operation) -> Schema:
    model = operation.body or operation.takes_csv
    if model is None:
        return {}
    content: Schema = {_JSON: {"schema": _reference(model)}}
    return {**content, CSV: {"schema": TEXT}} if operation.takes_csv else content


def _reference(model: type[BaseModel]) -> Schema:
    return {"$ref": f"{SCHEMAS}{model.__name__}"}


def _responses(operation: Operation) -> Iterator[tuple[str, Schema]]:
    if operation.data is None:
        yield "200", _answer(HTTPStatus.OK, an_object(success={"const": True}))
    else:
        meta = {"$ref": f"{SCHEMAS}{'PagedMeta' if operation.is_paged else 'Meta'}"}
        body = an_object(success={"const": True}, data=dict(operation.data), meta=meta)
        yield "200", _answer(HTTPStatus.OK, body)
    takes_body = operation.body is not None or operation.takes_csv is not None
    others = (413, 415) if takes_body else ()
    for status in sorted({*_ALWAYS_REFUSED, *operation.refusals, *others}):
        yield str(status), _refusal(operation, HTTPStatus(status))


def _refusal(operation: Operation, status: HTTPStatus) -> Schema:
    if operation.path == CHECK_PATH and status is HTTPStatus.UNAUTHORIZED:
        return _answer(status, an_object(error={"const": REFUSED}))
    return _answer(status, {"$ref": f"{SCHEMAS}Error"})


def _answer(status: HTTPStatus, schema: Schema) -> dict[str, Any]:
    return {"description": status.phrase, "content": {_JSON: {"schema": schema}}}


def _error() -> Schema:
    codes = [*CODES.values(), *(it.code for it in OWN_CODES), "INTERNAL_ERROR"]
    error = an_object(
        code={"type": "string", "enum": codes},
        message=TEXT,
        details={"type": "object", "additionalProperties": TEXT},
    )
    return an_object(success={"const": False}, error=error, meta={"$ref": f"{SCHEMAS}Meta"})
