"""Settings from environment variables: the only reader of `os.environ`.

Does not start or look for servers: an address that nobody gave stays empty, and the command line
fills in the embedded server's (`Settings.completed`) before an application is made.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Self
from urllib.parse import SplitResult, urlsplit

import platformdirs

MAIN_HOME = "main"
DEMO_HOME = "demo"
ROOT_HOMES = Path("/var/lib/leadvibe")

SHORTEST_SECRET_KEY = 32  # characters; `openssl rand -hex 32` gives 64
FERNET_KEY_BYTES = 32
LONGEST_RETENTION_DAYS = 36_500  # a century, which still is a date when taken from today

SWITCH = {"no": False, "0": False, "false": False, "yes": True, "1": True, "true": True}
LOG_LEVELS = ("debug", "info", "warning", "error")
RATE_LIMIT_MODES = ("off", "observe", "enforce")
RATE_LIMIT_KEYS = ("org", "unit", "user", "client", "ip")
MOST_REQUESTS = 100_000
"""A second, and at once: far beyond what one installation serves."""

DATABASE_SCHEMES = ("postgres", "postgresql", "postgresql+psycopg")
REDIS_SCHEMES = ("redis", "rediss", "valkey", "valkeys", "unix")

# Every variable with its default, as docs/operating.md prints them; empty means "not set".
VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "SECRET_KEY": "",
        "ENCRYPTION_KEYS": "",
        "PUBLIC_URL": "",
        "HOST": "127.0.0.1",
        "PORT": "8000",
        "LEADVIBE_HOME": "",
        "SMTP_URL": "",
        "MAIL_FROM": "",
        "SLACK_API_URL": "https://slack.com/api/",
        "HUBSPOT_API_URL": "https://api.hubapi.com",
        "ALLOW_PRIVATE_WEBHOOKS": "no",
        "MAX_UPLOAD_MB": "256",
        "WEB_WORKERS": "2",
        "WEB_THREADS": "64",
        "ACCESS_TOKEN_MINUTES": "15",
        "REFRESH_TOKEN_DAYS": "30",
        "LOG_LEVEL": "info",
        "PIPELINE_BATCH_SIZE": "5000",
        "TRUSTED_PROXIES": "0",
        "AUDIT_RETENTION_DAYS": "365",
        "MONTHLY_EVENT_LIMIT": "",
        "STREAM_WITHOUT_SIGN_IN": "no",
        "RATE_LIMIT_MODE": "off",
        "RATE_LIMIT_KEY_BY": "org",
        "RATE_LIMIT_RPS": "100",
        "RATE_LIMIT_BURST": "200",
    }
)


class SettingsError(Exception):
    """A variable is missing or wrong; the message is one line that names it and the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that differs between installations.

    `database_url`, `redis_url` and `secret_key` are empty when they are left to the embedded
    servers; they are never empty in the settings that an application is given.
    """

    home: Path
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    encryption_keys: tuple[str, ...] = field(repr=False)
    public_url: str
    host: str
    port: int
    smtp_url: str | None = field(repr=False)
    mail_from: str | None
    slack_api_url: str
    hubspot_api_url: str
    allow_private_webhooks: bool
    max_upload_mb: int
    web_workers: int
    web_threads: int
    access_token_minutes: int
    refresh_token_days: int
    log_level: str
    pipeline_batch_size: int
    trusted_proxies: int
    audit_retention_days: int
    monthly_event_limit: int | None
    stream_without_sign_in: bool
    rate_limit_mode: str
    rate_limit_key_by: str
    rate_limit_rps: int
    rate_limit_burst: int

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], *, home_name: str = MAIN_HOME) -> Self:
        """Read and check all variables; `home_name` picks the folder when LEADVIBE_HOME is unset.

        Raises SettingsError for the first variable that is missing or wrong.
        """
        variables = _Variables(environ)
        host, port = variables.text("HOST"), variables.integer("PORT", at_least=1, at_most=65535)
        smtp_url = variables.smtp_url()
        return cls(
            home=variables.home(home_name),
            database_url=variables.database_url(),
            redis_url=variables.redis_url(),
            secret_key=variables.secret_key(),
            encryption_keys=variables.encryption_keys(),
            public_url=variables.public_url() or _local_url(host, port),
            host=host,
            port=port,
            smtp_url=smtp_url,
            mail_from=variables.mail_from(required=smtp_url is not None),
            slack_api_url=f"{variables.api_url('SLACK_API_URL')}/",
            hubspot_api_url=variables.api_url("HUBSPOT_API_URL"),
            allow_private_webhooks=variables.switch("ALLOW_PRIVATE_WEBHOOKS"),
            max_upload_mb=variables.integer("MAX_UPLOAD_MB", at_least=1),
            web_workers=variables.integer("WEB_WORKERS", at_least=1, at_most=256),
            web_threads=variables.integer("WEB_THREADS", at_least=1, at_most=1000),
            access_token_minutes=variables.integer("ACCESS_TOKEN_MINUTES", at_least=1),
            refresh_token_days=variables.integer("REFRESH_TOKEN_DAYS", at_least=1),
            log_level=variables.choice("LOG_LEVEL", LOG_LEVELS),
            pipeline_batch_size=variables.integer(
                "PIPELINE_BATCH_SIZE", at_least=1, at_most=100_000
            ),
            trusted_proxies=variables.integer("TRUSTED_PROXIES", at_least=0, at_most=16),
            audit_retention_days=variables.integer(
                "AUDIT_RETENTION_DAYS", at_least=1, at_most=LONGEST_RETENTION_DAYS
            ),
            monthly_event_limit=variables.optional_integer("MONTHLY_EVENT_LIMIT", at_least=0),
            stream_without_sign_in=variables.switch("STREAM_WITHOUT_SIGN_IN"),
            rate_limit_mode=variables.choice("RATE_LIMIT_MODE", RATE_LIMIT_MODES),
            rate_limit_key_by=variables.choice("RATE_LIMIT_KEY_BY", RATE_LIMIT_KEYS),
            rate_limit_rps=variables.integer("RATE_LIMIT_RPS", at_least=1, at_most=MOST_REQUESTS),
            rate_limit_burst=variables.integer(
                "RATE_LIMIT_BURST", at_least=1, at_most=MOST_REQUESTS
            ),
        )

    @property
    def local_url(self) -> str:
        """The address under which this machine itself reaches the web server."""
        return _local_url(self.host, self.port)

    def completed(self, *, database_url: str, redis_url: str, secret_key: str) -> Self:
        """Return a copy whose empty addresses and key are filled in; what was given stays."""
        return replace(
            self,
            database_url=self.database_url or database_url,
            redis_url=self.redis_url or redis_url,
            secret_key=self.secret_key or secret_key,
        )


def load(*, home: Path | None = None, port: int | None = None, home_name: str) -> Settings:
    """Read this process's settings; options given on the command line win over variables."""
    environ = dict(os.environ)
    if home is not None:
        environ["LEADVIBE_HOME"] = str(home)
    if port is not None:
        environ["PORT"] = str(port)
    return Settings.from_environment(environ, home_name=home_name)


