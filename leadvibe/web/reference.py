"""From the published OpenAPI document to what the pages of the reference show.

Reads the document alone, as any client would: what it does not say, the reference does not know.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

from leadvibe.web.pages.docs import Answer, Field, Operation, Reference, Section

DOCS = "/docs"
Schema = Mapping[str, Any]

DEEPEST = 4
"""How far fields inside fields are listed; beyond, the example has to do."""

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_CALLERS = {
    (): "Anybody",
    ("bearerAuth", "personalTokenAuth"): "Members",
    ("bearerAuth", "personalTokenAuth", "basicAuth"): "Members and API credentials",
}
_MEMBER = '-H "Authorization: Bearer $TOKEN"'
_CREDENTIAL = '-u "$CLIENT_ID:$CLIENT_SECRET"'
_FORMATS = {"uuid": "id", "date-time": "date and time", "binary": "file"}
_SIZES = (
    ("minimum", "at least {}"),
    ("maximum", "at most {}"),
    ("minLength", "at least {} characters"),
    ("maxLength", "at most {} characters"),
    ("minItems", "at least {}"),
    ("maxItems", "at most {}"),
)
_TRIVIAL = {("minLength", 1), ("minimum", -2147483647), ("maximum", 2147483647)}


def read_reference(document: Mapping[str, Any]) -> Reference:
    """Arrange a whole document."""
    reader = _Reader(document)
    info = document["info"]
    return Reference(
        title=info["title"],
        version=info["version"],
        introduction=[part.replace("\n", " ") for part in info["description"].split("\n\n")],
        base_url=reader.base_url,
        schemes=[
            Field(name=name, kind=_scheme_kind(scheme), description=scheme["description"])
            for name, scheme in document["components"]["securitySchemes"].items()
        ],
        refusals=reader.all_refusals(),
        sections=[reader.section(tag["name"]) for tag in document["tags"]],
    )


def slug_of(tag: str) -> str:
    """Return a tag as addresses write it."""
    return _CAMEL.sub("-", tag).lower()


class _Reader:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._components = document["components"]
        self.base_url: str = document["servers"][0]["url"]

    def section(self, tag: str) -> Section:
        url = f"{DOCS}/{slug_of(tag)}"
        operations = [
            self._operation(method.upper(), path, written, url)
            for path, methods in self._document["paths"].items()
            for method, written in methods.items()
            if tag in written["tags"]
        ]
        return Section(name=_CAMEL.sub(" ", tag), slug=slug_of(tag), url=url, operations=operations)

    def all_refusals(self) -> list[Answer]:
        """Return each way to be refused once, by its status."""
        found: dict[str, Answer] = {}
        for methods in self._document["paths"].values():
            for written in methods.values():
                found |= {it.status: it for it in self._answers(written, is_refusal=True)}
        return [found[status] for status in sorted(found)]

    def _operation(self, method: str, path: str, written: Schema, url: str) -> Operation:
        body = written.get("requestBody", {})
        [(media_type, media)] = body.get("content", {"": {}}).items()
        schema = media.get("schema", {})
        callers = tuple(name for each in written["security"] for name in each)
        name = written["operationId"]
        return Operation(
            id=name,
            method=method,
            path=path,
            title=written["summary"],
            description=written["description"],
            callers=_CALLERS[callers],
            parameters=[self._parameter(each) for each in written.get("parameters", ())],
            body_kind=self._kind(schema) if schema else "",
            body=list(self._fields(schema)),
            answers=list(self._answers(written, is_refusal=False)),
            refusals=list(self._answers(written, is_refusal=True)),
            curl=self._curl(method, path, written, media_type, media),
            url=f"{url}#{name}",
        )

    def _parameter(self, parameter: Schema) -> Field:
        where = "" if parameter["in"] == "query" else f", in the {parameter['in']}"
        return Field(
            name=parameter["name"],
            kind=self._kind(parameter["schema"]) + where,
            description=_sentence(parameter.get("description", ""), parameter["schema"]),
            is_required=parameter.get("required", False),
        )

    def _answers(self, written: Schema, *, is_refusal: bool) -> Iterator[Answer]:
        for status, response in written["responses"].items():
            if (status >= "4") is is_refusal:
                yield self._answer(status, self._resolved(response))

    def _answer(self, status: str, response: Schema) -> Answer:
        for media_type, media in response.get("content", {}).items():
            schema = media["schema"]
            is_json = media_type == "application/json"
            return Answer(
                status=status,
                meaning=response["description"],
                kind=self._kind(schema) if is_json else media_type,
                fields=[replace(it, is_required=False) for it in self._fields(schema)],
                example=_example(media),
            )
        return Answer(status=status, meaning=response["description"])

    def _fields(self, schema: Schema, prefix: str = "", depth: int = 0) -> Iterator[Field]:
        """Yield the fields of an object, or of the objects in a list, each before those in it."""
        if depth >= DEEPEST:
            return
        for shape, inside in self._objects(schema, prefix):
            required = shape.get("required", ())
            for name, field in shape.get("properties", {}).items():
                yield Field(
                    name=f"{inside}{name}",
                    kind=self._kind(field),
                    description=_sentence(
                        field.get("description", ""), field, is_deprecated=field.get("deprecated")
                    ),
                    is_required=name in required,
                )
                yield from self._fields(field, f"{inside}{name}", depth + 1)

    def _objects(self, schema: Schema, prefix: str) -> Iterator[tuple[Schema, str]]:
        """Yield what objects a value may be or hold, with what stands before names of fields."""
        shape = self._resolved(schema)
        if "items" in shape:
            yield from self._objects(shape["items"], f"{prefix}[]")
            return
        for choice in shape.get("anyOf", ()):
            yield from self._objects(choice, prefix)
        if "properties" in shape:
            yield shape, f"{prefix}." if prefix else ""

    def _kind(self, schema: Schema) -> str:
        shape = self._resolved(schema)
        choices = shape.get("anyOf") or shape.get("oneOf")
        if choices:
            return " or ".join(dict.fromkeys(self._kind(each) for each in choices))
        if "const" in shape:
            return json.dumps(shape["const"])
        if "enum" in shape:
            return "one of " + ", ".join(str(each) for each in shape["enum"])
        kind = shape.get("type", "anything")
        if kind == "array":
            return f"list of {self._kind(shape.get('items', {}))}"
        values = shape.get("additionalProperties")
        if kind == "object" and isinstance(values, Mapping) and values:
            return f"object of {self._kind(values)}"
        name = "text" if kind == "string" else kind
        return _FORMATS.get(shape.get("format", ""), name) + _sizes(shape)

    def _resolved(self, schema: Schema) -> Schema:
        reference = schema.get("$ref")
        if reference is None:
            return schema
        _, _, kind, name = reference.split("/")
        found: Schema = self._components[kind][name]
        return found

    def _curl(self, method: str, path: str, written: Schema, media_type: str, media: Schema) -> str:
        """Write a command that can be pasted, with the example's values."""
        lines = ["curl" if method == "GET" else f"curl -X {method}"]
        schemes = [name for each in written["security"] for name in each]
        if schemes:
            lines.append(_CREDENTIAL if "basicAuth" in schemes else _MEMBER)
        if media_type == "application/json":
            lines.append("-H 'Content-Type: application/json'")
            lines.append(f"-d {shlex.quote(_written(media.get('example', {})))}")
        elif media_type:
            [file] = media["schema"]["properties"]
            lines.append(f"-F {file}=@file.csv")
        lines.append(shlex.quote(self._address(path, written.get("parameters", ()))))
        return " \\\n  ".join(lines)

    def _address(self, path: str, parameters: Sequence[Schema]) -> str:
        examples = {it["name"]: it["example"] for it in parameters if "example" in it}
        for name, value in examples.items():
            path = path.replace(f"{{{name}}}", quote(str(value)))
        asked = {
            it["name"]: it["example"]
            for it in parameters
            if it["in"] == "query" and "example" in it
        }
        query = f"?{urlencode(asked)}" if asked else ""
        return f"{self.base_url}{path}{query}"


def _example(media: Schema) -> str:
    if "example" not in media:
        return ""
    example = media["example"]
    if isinstance(example, str) and media["schema"].get("type") == "string":
        return example.replace("\r\n", "\n").rstrip()
    return _written(example)


def _written(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _sizes(shape: Schema) -> str:
    said = [
        words.format(f"{shape[name]:,}")
        for name, words in _SIZES
        if name in shape and (name, shape[name]) not in _TRIVIAL
    ]
    return f", {', '.join(said)}" if said else ""


def _sentence(description: str, schema: Schema, *, is_deprecated: object = False) -> str:
    parts: Iterable[str] = (
        "Deprecated." if is_deprecated else "",
        description.replace("\n", " "),
        f"Default: {json.dumps(schema['default'])}." if _has_default(schema) else "",
    )
    return " ".join(part for part in parts if part)


def _has_default(schema: Schema) -> bool:
    return schema.get("default") not in (None, [], {}, "")


def _scheme_kind(scheme: Schema) -> str:
    if scheme["scheme"] == "basic":
        return 'curl -u "$CLIENT_ID:$CLIENT_SECRET"'
    return f"Authorization: Bearer {scheme['bearerFormat']}"
