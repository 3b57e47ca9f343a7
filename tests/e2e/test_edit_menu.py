"""The message menu Edit image: pictures of any message, wherever it has them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from playground.discord import UploadedFile
from tests.e2e.accounts import check_accounts, spent
from tests.e2e.pictures import drawn, finished, forget_originals, is_same, made, reply, results, sent_pictures
from tests.e2e.settings_panel import store_settings

if TYPE_CHECKING:
    from playground.discord import Interaction, Member, Message, OtherApp
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")
MENU = "Edit image"
NIGHT = {"instruction": "make it night"}
ELSEWHERE = "https://pictures.example/cat.png"
LAYOUT = 1 << 15
RED, BLUE = (UploadedFile(f"{color}.png", drawn(color)) for color in ("red", "blue"))


@pytest.fixture
def anna(env: Environment) -> Member:
    return env.new_member()


@pytest.fixture(scope="module")
def apps() -> dict[str, OtherApp]:
    return {}


def app_of(env: Environment, apps: dict[str, OtherApp]) -> OtherApp:
    if "sketcher" not in apps:
        apps["sketcher"] = env.discord.add_app("sketcher")
    return apps["sketcher"]


async def asked(person: Member, message: Message) -> Interaction:
    """Choose the menu; return the interaction with the form."""
    menu = await person.menu(MENU, message)
    await menu.modal_response()
    return menu


def choices(form: Interaction) -> list[str]:
    """Return the names of the pictures that a form offers, if it lets choose."""
    assert form.modal is not None
    found = [top["component"] for top in form.modal["components"]]
    return [each["label"] for part in found if part["custom_id"] == "image" for each in part["options"]]


async def test_picture_of_a_member(env: Environment, anna: Member) -> None:
    message = env.bob.say("look", files=[UploadedFile("notes.txt", b"words"), RED])
    form = await asked(anna, message)
    assert form.modal is not None
    assert (form.modal["title"], choices(form)) == ("Edit image", [])
    assert form.modal["components"][0]["description"] == "1 credit"
    edited = await made(env, anna, form, **NIGHT)
    assert "**make it night**" in edited.text
    (sent,) = sent_pictures(env, edited)
    assert is_same(sent, RED.data)
    assert [file["filename"] for file in edited.files][:1] == ["before.webp"]
    job = env.job(edited)
    assert (job["model_id"], job["parent_id"]) == ("google/nano-banana-2/edit", None)
    assert json.loads(job["input"])["number_of_images"] == 1
    assert env.charged_images(anna) == 1
    check_accounts(env)


async def test_several_pictures_can_be_chosen(env: Environment, anna: Member) -> None:
    files = [UploadedFile(f"{number}.png", drawn(f"rgb({number * 20}, 0, 0)")) for number in range(12)]
    messages = env.bob.say(files=files[:10])
    form = await asked(anna, messages)
    assert choices(form) == [file.name for file in files[:10]]
    edited = await made(env, anna, form, **NIGHT, image=["3", "1"])
    first, second = sent_pictures(env, edited)
    assert is_same(first, files[0].data)
    assert is_same(second, files[2].data)
    assert len(results(edited)) == len(edited.files)  # nothing to compare with
    edited = await made(env, anna, await asked(anna, messages), **NIGHT)
    assert is_same(sent_pictures(env, edited)[0], files[0].data)


async def test_picture_behind_a_link(env: Environment, anna: Member) -> None:
    """It is read from Discord's proxy, never from the website."""
    env.discord.cdn.put(ELSEWHERE, RED)
    edited = await made(env, anna, await asked(anna, env.bob.say(f"see {ELSEWHERE}")), **NIGHT)
    assert is_same(sent_pictures(env, edited)[0], RED.data)
    assert env.discord.cdn.fetches[-1].host == "images-ext-1.discordapp.net"


async def test_pictures_in_embeds(env: Environment, anna: Member, apps: dict[str, OtherApp]) -> None:
    env.discord.cdn.put(ELSEWHERE, BLUE)
    image = {"title": "a", "image": {"url": "attachment://red.png"}}
    message = app_of(env, apps).post(
        {"embeds": [image, {"title": "b", "thumbnail": {"url": ELSEWHERE}}]}, [RED]
    )
    form = await asked(anna, message)
    assert choices(form) == ["red.png", "cat.png"]
    edited = await made(env, anna, form, **NIGHT, image=["1", "2"])
    assert [
        is_same(*pair) for pair in zip(sent_pictures(env, edited), (RED.data, BLUE.data), strict=True)
    ] == [
        True,
        True,
    ]


