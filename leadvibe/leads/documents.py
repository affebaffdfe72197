"""What is known about leads, with the traces of where it comes from and why they have an account.

Reads and writes many leads at once, as the engine's values. Does not name leads: service does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json

from leadvibe.engine.account import Link
from leadvibe.engine.mapping import Document, Trace
from leadvibe.identity.types import Scope
from leadvibe.leads.types import AliasKind
from leadvibe.lib.db import driver

LEAD, ACCOUNT = "lead", "account"
"""Whose properties `note_properties` may note."""


class Description(NamedTuple):
    """A lead's properties and its account, each with its traces."""

    document: Document
    link: Link


def load(scope: Scope, lead_ids: Collection[str]) -> dict[str, Description]:
    """Return what is known about leads; those that are part of another are left out."""
    statement = """
        SELECT l.lead_id, l.account_id, l.metadata::text, t.properties::text, t.link::text
        FROM leads l LEFT JOIN lead_traces t ON t.unit_id = l.unit_id AND t.lead_id = l.lead_id
        WHERE l.unit_id = %s AND l.lead_id = ANY(%s) AND l.merged_into IS NULL
    """
    rows = driver().execute(statement, (scope.unit_id, list(lead_ids)))
    return {
        lead_id: Description(
            Document(from_json(metadata), read_traces(traces)),
            Link.from_json(account_id, from_json(link or "{}")),
        )
        for lead_id, account_id, metadata, traces, link in rows
    }


def save_properties(
    scope: Scope, properties: Mapping[str, Mapping[str, Any]], *, now: datetime
) -> None:
    """Put properties in the place of those that the leads had."""
    if not properties:
        return
    statement = """
        UPDATE leads SET metadata = new.metadata, updated_at = %s
        FROM unnest(%s::text[], %s::jsonb[]) AS new (lead_id, metadata)
        WHERE leads.unit_id = %s AND leads.lead_id = new.lead_id
    """
    documents = [written(each) for each in properties.values()]
    driver().execute(statement, (now, list(properties), documents, scope.unit_id))
    note_properties(scope, LEAD, properties.values())


def save_traces(scope: Scope, traces: Mapping[str, Mapping[str, Trace]]) -> None:
    """Store where the properties of leads come from."""
    if not traces:
        return
    statement = """
        INSERT INTO lead_traces (unit_id, lead_id, properties)
        SELECT %s, new.* FROM unnest(%s::text[], %s::jsonb[]) AS new
        ON CONFLICT (unit_id, lead_id) DO UPDATE SET properties = excluded.properties
    """
    documents = [write_traces(each) for each in traces.values()]
    driver().execute(statement, (scope.unit_id, list(traces), documents))


def save_links(scope: Scope, links: Mapping[str, Link]) -> None:
    """Store which accounts leads belong to, and why. Their accounts' roll-ups are to follow."""
    if not links:
        return
    lead_ids = list(links)
    driver().execute(
        """
        INSERT INTO lead_traces (unit_id, lead_id, link)
        SELECT %s, new.* FROM unnest(%s::text[], %s::jsonb[]) AS new
        ON CONFLICT (unit_id, lead_id) DO UPDATE SET link = excluded.link
        """,
        (scope.unit_id, lead_ids, [written(link.to_json()) for link in links.values()]),
    )
    driver().execute(
        """
        UPDATE leads SET account_id = new.account_id
        FROM unnest(%s::text[], %s::text[]) AS new (lead_id, account_id)
        WHERE leads.unit_id = %s AND leads.lead_id = new.lead_id
          AND leads.account_id IS DISTINCT FROM new.account_id
        """,
        (lead_ids, [link.account_id for link in links.values()], scope.unit_id),
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
    driver().execute(statement, {"unit": scope.unit_id, "kind": kind, "names": names})


def list_properties(scope: Scope, kind: str) -> list[str]:
    """Return the names of all properties that leads, or accounts, have or had."""
    statement = (
        "SELECT name FROM metadata_properties WHERE unit_id = %s AND kind = %s ORDER BY name"
    )
    return [name for (name,) in driver().execute(statement, (scope.unit_id, kind))]


def read_traces(text: str | None) -> dict[str, Trace]:
    """Read what write_traces wrote."""
    found = from_json(text) if text else {}
    return {name: Trace.from_json(each) for name, each in found.items()}


def write_traces(traces: Mapping[str, Trace]) -> str:
    """Write traces as JSON."""
    return written({name: trace.to_json() for name, trace in traces.items()})


def written(document: Mapping[str, Any]) -> str:
    """Write a document as JSON."""
    return to_json(document).decode()
