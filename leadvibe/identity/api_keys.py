"""Keys with which clients of other lead products come in: one string, for one unit.

A key of the Octanist API may do everything with leads that this API can. One of the Nexus ERP API
may do what its scopes say, and a test token of it lasts an hour. Only its beginning and a trace of
the rest are stored.
"""

from __future__ import annotations

import hmac
import re
import secrets
import string
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import delete, select

from leadvibe.identity.checks import checked_name
from leadvibe.identity.errors import (
    ApiKeyNotFoundError,
    ApiKeyRefusedError,
    UnitArchivedError,
)
from leadvibe.identity.models import ApiKeyRow
from leadvibe.identity.queries import get_unit
from leadvibe.identity.security import fingerprint
from leadvibe.identity.types import OrgRole, Principal, Scope, UnitRole, Via
from leadvibe.lib.db import driver, session
from leadvibe.lib.errors import InvalidError
from leadvibe.lib.ids import new_id

PREFIX_LENGTH, SECRET_LENGTH = 8, 32
LONGEST_NAME = 200
TEST_TOKEN_LASTS = timedelta(hours=1)
READ_LEADS, WRITE_LEADS, DELETE_LEADS = "leads.read", "leads.write", "leads.delete"
SCOPES = (READ_LEADS, WRITE_LEADS, DELETE_LEADS)
USUAL_SCOPES = (READ_LEADS, WRITE_LEADS)
"""What a key may do unless something else is said: nothing that is for good."""

_ALPHABET = string.ascii_letters + string.digits


class KeyKind(StrEnum):
    """Whose API the key opens."""

    OCTANIST = "octanist"
    NEXUS = "nexus"
    WORDPRESS = "wordpress"
    """Lets forms of a website in, which show it to all visitors, and opens nothing else."""


_BEGINNINGS = {KeyKind.OCTANIST: "oct", KeyKind.NEXUS: "sk", KeyKind.WORDPRESS: "wp"}
_KEY = re.compile(rf"([a-z]+_\w{{{PREFIX_LENGTH}}})_(\w{{{SECRET_LENGTH}}})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """`prefix` is its beginning, by which people recognise it."""

    key_id: UUID
    kind: KeyKind
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    created_by: str | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key with its text, which is shown once and never stored."""

    key: ApiKey
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Whom a key speaks for, and what it may do."""

    principal: Principal
    scopes: frozenset[str]


def create_api_key(
    scope: Scope,
    kind: KeyKind,
    *,
    name: str,
    scopes: Collection[str] = USUAL_SCOPES,
    lasts: timedelta | None = None,
    created_by: str | None,
    now: datetime,
) -> NewApiKey:
    """Make a key for one unit. Its text is returned here and never again.

    Raises InvalidError for a scope that there is not, or for none.
    """
    get_unit(scope)
    chosen = tuple(it for it in SCOPES if it in scopes)
    if not chosen or set(scopes) - set(SCOPES):
        raise InvalidError(
            f"A key needs scopes out of: {', '.join(SCOPES)}.", fields={"scopes": "choose some"}
        )
    prefix = f"{_BEGINNINGS[kind]}_{_random(PREFIX_LENGTH)}"
    secret = _random(SECRET_LENGTH)
    row = ApiKeyRow(
        key_id=new_id(),
        org_id=scope.org_id,
        unit_id=scope.unit_id,
        kind=kind,
        name=checked_name(name, longest=LONGEST_NAME),
        prefix=prefix,
        secret_sha256=fingerprint(secret),
        scopes=list(chosen),
        created_at=now,
        created_by=created_by,
        expires_at=now + lasts if lasts else None,
    )
    session().add(row)
    session().flush()
    return NewApiKey(_api_key(row), f"{prefix}_{secret}")


def list_api_keys(scope: Scope, *, now: datetime) -> list[ApiKey]:
    """List the unit's keys that are still good, the oldest first."""
    rows = session().scalars(
        select(ApiKeyRow)
        .where(ApiKeyRow.unit_id == scope.unit_id, ApiKeyRow.org_id == scope.org_id)
        .order_by(ApiKeyRow.key_id)
    )
    return [_api_key(row) for row in rows if row.expires_at is None or row.expires_at > now]


def delete_api_key(scope: Scope, key_id: UUID) -> None:
    """Refuse a key from now on. Raises ApiKeyNotFoundError."""
    deleted = session().scalar(
        delete(ApiKeyRow)
        .where(
            ApiKeyRow.key_id == key_id,
            ApiKeyRow.unit_id == scope.unit_id,
            ApiKeyRow.org_id == scope.org_id,
        )
        .returning(ApiKeyRow.key_id)
    )
    if deleted is None:
        raise ApiKeyNotFoundError(f"There is no key {key_id} in this unit.")


def forget_expired_keys(*, now: datetime) -> int:
    """Delete test tokens that have ended; returns how many there were."""
    return driver().execute("DELETE FROM api_keys WHERE expires_at < %s", (now,)).rowcount


def authenticate_key(text: str, kind: KeyKind, *, now: datetime) -> KeyHolder:
    """Return whom a key speaks for: an Operator of its one unit.

    Raises ApiKeyRefusedError, and UnitArchivedError for the right key of an archived unit.
    """
    found = _KEY.fullmatch(text)
    if found is None:
        raise ApiKeyRefusedError
    statement = """
        SELECT k.key_id, k.org_id, k.unit_id, k.secret_sha256, k.scopes, k.expires_at,
            CASE WHEN u.archived_at IS NULL THEN '' ELSE u.name END
        FROM api_keys k JOIN units u ON u.unit_id = k.unit_id
        WHERE k.prefix = %s AND k.kind = %s
    """
    row = driver().execute(statement, (found[1], kind)).fetchone()
    if row is None or not hmac.compare_digest(row[3], fingerprint(found[2])):
        raise ApiKeyRefusedError
    key_id, org_id, unit_id, _, scopes, expires_at, archived_unit = row
    if expires_at is not None and expires_at <= now:
        raise ApiKeyRefusedError
    if archived_unit:
        raise UnitArchivedError(archived_unit)
    principal = Principal(
        org_id=org_id,
        via=Via.CREDENTIAL,
        org_role=OrgRole.MEMBER,
        unit_id=unit_id,
        unit_role=UnitRole.OPERATOR,
        credential_id=key_id,
        label=found[1],
    )
    return KeyHolder(principal, frozenset(scopes))


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _api_key(row: ApiKeyRow) -> ApiKey:
    return ApiKey(
        key_id=row.key_id,
        kind=KeyKind(row.kind),
        name=row.name,
        prefix=row.prefix,
        scopes=tuple(row.scopes),
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
    )
