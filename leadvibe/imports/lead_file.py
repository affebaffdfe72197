"""A file of leads at work: its rows make leads, or say more about those that are known.

Done as if by hand, so scores by attributes follow at once. A row that is read twice changes
nothing the second time, because its primary identifier names the same lead again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from leadvibe.identity import queries as identity_queries
from leadvibe.identity.types import Member, Scope
from leadvibe.imports import changes, queries
from leadvibe.imports.batches import Batch, BatchReader, refusal
from leadvibe.imports.lead_rows import LeadRowReader
from leadvibe.imports.reading import Records
from leadvibe.imports.rows import BadRowError, quote
from leadvibe.imports.types import Import, Stored
from leadvibe.leads import ownership
from leadvibe.pipeline import editing
from leadvibe.pipeline.editing import GivenLead, LeadsDescribed

ROWS_AT_ONCE = 500
"""In one transaction, for which the pipeline waits some tenths of a second."""


class ReadRow(NamedTuple):
    """A row that can be used, with what to say of it when it turns out that it cannot."""

    given: GivenLead
    owner: Member | None
    number: int
    source: str


class Owners:
    """Members of the unit, as a file of leads names them: by address, or by a name of theirs."""

    def __init__(self, scope: Scope) -> None:
        listed = identity_queries.list_members(scope)
        members = [it.member for it in listed if it.unit_role is not None]
        self._by_email = {member.email: member for member in members}
        names = [member.name.casefold() for member in members]
        self._by_name = {
            name: member
            for name, member in zip(names, members, strict=True)
            if names.count(name) == 1
        }

    def find(self, text: str) -> Member | None:
        """Return whom a row means, None when it names nobody. Raises BadRowError."""
        if not text:
            return None
        wanted = text.casefold()
        found = self._by_email.get(wanted) or self._by_name.get(wanted)
        if found is None:
            raise BadRowError(f"{quote(text)} is no member of this unit who could own a lead")
        return found


class LeadFile:
    """What becomes of the rows of a file of leads."""

    def __init__(self, scope: Scope, file: Import) -> None:
        assert file.plan is not None
        self._scope = scope
        self._import_id = file.import_id
        self._source = queries.source_of(file.import_id)
        self._rows = LeadRowReader(file.layout, file.plan)
        self._owners = Owners(scope) if file.plan.owner_column is not None else None

    def open(self, records: Records) -> BatchReader[ReadRow]:
        def read_row(values: Sequence[str], _now: datetime) -> ReadRow:
            given = self._rows.read(values)
            owner = self._owners.find(self._rows.read_owner(values)) if self._owners else None
            return ReadRow(given, owner, records.row, records.source)

        return BatchReader(records, read_row, most_rows=ROWS_AT_ONCE)

    def has_room(self, *, beat: Callable[[], None], is_stopping: Callable[[], bool]) -> bool:  # noqa: ARG002 - nothing to wait for
        return True

    def store(self, batch: Batch[ReadRow], *, now: datetime) -> Stored:
        """Write the rows under the unit's lock, and note how everything was before."""
        rows = batch.items
        done = editing.describe_many(
            self._scope, [row.given for row in rows], source=self._source, now=now
        )
        used = [row for place, row in enumerate(rows) if place not in done.refused]
        owners = {
            lead_id: row.owner
            for lead_id, row in zip(done.lead_ids, used, strict=True)
            if row.owner is not None
        }
        owned_before = ownership.assign_owners(self._scope, owners, now=now)
        self._note(done, owners, owned_before)
        return Stored(
            accepted=len(done.lead_ids),
            created=len(done.created),
            errors=tuple(
                refusal(rows[place].number, rows[place].source, reason)
                for place, reason in sorted(done.refused.items())
            ),
        )

    def _note(
        self,
        done: LeadsDescribed,
        owners: Mapping[str, Member],
        owned_before: Mapping[str, UUID | None],
    ) -> None:
        noted = (
            changes.note(
                lead_id,
                done.before[lead_id],
                done.after[lead_id],
                owner_before=owned_before.get(lead_id),
                owner_after=owners[lead_id].org_member_id if lead_id in owned_before else None,
            )
            for lead_id in dict.fromkeys(done.lead_ids)
        )
        changes.keep(self._scope, self._import_id, [it for it in noted if it.is_any])

    def announce(self) -> None:
        """Nobody waits for leads."""
