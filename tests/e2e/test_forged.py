"""Interactions that no Discord client would send are refused or ignored and cost nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from bot.discord.views.job_buttons import JobAction
from playground.discord import NoResponse, UploadedFile
from playground.runcomfy import respond
from tests.e2e.accounts import check_accounts, delivered, spent
from tests.e2e.environment import open_environment
from tests.e2e.pictures import drawn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from playground.discord import Channel, Interaction, Member, Message
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")
ACTIONS = tuple(JobAction)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Environment]:
    """Open an environment with an instant RunComfy."""
    async with open_environment(tmp_path_factory.mktemp("environment"), runcomfy={"seconds": 0}) as env:
        yield env


async def done(env: Environment, person: Member, **options: Any) -> Message:
    message = await env.imagine(person, **{"resolution": "0.5K", **options})
    await env.wait_for_text(message, "✅")
    await env.wait_until_idle()
    return message


async def failed(env: Environment, person: Member, *, is_fetchable: bool = False) -> Message:
    """Start a job that fails without images, or whose files can't be downloaded."""
    if is_fetchable:
        env.runcomfy.inject_fault("file", respond(404), None)
    else:
        env.runcomfy.inject_fault("submit", respond(422, {"error_code": 422001}))
    message = await env.imagine(person, resolution="0.5K")
    await env.wait_for_text(message, "⚠️")
    env.runcomfy.clear_faults("file")
    return message


async def refused(*presses: Interaction) -> list[str]:
    """Return the response to each interaction, an empty text if there was none."""
    return await asyncio.gather(*map(_refused, presses))


async def _refused(press: Interaction) -> str:
    try:
        message = await press.response(timeout=20)
    except NoResponse:
        return ""
    assert message.is_ephemeral, message.text
    assert message.files == []
    return message.text


def custom_ids(job_id: str) -> list[str]:
    """Custom ids that no button has."""
    return [
        *(
            f"job:explode:v1:{job_id}",
            f"job::v1:{job_id}",
            f"job:reroll:v2:{job_id}",
            f"job:Reroll:v1:{job_id}",
        ),
        *(
            f"JOB:reroll:v1:{job_id}",
            f"job:reroll:v1:{job_id}\n",
            f" job:reroll:v1:{job_id}",
            f"job:reroll:{job_id}",
        ),
        *(f"job:reroll:v1:{job_id[:-1]}", f"job:reroll:v1:{job_id}0", f"job:reroll:v1:{job_id.upper()}"),
        *(
            "job:reroll:v1:",
            "job:reroll:v1:%",
            "job:reroll:v1:' or 1=1 --",
            "job:reroll:v1:😀",
            "job:cancel:v1:null",
        ),
        *(f"job:cancel:v1:{job_id}", f"job:retry:v1:{job_id}", f"job:fetch:v1:{job_id}", "job:fetch:v1:1"),
        *(f"job:delete:v2:{job_id}", f"job:confirm:v1:{job_id[:-1]}", f"job:keep:v1:{job_id}"),
        *("job:confirm:v1:", "job:block:v1:' or 1=1 --", "job:delete:v1:😀"),
        *("something else", "paint", "x" * 100, ":", "job", "job:reroll:v1:" + "9" * 86),
    ]


async def test_forged_custom_ids(env: Environment) -> None:
    anna, stranger = env.new_member(), env.new_member()
    message = await done(env, anna)
    job_id = env.job(message)["job_id"]
    before = spent(env)
    env.discord.response_seconds = 20  # for about two hundred at once
    presses = [
        await person.send_raw(custom_id=each, message=message)
        for person in (stranger, env.mia)
        for each in custom_ids(job_id)
    ]
    texts = await refused(*presses)
    await env.wait_until_idle()
    assert spent(env) == before
    assert {text for text in texts if "Something went wrong" in text} == set()
    assert texts.count("") == 0


