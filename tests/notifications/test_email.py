"""Mail, handed to a real SMTP server."""

from __future__ import annotations

import re
import socket

import pytest
from aiosmtpd.smtp import AuthResult

from leadvibe.notifications.errors import TransportError
from leadvibe.notifications.transports import email
from leadvibe.notifications.transports.email import Mail, MailServer, send
from tests.conftest import Browser
from tests.mailbox import send_due_mails

MAIL = Mail(
    to="anna@example.test", subject="Grüße", text="Plain text, ü.", html="<p>Rich text, ü.</p>"
)
SENDER = "leadvibe@example.test"


def test_a_mail_arrives_in_text_and_html(serve, mailbox):
    send(MailServer.at(f"smtp://127.0.0.1:{serve()}", sender=SENDER), MAIL)

    [(sender, recipients, message)] = mailbox.arrived
    assert (sender, recipients) == (SENDER, [MAIL.to])
    assert message["Subject"] == "Grüße"
    assert message.get_content_type() == "multipart/alternative"
    text, html = message.iter_parts()
    assert text.get_content().strip() == MAIL.text
    assert html.get_content().strip() == MAIL.html
    assert message["Message-ID"].endswith("@example.test>")
    assert message["Date"]


@pytest.mark.parametrize(
    ("to", "is_temporary", "answer"),
    [("t@x.test", True, "450 try later"), ("p@x.test", False, "550 no such mailbox")],
)
def test_a_refusal_says_why_and_whether_trying_again_helps(serve, to, is_temporary, answer):
    server = MailServer.at(f"smtp://127.0.0.1:{serve()}", sender=SENDER)

    with pytest.raises(TransportError, match=to) as refused:
        send(server, Mail(to=to, subject="s", text="t", html="h"))

    assert refused.value.is_temporary is is_temporary
    assert refused.value.reason == f"the mail server refuses the address ({answer})"


def test_a_server_that_is_away_may_come_back():
    with pytest.raises(TransportError, match="cannot be used") as refused:
        send(MailServer.at("smtp://127.0.0.1:1", sender=SENDER), MAIL)

    assert refused.value.is_temporary
    assert refused.value.reason == "the mail server cannot be reached"


def test_a_wrong_password_is_told_without_naming_it(serve):
    port = serve(
        authenticator=lambda *_: AuthResult(success=False, handled=False), auth_require_tls=False
    )
    server = MailServer.at(f"smtp://user:hunter2@127.0.0.1:{port}", sender=SENDER)

    with pytest.raises(TransportError) as refused:
        send(server, MAIL)

    assert not refused.value.is_temporary
    assert refused.value.reason == (
        "the mail server does not accept the user name and password set for Leadvibe"
    )
    assert "hunter2" not in str(refused.value)


def test_a_server_that_says_nothing_is_not_waited_for_long(monkeypatch):
    monkeypatch.setattr(email, "TIMEOUT_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = MailServer.at(f"smtp://127.0.0.1:{silent.getsockname()[1]}", sender=SENDER)
        with pytest.raises(TransportError) as refused:
            send(server, MAIL)

    assert refused.value.is_temporary
    assert refused.value.reason == "the mail server did not answer"


def test_name_and_password_are_given(serve, mailbox):
    seen = []

    def check(_server, _session, _envelope, _mechanism, data):
        seen.append((data.login, data.password))
        return AuthResult(success=True)

    port = serve(authenticator=check, auth_require_tls=False)
    send(MailServer.at(f"smtp://us%40er:p%2Fw@127.0.0.1:{port}", sender=SENDER), MAIL)

    assert seen == [(b"us@er", b"p/w")]
    assert len(mailbox.arrived) == 1


def test_a_password_is_never_sent_in_the_clear_to_another_machine(serve, mailbox, monkeypatch):
    port = serve(authenticator=lambda *_: AuthResult(success=True), auth_require_tls=False)
    server = MailServer.at(f"smtp://user:password@127.0.0.1:{port}", sender=SENDER)
    monkeypatch.setattr(MailServer, "is_local", property(lambda _self: False))

    with pytest.raises(TransportError, match="no encryption") as refused:
        send(server, MAIL)

    assert refused.value.reason == "the mail server offers no safe way to sign in"

    assert mailbox.arrived == []


@pytest.mark.parametrize(
    ("url", "host", "port", "is_tls"),
    [
        ("smtp://mail.example.com", "mail.example.com", 587, False),
        ("smtps://mail.example.com", "mail.example.com", 465, True),
        ("smtp://[::1]:2525", "::1", 2525, False),
    ],
)
def test_the_address_of_a_server_is_read(url, host, port, is_tls):
    server = MailServer.at(url, sender=SENDER)

    assert (server.host, server.port, server.is_tls) == (host, port, is_tls)


class TestForgottenPasswords:
    @pytest.fixture
    def mailing_app(self, app, make_app, serve):
        return make_app(smtp_url=f"smtp://127.0.0.1:{serve()}", mail_from=SENDER)

    def _ask(self, mailing_app, email):
        answer = Browser(mailing_app.test_client(), None).post("/app/forgot", {"email": email})
        send_due_mails(mailing_app)
        return answer

    def test_the_mailed_link_sets_a_new_password(self, mailing_app, people, mailbox):
        self._ask(mailing_app, people.viewer.email)

        [(_, recipients, message)] = mailbox.arrived
        text = message.get_body(("plain",)).get_content()
        path = re.search(r"http://127.0.0.1:8000(/app/reset/\S+)", text)[1]
        assert recipients == [people.viewer.email]
        form = {"password": "a wholly new one", "confirmation": "a wholly new one"}
        browser = Browser(mailing_app.test_client(), None)
        assert browser.post(path, form).status_code == 303

    def test_nobody_learns_who_is_a_member(self, mailing_app, people, mailbox):
        known, unknown = (
            self._ask(mailing_app, email) for email in (people.viewer.email, "nobody@acme.test")
        )

        assert known.status_code == unknown.status_code == 200
        assert _without_request(known.text) == _without_request(unknown.text)
        assert len(mailbox.arrived) == 1

    def test_impatience_sends_one_mail(self, mailing_app, people, mailbox):
        for _ in range(3):
            self._ask(mailing_app, people.viewer.email)

        assert len(mailbox.arrived) == 1

    def test_the_link_leads_to_the_public_address_whatever_host_was_asked(
        self, mailing_app, people, mailbox
    ):
        client, evil = mailing_app.test_client(), {"base_url": "http://evil.example"}
        page = client.get("/app/forgot", **evil).text
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
        form = {"email": people.viewer.email, "csrf_token": token}
        client.post("/app/forgot", data=form, **evil)
        send_due_mails(mailing_app)

        assert "evil.example" not in mailbox.arrived[0][2].as_string()

    def test_a_mail_that_fails_does_not_fail_the_page(self, app, make_app, people, caplog):
        broken = make_app(smtp_url="smtp://127.0.0.1:1", mail_from=SENDER)

        assert self._ask(broken, people.viewer.email).status_code == 200
        assert "was not sent" in caplog.text


def _without_request(page: str) -> str:
    return re.sub(r'(value|content)="[^"]*"', "", page)
