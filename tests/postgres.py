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
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

NOT_RUN = (
    "The PostgreSQL tests were NOT run: it isn't installed. Install it (Debian: apt-get install postgresql)."
)
SUPERUSER, OWNER = "postgres", "imagine"
"""Roles without a password; the bot connects as the owner of its database."""
PASSWORD_ROLE, PASSWORD = "with_password", "pass/word@4711"
"""A role that needs its password."""
_FOLDER = "POSTGRES_TESTS"
"""The environment variable that tells workers the folder of the run's server."""
_TEMPLATE = "empty"
"""The database that each test's own is copied from: the newest tables, without rows."""
_FAST = {  # the data need not survive the machine
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "32MB",
    "max_connections": "300",
}


def find_binaries() -> Path | None:
    """Return the folder of PostgreSQL's programs, if it is installed."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    on_path = shutil.which("initdb")
    folders = [*reversed(debian), *([Path(on_path).parent] if on_path else [])]
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


class PostgresServer:
    """A server with its data in a folder of its own, reachable on this machine only."""

    host = "127.0.0.1"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def port(self) -> int:
        """The port that the server was started on."""
        return int((self._folder / "port").read_text())

    def create(self) -> None:
        """Create the data folder and start the server on a free port."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if user := _server_user():
            shutil.chown(self._folder, user)
        self._run("initdb", "-D", self._data, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--no-sync",
                  "--locale=C.UTF-8", "--no-instructions")  # fmt: skip
        with socket.create_server((self.host, 0)) as free:
            port = free.getsockname()[1]
        (self._folder / "port").write_text(f"{port}")
        rules = self._data / "pg_hba.conf"
        rules.write_text(f"host all {PASSWORD_ROLE} samehost scram-sha-256\n{rules.read_text()}")
        self.start()
        self.sql(f"create role {OWNER} login; create role {PASSWORD_ROLE} login password '{PASSWORD}'")

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        settings = {
            **_FAST,
            "listen_addresses": self.host,
            "port": f"{self.port}",
            "unix_socket_directories": "",
            "timezone": "Asia/Kathmandu",  # so that a test fails whose result depends on it
        }
        options = " ".join(f"-c {name}={value or chr(39) * 2}" for name, value in settings.items())
        self._run(
            "pg_ctl", "start", "-w", "-t", "60", "-D", self._data, "-l", self._folder / "log", "-o", options
        )

    def stop(self, mode: str = "fast") -> None:
        """Stop the server, cutting its connections; `immediate` can lose the latest commits."""
        self._run("pg_ctl", "stop", "-w", "-m", mode, "-D", self._data)

    def restart(self) -> None:
        """Restart the server, as an upgrade does."""
        self.stop()
        self.start()

    def sql(self, statement: str, *, database: str = "postgres") -> str:
        """Run a statement as superuser and return its rows, a line each."""
        return self._run(
            "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.host, "-p", f"{self.port}",
            "-U", SUPERUSER, "-d", database, "-c", statement,
        )  # fmt: skip

    def url(self, database: str, *, user: str = OWNER, password: str = "") -> str:
        """Return the DATABASE_URL of a database."""
        credentials = f"{user}:{quote(password, safe='')}" if password else user
        return f"postgresql+asyncpg://{credentials}@{self.host}:{self.port}/{database}"

    @contextmanager
    def another(self) -> Iterator[PostgresServer]:
        """Yield a server that can be stopped and restarted without disturbing other tests."""
        folder = Path(tempfile.mkdtemp(dir=self._folder))
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

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _run(self, program: str, *arguments: str | Path) -> str:
        folder = find_binaries()
        assert folder
        # pg_ctl's server inherits the output, so it must not be a pipe that would never end.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                [folder / program, *arguments], cwd="/", user=_server_user(), extra_groups=_groups(),
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, check=False,
            )  # fmt: skip
            output.seek(0)
            text = output.read()
        if done.returncode:
            raise RuntimeError(f"{program}: {text}")
        return text.strip()


def _server_user() -> str | None:
    """Return the user to run the server as, if it isn't this one: PostgreSQL refuses root."""
    return "postgres" if os.geteuid() == 0 else None


def _groups() -> list[str] | None:
    return [] if os.geteuid() == 0 else None


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
