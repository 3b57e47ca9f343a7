"""Logging: secrets are redacted and control characters escaped, whatever library wrote the line."""

from __future__ import annotations

import json
import logging
import sys
import threading
import warnings
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

import pytest

from bot import log

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRETS = ["discord-S3cret.part-two_3", "runcomfy+S3cret/with(signs)"]
NAMES, LEVELS = ("bot", "discord", "stamina"), ("WARNING", "INFO", "DEBUG")
WEBHOOK = "aW50ZXJhY3Rpb246-_MTIz"


@pytest.fixture(autouse=True)
def _restore_loggers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("excepthook", "unraisablehook"):
        monkeypatch.setattr(sys, name, getattr(sys, name))
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    root = logging.getLogger()
    handlers, loggers = root.handlers[:], [root, *map(logging.getLogger, ("discord", "stamina"))]
    levels = [logger.level for logger in loggers]
    yield
    log.hide([])
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def output(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    assert not captured.out
    return captured.err


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_are_redacted_in_messages_and_arguments(
    secret: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log.set_up("INFO")
    log.hide(SECRETS)
    logging.getLogger("bot").info("one %s, two %r, %s", secret, {"authorization": secret}, "kept")
    text = output(capsys)
    assert secret not in text
    assert text.endswith("INFO    bot: one ***, two {'authorization': '***'}, kept\n")


def test_example_of_a_login_is_shown() -> None:
    assert log.redact("such as postgresql+asyncpg://user:password@host/name").endswith(
        "user:password@host/name"
    )
    for hidden in ("postgresql://user:password@secret@host/name", "http://user:password2@host/"):
        assert "word" not in log.redact(hidden)


@pytest.mark.parametrize("style", ["text", "json"])
def test_secrets_are_redacted_as_they_are_encoded(
    style: Literal["text", "json"], capsys: pytest.CaptureFixture[str]
) -> None:
    secret = "quote'and\"back\\slash/%"  # noqa: S105 (not a real one)
    log.set_up("INFO", style=style)
    log.hide([secret])
    logging.getLogger("bot").info("%r, %s", {"token": secret}, quote(secret, safe=""))
    text = output(capsys)
    assert "slash" not in text
    assert text.count("***") == 2


def test_the_longest_secret_is_redacted_first(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up("INFO")
    log.hide(["me:pw", "me:pw-and-more"])
    logging.getLogger("bot").info("me:pw-and-more")
    assert output(capsys).endswith("bot: ***\n")


def test_secrets_are_redacted_in_arguments_that_do_not_fit(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up("INFO")
    log.hide(SECRETS)
    logging.getLogger("library").info("%d and %s", *SECRETS[:1])
    assert output(capsys).endswith("library: %d and %s ('***',)\n")


def test_secrets_are_redacted_outside_of_loggers(capsys: pytest.CaptureFixture[str]) -> None:
    """In what Python itself would print: of threads, destructors and warnings."""
    log.set_up("INFO")
    log.hide(SECRETS)
    forged = RuntimeError(f"{SECRETS[1]}\nforged")

    class Dropped:
        def __del__(self) -> None:
            raise forged

    def fail() -> None:
        raise forged

    Dropped()
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        log.set_up("INFO")
        warnings.warn(f"{SECRETS[0]}\nforged", stacklevel=1)
    text = output(capsys)
    assert [secret for secret in SECRETS if secret in text] == []
    assert text.count("***\\nforged") == 3
    assert not [line for line in text.splitlines() if line.startswith("forged")]


def test_proxy_login_is_redacted(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up("INFO")
    log.hide(SECRETS)
    logging.getLogger("bot").info("407, url='http://me:hunter2@127.0.0.1:8080' and https://x.y/@z, me@x.y")
    assert output(capsys).endswith("407, url='http://***@127.0.0.1:8080' and https://x.y/@z, me@x.y\n")


def test_secrets_are_redacted_in_chained_tracebacks(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up("INFO")
    log.hide(SECRETS)
    try:
        try:
            raise RuntimeError(f"POST https://discord.com/api/v10/webhooks/12/{WEBHOOK}")  # noqa: TRY301 (it is the cause)
        except RuntimeError as error:
            raise ValueError(f"refused {SECRETS[1]}") from error
    except ValueError:
        logging.getLogger("bot").exception("it broke")
    text = output(capsys)
    assert "it broke" in text
    assert "Traceback" in text
    assert "RuntimeError: POST https://discord.com/api/v10/webhooks/12/***" in text
    assert "ValueError: refused ***" in text
    assert WEBHOOK not in text


@pytest.mark.parametrize(
    "address",
    [
        f"https://discord.com/api/v10/webhooks/123/{WEBHOOK}/messages/@original",
        f"/webhooks/123/{WEBHOOK}?wait=true",
        f"https://discord.com/api/v10/interactions/123/{WEBHOOK}/callback",
    ],
)
def test_webhook_url_is_kept_without_its_token(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up("INFO")
    logging.getLogger("aiohttp.client").warning("no answer from %s", address)
    assert address.replace(WEBHOOK, "***") in output(capsys)


def test_interaction_token_is_redacted_in_gateway_events(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.set_up("DEBUG")
    # As discord.gateway logs every event.
    event = {"t": "INTERACTION_CREATE", "d": {"id": "123", "token": WEBHOOK, "type": 2}}
    logging.getLogger("discord.gateway").debug("For Shard ID %s: WebSocket Event: %s", None, event)
    text = output(capsys)
    assert "INTERACTION_CREATE" in text
    assert WEBHOOK not in text


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("INFO", ["bot WARNING", "bot INFO", "discord WARNING"]),
        ("WARNING", ["bot WARNING", "discord WARNING"]),
        ("ERROR", []),
        ("DEBUG", [f"{name} {level}" for name in NAMES for level in LEVELS]),
    ],
)
def test_levels_of_libraries(level: str, expected: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up(level)
    for name in NAMES:
        for each in LEVELS:
            logging.getLogger(name).log(logging.getLevelName(each), "%s %s", name, each)
    lines = [line.split(": ", 1)[1] for line in output(capsys).splitlines()]
    assert lines == expected


def test_empty_secret_redacts_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up("INFO")
    log.hide(["", *SECRETS])
    logging.getLogger("bot").info("hello")
    assert output(capsys).endswith("bot: hello\n")


JOB = "0123456789abcdef" * 2


def test_line_names_its_job(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up("INFO")
    with log.job_context(JOB):
        logging.getLogger("discord").warning("slow")
        with log.job_context(None):
            logging.getLogger("bot").info("no job")
        with log.job_context("forged\njob"):
            logging.getLogger("bot").info("no job")
    logging.getLogger("bot").info("no job")
    first, *others = [line.split(": ", 1)[1] for line in output(capsys).splitlines()]
    assert first == f"job {JOB}: slow"
    assert others == ["no job"] * 3


class TestJson:
    def lines(self, capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
        return [json.loads(line) for line in output(capsys).splitlines()]

    def test_line_is_an_object(self, capsys: pytest.CaptureFixture[str]) -> None:
        log.set_up("INFO", style="json")
        with log.job_context(JOB):
            logging.getLogger("bot").info("two\nlines of %s", "a job", extra={"fields": {"polls": 3}})
        logging.getLogger("discord").warning("no job")
        first, second = self.lines(capsys)
        assert str(first.pop("time")).endswith("+00:00")
        del second["time"]
        assert first == {
            "level": "INFO",
            "logger": "bot",
            "message": "two\nlines of a job",
            "job": JOB,
            "fields": {"polls": 3},
        }
        assert second == {"level": "WARNING", "logger": "discord", "message": "no job"}

    def test_secrets_are_redacted_in_fields(self, capsys: pytest.CaptureFixture[str]) -> None:
        log.set_up("INFO", style="json")
        log.hide(SECRETS)
        logging.getLogger("bot").info("ended", extra={"fields": {"error": f"no {SECRETS[0]}", "polls": 3}})
        (line,) = self.lines(capsys)
        assert line["fields"] == {"error": "no ***", "polls": 3}

    def test_secrets_are_redacted_before_json_escapes_them(self, capsys: pytest.CaptureFixture[str]) -> None:
        secret = 'quote"back\\slash'  # noqa: S105 (not a real one)
        log.set_up("DEBUG", style="json")
        log.hide([secret])
        try:
            raise RuntimeError(f"refused {secret}")  # noqa: TRY301 (it is logged here)
        except RuntimeError:
            logging.getLogger("bot").exception("POST /webhooks/12/%s with %s", WEBHOOK, secret)
        (line,) = self.lines(capsys)
        assert line["message"] == "POST /webhooks/12/*** with ***"
        assert str(line["exception"]).endswith("RuntimeError: refused ***")
        assert "slash" not in json.dumps(line)


OUTSIDE = [
    "\n",
    "\r",
    "\x1b[31m",
    "\x00",
    "\x9b31m",
    "\x85",
    "\u2028",
    "\u2029",
    "\u202e",
    "\u2066",
    "\u200f",
    "\x7f",
]


@pytest.mark.parametrize("raw", OUTSIDE, ids=ascii)
def test_control_characters_are_escaped(raw: str, capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up("INFO")
    logging.getLogger("bot").info("prompt %s, %r", f"a fox{raw}2026 ERROR forged", "ёлка 🦊 naïve\u00a0日本")
    (line,) = output(capsys).split("\n")[:-1]
    assert raw not in line
    assert f"a fox{ascii(raw)[1:-1]}2026 ERROR forged" in line
    assert "ёлка 🦊 naïve" in line


@pytest.mark.parametrize("raw", OUTSIDE, ids=ascii)
def test_exception_text_is_escaped_but_not_its_traceback(
    raw: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log.set_up("INFO")
    forged = f"body{raw}2026 ERROR forged"
    try:
        try:
            raise RuntimeError(forged)  # noqa: TRY301 (it is the cause)
        except RuntimeError as error:
            error.add_note(f"note {forged}")
            raise ExceptionGroup(f"group {forged}", [ValueError(forged)]) from error
    except ExceptionGroup:
        logging.getLogger("bot").exception("it broke")
    lines = output(capsys).split("\n")
    escaped = forged.replace(raw, ascii(raw)[1:-1])
    assert lines[1] == "Traceback (most recent call last):"
    assert f"RuntimeError: {escaped}\\nnote {escaped}" in lines
    assert any("ExceptionGroup: group" in line and escaped in line for line in lines)
    assert f"ValueError: {escaped}" in lines
    assert any(line.startswith('  File "') for line in lines)
    assert "The above exception was the direct cause of the following exception:" in lines
    assert not [line for line in lines if line.startswith("2026 ERROR forged")]
    assert raw == "\n" or not [line for line in lines if raw in line]


def test_cyclic_exception_is_written_once(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up("INFO")
    one, other = RuntimeError("one"), RuntimeError("other")
    one.__cause__, other.__cause__ = other, one
    logging.getLogger("bot").error("it broke", exc_info=one)
    assert output(capsys).count("RuntimeError: one") == 1


def test_uncaught_exception_is_redacted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.set_up("INFO")
    log.hide(SECRETS)
    error = RuntimeError(f"{SECRETS[0]}\nforged")
    sys.excepthook(RuntimeError, error, None)
    text = output(capsys)
    assert "RuntimeError: ***\\nforged\n" in text
