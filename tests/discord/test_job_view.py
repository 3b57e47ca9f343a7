"""Which buttons a job has, and what they say."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from bot.discord.views.job_buttons import JobAction
from bot.discord.views.job_view import build_view, rows
from bot.domain.guild_settings import GuildSettings
from bot.domain.job import Job, JobStatus
from bot.models.catalogue import Catalogue
from tests.factories import make_job

if TYPE_CHECKING:
    from collections.abc import Sequence

CATALOGUE = Catalogue.load(named=["google/nano-banana-2/text-to-image"])  # no model edits its images
AGAIN = ["Re-roll", "Remix"]
MIB = 1024 * 1024


def job(status: str = "succeeded", **changes: Any) -> Job:
    return make_job(**{"status": JobStatus(status), "request_id": "request-secret", **changes})


def shown(
    job: Job, settings: GuildSettings | None = None, originals: Sequence[int] = ()
) -> list[list[dict[str, Any]]]:
    """Return the rows of the message's buttons, as Discord gets them."""
    offered = rows(job, CATALOGUE, settings or GuildSettings(), originals)
    payload: list[Any] = build_view(job, offered).to_components()
    found = [row["components"] for row in payload]
    assert len(found) <= 2
    assert all(1 <= len(row) <= 5 for row in found)
    custom_ids = [each["custom_id"] for row in found for each in row]
    assert all(re.fullmatch(rf"job:[a-z]+:v1:{job.job_id}", each) for each in custom_ids)
    return found


def labels(job: Job, originals: Sequence[int] = ()) -> list[list[str]]:
    """Return the labels without the prices."""
    found = shown(job, originals=originals)
    return [[each["label"].partition(" · ")[0] for each in row] for row in found]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status": "waiting"}, [["Cancel"]]),
        ({"status": "submitting"}, [["Cancel"]]),
        ({"status": "in_queue"}, [["Cancel"]]),
        ({"status": "in_progress"}, [["Cancel"]]),
        ({"status": "succeeded"}, [AGAIN, ["Info", "Delete"]]),
        (
            {"status": "succeeded", "error": "delivery-failed"},
            [AGAIN, ["Get images", "Info", "Delete"]],
        ),
        ({"status": "succeeded", "model_id": "gone/model"}, [["Info", "Delete"]]),
        ({"status": "cancelled"}, [["Re-roll"]]),
        ({"status": "cancelled", "model_id": "gone/model"}, []),
        ({"status": "failed", "error": "generation-failed"}, [["Retry", "Edit prompt"]]),
        ({"status": "failed", "error": "submission-unknown", "request_id": None}, [["Retry", "Edit prompt"]]),
        ({"status": "failed", "error": "unexpected", "request_id": None}, [["Retry", "Edit prompt"]]),
        ({"status": "failed", "error": "prompt-refused"}, [["Edit prompt"]]),
        ({"status": "failed", "error": "prompt-refused", "preset": "upscale"}, [["Re-roll"]]),
        ({"status": "failed", "error": "generation-failed", "preset": "upscale"}, [["Retry"]]),
        ({"status": "failed", "error": "prompt-refused", "model_id": "gone/model"}, []),
        ({"status": "failed", "error": "output-unavailable"}, [["Get images", "Retry", "Edit prompt"]]),
        ({"status": "failed", "error": "generation-timeout"}, [["Get images", "Retry", "Edit prompt"]]),
        ({"status": "failed", "error": "delivery-failed"}, [["Get images", "Retry", "Edit prompt"]]),
        ({"status": "failed", "error": "delivery-failed", "model_id": "gone/model"}, [["Get images"]]),
        ({"status": "failed", "error": "input-unavailable"}, [["Retry", "Edit prompt"]]),
        ({"status": "failed", "error": "input-gone"}, []),
        ({"status": "failed", "error": "input-too-large"}, []),
        ({"status": "failed", "error": "input-not-a-picture", "preset": "upscale"}, []),
    ],
)
async def test_buttons_match_the_job(changes: dict[str, Any], expected: list[list[str]]) -> None:
    assert labels(job(**changes)) == expected


