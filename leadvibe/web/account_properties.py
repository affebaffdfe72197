"""The form of an account's metadata: what was changed in it, and by whom meanwhile.

The form sends `key-0`, `value-0`, `was-0` and so on, and `remove` with the place of a line. Only
lines that were changed are saved, so that two who change different ones do not undo each other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json

from leadvibe.web.pages.accounts import Property
from leadvibe.web.pages.display import Alert, Tone

MOST_LINES = 200
LONGEST_KEY = 200
BLANK_LINES = 1
_PLACE = re.compile(r"key-([0-9]{1,4})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,9})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edits:
    """What a form asks for. `lines` are as they were sent, with what is wrong in them."""

    changes: Mapping[str, Any] = field(default_factory=dict)
    lines: tuple[Property, ...] = ()
    alert: Alert | None = None

    @property
    def is_wrong(self) -> bool:
        return self.alert is not None


def show_properties(metadata: Mapping[str, Any], edits: Edits | None) -> tuple[Property, ...]:
    """Return the lines of the form: as they were sent, or as they are stored with a blank one."""
    if edits is not None and edits.lines:
        return edits.lines
    stored = [
        Property(place=str(place), key=key, value=write_value(value), was=write_value(value))
        for place, (key, value) in enumerate(metadata.items())
    ]
    blank = [
        Property(place=str(len(stored) + more), key="", value="", is_new=True)
        for more in range(BLANK_LINES)
    ]
    return (*stored, *blank)


def read_edits(form: Mapping[str, str], metadata: Mapping[str, Any]) -> Edits:
    """Read what was changed; what somebody else has changed meanwhile is an error."""
    places = sorted({int(found[1]) for name in form if (found := _PLACE.fullmatch(name))})
    changes: dict[str, Any] = {}
    lines: list[Property] = []
    for place in places[:MOST_LINES]:
        line = _read_line(form, str(place), metadata)
        lines.append(line)
        if line.key and not line.error and form.get("remove") == line.place:
            changes[line.key] = None
        elif line.key and not line.error and line.value != form.get(f"was-{place}", ""):
            changes[line.key] = read_value(line.value, metadata.get(line.key))
    if any(line.error for line in lines):
        alert = Alert("Nothing was saved: look at the lines below.", Tone.BAD)
        return Edits(lines=tuple(lines), alert=alert)
    return Edits(changes=changes, lines=tuple(lines))


def _read_line(form: Mapping[str, str], place: str, metadata: Mapping[str, Any]) -> Property:
    key = form.get(f"key-{place}", "").strip()
    value = form.get(f"value-{place}", "").strip()
    was, stored = form.get(f"was-{place}"), metadata.get(key)
    error = ""
    if not key and value:
        error = "Say what this is called."
    elif len(key) > LONGEST_KEY or not key.isprintable():
        error = f"Use a shorter name, of at most {LONGEST_KEY} letters."
    elif "\0" in value:
        error = "This contains a character that cannot be stored."
    elif key and was is None and stored is not None and value:
        error = "There is one of this name already: change it there."
    elif was is not None and write_value(stored) != was and value != was:
        error = f"Somebody has changed this meanwhile: it is “{write_value(stored)}” now."
    return Property(
        place=place,
        key=key,
        value=value,
        # What is there now, so that sending the form again means it.
        was=write_value(stored) if was is not None else "",
        error=error,
        is_new=was is None,
    )


def write_value(value: Any) -> str:
    """Spell a stored value for a text field: text as it is, and the rest as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def read_value(text: str, stored: Any) -> Any:
    """Read what was typed: a number, yes or no, or a list is one, unless it was text before."""
    if not text:
        return None
    if isinstance(stored, str):
        return text
    if _NUMBER.fullmatch(text) or text in {"true", "false"} or text[0] in "[{":
        try:
            return from_json(text, allow_inf_nan=False)
        except ValueError:
            return text
    return text
