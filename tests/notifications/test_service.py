"""Mails with links: tried until they are through or given up, and never more than asked for."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from leadvibe.identity import member_links
from leadvibe.identity import queries as identity_queries
from leadvibe.identity.types import LinkPurpose
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.lib.queue import NOTIFICATIONS, JobQueue, open_queue
from leadvibe.notifications import queries, service
from leadvibe.notifications.mailer import Mailer
from leadvibe.notifications.service import (
    MOST_ATTEMPTS,
    RETRY_AFTER,
    deliver_link,
    post_invitation,
    post_link,
)
from leadvibe.notifications.transports.email import MailServer
from leadvibe.notifications.types import LinkMail, MailState
from tests.factories import make_member, make_organization

ORIGIN = "https://leads.acme.test"
NOW = utc_now()
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture
def queue(app) -> JobQueue:
    broker = app.extensions["leadvibe.redis"]
    open_queue(broker, NOTIFICATIONS).empty()
    return JobQueue(broker)


@pytest.fixture
def mailer(serve) -> Mailer:
    return Mailer(MailServer.at(f"smtp://127.0.0.1:{serve()}", sender="leadvibe@acme.test"))


@pytest.fixture
def invited(security):
    """Return a maker of members who have not joined; the mailbox refuses p..., and t... for now."""
    organization = make_organization()

    def make(email: str = "ana@acme.test"):
        return make_member(organization, email, security=security)

    return make


def post(member, queue, *, now=NOW, **options):
    post_link(member, queue=queue, now=now, **options)
    commit()


def deliver(member, mailer, *, now=NOW):
    deliver_link(member.org_member_id, mailer=mailer, public_url=ORIGIN, now=now)


def mail_to(member) -> LinkMail | None:
    return queries.list_link_mails(member.org_id).get(member.org_member_id)


def mailed_token(mailbox) -> str:
    text = mailbox.arrived[-1][2].get_body(("plain",)).get_content()
    return re.search(rf"{ORIGIN}/app/\w+/(\S+)", text)[1]


def test_an_invitation_goes_to_who_has_not_joined(invited, queue, mailer, mailbox):
    member = invited()
    post(member, queue)
    asked = mail_to(member)

    deliver(member, mailer)

    assert (asked.state, asked.attempts) == (MailState.WAITING, 0)
    assert mail_to(member).state is MailState.SENT
    found = identity_queries.find_link_member(mailed_token(mailbox), LinkPurpose.INVITE, now=NOW)
    assert found == member


def test_a_reset_link_goes_to_who_has_joined(people, queue, mailer, mailbox):
    member = people.viewer.member
    post(member, queue)

    deliver(member, mailer)

    found = identity_queries.find_link_member(mailed_token(mailbox), LinkPurpose.RESET, now=NOW)
    assert found == member


def test_somebody_who_was_given_a_password_can_be_invited_all_the_same(
    people, queue, mailer, mailbox
):
    member = people.viewer.member
    post_invitation(member, queue=queue, now=NOW)
    commit()

    deliver(member, mailer)

    found = identity_queries.find_link_member(mailed_token(mailbox), LinkPurpose.INVITE, now=NOW)
    assert found == member
    post(member, queue, now=NOW + MINUTE)
    assert not mail_to(member).is_invitation


def test_a_worker_hears_of_it_once_it_is_committed(app, invited, queue):
    member = invited()
    post_link(member, queue=queue, now=NOW)
    jobs = open_queue(app.extensions["leadvibe.redis"], NOTIFICATIONS)
    before = jobs.get_job_ids()

    commit()

    assert (before, jobs.get_job_ids()) == ([], [f"mail-{member.org_member_id}"])


def test_what_was_sent_is_not_sent_again(invited, queue, mailer, mailbox):
    member = invited()
    post(member, queue)

    for late in (0, 1, 10):
        deliver(member, mailer, now=NOW + late * MINUTE)

    assert len(mailbox.arrived) == 1
    assert queries.due_link_mails(now=NOW + timedelta(days=1)) == []


def test_a_refusal_for_good_is_given_up_at_once(invited, queue, mailer):
    member = invited("pat@acme.test")
    post(member, queue)

    deliver(member, mailer)

    mail = mail_to(member)
    assert (mail.state, mail.attempts) == (MailState.FAILED, 1)
    assert mail.problem == "the mail server refuses the address (550 no such mailbox)"


def test_a_refusal_for_now_is_tried_again_ever_later_and_then_given_up(invited, queue, mailer):
    member, at = invited("tim@acme.test"), NOW
    post(member, queue)

    for pause in RETRY_AFTER:
        deliver(member, mailer, now=at)
        assert mail_to(member).state is MailState.WAITING
        assert "450 try later" in mail_to(member).problem
        assert queries.due_link_mails(now=at + pause - SECOND) == []
        at += pause
        assert queries.due_link_mails(now=at) == [member.org_member_id]
    deliver(member, mailer, now=at)

    assert mail_to(member).state is MailState.FAILED
    assert mail_to(member).attempts == MOST_ATTEMPTS


def test_one_that_gets_through_later_leaves_no_problem(invited, queue, mailer):
    member = invited()
    post(member, queue)
    deliver(member, Mailer(MailServer.at("smtp://127.0.0.1:1", sender="leadvibe@acme.test")))
    first = mail_to(member)

    deliver(member, mailer, now=NOW + RETRY_AFTER[0])

    assert first.problem == "the mail server cannot be reached"
    assert (mail_to(member).state, mail_to(member).problem) == (MailState.SENT, None)


def test_a_worker_without_a_mail_server_says_so(invited, queue):
    member = invited()
    post(member, queue)

    deliver(member, Mailer(None))

    assert mail_to(member).problem == "the workers know no mail server"


def test_an_attempt_that_died_with_its_worker_is_made_again(invited, queue, mailer, mailbox):
    member = invited()
    post(member, queue)
    assert service._claim(member.org_member_id, now=NOW) is not None
    commit()

    deliver(member, mailer, now=NOW + MINUTE)  # it may still be at it
    assert mailbox.arrived == []
    assert service.resume_due_mails(queue, now=NOW + 3 * MINUTE) == 1
    deliver(member, mailer, now=NOW + 3 * MINUTE)

    assert len(mailbox.arrived) == 1


def test_a_mail_that_kills_its_worker_is_given_up(invited, queue):
    member = invited()
    post(member, queue)

    for number in range(MOST_ATTEMPTS + 1):
        service._claim(member.org_member_id, now=NOW + number * 3 * MINUTE)
        commit()

    assert mail_to(member).state is MailState.FAILED
    assert mail_to(member).problem == "the worker that sent it died each time"


def test_an_attempt_that_is_overtaken_changes_nothing(invited, queue):
    member = invited()
    post(member, queue)
    overtaken = service._claim(member.org_member_id, now=NOW)
    post(member, queue, now=NOW + SECOND)

    service._note(overtaken, state=MailState.FAILED, problem="the mail server cannot be reached")

    assert (mail_to(member).state, mail_to(member).problem) == (MailState.WAITING, None)


def test_asking_again_begins_anew(invited, queue, mailer):
    member = invited("pat@acme.test")
    post(member, queue)
    deliver(member, mailer)

    post(member, queue, now=NOW + MINUTE)

    mail = mail_to(member)
    assert (mail.state, mail.attempts, mail.problem) == (MailState.WAITING, 0, None)


def test_with_a_pause_asking_again_too_soon_does_nothing(people, queue, mailer):
    member = people.viewer.member
    post(member, queue, pause=MINUTE)
    deliver(member, mailer)

    post(member, queue, now=NOW + 59 * SECOND, pause=MINUTE)
    assert mail_to(member).state is MailState.SENT
    post(member, queue, now=NOW + MINUTE, pause=MINUTE)
    assert mail_to(member).state is MailState.WAITING


def test_nothing_goes_to_who_has_chosen_a_password_meanwhile(
    invited, queue, mailer, mailbox, security
):
    member = invited()
    link = member_links.invite(member, now=NOW)
    post(member, queue)
    member_links.accept_invitation(
        link.token,
        first_name="Ana",
        last_name="Ek",
        password="a wholly different one",
        security=security,
        now=NOW,
    )
    commit()

    assert mail_to(member) is None
    deliver(member, mailer)
    assert mailbox.arrived == []
    assert queries.due_link_mails(now=NOW + timedelta(days=1)) == []


def test_what_is_withdrawn_is_not_sent(invited, queue, mailer, mailbox):
    member = invited()
    post(member, queue)
    service.withdraw_link(member)
    commit()

    deliver(member, mailer)

    assert mailbox.arrived == []
    assert mail_to(member) is None


def test_each_organisation_reads_of_its_own_mail(people, queue):
    post(people.viewer.member, queue)

    assert queries.list_link_mails(people.stranger.member.org_id) == {}
    assert mail_to(people.viewer.member) is not None
