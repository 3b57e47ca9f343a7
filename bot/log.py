"""Logging on stderr, as text or JSON, with every secret blanked, whatever library wrote the line."""

from __future__ import annotations

import json
import logging
import re
import sys
import unicodedata
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from traceback import TracebackException
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

    _ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

# An interaction's token lets anybody write in the bot's name for 15 minutes; discord.py logs addresses that
# hold it and, at DEBUG, whole events.
_TOKEN = re.compile(r"""(/(?:webhooks|interactions)/\d+/|["']token["']: ?["'])[\w.-]+""")
_PROXY_LOGIN = re.compile(r"(?<=://)[^/\s]+@")  # a proxy's, which aiohttp's errors quote; it may contain "@"
_JOB_ID = re.compile(r"[0-9a-f]{32}")

_job: ContextVar[str | None] = ContextVar("job", default=None)


@contextmanager
def job_context(job_id: str | None) -> Iterator[None]:
    """Name the job in every line that is logged inside, also by libraries and by tasks that begin there.

    None names no job, nor does a text that can be no job's id, as that of a forged press.
    """
    before = _job.set(job_id if job_id and _JOB_ID.fullmatch(job_id) else None)
    try:
        yield
    finally:
        _job.reset(before)


def _add_job(record: logging.LogRecord) -> bool:
    """Add the current job's id to the record."""
    job = _job.get()
    vars(record).update(job=job, job_prefix=f"job {job}: " if job else "")
    return True


class SecretRedactor:
    """Removes secrets from text that is about to be logged."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = [secret for secret in secrets if secret]

    def redact(self, text: str) -> str:
        """Replace every secret, token and proxy login by `***`."""
        text = _PROXY_LOGIN.sub("***@", _TOKEN.sub(r"\1***", text))
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def escape_control(text: str) -> str:
    """Escape line breaks, terminal codes and bidirectional overrides as a Python string literal does.

    They come in prompts, names and answers; raw, they could forge lines of the log.
    """
    if text.isprintable():
        return text
    return "".join(
        letter
        if letter.isprintable() or unicodedata.category(letter) == "Zs"
        else letter.encode("unicode_escape").decode()
        for letter in text
    )


class _TextFormatter(logging.Formatter):
    """A record is one line, followed by the lines of its traceback; text from outside is escaped."""

    def __init__(self, redactor: SecretRedactor) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(job_prefix)s%(message)s")
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor.redact(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's name)
        return escape_control(super().formatMessage(record))

    def formatException(self, ei: _ExcInfo) -> str:  # noqa: N802 (logging's name)
        error = ei[1]
        return "" if error is None else "\n".join(_traceback(TracebackException.from_exception(error)))


def _traceback(error: TracebackException) -> Iterator[str]:
    """The lines of a traceback as Python prints it, each exception's own text on one line."""
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
    """A line is one object; `fields` keeps its numbers."""

    def __init__(self, redactor: SecretRedactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self._redactor.redact(record.getMessage()),
        }
        line |= {name: vars(record)[name] for name in ("job", "fields") if vars(record).get(name)}
        if record.exc_info:
            line["exception"] = self._redactor.redact(self.formatException(record.exc_info))
        return json.dumps(line)


def shorten_reconnects(record: logging.LogRecord) -> bool:
    """Log a reconnect to the gateway as a one-line warning instead of a traceback."""
    if record.exc_info and record.msg.startswith("Attempting a reconnect"):
        record.msg = f"Discord's gateway is away ({type(record.exc_info[1]).__name__}). {record.msg}"
        record.levelno, record.levelname, record.exc_info = logging.WARNING, "WARNING", None
    return True


def set_up(level: str, *, secrets: Iterable[str] = (), style: Literal["text", "json"] = "text") -> None:
    """Send everything from `level` up to stderr, without the secrets, tracebacks included."""
    handler = logging.StreamHandler()
    redactor = SecretRedactor(secrets)
    handler.setFormatter(_JsonFormatter(redactor) if style == "json" else _TextFormatter(redactor))
    handler.addFilter(_add_job)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    sys.excepthook = lambda *error: logging.getLogger(__name__).critical("unexpected error", exc_info=error)
    # What discord.py says of each connection, and stamina of each try, is not what an owner reads a log for.
    if level != "DEBUG":
        logging.getLogger("discord.client").addFilter(shorten_reconnects)
        logging.getLogger("discord").setLevel(max(logging.WARNING, logging.getLevelName(level)))
        logging.getLogger("stamina").setLevel(logging.ERROR)