async def test_pictures_in_components(env: Environment, anna: Member, apps: dict[str, OtherApp]) -> None:
    env.discord.cdn.put(ELSEWHERE, BLUE)
    green = UploadedFile("green.png", drawn("green"))
    thumbnail = {"type": 11, "media": {"url": ELSEWHERE}}
    section = {"type": 9, "components": [{"type": 10, "content": "a cat"}], "accessory": thumbnail}
    gallery = {"type": 12, "items": [{"media": {"url": "attachment://red.png"}}]}
    file = {"type": 13, "file": {"url": "attachment://green.png"}}
    parts: list[Any] = [{"type": 17, "components": [section, gallery]}, file]
    message = app_of(env, apps).post({"flags": LAYOUT, "components": parts}, [RED, green])
    form = await asked(anna, message)
    assert choices(form) == ["cat.png", "red.png", "green.png"]
    edited = await made(env, anna, form, **NIGHT, image=["1", "2", "3"])
    expected = (BLUE.data, RED.data, green.data)
    assert all(is_same(*pair) for pair in zip(sent_pictures(env, edited), expected, strict=True))


async def test_pictures_of_forwarded_messages_and_stickers(
    env: Environment, anna: Member, apps: dict[str, OtherApp]
) -> None:
    layout = [{"type": 12, "items": [{"media": {"url": "attachment://red.png"}}]}]
    shown = app_of(env, apps).post({"flags": LAYOUT, "components": layout}, [RED])
    for message in (
        env.bob.forward(env.bob.say(files=[RED])),
        env.bob.forward(shown),
        env.bob.say(stickers=[RED]),
    ):
        edited = await made(env, anna, await asked(anna, message), **NIGHT)
        assert is_same(sent_pictures(env, edited)[0], RED.data)


async def test_spoiler_stays_hidden(env: Environment, anna: Member, apps: dict[str, OtherApp]) -> None:
    """Also in what is made of the result later."""
    hidden = UploadedFile("SPOILER_red.png", RED.data)
    gallery = {"type": 12, "items": [{"media": {"url": "attachment://red.png"}, "spoiler": True}]}
    shown = app_of(env, apps).post({"flags": LAYOUT, "components": [gallery]}, [RED])
    for message in (env.bob.say(files=[hidden]), shown):
        edited = await made(env, anna, await asked(anna, message), **NIGHT)
        press = await anna.press(edited, "Edit")
        await press.modal_response()
        again = await made(env, anna, press, **NIGHT)
        for result in (edited, again):
            assert all(file["filename"].startswith("SPOILER_") for file in result.files)
    by_command = await (await anna.command("edit", prompt="make it night", image=hidden)).response()
    await env.wait_for_text(by_command, "✅")
    assert all(file["filename"].startswith("SPOILER_") for file in by_command.files)


async def test_message_without_a_picture(env: Environment, anna: Member, apps: dict[str, OtherApp]) -> None:
    held = await env.imagine(anna, prompt="please refuse this", resolution="0.5K")
    await env.wait_for_text(held, "⚠️")
    embed = {"title": "a", "description": f"no [picture]({ELSEWHERE})"}
    for message in (
        env.bob.say("words"),
        env.bob.say(files=[UploadedFile("notes.txt", b"words")]),
        app_of(env, apps).post({"embeds": [embed]}),
        held,
    ):
        assert "doesn't have any pictures" in await reply(await anna.menu(MENU, message))


async def test_own_result_has_the_form_of_its_button(env: Environment, anna: Member) -> None:
    """It survives a restart."""
    message = await finished(env, env.bob, num_images=2)
    form = await asked(anna, message)
    assert choices(form) == ["Image 1", "Image 2"]
    await env.restart()
    edited = await made(env, anna, form, **NIGHT, image=["2"])
    assert env.job(edited)["parent_id"] == env.job(message)["job_id"]
    assert is_same(sent_pictures(env, edited)[0], await env.discord.file(results(message)[1]))
    # Not the picture before it.
    again = await made(env, anna, await asked(anna, edited), **NIGHT)
    assert is_same(sent_pictures(env, again)[0], await env.discord.file(results(edited)[0]))


