"""The content of the edit that posts a job's images."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from bot.clock import Clock
from bot.discord.clock import DiscordClock
from bot.discord.delivery import DiscordDelivery
from bot.domain.guild_settings import GuildSettings
from bot.models.catalogue import Catalogue
from tests.factories import make_job

if TYPE_CHECKING:
    from pathlib import Path


async def posted(folder: Path, images: int = 1, **changes: Any) -> dict[str, Any]:
    """Return the content of the edit that posts a job's images."""
    sent: list[dict[str, Any]] = []

    async def edit_message(_: int, **content: Any) -> SimpleNamespace:
        sent.append(content)
        for file in content["attachments"]:
            file.close()
        posted = enumerate(content["attachments"], 1)
        return SimpleNamespace(
            attachments=[
                SimpleNamespace(id=n, filename=file.filename, description=file.description)
                for n, file in posted
            ],
            embeds=[],
        )

    async def fetch_message(_: int) -> SimpleNamespace:
        return SimpleNamespace(attachments=[], embeds=[])

    webhook = SimpleNamespace(edit_message=edit_message, fetch_message=fetch_message)
    message = SimpleNamespace(id=1, fetch=None)
    channel = SimpleNamespace(get_partial_message=lambda _: message)
    bot: Any = SimpleNamespace(
        catalogue=Catalogue.load(),
        settings_store=SimpleNamespace(last_read=lambda _: GuildSettings()),
        kept_files=SimpleNamespace(list_originals=lambda _: []),
        clock=DiscordClock(Clock()),
        interaction_webhook=lambda _: webhook,
        get_partial_messageable=lambda *_, **__: channel,
    )
    files = [folder / f"{number}.png" for number in range(1, images + 1)]
    for file in files:
        file.write_bytes(b"x")
    job = make_job(**{"message_id": 1, "interaction_at": datetime.now(UTC)} | changes)
    await DiscordDelivery(bot).send_images(job, files)
    (content,) = sent
    return content


async def test_ten_images_and_a_prompt_file_fit_in_a_message(tmp_path: Path) -> None:
    """RunComfy can return more images than requested, and Discord takes ten files, the prompt's included."""
    content = await posted(tmp_path, 10, input={"prompt": "fox " * 500})
    names = [file.filename for file in content["attachments"]]
    assert len(names) == 10
    assert names[-1] == "prompt.txt"


async def test_setting_the_host_clock_changes_no_duration(tmp_path: Path) -> None:
    for days in (-3, 3):
        created_at = datetime.now(UTC) + timedelta(days=days)
        content = await posted(
            tmp_path, created_at=created_at, interaction_at=datetime.now(UTC) - timedelta(seconds=7)
        )
        assert re.search(r" [78] s\b", content["embeds"][0].description)
