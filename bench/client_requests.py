"""The requests of clients of other products: every filter, every order, and what goes together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations
from random import Random
from typing import NamedTuple

from bench.client_data import BRANCHES, COMPANIES, FIRST_NAMES, LAST_NAMES
from leadvibe.dialects.octanist.lead_fields import SORTABLE, SOURCES, STATUSES
from leadvibe.identity.types import Scope
from leadvibe.leads.fields import CLICK_IDS
from leadvibe.leads.statuses import Status
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import driver

OCTANIST, NEXUS = "/api/leads", "/api/v1/leads"
TEXTS = ("website", "labelId", "utm_source", "utm_medium", "utm_campaign")
DATES = ("createdAt", "updatedAt", "qualifiedAt")
COMPARED = ("gte", "gt", "lte", "lt")
_COLUMNS = {"labelId": "label_id"}
_SINCE_DAYS = 3 * 365
_SAMPLE = 400

Query = dict[str, str]
Maker = Callable[[Random], Query]


class Group(NamedTuple):
    """Requests alike but for their values."""

    name: str
    path: str
    make: Maker


class Values(NamedTuple):
    """What there is to ask for: of each column, common values first."""

    texts: Mapping[str, Sequence[str]]
    emails: Sequence[str]
    phones: Sequence[str]
    companies: Sequence[str]
    members: Sequence[str]


def read_values(scope: Scope) -> Values:
    """Read common and rare values of every field that takes them."""
    names = {it: _COLUMNS.get(it, it) for it in (*TEXTS, *CLICK_IDS)}
    return Values(
        {it: _values_of(scope, column) for it, column in names.items()},
        *(_values_of(scope, column) for column in ("email", "phone", "company", "owner_id")),
    )


def _values_of(scope: Scope, column: str) -> list[str]:
    rows = driver().execute(
        f"""
        SELECT {column}::text FROM (
            SELECT {column} FROM lead_records TABLESAMPLE SYSTEM (2)
            WHERE unit_id = %s AND {column} IS NOT NULL
        ) sampled GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT {_SAMPLE}
        """,
        (scope.unit_id,),
    )
    return [value for (value,) in rows]


def groups(values: Values, only: str = "") -> Iterator[Group]:
    """Yield all groups, or those whose name contains one of some texts with | between."""
    for group in (*_octanist(values), *_nexus(values)):
        if any(it in group.name for it in only.split("|")):
            yield group


def _octanist(values: Values) -> Iterator[Group]:
    filters = dict(_filters(values))
    orders: dict[str, Maker] = {
        f"sort={key}:{way}": _always(sort=f"{key}:{way}")
        for key in SORTABLE
        for way in ("asc", "desc")
    }
    orders |= {
        f"sort={text}": _always(sort=text)
        for text in ("status:asc,value:desc", "value:desc,name:asc", "updated_at:desc")
    }
    searches = dict(_searches(values, COMPANIES))
    everything = {"nothing": _always(), **filters, **searches}
    for name, make in everything.items():
        yield Group(f"octanist {name}", OCTANIST, make)
    for order, sort in orders.items():
        yield Group(f"octanist nothing {order}", OCTANIST, sort)
    for name, make in filters.items():
        for order, sort in _some(orders, name, 3):
            yield Group(f"octanist {name} {order}", OCTANIST, _both(make, sort))
    yield from _together(filters, searches, orders)
    for page in (2, 20, 200):
        yield Group(f"octanist page={page}", OCTANIST, _always(page=str(page)))
    yield Group("octanist updated_after", OCTANIST, lambda r: {"updated_after": _time(r)})


def _together(
    filters: Mapping[str, Maker], searches: Mapping[str, Maker], orders: Mapping[str, Maker]
) -> Iterator[Group]:
    """Yield what is typically asked for together: two filters, and a search with either."""
    typical = {name: filters[name] for name in _TYPICAL}
    for (first, one), (second, other) in combinations(typical.items(), 2):
        if first.split("[")[0].split("=")[0] != second.split("[")[0].split("=")[0]:
            both = _both(one, other)
            for order, sort in _some(orders, f"{first} {second}", 1):
                yield Group(f"octanist {first} {second} {order}", OCTANIST, _both(both, sort))
    for (text, search), (name, make) in _pairs(searches, typical):
        yield Group(f"octanist {text} {name}", OCTANIST, _both(search, make))
    for text, search in searches.items():
        for order, sort in _some(orders, text, 6):
            yield Group(f"octanist {text} {order}", OCTANIST, _both(search, sort))


_TYPICAL = (
    "status", "status=two", "source", "value[gte]", "value[lt]", "createdAt[gte]", "updatedAt[gte]",
    "updatedAt[lte]", "qualifiedAt[exists]", "website=common", "labelId=common",
    "utm_source=common", "utm_medium=common", "utm_campaign=common", "utm_campaign=rare",
    "gclid[exists]=true", "gclid[exists]=false", "fbc[exists]=true", "ga4cid[exists]=true",
)  # fmt: skip


def _filters(values: Values) -> Iterator[tuple[str, Maker]]:
    yield "status", lambda r: {"status": r.choice(STATUSES)}
    yield "status=two", lambda r: {"status": ",".join(r.sample(STATUSES, 2))}
    yield "source", lambda r: {"source": r.choice(SOURCES)}
    yield "value", lambda r: {"value": r.choice(("100", "200", "900", "14800", "7"))}
    for operator in COMPARED:
        yield f"value[{operator}]", _compare_value(operator)
    for key in DATES:
        for operator in COMPARED:
            yield f"{key}[{operator}]", _compare_time(key, operator)
        yield f"{key}[exists]", lambda r, key=key: {f"{key}[exists]": r.choice(("true", "false"))}
        yield f"{key} between", _between(key)
    for key in (*TEXTS, *CLICK_IDS):
        known = values.texts[key]
        if key in TEXTS:
            yield f"{key}=common", lambda r, key=key, known=known: {key: r.choice(known[:3])}
        yield f"{key}=rare", lambda r, key=key, known=known: {key: r.choice(known[-20:])}
        yield f"{key}=none", lambda r, key=key: {key: f"none{r.random()}"}
    for key in CLICK_IDS:
        for text in ("true", "false"):
            yield f"{key}[exists]={text}", _always(**{f"{key}[exists]": text})


def _searches(values: Values, companies: Sequence[str]) -> Iterator[tuple[str, Maker]]:
    yield "search=first name", lambda r: {"search": r.choice(FIRST_NAMES)}
    yield "search=last name", lambda r: {"search": r.choice(LAST_NAMES).upper()}
    yield (
        "search=full name",
        lambda r: {"search": f"{r.choice(FIRST_NAMES)} {r.choice(LAST_NAMES)}"},
    )
    yield "search=company", lambda r: {"search": r.choice(companies)}
    yield "search=branch", lambda r: {"search": r.choice(BRANCHES[2:])}
    yield "search=e-mail", lambda r: {"search": r.choice(values.emails)}
    yield "search=domain", lambda r: {"search": r.choice(("@gmail.com", "web.de", ".com", "pro"))}
    yield "search=part of e-mail", lambda r: {"search": r.choice(values.emails)[1:7]}
    yield "search=phone", lambda r: {"search": r.choice(values.phones)[3:]}
    yield "search=area code", lambda r: {"search": r.choice(values.phones)[:5]}
    yield "search=3 letters", lambda r: {"search": _letters(r, 3)}
    yield "search=2 letters", lambda r: {"search": _letters(r, 2)}
    yield "search=1 letter", lambda r: {"search": _letters(r, 1)}
    yield "search=none", lambda r: {"search": f"zzq{r.random()}"}


def _nexus(values: Values) -> Iterator[Group]:
    statuses: dict[str, Maker] = {
        "status": lambda r: {"status": r.choice([it.upper() for it in Status])}
    }
    owners: dict[str, Maker] = {
        "unassigned": _always(assignedToId="unassigned"),
        "assigned": lambda r: {"assignedToId": r.choice(values.members)},
    }
    searches = dict(_searches(values, values.companies[:200]))
    nothing: dict[str, Maker] = {"": _always()}
    for (status, by_status), (owner, by_owner) in _pairs(nothing | statuses, nothing | owners):
        for text, search in (nothing | searches).items():
            name = " ".join(it for it in (text, status, owner) if it) or "nothing"
            yield Group(f"nexus {name}", NEXUS, _both(search, _both(by_status, by_owner)))
    for page in (2, 20, 200):
        yield Group(f"nexus page={page}", NEXUS, _always(page=str(page)))


def _pairs(
    first: Mapping[str, Maker], second: Mapping[str, Maker]
) -> Iterator[tuple[tuple[str, Maker], tuple[str, Maker]]]:
    for one in first.items():
        for other in second.items():
            yield one, other


def _always(**query: str) -> Maker:
    return lambda _: query


def _both(one: Maker, other: Maker) -> Maker:
    return lambda random: one(random) | other(random)


def _some(orders: Mapping[str, Maker], name: str, count: int) -> list[tuple[str, Maker]]:
    """Return some orders, the same ones each time for what they are asked together with."""
    return Random(name).sample(list(orders.items()), count)


def _compare_value(operator: str) -> Maker:
    return lambda r: {f"value[{operator}]": str(r.choice((0, 150, 400, 1_000, 5_000, 14_000)))}


def _compare_time(key: str, operator: str) -> Maker:
    return lambda r: {f"{key}[{operator}]": _time(r)}


def _between(key: str) -> Maker:
    def make(random: Random) -> Query:
        first, last = sorted((_time(random), _time(random)))
        return {f"{key}[gte]": first, f"{key}[lt]": last}

    return make


def _time(random: Random) -> str:
    """Return an instant: one of the last days as often as any of the last years."""
    days = random.choice((1, 30, _SINCE_DAYS)) * random.random()
    at: datetime = utc_now() - timedelta(days=days)
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _letters(random: Random, count: int) -> str:
    name = random.choice(FIRST_NAMES + LAST_NAMES).lower()
    start = random.randrange(len(name) - count + 1) if count > 2 else 0
    return name[start : start + count]
