"""Which keys the metadata of events has, what stands there, and how often. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from leadvibe.scoring.condition_words import spell

DEEPEST = 3
SAMPLES = 3
LONGEST_SAMPLE = 40
MOST_KEYS = 200


@dataclass(slots=True)
class SeenKey:
    """A key, as a dotted path where it lies within others."""

    key: str
    events: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    samples: dict[str, None] = field(default_factory=dict)


def find_keys(documents: Iterable[Mapping[str, Any]]) -> list[SeenKey]:
    """Return the keys of documents, the most frequent first."""
    seen: dict[str, SeenKey] = {}
    for document in documents:
        for key, value in _flat(document, "", DEEPEST):
            one = seen.setdefault(key, SeenKey(key))
            one.events += 1
            one.kinds[kind_of(value)] += 1
            if len(one.samples) < SAMPLES:
                one.samples.setdefault(shortened(value))
    return sorted(seen.values(), key=lambda it: (-it.events, it.key))[:MOST_KEYS]


def _flat(document: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    for key, value in document.items():
        if isinstance(value, dict) and value and depth > 1:
            yield from _flat(value, f"{prefix}{key}.", depth - 1)
        elif value is not None and value != "":
            yield f"{prefix}{key}", value


def kind_of(value: object) -> str:
    """Name what a JSON value is, as people say it."""
    if isinstance(value, bool):
        return "yes or no"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, list):
        return "list"
    return "text" if isinstance(value, str) else "object"


def shortened(value: object) -> str:
    text = ("yes" if value else "no") if isinstance(value, bool) else spell(value)
    return text if len(text) <= LONGEST_SAMPLE else f"{text[: LONGEST_SAMPLE - 1]}…"
