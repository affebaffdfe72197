"""What a request that changed something was about, in the words of somebody who reads of it.

Changes of scoring are told by their versions, and so their requests are passed over here.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What a change is about, as the audit log is filtered."""

    SCORING = "Scoring"
    SEGMENTS = "Segments"
    TRIGGERS = "Triggers"
    LEADS = "Leads"
    IMPORTS = "Imports"
    EVENTS = "Events"
    MEMBERS = "Members"
    ACCESS = "Access"
    NOTIFICATIONS = "Notifications"
    ORGANISATION = "Organisation"


class Deed(NamedTuple):
    """What somebody did, to follow their name."""

    kind: Kind
    words: str


def deed_of(method: str, path: str) -> Deed | None:
    """Return what a request did; None for one that is told elsewhere, or changed nothing."""
    for pattern, kind, words in _DEEDS:
        if pattern.fullmatch(f"{method} {path}"):
            return Deed(kind, words)
    return None


_ID = "[^/]+"
_TABLE: tuple[tuple[str, Kind, str], ...] = (
    ("POST (/app/login|/auth/login)", Kind.ACCESS, "signed in"),
    ("POST (/app/logout|/auth/logout)", Kind.ACCESS, "signed out"),
    ("POST /app/account/password", Kind.ACCESS, "changed their password"),
    ("POST /app/account/sessions", Kind.ACCESS, "signed out their other sessions"),
    (f"POST /app/(reset|invitation)/{_ID}", Kind.ACCESS, "chose a password by a one-time link"),
    ("POST (/app/account/tokens|/me/tokens)", Kind.ACCESS, "made a personal access token"),
    (f"(POST /app/account/tokens/{_ID}/delete|DELETE /me/tokens/{_ID})", Kind.ACCESS,
     "revoked a personal access token"),
    ("POST (/app/credentials|/secrets)", Kind.ACCESS, "made an API credential"),
    (f"(POST /app/credentials/{_ID}/delete|DELETE /secrets/{_ID})", Kind.ACCESS,
     "deleted an API credential"),
    ("POST /app/setup", Kind.ORGANISATION, "set up the organisation"),
    ("POST /app/settings/organisation", Kind.ORGANISATION, "renamed the organisation"),
    ("POST (/app/settings/units|/org-units)", Kind.ORGANISATION, "made an organisation unit"),
    (f"(POST /app/settings/units/{_ID}|(PUT|PATCH) /org-units/{_ID})", Kind.ORGANISATION,
     "renamed an organisation unit"),
    (f"POST (/app/settings/units|/org-units)/{_ID}/archive", Kind.ORGANISATION,
     "archived an organisation unit"),
    (f"POST (/app/settings/units|/org-units)/{_ID}/restore", Kind.ORGANISATION,
     "restored an organisation unit"),
    ("(POST /app/settings|(PUT|DELETE) /settings/org)/rate-limit(/drop)?", Kind.ACCESS,
     "changed the rate limit"),
    (f"(POST /app/credentials/{_ID}/limit|(PUT|DELETE) /secrets/{_ID}/rate-limit)", Kind.ACCESS,
     "changed the limit of an API credential"),
    ("POST /app/members", Kind.MEMBERS, "invited a member"),
    (f"POST /app/members/{_ID}/link", Kind.MEMBERS, "sent a member a link"),
    (f"POST /app/members/{_ID}/revoke", Kind.MEMBERS, "revoked a member's links"),
    (f"POST /app/members/{_ID}/role", Kind.MEMBERS, "changed the role of a member"),
    (f"POST /app/members/{_ID}/delete", Kind.MEMBERS, "removed a member"),
    ("POST /(org-)?members.*", Kind.MEMBERS, "added a member"),
    (f"(POST /app|PUT |DELETE )/segments/{_ID}/members/.*", Kind.SEGMENTS,
     "picked who is in a segment"),
    ("(PUT|PATCH) .*/members/.*", Kind.MEMBERS, "changed a member"),
    ("DELETE .*/members/.*", Kind.MEMBERS, "removed a member"),
    ("POST (/app/imports|/import)", Kind.IMPORTS, "imported a file of events"),
    ("POST /app/imports/leads", Kind.IMPORTS, "uploaded a file of leads"),
    (f"POST (/app/imports/leads/{_ID}/confirm|/leads/import/start)", Kind.IMPORTS,
     "imported a file of leads"),
    (f"POST (/app)?/imports/{_ID}/undo", Kind.IMPORTS, "undid an import"),
    ("POST (/app/sample|/admin/seed)", Kind.IMPORTS, "loaded the sample data"),
    ("(POST /app/sample/wipe|(POST|DELETE) /admin/(seed|wipe).*)", Kind.IMPORTS,
     "removed the sample data"),
    ("POST (/app)?/dead-letters/retry(-all)?", Kind.EVENTS, "tried all dead letters again"),
    (f"POST (/app)?/dead-letters/{_ID}/retry", Kind.EVENTS, "tried a dead letter again"),
    (f"(POST /app/dead-letters/{_ID}/discard|DELETE /dead-letters/{_ID})", Kind.EVENTS,
     "discarded a dead letter"),
    ("DELETE /events/batch", Kind.EVENTS, "deleted events"),
    (f"POST (/app)?/leads/{_ID}/notes", Kind.LEADS, "wrote a note about a lead"),
    (f"POST /app/leads/{_ID}/notes/{_ID}|PUT /leads/{_ID}/notes/{_ID}", Kind.LEADS,
     "changed a note about a lead"),
    (f"POST /app/leads/{_ID}/notes/{_ID}/delete|DELETE /leads/{_ID}/notes/{_ID}", Kind.LEADS,
     "deleted a note about a lead"),
    ("POST .*/merge", Kind.LEADS, "merged leads"),
    ("POST .*/unmerge", Kind.LEADS, "took merged leads apart"),
    (f"(DELETE /leads?/{_ID}|POST /app/leads/{_ID}/delete)", Kind.LEADS, "deleted a lead"),
    ("POST /leads?", Kind.LEADS, "made a lead"),
    (f"POST /app/leads/{_ID}/segments", Kind.SEGMENTS, "picked who is in a segment"),
    ("(PUT|PATCH|POST) (/app)?/leads?/.*", Kind.LEADS, "changed a lead"),
    ("POST (/app)?/segments(/new)?", Kind.SEGMENTS, "made a segment"),
    (f"(DELETE /segments/{_ID}|POST /app/segments/{_ID}/delete)", Kind.SEGMENTS,
     "deleted a segment"),
    ("[A-Z]+ (/app)?/segments/.*", Kind.SEGMENTS, "changed a segment"),
    ("POST (/app/triggers/new.*|/(pattern-|surge-)?triggers|/sequences)", Kind.TRIGGERS,
     "made a trigger"),
    (f"(DELETE /((pattern-|surge-)?triggers|sequences)/{_ID}|POST /app/triggers/{_ID}/delete)",
     Kind.TRIGGERS, "deleted a trigger"),
    ("(PUT|PATCH) /((pattern-|surge-)?triggers|sequences)/.*", Kind.TRIGGERS, "changed a trigger"),
    (f"POST /app/triggers/{_ID}(/edit|/pause|/resume|/toggle|/mute)?", Kind.TRIGGERS,
     "changed a trigger"),
    (r"[A-Z]+ (/app/settings)?/(notification|integrations|slack|hubspot|destinations)[^ ]*",
     Kind.NOTIFICATIONS, "changed how notifications are sent"),
    ("POST /scoring/rescore.*", Kind.SCORING, "rescored leads"),
)  # fmt: skip
_DEEDS = tuple((re.compile(pattern), kind, words) for pattern, kind, words in _TABLE)
