"""Every route of the local Discord, used correctly and wrongly, responds like Discord."""

from __future__ import annotations

import asyncio
import io
import json
import re
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from tests.playground.conftest import PNG, Api

if TYPE_CHECKING:
    from playground.discord import Interaction, LocalDiscord, Member

CHECK = Path(__file__).parents[3] / "shared" / "contract" / "contract_check.py"
BUTTON = {"type": 2, "style": 1, "label": "Go", "custom_id": "go"}
SIZES = [{"label": "One", "value": "1K", "default": True, "description": "small"}]
CHOOSE: list[dict[str, Any]] = [
    {
        "type": 3,
        "custom_id": "size",
        "options": SIZES,
        "placeholder": "Size",
        "min_values": 0,
        "required": False,
    },
    {"type": 5, "custom_id": "who", "default_values": [{"id": "1", "type": "user"}]},
    {"type": 7, "custom_id": "anybody", "default_values": [{"id": "1", "type": "role"}], "disabled": True},
    {"type": 8, "custom_id": "where", "channel_types": [0]},
]
FORM: dict[str, Any] = {
    "custom_id": "ask",
    "title": "Ask",
    "components": [
        {"type": 10, "content": "Tell us"},
        {"type": 1, "components": [{"type": 4, "custom_id": "what", "style": 1, "label": "What"}]},
        {"type": 18, "label": "Why", "component": {"type": 4, "custom_id": "why", "style": 2}},
        {"type": 18, "label": "Role", "component": {"type": 6, "custom_id": "role", "max_values": 2}},
        {"type": 18, "label": "Size", "component": {"type": 3, "custom_id": "size", "options": SIZES}},
    ],
}
DRAWN: dict[str, Any] = {
    "content": "<@1> a fox",
    "embeds": [{"title": "fox", "image": {"url": "attachment://fox.png"}, "footer": {"text": "done"}}],
    "components": [{"type": 1, "components": [each]} for each in (BUTTON, *CHOOSE)],
    "attachments": [{"id": "0", "filename": "fox.png", "description": "a fox"}],
}


async def test_every_response_matches_discords_schema(
    local: LocalDiscord, api: Api, alice: Member, tmp_path: Path
) -> None:
    if not CHECK.is_file():
        pytest.skip(
            "contract_check.py is not there: the answers were not held against Discord's specification"
        )
    await about_the_bot(local, api, alice)
    await by_tokens(local, api, alice)
    await in_channels(local, api)
    await refusals(local, api, alice)
    used = {call.route for call in local.trace}
    served = (
        len(local.rest.routes()) - 1
    )  # without the route for unknown paths, which no specification covers
    assert len(used) == served, f"a route was left out: {used}"
    assert {200, 204, 400, 401, 403, 404, 413, 429} <= {call.status for call in local.trace}
    local.write_trace(trace := tmp_path / "trace.jsonl")
    # A field error's code is a string in Discord's reference (/docs/reference#error-messages) but a number in
    # its specification, which tells to follow the reference. Everything else in the responses is checked.
    words = r'("code": )"[A-Z_]+"'
    trace.write_text(re.sub(words, r"\g<1>0", trace.read_text()))
    checker = await asyncio.create_subprocess_exec(
        sys.executable, CHECK, trace, "--strict", stdout=PIPE, stderr=STDOUT
    )
    said, _ = await checker.communicate()
    assert checker.returncode == 0, said.decode()


async def about_the_bot(local: LocalDiscord, api: Api, alice: Member) -> None:
    for path in ("/users/@me", "/oauth2/applications/@me", "/gateway", "/gateway/bot"):
        await answers(200, api("GET", path))
    await answers(200, api("GET", f"/users/{alice.id}"))
    await answers(404, api("GET", "/users/1"))
    await answers(200, api("GET", f"/guilds/{local.guilds[0].id}"))
    await answers(404, api("GET", "/guilds/1"))
    option = {"type": 4, "name": "number", "description": "d", "min_value": 1, "choices": []}
    texts = {"name_localizations": {"ru": "рисуй"}, "description_localizations": None}
    draw = {"name": "draw", "type": 1, "description": "d", "options": [option], **texts}
    menu = {"name": "Draw again", "type": 3, "default_member_permissions": 32}
    commands = f"/applications/{local.application_id}/commands"
    await answers(200, api("PUT", commands, [draw, menu]))
    await answers(200, api("GET", commands))
    await answers(400, api("PUT", commands, [draw, draw]))
    await answers(200, api("POST", "/users/@me/channels", {"recipient_id": alice.id}))
    await answers(200, api("POST", f"/channels/{alice.direct_messages.id}/messages", {"content": "c"}))


