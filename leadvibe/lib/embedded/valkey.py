"""Valkey, the broker, with its append-only file on."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from leadvibe.lib.embedded.binaries import Binaries
from leadvibe.lib.embedded.home import VALKEY_SOCKET, Home, write_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Valkey:
    home: Home
    binaries: Binaries
    throwaway: bool

    title: ClassVar[str] = "Valkey"
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    @property
    def executable(self) -> Path:
        return self.binaries.valkey_server

    @property
    def data(self) -> Path:
        return self.home.valkey

    @property
    def tokens(self) -> tuple[Path, ...]:
        return (_socket(self.home),)

    def prepare(self) -> None:
        write_file(self._configuration_file, self._configuration(), mode=0o644)

    def command(self) -> list[str | Path]:
        return [self.executable, self._configuration_file]

    def answers(self) -> bool:
        return valkey_answers(self.home)

    def settle(self) -> None:
        """Nothing is missing in a running broker."""

    @property
    def _configuration_file(self) -> Path:
        return self.home.path / "valkey.conf"

    def _configuration(self) -> str:
        return "\n".join(
            [
                "# Written at every start.",
                "port 0",  # the socket is the only door
                f'unixsocket "{_socket(self.home)}"',
                "unixsocketperm 700",
                f'dir "{self.data}"',
                'save ""',
                f"appendonly {'no' if self.throwaway else 'yes'}",
                "appendfsync everysec",
                "maxmemory-policy noeviction",  # a full broker refuses; it never forgets a job
                "",
            ]
        )


def valkey_url(home: Home) -> str:
    return f"unix://{quote(str(_socket(home)))}?db=0"


def valkey_answers(home: Home) -> bool:
    # By default the client tries for seconds, and so would every look at a folder without servers.
    client = redis.Redis(unix_socket_path=str(_socket(home)), retry=Retry(NoBackoff(), 0))
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def _socket(home: Home) -> Path:
    return home.run / VALKEY_SOCKET
