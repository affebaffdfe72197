"""What the tests of both lead APIs share."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from leadvibe.identity.api_keys import SCOPES, KeyKind, create_api_key
from leadvibe.identity.types import Scope
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit


@pytest.fixture
def make_key(app: Flask) -> Callable[..., str]:
    """Return a maker of keys: it returns their text."""

    def make(scope: Scope, kind: KeyKind, scopes=SCOPES, lasts=None) -> str:
        made = create_api_key(
            scope, kind, name="Test", scopes=scopes, lasts=lasts, created_by="test", now=utc_now()
        )
        commit()
        return made.text

    return make


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
