"""What many tests start from, made once and then put back: with ids and times of its own each time.

A scene is what a fixture makes through the services, with the rows that this left. Making the cast
and a unit that scores takes forty milliseconds; putting their rows back takes four. Every id is
new each time, since what Leadvibe remembers between requests it remembers by id, and every time
lies as long before the test as it would if the scene had just been made.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from leadvibe import schema
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.lib.ids import new_id

_TABLES = [table.name for table in schema.metadata.sorted_tables]
_TERMS = {"lead_search": "search_terms", "account_search": "search_grams"}
_ID = rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_TIME = rb"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?:\+00(?::00)?|Z)"
_ID_OR_TIME = re.compile(rb"(%b)|(%b)" % (_ID, _TIME))
_ITS_TIME = timedelta(days=400)
"""Times further from the scene than this are not its own: the end of all days, for example."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What was made, and the rows that this left."""

    made: Any
    at: datetime
    rows: dict[str, bytes]
    """The whole content of each table that making it has changed."""


class Scenes:
    """The scenes of a test, which know of each other's ids."""

    def __init__(self, kept: dict[str, Scene]) -> None:
        self._kept = kept
        self._ids: dict[UUID, UUID] = {}

    def set(self, name: str, make: Callable[[], Any]) -> Any:
        """Return what `make` returns, with the rows it makes; it is called once for each name.

        It may build on scenes that this test has set before, always the same ones.
        """
        if name not in self._kept:
            before = _read_all()
            made = make()
            commit()
            after = _read_all()
            changed = {table: rows for table, rows in after.items() if rows != before[table]}
            scene = Scene(made, utc_now(), changed)
            # Kept with the ids that the scenes it builds on were kept with.
            as_kept = {new: old for old, new in self._ids.items()}
            self._kept[name] = _translated(scene, _Words(as_kept, timedelta(0)))
            return made
        return self._put_back(self._kept[name])

    def _put_back(self, scene: Scene) -> Any:
        found = {match[1] for rows in scene.rows.values() for match in _ID_OR_TIME.finditer(rows)}
        for old in sorted(UUID(each.decode()) for each in found if each):  # new ids ascend as well
            self._ids.setdefault(old, new_id())
        scene = _translated(scene, _Words(self._ids, utc_now() - scene.at))
        _write(scene.rows)
        commit()
        return scene.made


@dataclass(frozen=True, slots=True)
class _Words:
    """What is said instead in this test."""

    ids: dict[UUID, UUID]
    delay: timedelta


def _translated(value: Any, words: _Words) -> Any:
    """Return a value with other ids and times, however deep inside they are."""
    if isinstance(value, UUID):
        return words.ids.get(value, value)
    if isinstance(value, datetime):
        is_its_own = abs(utc_now() - value) < _ITS_TIME
        return value + words.delay if is_its_own else value
    if isinstance(value, bytes):
        return _ID_OR_TIME.sub(lambda match: _translated_word(match, words), value)
    if type(value) is str:  # no member of an enumeration
        return _translated(value.encode(), words).decode()
    if isinstance(value, dict):
        return {key: _translated(each, words) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(_translated(each, words) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        given = {it.name: getattr(value, it.name) for it in fields(value) if it.init}
        translated = _translated(given, words)
        return replace(value, **translated) if translated != given else value
    return value


def _translated_word(match: re.Match[bytes], words: _Words) -> bytes:
    text = match[0].decode()
    if match[1]:
        return str(_translated(UUID(text), words)).encode()
    at = datetime.fromisoformat(text)
    later = _translated(at, words)
    return match[0] if later == at else later.isoformat().encode()


def _read_all() -> dict[str, bytes]:
    rows = {}
    for table in _TABLES:
        with driver().cursor().copy(f"COPY {table} TO STDOUT") as copy:
            rows[table] = b"".join(bytes(piece) for piece in copy)
    return rows


def _write(rows: dict[str, bytes]) -> None:
    """Have tables hold just these rows; what triggers and foreign keys would do is in them."""
    connection = driver()
    connection.execute("SET LOCAL session_replication_role = replica")
    for table, lines in rows.items():
        connection.execute(f"DELETE FROM {table}")
        with connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:
            copy.write(lines)
    for table in _TERMS.keys() & rows.keys():
        # Terms end in a piece of the unit's id, too short to be taken for an id: no search would
        # find anybody in a unit that has another one now.
        connection.execute(f"UPDATE {table} SET grams = {_TERMS[table]}(unit_id, text)")
    connection.execute("SET LOCAL session_replication_role = origin")
