"""What the audit log says of requests: something of each that there is, or why nothing."""

from __future__ import annotations

import re

import pytest

from leadvibe.http.csrf import SAFE_METHODS
from leadvibe.web import audit_words
from leadvibe.web.audit_words import deed_of, reason_for_silence

_ARGUMENT = re.compile(r"<[^>]*>")
_CHOICES = re.compile(r"<any\(([^,)]*)[^>]*>")


@pytest.fixture
def writes(shared_app):
    """Each method and path of the product with which something can be asked to change."""
    return [
        (method, _ARGUMENT.sub("5", _CHOICES.sub(r"\1", rule.rule)))
        for rule in shared_app.url_map.iter_rules()
        for method in rule.methods or ()
        if method not in SAFE_METHODS
    ]


def test_every_request_that_may_change_something_has_words_or_a_reason_for_none(writes):
    untold = [it for it in writes if not deed_of(*it) and not reason_for_silence(*it)]

    assert len(writes) > 200
    assert untold == []


@pytest.mark.parametrize(
    ("request_line", "words"),
    [
        ("POST /app/accounts/a1", "changed or deleted an account"),
        ("POST /app/deliveries/d1/resend", "sent a notification again"),
        ("POST /destinations/d1/rotate-secret", "renewed the signing secret of a destination"),
        ("POST /app/events/delete", "deleted events"),
        ("POST /app/leads/bulk", "changed many leads at once"),
        ("POST /app/leads/views/v1/delete", "deleted a view of the leads list"),
        ("POST /app/leads/ann/owner", "gave a lead another owner"),
        ("DELETE /leads/ann/notes/n1", "deleted a note about a lead"),
        ("DELETE /leads/ann", "deleted a lead"),
        ("POST /api/v1/leads", "made a lead"),
        ("PATCH /api/v1/leads/ann", "changed a lead"),
        ("POST /api/v1/leads/ann/claim", "claimed a lead"),
        ("POST /leads/import/start", "imported a file of leads"),
        ("POST /app/triggers/surge/t1", "changed a trigger"),
        ("POST /app/triggers/surge/new", "made a trigger"),
        ("POST /app/triggers/surge/t1/delete", "deleted a trigger"),
        ("POST /app/quick-start", "went through the quick start"),
        ("POST /app/scoring/drafts/d1/engagement/rules/r1", "changed a draft of the scoring"),
        ("POST /app/scoring/drafts/d1/discard", "discarded a draft of the scoring"),
        ("PUT /settings/ou/hubspot", "changed how notifications are sent"),
        ("POST /org-units/u1/memberships", "added a member"),
    ],
)
def test_deeds_are_told_in_words(request_line, words):
    deed = deed_of(*request_line.split())

    assert deed is not None
    assert deed.words == words


@pytest.mark.parametrize(
    "request_line",
    [
        "POST /segments/preview",
        "POST /leads/import/preview",
        "POST /leads/scores",
        "POST /leads/merge/preview",
        "POST /app/scoring/drafts/d1/publish",
        "POST /app/scoring/drafts/d1/preview/cancel",
        "POST /app/scoring/history/5/restore",
        "PUT /rules/r1",
        "POST /profile-mappings",
    ],
)
def test_what_changes_nothing_or_is_told_by_a_version_is_passed_over(request_line):
    assert deed_of(*request_line.split()) is None


def test_no_words_are_for_requests_that_there_are_not(writes):
    lines = [" ".join(it) for it in writes]
    patterns = [it[0] for it in (*audit_words._DEEDS, *audit_words._SILENT)]

    assert [it.pattern for it in patterns if not any(map(it.fullmatch, lines))] == []
