"""The one request that costs money: sent once, and followed to its end."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from bot.diagnostics.first_run.report import say
from bot.errors import BotError, PromptRefusedError
from bot.runcomfy.errors import SUBMIT_ERROR_MAP, InvalidResponseError
from bot.runcomfy.responses import (
    Cancelled,
    Completed,
    InQueue,
    Status,
    Unknown,
    parse_cancelled,
    parse_request_id,
    parse_result,
    parse_status,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import JsonValue

    from bot.diagnostics.first_run.exchange import Answer, Api
    from bot.diagnostics.first_run.report import Report

_SUBMIT_SECONDS = 100.0  # as `RunComfyClient`: giving up sooner leaves it unknown whether it was submitted
_POLL_SECONDS = 1.0
_DOCUMENTED: Final = {"in_queue", "in_progress", "completed", "cancelled"}
_LINKS: Final = ("status", "result", "cancel")
_INVALID: Final = "imagine-bot-first-run"


@dataclass(slots=True)
class PaidRequest:
    """A request that can be charged; at most one exists at RunComfy after `send_invalid` and `send`."""

    api: Api
    report: Report
    model_id: str
    prefix: str = ""
    """Begins the questions of a second request."""
    request_id: str = ""
    state: str = "not sent"
    """What is known last, for the case that it is interrupted."""
    sent_at: datetime | None = field(default=None, init=False)

    def question(self, text: str) -> str:
        """Return a question with the prefix."""
        return f"{self.prefix}{text}"

    async def call(self, action: str, method: str = "GET") -> Answer:
        """Ask about the request; `action` is the end of the path."""
        return await self.api.ask(method, f"/v1/requests/{self.request_id}/{action}")

    async def send_invalid(self, values: Mapping[str, JsonValue], option: str) -> bool:
        """Send a value that the schema excludes; return whether nothing can be charged.

        If RunComfy accepts it, it is canceled at once, and if that fails, it becomes this request.
        """
        question, expected = f"invalid {option}", "refused at once, HTTP 4xx"
        answer = await self._post({**values, option: _INVALID})
        error = answer.error(SUBMIT_ERROR_MAP)
        if error and _may_exist(error):
            self.state = "sent, but the response was lost, so it may exist"
            self.report.compare(question, expected, f"{answer}; it may exist, so nothing else was sent")
            return False
        if error:
            reading = "" if error is PromptRefusedError else f" (the bot takes it for {error.__name__})"
            self.report.compare(question, expected, f"{answer}{reading}", is_same=error is PromptRefusedError)
            return True
        self._accept(answer)
        cancel = await self.call("cancel", "POST") if self.request_id else answer
        is_cancelled = not cancel.error() and parse_cancelled(cancel.body or {})
        outcome = "canceled" if is_cancelled else "not canceled, so nothing else was sent"
        self.report.compare(question, expected, f"accepted: {answer}; {outcome}: {cancel}")
        return is_cancelled

    async def send(self, values: Mapping[str, JsonValue]) -> None:
        """Send the request with one POST; if RunComfy accepts it, it has a `request_id`."""
        answer = await self._post(values)
        error = answer.error(SUBMIT_ERROR_MAP)
        if error:
            lost = "; it may exist and be charged, so it isn't repeated" if _may_exist(error) else ""
            self.state = f"answered with {answer}"
            self.report.compare(self.question("submit"), "HTTP 200", f"{answer}{lost}")
            return
        self._accept(answer)
        expected = "HTTP 200, {request_id: text, status_url: text, result_url: text, cancel_url: text}"
        body = answer.body or {}
        is_same = body.keys() == {"request_id", *(f"{link}_url" for link in _LINKS)}
        self.report.compare(
            self.question("submit"), expected, str(answer), is_same=is_same and answer.status == 200
        )
        self._compare_links(body)

    async def _post(self, values: Mapping[str, JsonValue]) -> Answer:
        self.request_id, self.sent_at, self.state = "", datetime.now(UTC), "sent, without a response yet"
        path = f"/v1/models/{self.model_id}"
        return await self.api.ask("POST", path, json=values, seconds=_SUBMIT_SECONDS)

    def _accept(self, answer: Answer) -> None:
        try:
            self.request_id = parse_request_id(answer.body or {})
        except ValueError:
            self.state = "accepted without a usable request_id"
            return
        self.report.hide(self.request_id)
        self.state = "accepted"
        say(f"RunComfy accepted {self}.")

    def _compare_links(self, body: Mapping[str, JsonValue]) -> None:
        """Compare RunComfy's addresses with those that the bot builds; the bot uses its own."""
        differing = []
        for link in _LINKS:
            given = str(body.get(f"{link}_url"))
            if given != f"{self.api.url}/v1/requests/{self.request_id}/{link}":
                place = "another path at" if given.startswith(f"{self.api.url}/") else "another place:"
                differing.append(f"{link}_url: {place} {given}")
        self.report.compare(
            self.question("submit: addresses"),
            "as the bot builds them",
            "; ".join(differing) or "the same",
            is_same=not differing,
        )

    async def follow(self) -> bool:
        """Poll until the request ends or for DEADLINE_SECONDS; return whether there can be a result."""
        await self._ask_early_result()
        begun_at, polls, has_ended = time.monotonic(), list[_Poll](), False
        while not has_ended and time.monotonic() - begun_at < self.api.settings.deadline_seconds:
            await asyncio.sleep(_POLL_SECONDS if polls else 0)
            poll = _Poll.of(await self.call("status"), time.monotonic() - begun_at)
            if not polls or (poll.word, poll.position) != (polls[-1].word, polls[-1].position):
                polls.append(poll)
                self.state = poll.word
                say(f"{poll.seconds:.0f} s: {self.report.clean(poll.word)}")
            has_ended = isinstance(poll.status, Completed | Cancelled)
            if not poll.is_understood:
                has_ended = is_final(await self.call("result"))
        self._report_polls(polls)
        return has_ended and not isinstance(polls[-1].status, Cancelled)

    async def _ask_early_result(self) -> None:
        answer = await self.call("result")
        question, expected = self.question("result before the end"), "HTTP 200, its status, no output"
        if is_final(answer):
            self.report.note(question, "it had already ended", expected)
            return
        is_same = answer.status == 200 and answer.error() is None and not (answer.body or {}).get("output")
        self.report.compare(question, expected, str(answer), is_same=is_same)

    def _report_polls(self, polls: Sequence[_Poll]) -> None:
        words = list(dict.fromkeys(poll.word for poll in polls))
        question, expected = self.question("status words"), "in_queue, in_progress, completed"
        unknown = [poll.word for poll in polls if not poll.is_understood]
        reading = f" (the bot does not understand {', '.join(unknown)})" if unknown else ""
        is_same = {*words} <= _DOCUMENTED and isinstance(polls[-1].status, Completed)
        self.report.compare(question, expected, ", then ".join(words) + reading, is_same=is_same)
        queued = [poll for poll in polls if isinstance(poll.status, InQueue)]
        question, expected = self.question("queue_position"), "integer from 1 while in_queue"
        if queued:
            seen = ", ".join(str(poll.position) for poll in queued)
            self.report.compare(question, expected, seen, is_same=all(poll.position for poll in queued))
        else:
            self.report.note(question, "never seen in the queue", expected)
        times = "; ".join(f"{poll.word} after {poll.seconds:.0f} s" for poll in polls)
        self.report.note(self.question("time"), times)

    def __str__(self) -> str:
        sent = f", sent {self.sent_at:%Y-%m-%d %H:%M:%S} UTC" if self.sent_at else ""
        number = f" {self.request_id[:8]}..." if self.request_id else ""
        return f"request{number} ({self.model_id}{sent})"


@dataclass(frozen=True, slots=True)
class _Poll:
    """One answer about the status: its word, and what the bot makes of it."""

    seconds: float
    word: str
    status: Status | None = None

    @classmethod
    def of(cls, answer: Answer, seconds: float) -> _Poll:
        if answer.error():
            return cls(seconds, str(answer))
        try:
            return cls(seconds, str((answer.body or {}).get("status")), parse_status(answer.body or {}))
        except ValueError:
            return cls(seconds, str(answer))

    @property
    def is_understood(self) -> bool:
        return not isinstance(self.status, Unknown | None)

    @property
    def position(self) -> int | None:
        return self.status.position if isinstance(self.status, InQueue) else None


def is_final(answer: Answer) -> bool:
    """Whether an answer about the result says that the request has ended."""
    try:
        return answer.error() is None and parse_result(answer.body or {}) is not None
    except BotError:
        return True
    except ValueError:
        return False


def _may_exist(error: type[BotError]) -> bool:
    """Whether a submit that ended with this error can have created a request."""
    return issubclass(error, InvalidResponseError)
