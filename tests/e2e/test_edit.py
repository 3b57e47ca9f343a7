"""Edit, Vary and Upscale under finished images."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cogs.edit.instructions import INSTRUCTIONS
from playground.discord import RejectedByClient, UploadedFile
from playground.runcomfy import respond
from tests.e2e.accounts import check_accounts, spent
from tests.e2e.environment import button_labels
from tests.e2e.pictures import (
    drawn,
    finished,
    forget_originals,
    is_same,
    made,
    opened,
    reply,
    results,
    sent_input,
    sent_pictures,
    shown,
)
from tests.e2e.settings_panel import store_settings

if TYPE_CHECKING:
    from playground.discord import Interaction, Message
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")
EDIT_MODEL = "google/nano-banana-2/edit"
FROM_PICTURE = ["Edit", "Vary", "Upscale to 1K"]
NIGHT = {"instruction": "make it night"}


def fields(form: Interaction) -> list[str]:
    assert form.modal is not None
    return [top["component"]["custom_id"] for top in form.modal["components"]]


async def image(env: Environment, message: Message, number: int = 1) -> bytes:
    """Return the result with this number."""
    return await env.discord.file(results(message)[number - 1])


async def test_edit_changes_the_image(env: Environment) -> None:
    anna, ben = env.new_member(), env.new_member()
    message = await finished(env, anna, aspect_ratio="16:9")
    assert [label for label in button_labels(message) if label in FROM_PICTURE] == FROM_PICTURE
    assert "Edit · 0.75 credits" in message.buttons
    form = await opened(ben, message, "Edit")
    assert form.modal is not None
    assert (form.modal["title"], fields(form)) == ("Edit", ["instruction"])
    assert form.modal["components"][0]["description"] == "0.75 credits"
    edited = await made(env, ben, form, **NIGHT)
    assert "**make it night**" in edited.text
    job = env.job(edited)
    assert (job["model_id"], job["parent_id"]) == (EDIT_MODEL, env.job(message)["job_id"])
    submitted = json.loads(job["input"])
    kept = ("prompt", "number_of_images", "resolution", "aspect_ratio")
    assert [submitted[name] for name in kept] == ["make it night", 1, "0.5K", "16:9"]
    (sent,) = sent_pictures(env, edited)
    assert is_same(sent, await image(env, message))
    before, after = edited.files
    assert (before["filename"], before["description"]) == ("before.webp", "Before")
    assert after["description"] == "After: make it night"
    assert (env.charged_images(anna), env.charged_images(ben)) == (1, 1)
    check_accounts(env)


async def test_exactly_the_picked_image_is_used(env: Environment) -> None:
    anna = env.new_member()
    message = await finished(env, anna, num_images=4)
    cases: list[tuple[str, dict[str, Any], int]] = [
        ("Edit", NIGHT, 3),
        ("Vary", {"strength": ["vary-strong"]}, 2),
        ("Upscale to 1K", {}, 4),
    ]
    for label, values, number in cases:
        form = await opened(anna, message, label)
        assert form.modal is not None
        options = form.modal["components"][-1]["component"]["options"]
        assert [each["label"] for each in options] == [f"Image {n}" for n in (1, 2, 3, 4)]
        child = await made(env, anna, form, **values, image=[str(number)])
        (sent,) = sent_pictures(env, child)
        assert is_same(sent, await image(env, message, number))
    first = await made(env, anna, await opened(anna, message, "Edit"), **NIGHT)
    assert is_same(sent_pictures(env, first)[0], await image(env, message, 1))


@pytest.mark.parametrize(
    ("strength", "said"), [("vary-subtle", "Subtle variation"), ("vary-strong", "Strong variation")]
)
async def test_vary_sends_a_fixed_instruction(env: Environment, strength: str, said: str) -> None:
    anna = env.new_member()
    message = await finished(env, anna)
    form = await opened(anna, message, "Vary")
    assert fields(form) == ["strength"]
    varied = await made(env, anna, form, strength=[strength])
    assert f"**{said}**" in varied.text
    assert results(varied)[0]["description"] == f"After: {said}"
    assert results(varied)[0]["filename"].startswith(said.lower().replace(" ", "-"))
    assert env.job(varied)["preset"] == strength
    assert sent_input(env, varied)["prompt"] == INSTRUCTIONS[strength]
    assert INSTRUCTIONS[strength][:20] not in str(varied.data)
    again = await shown(env, await (await anna.press(varied, "Re-roll")).response())
    assert f"**{said}**" in again.text
    assert is_same(sent_pictures(env, again)[0], sent_pictures(env, varied)[0])


async def test_upscale_of_one_image_starts_at_once(env: Environment) -> None:
    anna = env.new_member()
    message = await finished(env, anna, aspect_ratio="3:2")
    assert "Upscale to 1K · 1 credit" in message.buttons
    larger = await shown(env, await (await anna.press(message, "Upscale to 1K")).response())
    assert "**Upscaled to 1K**" in larger.text
    submitted = sent_input(env, larger)
    assert (submitted["resolution"], submitted["aspect_ratio"]) == ("1K", "3:2")
    assert submitted["prompt"] == INSTRUCTIONS["upscale"]
    before, after = (file["width"] for file in (results(message)[0], results(larger)[0]))
    assert after > before
    assert "Upscale to 2K · 1.5 credits" in larger.buttons


async def test_upscale_ends_at_the_highest_resolution(env: Environment) -> None:
    anna = env.new_member()
    message = await finished(env, anna, resolution="4K")
    assert not any(label.startswith("Upscale") for label in message.buttons)
    job_id, before = env.job(message)["job_id"], spent(env)
    press = await anna.send_raw(custom_id=f"job:upscale:v1:{job_id}", message=message)
    assert "already has the highest resolution" in await reply(press)
    assert spent(env) == before


async def test_waiting_edit_is_listed_and_shows_its_price(held: Environment) -> None:
    held.runcomfy.release()
    anna = held.new_member()
    message = await finished(held, anna)
    held.runcomfy.hold()
    larger = await (await anna.press(message, "Upscale to 1K")).response()
    assert "from 1 picture · 1 credit" in larger.text
    listing = await (await anna.command("jobs")).response()
    assert "[Upscaled to 1K]" in listing.text
    await held.wait_for_text(larger, "In queue")
    held.runcomfy.finish(held.runcomfy.start_next())
    await shown(held, larger)
    assert "Upscaled to 1K" in await reply(await anna.menu("Who made this", larger))


async def test_forms_and_old_messages_survive_a_restart(env: Environment) -> None:
    anna = env.new_member()
    message = await finished(env, anna, num_images=2)
    form = await opened(anna, message, "Edit")
    await env.restart()
    edited = await made(env, anna, form, **NIGHT, image=["2"])
    assert is_same(sent_pictures(env, edited)[0], await image(env, message, 2))
    varied = await made(env, anna, await opened(anna, message, "Vary"), image=["1"])
    assert is_same(sent_pictures(env, varied)[0], await image(env, message, 1))


async def test_without_the_original_the_file_in_the_message_is_used(env: Environment) -> None:
    """Also one in an embed, which Discord leaves out of the attachments."""
    anna = env.new_member()
    for ratio, count in (("1:1", 1), ("16:9", 2)):
        message = await finished(env, anna, aspect_ratio=ratio, num_images=count)
        assert bool(message.attachments) == (count == 1)
        await forget_originals(env, message)
        fetched = len(env.discord.cdn.fetches)
        values = {"image": ["2"]} if count > 1 else {}
        edited = await made(env, anna, await opened(anna, message, "Edit"), **NIGHT, **values)
        assert len(env.discord.cdn.fetches) == fetched + 1
        assert is_same(sent_pictures(env, edited)[0], await image(env, message, count))


async def test_without_any_file_the_form_asks_for_one(env: Environment) -> None:
    anna = env.new_member()
    message = await finished(env, anna, num_images=2)
    await forget_originals(env, message)
    message.data |= {"attachments": [], "embeds": message.embeds[:1]}
    red, blue = (UploadedFile(f"{color}.png", drawn(color)) for color in ("red", "blue"))
    form = await opened(anna, message, "Upscale to 1K")
    assert fields(form) == ["file"]
    larger = await made(env, anna, form, file=[red])
    assert is_same(sent_pictures(env, larger)[0], red.data)
    form = await opened(anna, message, "Edit")
    assert fields(form) == ["instruction", "file"]
    with pytest.raises(RejectedByClient):
        await anna.submit(form, **NIGHT)
    edited = await made(env, anna, form, **NIGHT, file=[blue])
    assert is_same(sent_pictures(env, edited)[0], blue.data)
    text = UploadedFile("notes.txt", b"words")
    refused = await anna.submit(await opened(anna, message, "Vary"), file=[text])
    assert "isn't a picture" in await reply(refused)


async def test_picture_that_is_gone_costs_nothing(env: Environment) -> None:
    anna = env.new_member()
    message = await finished(env, anna)
    await forget_originals(env, message)
    env.discord.cdn.remove(message.files[0])
    failed = await (await anna.press(message, "Upscale to 1K")).response()
    await env.wait_for_text(failed, "⚠️", "You weren't charged")
    await env.wait_for_end(failed)
    assert env.charged_images(anna) == 1
    check_accounts(env)


async def test_failed_edit_keeps_its_picture(env: Environment) -> None:
    anna = env.new_member()
    message = await finished(env, anna)
    env.runcomfy.inject_fault("result", respond(200, {"status": "failed", "error": "worker died"}))
    form = await opened(anna, message, "Edit")
    failed = await (await anna.submit(form, **NIGHT)).response()
    await env.wait_for_text(failed, "⚠️")
    assert button_labels(failed) == ["Retry", "Edit prompt"]
    again = await shown(env, await (await anna.press(failed, "Retry")).response())
    reworded = await made(env, anna, await opened(anna, failed, "Edit prompt"), prompt="make it winter")
    for child in (again, reworded):
        assert is_same(sent_pictures(env, child)[0], await image(env, message))
        assert child.files[0]["filename"] == "before.webp"


async def test_refused_variation_can_be_rerolled_only(env: Environment) -> None:
    anna = env.new_member()
    message = await finished(env, anna)
    body = {"status": "succeeded", "output": {"images": []}, "error": "blocked by safety filter"}
    env.runcomfy.inject_fault("result", respond(200, body))
    failed = await (await anna.press(message, "Upscale to 1K")).response()
    await env.wait_for_text(failed, "⚠️", "Press Re-roll")
    assert button_labels(failed) == ["Re-roll"]


async def test_rules_apply(env: Environment) -> None:
    anna = env.new_member()
    message = await finished(env, anna)
    form = await opened(anna, message, "Edit")
    said = {}
    rules: dict[str, dict[str, Any]] = {
        "blocked word": {"forbidden_words": ["night"]},
        "blocked from generating": {"blocked_members": [int(anna.id)]},
        "in this channel": {"forbidden_channels": [int(env.discord.channel.id)]},
    }
    for words, settings in rules.items():
        store_settings(env, **settings)
        said[words] = await reply(await anna.submit(form, **NIGHT))
    store_settings(env, forbidden_channels=[int(env.discord.channel.id)])
    said["this channel"] = await reply(await anna.press(message, "Vary"))
    store_settings(env, highest_resolution="0.5K")
    said["highest resolution"] = await reply(await anna.press(message, "Upscale to 1K"))
    plain = await finished(env, anna)
    assert not any(label.startswith("Upscale") for label in plain.buttons)
    store_settings(env, forbidden_words=["image"])  # a fixed instruction has no words of the member
    varied = await made(env, anna, await opened(anna, message, "Vary"))
    store_settings(env)
    assert "Subtle" in varied.text
    assert {words: text for words, text in said.items() if words not in text} == {}
    assert env.charged_images(anna) == 3


async def test_private_images_are_edited_by_their_member_only(env: Environment) -> None:
    anna, ben = env.new_member(), env.new_member()
    public = await finished(env, ben)
    store_settings(env, is_private=True)
    message = await finished(env, anna)
    edited = await made(env, anna, await opened(anna, message, "Edit"), **NIGHT)
    store_settings(env)
    assert edited.is_ephemeral
    job_id, before = env.job(message)["job_id"], spent(env)
    for action in ("change", "vary", "upscale"):
        press = await ben.send_raw(custom_id=f"job:{action}:v1:{job_id}", message=public)
        assert "can't find that request" in await reply(press)
    assert spent(env) == before


async def test_forged_presses_and_forms(env: Environment) -> None:
    anna = env.new_member()
    message, other = await finished(env, anna, num_images=2), await finished(env, anna)
    job_id, before = env.job(message)["job_id"], spent(env)
    forms: list[tuple[str, dict[str, Any]]] = [
        ("change", {}),
        ("change", {"instruction": "x"}),
        ("change", {"image": ["1"]}),
        *(("change", {**NIGHT, "image": each}) for each in ([], ["0"], ["3"], ["1", "2"], ["-1"], ["x"])),
        ("change", {"instruction": "x" * 4001, "image": ["1"]}),
        ("change", {"instruction": "\u200b", "image": ["1"]}),
        ("change", {**NIGHT, "image": ["1"], "strength": ["vary-subtle"]}),
        ("change", {**NIGHT, "image": ["1"], "file": ["1"]}),
        ("change", {**NIGHT, "file": ["1"]}),
        ("vary", {"strength": ["upscale"], "image": ["1"]}),
        ("vary", {"strength": [], "image": ["1"]}),
        ("upscale", {"image": ["3"]}),
        ("message", {**NIGHT}),
    ]
    for action, form in forms:
        press = await anna.send_raw(custom_id=f"job:{action}:v1:{job_id}", message=message, form=form)
        text = await reply(press)
        assert "⚠️" in text, (action, form)
        assert "Something went wrong" not in text, (action, form)
    elsewhere, ben = env.discord.guild.add_channel("elsewhere"), env.new_member()
    for sent in (
        await ben.send_raw(custom_id=f"job:upscale:v1:{env.job(other)['job_id']}", channel=elsewhere),
        await anna.send_raw(custom_id="job:upscale:v1:", message=message),
        await anna.send_raw(custom_id=f"job:change:v1:{'0' * 32}", message=message),
    ):
        assert "⚠️" in await reply(sent)
    assert spent(env) == before


async def test_pictures_of_another_jobs_message_are_not_taken(env: Environment) -> None:
    """A forged press names a job whose original is gone, under a message that shows other images."""
    anna = env.new_member()
    message, other = await finished(env, anna), await finished(env, anna)
    await forget_originals(env, message)
    press = await anna.send_raw(custom_id=f"job:change:v1:{env.job(message)['job_id']}", message=other)
    await press.modal_response()
    assert fields(press) == ["instruction", "file"]


async def test_running_job_has_nothing_to_edit(held: Environment) -> None:
    anna = held.new_member()
    message = await held.queued(anna)
    press = await anna.send_raw(custom_id=f"job:change:v1:{held.job(message)['job_id']}", message=message)
    assert "out of date" in await reply(press)


async def test_buttons_and_forms_in_russian(env: Environment) -> None:
    anna = env.new_member()
    anna.locale = "ru"
    message = await finished(env, anna)
    assert "Изменить · 0,75 кредита" in message.buttons
    assert "Увеличить до 1K · 1 кредит" in message.buttons
    form = await opened(anna, message, "Изменить")
    assert form.modal is not None
    assert (form.modal["title"], form.modal["components"][0]["label"]) == ("Изменить", "Что изменить?")
    varied = await made(env, anna, await opened(anna, message, "Вариация"), strength=["vary-strong"])
    assert "**Сильная вариация**" in varied.text
    assert [file["description"] for file in varied.files] == ["До", "После: Сильная вариация"]
