"""Forbidden words and patterns: what managers may write, and whether a text has any of it."""

from __future__ import annotations

import asyncio
import math
import re
import time
import unicodedata
from typing import TYPE_CHECKING

import regex

from bot.refusals import BadPatternError, PatternTooSlowError, TooManyWordsError
from bot.settings import WORD_MAX, WORDS_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Fuzzy matching, such as `(?:fox){e<=1}`: one without a bound, as in `(?r)axß{i,d}|ß`, takes all memory
# within seconds, and never looks at the time.
_FUZZY = re.compile(r"\\N\{[\w -]*\}|\\[pP]\{[\w &=.:^-]*\}|\\.|(\{\s*(?:[eids]|\d+\s*[eids<]))")
# How often something must come at least, `{` and a number: `regex` writes out as many copies of it when it
# compiles, nested ones times each other: `a{99999999}` takes all memory, too, and nothing looks at the time.
_LEAST = re.compile(r"\\.|\{([\d\s]+)", re.ASCII)
_COPIES = 40_000  # characters of all patterns of a server, written out
_ILL = (regex.error, RecursionError, ValueError)  # the last one for flags that do not go together
_SECONDS = 0.1  # of the processor, for all patterns and all texts of an order together


def read_words(text: str) -> tuple[str, ...]:
    """One word, phrase or /pattern/ a line, as managers write them; empty lines and repeats are left out.

    Raises:
        TooManyWordsError: There are too many of them, or one is too long.
        BadPatternError: A line between slashes is no pattern, or another has nothing to look for.
    """
    lines = {number: line.strip() for number, line in enumerate(text.splitlines(), 1) if line.strip()}
    words = tuple(dict.fromkeys(lines.values()))
    if sum(len(word) + 1 for word in words) > WORDS_MAX or any(len(word) > WORD_MAX for word in words):
        raise TooManyWordsError(most=WORDS_MAX, longest=WORD_MAX)
    copies = 0
    for number, line in lines.items():
        pattern = _pattern(line)
        copies += _written_out(pattern or "")
        try:
            if copies > _COPIES or not (_plain(line) if pattern is None else _compiled(pattern).pattern):
                raise BadPatternError(line=number)
        except _ILL as error:
            raise BadPatternError(line=number) from error
    return words


async def has_forbidden(words: Sequence[str], texts: Iterable[str]) -> bool:
    """Whether one of the texts has one of the words.

    Words and phrases count whole, whatever their case, spacing and punctuation; a pattern counts where it is
    found. Both see the text as Unicode's compatible characters, so that full-width letters hide nothing.

    Raises:
        PatternTooSlowError: The patterns took too long for this text.
    """
    # In a thread: `regex` lets go of the interpreter while it searches, so a server whose pattern takes all
    # of its time over and over holds nobody else up.
    return await asyncio.to_thread(_has_forbidden, tuple(words), tuple(texts))


def _has_forbidden(words: tuple[str, ...], texts: tuple[str, ...]) -> bool:
    plain = [_plain(word) for word in words if _pattern(word) is None]
    patterns = [pattern for word in words if (pattern := _pattern(word)) is not None]
    began = time.thread_time()
    for text in texts:
        seen = _visible(text)
        folded = _folded(seen)
        haystack = f"{_spaced(folded)}\n{folded}"  # the second one for words that are symbols alone
        if any(word in haystack for word in plain):
            return True
        for pattern in patterns:
            left = _SECONDS - (time.thread_time() - began)
            try:
                if _compiled(pattern).search(seen, timeout=max(left, 0.001)):
                    return True
            except TimeoutError:
                raise PatternTooSlowError from None
            except _ILL:
                continue  # it could be compiled when it was set; one that cannot any more forbids nothing
    return False


def _pattern(line: str) -> str | None:
    return line[1:-1] if len(line) > 1 and line.startswith("/") and line.endswith("/") else None


def _written_out(pattern: str) -> int:
    """How long a pattern becomes at most; as if all its repeats were nested."""
    least = [int("".join(found[1].split()) or 0) for found in _LEAST.finditer(pattern) if found[1]]
    return len(pattern) * math.prod(each for each in least if each)


def _compiled(pattern: str) -> regex.Pattern[str]:
    if any(found[1] for found in _FUZZY.finditer(pattern)):
        raise regex.error("fuzzy matching", pattern)
    if _written_out(pattern) > _COPIES:
        raise regex.error("too many repeats", pattern)
    return regex.compile(pattern, regex.IGNORECASE | regex.VERSION1)  # the library keeps the last few hundred


def _plain(line: str) -> str:
    """What to look for: a word or phrase with a space around it, or symbols as they are."""
    folded = _folded(_visible(line))
    return _spaced(folded) or folded


def _visible(text: str) -> str:
    """The text in Unicode's compatible characters, without those that nobody sees, as zero-width spaces."""
    return regex.sub(r"\p{Default_Ignorable_Code_Point}|\p{Cf}", "", unicodedata.normalize("NFKC", text))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text.casefold()).strip()


def _spaced(folded: str) -> str:
    """The words of a text with one space around each; empty where it has none."""
    words = regex.sub(r"\W+", " ", folded).strip()
    return f" {words} " if words else ""
