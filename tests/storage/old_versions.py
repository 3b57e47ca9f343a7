"""Databases as older versions of the bot left them."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from bot.storage.migration import migrations

DATA = Path(__file__).parent / "data"
_RENAMED = dict(re.findall(r"rename column (\w+) to (\w+)", migrations()[10].read_text("utf-8")))


def create_v0_1_0(path: Path) -> None:
    """Create the database of a bot of version 0.1.0 that was killed with five unfinished jobs."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((DATA / "0.1.0.sql").read_text("utf-8"))


def downgrade_to_v0_1_0(path: Path) -> None:
    """Convert the database of a stopped bot to that of version 0.1.0, with the same jobs."""
    today = path.with_name("today.db")
    for end in ("", "-wal", "-shm"):
        if (file := Path(f"{path}{end}")).exists():
            file.rename(f"{today}{end}")
    create_v0_1_0(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("attach ? as today", [str(today)])
        with connection:
            for table in ("jobs", "usage", "facts", "rules", "prices"):
                old = [row[1] for row in connection.execute(f"pragma main.table_info({table})")]
                new = [_RENAMED.get(name, name) for name in old] if table == "jobs" else old
                connection.execute(f"delete from main.{table}")  # noqa: S608 (names of the schema)
                connection.execute(
                    f"insert into main.{table} ({', '.join(old)}) "  # noqa: S608 (names of the schema)
                    f"select {', '.join(new)} from today.{table}"
                )