async def test_own_result_whose_original_is_gone(env: Environment, anna: Member) -> None:
    message = await finished(env, env.bob)
    await forget_originals(env, message)
    edited = await made(env, anna, await asked(anna, message), **NIGHT)
    assert env.job(edited)["parent_id"] == env.job(message)["job_id"]
    assert is_same(sent_pictures(env, edited)[0], await env.discord.file(results(message)[0]))


async def test_images_that_were_collected_in_another_channel(env: Environment, anna: Member) -> None:
    """Their message here has only some of them, which are edited like anyone's."""
    message, elsewhere = await finished(env, env.bob), env.discord.guild.add_channel("elsewhere")
    job = env.job(message)

    def move(channel_id: str, message_id: str) -> None:
        where = f"channel_id = {channel_id}, message_id = {message_id}"
        env.execute(f"update jobs set {where} where job_id = '{job['job_id']}'")  # noqa: S608 (ids)

    env.execute(f"insert into left_messages values ({message.id}, {message.channel.id}, '{job['job_id']}')")  # noqa: S608 (ids)
    move(elsewhere.id, "1")
    edited = await made(env, anna, await asked(anna, message), **NIGHT)
    assert env.job(edited)["parent_id"] is None
    assert is_same(sent_pictures(env, edited)[0], await env.discord.file(results(message)[0]))
    move(message.channel.id, message.id)


async def test_form_is_forgotten_at_a_restart_and_belongs_to_one_member(
    env: Environment, anna: Member
) -> None:
    form = await asked(anna, env.bob.say(files=[RED]))
    assert form.modal is not None
    before, custom_id = spent(env), form.modal["custom_id"]
    forged = await env.bob.send_raw(custom_id=custom_id, form=NIGHT)
    assert "no longer know which picture" in await reply(forged)
    wrong = await anna.send_raw(custom_id=custom_id, form={**NIGHT, "image": ["1"]})
    assert "out of date" in await reply(wrong)
    await env.restart()
    assert "no longer know which picture" in await reply(await anna.submit(form, **NIGHT))
    assert spent(env) == before


async def test_rules_and_rights_apply(env: Environment, anna: Member) -> None:
    message = env.bob.say(files=[RED])
    form, before, said = await asked(anna, message), spent(env), {}
    store_settings(env, forbidden_words=["night"])
    said["blocked word"] = await reply(await anna.submit(form, **NIGHT))
    store_settings(env, may_use_pictures=False)
    said["isn't available"] = await reply(await anna.menu(MENU, message))
    store_settings(env, blocked_members=[int(anna.id)])
    said["blocked from generating"] = await reply(await anna.menu(MENU, message))
    store_settings(env)
    env.discord.channel.set_permissions(attach_files=False)
    said["Attach Files"] = await reply(await anna.menu(MENU, message))
    env.discord.channel.set_permissions(attach_files=True)
    assert {words: text for words, text in said.items() if words not in text} == {}
    assert spent(env) == before


async def test_edit_command(env: Environment, anna: Member) -> None:
    response = await (await anna.command("edit", prompt="make it night", image=RED, image2=BLUE)).response()
    assert "from 2 pictures" in response.text
    await env.wait_for_text(response, "✅")
    await env.wait_for_end(response)
    assert [is_same(*pair) for pair in zip(sent_pictures(env, response), (RED.data, BLUE.data), strict=True)]
    assert [file["filename"] for file in response.files] == [results(response)[0]["filename"]]
    one = await (await anna.command("edit", prompt="make it night", image=RED)).response()
    await env.wait_for_text(one, "✅")
    assert [file["description"] for file in one.files] == ["Before", "After: make it night"]


async def test_menu_in_russian(env: Environment, anna: Member) -> None:
    anna.locale = "ru"
    form = await asked(anna, env.bob.say(files=[RED]))
    assert form.modal is not None
    assert form.modal["title"] == "Изменить изображение"
    (menu,) = [each for each in env.discord.commands if each["name"] == MENU]
    assert menu["name_localizations"] == {"ru": "Изменить изображение"}
    assert "нет изображений" in await reply(await anna.menu(MENU, env.bob.say("слова")))
