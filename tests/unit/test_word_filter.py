"""Parsing of forbidden words and patterns, and searching texts for them."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import PolicyError
from bot.policy.word_filter import contains_forbidden, parse_words


async def contains(line: str, *texts: str) -> bool:
    return await contains_forbidden(parse_words(line), texts)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("fox", "a fox"),
        ("fox", "FOX"),
        ("Fox", "a red,fox!"),
        ("red fox", "a red   fox"),
        ("red fox", "a Red-Fox."),
        ("straße", "eine STRASSE"),
        ("ёлка", "Ёлка зимой"),
        ("fox", "\uff46\uff4f\uff58"),
        ("fox", "f\u200box"),
        ("fox", "fo\u00adx"),
        ("café", "a cafe\u0301"),
        ("ﬁre", "fire"),
        ("🔞", "a fox 🔞 in snow"),
        ("❤\ufe0f", "with ❤ love"),
        ("/f[o0]x/", "a F0X"),
        ("/f[o0]x/", "outf0xed"),
        ("/f[o0]x/", "\uff460\uff58"),
        (r"/\bfox(es)?\b/", "two foxes"),
        ("/^a.*x$/", "a fox"),
        ("bear\nfox", "a fox"),
        ("  fox  \n\n", "fox"),
        ("50% off", "now 50% off"),
    ],
)
async def test_found(line: str, text: str) -> None:
    assert await contains(line, "something else", text)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("fox", "a firefox"),
        ("fox", "foxes"),
        ("red fox", "a fox red"),
        ("🔞", "a fox 🦊"),
        ("❤\ufe0f", "a star ⭐\ufe0f"),
        (r"/\bfox\b/", "foxes"),
        (".", "a fox"),
        ("f.x", "fox"),
        ("/", "fox"),
    ],
)
async def test_not_found(line: str, text: str) -> None:
    assert not await contains(line, text)


@given(st.text(min_size=1, max_size=50), st.text(max_size=50), st.text(max_size=50))
def test_text_contains_itself_between_others(word: str, before: str, after: str) -> None:
    try:
        words = parse_words(word)
    except PolicyError as error:
        if error.key != "bad-pattern":
            raise
        return
    if len(words) == 1 and not words[0].startswith("/"):
        assert asyncio.run(contains_forbidden(words, [f"{before} \n {words[0]} \n {after}"]))


@pytest.mark.parametrize(
    ("line", "number"),
    [("fox\n\n/(/", 3), ("/[/", 1), ("//", 1), ("a\n\u200b", 2), ("/(?<n/", 1), ("/(?V0)a/", 1)],
)
def test_invalid_pattern_is_reported_by_line(line: str, number: int) -> None:
    with pytest.raises(PolicyError, match="bad-pattern") as refused:
        parse_words(line)
    assert refused.value.values["line"] == number


@pytest.mark.parametrize(
    "line",
    [
        "/(?:fox){e<=1}/",
        "/a{i}/",
        "/(?r)axß{i,d}|ß/",
        "/(?:a){ 1 <= s <= 2 }/",
        "/a{2i+3d<5}/",
        r"/\p{i,d}/",
        r"/\N{s:x}/",
    ],
)
async def test_fuzzy_matching_is_rejected(line: str) -> None:
    """`regex` can exhaust the memory with it; a pattern stored earlier is ignored."""
    with pytest.raises(PolicyError, match="bad-pattern"):
        parse_words(line)
    assert not await contains_forbidden([line], ["fox a i x"])


@pytest.mark.parametrize(
    "line", [r"/\p{L}{9999}/", "/(?:a{99}b){99}/", "/((a{99,}){9}){99}/", "/(?x)a{9 9 9 9}/"]
)
async def test_nested_repeats_are_rejected(line: str) -> None:
    """`regex` compiles a copy for each required repeat: `a{99999999}` exhausts the memory."""
    with pytest.raises(PolicyError, match="bad-pattern"):
        parse_words(line)
    assert not await contains_forbidden([line], ["a" * 6000])


def test_repeats_of_all_patterns_count_together() -> None:
    with pytest.raises(PolicyError, match="bad-pattern") as refused:
        parse_words("\n".join(f"/{letter}{{2000}}/" for letter in "abcd"))
    assert refused.value.values["line"] == 3


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (r"/\d{4}[ -]?\d{4}[ -]?\d{4}/", "1234-5678 9012"),
        (r"/a{0,99999}b/", "ab"),
        (r"/x\{99999}/", "x{99999}"),
        (r"/\p{digit}/", "1"),
        (r"/a{2}/", "aa"),
        (r"/a{2,}/", "aaa"),
        (r"/\{d\}/", "{d}"),
        (r"/\\d{1,3}e/", "\\ddde"),
    ],
)
async def test_braces_that_are_no_repeats(line: str, text: str) -> None:
    assert await contains(line, text)


@pytest.mark.parametrize("text", ["x" * 201, "\n".join(f"{n:0199}" for n in range(21))])
def test_too_many_words(text: str) -> None:
    with pytest.raises(PolicyError, match="too-many-words"):
        parse_words(text)


def test_duplicates_are_dropped() -> None:
    assert parse_words("fox\n\nbear\r\nfox\n") == ("fox", "bear")


@pytest.mark.parametrize("line", ["/(a+)+$/", "/(a|aa)+$/", "/(?R)/"])
async def test_slow_pattern_times_out_without_blocking_the_loop(line: str) -> None:
    """Without a timeout these would run for years."""
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    turning = asyncio.create_task(turn())
    with pytest.raises(PolicyError, match="pattern-too-slow"):
        await contains(line, "a" * 6000 + "!")
    turning.cancel()
    assert turns > 1


async def test_patterns_share_one_timeout() -> None:
    """Each pattern alone is fast enough; hundreds are not."""
    lines = [f"/a*a*[b{number}]$/" for number in range(250)]
    assert not await contains(lines[0], "a" * 1500 + "!")
    with pytest.raises(PolicyError, match="pattern-too-slow"):
        await contains("\n".join(lines), "a" * 1500 + "!")


async def test_invalid_stored_pattern_is_ignored() -> None:
    assert not await contains_forbidden(("/(/",), ["a fox"])
    assert await contains_forbidden(("/(/", "fox"), ["a fox"])
