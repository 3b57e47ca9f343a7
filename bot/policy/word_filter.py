"""Forbidden words and patterns: what managers may write, and whether a text has any of it."""

from __future__ import annotations

import asyncio
import math
import re
import sys
import time
import unicodedata
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING

import regex

from bot.domain.guild_settings import WORD_MAX, WORDS_MAX
from bot.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# Fuzzy matching, such as `(?:fox){e<=1}`: one without a bound, as in `(?r)axß{i,d}|ß`, takes all memory
# within seconds, and never looks at the time.
_FUZZY = re.compile(r"\\N\{[\w -]*\}|\\[pP]\{[\w &=.:^-]*\}|\\.|(\{\s*(?:[eids]|\d+\s*[eids<]))")
# How often something must come at least, `{` and a number: `regex` writes out as many copies of it when it
# compiles, nested ones times each other: `a{99999999}` takes all memory, too, and nothing looks at the time.
_MIN_REPEATS = re.compile(r"\\.|\{([\d\s]+)", re.ASCII)
_MAX_EXPANDED = 40_000  # characters of all patterns of a server, written out
_REGEX_ERRORS = (regex.error, RecursionError, ValueError)  # the last one for flags that do not go together
_MAX_CPU_SECONDS = 0.1  # of the processor, for all patterns and all texts of an order together
_IGNORABLE = regex.compile(r"\p{Default_Ignorable_Code_Point}|\p{Cf}", cache_pattern=False)
_NON_WORD = regex.compile(r"\W+", cache_pattern=False)


class _CompiledPatterns:
    """The compiled patterns of the servers that used theirs last, within a fixed number of bytes.

    A pattern of 30 characters can compile to 50 MB, and the library's own cache counts patterns, not bytes.
    """

    _MAX_BYTES = 16_000_000  # as `sys.getsizeof` counts them; the process grows by up to twice as much

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[regex.Pattern[str], int]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, source: str) -> regex.Pattern[str]:
        """The compiled pattern, kept for the next time if it is small enough.

        Raises:
            regex.error, RecursionError, ValueError: It is not a pattern.
        """
        with self._lock:  # also around compiling, which needs up to 90 MB for a moment
            if source in self._kept:
                self._kept.move_to_end(source)
                return self._kept[source][0]
            compiled = _compile(source)
            size = sys.getsizeof(compiled)
            if size <= self._MAX_BYTES:
                self._kept[source] = (compiled, size)
                self._bytes += size
            while self._bytes > self._MAX_BYTES:
                self._bytes -= self._kept.popitem(last=False)[1][1]
            return compiled

    def check(self, source: str) -> bool:
        """Whether it compiles and is not empty; keeps nothing.

        Raises:
            regex.error, RecursionError, ValueError: It is no pattern.
        """
        with self._lock:
            return bool(_compile(source).pattern)

    def clear(self) -> None:
        """Free what is kept."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0


_patterns = _CompiledPatterns()
# Two orders at once: a server's patterns can take 90 MB while they are used, and an order takes at most half
# a second.
_executor = ThreadPoolExecutor(2, thread_name_prefix="words")


def parse_words(text: str) -> tuple[str, ...]:
    """One word, phrase or /pattern/ a line, as managers write them; empty lines and repeats are left out.

    Raises:
        PolicyError: `too-many-words` or `bad-pattern`.
    """
    lines = {number: line.strip() for number, line in enumerate(text.splitlines(), 1) if line.strip()}
    words = tuple(dict.fromkeys(lines.values()))
    if sum(len(word) + 1 for word in words) > WORDS_MAX or any(len(word) > WORD_MAX for word in words):
        raise PolicyError("too-many-words", most=WORDS_MAX, longest=WORD_MAX)
    _patterns.clear()  # those in use are compiled again, and removed ones don't linger
    copies = 0
    for number, line in lines.items():
        pattern = _pattern(line)
        copies += _expanded_size(pattern or "")
        try:
            if copies > _MAX_EXPANDED or not (
                _normalized(line) if pattern is None else _patterns.check(pattern)
            ):
                raise PolicyError("bad-pattern", line=number)
        except _REGEX_ERRORS as error:
            raise PolicyError("bad-pattern", line=number) from error
    return words


async def contains_forbidden(words: Sequence[str], texts: Iterable[str]) -> bool:
    """Whether one of the texts has one of the words.

    Words and phrases count whole, whatever their case, spacing and punctuation; a pattern counts where it is
    found. Both see the text as Unicode's compatible characters, so that full-width letters hide nothing.

    Raises:
        PolicyError: The patterns took too long for this text (`pattern-too-slow`).
    """
    # In a thread: `regex` lets go of the interpreter while it searches, so a server whose pattern takes all
    # of its time over and over does not hold up the event loop.
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_executor, _contains_forbidden, tuple(words), tuple(texts))


def _contains_forbidden(words: tuple[str, ...], texts: tuple[str, ...]) -> bool:
    plain = [_normalized(word) for word in words if _pattern(word) is None]
    patterns = list(_compiled_patterns(words))
    began = time.thread_time()
    for text in texts:
        seen = _strip_invisible(text)
        folded = _casefolded(seen)
        haystack = f"{_word_boundaries(folded)}\n{folded}"  # the second one for words that are symbols alone
        if any(word in haystack for word in plain):
            return True
        for pattern in patterns:
            left = _MAX_CPU_SECONDS - (time.thread_time() - began)
            try:
                if pattern.search(seen, timeout=max(left, 0.001)):
                    return True
            except TimeoutError:
                raise PolicyError("pattern-too-slow") from None
    return False


def _compiled_patterns(words: Iterable[str]) -> Iterator[regex.Pattern[str]]:
    """The patterns among the words, without those that this version of the library can no longer compile."""
    for word in words:
        source = _pattern(word)
        if source is not None:
            with suppress(*_REGEX_ERRORS):
                yield _patterns.get(source)


def _pattern(line: str) -> str | None:
    return line[1:-1] if len(line) > 1 and line.startswith("/") and line.endswith("/") else None


def _expanded_size(pattern: str) -> int:
    """How long a pattern becomes at most; as if all its repeats were nested."""
    least = [int("".join(found[1].split()) or 0) for found in _MIN_REPEATS.finditer(pattern) if found[1]]
    return len(pattern) * math.prod(each for each in least if each)


def _compile(pattern: str) -> regex.Pattern[str]:
    if any(found[1] for found in _FUZZY.finditer(pattern)):
        raise regex.error("fuzzy matching", pattern)
    if _expanded_size(pattern) > _MAX_EXPANDED:
        raise regex.error("too many repeats", pattern)
    try:
        return regex.compile(pattern, regex.IGNORECASE | regex.VERSION1, cache_pattern=False)
    finally:
        regex.purge()  # it still keeps the text of each pattern that it has seen


def _normalized(line: str) -> str:
    """What to look for: a word or phrase with a space around it, or symbols as they are."""
    folded = _casefolded(_strip_invisible(line))
    return _word_boundaries(folded) or folded


def _strip_invisible(text: str) -> str:
    """The text in Unicode's compatible characters, without those that nobody sees, as zero-width spaces."""
    return _IGNORABLE.sub("", unicodedata.normalize("NFKC", text))


def _casefolded(text: str) -> str:
    return unicodedata.normalize("NFKC", text.casefold()).strip()


def _word_boundaries(folded: str) -> str:
    """The words of a text with one space around each; empty where it has none."""
    words = _NON_WORD.sub(" ", folded).strip()
    return f" {words} " if words else ""
