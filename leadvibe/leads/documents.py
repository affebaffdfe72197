"""What is known about leads, with the traces of where it comes from and why they have an account.

Reads and writes many leads at once, as the engine's values. Does not name leads: service does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from pydantic_core import from_json, to_json

from leadvibe.engine.account import UNRESOLVED, Link, LinkedBy
from leadvibe.engine.mapping import Document, Trace
from leadvibe.identity.types import Scope
from leadvibe.leads.types import AliasKind
from leadvibe.lib.db import driver, write

Value = TypeVar("Value")

DOCUMENTS_AT_ONCE = 1_000
"""Sent as one: even the largest that a lead can have are far from what a server takes."""

_NOTHING = "{}"
_UNTRACED = (_NOTHING, _NOTHING)

LEAD, ACCOUNT = "lead", "account"
"""Whose properties `note_properties` may note."""


class Description(NamedTuple):
    """A lead's properties and its account, each with its traces."""

    document: Document
    link: Link


def load(scope: Scope, lead_ids: Collection[str]) -> dict[str, Description]:
    """Return what is known about leads; those that are part of another are left out."""
    if not lead_ids:
        return {}
    bound = (scope.unit_id, list(lead_ids))
    # Apart, each by its key: a join is planned badly while the tables are growing.
    statement = """
        SELECT lead_id, properties::text, link::text FROM lead_traces
        WHERE unit_id = %s AND lead_id = ANY(%s)
    """
    traced = {lead_id: texts for lead_id, *texts in driver().execute(statement, bound)}
    statement = """
        SELECT lead_id, account_id, metadata::text FROM leads
        WHERE unit_id = %s AND lead_id = ANY(%s) AND merged_into IS NULL
    """
    found = {}
    for lead_id, account_id, metadata in driver().execute(statement, bound):
        traces, link = traced.get(lead_id, _UNTRACED)
        found[lead_id] = Description(
            Document(_read(metadata), read_traces(traces)), read_link(account_id, link)
        )
    return found


def load_traces(scope: Scope, lead_id: str) -> dict[str, Trace]:
    """Return where the properties of a lead come from."""
    statement = "SELECT properties::text FROM lead_traces WHERE unit_id = %s AND lead_id = %s"
    row = driver().execute(statement, (scope.unit_id, lead_id)).fetchone()
    return read_traces(row[0]) if row else {}


