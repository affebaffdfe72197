"""Lists come back from PostgreSQL as they were sent, whichever way they were written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.adapt import PyFormat

from leadvibe.lib.arrays import ArrayDumper
from leadvibe.lib.db import driver

texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))
instants = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis takes naive bounds
kinds: dict[str, st.SearchStrategy[Any]] = {
    "text": texts,
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "uuid": st.uuids(),
    "timestamptz": instants,
}


@pytest.mark.parametrize("kind", kinds)
@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_list_comes_back_as_it_was_sent(app: Flask, kind: str, data: st.DataObject) -> None:
    sent = data.draw(st.lists(st.none() | kinds[kind]))
    row = driver().execute(f"SELECT %s::{kind}[]", (sent,)).fetchone()
    assert row == (sent,)


@pytest.mark.parametrize(
    "awkward", ["", "NULL", "null", '"', "\\", "a,b", "{a}", " a ", "é\n", 'x"y\\z']
)
def test_awkward_texts_stay_what_they_are(app: Flask, awkward: str) -> None:
    row = driver().execute("SELECT %s::text[]", ([awkward, "plain"],)).fetchone()
    assert row == ([awkward, "plain"],)


def test_a_nul_is_refused_as_ever(app: Flask) -> None:
    with pytest.raises(psycopg.DataError, match="NUL"):
        driver().execute("SELECT %s::text[]", (["a\x00b"],))


def test_every_connection_writes_lists_so(app: Flask) -> None:
    assert driver().adapters.get_dumper(list, PyFormat.AUTO) is ArrayDumper
