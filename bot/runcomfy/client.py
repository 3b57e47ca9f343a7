"""Asks RunComfy's queue API: orders once, and looks as often as it takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final, TypeVar

import aiohttp
import stamina
from yarl import URL

from bot.errors import (
    BotError,
    PromptRefusedError,
    RequestNotFoundError,
    RunComfyAuthError,
    RunComfyBalanceError,
    RunComfyProtocolError,
    RunComfyUnavailableError,
    SubmissionUnknownError,
)
from bot.runcomfy.replies import (
    Json,
    Result,
    Status,
    parse_body,
    parse_cancelled,
    parse_error_code,
    parse_request_id,
    parse_result,
    parse_status,
)

if TYPE_CHECKING:
    from pydantic import JsonValue

T = TypeVar("T")

_TIMEOUT: Final = aiohttp.ClientTimeout(total=30, connect=10)
# RunComfy's own client gives an order 100 seconds; giving up sooner only makes more orders unknown.
_SUBMIT_TIMEOUT: Final = aiohttp.ClientTimeout(total=100, connect=10)
_BODY_MAX = 2**20
_RETRY_AFTER_MAX = 60.0
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


class _NoAnswerError(RunComfyUnavailableError):
    """The call may have reached RunComfy, and no usable answer came back."""


# Looked up by error_code first, then by HTTP status, then by the status's first digit: RunComfy's documented
# 400 means no money, a bad token or a bad id, while its own clients are also ready for 401, 402 and 404.
_Refusals = Mapping[int, type[BotError]]
_REFUSALS: _Refusals = {
    400002: RunComfyBalanceError,
    402: RunComfyBalanceError,
    400004: RunComfyAuthError,
    401: RunComfyAuthError,
    403: RunComfyAuthError,
    408: _NoAnswerError,
    429: RunComfyUnavailableError,
}
_SUBMIT_REFUSALS: _Refusals = {
    **_REFUSALS,
    400001: RunComfyProtocolError,
    404: RunComfyProtocolError,
    400: PromptRefusedError,
    413: PromptRefusedError,
    422: PromptRefusedError,
    4: RunComfyProtocolError,
}
_REQUEST_REFUSALS: _Refusals = {
    **_REFUSALS,
    400001: RequestNotFoundError,
    403001: RequestNotFoundError,
    404: RequestNotFoundError,
}


def _pause(error: Exception) -> bool | float:
    """Whether to ask again, after as long as RunComfy wants it; stamina itself caps no such wish."""
    if not isinstance(error, RunComfyUnavailableError):
        return False
    return True if error.retry_after is None else min(error.retry_after, _RETRY_AFTER_MAX)


_PATIENT = stamina.AsyncRetryingCaller(attempts=5, timeout=90, wait_initial=0.5, wait_max=8, wait_jitter=0.5)


class RunComfyClient:
    """RunComfy's calls for one account; safe to use from many tasks at once.

    Each call sends the token to `api_url` and nowhere else: no redirect is followed, and no address from an
    answer is used. Errors name neither the token nor what RunComfy answered.
    """

    def __init__(self, session: aiohttp.ClientSession, *, api_url: str, token: str) -> None:
        self._session = session
        self._api_url = api_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}

    async def submit(self, model_id: str, input: Mapping[str, JsonValue]) -> str:  # noqa: A002 (RunComfy's word)
        """Order one job, with exactly one POST whatever happens, and get its request_id.

        Raises:
            PromptRefusedError: RunComfy does not take this input.
            RunComfyAuthError: The token is rejected.
            RunComfyBalanceError: There is no money left.
            RunComfyProtocolError: RunComfy does not know the model, or refuses the call itself.
            RunComfyUnavailableError: Nothing was made: too many calls, or no connection could be opened.
            SubmissionUnknownError: The order may have been made; it must never be sent again.
        """
        try:
            body = await self._call(
                "POST",
                f"/v1/models/{model_id}",
                _SUBMIT_REFUSALS,
                input=dict(input),
                timeout=_SUBMIT_TIMEOUT,
            )
            return _parsed(parse_request_id, body)
        except _NoAnswerError as error:
            raise SubmissionUnknownError(str(error)) from None

    async def status(self, request_id: str) -> Status:
        """See where a request stands; how it ended is for `result` to say.

        Raises:
            RequestNotFoundError: RunComfy does not know the request, or no longer.
            RunComfyAuthError: The token is rejected.
            RunComfyUnavailableError: No usable answer came in several tries; asking again is safe.
        """
        return await self._ask("GET", request_id, "status", parse_status)

    async def result(self, request_id: str) -> Result:
        """Get the files of a request that has ended.

        Raises:
            PromptRefusedError: The request failed, and the reason given hints at the prompt.
            GenerationFailedError: The request failed, was cancelled, or made nothing.
            RequestNotFoundError: RunComfy does not know the request, or no longer.
            RunComfyAuthError: The token is rejected.
            RunComfyUnavailableError: It has not ended yet, or no usable answer came in several tries.
        """
        result = await self._ask("GET", request_id, "result", parse_result)
        if result is None:
            raise RunComfyUnavailableError("the request has no result yet")
        return result

    async def cancel(self, request_id: str) -> bool:
        """Drop a request that still waits in the queue; True only if RunComfy says that it did.

        Cancelling twice is harmless. A request that is in progress goes on, and is charged for.

        Raises:
            RequestNotFoundError: RunComfy does not know the request, or no longer.
            RunComfyAuthError: The token is rejected.
            RunComfyUnavailableError: No usable answer came in several tries; trying again is safe.
        """
        return await self._ask("POST", request_id, "cancel", parse_cancelled)

    async def _ask(self, method: str, request_id: str, verb: str, parse: Callable[[Json], T]) -> T:
        """One of the calls that change nothing when repeated."""
        if not _REQUEST_ID.fullmatch(request_id):
            raise ValueError("no request_id can look like that")

        async def once() -> T:
            path = f"/v1/requests/{request_id}/{verb}"
            return _parsed(parse, await self._call(method, path, _REQUEST_REFUSALS, timeout=_TIMEOUT))

        return await _PATIENT(_pause, once)

    async def _call(
        self,
        method: str,
        path: str,
        refusals: _Refusals,
        *,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 (aiohttp's own kind, which bounds each phase)
        input: Json | None = None,  # noqa: A002 (RunComfy's word)
    ) -> Json:
        """One HTTP exchange; foreign errors become ours here and nowhere else."""
        try:
            async with self._session.request(
                method,
                URL(self._api_url + path),
                json=input,
                headers=self._headers,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                body = _json(await _read(response.content))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise RunComfyUnavailableError(f"no connection: {type(error).__name__}") from None
        except (aiohttp.ClientError, TimeoutError) as error:
            # Their texts can quote what was received, so only their names go on.
            raise _NoAnswerError(f"the answer was lost: {type(error).__name__}") from None
        return _checked(response, body, refusals)


async def _read(content: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > _BODY_MAX:
            return b""  # as good as no JSON
    return bytes(body)


def _json(raw: bytes) -> Json | None:
    try:
        return parse_body(raw)
    except ValueError:
        return None


def _checked(response: aiohttp.ClientResponse, body: Json | None, refusals: _Refusals) -> Json:
    code = parse_error_code(body or {})
    is_good = 200 <= response.status < 300
    if is_good and body is not None and body.get("error_code") is None:
        return body
    # An error may come with HTTP 200; the first three of an error_code's six digits are its HTTP status.
    status = code // 1000 if is_good and code and code >= 400_000 else response.status
    refusal = refusals.get(code or 0) or refusals.get(status) or refusals.get(status // 100) or _NoAnswerError
    detail = f"HTTP {response.status}, " + ("no JSON" if body is None else f"error_code {code}")
    if issubclass(refusal, RunComfyUnavailableError):
        raise refusal(detail, retry_after=_retry_after(response.headers.get("Retry-After", "")))
    raise refusal(detail)


def _retry_after(text: str) -> float | None:
    """Seconds to wait from a Retry-After header, which holds seconds or a date; None if it is neither."""
    if re.fullmatch(r"\d{1,9}", text, re.ASCII):
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _parsed(parse: Callable[[Json], T], body: Json) -> T:
    try:
        return parse(body)
    except ValueError:
        raise _NoAnswerError("the answer lacks what it should hold") from None
