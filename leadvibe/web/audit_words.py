"""What a request that changed something was about, in the words of somebody who reads of it.

What changes nothing, or is told elsewhere, stands apart with the reason why it is passed over.
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
    if reason_for_silence(method, path) is not None:
        return None
    for pattern, kind, words in _DEEDS:
        if pattern.fullmatch(f"{method} {path}"):
            return Deed(kind, words)
    return None


def reason_for_silence(method: str, path: str) -> str | None:
    """Return why nothing is said of a request; None for one of which something is."""
    for pattern, reason in _SILENT:
        if pattern.fullmatch(f"{method} {path}"):
            return reason
    return None


_ID = "[^/]+"
_SIDE = "(profile|account)"
_OF_TRIGGERS = "((pattern-|surge-)?triggers|sequences)"

_UNTOLD: tuple[tuple[str, str], ...] = (
    # Scoring, as it is in force
    (f"[A-Z]+ /(rules|rulesets|{_SIDE}-scoring/rulesets)(/.*)?", "A version tells it."),
    (f"[A-Z]+ /((engagement|{_SIDE})-levels|stages|decays|filters|metadata-filters)(/{_ID})?",
     "A version tells it."),
    (f"(POST|PUT|DELETE) /{_SIDE}-mappings(/(?!apply){_ID})?", "A version tells it."),
    ("PUT /settings/(scoring|ou/surge-policy|ou/event-types/.*)", "A version tells it."),
    (f"POST /scoring/(import|versions/{_ID}/restore|drafts/{_ID}/publish)", "A version tells it."),
    ("POST /app/scoring/(account|surge|(decay|levels|filters|mapping(?!/backfill))(/.*)?)",
     "A version tells it."),
    (f"POST /app/scoring/(drafts/{_ID}/publish|history/{_ID}/restore)", "A version tells it."),
    ("POST /app/settings/(events|scoring)", "A version tells it."),
    # What changes nothing
    (".* /(api/v1/ou/.*|.*preview(/cancel)?|.*/simulate|trigger-simulations|.*/dry-run)",
     "It tries something and changes nothing."),
    ("DELETE /scoring/previews/.*", "It tries something and changes nothing."),
    ("POST (/leads/scores|/scores/batch|/quick-start/plan)", "It reads."),
    ("POST /api/(check|stats|ad-spend)", "It reads."),
    ("POST (/auth/refresh|/auth/cleanup|/stream/token)", "It keeps somebody signed in."),
    ("POST (/app/unit|/org-units/active)", "It changes where a member works, and nothing there."),
    # What concerns nobody but who did it
    ("POST /app/home/first-steps", "It changes what one member sees."),
    ("POST /app/quick-start/dismiss", "It changes what one member sees."),
    ("POST /app/leads/columns", "It changes what one member sees."),
    (f"POST (/app)?/leads/{_ID}/watch|DELETE /leads/{_ID}/watch", "It is one member's own list."),
    # What is on its way to something else
    (f"POST /app/imports/leads/{_ID}/(columns|identifier)", "A step before the import."),
    # What comes in, and is shown among the events
    ("POST (/ingest(/batch)?|/orders)", "It is kept as an event."),
    ("POST /app/forgot", "Nobody is signed in, and whoever it names is told by mail."),
)  # fmt: skip
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
    ("POST /app/credentials/test-token", Kind.ACCESS, "made a test token"),
    ("POST /api-keys", Kind.ACCESS, "made an API key"),
    (f"(POST /app/credentials/keys/{_ID}/delete|DELETE /api-keys/{_ID})", Kind.ACCESS,
     "deleted an API key"),
    (f"PUT /secrets/{_ID}", Kind.ACCESS, "changed an API credential"),
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
    (f"POST /app/members/{_ID}/role", Kind.MEMBERS, "changed the role of a member"),
    (f"POST /app/members/{_ID}/delete", Kind.MEMBERS, "removed a member"),
    (f"(POST /app|PUT |DELETE )/segments/{_ID}/members/.*", Kind.SEGMENTS,
     "picked who is in a segment"),
    (f"POST (/members|/org-units/{_ID}/member(ship)?s)", Kind.MEMBERS, "added a member"),
    ("(PUT|PATCH) .*/member(ship)?s/.*", Kind.MEMBERS, "changed a member"),
    ("DELETE .*/member(ship)?s/.*", Kind.MEMBERS, "removed a member"),
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
    ("(DELETE /events/batch|POST /app/events/delete)", Kind.EVENTS, "deleted events"),
    ("(DELETE /settings/ou/event-types/.*/events|POST /app/settings/events/delete)", Kind.EVENTS,
     "deleted all events of a type"),
    ("POST (/admin/backfill/.*|/profile-mappings/apply|/app/scoring/mapping/backfill)",
     Kind.LEADS, "had mappings applied to what came before"),
    (f"DELETE /admin/backfill/{_ID}", Kind.LEADS, "cancelled applying mappings"),
    ("POST /app/accounts", Kind.LEADS, "changed several accounts"),
    (f"POST /app/accounts/{_ID}", Kind.LEADS, "changed or deleted an account"),
    ("DELETE /accounts/batch", Kind.LEADS, "deleted accounts"),
    ("POST (/app/leads/views|/lead-views)", Kind.LEADS, "saved a view of the leads list"),
    (f"(POST /app/leads/views/{_ID}|PUT /lead-views/{_ID})", Kind.LEADS,
     "changed a view of the leads list"),
    (f"(POST /app/leads/views/{_ID}/delete|DELETE /lead-views/{_ID})", Kind.LEADS,
     "deleted a view of the leads list"),
    ("POST (/app)?/leads/bulk", Kind.LEADS, "changed many leads at once"),
    (f"POST (/app)?/leads/bulk/{_ID}/undo", Kind.LEADS, "undid a change of many leads"),
    ("POST (/leads|/app/leads/.*)/merge", Kind.LEADS, "merged leads"),
    ("POST (/app)?/leads/.*/unmerge", Kind.LEADS, "took merged leads apart"),
    ("POST (/leads/merge-suggestions|/app/leads/.*)/dismiss", Kind.LEADS,
     "dismissed a suggested merge"),
    ("POST (/app)?/leads/.*/notes", Kind.LEADS, "wrote a note about a lead"),
    (f"(PUT /leads/.*/notes/{_ID}|POST /app/leads/{_ID}/notes/{_ID})", Kind.LEADS,
     "changed a note about a lead"),
    (f"(DELETE /leads/.*/notes/{_ID}|POST /app/leads/{_ID}/notes/{_ID}/delete)", Kind.LEADS,
     "deleted a note about a lead"),
    (f"POST /app/leads/{_ID}/owner", Kind.LEADS, "gave a lead another owner"),
    (f"POST /app/leads/{_ID}/aliases", Kind.LEADS, "added an identifier to a lead"),
    (f"POST /app/leads/{_ID}/aliases/{_ID}/remove", Kind.LEADS, "took an identifier off a lead"),
    (f"(DELETE (/api/v1)?/leads?/{_ID}|POST /app/leads/{_ID}/delete)", Kind.LEADS,
     "deleted a lead"),
    ("POST (/api(/v1)?)?/leads?", Kind.LEADS, "made a lead"),
    ("PATCH /api/leads", Kind.LEADS, "changed a lead"),
    (f"POST /api/integrations/incoming/wp/{_ID}/?", Kind.LEADS,
     "sent a form of a website, which made a lead"),
    ("PUT /api/ad-spend/rows", Kind.IMPORTS, "reported ad spend"),
    ("POST (/api/v1/leads|/app/calls)/.*/claim", Kind.LEADS, "claimed a lead"),
    (f"POST /app/calls/{_ID}/log", Kind.LEADS, "logged a call"),
    (f"POST /app/leads/{_ID}/segments", Kind.SEGMENTS, "picked who is in a segment"),
    ("(PUT|PATCH|POST|DELETE) (/app|/api/v1)?/leads?/.*", Kind.LEADS, "changed a lead"),
    ("POST (/app)?/segments(/new)?", Kind.SEGMENTS, "made a segment"),
    (f"POST /app/segments/{_ID}/copy", Kind.SEGMENTS, "copied a segment"),
    (f"(DELETE /segments/{_ID}|POST /app/segments/{_ID}/delete)", Kind.SEGMENTS,
     "deleted a segment"),
    ("[A-Z]+ (/app)?/segments/.*", Kind.SEGMENTS, "changed a segment"),
    (f"POST (/app/triggers/{_ID}/new|/{_OF_TRIGGERS})", Kind.TRIGGERS, "made a trigger"),
    (f"POST (/app)?/triggers/{_ID}/{_ID}/copy", Kind.TRIGGERS, "copied a trigger"),
    (f"(DELETE /{_OF_TRIGGERS}/{_ID}|POST /app/triggers/{_ID}/{_ID}/delete)", Kind.TRIGGERS,
     "deleted a trigger"),
    (f"POST /app/triggers/{_ID}/{_ID}/active", Kind.TRIGGERS, "switched a trigger on or off"),
    (f"((PUT|PATCH) /{_OF_TRIGGERS}/.*|POST /app/triggers/{_ID}/{_ID})", Kind.TRIGGERS,
     "changed a trigger"),
    (f"POST (/app)?/deliveries/{_ID}/resend", Kind.NOTIFICATIONS, "sent a notification again"),
    (f"POST (/app/deliveries)?/destinations/{_ID}/resume", Kind.NOTIFICATIONS,
     "resumed a destination"),
    (f"POST (/app/deliveries)?/destinations/{_ID}/rotate(-secret)?", Kind.NOTIFICATIONS,
     "renewed the signing secret of a destination"),
    (f"POST (/app/settings/notifications/channels|/notification-channels)/{_ID}/test",
     Kind.NOTIFICATIONS, "sent a test through a notification channel"),
    (f"POST /app/unsubscribe/{_ID}", Kind.NOTIFICATIONS, "stopped their mails about leads"),
    ("(POST /app/settings/notifications/preferences|PUT /me/notification-prefs)",
     Kind.NOTIFICATIONS, "changed how they are notified"),
    (r"[A-Z]+ (/app)?(/settings)?(/ou|/org)?/(notification|integrations|slack|hubspot)[^ ]*",
     Kind.NOTIFICATIONS, "changed how notifications are sent"),
    ("POST (/app)?/quick-start(/apply)?", Kind.SCORING, "went through the quick start"),
    ("POST (/app)?/scoring/drafts", Kind.SCORING, "began a draft of the scoring"),
    (f"POST /app/scoring/history/{_ID}/draft", Kind.SCORING,
     "began a draft of the scoring from an older version"),
    (f"POST /app/scoring/templates/{_ID}", Kind.SCORING,
     "put a template into a draft of the scoring"),
    (f"(DELETE /scoring/drafts/{_ID}|POST /app/scoring/drafts/{_ID}/discard)", Kind.SCORING,
     "discarded a draft of the scoring"),
    (f"(PUT /scoring/drafts/{_ID}|POST /app/scoring/drafts/{_ID}/.*)", Kind.SCORING,
     "changed a draft of the scoring"),
    ("POST (/scoring/rescore|/app/scoring/rescores|/app/settings/scoring/rescore)", Kind.SCORING,
     "rescored all leads"),
)  # fmt: skip
_SILENT = tuple((re.compile(pattern), reason) for pattern, reason in _UNTOLD)
_DEEDS = tuple((re.compile(pattern), kind, words) for pattern, kind, words in _TABLE)
