"""Imports as other packages see them: the file, how far it has come, and the rows that failed.

And the sample data, which a worker loads as it reads a file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from leadvibe.leads.types import AliasKind

IDENTITY_COLUMNS = ("lead_id", *(str(kind) for kind in AliasKind))
"""A row needs a value in at least one of these."""

COLUMNS = frozenset({"event_type", "timestamp", "metadata", "message_id", *IDENTITY_COLUMNS})

_OTHER_NAMES = {"event_id": "message_id", "e_mail": "email"}
_GAPS = re.compile(r"[\s-]+")

KEEP_UNDO = timedelta(days=90)
"""How long after its end an import can be undone: what it changed is kept for as long."""


class FileKind(StrEnum):
    EVENTS = "events"
    LEADS = "leads"


class ImportState(StrEnum):
    """`finished` means that every row is accepted or failed, not yet that all are scored."""

    UPLOADED = "uploaded"
    """A file of leads of which nobody has said yet what its columns mean."""
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"


class ImportStage(StrEnum):
    """What is going on with an import, for somebody who waits for it."""

    QUEUED = "queued"
    READING = "reading"
    SCORING = "scoring"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a CSV file is written: all that reading its rows needs to know.

    `header` holds the column names as they stand in the file.
    """

    encoding: str
    delimiter: str
    header: tuple[str, ...]

    @property
    def columns(self) -> dict[str, int]:
        """Where each column that means something stands, the first counting from 0."""
        named = ((column_of(name), index) for index, name in enumerate(self.header))
        return {column: index for column, index in named if column is not None}

    @property
    def ignored_columns(self) -> tuple[str, ...]:
        """Columns of the file that mean nothing to an import, as the file writes them."""
        return tuple(name for name in self.header if name.strip() and column_of(name) is None)


