"""What a person sees when a page cannot be shown: templates/errors/page.html.

What happened, what to do next, and where to go from there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from leadvibe.web.pages.display import Link, counted

HOME = Link("Go to the home page", "/app/home")
SEARCH = Link("Search", "/app/search")
OUR_FAULT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPage:
    status: int
    title: str
    message: str
    """What happened."""
    advice: str = ""
    """What to do next."""
    request_id: str = ""
    """What to quote when asking for help."""
    ways_out: tuple[Link, ...] = (HOME, SEARCH)

    @property
    def said(self) -> str:
        """All of it in a line, for a toast; what is our fault comes with what to quote."""
        quote = f"Quote request {self.request_id}." if self.status >= OUR_FAULT else ""
        return " ".join(filter(None, (self.message, self.advice, quote)))


class _Words(NamedTuple):
    title: str
    message: str
    """Where the error itself says nothing."""
    advice: str = ""


_WORDS: Mapping[int, _Words] = {
    400: _Words("That could not be read", "Something in the address or the form is not right."),
    401: _Words("Sign in first", "You are not signed in, or your session has ended."),
    403: _Words(
        "This is not open to you",
        "Your role in this unit does not allow it. An owner can change that.",
    ),
    404: _Words(
        "There is nothing here",
        "It may have been deleted, or it belongs to another organisation unit.",
        "Look for it by name, or switch the unit at the top of the menu.",
    ),
    405: _Words(
        "That cannot be opened like this",
        "The address takes what a form sends, and not a visit, or the other way round.",
        "Go back to the page that you came from.",
    ),
    409: _Words(
        "Something has changed meanwhile",
        "What you sent does not go together with what is there now.",
        "Load the page again and look at what it is now.",
    ),
    412: _Words(
        "Somebody was quicker",
        "It is no longer what you have seen, so nothing was changed.",
        "Load the page again and make your change once more.",
    ),
    413: _Words(
        "That is too large",
        "What you sent is larger than what is taken here.",
        "Split it into smaller parts, or compress a CSV file with gzip.",
    ),
    429: _Words("Too many requests", "There were too many requests in a short time."),
    500: _Words(
        "That did not work",
        "The fault is on our side and has been logged.",
        "Try again in a moment.",
    ),
    503: _Words(
        "Not available at the moment",
        "A part that this needs does not answer.",
        "Nothing is lost. Try again in a moment.",
    ),
}
_ALIKE = {410: 404, 415: 400, 422: 400}
"""Statuses that people need not tell apart."""


def describe_error(
    status: int, message: str = "", *, request_id: str = "", retry_after_seconds: int | None = None
) -> ErrorPage:
    """Say what a status means; `message` is what the error itself says, if anything."""
    known = _ALIKE.get(status, status)
    words = _WORDS.get(known) or _WORDS[400 if known < OUR_FAULT else OUR_FAULT]
    advice = words.advice
    if retry_after_seconds is not None:
        advice = f"Try again in {counted(retry_after_seconds, 'second')}."
    return ErrorPage(
        status=status,
        title=words.title,
        message=message or words.message,
        advice=advice if advice not in message else "",
        request_id=request_id,
    )


def draft_gone(*, request_id: str = "") -> ErrorPage:
    return ErrorPage(
        status=404,
        title="This draft is gone",
        message="It was published or discarded meanwhile, and takes no more changes.",
        advice="Open Scoring for what is live, or its history for who published what.",
        request_id=request_id,
        ways_out=(Link("Open scoring", "/app/scoring"), Link("History", "/app/scoring/history")),
    )


def unit_needed(*, request_id: str = "") -> ErrorPage:
    return ErrorPage(
        status=400,
        title="Choose an organisation unit",
        message="You belong to several. Choose the one to work in from the menu with their names.",
        request_id=request_id,
    )