@pytest.mark.parametrize(
    ("originals", "file_limit", "is_offered"),
    [
        ([], 10 * MIB, False),
        ([10 * MIB], 10 * MIB, True),
        ([10 * MIB + 1], 10 * MIB, False),
        ([20 * MIB, 9 * MIB], 10 * MIB, True),
        ([24 * MIB], 100 * MIB, True),
        ([24 * MIB + 1], 100 * MIB, False),  # Discord takes no larger request
    ],
)
async def test_download_is_offered_if_an_original_fits(
    originals: list[int], file_limit: int, *, is_offered: bool
) -> None:
    more = ["Download"] if is_offered else []
    done = job(file_limit=file_limit)
    assert labels(done, originals)[1] == [*more, "Info", "Delete"]
    partly = job(file_limit=file_limit, error="delivery-failed")
    assert labels(partly, originals)[1] == ["Get images", "Info", "Delete"]  # those come first
    for status in ("waiting", "in_progress", "failed", "cancelled"):
        assert "Download" not in str(labels(job(status, error="unexpected"), [1]))


async def test_hidden_model_makes_no_more_images() -> None:
    done = job()
    catalogue = Catalogue.load(named=[done.model_id])
    catalogue.hidden[done.model_id] = "its schema has changed"
    offered = [each.action for row in rows(done, catalogue, GuildSettings()) for each in row]
    assert offered == [JobAction.INFO, JobAction.DELETE]


@pytest.mark.parametrize("status", JobStatus)
@pytest.mark.parametrize("error", [None, "prompt-refused", "generation-timeout"])
async def test_running_job_has_one_cancel_button(status: JobStatus, error: str | None) -> None:
    found = [each for row in shown(job(status, error=error)) for each in row if "Cancel" in each["label"]]
    assert len(found) == int(not status.is_final)
    assert [part["disabled"] for part in found] in ([], [status is JobStatus.IN_PROGRESS])


@pytest.mark.parametrize(
    ("images", "each", "locale", "price"),
    [
        (1, "1", "en-US", "1 credit"),
        (4, "1", "en-US", "4 credits"),
        (2, "0.75", "en-US", "1.5 credits"),
        (2, "0.75", "ru", "1,5 кредита"),
    ],
)
async def test_buttons_that_charge_show_the_price(images: int, each: str, locale: str, price: str) -> None:
    values: dict[str, Any] = {"image_count": images, "credits_each": Decimal(each), "locale": locale}
    again, free = shown(job(**values))
    assert {each["label"].partition(" · ")[2] for each in again} == {price}
    assert not any(" · " in each["label"] for each in free)
    collect, retry, edit = shown(job("failed", error="output-unavailable", **values))[0]
    assert [each["label"].partition(" · ")[2] for each in (collect, retry, edit)] == ["", price, price]


async def test_labels_in_russian() -> None:
    done = shown(job(locale="ru"))
    said = [each["label"].partition(" · ")[0] for row in done for each in row]
    assert said == ["Ещё вариант", "Ремикс", "Сведения", "Удалить"]


@pytest.mark.parametrize(
    ("resolution", "locale", "expected"),
    [
        ("0.5K", "en-US", ["Edit · 0.75 credits", "Vary · 0.75 credits", "Upscale to 1K · 1 credit"]),
        ("2K", "ru", ["Изменить · 1,5 кредита", "Вариация · 1,5 кредита", "Увеличить до 4K · 2,5 кредита"]),
        ("4K", "en-US", ["Edit · 2.5 credits", "Vary · 2.5 credits"]),
    ],
)
def test_what_a_picture_can_become_has_its_own_price(
    resolution: str, locale: str, expected: list[str]
) -> None:
    """Edits make one image, however many the job made."""
    done = job(input={"prompt": "a fox", "resolution": resolution}, locale=locale, image_count=4)
    offered = rows(done, Catalogue.load(), GuildSettings(), [1])
    again, free = ([offer.action for offer in row] for row in offered)
    assert (len(again) <= 5, len(free)) == (True, 3)
    labels = [each["label"] for each in build_view(done, offered).to_components()[0]["components"]]
    assert labels[2:] == expected
    forbidden = rows(done, Catalogue.load(), GuildSettings(may_use_pictures=False))
    assert len(forbidden[0]) == 2
