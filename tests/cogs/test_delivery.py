"""What one message takes of the files of a job."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from bot.clock import DiscordClock
from bot.models.catalogue import Catalogue
from cogs._delivery import DiscordDelivery
from tests.orders import order

if TYPE_CHECKING:
    from pathlib import Path


async def test_ten_images_with_a_long_prompt_fit_into_a_message(tmp_path: Path) -> None:
    """RunComfy may send more than was ordered, and Discord takes ten files, the prompt's among them."""
    sent: list[dict[str, Any]] = []

    async def edit_message(_: int, **content: Any) -> SimpleNamespace:
        sent.append(content)
        for file in content["attachments"]:
            file.close()
        return SimpleNamespace(attachments=content["attachments"])

    bot: Any = SimpleNamespace(
        catalogue=Catalogue.load(),
        clock=DiscordClock(),
        webhook=lambda _: SimpleNamespace(edit_message=edit_message),
    )
    files = [tmp_path / f"{number}.png" for number in range(10)]
    for file in files:
        file.write_bytes(b"x")
    log: Any = None
    await DiscordDelivery(bot, log).deliver(
        order(input={"prompt": "fox " * 500}, message_id=1, asked_at=datetime.now(UTC)), files
    )
    (content,) = sent
    names = [file.filename for file in content["attachments"]]
    assert len(names) == 10
    assert names[-1] == "prompt.txt"
