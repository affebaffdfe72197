"""A client of Octanist, and leads for it to find."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from leadvibe.identity.api_keys import KeyKind
from leadvibe.lib.db import commit, driver
from tests.dialects.conftest import Program

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def octanist(program, make_key) -> Program:
    return program(X_API_KEY=make_key(KeyKind.OCTANIST).text)


@pytest.fixture
def foreign_octanist(program, make_key, elsewhere) -> Program:
    """Return the stranger's client."""
    return program(X_API_KEY=make_key(KeyKind.OCTANIST, elsewhere.scope).text)


@pytest.fixture
def add(octanist):
    """Return what makes a lead and puts it into a state of its own, and returns its id."""

    def make(name=None, *, at=None, status=None, value=None, columns=(), **given) -> str:
        body = {"name": name, **given} if name else given
        made = octanist.post("/api/leads", body or {"custom": "x"})
        assert made.status_code == 200, made.text
        lead_id = made.json["data"]["id"]
        changes = {"status": status, "value": value}
        if changes := {key: it for key, it in changes.items() if it is not None}:
            assert octanist.patch("/api/leads", {"id": lead_id, **changes}).status_code == 200
        if stored := {**dict(columns), **({"created_at": at} if at else {})}:
            driver().execute(
                f"UPDATE lead_records SET {', '.join(f'{it} = %s' for it in stored)}"
                " WHERE lead_id = %s",
                (*stored.values(), lead_id),
            )
        commit()
        return lead_id

    return make


@pytest.fixture
def names(octanist):
    """Return what lists the names of the leads that a query string finds."""

    def find(query: str = "") -> list[str]:
        found = octanist.get("/api/leads", query)
        assert found.status_code == 200, found.text
        assert found.json["meta"]["pagination"]["total"] >= len(found.json["data"])
        return [lead["name"] for lead in found.json["data"]]

    return find


def ago(minutes: int) -> datetime:
    return NOON - timedelta(minutes=minutes)
