"""Logging as text on stderr, with every secret blanked, whatever library wrote the line."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# An interaction's token lets anybody write in the bot's name for 15 minutes; discord.py logs addresses that
# hold it and, at DEBUG, whole events.
_TOKEN = re.compile(r"""(/(?:webhooks|interactions)/\d+/|["']token["']: ?["'])[\w.-]+""")


class _BlankingFormatter(logging.Formatter):
    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
        self._secrets = [secret for secret in secrets if secret]

    def format(self, record: logging.LogRecord) -> str:
        text = _TOKEN.sub(r"\1***", super().format(record))
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def _is_brief(record: logging.LogRecord) -> bool:
    """Keeps every line; that of a gateway that is away for a moment names its cause without a traceback."""
    if record.exc_info and record.msg.startswith("Attempting a reconnect"):
        record.msg = f"Discord's gateway is away ({type(record.exc_info[1]).__name__}). {record.msg}"
        record.levelno, record.levelname, record.exc_info = logging.WARNING, "WARNING", None
    return True


def set_up(level: str, *, secrets: Iterable[str] = ()) -> None:
    """Send everything from `level` up to stderr, without the secrets, tracebacks included."""
    handler = logging.StreamHandler()
    handler.setFormatter(_BlankingFormatter(secrets))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # What discord.py says of each connection, and stamina of each try, is not what an owner reads a log for.
    if level != "DEBUG":
        logging.getLogger("discord.client").addFilter(_is_brief)
        logging.getLogger("discord").setLevel(max(logging.WARNING, logging.getLevelName(level)))
        logging.getLogger("stamina").setLevel(logging.ERROR)
