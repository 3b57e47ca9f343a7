"""The report of the first run: a plain table without secrets, to be pasted into an issue."""

from __future__ import annotations

import re
import sys
import textwrap
from collections import Counter
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote

from bot.log import escape_control

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Result = Literal["same", "different", "note", "skipped"]

_WIDTHS: Final = (9, 24, 32, 46)  # a line of a code block in an issue
_READ_MAX, _TEXT_MAX = 2000, 400
_PART = 8  # services that reject a token can quote its beginning or its end
_URL = re.compile(r"(https?://)(?:[^\s/@\"'<>]*@)?([\w.:\[\]-]+)[^\s\"'<>]*", re.IGNORECASE)
_EMAIL = re.compile(r"[^\s@\"'<>]+@[\w.-]+")
# UUIDs, Discord's ids, and opaque words such as those in the paths of RunComfy's files.
_ID = re.compile(
    r"(?<!\w)(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{17,20}"
    r"|(?=[\w-]*\d)(?=[\w-]*[a-z])(?=[\w-]*[A-Z])[\w-]{20,}=*|(?=[^\W\d]*\d)\w{16,}=*)(?!\w)"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One question: what the bot expects, and what was seen."""

    result: Result
    question: str
    expected: str
    seen: str


@dataclass(slots=True)
class Report:
    """Collects rows. Their texts can quote responses; everything that identifies an account is hidden."""

    secrets: list[str]
    rows: list[Row] = field(default_factory=list)

    def compare(self, question: str, expected: str, seen: str, *, is_same: bool | None = None) -> None:
        """Add a question with an expected answer; the texts decide unless `is_same` does."""
        is_same = expected == seen if is_same is None else is_same
        self._add("same" if is_same else "different", question, expected, seen)

    def note(self, question: str, seen: str, expected: str = "-") -> None:
        """Add a question whose answer the bot does not depend on."""
        self._add("note", question, expected, seen)

    def skip(self, question: str, reason: str) -> None:
        """Add a question that was not asked."""
        self._add("skipped", question, "", reason)

    def hide(self, secret: str) -> None:
        """Hide a text in all rows that follow, unless it is too short to be unique."""
        if len(secret) >= _PART:
            self.secrets.append(secret)

    def _add(self, result: Result, question: str, expected: str, seen: str) -> None:
        self.rows.append(Row(result, *(self.clean(text) for text in (question, expected, seen))))

    @property
    def has_differences(self) -> bool:
        """Whether any answer differs from what the bot expects."""
        return any(row.result == "different" for row in self.rows)

    def clean(self, text: str) -> str:
        """Hide tokens (also in parts), paths of URLs, ids and e-mail addresses; bound and escape the rest."""
        text = _hide(
            text[:_READ_MAX], [form for secret in self.secrets for form in (secret, quote(secret, safe=""))]
        )
        text = _ID.sub("<id>", _EMAIL.sub("<e-mail>", _URL.sub(r"\1\2/...", text)))
        if len(text) > _TEXT_MAX:
            text = text[: _TEXT_MAX - 3] + "..."
        return escape_control(text).replace("`", "'")  # three of them would end the code block

    def lines(self) -> Iterator[str]:
        """Yield the lines of the table, with the counts above it."""
        counts = Counter(row.result for row in self.rows)
        yield f"{counts['same']} same, {counts['different']} different"
        yield ""
        yield from _cells("result", "question", "expected", "seen")
        yield from _cells(*("-" * width for width in _WIDTHS))
        for row in self.rows:
            yield from _cells(row.result, row.question, row.expected, row.seen)


def say(text: str) -> None:
    """Print progress to stderr, so that stdout has the report alone."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 (output)


def _hide(text: str, secrets: Iterable[str]) -> str:
    """Replace each run of characters that also occurs in a secret by `***`, if it has at least eight."""
    lowered, is_hidden = text.lower(), [False] * len(text)
    for secret in map(str.lower, secrets):
        size = min(_PART, len(secret))
        parts = {secret[start : start + size] for start in range(len(secret) - size + 1)}
        for start in range(len(text) - size + 1):
            if lowered[start : start + size] in parts:
                is_hidden[start : start + size] = [True] * size
    marked = "".join("\0" if hidden else char for char, hidden in zip(text, is_hidden, strict=True))
    return re.sub("\0+", "***", marked)


def _cells(*texts: str) -> Iterator[str]:
    columns = [
        textwrap.wrap(text, width, break_on_hyphens=False) for text, width in zip(texts, _WIDTHS, strict=True)
    ]
    for cells in zip_longest(*columns, fillvalue=""):
        padded = (cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True))
        yield "  ".join(padded).rstrip()
