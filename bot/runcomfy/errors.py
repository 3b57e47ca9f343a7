"""What RunComfy's errors mean, whichever way they come."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeAlias

from bot.errors import (
    BotError,
    PromptRefusedError,
    RequestNotFoundError,
    RunComfyAuthError,
    RunComfyBalanceError,
    RunComfyProtocolError,
    RunComfyUnavailableError,
)
from bot.runcomfy.prompt_rejection import is_prompt_rejection
from bot.runcomfy.responses import Json, parse_error_code

if TYPE_CHECKING:
    import aiohttp

_RETRY_AFTER_MAX = 60.0
# These are about the account or the connection, whatever their text says.
_ACCOUNT_STATUSES = frozenset({401, 402, 404, 408, 429})


class InvalidResponseError(RunComfyUnavailableError):
    """The call may have reached RunComfy, and no usable answer came back."""


class RateLimitedError(RunComfyUnavailableError):
    """RunComfy is there and asks for patience."""


# Looked up by error_code first, then by HTTP status, then by the status's first digit: RunComfy's documented
# 400 means no money, a bad token or a bad id, while its own clients are also ready for 401, 402 and 404.
ErrorMap: TypeAlias = Mapping[int, type[BotError]]
ERROR_MAP: ErrorMap = {
    400002: RunComfyBalanceError,
    402: RunComfyBalanceError,
    400004: RunComfyAuthError,
    401: RunComfyAuthError,
    403: RunComfyAuthError,
    408: InvalidResponseError,
    429: RateLimitedError,
}
SUBMIT_ERROR_MAP: ErrorMap = {
    **ERROR_MAP,
    400001: RunComfyProtocolError,
    404: RunComfyProtocolError,
    400: PromptRefusedError,
    413: PromptRefusedError,
    422: PromptRefusedError,
    4: RunComfyProtocolError,
}
REQUEST_ERROR_MAP: ErrorMap = {
    **ERROR_MAP,
    400001: RequestNotFoundError,
    403001: RequestNotFoundError,
    404: RequestNotFoundError,
}


def raise_for_error(response: aiohttp.ClientResponse, body: Json | None, error_map: ErrorMap) -> Json:
    """The body of a good answer.

    Raises:
        BotError: What `error_map` says of this one; InvalidResponseError where they say nothing.
    """
    code = parse_error_code(body or {})
    is_good = 200 <= response.status < 300
    if is_good and body is not None and body.get("error_code") is None:
        return body
    # An error may come with HTTP 200; the first three of an error_code's six digits are its HTTP status.
    status = code // 1000 if is_good and code and code >= 400_000 else response.status
    error = error_map.get(code or 0)
    if error is None and body is not None:
        may_be_prompt = status // 100 in {2, 4} and status not in _ACCOUNT_STATUSES
        if may_be_prompt and is_prompt_rejection(body, only_verdicts=status == HTTPStatus.FORBIDDEN):
            raise PromptRefusedError(f"HTTP {response.status}, and the reason given is the prompt")
        if is_good and isinstance(body.get("status"), str) and status not in error_map:
            return body  # a request that failed, with the error_code of its own failure
    error = error or error_map.get(status) or error_map.get(status // 100) or InvalidResponseError
    if body is None and error is RequestNotFoundError:
        # Another host's page. RequestNotFoundError would give up images that are paid for.
        error = InvalidResponseError
    detail = f"HTTP {response.status}, " + ("no JSON" if body is None else f"error_code {code}")
    if issubclass(error, RunComfyUnavailableError):
        raise error(detail, retry_after=_retry_after(response.headers))
    raise error(detail)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait from a Retry-After header, which holds seconds or a date; None if it is neither."""
    text = headers.get("Retry-After", "")
    if re.fullmatch(r"\d{1,9}", text, re.ASCII):
        return min(float(text), _RETRY_AFTER_MAX)
    at = _date(text)
    if at is None:
        return None
    # Relative to the answer's own Date, since this machine's clock may be wrong.
    seconds = (at - (_date(headers.get("Date", "")) or datetime.now(UTC))).total_seconds()
    return min(max(0.0, seconds), _RETRY_AFTER_MAX)


def _date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # the latter for a year that no computer knows
        return None
    return at.replace(tzinfo=at.tzinfo or UTC)
