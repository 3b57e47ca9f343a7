"""The websocket protocol between page and local Discord."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from playground.discord import LocalDiscord, Member
from playground.runcomfy import LocalRunComfy
from tests.playground.conftest import PNG, Bot, running
from tests.playground.edit_bot import EditBot
from tests.playground.panel_bot import PanelBot


class Browser:
    """One member's page."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def next(self, kind: str) -> Any:
        """Return the next event of this kind, skipping others."""
        while True:
            event = await self._socket.receive_json(timeout=30)
            if event["t"] == kind:
                return event["d"]

    async def ask(self, op: str, **fields: Any) -> None:
        await self._socket.send_json({"op": op, **fields})


@asynccontextmanager
async def browsing(local: LocalDiscord, person: Member) -> AsyncIterator[Browser]:
    url = f"{local.client_url}/client/socket?user={person.id}"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        yield Browser(socket)


async def test_client_lists_members(local: LocalDiscord, alice: Member, mia: Member) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{local.client_url}/client/members") as response:
            people = await response.json()
        assert [each["username"] for each in people if each["is_manager"]] == ["mia"]
        async with session.get(f"{local.client_url}/client/socket?user=1") as response:
            assert response.status == 404
    async with browsing(local, mia) as page:
        ready = await page.next("READY")
    assert ready["user"]["id"] == mia.id
    assert ready["app"]["online"] is False
    assert ready["messages"] == {channel.id: [] for channel in local.guild.channels}
    assert alice.id in [each["id"] for each in ready["members"]]


async def test_client_sees_bot_and_commands(local: LocalDiscord, alice: Member) -> None:
    async with browsing(local, alice) as page:
        await page.next("READY")
        async with running(local, connector=local.connector()):
            listed = await page.next("COMMANDS_UPDATE")
            assert "draw" in [each["name"] for each in listed["commands"]]
            assert "quota" not in [each["name"] for each in listed["commands"]]
            assert (await page.next("APP_UPDATE"))["online"]
        assert not (await page.next("APP_UPDATE"))["online"]


@pytest.mark.usefixtures("bot")
async def test_client_command_and_button(local: LocalDiscord, alice: Member) -> None:
    bob = local.members["bob"]
    async with browsing(local, alice) as page, browsing(local, bob) as other:
        options = {"prompt": "fox"}
        await page.ask("command", nonce="1", channel_id=local.channel.id, name="draw", options=options)
        created = await page.next("MESSAGE_CREATE")
        assert created["interaction_metadata"]["name"] == "draw"
        assert created["interaction_metadata"]["user"]["username"] == "alice"
        assert (await page.next("INTERACTION_SUCCESS")) == {"nonce": "1"}
        updated = await other.next("MESSAGE_UPDATE")
        url = updated["embeds"][0]["image"]["url"].replace("https://cdn.discordapp.com", local.client_url)
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            assert await response.read() == PNG
            assert response.content_type == "image/png"
        custom_id = updated["components"][0]["components"][0]["custom_id"]
        await other.ask("press", nonce="2", message_id=updated["id"], custom_id=custom_id)
        private = await other.next("MESSAGE_CREATE")
        assert private["flags"] & 64
        await other.ask("dismiss", message_id=private["id"])
        gone = await other.next("MESSAGE_DELETE")
        assert gone == {"id": private["id"], "channel_id": local.channel.id}
        await other.ask("delete", nonce="3", message_id=updated["id"])
        assert (await other.next("INTERACTION_FAILURE"))["nonce"] == "3"
        assert [message.id for message in alice.visible_messages(local.channel)] == [updated["id"]]


async def test_client_modal(local: LocalDiscord, bot: Bot, alice: Member) -> None:
    async with browsing(local, alice) as page:
        await page.ask("command", nonce="1", channel_id=local.channel.id, name="ask", options={})
        form = await page.next("FORM")
        assert (form["title"], form["custom_id"]) == ("Ask", "ask")
        assert await page.next("INTERACTION_SUCCESS") == {"nonce": "1"}
        await page.ask("submit", nonce="2", token=form["token"], values={"what": ""})
        assert "required" in (await page.next("INTERACTION_FAILURE"))["reason"]
        await page.ask("submit", nonce="3", token=form["token"], values={"what": "Why"})
        await bot.arrivals.get()
        submitted = await bot.arrivals.get()
        assert "Why" in str(submitted.data)


async def test_client_selects_and_menus(local: LocalDiscord, alice: Member, mia: Member) -> None:
    async with (
        running(local, PanelBot, connector=local.connector()) as bot,
        browsing(local, alice) as other,
        browsing(local, mia) as page,
    ):
        await page.ask("command", nonce="1", channel_id=local.channel.id, name="choose", options={})
        panel = (await page.next("MESSAGE_CREATE"))["id"]
        await page.ask("choose", nonce="2", message_id=panel, custom_id="sizes", values=["2K"])
        assert (await page.next("MESSAGE_UPDATE"))["content"] == "sizes: 2K"
        await page.ask("choose", nonce="3", message_id=panel, custom_id="sizes", values=["8K"])
        assert (await page.next("INTERACTION_FAILURE"))["nonce"] == "3"
        sent = await bot.get_partial_messageable(int(local.channel.id)).send("a fox")
        here = {"channel_id": local.channel.id}
        await page.ask("menu", nonce="4", message_id=str(sent.id), name="Remove", **here)
        assert (await other.next("MESSAGE_DELETE"))["id"] == str(sent.id)
        await page.ask("menu", nonce="5", message_id=panel, name="Who made this", **here)
        assert (await page.next("INTERACTION_FAILURE"))["nonce"] == "5"
        await page.ask("menu", nonce="6", user_id=alice.id, name="Greet", **here)
        while (await page.next("MESSAGE_CREATE"))["content"] != f"Hello {alice.name}":
            pass


