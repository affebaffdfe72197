"""What people call a lead: the first and second line of it in every list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from leadvibe.leads.types import AliasKind

_ALIAS_ORDER = {
    AliasKind.EMAIL: 0,
    AliasKind.PHONE: 1,
    AliasKind.SOCIAL: 2,
    AliasKind.EXTERNAL_ID: 3,
    AliasKind.COOKIE: 4,
}
SEPARATOR = " · "
_ANONYMOUS = frozenset({AliasKind.COOKIE})

NAMING_PROPERTIES = ("first_name", "last_name", "name", "company", "email")
"""What of a lead's metadata it is called by, or found by."""

LONGEST_NAME = 200
"""Lists are sorted by name, and what their index can hold is limited."""


class Naming(NamedTuple):
    name: str
    detail: str | None


def name_lead(
    lead_id: str, metadata: Mapping[str, object], aliases: Iterable[tuple[str, str]]
) -> Naming:
    """Name a lead after its person, else its best alias, else its id.

    `aliases` are (kind, spelling). The detail line is the best alias, unless it is the name, and
    the company.
    """
    ordered = sorted(aliases, key=lambda alias: _ALIAS_ORDER[AliasKind(alias[0])])
    spoken = [value for kind, value in ordered if kind not in _ANONYMOUS]
    person = person_of(metadata)
    name = person or (spoken[0] if spoken else _anonymous_name(lead_id, ordered))
    alias = next((value for value in spoken if value != name), "")
    detail = SEPARATOR.join(part for part in (alias, _text(metadata, "company")) if part)
    return Naming(name[:LONGEST_NAME], detail or None)


def search_text(
    lead_id: str, metadata: Mapping[str, object], aliases: Iterable[tuple[str, str]]
) -> str:
    """Return everything a lead is found by, one thing a line."""
    values = [lead_id, person_of(metadata), _text(metadata, "company"), _text(metadata, "email")]
    values += [value for _, value in aliases]
    return "\n".join(dict.fromkeys(value for value in values if value))


def person_of(metadata: Mapping[str, object]) -> str:
    """Return what the person is called; empty when nobody said."""
    parts = (_text(metadata, "first_name"), _text(metadata, "last_name"))
    return " ".join(part for part in parts if part) or _text(metadata, "name")


def _anonymous_name(lead_id: str, aliases: list[tuple[str, str]]) -> str:
    return f"Visitor {aliases[0][1][:12]}" if aliases else lead_id


def _text(metadata: Mapping[str, object], key: str) -> str:
    value = metadata.get(key)
    return value.strip()[:200] if isinstance(value, str) else ""
