"""The prompt in its message: shown literally, without live markdown or mentions."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.discord.views import job_embed
from bot.domain.job import RECOVERABLE_ERRORS, Job, JobStatus
from bot.media.images import FittedImage
from bot.models.catalogue import Catalogue
from tests.factories import make_job

CATALOGUE = Catalogue.load()
AT = datetime(2026, 10, 7, 13, 20, tzinfo=UTC)
DESCRIPTION, ALT_TEXT = 4096, 1024  # Discord's limits
PNG = FittedImage(Path("1.png"), 9_000)


def job(**changes: Any) -> Job:
    return make_job(interaction_at=AT, created_at=AT, **changes)


def said(job: Job) -> list[str]:
    """Return the lines of the message; the prompt's are bold."""
    description = job_embed.embed(job, CATALOGUE).description
    assert description is not None
    assert len(description) <= DESCRIPTION
    return description.split("\n")


def notes(job: Job, *fitted: FittedImage) -> list[str]:
    text = job_embed.embed(job, CATALOGUE, fitted=fitted).footer.text
    return text.split("\n") if text else []


def shown_lines(prompt: str) -> list[str]:
    return [line[2:-2] for line in said(job(input={"prompt": prompt})) if line.startswith("**")]


def plain(line: str) -> str:
    """Return the text that a person reads: Discord drops a backslash before punctuation."""
    return re.sub(r"\\([^0-9A-Za-z\s])", r"\1", line)


def obeyed(line: str) -> str:
    """Return the live markdown of a line; an escaped character is like a letter."""
    live = re.sub(r"\\[^0-9A-Za-z\s]", "x", line)
    found = re.findall(r"[*_~|`<]|\w://|\]\(|^\s*(?:#{1,3}|-#|-)\s|^>(?:>>)?\s", live)
    return "".join(found)


PROMPTS = [
    "<@1> <@!1> <@&1> <#1> @everyone @here",
    "<t:0:R> </cmd:1> <:fox:1> <a:fox:1> <id:home>",
    "**bold** *it* __under__ ~~gone~~ ||spoiler|| `code`",
    "```py\nprint(1)\n```",
    "[click](https://evil.example) [click](<https://evil.example>)",
    "[**bold** ||spoiler|| `code`](https://evil.example)",
    "# Big\n## Less\n### Small\n-# Tiny",
    "- one\n* two\n  - three",
    "a\n\n- a list after a blank line",
    "   - a list after blanks",
    "> a quote\n>>> all that follows",
    "a\r# Big after a carriage return",
    "a\u2028# Big after a line separator",
    "a\u0085- a list after a next line",
    "a\x0b# Big after a vertical tab",
    "\\*not escaped twice\\*, \\\\ two, \\",
    "snake_case_name and C:\\path\\_x",
    "https://a_b.example/x_y_z and <https://a.example>",
    "HTTPS://a.example steam://run/1 discord://-/settings",
    "__init__ of a `class` <",
]


