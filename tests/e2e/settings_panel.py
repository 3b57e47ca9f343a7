"""Use the panel of /settings, and read or write the stored settings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playground.discord import Interaction, Member, Message
    from tests.e2e.environment import Environment


def stored_settings(env: Environment) -> dict[str, Any]:
    """Return the stored settings."""
    stored = env.rows(f"select settings from guilds where guild_id = {env.discord.guild.id}")  # noqa: S608 (a number)
    return dict(json.loads(stored[0]["settings"])) if stored else {}


def store_settings(env: Environment, **values: object) -> None:
    """Replace all stored settings."""
    stored = json.dumps(values).replace("'", "''")
    env.execute(
        "insert or replace into guilds (guild_id, settings, changed_at, changed_by)"  # noqa: S608 (of the test's own)
        f" values ({env.discord.guild.id}, '{stored}', 1, 1)"
    )


async def open_panel(env: Environment, person: Member | None = None, section: str = "channels") -> Message:
    """Run /settings and open one of its sections."""
    person = person or env.mia
    panel = await (await person.command("settings")).response()
    assert panel.is_ephemeral
    if section != "channels":
        await (await person.choose(panel, "settings:section:v1", section)).acknowledged()
    return panel


async def choose_in_panel(
    env: Environment, panel: Message, what: str, *values: object, person: Member | None = None
) -> None:
    """Choose in a select of the panel, and check that it is accepted silently."""
    press = await (person or env.mia).choose(panel, f"settings:{what}:v1", *values)
    await press.acknowledged()
    assert press.messages == [panel]


async def submit_modal(env: Environment, panel: Message, what: str, text: str) -> Interaction:
    """Open a modal of the panel and submit it."""
    button = await env.mia.press(panel, custom_id=f"settings:edit-{what}:v1")
    await button.modal_response()
    submit = await env.mia.submit(button, text=text)
    await submit.acknowledged()
    return submit


async def ephemeral_reply(env: Environment, press: Interaction) -> str:
    """Return the ephemeral reply beside the panel."""
    await env.discord.until(lambda: any(each is not press.source for each in press.messages))
    (message,) = [each for each in press.messages if each is not press.source]
    assert message.is_ephemeral
    return message.text