@pytest.mark.usefixtures("bot")
async def test_client_shows_interaction_failures(local: LocalDiscord, alice: Member) -> None:
    async with browsing(local, alice) as page:
        where = {"channel_id": local.channel.id, "name": "silence", "options": {}}
        await page.ask("command", nonce="1", **where)
        await local.until(lambda: local.interactions)
        [interaction] = local.interactions.values()
        local.age(interaction, 3)
        reason = "The application did not respond"
        assert await page.next("INTERACTION_FAILURE") == {"nonce": "1", "reason": reason}
        await page.ask("command", nonce="2", **(where | {"name": "draw"}))
        assert "required" in (await page.next("INTERACTION_FAILURE"))["reason"]
        await page.ask("fly", nonce="3")
        assert (await page.next("INTERACTION_FAILURE"))["nonce"] == "3"


async def test_client_delete_and_locale(local: LocalDiscord, bot: Bot, alice: Member, mia: Member) -> None:
    message = await (await alice.command("draw", prompt="fox")).response()
    async with browsing(local, mia) as page:
        await page.ask("locale", locale="ru")
        await page.ask("delete", message_id=message.id)
        assert (await page.next("MESSAGE_DELETE"))["id"] == message.id
    await mia.command("silence")
    while (seen := await bot.arrivals.get()).user.id != int(mia.id):
        pass
    assert str(seen.locale) == "ru"


async def test_serves_page_and_extra_routes(tmp_path: Path) -> None:
    (page := tmp_path / "page").mkdir()
    (page / "index.html").write_text("<h1>Hello</h1>")
    discord = LocalDiscord(tmp_path, page)

    async def status(_: web.Request) -> web.Response:
        return web.Response(text="well")

    discord.client_app.router.add_get("/playground/status", status)
    async with discord, aiohttp.ClientSession(discord.client_url) as session:
        for path, text in (
            ("/", "<h1>Hello</h1>"),
            ("/index.html", "<h1>Hello</h1>"),
            ("/playground/status", "well"),
        ):
            async with session.get(path) as response:
                assert await response.text() == text


async def test_pages_of_other_sites_are_refused(local: LocalDiscord, alice: Member) -> None:
    path, own = f"/client/socket?user={alice.id}", {"Origin": local.client_url}
    async with aiohttp.ClientSession(local.client_url) as session:
        async with session.ws_connect(path, headers=own) as socket:
            await socket.receive_json()
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await session.ws_connect(path, headers={"Origin": "https://example.com"})
        # As a browser asks for a name that its owner lets lead to this machine.
        rebound = {
            "Host": f"example.com:{local.page_port}",
            "Origin": f"http://example.com:{local.page_port}",
        }
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await session.ws_connect(path, headers=rebound)
        async with session.get("/client/members", headers={"Host": rebound["Host"]}) as response:
            assert response.status == 403


async def test_only_this_machine_is_served(tmp_path: Path) -> None:
    """A server on all addresses would also answer at 127.0.0.2."""
    (page := tmp_path / "page").mkdir()
    async with LocalDiscord(tmp_path, page) as discord, LocalRunComfy() as runcomfy:
        for port in (discord.port, discord.page_port, URL(runcomfy.url).port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"neither HTTP nor TLS\r\n\r\n")
            with suppress(ConnectionError):
                await reader.read()  # all, so that the server has closed the connection
                writer.close()
                await writer.wait_closed()
            with pytest.raises(OSError):  # noqa: PT011 (its kind depends on the system)
                await asyncio.open_connection("127.0.0.2", port)


async def upload(local: LocalDiscord, name: str, data: bytes) -> Any:
    async with aiohttp.ClientSession() as session:
        url = f"{local.client_url}/client/uploads"
        async with session.post(url, params={"name": name}, data=data) as response:
            assert response.status == 200
            return await response.json()


async def test_client_uploads(local: LocalDiscord, alice: Member) -> None:
    async with running(local, EditBot, connector=local.connector()), browsing(local, alice) as page:
        assert (await page.next("READY"))["upload_limit"] == local.attachment_size_limit
        fox = await upload(local, "fox.png", PNG)
        options = {"prompt": "night", "image": fox}
        await page.ask("command", nonce="1", channel_id=local.channel.id, name="edit", options=options)
        assert (await page.next("MESSAGE_CREATE"))["content"] == "night: fox.png"
        await page.ask("command", nonce="2", channel_id=local.channel.id, name="edit", options=options)
        assert (await page.next("INTERACTION_FAILURE"))["nonce"] == "2"  # an upload is used once
        files = [await upload(local, "лиса.png", PNG)]
        await page.ask("say", nonce="3", channel_id=local.channel.id, content="", files=files)
        [file] = (await page.next("MESSAGE_CREATE"))["attachments"]
        assert (file["title"], file["width"], file["content_type"]) == ("лиса", 2, "application/octet-stream")
    local.attachment_size_limit = 1
    with pytest.raises(AssertionError):
        await upload(local, "fox.png", PNG)


async def test_client_autocomplete(local: LocalDiscord, alice: Member) -> None:
    async with running(local, EditBot, connector=local.connector()), browsing(local, alice) as page:
        fields = {"channel_id": local.channel.id, "name": "style pick", "focused": "style"}
        await page.ask("complete", nonce="1", **fields, text="oi", options={"strength": 2})
        choices = [{"name": "oil, strength 2", "value": "oil"}]
        answer = await page.next("CHOICES")
        assert answer["nonce"] == "1"
        assert [{key: each[key] for key in ("name", "value")} for each in answer["choices"]] == choices
        assert await page.next("INTERACTION_SUCCESS") == {"nonce": "1"}
