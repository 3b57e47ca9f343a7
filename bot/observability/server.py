"""The HTTP server for `/healthz` and `/metrics`."""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import asynccontextmanager
from dataclasses import asdict
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import prometheus_client
from aiohttp import http, web

from bot.errors import BusyError, ConfigError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.observability.health import HealthChecks
    from bot.observability.metrics import Metrics

CONNECTIONS_MAX: Final = 20
"""Open connections; one more closes the oldest, so half-sent requests keep no one out."""
_HEAD_SECONDS = 5.0
_RESPONSE_SECONDS = 15.0  # each of two database checks can take five
_BACKLOG = 20  # asyncio accepts all that wait here at once, and each takes a file descriptor

_log = logging.getLogger(__name__)
# aiohttp would log a traceback for every request of a port scanner.
_log.addFilter(
    lambda record: not (record.exc_info and isinstance(record.exc_info[1], http.HttpProcessingError))
)


class HealthServer:
    """Serves health and metrics; a connection carries one request."""

    def __init__(self, health: HealthChecks, metrics: Metrics) -> None:
        self._health, self._metrics = health, metrics

    @asynccontextmanager
    async def serve(self, host: str, port: int) -> AsyncIterator[None]:
        """Answer requests inside the block.

        Raises:
            ConfigError: The address cannot be listened on.
        """
        server = web.Server(
            self._respond, logger=_log, access_log=None, keepalive_timeout=_HEAD_SECONDS, lingering_time=0
        )

        def accept() -> web.RequestHandler:
            for excess in server.connections[: 1 - CONNECTIONS_MAX]:
                excess.force_close()
            return server()

        loop = asyncio.get_running_loop()
        try:
            listener = await loop.create_server(accept, host, port, backlog=_BACKLOG)
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            raise ConfigError([f"HEALTH_PORT cannot be used: {reason}"]) from error
        try:
            yield
        finally:
            listener.close()
            await server.shutdown(timeout=0.1)

    async def _respond(self, request: web.BaseRequest) -> web.Response:
        page = {"/healthz": self._healthz, "/metrics": self._metrics_page}.get(request.path)
        if request.method not in {"GET", "HEAD"}:
            response = _plain(HTTPStatus.BAD_REQUEST)
        elif page is None:
            response = _plain(HTTPStatus.NOT_FOUND)
        else:
            async with asyncio.timeout(_RESPONSE_SECONDS):
                response = await page()
        response.force_close()
        return response

    async def _healthz(self) -> web.Response:
        components = await self._health.check()
        statuses = {each.status for each in components.values()}
        worst = next((status for status in ("red", "degraded") if status in statuses), "ok")
        body = {"status": worst, **{name: asdict(each) for name, each in components.items()}}
        code = HTTPStatus.SERVICE_UNAVAILABLE if worst == "red" else HTTPStatus.OK
        return web.json_response(body, status=code)

    async def _metrics_page(self) -> web.Response:
        try:
            await self._health.update_metrics()
        except BusyError:
            return web.Response(text="the database can't be read", status=HTTPStatus.SERVICE_UNAVAILABLE)
        text = prometheus_client.generate_latest(self._metrics.registry)
        return web.Response(body=text, headers={"Content-Type": prometheus_client.CONTENT_TYPE_LATEST})


def _plain(status: HTTPStatus) -> web.Response:
    return web.Response(text=status.phrase, status=status)
