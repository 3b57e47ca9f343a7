"""URLs of output files: which are requested, in which form, and why others are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import OutputUnavailableError
from bot.runcomfy.download import Downloader
from bot.runcomfy.file_url import AllowedHosts, FileUrlError, parse_file_url
from bot.runcomfy.responses import parse_result
from playground.runcomfy import Fault, LocalRunComfy
from tests.image_files import picture

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import JsonValue

HOSTS = AllowedHosts.parse("*.runcomfy.net, 127.0.0.1:8188")
ORIGIN = "https://files.runcomfy.net"

READ = [
    # unchanged
    ("https://files.runcomfy.net/a.png", "/a.png"),
    ("https://files.runcomfy.net", "/"),
    ("https://files.runcomfy.net?x=1", "/?x=1"),
    ("https://files.runcomfy.net/a//b/../c/./d", "/a//b/../c/./d"),
    ("https://files.runcomfy.net/a;b=1,2/(c)!$&'*+:@=~-._", "/a;b=1,2/(c)!$&'*+:@=~-._"),
    # trimmed
    ("https://files.runcomfy.net/a.png\n", "/a.png"),
    ("\r\n\t https://files.runcomfy.net/a.png \r\n", "/a.png"),
    ("\ufeffhttps://files.runcomfy.net/a.png\u200b\xa0\0", "/a.png"),
    # percent-encoded
    ("https://files.runcomfy.net/a b.png", "/a%20b.png"),
    ("https://files.runcomfy.net/été/猫.png", "/%C3%A9t%C3%A9/%E7%8C%AB.png"),
    ('https://files.runcomfy.net/a[1]{2}|^`<>".png', "/a%5B1%5D%7B2%7D%7C%5E%60%3C%3E%22.png"),
    ("https://files.runcomfy.net/a\u200bb", "/a%E2%80%8Bb"),
    # already encoded, in part or malformed
    ("https://files.runcomfy.net/a%20b%2Fc%3d%3D", "/a%20b%2Fc%3d%3D"),
    ("https://files.runcomfy.net/a%20b c", "/a%20b%20c"),
    ("https://files.runcomfy.net/100% sure%2", "/100%25%20sure%252"),
    ("https://files.runcomfy.net/%252F", "/%252F"),
    # signed queries
    ("https://files.runcomfy.net/a?sig=a%2Fb%3D&x=%7e+/|[]{}%&y='\"", "/a?sig=a%2Fb%3D&x=%7e+/|[]{}%&y='\""),
    ("https://files.runcomfy.net/a?x=1?y=https://evil.com/@", "/a?x=1?y=https://evil.com/@"),
    ("https://files.runcomfy.net/a?name=a b é", "/a?name=a%20b%20%C3%A9"),
    # fragments are not sent
    ("https://files.runcomfy.net/a?x#https://evil.com", "/a?x"),
    # unusual spellings of the host
    ("HTTPS://FILES.RunComfy.NET/A", "/A"),
    ("https://files.runcomfy.net./a", "/a"),
    ("https://files.runcomfy.net:443/a", "/a"),
    ("https://files.runcomfy.net:0443/a", "/a"),
    ("https://files.runcomfy.net.:/a", "/a"),
    ("https://ﬁles。runcomfy．net/a", "/a"),
]


@pytest.mark.parametrize(("text", "path"), READ)
def test_accepted_urls(text: str, path: str) -> None:
    url = parse_file_url(text, HOSTS)
    assert (str(url.origin()), url.raw_path_qs) == (ORIGIN, path)
    assert str(parse_file_url(str(url), HOSTS)) == str(url)


def test_internationalized_host() -> None:
    url = parse_file_url("https://Bücher.runcomfy.net/a", HOSTS)
    assert str(url) == "https://xn--bcher-kva.runcomfy.net/a"


def test_loopback_url() -> None:
    assert str(parse_file_url(" http://127.0.0.1:8188/a b", HOSTS)) == "http://127.0.0.1:8188/a%20b"
    assert parse_file_url("http://[::1]:80/a", AllowedHosts.parse("[::1]:80")).host == "::1"


MALFORMED, SCHEME, HTTP_ONLY = "malformed", "neither https:// nor http://", "trusted by https only"
CONTROL, NOT_TRUSTED = "control characters or backslashes", "is not in RUNCOMFY_FILE_HOSTS"

REJECTED = [
    ("", SCHEME),
    ("  ", SCHEME),
    ("a.png", SCHEME),
    ("/files/a.png", SCHEME),
    ("//files.runcomfy.net/a", SCHEME),
    ("files.runcomfy.net/a", SCHEME),
    ("files.runcomfy.net:443/a", SCHEME),
    ("ftp://files.runcomfy.net/a", SCHEME),
    ("file:///etc/passwd", SCHEME),
    ("data:image/png;base64,AAAA", SCHEME),
    ("javascript://files.runcomfy.net/%0Aalert(1)", SCHEME),
    ("http s://files.runcomfy.net/a", SCHEME),
    ("https:files.runcomfy.net/a", MALFORMED),
    ("https:/files.runcomfy.net/a", MALFORMED),
    ("https:///files.runcomfy.net/a", MALFORMED),
    ("https://", MALFORMED),
    ("https://:443/a", MALFORMED),
    ("https://user@files.runcomfy.net/a", MALFORMED),
    ("https://:pw@files.runcomfy.net/a", MALFORMED),
    ("https://@files.runcomfy.net/a", MALFORMED),
    ("https://files.runcomfy.net@evil.com/a", MALFORMED),
    ("https://files.runcomfy.net:443@evil.com/a", MALFORMED),
    ("https://evil.com%2F.runcomfy.net/a", MALFORMED),
    ("https://evil.com%00.runcomfy.net/a", MALFORMED),
    ("https://files%2Eruncomfy.net/a", MALFORMED),
    ("https://evil.com .runcomfy.net/a", MALFORMED),
    ("https://evil.com／.runcomfy.net/a", MALFORMED),
    ("https://evil.com？.runcomfy.net/a", MALFORMED),
    ("https://evil.com＃.runcomfy.net/a", MALFORMED),
    ("https://evil.com＠.runcomfy.net/a", MALFORMED),
    ("https://evil.com℀.runcomfy.net/a", MALFORMED),
    ("https://evil.com|.runcomfy.net/a", MALFORMED),
    ("https://evil.com;.runcomfy.net/a", MALFORMED),
    ("https://a..runcomfy.net/a", MALFORMED),
    (f"https://{'a' * 64}.runcomfy.net/a", MALFORMED),
    ("https://xn--a.runcomfy.net/a", MALFORMED),
    ("https://xn--.runcomfy.net/a", MALFORMED),
    ("https://.runcomfy.net/a", MALFORMED),
    ("https://files.runcomfy.net../a", MALFORMED),
    ("https://files.runcomfy.net:99999/a", MALFORMED),
    ("https://files.runcomfy.net:4 43/a", MALFORMED),
    ("https://files.runcomfy.net:-443/a", MALFORMED),
    ("https://files.runcomfy.net:443:443/a", MALFORMED),
    ("https://files.runcomfy.net:４４３/a", MALFORMED),
    ("http://[::1", MALFORMED),
    ("http://[::1%25eth0]/a", MALFORMED),
    ("https://evil.com\\.runcomfy.net/a", CONTROL),
    ("https://evil.com\\@files.runcomfy.net/a", CONTROL),
    ("https://files.runcomfy.net\\@evil.com/a", CONTROL),
    ("https://files.runcomfy.net/a\\b", CONTROL),
    ("https://files.runcomfy.net/a\r\nX: y", CONTROL),
    ("https://files.run\ncomfy.net/a", CONTROL),
    ("ht\ttps://files.runcomfy.net/a", CONTROL),
    ("https://files.runcomfy.net/a\0b", CONTROL),
    ("https://files.runcomfy.net/a\u2028b", CONTROL),
    ("https://files.runcomfy.net/a?b\x85c", CONTROL),
    ("https://files.runcomfy.net/\ud83d", CONTROL),
    ("http://files.runcomfy.net/a", HTTP_ONLY),
    ("http://files.runcomfy.net:80/a", HTTP_ONLY),
    ("https://evil.com/.runcomfy.net", f"its host evil.com {NOT_TRUSTED}"),
    ("https://evil.com?.runcomfy.net", f"its host evil.com {NOT_TRUSTED}"),
    ("https://evil.com#.runcomfy.net", f"its host evil.com {NOT_TRUSTED}"),
    ("https://EVIL.com./a", f"its host evil.com {NOT_TRUSTED}"),
    ("https://runcomfy.net/a", f"its host runcomfy.net {NOT_TRUSTED}"),
    ("https://files.runcomfy.net.evil.com/a", NOT_TRUSTED),
    ("https://files.runcomfy.net:8443/a", f"its host files.runcomfy.net:8443 {NOT_TRUSTED}"),
    ("https://böse.example/a", f"its host xn--bse-sna.example {NOT_TRUSTED}"),
    ("https://files.runcomfу.net/a", NOT_TRUSTED),  # its y is Cyrillic
    ("https://127.0.0.1:8188/a", NOT_TRUSTED),
    ("http://127.0.0.1:8189/a", NOT_TRUSTED),
    ("http://2130706433:8188/a", NOT_TRUSTED),
    ("http://0x7f.1:8188/a", NOT_TRUSTED),
    ("http://[::ffff:127.0.0.1]:8188/a", NOT_TRUSTED),
    ("http://169.254.169.254/latest/meta-data", NOT_TRUSTED),
]


@pytest.mark.parametrize(("text", "reason"), REJECTED)
def test_rejected_urls(text: str, reason: str) -> None:
    with pytest.raises(FileUrlError, match=reason.replace(".", r"\.")):
        parse_file_url(text, HOSTS)


@given(st.text(alphabet=st.sampled_from("https:/.@\\?#[]% \t\n１。／éaﬁ:runcomfy.net443"), max_size=60))
def test_any_accepted_url_has_a_trusted_host(text: str) -> None:
    for written in (text, f"https://{text}", f"https://files.runcomfy.net{text}"):
        try:
            url = parse_file_url(written, HOSTS)
        except FileUrlError:
            continue
        assert url.scheme == "https"
        assert url.raw_host
        assert url.raw_host.endswith(".runcomfy.net")
        assert url.raw_user is url.raw_password is None
        assert (str(url).isascii(), str(url).isprintable(), " " in str(url)) == (True, True, False)


SENT = [
    (
        "{}/files/a%3D%3D/id/0_output.png?sig=a%2Fb%3D&x=%7e\n",
        "/files/a%3D%3D/id/0_output.png?sig=a%2Fb%3D&x=%7e",
    ),
    (
        " {}/files/my a[1]|é/id/0_output.png?x=[|]% 1 ",
        "/files/my%20a%5B1%5D%7C%C3%A9/id/0_output.png?x=[|]%%201",
    ),
]


@pytest.mark.parametrize(("text", "path"), SENT)
async def test_url_is_requested_as_parsed(
    runcomfy: LocalRunComfy, session: aiohttp.ClientSession, tmp_path: Path, text: str, path: str
) -> None:
    seen: list[str] = []

    async def remember(request: aiohttp.web.Request, _: object) -> aiohttp.web.Response:
        seen.append(request.raw_path)
        return aiohttp.web.Response(body=picture("PNG"), content_type="image/png")

    runcomfy.inject_fault("file", Fault(remember))
    downloader = Downloader(session, AllowedHosts.parse(runcomfy.environment["RUNCOMFY_FILE_HOSTS"]))
    await downloader.download(text.format(runcomfy.url.upper()), tmp_path, "1")
    assert seen == [path]


def test_duplicate_url_is_one_file() -> None:
    images: list[JsonValue] = ["https://files.runcomfy.net/a", " https://files.runcomfy.net/a\n", "\n"]
    result = parse_result({"status": "succeeded", "output": {"images": images}})
    assert result
    assert result.urls == ("https://files.runcomfy.net/a",)


async def test_errors_name_the_reason_but_not_the_path(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    downloader = Downloader(session, HOSTS)
    for start in ("https://evil.com/", "http://a.runcomfy.net/", "ftp://x/", "https://u@x/", "\\"):
        with pytest.raises(OutputUnavailableError, match="the file cannot be requested: its ") as caught:
            await downloader.download(f"{start}my-account", tmp_path, "1")
        assert "my-account" not in repr(caught.value)
        assert caught.value.__cause__ is None
