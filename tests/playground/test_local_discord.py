"""A discord.py bot on the local Discord."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import aiohttp
import discord
import pytest

from playground.discord import LocalDiscord, Member, NoResponse, RejectedByClient
from tests.playground.conftest import PNG, Bot, running

CHECKER = Path(__file__).parents[3] / "shared" / "contract" / "contract_check.py"


async def test_command_response_edit_and_attachments(local: LocalDiscord, bot: Bot, alice: Member) -> None:
    interaction = await alice.command("draw", prompt="fox", number=2)
    message = await interaction.response()
    assert message.text == "2 plain fox on their way"
    await local.until(lambda: message.edits)

    assert interaction.message is message
    assert message.text == "\nfox\ndone"
    assert message.edits[-1][1] is message.data
    assert local.channel.messages == [message]
    [spare] = message.attachments
    assert spare["filename"] == "spare.png"
    shown = message.embeds[0]["image"]
    assert (shown["width"], shown["height"]) == (2, 1)
    assert await local.file(spare) == PNG
    async with (
        aiohttp.ClientSession(connector=local.connector()) as session,
        session.get(shown["url"]) as response,
    ):
        assert await response.read() == PNG
    seen = bot.seen[0]
    assert isinstance(seen.user, discord.Member)
    assert not seen.permissions.manage_guild
    assert seen.app_permissions.attach_files
    assert seen.filesize_limit == 10 * 1024 * 1024


async def test_button_rules_of_the_client(local: LocalDiscord, bot: Bot, alice: Member) -> None:
    message = await (await alice.command("draw", prompt="fox")).response()
    await local.until(lambda: message.edits)
    bob = local.members["bob"]
    private = await (await bob.press(message, "Again")).response()
    assert (private.text, private.is_ephemeral) == ("fox again", True)
    assert not private.is_visible_to(alice)
    assert message.button("Off")["disabled"]
    for label in ("Off", "Nowhere"):
        with pytest.raises(RejectedByClient):
            await bob.press(message, label)
    forged = await alice.send_raw(custom_id="again:owl", message=private)
    assert (await forged.response()).text == "owl again"
    assert bot.seen[-1].message is not None
    assert bot.seen[-1].message.id == int(private.id)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"prompt": ""},
        {"prompt": "a" * 21},
        {"prompt": 7},
        {"prompt": "fox", "number": 5},
        {"prompt": "fox", "number": True},
        {"prompt": "fox", "style": "wild"},
        {"prompt": "fox", "colour": "red"},
    ],
)
@pytest.mark.usefixtures("bot")
async def test_client_rejects_invalid_options(
    local: LocalDiscord, alice: Member, options: dict[str, Any]
) -> None:
    with pytest.raises(RejectedByClient):
        await alice.command("draw", **options)
    assert not local.interactions


async def test_default_member_permissions(local: LocalDiscord, bot: Bot, alice: Member, mia: Member) -> None:
    assert "quota" not in [each["name"] for each in alice.commands]
    assert "quota" in [each["name"] for each in mia.commands]
    with pytest.raises(RejectedByClient):
        await alice.command("quota set", limit=1, member=alice)
    with pytest.raises(RejectedByClient):
        await mia.command("quota")
    said = await (await mia.command("quota set", limit=1, member=alice)).response()
    assert said.mentioned == {"alice", "@everyone"}
    assert said.data["interaction"]["name"] == "quota set"
    forged = await alice.send_raw("quota set", {"limit": 2, "member": mia})
    assert "2 for" in (await forged.response()).text
    assert not bot.seen[-1].permissions.manage_guild
    assert int(local.guild.managers.id) in [role.id for role in bot.guilds[0].roles]


async def test_allowed_mentions(local: LocalDiscord, mia: Member, alice: Member) -> None:
    quiet = discord.AllowedMentions.none()
    async with running(local, connector=local.connector(), allowed_mentions=quiet):
        said = await (await mia.command("quota set", limit=1, member=alice)).response()
    assert alice.id in said.text
    assert said.mentioned == set()
    assert said.data["mentions"] == []


@pytest.mark.usefixtures("bot")
async def test_unanswered_interaction_fails(local: LocalDiscord, alice: Member) -> None:
    interaction = await alice.command("silence")
    local.age(interaction, 3)
    with pytest.raises(NoResponse, match="did not respond"):
        await interaction.response()


async def test_deferred_response(bot: Bot, local: LocalDiscord, alice: Member) -> None:
    message = await (await alice.command("think")).response()
    assert message.is_loading
    assert message.is_ephemeral
    await bot.seen[0].edit_original_response(content="So be it")
    assert not message.is_loading
    assert message.is_ephemeral
    assert local.channel.messages == [message]


async def test_modal_round_trip(bot: Bot, local: LocalDiscord, alice: Member) -> None:
    interaction = await alice.command("ask")
    await local.until(lambda: interaction.modal)
    await bot.arrivals.get()
    await alice.submit(interaction, what="Why")
    submitted = await bot.arrivals.get()
    assert submitted.type is discord.InteractionType.modal_submit
    assert "Why" in str(submitted.data)


async def test_interaction_token_expires_but_bot_token_does_not(
    local: LocalDiscord, bot: Bot, alice: Member
) -> None:
    message = await (await alice.command("draw", prompt="fox")).response()
    await local.until(lambda: message.edits)
    private = await (await alice.press(message, "Again")).response()
    local.age(message, 15 * 60)
    with pytest.raises(discord.HTTPException) as expired:
        await bot.seen[0].edit_original_response(content="late")
    assert (expired.value.status, expired.value.code) == (401, 50027)
    channel = bot.get_partial_messageable(int(local.channel.id))
    await channel.get_partial_message(int(message.id)).edit(content="by the bot's token")
    assert message.text.startswith("by the bot's token")
    with pytest.raises(discord.NotFound) as hidden:
        await channel.get_partial_message(int(private.id)).edit(content="cannot be reached")
    assert hidden.value.code == 10008


async def test_interaction_accepts_one_response_within_three_seconds(
    bot: Bot, local: LocalDiscord, alice: Member
) -> None:
    interaction = await alice.command("silence")
    local.send(interaction.event)
    first, replayed = await bot.arrivals.get(), await bot.arrivals.get()
    assert first.id == replayed.id
    await first.response.send_message("first")
    with pytest.raises(discord.HTTPException) as twice:
        await replayed.response.send_message("second")
    assert twice.value.code == 40060
    late = await alice.command("silence")
    local.age(late, 3)
    with pytest.raises(discord.NotFound) as gone:
        await (await bot.arrivals.get()).response.send_message("late")
    assert gone.value.code == 10062


async def test_edit_keeps_only_listed_attachments(local: LocalDiscord, bot: Bot, alice: Member) -> None:
    message = await (await alice.command("draw", prompt="fox")).response()
    await local.until(lambda: message.edits)
    original = await bot.seen[0].original_response()
    await original.edit(content="kept")
    assert [each["filename"] for each in message.attachments] == ["spare.png"]
    await original.edit(embed=None)
    assert [each["filename"] for each in message.attachments] == ["fox.png", "spare.png"]
    await original.edit(attachments=original.attachments)
    assert [each["filename"] for each in message.attachments] == ["spare.png"]
    await original.edit(content="x", attachments=[], view=None)
    assert message.attachments == message.components == []


async def test_deleted_message_is_unknown(local: LocalDiscord, bot: Bot, alice: Member, mia: Member) -> None:
    message = await (await alice.command("draw", prompt="fox")).response()
    await local.until(lambda: message.edits)
    with pytest.raises(RejectedByClient):
        alice.delete(message)
    mia.delete(message)
    with pytest.raises(discord.NotFound) as gone:
        await bot.seen[0].edit_original_response(content="x")
    assert gone.value.code == 10008
    assert local.channel.messages == []


async def test_gateway_resume_replays_events(local: LocalDiscord, bot: Bot, alice: Member) -> None:
    local.gateway.drop()
    missed = await alice.command("draw", prompt="fox")
    assert not local.is_online
    assert (await missed.response()).channel is local.channel
    local.gateway.drop(is_resumable=False)
    lost = await alice.command("draw", prompt="owl")
    with pytest.raises(NoResponse):
        await lost.response(timeout=0.1)
    guild = local.add_guild("Elsewhere")
    other = guild.add_channel("art")
    await local.until(lambda: local.is_online)
    again = await alice.command("draw", prompt="owl", channel=other)
    assert (await again.response()).channel is other
    assert len(bot.guilds) == 2


async def test_invalid_token_is_rejected(local: LocalDiscord) -> None:
    async with Bot(connector=local.connector()) as bot:
        with pytest.raises(discord.LoginFailure):
            await bot.start("wrong")
    async with (
        aiohttp.ClientSession(connector=local.connector()) as session,
        session.ws_connect("wss://gateway.discord.gg/") as socket,
    ):
        await socket.receive_json()
        await socket.send_json({"op": 2, "d": {"token": "wrong"}})
        assert (await socket.receive()).data == 4004


async def test_injected_faults_apply_in_order(local: LocalDiscord, bot: Bot, alice: Member) -> None:
    local.inject_fault("callback", 404, {"message": "Unknown Webhook", "code": 10015})
    interaction = await alice.command("silence")
    seen = await bot.arrivals.get()
    with pytest.raises(discord.NotFound):
        await seen.response.send_message("x")
    await seen.response.send_message("y")
    assert (await interaction.response()).text == "y"
    local.inject_fault("edit_original", 400, {"message": "AutoMod", "code": 200000}, is_after=True)
    with pytest.raises(discord.HTTPException):
        await seen.edit_original_response(content="done all the same")
    assert interaction.message is not None
    assert interaction.message.text == "done all the same"
    assert [call.status for call in local.trace if call.route in ("callback", "edit_original")] == [
        404,
        200,
        400,
    ]


async def test_bot_needs_only_environment_variables(local: LocalDiscord, alice: Member) -> None:
    code = (
        "import os, discord\n"
        "class Bot(discord.Client):\n"
        "    async def on_interaction(self, interaction):\n"
        "        await interaction.response.send_message('through the proxy')\n"
        "bot = Bot(intents=discord.Intents(guilds=True), proxy=os.environ['DISCORD_PROXY'])\n"
        "bot.run(os.environ['DISCORD_TOKEN'], log_handler=None)\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, env=local.environment)
    try:
        await local.until(lambda: local.is_online)
        message = await (await alice.send_raw("anything")).response()
        assert message.text == "through the proxy"
    finally:
        process.kill()
        await process.wait()
    await local.until(lambda: not local.is_online)


async def test_direct_messages_can_be_closed(bot: Bot, alice: Member) -> None:
    channel = await bot.create_dm(discord.Object(int(alice.id)))
    await channel.send("hello")
    assert alice.direct_messages.messages[0].text == "hello"
    alice.takes_direct_messages = False
    with pytest.raises(discord.Forbidden) as closed:
        await channel.send("hello?")
    assert closed.value.code == 50007


async def test_every_request_and_response_matches_discords_schema(
    local: LocalDiscord, bot: Bot, alice: Member, tmp_path: Path
) -> None:
    if not CHECKER.exists():
        pytest.skip(f"{CHECKER.name} is not here to check the calls")
    message = await (await alice.command("draw", prompt="fox")).response()
    await local.until(lambda: message.edits)
    await (await alice.press(message, "Again")).response()
    await bot.seen[0].original_response()
    follow = await bot.seen[0].followup.send("more", wait=True)
    await follow.edit(content="less")
    await follow.delete()
    channel = bot.get_partial_messageable(int(local.channel.id))
    sent = await channel.send("by the bot")
    await channel.fetch_message(sent.id)
    await sent.edit(content="edited")
    await sent.delete()
    await (await alice.command("think")).response()
    await bot.http.get_bot_gateway()
    await bot.tree.fetch_commands()
    with pytest.raises(discord.NotFound):
        await channel.fetch_message(1)
    local.write_trace(trace := tmp_path / "trace.jsonl")
    assert len(trace.read_text().splitlines()) == len(local.trace)
    command = (sys.executable, str(CHECKER), str(trace), "--strict")
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    violations, summary = await process.communicate()
    assert (violations, process.returncode) == (b"", 0), summary
    assert json.loads(trace.read_text().splitlines()[0])["status"] == 200
