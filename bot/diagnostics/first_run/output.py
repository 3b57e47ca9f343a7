"""What a finished request leaves behind: its result, files and cost."""

from __future__ import annotations

import asyncio
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import aiohttp

from bot.diagnostics.first_run.exchange import shape
from bot.diagnostics.first_run.paid import is_final
from bot.errors import BotError, OutputUnavailableError
from bot.runcomfy.download import Downloader
from bot.runcomfy.file_url import FileUrlError, parse_file_url
from bot.runcomfy.responses import parse_cancelled, parse_cost, parse_result

if TYPE_CHECKING:
    from decimal import Decimal

    from yarl import URL

    from bot.diagnostics.first_run.exchange import Answer
    from bot.diagnostics.first_run.paid import PaidRequest

_PAUSES: Final = (0, 1, 2, 4, 8, 16, 30)
"""Seconds before each attempt at what can come some time after the end."""
_RESULT_FIELDS: Final = {
    *("request_id", "model_id", "status", "output", "error", "cost", "created_at", "finished_at")
}
_FILE_TIMEOUT = aiohttp.ClientTimeout(total=60, connect=10)


async def examine(request: PaidRequest, cost_estimate: Decimal | None) -> None:
    """Report on the result of a completed request, its files, its cost, and what cancel answers now."""
    answer = await _get_result(request)
    urls = _report_result(request, answer)
    if urls:
        await _examine_file(request, urls)
    await _report_cost(request, cost_estimate)
    cancel = await request.call("cancel", "POST")
    is_same = cancel.status == 202 and not cancel.error() and not parse_cancelled(cancel.body or {})
    expected = "HTTP 202, outcome: not_cancellable"
    request.report.compare(request.question("cancel after the end"), expected, str(cancel), is_same=is_same)


async def _get_result(request: PaidRequest) -> Answer:
    """Ask until the result has ended, as the status has, and report how long that took."""
    waited = 0
    for pause in _PAUSES:
        await asyncio.sleep(pause)
        waited += pause
        answer = await request.call("result")
        if is_final(answer):
            break
    seen = f"after {waited} s" if waited else "at once"
    request.report.compare(request.question("result has ended"), "at once", seen)
    return answer


def _report_result(request: PaidRequest, answer: Answer) -> tuple[str, ...]:
    report, body = request.report, answer.body or {}
    try:
        result = None if answer.error() else parse_result(body)
    except (BotError, ValueError):
        result = None
    is_same = body.get("status") == "succeeded" and result is not None
    report.compare(request.question("result"), "HTTP 200, status: succeeded", str(answer), is_same=is_same)
    urls = result.urls if result else ()
    seen, expected = shape(body.get("output")), "{images: [1 x text]}"
    reading = "" if seen == expected else f" (the bot finds {len(urls)} files)"
    report.compare(request.question("output"), expected, seen + reading, is_same=seen == expected)
    for name in ("created_at", "finished_at"):
        form = re.sub(r"\d", "0", str(body.get(name))[:40])
        report.note(request.question(name), form, "0000-00-00T00:00:00.000000+00:00")
    more = {name: value for name, value in body.items() if name not in _RESULT_FIELDS}
    report.note(request.question("echoed inputs"), shape(more), "the bot ignores them")
    return urls


async def _examine_file(request: PaidRequest, urls: tuple[str, ...]) -> None:
    hosts = request.api.settings.runcomfy_file_hosts
    question, expected = request.question("file host"), "in RUNCOMFY_FILE_HOSTS"
    try:
        addresses = [parse_file_url(url, hosts) for url in urls]
    except FileUrlError as error:
        request.report.compare(question, expected, str(error))
        return
    seen = ", ".join(dict.fromkeys(address.host or "" for address in addresses))
    request.report.compare(question, expected, seen, is_same=True)
    is_same, seen = await _head_of_file(request, addresses[0])
    question, expected = request.question("file without the token"), "HTTP 200, image/..."
    request.report.compare(question, expected, seen, is_same=is_same)
    downloader = Downloader(request.api.session, hosts, proxies=request.api.settings.proxies)
    with tempfile.TemporaryDirectory() as folder:
        try:
            file = await downloader.download(urls[0], Path(folder), "image")
            seen, is_same = f"{file.suffix[1:]}, {file.stat().st_size:,} bytes", True
        except OutputUnavailableError as error:
            seen, is_same = str(error), False
    request.report.compare(request.question("download"), "an image", seen, is_same=is_same)


async def _head_of_file(request: PaidRequest, address: URL) -> tuple[bool, str]:
    """Request a file without the token; return whether it is an image, and its status and type."""
    proxy = request.api.settings.proxies.proxy_for(address)
    try:
        async with request.api.session.get(
            address, allow_redirects=False, proxy=proxy, timeout=_FILE_TIMEOUT
        ) as response:
            kind, size = response.content_type, response.headers.get("Content-Length", "no")
            seen = f"HTTP {response.status}, {kind}, {size} bytes"
            return response.status == 200 and kind.startswith("image/"), seen
    except (aiohttp.ClientError, TimeoutError) as error:
        return False, f"no response ({type(error).__name__})"


async def _report_cost(request: PaidRequest, estimate: Decimal | None) -> None:
    waited, cost = 0, None
    for pause in _PAUSES:
        await asyncio.sleep(pause)
        waited += pause
        answer = await request.call("result?include_cost=true")
        cost = None if answer.error() else parse_cost(answer.body or {})
        if cost is not None:
            break
    when = f"known after {waited} s" if waited else "known at once"
    seen = f"none within {waited} s: {answer}" if cost is None else f"${cost}, {when}"
    expected = "a number" if estimate is None else f"${estimate.normalize():f}, by the file's credits"
    is_same = cost is not None and (estimate is None or abs(cost - estimate) <= estimate / 100)
    request.report.compare(request.question("cost"), expected, seen, is_same=is_same)
