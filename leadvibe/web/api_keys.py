"""Keys of the other lead APIs, on the page of API credentials."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from leadvibe.identity import api_keys
from leadvibe.identity.api_keys import (
    DELETE_LEADS,
    READ_LEADS,
    TEST_TOKEN_LASTS,
    WRITE_LEADS,
    ApiKey,
    KeyKind,
    NewApiKey,
)
from leadvibe.identity.types import Principal
from leadvibe.web.forms.credentials import USES, CredentialForm
from leadvibe.web.pages.credentials import CreatedKey, KeyRow
from leadvibe.web.pages.display import Moment
from leadvibe.web.redirects import CREDENTIALS

TEST_TOKEN = "Test token"  # noqa: S105 - a name, not a token

_DEEDS: Mapping[str, str] = {READ_LEADS: "reads", WRITE_LEADS: "writes", DELETE_LEADS: "deletes"}


def make_key(principal: Principal, form: CredentialForm, kind: KeyKind, now: datetime) -> NewApiKey:
    """Make the key that a form asks for. Raises InvalidError."""
    return api_keys.create_api_key(
        principal.scope,
        kind,
        name=form.name.data or "",
        scopes=form.scopes,
        created_by=principal.label,
        now=now,
    )


def make_test_token(principal: Principal, now: datetime) -> NewApiKey:
    """Make a key of the Nexus ERP API that is good for an hour."""
    return api_keys.create_api_key(
        principal.scope,
        KeyKind.NEXUS,
        name=TEST_TOKEN,
        lasts=TEST_TOKEN_LASTS,
        created_by=principal.label,
        now=now,
    )


def key_rows(principal: Principal, now: datetime) -> tuple[KeyRow, ...]:
    return tuple(_row(key) for key in api_keys.list_api_keys(principal.scope, now=now))


def created_key(new: NewApiKey, *, public_url: str) -> CreatedKey:
    key = new.key
    return CreatedKey(
        name=key.name,
        use=USES[key.kind],
        text=new.text,
        base_url=f"{public_url}{_BASES[key.kind]}",
        curl=_example(new, public_url=public_url),
        ends_at=Moment.of(key.expires_at) if key.expires_at else None,
    )


_BASES = {
    KeyKind.OCTANIST: "/api",
    KeyKind.NEXUS: "/api/v1",
    KeyKind.WORDPRESS: "/api/integrations/incoming/wp",
}


def _row(key: ApiKey) -> KeyRow:
    return KeyRow(
        name=key.name,
        use=USES.get(key.kind, key.kind.title()),
        may="Sends forms" if key.kind is KeyKind.WORDPRESS else _deeds(key),
        prefix=f"{key.prefix}_…",
        element_id=f"key-{key.key_id.hex}",
        created_at=Moment.of(key.created_at),
        created_by=key.created_by or "",
        ends_at=Moment.of(key.expires_at) if key.expires_at else None,
        delete_url=f"{CREDENTIALS}/keys/{key.key_id}/delete",
    )


def _deeds(key: ApiKey) -> str:
    *others, last = (_DEEDS[it] for it in key.scopes)
    deeds = f"{', '.join(others)} and {last}" if others else last
    return f"{deeds.capitalize()} leads"


def _example(new: NewApiKey, *, public_url: str) -> str:
    """Write a command that tries the key, ready to paste."""
    if new.key.kind is KeyKind.OCTANIST:
        return f"curl -X POST '{public_url}/api/check' \\\n  -H 'X-API-KEY: {new.text}'"
    if new.key.kind is KeyKind.WORDPRESS:
        url = f"{public_url}{_BASES[KeyKind.WORDPRESS]}/{new.text}/"
        form = """'{"name": "Jane Doe", "email": "jane@acme.com"}'"""
        return f"curl '{url}' \\\n  -H 'Content-Type: application/json' \\\n  -d {form}"
    command = f"curl '{public_url}/api/v1/leads' \\\n  -H 'Authorization: Bearer {new.text}'"
    if READ_LEADS in new.key.scopes:
        return command
    return (
        f"{command} \\\n  -H 'Content-Type: application/json' \\\n"
        """  -d '{"name": "Jane Doe", "phone": "+14155550101"}'"""
    )
