"""Forbidden words, phrases and /patterns/: parse what managers write, and search texts for them."""

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

from bot.domain.guild_settings import WORD_MAX, WORDS_MAX, fits_word_limits
from bot.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# Fuzzy matching, such as `(?:fox){e<=1}`: if unbounded, as in `(?r)axß{i,d}|ß`, it exhausts the memory
# within seconds and ignores the timeout.
_FUZZY = re.compile(r"\\N\{[\w -]*\}|\\[pP]\{[\w &=.:^-]*\}|\\.|(\{\s*(?:[eids]|\d+\s*[eids<]))")
# A minimum number of repeats, `{` and a number: `regex` compiles as many copies, multiplied if nested, so
# `a{99999999}` exhausts the memory, too, and ignores the timeout.
_MIN_REPEATS = re.compile(r"\\.|\{([\d\s]+)", re.ASCII)
_MAX_EXPANDED = 40_000  # characters of all of a server's patterns, with the copies
_REGEX_ERRORS = (regex.error, RecursionError, ValueError)  # ValueError for incompatible flags
_MAX_CPU_SECONDS = 0.1  # for all patterns and texts of a job together
_IGNORABLE = regex.compile(r"\p{Default_Ignorable_Code_Point}|\p{Cf}", cache_pattern=False)
_NON_WORD = regex.compile(r"\W+", cache_pattern=False)


class _CompiledPatterns:
    """An LRU cache bounded in bytes: a pattern of 30 characters can compile to 50 MB.

    The library's own cache counts patterns, not bytes.
    """

    _MAX_BYTES = 16_000_000  # by `sys.getsizeof`; the process grows by up to twice as much

    def __init__(self) -> None:
        self._cache: OrderedDict[str, tuple[regex.Pattern[str], int]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, source: str) -> regex.Pattern[str]:
        """Return the compiled pattern, cached if it is small enough; raise `_REGEX_ERRORS` if it is none."""
        with self._lock:  # also while compiling, which briefly needs up to 90 MB
            if source in self._cache:
                self._cache.move_to_end(source)
                return self._cache[source][0]
            compiled = _compile(source)
            size = sys.getsizeof(compiled)
            if size <= self._MAX_BYTES:
                self._cache[source] = (compiled, size)
                self._bytes += size
            while self._bytes > self._MAX_BYTES:
                self._bytes -= self._cache.popitem(last=False)[1][1]
            return compiled

    def clear(self) -> None:
        """Free all cached patterns."""
        with self._lock:
            self._cache.clear()
            self._bytes = 0


_patterns = _CompiledPatterns()
# Two jobs at once: a server's patterns can need 90 MB while in use, for at most half a second per job.
_executor = ThreadPoolExecutor(2, thread_name_prefix="words")


def parse_words(text: str) -> tuple[str, ...]:
    """Parse one word, phrase or /pattern/ per line; empty lines and duplicates are dropped.

    Raises:
        PolicyError: `too-many-words` or `bad-pattern`.
    """
    lines = {number: line.strip() for number, line in enumerate(text.splitlines(), 1) if line.strip()}
    words = tuple(dict.fromkeys(lines.values()))
    if not fits_word_limits(words):
        raise PolicyError("too-many-words", most=WORDS_MAX, longest=WORD_MAX)
    _patterns.clear()  # frees removed patterns; the others are compiled again
    copies = 0
    for number, line in lines.items():
        pattern = _pattern(line)
        copies += _expanded_size(pattern or "")
        try:
            is_valid = bool(_normalized(line) if pattern is None else pattern and _patterns.get(pattern))
        except _REGEX_ERRORS:
            is_valid = False
        if copies > _MAX_EXPANDED or not is_valid:
            raise PolicyError("bad-pattern", line=number)
    return words


async def contains_forbidden(words: Sequence[str], texts: Iterable[str]) -> bool:
    """Return whether one of the texts contains one of the words.

    Words and phrases match whole, regardless of case, spacing and punctuation; a pattern matches anywhere.
    Texts are normalized first (NFKC, without invisible characters), so that full-width letters hide nothing.

    Raises:
        PolicyError: The patterns took too long for this text (`pattern-too-slow`).
    """
    # In a thread, because `regex` releases the GIL while it searches: slow patterns don't block the loop.
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_executor, _contains_forbidden, tuple(words), tuple(texts))


def _contains_forbidden(words: tuple[str, ...], texts: tuple[str, ...]) -> bool:
    plain = [_normalized(word) for word in words if _pattern(word) is None]
    patterns = list(_compiled_patterns(words))
    began = time.thread_time()
    for text in texts:
        seen = _strip_invisible(text)
        folded = _casefolded(seen)
        haystack = f"{_word_boundaries(folded)}\n{folded}"  # the second for words that are only symbols
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
    # Without those that this version of the library can no longer compile.
    for source in map(_pattern, words):
        if source is not None:
            with suppress(*_REGEX_ERRORS):
                yield _patterns.get(source)


def _pattern(line: str) -> str | None:
    return line[1:-1] if len(line) > 1 and line.startswith("/") and line.endswith("/") else None


def _expanded_size(pattern: str) -> int:
    """Return the maximum length of a pattern with its repeats copied, as if all were nested."""
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
        regex.purge()  # it caches the text of each pattern regardless


def _normalized(line: str) -> str:
    """Return a word or phrase between spaces, or symbols as they are."""
    folded = _casefolded(_strip_invisible(line))
    return _word_boundaries(folded) or folded


def _strip_invisible(text: str) -> str:
    """Normalize to NFKC, without characters that are not drawn, such as zero-width spaces."""
    return _IGNORABLE.sub("", unicodedata.normalize("NFKC", text))


def _casefolded(text: str) -> str:
    return unicodedata.normalize("NFKC", text.casefold()).strip()


def _word_boundaries(folded: str) -> str:
    """Return the text's words with one space around each, or "" if it has none."""
    words = _NON_WORD.sub(" ", folded).strip()
    return f" {words} " if words else ""
