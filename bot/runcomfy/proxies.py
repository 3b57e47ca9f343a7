"""The proxy for a URL, by HTTP_PROXY, HTTPS_PROXY and NO_PROXY.

aiohttp's `trust_env` reads them too, but also sends logins from ~/.netrc to any host.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from yarl import URL

_PROXY = re.compile(r"http://[^/\s]+/?")


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies for http and https URLs, and the hosts that bypass them."""

    http: str | None = None
    https: str | None = None
    no_proxy: str = ""
    """Hosts and domains, comma-separated; `*` for all."""

    def proxy_for(self, url: URL) -> str | None:
        """Return the proxy's URL with its login, or None to connect directly."""
        proxy = self.https if url.scheme == "https" else self.http
        return None if self._bypasses(url) else proxy

    def _bypasses(self, url: URL) -> bool:
        host = f".{url.host}"
        entries = [entry.strip().lower() for entry in self.no_proxy.split(",")]
        domains = tuple(f".{entry.removeprefix('*').removeprefix('.')}" for entry in entries if entry)
        return "*" in entries or host.endswith(domains) or f"{host}:{url.port}".endswith(domains)


def parse_proxy(text: str) -> str:
    """Parse the URL of a proxy; as in other programs, `host:port` means http.

    Raises:
        ValueError: The setting is malformed; the message says what it must look like.
    """
    address = text if "://" in text else f"http://{text}"
    if not _PROXY.fullmatch(address):
        raise ValueError("must be the http address of a proxy, such as http://127.0.0.1:8080")
    return address


def proxy_credentials(*proxies: str | None) -> Iterator[str]:
    """Yield the logins of proxies to hide from logs, as written, decoded and as sent."""
    for proxy in filter(None, proxies):
        login = urlsplit(proxy).netloc.rpartition("@")[0]
        if login:
            yield login
            yield unquote(login)
            yield base64.b64encode(unquote(login).encode()).decode()
