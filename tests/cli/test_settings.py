from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest

from leadvibe.settings import VARIABLES, Settings, SettingsError, default_home

DOCUMENTATION = Path(__file__).parent.parent.parent / "docs" / "operating.md"
LONG_ENOUGH = "x" * 32
FERNET_KEY = base64.urlsafe_b64encode(bytes(32)).decode()


def test_an_empty_environment_means_embedded_servers_and_defaults():
    settings = Settings.from_environment({})

    assert (settings.database_url, settings.redis_url, settings.secret_key) == ("", "", "")
    assert settings.home == default_home("main")
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.public_url == settings.local_url == "http://127.0.0.1:8000"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_any_spelling_of_a_postgresql_address_is_understood(scheme):
    settings = Settings.from_environment(
        {"DATABASE_URL": f"{scheme}://me@db/leads", "SECRET_KEY": LONG_ENOUGH}
    )

    assert settings.database_url == "postgresql+psycopg://me@db/leads"


def test_a_valkey_address_is_understood():
    assert Settings.from_environment({"REDIS_URL": "valkeys://b:6379/1"}).redis_url == (
        "rediss://b:6379/1"
    )


def test_only_what_is_missing_is_filled_in():
    given = {"DATABASE_URL": "postgresql://me@db/leads", "SECRET_KEY": LONG_ENOUGH}

    settings = Settings.from_environment(given).completed(
        database_url="embedded", redis_url="embedded", secret_key="embedded"
    )

    assert settings.database_url == "postgresql+psycopg://me@db/leads"
    assert settings.redis_url == "embedded"
    assert settings.secret_key == LONG_ENOUGH


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://127.0.0.1:8000"),
        ("::1", "http://[::1]:8000"),
        ("leads.internal", "http://leads.internal:8000"),
    ],
)
def test_the_machine_reaches_its_own_web_server(host, url):
    assert Settings.from_environment({"HOST": host}).local_url == url


@pytest.mark.parametrize(("text", "limit"), [("", None), ("0", 0), ("1000000", 1_000_000)])
def test_a_limit_of_events_is_there_when_it_is_set(text, limit):
    settings = Settings.from_environment({"MONTHLY_EVENT_LIMIT": text})

    assert settings.monthly_event_limit == limit


def test_secrets_are_not_printed():
    settings = Settings.from_environment(
        {
            "DATABASE_URL": "postgresql://me:hidden-1@db/leads",
            "REDIS_URL": "redis://:hidden-2@broker",
            "SECRET_KEY": "hidden-3" * 4,
            "ENCRYPTION_KEYS": FERNET_KEY,
            "SMTP_URL": "smtp://me:hidden-4@mail",
            "MAIL_FROM": "leadvibe@example.com",
        }
    )

    assert "hidden" not in repr(settings)
    assert FERNET_KEY not in repr(settings)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"DATABASE_URL": "mysql://db"}, r"DATABASE_URL must begin with postgresql://"),
        ({"DATABASE_URL": "postgresql://db"}, r"SECRET_KEY is not set.*openssl rand"),
        ({"REDIS_URL": "http://broker"}, r"REDIS_URL must begin with redis://"),
        ({"SECRET_KEY": "short"}, r"SECRET_KEY has 5 characters: give at least 32"),
        ({"ENCRYPTION_KEYS": f"{FERNET_KEY},abc"}, r"ENCRYPTION_KEYS .* at place 2"),
        ({"PUBLIC_URL": "leads.example.com"}, r"PUBLIC_URL is 'leads.example.com': .*https://"),
        ({"PUBLIC_URL": "http://[::1"}, r"PUBLIC_URL is not an address"),
        ({"PORT": "eighty"}, r"PORT is 'eighty': give a whole number from 1 to 65535"),
        ({"PORT": "70000"}, r"PORT is 70000: give a whole number from 1 to 65535"),
        ({"WEB_WORKERS": "-1"}, r"WEB_WORKERS is '-1': give a whole number from 1"),
        ({"MAX_UPLOAD_MB": "0"}, r"MAX_UPLOAD_MB is 0: give a whole number at least 1"),
        ({"AUDIT_RETENTION_DAYS": "0"}, r"AUDIT_RETENTION_DAYS is 0: give a whole number from 1"),
        ({"MONTHLY_EVENT_LIMIT": "1e6"}, r"MONTHLY_EVENT_LIMIT is '1e6': give a whole number"),
        ({"LOG_LEVEL": "loud"}, r"LOG_LEVEL is 'loud': choose one of debug, info"),
        ({"SMTP_URL": "mail:25"}, r"SMTP_URL must look like smtp://"),
        ({"SMTP_URL": "smtp://mail"}, r"MAIL_FROM must be the address that mail is sent from"),
        ({"MAIL_FROM": "nobody"}, r"MAIL_FROM must be the address"),
    ],
)
def test_a_bad_variable_is_named_with_its_remedy(variables, message):
    with pytest.raises(SettingsError, match=message) as caught:
        Settings.from_environment(variables)

    assert "\n" not in str(caught.value)


def test_each_variable_is_documented_with_its_default():
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*?) \|", DOCUMENTATION.read_text(), re.MULTILINE)

    documented = {name: default.strip("`") for name, default in rows}

    assert documented == VARIABLES


def test_each_variable_is_read():
    """A variable that nothing reads would pass the comparison with the documentation."""
    unread = set(VARIABLES)

    class Environment(dict[str, str]):
        def get(self, name, default=None):
            unread.discard(name)
            return super().get(name, default)

    Settings.from_environment(Environment())

    assert not unread