async def test_empty_custom_id_and_other_component_types(env: Environment) -> None:
    anna = env.new_member()
    message = await done(env, anna)
    job_id, before = env.job(message)["job_id"], spent(env)
    channel = env.discord.channel
    presses = [await anna.send_raw(custom_id="", message=message)]
    for kind in (3, 5, 8):
        data = {"custom_id": f"job:reroll:v1:{job_id}", "component_type": kind, "values": ["1"]}
        presses.append(anna.send_interaction(3, data, channel, message))
    modal = {"custom_id": f"job:reroll:v1:{job_id}", "components": []}
    presses.append(anna.send_interaction(5, modal, channel, message))
    await refused(*presses)
    await env.wait_until_idle()
    assert spent(env) == before


async def test_job_of_another_channel_server_or_direct_message(env: Environment) -> None:
    anna, stranger = env.new_member(), env.new_member()
    messages = [
        await done(env, anna),
        await failed(env, anna),
        await failed(env, anna, is_fetchable=True),
    ]
    here = [env.job(message)["job_id"] for message in messages]
    before = spent(env)
    server = env.discord.add_guild("Another")
    elsewhere: list[Channel] = [
        env.discord.guild.add_channel("another"),
        server.add_channel("images"),
        stranger.direct_messages,
    ]
    env.discord.response_seconds = 20  # for about three hundred at once
    presses = [
        await person.send_raw(custom_id=f"job:{action}:v1:{job_id}", channel=channel)
        for channel in elsewhere
        for action in ACTIONS
        for job_id in here
        for person in ([stranger] if action == "fetch" else [stranger, env.mia])
        if channel.recipient in (None, person)
    ]
    texts = await refused(*presses)
    await env.wait_until_idle()
    assert "" not in texts
    assert spent(env) == before
    assert all(message.text for message in messages)


async def test_stranger_cannot_fetch(env: Environment) -> None:
    anna, stranger = env.new_member(), env.new_member()
    message = await failed(env, anna, is_fetchable=True)
    before = spent(env)
    (text,) = await refused(await stranger.press(message, "Get images"))
    assert "Only the person who made this" in text
    assert spent(env) == before
    fetched = await (await anna.press(message, "Get images")).response()
    await env.wait_for_text(fetched, "✅", "collected")
    await env.wait_until_idle()
    assert env.charged_images(anna) == 1


async def test_stranger_cannot_delete_or_block(env: Environment) -> None:
    """Neither with a visible button, nor with a moderator's confirmation, nor with their own."""
    anna, stranger = env.new_member(), env.new_member()
    boss = env.new_member(is_manager=True)
    messages = [await done(env, anna), await failed(env, anna)]
    form = await boss.press(messages[0], "Delete")
    await form.modal_response()
    boss.is_manager = False
    before = spent(env)
    presses = [
        await person.send_raw(custom_id=f"job:{action}:v1:{env.job(message)['job_id']}", message=place)
        for message in messages
        for action in ("delete", "confirm", "block", "keep")
        for person in (stranger, boss)
        for place in messages
    ]
    presses.append(await boss.submit(form))
    # Only moderators block members, and no one can block themselves.
    job_id = env.job(messages[0])["job_id"]
    presses.append(await anna.send_raw(custom_id=f"job:block:v1:{job_id}", message=messages[0]))
    texts = await refused(*presses)
    assert "" not in texts
    assert [text for text in texts if "⚠️" not in text] == []
    assert spent(env) == before
    assert [message for message in messages if message.is_deleted] == []


async def test_retry_of_successful_and_fetch_of_delivered_job(env: Environment) -> None:
    anna = env.new_member()
    good, bad = await done(env, anna), await failed(env, anna)
    before = spent(env)
    presses = [
        await anna.send_raw(custom_id=f"job:{action}:v1:{env.job(message)['job_id']}", message=message)
        for action, message in (
            ("retry", good),
            ("fetch", good),
            ("fetch", bad),
            ("cancel", good),
            ("cancel", bad),
        )
    ]
    assert "" not in await refused(*presses)
    assert spent(env) == before


async def replay(env: Environment, interaction: Interaction) -> None:
    """Replay an interaction and wait until the bot has handled it."""
    jobs = len(env.rows())
    env.discord.send(interaction.event)
    marker = await done(env, env.new_member())
    assert delivered(marker) == 1
    assert len(env.rows()) == jobs + 1


