"""Pages before and around signing in: sign in and out, set up, passwords, and the active unit."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from flask import Blueprint, Response, after_this_request, flash, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http import principal as asking
from leadvibe.http.active_unit import forget_unit, remember_unit
from leadvibe.http.auditing import name_actor
from leadvibe.http.member_links import mailer, post_reset
from leadvibe.http.permissions import require_member
from leadvibe.http.sign_in import sign_in
from leadvibe.identity import member_links, queries, service, signing_in
from leadvibe.identity.errors import UnitNotFoundError
from leadvibe.identity.types import LinkPurpose, Member
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import InvalidError, LeadvibeError, ThrottledError
from leadvibe.lib.ids import parse_id
from leadvibe.pipeline.setup import prepare_default_unit
from leadvibe.web import session
from leadvibe.web.forms.auth import (
    AuthForm,
    ChangePasswordForm,
    ForgotForm,
    InvitationForm,
    ResetForm,
    SetupForm,
    SignInForm,
)
from leadvibe.web.pages.auth import (
    ForgotPage,
    InvitationPage,
    LoginPage,
    PasswordPage,
    ResetPage,
    SetupPage,
)
from leadvibe.web.pages.display import Tone
from leadvibe.web.redirects import ACCOUNT, HOME, LOGIN, SETUP, local_path
from leadvibe.web.rendering import render, render_bare

FORM_METHODS = ["GET", "POST"]
SEE_OTHER = 303

pages = Blueprint("login", __name__)


@pages.get("/")
def home() -> AnyResponse:
    return redirect(HOME)


@pages.route("/login", methods=FORM_METHODS)
def login() -> AnyResponse:
    after = local_path(request.values.get("next"))
    if asking.find() is not None:
        return redirect(after)
    if not queries.has_members():
        return redirect(SETUP)
    form = SignInForm()
    status = _submit(form, lambda: sign_in(form.text("email"), form.text("password")))
    if status is None:
        return redirect(after, SEE_OTHER)
    return render_bare("auth/login.html", page=LoginPage(form=form, next_url=after), status=status)


@pages.post("/logout")
def logout() -> AnyResponse:
    session.sign_out()
    return forget_unit(cast("Response", redirect(LOGIN, SEE_OTHER)))


@pages.route("/setup", methods=FORM_METHODS)
def setup() -> AnyResponse:
    if queries.has_members():
        return redirect(LOGIN)
    form = SetupForm(token=request.args.get("token", ""))
    status = _submit(form, lambda: _set_up(form))
    if status is None:
        return redirect(HOME, SEE_OTHER)
    page = SetupPage(form=form, action_url=SETUP)
    return render_bare("auth/setup.html", page=page, status=status)


def _set_up(form: SetupForm) -> Member:
    first_name, last_name = _names(form.text("name"))
    name_actor(form.text("email"))
    made = service.set_up(
        form.text("token").strip(),
        organization=form.text("organization"),
        email=form.text("email"),
        first_name=first_name,
        last_name=last_name,
        password=form.text("password"),
        security=asking.security(),
        now=utc_now(),
    )
    prepare_default_unit(made.organization.org_id, by=made.member.email, now=utc_now())
    return made.member


@pages.route("/forgot", methods=FORM_METHODS)
def forgot() -> AnyResponse:
    form, can_send = ForgotForm(), mailer().can_send
    is_sent = can_send and form.validate_on_submit()
    if is_sent:
        name_actor(form.text("email"))
        post_reset(form.text("email"))
    page = ForgotPage(form=form, is_sent=is_sent, can_send_mail=can_send)
    return render_bare("auth/forgot.html", page=page)


@pages.route("/reset/<token>", methods=FORM_METHODS)
def reset(token: str) -> AnyResponse:
    member = queries.find_link_member(token, LinkPurpose.RESET, now=utc_now())
    if member is None:
        return render_bare("auth/reset.html", page=ResetPage(form=None), status=410)
    form = ResetForm()
    status = _submit(form, lambda: _reset_password(token, form))
    if status is None:
        flash("Your new password is set.", Tone.OK)
        return redirect(HOME, SEE_OTHER)
    page = ResetPage(form=form, email=member.email, action_url=request.path)
    return render_bare("auth/reset.html", page=page, status=status)


def _reset_password(token: str, form: ResetForm) -> Member:
    return member_links.reset_password(
        token, password=form.text("password"), security=asking.security(), now=utc_now()
    )


@pages.route("/invitation/<token>", methods=FORM_METHODS)
def invitation(token: str) -> AnyResponse:
    member = queries.find_link_member(token, LinkPurpose.INVITE, now=utc_now())
    if member is None:
        return render_bare("auth/invitation.html", page=InvitationPage(form=None), status=410)
    form = InvitationForm(name=f"{member.first_name} {member.last_name}".strip())
    status = _submit(form, lambda: _accept_invitation(token, form))
    if status is None:
        return redirect(HOME, SEE_OTHER)
    page = InvitationPage(
        form=form,
        email=member.email,
        org_name=queries.get_organization(member.org_id).name,
        action_url=request.path,
    )
    return render_bare("auth/invitation.html", page=page, status=status)


def _accept_invitation(token: str, form: InvitationForm) -> Member:
    first_name, last_name = _names(form.text("name"))
    return member_links.accept_invitation(
        token,
        first_name=first_name,
        last_name=last_name,
        password=form.text("password"),
        security=asking.security(),
        now=utc_now(),
    )


@pages.get("/password")
def password() -> AnyResponse:
    return redirect(ACCOUNT)


@pages.route("/account/password", methods=FORM_METHODS)
def change_password() -> AnyResponse:
    principal = require_member()
    member = queries.get_account(principal).member
    form = ChangePasswordForm()
    status = _submit(form, lambda: _change_password(member, form))
    if status is None:
        flash(
            "Your password is changed. Your other sessions are signed out, and your personal"
            " access tokens are revoked.",
            Tone.OK,
        )
        return redirect(ACCOUNT, SEE_OTHER)
    page = PasswordPage(form=form, name=member.name, email=member.email, action_url=ACCOUNT)
    return render("auth/password.html", page=page, section=ACCOUNT, status=status)


def _change_password(member: Member, form: ChangePasswordForm) -> Member:
    return signing_in.change_password(
        member.org_member_id,
        current_password=form.text("current_password"),
        password=form.text("password"),
        ip=request.remote_addr,
        security=asking.security(),
        now=utc_now(),
    )


@pages.post("/unit")
def switch_unit() -> AnyResponse:
    principal = require_member()
    unit_id = parse_id(request.form.get("unit_id", ""))
    if unit_id is None:
        raise UnitNotFoundError("There is no such organisation unit: choose one from the menu.")
    unit = service.choose_unit(principal, unit_id)
    after = redirect(local_path(request.form.get("next")), SEE_OTHER)
    return remember_unit(cast("Response", after), unit)


def _submit(form: AuthForm, prove: Callable[[], Member]) -> int | None:
    """Sign in whoever the submitted form proves.

    Returns the status to show the form with: 200 at first, an error's when something was wrong,
    or None once somebody is signed in.
    """
    if not form.is_submitted():
        return 200
    if not form.validate():
        return InvalidError.status
    try:
        session.sign_in(prove())
    except LeadvibeError as error:
        form.show(error)
        _say_when_to_retry(error)
        return error.status
    return None


def _say_when_to_retry(error: LeadvibeError) -> None:
    if not isinstance(error, ThrottledError):
        return
    seconds = str(error.retry_after_seconds)

    @after_this_request
    def add_header(response: Response) -> Response:
        response.headers["Retry-After"] = seconds
        return response


def _names(name: str) -> tuple[str, str]:
    """Split a full name at its last space: "Ana Maria Silva" is Ana Maria, Silva."""
    first_name, _, last_name = name.strip().rpartition(" ")
    return (first_name.strip(), last_name) if first_name else (last_name, "")
