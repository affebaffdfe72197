"""Telling somebody what was done, with a button that takes it back where that can be done.

Kept in the session until it is shown, as Flask's own messages are: keep the fields of an undo
short, for a cookie holds four kilobytes.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast

from flask import flash, get_flashed_messages

from leadvibe.web.pages.display import Tone
from leadvibe.web.pages.notices import Notice, Undo

LONGEST_UNDO = 1_500
"""Letters in the fields of an undo; without more, what is said and the session have room."""


def say(text: str, *, undo: Undo | None = None) -> None:
    """Tell what was done. An undo that is too long to be kept is not offered."""
    if undo is None or sum(map(len, undo.fields.values())) > LONGEST_UNDO:
        flash(text, Tone.OK)
    else:
        kept: Any = {"text": text, "undo": asdict(undo)}
        flash(kept, Tone.OK)


def take_notices() -> list[Notice]:
    """Return what was said and not shown yet, which counts as shown from now on."""
    flashed = cast("list[tuple[str, Any]]", get_flashed_messages(with_categories=True))
    return [_read(tone, said) for tone, said in flashed]


def _read(tone: str, said: Any) -> Notice:
    known = Tone(tone) if tone in set(Tone) else Tone.INFO
    if isinstance(said, str):
        return Notice(text=said, tone=known)
    return Notice(text=said["text"], tone=known, undo=Undo(**said["undo"]))
