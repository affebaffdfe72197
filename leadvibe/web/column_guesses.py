"""What the columns of a file of leads may mean, told from their names and values."""

from __future__ import annotations

import re
from collections.abc import Sequence

from leadvibe.imports.lead_uploads import LeadPreview
from leadvibe.imports.types import LeadPlan
from leadvibe.leads.types import AliasKind

ACCOUNT_PROPERTY = "account_id"
LONGEST_PROPERTY = 200

_KNOWN = {
    "firstname": "first_name", "givenname": "first_name", "vorname": "first_name",
    "lastname": "last_name", "surname": "last_name", "familyname": "last_name",
    "nachname": "last_name", "fullname": "name", "contactname": "name",
    "companyname": "company", "organisation": "company", "organization": "company",
    "firma": "company", "employer": "company", "position": "job_title", "title": "job_title",
    "jobtitle": "job_title", "role": "job_title", "website": "website", "url": "website",
    "accountid": ACCOUNT_PROPERTY, "companyid": ACCOUNT_PROPERTY,
}  # fmt: skip
_OWNERS = {"owner", "leadowner", "contactowner", "accountowner", "owneremail", "salesrep"}
_IDS = {
    "id", "externalid", "crmid", "customerid", "contactid", "leadid", "userid", "recordid",
}  # fmt: skip


def guess_identifier(preview: LeadPreview) -> tuple[str, AliasKind]:
    """Return the column that most likely says whose row it is, and of what kind it is."""
    if preview.email_columns:
        return preview.email_columns[0], AliasKind.EMAIL
    for name in preview.headers:
        if _folded(name) in _IDS:
            return name, AliasKind.EXTERNAL_ID
    if preview.phone_columns:
        return preview.phone_columns[0], AliasKind.PHONE
    return preview.headers[0], AliasKind.EXTERNAL_ID


def guess_plan(preview: LeadPreview, column: str, kind: AliasKind) -> LeadPlan:
    """Return what the other columns most likely mean; each is a property if nothing better."""
    others = [name for name in preview.headers if name != column]
    # An owner is named by an address, too, and must not become an identifier of every lead.
    owner = next((name for name in others if _folded(name) in _OWNERS), None)
    aliases = {
        name: found for name in others if name != owner and (found := _alias_kind(preview, name))
    }
    rest = [name for name in others if name not in aliases and name != owner]
    return LeadPlan(
        primary_column=column,
        primary_kind=kind,
        properties=_properties(rest),
        aliases=aliases,
        owner_column=owner,
    )


def property_of(name: str) -> str:
    """Return what a column is called as a property: known names as usual, others in lower case."""
    plain = re.sub(r"\W+", "_", name.strip().lower()).strip("_")[:LONGEST_PROPERTY]
    return _KNOWN.get(_folded(name)) or plain or "column"


def _properties(names: Sequence[str]) -> dict[str, str]:
    """Give each column a property of its own."""
    taken: dict[str, str] = {}
    for name in names:
        wanted = unique = property_of(name)
        number = 2
        while unique in taken.values():
            unique, number = f"{wanted}_{number}", number + 1
        taken[name] = unique
    return taken


def _alias_kind(preview: LeadPreview, name: str) -> AliasKind | None:
    if name in preview.email_columns:
        return AliasKind.EMAIL
    if name in preview.phone_columns:
        return AliasKind.PHONE
    return AliasKind.EXTERNAL_ID if _folded(name) in _IDS else None


def _folded(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.lower())