def default_home(name: str) -> Path:
    """Return the data folder of that name: the system's for root, the user's own otherwise."""
    if os.geteuid() == 0:
        return ROOT_HOMES / name
    return platformdirs.user_data_path("leadvibe", appauthor=False) / name


class _Variables:
    """One reading of the environment; each method checks one kind of value."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str) -> str:
        return self._environ.get(name, "").strip() or VARIABLES[name]

    def integer(self, name: str, *, at_least: int, at_most: int | None = None) -> int:
        text = self.text(name)
        limits = f"at least {at_least}" if at_most is None else f"from {at_least} to {at_most}"
        if not text.isdecimal() or not text.isascii():
            raise SettingsError(f"{name} is {text!r}: give a whole number {limits}")
        number = int(text)
        if number < at_least or (at_most is not None and number > at_most):
            raise SettingsError(f"{name} is {number}: give a whole number {limits}")
        return number

    def optional_integer(self, name: str, *, at_least: int) -> int | None:
        return self.integer(name, at_least=at_least) if self.text(name) else None

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        text = self.text(name).lower()
        if text not in choices:
            raise SettingsError(f"{name} is {text!r}: choose one of {', '.join(choices)}")
        return text

    def switch(self, name: str) -> bool:
        text = self.text(name).lower()
        if text not in SWITCH:
            raise SettingsError(f"{name} is {text!r}: choose yes or no")
        return SWITCH[text]

    def home(self, name: str) -> Path:
        text = self.text("LEADVIBE_HOME")
        return Path(text).expanduser().absolute() if text else default_home(name)

    def database_url(self) -> str:
        url = self.text("DATABASE_URL")
        if not url:
            return ""
        scheme, _, rest = url.partition("://")
        if scheme not in DATABASE_SCHEMES:
            raise SettingsError(
                "DATABASE_URL must begin with postgresql:// because Leadvibe keeps its data in"
                " PostgreSQL alone; leave it unset to use the embedded server"
            )
        return f"postgresql+psycopg://{rest}"

    def redis_url(self) -> str:
        url = self.text("REDIS_URL")
        if not url:
            return ""
        scheme, _, rest = url.partition("://")
        if scheme not in REDIS_SCHEMES:
            raise SettingsError(
                "REDIS_URL must begin with redis://, rediss:// or unix://;"
                " leave it unset to use the embedded server"
            )
        return f"{scheme.replace('valkey', 'redis')}://{rest}"

    def secret_key(self) -> str:
        key = self.text("SECRET_KEY")
        if not key and self.text("DATABASE_URL"):
            raise SettingsError(
                "SECRET_KEY is not set, and it must be when DATABASE_URL is:"
                " make one with `openssl rand -hex 32` and keep it"
            )
        if key and len(key) < SHORTEST_SECRET_KEY:
            raise SettingsError(
                f"SECRET_KEY has {len(key)} characters: give at least {SHORTEST_SECRET_KEY},"
                " for example from `openssl rand -hex 32`"
            )
        return key

    def encryption_keys(self) -> tuple[str, ...]:
        keys = tuple(key.strip() for key in self.text("ENCRYPTION_KEYS").split(",") if key.strip())
        for number, key in enumerate(keys, start=1):
            if not _is_fernet_key(key):
                raise SettingsError(
                    f"ENCRYPTION_KEYS holds a bad key at place {number}: each is 32 bytes in"
                    " URL-safe base64, for example from `openssl rand -base64 32 | tr +/ -_`"
                )
        return keys

    def public_url(self) -> str:
        url = self.text("PUBLIC_URL").rstrip("/")
        if not url:
            return ""
        parts = _split("PUBLIC_URL", url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
            raise SettingsError(
                f"PUBLIC_URL is {url!r}: give the address that people type,"
                " for example https://leads.example.com"
            )
        return url

    def api_url(self, name: str) -> str:
        url = self.text(name).rstrip("/")
        parts = _split(name, url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
            raise SettingsError(f"{name} is {url!r}: give an address such as {VARIABLES[name]}")
        return url

    def smtp_url(self) -> str | None:
        url = self.text("SMTP_URL")
        if not url:
            return None
        parts = _split("SMTP_URL", url)
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            raise SettingsError(
                "SMTP_URL must look like smtp://user:password@mail.example.com:587"
                " (or smtps:// for TLS from the first byte)"
            )
        return url

    def mail_from(self, *, required: bool) -> str | None:
        address = self.text("MAIL_FROM")
        if not address and not required:
            return None
        local, _, domain = address.rpartition("@")
        if not local or not domain:
            raise SettingsError(
                "MAIL_FROM must be the address that mail is sent from,"
                " for example leadvibe@example.com"
            )
        return address


def _split(name: str, url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise SettingsError(f"{name} is not an address that can be read: {error}") from None
    return parts


def _is_fernet_key(key: str) -> bool:
    try:
        return len(base64.urlsafe_b64decode(key)) == FERNET_KEY_BYTES
    except (ValueError, binascii.Error):
        return False


def _local_url(host: str, port: int) -> str:
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
