"""Edit prompt: a modal with the rejected prompt, and a new job from what is submitted."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from playground.discord import NoResponse
from playground.runcomfy import respond
from tests.e2e.accounts import check_accounts, spent
from tests.e2e.environment import button_labels
from tests.e2e.settings_panel import store_settings

if TYPE_CHECKING:
    from playground.discord import Interaction, Member, Message
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")
AUTOMOD = {"code": 200000, "message": "Message was blocked by automatic moderation"}
FIELDS = {"aspect_ratio": ["auto"], "resolution": ["0.5K"], "num_images": ["1"], "output_format": ["png"]}


async def refused(env: Environment, person: Member, **options: Any) -> Message:
    """Start a job whose prompt the safety filter rejects."""
    message = await env.imagine(person, **{"prompt": "please refuse this", "resolution": "0.5K", **options})
    return await env.wait_for_text(message, "⚠️", "You weren't charged")


async def opened(person: Member, message: Message) -> tuple[Interaction, dict[str, Any]]:
    """Press the button; return the interaction and the modal's fields by name."""
    press = await person.press(message, "Edit prompt")
    form = await press.modal_response()
    parts = [top["component"] for top in form["components"]]
    now = {
        part["custom_id"]: part.get("value")
        or [each["value"] for each in part.get("options", ()) if each.get("default")]
        for part in parts
    }
    return press, now


async def reply_to(press: Interaction) -> str:
    try:
        message = await press.response()
    except NoResponse:
        return ""
    assert message.is_ephemeral
    return message.text


async def test_rejected_prompt_can_be_edited(env: Environment) -> None:
    """The modal is opened before a kill and submitted after it."""
    anna = env.new_member()
    message = await refused(env, anna, num_images=2, aspect_ratio="16:9", seed=7, output_format="webp")
    assert "Edit prompt" in message.text
    assert button_labels(message) == ["Edit prompt"]
    form, now = await opened(anna, message)
    assert now == {
        "prompt": "please refuse this",
        "num_images": ["2"],
        "aspect_ratio": ["16:9"],
        "resolution": ["0.5K"],
        "output_format": ["webp"],
    }
    await env.restart()
    submit = await anna.submit(form, prompt="a fox in the snow", num_images=["1"], aspect_ratio=["3:2"])
    again = await env.wait_for_text(await submit.response(), "✅", "a fox in the snow")
    assert (
        f"/{message.channel.id}/{message.id})" in again.text
    )  # Discord may not show it above a form's response
    row = await env.wait_for_end(again)
    assert row["parent_id"] == env.job(message)["job_id"]
    submitted = json.loads(row["input"])
    assert (submitted["num_images"], submitted["aspect_ratio"], submitted["resolution"]) == (1, "3:2", "0.5K")
    assert (submitted["seed"], submitted["output_format"]) == (7, "webp")  # not in the modal
    assert (env.charged_images(anna), len(again.files)) == (1, 1)
    check_accounts(env)


async def test_safety_filter_without_images(env: Environment) -> None:
    anna = env.new_member()
    body = {
        "status": "succeeded",
        "output": {"images": []},
        "error": "blocked by safety filter: PROHIBITED_CONTENT",
    }
    env.runcomfy.inject_fault("result", respond(200, body))
    message = await refused(env, anna, prompt="a fox")
    assert button_labels(message) == ["Edit prompt"]
    assert env.job(message)["error"] == "prompt-refused"
    assert "Retry" not in message.text
    assert env.charged_images(anna) == 0


async def test_edit_after_another_failure_by_anyone(env: Environment) -> None:
    anna, ben = env.new_member(), env.new_member()
    env.runcomfy.inject_fault("result", respond(200, {"status": "failed", "error": "worker died"}))
    message = await refused(env, anna, prompt="a fox")
    assert button_labels(message) == ["Retry", "Edit prompt"]
    form, now = await opened(ben, message)
    assert now["prompt"] == "a fox"
    again = await (await ben.submit(form, prompt="a badger")).response()
    await env.wait_for_text(again, "✅", f"<@{ben.id}>")
    await env.wait_until_idle()
    assert (env.charged_images(anna), env.charged_images(ben)) == (0, 1)


async def test_private_prompt_is_editable_by_its_author_only(env: Environment) -> None:
    anna, ben = env.new_member(), env.new_member()
    env.discord.inject_fault("callback", 400, AUTOMOD)
    env.discord.inject_fault("edit_followup", 400, AUTOMOD, contains="secret", times=9)
    hidden = await refused(env, anna, prompt="refuse the secret")
    env.discord.clear_faults("edit_followup")
    assert "secret" not in hidden.text
    _, now = await opened(ben, hidden)
    assert now["prompt"] == []
    _, now = await opened(anna, hidden)
    assert now["prompt"] == "refuse the secret"

    store_settings(env, is_private=True)
    private = await refused(env, anna, prompt="refuse the secret")
    store_settings(env)
    assert private.is_ephemeral
    forged = await ben.send_raw(custom_id=f"job:edit:v1:{env.job(private)['job_id']}", message=hidden)
    assert "can't find that request" in await reply_to(forged)
    form = {"prompt": "a fox", **FIELDS}
    custom_id = f"job:edit:v1:{env.job(private)['job_id']}"
    assert "can't find that request" in await reply_to(
        await ben.send_raw(custom_id=custom_id, message=hidden, form=form)
    )
    _, now = await opened(anna, private)
    assert now["prompt"] == "refuse the secret"


