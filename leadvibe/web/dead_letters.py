"""Events that could not be processed: what went wrong, and another try or the end of them."""

from __future__ import annotations

import json

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.events import queries, service
from leadvibe.events.errors import DeadLetterNotFoundError
from leadvibe.events.types import DeadLetter
from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal
from leadvibe.web.pages import dead_letters as models
from leadvibe.web.pages.display import Moment, Pager, Tone, counted, pager_label, query_url
from leadvibe.web.rendering import render
