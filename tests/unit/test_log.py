"""Logging: whatever library wrote the line, its secrets are blanked."""

from __future__ import annotations

import json
import logging
import sys
from typing import TYPE_CHECKING

import pytest

from bot import log

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRETS = ["discord-S3cret.part-two_3", "runcomfy+S3cret/with(signs)"]
NAMES, LEVELS = ("bot", "discord", "stamina"), ("WARNING", "INFO", "DEBUG")
WEBHOOK = "aW50ZXJhY3Rpb246-_MTIz"


@pytest.fixture(autouse=True)
def _loggers_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, loggers = root.handlers[:], [root, *map(logging.getLogger, ("discord", "stamina"))]
    levels = [logger.level for logger in loggers]
    hook = sys.excepthook
    yield
    sys.excepthook = hook
    root.handlers[:] = handlers
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def written(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    assert not captured.out
    return captured.err


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_are_blanked_in_messages_and_arguments(
    secret: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log.set_up("INFO", secrets=SECRETS)
    logging.getLogger("bot").info("one %s, two %r, %s", secret, {"authorization": secret}, "kept")
    text = written(capsys)
    assert secret not in text
    assert text.endswith("INFO    bot: one ***, two {'authorization': '***'}, kept\n")


def test_the_login_of_a_proxy_is_blanked(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up("INFO", secrets=SECRETS)
    logging.getLogger("bot").info("407, url='http://me:hunter2@127.0.0.1:8080' and https://x.y/@z, me@x.y")
    assert written(capsys).endswith("407, url='http://***@127.0.0.1:8080' and https://x.y/@z, me@x.y\n")


def test_secrets_are_blanked_in_tracebacks_of_chained_errors(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up("INFO", secrets=SECRETS)
    try:
        try:
            raise RuntimeError(f"POST https://discord.com/api/v10/webhooks/12/{WEBHOOK}")  # noqa: TRY301 (it is the cause)
        except RuntimeError as error:
            raise ValueError(f"refused {SECRETS[1]}") from error
    except ValueError:
        logging.getLogger("bot").exception("it broke")
    text = written(capsys)
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
def test_a_webhooks_address_is_kept_without_its_token(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log.set_up("INFO")
    logging.getLogger("aiohttp.client").warning("no answer from %s", address)
    assert address.replace(WEBHOOK, "***") in written(capsys)


def test_an_interactions_token_is_blanked_where_discord_tells_of_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.set_up("DEBUG")
    # As discord.gateway writes every event that it receives.
    event = {"t": "INTERACTION_CREATE", "d": {"id": "123", "token": WEBHOOK, "type": 2}}
    logging.getLogger("discord.gateway").debug("For Shard ID %s: WebSocket Event: %s", None, event)
    text = written(capsys)
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
def test_levels_let_through_what_an_owner_reads(
    level: str, expected: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    log.set_up(level)
    for name in NAMES:
        for each in LEVELS:
            logging.getLogger(name).log(logging.getLevelName(each), "%s %s", name, each)
    lines = [line.split(": ", 1)[1] for line in written(capsys).splitlines()]
    assert lines == expected


def test_an_empty_secret_blanks_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up("INFO", secrets=["", *SECRETS])
    logging.getLogger("bot").info("hello")
    assert written(capsys).endswith("bot: hello\n")


JOB = "0123456789abcdef" * 2


def test_a_line_names_the_job_that_it_belongs_to(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up("INFO")
    with log.job_context(JOB):
        logging.getLogger("discord").warning("slow")
        with log.job_context(None):
            logging.getLogger("bot").info("of nobody")
        with log.job_context("forged\njob"):
            logging.getLogger("bot").info("of nobody")
    logging.getLogger("bot").info("of nobody")
    first, *others = [line.split(": ", 1)[1] for line in written(capsys).splitlines()]
    assert first == f"job {JOB}: slow"
    assert others == ["of nobody"] * 3


class TestJson:
    def lines(self, capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
        return [json.loads(line) for line in written(capsys).splitlines()]

    def test_a_line_is_an_object(self, capsys: pytest.CaptureFixture[str]) -> None:
        log.set_up("INFO", style="json")
        with log.job_context(JOB):
            logging.getLogger("bot").info("two\nlines of %s", "a job", extra={"fields": {"polls": 3}})
        logging.getLogger("discord").warning("of nobody")
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
        assert second == {"level": "WARNING", "logger": "discord", "message": "of nobody"}

    def test_secrets_are_blanked_before_json_hides_them(self, capsys: pytest.CaptureFixture[str]) -> None:
        secret = 'quote"back\\slash'  # noqa: S105 (of nothing)
        log.set_up("DEBUG", secrets=[secret], style="json")
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
def test_line_breaks_and_escape_codes_are_escaped(raw: str, capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up("INFO")
    logging.getLogger("bot").info("prompt %s, %r", f"a fox{raw}2026 ERROR forged", "ёлка 🦊 naïve\u00a0日本")
    (line,) = written(capsys).split("\n")[:-1]
    assert raw not in line
    assert f"a fox{ascii(raw)[1:-1]}2026 ERROR forged" in line
    assert "ёлка 🦊 naïve" in line


@pytest.mark.parametrize("raw", OUTSIDE, ids=ascii)
def test_an_exceptions_text_is_escaped_and_its_traceback_is_not(
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
    lines = written(capsys).split("\n")
    escaped = forged.replace(raw, ascii(raw)[1:-1])
    assert lines[1] == "Traceback (most recent call last):"
    assert f"RuntimeError: {escaped}\\nnote {escaped}" in lines
    assert any("ExceptionGroup: group" in line and escaped in line for line in lines)
    assert f"ValueError: {escaped}" in lines
    assert any(line.startswith('  File "') for line in lines)
    assert "The above exception was the direct cause of the following exception:" in lines
    assert not [line for line in lines if line.startswith("2026 ERROR forged")]
    assert raw == "\n" or not [line for line in lines if raw in line]


def test_an_exception_that_contains_itself_is_written_once(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up("INFO")
    one, other = RuntimeError("one"), RuntimeError("other")
    one.__cause__, other.__cause__ = other, one
    logging.getLogger("bot").error("it broke", exc_info=one)
    assert written(capsys).count("RuntimeError: one") == 1


def test_an_error_that_ends_the_program_is_written_like_all_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.set_up("INFO", secrets=SECRETS)
    error = RuntimeError(f"{SECRETS[0]}\nforged")
    sys.excepthook(RuntimeError, error, None)
    text = written(capsys)
    assert "RuntimeError: ***\\nforged\n" in text
