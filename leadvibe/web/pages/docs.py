"""The API reference as its pages show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A parameter, or a field of a body: nested ones have the names of those around them."""

    name: str
    kind: str
    """Its type in words."""
    description: str = ""
    is_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What comes back with a status."""

    status: str
    meaning: str
    kind: str = ""
    """What the body is, in words; empty when there is none."""
    fields: Sequence[Field] = ()
    example: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation with all there is to say about it; `id` is its anchor."""

    id: str
    method: str
    path: str
    title: str
    description: str
    callers: str
    parameters: Sequence[Field]
    body_kind: str
    body: Sequence[Field]
    answers: Sequence[Answer]
    refusals: Sequence[Answer]
    curl: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The operations of one tag."""

    name: str
    slug: str
    url: str
    operations: Sequence[Operation]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """All of it."""

    title: str
    version: str
    introduction: Sequence[str]
    base_url: str
    schemes: Sequence[Field]
    refusals: Sequence[Answer]
    sections: Sequence[Section]
    document_url: str = "/openapi.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocsPage:
    """One page of the reference: a section, or the overview when there is none."""

    reference: Reference
    section: Section | None = None
