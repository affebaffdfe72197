"""What can keep the embedded servers from running, each in one line with its remedy."""

from __future__ import annotations

from pathlib import Path

from leadvibe.lib.errors import UnavailableError


class EmbeddedError(UnavailableError):
    """The embedded servers cannot be started."""

    code = "embedded_servers"


class HomeError(EmbeddedError):
    """The data folder cannot be used."""


class HomeInUseError(HomeError):
    """Another process runs the servers of this folder."""

    def __init__(self, home: Path, pid: str) -> None:
        super().__init__(
            f"Leadvibe already runs in {home} (process {pid}): stop it first,"
            " or choose another folder with --home or LEADVIBE_HOME"
        )


class BinariesError(EmbeddedError):
    """The servers' programs are missing or do not run on this machine."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: set DATABASE_URL and REDIS_URL to servers of your own")
