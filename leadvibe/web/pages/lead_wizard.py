"""The import of leads, step by step: templates/imports/wizard.html and a template a step.

Each step is an address of its own: what was said so far is kept with the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leadvibe.web.pages.display import Choice, Fact, Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    label: str
    url: str = ""
    """Empty for one that cannot be gone to from here."""
    is_current: bool = False
    is_done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadStep:
    steps: tuple[Step, ...]
    problem: str = ""
    action_url: str
    max_bytes: int
    max_size: str
    example_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewStep:
    steps: tuple[Step, ...]
    file_name: str
    facts: tuple[Fact, ...]
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    rows_label: str
    next_url: str
    again_url: str
    until: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierColumn:
    name: str
    sample: str
    is_chosen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierStep:
    steps: tuple[Step, ...]
    file_name: str
    columns: tuple[IdentifierColumn, ...]
    kinds: tuple[Choice, ...]
    action_url: str
    back_url: str
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMapping:
    index: int
    name: str
    sample: str
    choices: tuple[Choice, ...]
    property_name: str
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnsStep:
    steps: tuple[Step, ...]
    file_name: str
    identifier: str
    columns: tuple[ColumnMapping, ...]
    known_properties: Sequence[str]
    action_url: str
    back_url: str
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRow:
    row: str
    what: str
    is_new: bool
    identifiers: str
    properties: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRow:
    row: str
    reason: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmStep:
    steps: tuple[Step, ...]
    file_name: str
    figures: tuple[Fact, ...]
    samples: tuple[SampleRow, ...]
    refused: tuple[RefusedRow, ...]
    refused_label: str
    start_label: str
    can_start: bool
    action_url: str
    back_url: str
