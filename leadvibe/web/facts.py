"""Metadata of leads and events as lines that people can read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from leadvibe.pipeline.calling import CALL_LOGGED, CallOutcome
from leadvibe.web.pages.display import Fact, counted

LONGEST_VALUE = 500
MOST_FACTS = 60

# What tells most about an event, the most telling first.
_TELLING = (
    "subject", "page_title", "title", "page", "path", "url", "form", "asset", "document", "webinar",
    "meeting", "topic", "feature", "integration", "outcome", "lost_reason", "reason", "amount",
    "value", "plan", "product", "campaign", "query", "name", "activity",
)  # fmt: skip
LONGEST_SUMMARY = 120


def list_facts(metadata: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Return the metadata line by line, long values cut and a very long list ended with a note."""
    facts = [Fact(key, spell_fact(value)) for key, value in metadata.items()]
    left_out = len(facts) - MOST_FACTS
    if left_out <= 0:
        return tuple(facts)
    return (*facts[:MOST_FACTS], Fact("…", f"{counted(left_out, 'more field')} through the API"))


def spell_fact(value: object) -> str:
    """Return a value as a line that people can read, cut when it is long."""
    return _shorten(_spell(value), LONGEST_VALUE)


def summarize(event_type: str, metadata: Mapping[str, Any]) -> str:
    """Return what tells most about an event, or nothing: one value, or how a call went."""
    if event_type == CALL_LOGGED and (told := _spell_call(metadata)):
        return told
    for key in _TELLING:
        value = metadata.get(key)
        if isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
            return _shorten(str(value), LONGEST_SUMMARY)
    return ""


def _spell_call(metadata: Mapping[str, Any]) -> str:
    """Say how a call that a member logged went; nothing about calls of other kinds."""
    try:
        outcome = CallOutcome(str(metadata.get("outcome")))
    except ValueError:
        return ""
    by = metadata.get("by")
    return _shorten(f"{outcome.label} · by {by}" if by else outcome.label, LONGEST_SUMMARY)


def _spell(value: object) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _shorten(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
