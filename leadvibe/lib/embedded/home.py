"""The data folder of the embedded servers: what lies where, who owns it, who holds it.

    <home>/lock              held while somebody runs the servers
    <home>/users             held, shared, while somebody uses them
    <home>/secret_key        made once, for sessions and tokens
    <home>/postgresql.conf   and the other configuration files, written at every start
    <home>/postgres/         the database   ┐
    <home>/valkey/           the broker     ├ owned by the account that the servers run as
    <home>/run/              the sockets    ┘
    <home>/log/              what the servers print

The servers listen on sockets in `run/` and on nothing else, so its 0700 mode is their front door.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import pwd
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from leadvibe.lib.embedded.errors import EmbeddedError, HomeError, HomeInUseError
from leadvibe.lib.processes import Account

SYSTEM_FOLDER = Path("/var/lib/leadvibe")
UNPRIVILEGED_ACCOUNT = "nobody"

POSTGRES_SOCKET = ".s.PGSQL.5432"
VALKEY_SOCKET = "valkey.sock"
LONGEST_SOCKET_PATH = 107  # bytes: sockaddr_un holds 108 with the closing zero

PRIVATE = 0o700
PASSABLE = 0o711  # the servers' account passes through, and cannot list


@dataclass(frozen=True, slots=True)
class Home:
    path: Path

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def valkey(self) -> Path:
        return self.path / "valkey"

    @property
    def log(self) -> Path:
        return self.path / "log"

    @property
    def run(self) -> Path:
        """The folder of the sockets: a short one elsewhere when the home's path is too long.

        It depends on the home and the user alone, so that every process finds the same one.
        """
        inside = self.path / "run"
        if len(os.fsencode(inside / POSTGRES_SOCKET)) <= LONGEST_SOCKET_PATH:
            return inside
        digest = hashlib.sha256(os.fsencode(self.path.resolve())).hexdigest()[:12]
        if os.geteuid() == 0:
            return SYSTEM_FOLDER / f"run-{digest}"
        return Path("/tmp") / f"leadvibe-{os.geteuid()}-{digest}"  # noqa: S108 - see own_folder

    def make(self, account: Account | None) -> None:
        """Make the folder itself, or refuse one that the servers or we could not use."""
        if account is not None:
            _check_the_way_in(self.path, account)
        make_passable(self.path)
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise _unwritable(self.path, os.strerror(errno.EACCES))

    def prepare(self, account: Account | None) -> None:
        """Make what lies inside; the caller holds the folder."""
        own_folder(self.log, None)
        make_passable(self.run.parent)
        own_folder(self.run, account)
        own_folder(self.valkey, account)
        if not self._secret_key.exists():
            write_file(self._secret_key, secrets.token_hex(32), mode=0o600)

    def secret_key(self) -> str:
        """Return the key of this installation, which `prepare` made."""
        with _explained(self._secret_key):
            return self._secret_key.read_text().strip()

    @property
    def _secret_key(self) -> Path:
        return self.path / "secret_key"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder against a second supervisor; raises HomeInUseError when there is one."""
        with _open_lock(self.path / "lock") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise HomeInUseError(self.path, lock.read().strip() or "unknown") from None
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            yield

    @contextmanager
    def used(self) -> Iterator[None]:
        """Say that this process uses the servers, for `wait_for_users` to respect."""
        with _open_lock(self.path / "users") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            yield

    @contextmanager
    def unused(self) -> Iterator[None]:
        """Wait until nobody uses the servers, and keep new users waiting meanwhile."""
        with _open_lock(self.path / "users") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def servers_account() -> Account | None:
    """Return the account that the servers run as, or None for this process's own user.

    PostgreSQL refuses to run as root.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(UNPRIVILEGED_ACCOUNT)
    except KeyError:
        raise EmbeddedError(
            f"There is no user {UNPRIVILEGED_ACCOUNT} for PostgreSQL to run as: start Leadvibe as"
            " a plain user, or set DATABASE_URL and REDIS_URL"
        ) from None
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


def make_passable(path: Path) -> None:
    """Make a folder and its parents; as root the servers' account may pass through new ones."""
    mode = PASSABLE if os.geteuid() == 0 else PRIVATE
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        with suppress(FileExistsError), _explained(folder):
            folder.mkdir(mode)
            folder.chmod(mode)  # mkdir's mode is cut by the umask
    if not path.is_dir():
        raise HomeError(f"{path} is not a folder: choose another with --home or LEADVIBE_HOME")


def own_folder(path: Path, account: Account | None) -> None:
    """Make a private folder for the account, or check that an existing one is exactly that.

    The check matters in /tmp, where anybody may have made a folder of that name first.
    """
    uid = os.geteuid() if account is None else account.uid
    with _explained(path):
        with suppress(FileExistsError):
            path.mkdir(PRIVATE)
            if account is not None:
                os.chown(path, account.uid, account.gid, follow_symlinks=False)
        found = path.stat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid:
        raise HomeError(
            f"{path} belongs to {_user_name(found.st_uid)}, and the servers run as"
            f" {_user_name(uid)}: start Leadvibe as the user who made it, or choose another"
            " folder with --home or LEADVIBE_HOME"
        )
    if stat.S_IMODE(found.st_mode) != PRIVATE:
        path.chmod(PRIVATE)


def write_file(path: Path, text: str, *, mode: int) -> None:
    """Write a file that other processes see whole or not at all."""
    draft = path.with_name(f".{path.name}.new")
    with _explained(path):
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "w") as file:
            os.fchmod(file.fileno(), mode)  # open's mode is cut by the umask
            file.write(text)
        draft.replace(path)


def _open_lock(path: Path) -> IO[str]:
    with _explained(path):
        return os.fdopen(os.open(path, os.O_CREAT | os.O_RDWR, 0o600), "r+")


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what the file system refuses into one line for the person who chose the folder."""
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        raise _unwritable(path, error.strerror) from None


def _unwritable(path: Path, reason: str | None) -> HomeError:
    return HomeError(
        f"Cannot write to {path} ({reason}): choose another folder with --home or LEADVIBE_HOME"
    )


def _check_the_way_in(path: Path, account: Account) -> None:
    for folder in reversed((path, *path.parents)):
        if folder.is_dir() and not _may_enter(folder.stat(), account):
            raise HomeError(
                f"The embedded servers run as user {account.name}, who may not enter {folder}:"
                f" choose a folder under {SYSTEM_FOLDER} with --home or LEADVIBE_HOME"
            )


def _may_enter(folder: os.stat_result, account: Account) -> bool:
    if folder.st_uid == account.uid:
        return bool(folder.st_mode & stat.S_IXUSR)
    if folder.st_gid == account.gid:
        return bool(folder.st_mode & stat.S_IXGRP)
    return bool(folder.st_mode & stat.S_IXOTH)


def _user_name(uid: int) -> str:
    try:
        return f"user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"user {uid}"
