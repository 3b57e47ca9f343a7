"""Info: everything about a request, for anyone who sees its message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.settings_panel import store_settings
from tests.e2e.test_edit_prompt import AUTOMOD, reply_to
from tests.e2e.test_remix import done

if TYPE_CHECKING:
    from playground.discord import Member, Message
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def info(person: Member, message: Message, label: str = "Info") -> tuple[str, dict[str, Any]]:
    """Press the button; return the answer's text and its fields."""
    answer = await (await person.press(message, label)).response()
    assert answer.is_ephemeral
    fields = answer.data["embeds"][0]["fields"]
    return answer.text, {field["name"]: field["value"] for field in fields}


async def test_shows_everything_after_a_restart(env: Environment) -> None:
    anna, ben = env.new_member(), env.new_member()
    first = await done(env, anna, num_images=2, seed=7)
    await env.wait_until_idle()
    again = await env.wait_for_text(await (await ben.press(first, "Re-roll")).response(), "✅")
    await env.wait_until_idle()
    await env.restart()
    text, fields = await info(anna, again)
    assert f"Requested by <@{ben.id}>" in text
    assert "> a fox" in text
    assert "Number of images: 2 · Seed: " in fields["Options"]
    assert "Resolution: 0.5K · File format: png" in fields["Options"]
    assert fields["Model"] == "google/nano-banana-2/text-to-image"
    assert fields["Cost"] == "1.5 credits"
    assert fields["Time"].endswith((" s", " s in total"))
    assert fields["Based on"].endswith(f"/{first.id})")
    menu = await (await anna.menu("Who made this", again)).response()
    assert menu.text == text


async def test_hidden_prompt_is_for_its_author(env: Environment) -> None:
    anna, ben = env.new_member(), env.new_member()
    env.discord.inject_fault("callback", 400, AUTOMOD)
    env.discord.inject_fault("edit_followup", 400, AUTOMOD, contains="secret", times=9)
    hidden = await done(env, anna, prompt="the secret")
    env.discord.clear_faults("edit_followup")
    for label in ("Info", "Who made this"):
        mine, his = [
            await (
                await (person.press(hidden, label) if label == "Info" else person.menu(label, hidden))
            ).response()
            for person in (anna, ben)
        ]
        assert "the secret" in mine.text
        assert "secret" not in his.text
        assert "Only its author can see this prompt." in his.text
        assert f"Requested by <@{anna.id}>" in his.text
    env.discord.inject_fault("callback", 400, AUTOMOD)  # it also refuses the answer that has the prompt
    text, _ = await info(anna, hidden)
    assert "secret" not in text


async def test_private_results_are_for_their_author(env: Environment) -> None:
    anna, ben = env.new_member(), env.new_member()
    public = await done(env, anna)
    store_settings(env, is_private=True)
    private = await done(env, anna, prompt="the secret")
    store_settings(env)
    text, _ = await info(anna, private)
    assert "the secret" in text
    forged = await ben.send_raw(custom_id=f"job:info:v1:{env.job(private)['job_id']}", message=public)
    assert "can't find that request" in await reply_to(forged)


async def test_in_russian(env: Environment) -> None:
    anna, ben = env.new_member(), env.new_member()
    message = await done(env, ben)
    anna.locale = "ru"
    text, fields = await info(anna, message)
    assert "Запрос участника" in text
    assert fields["Стоимость"] == "0,75 кредита"
    assert "Разрешение: 0,5K" in fields["Параметры"]
