"""Members on their page: an admin's business, and links that are mailed or shown once."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

from leadvibe.identity import queries, service
from leadvibe.identity.types import OrgRole, UnitRole
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from tests.conftest import Browser
from tests.factories import make_member, make_unit
from tests.mailbox import send_due_mails
from tests.people import PASSWORD, basic
from tests.web.pages import htmx, links_in

MEMBERS = "/app/members"
ORIGIN = "http://127.0.0.1:8000"
NEW = "nina@acme.test"
NEW_PASSWORD = "a wholly different one"
REFUSED, DEFERRED = "pat@acme.test", "tim@acme.test"  # the mailbox goes by the first letter
LIST = htmx("div#member-list")


def link_path(member):
    return f"{MEMBERS}/{member.org_member_id}/link"


def invite(browser, email=NEW, role="Viewer"):
    return browser.post(MEMBERS, {"email": email, "role": role})


def shown_path(page):
    """Return the path of the link that a page shows."""
    return re.search(rf'id="member-link">{ORIGIN}([^<]+)<', page)[1]


def row_of(page, email):
    """Return the words of the row about somebody."""
    [row] = [row for row in re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL) if f">{email}<" in row]
    row = re.sub(r'<span class="[^"]*only-narrow">.*?</span>', "", row)
    return re.sub(r"<[^>]+>", " ", row).split()


def note_of(page, email):
    """Return what a row tells of the mail to somebody; None when there is none."""
    [row] = [row for row in re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL) if f">{email}<" in row]
    note = re.search(r'class="mail-note.*?<span>(.*?)</span></p>', row, re.DOTALL)
    return re.sub(r"<[^>]+>", "", note[1]) if note else None


def member_of(email):
    return queries.find_member_by_email(email)


def listed(people, email):
    return {it.member.email: it for it in queries.list_members(people.scope)}[email]


def test_an_admin_sees_everybody_with_their_roles(browse, people, security):
    make_member(people.organization, NEW, security=security)
    outsider = make_member(people.organization, "z@acme.test", security=security, password=PASSWORD)

    page = browse(people.admin).get(MEMBERS).text

    assert links_in(page, MEMBERS)[0] == MEMBERS
    assert row_of(page, people.admin.email)[2:5] == ["Admin", "Owner", "Active"]
    assert row_of(page, people.operator.email)[2:5] == ["Member", "Operator", "Active"]
    assert row_of(page, outsider.email)[2:6] == ["Member", "No", "access", "Active"]
    assert row_of(page, NEW)[2:] == ["Member", "No", "access", "Invited", "Invite", "again"]
    assert people.stranger.email not in page


def test_roles_are_those_of_the_active_unit(people):
    sales = make_unit(people.organization, "Sales")
    service.set_membership(
        sales.scope, people.viewer.member.org_member_id, role=UnitRole.OWNER, now=utc_now()
    )

    here, there = (
        {it.member.email: it.unit_role for it in queries.list_members(scope)}
        for scope in (people.scope, sales.scope)
    )

    assert here[people.viewer.email] is UnitRole.VIEWER
    assert there[people.viewer.email] is UnitRole.OWNER
    assert there[people.operator.email] is None
    assert there[people.admin.email] is UnitRole.OWNER


def test_members_are_read_at_once(people, statements):
    commit()
    statements.clear()

    everybody = queries.list_members(people.scope)

    assert len(everybody) == 4
    assert len([sent for sent in statements if sent.startswith("SELECT")]) == 1


@pytest.mark.parametrize("name", ["owner", "operator", "viewer"])
def test_nobody_else_may_see_or_change_them(browse, people, world, name):
    browser = browse(people[name])

    assert browser.get(MEMBERS).status_code == 403
    assert invite(browser).status_code == 403
    assert browser.post(link_path(people.viewer.member)).status_code == 403
    assert links_in(browser.get("/app/leads").text, MEMBERS) == []
    assert len(queries.list_members(people.scope)) == 4


def test_nobody_is_led_to_the_sign_in(browse, people):
    browser = browse(None)

    assert "/app/login" in browser.get(MEMBERS).location
    assert "/app/login" in invite(browser).location
    assert queries.find_member_by_email(NEW) is None


def test_credentials_cannot_look_after_members(client, people):
    assert client.get(MEMBERS, headers=basic(people.credential)).status_code == 403


def test_a_form_without_its_token_is_refused(browse, people):
    form = {"email": NEW, "role": "Viewer"}

    assert browse(people.admin).client.post(MEMBERS, data=form).status_code == 403
    assert queries.find_member_by_email(NEW) is None


def test_another_organisations_members_are_not_found(browse, people):
    stranger = browse(people.stranger)

    assert people.viewer.email not in stranger.get(MEMBERS).text
    answer = stranger.post(link_path(people.viewer.member))
    assert answer.status_code == 404
    assert people.viewer.email not in answer.text
    assert stranger.post(f"{MEMBERS}/{uuid4()}/link").status_code == 404


@pytest.mark.parametrize(
    ("role", "org_role", "unit_role"),
    [
        ("Viewer", OrgRole.MEMBER, UnitRole.VIEWER),
        ("Operator", OrgRole.MEMBER, UnitRole.OPERATOR),
        ("Owner", OrgRole.MEMBER, UnitRole.OWNER),
        ("Organisation admin", OrgRole.ADMIN, UnitRole.OWNER),
    ],
)
def test_somebody_is_invited_with_a_role(browse, people, role, org_role, unit_role):
    invite(browse(people.admin), " Nina@ACME.test ", role)

    newcomer = listed(people, NEW)
    assert (newcomer.member.role, newcomer.unit_role) == (org_role, unit_role)
    assert not newcomer.has_joined


def test_an_invitation_is_shown_once_and_lets_somebody_in(browse, people):
    admin, newcomer = browse(people.admin), browse(None)

    invited = invite(admin)
    path = shown_path(invited.text)

    assert invited.headers["Cache-Control"] == "no-store"
    assert "nina@acme.test is invited" in invited.text
    assert "no mail server" in invited.text
    assert path not in admin.get(MEMBERS).text
    assert newcomer.get(path).status_code == 200
    joined = newcomer.post(path, {"name": "Nina Ek", "password": NEW_PASSWORD})
    assert joined.status_code == 303
    assert newcomer.get("/app/account/password").status_code == 200
    assert row_of(admin.get(MEMBERS).text, NEW)[:6] == [
        "Nina", "Ek", NEW, "Member", "Viewer", "Active",
    ]  # fmt: skip


def test_somebody_who_lost_their_invitation_gets_another(browse, people):
    admin, newcomer = browse(people.admin), browse(None)
    lost = shown_path(invite(admin).text)

    again = shown_path(admin.post(link_path(listed(people, NEW).member)).text)

    assert again.startswith("/app/invitation/")
    assert again != lost
    assert newcomer.post(again, {"name": "Nina", "password": NEW_PASSWORD}).status_code == 303
    assert browse(None).get(lost).status_code == 410


def test_a_reset_link_is_shown_once_and_works(browse, people):
    admin = browse(people.admin)

    answer = admin.post(link_path(people.viewer.member))
    path = shown_path(answer.text)

    assert answer.headers["Cache-Control"] == "no-store"
    assert path.startswith("/app/reset/")
    assert path not in admin.get(MEMBERS).text
    form = {"password": NEW_PASSWORD, "confirmation": NEW_PASSWORD}
    assert browse(None).post(path, form).status_code == 303
    signed_in = browse(None).post(
        "/app/login", {"email": people.viewer.email, "password": NEW_PASSWORD}
    )
    assert signed_in.status_code == 303


@pytest.mark.parametrize(
    ("sent", "field", "complaint"),
    [
        (("", "Viewer"), "email", "Type the e-mail address."),
        (("not an address", "Viewer"), "email", "This is not an e-mail address"),
        (("viewer@acme.test", "Owner"), "email", "already a member"),
        (("Viewer@ACME.test", "Owner"), "email", "already a member"),
        (("stranger@elsewhere.test", "Viewer"), "email", "already a member"),
        ((NEW, "emperor"), "role", "Not a valid choice"),
        ((NEW, ""), "role", "Not a valid choice"),
    ],
)
def test_what_makes_no_sense_is_explained_at_its_field(browse, people, sent, field, complaint):
    before = queries.list_members(people.scope)

    answer = invite(browse(people.admin), *sent)

    assert answer.status_code == 422
    assert complaint in re.search(rf'id="{field}-error">(.*?)</p>', answer.text, re.DOTALL)[1]
    assert 'id="member-link"' not in answer.text
    assert queries.list_members(people.scope) == before


class TestWithAMailServer:
    @pytest.fixture
    def mailing_app(self, app, make_app, serve):
        return make_app(smtp_url=f"smtp://127.0.0.1:{serve()}", mail_from="leadvibe@acme.test")

    @pytest.fixture
    def admin(self, mailing_app, people):
        return Browser(mailing_app.test_client(), people.admin)

    def _arrived(self, mailing_app, mailbox):
        """Return to whom the one mail went, and the path it leads to."""
        send_due_mails(mailing_app)
        [(_, recipients, message)] = mailbox.arrived
        text = message.get_body(("plain",)).get_content()
        return recipients, re.search(rf"{ORIGIN}(/app/\S+)", text)[1]

    def test_an_invitation_is_mailed_and_not_shown(self, mailing_app, admin, browse, mailbox):
        answer = invite(admin)

        recipients, path = self._arrived(mailing_app, mailbox)
        page = admin.get(MEMBERS).text
        assert (answer.status_code, answer.location) == (303, MEMBERS)
        assert recipients == [NEW]
        assert "The invitation is on its way to nina@acme.test" in page
        assert path not in answer.text + page
        joined = browse(None).post(path, {"name": "Nina Ek", "password": NEW_PASSWORD})
        assert joined.status_code == 303

    def test_a_reset_link_is_mailed_and_not_shown(self, mailing_app, admin, people, mailbox):
        answer = admin.post(link_path(people.viewer.member))

        recipients, path = self._arrived(mailing_app, mailbox)
        page = admin.get(MEMBERS).text
        assert recipients == [people.viewer.email]
        assert path.startswith("/app/reset/")
        assert f"A link is on its way to {people.viewer.email}" in page
        assert path not in answer.text + page

    def test_a_refused_invitation_mails_nobody(self, mailing_app, admin, people, mailbox):
        assert invite(admin, people.viewer.email).status_code == 422

        assert send_due_mails(mailing_app) == 0
        assert mailbox.arrived == []

    def test_the_list_tells_how_a_mail_fares_and_looks_again_meanwhile(self, mailing_app, admin):
        quiet = admin.get(MEMBERS).text
        invite(admin)
        underway = admin.get(MEMBERS, headers=LIST).text
        send_due_mails(mailing_app)
        mailed = admin.get(MEMBERS, headers=LIST).text

        assert "hx-get" not in re.search(r'id="member-list".*?>', quiet)[0]
        assert note_of(underway, NEW) == "The mail is on its way"
        assert f'hx-get="{MEMBERS}"' in underway
        assert "<html" not in underway
        assert note_of(mailed, NEW).startswith("Mailed ")
        assert "hx-get" not in mailed
        assert "Show link" not in underway + mailed

    def test_a_mail_that_is_refused_is_told_and_the_link_can_be_handed_over(
        self, mailing_app, admin, browse
    ):
        invite(admin, REFUSED)
        send_due_mails(mailing_app)
        refused = admin.get(MEMBERS).text
        shown = admin.post(link_path(member_of(REFUSED)), {"by": "hand"})
        path = shown_path(shown.text)

        assert note_of(refused, REFUSED) == (
            "The mail could not be delivered: the mail server refuses the address"
            " (550 no such mailbox)."
        )
        assert row_of(refused, REFUSED)[-4:] == ["Show", "link", "Invite", "again"]
        assert shown.headers["Cache-Control"] == "no-store"
        assert note_of(admin.get(MEMBERS).text, REFUSED) is None
        joined = browse(None).post(path, {"name": "Pat Ek", "password": NEW_PASSWORD})
        assert joined.status_code == 303

    def test_a_mail_that_may_get_through_later_is_told_and_can_be_sent_again(
        self, mailing_app, admin
    ):
        invite(admin, DEFERRED)
        send_due_mails(mailing_app)
        deferred = admin.get(MEMBERS).text
        admin.post(link_path(member_of(DEFERRED)))

        assert note_of(deferred, DEFERRED) == (
            "Not delivered yet: the mail server refuses the address (450 try later)."
            " It is tried again."
        )
        assert "Show link" in deferred
        assert note_of(admin.get(MEMBERS).text, DEFERRED) == "The mail is on its way"
        assert send_due_mails(mailing_app) == 1

    def test_a_mail_that_no_worker_sends_is_told(self, admin):
        invite(admin)
        driver().execute("UPDATE link_mails SET asked_at = now() - interval '61 seconds'")

        page = admin.get(MEMBERS).text

        assert note_of(page, NEW) == "Not sent yet: no worker has come by."
        assert "Show link" in page

    def test_what_became_of_an_invitation_is_forgotten_once_it_is_taken(
        self, mailing_app, admin, browse, mailbox
    ):
        invite(admin)
        _, path = self._arrived(mailing_app, mailbox)
        browse(None).post(path, {"name": "Nina Ek", "password": NEW_PASSWORD})

        assert note_of(admin.get(MEMBERS).text, NEW) is None

    @pytest.mark.parametrize("name", ["owner", "operator", "viewer"])
    def test_nobody_else_gets_a_link_by_hand(self, mailing_app, people, name):
        browser = Browser(mailing_app.test_client(), people[name])

        answer = browser.post(link_path(people.viewer.member), {"by": "hand"})

        assert answer.status_code == 403

    def test_mail_to_members_is_read_at_once(self, mailing_app, admin, statements):
        counts = []
        for number in range(2):
            for more in "ab":
                invite(admin, f"{more}{number}@acme.test")
            statements.clear()
            admin.get(MEMBERS)
            counts.append(len(statements))

        assert counts[0] == counts[1]
