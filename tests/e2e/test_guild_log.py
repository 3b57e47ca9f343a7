"""A server's audit log: jobs, cancellations, changed settings; in its language, without pings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.environment import open_environment
from tests.e2e.pictures import finished
from tests.e2e.settings_panel import choose_in_panel, open_panel, store_settings

if TYPE_CHECKING:
    from playground.discord import Channel
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")


def log_of(env: Environment, **rules: object) -> Channel:
    channel = env.discord.guild.add_channel("log")
    store_settings(env, log_channel=int(channel.id), **rules)
    return channel


async def says(env: Environment, log: Channel, *words: str) -> None:
    await env.discord.until(lambda: any(all(word in each.text for word in words) for each in log.messages))


async def test_log_deliveries(env: Environment) -> None:
    log, anna = log_of(env), env.new_member()
    message = await env.imagine(
        anna, prompt=f"@everyone <@{env.bob.id}> a *fox*", resolution="0.5K", num_images=2
    )
    link = f"/channels/{env.discord.guild.id}/{message.channel.id}/{message.id}"
    await says(env, log, f"<@{anna.id}> generated 2 images", r"a \*fox\*", link)
    (line,) = log.messages
    assert line.mentioned == set()
    assert not line.embeds


async def test_log_names_a_fixed_instruction_in_the_servers_language(env: Environment) -> None:
    log, anna = log_of(env), env.new_member()
    anna.locale = "ru"
    message = await finished(env, anna)
    await anna.press(message, "Увеличить до 1K")
    await says(env, log, f"<@{anna.id}> generated 1 image", "Upscaled to 1K")


async def test_log_private_job_without_link(env: Environment) -> None:
    log, anna = log_of(env, is_private=True), env.new_member()
    message = await env.imagine(anna, resolution="0.5K")
    await says(env, log, f"<@{anna.id}> generated 1 image", f"/{message.channel.id}")
    assert message.id not in log.messages[0].text


async def test_log_cancellation(held: Environment) -> None:
    log, anna = log_of(held), held.new_member()
    message = await held.queued(anna)
    await held.mia.press(message, "Cancel")
    await says(held, log, f"<@{held.mia.id}> canceled <@{anna.id}>'s request")


async def test_log_deletion_and_block(env: Environment) -> None:
    log, anna = log_of(env), env.new_member()
    message = await env.imagine(anna, prompt="a blunt *fox*", resolution="0.5K")
    await env.wait_for_text(message, "✅")
    await says(env, log, f"<@{anna.id}> generated 1 image")
    form = await env.mia.menu("Remove image", message)
    await form.modal_response()
    answer = await (await env.mia.submit(form, action=["block"])).response()
    await says(env, log, f"<@{env.mia.id}> blocked <@{anna.id}>")
    await says(env, log, f"<@{env.mia.id}> deleted <@{anna.id}>'s images", r"a blunt \*fox\*")
    await env.wait_for_text(answer, "Deleted")
    said = len(log.messages)
    await env.mia.send_raw(custom_id=f"job:block:v1:{env.job(message)['job_id']}", message=answer)
    own = await env.imagine(env.bob, prompt="a mild fox", resolution="0.5K")
    await env.wait_for_text(own, "✅")
    await env.wait_for_end(own)
    form = await env.bob.press(own, "Delete")
    await form.modal_response()
    await env.bob.submit(form)
    await says(env, log, f"<@{env.bob.id}> deleted", "a mild fox")
    news = [line.text for line in log.messages[said:]]
    assert [line for line in news if "blunt" in line or "blocked" in line] == []  # both had happened before
    await env.mia.press(answer, "Undo block")
    await says(env, log, f"<@{env.mia.id}> unblocked <@{anna.id}>")


async def test_log_setting_change(env: Environment) -> None:
    log = log_of(env)
    panel = await open_panel(env, section="images")
    await choose_in_panel(env, panel, "most_images", "2")
    said = (f"<@{env.mia.id}>", "changed Maximum images per request: no limit → 2")
    await says(env, log, *said)
    await choose_in_panel(env, panel, "most_images", "2")  # unchanged
    await choose_in_panel(env, panel, "most_images", "3")
    await says(env, log, "→ 3")
    assert sum(len(each.text.splitlines()) for each in log.messages) == 2


async def test_log_setting_change_if_panel_update_fails(env: Environment) -> None:
    log = log_of(env)
    panel = await open_panel(env, section="images")
    env.discord.inject_fault("callback", 404, {"code": 10062, "message": "Unknown interaction"})
    await env.mia.choose(panel, "settings:most_images:v1", "2")
    await says(env, log, "→ 2")


async def test_unwritable_log_has_no_side_effects(env: Environment) -> None:
    log, anna = log_of(env), env.new_member()
    log.set_permissions(send_messages=False)
    env.discord.inject_fault("create_message", 403, {"code": 50013, "message": "Missing Permissions"})
    message = await env.imagine(anna, resolution="0.5K")
    await env.wait_for_text(message, "✅")
    await env.wait_until_idle()
    await env.discord.until(lambda: "could not post to the log: log-delivered: 403" in env.log)
    assert log.messages == []


async def test_log_uses_server_locale(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with open_environment(
        tmp_path_factory.mktemp("ru"), is_started=False, runcomfy={"seconds": 0}
    ) as env:
        env.discord.guild.locale = "ru"
        await env.start()
        log = log_of(env)
        await env.imagine(resolution="0.5K")
        await says(env, log, "1 изображение.")


async def test_log_limit_change(env: Environment) -> None:
    log, anna = log_of(env), env.new_member()
    await env.reply_to(env.mia, "quota set", limit=5, per="week", who=anna)
    await says(env, log, f"<@{env.mia.id}>", f"<@{anna.id}> can now spend 5 credits per week")
    await env.reply_to(env.mia, "quota grant", who=anna, amount=3)
    await says(env, log, f"<@{anna.id}>: 3 extra credits")
    assert all(each.mentioned == set() for each in log.messages)
