"""API credentials, and keys of other lead APIs: templates/credentials/page.html.

The answer to a successful POST is this page with `created` or `created_key` set, not a redirect:
the secret is shown once and kept nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from wtforms import Form

from leadvibe.web.pages.display import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialRow:
    name: str
    client_id: str
    created_at: Moment
    created_by: str = ""
    limit: str = ""
    """"5 a second", or that it has none of its own."""
    rps: str = ""
    burst: str = ""
    limit_url: str = ""
    delete_url: str = ""
    """POST; empty when the member may not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedCredential:
    name: str
    client_id: str
    client_secret: str
    curl: str
    """`ingest_example(...)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    name: str
    use: str
    may: str
    prefix: str
    element_id: str
    created_at: Moment
    created_by: str
    ends_at: Moment | None
    delete_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedKey:
    name: str
    use: str
    text: str
    base_url: str
    curl: str
    ends_at: Moment | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialsPage:
    credentials: tuple[CredentialRow, ...]
    form: Form | None
    """`name`, `use` and so on; None when the member may not create any."""
    created: CreatedCredential | None = None
    keys: tuple[KeyRow, ...] = ()
    created_key: CreatedKey | None = None
    trial_url: str = "/app/credentials/test-token"
    action_url: str = "/app/credentials"
    unit_name: str = ""
    ingest_url: str = ""
    """The public URL of POST /ingest."""
    reference_url: str = "/openapi.json"


def ingest_example(ingest_url: str, client_id: str, client_secret: str) -> str:
    """Write a command that sends one event, ready to paste."""
    return (
        f"curl {ingest_url} \\\n"
        f"  -u {client_id}:{client_secret} \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        """  -d '{"event_type": "demo_request", "aliases": """
        """[{"alias_kind": "email", "raw_value": "ana@example.com"}]}'"""
    )
