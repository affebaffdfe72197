"""Notes: what members write about leads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from leadvibe.api.editing import Editable
from leadvibe.api.fields import NoteId, storable
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.queries import get_member
from leadvibe.identity.types import Member, Principal
from leadvibe.leads import notes
from leadvibe.leads.notes import LONGEST_NOTE, Note
from leadvibe.leads.queries import get_lead
from leadvibe.lib.clock import utc_now

MOST_NOTES = 1_000

NoteText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NOTE),
    AfterValidator(storable),
]


class NewNote(BaseModel):
    """What is worth knowing about the lead."""

    text: NoteText = Field(description="Plain text; line breaks stay.")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteItem(Editable):
    """A note, with the name that its author had; `edited_by` is who else changed it last."""

    note_id: UUID
    lead_id: str
    text: str
    author_id: UUID
    author_name: str
    created_at: datetime
    updated_at: datetime
    edited_by: str | None


def list_notes(principal: Principal, lead_id: str) -> Sequence[NoteItem]:
    """Notes about a lead, the newest first: the latest thousand."""
    lead = get_lead(principal.scope, lead_id)
    found = notes.list_notes(principal.scope, lead.lead_id, limit=MOST_NOTES)
    return [_item(note) for note in found]


def get_note(principal: Principal, lead_id: str, note_id: NoteId) -> NoteItem:
    return _item(notes.get_note(principal.scope, lead_id, note_id))


def write_note(principal: Principal, lead_id: str, body: NewNote) -> NoteItem:
    """Write a note about a lead, which everybody in the unit may read."""
    return _item(
        notes.write_note(principal.scope, _author(principal), lead_id, body.text, now=utc_now())
    )


def edit_note(principal: Principal, lead_id: str, note_id: NoteId, body: NewNote) -> NoteItem:
    """Change a note of yours; an Owner of the unit changes those of others, too."""
    changed = notes.edit_note(
        principal.scope,
        _author(principal),
        lead_id,
        note_id,
        body.text,
        moderates=can(principal, Permission.OWN),
        now=utc_now(),
    )
    return _item(changed)


def delete_note(principal: Principal, lead_id: str, note_id: NoteId) -> None:
    """Delete a note of yours; an Owner of the unit deletes those of others, too."""
    moderates = can(principal, Permission.OWN)
    notes.delete_note(principal.scope, _author(principal), lead_id, note_id, moderates=moderates)


def _author(principal: Principal) -> Member:
    assert principal.member_id is not None, "only members get as far as this"
    return get_member(principal.member_id)


def _item(note: Note) -> NoteItem:
    return NoteItem(
        note_id=note.note_id,
        lead_id=note.lead_id,
        text=note.text,
        author_id=note.author_id,
        author_name=note.author_name,
        created_at=note.created_at,
        updated_at=note.updated_at,
        edited_by=note.edited_by,
    )
