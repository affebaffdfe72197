"""What members write about a lead. Everybody in the unit reads it; its author changes it.

A note goes along when its lead is merged, and back when the merge is undone (leads.merging).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from leadvibe.identity.types import Member, Scope
from leadvibe.leads import queries
from leadvibe.leads.errors import NoteChangedError, NoteNotFoundError, NotYourNoteError
from leadvibe.leads.service import lock_identities
from leadvibe.lib.db import driver
from leadvibe.lib.ids import new_id

LONGEST_NOTE = 10_000
"""Characters: more is a document, and belongs where documents are kept."""

_COLUMNS = "note_id, lead_id, text, author_id, author_name, created_at, updated_at, edited_by"


@dataclass(frozen=True, slots=True)
class Note:
    note_id: UUID
    lead_id: str
    text: str
    author_id: UUID
    author_name: str
    created_at: datetime
    updated_at: datetime
    edited_by: str | None
    """Who changed it last, unless its author."""

    @property
    def was_edited(self) -> bool:
        return self.updated_at > self.created_at


class NotePlace(NamedTuple):
    """Where a stretch of notes ended."""

    created_at: datetime
    note_id: UUID


def list_notes(
    scope: Scope,
    lead_id: str,
    *,
    limit: int,
    before: datetime | None = None,
    behind: NotePlace | None = None,
) -> list[Note]:
    """Return notes about a lead, the newest first: of before an instant, or from behind a place."""
    at, note_id = behind or (None, None)
    statement = f"""
        SELECT {_COLUMNS} FROM lead_notes
        WHERE unit_id = %(unit)s AND lead_id = %(lead)s
          AND (%(before)s::timestamptz IS NULL OR created_at < %(before)s)
          AND (%(at)s::timestamptz IS NULL OR (created_at, note_id) < (%(at)s, %(id)s::uuid))
        ORDER BY created_at DESC, note_id DESC LIMIT %(limit)s
    """  # noqa: S608 - names of ours
    bound = {
        "unit": scope.unit_id,
        "lead": lead_id,
        "before": before,
        "at": at,
        "id": note_id,
        "limit": limit,
    }
    return [Note(*row) for row in driver().execute(statement, bound)]


def get_note(scope: Scope, lead_id: str, note_id: UUID) -> Note:
    """Return a note about the lead. Raises LeadNotFoundError and NoteNotFoundError."""
    lead = queries.get_lead(scope, lead_id)
    statement = f"""
        SELECT {_COLUMNS} FROM lead_notes WHERE unit_id = %s AND note_id = %s AND lead_id = %s
    """  # noqa: S608 - names of ours
    row = driver().execute(statement, (scope.unit_id, note_id, lead.lead_id)).fetchone()
    if row is None:
        raise NoteNotFoundError(f"There is no note '{note_id}' about lead '{lead_id}'.")
    return Note(*row)


def write_note(scope: Scope, author: Member, lead_id: str, text: str, *, now: datetime) -> Note:
    """Write a note about a lead. Raises LeadNotFoundError."""
    lock_identities(scope)  # or a deletion that has looked already would leave the note behind
    lead = queries.get_lead(scope, lead_id)
    statement = f"""
        INSERT INTO lead_notes (unit_id, {_COLUMNS})
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, NULL) RETURNING {_COLUMNS}
    """  # noqa: S608 - names of ours
    bound = (
        scope.unit_id, new_id(), lead.lead_id, text, author.org_member_id, author.name, now, now,
    )  # fmt: skip
    return _note(driver().execute(statement, bound).fetchone())


def edit_note(
    scope: Scope,
    editor: Member,
    lead_id: str,
    note_id: UUID,
    text: str,
    *,
    moderates: bool = False,
    seen_at: datetime | None = None,
    now: datetime,
) -> Note:
    """Put another text in the place of a note's, if it is still as it was changed at `seen_at`.

    Who `moderates` may change what others wrote.

    Raises LeadNotFoundError, NoteNotFoundError, NotYourNoteError and NoteChangedError.
    """
    lock_identities(scope)
    note = get_note(scope, lead_id, note_id)
    _require_own(editor, note, moderates=moderates)
    if seen_at is not None and seen_at != note.updated_at:
        raise NoteChangedError(
            "This note was changed since you opened it. Nothing is saved yet:"
            " save again to replace it with what stands here."
        )
    statement = f"""
        UPDATE lead_notes SET text = %s, updated_at = %s, edited_by = %s
        WHERE unit_id = %s AND note_id = %s
        RETURNING {_COLUMNS}
    """  # noqa: S608 - names of ours
    by = None if note.author_id == editor.org_member_id else editor.name
    return _note(driver().execute(statement, (text, now, by, scope.unit_id, note_id)).fetchone())


def delete_note(
    scope: Scope, editor: Member, lead_id: str, note_id: UUID, *, moderates: bool = False
) -> None:
    """Delete a note. Raises LeadNotFoundError, NoteNotFoundError and NotYourNoteError."""
    _require_own(editor, get_note(scope, lead_id, note_id), moderates=moderates)
    driver().execute(
        "DELETE FROM lead_notes WHERE unit_id = %s AND note_id = %s", (scope.unit_id, note_id)
    )


def _require_own(editor: Member, note: Note, *, moderates: bool) -> None:
    if note.author_id != editor.org_member_id and not moderates:
        raise NotYourNoteError(
            f"{note.author_name} wrote this note: only its author or an Owner of the unit may"
            " change or delete it."
        )


def _note(row: tuple[Any, ...] | None) -> Note:
    assert row is not None
    return Note(*row)
