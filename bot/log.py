"""Logging to stderr as text or JSON, with secrets redacted in the lines of every library."""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import unicodedata
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from traceback import TracebackException
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_log = logging.getLogger(__name__)
# With an interaction's token anyone can write in the bot's name for 15 minutes. discord.py logs URLs that
# contain it and, at DEBUG, whole events.
_TOKEN = re.compile(r"""(/(?:webhooks|interactions)/\d+/|["']token["']: ?["'])[\w.-]+""")
# Quoted by aiohttp's errors; a password can contain "@". The name in front is that of our own examples.
_PROXY_LOGIN = re.compile(r"(?<=://)(?!user:password@[^@/\s]+/)[^/\s]+@")
_JOB_ID = re.compile(r"[0-9a-f]{32}")

_job_id: ContextVar[str | None] = ContextVar("job_id", default=None)
_secrets: list[str] = []


def hide(secrets: Iterable[str]) -> None:
    """Redact these texts in everything that is logged or printed from now on, and no others."""
    forms = {form for each in secrets for form in (each, quote(each, safe=""), repr(each)[1:-1])}
    _secrets[:] = sorted(forms - {""}, key=len, reverse=True)  # one can be a part of another


def redact(text: str) -> str:
    """Replace secrets, interaction tokens and proxy logins by `***`."""
    for secret in _secrets:
        text = text.replace(secret, "***")
    return _PROXY_LOGIN.sub("***@", _TOKEN.sub(r"\1***", text))


@contextmanager
def job_context(job_id: str | None) -> Iterator[None]:
    """Name the job in every line logged inside, also by libraries and by tasks started there.

    None and anything that is not a job id, such as that of a forged button, name no job.
    """
    token = _job_id.set(job_id if job_id and _JOB_ID.fullmatch(job_id) else None)
    try:
        yield
    finally:
        _job_id.reset(token)


def escape_control(text: str) -> str:
    """Escape line breaks, terminal codes and bidirectional overrides as a Python string literal does.

    Prompts, names and responses can contain them and forge log lines.
    """
    if text.isprintable():
        return text
    return "".join(
        char
        if char.isprintable() or unicodedata.category(char) == "Zs"
        else char.encode("unicode_escape").decode()
        for char in text
    )


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, LookupError):  # arguments that don't fit
        return f"{record.msg} {record.args}"  # logging itself would print them unredacted


class _TextFormatter(logging.Formatter):
    """Formats a record as one line, followed by its traceback; text from outside is escaped."""

    def format(self, record: logging.LogRecord) -> str:
        job = f"job {job_id}: " if (job_id := _job_id.get()) else ""
        line = f"{record.name}: {job}{_message(record)}"
        lines = [f"{self.formatTime(record)} {record.levelname:<7} {escape_control(line)}"]
        if record.exc_info and (error := record.exc_info[1]):
            lines += _traceback(TracebackException.from_exception(error))
        return redact("\n".join(lines))


def _traceback(error: TracebackException) -> Iterator[str]:
    """Yield a traceback as Python prints it, with each exception's own text on one line."""
    if error.__cause__ is not None:
        yield from _traceback(error.__cause__)
        yield "\nThe above exception was the direct cause of the following exception:\n"
    elif error.__context__ is not None and not error.__suppress_context__:
        yield from _traceback(error.__context__)
        yield "\nDuring handling of the above exception, another exception occurred:\n"
    yield "Traceback (most recent call last):"
    yield from "".join(error.stack.format()).rstrip("\n").split("\n")
    yield escape_control("".join(error.format_exception_only()).rstrip("\n"))
    for number, each in enumerate(error.exceptions or (), 1):
        yield f"---------------- {number} ----------------"
        yield from _traceback(each)


class _JsonFormatter(logging.Formatter):
    """Formats a record as a JSON object; `extra={"fields": {...}}` becomes its `fields`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redact(_message(record)),
        }
        if job_id := _job_id.get():
            line["job"] = job_id
        if fields := getattr(record, "fields", None):
            line["fields"] = {
                name: redact(value) if isinstance(value, str) else value for name, value in fields.items()
            }
        if record.exc_info:
            line["exception"] = redact(self.formatException(record.exc_info))
        return json.dumps(line)


def shorten_reconnects(record: logging.LogRecord) -> bool:
    """Log a reconnect to the gateway as a one-line warning instead of a traceback."""
    if record.exc_info and record.msg.startswith("Attempting a reconnect"):
        record.msg = f"Discord's gateway is away ({type(record.exc_info[1]).__name__}). {record.msg}"
        record.levelno, record.levelname, record.exc_info = logging.WARNING, "WARNING", None
    return True


def set_up(level: str, *, style: Literal["text", "json"] = "text") -> None:
    """Log everything from `level` up to stderr, also warnings and exceptions that nothing has caught."""
    handler = logging.StreamHandler()
    handler.setFormatter(_JsonFormatter() if style == "json" else _TextFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    sys.excepthook = lambda *error: _log.critical("unexpected error", exc_info=error)
    threading.excepthook = lambda raised: _log.critical(
        "unexpected error in a thread", exc_info=raised.exc_value
    )
    sys.unraisablehook = lambda raised: _log.error("ignored error", exc_info=raised.exc_value)
    if level != "DEBUG":  # an owner doesn't need discord.py's connection events and stamina's attempts
        logging.getLogger("discord.shard").addFilter(shorten_reconnects)
        logging.getLogger("discord").setLevel(max(logging.WARNING, logging.getLevelName(level)))
        logging.getLogger("stamina").setLevel(logging.ERROR)
        # A traceback for each connection that fails; the heartbeat says once that the database is away.
        logging.getLogger("asyncpg.pool").setLevel(logging.ERROR)
