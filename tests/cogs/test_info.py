"""The embed of Info and Who made this."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.domain.job import InputFile, Job, JobStatus
from bot.media.kept import Original
from bot.models.catalogue import Catalogue
from bot.models.model import Model, ModelTexts
from bot.models.pricing import Prices
from bot.models.schema import ModelSchema
from cogs.info.rendering import info_embed
from tests.factories import CHANNEL, GUILD, MEMBER, MODEL_ID, make_job

if TYPE_CHECKING:
    from collections.abc import Sequence

CATALOGUE = Catalogue.load()
AT = datetime(2026, 10, 7, 13, 20, tzinfo=UTC)
SECONDS = int(AT.timestamp())
DONE = make_job(status=JobStatus.SUCCEEDED, created_at=AT)


def shown(
    job: Job, parent: Job | None = None, originals: Sequence[Original] = ()
) -> tuple[str, dict[str, str]]:
    """Return the description and the fields."""
    embed = info_embed(job, parent, CATALOGUE, originals, has_prompt=True)
    assert len(embed) <= 6000
    assert len(str(embed.description)) <= 4096
    assert all(len(str(field.value)) <= 1024 for field in embed.fields)
    return str(embed.description), {str(field.name): str(field.value) for field in embed.fields}


def test_shows_everything_about_a_request() -> None:
    values = {
        "prompt": "a *fox*",
        "num_images": 2,
        "seed": 5,
        "resolution": "0.5K",
        "enable_web_search": True,
    }
    job = make_job(
        status=JobStatus.SUCCEEDED,
        created_at=AT,
        started_at=AT + timedelta(seconds=3),
        ended_at=AT + timedelta(seconds=15.4),
        image_count=2,
        credits_each=Decimal("1.5"),
        input=values,
        input_files=(InputFile(option="images", name="input-1.png"),),
    )
    originals = [
        Original(1, Path("1.png"), 22_020_096, AT),
        Original(2, Path("2.jpg"), 5_000, AT + timedelta(days=1)),
    ]
    description, fields = shown(job, None, originals)
    assert description == f"**Requested by <@{MEMBER}> · <t:{SECONDS}:f>**\n> a \\*fox\\*"
    assert fields == {
        "Options": "Number of images: 2 · Seed: 5 · Resolution: 0.5K · Web search: on",
        "Model": MODEL_ID,
        "Cost": "3 credits",
        "Time": "3 s in queue, 12 s generating, 15 s in total",
        "Pictures used": "1",
        "Originals": f"PNG, 21 MB · JPEG, 0.1 MB\nkept until <t:{SECONDS}:f>",
    }


def test_in_russian() -> None:
    values = {"prompt": "a fox", "aspect_ratio": "16:9", "resolution": "0.5K", "enable_web_search": False}
    job = make_job(locale="ru", input=values, created_at=AT, ended_at=AT + timedelta(minutes=5))
    description, fields = shown(job, make_job(message_id=77))
    assert "Запрос участника" in description
    assert fields == {
        "Параметры": "Соотношение сторон (Ш:В): 16:9 · Разрешение: 0,5K · Поиск в интернете: нет",
        "Модель": MODEL_ID,
        "Стоимость": "1 кредит",
        "Время": "5 мин",
        "На основе": f"[прежнего запроса](https://discord.com/channels/{GUILD}/{CHANNEL}/77)",
    }


def test_shows_the_refunded_part_of_the_cost() -> None:
    job = make_job(image_count=4, credits_each=Decimal("1.5"), refunded=2, status=JobStatus.SUCCEEDED)
    assert shown(job)[1]["Cost"] == "6 credits (3 refunded)"


@pytest.mark.parametrize(
    ("message_id", "words"),
    [
        (77, f"[an earlier request](https://discord.com/channels/{GUILD}/{CHANNEL}/77)"),
        (None, "an earlier request that was deleted"),
    ],
)
def test_links_to_the_repeated_request(message_id: int | None, words: str) -> None:
    assert shown(DONE, make_job(message_id=message_id))[1]["Based on"] == words


def test_says_what_became_of_the_originals() -> None:
    pending = Original(1, Path("1.webp"), 1_048_576, None)
    assert shown(DONE, None, [pending])[1]["Originals"] == "WEBP, 1 MB"
    assert shown(DONE)[1]["Originals"] == "no longer kept"
    assert "Originals" not in shown(make_job(status=JobStatus.FAILED, error="unexpected"))[1]
    russian = replace(DONE, locale="ru")
    kept = Original(1, Path("1.png"), 1_572_864, AT)
    assert shown(russian, None, [kept])[1]["Оригиналы"] == f"PNG, 1,5 МБ\nхранятся до <t:{SECONDS}:f>"


def test_shows_a_pending_deletion() -> None:
    job = make_job(status=JobStatus.SUCCEEDED, deleted_at=AT, deleted_by=5)
    assert f"Deleted by <@5> · <t:{SECONDS}:R>" in shown(job)[0]


def test_late_images_have_no_duration() -> None:
    late = make_job(status=JobStatus.SUCCEEDED, refunded=1, created_at=AT, ended_at=AT + timedelta(days=1))
    assert shown(late)[1]["Time"] == "collected"


def test_hides_everything_that_was_typed() -> None:
    values = {"prompt": "a secret", "negative_prompt": "another secret", "aspect_ratio": "16:9"}
    sketch = {"type": "string"}
    schema = ModelSchema.parse(
        {
            "required": ["prompt"],
            "properties": {
                "prompt": sketch,
                "negative_prompt": sketch,
                "aspect_ratio": {"type": "string", "enum": ["1:1", "16:9"]},
            },
        }
    )
    texts = {"en-US": ModelTexts(description="x")}
    model = Model(
        command="x", model_id="x/y", texts=texts, schema=schema, prices=Prices({}), output_schema={}
    )
    for model_id, options in (("x/y", "aspect\\_ratio: 16:9"), ("gone/model", None)):
        job = make_job(model_id=model_id, input=values)
        embed = info_embed(job, None, Catalogue({"x/y": model}), [], has_prompt=False)
        assert "secret" not in str(embed.to_dict())
        assert "Only its author can see this prompt" in str(embed.description)
        found = {field.name: field.value for field in embed.fields}
        assert found.get("Options") == options


def test_removed_models_options_have_their_names() -> None:
    job = make_job(model_id="gone/model", input={"prompt": "a fox", "shape": "1:1", "seed": 5})
    assert shown(job)[1]["Options"] == "shape: 1:1 · seed: 5"


def test_fits_in_an_embed() -> None:
    words = "**no** <t:0:R> " * 2000
    many = {f"text{number}": words for number in range(20)}
    shown(make_job(input={"prompt": words, **many}), make_job())