async def test_replayed_interactions_are_handled_once(env: Environment) -> None:
    anna = env.new_member()
    command = await anna.command("imagine", prompt="a fox", resolution="0.5K")
    message = await env.wait_for_text(await command.response(), "✅")
    press = await anna.press(message, "Re-roll")
    await env.wait_for_text(await press.response(), "✅")
    await env.wait_until_idle()
    text = message.text
    for each in (command, press, command):
        await replay(env, each)
    assert env.charged_images(anna) == 2
    assert message.text == text
    check_accounts(env)


async def test_replay_of_a_refused_command_is_refused(env: Environment) -> None:
    """The limit was raised since, but the interaction had been answered."""
    anna = env.new_member()
    await env.reply_to(env.mia, "quota set", limit=0, per="day", who=anna)
    command = await anna.command("imagine", prompt="a fox", resolution="0.5K")
    refusal = await command.response()
    assert refusal.is_ephemeral
    await env.reply_to(env.mia, "quota clear", who=anna)
    text = refusal.text
    env.discord.send(command.event)
    await done(env, env.new_member())
    await env.wait_until_idle()
    assert refusal.text == text
    assert env.charged_images(anna) == 0


async def test_replay_of_a_command_after_its_refetch(env: Environment) -> None:
    anna = env.new_member()
    env.runcomfy.inject_fault("file", respond(404), None)
    command = await anna.command("imagine", prompt="a fox", resolution="0.5K")
    message = await env.wait_for_text(await command.response(), "⚠️")
    env.runcomfy.clear_faults("file")
    fetched = await (await anna.press(message, "Get images")).response()
    await env.wait_for_text(fetched, "✅")
    await env.wait_until_idle()
    before = len(env.runcomfy.submits)
    env.discord.send(command.event)
    await done(env, env.new_member())
    await env.wait_until_idle()
    assert len(env.runcomfy.submits) == before + 1
    assert env.charged_images(anna) == 1


def resolved(**changes: object) -> Callable[[dict[str, Any]], object]:
    """Change the parts of what Discord says about the objects that a command names."""
    return lambda event: event["data"]["resolved"].update(changes)


def attachment(**changes: object) -> Callable[[dict[str, Any]], object]:
    """Change what Discord says about the attachments."""
    return lambda event: [each.update(changes) for each in event["data"]["resolved"]["attachments"].values()]


UNREADABLE: dict[str, Callable[[dict[str, Any]], object]] = {
    "no object": lambda event: event["data"].update(resolved=[7]),
    "nothing": lambda event: event["data"].update(resolved=None),
    "no attachments": resolved(attachments={}),
    "attachments null": resolved(attachments=None),
    "attachments are a list": resolved(attachments=[{}]),
    "empty attachments": lambda event: [
        each.clear() for each in event["data"]["resolved"]["attachments"].values()
    ],
    "other id": attachment(id="7"),
    "size is a text": attachment(size="7"),
    "name is a number": attachment(filename=7),
    "url null": attachment(url=None),
    "unknown members": resolved(members={"1": None}, users={"1": {}}),
    "options without a name": lambda event: event["data"]["options"][0].pop("name"),
}


@pytest.mark.parametrize("change", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_unreadable_attachment_is_refused(
    env: Environment, change: Callable[[dict[str, Any]], object]
) -> None:
    anna, jobs = env.new_member(), len(env.rows())
    env.discord.gateway.edit_next_event(change)
    edit = await anna.command("edit", prompt="make it night", image=UploadedFile("fox.png", drawn("red")))
    (text,) = await refused(edit)
    assert "I couldn't read what Discord sent me" in text
    assert len(env.rows()) == jobs


async def test_other_unreadable_commands_are_refused(env: Environment) -> None:
    anna = env.new_member()
    message = await done(env, anna)
    for change in (resolved(users=None, members=None), resolved(users={"1": {}})):
        env.discord.gateway.edit_next_event(change)
        (text,) = await refused(await env.mia.command("quota set", limit=1, per="day", who=anna))
        assert "I couldn't read what Discord sent me" in text
    for change in (resolved(messages={}), resolved(messages=None), resolved(messages={"1": {}})):
        env.discord.gateway.edit_next_event(change)
        (text,) = await refused(await anna.menu("Who made this", message))
        assert "I couldn't read what Discord sent me" in text
