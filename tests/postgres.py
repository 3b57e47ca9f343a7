"""A private PostgreSQL server for a test run, and an empty database on it for each test that wants one.

The first test that needs the server starts it; all workers share it. `python -m tests.postgres` prints a line
if PostgreSQL isn't installed.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from playground import postgres
from playground.postgres import NOT_INSTALLED, OWNER, find_binaries

if TYPE_CHECKING:
    from collections.abc import Iterator

NOT_RUN = f"The PostgreSQL tests were NOT run: {NOT_INSTALLED}"
PASSWORD_ROLE, PASSWORD = "with_password", "pass/word@4711"
"""A role that needs its password."""
_FOLDER = "POSTGRES_TESTS"
"""The environment variable that tells workers the folder of the run's server."""
_TEMPLATE = "empty"
"""The database that each test's own is copied from: the newest tables, without rows."""


class PostgresServer(postgres.PostgresServer):
    """A server with a role that needs its password, and databases for tests."""

    def create(self) -> None:
        """Create the data folder and start the server on a free port."""
        super().create()
        rules = self.data / "pg_hba.conf"
        rules.write_text(f"host all {PASSWORD_ROLE} samehost scram-sha-256\n{rules.read_text()}")
        self.sql(f"create role {PASSWORD_ROLE} login password '{PASSWORD}'; select pg_reload_conf()")

    @contextmanager
    def another(self) -> Iterator[PostgresServer]:
        """Yield a server that can be stopped and restarted without disturbing other tests."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        folder.chmod(0o711)
        server = PostgresServer(folder / "postgres")
        server.create()
        try:
            yield server
        finally:
            server.stop("immediate")
            shutil.rmtree(folder)

    @contextmanager
    def new_database(self, template: str = _TEMPLATE) -> Iterator[str]:
        """Yield the URL of a new database, which is dropped afterwards."""
        name = f"test_{secrets.token_hex(8)}"
        self.sql(f"create database {name} owner {OWNER} template {template}")
        try:
            yield self.url(name)
        finally:
            self.sql(f"drop database {name} with (force)")


@contextmanager
def run_folder() -> Iterator[None]:
    """Make a folder for the server of this test run; afterwards, wait until the server has stopped."""
    with tempfile.TemporaryDirectory(prefix="imagine-bot-tests-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # the server's user must get through
        os.environ[_FOLDER] = name
        with (folder / "server").open("a") as server:
            with _locked(folder / "run"):
                yield
            fcntl.flock(server, fcntl.LOCK_EX)


def shared_server() -> PostgresServer:
    """Return the server of this test run; the first call of all workers starts it."""
    folder = Path(os.environ[_FOLDER])
    with _locked(folder / "start"):
        if not (folder / "started").exists():
            subprocess.run(
                [sys.executable, "-m", "tests.postgres", folder], stdin=subprocess.DEVNULL, check=True
            )
            (folder / "started").touch()
    return PostgresServer(folder / "postgres")


def _serve(folder: Path) -> None:
    """Start the server; a fork stays behind to stop it once the run has ended, even if the run was killed."""
    server = PostgresServer(folder / "postgres")
    with _locked(folder / "server"):
        server.create()
        server.sql(f"create database {_TEMPLATE} owner {OWNER}")
        asyncio.run(_migrate(server.url(_TEMPLATE)))
        if os.fork():
            return
        os.setsid()  # Ctrl-C is not for this process
        with _locked(folder / "run"):
            server.stop("immediate")
            shutil.rmtree(folder)


async def _migrate(url: str) -> None:
    from bot.storage.postgres import open_postgres  # noqa: PLC0415 (every run imports this module, few need it)

    async with open_postgres(url):
        pass


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock that a fork of this process holds too; it is free again when both have closed the file."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _serve(Path(sys.argv[1]))
    elif not find_binaries():
        sys.stdout.write(NOT_RUN + "\n")
