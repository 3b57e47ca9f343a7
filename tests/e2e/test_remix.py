"""Remix: a form with a finished request's prompt and main options, and a new request from it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cogs.edit.instructions import INSTRUCTIONS
from tests.e2e.accounts import check_accounts, spent
from tests.e2e.environment import button_labels
from tests.e2e.pictures import is_same, made, results, sent_input, sent_pictures, shown
from tests.e2e.settings_panel import store_settings
from tests.e2e.test_edit_prompt import AUTOMOD, FIELDS, reply_to

if TYPE_CHECKING:
    from playground.discord import Interaction, Member, Message
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def done(env: Environment, person: Member, **options: Any) -> Message:
    message = await env.imagine(person, **{"resolution": "0.5K", **options})
    await env.wait_for_text(message, "✅")
    return message


async def opened(person: Member, message: Message) -> tuple[Interaction, dict[str, Any]]:
    """Press the button; return the interaction and the form's fields by name."""
    press = await person.press(message, "Remix")
    parts = [top["component"] for top in (await press.modal_response())["components"]]
    now = {
        part["custom_id"]: part.get("value")
        or [each["value"] for each in part.get("options", ()) if each.get("default")]
        for part in parts
    }
    return press, now


async def test_anyone_remixes_a_result_and_is_charged(env: Environment) -> None:
    """The form is opened before a kill and submitted after it."""
    anna, ben = env.new_member(), env.new_member()
    first = await done(env, anna, num_images=2, aspect_ratio="16:9", seed=7, safety_tolerance=2)
    assert "Remix · 1.5 credits" in first.buttons
    form, now = await opened(ben, first)
    assert form.modal is not None
    assert form.modal["title"] == "Remix"
    assert now == {
        "prompt": "a fox",
        "aspect_ratio": ["16:9"],
        "resolution": ["0.5K"],
        "num_images": ["2"],
        "output_format": ["png"],
    }
    await env.restart()
    filled = {"prompt": "a badger", "aspect_ratio": ["1:1"], "resolution": ["1K"], "num_images": ["1"]}
    again = await (await ben.submit(form, **filled)).response()
    await env.wait_for_text(again, "✅", "a badger", f"<@{ben.id}>", f"/{first.channel.id}/{first.id})")
    row = await env.wait_for_end(again)
    sent = json.loads(row["input"])
    assert {name: sent[name] for name in ("prompt", "aspect_ratio", "resolution", "num_images")} == {
        "prompt": "a badger",
        "aspect_ratio": "1:1",
        "resolution": "1K",
        "num_images": 1,
    }
    assert (sent["seed"], sent["safety_tolerance"]) == (7, 2)  # not in the form
    assert row["parent_id"] == env.job(first)["job_id"]
    assert (env.charged_images(anna), env.charged_images(ben)) == (2, 1)
    assert "Remix · 1 credit" in again.buttons
    check_accounts(env)


async def test_unchanged_form_does_not_repeat_the_image(env: Environment) -> None:
    anna = env.new_member()
    first = await done(env, anna, seed=7, num_images=2)
    again = await (await anna.submit((await opened(anna, first))[0])).response()
    await env.wait_for_text(again, "✅")
    before, after = (json.loads(env.job(message)["input"]) for message in (first, again))
    assert before.pop("seed") != after.pop("seed")
    assert before == after


async def test_pictures_that_went_in_are_kept(env: Environment) -> None:
    anna = env.new_member()
    first = await shown(env, await done(env, anna))
    press = await anna.press(first, "Edit")
    await press.modal_response()
    edited = await made(env, anna, press, instruction="make it night")
    form, now = await opened(anna, edited)
    assert now["prompt"] == "make it night"
    again = await made(env, anna, form, prompt="make it day", number_of_images=["2"])
    assert "**make it day**" in again.text
    assert len(results(again)) == 2
    assert is_same(sent_pictures(env, again)[0], sent_pictures(env, edited)[0])
    assert env.job(again)["parent_id"] == env.job(edited)["job_id"]


