"""The report of the first run: no secrets, whatever a response contains."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.diagnostics.first_run.report import Report

TOKENS = ["bm90LWEtdG9rZW4.Gx/y+z.secret=value", "2f6c1c1e-5b9a-4c6e-9d42-0f1f2e3d4c5b"]


def is_hidden(text: str) -> bool:
    return not any(
        token[start : start + 8].lower() in text.lower()
        for token in TOKENS
        for start in range(len(token) - 7)
    )


@given(st.lists(st.sampled_from([*TOKENS, "a", " ", "\n", "`", "\x00", "ü", "https://x.net/", "@", "%2F"])))
def test_tokens_are_hidden_anywhere(parts: list[str]) -> None:
    report = Report(list(TOKENS))
    report.note("question", "".join(parts), expected="x" * 1990 + "".join(parts))
    assert is_hidden("".join(report.lines()))


@pytest.mark.parametrize("token", TOKENS)
def test_parts_of_tokens_are_hidden(token: str) -> None:
    report = Report(list(TOKENS))
    for text in (token[:8], token[-9:], quote(token, safe=""), token.upper(), f"key {token[:12]}... is bad"):
        cleaned = report.clean(text)
        assert is_hidden(cleaned)
        assert "***" in cleaned
    assert report.clean(token[:7]) == token[:7]


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("https://user:pass@files.runcomfy.net/acct/x.png?sig=1#f", "https://files.runcomfy.net/..."),
        ("see HTTP://files.runcomfy.net, then", "see HTTP://files.runcomfy.net/... then"),
        ("of a.b+c@example.com", "of <e-mail>"),
        ("id 123456789012345678", "id <id>"),
        ("7f1d9f5e-0c53-4c86-9d3e-1a2b3c4d5e6f failed", "<id> failed"),
        ("eJwzNDK2MDMxNbcwMAAAHAsC8g==", "<id>"),
        ("google/nano-banana-2-lite/text-to-image", "google/nano-banana-2-lite/text-to-image"),
        ("/image nano-banana-2-lite-edit: price", "/image nano-banana-2-lite-edit: price"),
        ("req_8f3a9b2c4d5e and req-8f3a9b2c4d5e6f70", "<id> and req-<id>"),
        ("V1StGXR8_Z5jdHi6B-myT", "<id>"),
        ("2026-11-30T03:32:15.123456+00:00", "2026-11-30T03:32:15.123456+00:00"),
        ("playgrounds-storage-public.runcomfy.net", "playgrounds-storage-public.runcomfy.net"),
        ("```\x1b[31m\u202e\r\n", r"'''\x1b[31m\u202e\r\n"),
    ],
)
def test_what_identifies_an_account_is_hidden(text: str, cleaned: str) -> None:
    assert Report([]).clean(text) == cleaned


def test_texts_are_bounded() -> None:
    assert len(Report([]).clean("a b " * 100_000)) <= 400


def test_short_texts_are_not_hidden_everywhere() -> None:
    report = Report([])
    report.hide("e")
    report.hide("request-4711")
    report.note("question", "the end of request-4711")
    assert report.rows[0].seen == "the end of ***"


def test_columns_are_aligned() -> None:
    report = Report([])
    report.compare("a question with many words in it", "one", "two " * 40)
    lines = [line for line in report.lines() if "two" in line]
    assert len({line.index("two") for line in lines}) == 1
    assert max(map(len, report.lines())) < 120
