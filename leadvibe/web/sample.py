"""Sample data: a year of a software company, loaded to look around in and wiped again."""

from __future__ import annotations

from flask import Blueprint, flash, redirect
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission
from leadvibe.imports.sample_load import load_sample, wipe_sample
from leadvibe.lib.clock import utc_now
from leadvibe.web.pages.display import Tone, counted
from leadvibe.web.redirects import HOME, IMPORTS

pages = Blueprint("sample", __name__)


@pages.post("/sample")
def load() -> AnyResponse:
    principal = require(Permission.OWN)
    loaded = load_sample(principal, principal.scope, now=utc_now())
    if loaded.is_new:
        what = f"{counted(loaded.leads, 'sample lead')} and {counted(loaded.events, 'event')}"
        flash(f"{what} are in. Scores follow within a minute: reload to see them.", Tone.OK)
    else:
        flash("This unit has the sample data already.", Tone.INFO)
    return redirect(HOME, 303)


@pages.post("/sample/wipe")
def wipe() -> AnyResponse:
    principal = require(Permission.OWN)
    wiped = wipe_sample(principal, principal.scope, now=utc_now())
    what = f"{counted(wiped.leads, 'lead')} and {counted(wiped.events + wiped.waiting, 'event')}"
    flash(f"The sample data is gone: {what}.", Tone.OK)
    return redirect(IMPORTS, 303)
