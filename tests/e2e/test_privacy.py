"""/privacy: what it shows, the export, and the deletion."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.accounts import delivered
from tests.e2e.cli import run_command
from tests.e2e.environment import button_labels, open_environment
from tests.e2e.settings_panel import store_settings

if TYPE_CHECKING:
    from pathlib import Path

    from playground.discord import Interaction, Member, Message
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")
TEXT = {"input": "{}", "input_files": "[]", "preset": None, "origin": None, "error_values": "{}"}


async def done(env: Environment, person: Member, **options: Any) -> Message:
    message = await env.imagine(person, **{"resolution": "0.5K", **options})
    await env.wait_for_text(message, "✅")
    await env.wait_for_rows(lambda: env.job(message)["ended_at"])
    await env.wait_for_rows((env.folder / "data" / "kept" / str(env.job(message)["job_id"])).exists)
    return message


async def panel(person: Member, **where: Any) -> Message:
    """Use /privacy; return the answer."""
    message = await (await person.command("privacy", **where)).response()
    assert message.is_ephemeral
    return message


async def asked(person: Member, message: Message) -> Interaction:
    """Press Delete my data; return the interaction with the form."""
    press = await person.press(message, "Delete my data")
    await press.modal_response()
    return press


async def erased(env: Environment, person: Member) -> Message:
    """Delete everything of a person and wait until it is done; return the answer to /privacy."""
    message = await panel(person)
    await person.submit(await asked(person, message))
    await env.wait_for_text(message, "without text")
    await env.discord.until(lambda: "being deleted" not in message.text)
    return message


async def archive(env: Environment, person: Member) -> zipfile.ZipFile:
    press = await person.press(await panel(person), "Export")
    answer = await press.response()
    assert answer.is_ephemeral
    await env.discord.until(lambda: answer.files)
    assert [file["filename"] for file in answer.files] == ["my-data.zip"]
    return zipfile.ZipFile(io.BytesIO(await env.discord.file(answer.files[0])))


def folders(env: Environment) -> set[str]:
    return {path.name for root in ("files", "kept") for path in (env.folder / "data" / root).glob("*")}


async def test_nothing_is_stored_about_a_stranger(env: Environment) -> None:
    message = await panel(env.new_member())
    assert "**What I store about you, from all servers**\nNothing yet." in message.text
    assert button_labels(message) == ["Export"]


async def test_counts(env: Environment) -> None:
    anna = env.new_member()
    for number in (1, 2):
        await done(env, anna, num_images=number)
    message = await panel(anna)
    assert "📝 2 requests with prompt and options" in message.text
    assert "💾 3 original images, the last kept until <t:" in message.text
    assert "💬 2 messages that I can delete" in message.text
    assert "Prompts and options: until you delete them" in message.text
    assert button_labels(message) == ["Export", "Delete my data"]


async def test_everything_is_deleted_but_numbers(env: Environment) -> None:
    anna, ben = env.new_member(), env.new_member()
    message, other = await done(env, anna, num_images=2), await done(env, ben)
    before, others, used = env.job(message), env.job(other), env.charged_images(anna)
    assert before["job_id"] in folders(env)
    shown = await panel(anna)
    form = await asked(anna, shown)
    assert form.modal is not None
    text = form.modal["components"][0]["content"]
    for said in ("your request on all servers", "2 pictures and images", "1 message", "can't be undone"):
        assert said in text
    await env.restart()
    await anna.submit(form)
    await env.wait_for_text(shown, "🔢 1 request without text")
    await env.discord.until(lambda: message.is_deleted)
    assert button_labels(shown) == ["Export"]
    after = env.job(message)
    changed = {name for name in after if after[name] != before[name]} - {"cost", "next_cost_check_at"}
    assert {name: after[name] for name in TEXT} == TEXT
    assert changed <= {*TEXT, "deleted_at", "deleted_by", "text_removed_at", "message_id"}
    assert before["job_id"] not in folders(env)
    assert env.charged_images(anna) == used == 2
    assert env.job(other) | {"cost": 0, "next_cost_check_at": 0} == others | {
        "cost": 0,
        "next_cost_check_at": 0,
    }
    assert not other.is_deleted
    assert env.rows("select * from left_messages") == []


async def test_buttons_of_a_deleted_request(env: Environment) -> None:
    """Their message is gone; such a press is forged, or was under way."""
    anna, ben = env.new_member(), env.new_member()
    message, other = await done(env, anna), await done(env, ben)
    child = await (await ben.press(message, "Re-roll")).response()
    await env.wait_for_text(child, "✅")
    await erased(env, anna)
    job_id = env.job(message)["job_id"]
    for action in ("reroll", "remix", "change", "vary", "upscale", "download", "info", "fetch", "edit"):
        press = await anna.send_raw(custom_id=f"job:{action}:v1:{job_id}", message=other)
        assert "can't find that request" in (await press.response()).text
    info = await (await ben.press(child, "Info")).response()
    assert "an earlier request that was deleted" in info.text
    assert "a fox" in info.text
    assert not child.is_deleted
    assert delivered(child) == 1


async def test_running_request_is_finished_first(held: Environment) -> None:
    anna = held.new_member()
    message = await held.queued(anna)
    shown = await panel(anna)
    await anna.submit(await asked(anna, shown))
    await held.wait_for_text(shown, "⏳ 1 request is being deleted")
    assert "Delete my data" not in button_labels(shown)
    assert json.loads(held.job(message)["input"])["prompt"] == "a fox"
    held.runcomfy.finish(held.runcomfy.start_next())
    await held.wait_for_text(message, "✅")
    await held.discord.until(lambda: message.is_deleted)
    assert held.job(message)["input"] == "{}"
    assert held.charged_images(anna) == 1
    await held.wait_for_rows(lambda: held.job(message)["job_id"] not in folders(held))


async def test_export_has_everything_of_one_person(env: Environment) -> None:
    anna, ben = env.new_member(), env.new_member()
    message, other = (
        await done(env, anna, prompt="a red fox", num_images=2),
        await done(env, ben, prompt="mine"),
    )
    await (await env.mia.command("quota set", limit=9, per="day", who=anna)).response()
    await (await env.mia.command("quota grant", amount=3, who=anna)).response()
    store_settings(env, blocked_members=[int(anna.id)])
    exported = await archive(env, anna)
    store_settings(env)
    data = json.loads(exported.read("data.json"))
    job = env.job(message)
    (request,) = data["requests"]
    assert request["prompt"] == "a red fox"
    assert request["options"]["resolution"] == "0.5K"
    assert request["files"] == [f"images/{job['job_id']}-{number}.png" for number in (1, 2)]
    kept = env.folder / "data" / "kept" / job["job_id"]
    for number in (1, 2):
        assert exported.read(f"images/{job['job_id']}-{number}.png") == (kept / f"{number}.png").read_bytes()
    assert (data["user_id"], request["message_id"]) == (anna.id, message.id)
    assert [(each["credits"], each["per"]) for each in data["limits"]] == [(9, "day")]
    assert [each["credits"] for each in data["extra_credits"]] == [3]
    assert data["blocked_on_servers"] == [env.discord.guild.id]
    assert data["left_out"] == {"requests": 0, "files": []}
    text = exported.read("data.json").decode()
    for secret in ("mine", env.job(other)["job_id"], ben.id, env.mia.id, env.runcomfy.url, "http"):
        assert secret not in text
    assert env.discord.token not in text


async def test_export_leaves_out_what_others_wrote(env: Environment) -> None:
    anna, ben = env.new_member(), env.new_member()
    message = await done(env, anna, prompt="a secret garden")
    child = await (await ben.press(message, "Re-roll")).response()
    await env.wait_for_text(child, "✅")
    await env.wait_for_rows((env.folder / "data" / "kept" / env.job(child)["job_id"]).exists)
    for _ in range(2):
        exported = await archive(env, ben)
        (request,) = json.loads(exported.read("data.json"))["requests"]
        assert request["written_by_someone_else"]
        assert (request["prompt"], request["options"]) == (None, None)
        assert len(request["files"]) == 1
        assert b"secret" not in exported.read("data.json")
        if not message.is_deleted:
            await erased(env, anna)
    assert json.loads(env.job(child)["input"])["prompt"] == "a secret garden"


async def test_export_larger_than_the_limit(env: Environment) -> None:
    anna = env.new_member()
    first, last = await done(env, anna), await done(env, anna)
    size = (env.folder / "data" / "kept" / env.job(last)["job_id"] / "1.png").stat().st_size
    before = env.discord.attachment_size_limit
    env.discord.attachment_size_limit = size + 4000
    try:
        press = await anna.press(await panel(anna), "Export")
        answer = await press.response()
        await env.discord.until(lambda: answer.files)
        assert "1 request or file didn't fit into Discord's limit" in answer.text
        data = await env.discord.file(answer.files[0])
        assert len(data) <= size + 4000
        exported = zipfile.ZipFile(io.BytesIO(data))
        left_out = json.loads(exported.read("data.json"))["left_out"]
        assert left_out == {"requests": 0, "files": [f"images/{env.job(first)['job_id']}-1.png"]}
        assert f"images/{env.job(last)['job_id']}-1.png" in exported.namelist()
        for room, skipped in ((4000, 0), (900, 2)):
            env.discord.attachment_size_limit = room
            exported = await archive(env, anna)
            document = json.loads(exported.read("data.json"))
            assert document["left_out"]["requests"] == skipped
            assert len(document["requests"]) == 2 - skipped
            assert len(document["left_out"]["files"]) == 2
    finally:
        env.discord.attachment_size_limit = before


async def test_images_that_wait_to_be_collected_are_not_exported(env: Environment) -> None:
    """They would be refunded later, because no one collected them; deleting them keeps them charged."""
    anna = env.new_member()
    anna.takes_direct_messages = False
    thread = env.discord.guild.add_thread("garden", env.discord.channel)
    env.runcomfy.hold()
    lost = await (await anna.command("imagine", prompt="a fox", channel=thread)).response()
    await env.wait_for_rows(lambda: env.job(lost)["request_id"])
    thread.archive()
    env.runcomfy.release()
    job_id = (await env.wait_for_end(lost))["job_id"]
    await env.wait_for_rows(lambda: env.job(lost)["token"] is None)
    shown = await panel(anna)
    assert "📥 1 image that hasn't arrived yet" in shown.text
    exported = await archive(env, anna)
    (request,) = json.loads(exported.read("data.json"))["requests"]
    assert request["images_wait_to_be_collected"]
    assert exported.namelist() == ["data.json"]
    await erased(env, anna)
    assert job_id not in folders(env)
    assert env.job(lost)["uncollected_since"] is None
    assert env.charged_images(anna) == 1
    assert "nothing in progress" in await env.reply_to(anna, "jobs")


async def test_message_that_discord_does_not_delete_is_tried_again(env: Environment) -> None:
    anna = env.new_member()
    message = await done(env, anna)
    env.discord.inject_fault("delete_message", 403, {"code": 50001, "message": "Missing Access"}, times=100)
    shown = await erased(env, anna)
    assert "💬 1 message that I can delete" in shown.text
    assert env.job(message)["input"] == "{}"
    env.discord.clear_faults("delete_message")
    await env.restart()
    await env.discord.until(lambda: message.is_deleted)


async def test_in_russian(env: Environment) -> None:
    anna = env.new_member()
    anna.locale = "ru"
    await done(env, anna)
    shown = await panel(anna)
    assert "📝 1 запрос с промптом и параметрами" in shown.text
    assert button_labels(shown) == ["Скачать всё", "Удалить мои данные"]
    form = await (await anna.press(shown, "Удалить мои данные")).modal_response()
    assert "Это нельзя отменить" in form["components"][0]["content"]


async def test_owner_deletes_on_behalf_of_a_person(env: Environment) -> None:
    anna = env.new_member()
    message = await done(env, anna)
    code, said = await run_command(env, "erase", anna.id)
    assert (code, "1 requests, 1 messages" in said, "--yes" in said) == (0, True, True)
    assert not env.job(message)["text_removed_at"]
    code, said = await run_command(env, "erase", anna.id, "--yes")
    assert (code, "deleted in the next ten seconds" in said) == (0, True)
    await env.discord.until(lambda: message.is_deleted)
    assert env.job(message)["input"] == "{}"
    assert "nothing to delete" in (await run_command(env, "erase", anna.id, "--yes"))[1]


@pytest.mark.asyncio(loop_scope="function")
async def test_texts_of_old_requests_are_removed(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, PROMPTS_DAYS="1") as env:
        old, recent = await done(env, env.alice), await done(env, env.alice)
        await env.kill()
        job_id = env.job(old)["job_id"]
        env.execute(f"update jobs set ended_at = ended_at - 86400000 where job_id = '{job_id}'")  # noqa: S608 (an id)
        await env.start()
        await env.wait_for_rows(lambda: env.job(old)["text_removed_at"])
        assert env.job(old)["input"] == "{}"
        assert json.loads(env.job(recent)["input"])["prompt"] == "a fox"
        for name in ("Re-roll", "Remix", "Edit", "Vary", "Upscale"):
            label = next(each for each in old.buttons if each.startswith(name))
            assert (
                "no longer have this request's prompt"
                in (await (await env.bob.press(old, label)).response()).text
            )
        info = await (await env.bob.press(old, "Info")).response()
        assert "(Prompt no longer stored)" in info.text
        text = (await panel(env.alice)).text
        assert "📝 1 request with prompt" in text
        assert "Prompts and options: 1 day after a request is done" in text
        assert "💬 2 messages" in text
        form = await env.alice.press(old, "Delete")
        await form.modal_response()
        await env.alice.submit(form)
        await env.discord.until(lambda: old.is_deleted)


async def test_forged_presses_and_forms_are_refused(env: Environment) -> None:
    anna, ben = env.new_member(), env.new_member()
    message, shown = await done(env, anna), await panel(anna)
    wrong = [
        (f"job:{action}:v1:{name}", where)
        for action in ("export", "erase")
        for name, where in (("", message), (env.job(message)["job_id"], shown))
    ]
    for custom_id, where in wrong:
        forms: tuple[dict[str, Any] | None, ...] = (None, {})
        for form in forms:
            press = await ben.send_raw(custom_id=custom_id, message=where, form=form)
            assert "can't find that request" in (await press.response()).text
    asked_for = {str(row["user_id"]) for row in env.rows("select * from erasures")}
    assert not asked_for & {anna.id, ben.id}
    assert env.job(message)["text_removed_at"] is None


@pytest.mark.asyncio(loop_scope="function")
async def test_deletion_restores_no_limit(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, DEFAULT_QUOTA="2/month") as env:
        for _ in range(2):
            await done(env, env.alice, resolution="1K")
        usage = await env.reply_to(env.alice, "usage")
        report = await (await env.mia.command("quota show")).response()
        await env.discord.until(lambda: report.text)
        await erased(env, env.alice)
        assert await env.reply_to(env.alice, "usage") == usage
        assert "out of credits" in await env.reply_to(env.alice, "imagine", prompt="a fox")
        again = await (await env.mia.command("quota show")).response()
        await env.discord.until(lambda: again.text)
        assert again.text == report.text
        # A blocked member, in a channel where nothing can be generated, still sees what is stored.
        store_settings(env, blocked_members=[int(env.alice.id)])
        assert "2 requests without text" in (await panel(env.alice)).text