@pytest.mark.parametrize(
    ("word", "kept", "said"), [("refuse ", 4000, "5600"), ("refuse \U0001f98a", 3555, "5400")]
)
async def test_prompt_longer_than_a_text_input(env: Environment, word: str, kept: int, said: str) -> None:
    """The modal has as much as Discord allows and says that the rest is missing."""
    anna = env.new_member()
    prompt = word * (800 if len(word) == 7 else 600)
    form, now = await opened(anna, await refused(env, anna, prompt=prompt))
    assert form.modal is not None
    assert prompt.startswith(now["prompt"])
    assert kept - 20 < len(now["prompt"]) <= kept
    assert f"4000 of {said}" in form.modal["components"][0]["description"]


async def test_edited_prompt_is_validated(env: Environment) -> None:
    anna = env.new_member()
    message = await refused(env, anna)
    form, _ = await opened(anna, message)
    before = spent(env)
    said = {}
    rules: dict[str, dict[str, Any]] = {
        "word": {"forbidden_words": ["badger"]},
        "member": {"blocked_members": [int(anna.id)]},
        "channel": {"forbidden_channels": [int(env.discord.channel.id)]},
        "images": {"most_images": 1},
    }
    for name, settings in rules.items():
        store_settings(env, **settings)
        said[name] = await reply_to(await anna.submit(form, prompt="a badger", num_images=["4"]))
    store_settings(env)
    await env.reply_to(env.mia, "quota set", limit=1, per="day", who=anna)
    said["limit"] = await reply_to(await anna.submit(form, prompt="a badger", num_images=["4"]))
    await env.reply_to(env.mia, "quota clear", who=anna)
    unseen = {"prompt": "\u200b\u3164", **FIELDS}
    custom_id = f"job:edit:v1:{env.job(message)['job_id']}"
    said["nothing"] = await reply_to(await anna.send_raw(custom_id=custom_id, message=message, form=unseen))
    env.discord.channel.set_permissions(attach_files=False)
    said["rights"] = await reply_to(await anna.submit(form, prompt="a badger"))
    env.discord.channel.set_permissions(attach_files=True)
    words = {
        "word": "blocked word",
        "member": "blocked from generating",
        "channel": "in this channel",
        "images": "at most",
        "limit": "costs",
    }
    words |= {"nothing": "can't be empty", "rights": "Attach Files"}
    assert {name: text for name, text in said.items() if words[name] not in text} == {}
    assert spent(env) == before


def forged(job_id: str, other: str) -> list[tuple[str, dict[str, Any]]]:
    """Yield forged custom ids and modals."""
    good = {"prompt": "a fox", **FIELDS}
    edit = f"job:edit:v1:{job_id}"
    return [
        *(
            (custom_id, good)
            for custom_id in (f"job:retry:v1:{job_id}", f"job:edit:v2:{job_id}", "job:edit:v1:")
        ),
        *(
            (custom_id, good)
            for custom_id in (f"{edit}0", f"{edit}\n", "edit", "x" * 100, f"job:edit:v1:{other}")
        ),
        (edit, {}),
        (edit, {"prompt": "a fox"}),
        (edit, FIELDS),
        (edit, {**good, "seed": "1"}),
        (edit, {**good, "prompt": ["a fox"]}),
        (edit, {**good, "prompt": "x" * 4001}),
        (edit, {**good, "prompt": " "}),
        (edit, {**good, "resolution": "1K"}),
        (edit, {**good, "resolution": ["9K"]}),
        (edit, {**good, "resolution": ["1K", "2K"]}),
        (edit, {**good, "num_images": ["5"]}),
        (edit, {**good, "num_images": ["0"]}),
        (edit, {**good, "num_images": ["1.5"]}),
        (edit, {**good, "num_images": ["many"]}),
        (edit, {**good, "aspect_ratio": [""]}),
    ]


async def test_forged_modals(env: Environment) -> None:
    anna = env.new_member()
    message = await refused(env, anna)
    done = await env.wait_for_text(await env.imagine(anna, resolution="0.5K"), "✅")
    await env.wait_until_idle()
    sent = forged(env.job(message)["job_id"], env.job(done)["job_id"])
    before = spent(env)
    presses = [await anna.send_raw(custom_id=each, message=message, form=form) for each, form in sent]
    texts = await asyncio.gather(*map(reply_to, presses))
    assert [
        each
        for each, text in zip(sent, texts, strict=True)
        if "⚠️" not in text or "Something went wrong" in text
    ] == []
    elsewhere = env.discord.guild.add_channel("elsewhere")
    custom_id = f"job:edit:v1:{env.job(message)['job_id']}"
    ben = env.new_member()
    press = await ben.send_raw(custom_id=custom_id, channel=elsewhere, form={"prompt": "a fox", **FIELDS})
    assert "can't find that request" in await reply_to(press)
    assert spent(env) == before


async def test_edited_job_without_a_visible_message(env: Environment) -> None:
    anna = env.new_member()
    assert "can't be empty" in await reply_to(await anna.command("imagine", prompt="\u200b"))
    assert env.charged_images(anna) == 0


async def test_edit_modal_in_russian(env: Environment) -> None:
    anna = env.new_member()
    anna.locale = "ru"
    message = await env.imagine(anna, prompt="refuse this", resolution="0.5K")
    await env.wait_for_text(message, "⚠️ Сервис изображений отклонил промпт")
    press = await anna.press(message, "Изменить промпт")
    form = await press.modal_response()
    assert form["title"] == "Изменить промпт"
    assert form["components"][0]["label"] == "Промпт"
