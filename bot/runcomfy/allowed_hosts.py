"""The allowlist of hosts that output files are downloaded from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yarl import URL

_HOST = re.compile(r"(\*\.)?((?!-)[a-z0-9-]+\.)+[a-z][a-z0-9-]*", re.IGNORECASE)
_LOOPBACK = re.compile(r"(?P<host>localhost|[0-9.]+|\[[0-9a-f:]+\]):(?P<port>\d{1,5})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """Trusted origins, as patterns of `scheme://host:port`."""

    patterns: tuple[re.Pattern[str], ...]

    @classmethod
    def parse(cls, text: str) -> AllowedHosts:
        """Parse the setting RUNCOMFY_FILE_HOSTS, a comma-separated list.

        `files.example.com` is that host only and `*.example.com` every host below it, by https on port 443.
        `127.0.0.1:8188` is a port of this machine, by http.

        Raises:
            ValueError: The setting is malformed; the message says what it must look like.
        """
        entries = [entry.strip() for entry in text.split(",") if entry.strip()]
        if not entries:
            raise ValueError("must name at least one host, such as *.runcomfy.net")
        return cls(tuple(_pattern(entry) for entry in entries))

    def allows(self, url: URL) -> bool:
        """Whether files at this URL may be downloaded."""
        origin = f"{url.scheme}://{url.raw_host}:{url.port}".lower()
        return "@" not in url.raw_authority and any(pattern.fullmatch(origin) for pattern in self.patterns)


def _pattern(entry: str) -> re.Pattern[str]:
    if (local := _LOOPBACK.fullmatch(entry)) and is_loopback(host := local["host"].strip("[]")):
        return re.compile(re.escape(f"http://{host}:{int(local['port'])}".lower()))
    if not _HOST.fullmatch(entry):
        raise ValueError(
            "must be host names such as files.example.com or *.example.com, with commas between them, or this"
            " machine with a port such as 127.0.0.1:8188"
        )
    name = re.escape(entry.lower()).replace(r"\*\.", r"([a-z0-9_-]+\.)+")
    return re.compile(f"https://{name}:443")


def is_loopback(host: str) -> bool:
    """Whether a host name or IP address is this machine for certain."""
    try:
        return host.lower() == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