class TestPrompt:
    @pytest.mark.parametrize("prompt", PROMPTS)
    def test_is_shown_literally(self, prompt: str) -> None:
        assert [plain(line) for line in shown_lines(prompt)] == list(filter(None, prompt.splitlines()))

    @pytest.mark.parametrize("prompt", PROMPTS)
    def test_markdown_and_mentions_are_inert(self, prompt: str) -> None:
        assert [obeyed(line) for line in shown_lines(prompt)] == [""] * len(
            list(filter(None, prompt.splitlines()))
        )

    @given(st.text("ab *_~|`<>@#-[]()\\:/!\n\r\u2028", max_size=40).map(lambda text: f"x{text}x"))
    def test_stays_bold(self, prompt: str) -> None:
        lines = said(job(input={"prompt": prompt}))[1:-1]
        assert all(line.startswith("**") and line.endswith("**") for line in lines)
        assert [plain(line[2:-2]) for line in lines] == [line for line in prompt.splitlines() if line.strip()]
        assert [obeyed(line[2:-2]) for line in lines] == [""] * len(lines)

    @pytest.mark.parametrize(
        "prompt",
        [
            "*" * 32_000,
            "<\n" * 16_000,
            "\n" * 5_000,
            "](" * 16_000,
            "```\n" * 8_000,
            "a" * 32_000,
            "é🦊" * 16_000,
        ],
    )
    def test_any_length_fits(self, prompt: str) -> None:
        for error in RECOVERABLE_ERRORS:
            values = {"reference": "7F3K2"}
            failure = job(status=JobStatus.FAILED, error=error, error_values=values, input={"prompt": prompt})
            assert len(said(failure)) > 1

    def test_long_prompt_is_truncated_at_a_word_and_attached(self) -> None:
        words = " ".join(f"word{number}" for number in range(1000))
        ((shown),) = shown_lines(words)
        assert shown.endswith("…")
        assert words.startswith(shown.removesuffix("…") + " ")
        assert 240 < len(shown) <= 300
        long = job(status=JobStatus.SUCCEEDED, input={"prompt": words})
        assert job_embed.is_prompt_truncated(long)
        assert notes(long, PNG) == ["The full prompt is in prompt.txt."]

    def test_short_prompt_is_complete(self) -> None:
        short = job(status=JobStatus.SUCCEEDED, input={"prompt": "x" * 300})
        assert shown_lines("x" * 300) == ["x" * 300]
        assert not job_embed.is_prompt_truncated(short)
        assert notes(short, PNG) == []

    @pytest.mark.parametrize("prompt", ["猫 " + "雪の中の猫" * 600, " " + "a" * 3000, "a fox\n" + "b" * 3000])
    def test_prompt_without_spaces_is_not_truncated_to_nothing(self, prompt: str) -> None:
        assert sum(map(len, shown_lines(prompt))) > 240
        assert len(job_embed.alt_text(job(input={"prompt": prompt}), 1, 1)) > 500

    @pytest.mark.parametrize("changes", [{"seed": 1}, {"prompt": " \n "}])
    def test_missing_prompt_is_an_empty_line(self, changes: dict[str, Any]) -> None:
        assert said(job(input=changes))[1] == ""


class TestAltText:
    def test_is_the_prompt(self) -> None:
        assert job_embed.alt_text(job(input={"prompt": "a *fox* <@1>"}), 1, 1) == "a *fox* <@1>"
        assert job_embed.alt_text(job(input={"prompt": "x" * ALT_TEXT}), 1, 1) == "x" * ALT_TEXT

    def test_numbers_several_images(self) -> None:
        assert job_embed.alt_text(job(input={"prompt": "a fox"}), 2, 4) == "a fox (2 of 4)"
        assert job_embed.alt_text(job(input={"prompt": "лиса"}, locale="ru"), 2, 4) == "лиса (2 из 4)"

    @given(st.text(st.characters(codec="utf-8"), max_size=50), st.integers(1, 200))
    def test_fits_discords_limit(self, text: str, times: int) -> None:
        for count, place in ((1, ""), (4, " (2 of 4)")):
            alt_text = job_embed.alt_text(job(input={"prompt": text * times}), 2, count)
            assert len(alt_text) <= ALT_TEXT
            assert alt_text.endswith(place)
            assert (text * times).startswith(alt_text.removesuffix(place).removesuffix("…"))


class TestFileName:
    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"input": {"prompt": "A fox, in the SNOW!", "seed": 7}}, "a-fox-in-the-snow-7-2.png"),
            ({"input": {"prompt": "Café à Zürich"}}, "cafe-a-zurich-2.png"),
            ({"input": {"prompt": "word " * 30}}, f"{'-'.join(['word'] * 8)}-2.png"),
            ({"input": {"prompt": "x" * 60, "seed": 0}}, f"{'x' * 40}-0-2.png"),
            ({"input": {"prompt": "лиса в снегу", "seed": 7}}, "image-7-2.png"),
            ({"input": {"prompt": "../../etc/passwd"}}, "etc-passwd-2.png"),
            ({"input": {"prompt": "a secret", "seed": 7}, "is_private": True}, "image-7-2.png"),
        ],
    )
    def test_says_prompt_seed_and_number(self, changes: dict[str, Any], expected: str) -> None:
        assert job_embed.file_name(job(**changes), 2, ".png") == expected

    def test_has_nothing_of_a_hidden_prompt(self) -> None:
        hidden = job_embed.with_hidden_prompt(job(input={"prompt": "unheard", "seed": 7}))
        assert job_embed.file_name(hidden, 1, ".webp") == "image-7-1.webp"
