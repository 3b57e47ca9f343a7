"""Replies, and what members write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from playground.discord.component_input import RejectedByClient

if TYPE_CHECKING:
    from playground.discord import LocalDiscord, Member
    from tests.playground.conftest import Api

REPLY, DEFAULT = 19, 0
BUTTONS = [{"type": 1, "components": [{"type": 2, "style": 1, "label": "Go", "custom_id": "go"}]}]


async def respond(api: Api, interaction: Any, content: str, flags: int = 0) -> None:
    body = {"type": 4, "data": {"content": content, "flags": flags, "components": BUTTONS}}
    status, _ = await api("POST", f"/interactions/{interaction.id}/{interaction.token}/callback", body)
    assert status == 204


async def test_reply_carries_the_original_until_it_is_deleted(local: LocalDiscord, api: Api) -> None:
    path = f"/channels/{local.channel.id}/messages"
    _, original = await api("POST", path, {"content": "first"})
    reference = {"message_id": int(original["id"]), "channel_id": int(local.channel.id)}
    status, reply = await api("POST", path, {"content": "second", "message_reference": reference})
    assert (status, reply["type"]) == (200, REPLY)
    place = {"channel_id": local.channel.id, "guild_id": local.guild.id}
    assert reply["message_reference"] == {"type": 0, "message_id": original["id"], **place}
    assert reply["referenced_message"]["content"] == "first"
    await api("PATCH", f"{path}/{original['id']}", {"content": "edited"})
    assert (await api("GET", f"{path}/{reply['id']}"))[1]["referenced_message"]["content"] == "edited"
    await api("DELETE", f"{path}/{original['id']}")
    assert (await api("GET", f"{path}/{reply['id']}"))[1]["referenced_message"] is None


@pytest.mark.parametrize("field", [{}, {"fail_if_not_exists": None}, {"fail_if_not_exists": True}])
async def test_missing_original_is_rejected(local: LocalDiscord, api: Api, field: dict[str, Any]) -> None:
    body = {"content": "c", "message_reference": {"message_id": "1", **field}}
    status, answer = await api("POST", f"/channels/{local.channel.id}/messages", body)
    assert (status, answer["code"]) == (400, 50035)
    assert answer["errors"]["message_reference"]["_errors"][0]["code"] == "REPLIES_UNKNOWN_MESSAGE"
    assert local.channel.messages == []


async def test_missing_original_can_be_allowed(local: LocalDiscord, api: Api) -> None:
    body = {"content": "c", "message_reference": {"message_id": "1", "fail_if_not_exists": False}}
    status, message = await api("POST", f"/channels/{local.channel.id}/messages", body)
    assert (status, message["type"]) == (200, DEFAULT)
    assert "message_reference" not in message


async def test_reply_needs_the_same_channel_and_its_history(local: LocalDiscord, api: Api) -> None:
    here, there = (f"/channels/{each.id}/messages" for each in local.guild.channels[:2])
    _, original = await api("POST", here, {"content": "first"})
    reference = {"message_id": original["id"], "channel_id": local.channel.id}
    _, answer = await api("POST", there, {"content": "c", "message_reference": reference})
    code = answer["errors"]["message_reference"]["_errors"][0]["code"]
    assert code == "REPLIES_CANNOT_REFERENCE_OTHER_CHANNEL"
    local.channel.set_permissions(read_message_history=False)
    status, answer = await api("POST", here, {"content": "c", "message_reference": reference})
    assert (status, answer["code"]) == (400, 160002)


async def test_tokens_ignore_a_reference_and_reply_by_themselves(
    local: LocalDiscord, api: Api, alice: Member
) -> None:
    _, other = await api("POST", f"/channels/{local.channel.id}/messages", {"content": "other"})
    asked = await alice.send_raw("draw")
    await respond(api, asked, "first")
    first = await asked.response()
    assert first.reply_to is None
    body = {"content": "more", "message_reference": {"message_id": other["id"]}}
    _, followup = await api("POST", f"/webhooks/{local.application_id}/{asked.token}", body)
    assert followup["message_reference"]["message_id"] == first.id
    pressed = await alice.press(first, "Go")
    await respond(api, pressed, "pressed", flags=64)
    private = await pressed.response()
    assert (private.data["type"], private.reply_to) == (REPLY, first.id)
    pressed = await alice.press(private, "Go")
    await respond(api, pressed, "for all")
    assert (await pressed.response()).reply_to is None, "the others can't see the original"


async def test_reply_pings_the_author_unless_told_otherwise(
    local: LocalDiscord, api: Api, alice: Member
) -> None:
    path, original = f"/channels/{local.channel.id}/messages", alice.say("hello")
    body = {"content": "c", "message_reference": {"message_id": original.id}}
    _, loud = await api("POST", path, body)
    _, quiet = await api("POST", path, body | {"allowed_mentions": {"parse": ["users"]}})
    assert ([each["id"] for each in loud["mentions"]], quiet["mentions"]) == ([alice.id], [])


async def test_bot_reads_and_edits_no_member_message(local: LocalDiscord, api: Api, alice: Member) -> None:
    said = alice.say(" hello ")
    path = f"/channels/{local.channel.id}/messages/{said.id}"
    assert (said.content, (await api("GET", path))[1]["content"]) == ("hello", "")
    status, answer = await api("PATCH", path, {"content": "c"})
    assert (status, answer["code"]) == (403, 50005)
    assert (await api("DELETE", path))[1]["code"] == 50013
    local.channel.set_permissions(manage_messages=True)
    assert (await api("DELETE", path))[0] == 204


async def test_member_message_is_checked_and_can_be_deleted(
    local: LocalDiscord, alice: Member, mia: Member
) -> None:
    for content in ("  ", "x" * 2001):
        with pytest.raises(RejectedByClient):
            alice.say(content)
    said = mia.say("hello")
    with pytest.raises(RejectedByClient, match="may not delete"):
        alice.delete(said)
    alice.delete(alice.say("oops"))
    mia.delete(said)
    assert local.channel.messages == []
