"""The client of RunComfy's API: submit, status, result, cancel, costs, models."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import aiohttp
import stamina
from yarl import URL

from bot.errors import (
    GenerationFailedError,
    GenerationTimeoutError,
    InputUnavailableError,
    PromptRefusedError,
    RequestNotFoundError,
    RunComfyUnavailableError,
    SubmissionUnknownError,
)
from bot.models.live import MODEL_ID
from bot.runcomfy.circuit_breaker import CircuitBreaker
from bot.runcomfy.errors import (
    MODEL_ERROR_MAP,
    REQUEST_ERROR_MAP,
    SUBMIT_ERROR_MAP,
    ErrorMap,
    InvalidResponseError,
    raise_for_error,
)
from bot.runcomfy.proxies import Proxies
from bot.runcomfy.request_body import RequestBody
from bot.runcomfy.responses import (
    REQUEST_ID,
    Completed,
    Json,
    Result,
    Status,
    parse_cancelled,
    parse_cost,
    parse_model,
    parse_request_id,
    parse_result,
    parse_status,
    read_body,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from contextlib import AbstractAsyncContextManager
    from decimal import Decimal

    from pydantic import JsonValue

    from bot.models.live import LiveModel
    from bot.runcomfy.request_body import PictureValues

T = TypeVar("T")

_TIMEOUT = aiohttp.ClientTimeout(total=30, connect=10)
# As long as RunComfy's own client waits; giving up sooner leaves more submissions unknown.
_SUBMIT_TIMEOUT = aiohttp.ClientTimeout(total=100, connect=10)
_UPLOAD_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=10)  # `RequestBody.time_limit` is the total
_UPLOADS = 2  # at once, since each can take the whole line, and has a picture of up to 6 MiB in memory
_LARGE_ANSWERS = 2  # at once, since each can take 60 MB of memory
_ECHO_BYTES_PER_SECOND = 100_000
# A member waits for a cancel; RunComfy's own client allows it five seconds.
_FAST_TIMEOUT = aiohttp.ClientTimeout(total=5)
# Short, because a model can keep others waiting that were read.
_MODEL_TIMEOUT = aiohttp.ClientTimeout(total=10)
_UNUSED_REQUEST_ID = "00000000-0000-0000-0000-000000000000"


class _CircuitOpenError(RunComfyUnavailableError):
    """Nothing was sent, because RunComfy was down a moment ago."""


class _ResultPendingError(RunComfyUnavailableError):
    """The status says that the request failed, the result that it has not ended."""


def _retry_delay(error: Exception) -> bool | float:
    """Whether to retry after an error, or after how many seconds if RunComfy names a time."""
    if isinstance(error, _CircuitOpenError) or not isinstance(error, RunComfyUnavailableError):
        return False
    return True if error.retry_after is None else error.retry_after


_FAST_RETRY = stamina.AsyncRetryingCaller(
    attempts=2, timeout=5, wait_initial=0.5, wait_max=2, wait_jitter=0.5
).on(_retry_delay)
_SLOW_RETRY = stamina.AsyncRetryingCaller(
    attempts=5, timeout=90, wait_initial=0.5, wait_max=8, wait_jitter=0.5
).on(_retry_delay)


class RunComfyClient:
    """RunComfy's API for one account; safe for concurrent use.

    The token is sent to `api_url` only: redirects are not followed, and URLs in responses are not used.
    Errors contain neither the token nor text from a response. While RunComfy is down, requests fail at once
    and only probes are sent, until `close`.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        api_url: str,
        token: str,
        proxies: Proxies | None = None,
        is_lease_held: Callable[[], bool] = lambda: True,
    ) -> None:
        self._session = session
        self._api_url = api_url.rstrip("/")
        self._proxy = (proxies or Proxies()).proxy_for(URL(api_url))
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._circuit_breaker = CircuitBreaker(self.probe)
        self._large_answers = asyncio.Semaphore(_LARGE_ANSWERS)
        self._is_lease_held = is_lease_held
        self._uploads: set[RequestBody] = set()
        self.upload_slots = asyncio.Semaphore(_UPLOADS)
        """Taken for a submit with pictures, before anything says that it may have been sent."""

    @property
    def is_down(self) -> bool:
        """Whether five requests in a row failed and none has succeeded since."""
        return self._circuit_breaker.is_open

    async def wait_until_available(self) -> None:
        """Wait until RunComfy responds; return at once if it is not down."""
        await self._circuit_breaker.wait_closed()

    def abort_uploads(self) -> None:
        """Stop the submits with pictures that can't have reached RunComfy yet, as the bot stops."""
        for upload in self._uploads:
            upload.abort()

    def close(self) -> None:
        """Stop probing."""
        self._circuit_breaker.close()

    async def submit(
        self,
        model_id: str,
        input: Mapping[str, JsonValue],  # noqa: A002 (RunComfy's word)
        pictures: PictureValues | None = None,
    ) -> str:
        """Submit a job with exactly one POST, and return its request_id.

        With pictures, hold one of `upload_slots` meanwhile.

        Raises:
            InputUnavailableError: A picture can't be read; nothing was submitted.
            PromptRefusedError: RunComfy rejected this input.
            RunComfyAuthError: RunComfy rejected the token.
            RunComfyBalanceError: The account has no money left.
            RunComfyProtocolError: RunComfy does not know the model, or rejected the request itself.
            RunComfyUnavailableError: Rate limited, no connection, or one that broke before the pictures were
                sent, as it also does once the lease is over; nothing was submitted.
            SubmissionUnknownError: The response was lost. The job may exist, so never submit it again.
        """
        upload = await RequestBody.build(input, pictures, self._is_lease_held) if pictures else None
        try:
            return await self._request(
                "POST",
                f"/v1/models/{model_id}",
                parse_request_id,
                error_map=SUBMIT_ERROR_MAP,
                time_limit=_SUBMIT_TIMEOUT,
                echo_bytes=upload.length if upload else 0,
                body=upload or dict(input),
            )
        except InvalidResponseError as error:
            if upload is None or upload.is_complete:
                raise SubmissionUnknownError(str(error)) from None
            # Without its end, the JSON object means nothing to RunComfy.
            if upload.error:
                raise InputUnavailableError(f"a picture can't be read: {upload.error}") from None
            raise RunComfyUnavailableError(str(error), retry_after=error.retry_after) from None

    async def status(self, request_id: str, *, echo_bytes: int = 0) -> Status:
        """Get the status of a request with one GET; `result` tells whether it succeeded.

        `echo_bytes` is the size of the request's pictures, which an answer can repeat.

        Raises:
            RequestNotFoundError: RunComfy does not know the request, or no longer does.
            RunComfyAuthError: RunComfy rejected the token.
            RunComfyUnavailableError: No usable response; retrying is safe.
        """
        return await self._request("GET", _path(request_id, "status"), parse_status, echo_bytes=echo_bytes)

    async def result(
        self,
        request_id: str,
        completed: Completed = Completed(),  # noqa: B008 (frozen)
        *,
        echo_bytes: int = 0,
    ) -> Result:
        """Get the output files of a request that has ended, with the status that says so.

        `echo_bytes` is as of `status`.

        Raises:
            PromptRefusedError: The request failed because of its prompt.
            GenerationFailedError: The request failed, was cancelled, or has no output.
            GenerationTimeoutError: Its status says that it failed, but not its result, after several tries.
            RequestNotFoundError: RunComfy does not know the request, or no longer does.
            RunComfyAuthError: RunComfy rejected the token.
            RunComfyUnavailableError: It has not ended, or no usable response after several tries.
        """

        async def get_result() -> Result | None:
            path = _path(request_id, "result")
            result = await self._request("GET", path, parse_result, echo_bytes=echo_bytes)
            if result is None and completed.is_failed:
                raise _ResultPendingError("its status says that it failed, its result that it still runs")
            return result

        try:
            result = await _SLOW_RETRY(get_result)
        except _ResultPendingError as error:
            raise GenerationTimeoutError(str(error)) from None
        except GenerationFailedError:
            if completed.is_rejected:
                raise PromptRefusedError("the status gives the prompt as the reason") from None
            raise
        if result is None:
            raise RunComfyUnavailableError("the request has no result yet")
        return result

    async def cost(self, request_id: str, *, echo_bytes: int = 0) -> Decimal | None:
        """Get the cost of a request that has ended, in US dollars; None if RunComfy doesn't know it yet.

        `echo_bytes` is as of `status`.

        Raises:
            BotError: As `result`, except for the failure of the request.
        """
        path = _path(request_id, "result?include_cost=true")
        return await _SLOW_RETRY(self._request, "GET", path, parse_cost, echo_bytes=echo_bytes)

    async def model(self, model_id: str) -> LiveModel:
        """Get a model's schema and price with one GET, which costs nothing.

        Its failure doesn't count as an outage, because jobs may still work.

        Raises:
            ModelGoneError: RunComfy does not know the model: it was removed or renamed.
            RunComfyAuthError: RunComfy rejected the token.
            RunComfyUnavailableError: No usable response; retrying is safe.
            ValueError: No model can be called that.
        """
        if not MODEL_ID.fullmatch(model_id):
            raise ValueError("not a possible model_id")
        path = f"/v1/models/{model_id}"
        return await self._request(
            "GET",
            path,
            parse_model,
            error_map=MODEL_ERROR_MAP,
            time_limit=_MODEL_TIMEOUT,
            is_counted=False,
        )

    async def cancel(self, request_id: str) -> bool:
        """Cancel a request that waits in the queue; return whether RunComfy did.

        Idempotent. A request in progress continues and is charged.

        Raises:
            RequestNotFoundError: RunComfy does not know the request, or no longer does.
            RunComfyAuthError: RunComfy rejected the token.
            RunComfyUnavailableError: No usable response after two tries; retrying is safe.
        """
        path = _path(request_id, "cancel")
        return await _FAST_RETRY(self._request, "POST", path, parse_cancelled, time_limit=_FAST_TIMEOUT)

    async def probe(self) -> None:
        """Test the connection and the token with one request that costs nothing.

        Raises:
            RunComfyAuthError: RunComfy rejected the token.
            RunComfyUnavailableError: No usable response.
        """
        with suppress(RequestNotFoundError):
            path = _path(_UNUSED_REQUEST_ID, "status")
            await self._request("GET", path, dict, time_limit=_FAST_TIMEOUT, is_probe=True)

    async def _request(
        self,
        method: str,
        path: str,
        parse: Callable[[Json], T],
        *,
        error_map: ErrorMap = REQUEST_ERROR_MAP,
        is_probe: bool = False,
        is_counted: bool = True,
        time_limit: aiohttp.ClientTimeout = _TIMEOUT,
        echo_bytes: int = 0,
        body: Json | RequestBody | None = None,
    ) -> T:
        """Send one request and parse its response; a probe is sent even while RunComfy is down.

        Whether RunComfy is down is decided by the requests that are counted.
        """
        if self.is_down and not is_probe:
            raise _CircuitOpenError("it was down a moment ago")
        request = self._session.request(
            method,
            URL(self._api_url + path),
            allow_redirects=False,
            proxy=self._proxy,
            **self._content(body, time_limit, echo_bytes),
        )
        total = self._watch(body) if isinstance(body, RequestBody) else nullcontext()
        with self._circuit_breaker.guard() if is_counted else nullcontext():
            response, answer = await self._read(request, total, echo_bytes)
            answer = raise_for_error(response, answer, error_map)
        try:
            return parse(answer)
        except ValueError:
            raise InvalidResponseError("the response lacks a required field") from None

    @asynccontextmanager
    async def _watch(self, upload: RequestBody) -> AsyncIterator[None]:
        async with upload.time_limit:
            self._uploads.add(upload)
            try:
                yield
            finally:
                self._uploads.discard(upload)

    def _content(
        self, body: Json | RequestBody | None, time_limit: aiohttp.ClientTimeout, echo_bytes: int
    ) -> dict[str, Any]:
        if isinstance(body, RequestBody):
            headers = {"Content-Type": "application/json", "Content-Length": str(body.length)}
            return {"headers": self._headers | headers, "timeout": _UPLOAD_TIMEOUT, "data": body.blocks()}
        if echo_bytes and time_limit.total:
            total = time_limit.total + echo_bytes / _ECHO_BYTES_PER_SECOND
            time_limit = aiohttp.ClientTimeout(total=total, connect=time_limit.connect, sock_read=30)
        return {"headers": self._headers, "timeout": time_limit, "json": body}

    async def _read(
        self,
        request: AbstractAsyncContextManager[aiohttp.ClientResponse],
        time_limit: AbstractAsyncContextManager[object],
        echo_bytes: int,
    ) -> tuple[aiohttp.ClientResponse, Json | None]:
        """Send a request and read the body; of aiohttp's errors only the type is kept, as they quote it."""
        try:
            async with time_limit, request as response:
                return response, await read_body(response.content, echo_bytes, self._large_answers)
        except (
            aiohttp.ClientConnectorError,
            aiohttp.ConnectionTimeoutError,
            aiohttp.ClientHttpProxyError,  # the answer to CONNECT, so nothing was sent to RunComfy
        ) as error:
            raise RunComfyUnavailableError(f"no connection: {type(error).__name__}") from None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise InvalidResponseError(f"the response was lost: {type(error).__name__}") from None


def _path(request_id: str, action: str) -> str:
    if not REQUEST_ID.fullmatch(request_id):
        raise ValueError("not a possible request_id")
    return f"/v1/requests/{request_id}/{action}"
