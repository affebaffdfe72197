"""What importing a file of leads would come to, row by row, without writing anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from leadvibe.identity.types import Scope
from leadvibe.imports.batches import Batch
from leadvibe.imports.lead_file import LeadFile, ReadRow
from leadvibe.imports.queries import source_of
from leadvibe.imports.stored_file import open_records
from leadvibe.imports.types import Import, RowError
from leadvibe.leads import queries as lead_queries
from leadvibe.leads.resolving import Resolver
from leadvibe.leads.types import Identity
from leadvibe.lib.clock import utc_now

SAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleLead:
    """A row as it would come in: the lead's identifiers and what is said of it."""

    row: int
    is_new: bool
    identifiers: Sequence[str]
    properties: Sequence[tuple[str, str]]
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """How many rows would make a lead, add to one, or be refused; the first ones of each.

    Leads whose properties would be too large together are only found when they are written.
    """

    created: int
    updated: int
    refused: int
    samples: Sequence[SampleLead]
    errors: Sequence[RowError]


def foresee(scope: Scope, file: Import) -> Forecast:
    """Read a whole file as its plan says, and say what would come of it."""
    reader = LeadFile(scope, file).open(open_records(scope, file))
    rows: list[ReadRow] = []
    errors: list[RowError] = []
    while True:
        batch: Batch[ReadRow] = reader.read(now=utc_now())
        rows += batch.items
        errors += batch.errors
        if batch.is_last:
            break
    lead_ids, new = _resolve(scope, file, rows)
    first_seen = {lead_id: place for place, lead_id in reversed(list(enumerate(lead_ids)))}
    is_new = [it in new and first_seen[it] == place for place, it in enumerate(lead_ids)]
    samples = (_sample(row, is_new=is_new[place]) for place, row in enumerate(rows))
    return Forecast(
        created=sum(is_new),
        updated=len(rows) - sum(is_new),
        refused=len(errors),
        samples=list(islice(samples, SAMPLES)),
        errors=errors[:SAMPLES],
    )


def _resolve(scope: Scope, file: Import, rows: Sequence[ReadRow]) -> tuple[list[str], set[str]]:
    """Return whom each row would be about, and which of these would be made."""
    now, source = utc_now(), source_of(file.import_id)
    identities = [
        Identity(None, row.given.aliases, source, now, row.given.decisive) for row in rows
    ]
    keys = {alias.key for identity in identities for alias in identity.aliases}
    owners = lead_queries.owners_of_aliases(scope, keys)
    numbers = iter(range(len(rows) + 1))
    resolver = Resolver(
        owners=owners,
        targets=lead_queries.merge_targets(scope, set(owners.values())),
        strangers=lead_queries.find_strangers(scope, set(owners.values())),
        new_lead_id=lambda: f" {next(numbers)}",  # no id of any lead begins with a space
    )
    lead_ids = resolver.resolve_all(identities)
    resolver.settle()
    return lead_ids, set(resolver.created)


def _sample(row: ReadRow, *, is_new: bool) -> SampleLead:
    return SampleLead(
        row=row.number,
        is_new=is_new,
        identifiers=[alias.raw_value for alias in row.given.aliases],
        properties=list(row.given.properties.items()),
        owner=row.owner.name if row.owner else "",
    )