async def test_variation_keeps_its_instruction_unless_another_is_given(env: Environment) -> None:
    """The form does not show the fixed one, which is in English."""
    anna, ben = env.new_member(), env.new_member()
    ben.locale = "ru"
    first = await shown(env, await done(env, anna))
    press = await anna.press(first, "Vary")
    await press.modal_response()
    varied = await made(env, anna, press, strength=["vary-subtle"])
    form, now = await opened(ben, varied)
    assert form.modal is not None
    label = form.modal["components"][0]
    assert (now["prompt"], label["component"]["placeholder"]) == ([], "Небольшая вариация")
    assert label["description"] == "Оставьте пустым, чтобы сохранить указание."
    several = await made(env, ben, form, number_of_images=["2"])
    assert "**Небольшая вариация**" in several.text
    assert env.job(several)["preset"] == "vary-subtle"
    assert sent_input(env, several)["prompt"] == INSTRUCTIONS["vary-subtle"]
    form, _ = await opened(ben, varied)
    other = await made(env, ben, form, prompt="a red version")
    assert "**a red version**" in other.text
    assert env.job(other)["preset"] is None
    for message in (several, other):
        assert is_same(sent_pictures(env, message)[0], sent_pictures(env, varied)[0])


async def test_forged_presses_and_forms_are_refused(env: Environment) -> None:
    anna = env.new_member()
    failed = await env.imagine(anna, prompt="please refuse this", resolution="0.5K")
    await env.wait_for_text(failed, "⚠️")
    assert button_labels(failed) == ["Edit prompt"]
    message = await done(env, anna)
    await env.wait_until_idle()
    before = spent(env)
    custom_id = f"job:remix:v1:{env.job(message)['job_id']}"
    form = {"prompt": "a fox", **FIELDS}
    forged: list[tuple[str, dict[str, Any] | None]] = [
        (f"job:remix:v1:{env.job(failed)['job_id']}", None),
        (f"job:remix:v1:{env.job(failed)['job_id']}", form),
        (f"{custom_id}0", form),
        (custom_id, {"prompt": "a fox"}),
        (custom_id, form | {"seed": "1"}),
        (custom_id, form | {"resolution": ["9K"]}),
        (custom_id, form | {"num_images": ["5"]}),
        (custom_id, form | {"prompt": "x" * 4001}),
    ]
    for sent, filled in forged:
        text = await reply_to(await anna.send_raw(custom_id=sent, message=message, form=filled))
        assert "⚠️" in text, (sent, filled)
        assert "Something went wrong" not in text
    elsewhere = env.discord.guild.add_channel("elsewhere")
    press = await env.new_member().send_raw(custom_id=custom_id, channel=elsewhere, form=form)
    assert "can't find that request" in await reply_to(press)
    assert spent(env) == before


async def test_submitted_form_is_checked_again(env: Environment) -> None:
    anna = env.new_member()
    form, _ = await opened(anna, await done(env, anna))
    await env.wait_until_idle()
    before = spent(env)
    rules: dict[str, dict[str, Any]] = {
        "blocked word": {"forbidden_words": ["badger"]},
        "blocked from generating": {"blocked_members": [int(anna.id)]},
        "in this channel": {"forbidden_channels": [int(env.discord.channel.id)]},
        "maximum resolution is 1K": {"highest_resolution": "1K"},
    }
    said = {}
    for words, settings in rules.items():
        store_settings(env, **settings)
        said[words] = await reply_to(await anna.submit(form, prompt="a badger", resolution=["4K"]))
        assert "Your text\n```\na badger\n```" in said[words]  # since the form is gone
    env.discord.inject_fault("callback", 400, AUTOMOD, contains="badger")
    refused = await reply_to(await anna.submit(form, prompt="a badger", resolution=["4K"]))
    assert (words in refused, "badger" in refused) == (True, False)
    store_settings(env)
    env.discord.channel.set_permissions(attach_files=False)
    said["Attach Files"] = await reply_to(await anna.submit(form, prompt="a badger"))
    env.discord.channel.set_permissions(attach_files=True)
    assert {words: text for words, text in said.items() if words not in text} == {}
    assert spent(env) == before


async def test_expensive_form_is_confirmed(env: Environment) -> None:
    anna = env.new_member()
    form, _ = await opened(anna, await done(env, anna))
    await env.reply_to(env.mia, "quota set", limit=8, per="day", who=anna)
    submit = await anna.submit(form, resolution=["2K"], num_images=["4"])
    question = await submit.response()
    assert question.is_ephemeral
    assert "costs 6 credits" in question.text
    again = await (await anna.press(question, "Generate")).response()
    assert "6 credits" in again.text
    assert env.charged_images(anna) == 5
    await env.reply_to(env.mia, "quota clear", who=anna)


