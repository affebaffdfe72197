"""Forms for signing in, setting up, and choosing passwords.

They check only that something was typed; what is a good password or address, identity decides.
"""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import EmailField, HiddenField, PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired, Length

from leadvibe.identity.passwords import SHORTEST_PASSWORD
from leadvibe.lib.errors import LeadvibeError


class AuthForm(FlaskForm):  # type: ignore[misc]
    """A form that can show what a capability refused."""

    def text(self, name: str) -> str:
        """Return what was typed into a field, empty when it was not sent."""
        return self[name].data or ""

    def show(self, error: LeadvibeError) -> None:
        """Put each problem at its field; what belongs to no field goes above the form."""
        shown = [name for name in error.fields if name in self]
        for name in shown:
            self[name].errors = [*self[name].errors, error.fields[name]]
        if not shown:
            self.form_errors.append(error.message)


def _email() -> EmailField:
    return EmailField("E-mail", [InputRequired("Type the e-mail address."), Length(max=254)])


def _name() -> StringField:
    return StringField("Your name", [InputRequired("Type your name."), Length(max=200)])


def _password(label: str) -> PasswordField:
    return PasswordField(label, [InputRequired("Type the password.")])


def _new_password(label: str) -> PasswordField:
    return PasswordField(
        label,
        [InputRequired("Type the password.")],
        description=f"At least {SHORTEST_PASSWORD} characters: a few words are easy to remember.",
    )


def _confirmation() -> PasswordField:
    return PasswordField(
        "Repeat the new password", [EqualTo("password", "The two passwords differ.")]
    )


class SignInForm(AuthForm):
    email = _email()
    password = _password("Password")
    next = HiddenField()


class SetupForm(AuthForm):
    token = StringField("Setup token", [InputRequired("Copy the token from the log.")])
    organization = StringField(
        "Organisation", [InputRequired("Name the organisation."), Length(max=100)]
    )
    name = _name()
    email = _email()
    password = _new_password("Password")


class ForgotForm(AuthForm):
    email = _email()


class ResetForm(AuthForm):
    password = _new_password("New password")
    confirmation = _confirmation()


class InvitationForm(AuthForm):
    name = _name()
    password = _new_password("Password")


class ChangePasswordForm(AuthForm):
    current_password = _password("Current password")
    password = _new_password("New password")
    confirmation = _confirmation()
