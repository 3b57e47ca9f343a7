"""Uploads over a slow, stalled or lossy uplink: all images arrive, and none disappears."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from PIL import Image

from bot.discord import connector, image_posting, job_message
from bot.discord.connector import Connector
from bot.discord.delivery import DiscordDelivery
from bot.discord.image_posting import Uplink
from bot.domain.job import Job, JobStatus
from bot.errors import DeliveryError
from bot.media.images import FittedImage
from bot.storage.sqlite import open_database
from playground.discord import LocalDiscord, Message
from tests.bots import make_bot
from tests.discord import job_messages
from tests.factories import make_job
from tests.relay import Relay, relay

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.discord.client import ImagineBot

STALL_SECONDS = 1.0
IMAGES = 4
SIZE = 3 * 400 * 400  # bytes of an image, and a few more


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[LocalDiscord]:
    async with LocalDiscord(tmp_path) as opened:
        yield opened


@pytest.fixture
async def uplink(local: LocalDiscord) -> AsyncIterator[Relay]:
    async with relay(local.port) as opened:
        yield opened


@pytest.fixture
async def bot(local: LocalDiscord, uplink: Relay, tmp_path: Path) -> AsyncIterator[ImagineBot]:
    async with open_database(tmp_path / "bot.db") as database:
        bot = make_bot(database, partial(Connector, **local.route(uplink.port)))
        async with bot:
            await bot.login(local.token)
            yield bot


@pytest.fixture
def delivery(bot: ImagineBot) -> DiscordDelivery:
    return DiscordDelivery(bot)


@pytest.fixture(autouse=True)
def _scale(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turn minutes into seconds, and make the first group one image."""
    timeout = aiohttp.ClientTimeout(total=1.5 * STALL_SECONDS)
    monkeypatch.setattr(
        aiohttp.client, "DEFAULT_TIMEOUT", timeout
    )  # of sessions whose requests have no other
    monkeypatch.setattr(connector, "_STALL_SECONDS", STALL_SECONDS)
    monkeypatch.setattr(connector, "_MIN_RATE", 200_000.0)
    monkeypatch.setattr(job_message, "_MIN_INTERVAL_SECONDS", 0.0)
    monkeypatch.setattr(job_message, "_GIVE_UP_SECONDS", 3.0)
    monkeypatch.setattr(image_posting, "_FIRST_GROUP", SIZE * 1.5)
    monkeypatch.setattr(image_posting, "_MIN_SAMPLE", SIZE // 2)
    monkeypatch.setattr(image_posting, "_GROUP_SECONDS", 1.0)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{number}.png" for number in range(1, IMAGES + 1)]
    for number, path in enumerate(paths):
        image = Image.frombytes("RGB", (400, 400), Random(number).randbytes(SIZE))
        image.save(path, "PNG", compress_level=0)
    return paths


async def connect(delivery: DiscordDelivery, job: Job) -> None:
    """Open a connection before it fails."""
    await delivery._bot.interaction_webhook(job.token or "").fetch_message(job.message_id or 0)


async def create_job(local: LocalDiscord, **changes: Any) -> tuple[Job, Message]:
    return await job_messages.create_job(local, **{"image_count": IMAGES, **changes})


def uploads(local: LocalDiscord) -> list[list[str]]:
    """Return the file names of each upload."""
    return [[name for name, _ in call.files] for call in local.trace if call.files]


def names(message: Message) -> list[str]:
    return [each["filename"] for each in message.attachments]


ALL = [f"a-fox-in-the-snow-81030369-{number}.png" for number in range(1, IMAGES + 1)]


@pytest.mark.parametrize("is_by_token", [True, False], ids=["token", "bot"])
async def test_images_appear_one_by_one_while_bytes_move(
    local: LocalDiscord, uplink: Relay, delivery: DiscordDelivery, files: list[Path], *, is_by_token: bool
) -> None:
    job, message = await create_job(local, **({} if is_by_token else {"token": None}))
    uplink.bytes_per_second = SIZE / STALL_SECONDS / 1.2
    begun_at = time.monotonic()
    assert await delivery.send_images(job, files) == IMAGES
    assert time.monotonic() - begun_at > 3 * STALL_SECONDS
    assert uploads(local) == [[each] for each in ALL]
    shown = [[each["id"] for each in state["attachments"]] for _, state in message.edits]
    assert all(later[: len(earlier)] == earlier for earlier, later in pairwise(shown))
    assert names(message) == ALL


@pytest.mark.parametrize("is_by_token", [True, False], ids=["token", "bot"])
async def test_later_uploads_keep_the_alt_texts_of_earlier_ones(
    local: LocalDiscord, delivery: DiscordDelivery, files: list[Path], *, is_by_token: bool
) -> None:
    """An edit lists the files that it keeps, with the alt text: what Discord does without one is unknown."""
    job, _ = await create_job(local, **({} if is_by_token else {"token": None}))
    assert await delivery.send_images(job, files) == IMAGES
    listed = [call.request_json["attachments"] for call in local.trace if call.files]
    assert len(listed) > 1
    expected = [f"a fox in the snow ({number} of {IMAGES})" for number in range(1, IMAGES + 1)]
    assert [each.get("description") for each in listed[-1]] == expected


@pytest.mark.parametrize("is_by_token", [True, False], ids=["token", "bot"])
async def test_upload_of_a_large_image_outlasts_every_timeout(
    local: LocalDiscord, uplink: Relay, delivery: DiscordDelivery, files: list[Path], *, is_by_token: bool
) -> None:
    job, message = await create_job(local, image_count=1, **({} if is_by_token else {"token": None}))
    uplink.bytes_per_second = SIZE / STALL_SECONDS / 2
    assert await delivery.send_images(job, files[:1]) == 1
    assert uploads(local) == [ALL[:1]]
    assert names(message) == ALL[:1]


async def test_direct_message_with_a_large_image_outlasts_every_timeout(
    local: LocalDiscord, uplink: Relay, delivery: DiscordDelivery, files: list[Path]
) -> None:
    alice = local.members["alice"]
    job, message = await create_job(local, image_count=1, user_id=int(alice.id))
    local.delete(message)
    uplink.bytes_per_second = SIZE / STALL_SECONDS / 2
    assert await delivery.send_images(job, files[:1]) == 1
    assert [names(each) for each in alice.direct_messages.messages] == [ALL[:1]]


async def test_buffering_proxy_has_time_to_forward(
    local: LocalDiscord, uplink: Relay, delivery: DiscordDelivery, files: list[Path]
) -> None:
    job, message = await create_job(local, image_count=1)
    await connect(delivery, job)
    uplink.is_buffering = True
    uplink.bytes_per_second = SIZE / STALL_SECONDS / 2
    assert await delivery.send_images(job, files[:1]) == 1
    assert uploads(local) == [ALL[:1]]
    assert names(message) == ALL[:1]


@pytest.mark.parametrize("is_by_token", [True, False], ids=["token", "bot"])
async def test_stalled_upload_is_cut_off_and_repeated(
    local: LocalDiscord, uplink: Relay, delivery: DiscordDelivery, files: list[Path], *, is_by_token: bool
) -> None:
    job, message = await create_job(local)
    await connect(delivery, job)
    job = job if is_by_token else replace(job, token=None)
    before = uplink.connections
    uplink.stall()
    delivering = asyncio.ensure_future(delivery.send_images(job, files))
    await uplink.connected(before + 1)  # the first one was aborted
    uplink.resume()
    assert await delivering == IMAGES
    assert names(message) == ALL


@pytest.mark.parametrize("can_look", [True, False])
async def test_images_of_a_lost_response_are_posted_once(
    local: LocalDiscord, uplink: Relay, delivery: DiscordDelivery, files: list[Path], *, can_look: bool
) -> None:
    job, message = await create_job(local)
    await connect(delivery, job)
    if not can_look:
        local.inject_fault("get_followup", 403, {"code": 50001, "message": "Missing Access"}, times=9)
    uplink.drops_responses = True
    delivering = asyncio.ensure_future(delivery.send_images(job, files))
    await local.until(lambda: message.attachments)
    uplink.cut()
    uplink.drops_responses = False
    assert await delivering == IMAGES
    assert names(message) == ALL
    sent = [name for group in uploads(local) for name in group]
    assert sent == (ALL if can_look else [ALL[0], *ALL])


async def test_visible_images_count_without_any_response(
    local: LocalDiscord, delivery: DiscordDelivery, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_message, "_GIVE_UP_SECONDS", 0.01)
    job, message = await create_job(local, token=None)
    local.inject_fault("get_message", 503, "<html>")
    local.inject_fault("edit_message", 503, "<html>", is_after=True, times=99)
    assert await delivery.send_images(job, files[:1]) == 1
    assert names(message) == ALL[:1]


async def test_posted_images_count_if_the_rest_is_rejected(
    local: LocalDiscord, delivery: DiscordDelivery, files: list[Path]
) -> None:
    job, message = await create_job(local)
    explicit = {"code": 20009, "message": "Explicit content cannot be sent to the desired recipient(s)"}
    local.inject_fault("edit_followup", 400, explicit, contains="81030369-2")
    assert await delivery.send_images(job, files) == 1
    assert names(message) == ALL[:1]
    assert "1 of 4" in message.text


async def test_posted_images_count_if_the_rest_is_undeliverable(
    local: LocalDiscord, delivery: DiscordDelivery, files: list[Path]
) -> None:
    local.members["alice"].takes_direct_messages = False
    job, message = await create_job(local, user_id=int(local.members["alice"].id))
    archived = {"code": 50083, "message": "Thread is archived"}
    local.inject_fault("edit_followup", 400, archived, contains="81030369-2")
    assert await delivery.send_images(job, files) == 1
    assert names(message) == ALL[:1]


async def test_arrived_direct_messages_count_if_the_next_are_rejected(
    local: LocalDiscord, delivery: DiscordDelivery, files: list[Path]
) -> None:
    alice = local.members["alice"]
    job, message = await create_job(local, user_id=int(alice.id))
    local.delete(message)
    refused = {"code": 50007, "message": "Cannot send messages to this user"}
    local.inject_fault("create_message", 403, refused, contains="81030369-2")
    assert await delivery.send_images(job, files) == 1
    assert [names(each) for each in alice.direct_messages.messages] == [ALL[:1]]


@pytest.mark.parametrize("size", [SIZE * 1.5, SIZE * 9])
async def test_restart_sends_the_remaining_direct_messages(
    local: LocalDiscord, bot: ImagineBot, files: list[Path], monkeypatch: pytest.MonkeyPatch, *, size: float
) -> None:
    alice = local.members["alice"]
    job, message = await create_job(local, user_id=int(alice.id))
    local.delete(message)
    refused = {"code": 50007, "message": "Cannot send messages to this user"}
    local.inject_fault("create_message", 403, refused, contains="81030369-3")
    monkeypatch.setattr(image_posting, "_FIRST_GROUP", SIZE * 10.5 - size)
    before = DiscordDelivery(bot)
    with suppress(DeliveryError):
        await before.send_images(job, files)
    monkeypatch.setattr(image_posting, "_FIRST_GROUP", size)
    assert await DiscordDelivery(bot).send_images(job, files) == IMAGES
    assert [name for each in alice.direct_messages.messages for name in names(each)] == ALL


async def test_nothing_is_posted_if_everything_is_rejected(
    local: LocalDiscord, delivery: DiscordDelivery, files: list[Path]
) -> None:
    job, message = await create_job(local)
    local.inject_fault("edit_followup", 400, {"code": 20009, "message": "Explicit"}, contains="81030369-1")
    with pytest.raises(DeliveryError):
        await delivery.send_images(job, files)
    assert names(message) == []


async def test_failure_removes_no_image(
    local: LocalDiscord, delivery: DiscordDelivery, files: list[Path]
) -> None:
    job, message = await create_job(local)
    await delivery.send_images(job, files)
    failed = make_job(
        **{name: getattr(job, name) for name in ("channel_id", "guild_id", "message_id", "token")},
        status=JobStatus.FAILED,
        error="delivery-failed",
    )
    await delivery.send_outcome(failed)
    assert names(message) == ALL


async def test_withdrawn_job_loses_its_button_despite_automod(
    local: LocalDiscord, delivery: DiscordDelivery
) -> None:
    job, message = await create_job(local, status=JobStatus.FAILED, error="delivery-failed")
    await delivery.send_outcome(job)
    assert any(label.startswith("Get images") for label in message.buttons)
    automod = {"code": 200000, "message": "Message was blocked by automatic moderation"}
    local.inject_fault("edit_followup", 400, automod, contains="a fox in the snow")
    await delivery.withdraw(replace(job, error="not-collected", refunded=IMAGES))
    assert not any(label.startswith("Get images") for label in message.buttons)


async def test_restart_posts_missing_images_only(
    local: LocalDiscord, bot: ImagineBot, files: list[Path]
) -> None:
    job, message = await create_job(local)
    before = DiscordDelivery(bot)
    local.inject_fault("edit_followup", 400, {"code": 20009, "message": "Explicit"}, contains="81030369-3")
    await before.send_images(job, files)
    assert names(message) == ALL[:1]
    kept = [each["id"] for each in message.attachments]
    done = len(uploads(local))
    assert await DiscordDelivery(bot).send_images(job, files) == IMAGES
    assert [each["id"] for each in message.attachments][:1] == kept
    assert names(message) == ALL
    assert [name for group in uploads(local)[done:] for name in group] == ALL[1:]


async def test_restart_updates_the_text_of_complete_images(
    local: LocalDiscord, bot: ImagineBot, files: list[Path]
) -> None:
    job, message = await create_job(local)
    before = DiscordDelivery(bot)
    await before.send_images(job, files)
    await before.send_outcome(replace(job, status=JobStatus.FAILED, error="delivery-failed"))
    assert any(label.startswith("Get images") for label in message.buttons)
    done = len(uploads(local))
    assert await DiscordDelivery(bot).send_images(job, files) == IMAGES
    assert "✅" in message.text
    assert not any(label.startswith("Get images") for label in message.buttons)
    assert names(message) == ALL
    assert len(uploads(local)) == done


async def test_tall_images_stay_in_embeds(local: LocalDiscord, bot: ImagineBot, files: list[Path]) -> None:
    """In groups, after a restart, and when a later edit changes only the text."""
    for file in files:
        with Image.open(file) as image:
            image.resize((300, 500)).save(file, "PNG", compress_level=0)
    job, message = await create_job(local)
    local.inject_fault("edit_followup", 400, {"code": 20009, "message": "Explicit"}, contains="81030369-3")
    assert await DiscordDelivery(bot).send_images(job, files) == 1
    delivery = DiscordDelivery(bot)
    assert await delivery.send_images(job, files) == IMAGES
    await delivery.withdraw(replace(job, status=JobStatus.SUCCEEDED, delivered=IMAGES))
    for state in (message.edits[-2][1], message.data):
        images = [each["image"] for each in state["embeds"]]
        assert [each["url"].partition("?")[0].rpartition("/")[2] for each in images] == ALL
        assert [each["description"] for each in images] == [
            f"a fox in the snow ({n} of 4)" for n in (1, 2, 3, 4)
        ]
        assert state["attachments"] == []
    assert [each["filename"] for each in message.files] == ALL


async def test_unreadable_message_loses_no_image(
    local: LocalDiscord, bot: ImagineBot, files: list[Path]
) -> None:
    job, message = await create_job(local)
    await DiscordDelivery(bot).send_images(job, files)
    kept = [each["id"] for each in message.attachments]
    local.inject_fault("get_followup", 200, "<html>")
    assert await DiscordDelivery(bot).send_images(job, files) == IMAGES
    assert [each["id"] for each in message.attachments] == kept


def test_group_size_follows_the_uplink(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.undo()
    files = [(number, FittedImage(tmp_path / f"{number}.png", 6 * 2**20)) for number in range(1, 5)]
    uplink = Uplink()
    assert uplink.next_group([]) == []
    assert uplink.next_group(files) == files[:1]
    uplink.record_upload(files[:1], 2.0)
    assert uplink.next_group(files[1:]) == files[1:]
    uplink.record_upload(files[:1], 6 * 2**20 / 40_000)
    assert uplink.next_group(files) == files[:1]
    tiny = [(1, FittedImage(tmp_path / "1.png", 1000))]
    uplink.record_upload(tiny, 0.001)  # too small to measure the uplink
    assert uplink.next_group(files) == files[:1]
    uplink.record_upload(files[:1], 0.0)
    assert uplink.next_group(files) == files


async def test_images_keep_their_numbers_if_one_is_missing(
    local: LocalDiscord, bot: ImagineBot, files: list[Path]
) -> None:
    """Its file can arrive later, and buttons name images by their numbers."""
    job, message = await create_job(local)
    assert await DiscordDelivery(bot).send_images(job, [files[0], files[2]]) == 2
    assert names(message) == [ALL[0], ALL[2]]
    assert [each["description"] for each in message.attachments] == [
        f"a fox in the snow ({number} of 3)" for number in (1, 3)
    ]
