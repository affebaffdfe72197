"""Sample data: a year of a software company, to look around in; asked for, and wiped again."""

from __future__ import annotations

from flask import Blueprint, flash, redirect
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http.permissions import require
from leadvibe.http.workers import job_queue
from leadvibe.identity.permissions import Permission
from leadvibe.imports import sampling
from leadvibe.lib.clock import utc_now
from leadvibe.web.import_cards import SAMPLE_ID
from leadvibe.web.pages.display import Tone, counted
from leadvibe.web.redirects import IMPORTS

pages = Blueprint("sample", __name__)


@pages.post("/sample")
def load() -> AnyResponse:
    """Ask for it, and lead to where its progress is seen."""
    principal = require(Permission.OWN)
    sampling.request_sample(principal, principal.scope, queue=job_queue(), now=utc_now())
    return redirect(f"{IMPORTS}#{SAMPLE_ID}", 303)


@pages.post("/sample/wipe")
def wipe() -> AnyResponse:
    principal = require(Permission.OWN)
    wiped = sampling.remove_sample(principal, principal.scope, now=utc_now())
    what = f"{counted(wiped.leads, 'lead')} and {counted(wiped.events + wiped.waiting, 'event')}"
    flash(f"The sample data is gone: {what}.", Tone.OK)
    return redirect(IMPORTS, 303)
