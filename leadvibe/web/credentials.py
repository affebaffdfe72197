"""API credentials and keys of the unit: made, shown once, and deleted."""

from __future__ import annotations

from http.client import UNPROCESSABLE_ENTITY
from uuid import UUID

from flask import Blueprint, current_app, flash, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http.permissions import require_member
from leadvibe.identity import api_keys, queries, service
from leadvibe.identity.api_keys import NewApiKey
from leadvibe.identity.permissions import Permission
from leadvibe.identity.types import Credential, NewCredential, Principal
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import InvalidError
from leadvibe.web.api_keys import created_key, key_rows, make_key, make_test_token
from leadvibe.web.forms.credentials import CredentialForm
from leadvibe.web.pages.credentials import (
    CreatedCredential,
    CredentialRow,
    CredentialsPage,
    ingest_example,
)
from leadvibe.web.pages.display import Moment, Tone, thousands
from leadvibe.web.redirects import CREDENTIALS
from leadvibe.web.rendering import render

pages = Blueprint("credentials", __name__)


@pages.get("/credentials")
def show_credentials() -> AnyResponse:
    return _answer(require_member(Permission.OWN), CredentialForm())


@pages.post("/credentials")
def create_credential() -> AnyResponse:
    """Answer with the page itself: the secret is in no other place that a redirect could show."""
    principal, form = require_member(Permission.OWN), CredentialForm(request.form)
    if not form.validate():
        return _answer(principal, form, status=UNPROCESSABLE_ENTITY)
    new: NewCredential | NewApiKey
    try:
        if form.kind is not None:
            new = make_key(principal, form, form.kind, utc_now())
            return _shown_once(principal, new)
        new = service.create_credential(
            principal.scope, name=form.name.data or "", created_by=principal.label, now=utc_now()
        )
    except InvalidError as error:
        form.show(error)
        return _answer(principal, form, status=UNPROCESSABLE_ENTITY)
    return _shown_once(principal, new)


@pages.post("/credentials/test-token")
def create_test_token() -> AnyResponse:
    principal = require_member(Permission.OWN)
    return _shown_once(principal, make_test_token(principal, utc_now()))


@pages.post("/credentials/<uuid:secret_id>/delete")
def delete_credential(secret_id: UUID) -> AnyResponse:
    service.delete_credential(require_member(Permission.OWN).scope, secret_id)
    flash("The credential is deleted: programs that use it are refused from now on.", Tone.OK)
    return redirect(CREDENTIALS, 303)


@pages.post("/credentials/keys/<uuid:key_id>/delete")
def delete_key(key_id: UUID) -> AnyResponse:
    api_keys.delete_api_key(require_member(Permission.OWN).scope, key_id)
    flash("The key is deleted: programs that use it are refused from now on.", Tone.OK)
    return redirect(CREDENTIALS, 303)


def _shown_once(principal: Principal, new: NewCredential | NewApiKey) -> AnyResponse:
    response = _answer(principal, CredentialForm(), new=new)
    response.headers["Cache-Control"] = "no-store"
    return response


def _answer(
    principal: Principal,
    form: CredentialForm,
    *,
    new: NewCredential | NewApiKey | None = None,
    status: int = 200,
) -> AnyResponse:
    public_url = current_app.config["PUBLIC_URL"]
    page = CredentialsPage(
        credentials=tuple(_row(it) for it in queries.list_credentials(principal.scope)),
        form=form,
        created=_created(new) if isinstance(new, NewCredential) else None,
        keys=key_rows(principal, utc_now()),
        created_key=created_key(new, public_url=public_url) if isinstance(new, NewApiKey) else None,
        unit_name=queries.get_unit(principal.scope).name,
        ingest_url=_ingest_url(),
    )
    return render("credentials/page.html", page=page, section=CREDENTIALS, status=status)


def _row(credential: Credential) -> CredentialRow:
    rate = credential.own_rate
    return CredentialRow(
        name=credential.name,
        client_id=credential.client_id,
        created_at=Moment.of(credential.created_at),
        limit=f"{thousands(rate.per_second)} a second" if rate else "None of its own",
        rps=str(rate.per_second) if rate else "",
        burst=str(rate.burst) if rate else "",
        limit_url=f"{CREDENTIALS}/{credential.secret_id}/limit",
        delete_url=f"{CREDENTIALS}/{credential.secret_id}/delete",
    )


def _created(new: NewCredential) -> CreatedCredential:
    client_id, client_secret = new.credential.client_id, new.client_secret
    return CreatedCredential(
        name=new.credential.name,
        client_id=client_id,
        client_secret=client_secret,
        curl=ingest_example(_ingest_url(), client_id, client_secret),
    )


def _ingest_url() -> str:
    return f"{current_app.config['PUBLIC_URL']}/ingest"
