"""Map RunComfy's error responses to the bot's errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeAlias

from bot.errors import (
    BotError,
    ModelGoneError,
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
# Errors of the account or the connection, regardless of their text.
_ACCOUNT_STATUSES = frozenset({401, 402, 404, 408, 429})


class InvalidResponseError(RunComfyUnavailableError):
    """The request may have reached RunComfy, but no usable response came back."""


class RateLimitedError(RunComfyUnavailableError):
    """RunComfy responded with HTTP 429."""


# Looked up by error_code, then by HTTP status, then by its first digit. RunComfy documents HTTP 400 for an
# empty balance, a bad token and a bad id alike, while its own clients also expect 401, 402 and 404.
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
MODEL_ERROR_MAP: ErrorMap = {**ERROR_MAP, 400001: ModelGoneError, 404: ModelGoneError}


def raise_for_error(response: aiohttp.ClientResponse, body: Json | None, error_map: ErrorMap) -> Json:
    """Return the body of a response unless it is an error; a body that is no JSON object is None.

    Raises:
        BotError: By `error_map`, or an InvalidResponseError if the response is not in it.
    """
    code = parse_error_code(body or {})
    is_ok = 200 <= response.status < 300
    if is_ok and body is not None and body.get("error_code") is None:
        return body
    # RunComfy can send an error with HTTP 200. The first three of an error_code's six digits are its status.
    status = code // 1000 if is_ok and code and code >= 400_000 else response.status
    error_type = error_map.get(code or 0)
    if error_type is None and body is not None:
        can_be_prompt = status // 100 in {2, 4} and status not in _ACCOUNT_STATUSES
        if can_be_prompt and is_prompt_rejection(body, only_verdicts=status == HTTPStatus.FORBIDDEN):
            raise PromptRefusedError(f"HTTP {response.status}, which gives the prompt as the reason")
        if is_ok and isinstance(body.get("status"), str) and status not in error_map:
            return body  # the status of a failed request, with its error_code
    error_type = error_type or error_map.get(status) or error_map.get(status // 100) or InvalidResponseError
    if body is None and error_type in {RequestNotFoundError, ModelGoneError}:
        # Some proxy's page. As an answer it would give up images that are paid for, or hide a model.
        error_type = InvalidResponseError
    detail = f"HTTP {response.status}, " + ("no JSON" if body is None else f"error_code {code}")
    if issubclass(error_type, RunComfyUnavailableError):
        raise error_type(detail, retry_after=_retry_after(response.headers))
    raise error_type(detail)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Read the Retry-After header, seconds or a date, as at most 60 seconds; None if it is neither."""
    text = headers.get("Retry-After", "")
    if re.fullmatch(r"\d{1,9}", text, re.ASCII):
        return min(float(text), _RETRY_AFTER_MAX)
    at = _parse_date(text)
    if at is None:
        return None
    # Relative to the response's own Date, since this machine's clock can be wrong.
    seconds = (at - (_parse_date(headers.get("Date", "")) or datetime.now(UTC))).total_seconds()
    return min(max(0.0, seconds), _RETRY_AFTER_MAX)


def _parse_date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # OverflowError for a year beyond 9999
        return None
    return at.replace(tzinfo=at.tzinfo or UTC)
