"""Files, radio groups and checkboxes in modals of a discord.py bot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from playground.discord import RejectedByClient, UploadedFile
from tests.playground.conftest import PNG, Bot, running
from tests.playground.form_bot import FormBot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playground.discord import LocalDiscord, Member

FOX, OWL = UploadedFile("fox.png", PNG), UploadedFile("owl.png", PNG)


@pytest.fixture
async def bot(local: LocalDiscord) -> AsyncIterator[Bot]:
    async with running(local, FormBot, connector=local.connector()) as bot:
        yield bot


async def test_form_values_arrive(local: LocalDiscord, bot: Bot, alice: Member) -> None:
    asked = await alice.command("form")
    await asked.modal_response()
    said = await (await alice.submit(asked, pictures=[FOX])).response()
    assert said.text == "; ['fox.png']; 1:1; []; False"
    [file] = local.cdn.files.values()
    assert file == PNG

    asked = await alice.command("form")
    await asked.modal_response()
    values: dict[str, Any] = {"pictures": [OWL, FOX], "ratio": "16:9", "extras": ["Web", "seed"]}
    said = await (await alice.submit(asked, **values, private=True, words="night")).response()
    assert said.text == "night; ['owl.png', 'fox.png']; 16:9; ['web', 'seed']; True"
    del bot


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"pictures": []},
        {"pictures": [FOX] * 3},
        {"pictures": ["fox.png"]},
        {"pictures": [UploadedFile("big.png", PNG * 9)]},
        {"pictures": [FOX], "ratio": "4:3"},
        {"pictures": [FOX], "ratio": ["1:1", "16:9"]},
        {"pictures": [FOX], "extras": ["web", "seed", "safe"]},
        {"pictures": [FOX], "extras": ["web", "web"]},
    ],
)
async def test_client_rejects_invalid_form_values(
    local: LocalDiscord, bot: Bot, alice: Member, values: dict[str, Any]
) -> None:
    local.attachment_size_limit = len(PNG)
    asked = await alice.command("form")
    await asked.modal_response()
    with pytest.raises(RejectedByClient):
        await alice.submit(asked, **values)
    assert len(bot.seen) == 1


async def test_raw_forms_carry_files(local: LocalDiscord, bot: Bot, alice: Member) -> None:
    sent = await alice.send_raw(
        custom_id="edit", form={"pictures": [FOX, OWL], "private": True, "ratio": "1:1"}
    )
    data = sent.event["d"]["data"]
    pictures, private, ratio = (top["component"] for top in data["components"])
    assert [data["resolved"]["attachments"][key]["filename"] for key in pictures["values"]] == [
        "fox.png",
        "owl.png",
    ]
    assert (pictures["type"], private["type"], private["value"], ratio["value"]) == (19, 23, True, "1:1")
    del local, bot
