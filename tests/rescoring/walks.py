"""Previews and rescores as the tests ask for them, without a broker or a worker."""

from __future__ import annotations

from typing import Any

from leadvibe.engine.rules import Config
from leadvibe.identity.types import Scope
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.lib.paging import PageRequest
from leadvibe.rescoring import queries, service
from leadvibe.rescoring.findings import Comparison
from leadvibe.rescoring.previewing import advance_preview
from leadvibe.rescoring.rewriting import advance_rescore
from leadvibe.rescoring.types import Preview, PreviewKind, Rescore
from leadvibe.scoring import queries as scoring
from tests.factories import make_principal


class SilentQueue:
    """A queue whose workers never come."""

    def send(self, function: str, *arguments: str, job_id: str) -> None:
        pass


def current_config(scope: Scope) -> Config:
    return scoring.get_config(scope, scoring.current_version(scope))


def ask_preview(scope: Scope, config: Config | None = None, **fields: Any) -> Preview:
    wanted: dict[str, Any] = {"kind": PreviewKind.ENGAGEMENT, "subject": "a test", **fields}
    asked = service.request_preview(
        make_principal(scope),
        scope,
        config or current_config(scope),
        queue=SilentQueue(),
        now=utc_now(),
        **wanted,
    )
    commit()
    return asked


def preview(scope: Scope, config: Config | None = None, **fields: Any) -> Preview:
    """Return a finished preview."""
    asked = ask_preview(scope, config, **fields)
    advance_preview(scope, asked.walk_id)
    return queries.get_preview(scope, asked.walk_id)


def affected(scope: Scope, found: Preview) -> list[Comparison]:
    return queries.search_preview_leads(scope, found.walk_id, PageRequest(1, 500)).items


def ask_rescore(scope: Scope) -> Rescore:
    asked = service.request_rescore(
        make_principal(scope), scope, queue=SilentQueue(), now=utc_now()
    )
    commit()
    return asked


def rescore(scope: Scope) -> Rescore:
    """Return a finished rescore."""
    asked = ask_rescore(scope)
    advance_rescore(scope, asked.walk_id, ring=lambda: None)
    return queries.get_rescore(scope, asked.walk_id)


def checksums(*, but: frozenset[str] = frozenset()) -> dict[str, str]:
    """Return a checksum of every table's rows, some tables left out."""
    tables = driver().execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
    )
    names = [name for (name,) in tables if name not in but]
    statement = "SELECT md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) FROM {} t"
    return {name: driver().execute(statement.format(name)).fetchone()[0] for name in names}
