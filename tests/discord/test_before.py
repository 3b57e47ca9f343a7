"""The picture that went into a job is shown before its result, and is never taken for one."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from bot.discord import image_posting, job_message
from bot.discord.connector import Connector
from bot.discord.delivery import DiscordDelivery
from bot.domain.job import InputFile, JobStatus
from bot.storage.sqlite import open_database
from playground.discord import LocalDiscord
from tests.bots import make_bot
from tests.discord.job_messages import create_job

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.discord.client import ImagineBot
    from bot.domain.job import Job
    from playground.discord import Message

PROMPT = "make it night"
FIRST, SECOND = "make-it-night-1.png", "make-it-night-2.png"
ONE_INPUT = (InputFile(option="image_urls", name="input-1.png"),)
EXPLICIT = {"code": 20009, "message": "Explicit"}


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[LocalDiscord]:
    async with LocalDiscord(tmp_path) as opened:
        yield opened


@pytest.fixture
async def bot(local: LocalDiscord, tmp_path: Path) -> AsyncIterator[ImagineBot]:
    async with open_database(tmp_path / "bot.db") as database:
        bot = make_bot(database, partial(Connector, **local.route(local.port)))
        async with bot:
            await bot.login(local.token)
            yield bot


@pytest.fixture(autouse=True)
def _scale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_message, "_MIN_INTERVAL_SECONDS", 0.0)


def picture(path: Path, width: int = 1200, height: int = 1200) -> Path:
    Image.new("RGB", (width, height), (20, 90, 160)).save(path, "PNG")
    return path


async def edited(local: LocalDiscord, **changes: Any) -> tuple[Job, Message]:
    changes = {"input": {"prompt": PROMPT}, "input_files": ONE_INPUT, **changes}
    return await create_job(local, **changes)


def shown(message: Message) -> list[tuple[str, str | None]]:
    """Return names and descriptions of all files of a message."""
    return [(each["filename"], each.get("description")) for each in message.files]


async def test_square_pictures_are_beside_each_other(
    local: LocalDiscord, bot: ImagineBot, tmp_path: Path
) -> None:
    job, message = await edited(local)
    result, before = picture(tmp_path / "1.png"), picture(tmp_path / "input-1.png")
    assert await DiscordDelivery(bot).send_images(job, [result], before) == 1
    assert shown(message) == [("before.webp", "Before"), (FIRST, f"After: {PROMPT}")]
    assert [each["filename"] for each in message.attachments] == ["before.webp", FIRST]
    assert (message.files[0]["width"], message.files[0]["height"]) == (1024, 1024)
    assert message.files[0]["size"] < 100_000


async def test_others_are_below_each_other(local: LocalDiscord, bot: ImagineBot, tmp_path: Path) -> None:
    """Also in Russian, after a restart, and when a later edit changes only the text."""
    job, message = await edited(local, locale="ru")
    result, before = picture(tmp_path / "1.png", 1600, 900), picture(tmp_path / "input-1.png", 1600, 900)
    await DiscordDelivery(bot).send_images(job, [result], before)
    await DiscordDelivery(bot).withdraw(replace(job, status=JobStatus.SUCCEEDED, delivered=1))
    for state in (message.edits[-2][1], message.data):
        above, below = state["embeds"]
        assert (above["description"], above["image"]["description"]) == ("-# До", "До")
        assert f"**{PROMPT}**" in below["description"]
        assert below["image"]["description"] == f"После: {PROMPT}"
        assert state["attachments"] == []
    assert [name for name, _ in shown(message)] == ["before.webp", FIRST]


async def test_it_is_posted_once_and_counts_as_no_image(
    local: LocalDiscord, bot: ImagineBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two images in two groups, the second after a restart."""
    monkeypatch.setattr(image_posting, "_FIRST_GROUP", 1)
    job, message = await edited(local, image_count=2)
    files = [picture(tmp_path / f"{number}.png") for number in (1, 2)]
    before = picture(tmp_path / "input-1.png")
    local.inject_fault("edit_followup", 400, EXPLICIT, contains=SECOND)
    assert await DiscordDelivery(bot).send_images(job, files, before) == 1
    assert [name for name, _ in shown(message)] == ["before.webp", FIRST]
    assert await DiscordDelivery(bot).send_images(job, files, before) == 2
    assert [name for name, _ in shown(message)] == ["before.webp", FIRST, SECOND]
    sent = [name for call in local.trace for name, _ in call.files]
    assert sent.count("before.webp") == 1


async def test_ten_files_fit_in_a_message(local: LocalDiscord, bot: ImagineBot, tmp_path: Path) -> None:
    files = [picture(tmp_path / f"{number}.png", 64, 64) for number in range(1, 11)]
    job, message = await edited(local, image_count=4, input={"prompt": "fox " * 500})
    await DiscordDelivery(bot).send_images(job, files, picture(tmp_path / "input-1.png"))
    names = [name for name, _ in shown(message)]
    assert len(names) == 10
    assert (names[0], names[-1]) == ("before.webp", "prompt.txt")


async def test_spoilers_hide_it_too(local: LocalDiscord, bot: ImagineBot, tmp_path: Path) -> None:
    job, message = await edited(local, is_spoiler=True)
    result, before = picture(tmp_path / "1.png", 900, 500), picture(tmp_path / "input-1.png", 900, 500)
    await DiscordDelivery(bot).send_images(job, [result], before)
    assert [name for name, _ in shown(message)] == ["SPOILER_before.webp", f"SPOILER_{FIRST}"]
    assert not any("image" in each for each in message.embeds)


@pytest.mark.parametrize("content", [None, b"no picture"], ids=["gone", "damaged"])
async def test_result_arrives_without_it(
    local: LocalDiscord, bot: ImagineBot, tmp_path: Path, content: bytes | None
) -> None:
    job, message = await edited(local)
    before = tmp_path / "input-1.png"
    if content:
        before.write_bytes(content)
    assert await DiscordDelivery(bot).send_images(job, [picture(tmp_path / "1.png")], before) == 1
    assert [name for name, _ in shown(message)] == [FIRST]


async def test_direct_message_shows_both(local: LocalDiscord, bot: ImagineBot, tmp_path: Path) -> None:
    alice = local.members["alice"]
    job, message = await edited(local, user_id=int(alice.id))
    local.delete(message)
    result, before = picture(tmp_path / "1.png"), picture(tmp_path / "input-1.png")
    job = replace(job, token=None)
    assert await DiscordDelivery(bot).send_images(job, [result], before) == 1
    (sent,) = alice.direct_messages.messages
    assert [name for name, _ in shown(sent)] == ["before.webp", FIRST]
