"""From settings to servers: which folder is meant, and what stands behind empty addresses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from leadvibe.lib import embedded
from leadvibe.lib.errors import UnavailableError
from leadvibe.settings import DEMO_HOME, MAIN_HOME, Settings, default_home, load

home_option = click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="Data folder of the embedded servers (or LEADVIBE_HOME).",
)
port_option = click.option(
    "--port", type=click.IntRange(1, 65535), help="Port of the web server (or PORT)."
)


def command_settings(home: Path | None = None, port: int | None = None) -> Settings:
    """Read the settings for a command that works on an installation that may already run."""
    return load(home=home, port=port, home_name=_likely_home_name())


def embedded_servers(settings: Settings) -> embedded.Which:
    """Return which servers nobody gave an address of."""
    return embedded.Which(postgres=not settings.database_url, valkey=not settings.redis_url)


def needs_embedded_servers(settings: Settings) -> bool:
    return not (settings.database_url and settings.redis_url)


@contextmanager
def connected(settings: Settings) -> Iterator[Settings]:
    """Complete the settings; embedded servers that do not run yet run for as long as needed."""
    if not needs_embedded_servers(settings):
        yield settings
        return
    with embedded.using(settings.home, which=embedded_servers(settings)):
        yield with_embedded(settings)


def running(settings: Settings) -> Settings:
    """Complete the settings for one process among several, which does not start servers itself.

    Raises UnavailableError when embedded servers are needed and do not run.
    """
    if not needs_embedded_servers(settings):
        return settings
    if not embedded.is_running(settings.home, which=embedded_servers(settings)):
        raise UnavailableError(
            f"The embedded servers of {settings.home} do not run: start everything with"
            " `leadvibe up`, or set DATABASE_URL and REDIS_URL"
        )
    return with_embedded(settings)


def with_embedded(settings: Settings) -> Settings:
    """Fill in the addresses and the key of the embedded servers."""
    addresses = embedded.urls(settings.home)
    return settings.completed(
        database_url=addresses.database_url,
        redis_url=addresses.redis_url,
        secret_key=settings.secret_key or embedded.secret_key(settings.home),
    )


def _likely_home_name() -> str:
    """Guess which folder is meant when none is named: one that runs, else one that exists."""
    for is_likely in (embedded.is_running, Path.exists):
        for name in (MAIN_HOME, DEMO_HOME):
            if is_likely(default_home(name)):
                return name
    return MAIN_HOME
