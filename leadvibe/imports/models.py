"""Tables of imports: an uploaded file in pieces, its progress and the rows that failed; samples."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from leadvibe.lib.db import Base


class ImportRow(Base):
    """One file. `bytes_read` is the checkpoint: it moves with the rows, in one transaction.

    A file of leads waits as `uploaded` until somebody says what its columns mean, in `plan`.
    """

    __tablename__ = "imports"
    __table_args__ = (
        CheckConstraint("kind IN ('events', 'leads')", name="kind"),
        CheckConstraint(
            "state IN ('uploaded', 'queued', 'running', 'finished', 'failed')", name="state"
        ),
        Index("ix_imports_created_at", "unit_id", text("created_at DESC")),
    )

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(server_default=text("'events'"))
    filename: Mapped[str]
    state: Mapped[str]
    plan: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB(none_as_null=True), comment="what the columns of a file of leads mean"
    )
    encoding: Mapped[str]
    delimiter: Mapped[str]
    header: Mapped[list[Any]] = mapped_column(comment="the column names as the file writes them")
    size_bytes: Mapped[int] = mapped_column(BigInteger, comment="of the file as text, unpacked")
    bytes_read: Mapped[int] = mapped_column(
        BigInteger, server_default=text("0"), comment="where the next row begins"
    )
    last_row: Mapped[int] = mapped_column(
        server_default=text("1"), comment="number of the row before it; the header is 1"
    )
    rows_read: Mapped[int] = mapped_column(server_default=text("0"))
    rows_accepted: Mapped[int] = mapped_column(server_default=text("0"))
    rows_failed: Mapped[int] = mapped_column(server_default=text("0"))
    rows_created: Mapped[int] = mapped_column(
        server_default=text("0"), comment="accepted rows that made a new lead"
    )
    skip_triggers: Mapped[bool] = mapped_column(server_default=text("false"))
    attempts: Mapped[int] = mapped_column(
        server_default=text("0"), comment="starts since a row was last read"
    )
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    started_at: Mapped[datetime | None]
    beat_at: Mapped[datetime | None] = mapped_column(
        comment="the last sign of life of its worker; null while it has none"
    )
    finished_at: Mapped[datetime | None]


class ImportChunkRow(Base):
    """A compressed piece of the uploaded file: the database is the only copy that must last."""

    __tablename__ = "import_chunks"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class ImportErrorRow(Base):
    __tablename__ = "import_errors"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    row_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    reason: Mapped[str]
    row: Mapped[str] = mapped_column(comment="the row as it stood in the file, cut when long")


class ImportChangeRow(Base):
    """What an import of leads has changed of one of them: what to put back when it is undone.

    `before` holds for each property the value and the trace that it had, null for none; `after` the
    instant at which the import set it. `owner_before` and `owner_after` are members.
    """

    __tablename__ = "import_changes"
    __table_args__ = (Index("ix_import_changes_lead", "unit_id", "lead_id"),)

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    owner_before: Mapped[UUID | None]
    owner_after: Mapped[UUID | None]


class ImportUndoRow(Base):
    """The wish that an import be undone, and how far that is; kept as long as the import."""

    __tablename__ = "import_undos"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'running', 'finished', 'failed')", name="state"),
        Index(
            "ix_import_undos_unfinished", "asked_at",
            postgresql_where=text("state IN ('queued', 'running')"),
        ),
    )  # fmt: skip

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    state: Mapped[str]
    total: Mapped[int] = mapped_column(server_default=text("0"), comment="leads to go over")
    counts: Mapped[dict[str, Any]] = mapped_column(comment="what is gone or put back so far")
    attempts: Mapped[int] = mapped_column(
        server_default=text("0"), comment="starts since it last got on"
    )
    error: Mapped[str | None]
    asked_at: Mapped[datetime]
    asked_by: Mapped[str]
    beat_at: Mapped[datetime | None] = mapped_column(
        comment="the last sign of life of its worker; null while it has none"
    )
    finished_at: Mapped[datetime | None]


class ImportUndoLeadRow(Base):
    """A lead that the undoing of an import has still to go over."""

    __tablename__ = "import_undo_leads"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)


class SampleLoadRow(Base):
    """The sample data that somebody asked for in a unit; it goes when that is wiped.

    Loading is one transaction, so `queued` with a start means: under way, or begun and lost.
    """

    __tablename__ = "sample_loads"
    __table_args__ = (CheckConstraint("state IN ('queued', 'loaded', 'failed')", name="state"),)

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    load_id: Mapped[UUID]
    org_id: Mapped[UUID]
    state: Mapped[str]
    leads: Mapped[int] = mapped_column(server_default=text("0"))
    events: Mapped[int] = mapped_column(server_default=text("0"))
    rules: Mapped[int] = mapped_column(server_default=text("0"))
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    started_at: Mapped[datetime | None] = mapped_column(comment="of the latest attempt")
    loaded_at: Mapped[datetime | None]


class BackfillRow(Base):
    """Going over everything in a unit once. `phase` and `after` are where it goes on."""

    __tablename__ = "backfills"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('accounts', 'event_accounts', 'profile_mappings')", name="kind"
        ),
        CheckConstraint(
            "state IN ('queued', 'running', 'finished', 'failed', 'cancelled')", name="state"
        ),
        Index(
            "uq_backfills_unfinished", "unit_id", "kind", unique=True,
            postgresql_where=text("state IN ('queued', 'running')"),
        ),
    )  # fmt: skip

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    backfill_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    kind: Mapped[str]
    state: Mapped[str]
    phase: Mapped[str]
    after: Mapped[str] = mapped_column(Text(collation="C"), comment="the last one that is done")
    total: Mapped[int] = mapped_column(
        server_default=text("0"), comment="leads and accounts to go over"
    )
    done: Mapped[int] = mapped_column(server_default=text("0"))
    counts: Mapped[dict[str, Any]]
    attempts: Mapped[int] = mapped_column(
        server_default=text("0"), comment="starts since it last got on"
    )
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    started_at: Mapped[datetime | None]
    beat_at: Mapped[datetime | None] = mapped_column(
        comment="the last sign of life of its worker; null while it has none"
    )
    finished_at: Mapped[datetime | None]