async def test_form_lists_only_what_the_rules_allow(env: Environment) -> None:
    anna = env.new_member()
    message = await done(env, anna)
    store_settings(env, highest_resolution="1K", most_images=2)
    form = await (await anna.press(message, "Remix")).modal_response()
    store_settings(env)
    parts = [top["component"] for top in form["components"]]
    listed = {part["custom_id"]: [each["value"] for each in part.get("options", ())] for part in parts}
    assert (listed["resolution"], listed["num_images"]) == (["0.5K", "1K"], ["1", "2"])


async def test_form_does_not_open_in_vain(env: Environment) -> None:
    anna = env.new_member()
    message = await done(env, anna)
    rules: dict[str, dict[str, Any]] = {
        "blocked from generating": {"blocked_members": [int(anna.id)]},
        "in this channel": {"forbidden_channels": [int(env.discord.channel.id)]},
        "turned off on this server": {"forbidden_models": ["google/nano-banana-2/text-to-image"]},
    }
    said = {}
    for words, settings in rules.items():
        store_settings(env, **settings)
        said[words] = await reply_to(await anna.press(message, "Remix"))
    store_settings(env)
    assert {words: text for words, text in said.items() if words not in text} == {}


async def test_hidden_prompt_is_shown_only_to_the_person_who_wrote_it(env: Environment) -> None:
    """Not even to someone who repeated the request: the new one is theirs, but the words are not."""
    anna, ben = env.new_member(), env.new_member()
    env.discord.inject_fault("callback", 400, AUTOMOD)
    env.discord.inject_fault("edit_followup", 400, AUTOMOD, contains="secret", times=9)
    hidden = await done(env, anna, prompt="the secret")
    env.discord.clear_faults("edit_followup")
    assert "secret" not in hidden.text
    _, now = await opened(ben, hidden)
    assert now["prompt"] == []
    _, now = await opened(anna, hidden)
    assert now["prompt"] == "the secret"
    env.discord.inject_fault("callback", 400, AUTOMOD)
    env.discord.inject_fault("edit_followup", 400, AUTOMOD, contains="secret", times=9)
    repeated = await (await ben.press(hidden, "Re-roll")).response()
    await env.wait_for_text(repeated, "✅")
    env.discord.clear_faults("edit_followup")
    for person, prompt in ((ben, []), (anna, "the secret")):
        form, now = await opened(person, repeated)
        assert now["prompt"] == prompt
        info = await (await person.press(repeated, "Info")).response()
        assert ("secret" in info.text) is (person is anna)
    form, _ = await opened(ben, repeated)
    own = await env.wait_for_text(await (await ben.submit(form, prompt="a hare")).response(), "✅", "a hare")
    assert (await opened(ben, own))[1]["prompt"] == "a hare"


async def test_private_result_is_remixed_only_by_its_author(env: Environment) -> None:
    anna, ben = env.new_member(), env.new_member()
    public = await done(env, anna)
    store_settings(env, is_private=True)
    private = await done(env, anna, prompt="the secret")
    assert (await opened(anna, private))[1]["prompt"] == "the secret"
    custom_id = f"job:remix:v1:{env.job(private)['job_id']}"
    for form in (None, {"prompt": "a fox", **FIELDS}):
        press = await ben.send_raw(custom_id=custom_id, message=public, form=form)
        assert "can't find that request" in await reply_to(press)
    store_settings(env)


async def test_in_russian(env: Environment) -> None:
    anna = env.new_member()
    anna.locale = "ru"
    message = await env.imagine(anna, prompt="a fox", resolution="0.5K")
    await env.wait_for_text(message, "✅")
    form = await (await anna.press(message, "Ремикс")).modal_response()
    assert form["title"] == "Ремикс"
    labels = [each["label"] for each in form["components"]]
    assert labels[:2] == ["Промпт", "Соотношение сторон (Ш:В)"]
    resolutions = form["components"][2]["component"]["options"]
    assert (resolutions[0]["label"], resolutions[0]["description"]) == ("0,5K", "0,75 кредита за изображение")
