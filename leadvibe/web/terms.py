"""The words of the field that pages use, each explained once, wherever it is met.

A page writes `{{ term("decay") }}` where it first says the word; web.glossary lists them all.
"""

from __future__ import annotations

from typing import NamedTuple


class Term(NamedTuple):
    name: str
    text: str
    url: str = ""
    """The page where one meets it."""


TERMS = {
    "account": Term(
        "Account",
        "A company. Leads belong to it by the domain of their address, or because somebody "
        "says so.",
        "/app/accounts",
    ),
    "alias": Term(
        "Alias",
        "Something that a lead is known by: an e-mail address, a phone number, an id of "
        "another system, a cookie. Events that name any of them belong to the lead.",
    ),
    "dead-letter": Term(
        "Dead letter",
        "An event that came in but could not be processed. It waits with its error until "
        "somebody retries or discards it.",
        "/app/dead-letters",
    ),
    "decay": Term(
        "Decay",
        "Points that are taken from a lead for every full period in which it does nothing "
        "that counts.",
        "/app/scoring/decay",
    ),
    "delivery": Term(
        "Delivery",
        "One notice to one place, such as a Slack channel or a webhook: sent, waiting, or failed.",
        "/app/deliveries",
    ),
    "draft": Term(
        "Draft",
        "Changes to scoring that are not live yet. A preview shows what they would do; "
        "publishing makes them count.",
        "/app/scoring",
    ),
    "engagement-score": Term(
        "Engagement score",
        "What a lead has done, in points: the sum of what the rules give for its events, with"
        " surge and decay.",
        "/app/scoring",
    ),
    "event": Term(
        "Event",
        "One thing that a lead did, such as a page view or a demo request, with its time and "
        "whatever else was sent along.",
        "/app/events",
    ),
    "ledger": Term(
        "Ledger",
        "The list of everything that moved a score: event, rule, points before and after. A "
        "score is the sum of its ledger, and nothing else changes it.",
    ),
    "level": Term(
        "Level",
        "A name for a range of scores, such as Hot. A lead has the level that its score falls"
        " into.",
        "/app/scoring/levels",
    ),
    "mapping": Term(
        "Mapping",
        "Says which part of an event is written into which property of a lead or an account.",
        "/app/scoring/mapping",
    ),
    "milestone": Term(
        "Milestone",
        "A trigger that fires when a score reaches a number, or a lead a level.",
        "/app/triggers?kind=milestone",
    ),
    "pattern": Term(
        "Pattern",
        "A trigger that fires when a lead does something often enough within a time.",
        "/app/triggers?kind=pattern",
    ),
    "profile-score": Term(
        "Profile score",
        "Who a lead is, in points: how well role, company and the like fit what you look for."
        " It says nothing of what the lead did.",
        "/app/scoring/profile",
    ),
    "rescore": Term(
        "Rescore",
        "Counts all past events again under the rules of today. Without it, a change of rules"
        " is for events from then on.",
        "/app/scoring",
    ),
    "ruleset": Term(
        "Ruleset",
        "Rules that keep one score together. With several, each lead has a score in each; the"
        " primary one is what lists and levels show.",
        "/app/scoring",
    ),
    "segment": Term(
        "Segment",
        "Leads that meet conditions which you set, always worked out from what is known now.",
        "/app/segments",
    ),
    "sequence": Term(
        "Sequence",
        "A trigger that fires when a lead does several things one after the other.",
        "/app/triggers?kind=sequence",
    ),
    "session": Term(
        "Session",
        "A visit: events of a lead with no long pause between them.",
        "/app/settings/scoring",
    ),
    "suppressed": Term(
        "Suppressed",
        "Taken out by a filter, as of a machine or of your own people: kept and shown, but it"
        " gives no points and fires no trigger.",
        "/app/scoring/filters",
    ),
    "surge": Term(
        "Surge",
        "A lead does much in a short time. Each further event of such a rush may count more.",
        "/app/scoring/surge",
    ),
    "trigger": Term(
        "Trigger",
        "Watches what leads do and tells people or programs once it sees what you described.",
        "/app/triggers",
    ),
    "version": Term(
        "Version",
        "The whole configuration of scoring as it was after a change. Any two can be "
        "compared, and an old one made live again.",
        "/app/scoring/history",
    ),
}
