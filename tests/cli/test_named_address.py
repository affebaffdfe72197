"""The log says where the server listens, also when its workers do that each for themselves."""

from __future__ import annotations

import logging

import pytest

from leadvibe.cli.servers import NamedAddress


@pytest.mark.parametrize(
    ("named", "said"), [("", "http://0.0.0.0:8000"), ("unix:/run/leadvibe", "unix:/run/leadvibe")]
)
def test_it_names_the_address(named, said):
    record = logging.LogRecord(
        "gunicorn.error", logging.INFO, "", 1, "Listening at: %s (%s)", (named, 42), None
    )

    assert NamedAddress("http://0.0.0.0:8000").filter(record)

    assert record.getMessage() == f"Listening at: {said} (42)"


def test_it_leaves_other_lines_alone():
    record = logging.LogRecord("gunicorn.error", logging.INFO, "", 1, "Booting", (), None)

    assert NamedAddress("http://0.0.0.0:8000").filter(record)

    assert record.getMessage() == "Booting"
