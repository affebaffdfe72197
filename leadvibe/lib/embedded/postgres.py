"""PostgreSQL, set up for one machine that also runs everything else."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar
from urllib.parse import quote

import psycopg

from leadvibe.lib import memory
from leadvibe.lib.embedded.binaries import POSTGRES_MAJOR, Binaries
from leadvibe.lib.embedded.errors import EmbeddedError, HomeError
from leadvibe.lib.embedded.home import POSTGRES_SOCKET, Home, own_folder, write_file
from leadvibe.lib.embedded.server import ENVIRONMENT
from leadvibe.lib.processes import Account

ROLE = DATABASE = "leadvibe"
MAINTENANCE_DATABASE = "postgres"
PORT = 5432  # only the name of the socket: given because PGPORT may say otherwise
CONNECT_SECONDS = 5

SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "listen_addresses": "",  # the socket is the only door
        "max_connections": "200",
        "work_mem": "16MB",
        "maintenance_work_mem": "128MB",
        # Bulk loads: few, spread checkpoints, and full pages compressed in the log.
        "max_wal_size": "2GB",
        "min_wal_size": "256MB",
        "checkpoint_timeout": "15min",
        "wal_buffers": "16MB",
        "wal_compression": "on",
        # An acknowledged event is on disk: see docs/design.md.
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "max_wal_senders": "2",  # enough for pg_basebackup
        "max_parallel_workers_per_gather": "1",
        "max_parallel_workers": "2",
        "random_page_cost": "1.1",  # solid-state disks
        "jit": "off",  # compiling costs more than these short queries
        "autovacuum_naptime": "15s",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] ",
        "log_min_duration_statement": "2s",
        "log_checkpoints": "off",
    }
)

MIB = 1 << 20
MOST_SHARED = 1024 * MIB


def memory_settings(available_bytes: int) -> dict[str, str]:
    """Return what depends on the memory there is.

    The web and worker processes need some as well. An eighth is enough for a million leads on
    eight gigabytes: what is searched in stays at hand, and is not copied from the kernel's cache
    for each search, which takes three times as long.
    """
    shared = min(max(available_bytes // 8, 128 * MIB), MOST_SHARED)
    return {
        "shared_buffers": f"{shared // MIB}MB",
        "effective_cache_size": f"{available_bytes // 2 // MIB}MB",
    }


# For data that nobody will miss: a power cut may destroy it.
THROWAWAY: Mapping[str, str] = MappingProxyType(
    {
        "shared_buffers": "128MB",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "wal_level": "minimal",
        "max_wal_senders": "0",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    home: Home
    binaries: Binaries
    account: Account | None
    throwaway: bool

    title: ClassVar[str] = "PostgreSQL"
    # Fast shutdown: running transactions are rolled back. The default (SIGTERM) would wait for
    # every client to leave.
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT

    @property
    def executable(self) -> Path:
        return self.binaries.postgres

    @property
    def data(self) -> Path:
        return self.home.postgres

    @property
    def tokens(self) -> tuple[Path, ...]:
        socket = self.home.run / POSTGRES_SOCKET
        return self.data / "postmaster.pid", socket, socket.with_name(f"{socket.name}.lock")

    def prepare(self) -> None:
        if not self.data.exists():
            self._make_cluster()
        own_folder(self.data, self.account)
        self._check_version()
        for name, text in self._configuration().items():
            write_file(self.home.path / name, text, mode=0o644)

    def command(self) -> list[str | Path]:
        return [self.executable, "-D", self.data, "-c", f"config_file={self._configuration_file}"]

    def answers(self) -> bool:
        return postgres_answers(self.home)

    def settle(self) -> None:
        with _connect(self.home, MAINTENANCE_DATABASE) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if known.fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")

    @property
    def _configuration_file(self) -> Path:
        return self.home.path / "postgresql.conf"

    def _make_cluster(self) -> None:
        """Run initdb beside the final place and rename: half a cluster is never taken for one."""
        draft = self.data.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        own_folder(draft, self.account)
        done = subprocess.run(  # noqa: S603 - our own command line
            [
                self.binaries.initdb,
                f"--pgdata={draft}",
                f"--username={ROLE}",
                "--encoding=UTF8",
                # One order of text on every machine, whatever its C library thinks of it.
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C.UTF-8",
                "--data-checksums",
                "--auth=reject",  # replaced by our own pg_hba.conf
                "--no-instructions",
                *(["--no-sync"] if self.throwaway else []),
            ],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=ENVIRONMENT,
            cwd=draft,
            user=self.account.uid if self.account else None,
            group=self.account.gid if self.account else None,
            extra_groups=[] if self.account else None,
        )
        if done.returncode != 0:
            because = (done.stderr.strip() or done.stdout.strip()).splitlines()
            raise EmbeddedError(f"Cannot set up PostgreSQL in {self.data}: {'; '.join(because)}")
        draft.rename(self.data)

    def _check_version(self) -> None:
        version = (self.data / "PG_VERSION").read_text().strip()
        if version != POSTGRES_MAJOR:
            raise HomeError(
                f"{self.data} holds data of PostgreSQL {version}, and the embedded server is"
                f" {POSTGRES_MAJOR}: dump it with the old version, or choose another folder with"
                " --home or LEADVIBE_HOME"
            )

    def _configuration(self) -> dict[str, str]:
        """Return the three configuration files by name.

        They lie in the home, not in the data folder: root must not write where another account
        could have put a link.
        """
        settings = {
            **SETTINGS,
            **memory_settings(memory.available_bytes()),
            **(THROWAWAY if self.throwaway else {}),
            "unix_socket_directories": str(self.home.run),
            "unix_socket_permissions": "0700",
            "hba_file": str(self.home.path / "pg_hba.conf"),
            "ident_file": str(self.home.path / "pg_ident.conf"),
        }
        lines = [
            "# Written at every start: put settings of your own into postgresql.local.conf.",
            *(f"{name} = {_quoted(value)}" for name, value in settings.items()),
            "include_if_exists = 'postgresql.local.conf'",
        ]
        return {
            "postgresql.conf": "\n".join(lines) + "\n",
            # The kernel tells who is at the other end of a socket. Nobody but the user who runs
            # Leadvibe is let in, not even the account that the server itself runs as.
            "pg_hba.conf": "local all all peer map=leadvibe\n",
            "pg_ident.conf": f'leadvibe "{_own_name()}" {ROLE}\n',
        }


def postgres_url(home: Home) -> str:
    return f"postgresql+psycopg://{ROLE}@/{DATABASE}?host={quote(str(home.run))}&port={PORT}"


def postgres_answers(home: Home) -> bool:
    try:
        with _connect(home, MAINTENANCE_DATABASE):
            return True
    except psycopg.OperationalError:
        return False


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _connect(home: Home, database: str) -> psycopg.Connection:
    return psycopg.connect(
        host=str(home.run),
        port=PORT,
        user=ROLE,
        dbname=database,
        connect_timeout=CONNECT_SECONDS,
        autocommit=True,
    )


def _own_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise EmbeddedError(
            f"User id {os.geteuid()} has no name in /etc/passwd, which PostgreSQL asks for:"
            " add one, or set DATABASE_URL and REDIS_URL"
        ) from None
