"""A private PostgreSQL server, for several processes of the bot or for tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_INSTALLED = "PostgreSQL isn't installed. Install it (Debian: apt-get install postgresql)."
SUPERUSER, OWNER = "postgres", "imagine"
"""Roles; the bot connects as the owner of its database."""
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
    settings: Mapping[str, str] = _FAST

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def port(self) -> int:
        """The port that the server was started on."""
        return int((self.folder / "port").read_text())

    def create(self) -> None:
        """Create the data folder and start the server on a free port."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if user := _server_user():
            shutil.chown(self.folder, user)
        self._run("initdb", "-D", self.data, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--no-sync",
                  "--locale=C.UTF-8", "--no-instructions")  # fmt: skip
        with socket.create_server((self.host, 0)) as free:
            port = free.getsockname()[1]
        (self.folder / "port").write_text(f"{port}")
        self.start()
        self.sql(f"create role {OWNER} login")

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        settings = {
            **self.settings,
            "listen_addresses": self.host,
            "port": f"{self.port}",
            "unix_socket_directories": "",
            "timezone": "Asia/Kathmandu",  # so that a test fails whose result depends on it
        }
        options = " ".join(f"-c {name}={value or chr(39) * 2}" for name, value in settings.items())
        self._run(
            "pg_ctl", "start", "-w", "-t", "60", "-D", self.data, "-l", self.folder / "log", "-o", options
        )

    def stop(self, mode: str = "fast") -> None:
        """Stop the server, cutting its connections; `immediate` can lose the latest commits."""
        self._run("pg_ctl", "stop", "-w", "-m", mode, "-D", self.data)

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

    @property
    def data(self) -> Path:
        """The server's own folder."""
        return self.folder / "data"

    def _run(self, program: str, *arguments: str | Path) -> str:
        folder = find_binaries()
        if folder is None:
            raise RuntimeError(NOT_INSTALLED)
        # pg_ctl's server inherits the output, so it must not be a pipe that would never end.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(  # noqa: S603 (fixed programs)
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