def load_properties(scope: Scope, lead_ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return the properties of leads alone; those that are part of another are left out."""
    statement = """
        SELECT lead_id, metadata::text FROM leads
        WHERE unit_id = %s AND lead_id = ANY(%s) AND merged_into IS NULL
    """
    rows = driver().execute(statement, (scope.unit_id, list(lead_ids)))
    return {lead_id: from_json(metadata) for lead_id, metadata in rows}


def save_properties(
    scope: Scope, properties: Mapping[str, Mapping[str, Any]], *, now: datetime
) -> None:
    """Put properties in the place of those that the leads had. Does not note them."""
    # As one document: PostgreSQL takes it apart in less time than a list of them takes to write.
    statement = """
        UPDATE leads SET metadata = new.value::jsonb, updated_at = %s
        FROM json_each(%s::json) AS new
        WHERE leads.unit_id = %s AND leads.lead_id = new.key
    """
    for part in in_parts(properties):
        write(statement, (now, written(part), scope.unit_id))


def save_traces(scope: Scope, traces: Mapping[str, Mapping[str, Trace]]) -> None:
    """Store where the properties of leads come from."""
    statement = """
        INSERT INTO lead_traces (unit_id, lead_id, properties)
        SELECT %s, new.key, new.value::jsonb FROM json_each(%s::json) AS new
        ON CONFLICT (unit_id, lead_id) DO UPDATE SET properties = excluded.properties
    """
    for part in in_parts(traces):
        document = {
            lead_id: {name: trace.to_json() for name, trace in each.items()}
            for lead_id, each in part.items()
        }
        write(statement, (scope.unit_id, written(document)))


def save_links(scope: Scope, links: Mapping[str, Link]) -> None:
    """Store which accounts leads belong to, and why. Their accounts' roll-ups are to follow."""
    if not links:
        return
    statement = """
        INSERT INTO lead_traces (unit_id, lead_id, link)
        SELECT %s, new.key, new.value::jsonb FROM json_each(%s::json) AS new
        ON CONFLICT (unit_id, lead_id) DO UPDATE SET link = excluded.link
    """
    for part in in_parts(links):
        document = {lead_id: link.to_json() for lead_id, link in part.items()}
        write(statement, (scope.unit_id, written(document)))
    write(
        """
        UPDATE leads SET account_id = new.account_id
        FROM unnest(%s::text[], %s::text[]) AS new (lead_id, account_id)
        WHERE leads.unit_id = %s AND leads.lead_id = new.lead_id
          AND leads.account_id IS DISTINCT FROM new.account_id
        """,
        (list(links), [link.account_id for link in links.values()], scope.unit_id),
    )


def forget(scope: Scope, lead_ids: Collection[str]) -> None:
    """Take leads out of their accounts without a trace. The accounts' roll-ups are to follow."""
    bound = (scope.unit_id, list(lead_ids))
    driver().execute("DELETE FROM lead_traces WHERE unit_id = %s AND lead_id = ANY(%s)", bound)
    driver().execute(
        """
        UPDATE leads SET account_id = NULL
        WHERE unit_id = %s AND lead_id = ANY(%s) AND account_id IS NOT NULL
        """,
        bound,
    )


def find_standing(scope: Scope, lead_ids: Collection[str]) -> set[str]:
    """Return which of the leads stand for themselves."""
    statement = """
        SELECT lead_id FROM leads
        WHERE unit_id = %s AND lead_id = ANY(%s) AND merged_into IS NULL
    """
    rows = driver().execute(statement, (scope.unit_id, list(lead_ids)))
    return {lead_id for (lead_id,) in rows}


def find_unlinked(scope: Scope, lead_ids: Collection[str]) -> set[str]:
    """Return which of the leads belong to no account."""
    statement = """
        SELECT lead_id FROM leads
        WHERE unit_id = %s AND lead_id = ANY(%s) AND account_id IS NULL AND merged_into IS NULL
    """
    rows = driver().execute(statement, (scope.unit_id, list(lead_ids)))
    return {lead_id for (lead_id,) in rows}


def list_emails(scope: Scope, lead_ids: Collection[str]) -> dict[str, list[str]]:
    """Return the leads' e-mail addresses, the oldest of each first."""
    if not lead_ids:
        return {}
    statement = """
        SELECT lead_id, value FROM lead_aliases
        WHERE unit_id = %s AND lead_id = ANY(%s) AND kind = %s
        ORDER BY created_at, value
    """
    emails: dict[str, list[str]] = {}
    bound = (scope.unit_id, list(lead_ids), AliasKind.EMAIL)
    for lead_id, email in driver().execute(statement, bound):
        emails.setdefault(lead_id, []).append(email)
    return emails


def note_properties(scope: Scope, kind: str, documents: Iterable[Mapping[str, Any]]) -> None:
    """Remember which properties there are, so that nobody has to look through all documents."""
    names = sorted(set().union(*documents))
    if not names:
        return
    # Most are known: whoever looks first takes no lock and writes nothing.
    statement = """
        INSERT INTO metadata_properties (unit_id, kind, name)
        SELECT %(unit)s, %(kind)s, new.name FROM unnest(%(names)s::text[]) AS new (name)
        WHERE NOT EXISTS (
            SELECT FROM metadata_properties p
            WHERE p.unit_id = %(unit)s AND p.kind = %(kind)s AND p.name = new.name
        )
        ON CONFLICT DO NOTHING
    """
    write(statement, {"unit": scope.unit_id, "kind": kind, "names": names})


def list_properties(scope: Scope, kind: str) -> list[str]:
    """Return the names of all properties that leads, or accounts, have or had."""
    statement = (
        "SELECT name FROM metadata_properties WHERE unit_id = %s AND kind = %s ORDER BY name"
    )
    return [name for (name,) in driver().execute(statement, (scope.unit_id, kind))]


def _read(text: str) -> dict[str, Any]:
    document: dict[str, Any] = from_json(text) if text != _NOTHING else {}
    return document


def read_link(account_id: str | None, text: str) -> Link:
    """Read a lead's link from what is stored of it."""
    if text == _NOTHING:
        return UNRESOLVED if account_id is None else Link(account_id, LinkedBy.HAND)
    return Link.from_json(account_id, from_json(text))


def read_traces(text: str) -> dict[str, Trace]:
    """Read what is stored of traces."""
    return {name: Trace.from_json(each) for name, each in _read(text).items()}


def in_parts(documents: Mapping[str, Value]) -> Iterator[dict[str, Value]]:
    """Yield documents, as many at a time as are sent to the database as one."""
    pairs = iter(documents.items())
    while part := dict(islice(pairs, DOCUMENTS_AT_ONCE)):
        yield part


def written(document: Mapping[str, Any]) -> str:
    """Write a document as JSON."""
    return to_json(document).decode()
