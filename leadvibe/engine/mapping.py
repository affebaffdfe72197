"""Properties that events bring: field mappings applied by the time of the events.

The order in which events arrive makes no difference, nor how they are batched, nor whether one
comes twice: a property is a function of what was set by hand and of all events since. A trace
beside each property remembers as much of these as later ones can ask for.

What is set by hand counts as set at that instant: events up to it change nothing any more. Of
several mappings to one property the oldest that finds a value in an event speaks for it, and how
that one updates holds for all of them. Empty values are passed over, as are very long ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from json import dumps
from types import MappingProxyType
from typing import Any, NamedTuple

from leadvibe.engine.conditions import find_value, is_empty
from leadvibe.engine.policies import FieldMapping, UpdateBehavior

LIST_SUFFIX = "_list"
LONGEST_LIST = 10
"""Values that `append` keeps, the latest by the time of their events."""

LONGEST_VALUE = 10_000
"""Characters of a value as JSON; longer ones are no properties of anybody."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_NEVER = -1
_PLAIN = (int, float, bool)


class Moment(NamedTuple):
    """When an event happened, in microseconds since 1970, and its place in the order of arrival."""

    at: int
    receipt: int


class Told(NamedTuple):
    """What one event says of its lead."""

    occurred_at: datetime
    receipt: int
    metadata: Mapping[str, Any]

    @property
    def moment(self) -> Moment:
        return Moment(instant_of(self.occurred_at), self.receipt)


class Kept(NamedTuple):
    """A value in a list, with the moment of its event."""

    moment: Moment
    value: Any


class Trace(NamedTuple):
    """Where a property's value comes from.

    `hand` is when somebody last set it by hand (_NEVER when nobody did), `base` what it was then,
    kept from when an event covers it. `event` is the moment that the value comes from; a list has
    `kept` instead, in order. A property without either is as the base has it.
    """

    hand: int = _NEVER
    base: Any = None
    event: Moment | None = None
    kept: tuple[Kept, ...] = ()

    @property
    def is_covered(self) -> bool:
        """Say whether the value is an event's rather than the base."""
        return self.event is not None or bool(self.kept)

    def to_json(self) -> tuple[Any, ...]:
        """Return the trace as JSON can hold it, an array; from_json reads it back exactly."""
        if self.kept:
            return self
        return self[:1] if self.event is None else self[:3]

    @classmethod
    def from_json(cls, data: Sequence[Any]) -> Trace:
        """Read what to_json wrote."""
        hand, base, event, kept = (*data, *_REST[len(data) :])
        return cls(
            hand,
            base,
            Moment(*event) if event else None,
            tuple(Kept(Moment(*moment), value) for moment, value in kept),
        )


_UNTRACED = Trace()
_REST = tuple(_UNTRACED)
Properties = Mapping[str, Any]
Traces = Mapping[str, Trace]


class Document(NamedTuple):
    """Properties, and where they come from. One without a trace is as old as time."""

    properties: Properties = MappingProxyType({})
    traces: Traces = MappingProxyType({})


EMPTY = Document()


