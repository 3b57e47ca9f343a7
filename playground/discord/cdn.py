"""Discord's file servers: signed links that expire, and what can go wrong with them.

https://discord.com/developers/docs/reference#signed-attachment-cdn-urls
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import mimetypes
import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

from aiohttp import web

from playground.clock import CLOCK
from playground.discord.payloads import snowflake
from playground.discord.uploaded_file import UploadedFile, attachment, size

if TYPE_CHECKING:
    from collections.abc import Callable

    from playground.discord.payloads import Json

CDN, MEDIA = "https://cdn.discordapp.com", "https://media.discordapp.net"
PROXY = "https://images-ext-1.discordapp.net"
_OK = 200
_LIFETIME = 24 * 3600
_ROUNDED = 3600  # links that are signed within the same hour are equal
_LINK = re.compile(rf"(?:{re.escape(CDN)}|{re.escape(MEDIA)})/(?:ephemeral-)?attachments/[^?]+")
_PATHS = (
    *("/attachments/{channel}/{id}/{name}", "/ephemeral-attachments/{channel}/{id}/{name}"),
    *("/external/{id}/{place:.+}", r"/stickers/{id:\d+}.{suffix}"),
)
_GONE = "This content is no longer available."


def _digest(link: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(link.encode()).digest()).decode().rstrip("=")


@dataclass(frozen=True)
class Fetch:
    """A request for a file: host and path with query, and the headers as sent."""

    host: str
    path: str
    headers: dict[str, str]


@dataclass(frozen=True)
class FileFault:
    """What a file server does instead of serving a file."""

    status: int = 200
    location: str = ""
    is_truncated: bool = False
    has_length: bool = True
    data: bytes | None = None


class Cdn:
    """Keeps files by their ids and serves them; `fetches` records every request but those of the page."""

    def __init__(self, notify: Callable[[], None]) -> None:
        self._notify = notify
        self._key = secrets.token_bytes(32)
        self._faults: list[FileFault] = []
        self._is_open = asyncio.Event()
        self._is_open.set()
        self.files: dict[str, bytes] = {}
        self.web: dict[str, UploadedFile] = {}
        self.fetches: list[Fetch] = []

    def add(self, channel_id: str, file: UploadedFile, *, is_ephemeral: bool = False) -> Json:
        """Store a file and return its Attachment object with signed links.

        Args:
            channel_id: Where it was uploaded.
            file: What was uploaded.
            is_ephemeral: Whether it belongs to a command or a form instead of a message.
        """
        payload = attachment(file)
        self.files[payload["id"]] = file.data
        folder = "ephemeral-attachments" if is_ephemeral else "attachments"
        path = f"/{folder}/{channel_id}/{payload['id']}/{payload['filename']}"
        payload |= {"url": self._sign(CDN + path), "proxy_url": self._sign(MEDIA + path)}
        return payload | ({"ephemeral": True} if is_ephemeral else {})

    def add_sticker(self, file: UploadedFile) -> str:
        """Store the picture of a sticker and return the sticker's id."""
        self.files[key := snowflake()] = file.data
        return key

    def put(self, link: str, file: UploadedFile) -> None:
        """Let a link to another site be one to this picture; only Discord's proxy serves it."""
        self.web[link] = file
        self.files[_digest(link)] = file.data

    def proxied(self, link: str) -> Json:
        """Return what Discord adds to a link to a picture on the web: its proxy's link, and the size."""
        page, mark, query = link.partition("?")
        place = (f"{quote(mark + query, safe='')}/" if query else "") + page.replace("://", "/", 1)
        added = {"proxy_url": f"{PROXY}/external/{_digest(link)}/{place}"}
        return added | (size(self.web[link].data) if link in self.web else {})

    def remove(self, file: Json) -> None:
        """Delete the file of an Attachment object, as Discord does with its message or after a time."""
        self.files.pop(file["id"], None)

    def signed(self, payload: Json) -> Json:
        """Return a payload whose links to attachments are valid for another day."""
        return {key: self._signed(value) for key, value in payload.items()}

    def _signed(self, value: Any) -> Any:
        if isinstance(value, dict):
            return self.signed(value)
        if isinstance(value, list):
            return [self._signed(inner) for inner in value]
        if isinstance(value, str) and (link := _LINK.match(value)):
            return self._sign(link[0])
        return value

    def inject_fault(
        self,
        status: int = 200,
        *,
        location: str = "",
        is_truncated: bool = False,
        has_length: bool = True,
        data: bytes | None = None,
        times: int = 1,
    ) -> None:
        """Change the next responses, for files that exist and links that are valid.

        Args:
            status: The HTTP status.
            location: Redirects there, with a status such as 302.
            is_truncated: Close the connection after half of the bytes.
            has_length: Whether the response says its length.
            data: Serve these bytes instead.
            times: How many requests to affect.
        """
        self._faults += [FileFault(status, location, is_truncated, has_length, data)] * times

    def clear_faults(self) -> None:
        """Remove the pending faults."""
        self._faults.clear()

    def hold(self) -> None:
        """Stop every response after half of its bytes, until `release`."""
        self._is_open.clear()

    def release(self) -> None:
        """Let held responses continue."""
        self._is_open.set()

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the file servers, which check signatures."""
        return [web.get(path, self._serve) for path in _PATHS]

    def page_routes(self) -> list[web.RouteDef]:
        """Return the routes of the page, whose links don't expire."""
        return [web.get(path, self._serve_page) for path in _PATHS]

    def _sign(self, link: str) -> str:
        issued = int(CLOCK.time()) // _ROUNDED * _ROUNDED
        return f"{link}?{self._query(link, issued)}"

    def _query(self, link: str, issued: int) -> str:
        """Return the signature of a link, which holds for both hosts."""
        path = link.partition("://")[2].partition("/")[2]
        times = f"ex={issued + _LIFETIME:x}&is={issued:x}"
        digest = hmac.new(self._key, f"{path}?{times}".encode(), hashlib.sha256).hexdigest()
        return f"{times}&hm={digest}&"

    def _is_valid(self, request: web.Request) -> bool:
        if "channel" not in request.match_info:  # the proxy's links and stickers don't expire
            return True
        try:
            issued = int(request.query.get("is", ""), 16)
        except ValueError:
            return False
        expected = parse_qsl(self._query(f"{CDN}{request.path}", issued))  # further parameters resize
        is_signed = all(request.query.get(name) == value for name, value in expected)
        return is_signed and CLOCK.time() < issued + _LIFETIME

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.fetches.append(Fetch(request.host, request.path_qs, dict(request.headers)))
        self._notify()
        data = self.files.get(request.match_info["id"])
        if data is None or not self._is_valid(request):
            return web.Response(status=404, text=_GONE)
        fault = self._faults.pop(0) if self._faults else FileFault()
        if fault.status != _OK:
            headers = {"Location": fault.location} if fault.location else {}
            return web.Response(status=fault.status, headers=headers)
        return await self._send(request, data if fault.data is None else fault.data, fault)

    async def _send(self, request: web.Request, data: bytes, fault: FileFault) -> web.StreamResponse:
        kind = mimetypes.guess_type(request.path)[0] or "application/octet-stream"
        response = web.StreamResponse(headers={"Content-Type": kind})
        if fault.has_length:
            response.content_length = len(data)
        await response.prepare(request)
        half = len(data) // 2
        await response.write(data[:half])
        await self._is_open.wait()
        if fault.is_truncated:
            if request.transport is not None:
                request.transport.close()
            return response
        await response.write(data[half:])
        await response.write_eof()
        return response

    async def _serve_page(self, request: web.Request) -> web.Response:
        data = self.files.get(request.match_info["id"])
        if data is None:
            raise web.HTTPNotFound
        kind = mimetypes.guess_type(request.path)[0] or "application/octet-stream"
        return web.Response(body=data, content_type=kind)