async def by_tokens(local: LocalDiscord, api: Api, alice: Member) -> None:
    """Use everything that an interaction's token allows, after every kind of first response."""
    asked = await alice.send_raw("draw", {"number": 1})
    await answers(200, responds(api, asked, 5))
    original = f"/webhooks/{local.application_id}/{asked.token}/messages/@original"
    await answers(200, api("GET", original))
    await answers(200, api("PATCH", original, data=picture(DRAWN)))
    await answers(400, api("PATCH", original, {"content": "c" * 2001}))
    await answers(400, responds(api, asked, 5))
    message = await asked.response()
    for kind, data in ((4, {"content": "c", "flags": 64}), (6, None), (7, {"content": "c", "embeds": []})):
        press = await alice.send_raw(custom_id="go", message=message)
        await answers(200, responds(api, press, kind, data))
    await answers(
        204, api("POST", callback(await alice.send_raw("draw")), {"type": 4, "data": {"content": "c"}})
    )
    await answers(200, responds(api, await alice.send_raw("draw"), 9, FORM))
    submitted = await alice.send_raw(custom_id="ask", form={"what": "fox"}, message=message)
    await answers(400, responds(api, submitted, 9, FORM))
    await answers(200, responds(api, submitted, 7, {"content": "c"}))
    again = await alice.send_raw("Draw again", target=message)
    await answers(200, responds(api, again, 4, {"content": "c"}))
    choices = await alice.complete("draw", "number", "1")
    await answers(200, responds(api, choices, 8, {"choices": [{"name": "one", "value": 1}]}))
    followups = await alice.send_raw("draw")
    await answers(200, responds(api, followups, 4, {"content": "c"}))
    webhook = f"/webhooks/{local.application_id}/{followups.token}"
    more = await answers(200, api("POST", f"{webhook}?wait=1", data=picture(DRAWN)))
    await answers(200, api("GET", f"{webhook}/messages/{more['id']}"))
    await answers(200, api("PATCH", f"{webhook}/messages/{more['id']}", {"content": "less"}))
    await answers(204, api("DELETE", f"{webhook}/messages/{more['id']}"))
    await answers(404, api("GET", f"{webhook}/messages/{more['id']}"))
    await answers(429, api("GET", f"{webhook}/messages/{more['id']}"))
    await answers(204, api("DELETE", original))


async def in_channels(local: LocalDiscord, api: Api) -> None:
    messages = f"/channels/{local.channel.id}/messages"
    first = await answers(200, api("POST", messages, data=picture(DRAWN)))
    last = await answers(200, api("POST", messages, {"content": "@everyone", "flags": 4}))
    for channel in local.channels:
        await answers(200, api("GET", f"/channels/{channel}"))
    reply = {"content": "c", "message_reference": {"message_id": last["id"]}}
    answered = await answers(200, api("POST", messages, reply))
    await answers(204, api("DELETE", f"{messages}/{answered['id']}"))
    await answers(200, api("GET", f"{messages}/{first['id']}"))
    await answers(200, api("PATCH", f"{messages}/{first['id']}", {"content": None, "components": []}))
    assert (await answers(200, api("GET", f"{messages}?limit=1")))[0]["id"] == last["id"]
    assert (await answers(200, api("GET", f"{messages}?limit=1&before={last['id']}")))[0]["id"] == first["id"]
    await answers(204, api("DELETE", f"{messages}/{first['id']}"))
    await answers(404, api("DELETE", f"{messages}/{first['id']}"))


async def refusals(local: LocalDiscord, api: Api, alice: Member) -> None:
    """Send requests that are unknown, late, forbidden, too large or unauthorized."""
    gone = await alice.send_raw("draw")
    local.age(gone, 3)
    await answers(404, responds(api, gone, 5))
    await answers(404, api("GET", f"/webhooks/{local.application_id}/nobody/messages/@original"))
    old = await alice.send_raw("draw")
    await answers(200, responds(api, old, 5))
    local.age(old, 15 * 60)
    await answers(401, api("GET", f"/webhooks/{local.application_id}/{old.token}/messages/@original"))
    await answers(404, api("GET", "/channels/1/messages"))
    await answers(404, api("POST", "/users/@me/channels", {"recipient_id": "1"}))
    messages = f"/channels/{local.guild.add_channel('quiet').id}/messages"
    quiet = local.guild.channels[-1]
    local.attachment_size_limit = 1
    await answers(413, api("POST", messages, data=picture({})))
    quiet.app_permissions.update(send_messages=False)
    await answers(403, api("POST", messages, {"content": "c"}))
    quiet.app_permissions.update(view_channel=False)
    await answers(403, api("GET", messages))
    api.headers = {}
    await answers(401, api("GET", "/users/@me"))


async def answers(status: int, call: Any) -> Any:
    """Send a call, check its status and return the response."""
    came, body = await call
    assert came == status, body
    return body


def callback(interaction: Interaction) -> str:
    return f"/interactions/{interaction.id}/{interaction.token}/callback"


async def responds(api: Api, interaction: Interaction, kind: int, data: Any = None) -> tuple[int, Any]:
    body = {"type": kind} | ({} if data is None else {"data": data})
    return await api("POST", f"{callback(interaction)}?with_response=true", body)


def picture(body: dict[str, Any]) -> aiohttp.FormData:
    """Return the body with an attached file."""
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("payload_json", json.dumps(body))
    form.add_field("files[0]", io.BytesIO(PNG), filename="fox.png")
    return form