def column_of(name: str) -> str | None:
    """Return the column that a header cell means: ` Event Type` is event_type, too."""
    folded = _GAPS.sub("_", name.strip().lower())
    column = _OTHER_NAMES.get(folded, folded)
    return column if column in COLUMNS else None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadPlan:
    """What the columns of a file of leads mean, by their names in its header.

    A row is about the lead that the primary column names. Other columns hold `properties` of it,
    further `aliases`, or in `owner_column` the member who looks after it; the rest mean nothing.
    """

    primary_column: str
    primary_kind: AliasKind
    properties: Mapping[str, str]
    aliases: Mapping[str, AliasKind]
    owner_column: str | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> LeadPlan:
        """Read what to_json wrote."""
        return cls(
            primary_column=data["primary_column"],
            primary_kind=AliasKind(data["primary_kind"]),
            properties=data["properties"],
            aliases={column: AliasKind(kind) for column, kind in data["aliases"].items()},
            owner_column=data.get("owner_column"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One uploaded file. `bytes_read` and `last_row` are where reading goes on.

    Of the accepted rows of a file of leads, `rows_created` made a new one.
    """

    import_id: UUID
    unit_id: UUID
    org_id: UUID
    kind: FileKind
    filename: str
    state: ImportState
    plan: LeadPlan | None
    layout: Layout
    size_bytes: int
    bytes_read: int
    last_row: int
    rows_read: int
    rows_accepted: int
    rows_failed: int
    rows_created: int
    skip_triggers: bool
    attempts: int
    error: str | None
    created_at: datetime
    created_by: str
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def undoable_until(self) -> datetime | None:
        """When what it changed is forgotten; None while its file is being read."""
        return self.finished_at + KEEP_UNDO if self.finished_at else None

    @property
    def percent_read(self) -> int:
        """How much of the file is read; 100 is only ever said of all of it."""
        if self.state is ImportState.FINISHED:
            return 100
        return min(99, 100 * self.bytes_read // self.size_bytes) if self.size_bytes else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportProgress:
    """An import with what the pipeline has made of its rows so far, as of a moment.

    `unscored` rows are among the dead letters: accepted, but the pipeline could not process them.
    """

    file: Import
    scored: int
    duplicates: int
    unscored: int
    scored_at: datetime | None
    as_of: datetime

    @property
    def read(self) -> int:
        return self.file.rows_read

    @property
    def accepted(self) -> int:
        return self.file.rows_accepted

    @property
    def failed(self) -> int:
        return self.file.rows_failed

    @property
    def handled(self) -> int:
        """Rows the pipeline is done with. A dead letter that was retried counts once."""
        if self.file.kind is FileKind.LEADS:
            return self.accepted  # described and scored as they are written
        return min(self.scored + self.duplicates + self.unscored, self.accepted)

    @property
    def stage(self) -> ImportStage:
        if self.file.state is not ImportState.FINISHED:
            return _STAGES[self.file.state]
        return ImportStage.FINISHED if self.handled >= self.accepted else ImportStage.SCORING

    @property
    def is_complete(self) -> bool:
        """Nothing more will happen: all rows are scored, or the file was given up."""
        return self.stage in {ImportStage.FINISHED, ImportStage.FAILED}

    @property
    def completed_at(self) -> datetime | None:
        if not self.is_complete or self.file.finished_at is None:
            return None
        return max(self.file.finished_at, self.scored_at or self.file.finished_at)

    @property
    def percent(self) -> int:
        """Reading and scoring together: 100 is only ever said of a complete import."""
        if self.stage is ImportStage.FINISHED:
            return 100
        return min(99, int(100 * self._share_done))

    @property
    def elapsed_seconds(self) -> float:
        if self.file.started_at is None:
            return 0.0
        until = self.completed_at or self.as_of
        return max(0.0, (until - self.file.started_at).total_seconds())

    @property
    def rows_per_second(self) -> float | None:
        """From the upload's first row to its last score, on average."""
        done = self.handled + self.failed
        return done / self.elapsed_seconds if done and self.elapsed_seconds else None

    @property
    def seconds_left(self) -> float | None:
        """A guess from the pace so far; None before there is one."""
        share = self._share_done
        has_begun = self.accepted + self.failed > 0
        if self.is_complete or not has_begun or not share or not self.elapsed_seconds:
            return None
        return self.elapsed_seconds * (1 - share) / share

    @property
    def _share_done(self) -> float:
        if not self.file.size_bytes:
            return 0.0
        share_read = self.file.bytes_read / self.file.size_bytes
        return share_read * self.handled / self.accepted if self.accepted else share_read


_STAGES = {
    ImportState.UPLOADED: ImportStage.QUEUED,
    ImportState.QUEUED: ImportStage.QUEUED,
    ImportState.RUNNING: ImportStage.READING,
    ImportState.FAILED: ImportStage.FAILED,
}


@dataclass(frozen=True, slots=True)
class RowError:
    """A row that was not imported. `row_number` counts as a spreadsheet does: the header is 1."""

    row_number: int
    reason: str
    row: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What became of a batch of rows. `errors` are those that were refused while writing."""

    accepted: int
    created: int = 0
    errors: tuple[RowError, ...] = ()


class UndoState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What undoing an import takes away and puts back, or has so far.

    `events` are gone or never scored; of leads that stay, `leads_rescored` lose events,
    `properties_kept` were changed again since, and `identifiers_kept` may have been used since.
    """

    events: int = 0
    leads_removed: int = 0
    leads_rescored: int = 0
    properties_restored: int = 0
    properties_kept: int = 0
    owners_restored: int = 0
    identifiers_removed: int = 0
    identifiers_kept: int = 0
    visitors_separated: int = 0

    @property
    def is_nothing(self) -> bool:
        return self == Effect()

    def plus(self, other: Effect) -> Effect:
        pairs = asdict(other)
        return Effect(**{name: count + pairs[name] for name, count in asdict(self).items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """How far the undoing of an import is, of `total` leads; `effect` is what it has done."""

    import_id: UUID
    unit_id: UUID
    org_id: UUID
    state: UndoState
    total: int
    left: int
    effect: Effect
    attempts: int
    error: str | None
    asked_at: datetime
    asked_by: str
    finished_at: datetime | None

    @property
    def is_over(self) -> bool:
        return self.state in {UndoState.FINISHED, UndoState.FAILED}

    @property
    def percent(self) -> int:
        """How much is done; 100 is only ever said of all of it."""
        if self.state is UndoState.FINISHED:
            return 100
        return min(99, 100 * (self.total - self.left) // self.total) if self.total else 0


class SampleState(StrEnum):
    """`loaded` means that its leads and events are in, not yet that all are scored."""

    QUEUED = "queued"
    LOADED = "loaded"
    FAILED = "failed"


class SampleStage(StrEnum):
    """What is going on with the sample data, for somebody who waits for it."""

    QUEUED = "queued"
    LOADING = "loading"
    SCORING = "scoring"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleLoad:
    """The sample data that somebody asked for in a unit, as of a moment.

    `leads`, `events` and `rules` are zero until they are in; `handled` events have been scored, or
    could not be.
    """

    load_id: UUID
    unit_id: UUID
    org_id: UUID
    state: SampleState
    leads: int
    events: int
    rules: int
    handled: int
    error: str | None
    created_at: datetime
    created_by: str
    started_at: datetime | None

    @property
    def stage(self) -> SampleStage:
        if self.state is SampleState.FAILED:
            return SampleStage.FAILED
        if self.state is SampleState.LOADED:
            is_scored = self.handled >= self.events
            return SampleStage.FINISHED if is_scored else SampleStage.SCORING
        return SampleStage.LOADING if self.started_at else SampleStage.QUEUED

    @property
    def is_complete(self) -> bool:
        """Nothing more will happen until somebody asks again."""
        return self.stage in {SampleStage.FINISHED, SampleStage.FAILED}

    @property
    def percent(self) -> int | None:
        """How much is scored; None while there is nothing to score yet."""
        if self.state is not SampleState.LOADED:
            return None
        return 100 * min(self.handled, self.events) // self.events if self.events else 100
