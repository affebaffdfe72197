"""Signing in and everything before it: templates/auth/*.html, all but the last on the bare frame.

A page's `form` is bound to what was sent, so that its errors and values come back. Field names
each template renders are listed beside it; `form.form_errors` shows above the fields.
"""

from __future__ import annotations

from dataclasses import dataclass

from wtforms import Form

from leadvibe.web.pages.display import Alert


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginPage:
    """auth/login.html: email, password; `next_url` travels as the hidden field `next`."""

    form: Form
    action_url: str = "/app/login"
    next_url: str = ""
    forgot_url: str = "/app/forgot"
    alert: Alert | None = None
    """Wrong credentials, throttled, signed out: said once, above the form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupPage:
    """auth/setup.html, the first run: token, organization, name, email, password."""

    form: Form
    action_url: str = "/setup"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgotPage:
    """auth/forgot.html: email. `is_sent` shows the same answer whether the address is known or not.

    Without a mail server the page says to ask an administrator for a link.
    """

    form: Form
    action_url: str = "/app/forgot"
    login_url: str = "/app/login"
    is_sent: bool = False
    can_send_mail: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetPage:
    """auth/reset.html: password, confirmation. Without a form the link has expired."""

    form: Form | None
    action_url: str = ""
    email: str = ""
    forgot_url: str = "/app/forgot"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationPage:
    """auth/invitation.html: name, password. Without a form the invitation is no longer valid."""

    form: Form | None
    action_url: str = ""
    email: str = ""
    org_name: str = ""
    invited_by: str = ""
    login_url: str = "/app/login"


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordPage:
    """auth/password.html, in the shell: current_password, password, confirmation."""

    form: Form
    name: str
    email: str
    action_url: str = "/app/account/password"
