"""What all pages share that change the configuration in force: at once, and over nobody's head.

A form names the state of what it shows; when that is another by the time it is sent, what was
written is shown again with who was quicker, and nothing is stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from flask import flash, make_response, redirect
from htmx_flask import request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.identity.types import Scope
from leadvibe.lib.errors import PreconditionFailedError
from leadvibe.scoring import queries
from leadvibe.scoring.service import lock_configuration
from leadvibe.web.authors import author
from leadvibe.web.pages.display import Alert, Link, Moment, Tone, counted
from leadvibe.web.pages.live import LiveNote

_STATE_BYTES = 12


class ChangedMeanwhileError(PreconditionFailedError):
    """Somebody else has changed what the form is about."""

    code = "changed_meanwhile"


def live_note(scope: Scope) -> LiveNote:
    """Say which version is in force, and what becomes of drafts beside it."""
    number = queries.current_version(scope)
    version = queries.get_config_version(scope, number)
    drafts = len(queries.list_drafts(scope))
    told = f"{counted(drafts, 'draft')} {'stays' if drafts == 1 else 'stay'} as it is"
    if drafts > 1:
        told = told.replace("it is", "they are")
    return LiveNote(
        version=str(number),
        by=author(version.created_by) if version else "",
        at=Moment.of(version.created_at) if version else None,
        drafts=f"{told}: publishing one asks before it replaces this." if drafts else "",
    )


def state_of(thing: object) -> str:
    """Name the state that something is in."""
    return hashlib.blake2b(repr(thing).encode(), digest_size=_STATE_BYTES).hexdigest()


def check_state(
    scope: Scope,
    sent: str | None,
    read: Callable[[], object],
    *,
    lock: Callable[[Scope], object] = lock_configuration,
) -> None:
    """Raise ChangedMeanwhileError unless the thing is in the state that the form was made from."""
    lock(scope)  # or somebody might yet change it before this request does
    if sent != state_of(read()):
        raise ChangedMeanwhileError("It has changed since you opened it.")


def stale_alert(scope: Scope, url: str) -> Alert:
    """Say who was quicker; what was written stays, and saved once more it replaces theirs."""
    version = queries.get_config_version(scope, queries.current_version(scope))
    last = f" ({version.created_by}: {version.summary})" if version else ""
    return Alert(
        f"This has changed since you opened it{last}. Nothing is saved yet: save again to replace"
        " it with what stands below, or",
        Tone.WARN,
        Link("drop your changes and see theirs.", url),
    )


def done(scope: Scope, url: str, *, note: str = "") -> AnyResponse:
    """Lead back to a page, with the words that the configuration's history has for the change."""
    version = queries.get_config_version(scope, queries.current_version(scope))
    if version is not None:
        flash(f"{version.summary}. {note}".strip(), Tone.OK)
    return redirect(url, 303)


def leave(scope: Scope, url: str) -> AnyResponse:
    """Do as `done`, from a page of which htmx replaces a part alone."""
    answer = done(scope, url)
    if not request.htmx:
        return answer
    # htmx would follow a redirect and put the whole page where the form was.
    response = make_response("", 200)
    response.headers["HX-Redirect"] = url
    return response