class Mapper:
    """The field mappings of one kind, ready to be applied to any number of documents."""

    def __init__(self, mappings: Iterable[FieldMapping]) -> None:
        self._behaviors: dict[str, UpdateBehavior] = {}
        sources: dict[str, list[str]] = {}
        for mapping in mappings:  # oldest first
            target = mapping.target_property
            self._behaviors.setdefault(target, mapping.update_behavior)
            sources.setdefault(target, []).append(mapping.source_field)
        lists = {name + LIST_SUFFIX for name in sources if self._appends(name)}
        self._sources = tuple(each for each in sources.items() if each[0] not in lists)

    def __bool__(self) -> bool:
        return bool(self._sources)

    @property
    def keys(self) -> frozenset[str]:
        """What an event's metadata must have one of, at its top, to have anything to say."""
        paths = [path for _, sources in self._sources for path in sources]
        return frozenset(paths) | {path.partition(".")[0] for path in paths}

    def hears(self, metadata: Mapping[str, Any]) -> bool:
        """Say whether an event with this metadata has anything to say."""
        return next(self._offers(metadata), None) is not None

    def apply(self, document: Document, told: Iterable[Told]) -> Document:
        """Add what events say.

        Returns the very document when that changes nothing, and its very properties when only
        traces change.
        """
        update = _Update(document)
        for each in told:
            moment: Moment | None = None
            for name, value in self._offers(each.metadata):
                moment = moment or each.moment
                self._offer(update, name, value, moment)
        return update.result()

    def forget(self, document: Document) -> Document:
        """Take away what events gave the mapped properties: where finding them anew begins."""
        covered = self._covered(document)
        if not covered:
            return document
        properties = {**document.properties, **{name: it.base for name, it in covered.items()}}
        bare = {name: Trace(hand=it.hand) for name, it in covered.items()}
        return Document(
            {name: value for name, value in properties.items() if value is not None},
            {**document.traces, **bare},
        )

    def recall(self, before: Document, fresh: Document) -> Document:
        """Give properties of which no event spoke any more the values back that they had.

        `fresh` is what came of forgetting all of `before` and applying all events there are.
        """
        orphans = {
            name: trace
            for name, trace in self._covered(before).items()
            if not fresh.traces[name].is_covered
        }
        values = {name: before.properties[name] for name in orphans if name in before.properties}
        recalled = Document({**fresh.properties, **values}, {**fresh.traces, **orphans})
        return _unless_same(before, recalled)

    def rebuild(
        self, document: Document, told: Iterable[Told], *, keeps_orphans: bool = True
    ) -> Document:
        """Find the mapped properties anew from all events there are.

        A property that none of them speaks of any more keeps its value, as orphan of an event that
        is gone, or goes back to what it was set to by hand when `keeps_orphans` is False.
        """
        fresh = self.apply(self.forget(document), told)
        return self.recall(document, fresh) if keeps_orphans else _unless_same(document, fresh)

    def _covered(self, document: Document) -> dict[str, Trace]:
        return {
            name: trace
            for name, trace in document.traces.items()
            if trace.is_covered and self._owns(name)
        }

    def _appends(self, name: str) -> bool:
        return self._behaviors[name] is UpdateBehavior.APPEND

    def _owns(self, name: str) -> bool:
        return name in self._behaviors or name.removesuffix(LIST_SUFFIX) in self._behaviors

    def _offers(self, metadata: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        for name, sources in self._sources:
            for source in sources:
                value = find_value(metadata, source)
                if _is_worth_keeping(value):
                    yield name, value
                    break

    def _offer(self, update: _Update, name: str, value: Any, moment: Moment) -> None:
        if self._behaviors[name] is UpdateBehavior.SET_ONCE:
            update.set_once(name, value, moment)
            return
        update.set_latest(name, value, moment)
        if self._appends(name):
            update.append(name + LIST_SUFFIX, value, moment)


class _Update:
    """A document in the making; what is not touched is not copied."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._properties: dict[str, Any] = {}
        self._traces: dict[str, Trace] = {}

    def set_latest(self, name: str, value: Any, moment: Moment) -> None:
        trace = self._trace(name)
        if moment.at > trace.hand and (trace.event is None or moment > trace.event):
            self._cover(name, value, trace, moment)

    def set_once(self, name: str, value: Any, moment: Moment) -> None:
        trace = self._trace(name)
        if moment.at <= trace.hand:
            return
        if trace.event is None:
            if is_empty(self._value(name)):
                self._cover(name, value, trace, moment)
        elif moment < trace.event:
            self._cover(name, value, trace, moment)

    def append(self, name: str, value: Any, moment: Moment) -> None:
        trace = self._trace(name)
        hand, base, event, kept = trace
        if moment.at <= hand:
            return
        new = Kept(moment, value)
        latest: tuple[Kept, ...]
        if not kept:
            base, latest = self._value(name), (new,)
        elif moment > kept[-1].moment:
            latest = (*kept[1 - LONGEST_LIST :], new)
        else:
            latest = _insert(kept, new)
            if latest == kept:
                return
        self._traces[name] = Trace(hand, base, event, latest)
        values = [*_as_list(base), *(each.value for each in latest)]
        self._properties[name] = values[-LONGEST_LIST:]

    def result(self) -> Document:
        if not self._traces:
            return self._document
        properties, traces = self._document
        changed = {
            name: value
            for name, value in self._properties.items()
            if name not in properties or not _is_same(properties[name], value)
        }
        return Document(
            {**properties, **changed} if changed else properties, {**traces, **self._traces}
        )

    def _cover(self, name: str, value: Any, trace: Trace, moment: Moment) -> None:
        base = self._value(name) if trace.event is None else trace.base
        self._properties[name] = value
        self._traces[name] = Trace(trace.hand, base, moment, trace.kept)

    def _trace(self, name: str) -> Trace:
        return self._traces.get(name) or self._document.traces.get(name, _UNTRACED)

    def _value(self, name: str) -> Any:
        if name in self._properties:
            return self._properties[name]
        return self._document.properties.get(name)


def set_by_hand(
    document: Document, changes: Mapping[str, Any], *, at: datetime, replaces: bool = False
) -> Document:
    """Set properties as somebody wants them now; a null takes its property away.

    With `replaces` whatever is not named goes, too. They win over every event that is known.
    """
    wanted = dict(changes)
    if replaces:
        wanted = {**dict.fromkeys(document.properties), **wanted}
    properties = {**document.properties, **wanted}
    traces = {
        name: Trace(hand=_after(document.traces.get(name, _UNTRACED), instant_of(at)))
        for name in wanted
    }
    return Document(
        {name: value for name, value in properties.items() if value is not None},
        {**document.traces, **traces},
    )


def _insert(kept: tuple[Kept, ...], new: Kept) -> tuple[Kept, ...]:
    """Put a value where its moment belongs; the same event says nothing twice."""
    if any(each.moment == new.moment for each in kept):
        return kept
    ordered = sorted((*kept, new), key=lambda each: each.moment)
    return tuple(ordered[-LONGEST_LIST:])


def instant_of(at: datetime) -> int:
    """Return an instant as microseconds since 1970."""
    return (at - _EPOCH) // _TICK


def list_of(mapping: FieldMapping) -> str | None:
    """Return the property that holds the list of an appending mapping, None of any other."""
    if mapping.update_behavior is UpdateBehavior.APPEND:
        return mapping.target_property + LIST_SUFFIX
    return None


def _after(trace: Trace, at: int) -> int:
    """Return the instant, or that of a later event which it is to win over nevertheless."""
    moments = [kept.moment for kept in trace.kept]
    if trace.event is not None:
        moments.append(trace.event)
    return max([at, *(moment.at for moment in moments)])


def _unless_same(before: Document, after: Document) -> Document:
    if _is_same(before.properties, after.properties):
        return (
            before if before.traces == after.traces else Document(before.properties, after.traces)
        )
    return after


def _is_same(one: Any, other: Any) -> bool:
    """Say whether two values are the same JSON; to Python, true and 1 are equal."""
    if one is other:
        return True
    if one != other or type(one) is not type(other):
        return False
    return isinstance(one, str) or dumps(one, sort_keys=True) == dumps(other, sort_keys=True)


def _is_worth_keeping(value: Any) -> bool:
    if isinstance(value, str):
        return 0 < len(value) <= LONGEST_VALUE
    if isinstance(value, _PLAIN):
        return True
    return not is_empty(value) and len(dumps(value)) <= LONGEST_VALUE


def _as_list(value: Any) -> Sequence[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
