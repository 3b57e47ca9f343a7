"""Which URLs of files are requested, and in which form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import quote

from yarl import URL

_HOST_SETTING = re.compile(r"(\*\.)?((?!-)[a-z0-9-]+\.)+[a-z][a-z0-9-]*", re.IGNORECASE)
_LOOPBACK_SETTING = re.compile(r"(?P<host>localhost|[0-9.]+|\[[0-9a-f:]+\]):(?P<port>\d{1,5})", re.IGNORECASE)
_TRIMMED = "".join(map(chr, range(0x21))) + "\x7f\x85\xa0\u200b\u2028\u2029\u2060\ufeff"
# Control characters and line separators can split a request, lone surrogates have no encoding, and programs
# disagree about what a backslash means.
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\\]")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_PARTS = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[^/?#@:\[\]%]+)(:(?P<port>[0-9]{0,5}))?"
    r"(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?(#.*)?",
    re.IGNORECASE,
)
_HOST = re.compile(r"([a-z0-9_-]+\.)*[a-z0-9_-]+|\[[0-9a-f:.]+\]")
_PATH_SAFE = "/%:@!$&'()*+,;=~"  # RFC 3986, 3.3, besides letters, digits and -._
_STRAY_PERCENT = re.compile(r"%(?![0-9a-f]{2})", re.IGNORECASE)
_NOT_IN_REQUESTS = re.compile(r"[^!-~]")


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """Trusted origins, as patterns of `scheme://host:port`."""

    patterns: tuple[re.Pattern[str], ...]
    name: str
    """What the log calls them."""

    @classmethod
    def parse(cls, text: str, name: str = "RUNCOMFY_FILE_HOSTS") -> AllowedHosts:
        """Parse a comma-separated list, such as the setting RUNCOMFY_FILE_HOSTS.

        `files.example.com` is that host only and `*.example.com` every host below it, by https on port 443.
        `127.0.0.1:8188` is a port of this machine, by http.

        Raises:
            ValueError: The setting is malformed; the message says what it must look like.
        """
        entries = [entry.strip() for entry in text.split(",") if entry.strip()]
        if not entries:
            raise ValueError("must name at least one host, such as *.runcomfy.net")
        return cls(tuple(_pattern(entry) for entry in entries), name)

    def allows(self, url: URL) -> bool:
        """Whether files at this URL may be downloaded."""
        origin = f"{url.scheme}://{url.raw_host}:{url.port}".lower()
        return "@" not in url.raw_authority and any(pattern.fullmatch(origin) for pattern in self.patterns)


def _pattern(entry: str) -> re.Pattern[str]:
    if (local := _LOOPBACK_SETTING.fullmatch(entry)) and is_loopback(host := local["host"].strip("[]")):
        return re.compile(re.escape(f"http://{host}:{int(local['port'])}".lower()))
    if not _HOST_SETTING.fullmatch(entry):
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


class FileUrlError(ValueError):
    """The URL can't be requested; the message names its host at most, since its path can name an account."""


def parse_file_url(text: str, hosts: AllowedHosts) -> URL:
    """Parse a URL as browsers do: trim it and percent-encode what must be encoded.

    Encoded characters stay as they are, and so does the query, which can be signed.

    Raises:
        FileUrlError: The URL is malformed, neither http nor https, or its host is not in `hosts`.
    """
    url = _parse(text.strip(_TRIMMED))
    if hosts.allows(url):
        return url
    if url.scheme == "http" and hosts.allows(url.with_scheme("https").with_port(443)):
        raise FileUrlError("its address begins with http, and its host is trusted by https only")
    port = "" if url.is_default_port() else f":{url.port}"
    raise FileUrlError(f"its host {(url.raw_host or '')[:100]}{port} is not in {hosts.name}")


def _parse(text: str) -> URL:
    if _FORBIDDEN.search(text):
        raise FileUrlError("its address has control characters or backslashes in it")
    scheme = _SCHEME.match(text)
    if scheme is None or scheme[1].lower() not in {"http", "https"}:
        raise FileUrlError("its address begins with neither https:// nor http://")
    parts = _PARTS.fullmatch(text)
    if parts is None or int(parts["port"] or 0) > 65_535:
        raise FileUrlError("its address is malformed (its host, its port, or a user name in front of them)")
    path = quote(_STRAY_PERCENT.sub("%25", parts["path"] or "/"), _PATH_SAFE)
    query = _NOT_IN_REQUESTS.sub(lambda found: quote(found[0]), parts["query"] or "")
    origin = f"{parts['scheme'].lower()}://{_host(parts['host'])}"
    port = f":{int(parts['port'])}" if parts["port"] else ""
    return URL(f"{origin}{port}{path}{query}", encoded=True)


def _host(host: str) -> str:
    """Normalize a host: lower case, IDNA, no trailing dot."""
    if not host.isascii():
        try:
            host = URL.build(scheme="https", host=host).raw_host or ""
        except ValueError:
            host = ""
    host = host.lower().removesuffix(".")
    # After IDNA, which can turn other characters into slashes and dots.
    if not _HOST.fullmatch(host) or not _is_encodable(host):
        raise FileUrlError("its address is malformed: no such host can exist")
    return host


def _is_encodable(host: str) -> bool:
    """Whether a host can be looked up: one with a label of 64 letters, or with invalid Punycode, can't."""
    try:
        return bool(host.encode("idna") and URL(f"https://{host}").host)
    except ValueError:
        return False
