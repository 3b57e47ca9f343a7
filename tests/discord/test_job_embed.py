"""How a job is rendered: status, options, notes, buttons and lists."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import discord
import pytest

from bot.discord.markdown import with_timestamps
from bot.discord.views import job_embed
from bot.discord.views.job_buttons import MAX_LISTED
from bot.domain.job import RECOVERABLE_ERRORS, InputFile, Job, JobStatus
from bot.domain.quota import Period
from bot.errors import BotError, OperatorError, ServiceError
from bot.i18n import translate
from bot.jobs.ports import Progress
from bot.media.images import FittedImage, WebpCopy
from bot.models.catalogue import Catalogue, Model
from bot.models.model import ModelTexts
from bot.models.pricing import Prices
from bot.models.schema import ModelSchema
from tests.factories import MEMBER, make_job

if TYPE_CHECKING:
    from collections.abc import Iterator

CATALOGUE = Catalogue.load()
AT = datetime(2026, 10, 7, 13, 20, tzinfo=UTC)
STAMP = f"<t:{int(AT.timestamp())}:R>"
DESCRIPTION, FOOTER, ALT_TEXT = 4096, 2048, 1024  # Discord's limits
PNG = FittedImage(Path("1.png"), 9_000)
SMALLER = FittedImage(Path("2.webp"), 9_437_184, WebpCopy(4096, 2304, "png", 22_020_096))


def job(**changes: Any) -> Job:
    values: dict[str, Any] = {
        "interaction_at": AT,
        "created_at": AT,
        "started_at": AT,
        "request_id": "request-secret",
    }
    return make_job(**values | changes)


def said(job: Job, *, place: int | None = None, fitted: tuple[FittedImage, ...] = ()) -> list[str]:
    """Return the lines of the message."""
    shown = job_embed.embed(job, CATALOGUE, Progress(place), fitted=fitted)
    assert shown.description is not None
    assert len(shown.description) <= DESCRIPTION
    assert len(shown.footer.text or "") <= FOOTER
    return shown.description.split("\n")


def notes(job: Job, *fitted: FittedImage) -> list[str]:
    text = job_embed.embed(job, CATALOGUE, fitted=fitted).footer.text
    return text.split("\n") if text else []


class TestStatus:
    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"status": "waiting"}, translate("status-waiting", "en-US", since=STAMP)),
            ({"status": "submitting"}, translate("status-waiting", "en-US", since=STAMP)),
            ({"status": "in_queue"}, translate("status-in-queue", "en-US", since=STAMP, place=3)),
            ({"status": "in_progress"}, translate("status-generating", "en-US", since=STAMP)),
            (
                {"status": "succeeded", "ended_at": AT + timedelta(seconds=14.4)},
                "**a fox in the snow**",
            ),
            (
                {"status": "succeeded", "ended_at": AT + timedelta(days=1), "refunded": 1},
                "**a fox in the snow**",
            ),
            (
                {"status": "cancelled", "cancelled_by": 5},
                translate("status-canceled", "en-US", by="<@5>"),
            ),
            ({"status": "cancelled"}, translate("status-canceled", "en-US", by="none")),
        ],
    )
    def test_is_the_first_line(self, changes: dict[str, Any], expected: str) -> None:
        changes["status"] = JobStatus(changes["status"])
        fitted = (PNG,) if changes["status"] is JobStatus.SUCCEEDED else ()
        place = 3 if changes["status"] is JobStatus.IN_QUEUE else None
        assert said(job(**changes), place=place, fitted=fitted)[0] == expected

    def test_shows_the_position_in_the_bots_queue(self) -> None:
        expected = translate("status-in-queue", "en-US", since=STAMP, place=2)
        assert said(job(status=JobStatus.WAITING), place=2)[0] == expected

    @pytest.mark.parametrize(
        ("seconds", "said"),
        [
            (0.2, "1 s"),
            (13.6, "14 s"),
            (20.1, "25 s"),
            (60, "60 s"),
            (61, "70 s"),
            (119, "120 s"),
            (121, "3 min"),
            (300, "5 min"),
        ],
    )
    def test_shows_the_typical_duration_if_known(self, seconds: float, said: str) -> None:
        running = job(status=JobStatus.IN_PROGRESS)
        shown = job_embed.embed(running, CATALOGUE, Progress(typical_seconds=seconds)).description or ""
        assert shown.startswith(f"🎨 Generating · started {STAMP} (usually about {said})\n")

    def test_has_its_own_color(self) -> None:
        failure = {"error": "unexpected", "error_values": {"reference": "7F3K2"}}
        colours = [job_embed.embed(job(status=status, **failure), CATALOGUE).colour for status in JobStatus]
        waiting = discord.Colour.blurple()
        assert colours[:3] == [waiting] * 3
        assert len({str(colour) for colour in colours}) == 5

    @pytest.mark.parametrize("refunded", [0, 1, 2])
    def test_failure_says_if_nothing_was_charged(self, refunded: int) -> None:
        failure = job(status=JobStatus.FAILED, error="generation-failed", image_count=2, refunded=refunded)
        line = said(failure)[0]
        assert translate("generation-failed", "en-US") in line
        assert (translate("not-charged", "en-US") in line) == (refunded == 2)

    def test_failure_shows_values_and_timestamps(self) -> None:
        failure = job(status=JobStatus.FAILED, error="unexpected", error_values={"reference": "7F3K2"})
        assert "7F3K2" in said(failure)[0]
        assert with_timestamps({"resets": 1_795_000_000, "left": 5}) == {
            "resets": "<t:1795000000:R>",
            "left": 5,
        }

    def test_every_failure_has_a_text(self) -> None:
        failures = [*_leaves(ServiceError), *_leaves(OperatorError)]
        for key in {failure.key for failure in failures} | RECOVERABLE_ERRORS:
            values = {"reference": "7F3K2"} if key == "unexpected" else {}
            assert said(job(status=JobStatus.FAILED, error=key, error_values=values))[0].startswith("⚠️ ")

    def test_uses_the_requesters_language(self) -> None:
        assert said(job(locale="en-GB")) == said(job(locale="en-US")) == said(job(locale="xx"))

    def test_is_deterministic(self) -> None:
        for status in (JobStatus.IN_QUEUE, JobStatus.IN_PROGRESS):
            shown = said(job(status=status, started_at=None))
            stamps = re.findall(r"<t:(\d+):R>", shown[0])
            assert [int(stamp) for stamp in stamps] == [int(AT.timestamp())]


def test_hidden_prompt_appears_nowhere() -> None:
    ended = job(status=JobStatus.FAILED, error="generation-failed", refunded=1, input={"prompt": "unheard"})
    shown = job_embed.with_hidden_prompt(ended)
    assert not job_embed.is_prompt_hidden(ended)
    assert job_embed.is_prompt_hidden(shown)
    assert said(shown)[0] == said(ended)[0]
    assert "unheard" not in f"{job_embed.embed(shown, CATALOGUE).to_dict()} {job_embed.alt_text(shown, 1, 1)}"


@pytest.mark.parametrize(
    ("preset", "locale", "words"),
    [
        ("vary-subtle", "en-US", "Subtle variation"),
        ("vary-strong", "ru", "Сильная вариация"),
        ("upscale", "en-US", "Upscaled to 2K"),
        ("upscale", "ru", "Увеличено до 2K"),
    ],
)
def test_fixed_instruction_is_shown_in_the_readers_words(preset: str, locale: str, words: str) -> None:
    fixed = job(preset=preset, locale=locale, input={"prompt": "unheard", "resolution": "2K"})
    for status in JobStatus:
        assert f"**{words}**" in said(replace(fixed, status=status, error="generation-failed"))
    shown = job_embed.embed(fixed, CATALOGUE).to_dict(), job_embed.file_name(fixed, 1, ".png")
    assert "unheard" not in f"{shown} {job_embed.list_line(1, fixed)}"
    assert job_embed.alt_text(fixed, 1, 1) == words
    assert said(job_embed.with_hidden_prompt(fixed))[1] == f"**{translate('prompt-hidden', locale)}**"


@pytest.mark.parametrize("error", ["prompt-refused", "generation-failed"])
def test_failure_of_a_fixed_instruction_does_not_ask_for_another_prompt(error: str) -> None:
    assert "rompt" not in said(job(status=JobStatus.FAILED, error=error, preset="upscale"))[0]


def _leaves(parent: type[BotError]) -> Iterator[type[BotError]]:
    for child in parent.__subclasses__():
        yield child
        yield from _leaves(child)


class TestCost:
    @pytest.mark.parametrize(
        ("status", "left", "locale", "expected"),
        [
            ("waiting", 6, "en-US", "3 credits · 6 left today · by"),
            ("in_queue", 0, "en-US", "3 credits · 0 left today · by"),
            ("submitting", None, "en-US", "3 credits · by"),
            ("waiting", "0.5", "ru", "3 кредита · осталось 0,5 на сегодня · от"),
        ],
    )
    def test_is_shown_with_what_is_left_until_generation_starts(
        self, status: str, left: Any, locale: str, expected: str
    ) -> None:
        limit = {} if left is None else {"credits_left": Decimal(left), "credits_left_per": Period.DAY}
        values = {"image_count": 3, "locale": locale, **limit}
        assert expected in said(job(status=JobStatus(status), **values))[-1]
        for later in (JobStatus.IN_PROGRESS, JobStatus.SUCCEEDED, JobStatus.CANCELLED):
            assert expected not in said(job(status=later, **values))[-1]


class TestOptions:
    def last_line(self, locale: str = "en-US", **job_input: Any) -> str:
        count = job_input.get("num_images", 1)
        values = {"prompt": "a fox", **job_input}
        running = job(input=values, image_count=count, locale=locale, status=JobStatus.IN_PROGRESS)
        return said(running)[-1]

    def test_non_defaults_are_shown_by_value(self) -> None:
        line = self.last_line(
            num_images=2, seed=2147483647, aspect_ratio="16:9", resolution="1K", output_format="webp",
            safety_tolerance=6, limit_generations=True, enable_web_search=True,
        )  # fmt: skip
        assert line == (
            "16:9 · 1K · webp · Safety tolerance: 6 · Web search: on · seed 2147483647 · 2 images"
            f" · by <@{MEMBER}>"
        )

    @pytest.mark.parametrize(
        ("pictures", "locale", "expected"),
        [
            (1, "en-US", "from 1 picture"),
            (10, "en-US", "from 10 pictures"),
            (1, "ru", "из 1 изображения"),
            (2, "ru", "из 2 изображений"),
            (21, "ru", "из 21 изображения"),
        ],
    )
    def test_pictures_that_go_in_are_counted(self, pictures: int, locale: str, expected: str) -> None:
        files = (InputFile(option="image_urls"),) * pictures
        assert f" · {expected} · " in said(job(input_files=files, locale=locale))[-1]
        assert expected not in str(said(job(status=JobStatus.SUCCEEDED, input_files=files, locale=locale)))

    def test_are_named_in_the_requesters_language(self) -> None:
        line = self.last_line("ru", aspect_ratio="16:9", safety_tolerance=6, enable_web_search=True, seed=8)
        assert line == f"16:9 · Допуск безопасности: 6 · Поиск в интернете: да · сид 8 · от <@{MEMBER}>"

    @pytest.mark.parametrize(("locale", "by", "took"), [("en-US", "by", "14 s"), ("ru", "от", "14 с")])
    def test_finished_images_have_one_small_line(self, locale: str, by: str, took: str) -> None:
        job_input = {
            "prompt": "a fox",
            "aspect_ratio": "16:9",
            "resolution": "2K",
            "seed": 8,
            "num_images": 2,
        }
        ended_at = AT + timedelta(seconds=14.4)
        done = job(
            status=JobStatus.SUCCEEDED, input=job_input, image_count=2, ended_at=ended_at, locale=locale
        )
        seed = translate("seed", locale, seed="8")
        lines = [f"-# ✅ 16:9 · 2K · {took} · {seed} · {by} <@{MEMBER}>"]
        assert said(done, fitted=(PNG, PNG)) == ["**a fox**", *lines]
        late = replace(done, refunded=1, ended_at=AT + timedelta(days=1))
        assert translate("status-collected", locale) in said(late, fitted=(PNG, PNG))[1]

    def test_defaults_are_not_shown(self) -> None:
        assert self.last_line(num_images=1, aspect_ratio="auto") == f"by <@{MEMBER}>"

    def test_options_of_a_removed_model_are_not_shown(self) -> None:
        shown = job_embed.embed(
            job(model_id="gone/model", input={"prompt": "a fox", "seed": 1, "x": 2}), CATALOGUE
        )
        assert str(shown.description).endswith(f"\n**a fox**\nseed 1 · 1 credit · by <@{MEMBER}>")

    def test_free_text_is_escaped_and_truncated(self) -> None:
        schema = ModelSchema.parse(
            {
                "required": ["prompt"],
                "properties": {"prompt": {"type": "string"}, "negative_prompt": {"type": "string"}},
            }
        )
        model = Model(
            command="sketch",
            model_id="acme/sketch",
            texts={"en-US": ModelTexts(description="Sketch")},
            schema=schema,
            prices=Prices({}),
            output_schema={},
        )
        words = "**no** <t:0:R> " * 400
        sketch = job(model_id="acme/sketch", input={"prompt": "a fox", "negative_prompt": words})
        description = str(job_embed.embed(sketch, Catalogue({model.model_id: model})).description)
        assert len(description) <= DESCRIPTION
        assert "**no**" not in description
        assert not re.search(r"(?<!\\)<t:0:R>", description)


class TestNotes:
    def test_compressed_image_is_noted_with_both_sizes(self) -> None:
        limit = 10 * 1024 * 1024
        found = notes(job(status=JobStatus.SUCCEEDED, image_count=2, file_limit=limit), PNG, SMALLER)
        allowed = "this server's limit is 10 MB"
        assert found == [
            f"Image 2 was compressed to WebP (4096\u00d72304, 9 MB). The original PNG is 21 MB; {allowed}."
        ]

    def test_missing_images_are_noted(self) -> None:
        done = job(status=JobStatus.SUCCEEDED, image_count=4, refunded=2)
        assert notes(done, PNG, PNG) == ["2 of 4 images arrived. You were refunded for the other 2."]
        done = job(status=JobStatus.SUCCEEDED, image_count=4, refunded=1)
        assert notes(done, PNG, PNG, PNG) == ["3 of 4 images arrived. You were refunded for the other one."]

    @pytest.mark.parametrize("locale", ["en-US", "ru"])
    def test_notes_of_ten_images_fit(self, locale: str) -> None:
        done = job(status=JobStatus.SUCCEEDED, image_count=10, input={"prompt": "word " * 400}, locale=locale)
        assert len(notes(done, *[SMALLER] * 10)) == 11
        assert len("\n".join(notes(done, *[SMALLER] * 10))) <= FOOTER

    def test_are_absent_without_a_reason(self) -> None:
        assert notes(job(status=JobStatus.SUCCEEDED), PNG) == []
        assert job_embed.embed(job(), CATALOGUE).to_dict().get("footer") is None


@pytest.mark.parametrize("locale", ["en-US", "ru"])
@pytest.mark.parametrize("status", [JobStatus.WAITING, JobStatus.IN_PROGRESS, JobStatus.FAILED])
def test_list_of_the_longest_prompts_fits(locale: str, status: JobStatus) -> None:
    changes = {"status": status, "locale": locale, "error": "output-unavailable"}
    listed = job(input={"prompt": "*" * 6000}, message_id=10**18, **changes)
    lines = [job_embed.list_line(number, listed) for number in range(1, MAX_LISTED + 1)]
    assert len("\n".join(lines)) <= DESCRIPTION


@pytest.mark.parametrize("status", JobStatus)
def test_no_internals_are_shown(status: JobStatus) -> None:
    shown = job(
        status=status, error="unexpected", error_values={"reference": "7F3K2"}, message_id=123_456_789
    )
    fitted = FittedImage(Path("/srv/files/fd/1.webp"), 1, WebpCopy(1, 1, "png", 2_000_000))
    text = str(job_embed.embed(shown, CATALOGUE, fitted=[fitted]).to_dict())
    hidden = ["http", "runcomfy.", "request-secret", str(shown.token), shown.model_id, "123456789", "/srv"]
    assert [word for word in hidden if word in text.lower()] == []


_PROMISES = r"free|refund|given back|charged|бесплатн|возвращ|списан"
"""Words that must not describe images that are charged and wait to be collected."""


@pytest.mark.parametrize("locale", ["en-US", "ru"])
@pytest.mark.parametrize("error", sorted(RECOVERABLE_ERRORS))
def test_collectable_images_are_never_called_free(error: str, locale: str) -> None:
    failure = job(
        status=JobStatus.FAILED,
        error=error,
        error_values={"reference": "7F3K2"},
        request_id="request",
        image_count=2,
        locale=locale,
        uncollected_since=AT,
    )
    collected = replace(failure, status=JobStatus.IN_PROGRESS, error=None)
    part = replace(failure, status=JobStatus.SUCCEEDED)
    shown = [
        str(job_embed.embed(failure, CATALOGUE).description),
        str(job_embed.embed(collected, CATALOGUE).description),
        job_embed.list_line(1, failure),
        *notes(part, PNG),
    ]
    assert [text for text in shown if re.search(_PROMISES, text, re.IGNORECASE)] == []


def test_partial_delivery_shows_collectable_and_missing_images() -> None:
    part = job(
        status=JobStatus.SUCCEEDED, error="output-unavailable", request_id="request", image_count=4, made=3
    )
    assert notes(part, PNG) == [
        "1 of 4 images arrived. Press Get images for 2 more.",
        "1 image couldn't be generated, and you were refunded for it.",
    ]
    assert notes(replace(part, made=None), PNG, PNG, PNG) == [
        "3 of 4 images arrived. Press Get images for 1 more."
    ]
