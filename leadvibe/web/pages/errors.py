"""What a person sees when a page cannot be shown: templates/errors/page.html.

In the frame for members, bare for everybody else and when the fault is ours.
"""

from __future__ import annotations

from dataclasses import dataclass

from leadvibe.web.pages.display import Link

HOME = Link("Go to the home page", "/app/home")


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPage:
    status: int
    title: str
    message: str
    request_id: str = ""
    """What to quote when asking for help."""
    way_out: Link = HOME


def forbidden(message: str = "", *, request_id: str = "") -> ErrorPage:
    return ErrorPage(
        status=403,
        title="This is not open to you",
        message=message or "Your role in this unit does not allow it. An owner can change that.",
        request_id=request_id,
    )


def not_found(message: str = "", *, request_id: str = "") -> ErrorPage:
    return ErrorPage(
        status=404,
        title="There is nothing here",
        message=message or "It may have been deleted, or it belongs to another organisation unit.",
        request_id=request_id,
    )


def unit_needed(*, request_id: str = "") -> ErrorPage:
    return ErrorPage(
        status=400,
        title="Choose an organisation unit",
        message="You belong to several. Choose the one to work in from the menu with their names.",
        request_id=request_id,
    )


def failed(message: str = "", *, request_id: str = "") -> ErrorPage:
    return ErrorPage(
        status=500,
        title="That did not work",
        message=message or "The fault is on our side and has been logged. Try again in a moment.",
        request_id=request_id,
    )
