"""The audit log: who has changed what, in sentences, and every request that asked for a change."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID

from flask import Blueprint, Response, request, stream_with_context
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.audit.queries import FIRST_REFUSAL, list_before
from leadvibe.audit.types import AuditSpan, Entry, Place, Placed
from leadvibe.events.usage import SAMPLE_SOURCE
from leadvibe.http.permissions import require_member
from leadvibe.identity import queries as identity
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal
from leadvibe.imports.queries import list_filenames
from leadvibe.lib.ids import parse_id
from leadvibe.lib.spreadsheets import write_csv
from leadvibe.scoring import versions
from leadvibe.scoring.types import ConfigVersion
from leadvibe.web.audit_words import Kind, deed_of
from leadvibe.web.pages.audit import AuditPage, Change, Difference, Request
from leadvibe.web.pages.display import MONTHS, Choice, Moment, Tone, query_url
from leadvibe.web.rendering import render

AUDIT = "/app/settings/audit"
SIZE = 40
READ_AT_ONCE = 200
MOST_READS = 10
"""Of requests that tell of nothing: then the page ends early, and the next goes on from there."""

MOST_EXPORTED = 50_000
REQUESTS = "requests"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OF_IMPORT = re.compile(r"/imports/(?:leads/)?([0-9a-f-]{36})(?:/|$)")
_TICK = timedelta(microseconds=1)

pages = Blueprint("audit", __name__)


class _Cursor(NamedTuple):
    """Where both sources of a page go on: requests, and versions of the configuration."""

    place: Place | None = None
    version: int | None = None

    def __str__(self) -> str:
        at, key = (self.place.created_at, self.place.audit_id) if self.place else (None, None)
        micros = "" if at is None else str((at - _EPOCH) // _TICK)
        return f"{micros}.{key.hex if key else ''}.{self.version or ''}"


class _Wanted(NamedTuple):
    span: AuditSpan
    kind: Kind | None
    day: date | None


class _Told(NamedTuple):
    """Something that was changed, before it is put into words for the page."""

    at: datetime
    actor: str
    kind: Kind
    words: str
    via: str
    version: int | None
    cursor: _Cursor
    import_id: UUID | None = None


@pages.get("/settings/audit")
def show_audit() -> AnyResponse:
    principal = require_member(Permission.OWN)
    wanted, cursor = _wanted(), _read_cursor(request.args.get("before", ""))
    if request.args.get("view") == REQUESTS:
        page = _requests_page(principal, wanted, cursor)
    else:
        page = _changes_page(principal, wanted, cursor)
    return render("audit/page.html", page=page, section=AUDIT)


@pages.get("/settings/audit.csv")
def export() -> AnyResponse:
    principal = require_member(Permission.OWN)
    wanted, names = _wanted(), _names(principal)
    if request.args.get("view") == REQUESTS:
        header: tuple[str, ...] = (
            "at", "who", "method", "path", "status", "ip", "milliseconds", "via", "token",
        )  # fmt: skip
        rows: Iterator[tuple[object, ...]] = _request_rows(principal, wanted)
    else:
        header = ("at", "who", "address", "kind", "what")
        rows = (
            (it.at.isoformat(), names.get(it.actor, it.actor), it.actor, it.kind.value, it.words)
            for it in _all_changes(principal, wanted)
        )
    text = stream_with_context(write_csv(header, rows))
    response = Response(text, mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename="leadvibe-audit.csv")
    return response


def _changes_page(principal: Principal, wanted: _Wanted, cursor: _Cursor) -> AuditPage:
    told, is_more, last = _read_changes(principal, wanted, cursor)
    names, day, changes = _names(principal), "", []
    import_ids = {it.import_id for it in told if it.import_id}
    files = list_filenames(principal.scope, import_ids) if import_ids else {}
    for one in told:
        today = _day_of(one.at)
        changes.append(
            Change(
                at=Moment.of(one.at),
                day=today if today != day else "",
                who=names.get(one.actor, one.actor) or "Somebody",
                words=one.words,
                subject=files.get(one.import_id, "") if one.import_id else "",
                kind=one.kind.value,
                via=one.via,
                differences=_differences(principal, one.version),
            )
        )
        day = today
    return _page(principal, wanted, changes=tuple(changes), next_=last if is_more else None)


def _requests_page(principal: Principal, wanted: _Wanted, cursor: _Cursor) -> AuditPage:
    found = list_before(
        principal.org_id, cursor.place, wanted.span, places=_places(principal), limit=SIZE + 1
    )
    names, shown = _names(principal), found[:SIZE]
    rows = tuple(_request(it.entry, names) for it in shown)
    next_ = _Cursor(shown[-1].place) if len(found) > SIZE else None
    return _page(principal, wanted, requests=rows, next_=next_)


def _read_changes(
    principal: Principal, wanted: _Wanted, cursor: _Cursor
) -> tuple[list[_Told], bool, _Cursor]:
    """Return a page of changes, whether there may be more, and where these begin."""
    done = AuditSpan(
        actor=wanted.span.actor, since=wanted.span.since, until=wanted.span.until, is_done=True
    )
    requests: list[_Told] = []
    place, is_more = cursor.place, False
    for _ in range(MOST_READS if wanted.kind is not Kind.SCORING else 1):
        read = list_before(
            principal.org_id, place, done, places=_places(principal), limit=READ_AT_ONCE
        )
        requests += [told for it in read if (told := _tell(it, wanted.kind))]
        is_more = len(read) == READ_AT_ONCE
        place = read[-1].place if read else place
        if not is_more or len(requests) > SIZE:
            break
    versions_ = _read_versions(principal, wanted, cursor.version)
    both = sorted([*requests, *versions_], key=lambda it: it.at, reverse=True)
    shown = both[:SIZE]
    last = _last_of(shown, cursor, place if is_more and len(both) <= SIZE else None)
    return shown, len(both) > SIZE or is_more, last


def _last_of(shown: list[_Told], cursor: _Cursor, read_to: Place | None) -> _Cursor:
    places = [it.cursor.place for it in shown if it.cursor.place]
    numbers = [it.version for it in shown if it.version]
    return _Cursor(
        read_to or (places[-1] if places else cursor.place),
        numbers[-1] if numbers else cursor.version,
    )


def _read_versions(principal: Principal, wanted: _Wanted, below: int | None) -> list[_Told]:
    if wanted.kind not in {None, Kind.SCORING} or principal.unit_id is None:
        return []
    span = wanted.span
    found = versions.list_before(
        principal.scope, below, by=span.actor, since=span.since, until=span.until, limit=SIZE + 1
    )
    return [_tell_version(it) for it in found]


def _all_changes(principal: Principal, wanted: _Wanted) -> Iterator[_Told]:
    cursor, count, is_more = _Cursor(), 0, True
    while is_more and count < MOST_EXPORTED:
        told, is_more, cursor = _read_changes(principal, wanted, cursor)
        yield from told
        count += len(told)


def _request_rows(principal: Principal, wanted: _Wanted) -> Iterator[tuple[object, ...]]:
    place, count = None, 0
    while count < MOST_EXPORTED:
        found = list_before(
            principal.org_id, place, wanted.span, places=_places(principal), limit=READ_AT_ONCE
        )
        for it in found:
            entry = it.entry
            yield (
                entry.created_at.isoformat(), entry.actor, entry.method, entry.path, entry.status,
                entry.ip, entry.latency_ms, entry.via, entry.token_name,
            )  # fmt: skip
        if len(found) < READ_AT_ONCE:
            return
        place, count = found[-1].place, count + len(found)


def _tell(placed: Placed, kind: Kind | None) -> _Told | None:
    entry = placed.entry
    deed = deed_of(entry.method, entry.path)
    if deed is None or kind not in {None, deed.kind}:
        return None
    return _Told(
        entry.created_at,
        entry.actor,
        deed.kind,
        deed.words,
        _via(entry),
        None,
        _Cursor(placed.place),
        _import_in(entry.path),
    )


def _import_in(path: str) -> UUID | None:
    """Return the import that a path is about."""
    found = _OF_IMPORT.search(path)
    return parse_id(found[1]) if found else None


def _tell_version(version: ConfigVersion) -> _Told:
    words = f"changed scoring: {version.summary}"
    return _Told(
        version.created_at, version.created_by, Kind.SCORING, words, "", version.version,
        _Cursor(None, version.version),
    )  # fmt: skip


def _differences(principal: Principal, version: int | None) -> tuple[Difference, ...]:
    if version is None or version <= 1:
        return ()
    changes = versions.compare_versions(principal.scope, version - 1, version)
    return tuple(
        Difference(
            f"{it.kind.replace('_', ' ').capitalize()} {it.name}".strip(),
            it.before or "",
            it.after or "",
        )
        for it in changes
    )


def _request(entry: Entry, names: Mapping[str, str]) -> Request:
    return Request(
        at=Moment.of(entry.created_at),
        who=names.get(entry.actor, entry.actor) or "Nobody known",
        method=entry.method,
        path=entry.path,
        status=str(entry.status),
        tone=Tone.BAD if entry.status >= FIRST_REFUSAL else Tone.OK,
        ip=entry.ip or "",
        latency=f"{entry.latency_ms:,} ms",
        via=_via(entry),
    )


def _via(entry: Entry) -> str:
    if entry.token_name:
        return f"token {entry.token_name}"
    return "" if entry.via in {None, "session"} else str(entry.via).replace("_", " ")


def _page(
    principal: Principal,
    wanted: _Wanted,
    *,
    changes: tuple[Change, ...] = (),
    requests: tuple[Request, ...] = (),
    next_: _Cursor | None,
) -> AuditPage:
    view = REQUESTS if request.args.get("view") == REQUESTS else ""
    day = wanted.day.isoformat() if wanted.day else ""
    kind, member = wanted.kind or "", wanted.span.actor or ""
    params = {"view": view, "member": member, "kind": kind, "day": day}
    return AuditPage(
        tabs=(
            Choice("Changes", is_selected=not view, url=query_url(AUDIT, params, view="")),
            Choice(
                "Requests",
                is_selected=bool(view),
                url=query_url(AUDIT, params, view=REQUESTS, kind=""),
            ),
        ),
        view=view,
        changes=changes,
        requests=requests,
        members=_members(principal, member),
        kinds=tuple(Choice(it.value, it.value, it == kind) for it in Kind),
        day=day,
        is_filtered=any((kind, member, day)),
        is_later=bool(request.args.get("before")),
        older_url=query_url(AUDIT, params, before=str(next_)) if next_ else "",
        newest_url=query_url(AUDIT, params),
        export_url=query_url(f"{AUDIT}.csv", params),
        path=AUDIT,
    )


def _members(principal: Principal, chosen: str) -> tuple[Choice, ...]:
    listed = {
        actor: Choice(name, actor, actor == chosen) for actor, name in _names(principal).items()
    }
    if chosen and chosen not in listed:
        listed[chosen] = Choice(chosen, chosen, is_selected=True)
    return tuple(listed.values())


def _names(principal: Principal) -> dict[str, str]:
    members = identity.list_members(principal.scope)
    credentials = identity.list_credentials(principal.scope)
    return {
        **{it.member.email: it.member.name for it in members},
        **{it.client_id: f"{it.name} (API)" for it in credentials},
        "command": "The command line",
        SAMPLE_SOURCE: "Sample data",
    }


def _places(principal: Principal) -> list[UUID | None]:
    """Say whose entries are shown: sign-ins and the like only to admins."""
    return (
        [principal.unit_id, None] if can(principal, Permission.ADMINISTER) else [principal.unit_id]
    )


def _wanted() -> _Wanted:
    kind, member = request.args.get("kind", ""), request.args.get("member", "").strip()
    try:
        day = date.fromisoformat(request.args.get("day", ""))
        since = datetime.combine(day, time(), UTC)
        until = since + timedelta(days=1)
    except (ValueError, OverflowError):
        day, since, until = None, None, None
    member = "".join(filter(str.isprintable, member))
    span = AuditSpan(actor=member or None, since=since, until=until)
    return _Wanted(span, Kind(kind) if kind in set(Kind) else None, day)


def _read_cursor(text: str) -> _Cursor:
    """Return where a page begins; anything else than what we wrote is the beginning."""
    micros, _, rest = text.partition(".")
    key, _, version = rest.partition(".")
    audit_id = parse_id(key)
    place = None
    if micros.isdecimal() and len(micros) < 17 and audit_id is not None:  # noqa: PLR2004 - the year 5138
        at = _EPOCH + int(micros) * _TICK
        place = Place(at, audit_id)
    return _Cursor(place, int(version) if version.isdecimal() and len(version) < 10 else None)  # noqa: PLR2004 - fits the column


def _day_of(at: datetime) -> str:
    at = at.astimezone(UTC)
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}"
