"""Tables of imports: the uploaded file in pieces, its progress, and the rows that failed."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from leadvibe.lib.db import Base


class ImportRow(Base):
    """One file. `bytes_read` is the checkpoint: it moves with the rows, in one transaction."""

    __tablename__ = "imports"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'running', 'finished', 'failed')", name="state"),
        Index("ix_imports_created_at", "unit_id", text("created_at DESC")),
    )

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    filename: Mapped[str]
    state: Mapped[str]
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
