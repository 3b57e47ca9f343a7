"""The embed of Who made this."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from bot.domain.job import JobStatus
from bot.models.catalogue import Catalogue
from cogs.moderation.job_info import job_info_embed
from tests.factories import CHANNEL, GUILD, MEMBER, make_job

CATALOGUE = Catalogue.load()
AT = datetime(2026, 10, 7, 13, 20, tzinfo=UTC)
SECONDS = int(AT.timestamp())
DONE = make_job(status=JobStatus.SUCCEEDED, created_at=AT)


def test_shows_requester_time_and_options() -> None:
    job = make_job(
        created_at=AT,
        image_count=2,
        credits_each=Decimal("1.5"),
        input={"prompt": "a *fox*", "aspect_ratio": "16:9", "seed": 5},
    )
    lines = str(job_info_embed(job, None, CATALOGUE).description).split("\n")
    assert lines[0] == f"**Requested by <@{MEMBER}> · <t:{SECONDS}:f>**"
    assert lines[1] == r"> a \*fox\*"
    assert lines[2:] == ["16:9 · seed 5 · 2 images · 3 credits"]


def test_shows_the_refunded_part_of_the_price() -> None:
    job = make_job(image_count=4, credits_each=Decimal("1.5"), refunded=2, status=JobStatus.SUCCEEDED)
    assert "6 credits (3 refunded)" in str(job_info_embed(job, None, CATALOGUE).description)


@pytest.mark.parametrize(
    ("message_id", "words"),
    [
        (77, f"[an earlier request](https://discord.com/channels/{GUILD}/{CHANNEL}/77)"),
        (None, "an earlier request that was deleted"),
    ],
)
def test_links_to_the_repeated_job(message_id: int | None, words: str) -> None:
    text = str(job_info_embed(DONE, make_job(message_id=message_id), CATALOGUE).description)
    assert text.endswith(f"\nBased on {words}")


def test_shows_a_pending_deletion() -> None:
    job = make_job(status=JobStatus.SUCCEEDED, deleted_at=AT, deleted_by=5)
    assert f"Deleted by <@5> · <t:{SECONDS}:R>" in str(job_info_embed(job, None, CATALOGUE).description)


def test_uses_the_readers_language() -> None:
    text = str(job_info_embed(make_job(locale="ru"), make_job(), CATALOGUE).description)
    assert "Запрос участника" in text
    assert "прежнего запроса" in text


def test_fits_in_an_embed() -> None:
    words = "**no** <t:0:R> " * 2000
    shown = job_info_embed(make_job(input={"prompt": words, "system_prompt": words}), make_job(), CATALOGUE)
    assert len(str(shown.description)) <= 4096
