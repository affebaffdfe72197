"""The edge of a request: commit when it succeeded, roll back when it did not.

Views never commit. A commit that fails becomes a 500 like any other error, so a success that was
answered is a success that is stored.
"""

from __future__ import annotations

from flask import Flask, Response

from leadvibe.lib import db

FIRST_FAILURE_STATUS = 400


def register(app: Flask) -> None:
    app.after_request(_finish)


def _finish(response: Response) -> Response:
    if response.status_code < FIRST_FAILURE_STATUS:
        db.commit()
    else:
        db.rollback()
    return response
