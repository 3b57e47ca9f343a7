"""Download: the files as the model made them, for anyone who sees the message."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.environment import button_labels
from tests.e2e.settings_panel import store_settings
from tests.e2e.test_edit_prompt import AUTOMOD, reply_to
from tests.e2e.test_info import info
from tests.e2e.test_large_files import TOO_LARGE, files, noise
from tests.e2e.test_remix import done

if TYPE_CHECKING:
    from playground.discord import Interaction, Member, Message
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")
MIB = 1024 * 1024


async def sent(env: Environment, press: Interaction) -> tuple[str, bytes]:
    """Return the name and the content of the file in the answer, which only its person sees."""
    answer = await press.response()
    assert answer.is_ephemeral
    await env.discord.until(lambda: answer.files)
    assert len(answer.files) == 1
    return answer.files[0]["filename"], await env.discord.file(answer.files[0])


async def text_of(env: Environment, press: Interaction) -> str:
    answer = await press.response()
    assert answer.is_ephemeral
    await env.discord.until(lambda: answer.text)
    return answer.text


def originals(env: Environment, message: Message) -> list[bytes]:
    folder = env.folder / "data" / "kept" / env.job(message)["job_id"]
    return [path.read_bytes() for path in sorted(folder.glob("[0-9]*"))]


async def test_only_image_is_sent_at_once(env: Environment) -> None:
    anna, ben = env.new_member(), env.new_member()
    message = await done(env, anna, seed=7)
    await env.wait_until_idle()
    await env.restart()
    name, data = await sent(env, await ben.press(message, "Download"))
    assert name == "a-fox-7-1.png"
    assert [data] == originals(env, message) == await files(env, message)


async def test_one_of_several_is_chosen_in_a_form(env: Environment) -> None:
    """An image that was compressed for its message is sent as it was made."""
    anna = env.new_member()
    before = env.discord.attachment_size_limit
    env.discord.attachment_size_limit = 100_000
    message = await done(env, anna, num_images=3)
    env.discord.attachment_size_limit = before
    assert all(file["filename"].endswith(".webp") for file in message.files)
    await env.wait_until_idle()
    assert "Download" not in button_labels(message)
    assert "PNG, 0.3 MB" in (await info(anna, message))[1]["Originals"]
    custom_id = f"job:download:v1:{env.job(message)['job_id']}"
    form = await anna.send_raw(custom_id=custom_id, message=message)  # by now, larger files fit
    shown = await form.modal_response()
    assert shown["title"] == "Download"
    options = shown["components"][0]["component"]["options"]
    assert [each["label"] for each in options] == ["Image 1", "Image 2", "Image 3"]
    assert {each["description"] for each in options} == {"PNG, 0.3 MB"}
    await env.restart()
    _, data = await sent(env, await anna.submit(form, image=["2"]))
    assert data == originals(env, message)[1]
    wrong: list[dict[str, Any]] = [{"image": ["4"]}, {"image": "1"}, {"image": ["1", "2"]}, {"x": ["1"]}, {}]
    for values in wrong:
        text = await reply_to(await anna.send_raw(custom_id=custom_id, message=message, form=values))
        assert "⚠️" in text
        assert "Something went wrong" not in text


async def test_original_above_the_limit(env: Environment) -> None:
    anna = env.new_member()
    env.runcomfy.inject_fault("file", noise(2000))
    message = await done(env, anna)
    await env.wait_until_idle()
    assert "Download" not in button_labels(message)
    assert (await info(anna, message))[1]["Originals"].startswith("PNG, 11.4 MB\nkept until <t:")
    custom_id = f"job:download:v1:{env.job(message)['job_id']}"
    text = await reply_to(await anna.send_raw(custom_id=custom_id, message=message))
    assert "The original is 11.4 MB, but the limit here is 10 MB." in text


async def test_original_that_is_gone(env: Environment) -> None:
    anna = env.new_member()
    message, several = await done(env, anna), await done(env, anna, num_images=2)
    await env.wait_until_idle()
    form = await anna.press(several, "Download")
    await form.modal_response()
    for each in (message, several):
        shutil.rmtree(env.folder / "data" / "kept" / env.job(each)["job_id"])
    for press in (await anna.press(message, "Download"), await anna.submit(form, image=["1"])):
        assert "I no longer have the original" in await reply_to(press)
    assert (await info(anna, message))[1]["Originals"] == "no longer kept"


async def test_discord_refuses_the_file(env: Environment) -> None:
    anna = env.new_member()
    message = await done(env, anna)
    await env.wait_until_idle()
    env.discord.inject_fault("edit_followup", 413, TOO_LARGE)
    assert "Discord didn't accept the file" in await text_of(env, await anna.press(message, "Download"))


async def test_private_and_hidden_results(env: Environment) -> None:
    anna, ben = env.new_member(), env.new_member()
    env.discord.inject_fault("callback", 400, AUTOMOD)
    env.discord.inject_fault("edit_followup", 400, AUTOMOD, contains="secret", times=9)
    hidden = await done(env, anna, prompt="the secret", seed=7)
    env.discord.clear_faults("edit_followup")
    assert (await sent(env, await ben.press(hidden, "Download")))[0] == "image-7-1.png"
    store_settings(env, is_private=True)
    private = await done(env, anna)
    store_settings(env)
    await sent(env, await anna.press(private, "Download"))
    forged = await ben.send_raw(custom_id=f"job:download:v1:{env.job(private)['job_id']}", message=hidden)
    assert "can't find that request" in await reply_to(forged)


async def test_images_that_wait_to_be_collected_are_not_sent(env: Environment) -> None:
    """They would be refunded later, because no one collected them."""
    anna, ben = env.new_member(), env.new_member()
    shown = await done(env, anna)
    anna.takes_direct_messages = False
    thread = env.discord.guild.add_thread("hideout", env.discord.channel)
    env.runcomfy.hold()
    lost = await (await anna.command("imagine", prompt="a fox", channel=thread)).response()
    await env.wait_for_rows(lambda: env.job(lost)["request_id"])
    thread.archive()
    env.runcomfy.release()
    assert (await env.wait_for_end(lost))["error"] == "delivery-failed"
    custom_id = f"job:download:v1:{env.job(lost)['job_id']}"
    for person, said in ((anna, "out of date"), (ben, "can't find that request")):
        press = await person.send_raw(custom_id=custom_id, message=shown, form={"image": ["1"]})
        assert said in await text_of(env, press)


async def test_spoilers_stay_spoilers(env: Environment) -> None:
    anna: Member = env.new_member()
    store_settings(env, is_spoiler=True)
    message = await done(env, anna, seed=7)
    store_settings(env)
    name, _ = await sent(env, await anna.press(message, "Download"))
    assert name == "SPOILER_a-fox-7-1.png"


async def test_in_russian(env: Environment) -> None:
    anna = env.new_member()
    anna.locale = "ru"
    message = await done(env, anna, num_images=2)
    form = await (await anna.press(message, "Скачать")).modal_response()
    assert form["title"] == "Скачать"
    field = form["components"][0]
    assert (field["label"], field["component"]["options"][0]["label"]) == ("Изображение", "Изображение 1")
    assert field["component"]["options"][0]["description"] == "PNG, 0,3 МБ"
