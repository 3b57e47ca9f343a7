"""Asks RunComfy's queue API: orders once, and looks as often as it takes."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Required, TypedDict, TypeVar, Unpack

import aiohttp
import stamina
from yarl import URL

from bot.errors import (
    GenerationFailedError,
    GenerationTimeoutError,
    PromptRefusedError,
    RequestNotFoundError,
    RunComfyUnavailableError,
    SubmissionUnknownError,
)
from bot.runcomfy.circuit_breaker import CircuitBreaker
from bot.runcomfy.errors import (
    REQUEST_ERROR_MAP,
    SUBMIT_ERROR_MAP,
    ErrorMap,
    InvalidResponseError,
    raise_for_error,
)
from bot.runcomfy.proxies import Proxies
from bot.runcomfy.responses import (
    Completed,
    Json,
    Result,
    Status,
    parse_base_price,
    parse_cancelled,
    parse_cost,
    parse_request_id,
    parse_result,
    parse_status,
    read_body,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

    from pydantic import JsonValue

T = TypeVar("T")

_TIMEOUT: Final = aiohttp.ClientTimeout(total=30, connect=10)
# RunComfy's own client gives an order 100 seconds; giving up sooner only makes more orders unknown.
_SUBMIT_TIMEOUT: Final = aiohttp.ClientTimeout(total=100, connect=10)
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_ENDED: Final = Completed()
_PROBE_REQUEST_ID = "00000000-0000-0000-0000-000000000000"


class _RequestOptions(TypedDict, total=False):
    """The rest of a call: its JSON body, its query and how long it may take."""

    timeout: Required[aiohttp.ClientTimeout]
    input: Json | None
    query: Mapping[str, str] | None


class _CircuitOpenError(RunComfyUnavailableError):
    """RunComfy was not even asked."""


class _ResultPendingError(RunComfyUnavailableError):
    """RunComfy says that the request has not ended."""


def _retry_delay(error: Exception) -> bool | float:
    """Whether to ask again, after as long as RunComfy wants it."""
    if isinstance(error, _CircuitOpenError) or not isinstance(error, RunComfyUnavailableError):
        return False
    return True if error.retry_after is None else error.retry_after


# Somebody watches a Cancel, so it gives up soon; RunComfy's own client allows it five seconds.
_FAST_TIMEOUT: Final = aiohttp.ClientTimeout(total=5)
_FAST_RETRY = stamina.AsyncRetryingCaller(
    attempts=2, timeout=5, wait_initial=0.5, wait_max=2, wait_jitter=0.5
)
_SLOW_RETRY = stamina.AsyncRetryingCaller(
    attempts=5, timeout=90, wait_initial=0.5, wait_max=8, wait_jitter=0.5
)


class RunComfyClient:
    """RunComfy's calls for one account; safe to use from many tasks at once.

    Each call sends the token to `api_url` and nowhere else: no redirect is followed, and no address from an
    answer is used. Errors name neither the token nor what RunComfy answered. While RunComfy is down, calls
    fail at once and only `probe` reaches out; `close` ends that.
    """

    def __init__(
        self, session: aiohttp.ClientSession, *, api_url: str, token: str, proxies: Proxies | None = None
    ) -> None:
        self._session = session
        self._api_url = api_url.rstrip("/")
        self._proxy = (proxies or Proxies()).proxy_for(URL(api_url))
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._circuit_breaker = CircuitBreaker(self.probe)

    @property
    def is_down(self) -> bool:
        """Whether five requests in a row failed and none has succeeded since."""
        return self._circuit_breaker.is_open

    async def wait_until_available(self) -> None:
        """Wait until RunComfy answers; return at once if it is not down."""
        await self._circuit_breaker.wait_closed()

    def close(self) -> None:
        """Stop probing."""
        self._circuit_breaker.close()

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
                SUBMIT_ERROR_MAP,
                input=dict(input),
                timeout=_SUBMIT_TIMEOUT,
            )
            return _parsed(parse_request_id, body)
        except InvalidResponseError as error:
            raise SubmissionUnknownError(str(error)) from None

    async def status(self, request_id: str) -> Status:
        """See where a request stands, with one GET; how it ended is for `result` to say.

        Raises:
            RequestNotFoundError: RunComfy does not know the request, or no longer.
            RunComfyAuthError: The token is rejected.
            RunComfyUnavailableError: No usable answer came; asking again is safe.
        """
        return await self._ask("GET", request_id, "status", parse_status)

    async def result(self, request_id: str, ended: Completed = _ENDED) -> Result:
        """Get the files of a request that has ended, as `status` says by `ended`.

        Raises:
            PromptRefusedError: The request made nothing, and the reason given is the prompt.
            GenerationFailedError: The request failed, was cancelled, or made nothing.
            GenerationTimeoutError: Its status says that it failed, but in several tries its result did not.
            RequestNotFoundError: RunComfy does not know the request, or no longer.
            RunComfyAuthError: The token is rejected.
            RunComfyUnavailableError: It has not ended yet, or no usable answer came in several tries.
        """

        async def ask() -> Result | None:
            result = await self._ask("GET", request_id, "result", parse_result)
            if result is None and ended.is_failed:
                raise _ResultPendingError(
                    "its status says that it failed, its result that it is still running"
                )
            return result

        try:
            result = await _SLOW_RETRY(_retry_delay, ask)
        except _ResultPendingError as error:
            raise GenerationTimeoutError(str(error)) from None
        except GenerationFailedError:
            if ended.is_rejected:
                raise PromptRefusedError(
                    "nothing was made, and the status gives the prompt as reason"
                ) from None
            raise
        if result is None:
            raise RunComfyUnavailableError("the request has no result yet")
        return result

    async def cost(self, request_id: str) -> Decimal | None:
        """What a request that has ended has cost, in US dollars; None where RunComfy does not say so yet.

        Raises:
            BotError: As `result`; the request's own failure is none here.
        """
        query = {"include_cost": "true"}
        return await _SLOW_RETRY(
            _retry_delay, self._ask, "GET", request_id, "result", parse_cost, query=query
        )

    async def base_price(self, model_id: str) -> Decimal | None:
        """What RunComfy publishes as the price of an image, in US dollars; None where it names none.

        Raises:
            BotError: As `result`, where RunComfy does not know the model or does not answer.
        """
        body = await self._call("GET", f"/v1/models/{model_id}", REQUEST_ERROR_MAP, timeout=_TIMEOUT)
        return _parsed(parse_base_price, body)

    async def cancel(self, request_id: str) -> bool:
        """Drop a request that still waits in the queue; True only if RunComfy says that it did.

        Cancelling twice is harmless. A request that is in progress goes on, and is charged for.

        Raises:
            RequestNotFoundError: RunComfy does not know the request, or no longer.
            RunComfyAuthError: The token is rejected.
            RunComfyUnavailableError: No usable answer came in several tries; trying again is safe.
        """
        return await _FAST_RETRY(
            _retry_delay, self._ask, "POST", request_id, "cancel", parse_cancelled, timeout=_FAST_TIMEOUT
        )

    async def probe(self) -> None:
        """See whether RunComfy is there and takes the token, once and without spending anything.

        Raises:
            RunComfyAuthError: The token is rejected.
            RunComfyUnavailableError: No usable answer came.
        """
        path = f"/v1/requests/{_PROBE_REQUEST_ID}/status"
        with suppress(RequestNotFoundError):  # as it is of every request that nobody has made
            await self._exchange("GET", path, REQUEST_ERROR_MAP, timeout=_FAST_TIMEOUT)

    async def _ask(
        self,
        method: str,
        request_id: str,
        verb: str,
        parse: Callable[[Json], T],
        *,
        query: Mapping[str, str] | None = None,
        timeout: aiohttp.ClientTimeout | None = None,  # noqa: ASYNC109 (aiohttp's own)
    ) -> T:
        """One of the calls that change nothing when repeated."""
        if not _REQUEST_ID.fullmatch(request_id):
            raise ValueError("no request_id can look like that")
        how: _RequestOptions = {"query": query, "timeout": timeout or _TIMEOUT}
        path = f"/v1/requests/{request_id}/{verb}"
        return _parsed(parse, await self._call(method, path, REQUEST_ERROR_MAP, **how))

    async def _call(
        self, method: str, path: str, error_map: ErrorMap, **how: Unpack[_RequestOptions]
    ) -> Json:
        if self.is_down:
            raise _CircuitOpenError("it was down a moment ago")
        with self._circuit_breaker.guard():
            return await self._exchange(method, path, error_map, **how)

    async def _exchange(
        self, method: str, path: str, error_map: ErrorMap, **how: Unpack[_RequestOptions]
    ) -> Json:
        """One HTTP exchange; foreign errors become ours here and nowhere else."""
        try:
            async with self._session.request(
                method,
                URL(self._api_url + path),
                params=how.get("query"),
                json=how.get("input"),
                headers=self._headers,
                timeout=how["timeout"],
                allow_redirects=False,
                proxy=self._proxy,
            ) as response:
                body = await read_body(response.content)
        except (
            aiohttp.ClientConnectorError,
            aiohttp.ConnectionTimeoutError,
            aiohttp.ClientHttpProxyError,  # the proxy opened no connection, so nothing was sent
        ) as error:
            raise RunComfyUnavailableError(f"no connection: {type(error).__name__}") from None
        except (aiohttp.ClientError, TimeoutError) as error:
            # Their texts can quote what was received, so only their names go on.
            raise InvalidResponseError(f"the answer was lost: {type(error).__name__}") from None
        return raise_for_error(response, body, error_map)


def _parsed(parse: Callable[[Json], T], body: Json) -> T:
    try:
        return parse(body)
    except ValueError:
        raise InvalidResponseError("the answer lacks what it should hold") from None
