"""The allowlist of hosts for output files."""

from __future__ import annotations

import pytest
from yarl import URL

from bot.runcomfy.file_url import AllowedHosts


@pytest.mark.parametrize(
    ("setting", "url", "is_allowed"),
    [
        ("*.runcomfy.net", "https://files.runcomfy.net/a", True),
        ("*.runcomfy.net", "https://a.b.runcomfy.net:443/a", True),
        ("*.runcomfy.net", "HTTPS://Files.RunComfy.NET/a", True),
        ("a.example.com, *.runcomfy.net", "https://a.example.com/a", True),
        ("*.runcomfy.net", "https://runcomfy.net/a", False),
        ("*.runcomfy.net", "http://files.runcomfy.net/a", False),
        ("*.runcomfy.net", "https://files.runcomfy.net:8443/a", False),
        ("*.runcomfy.net", "https://evilruncomfy.net/a", False),
        ("*.runcomfy.net", "https://files.runcomfy.net.evil.com/a", False),
        ("*.runcomfy.net", "https://user@files.runcomfy.net/a", False),
        ("*.runcomfy.net", "https://:pw@files.runcomfy.net/a", False),
        ("*.runcomfy.net", "https://files.runcomfy.net@evil.com/a", False),
        ("*.runcomfy.net", "https://evil.com/.runcomfy.net", False),
        ("*.runcomfy.net", "https://evil.com?.runcomfy.net", False),
        ("*.runcomfy.net", "https://evil.com#.runcomfy.net", False),
        ("*.runcomfy.net", "https://filesXruncomfy.net/a", False),
        ("*.runcomfy.net", "https://files.runcomfy.net./a", False),
        ("*.runcomfy.net", "ftp://files.runcomfy.net/a", False),
        ("*.runcomfy.net", "file:///etc/passwd", False),
        ("*.runcomfy.net", "https:///a", False),
        ("a.example.com", "https://b.a.example.com/a", False),
        ("127.0.0.1:8188", "http://127.0.0.1:8188/a", True),
        ("127.0.0.1:8188", "http://127.0.0.1:8189/a", False),
        ("127.0.0.1:8188", "https://127.0.0.1:8188/a", False),
        ("127.0.0.1:8188", "http://localhost:8188/a", False),
        ("127.0.0.1:80", "http://127.0.0.1/a", True),
        ("localhost:8188", "http://localhost:8188/a", True),
        ("[::1]:8188", "http://[::1]:8188/a", True),
    ],
)
def test_trusted_hosts(setting: str, url: str, *, is_allowed: bool) -> None:
    assert AllowedHosts.parse(setting).allows(URL(url, encoded=True)) is is_allowed


@pytest.mark.parametrize(
    "setting",
    [
        "",
        " , ",
        "*",
        "*.net",
        "net",
        "https://files.runcomfy.net",
        "files.runcomfy.net/a",
        "files.runcomfy.net:443",
        "a.*.runcomfy.net",
        "127.0.0.1",
        "10.0.0.1:80",
        "8.8.8.8",
        "example.com:8188",
        "user@example.com",
        "files.runcomfy.net, *",
        "127.0.0.1.:80",
    ],
)
def test_invalid_setting(setting: str) -> None:
    with pytest.raises(ValueError, match=r"^must "):
        AllowedHosts.parse(setting)
