"""What many tests start from, made once and then put back: with ids and times of its own each time.

A scene is what a fixture makes through the services, with the rows that this left. Making the cast
and a unit that scores takes forty milliseconds; putting all their rows back at once takes two.
Every id is new each time, since what Leadvibe remembers between requests it remembers by id, and
every time lies as long before the test as it would if the scene had just been made. In another
hour it is made anew, since events are counted by the hour and the day.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
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
    script: tuple[bytes | UUID | datetime, ...]
    """Statements that put back what making it has changed, cut where ids and times of it are."""


class Scenes:
    """The scenes of a test, which know of each other's ids."""

    def __init__(self, kept: dict[tuple[str, datetime], Scene]) -> None:
        self._kept = kept
        self._hour = utc_now().replace(minute=0, second=0, microsecond=0)
        self._ids: dict[UUID, UUID] = {}

    def set(self, name: str, make: Callable[[], Any]) -> Any:
        """Return what `make` returns, with the rows it makes; it is called once an hour.

        It may build on scenes that this test has set before, always the same ones.
        """
        key = (name, self._hour)
        if key not in self._kept:
            before = _read_all()
            made = make()
            commit()
            script = _script(before, _read_all())
            # Kept with the ids that the scenes it builds on were kept with.
            words = _Words({new: old for old, new in self._ids.items()}, timedelta(0))
            pieces = tuple(_cut(_translated(script, words)))
            self._kept[key] = Scene(_translated(made, words), utc_now(), pieces)
            return made
        return self._put_back(self._kept[key])

    def _put_back(self, scene: Scene) -> Any:
        for old in sorted({piece for piece in scene.script if isinstance(piece, UUID)}):
            self._ids.setdefault(old, new_id())  # new ids ascend as the old ones did
        words = _Words(self._ids, utc_now() - scene.at)
        script = b"".join(_spelt(piece, words) for piece in scene.script)
        driver().execute(script, prepare=False)
        commit()
        return _translated(scene.made, words)


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
        return value + words.delay if _is_own(value) else value
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


def _script(before: dict[str, bytes], after: dict[str, bytes]) -> bytes:
    """Write what makes one of the other; what triggers and foreign keys would do is in it."""
    statements = [b"SET LOCAL session_replication_role = replica"]
    changed = [table for table in _TABLES if after[table] != before[table]]
    for table in changed:
        statements += _changes(table, before[table].splitlines(), after[table].splitlines())
    # Terms end in a piece of the unit's id, too short to be taken for an id: no search would
    # find anybody in a unit that has another one now.
    statements += [
        f"UPDATE {table} SET grams = {_TERMS[table]}(unit_id, text)".encode()
        for table in _TERMS.keys() & set(changed)
    ]
    return b";\n".join([*statements, b"SET LOCAL session_replication_role = origin"])


def _changes(table: str, before: list[bytes], after: list[bytes]) -> Iterator[bytes]:
    """Yield what is added; or all that is there, where a row has changed."""
    has_grown = set(before) <= set(after)
    if not has_grown:
        yield f"DELETE FROM {table}".encode()
    known = set(before) if has_grown else set()
    rows = b",".join(_row(line) for line in after if line not in known)
    if rows:
        yield b"INSERT INTO %b OVERRIDING SYSTEM VALUE VALUES %b" % (table.encode(), rows)


def _row(line: bytes) -> bytes:
    """Return a line of COPY as a row of VALUES: both escape the same, but for vertical tabs."""
    assert rb"\v" not in line

    def literal(field: bytes) -> bytes:
        return b"NULL" if field == rb"\N" else b"E'%b'" % field.replace(b"'", b"''")

    return b"(%b)" % b",".join(map(literal, line.split(b"\t")))


def _cut(script: bytes) -> Iterator[bytes | UUID | datetime]:
    """Yield the script piece by piece: ids and times of the scene, and what is between them."""
    end = 0
    for match in _ID_OR_TIME.finditer(script):
        text = match[0].decode()
        piece = UUID(text) if match[1] else datetime.fromisoformat(text)
        if isinstance(piece, UUID) or _is_own(piece):
            yield from (script[end : match.start()], piece)
            end = match.end()
    yield script[end:]


def _spelt(piece: bytes | UUID | datetime, words: _Words) -> bytes:
    if isinstance(piece, bytes):
        return piece
    if isinstance(piece, UUID):
        return str(words.ids[piece]).encode()
    return (piece + words.delay).isoformat().encode()


def _is_own(time: datetime) -> bool:
    """Say whether a time is one of the scene, and no end of all days."""
    return abs(utc_now() - time) < _ITS_TIME
